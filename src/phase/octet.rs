//! Eight rows side by side, around a centre that they share.

use core::ops::Range;

use fearless_simd::prelude::*;

use super::LINE;
use super::group::{Seen, Slot};
use super::kernel::{CHUNK, Job, OCTET};
use super::turned::{Number, SinCos, TURNS};
use crate::Element;

/// A chunk of pairs at eight positions from `octet` on: their state, and of each row where sines
/// and cosines go, or both in the first part.
pub(super) struct Eight<'a, A> {
    pub(super) octet: i64,
    pub(super) pairs: Range<usize>,
    pub(super) centre: &'a mut [f64],
    pub(super) sure: &'a [u32],
    pub(super) parts: [[&'a mut [A]; 2]; OCTET as usize],
}

impl<A> Eight<'_, A> {
    /// Whether the halves of all rows meet in the same places of the first-level cache, which has
    /// no room for sixteen of them: rows and halves are whole pages apart. Then the sines of all
    /// groups are stored before the cosines.
    fn meet(&self) -> bool {
        const PAGE: usize = 4096;
        let [[sines, cosines], [next, _], ..] = &self.parts;
        [cosines, next]
            .iter()
            .all(|other| (other.as_ptr().addr() ^ sines.as_ptr().addr()) % PAGE < LINE)
    }
}

/// The same elements of eight rows.
type Column<'a, A> = [&'a mut [A]; OCTET as usize];

