//! The norms of a table's rows, and rows that look untrained.

use ndarray::{ArrayView2, Axis};

use super::check_table;
use super::similarity::{Measure, length, measured};
use crate::element::Element;
use crate::error::Error;

/// The norms of the rows of a table.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct RowNorms {
    /// The Euclidean norm of each row.
    pub norms: Vec<f64>,
    /// The mean of the norms.
    pub mean: f64,
    /// The row of the smallest norm.
    pub smallest: usize,
    /// The row of the largest norm.
    pub largest: usize,
}

impl RowNorms {
    /// Measures each row of a table (rows, dim) of positions, or of the words that they are added
    /// to. The ratio of the means of both tables says which dominates.
    ///
    /// # Errors
    ///
    /// [`Error::ZeroDim`], [`Error::TooFewRows`] without rows, [`Error::ValueOutOfRange`].
    ///
    /// ```
    /// use ndarray::Array2;
    /// use positional_encodings::{PositionalEncoding, Positions, Sinusoidal, analysis::RowNorms};
    ///
    /// let table: Array2<f64> = Sinusoidal::new(512)?.encode(&Positions::from(0..10))?;
    /// assert!((RowNorms::of(table.view())?.mean - 16.0).abs() < 1e-12); // √(dim/2)
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn of<A: Element>(table: ArrayView2<'_, A>) -> Result<Self, Error> {
        check_table(table, 1)?;
        let norm = |row: ndarray::ArrayView1<'_, A>| length(row.iter().map(|v| v.to_f64()));
        let norms: Vec<f64> = table.outer_iter().map(norm).collect();
        let mean = norms.iter().sum::<f64>() / norms.len() as f64;
        let by_norm = |a: &usize, b: &usize| norms[*a].total_cmp(&norms[*b]);
        let smallest = (0..norms.len()).min_by(by_norm).unwrap_or(0);
        let largest = (0..norms.len()).max_by(by_norm).unwrap_or(0);
        Ok(Self { mean, smallest, largest, norms })
    }
}

/// The reason why a row looks untrained.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum Untrained {
    /// All values of the row are zero.
    Zero,
    /// The row is equal to the one before it.
    Copy,
    /// The row is as unlike its neighbours as a random vector is.
    Unrelated,
}

/// A row that looks untrained.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct UntrainedRow {
    /// The row.
    pub row: usize,
    /// The reason.
    pub reason: Untrained,
}

/// Returns the rows of a learned table that look untrained: rows for positions past the longest
/// text, or a padding row.
///
/// Training makes neighbours similar, while random vectors are not. A row is unrelated if its
/// cosines with the two rows before it and the two after it are all within ±4/√dim; fewer than
/// three random rows in ten thousand fail this test. With fewer than 64 features, where it is no
/// evidence, only zeros and copies are found. The result is a guess: look at the rows.
///
/// # Errors
///
/// [`Error::ZeroDim`], [`Error::TooFewRows`] for fewer than two rows, [`Error::ValueOutOfRange`],
/// [`Error::TooLarge`].
///
/// ```
/// use ndarray::{Array2, s};
/// use positional_encodings::analysis::{Untrained, UntrainedRow, untrained_rows};
/// use positional_encodings::{PositionalEncoding, Positions, Sinusoidal};
///
/// let mut table: Array2<f32> = Sinusoidal::new(64)?.encode(&Positions::from(0..32))?;
/// table.slice_mut(s![30.., ..]).fill(0.0);
/// let found = untrained_rows(table.view())?;
/// assert_eq!(found, [30, 31].map(|row| UntrainedRow { row, reason: Untrained::Zero }));
/// # Ok::<(), positional_encodings::Error>(())
/// ```
pub fn untrained_rows<A: Element>(table: ArrayView2<'_, A>) -> Result<Vec<UntrainedRow>, Error> {
    const NEIGHBOURS: usize = 2;
    const FEWEST_FEATURES: usize = 64;
    check_table(table, 2)?;
    let (len, dim) = table.dim();
    let directions = measured::<A, f64>(table, Measure::Cosine)?;
    let bound = 4.0 / (dim as f64).sqrt();
    let is_unrelated = |row: usize| {
        let near = row.saturating_sub(NEIGHBOURS)..len.min(row + NEIGHBOURS + 1);
        let own = directions.row(row);
        near.filter(|&other| other != row)
            .all(|other| own.dot(&directions.row(other)).abs() <= bound)
    };
    let reason = |row: usize| {
        let values = table.index_axis(Axis(0), row);
        if values.iter().all(|value| *value == A::zero()) {
            Some(Untrained::Zero)
        } else if row > 0 && values == table.index_axis(Axis(0), row - 1) {
            Some(Untrained::Copy)
        } else {
            (dim >= FEWEST_FEATURES && is_unrelated(row)).then_some(Untrained::Unrelated)
        }
    };
    Ok((0..len).filter_map(|row| Some(UntrainedRow { row, reason: reason(row)? })).collect())
}
