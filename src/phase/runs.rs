//! Runs of positions: blocks of 128, eight rows at a time.

use core::ops::Range;
use core::slice::{ChunksExact, ChunksExactMut};

use fearless_simd::prelude::*;

use super::addition::SinCos;
use super::amplitude::Amplitude;
use super::anchor::{Entry, LINES_OF_GROUP, lines_of};
use super::arithmetic::Arithmetic;
use super::definition::CENTRE;
use super::fixed::{GROUP, Line};
use super::layout::{Parts, Slot};
use super::rotations::octets;
use super::settle::{reach, settle};
use super::stores::Stores;
use super::vectors::Two;
use super::waves::Waves;
use crate::element::Element;
use crate::positions::Position;
use crate::simd::Kernel;

/// The number of centres kept at a time: the anchor, which is the centre of octet 0, one for octet
/// 8, one for octets 4 and 12, and one for 2, 6, 10 and 14.
pub(super) const LEVELS: usize = 4;
/// The lines of a longer chunk: rows far larger than the cache should be written from end to end.
pub(super) const FAR_LINES: usize = 256;

/// Returns the number of groups of pairs in a chunk whose centre has `lines` lines.
pub(super) const fn chunk_of<A: Arithmetic>(lines: usize) -> usize {
    lines / (LINES_OF_GROUP * A::PARTS)
}

/// A buffer for the centres of a chunk in a block.
pub(super) struct Centres<const LINES: usize>([[Line; LINES]; LEVELS]);

impl<const LINES: usize> Centres<LINES> {
    pub(super) fn new() -> Self {
        Self([[Line::ZERO; LINES]; LEVELS])
    }

    /// Returns the whole buffer as one slice, for code that is not generic over `LINES`.
    pub(super) fn lines(&mut self) -> &mut [Line] {
        self.0.as_flattened_mut()
    }
}

/// Returns the place where the centre of an even octet is kept. Octets 2, 6, 10 and 14 share one,
/// since an octet's centre is needed until the next such octet; so do 4 and 12.
fn place(octet: usize, room: usize) -> usize {
    (octet.trailing_zeros() as usize).clamp(1, LEVELS).saturating_sub(1) * room
}

/// The destination of the rows of octets.
pub(super) trait Octets<A> {
    /// Returns the places of some pairs in the eight rows of an octet.
    fn rows(&mut self, octet: usize) -> [Parts<'_, A>; 8];
    /// Accepts the rows after they are written.
    fn take(&mut self, octet: usize);
}

/// A chunk of pairs at some positions of a block.
pub(super) struct Block<'a, A, const INTERLEAVED: bool> {
    pub(super) waves: &'a Waves,
    /// The first position of the block.
    pub(super) position: i64,
    /// The positions within the block.
    pub(super) steps: Range<usize>,
    pub(super) groups: Range<usize>,
    pub(super) centres: &'a mut [Line],
    pub(super) to: &'a mut dyn Octets<A>,
}

impl<A: Arithmetic + Element, const INTERLEAVED: bool> Block<'_, A, INTERLEAVED> {
    /// Writes the rows.
    pub(super) fn write(self) {
        let anchor = Position::Integer(self.position + CENTRE);
        let room = self.centres.len() / LEVELS;
        let to = &mut self.centres[place(0, room)..];
        let level = self.waves.level;
        self.waves.anchors::<A>(anchor, self.groups.clone(), to);
        self.launch(level);
    }
}

impl<A: Arithmetic + Element, const INTERLEAVED: bool> Kernel for Block<'_, A, INTERLEAVED> {
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        for octet in 0..self.steps.end.div_ceil(8) {
            // A centre is needed for its own rows, or for those of the octets made from it.
            let made = if octet == 0 { usize::MAX } else { octet & octet.wrapping_neg() };
            if octet.saturating_add(made).saturating_mul(8) <= self.steps.start {
                continue;
            }
            let (waves, groups) = (self.waves, self.groups.clone());
            let position = self.position + 8 * octet as i64;
            let is_wanted = 8 * octet + 8 > self.steps.start;
            let making = Making::of::<S, A>(octet, self.centres, waves.amplitude);
            let Some((mut making, from)) = making else { return };
            let state = waves.tables::<S, A>(groups.clone()).zip(from);
            if is_wanted {
                let pairs = (GROUP * groups.start..).step_by(2 * S::f64s::LEN);
                let (work, rows) = (Work::new(waves, position), self.to.rows(octet));
                work.rows::<S, A, INTERLEAVED>(simd, making, pairs.zip(state), rows);
                self.to.take(octet);
            } else {
                for state in state {
                    making.next::<S, A>(simd, state);
                }
            }
        }
    }
}

/// How the centres of an octet are made.
struct Making<'c> {
    /// The index of the step's entry in the table; none for the anchor.
    step: Option<usize>,
    /// Where centres are kept from which others are made.
    to: ChunksExactMut<'c, Line>,
    amplitude: Amplitude,
}

impl<'c> Making<'c> {
    /// Makes the centres of an octet from those of the octet whose index lacks the lowest set bit,
    /// which must have been made before.
    #[inline(always)]
    fn of<S: Simd, A: Arithmetic>(
        octet: usize,
        centres: &'c mut [Line],
        amplitude: Amplitude,
    ) -> Option<(Self, ChunksExact<'c, Line>)> {
        let len = lines_of::<S, A>();
        let room = centres.len() / LEVELS;
        let [from, to] = [octet & octet.wrapping_sub(1), octet].map(|octet| place(octet, room));
        // No octet is made from an odd one, and the anchor is there.
        let to = if octet % 2 == 1 || octet == 0 { 0..0 } else { to..to + room };
        let [from, to] = centres.get_disjoint_mut([from..from + room, to]).ok()?;
        let step = (octet > 0).then(|| octets(octet.trailing_zeros() as usize));
        let to = to.chunks_exact_mut(len);
        Some((Self { step, to, amplitude }, from.chunks_exact(len)))
    }

