//! The kernels: rows of sines and cosines at runs of positions, and at single ones.

use core::ops::Range;

use fearless_simd::prelude::*;

use super::group::{Group, Slot, exact};
use super::level::{Kernel, launch};
use super::rows::Rows;
use super::turns::Turns;
use super::{Columns, Layout, Store, Waves};
use crate::positions::Run;
use crate::{Element, Position, Positions};

/// An anchor serves the positions from this many before it to one less than this many after it.
pub(super) const HALF_BLOCK: usize = 32;
const BLOCK: i64 = 2 * HALF_BLOCK as i64;
/// Rows that share a centre: positions centre - 1, centre, centre + 1, centre + 2. Their products are shared, they are
/// written together, and one row of the large table serves them all.
pub(super) const QUAD: usize = 4;
/// Centres around an anchor.
pub(super) const CENTRES: usize = 2 * HALF_BLOCK / QUAD;
/// Pairs whose anchors are kept at a time, on the stack.
const CHUNK: usize = 512;
/// A chunk of pairs at one position: sines and cosines group by group, and below which value cancellation is suspected.
struct Anchors {
    angles: [f64; 2 * CHUNK],
    bound: [f32; CHUNK],
}

/// What stays the same for all rows of a call.
#[derive(Clone, Copy)]
pub(super) struct Job<'a, S: Simd, const ADD: bool, const INTERLEAVED: bool> {
    pub(super) simd: S,
    pub(super) waves: &'a Waves,
    pub(super) columns: &'a Columns,
}

/// All rows of a call.
struct AllRows<'a, 'r, A, const ADD: bool, const INTERLEAVED: bool> {
    waves: &'a Waves,
    columns: &'a Columns,
    positions: &'a Positions<'a>,
    rows: &'a mut Rows<'r, A>,
}

impl<A: Element, const ADD: bool, const INTERLEAVED: bool> Kernel for AllRows<'_, '_, A, ADD, INTERLEAVED> {
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let job = Job::<_, ADD, INTERLEAVED> { simd, waves: self.waves, columns: self.columns };
        job.all(self.positions, self.rows);
    }
}

/// The tables of turns.
struct Turning<'a> {
    turns: &'a Turns,
    amplitude: f64,
    to_centres: &'a mut [f64],
    from_centre: &'a mut [f64],
}

impl Kernel for Turning<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let width = 4 * S::f64s::LEN;
        for (centre, row) in self.to_centres.chunks_exact_mut((2 * self.turns.padded()).max(1)).enumerate() {
            let step = Position::Integer((QUAD * centre + 1) as i64 - HALF_BLOCK as i64);
            fill(simd, self.turns, step, 0, self.amplitude, row.chunks_exact_mut(width));
        }
        for step in 0..2 {
            let groups = self.from_centre.chunks_exact_mut(width).skip(step).step_by(2);
            fill(simd, self.turns, Position::Integer(step as i64 + 1), 0, 1.0, groups);
        }
    }
}

impl Waves {
    /// Runs the kernel of this layout and store.
    pub(super) fn dispatch<A: Element>(
        &self,
        positions: &Positions<'_>,
        columns: &Columns,
        store: Store,
        rows: &mut Rows<'_, A>,
    ) {
        let (waves, level) = (self, self.level);
        match (store, columns.layout == Layout::Interleaved) {
            (Store::Write, true) => launch(level, AllRows::<_, false, true> { waves, columns, positions, rows }),
            (Store::Write, false) => launch(level, AllRows::<_, false, false> { waves, columns, positions, rows }),
            (Store::Add, true) => launch(level, AllRows::<_, true, true> { waves, columns, positions, rows }),
            (Store::Add, false) => launch(level, AllRows::<_, true, false> { waves, columns, positions, rows }),
        }
    }

    /// Fills the tables of turns. Their order is that of the instruction set's vectors.
    pub(super) fn fill_steps(&mut self) {
        let Self { turns, amplitude, to_centres, from_centre, .. } = self;
        launch(self.level, Turning { turns, amplitude: *amplitude, to_centres, from_centre });
    }
}

/// The centre next to anchor + step.
#[inline(always)]
pub(super) fn centre_of(step: i64) -> usize {
    (step + HALF_BLOCK as i64) as usize / QUAD
}

/// amplitude · sines and cosines of the pairs from `first` on at one position, group by group.
#[inline(always)]
fn fill<'a, S: Simd>(
    simd: S,
    turns: &Turns,
    position: Position,
    first: usize,
    amplitude: f64,
    groups: impl Iterator<Item = &'a mut [f64]>,
) {
    for (group, first) in groups.zip((first..).step_by(2 * S::f64s::LEN)) {
        exact(simd, turns, position, first).scaled(amplitude).store(group);
    }
}

