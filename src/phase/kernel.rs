//! The kernels: rows of sines and cosines at runs of positions, and at single ones.

use core::ops::Range;

use fearless_simd::{dispatch, prelude::*};

use super::group::Group;
use super::rows::Rows;
use super::{Columns, Layout, Store, Waves};
use crate::positions::Run;
use crate::{Element, Position, Positions};

/// An anchor serves the positions from this many before it to one less than this many after it.
pub(super) const HALF_BLOCK: usize = 32;
const BLOCK: i64 = 2 * HALF_BLOCK as i64;
/// Pairs whose anchors are kept at a time, on the stack.
const CHUNK: usize = 512;
/// A chunk of pairs at one position: sine, cosine, and below which value cancellation is suspected.
struct Anchors {
    sin: [f64; CHUNK],
    cos: [f64; CHUNK],
    bound: [f32; CHUNK],
}

/// What stays the same for all rows of a call.
#[derive(Clone, Copy)]
pub(super) struct Job<'a, S: Simd, const ADD: bool, const INTERLEAVED: bool> {
    pub(super) simd: S,
    pub(super) waves: &'a Waves,
    pub(super) columns: &'a Columns,
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
        match (store, columns.layout == Layout::Interleaved) {
            (Store::Write, true) => self.run::<A, false, true>(positions, columns, rows),
            (Store::Write, false) => self.run::<A, false, false>(positions, columns, rows),
            (Store::Add, true) => self.run::<A, true, true>(positions, columns, rows),
            (Store::Add, false) => self.run::<A, true, false>(positions, columns, rows),
        }
    }

    fn run<A: Element, const ADD: bool, const INTERLEAVED: bool>(
        &self,
        positions: &Positions<'_>,
        columns: &Columns,
        rows: &mut Rows<'_, A>,
    ) {
        dispatch!(self.level, simd => {
            Job::<_, ADD, INTERLEAVED> { simd, waves: self, columns }.all(positions, rows)
        });
    }

    /// Fills the table of steps with amplitude · sine and cosine of 0..=HALF_BLOCK.
    pub(super) fn fill_steps(&mut self) {
        let padded = self.turns.padded();
        let (mut sin, mut cos) = (core::mem::take(&mut self.step_sin), core::mem::take(&mut self.step_cos));
        dispatch!(self.level, simd => {
            let columns = Columns { layout: Layout::Interleaved, pairs: 0, last_is_single: false, dim: 0 };
            let job = Job::<_, false, false> { simd, waves: self, columns: &columns };
            let rows = sin.chunks_exact_mut(padded).zip(cos.chunks_exact_mut(padded));
            for (step, (sin, cos)) in (0..).zip(rows) {
                job.fill(Position::Integer(step), 0, self.amplitude, sin, cos);
            }
        });
        (self.step_sin, self.step_cos) = (sin, cos);
    }
}

