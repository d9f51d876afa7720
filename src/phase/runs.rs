//! Runs of positions: blocks of 128, eight rows at a time.

use core::marker::PhantomData;
use core::ops::Range;

use fearless_simd::prelude::*;

use super::Waves;
use super::fixed::{GROUP, Line};
use super::plain::{CENTRE, reach};
use super::put::{Parts, Put, Slot, settle};
use super::table::{Entry, LINES_OF_GROUP, at_phase, lines_of};
use super::target::Target;
use crate::element::Element;
use crate::positions::Position;
use crate::simd::{Kernel, launch};

/// Lines that hold a centre of a chunk of pairs. A chunk is taken through a block at a time, so that
/// its centres and rotations stay in cache.
pub(super) const LINES: usize = 64;
/// The centres on the way to the next one: of octets whose number is even, a multiple of 4, of 8,
/// and the anchor. Those of odd octets stand in front.
const LEVELS: usize = 5;

/// How many groups of pairs make a chunk.
pub(super) const fn chunk_of<A: Target>() -> usize {
    LINES / (LINES_OF_GROUP * A::PARTS)
}

/// The centres of a chunk in a block.
pub(super) struct Centres([[Line; LINES]; LEVELS]);

impl Centres {
    pub(super) fn new() -> Self {
        Self([[Line::ZERO; LINES]; LEVELS])
    }

    /// Begins a chunk of a block with the centre of octet 0, which is the anchor of the block.
    pub(super) fn begin<A: Target>(&mut self, waves: &Waves, block: i64, groups: Range<usize>) {
        let (position, to, of) = (block + CENTRE, &mut self.0[LEVELS - 1][..], PhantomData::<A>);
        launch(waves.level, Anchors { waves, position, groups, to, of });
    }

    /// Makes the centres of the `octet`-th eight positions of the block from those of the octet
    /// whose number lacks its lowest bit, which must have been made before.
    pub(super) fn of<A: Target>(
        &mut self,
        waves: &Waves,
        octet: usize,
        groups: Range<usize>,
    ) -> &[Line] {
        let level = |octet: usize| (octet.trailing_zeros() as usize).min(LEVELS - 1);
        let to = level(octet);
        if octet > 0 {
            let (below, above) = self.0.split_at_mut(level(octet & (octet - 1)));
            let (from, step) = (&above[0][..], Entry::octets(to));
            let (to, of) = (&mut below[to][..], PhantomData::<A>);
            launch(waves.level, Advance { waves, groups, step, from, to, of });
        }
        &self.0[to]
    }
}

/// Writes sines and cosines at a position, by their phase.
struct Anchors<'a, A> {
    waves: &'a Waves,
    position: i64,
    groups: Range<usize>,
    to: &'a mut [Line],
    of: PhantomData<A>,
}

impl<A: Target> Kernel for Anchors<'_, A> {
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let mut lines = self.to.chunks_exact_mut(lines_of::<S, A>());
        for fixed in &self.waves.fixed[self.groups] {
            for at in (0..GROUP).step_by(2 * S::f64s::LEN) {
                let phase = fixed.phases(simd, Position::Integer(self.position), at);
                let value = at_phase::<S, A>(simd, phase).scaled(self.waves.amplitude);
                if let Some(to) = lines.next() {
                    Entry::store::<S, A>(value, to);
                }
            }
        }
    }
}

/// Rotates centres by one of the steps.
struct Advance<'a, A> {
    waves: &'a Waves,
    groups: Range<usize>,
    step: usize,
    from: &'a [Line],
    to: &'a mut [Line],
    of: PhantomData<A>,
}

impl<A: Target> Kernel for Advance<'_, A> {
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let len = lines_of::<S, A>();
        let centres = self.from.chunks_exact(len).zip(self.to.chunks_exact_mut(len));
        for (table, (from, to)) in self.waves.tables::<S, A>(self.groups).zip(centres) {
            let (centre, by) =
                (Entry::load::<S, A>(simd, from, 0), Entry::load::<S, A>(simd, table, self.step));
            Entry::store::<S, A>(centre.advanced(by, self.waves.amplitude), to);
        }
    }
}

/// Groups of pairs at eight positions, around their centre.
pub(super) struct Octet<'a, A, const INTERLEAVED: bool> {
    pub(super) waves: &'a Waves,
    /// The first of the positions.
    pub(super) position: i64,
    pub(super) groups: Range<usize>,
    pub(super) centres: &'a [Line],
    /// Where the pairs go in each row.
    pub(super) rows: [Parts<'a, A>; 8],
}

