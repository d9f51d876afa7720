//! Biases of windows of images: a learned value for each offset between two patches.

use ndarray::{Array2, Axis, concatenate};

use super::{Span, TableBias, TableRule, check_axes};
use crate::element::Element;
use crate::error::Error;
use crate::positions::{Position, Positions};
use crate::resample::{GridResample, Resample};

/// The bias of Swin (Liu et al. 2021, *Swin transformer: hierarchical vision transformer using
/// shifted windows*) and BEiT (Bao et al. 2021): a learned table with a row for each offset
/// (dy, dx) = query − key within a window (height, width).
///
/// bias\[h, i, j\] = table\[(dy + height − 1) · (2 · width − 1) + dx + width − 1, h\]. Positions
/// have two axes, row and column, as in [`Positions::grid`]. No index of pairs is kept.
///
/// The table of BEiT (also of Data2Vec-vision and of timm's `RelPosBias` with a prefix token) has
/// three more rows: one for the class token as the query and a patch as the key, one for a patch
/// as the query and the class token as the key, and one for the class token with itself. The class
/// token is at position −1 on both axes. For windows that are not square, transformers' BEiT swaps
/// height and width; this crate does not.
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

/// The rule of [`WindowBias`]: a row for each offset within a window, and three more with a class
/// token.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Window {
    size: [usize; 2],
    /// The number of rows for offsets.
    offsets: usize,
    class: bool,
}

/// The position of the class token on each axis.
const CLASS: i64 = -1;

impl<A: Element> WindowBias<A> {
    /// Makes Swin's bias from a table ((2 · height − 1) · (2 · width − 1), heads) and the window
    /// (height, width).
    ///
    /// # Errors
    ///
    /// [`Error::EmptyGrid`], [`Error::TooLarge`], and the errors of [`TableBias::new`].
    pub fn swin(table: Array2<A>, window: [usize; 2]) -> Result<Self, Error> {
        Self::new(table, Window::new(window)?)
    }

    /// Makes BEiT's bias from a table ((2 · height − 1) · (2 · width − 1) + 3, heads) and the
    /// window (height, width); the last three rows are for the class token.
    ///
    /// # Errors
    ///
    /// The errors of [`swin`](Self::swin).
    pub fn beit(table: Array2<A>, window: [usize; 2]) -> Result<Self, Error> {
        Self::new(table, Window { class: true, ..Window::new(window)? })
    }

    /// Returns the bias for another window, with rows resampled from this one's; the rows of the
    /// class token are kept. Use [`Resample::bilinear`] with [`Sampling::HalfPixel`] for
    /// transformers' BEiT, [`Resample::vit`] for timm's `resize_rel_pos_bias_table_simple`.
    ///
    /// [`Sampling::HalfPixel`]: crate::resample::Sampling::HalfPixel
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
        // Sides and the number of rows must fit into usize.
        let sides = |len: usize| (len <= 1 << 30).then(|| 2 * len - 1);
        let offsets = sides(height).zip(sides(width)).and_then(|(y, x)| y.checked_mul(x));
        let offsets = offsets.ok_or(Error::TooLarge { rows: height, dim: width })?;
        Ok(Self { size: [height, width], offsets, class: false })
    }

    /// Returns the numbers of offsets along both axes.
    pub(crate) fn sides(&self) -> [usize; 2] {
        self.size.map(|len| 2 * len - 1)
    }

    /// Returns the height and width of the window.
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
            let whole = |position| if let Position::Integer(at) = position { at } else { 0 };
            let mut point = positions.coordinates(at).map(whole);
            [(); 2].map(|()| point.next().unwrap_or(0))
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
