//! Runs of positions: blocks of 128, eight rows at a time.

use core::ops::Range;

use fearless_simd::prelude::*;

use super::Waves;
use super::addition::{Amplitude, STEPS, SinCos};
use super::fixed::{GROUP, Lane};
use super::layout::Places;
use super::plain::{CENTRE, reach};
use super::settle::settle;
use super::sincos::Two;
use super::target::{Target, at_phase, write};
use crate::element::Element;
use crate::positions::Position;
use crate::simd::{Kernel, launch};

/// Lanes of a chunk of pairs, which is taken through a block at a time: centres and rotations stay
/// in cache.
const LANES: usize = 16;
/// The centres on the way to the next one: of octets whose number is even, a multiple of 4, of 8,
/// and the anchor. Those of odd octets stand in front.
const LEVELS: usize = 5;

/// How many groups of pairs make a chunk.
pub(super) const fn chunk_of<A: Target>() -> usize {
    LANES / (2 * A::PARTS)
}

/// The centres of a chunk in a block.
pub(super) struct Centres {
    levels: [[Lane<f64>; LANES]; LEVELS],
    groups: Range<usize>,
}

impl Centres {
    /// Those of octet 0, where the anchor of the block stands.
    pub(super) fn new<A: Target>(waves: &Waves, block: i64, groups: Range<usize>) -> Self {
        let mut levels = [[Lane([0.0; GROUP]); LANES]; LEVELS];
        let position = Position::Integer(block + CENTRE);
        let anchors = &mut levels[LEVELS - 1];
        launch(waves.level, Anchors::<A>::new(waves, position, groups.clone(), anchors));
        Self { levels, groups }
    }

    /// The centres of the `octet`-th eight positions of the block, from those of the octet whose
    /// number lacks its lowest bit, which must have been asked for before.
    pub(super) fn of<A: Target>(&mut self, waves: &Waves, octet: usize) -> &[Lane<f64>] {
        let level = |octet: usize| (octet.trailing_zeros() as usize).min(LEVELS - 1);
        let to = level(octet);
        if octet > 0 {
            let from = level(octet & (octet - 1));
            let (below, above) = self.levels.split_at_mut(from);
            let groups = self.groups.clone();
            let (from, to, step) = (&above[0], &mut below[to], 4 + to);
            launch(waves.level, Advance::<A>::new(waves, groups, step, from, to));
        }
        &self.levels[to]
    }
}

macro_rules! kernel_of {
    ($(#[$doc:meta])* $name:ident { $($field:ident: $type:ty),* }) => {
        $(#[$doc])*
        pub(super) struct $name<'a, A> { $($field: $type,)* of: core::marker::PhantomData<A> }

        impl<'a, A> $name<'a, A> {
            pub(super) fn new($($field: $type),*) -> Self {
                Self { $($field,)* of: core::marker::PhantomData }
            }
        }
    };
}

kernel_of! {
    /// Writes sines and cosines at a position, by their phase.
    Anchors { waves: &'a Waves, position: Position, groups: Range<usize>, to: &'a mut [Lane<f64>] }
}

kernel_of! {
    /// Rotates centres by one of the steps.
    Advance {
        waves: &'a Waves,
        groups: Range<usize>,
        step: usize,
        from: &'a [Lane<f64>],
        to: &'a mut [Lane<f64>]
    }
}

kernel_of! {
    /// Writes the rotations of all groups by each of [`STEPS`].
    Steps { waves: &'a Waves, to: &'a mut [Lane<f64>] }
}

impl<A: Target> Kernel for Steps<'_, A> {
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let groups = self.to.chunks_exact_mut(2 * A::PARTS * STEPS.len());
        for (fixed, steps) in self.waves.fixed.iter().zip(groups) {
            for (step, to) in STEPS.into_iter().zip(steps.chunks_exact_mut(2 * A::PARTS)) {
                for at in (0..GROUP).step_by(2 * S::f64s::LEN) {
                    let phases = fixed.phases(simd, Position::Integer(step), at);
                    store::<S, A>(at_phase::<S, A>(simd, phases), to, at);
                }
            }
        }
    }
}

impl<A: Target> Kernel for Anchors<'_, A> {
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        for (group, to) in self.groups.zip(self.to.chunks_exact_mut(2 * A::PARTS)) {
            for at in (0..GROUP).step_by(2 * S::f64s::LEN) {
                let phases = self.waves.fixed[group].phases(simd, self.position, at);
                let value = at_phase::<S, A>(simd, phases).scaled(self.waves.amplitude);
                store::<S, A>(value, to, at);
            }
        }
    }
}

impl<A: Target> Kernel for Advance<'_, A> {
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let len = 2 * A::PARTS;
        let lanes = self.from.chunks_exact(len).zip(self.to.chunks_exact_mut(len));
        for ((_, table), (from, to)) in self.waves.groups::<A>(self.groups).zip(lanes) {
            for at in (0..GROUP).step_by(2 * S::f64s::LEN) {
                let by = rotation::<S, A>(simd, table, self.step, at);
                let centre = load::<S, A>(simd, from, at);
                store::<S, A>(centre.advanced(by, self.waves.amplitude), to, at);
            }
        }
    }
}

