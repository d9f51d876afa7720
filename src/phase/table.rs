//! The table of rotations: for each vector of pairs the sines and cosines of each step, and its
//! frequencies.

use core::marker::PhantomData;
use core::ops::Range;

use fearless_simd::prelude::*;

use super::Waves;
use super::addition::{STEPS, SinCos};
use super::fixed::{Fixed, GROUP, Line, Phase};
use super::sincos::{Two, reduced};
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

/// Sine and cosine of phases, in the numbers of `A`.
#[inline(always)]
pub(super) fn at_phase<S: Simd, A: Target>(
    simd: S,
    phase: Phase<S>,
) -> SinCos<A::Number<Two<S::f64s>>> {
    let reduced = reduced(simd, phase);
    A::in_quarter(simd, reduced.quarter, A::sincos(reduced.x, reduced.tail))
}

impl Waves {
    /// Makes the table, whose order is that of the instruction set's vectors.
    pub(super) fn new_table<A: Target>(&self) -> Vec<Line> {
        let len = ENTRIES * LINES_OF_GROUP * A::PARTS;
        let mut lines = vec![Line::ZERO; len * self.fixed.len()];
        launch(self.level, Fill::<A> { fixed: &self.fixed, lines: &mut lines, of: PhantomData });
        lines
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

struct Fill<'a, A> {
    fixed: &'a [Fixed],
    lines: &'a mut [Line],
    of: PhantomData<A>,
}

impl<A: Target> Kernel for Fill<'_, A> {
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let len = lines_of::<S, A>();
        let mut tables = self.lines.chunks_exact_mut(ENTRIES * len);
        for fixed in self.fixed {
            for at in (0..GROUP).step_by(2 * S::f64s::LEN) {
                let Some(table) = tables.next() else { return };
                let (steps, radians) = table.split_at_mut(STEPS.len() * len);
                for (step, to) in STEPS.into_iter().zip(steps.chunks_exact_mut(len)) {
                    let phase = fixed.phases(simd, Position::Integer(step), at);
                    Entry::store::<S, A>(at_phase::<S, A>(simd, phase), to);
                }
                let Two(low, high) = fixed.radians(simd, at);
                <f32 as Target>::store::<S>(Two(low.abs(), high.abs()), radians, 0);
            }
        }
    }
}
