//! The kernels: rows of sines and cosines at runs of positions, and at single ones.

use core::ops::Range;

use fearless_simd::prelude::*;

use super::group::{Group, Slot, Steps, exact};
use super::level::{Kernel, launch};
use super::rows::Rows;
use super::turns::Turns;
use super::{Columns, Layout, Store, Waves};
use crate::positions::Run;
use crate::{Element, Position, Positions};

/// Positions that share an anchor: they begin at a multiple of this.
pub(super) const BLOCK: i64 = 64;
/// Rows that share a centre: positions centre - 1, centre, centre + 1, centre + 2. Most of their products are shared, and
/// they are written together.
pub(super) const QUAD: i64 = 4;
/// Where a block's anchor stands, counted from its start: it is the first centre.
pub(super) const ANCHOR: i64 = 1;
/// Fewer consecutive positions than this are rows of their own: an anchor would cost more.
const FEW: usize = 5;
/// Pairs that are taken through a block at a time: their angles, on the stack, and turns stay in cache.
const CHUNK: usize = 256;

/// A chunk of pairs: sines and cosines at a centre, group by group, and below which value cancellation is suspected.
struct Centre {
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

/// The table of turns.
struct Turning<'a> {
    turns: &'a Turns,
    steps: &'a mut [f64],
}

impl Kernel for Turning<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let width = 4 * S::f64s::LEN;
        for (nth, step) in [QUAD, 1].into_iter().enumerate() {
            let groups = self.steps.chunks_exact_mut(width).skip(nth).step_by(2);
            for (group, first) in groups.zip((0..).step_by(width / 2)) {
                exact(simd, self.turns, Position::Integer(step), first).store(group);
            }
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

    /// Fills the table of turns. Its order is that of the instruction set's vectors.
    pub(super) fn fill_steps(&mut self) {
        launch(self.level, Turning { turns: &self.turns, steps: &mut self.steps });
    }
}

