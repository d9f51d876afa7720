//! A row by itself: its anchor, and at most five rotations.

use core::ops::Range;

use fearless_simd::prelude::*;

use super::Waves;
use super::addition::{Amplitude, SinCos};
use super::fixed::{Fixed, GROUP, Line};
use super::plain::{BLOCK, CENTRE, OCTET, reach};
use super::put::{Parts, Put, settle};
use super::settle::octet_of;
use super::sincos::Two;
use super::table::{Entry, at_phase};
use super::target::Target;
use crate::element::Element;
use crate::positions::Position;
use crate::simd::Kernel;

/// Groups of pairs at one position.
pub(super) struct Single<'a, A, const INTERLEAVED: bool> {
    pub(super) waves: &'a Waves,
    pub(super) position: Position,
    pub(super) groups: Range<usize>,
    /// Where the pairs go.
    pub(super) row: Parts<'a, A>,
}

impl<A: Target + Element, const INTERLEAVED: bool> Kernel for Single<'_, A, INTERLEAVED> {
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { waves, position, groups, row } = self;
        let (width, amplitude) = (2 * S::f64s::LEN, waves.amplitude);
        let reach = reach(octet_of(position), amplitude);
        let Parts(mut firsts, mut seconds) = row;
        let mut tables = waves.tables::<S, A>(groups.clone());
        for (group, fixed) in groups.clone().zip(&waves.fixed[groups]) {
            for at in (0..GROUP).step_by(width) {
                let Some(table) = tables.next() else { return };
                let value = value::<S, A>(simd, fixed, table, position, amplitude, at);
                let (front, rest) = firsts.split_at_mut(width);
                let (back, rest) = if INTERLEAVED {
                    rest.split_at_mut(width)
                } else {
                    let (back, behind) = seconds.split_at_mut(width);
                    seconds = behind;
                    (back, rest)
                };
                firsts = rest;
                let mut put = Put::<S, A, INTERLEAVED>::new(simd, amplitude);
                put.one(value, (front, back));
                if !put.are_sure(Entry::angles(simd, table, reach)) {
                    let first = GROUP * group + at;
                    settle::<A, INTERLEAVED>(waves, position, first, (front, back));
                }
            }
        }
    }
}

#[inline(always)]
fn value<S: Simd, A: Target>(
    simd: S,
    fixed: &Fixed,
    table: &[Line],
    position: Position,
    amplitude: Amplitude,
    at: usize,
) -> SinCos<A::Number<Two<S::f64s>>> {
    let Position::Integer(position) = position else {
        return at_phase::<S, A>(simd, fixed.phases(simd, position, at)).scaled(amplitude);
    };
    let step = position.rem_euclid(BLOCK);
    let anchor = Position::Integer(position - step + CENTRE);
    let mut centre = at_phase::<S, A>(simd, fixed.phases(simd, anchor, at)).scaled(amplitude);
    for (bit, level) in [(64, 3), (32, 2), (16, 1), (8, 0)] {
        if step & bit != 0 {
            let by = Entry::load::<S, A>(simd, table, Entry::octets(level));
            centre = centre.advanced(by, amplitude);
        }
    }
    let offset = step % OCTET - CENTRE;
    if offset == 0 {
        return centre;
    }
    let index = offset.unsigned_abs() as usize - 1;
    let [after, before] = centre.rotations(Entry::load::<S, A>(simd, table, index));
    if offset > 0 { after } else { before }
}
