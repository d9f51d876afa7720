//! Exact angles and their sine and cosine.
//!
//! `turns` finds the exact phase of a position, `sincos` its sine and cosine, `turned` others by
//! turning these, in doubles or the `long` numbers that f64 takes; `kernel` makes the rows of many
//! positions, and [`Waves`] is what encodings hold.

mod columns;
mod group;
#[cfg(feature = "half")]
mod half;
mod kernel;
mod lanes;

mod long;
mod octet;
mod rows;
mod sincos;
mod turned;
mod turns;
pub(crate) mod wide;

pub use crate::simd::InstructionSet;
pub use columns::{Columns, FeatureLayout};
pub use lanes::Lanes;
// The kernels find it under the name that it had.
pub(crate) use crate::simd as level;

use core::ops::Range;
use std::sync::Arc;

use fearless_simd::{Level, Simd};
use ndarray::{ArrayView2, ArrayViewMut2, Axis};

use crate::blocks::in_blocks;
use crate::{Element, Positions};
use long::GRID;
use rows::Rows;
use turned::{Number, TURNS};
use turns::Turns;
use wide::Wide;

/// Bytes of a line of the cache.
const LINE: usize = 64;

/// Positions that are computed together. They begin at a multiple of this.
pub(crate) const BLOCK: usize = kernel::BLOCK as usize;

/// Sine and cosine of position × frequency for a list of frequencies, at any positions.
///
/// Rows are computed in runs: from the exact values at an *anchor*, one for each 128 positions, a
/// *centre* is turned on by eight positions at a time (angle addition, in f64 or for elements of 64
/// bits in [`long::Long`] numbers), and from each centre come the eight rows around it, those
/// before and after it from shared products. Anchors stand at absolute positions, so a row never
/// depends on where the run began. Where a value near a zero crossing lost too many bits to
/// cancellation, the polynomial of its own phase takes its place. A row by itself takes a shorter
/// polynomial, or that of the anchors; where that leaves a doubt which way the value of the run is
/// rounded, it goes the way of the run.
#[derive(Clone, Debug)]
pub struct Waves {
    turns: Turns,
    amplitude: f64,
    level: Level,
    /// What brings the exponent of the amplitude to 2047, in the bits of f64.
    shift: u64,
    /// The grid of [`long::Long`] for numbers up to the amplitude.
    grid: f64,
    /// For each group the turns of [`turned::TURNS`]: sines, then cosines of each. They begin where
    /// a line of the cache does, for vectors that lie in two lines cost twice as much; and clones
    /// share them, so that they stay there.
    steps: Arc<Vec<f64>>,
    /// The same in longer numbers: first doubles, then second ones, of sines and then of cosines.
    long_steps: Arc<Vec<f64>>,
}

/// How many elements on from a place a line of the cache begins.
fn line_start<A>(place: *const A) -> usize {
    place.align_offset(LINE).min(LINE / size_of::<A>())
}

/// What brings the exponent of an amplitude to 2047.
fn shift(amplitude: f64) -> u64 {
    (2047 - ((amplitude.abs().to_bits()) >> 52)) << 52
}

/// The grid for numbers up to an amplitude: that of the next power of two.
fn grid(amplitude: f64) -> f64 {
    const FRACTION: u64 = (1 << 52) - 1;
    let power = f64::from_bits((amplitude.abs().to_bits() + FRACTION) & !FRACTION);
    GRID * power
}

/// Whether rows are stored, or added to what is there.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Store {
    Write,
    Add,
}

impl Waves {
    pub(crate) fn new(frequencies: &[Wide], amplitude: f64) -> Self {
        let turns = Turns::new(frequencies);
        let (level, [steps, long_steps]) = (Level::new(), [Arc::default(), Arc::default()]);
        Self {
            turns,
            amplitude,
            level,
            shift: shift(amplitude),
            grid: grid(amplitude),
            steps,
            long_steps,
        }
        .with_level(level)
    }