    /// Makes the centre of the next vector of pairs, given its table and the other centre.
    #[inline(always)]
    fn next<S: Simd, A: Arithmetic>(
        &mut self,
        simd: S,
        (table, from): (&[Line], &[Line]),
    ) -> SinCos<A::Number<Two<S::f64s>>> {
        let from = Entry::load::<S, A>(simd, from, 0);
        let Some(step) = self.step else { return from };
        let centre = from.advanced(Entry::load::<S, A>(simd, table, step), self.amplitude);
        if let Some(to) = self.to.next() {
            Entry::store::<S, A>(centre, to);
        }
        centre
    }
}

/// The position of an octet, shared by all its pairs, and values that depend on it.
#[derive(Clone, Copy)]
struct Work<'a> {
    waves: &'a Waves,
    amplitude: Amplitude,
    position: i64,
    reach: f64,
}

impl<'a> Work<'a> {
    fn new(waves: &'a Waves, position: i64) -> Self {
        // A copy of the amplitude: through a reference it would be read again after each store.
        let amplitude = waves.amplitude;
        Self { waves, amplitude, position, reach: reach(position, amplitude) }
    }

    /// Writes vectors of pairs at eight positions around their centres, given the first pair of
    /// each.
    #[inline(always)]
    fn rows<S: Simd, A: Arithmetic + Element, const INTERLEAVED: bool>(
        self,
        simd: S,
        mut making: Making<'_>,
        state: impl Iterator<Item = (usize, (&'a [Line], &'a [Line]))>,
        [a, b, c, d, e, f, g, h]: [Parts<'_, A>; 8],
    ) {
        let width = 2 * S::f64s::LEN;
        let firsts = [a.0, b.0, c.0, d.0, e.0, f.0, g.0, h.0];
        if INTERLEAVED {
            for (columns, (pair, state)) in columns(firsts, 2 * width).zip(state) {
                let [a, b, c, d, e, f, g, h] = columns;
                let (a, b) = (a.split_at_mut(width), b.split_at_mut(width));
                let (c, d) = (c.split_at_mut(width), d.split_at_mut(width));
                let (e, f) = (e.split_at_mut(width), f.split_at_mut(width));
                let (g, h) = (g.split_at_mut(width), h.split_at_mut(width));
                let here = making.next::<S, A>(simd, state);
                self.eight::<S, A, true>(simd, pair, state.0, here, [a, b, c, d, e, f, g, h]);
            }
        } else {
            let seconds = [a.1, b.1, c.1, d.1, e.1, f.1, g.1, h.1];
            let columns = columns(firsts, width).zip(columns(seconds, width));
            for ((first, second), (pair, state)) in columns.zip(state) {
                let [a, b, c, d, e, f, g, h] = first;
                let [a2, b2, c2, d2, e2, f2, g2, h2] = second;
                let slots =
                    [(a, a2), (b, b2), (c, c2), (d, d2), (e, e2), (f, f2), (g, g2), (h, h2)];
                let here = making.next::<S, A>(simd, state);
                self.eight::<S, A, false>(simd, pair, state.0, here, slots);
            }
        }
    }

    /// Writes a vector of pairs at eight positions.
    #[inline(always)]
    fn eight<S: Simd, A: Arithmetic + Element, const INTERLEAVED: bool>(
        self,
        simd: S,
        pair: usize,
        table: &[Line],
        here: SinCos<A::Number<Two<S::f64s>>>,
        [a, b, c, d, e, f, g, h]: [Slot<'_, A>; 8],
    ) {
        let Self { waves, amplitude, position, reach } = self;
        let mut stores = Stores::<S, A, INTERLEAVED>::new(simd, amplitude);
        stores.one(here, (d.0, d.1));
        let [after, before] = here.rotations(Entry::load::<S, A>(simd, table, 0));
        stores.one(before, (c.0, c.1));
        stores.one(after, (e.0, e.1));
        let [after, before] = here.rotations(Entry::load::<S, A>(simd, table, 1));
        stores.one(before, (b.0, b.1));
        stores.one(after, (f.0, f.1));
        let [after, before] = here.rotations(Entry::load::<S, A>(simd, table, 2));
        stores.one(before, (a.0, a.1));
        stores.one(after, (g.0, g.1));
        let [after, _] = here.rotations(Entry::load::<S, A>(simd, table, 3));
        stores.one(after, (h.0, h.1));
        // Values are stored at once instead of being kept in registers; those that are not certain
        // are then stored again.
        if !stores.are_sure(simd, table, reach) {
            for (position, slot) in (position..).zip([a, b, c, d, e, f, g, h]) {
                settle::<A, INTERLEAVED>(waves, Position::Integer(position), pair, slot);
            }
        }
    }
}

/// Divides eight rows into columns of `width` elements.
#[inline(always)]
fn columns<'a, A>(
    [a, b, c, d, e, f, g, h]: [&'a mut [A]; 8],
    width: usize,
) -> impl Iterator<Item = [&'a mut [A]; 8]> {
    // All rows are as long as the first one. With this hint the compiler need not compute a
    // minimum.
    let len = a.len();
    let of = |row: &'a mut [A]| row[..len].chunks_exact_mut(width);
    let columns = of(a).zip(of(b)).zip(of(c).zip(of(d)));
    columns.zip(of(e).zip(of(f)).zip(of(g).zip(of(h)))).map(
        #[inline(always)]
        |(((a, b), (c, d)), ((e, f), (g, h)))| [a, b, c, d, e, f, g, h],
    )
}
