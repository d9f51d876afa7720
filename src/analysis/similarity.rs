//! The similarity of each position to each other.

use core::ops::Range;

use ndarray::{Array2, ArrayView2, Axis};

use super::products::dot_products;
use super::{check_table, converted, rows_of};
use crate::arrays::zeros;
use crate::element::Element;
use crate::error::Error;

/// A measure of the similarity of two vectors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Measure {
    /// The dot product Σ aᵢ·bᵢ, as in attention scores.
    Dot,
    /// The dot product of rows normalised to length 1; a row of zeros has 0 with all rows, itself
    /// included.
    Cosine,
}

/// Returns the similarity of each row of a table (positions, dim) to each other row, as a matrix
/// (positions, positions), computed in `A`'s type of arithmetic.
///
/// # Errors
///
/// [`Error::ZeroDim`], [`Error::TooFewRows`] without rows, [`Error::ValueOutOfRange`],
/// [`Error::TooLarge`] where the matrix does not fit into memory: [`ByDistance`](super::ByDistance)
/// needs no matrix.
///
/// ```
/// use ndarray::array;
/// use positional_encodings::analysis::{Measure, similarity};
///
/// let table = array![[3.0, 4.0], [-4.0, 3.0], [0.0, 0.0]];
/// let dots = array![[25.0, 0.0, 0.0], [0.0, 25.0, 0.0], [0.0, 0.0, 0.0]];
/// assert_eq!(similarity(table.view(), Measure::Dot)?, dots);
/// assert_eq!(similarity(table.view(), Measure::Cosine)?[[0, 0]], 1.0);
/// # Ok::<(), positional_encodings::Error>(())
/// ```
pub fn similarity<A: Element>(
    table: ArrayView2<'_, A>,
    measure: Measure,
) -> Result<Array2<A::Angle>, Error> {
    check_table(table, 1)?;
    let mut matrix = zeros(table.nrows(), table.nrows())?;
    let table: Array2<A::Angle> = measured(table, measure)?;
    dot_products(table.view(), table.view(), matrix.view_mut())?;
    Ok(matrix)
}

/// Returns the rows of a checked table, normalised such that their dot products are the measure.
pub(super) fn measured<A: Element, B: Element>(
    table: ArrayView2<'_, A>,
    measure: Measure,
) -> Result<Array2<B>, Error> {
    let mut rows: Array2<B> = converted(table)?;
    if measure == Measure::Cosine {
        for (mut row, values) in rows.axis_iter_mut(Axis(0)).zip(table.rows()) {
            let length = length(values.iter().map(|value| value.to_f64()));
            let scale =
                |value: &A| B::from_f64(if length > 0.0 { value.to_f64() / length } else { 0.0 });
            row.zip_mut_with(&values, |to, value| *to = scale(value));
        }
    }
    Ok(rows)
}

/// Returns the Euclidean length of a vector.
pub(super) fn length(values: impl Iterator<Item = f64>) -> f64 {
    values.map(|value| value * value).sum::<f64>().sqrt()
}

/// Calls `visit` with blocks of the matrix of dot products, and the row and the column at which
/// each begins. The blocks cover the diagonal and everything above it; the whole matrix is never in
/// memory.
pub(super) fn upper_blocks<T: Element>(
    table: ArrayView2<'_, T>,
    mut visit: impl FnMut(usize, usize, ArrayView2<'_, T>),
) -> Result<(), Error> {
    // Enough rows for a matrix product at full speed. Blocks on the diagonal have fewer rows, since
    // their part below the diagonal is not needed.
    const ROWS: usize = 512;
    const ROWS_ON_DIAGONAL: usize = 64;
    const COLUMNS: usize = 1024;
    const { assert!(ROWS <= COLUMNS) };
    let len = table.nrows();
    let mut room = zeros(ROWS.min(len), COLUMNS.min(len))?;
    let mut block = |rows: Range<usize>, columns: Range<usize>| {
        let (out, _) = room.view_mut().split_at(Axis(0), rows.len());
        let (mut out, _) = out.split_at(Axis(1), columns.len());
        let (first, second) = (rows_of(table, rows.clone()), rows_of(table, columns.clone()));
        dot_products(first, second, out.view_mut())?;
        visit(rows.start, columns.start, out.view());
        Ok(())
    };
    for start in (0..len).step_by(ROWS) {
        let end = len.min(start + ROWS);
        for start in (start..end).step_by(ROWS_ON_DIAGONAL) {
            block(start..end.min(start + ROWS_ON_DIAGONAL), start..end)?;
        }
        for column in (end..len).step_by(COLUMNS) {
            block(start..end, column..len.min(column + COLUMNS))?;
        }
    }
    Ok(())
}
