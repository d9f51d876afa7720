//! Measures what an encoding can and cannot tell apart, in numbers.
//!
//! Functions take tables as arrays (positions, dim) and return structs of numbers. A table comes
//! from any [`PositionalEncoding`](crate::PositionalEncoding) or from a checkpoint; a rotation is
//! passed as a [`Rotation`](crate::Rotation), a bias as an [`AttentionBias`](crate::AttentionBias).
//! Your own implementations work as the crate's own do.
//!
//! ```
//! use ndarray::Array2;
//! use positional_encodings::analysis::{self, ByDistance, Measure, Spectrum};
//! use positional_encodings::{Alibi, Frequencies, Pairing, Rotary};
//! use positional_encodings::{PositionalEncoding, Positions, Sinusoidal};
//!
//! // A table: how similar are positions, and does that depend on their distance only?
//! let table: Array2<f64> = Sinusoidal::new(64)?.encode(&Positions::from(0..256))?;
//! let similar = ByDistance::of_table(table.view(), Measure::Cosine)?;
//! assert!(similar.mean[1] > 0.96 && similar.toeplitz_residual() < 1e-12);
//! assert_eq!(similar.first_rise(1e-9), Some(6)); // up to here, nearer is more similar
//!
//! // Which positions become one vector when rounded, how many dimensions are in use, and can a
//! // linear map read the position?
//! assert_eq!(analysis::collisions::<_, f32>(table.view())?, Vec::<Vec<usize>>::new());
//! assert_eq!(Spectrum::of(table.view())?.components_for(0.95), 22);
//! assert!(analysis::probe_position(table.view(), 1e-9)?.r_squared > 0.999);
//! let formula = analysis::closest_formula(table.view())?.unwrap();
//! assert_eq!((formula.name.contains("Transformer"), formula.difference.largest), (true, 0.0));
//!
//! // A rotation: the wavelengths of its pairs, and how scores fall with distance.
//! let frequencies = Frequencies::geometric(128, 10_000.0)?;
//! let pairs = analysis::wavelengths(&frequencies.to_radians(), 4096)?;
//! assert_eq!(pairs.iter().filter(|pair| pair.turns < 1.0).count(), 18); // never finish a turn
//! let rotation = Rotary::new(frequencies, Pairing::Halves).at::<f64>(0..4096)?;
//! let kernel = analysis::rotary_kernel(&rotation, &analysis::uniform_products(64)?)?;
//! assert_eq!((kernel[0], kernel[100] < 0.5), (1.0, true));
//!
//! // A bias: the window of each head.
//! let windows = analysis::bias_windows::<f32>(&Alibi::new(8)?, 1024, 0.01)?;
//! assert_eq!((windows[0].behind, windows[7].behind), (Some(10), None)); // 0.5 · 10 > ln 100
//! # Ok::<(), positional_encodings::Error>(())
//! ```
//!
//! | question | finding |
//! |---|---|
//! | How similar are two positions? | [`similarity`], [`ByDistance`] |
//! | Does only the distance matter? Is the nearer of two positions always more similar? | [`ByDistance::toeplitz_residual`], [`first_rise`](ByDistance::first_rise), [`first_asymmetry`](ByDistance::first_asymmetry) |
//! | Which pairs never finish a turn, before and after context scaling? | [`wavelengths`], [`rescaled`] |
//! | How do rotary scores fall with distance, for these queries and keys? | [`rotary_kernel`], [`pair_products`], [`RotaryProfile`] |
//! | How far do the keys of each head keep weight? | [`bias_by_distance`], [`bias_windows`] |
//! | Which positions have the same vector in bf16? Which two are nearest? | [`collisions`], [`nearest_pair`] |
//! | How many dimensions are in use? | [`Spectrum`] |
//! | How large are positions beside words, and which rows were never trained? | [`RowNorms`], [`untrained_rows`] |
//! | Can a linear map read the position, or move it? | [`probe_position`], [`probe_shift`] |
//! | How large are the errors of a computation? | [`largest_errors`], [`rotation_errors`] |
//! | Where do two tables differ, and would another order of features explain it? | [`Difference`], [`explain`], [`closest_formula`] |
//!
//! Every call checks its input first: a table needs enough rows, and values within ±2⁵⁰.

