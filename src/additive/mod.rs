//! Position vectors that are added to the embeddings.

mod axes;
mod calendar;
mod fourier;
mod learned;
mod learned_grid;
mod mip_nerf;
mod nerf;
mod none;
mod radial;
mod recipes;
mod recognised;
mod shapes;
mod sinusoidal;
mod sphere;
mod time2vec;
mod timestep;
mod wavelengths;

pub use axes::Axes;
pub use calendar::Cycle;
pub use fourier::{Fourier, Input};
pub(crate) use learned::FrozenRows;
pub use learned::{Init, Learned};
pub use learned_grid::LearnedGrid;
pub use mip_nerf::MipNerf;
pub use none::NoPositions;
pub use radial::Radial;
pub use recognised::PositionTable;
#[cfg(feature = "analysis")]
pub(crate) use recognised::{grid_formulas, line_formulas};
pub(crate) use shapes::{check_lengths, check_words};
pub use sinusoidal::Sinusoidal;
pub use sphere::{AngleUnit, Sphere2Vec, equal_earth};
pub use time2vec::Time2Vec;
pub use timestep::Timestep;
pub use wavelengths::Wavelengths;

use ndarray::{Array2, Array3, ArrayD, ArrayViewMut2, Axis, IxDyn};

use crate::add::add;
use crate::arrays::{room, zeros};
use crate::blocks::in_blocks;
use crate::element::Element;
use crate::error::Error;
use crate::forward::forward;
use crate::positions::{Position, Positions, Run};
use crate::threads;

/// Maps positions to vectors that are added to embeddings.
///
/// An implementation needs three methods; the others have defaults. The trait is object-safe, and
/// `&T`, `Box<T>` and `Arc<T>` implement it, so that an encoding can be chosen at run time:
///
/// ```
/// use positional_encodings::{Learned, PositionalEncoding, Positions, Sinusoidal};
///
/// fn choose(name: &str) -> Result<Box<dyn PositionalEncoding<f32>>, positional_encodings::Error> {
///     Ok(match name {
///         "sinusoidal" => Box::new(Sinusoidal::new(8)?),
///         _ => Box::new(Learned::from_table(ndarray::Array2::zeros((512, 8)))?),
///     })
/// }
/// assert_eq!(choose("sinusoidal")?.encode(&Positions::from(0..3))?.dim(), (3, 8));
/// assert_eq!(choose("learned")?.max_len(), Some(512));
/// # Ok::<(), positional_encodings::Error>(())
/// ```
///
/// Implementations outside this crate can run the checks that its own encodings must pass:
/// [`testing::check_laws`](crate::testing::check_laws).
pub trait PositionalEncoding<A: Element>: Send + Sync {
    /// Returns the width of a position vector.
    fn dim(&self) -> usize;

    /// Returns the number of positions from 0 on that can be encoded, or `None` where any position
    /// can.
    fn max_len(&self) -> Option<usize>;

    /// Returns the number of axes of a position, 1 by default.
    fn axes(&self) -> usize {
        1
    }

    /// Writes the vector of the i-th position to row i of `out`, shape (positions, dim), and
    /// overwrites what was there. The positions of a batch are taken row after row, as
    /// [`Positions::count`] and [`Positions::iter`] do.
    ///
    /// # Errors
    ///
    /// An error where the shape does not fit or a position cannot be encoded; `out` is then
    /// unchanged.
    fn encode_into(
        &self,
        positions: &Positions<'_>,
        out: ArrayViewMut2<'_, A>,
    ) -> Result<(), Error>;

    /// Checks that all `positions` can be encoded, as [`encode_into`](Self::encode_into) does
    /// before it writes.
    ///
    /// By default it checks that positions have as many [`axes`](Self::axes) as the encoding, are
    /// finite and, where there is a `max_len`, lie within 0..max_len on each axis. Override it for
    /// an encoding of other positions.
    ///
    /// # Errors
    ///
    /// The error that encoding them would give.
    fn check(&self, positions: &Positions<'_>) -> Result<(), Error> {
        positions.check_axes(self.axes())?;
        match self.max_len() {
            Some(len) => check_table(positions, 0, len),
            None => positions.check_finite(),
        }
    }

    /// Checks that `out` has the shape (positions, dim) and that the positions have the right
    /// number of [`axes`](Self::axes). Implementations of [`encode_into`](Self::encode_into) call
    /// it.
    ///
    /// # Errors
    ///
    /// [`Error::AxesMismatch`], [`Error::WidthMismatch`] or [`Error::LengthMismatch`].
    fn check_shape(
        &self,
        positions: &Positions<'_>,
        out: &ArrayViewMut2<'_, A>,
    ) -> Result<(), Error> {
        positions.check_axes(self.axes())?;
        check_shape(positions, self.dim(), out)
    }