impl<S: Simd, const INTERLEAVED: bool, const UNIT: bool> Job<'_, S, INTERLEAVED, UNIT> {
    /// Groups of pairs at eight positions, and their next centres.
    ///
    /// It stays a call: the loops are most of the code. What it works on is behind one reference:
    /// to copy it took as long as a group.
    #[inline(never)]
    pub(super) fn groups<A: Element>(self, eight: &mut Eight<'_, A>) {
        self.simd.vectorize(
            #[inline(always)]
            move || {
                if INTERLEAVED {
                    self.pairs(eight);
                } else if eight.meet() {
                    let mut seen = [0; 3 * CHUNK];
                    self.sines(eight, &mut seen);
                    self.cosines(eight, &seen);
                } else {
                    self.halves(eight);
                }
            },
        );
    }

    /// Of each group its centre, the turns, and which pairs need no search for cancellation.
    #[inline(always)]
    fn state<'e, A: Element>(
        self,
        pairs: &Range<usize>,
        centre: &'e mut [f64],
        sure: &'e [u32],
    ) -> impl Iterator<Item = ((&'e mut [f64], &'e [f64]), &'e [u32])>
    where
        Self: 'e,
    {
        let len = 2 * A::Number::<S>::PARTS * Self::WIDTH;
        let steps = self.task.waves.steps::<S, A::Number<S>>(pairs.clone());
        centre
            .chunks_exact_mut(len)
            .zip(steps.chunks_exact(TURNS.len() * len))
            .zip(sure.chunks_exact(2 * Self::WIDTH))
    }

    /// Sines and cosines in turn.
    #[inline(always)]
    fn pairs<A: Element>(self, eight: &mut Eight<'_, A>) {
        let width = Self::WIDTH;
        let Eight { octet, pairs, centre, sure, parts: [a, b, c, d, e, f, g, h] } = eight;
        let state = self.state::<A>(pairs, centre, sure).zip(pairs.clone().step_by(width));
        let rows = [
            &mut *a[0], &mut *b[0], &mut *c[0], &mut *d[0], &mut *e[0], &mut *f[0], &mut *g[0],
            &mut *h[0],
        ];
        for ([a, b, c, d, e, f, g, h], (((state, table), sure), first)) in
            columns(rows, 2 * width).zip(state)
        {
            let slot = |group| <[A]>::split_at_mut(group, width);
            let slots = [slot(a), slot(b), slot(c), slot(d), slot(e), slot(f), slot(g), slot(h)];
            self.group(*octet, first, state, table, sure, slots);
        }
    }

    /// Sines and cosines apart.
    #[inline(always)]
    fn halves<A: Element>(self, eight: &mut Eight<'_, A>) {
        let width = Self::WIDTH;
        let Eight { octet, pairs, centre, sure, parts: [a, b, c, d, e, f, g, h] } = eight;
        let state = self.state::<A>(pairs, centre, sure).zip(pairs.clone().step_by(width));
        let [[a, a2], [b, b2], [c, c2], [d, d2], [e, e2], [f, f2], [g, g2], [h, h2]] =
            [a, b, c, d, e, f, g, h];
        let sines =
            [&mut **a, &mut **b, &mut **c, &mut **d, &mut **e, &mut **f, &mut **g, &mut **h];
        let cosines = [
            &mut **a2, &mut **b2, &mut **c2, &mut **d2, &mut **e2, &mut **f2, &mut **g2, &mut **h2,
        ];
        let slots = columns(sines, width).zip(columns(cosines, width));
        for (
            ([a, b, c, d, e, f, g, h], [a2, b2, c2, d2, e2, f2, g2, h2]),
            (((state, table), sure), first),
        ) in slots.zip(state)
        {
            let slots = [(a, a2), (b, b2), (c, c2), (d, d2), (e, e2), (f, f2), (g, g2), (h, h2)];
            self.group(*octet, first, state, table, sure, slots);
        }
    }

    /// A group of pairs at eight positions, and then its next centre.
    #[inline(always)]
    fn group<A: Element>(
        self,
        octet: i64,
        first: usize,
        centre: &mut [f64],
        table: &[f64],
        sure: &[u32],
        [a, b, c, d, e, f, g, h]: [Slot<'_, A>; OCTET as usize],
    ) {
        let turn = |by| SinCos::<A::Number<S>>::turn(self.simd, table, by);
        let here = SinCos::load(self.simd, centre);
        let mut seen = self.put_unsure(here, (d.0, d.1), Seen::nothing(self.simd, self.shift()));
        seen = self.put_around(here, turn(1), (c.0, c.1), (e.0, e.1), seen);
        seen = self.put_around(here, turn(2), (b.0, b.1), (f.0, f.1), seen);
        seen = self.put_around(here, turn(3), (a.0, a.1), (g.0, g.1), seen);
        seen = self.put_unsure(here.rotations(turn(4))[0], (h.0, h.1), seen);
        // Stored at once, values need not be kept; what is wrong is stored again.
        if !self.is_right(seen, sure) {
            self.put_settled(centre, octet, first, [a, b, c, d, e, f, g, h]);
        }
        here.advanced::<S>(turn(OCTET), self.task.waves).store::<S>(centre);
    }

    /// A centre turned backwards and forwards by the same angles.
    #[inline(always)]
    fn put_around<A: Element>(
        self,
        here: SinCos<A::Number<S>>,
        by: SinCos<A::Number<S>>,
        previous: Slot<'_, A>,
        next: Slot<'_, A>,
        seen: Seen<S>,
    ) -> Seen<S> {
        let [after, before] = here.rotations(by);
        let seen = self.put_unsure(before, previous, seen);
        self.put_unsure(after, next, seen)
    }

    /// The sines of all groups.
    #[inline(always)]
    fn sines<A: Element>(self, eight: &mut Eight<'_, A>, seen: &mut [u32]) {
        let (width, len) = (Self::WIDTH, 2 * A::Number::<S>::PARTS * Self::WIDTH);
        let Eight { pairs, centre, parts: [a, b, c, d, e, f, g, h], .. } = eight;
        let steps = self.task.waves.steps::<S, A::Number<S>>(pairs.clone());
        let state = centre
            .chunks_exact(len)
            .zip(steps.chunks_exact(TURNS.len() * len))
            .zip(seen.chunks_exact_mut(3 * width));
        let rows = [
            &mut *a[0], &mut *b[0], &mut *c[0], &mut *d[0], &mut *e[0], &mut *f[0], &mut *g[0],
            &mut *h[0],
        ];
        for (column, ((centre, table), seen)) in columns(rows, width).zip(state) {
            let here = SinCos::load(self.simd, centre);
            self.half::<A, false>(here, table, column, Seen::nothing(self.simd, self.shift()))
                .store(seen);
        }
    }

    /// The cosines of all groups, and their next centres.
    #[inline(always)]
    fn cosines<A: Element>(self, eight: &mut Eight<'_, A>, seen: &[u32]) {
        let width = Self::WIDTH;
        let Eight { octet, pairs, centre, sure, parts: [a, b, c, d, e, f, g, h] } = eight;
        let seen = seen.chunks_exact(3 * width).zip((0..).step_by(width));
        let state = self.state::<A>(pairs, centre, sure).zip(seen);
        let [[sa, a], [sb, b], [sc, c], [sd, d], [se, e], [sf, f], [sg, g], [sh, h]] =
            [a, b, c, d, e, f, g, h];
        let rows = [&mut **a, &mut **b, &mut **c, &mut **d, &mut **e, &mut **f, &mut **g, &mut **h];
        for ([a, b, c, d, e, f, g, h], (((centre, table), sure), (seen, at))) in
            columns(rows, width).zip(state)
        {
            let here = SinCos::load(self.simd, centre);
            let seen = Seen::load(self.simd, seen, self.shift());
            let column = [&mut *a, &mut *b, &mut *c, &mut *d, &mut *e, &mut *f, &mut *g, &mut *h];
            let seen = self.half::<A, true>(here, table, column, seen);
            if !self.is_right(seen, sure) {
                let at = at..at + width;
                let slots = [
                    (&mut sa[at.clone()], a),
                    (&mut sb[at.clone()], b),
                    (&mut sc[at.clone()], c),
                    (&mut sd[at.clone()], d),
                    (&mut se[at.clone()], e),
                    (&mut sf[at.clone()], f),
                    (&mut sg[at.clone()], g),
                    (&mut sh[at.clone()], h),
                ];
                self.put_settled(centre, *octet, pairs.start + at.start, slots);
            }
            let turn = SinCos::<A::Number<S>>::turn(self.simd, table, OCTET);
            here.advanced::<S>(turn, self.task.waves).store::<S>(centre);
        }
    }

    /// The sines or the cosines of a group at eight positions.
    #[inline(always)]
    fn half<A: Element, const COSINES: bool>(
        self,
        here: SinCos<A::Number<S>>,
        table: &[f64],
        [a, b, c, d, e, f, g, h]: Column<'_, A>,
        seen: Seen<S>,
    ) -> Seen<S> {
        let turn = |by| SinCos::<A::Number<S>>::turn(self.simd, table, by);
        let mut seen = self.put_half(if COSINES { here.cos } else { here.sin }, d, seen);
        seen = self.put_half_around::<A, COSINES>(here, turn(1), c, e, seen);
        seen = self.put_half_around::<A, COSINES>(here, turn(2), b, f, seen);
        seen = self.put_half_around::<A, COSINES>(here, turn(3), a, g, seen);
        self.put_half(here.half_rotations::<COSINES>(turn(4))[0], h, seen)
    }

    /// As [`Job::put_around`].
    #[inline(always)]
    fn put_half_around<A: Element, const COSINES: bool>(
        self,
        here: SinCos<A::Number<S>>,
        by: SinCos<A::Number<S>>,
        previous: &mut [A],
        next: &mut [A],
        seen: Seen<S>,
    ) -> Seen<S> {
        let [after, before] = here.half_rotations::<COSINES>(by);
        let seen = self.put_half(before, previous, seen);
        self.put_half(after, next, seen)
    }
}

/// Columns of eight rows, `width` elements wide.
#[inline(always)]
fn columns<'a, A>(
    [a, b, c, d, e, f, g, h]: Column<'a, A>,
    width: usize,
) -> impl Iterator<Item = Column<'a, A>> {
    // All rows are as long as the first one. Where that is seen, no minimum has to be found.
    let len = a.len();
    let of = |row: &'a mut [A]| row[..len].chunks_exact_mut(width);
    let columns =
        of(a).zip(of(b)).zip(of(c).zip(of(d))).zip(of(e).zip(of(f)).zip(of(g).zip(of(h))));
    columns.map(
        #[inline(always)]
        |(((a, b), (c, d)), ((e, f), (g, h)))| [a, b, c, d, e, f, g, h],
    )
}