mod collisions;
mod difference;
mod distance;
mod explain;
mod kernel;
mod probe;
mod products;
mod profile;
mod rows;
mod similarity;
mod spectrum;
mod wavelengths;
mod windows;

pub use collisions::{NearestPair, collisions, nearest_pair};
pub use difference::{Difference, largest_errors, rotation_errors};
pub use distance::ByDistance;
pub use explain::{ClosestFormula, Explanation, FeatureOrder, closest_formula, explain};
pub use kernel::{pair_products, rotary_kernel, uniform_products};
pub use probe::{PositionProbe, probe_position, probe_shift};
pub use profile::RotaryProfile;
pub use rows::{RowNorms, Untrained, UntrainedRow, untrained_rows};
pub use similarity::{Measure, similarity};
pub use spectrum::Spectrum;
pub use wavelengths::{PairTurns, Rescaled, rescaled, wavelengths};
pub use windows::{HeadWindow, bias_by_distance, bias_windows};

use core::ops::Range;

use ndarray::{Array2, ArrayView2, Axis};

use crate::arrays::zeros;
use crate::element::Element;
use crate::error::Error;

/// Checks that a table has features, at least `needed` rows, and no value whose products could
/// overflow.
fn check_table<A: Element>(table: ArrayView2<'_, A>, needed: usize) -> Result<(), Error> {
    const LARGEST: f64 = (1_u64 << 50) as f64;
    let (found, dim) = table.dim();
    if dim == 0 {
        return Err(Error::ZeroDim);
    }
    if found < needed {
        return Err(Error::TooFewRows { needed, found });
    }
    // NaN fails the comparison.
    let is_outside = |value: f64| !(-LARGEST..=LARGEST).contains(&value);
    for (row, values) in table.rows().into_iter().enumerate() {
        let outside = values.iter().map(|value| value.to_f64()).position(is_outside);
        if let Some(column) = outside {
            return Err(Error::ValueOutOfRange { row, column, value: values[column].to_f64() });
        }
    }
    Ok(())
}

/// Checks that two tables have the same shape.
fn check_same_shape<A, B>(a: ArrayView2<'_, A>, b: ArrayView2<'_, B>) -> Result<(), Error> {
    if a.ncols() != b.ncols() {
        return Err(Error::WidthMismatch { expected: a.ncols(), found: b.ncols() });
    }
    if a.nrows() != b.nrows() {
        return Err(Error::LengthMismatch { what: "rows", expected: a.nrows(), found: b.nrows() });
    }
    Ok(())
}

/// Returns some of the rows of a table.
fn rows_of<A>(table: ArrayView2<'_, A>, rows: Range<usize>) -> ArrayView2<'_, A> {
    table.split_at(Axis(0), rows.end).0.split_at(Axis(0), rows.start).1
}

/// Returns the values of a checked table in another type, as a new table.
fn converted<A: Element, B: Element>(table: ArrayView2<'_, A>) -> Result<Array2<B>, Error> {
    let mut copy = zeros(table.nrows(), table.ncols())?;
    copy.zip_mut_with(&table, |to: &mut B, from| *to = B::from_f64(from.to_f64()));
    Ok(copy)
}

/// Returns the table in f64, with the mean row subtracted.
fn centred<A: Element>(table: ArrayView2<'_, A>) -> Result<Array2<f64>, Error> {
    let mut table: Array2<f64> = converted(table)?;
    if let Some(mean) = table.mean_axis(Axis(0)) {
        table -= &mean;
    }
    Ok(table)
}