    pub(crate) fn with_amplitude(self, amplitude: f64) -> Self {
        Self { amplitude, shift: shift(amplitude), grid: grid(amplitude), ..self }
    }

    pub(crate) fn with_level(self, level: Level) -> Self {
        let mut waves = Self { level, ..self };
        waves.steps = Arc::new(waves.new_steps::<f32>(1));
        waves.long_steps = Arc::new(waves.new_steps::<f64>(2));
        waves
    }

    /// Whether the amplitude is at least 1 and below 2.
    fn has_unit_amplitude(&self) -> bool {
        self.shift == 1 << 62
    }

    /// Whether the amplitude is within 2⁻⁶⁴ and 2⁶⁴. With others every value takes its exact phase.
    fn has_moderate_amplitude(&self) -> bool {
        (1_u64 << 62).abs_diff(self.shift) <= 64 << 52
    }

    /// The turns for a chunk of pairs.
    #[inline(always)]
    fn steps<S: Simd, V: Number<S>>(&self, chunk: Range<usize>) -> &[f64] {
        let (steps, len) = (V::steps(self), 2 * V::PARTS * TURNS.len());
        let start = line_start(steps.as_ptr());
        &steps[start + len * chunk.start..start + len * chunk.end]
    }

    /// Bytes on the heap.
    pub(crate) fn memory(&self) -> usize {
        self.turns.memory()
            + size_of_val(self.steps.as_slice())
            + size_of_val(self.long_steps.as_slice())
    }

    /// Writes or adds the row of the i-th position to the i-th row of `out`, all columns of which
    /// are given by `columns`.
    ///
    /// The caller has checked the positions, the shape, and that the columns are those of these
    /// pairs.
    pub(crate) fn rows<A: Element>(
        &self,
        positions: &Positions<'_>,
        columns: &Columns,
        store: Store,
        out: ArrayViewMut2<'_, A>,
    ) {
        debug_assert_eq!((out.nrows(), out.ncols()), (positions.len(), columns.dim));
        match Rows::new(out) {
            Ok(mut rows) => A::rows(self, positions, columns, store, &mut rows),
            Err(out) => self.scattered_rows(positions, columns, store, out),
        }
    }

    /// The slow way to rows whose features are apart in memory: by blocks of contiguous ones.
    fn scattered_rows<A: Element>(
        &self,
        positions: &Positions<'_>,
        columns: &Columns,
        store: Store,
        mut out: ArrayViewMut2<'_, A>,
    ) {
        let encode = |positions: &Positions<'_>, block: ArrayViewMut2<'_, A>| {
            self.rows(positions, columns, Store::Write, block);
            Ok(())
        };
        let delivered = in_blocks(positions, columns.dim, encode, |start, vectors| {
            let rows = start..start + vectors.nrows();
            deliver_apart(store, out.slice_axis_mut(Axis(0), rows.into()), vectors);
            Ok(())
        });
        debug_assert!(delivered.is_ok());
    }
}

/// Stores or adds rows whose features are apart: in tiles, column by column, where the elements of
/// columns are closer in memory.
fn deliver_apart<A: Element>(
    store: Store,
    mut out: ArrayViewMut2<'_, A>,
    vectors: ArrayView2<'_, A>,
) {
    const TILE: usize = 8;
    let deliver = |out: &mut A, vector: &A| match store {
        Store::Write => *out = *vector,
        Store::Add => *out = *out + *vector,
    };
    if out.strides()[0].unsigned_abs() >= out.strides()[1].unsigned_abs() {
        return out.zip_mut_with(&vectors, deliver);
    }
    let columns =
        out.axis_chunks_iter_mut(Axis(1), TILE).zip(vectors.axis_chunks_iter(Axis(1), TILE));
    for (mut out, vectors) in columns {
        let tiles =
            out.axis_chunks_iter_mut(Axis(0), TILE).zip(vectors.axis_chunks_iter(Axis(0), TILE));
        tiles.for_each(|(out, vectors)| {
            out.reversed_axes().zip_mut_with(&vectors.reversed_axes(), deliver)
        });
    }
}
