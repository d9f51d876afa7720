//! Finds the formula that made a saved table, if any.

use ndarray::{Array2, ArrayView2, Axis, Slice};

use super::{Axes, Learned, PositionalEncoding, Sinusoidal};
use crate::element::Element;
use crate::error::Error;
use crate::frequencies::Frequencies;
use crate::phase::FeatureLayout::{CosSinHalves, Interleaved, SinCosHalves};
use crate::positions::Positions;

/// A saved table of positions: a sinusoid, which can be computed for any size, or a learned table.
///
/// A checkpoint does not say which it is: MAE saves a sinusoid under the same name and shape as the
/// trained table of ViT.
///
/// ```
/// use ndarray::Array2;
/// use positional_encodings::{Axes, PositionTable, PositionalEncoding, Positions};
///
/// let saved: Array2<f32> = Axes::mae(64)?.encode(&Positions::grid(&[14, 14])?)?;
/// let PositionTable::Grid { encoding, prefix, sizes } = PositionTable::of(saved.clone())?
/// else {
///     panic!()
/// };
/// assert_eq!((encoding, prefix, sizes), (Axes::mae(64)?, 0, [14, 14]));
/// let trained = saved.mapv(|value| value + 0.01);
/// assert!(matches!(PositionTable::of(trained)?, PositionTable::Learned(_)));
/// # Ok::<(), positional_encodings::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum PositionTable<A> {
    /// A sinusoid at positions 0..len.
    Line {
        /// The sinusoid.
        encoding: Sinusoidal,
        /// The number of rows of the table.
        len: usize,
    },
    /// A sinusoid of a square grid, preceded by rows of zeros.
    Grid {
        /// The sinusoid at (row, column).
        encoding: Axes<A, Sinusoidal>,
        /// The number of rows of zeros in front: 1 for a class token.
        prefix: usize,
        /// The numbers of rows and columns.
        sizes: [usize; 2],
    },
    /// Any other table.
    Learned(Learned<A>),
}

impl<A: Element> PositionTable<A> {
    /// Finds the formula that gives all rows of a table (rows, dim): the paper's, the same in
    /// halves, tensor2tensor's or MusicGen's; for square grids MAE's, I-JEPA's or timm's.
    ///
    /// Rows agree if each value differs by at most 4 units in the last place at 1, plus 3e-7 · row
    /// for an angle computed in f32, with the row rounded up to a multiple of 64; the values of a
    /// trained table differ by more. A table of one row counts as learned.
    ///
    /// # Errors
    ///
    /// [`Error::ZeroDim`] without columns; [`Error::TooLarge`].
    pub fn of(table: Array2<A>) -> Result<Self, Error> {
        let (rows, dim) = table.dim();
        if rows > 1 {
            for (_, encoding) in line_formulas(dim)? {
                if agree(&encoding, &Positions::from(0..rows), table.view())? {
                    return Ok(Self::Line { encoding, len: rows });
                }
            }
        }
        for prefix in [0, 1] {
            if let Some(grid) = Self::grid(&table, prefix)? {
                return Ok(grid);
            }
        }
        Ok(Self::Learned(Learned::from_table(table)?))
    }

    /// Returns the sinusoid of a grid after `prefix` rows of zeros, if the table is one.
    fn grid(table: &Array2<A>, prefix: usize) -> Result<Option<Self>, Error> {
        let dim = table.ncols();
        let Some(points) = table.nrows().checked_sub(prefix) else { return Ok(None) };
        let side = points.isqrt();
        if side < 2 || side * side != points {
            return Ok(None);
        }
        let (before, after) = table.view().split_at(Axis(0), prefix);
        if !before.iter().all(|value| *value == A::zero()) {
            return Ok(None);
        }
        let sizes = [side, side];
        for (_, encoding) in grid_formulas(dim)? {
            if agree(&encoding, &Positions::grid(&sizes)?, after)? {
                return Ok(Some(Self::Grid { encoding, prefix, sizes }));
            }
        }
        Ok(None)
    }
}

/// A formula, and the system that it comes from.
type Named<E> = (&'static str, E);

/// Returns the sinusoids at 0..len that checkpoints hold, with the systems that made them. There
/// are none for an odd dim.
pub(crate) fn line_formulas(dim: usize) -> Result<Vec<Named<Sinusoidal>>, Error> {
    let known = [
        ("the Transformer paper's, sines and cosines interleaved", false, Interleaved),
        ("Marian's, sines in the first half", false, SinCosHalves),
        ("tensor2tensor's and Whisper's, sines in the first half", true, SinCosHalves),
        ("MusicGen's, cosines in the first half", true, CosSinHalves),
    ];
    let known = known.into_iter().filter(|_| dim > 0 && dim.is_multiple_of(2));
    let formula = |(name, inclusive, layout)| {
        let frequencies = match inclusive {
            true => Frequencies::geometric_inclusive(dim, 1e4)?,
            false => Frequencies::geometric(dim, 1e4)?,
        };
        Ok((name, Sinusoidal::from_frequencies(frequencies).with_layout(layout)))
    };
    known.map(formula).collect()
}

/// Returns the sinusoids of a grid that checkpoints hold, with the systems that made them. There
/// are none for a dim that 4 does not divide.
pub(crate) fn grid_formulas<A: Element>(
    dim: usize,
) -> Result<Vec<Named<Axes<A, Sinusoidal>>>, Error> {
    if dim == 0 || !dim.is_multiple_of(4) {
        return Ok(Vec::new());
    }
    let named = [("MAE's grid", Axes::mae(dim)?), ("I-JEPA's grid", Axes::i_jepa(dim)?)];
    Ok(named.into_iter().chain([("timm's grid", Axes::timm(dim, 1e4)?)]).collect())
}

/// Returns true if an encoding gives the rows of a table. It stops at the first block that differs.
fn agree<A: Element>(
    encoding: &dyn PositionalEncoding<A>,
    positions: &Positions<'_>,
    table: ArrayView2<'_, A>,
) -> Result<bool, Error> {
    const BLOCK: usize = 64;
    let unit = unit_of::<A>();
    for start in (0..table.nrows()).step_by(BLOCK) {
        let rows = start..table.nrows().min(start + BLOCK);
        let expected = encoding.encode(&positions.slice(rows.clone()))?;
        let bound = 4.0 * unit + 3e-7 * rows.end as f64;
        let own = table.slice_axis(Axis(0), Slice::from(rows));
        let is_close = |(a, b): (&A, &A)| (a.to_f64() - b.to_f64()).abs() <= bound;
        if !own.iter().zip(&expected).all(is_close) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Returns the distance between 1 and the next value of the type, or of f32 if that is wider: a
/// table of doubles may have been stored in f32 before.
fn unit_of<A: Element>() -> f64 {
    let mut unit = f64::from(f32::EPSILON);
    while A::from_f64(1.0 + unit).to_f64() == 1.0 {
        unit *= 2.0;
    }
    unit
}