impl<S: Simd, const ADD: bool, const INTERLEAVED: bool> Job<'_, S, ADD, INTERLEAVED> {
    #[inline(always)]
    fn all<A: Element>(self, positions: &Positions<'_>, rows: &mut Rows<'_, A>) {
        let mut anchors = Anchors { angles: [0.0; 2 * CHUNK], bound: [0.0; CHUNK] };
        let mut row = 0;
        while let Some(run) = positions.run_at(row) {
            row += match run {
                Run::Integers { start, len } if A::EXACT => {
                    for (position, row) in (start..).zip(row..row + len) {
                        self.exact_row(Position::Integer(position), rows.one(row));
                    }
                    len
                }
                Run::Integers { start, len } => {
                    self.run(start, len, row, rows, &mut anchors);
                    len
                }
                Run::Real(position) => {
                    self.exact_row(Position::Real(position), rows.one(row));
                    1
                }
            };
        }
    }

    /// The rows of `len` consecutive positions, the first at row `row`: block by block.
    #[inline(always)]
    fn run<A: Element>(self, start: i64, len: usize, row: usize, rows: &mut Rows<'_, A>, anchors: &mut Anchors) {
        let mut done = 0;
        while done < len {
            let position = start + done as i64;
            let step = (position + BLOCK / 2).rem_euclid(BLOCK) - BLOCK / 2;
            let count = (len - done).min((BLOCK / 2 - step) as usize);
            if count == 1 {
                self.lone_row(position - step, step, rows.one(row + done));
            } else {
                self.block(position - step, step..step + count as i64, row + done, rows, anchors);
            }
            done += count;
        }
    }

    /// The rows of positions anchor + steps, the first at row `row`.
    #[inline(always)]
    fn block<A: Element>(
        self,
        anchor: i64,
        steps: Range<i64>,
        row: usize,
        rows: &mut Rows<'_, A>,
        anchors: &mut Anchors,
    ) {
        let row_of = |step: i64| row + (step - steps.start) as usize;
        for first in (0..self.waves.turns.padded()).step_by(CHUNK) {
            let chunk = first..(first + CHUNK).min(self.waves.turns.padded());
            self.fill_anchors(anchor, chunk.clone(), anchors);
            let whole = self.columns.whole_groups(chunk.clone(), Self::WIDTH);
            let mut step = steps.start;
            while step < steps.end {
                let is_quad = step % QUAD as i64 == 0 && step + QUAD as i64 <= steps.end;
                let (count, done) = if is_quad { (QUAD as i64, whole) } else { (1, 0) };
                if is_quad {
                    let outputs = rows.four(row_of(step)).map(|row| self.columns.of_pairs(row, chunk.clone()));
                    self.quad(anchor, step, chunk.clone(), anchors, outputs);
                }
                for step in step..step + count {
                    let out = self.columns.of_pairs(rows.one(row_of(step)), chunk.clone());
                    self.single_row(anchor, step, chunk.clone(), anchors, done, out);
                }
                step += count;
            }
        }
        for step in steps.clone() {
            self.zeros(rows.one(row_of(step)));
        }
    }

    #[inline(always)]
    fn fill_anchors(self, anchor: i64, chunk: Range<usize>, anchors: &mut Anchors) {
        let n = chunk.len();
        let groups = anchors.angles[..2 * n].chunks_exact_mut(2 * Self::WIDTH);
        fill(self.simd, &self.waves.turns, Position::Integer(anchor), chunk.start, 1.0, groups);
        for (bound, first) in anchors.bound[..n].chunks_exact_mut(Self::WIDTH).zip(chunk.step_by(Self::WIDTH)) {
            self.bound(anchor, first).store_slice(bound);
        }
    }

    /// Positions anchor + step to anchor + step + 3 of a chunk of pairs; `step` is a multiple of four.
    #[inline(always)]
    fn quad<A: Element>(
        self,
        anchor: i64,
        step: i64,
        chunk: Range<usize>,
        anchors: &Anchors,
        outputs: [[&mut [A]; 2]; QUAD],
    ) {
        let width = Self::WIDTH;
        if INTERLEAVED {
            let slots = outputs.map(
                #[inline(always)]
                |[row, _]| row.chunks_exact_mut(2 * width).map(|group| group.split_at_mut(width)),
            );
            self.quad_slots(anchor, step, chunk, anchors, slots);
        } else {
            let slots = outputs.map(
                #[inline(always)]
                |[firsts, seconds]| firsts.chunks_exact_mut(width).zip(seconds.chunks_exact_mut(width)),
            );
            self.quad_slots(anchor, step, chunk, anchors, slots);
        }
    }

    /// The whole groups of four rows.
    #[inline(always)]
    fn quad_slots<'o, A: Element>(
        self,
        anchor: i64,
        step: i64,
        chunk: Range<usize>,
        anchors: &Anchors,
        [a, b, c, d]: [impl Iterator<Item = Slot<'o, A>>; QUAD],
    ) {
        let simd = self.simd;
        let tables = anchors.angles[..2 * chunk.len()]
            .chunks_exact(2 * Self::WIDTH)
            .zip(self.waves.to_centre(centre_of(step), chunk.clone()).chunks_exact(2 * Self::WIDTH))
            .zip(self.waves.centre_turns(chunk.clone()).chunks_exact(4 * Self::WIDTH))
            .zip(anchors.bound.chunks_exact(Self::WIDTH));
        let firsts = (chunk.start..).step_by(Self::WIDTH);
        for (((((((group, to_centre), from_centre), bound), a), b), (c, d)), first) in
            tables.zip(a).zip(b).zip(c.zip(d)).zip(firsts)
        {
            let (one, two) = from_centre.split_at(2 * Self::WIDTH);
            let centre = Group::load(simd, group).rotated(Group::load(simd, to_centre));
            let [after, before] = centre.rotations(Group::load(simd, one));
            let rows = [before, centre, after, centre.rotated(Group::load(simd, two))];
            let bound = S::f32s::from_slice(simd, bound);
            let smallest = rows[0].smaller().min(rows[1].smaller()).min(rows[2].smaller().min(rows[3].smaller()));
            if smallest.simd_lt(bound).any_true() {
                for (step, slot) in (step..).zip([a, b, c, d]) {
                    self.put_repaired(anchor, step, first, slot);
                }
            } else {
                self.put(rows[0], a);
                self.put(rows[1], b);
                self.put(rows[2], c);
                self.put(rows[3], d);
            }
        }
    }

    /// Position anchor + step of the groups from the `start`-th on of a chunk of pairs.
    #[inline(always)]
    fn single_row<A: Element>(
        self,
        anchor: i64,
        step: i64,
        chunk: Range<usize>,
        anchors: &Anchors,
        start: usize,
        mut out: [&mut [A]; 2],
    ) {
        for at in start..chunk.len() / Self::WIDTH {
            let group = at * Self::WIDTH..(at + 1) * Self::WIDTH;
            let first = chunk.start + group.start;
            let bound = S::f32s::from_slice(self.simd, &anchors.bound[group.clone()]);
            let group = Group::load(self.simd, &anchors.angles[2 * group.start..2 * group.end]);
            self.at(
                &mut out,
                at,
                #[inline(always)]
                |slot| self.put_turned(group, bound, anchor, step, first, slot),
            );
        }
    }

    /// Position anchor + step of all pairs, where no other row shares the anchor.
    #[inline(always)]
    fn lone_row<A: Element>(self, anchor: i64, step: i64, row: &mut [A]) {
        let padded = self.waves.turns.padded();
        let mut out = self.columns.of_pairs(row, 0..padded);
        for at in 0..padded / Self::WIDTH {
            let first = at * Self::WIDTH;
            let (group, bound) =
                (exact(self.simd, &self.waves.turns, Position::Integer(anchor), first), self.bound(anchor, first));
            self.at(
                &mut out,
                at,
                #[inline(always)]
                |slot| self.put_turned(group, bound, anchor, step, first, slot),
            );
        }
        self.zeros(row);
    }

    /// Turns the group at an anchor and stores it.
    #[inline(always)]
    fn put_turned<A: Element>(
        self,
        group: Group<S>,
        bound: S::f32s,
        anchor: i64,
        step: i64,
        first: usize,
        slot: Slot<'_, A>,
    ) {
        let turned = self.turned(group, step, first);
        if turned.smaller().simd_lt(bound).any_true() {
            self.put_repaired(anchor, step, first, slot);
        } else {
            self.put(turned, slot);
        }
    }

    /// A row from the exact phases of its own position.
    #[inline(always)]
    fn exact_row<A: Element>(self, position: Position, row: &mut [A]) {
        let padded = self.waves.turns.padded();
        let mut out = self.columns.of_pairs(row, 0..padded);
        for at in 0..padded / Self::WIDTH {
            let group = exact(self.simd, &self.waves.turns, position, at * Self::WIDTH).scaled(self.waves.amplitude);
            self.at(
                &mut out,
                at,
                #[inline(always)]
                |slot| self.put(group, slot),
            );
        }
        self.zeros(row);
    }
}