impl<A: Target + Element, const INTERLEAVED: bool> Kernel for Octet<'_, A, INTERLEAVED> {
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { waves, position, groups, centres, rows } = self;
        let width = 2 * S::f64s::LEN;
        let pairs = (GROUP * groups.start..).step_by(width);
        let tables = waves.tables::<S, A>(groups);
        let state = pairs.zip(tables.zip(centres.chunks_exact(lines_of::<S, A>())));
        let work = Work { waves, position, reach: reach(position, waves.amplitude) };
        let [a, b, c, d, e, f, g, h] = rows;
        let firsts = [a.0, b.0, c.0, d.0, e.0, f.0, g.0, h.0];
        if INTERLEAVED {
            for (columns, (pair, state)) in columns(firsts, 2 * width).zip(state) {
                let [a, b, c, d, e, f, g, h] = columns;
                let (a, b) = (a.split_at_mut(width), b.split_at_mut(width));
                let (c, d) = (c.split_at_mut(width), d.split_at_mut(width));
                let (e, f) = (e.split_at_mut(width), f.split_at_mut(width));
                let (g, h) = (g.split_at_mut(width), h.split_at_mut(width));
                work.eight::<S, A, true>(simd, pair, state, [a, b, c, d, e, f, g, h]);
            }
        } else {
            let seconds = [a.1, b.1, c.1, d.1, e.1, f.1, g.1, h.1];
            let columns = columns(firsts, width).zip(columns(seconds, width));
            for ((first, second), (pair, state)) in columns.zip(state) {
                let [a, b, c, d, e, f, g, h] = first;
                let [a2, b2, c2, d2, e2, f2, g2, h2] = second;
                let slots =
                    [(a, a2), (b, b2), (c, c2), (d, d2), (e, e2), (f, f2), (g, g2), (h, h2)];
                work.eight::<S, A, false>(simd, pair, state, slots);
            }
        }
    }
}

/// What all pairs of an octet share.
#[derive(Clone, Copy)]
struct Work<'a> {
    waves: &'a Waves,
    position: i64,
    reach: f64,
}

impl Work<'_> {
    /// A vector of pairs at eight positions, given its table and its centre.
    #[inline(always)]
    fn eight<S: Simd, A: Target + Element, const INTERLEAVED: bool>(
        self,
        simd: S,
        pair: usize,
        (table, centre): (&[Line], &[Line]),
        [a, b, c, d, e, f, g, h]: [Slot<'_, A>; 8],
    ) {
        let Self { waves, position, reach } = self;
        let here = Entry::load::<S, A>(simd, centre, 0);
        let mut put = Put::<S, A, INTERLEAVED>::new(simd, waves.amplitude);
        put.one(here, (d.0, d.1));
        let [after, before] = here.rotations(Entry::load::<S, A>(simd, table, 0));
        put.one(before, (c.0, c.1));
        put.one(after, (e.0, e.1));
        let [after, before] = here.rotations(Entry::load::<S, A>(simd, table, 1));
        put.one(before, (b.0, b.1));
        put.one(after, (f.0, f.1));
        let [after, before] = here.rotations(Entry::load::<S, A>(simd, table, 2));
        put.one(before, (a.0, a.1));
        put.one(after, (g.0, g.1));
        let [after, _] = here.rotations(Entry::load::<S, A>(simd, table, 3));
        put.one(after, (h.0, h.1));
        // Stored at once, values need not be kept; what is not sure is stored again.
        if !put.are_sure(Entry::angles(simd, table, reach)) {
            for (position, slot) in (position..).zip([a, b, c, d, e, f, g, h]) {
                settle::<A, INTERLEAVED>(waves, Position::Integer(position), pair, slot);
            }
        }
    }
}

/// The same `width` elements of eight rows, one after the other.
#[inline(always)]
fn columns<'a, A>(
    [a, b, c, d, e, f, g, h]: [&'a mut [A]; 8],
    width: usize,
) -> impl Iterator<Item = [&'a mut [A]; 8]> {
    // All rows are as long as the first one. Where that is seen, no minimum has to be found.
    let len = a.len();
    let of = |row: &'a mut [A]| row[..len].chunks_exact_mut(width);
    let columns = of(a).zip(of(b)).zip(of(c).zip(of(d)));
    columns.zip(of(e).zip(of(f)).zip(of(g).zip(of(h)))).map(
        #[inline(always)]
        |(((a, b), (c, d)), ((e, f), (g, h)))| [a, b, c, d, e, f, g, h],
    )
}
