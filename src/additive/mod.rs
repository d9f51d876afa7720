//! Position vectors that are added to the embeddings.

mod learned;
mod sinusoidal;

pub(crate) use learned::FrozenRows;
pub use learned::{Init, Learned};
pub use sinusoidal::Sinusoidal;

use std::sync::Arc;

use ndarray::{Array2, ArrayViewMut2, Axis};

use crate::arrays::zeros;
use crate::element::Element;
use crate::error::Error;
use crate::parts;
use crate::phase::InstructionSet;
use crate::positions::{Position, Positions};

/// Maps positions to vectors that are added to embeddings.
///
/// Three methods make an encoding; the others stand on them. It is object-safe, and `&T`, `Box<T>`
/// and `Arc<T>` forward it, so that an encoding can be chosen at run time:
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
/// Implementations outside this crate can run the laws that its own must obey:
/// [`testing::check_laws`](crate::testing::check_laws).
pub trait PositionalEncoding<A: Element>: Send + Sync {
    /// Width of a position vector.
    fn dim(&self) -> usize;

    /// How many positions it knows, from 0 on, or `None` where any position will do.
    fn max_len(&self) -> Option<usize>;

    /// Writes the vector of the i-th position to row i of `out`, shape (positions, dim), whatever
    /// stood there.
    ///
    /// # Errors
    ///
    /// Where the shape does not fit or a position cannot be encoded; then `out` is as it was.
    fn encode_into(
        &self,
        positions: &Positions<'_>,
        out: ArrayViewMut2<'_, A>,
    ) -> Result<(), Error>;

    /// Whether all `positions` can be encoded: what [`encode_into`](Self::encode_into) finds out
    /// before it writes.
    ///
    /// As provided, that is whether they are finite and, where there is a `max_len`, within
    /// 0..max_len. Override it where an encoding knows other positions.
    ///
    /// # Errors
    ///
    /// The error that encoding them would give.
    fn check(&self, positions: &Positions<'_>) -> Result<(), Error> {
        match self.max_len() {
            Some(len) => check_table(positions, 0, len),
            None => positions.check_finite(),
        }
    }

    /// The instructions for sums with its vectors: [`InstructionSet::Best`] as provided, and where
    /// the machine lacks them.
    fn instruction_set(&self) -> InstructionSet {
        InstructionSet::Best
    }

    /// The vectors of the positions as a new array (positions, dim).
    ///
    /// # Errors
    ///
    /// Those of [`check`](Self::check), and [`Error::TooLarge`].
    fn encode(&self, positions: &Positions<'_>) -> Result<Array2<A>, Error> {
        self.check(positions)?;
        let mut out = zeros(positions.len(), self.dim())?;
        self.encode_into(positions, out.view_mut())?;
        Ok(out)
    }

    /// Adds the vector of the i-th position to row i of `embeddings`, shape (positions, dim).
    ///
    /// The same values as [`encode`](Self::encode) and an addition. As provided, a few rows at a
    /// time are encoded on the stack and added.
    ///
    /// # Errors
    ///
    /// Where the shape does not fit or a position cannot be encoded; then `embeddings` is as it
    /// was.
    fn add_to(
        &self,
        positions: &Positions<'_>,
        embeddings: ArrayViewMut2<'_, A>,
    ) -> Result<(), Error> {
        check_shape(positions, self.dim(), &embeddings)?;
        self.check(positions)?;
        parts::rows(positions, embeddings, &|positions, mut embeddings| {
            let encode = |positions: &Positions<'_>, rows: ArrayViewMut2<'_, A>| {
                self.encode_into(positions, rows)
            };
            parts::through_stack(
                positions,
                self.dim(),
                embeddings.as_ptr(),
                encode,
                |start, vectors| {
                    let rows =
                        embeddings.slice_axis_mut(Axis(0), (start..start + vectors.nrows()).into());
                    parts::Summands::in_place(self.instruction_set())
                        .write([Some(rows), None, None, None], vectors);
                    Ok(())
                },
            )
        })
    }
}

macro_rules! forward {
    ($pointer:ty) => {
        impl<A: Element, E: PositionalEncoding<A> + ?Sized> PositionalEncoding<A> for $pointer {
            fn dim(&self) -> usize {
                (**self).dim()
            }

            fn max_len(&self) -> Option<usize> {
                (**self).max_len()
            }

            fn encode_into(
                &self,
                positions: &Positions<'_>,
                out: ArrayViewMut2<'_, A>,
            ) -> Result<(), Error> {
                (**self).encode_into(positions, out)
            }

            fn check(&self, positions: &Positions<'_>) -> Result<(), Error> {
                (**self).check(positions)
            }

            fn instruction_set(&self) -> InstructionSet {
                (**self).instruction_set()
            }

            fn encode(&self, positions: &Positions<'_>) -> Result<Array2<A>, Error> {
                (**self).encode(positions)
            }

            fn add_to(
                &self,
                positions: &Positions<'_>,
                embeddings: ArrayViewMut2<'_, A>,
            ) -> Result<(), Error> {
                (**self).add_to(positions, embeddings)
            }
        }
    };
}

forward!(&E);
forward!(Box<E>);
forward!(Arc<E>);

/// Whether `out` has the shape (positions, dim).
pub(crate) fn check_shape<A>(
    positions: &Positions<'_>,
    dim: usize,
    out: &ArrayViewMut2<'_, A>,
) -> Result<(), Error> {
    if out.ncols() != dim {
        return Err(Error::WidthMismatch { expected: dim, found: out.ncols() });
    }
    if out.nrows() != positions.len() {
        return Err(Error::LengthMismatch {
            what: "rows",
            expected: positions.len(),
            found: out.nrows(),
        });
    }
    Ok(())
}

/// Whether all positions lie within a table whose first row stands for position `first`.
pub(crate) fn check_table(positions: &Positions<'_>, first: i64, len: usize) -> Result<(), Error> {
    let end = first.saturating_add(i64::try_from(len).unwrap_or(i64::MAX));
    let inside = |position| match position {
        Position::Integer(p) => (first..end).contains(&p),
        Position::Real(p) => p >= first as f64 && p <= (end - 1) as f64 && len > 0,
    };
    if positions.ends().all(|(_, position)| inside(position)) {
        return Ok(());
    }
    // Looked at one by one, for the first: within a range it follows the last row, so the search is
    // short.
    match positions.iter().enumerate().find(|&(_, position)| !inside(position)) {
        Some((index, Position::Real(position))) if !position.is_finite() => {
            Err(Error::NonFinitePosition { index, position })
        }
        Some((_, position)) => {
            Err(Error::PositionOutsideTable { position: position.to_f64(), first, len })
        }
        None => Ok(()),
    }
}
