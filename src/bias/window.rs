//! Windows of images: a learned number for each offset between two patches.

use ndarray::{Array2, Axis, concatenate};

use super::{Span, TableBias, TableRule, check_axes};
use crate::element::Element;
use crate::error::Error;
use crate::positions::{Position, Positions};
use crate::resample::{GridResample, Resample};

/// Swin's bias (Liu et al. 2021), and BEiT's: a learned table with a row for each offset (dy, dx)
/// between a query and a key of a window (height, width).
///
/// Row (dy + height − 1) · (2 · width − 1) + dx + width − 1 is that of the offset query − key.
/// Positions have two axes, row and column; [`Positions::grid`] makes those of a window. No table
/// of pairs is kept.
///
/// BEiT (also Data2Vec-vision, timm's `RelPosBias` with a prefix token) has three rows more: the
/// class token to patches, patches to it, and it to itself. Its position is −1 on both axes. For
/// windows that are not square transformers' BEiT takes the height for the width; here each is
/// itself.
///
/// ```
/// use ndarray::Array2;
/// use positional_encodings::{AttentionBias, Positions, bias::WindowBias};
///
/// let table = Array2::from_shape_fn((15, 1), |(row, _)| row as f32);
/// let swin = WindowBias::swin(table, [2, 3])?;
/// let patches = Positions::grid(&[2, 3])?;
/// let bias = swin.encode(&patches, &patches)?; // (heads, 6, 6)
/// assert_eq!((bias[[0, 0, 0]], bias[[0, 0, 5]]), (7.0, 0.0)); // offsets (0, 0) and (−1, −2)
///
/// let beit = WindowBias::beit(Array2::from_shape_fn((18, 1), |(row, _)| row as f32), [2, 3])?;
/// let tokens = Positions::concat([Positions::from(&[-1]), patches])?; // the class token, patches
/// assert_eq!(beit.encode(&tokens, &tokens)?[[0, 0, 1]], 15.0);
/// # Ok::<(), positional_encodings::Error>(())
/// ```
pub type WindowBias<A> = TableBias<A, Window>;

/// The offsets within a window, and three more rows where there is a class token.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Window {
    size: [usize; 2],
    /// The number of rows that are for offsets.
    offsets: usize,
    class: bool,
}

/// Where the class token stands, on each axis.
const CLASS: i64 = -1;

impl<A: Element> WindowBias<A> {
    /// Takes a table ((2 · height − 1) · (2 · width − 1), heads) of a window (height, width).
    ///
    /// # Errors
    ///
    /// [`Error::EmptyGrid`], [`Error::TooLarge`], and the errors of [`TableBias::new`].
    pub fn swin(table: Array2<A>, window: [usize; 2]) -> Result<Self, Error> {
        Self::new(table, Window::new(window)?)
    }

    /// Takes a table of a window with a class token, the last three rows being its own.
    ///
    /// # Errors
    ///
    /// The errors of [`swin`](Self::swin).
    pub fn beit(table: Array2<A>, window: [usize; 2]) -> Result<Self, Error> {
        Self::new(table, Window { class: true, ..Window::new(window)? })
    }

    /// Returns the bias of another window, whose offsets lie between those of this one: bilinear
    /// and half pixels for transformers' BEiT, [`Resample::vit`] for timm's
    /// `resize_rel_pos_bias_table_simple`. The class token's rows stay.
    ///
    /// # Errors
    ///
    /// [`Error::EmptyGrid`], [`Error::TooLarge`].
    pub fn resized(&self, window: [usize; 2], resample: Resample) -> Result<Self, Error> {
        let rule = Window { class: self.rule.class, ..Window::new(window)? };
        let resize = GridResample::new(self.rule.sides(), rule.sides(), resample)?;
        let (offsets, class) = self.table.view().split_at(Axis(0), self.rule.offsets);
        let offsets = resize.apply(offsets)?;
        let too_large = Error::TooLarge { rows: rule.entries(), dim: self.table.ncols() };
        let table = concatenate(Axis(0), &[offsets.view(), class]).map_err(|_| too_large)?;
        Self::new(table, rule)
    }
}

impl Window {
    pub(crate) fn new([height, width]: [usize; 2]) -> Result<Self, Error> {
        if height == 0 || width == 0 {
            return Err(Error::EmptyGrid { rows: height, columns: width });
        }
        // As many rows as can be counted, and offsets of either sign.
        let sides = |len: usize| (len <= 1 << 30).then(|| 2 * len - 1);
        let offsets = sides(height).zip(sides(width)).and_then(|(y, x)| y.checked_mul(x));
        let offsets = offsets.ok_or(Error::TooLarge { rows: height, dim: width })?;
        Ok(Self { size: [height, width], offsets, class: false })
    }

    /// The numbers of offsets along both axes.
    pub(crate) fn sides(&self) -> [usize; 2] {
        self.size.map(|len| 2 * len - 1)
    }

    /// Height and width.
    pub fn size(&self) -> [usize; 2] {
        self.size
    }
}

impl TableRule for Window {
    fn entries(&self) -> usize {
        self.offsets + if self.class { 3 } else { 0 }
    }

    fn rows(&self, query: &Positions<'_>, keys: &Positions<'_>, rows: &mut [usize]) {
        let point = |positions: &Positions<'_>, at: usize| {
            let mut point = [Position::Integer(0); 2];
            positions.read_point(at, &mut point);
            point.map(|position| if let Position::Integer(at) = position { at } else { 0 })
        };
        let query = point(query, 0);
        let is_class = |point: [i64; 2]| self.class && point.contains(&CLASS);
        let [height, width] = self.size.map(|len| len as i64);
        for (at, row) in rows.iter_mut().enumerate() {
            let key = point(keys, at);
            let [dy, dx] = [0, 1].map(|axis| query[axis].wrapping_sub(key[axis]));
            *row = match (is_class(query), is_class(key)) {
                (true, false) => self.offsets,
                (false, true) => self.offsets + 1,
                (true, true) => self.offsets + 2,
                _ => {
                    let (y, x) = (dy.wrapping_add(height - 1), dx.wrapping_add(width - 1));
                    y.wrapping_mul(2 * width - 1).wrapping_add(x) as usize
                }
            };
        }
    }

    fn axes(&self) -> [usize; 2] {
        [2, 2]
    }

    fn check(&self, queries: &Positions<'_>, keys: &Positions<'_>) -> Result<(), Error> {
        let skipped = self.class.then_some(CLASS);
        check_axes(2, queries, keys, |axis, queries, keys| {
            let extents = queries.extent(skipped)?.zip(keys.extent(skipped)?);
            let Some((query, key)) = extents else { return Ok(()) };
            let [query, key] = [query, key].map(|extent| extent.map(|end| end as f64));
            Span::symmetric(self.sides()[axis])?.check_bounds(query, key)
        })
    }
}
