//! The learned table of a grid.

use core::fmt;

use ndarray::{Array, Array2, ArrayView2, ArrayViewMut2, Axis, Dimension};

use super::{PositionalEncoding, check_table};
use crate::arrays::row_major;
use crate::element::Element;
use crate::error::Error;
use crate::positions::{Position, Positions};
use crate::threads;

/// A table with a row for every point of a grid, such as the patches of an image or a video.
///
/// PE(r, c) = table\[r, c\]. At real coordinates the rows around the point are interpolated
/// linearly on each axis, in f64 with one rounding. Positions have shape (points, axes), vectors
/// (points, dim). For a grid of another size, [`resized`](Self::resized) resamples the table.
///
/// | system | write |
/// |---|---|
/// | SAM's `pos_embed` (1, height, width, dim) | `LearnedGrid::from_table` of the table without its first axis |
/// | Kimi K2.5 (`divided_fixed`): learned in space, a sinusoid of the time | `Axes::sum` of a `Sinusoidal` in halves and a `LearnedGrid` resized to the frames |
/// | MoViNet, ViViT with a table for the time | `Axes::sum` of a `Learned` and a `LearnedGrid` |
/// | ViT, whose table has a class row | [`Learned`](crate::Learned), at `0..1 + height · width` |
///
/// ```
/// use ndarray::array;
/// use positional_encodings::{
///     Axes, FeatureLayout, LearnedGrid, PositionalEncoding, Positions, Sinusoidal,
/// };
///
/// let space = LearnedGrid::from_table(array![[[1.0_f32, 2.0], [3.0, 4.0]]])?; // (1, 2, dim)
/// assert_eq!(space.encode(&Positions::from_points(&array![[0.0, 0.5]])?)?, array![[2.0, 3.0]]);
///
/// // Kimi K2.5 at (time, row, column)
/// let time = Sinusoidal::new(2)?.with_layout(FeatureLayout::SinCosHalves);
/// let parts: [Box<dyn PositionalEncoding<f32>>; 2] = [Box::new(time), Box::new(space)];
/// let video = Axes::sum(parts)?.encode_grid(&[4, 1, 2])?;
/// assert_eq!(video[[0, 0, 1, 1]], 4.0 + 1.0);
/// # Ok::<(), positional_encodings::Error>(())
/// ```
#[derive(Clone, PartialEq)]
pub struct LearnedGrid<A> {
    /// The table (points, dim); the last axis of the grid varies fastest.
    table: Array2<A>,
    sizes: Vec<usize>,
}

impl<A: Element> LearnedGrid<A> {
    /// Makes an encoding from a table of shape (sizes…, dim).
    ///
    /// # Errors
    ///
    /// [`Error::TooFewAxes`] without an axis before the features, [`Error::ZeroDim`] without
    /// features; [`Error::TooLarge`] for more than eight axes.
    pub fn from_table<D: Dimension>(table: Array<A, D>) -> Result<Self, Error> {
        let (rows, dim) = match table.shape() {
            [] | [_] => return Err(Error::TooFewAxes { expected: 2, found: table.ndim() }),
            [.., 0] => return Err(Error::ZeroDim),
            [sizes @ .., dim] if sizes.len() <= 8 => (table.len() / dim, *dim),
            [sizes @ .., _] => return Err(Error::TooLarge { rows: 1, dim: sizes.len() }),
        };
        let sizes = table.shape()[..table.ndim() - 1].to_vec();
        let too_large = |_| Error::TooLarge { rows, dim };
        let table = row_major(table);
        Ok(Self { table: table.into_shape_with_order((rows, dim)).map_err(too_large)?, sizes })
    }

    /// Returns the sizes of the grid.
    pub fn sizes(&self) -> &[usize] {
        &self.sizes
    }

    /// Returns the table, shape (points, dim); the last axis of the grid varies fastest.
    pub fn table(&self) -> ArrayView2<'_, A> {
        self.table.view()
    }

    /// Returns the table (points, dim) as a mutable view.
    pub fn table_mut(&mut self) -> ArrayViewMut2<'_, A> {
        self.table.view_mut()
    }

    /// Returns the width of a position vector.
    pub fn dim(&self) -> usize {
        self.table.ncols()
    }

    /// Calls `visit` with the rows around a point and their weights; whole coordinates have one
    /// row.
    pub(crate) fn around(&self, point: &[Position], visit: &mut impl FnMut(usize, f64)) {
        self.around_from(point, 0, (0, 1.0), visit);
    }

    fn around_from(
        &self,
        point: &[Position],
        axis: usize,
        (row, weight): (usize, f64),
        visit: &mut impl FnMut(usize, f64),
    ) {
        let (Some(&position), Some(&size)) = (point.get(axis), self.sizes.get(axis)) else {
            return visit(row, weight);
        };
        let below = libm::floor(position.to_f64()).max(0.0) as usize;
        let share = position.to_f64() - below as f64;
        for (index, share) in [(below, 1.0 - share), (below + 1, share)] {
            if share > 0.0 && index < size {
                self.around_from(point, axis + 1, (row * size + index, weight * share), visit);
            }
        }
    }

    fn rows(&self, positions: &Positions<'_>, mut out: ArrayViewMut2<'_, A>) -> Result<(), Error> {
        positions.each_point(|index, point| {
            let mut out = out.row_mut(index);
            let is_whole = |position: &Position| matches!(position, Position::Integer(_));
            if point.iter().all(is_whole) {
                self.around(point, &mut |row, _| out.assign(&self.table.row(row)));
                return;
            }
            for (column, out) in self.table.axis_iter(Axis(1)).zip(&mut out) {
                let mut sum = 0.0;
                self.around(point, &mut |row, weight| sum += weight * column[row].to_f64());
                *out = A::from_f64(sum);
            }
        });
        Ok(())
    }
}

/// Shows the encoding as a caption: `learned grid, 64 × 64 positions, dim 768`.
impl<A> fmt::Display for LearnedGrid<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sizes: Vec<_> = self.sizes.iter().map(ToString::to_string).collect();
        let dim = self.table.ncols();
        write!(f, "learned grid, {} positions, dim {dim}", sizes.join(" × "))
    }
}

impl<A> fmt::Debug for LearnedGrid<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("LearnedGrid");
        shown.field("sizes", &self.sizes).field("dim", &self.table.ncols()).finish()
    }
}

impl<A: Element> PositionalEncoding<A> for LearnedGrid<A> {
    fn dim(&self) -> usize {
        self.dim()
    }

    /// Returns the shortest side of the grid.
    fn max_len(&self) -> Option<usize> {
        self.sizes.iter().copied().min()
    }

    fn axes(&self) -> usize {
        self.sizes.len()
    }

    fn check(&self, positions: &Positions<'_>) -> Result<(), Error> {
        positions.check_axes(self.sizes.len())?;
        let mut axes = self.sizes.iter().enumerate();
        axes.try_for_each(|(axis, &size)| match positions.axis(axis) {
            Some(own) => check_table(&own, 0, size),
            None => Ok(()),
        })
    }

    fn encode_into(
        &self,
        positions: &Positions<'_>,
        out: ArrayViewMut2<'_, A>,
    ) -> Result<(), Error> {
        self.check_shape(positions, &out)?;
        self.check(positions)?;
        threads::rows(positions, out, &|positions, out| self.rows(positions, out))
    }
}