    /// Returns the vectors of the positions as a new array (positions, dim), row after row.
    ///
    /// # Errors
    ///
    /// The errors of [`check`](Self::check), and [`Error::TooLarge`].
    fn encode(&self, positions: &Positions<'_>) -> Result<Array2<A>, Error> {
        let (rows, dim) = (positions.count(), self.dim());
        room::<A>(rows, dim)?;
        self.check(positions)?;
        let mut out = zeros(rows, dim)?;
        self.encode_into(positions, out.view_mut())?;
        Ok(out)
    }

    /// Returns the vectors of a batch as a new array (batch, len, dim); a list is a batch of one.
    ///
    /// # Errors
    ///
    /// The errors of [`encode`](Self::encode).
    ///
    /// ```
    /// use ndarray::array;
    /// use positional_encodings::{Learned, PositionalEncoding, Positions};
    ///
    /// let learned = Learned::from_table(array![[10.0_f32], [20.0], [30.0]])?;
    /// let ids = array![[0, 0, 1], [0, 1, 2]];
    /// let vectors = learned.encode_batch(&Positions::from(&ids))?;
    /// assert_eq!(vectors, array![[[10.0], [10.0], [20.0]], [[10.0], [20.0], [30.0]]]);
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    fn encode_batch(&self, positions: &Positions<'_>) -> Result<Array3<A>, Error> {
        let (rows, len, dim) = (positions.rows().unwrap_or(1), positions.len(), self.dim());
        let too_large = Error::TooLarge { rows: positions.count(), dim };
        let vectors = self.encode(positions)?;
        vectors.into_shape_with_order((rows, len, dim)).map_err(|_| too_large)
    }

    /// Returns the vectors of a whole grid as a new array (sizes…, dim): (height, width, dim) for
    /// an image, (time, height, width, dim) for a video.
    ///
    /// # Errors
    ///
    /// The errors of [`Positions::grid`] and of [`encode`](Self::encode).
    ///
    /// ```
    /// use positional_encodings::{Axes, PositionalEncoding};
    ///
    /// let image: ndarray::ArrayD<f32> = Axes::mae(16)?.encode_grid(&[3, 5])?;
    /// assert_eq!(image.shape(), [3, 5, 16]);
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    fn encode_grid(&self, sizes: &[usize]) -> Result<ArrayD<A>, Error> {
        let grid = Positions::grid(sizes)?;
        let vectors = self.encode(&grid)?;
        let shape: Vec<usize> = sizes.iter().copied().chain([self.dim()]).collect();
        let too_large = |_| Error::TooLarge { rows: grid.count(), dim: self.dim() };
        vectors.into_shape_with_order(IxDyn(&shape)).map_err(too_large)
    }

    /// Adds the vector of the i-th position to row i of `embeddings`, shape (positions, dim).
    ///
    /// The sums have the bits of [`encode`](Self::encode) followed by an addition. By default a few
    /// rows at a time, at most 256 KiB, are encoded on the stack and added.
    ///
    /// # Errors
    ///
    /// An error where the shape does not fit or a position cannot be encoded; `embeddings` is then
    /// unchanged.
    fn add_to(
        &self,
        positions: &Positions<'_>,
        embeddings: ArrayViewMut2<'_, A>,
    ) -> Result<(), Error> {
        self.check_shape(positions, &embeddings)?;
        self.check(positions)?;
        // Without rows, `dim` may be larger than any memory.
        if embeddings.is_empty() {
            return Ok(());
        }
        threads::rows(positions, embeddings, &|positions, mut embeddings| {
            let encode = |positions: &Positions<'_>, rows: ArrayViewMut2<'_, A>| {
                self.encode_into(positions, rows)
            };
            in_blocks(positions, self.dim(), encode, |start, vectors| {
                let rows = start..start + vectors.nrows();
                add(embeddings.slice_axis_mut(Axis(0), rows.into()), vectors);
                Ok(())
            })
        })
    }

