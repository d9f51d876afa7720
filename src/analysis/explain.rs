//! Finds the convention that explains the difference of two tables.

use core::fmt;

use ndarray::{Array2, ArrayView2, Axis};

use super::difference::Difference;
use super::{check_table, rows_of};
use crate::additive::{PositionalEncoding, grid_formulas, line_formulas};
use crate::element::Element;
use crate::error::Error;
use crate::positions::Positions;

/// The order of the features of one table in another: of its sines and cosines, or of the two
/// features of each rotated pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum FeatureOrder {
    /// The order is the same.
    Same,
    /// The halves are exchanged: sines first in one, cosines first in the other.
    HalvesExchanged,
    /// Neighbours are exchanged.
    NeighboursExchanged,
    /// Halves in the first table are interleaved in the second.
    HalvesInterleaved,
    /// Halves in the first table are interleaved in the second, the second half first.
    ExchangedHalvesInterleaved,
    /// Neighbours in the first table are halves in the second.
    NeighboursHalved,
    /// Neighbours in the first table are halves in the second, the second one first.
    ExchangedNeighboursHalved,
}

impl FeatureOrder {
    const ALL: [Self; 7] = [
        Self::Same,
        Self::HalvesExchanged,
        Self::NeighboursExchanged,
        Self::HalvesInterleaved,
        Self::ExchangedHalvesInterleaved,
        Self::NeighboursHalved,
        Self::ExchangedNeighboursHalved,
    ];

    /// Returns the column of the second table that corresponds to a column of the first.
    fn column(self, column: usize, dim: usize) -> usize {
        let half = dim / 2;
        let (pair, second) = match self {
            Self::Same | Self::NeighboursExchanged => (column / 2, column % 2),
            Self::NeighboursHalved | Self::ExchangedNeighboursHalved => (column / 2, column % 2),
            _ => (column % half, column / half),
        };
        match self {
            Self::Same => column,
            Self::HalvesExchanged => pair + (1 - second) * half,
            Self::NeighboursExchanged => 2 * pair + 1 - second,
            Self::HalvesInterleaved => 2 * pair + second,
            Self::ExchangedHalvesInterleaved => 2 * pair + 1 - second,
            Self::NeighboursHalved => pair + second * half,
            Self::ExchangedNeighboursHalved => pair + (1 - second) * half,
        }
    }
}

impl fmt::Display for FeatureOrder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Same => "the same order of features",
            Self::HalvesExchanged => "the two halves of the features exchanged",
            Self::NeighboursExchanged => "neighbouring features exchanged",
            Self::HalvesInterleaved => "halves in the first, interleaved in the second",
            Self::ExchangedHalvesInterleaved => {
                "halves in the first, interleaved in the second and exchanged"
            }
            Self::NeighboursHalved => "interleaved in the first, halves in the second",
            Self::ExchangedNeighboursHalved => {
                "interleaved in the first, halves in the second and exchanged"
            }
        })
    }
}

/// The order of features and the shift of rows that make two tables most similar.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Explanation {
    /// The order of the features of the first table in the second.
    pub order: FeatureOrder,
    /// The shift: row r of the first table is row r + shift of the second. It is 2 where the second
    /// has the offset of fairseq or OPT.
    pub row_shift: isize,
    /// The remaining difference, by row and column of the first table.
    pub difference: Difference,
}

/// Finds the order of features and the shift of rows, up to two, with which two tables (positions,
/// dim) differ least: halves against interleaved, cosines first, an offset. It applies to
/// sinusoids, to queries and keys of different pairings, and to tables of cosines and sines.
///
/// # Errors
///
/// [`Error::WidthMismatch`]; [`Error::ZeroDim`], [`Error::TooFewRows`] where a table has fewer than
/// two rows, [`Error::ValueOutOfRange`].
///
/// ```
/// use ndarray::Array2;
/// use positional_encodings::analysis::{FeatureOrder, explain};
/// use positional_encodings::{FeatureLayout, PositionalEncoding, Positions, Sinusoidal};
///
/// let ours: Array2<f32> = Sinusoidal::new(8)?.encode(&Positions::from(0..20))?;
/// let halves = Sinusoidal::new(8)?.with_layout(FeatureLayout::CosSinHalves);
/// let theirs: Array2<f32> = halves.encode(&Positions::from(0..20))?;
/// let explanation = explain(ours.view(), theirs.view())?;
/// assert_eq!(explanation.order, FeatureOrder::ExchangedNeighboursHalved);
/// assert_eq!((explanation.row_shift, explanation.difference.largest), (0, 0.0));
/// # Ok::<(), positional_encodings::Error>(())
/// ```
pub fn explain<A: Element, B: Element>(
    a: ArrayView2<'_, A>,
    b: ArrayView2<'_, B>,
) -> Result<Explanation, Error> {
    let dim = a.ncols();
    if b.ncols() != dim {
        return Err(Error::WidthMismatch { expected: dim, found: b.ncols() });
    }
    check_table(a, 2)?;
    check_table(b, 2)?;
    let orders = if dim.is_multiple_of(2) { &FeatureOrder::ALL[..] } else { &[FeatureOrder::Same] };
    let mut best: Option<Explanation> = None;
    for row_shift in [0_isize, 1, -1, 2, -2] {
        let (skip_a, skip_b) = ((-row_shift).max(0) as usize, row_shift.max(0) as usize);
        let rows = a.nrows().saturating_sub(skip_a).min(b.nrows().saturating_sub(skip_b));
        if rows < 2 {
            continue;
        }
        let (part, other) = (rows_of(a, skip_a..skip_a + rows), rows_of(b, skip_b..skip_b + rows));
        for &order in orders {
            let mut difference =
                Difference::between(part, other, |column| order.column(column, dim));
            difference.row += skip_a;
            if best.is_none_or(|best| difference.largest < best.difference.largest) {
                best = Some(Explanation { order, row_shift, difference });
            }
        }
    }
    best.ok_or(Error::TooFewRows { needed: 2, found: a.nrows().min(b.nrows()) })
}

