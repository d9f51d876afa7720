//! A row by itself: its anchor, and at most five rotations.

use core::ops::Range;

use fearless_simd::prelude::*;

use super::Waves;
use super::addition::{Amplitude, SinCos};
use super::fixed::{Fixed, GROUP, Lane};
use super::layout::Places;
use super::plain::{BLOCK, CENTRE, OCTET, reach};
use super::runs::{Put, rotation};
use super::settle::settle;
use super::sincos::Two;
use super::target::{Target, at_phase};
use crate::element::Element;
use crate::positions::Position;
use crate::simd::Kernel;

/// Groups of pairs at one position. The row begins with the first of these groups, or with pair 0.
pub(super) struct Single<'a, A> {
    pub(super) waves: &'a Waves,
    pub(super) position: Position,
    pub(super) groups: Range<usize>,
    pub(super) places: Places,
    pub(super) base: usize,
    pub(super) row: &'a mut [A],
}

impl<A: Target + Element> Kernel for Single<'_, A> {
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { waves, position, groups, places, base, row } = self;
        let width = 2 * S::f64s::LEN;
        let reach = match position {
            Position::Integer(position) => {
                reach(position - position.rem_euclid(OCTET), waves.amplitude)
            }
            Position::Real(_) => reach(0, waves.amplitude),
        };
        for (group, table) in waves.groups::<A>(groups) {
            let fixed = &waves.fixed[group];
            for at in (0..GROUP).step_by(width) {
                let pair = group * GROUP + at;
                let mut put = Put::<S, A>::new(simd, waves, places, pair - base);
                put.one(value::<S, A>(simd, fixed, table, position, waves.amplitude, at), row);
                if !put.are_sure(fixed.angles(simd, reach, at)) {
                    settle(waves, position, pair..pair + width, base, places, row);
                }
            }
        }
    }
}

#[inline(always)]
fn value<S: Simd, A: Target>(
    simd: S,
    fixed: &Fixed,
    table: &[Lane<f64>],
    position: Position,
    amplitude: Amplitude,
    at: usize,
) -> SinCos<A::Number<Two<S::f64s>>> {
    let phases = |position| fixed.phases(simd, position, at);
    let Position::Integer(position) = position else {
        return at_phase::<S, A>(simd, phases(position)).scaled(amplitude);
    };
    let step = position.rem_euclid(BLOCK);
    let anchor = Position::Integer(position - step + CENTRE);
    let mut centre = at_phase::<S, A>(simd, phases(anchor)).scaled(amplitude);
    let by = |step| rotation::<S, A>(simd, table, step, at);
    for (bit, index) in [(64, 7), (32, 6), (16, 5), (8, 4)] {
        if step & bit != 0 {
            centre = centre.advanced(by(index), amplitude);
        }
    }
    match step % OCTET - CENTRE {
        0 => centre,
        offset @ 1.. => centre.rotations(by(offset as usize - 1))[0],
        offset => centre.rotations(by(-offset as usize - 1))[1],
    }
}
