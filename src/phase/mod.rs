//! Sines and cosines of exact angles.
//!
//! `plain` defines what a value is: read it first. `fixed` has frequencies as binary fractions of a
//! circle, and `sincos` and `double` the polynomials, in f64 and for rows of f64 in double-double
//! numbers. `addition` makes a row from another one, `runs` and `single` write rows in the ways
//! below, and `settle` what they leave in doubt. `target` has what f32 and f64 need, `rounding`
//! makes 16 bits of f32. [`Waves`] is what encodings hold. `projection` has angles that are sums
//! over axes, for encodings that hold a [`Projection`](projection::Projection).
//!
//! | path | when | code | what it buys |
//! |---|---|---|---|
//! | eight rows, straight to their place | within a run, whole groups of pairs | `runs` | the usual one |
//! | the same, more pairs at a time | runs of 1024 positions or more | `runs` | 1.1 to 1.2 times as fast where memory is far |
//! | eight rows by way of the stack | the ends of a run, other widths, features apart in memory, 16 bits | `runs` | one kernel for all of these |
//! | a row by itself | positions that stand alone, or too few for an anchor that they share | `single` | six times as fast as a block for one row |
//! | a pair by itself | cancellation, ties of 16 bits | `settle` | the last bits |

mod addition;
mod double;
mod fixed;
mod layout;
mod plain;
pub(crate) mod projection;
mod put;
#[cfg(feature = "half")]
mod rounding;
mod rows;
mod runs;
mod settle;
mod sincos;
mod single;
mod table;
mod target;
#[cfg(test)]
mod tests;
pub(crate) mod wide;
mod writer;

/// Positions that are computed together. They begin at a multiple of this.
pub(crate) const BLOCK: usize = plain::BLOCK as usize;

use std::sync::Arc;

use fearless_simd::Level;
use ndarray::ArrayViewMut2;

pub(crate) use addition::Amplitude;
use fixed::{Fixed, Line};
pub use layout::{Columns, FeatureLayout};
pub use rows::Rows;
pub use target::RowElement;
use wide::Wide;

use crate::element::Element;
use crate::positions::Positions;

/// Sine and cosine of position × frequency for a list of frequencies, at any positions.
#[derive(Clone, Debug)]
pub struct Waves {
    fixed: Arc<Vec<Fixed>>,
    amplitude: Amplitude,
    level: Level,
    /// The rotations of each vector of pairs.
    table: Arc<Vec<Line>>,
    /// Its rotations in double-double numbers.
    double_table: Arc<Vec<Line>>,
}

impl Waves {
    pub(crate) fn new(frequencies: &[Wide], amplitude: Amplitude) -> Self {
        let (level, none) = (Level::new(), Arc::default());
        let fixed = Arc::new(fixed::groups(frequencies));
        Self { fixed, amplitude, level, double_table: Arc::clone(&none), table: none }
            .with_level(level)
    }

    pub(crate) fn with_amplitude(self, amplitude: Amplitude) -> Self {
        Self { amplitude, ..self }
    }

    pub(crate) fn amplitude(&self) -> f64 {
        self.amplitude.value()
    }

    /// Other frequencies with the same amplitude and instructions.
    pub(crate) fn with_frequencies(&self, frequencies: &[Wide]) -> Self {
        Self::new(frequencies, self.amplitude).with_level(self.level)
    }

    pub(crate) fn with_level(self, level: Level) -> Self {
        let mut waves = Self { level, ..self };
        waves.table = Arc::new(waves.new_table::<f32>());
        waves.double_table = Arc::new(waves.new_table::<f64>());
        waves
    }

    /// Bytes on the heap.
    pub(crate) fn memory(&self) -> usize {
        size_of_val(self.fixed.as_slice())
            + size_of_val(self.table.as_slice())
            + size_of_val(self.double_table.as_slice())
    }

    /// Writes the row of the i-th position to the i-th row of `out`, all columns of which are given
    /// by `columns`.
    ///
    /// The caller has checked the positions, the shape, and that the columns are those of these
    /// pairs.
    pub(crate) fn rows<A: Element>(
        &self,
        positions: &Positions<'_>,
        columns: &Columns,
        out: ArrayViewMut2<'_, A>,
    ) {
        debug_assert_eq!((out.nrows(), out.ncols()), (positions.len(), columns.dim));
        A::rows(self, positions, columns, &mut Rows::new(out));
    }
}