impl<S: Simd, const ADD: bool, const INTERLEAVED: bool> Job<'_, S, ADD, INTERLEAVED> {
    #[inline(always)]
    fn all<A: Element>(self, positions: &Positions<'_>, rows: &mut Rows<'_, A>) {
        let mut centre = Centre { angles: [0.0; 2 * CHUNK], bound: [0.0; CHUNK] };
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
                    self.run(start, len, row, rows, &mut centre);
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
    fn run<A: Element>(self, start: i64, len: usize, row: usize, rows: &mut Rows<'_, A>, centre: &mut Centre) {
        let mut done = 0;
        while done < len {
            let position = start + done as i64;
            let step = position.rem_euclid(BLOCK);
            let count = (len - done).min((BLOCK - step) as usize);
            if count < FEW {
                for (position, row) in (position..).zip(row + done..row + done + count) {
                    self.lone_row(position, rows.one(row));
                }
            } else {
                self.block(position - step, step..step + count as i64, row + done, rows, centre);
            }
            done += count;
        }
    }

    /// The rows of positions block + steps, the first at row `row`.
    #[inline(always)]
    fn block<A: Element>(self, block: i64, steps: Range<i64>, row: usize, rows: &mut Rows<'_, A>, centre: &mut Centre) {
        let row_of = |step: i64| row + (step - steps.start) as usize;
        let padded = self.waves.turns.padded();
        for first in (0..padded).step_by(CHUNK) {
            let chunk = first..(first + CHUNK).min(padded);
            let whole = self.columns.whole_groups(chunk.clone(), Self::WIDTH);
            self.start(block, chunk.clone(), centre);
            for quad in (0..steps.end).step_by(QUAD as usize) {
                if quad == 0 || quad == QUAD {
                    self.bounds(block + quad, chunk.clone(), centre);
                }
                let wanted = quad.max(steps.start)..(quad + QUAD).min(steps.end);
                let all_four = wanted.end - wanted.start == QUAD;
                let done = if all_four { whole } else { 0 };
                if all_four {
                    let outputs = rows.four(row_of(quad)).map(|row| self.columns.of_pairs(row, chunk.clone()));
                    self.quad(block + quad, chunk.clone(), centre, outputs);
                }
                if done < chunk.len() / Self::WIDTH {
                    for step in wanted {
                        let out = self.columns.of_pairs(rows.one(row_of(step)), chunk.clone());
                        self.single_row(block + step, chunk.clone(), centre, done, out);
                    }
                    self.advance(chunk.clone(), done, centre);
                }
            }
        }
        for step in steps.clone() {
            self.zeros(rows.one(row_of(step)));
        }
    }

    /// A chunk of pairs at the anchor of a block.
    #[inline(always)]
    fn start(self, block: i64, chunk: Range<usize>, centre: &mut Centre) {
        let groups = centre.angles.chunks_exact_mut(2 * Self::WIDTH);
        for (group, first) in groups.zip(chunk.step_by(Self::WIDTH)) {
            self.anchor(block, first).store(group);
        }
    }

    /// The bounds of cancellation for four rows, and for those after them in the block.
    #[inline(always)]
    fn bounds(self, quad: i64, chunk: Range<usize>, centre: &mut Centre) {
        for (bound, first) in centre.bound.chunks_exact_mut(Self::WIDTH).zip(chunk.step_by(Self::WIDTH)) {
            self.bound(quad, first).store_slice(bound);
        }
    }

    /// Turns the centre by four positions, from the `start`-th group on.
    #[inline(always)]
    fn advance(self, chunk: Range<usize>, start: usize, centre: &mut Centre) {
        let steps = self.waves.steps(chunk.clone()).chunks_exact(4 * Self::WIDTH);
        let groups = centre.angles[..2 * chunk.len()].chunks_exact_mut(2 * Self::WIDTH).zip(steps);
        for (group, steps) in groups.skip(start) {
            Group::load(self.simd, group).rotated(Steps::load(self.simd, steps).four).store(group);
        }
    }

    /// The rows of four positions from `quad` on: all whole groups of a chunk of pairs.
    #[inline(always)]
    fn quad<A: Element>(
        self,
        quad: i64,
        chunk: Range<usize>,
        centre: &mut Centre,
        outputs: [[&mut [A]; 2]; QUAD as usize],
    ) {
        let width = Self::WIDTH;
        if INTERLEAVED {
            let slots = outputs.map(
                #[inline(always)]
                |[row, _]| row.chunks_exact_mut(2 * width).map(|group| group.split_at_mut(width)),
            );
            self.quad_slots(quad, chunk, centre, slots);
        } else {
            let slots = outputs.map(
                #[inline(always)]
                |[firsts, seconds]| firsts.chunks_exact_mut(width).zip(seconds.chunks_exact_mut(width)),
            );
            self.quad_slots(quad, chunk, centre, slots);
        }
    }

    #[inline(always)]
    fn quad_slots<'o, A: Element>(
        self,
        quad: i64,
        chunk: Range<usize>,
        centre: &mut Centre,
        [a, b, c, d]: [impl Iterator<Item = Slot<'o, A>>; QUAD as usize],
    ) {
        let simd = self.simd;
        let state = centre.angles[..2 * chunk.len()]
            .chunks_exact_mut(2 * Self::WIDTH)
            .zip(self.waves.steps(chunk.clone()).chunks_exact(4 * Self::WIDTH))
            .zip(centre.bound.chunks_exact(Self::WIDTH));
        let firsts = (chunk.start..).step_by(Self::WIDTH);
        // Slots are at the front: state goes on past the last whole group, and its next group must not be taken.
        for ((((a, b), (c, d)), first), ((state, steps), bound)) in a.zip(b).zip(c.zip(d)).zip(firsts).zip(state) {
            let steps = Steps::load(simd, steps);
            let centre = Group::load(simd, state);
            let rows = centre.quad(steps.one);
            let mut slots = [a, b, c, d];
            if !ADD {
                // Stored at once, values need not be kept; what is wrong is stored again.
                self.put_all(rows, &mut slots);
            }
            let smallest = rows[0].smaller().min(rows[1].smaller()).min(rows[2].smaller().min(rows[3].smaller()));
            if smallest.simd_lt(S::f32s::from_slice(simd, bound)).any_true() {
                self.put_settled(state, bound, quad, first, slots);
            } else if ADD {
                self.put_all(rows, &mut slots);
            }
            centre.rotated(steps.four).store(state);
        }
    }

    #[inline(always)]
    fn put_all<A: Element>(self, rows: [Group<S>; QUAD as usize], slots: &mut [Slot<'_, A>; QUAD as usize]) {
        let [a, b, c, d] = slots;
        self.put(rows[0], (a.0, a.1));
        self.put(rows[1], (b.0, b.1));
        self.put(rows[2], (c.0, c.1));
        self.put(rows[3], (d.0, d.1));
    }

    /// One position of the groups from the `start`-th on of a chunk of pairs.
    #[inline(always)]
    fn single_row<A: Element>(
        self,
        position: i64,
        chunk: Range<usize>,
        centre: &Centre,
        start: usize,
        mut out: [&mut [A]; 2],
    ) {
        for at in start..chunk.len() / Self::WIDTH {
            let group = &centre.angles[2 * at * Self::WIDTH..2 * (at + 1) * Self::WIDTH];
            let bound = S::f32s::from_slice(self.simd, &centre.bound[at * Self::WIDTH..(at + 1) * Self::WIDTH]);
            self.at(
                &mut out,
                at,
                #[inline(always)]
                |slot| self.put_near(group, bound, position, chunk.start + at * Self::WIDTH, slot),
            );
        }
    }

    /// One position by itself.
    #[inline(always)]
    fn lone_row<A: Element>(self, position: i64, row: &mut [A]) {
        let mut out = self.columns.of_pairs(row, 0..self.waves.turns.padded());
        for at in 0..self.waves.turns.padded() / Self::WIDTH {
            self.at(
                &mut out,
                at,
                #[inline(always)]
                |slot| self.put_lone(position, at * Self::WIDTH, slot),
            );
        }
        self.zeros(row);
    }

    /// A row from the exact phases of its own position.
    #[inline(always)]
    fn exact_row<A: Element>(self, position: Position, row: &mut [A]) {
        let mut out = self.columns.of_pairs(row, 0..self.waves.turns.padded());
        for at in 0..self.waves.turns.padded() / Self::WIDTH {
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