/// The formula nearest to a table.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct ClosestFormula {
    /// The system that the formula is from.
    pub name: &'static str,
    /// The number of rows in front that the formula does not give: 1 for the class token of a grid.
    pub prefix: usize,
    /// The difference between the table and the formula.
    pub difference: Difference,
}

impl ClosestFormula {
    /// Returns true if the table is that formula, as far as 16 bits can tell: no value is off by
    /// more than 2⁻⁸.
    pub fn fits(&self) -> bool {
        self.difference.largest <= 1.0 / 256.0
    }
}

impl fmt::Display for ClosestFormula {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_it = if self.fits() { "a sinusoid" } else { "no sinusoid; the nearest one is" };
        write!(f, "{is_it}: {}, to {:.1e}", self.name, self.difference.largest)
    }
}

/// Returns the formula nearest to a table (positions, dim), among those that
/// [`PositionTable`](crate::PositionTable) recognises. While `PositionTable` requires agreement to
/// the last bits, this function measures the difference, so that a table that was rounded or
/// computed in f32 is recognised too.
///
/// The result is `None` if no formula has this dim.
///
/// # Errors
///
/// [`Error::ZeroDim`], [`Error::TooFewRows`] for fewer than two rows, [`Error::ValueOutOfRange`],
/// [`Error::TooLarge`].
///
/// ```
/// use ndarray::Array2;
/// use positional_encodings::analysis::closest_formula;
/// use positional_encodings::{FeatureLayout, Frequencies, Sinusoidal};
/// use positional_encodings::{PositionalEncoding, Positions};
///
/// let whisper = Sinusoidal::from_frequencies(Frequencies::geometric_inclusive(384, 10_000.0)?)
///     .with_layout(FeatureLayout::SinCosHalves);
/// let mut table: Array2<f32> = whisper.encode(&Positions::from(0..100))?;
/// table.mapv_inplace(|value| (value * 1024.0).round() / 1024.0);
/// let formula = closest_formula(table.view())?.unwrap();
/// assert_eq!(formula.name, "tensor2tensor's and Whisper's, sines in the first half");
/// assert!(formula.fits() && formula.difference.largest > 4e-4);
/// # Ok::<(), positional_encodings::Error>(())
/// ```
pub fn closest_formula<A: Element>(
    table: ArrayView2<'_, A>,
) -> Result<Option<ClosestFormula>, Error> {
    check_table(table, 2)?;
    let (len, dim) = table.dim();
    let mut found = Vec::new();
    for (name, encoding) in line_formulas(dim)? {
        found.push(compared(table, name, 0, &encoding, &Positions::from(0..len))?);
    }
    for prefix in [0, 1] {
        let points = len - prefix;
        let side = points.isqrt();
        if side < 2 || side * side != points {
            continue;
        }
        for (name, encoding) in grid_formulas::<f64>(dim)? {
            found.push(compared(table, name, prefix, &encoding, &Positions::grid(&[side, side])?)?);
        }
    }
    let largest = |formula: &ClosestFormula| formula.difference.largest;
    Ok(found.into_iter().min_by(|a, b| largest(a).total_cmp(&largest(b))))
}

/// Compares a table, after the rows in front, with an encoding at these positions.
fn compared<A: Element>(
    table: ArrayView2<'_, A>,
    name: &'static str,
    prefix: usize,
    encoding: &dyn PositionalEncoding<f64>,
    positions: &Positions<'_>,
) -> Result<ClosestFormula, Error> {
    let expected: Array2<f64> = encoding.encode(positions)?;
    let (_, rows) = table.split_at(Axis(0), prefix);
    let mut difference = Difference::between(rows, expected.view(), |column| column);
    difference.row += prefix;
    Ok(ClosestFormula { name, prefix, difference })
}