impl<S: Simd, const ADD: bool, const INTERLEAVED: bool> Job<'_, S, ADD, INTERLEAVED> {
    #[inline(always)]
    fn all<A: Element>(self, positions: &Positions<'_>, rows: &mut Rows<'_, A>) {
        let mut anchors = Anchors { sin: [0.0; CHUNK], cos: [0.0; CHUNK], bound: [0.0; CHUNK] };
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
        // Up to here, both anchor + step and anchor − step are asked for.
        let mirrored = (-steps.start).min(steps.end - 1).max(0);
        for first in (0..self.waves.turns.padded()).step_by(CHUNK) {
            let chunk = first..(first + CHUNK).min(self.waves.turns.padded());
            self.fill_anchors(anchor, chunk.clone(), anchors);
            for step in 1..=mirrored {
                let [before, after] = rows.two(row_of(-step), row_of(step));
                let outputs = [after, before].map(|row| self.columns.of_pairs(row, chunk.clone()));
                self.mirrored_rows(anchor, step, chunk.clone(), anchors, outputs);
            }
            for step in steps.clone().filter(|&step| step == 0 || step.abs() > mirrored) {
                let out = self.columns.of_pairs(rows.one(row_of(step)), chunk.clone());
                self.single_row(anchor, step, chunk.clone(), anchors, out);
            }
        }
        for step in steps.clone() {
            self.zeros(rows.one(row_of(step)));
        }
    }

    #[inline(always)]
    fn fill_anchors(self, anchor: i64, chunk: Range<usize>, anchors: &mut Anchors) {
        let n = chunk.len();
        self.fill(Position::Integer(anchor), chunk.start, 1.0, &mut anchors.sin[..n], &mut anchors.cos[..n]);
        for (bound, first) in anchors.bound[..n].chunks_exact_mut(Self::WIDTH).zip(chunk.step_by(Self::WIDTH)) {
            self.bound(anchor, first).store_slice(bound);
        }
    }

    /// amplitude · sine and cosine of the pairs from `first` on at one position.
    #[inline(always)]
    fn fill(self, position: Position, first: usize, amplitude: f64, sin: &mut [f64], cos: &mut [f64]) {
        let groups = sin.chunks_exact_mut(Self::WIDTH).zip(cos.chunks_exact_mut(Self::WIDTH));
        for ((sin, cos), first) in groups.zip((first..).step_by(Self::WIDTH)) {
            self.exact(position, first).scaled(amplitude).store(sin, cos);
        }
    }

    /// Positions anchor + step and anchor − step of a chunk of pairs.
    #[inline(always)]
    fn mirrored_rows<A: Element>(
        self,
        anchor: i64,
        step: i64,
        chunk: Range<usize>,
        anchors: &Anchors,
        [mut after, mut before]: [[&mut [A]; 2]; 2],
    ) {
        let n = chunk.len();
        let [step_sin, step_cos] = self.waves.steps(step as usize, chunk.clone());
        let (sin, cos, bound) = (&anchors.sin[..n], &anchors.cos[..n], &anchors.bound[..n]);
        for at in 0..n / Self::WIDTH {
            let group = at * Self::WIDTH..(at + 1) * Self::WIDTH;
            let by = Group::load(self.simd, &step_sin[group.clone()], &step_cos[group.clone()]);
            let [plus, minus] = Group::load(self.simd, &sin[group.clone()], &cos[group.clone()]).rotations(by);
            let bound = S::f32s::from_slice(self.simd, &bound[group.clone()]);
            if plus.smaller().min(minus.smaller()).simd_lt(bound).any_true() {
                let first = chunk.start + group.start;
                self.put_repaired(anchor, step, first, at, &mut after);
                self.put_repaired(anchor, -step, first, at, &mut before);
            } else {
                self.put(plus, at, &mut after);
                self.put(minus, at, &mut before);
            }
        }
    }

    /// Position anchor + step of a chunk of pairs.
    #[inline(always)]
    fn single_row<A: Element>(
        self,
        anchor: i64,
        step: i64,
        chunk: Range<usize>,
        anchors: &Anchors,
        mut out: [&mut [A]; 2],
    ) {
        for at in 0..chunk.len() / Self::WIDTH {
            let group = at * Self::WIDTH..(at + 1) * Self::WIDTH;
            let first = chunk.start + group.start;
            let bound = S::f32s::from_slice(self.simd, &anchors.bound[group.clone()]);
            let group = Group::load(self.simd, &anchors.sin[group.clone()], &anchors.cos[group]);
            self.put_turned(group, bound, anchor, step, first, at, &mut out);
        }
    }

    /// Position anchor + step of all pairs, where no other row shares the anchor.
    #[inline(always)]
    fn lone_row<A: Element>(self, anchor: i64, step: i64, row: &mut [A]) {
        let padded = self.waves.turns.padded();
        let mut out = self.columns.of_pairs(row, 0..padded);
        for at in 0..padded / Self::WIDTH {
            let first = at * Self::WIDTH;
            let (group, bound) = (self.exact(Position::Integer(anchor), first), self.bound(anchor, first));
            self.put_turned(group, bound, anchor, step, first, at, &mut out);
        }
        self.zeros(row);
    }

    /// Turns the group at an anchor and stores it.
    #[inline(always)]
    #[allow(clippy::too_many_arguments)]
    fn put_turned<A: Element>(
        self,
        group: Group<S>,
        bound: S::f32s,
        anchor: i64,
        step: i64,
        first: usize,
        at: usize,
        out: &mut [&mut [A]; 2],
    ) {
        let turned = self.turned(group, step, first);
        if turned.smaller().simd_lt(bound).any_true() {
            self.put_repaired(anchor, step, first, at, out);
        } else {
            self.put(turned, at, out);
        }
    }

    /// A row from the exact phases of its own position.
    #[inline(always)]
    fn exact_row<A: Element>(self, position: Position, row: &mut [A]) {
        let padded = self.waves.turns.padded();
        let mut out = self.columns.of_pairs(row, 0..padded);
        for at in 0..padded / Self::WIDTH {
            self.put(self.exact(position, at * Self::WIDTH).scaled(self.waves.amplitude), at, &mut out);
        }
        self.zeros(row);
    }
}