/// Groups of pairs at eight positions, around their centre. The rows begin with pair `base`.
pub(super) struct Octet<'a, A> {
    pub(super) waves: &'a Waves,
    /// The first of the positions.
    pub(super) position: i64,
    pub(super) groups: Range<usize>,
    pub(super) centres: &'a [Lane<f64>],
    pub(super) places: Places,
    pub(super) base: usize,
    /// Slices of one length.
    pub(super) rows: [&'a mut [A]; 8],
}

impl<A: Target + Element> Kernel for Octet<'_, A> {
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { waves, position, groups, centres, places, base, rows } = self;
        let width = 2 * S::f64s::LEN;
        let reach = reach(position, waves.amplitude);
        let [a, b, c, d, e, f, g, h] = rows;
        // One length for all: that a place is within one row is seen for all of them.
        let len = a.len();
        let (b, c, d) = (&mut b[..len], &mut c[..len], &mut d[..len]);
        let (e, f, g, h) = (&mut e[..len], &mut f[..len], &mut g[..len], &mut h[..len]);
        let centres = centres.chunks_exact(2 * A::PARTS);
        for ((group, table), centre) in waves.groups::<A>(groups).zip(centres) {
            let fixed = &waves.fixed[group];
            for at in (0..GROUP).step_by(width) {
                let pair = group * GROUP + at;
                let here = load::<S, A>(simd, centre, at);
                let by = |step| rotation::<S, A>(simd, table, step, at);
                let mut put = Put::<S, A>::new(simd, waves, places, pair - base);
                put.one(here, d);
                put.both(here.rotations(by(0)), c, e);
                put.both(here.rotations(by(1)), b, f);
                put.both(here.rotations(by(2)), a, g);
                put.one(here.rotations(by(3))[0], h);
                // Stored at once, values need not be kept; what is not sure is stored again.
                if !put.are_sure(fixed.angles(simd, reach, at)) {
                    let rows = [&mut *a, b, c, d, e, f, g, h];
                    for (position, row) in (position..).zip(rows) {
                        let position = Position::Integer(position);
                        settle(waves, position, pair..pair + width, base, places, row);
                    }
                }
            }
        }
    }
}

/// Stores vectors of pairs in rows, and remembers what could be wrong with them.
pub(super) struct Put<S: Simd, A: Target> {
    seen: A::Bits<S>,
    amplitude: Amplitude,
    places: Places,
    pair: usize,
}

impl<S: Simd, A: Target> Put<S, A> {
    #[inline(always)]
    pub(super) fn new(simd: S, waves: &Waves, places: Places, pair: usize) -> Self {
        Self { seen: A::all(simd), amplitude: waves.amplitude, places, pair }
    }

    #[inline(always)]
    pub(super) fn one(&mut self, value: SinCos<A::Number<Two<S::f64s>>>, row: &mut [A]) {
        let value = value.rounded();
        let (sin, cos) = (A::round::<S>(value.sin), A::round::<S>(value.cos));
        self.seen = A::seen::<S>(self.seen, sin, cos, self.amplitude);
        write::<S, A>(sin, cos, self.places, self.pair, row);
    }

    #[inline(always)]
    fn both(
        &mut self,
        [after, before]: [SinCos<A::Number<Two<S::f64s>>>; 2],
        row_before: &mut [A],
        row_after: &mut [A],
    ) {
        self.one(before, row_before);
        self.one(after, row_after);
    }

    /// Whether all that was stored is sure.
    #[inline(always)]
    pub(super) fn are_sure(&self, angles: Two<S::f64s>) -> bool {
        A::are_sure::<S>(self.seen, angles)
    }
}

/// One of the rotations of a vector of pairs, from the table of its group.
#[inline(always)]
pub(super) fn rotation<S: Simd, A: Target>(
    simd: S,
    table: &[Lane<f64>],
    step: usize,
    at: usize,
) -> SinCos<A::Number<Two<S::f64s>>> {
    load::<S, A>(simd, &table[step * 2 * A::PARTS..][..2 * A::PARTS], at)
}

#[inline(always)]
pub(super) fn load<S: Simd, A: Target>(
    simd: S,
    lanes: &[Lane<f64>],
    at: usize,
) -> SinCos<A::Number<Two<S::f64s>>> {
    let (sin, cos) = lanes.split_at(A::PARTS);
    SinCos { sin: A::load(simd, sin, at), cos: A::load(simd, cos, at) }
}

#[inline(always)]
pub(super) fn store<S: Simd, A: Target>(
    value: SinCos<A::Number<Two<S::f64s>>>,
    lanes: &mut [Lane<f64>],
    at: usize,
) {
    let (sin, cos) = lanes.split_at_mut(A::PARTS);
    A::store::<S>(value.sin, sin, at);
    A::store::<S>(value.cos, cos, at);
}
