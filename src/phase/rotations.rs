//! The table of rotations: for each vector of pairs the sines and cosines of each step, and its
//! frequencies.

use core::marker::PhantomData;
use core::ops::Range;

use fearless_simd::Level;
use fearless_simd::prelude::*;

use super::addition::STEPS;
use super::amplitude::Amplitude;
use super::anchor::{At, LINES_OF_GROUP, lines_of};
use super::arithmetic::Arithmetic;
use super::fixed::{Fixed, GROUP, Line};
use super::vectors::Two;
use crate::positions::Position;
use crate::simd::Kernel;

/// The entries of a vector of pairs: its steps, and the magnitudes of its frequencies.
const ENTRIES: usize = STEPS.len() + 1;

/// Returns the index of the step by 8, 16, 32 or 64 positions.
pub(super) fn octets(level: usize) -> usize {
    4 + level
}

/// Returns the magnitudes of the angles of a vector of pairs at a real position, given its entries.
#[inline(always)]
pub(super) fn angles<S: Simd>(simd: S, table: &[Line], position: f64) -> Two<S::f64s> {
    let at = table.len() / ENTRIES * STEPS.len();
    <f32 as Arithmetic>::load(simd, &table[at..], 0) * position
}

/// The entries of each vector of pairs, one vector after the other, in the order of an instruction
/// set's vectors.
#[derive(Debug)]
pub(super) struct Table(Vec<Line>);

impl Table {
    pub(super) fn new<A: Arithmetic>(fixed: &[Fixed], level: Level) -> Self {
        let len = LINES_OF_GROUP * A::PARTS * fixed.len();
        let mut lines = vec![Line::ZERO; ENTRIES * len];
        let mut step = vec![Line::ZERO; len];
        for (index, position) in STEPS.into_iter().enumerate() {
            let at = At { position: Position::Integer(position), amplitude: Amplitude::ONE };
            at.phase::<A>(level, fixed, &mut step);
            let (lines, step) = (&mut lines[..], &step[..]);
            Fill::<A> { lines, step, index, fixed, of: PhantomData }.launch(level);
        }
        Self(lines)
    }

    /// Returns the bytes on the heap that making the entries of a group of pairs takes.
    pub(super) const fn room_for_group<A: Arithmetic>() -> usize {
        // The sines and cosines of one step stand by themselves before they are copied.
        (ENTRIES + 1) * LINES_OF_GROUP * A::PARTS * size_of::<Line>()
    }

    /// Returns the bytes on the heap.
    pub(super) fn memory(&self) -> usize {
        size_of_val(self.0.as_slice())
    }

    /// Returns the entries of each vector of pairs in some groups.
    #[inline(always)]
    pub(super) fn of_vectors<S: Simd, A: Arithmetic>(
        &self,
        groups: Range<usize>,
    ) -> impl Iterator<Item = &[Line]> {
        let len = ENTRIES * LINES_OF_GROUP * A::PARTS;
        self.0[len * groups.start..len * groups.end].chunks_exact(ENTRIES * lines_of::<S, A>())
    }
}

/// Copies the entries of one step to their places in the table, with the frequencies.
struct Fill<'a, A> {
    lines: &'a mut [Line],
    step: &'a [Line],
    index: usize,
    fixed: &'a [Fixed],
    of: PhantomData<A>,
}

impl<A: Arithmetic> Kernel for Fill<'_, A> {
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let len = lines_of::<S, A>();
        let mut tables =
            self.lines.chunks_exact_mut(ENTRIES * len).zip(self.step.chunks_exact(len));
        for fixed in self.fixed {
            for at in (0..GROUP).step_by(2 * S::f64s::LEN) {
                let Some((table, step)) = tables.next() else { return };
                let (steps, radians) = table.split_at_mut(STEPS.len() * len);
                steps[len * self.index..][..len].copy_from_slice(step);
                let Two(low, high) = fixed.radians(simd, at);
                <f32 as Arithmetic>::store::<S>(Two(low.abs(), high.abs()), radians, 0);
            }
        }
    }
}
