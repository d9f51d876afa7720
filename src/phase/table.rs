//! The table of rotations: for each vector of pairs the sines and cosines of each step, and its
//! frequencies.

use core::marker::PhantomData;
use core::ops::Range;

use fearless_simd::prelude::*;

use super::Waves;
use super::addition::{Amplitude, STEPS, SinCos};
use super::fixed::{Fixed, GROUP, Line};
use super::sincos::{Reduced, Two, reduced, tails};
use super::target::Target;
use crate::positions::Position;
use crate::simd::{Kernel, launch};

/// Lines of sines and cosines of a group of pairs, for each double of a number.
pub(super) const LINES_OF_GROUP: usize = 2 * GROUP / 8;
/// Entries of a vector of pairs: its steps, and the magnitudes of its frequencies.
const ENTRIES: usize = STEPS.len() + 1;

/// The sines and cosines of a vector of pairs, or its frequencies, in whole lines.
pub(super) struct Entry;

/// Lines of an entry.
#[inline(always)]
pub(super) fn lines_of<S: Simd, A: Target>() -> usize {
    2 * A::PARTS * 2 * S::f64s::LEN / 8
}

impl Entry {
    /// The number of the step by eight positions, 16, 32 or 64.
    pub(super) fn octets(level: usize) -> usize {
        4 + level
    }

    /// Reads the `index`-th entry.
    #[inline(always)]
    pub(super) fn load<S: Simd, A: Target>(
        simd: S,
        lines: &[Line],
        index: usize,
    ) -> SinCos<A::Number<Two<S::f64s>>> {
        let len = lines_of::<S, A>();
        let lines = &lines[len * index..][..len];
        let half = 2 * A::PARTS * S::f64s::LEN;
        SinCos { sin: A::load(simd, lines, 0), cos: A::load(simd, lines, half) }
    }

    /// Writes an entry.
    #[inline(always)]
    pub(super) fn store<S: Simd, A: Target>(
        value: SinCos<A::Number<Two<S::f64s>>>,
        lines: &mut [Line],
    ) {
        A::store::<S>(value.sin, lines, 0);
        A::store::<S>(value.cos, lines, 2 * A::PARTS * S::f64s::LEN);
    }

    /// The magnitudes of the angles at a real position.
    #[inline(always)]
    pub(super) fn angles<S: Simd>(simd: S, table: &[Line], position: f64) -> Two<S::f64s> {
        let at = table.len() / ENTRIES * STEPS.len();
        <f32 as Target>::load(simd, &table[at..], 0) * position
    }
}

impl Waves {
    /// Makes the table, whose order is that of the instruction set's vectors.
    pub(super) fn new_table<A: Target>(&self) -> Vec<Line> {
        let (all, len) = (0..self.fixed.len(), LINES_OF_GROUP * A::PARTS);
        let mut lines = vec![Line::ZERO; ENTRIES * len * all.len()];
        let mut step = vec![Line::ZERO; len * all.len()];
        for (index, position) in STEPS.into_iter().enumerate() {
            let position = Position::Integer(position);
            self.at_phase::<A>(position, all.clone(), Amplitude::ONE, &mut step);
            let (lines, step) = (&mut lines[..], &step[..]);
            launch(
                self.level,
                Fill::<A> { lines, step, index, fixed: &self.fixed, of: PhantomData },
            );
        }
        lines
    }

    /// Writes the sines and cosines of some groups at a position, by their phases: an entry for each
    /// vector of pairs.
    pub(super) fn at_phase<A: Target>(
        &self,
        position: Position,
        groups: Range<usize>,
        amplitude: Amplitude,
        to: &mut [Line],
    ) {
        let (fixed, of) = (&self.fixed[groups], PhantomData::<A>);
        launch(self.level, AtPhase { fixed, position, amplitude, to, of });
    }

    /// The entries of each vector of pairs, of some groups.
    #[inline(always)]
    pub(super) fn tables<S: Simd, A: Target>(
        &self,
        groups: Range<usize>,
    ) -> impl Iterator<Item = &[Line]> {
        let len = ENTRIES * LINES_OF_GROUP * A::PARTS;
        let lines = &A::table(self)[len * groups.start..len * groups.end];
        lines.chunks_exact(ENTRIES * lines_of::<S, A>())
    }
}

/// Brings the entries of one step to their places in the table, with the frequencies.
struct Fill<'a, A> {
    lines: &'a mut [Line],
    step: &'a [Line],
    index: usize,
    fixed: &'a [Fixed],
    of: PhantomData<A>,
}

impl<A: Target> Kernel for Fill<'_, A> {
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
                <f32 as Target>::store::<S>(Two(low.abs(), high.abs()), radians, 0);
            }
        }
    }
}

struct AtPhase<'a, A> {
    fixed: &'a [Fixed],
    position: Position,
    amplitude: Amplitude,
    to: &'a mut [Line],
    of: PhantomData<A>,
}

impl<A: Target> Kernel for AtPhase<'_, A> {
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let (len, half) = (lines_of::<S, A>(), 2 * S::f64s::LEN);
        // First the angles of all, then their sines and cosines: a processor looks ahead by less
        // than the whole way of one vector, and so it works on several.
        let mut to = self.to.chunks_exact_mut(len);
        for fixed in self.fixed {
            for at in (0..GROUP).step_by(half) {
                let Reduced { x, tail } = reduced(simd, fixed.phases(simd, self.position, at));
                let Some(to) = to.next() else { return };
                <f32 as Target>::store::<S>(x, to, 0);
                <f32 as Target>::store::<S>(tail, to, half);
            }
        }
        for to in self.to.chunks_exact_mut(len).take(GROUP / half * self.fixed.len()) {
            let x = <f32 as Target>::load(simd, to, 0);
            let (tail, quarter) = tails::<S>(<f32 as Target>::load(simd, to, half));
            let value = A::in_quarter(simd, quarter, A::sincos(x, tail)).scaled(self.amplitude);
            Entry::store::<S, A>(value, to);
        }
    }
}
