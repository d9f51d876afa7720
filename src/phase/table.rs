//! The table of rotations: for each vector of pairs the sines and cosines of each step, and its
//! frequencies.

use core::marker::PhantomData;
use core::ops::Range;

use fearless_simd::Level;
use fearless_simd::prelude::*;

use super::addition::{STEPS, SinCos};
use super::amplitude::Amplitude;
use super::fixed::{Fixed, GROUP, Line, Split};
use super::reals::Two;
use super::sincos::{Reduced, reduced, tails, without_tail};
use super::target::Target;
use crate::positions::Position;
use crate::simd::Kernel;

/// The lines of sines and cosines of a group of pairs, for each double of a number.
pub(super) const LINES_OF_GROUP: usize = 2 * GROUP / 8;
/// The entries of a vector of pairs: its steps, and the magnitudes of its frequencies.
const ENTRIES: usize = STEPS.len() + 1;

/// The sines and cosines of a vector of pairs, or its frequencies, in whole lines.
pub(super) struct Entry;

/// Returns the number of lines of an entry.
#[inline(always)]
pub(super) fn lines_of<S: Simd, A: Target>() -> usize {
    2 * A::PARTS * 2 * S::f64s::LEN / 8
}

impl Entry {
    /// Returns the index of the step by 8, 16, 32 or 64 positions.
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

    /// Returns the magnitudes of the angles at a real position.
    #[inline(always)]
    pub(super) fn angles<S: Simd>(simd: S, table: &[Line], position: f64) -> Two<S::f64s> {
        let at = table.len() / ENTRIES * STEPS.len();
        <f32 as Target>::load(simd, &table[at..], 0) * position
    }
}

/// The entries of each vector of pairs, one vector after the other, in the order of an instruction
/// set's vectors.
#[derive(Debug)]
pub(super) struct Table(Vec<Line>);

impl Table {
    pub(super) fn new<A: Target>(fixed: &[Fixed], level: Level) -> Self {
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

    /// Returns the bytes on the heap.
    pub(super) fn memory(&self) -> usize {
        size_of_val(self.0.as_slice())
    }

    /// Returns the entries of each vector of pairs in some groups.
    #[inline(always)]
    pub(super) fn of_vectors<S: Simd, A: Target>(
        &self,
        groups: Range<usize>,
    ) -> impl Iterator<Item = &[Line]> {
        let len = ENTRIES * LINES_OF_GROUP * A::PARTS;
        self.0[len * groups.start..len * groups.end].chunks_exact(ENTRIES * lines_of::<S, A>())
    }
}

/// A position, and the amplitude of its sines and cosines.
pub(super) struct At {
    pub(super) position: Position,
    pub(super) amplitude: Amplitude,
}

impl At {
    /// Writes the sines and cosines of groups by their phases: an entry for each vector of pairs.
    pub(super) fn phase<A: Target>(self, level: Level, fixed: &[Fixed], to: &mut [Line]) {
        AtPhase { at: self, fixed, to, of: PhantomData::<A> }.launch(level);
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

/// Computes sines and cosines at a position from the phases.
struct AtPhase<'a, A> {
    at: At,
    fixed: &'a [Fixed],
    to: &'a mut [Line],
    of: PhantomData<A>,
}

impl<A: Target> Kernel for AtPhase<'_, A> {
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let (len, half) = (lines_of::<S, A>(), 2 * S::f64s::LEN);
        let At { position, amplitude } = self.at;
        // The angles of all pairs come first, then their sines and cosines: the processor then
        // works on several vectors at a time, since the whole chain for one vector exceeds its
        // window.
        let mut to = self.to.chunks_exact_mut(len);
        for fixed in self.fixed {
            for at in (0..GROUP).step_by(half) {
                let Reduced { x, tail } = match position {
                    // Values in f32 that are not certain are settled like all others.
                    Position::Real(real) if A::PARTS == 1 && fixed.is_near(simd, real, at) => {
                        let angle = fixed.radians(simd, at) * real;
                        without_tail(simd, fixed.quarters(simd, Split::new(real), at), angle)
                    }
                    _ => reduced(simd, fixed.phases(simd, position, at)),
                };
                let Some(to) = to.next() else { return };
                <f32 as Target>::store::<S>(x, to, 0);
                <f32 as Target>::store::<S>(tail, to, half);
            }
        }
        for to in self.to.chunks_exact_mut(len).take(GROUP / half * self.fixed.len()) {
            let x = <f32 as Target>::load(simd, to, 0);
            let (tail, quarter) = tails::<S>(<f32 as Target>::load(simd, to, half));
            let value = A::in_quarter(simd, quarter, A::sincos(x, tail)).scaled(amplitude);
            Entry::store::<S, A>(value, to);
        }
    }
}
