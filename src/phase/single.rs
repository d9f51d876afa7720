//! A single row: its anchor, and at most five rotations.

use core::ops::Range;

use fearless_simd::prelude::*;

use super::addition::SinCos;
use super::amplitude::Amplitude;
use super::anchor::{Entry, lines_of};
use super::arithmetic::Arithmetic;
use super::definition::{BLOCK, CENTRE, OCTET};
use super::fixed::{GROUP, Line};
use super::layout::Parts;
use super::rotations::octets;
use super::settle::{reach_of, settle};
use super::stores::Stores;
use super::vectors::Two;
use super::waves::Waves;
use crate::element::Element;
use crate::positions::Position;
use crate::simd::Kernel;

/// A chunk of pairs at one position.
pub(super) struct Single<'a, A, const INTERLEAVED: bool> {
    pub(super) waves: &'a Waves,
    pub(super) position: Position,
    pub(super) groups: Range<usize>,
    /// A buffer for the anchors of the pairs.
    pub(super) anchors: &'a mut [Line],
    /// The parts of the row for the pairs.
    pub(super) row: Parts<'a, A>,
}

impl<A: Arithmetic + Element, const INTERLEAVED: bool> Single<'_, A, INTERLEAVED> {
    /// Writes the row.
    ///
    /// All anchors come first: a processor can then overlap several anchors, or several rotations,
    /// with each other, whereas the whole chain for one pair exceeds its window.
    pub(super) fn write(self) {
        let anchor = match self.position {
            Position::Integer(position) => {
                Position::Integer(position - position.rem_euclid(BLOCK) + CENTRE)
            }
            real => real,
        };
        self.waves.anchors::<A>(anchor, self.groups.clone(), self.anchors);
        let level = self.waves.level;
        self.launch(level);
    }
}

impl<A: Arithmetic + Element, const INTERLEAVED: bool> Kernel for Single<'_, A, INTERLEAVED> {
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { waves, position, groups, anchors, row: Parts(mut firsts, mut seconds) } = self;
        let (width, amplitude) = (2 * S::f64s::LEN, waves.amplitude);
        let reach = reach_of(position, amplitude);
        let pairs = (GROUP * groups.start..).step_by(width);
        let anchors = anchors.chunks_exact(lines_of::<S, A>());
        for (pair, (table, anchor)) in pairs.zip(waves.tables::<S, A>(groups).zip(anchors)) {
            let anchor = Entry::load::<S, A>(simd, anchor, 0);
            let value = rotated::<S, A>(simd, anchor, table, position, amplitude);
            let (front, rest) = firsts.split_at_mut(width);
            let (back, rest) = if INTERLEAVED {
                rest.split_at_mut(width)
            } else {
                let (back, behind) = seconds.split_at_mut(width);
                seconds = behind;
                (back, rest)
            };
            firsts = rest;
            let mut stores = Stores::<S, A, INTERLEAVED>::new(simd, amplitude);
            stores.one(value, (front, back));
            if !stores.are_sure(simd, table, reach) {
                settle::<A, INTERLEAVED>(waves, position, pair, (front, back));
            }
        }
    }
}

/// Rotates from the anchor to the position.
#[inline(always)]
fn rotated<S: Simd, A: Arithmetic>(
    simd: S,
    anchor: SinCos<A::Number<Two<S::f64s>>>,
    table: &[Line],
    position: Position,
    amplitude: Amplitude,
) -> SinCos<A::Number<Two<S::f64s>>> {
    let Position::Integer(position) = position else { return anchor };
    let (step, mut centre) = (position.rem_euclid(BLOCK), anchor);
    for level in [3, 2, 1, 0] {
        if step & (OCTET << level) != 0 {
            let by = Entry::load::<S, A>(simd, table, octets(level));
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