    /// Writes the vectors of the positions to a slice, one after the other, as
    /// [`encode_into`](Self::encode_into) does to an array.
    ///
    /// # Errors
    ///
    /// [`Error::LengthMismatch`] unless `out` has positions × dim elements, and the errors of
    /// [`encode_into`](Self::encode_into); `out` is then unchanged.
    ///
    /// ```
    /// use positional_encodings::{PositionalEncoding, Positions, Sinusoidal};
    ///
    /// let mut out = [0.0_f64; 3 * 2];
    /// Sinusoidal::new(2)?.encode_slice(&Positions::from(0..3), &mut out)?;
    /// assert_eq!(out[4..], [2_f64.sin(), 2_f64.cos()]);
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    fn encode_slice(&self, positions: &Positions<'_>, out: &mut [A]) -> Result<(), Error> {
        let (rows, dim) = (positions.count(), self.dim());
        let (expected, found) = (rows.saturating_mul(dim), out.len());
        if found != expected {
            return Err(Error::LengthMismatch { what: "elements", expected, found });
        }
        let too_large = |_| Error::TooLarge { rows, dim };
        self.encode_into(positions, ArrayViewMut2::from_shape((rows, dim), out).map_err(too_large)?)
    }
}

forward!(PositionalEncoding {
    fn dim(&self) -> usize;
    fn max_len(&self) -> Option<usize>;
    fn encode_into(&self, positions: &Positions<'_>, out: ArrayViewMut2<'_, A>)
        -> Result<(), Error>;
    fn axes(&self) -> usize;
    fn check(&self, positions: &Positions<'_>) -> Result<(), Error>;
    fn check_shape(&self, positions: &Positions<'_>, out: &ArrayViewMut2<'_, A>)
        -> Result<(), Error>;
    fn encode(&self, positions: &Positions<'_>) -> Result<Array2<A>, Error>;
    fn encode_batch(&self, positions: &Positions<'_>) -> Result<Array3<A>, Error>;
    fn encode_grid(&self, sizes: &[usize]) -> Result<ArrayD<A>, Error>;
    fn add_to(&self, positions: &Positions<'_>, embeddings: ArrayViewMut2<'_, A>)
        -> Result<(), Error>;
    fn encode_slice(&self, positions: &Positions<'_>, out: &mut [A]) -> Result<(), Error>;
});

/// Checks that `out` has the shape (positions, dim).
fn check_shape<A>(
    positions: &Positions<'_>,
    dim: usize,
    out: &ArrayViewMut2<'_, A>,
) -> Result<(), Error> {
    if out.ncols() != dim {
        return Err(Error::WidthMismatch { expected: dim, found: out.ncols() });
    }
    if out.nrows() != positions.count() {
        return Err(Error::LengthMismatch {
            what: "rows",
            expected: positions.count(),
            found: out.nrows(),
        });
    }
    Ok(())
}

/// Checks that all positions, on each axis, lie within a table of `len` rows whose first row is for
/// position `first`.
pub(crate) fn check_table(positions: &Positions<'_>, first: i64, len: usize) -> Result<(), Error> {
    let mut axes = (0..positions.axes()).filter_map(|axis| positions.axis(axis));
    axes.try_for_each(|axis| check_axis(&axis, first, len))
}

fn check_axis(positions: &Positions<'_>, first: i64, len: usize) -> Result<(), Error> {
    let end = first.saturating_add(i64::try_from(len).unwrap_or(i64::MAX));
    let inside = |position| match position {
        Position::Integer(p) => (first..end).contains(&p),
        Position::Real(p) => p >= first as f64 && p <= (end - 1) as f64 && len > 0,
    };
    if positions.ends().all(|(_, position)| inside(position)) {
        return Ok(());
    }
    // Finds the first position outside, run by run: a range may be too long to go through.
    let mut index = 0;
    while let Some(run) = positions.run_at(index) {
        let (start, count, last) = match run {
            Run::Integers { start, len } => {
                let last = start.saturating_add(i64::try_from(len - 1).unwrap_or(i64::MAX));
                (Position::Integer(start), len, Position::Integer(last))
            }
            Run::Repeated { position, len } => {
                (Position::Integer(position), len, Position::Integer(position))
            }
            Run::Real(position) => (Position::Real(position), 1, Position::Real(position)),
        };
        match (inside(start), start) {
            (false, Position::Real(position)) if !position.is_finite() => {
                return Err(Error::NonFinitePosition { index, position });
            }
            (false, position) => {
                let position = position.to_f64();
                return Err(Error::PositionOutsideTable { position, first, len });
            }
            (true, _) if !inside(last) => {
                return Err(Error::PositionOutsideTable { position: end as f64, first, len });
            }
            (true, _) => index += count,
        }
    }
    Ok(())
}
