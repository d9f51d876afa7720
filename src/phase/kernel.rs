//! The kernels: rows of sines and cosines at runs of positions, and at single ones.

use core::marker::PhantomData;
use core::ops::Range;

use fearless_simd::prelude::*;

use super::group::Slot;
use super::level::{Kernel, launch};
use super::octet::Eight;
use super::rows::Rows;
use super::turned::{Group, Number, SinCos, TURNS, exact};
use super::turns::Words;
use super::{Columns, FeatureLayout, LINE, Store, Waves, line_start};
use crate::positions::Run;
use crate::{Element, Position, Positions};

/// Positions that share an anchor: they begin at a multiple of this.
pub(super) const BLOCK: i64 = 128;
/// Rows that share a centre: positions centre - 3 to centre + 4. Those before and after it share
/// their products, and all are written side by side: memory takes eight streams as fast as one, but
/// not two or four.
pub(super) const OCTET: i64 = 8;
/// Where the centre of eight rows stands. The first centre of a block is its anchor.
pub(super) const CENTRE: i64 = 3;
/// Pairs that are taken through a block at a time, or half as many of longer numbers: their angles,
/// on the stack, and turns stay in cache.
pub(super) const CHUNK: usize = 256;

/// What is on the stack, ready where it was needed.
struct Desk<A> {
    state: Option<State>,
    /// Eight rows of a chunk, where they do not go straight to their place.
    vectors: Option<Aligned<[[A; 2 * CHUNK]; OCTET as usize]>>,
    /// A chunk of a row by itself, where it does not.
    vector: Option<Aligned<[A; 2 * CHUNK]>>,
}

/// A chunk of pairs on its way through a block.
#[repr(C, align(64))]
struct State {
    /// A centre: sines, then cosines of each group.
    centre: [f64; 2 * CHUNK],
    /// Which pairs need no search for cancellation, as [`Job::masks`].
    sure: [u32; 2 * CHUNK],
}

impl State {
    fn new() -> Self {
        Self { centre: [0.0; 2 * CHUNK], sure: [0; 2 * CHUNK] }
    }
}

impl<A> Desk<A> {
    #[inline(always)]
    fn state(&mut self) -> &mut State {
        self.state.get_or_insert_with(State::new)
    }
}

/// At the beginning of a line of the cache.
#[repr(align(64))]
struct Aligned<T>(T);

/// What stays the same for all rows of a call.
#[derive(Clone, Copy)]
pub(super) struct Task<'a> {
    pub(super) waves: &'a Waves,
    pub(super) columns: &'a Columns,
    pub(super) store: Store,
}

/// A task for a layout, with an amplitude from 1 up to 2 if it is `UNIT`, and an instruction set.
/// It fits a register: many calls pass it on.
#[derive(Clone, Copy)]
pub(super) struct Job<'a, S: Simd, const INTERLEAVED: bool, const UNIT: bool> {
    pub(super) simd: S,
    pub(super) task: &'a Task<'a>,
}

/// All rows of a call.
struct AllRows<'a, 'r, A, const INTERLEAVED: bool, const UNIT: bool> {
    task: Task<'a>,
    positions: &'a Positions<'a>,
    rows: &'a mut Rows<'r, A>,
}

impl<A: Element, const INTERLEAVED: bool, const UNIT: bool> Kernel
    for AllRows<'_, '_, A, INTERLEAVED, UNIT>
{
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        Job::<_, INTERLEAVED, UNIT> { simd, task: &self.task }.all(self.positions, self.rows);
    }
}

/// The table of turns of the numbers of an element type.
struct Turning<'a, A> {
    waves: &'a Waves,
    steps: &'a mut [f64],
    of: PhantomData<A>,
}

impl<A: Element> Kernel for Turning<'_, A> {
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let (turns, width) = (&self.waves.turns, 2 * S::f64s::LEN);
        let len = 2 * A::Number::<S>::PARTS * width;
        for (table, first) in
            self.steps.chunks_exact_mut(TURNS.len() * len).zip((0..).step_by(width))
        {
            for (turn, step) in table.chunks_exact_mut(len).zip(TURNS) {
                exact::<S, A::Number<S>>(simd, turns, Position::Integer(step), first)
                    .store::<S>(turn);
            }
        }
    }
}

impl Waves {
    /// Runs the kernel of this layout and amplitude.
    pub(super) fn dispatch<A: Element>(
        &self,
        positions: &Positions<'_>,
        columns: &Columns,
        store: Store,
        rows: &mut Rows<'_, A>,
    ) {
        let (level, task) = (self.level, Task { waves: self, columns, store });
        match (columns.layout == FeatureLayout::Interleaved, self.has_unit_amplitude()) {
            (true, true) => launch(level, AllRows::<_, true, true> { task, positions, rows }),
            (true, false) => launch(level, AllRows::<_, true, false> { task, positions, rows }),
            (false, true) => launch(level, AllRows::<_, false, true> { task, positions, rows }),
            (false, false) => launch(level, AllRows::<_, false, false> { task, positions, rows }),
        }
    }

    /// The table of turns, with room for its place in memory. Its order is that of the instruction
    /// set's vectors.
    pub(super) fn new_steps<A: Element>(&self, parts: usize) -> Vec<f64> {
        let len = 2 * parts * TURNS.len() * self.turns.padded();
        let mut steps = vec![0.0; len + LINE / size_of::<f64>()];
        let start = line_start(steps.as_ptr());
        launch(
            self.level,
            Turning::<A> { waves: self, steps: &mut steps[start..start + len], of: PhantomData },
        );
        steps
    }
}

impl<S: Simd, const INTERLEAVED: bool, const UNIT: bool> Job<'_, S, INTERLEAVED, UNIT> {
    #[inline(always)]
    fn all<A: Element>(self, positions: &Positions<'_>, rows: &mut Rows<'_, A>) {
        let mut desk = Desk { state: None, vectors: None, vector: None };
        let mut row = 0;
        while let Some(run) = positions.run_at(row) {
            row += match run {
                Run::Integers { start, len } if self.is_turned() => {
                    self.run(start, len, row, rows, &mut desk);
                    len
                }
                Run::Integers { start, len } => {
                    for (position, row) in (start..).zip(row..row + len) {
                        self.rows_at(Position::Integer(position), row..row + 1, rows, &mut desk);
                    }
                    len
                }
                Run::Repeated { position, len } => {
                    self.rows_at(Position::Integer(position), row..row + len, rows, &mut desk);
                    len
                }
                Run::Real(position) => {
                    self.rows_at(Position::Real(position), row..row + 1, rows, &mut desk);
                    1
                }
            };
        }
    }

    /// Whether values come from turns, or at least are those that turns would give.
    #[inline(always)]
    fn is_turned(self) -> bool {
        self.task.waves.has_moderate_amplitude()
    }

    /// The rows of `len` consecutive positions, the first at row `row`: block by block.
    #[inline(always)]
    fn run<A: Element>(
        self,
        start: i64,
        len: usize,
        row: usize,
        rows: &mut Rows<'_, A>,
        desk: &mut Desk<A>,
    ) {
        let mut done = 0;
        while done < len {
            let position = start + done as i64;
            let step = position.rem_euclid(BLOCK);
            let count = (len - done).min((BLOCK - step) as usize);
            if count < Self::few::<A>(step) {
                for (position, row) in (position..).zip(row + done..row + done + count) {
                    self.rows_at(Position::Integer(position), row..row + 1, rows, desk);
                }
            } else {
                self.block(position - step, step..step + count as i64, row + done, rows, desk);
            }
            done += count;
        }
    }

    /// Fewer consecutive positions than this are rows of their own: an anchor, and the way from it
    /// to this step of the block, would cost more.
    fn few<A: Element>(step: i64) -> usize {
        let at_anchor = if A::Number::<S>::PARTS == 1 { 5 } else { 3 };
        at_anchor + (step / (BLOCK / 2)) as usize
    }

    /// The rows of positions block + steps, the first at row `row`.
    #[inline(always)]
    fn block<A: Element>(
        self,
        block: i64,
        steps: Range<i64>,
        row: usize,
        rows: &mut Rows<'_, A>,
        desk: &mut Desk<A>,
    ) {
        let row_of = |step: i64| row + (step - steps.start) as usize;
        let (padded, most) = (self.task.waves.turns.padded(), CHUNK / A::Number::<S>::PARTS);
        for first in (0..padded).step_by(most) {
            let chunk = first..(first + most).min(padded);
            self.start::<A>(block, chunk.clone(), &mut desk.state().centre);
            for octet in (0..steps.end).step_by(OCTET as usize) {
                if octet == 0 || octet == OCTET {
                    self.mark_sure::<A>(block + octet, chunk.clone(), &mut desk.state().sure);
                }
                let wanted = octet.max(steps.start)..(octet + OCTET).min(steps.end);
                if wanted.is_empty() {
                    self.advance::<A>(chunk.clone(), &mut desk.state().centre);
                } else {
                    let rows_of = row_of(wanted.start)..row_of(wanted.end);
                    self.octet(
                        block + octet,
                        wanted.start - octet,
                        chunk.clone(),
                        rows_of,
                        rows,
                        desk,
                    );
                }
            }
        }
        if self.task.columns.used() < self.task.columns.dim {
            steps.clone().for_each(|step| self.zeros(rows.one(row_of(step))));
        }
    }

    /// A chunk of pairs at the anchor of a block.
    #[inline(always)]
    fn start<A: Element>(self, block: i64, chunk: Range<usize>, centre: &mut [f64]) {
        let groups = centre.chunks_exact_mut(2 * A::Number::<S>::PARTS * Self::WIDTH);
        for (group, first) in groups.zip(chunk.step_by(Self::WIDTH)) {
            self.anchor::<A>(block, first).store::<S>(group);
        }
    }

    /// Marks the pairs that need no search for cancellation in eight rows, and in those after them
    /// in the block.
    #[inline(always)]
    fn mark_sure<A: Element>(self, octet: i64, chunk: Range<usize>, sure: &mut [u32]) {
        for (sure, first) in sure.chunks_exact_mut(2 * Self::WIDTH).zip(chunk.step_by(Self::WIDTH))
        {
            let (low, high) = sure.split_at_mut(S::u32s::LEN);
            let vectors = self.masks::<A>(octet, first);
            vectors.0.store_slice(low);
            vectors.1.store_slice(high);
        }
    }

    /// Turns the centre by eight positions.
    #[inline(always)]
    fn advance<A: Element>(self, chunk: Range<usize>, centre: &mut [f64]) {
        let (waves, len) = (self.task.waves, 2 * A::Number::<S>::PARTS * Self::WIDTH);
        let tables = waves.steps::<S, A::Number<S>>(chunk).chunks_exact(TURNS.len() * len);
        for (group, table) in centre.chunks_exact_mut(len).zip(tables) {
            let turn = SinCos::<A::Number<S>>::turn(self.simd, table, OCTET);
            SinCos::load(self.simd, group).advanced::<S>(turn, waves).store::<S>(group);
        }
    }

    /// A chunk of pairs at eight positions from `octet` on, or those of them, from the `first`-th
    /// on, that have rows.
    #[inline(always)]
    fn octet<A: Element>(
        self,
        octet: i64,
        first: i64,
        chunk: Range<usize>,
        wanted: Range<usize>,
        rows: &mut Rows<'_, A>,
        desk: &mut Desk<A>,
    ) {
        let mut apart = chunk.clone();
        if self.task.store == Store::Write && wanted.len() == OCTET as usize {
            apart.start += self.task.columns.whole_groups(chunk.clone(), Self::WIDTH) * Self::WIDTH;
            let [a, b, c, d, e, f, g, h] = rows.eight(wanted.start);
            let of = |row| self.task.columns.of_pairs(row, chunk.start..apart.start);
            let parts = [of(a), of(b), of(c), of(d), of(e), of(f), of(g), of(h)];
            let State { centre, sure } = desk.state();
            self.groups(&mut Eight { octet, pairs: chunk.start..apart.start, centre, sure, parts });
        }
        if apart.is_empty() {
            return;
        }
        // By way of the stack: what is added, lacks a row, or ends in the midst of a group.
        let done = apart.start - chunk.start;
        let Desk { state: Some(state), vectors, .. } = desk else { return };
        let Aligned(vectors) =
            vectors.get_or_insert_with(|| Aligned([[A::zero(); 2 * CHUNK]; OCTET as usize]));
        let lens = if INTERLEAVED { [2 * apart.len(), 0] } else { [apart.len(); 2] };
        let [a, b, c, d, e, f, g, h] = vectors.each_mut();
        let of = |row| two_parts(row, lens);
        let parts = [of(a), of(b), of(c), of(d), of(e), of(f), of(g), of(h)];
        let centre = &mut state.centre[2 * A::Number::<S>::PARTS * done..];
        let sure = &state.sure[2 * done..];
        self.groups(&mut Eight { octet, pairs: apart.clone(), centre, sure, parts });
        for (row, vector) in wanted.zip(&vectors[first as usize..]) {
            let [firsts, seconds] = self.task.columns.of_pairs(rows.one(row), apart.clone());
            self.deliver(firsts, vector);
            self.deliver(seconds, &vector[lens[0]..]);
        }
    }

    /// Rows at the same position, by itself.
    #[inline(always)]
    fn rows_at<A: Element>(
        self,
        position: Position,
        at: Range<usize>,
        rows: &mut Rows<'_, A>,
        desk: &mut Desk<A>,
    ) {
        let (columns, padded) = (self.task.columns, self.task.waves.turns.padded());
        let mut whole = 0;
        if self.task.store == Store::Write && at.len() == 1 {
            whole = columns.whole_groups(0..padded, Self::WIDTH) * Self::WIDTH;
            self.single(position, 0..whole, columns.of_pairs(rows.one(at.start), 0..whole));
        }
        // By way of the stack: what is added, goes to several rows, or ends in the midst of a
        // group.
        for first in (whole..padded).step_by(CHUNK) {
            let chunk = first..(first + CHUNK).min(padded);
            let Aligned(vector) =
                desk.vector.get_or_insert_with(|| Aligned([A::zero(); 2 * CHUNK]));
            let lens = if INTERLEAVED { [2 * chunk.len(), 0] } else { [chunk.len(); 2] };
            self.single(position, chunk.clone(), two_parts(vector, lens));
            for row in at.clone() {
                let [firsts, seconds] = columns.of_pairs(rows.one(row), chunk.clone());
                self.deliver(firsts, vector);
                self.deliver(seconds, &vector[lens[0]..]);
            }
        }
        at.for_each(|row| self.zeros(rows.one(row)));
    }

    /// Groups of pairs at one position.
    ///
    /// It stays a call, as [`Job::groups`].
    #[inline(never)]
    fn single<A: Element>(self, position: Position, pairs: Range<usize>, parts: [&mut [A]; 2]) {
        let waves = self.task.waves;
        self.simd.vectorize(
            #[inline(always)]
            move || match position {
                Position::Integer(0) if self.is_turned() => self.each_group(
                    pairs,
                    parts,
                    #[inline(always)]
                    |first, _, slot| self.put(self.unturned::<A>(first), slot),
                ),
                Position::Integer(integer) if self.is_turned() => self.each_group(
                    pairs,
                    parts,
                    #[inline(always)]
                    |first, words, slot| {
                        let group = if integer.unsigned_abs() < 1 << 32 {
                            A::Number::<S>::near(self.simd, words, integer)
                        } else {
                            exact(self.simd, &waves.turns, position, first)
                        };
                        self.put_lone(group, integer, first, slot.0, slot.1);
                    },
                ),
                Position::Real(_) if A::EXACT && self.is_turned() => self.each_group(
                    pairs,
                    parts,
                    #[inline(always)]
                    |first, _, slot| self.put_real(position, first, slot),
                ),
                _ => self.each_group(
                    pairs,
                    parts,
                    #[inline(always)]
                    |first, _, slot| {
                        let group: Group<S> = exact(self.simd, &waves.turns, position, first);
                        self.put_exact(group, slot);
                    },
                ),
            },
        );
    }

    /// Has `put` write each group of some pairs, given its first pair and the words of its pairs.
    #[inline(always)]
    fn each_group<A: Element>(
        self,
        pairs: Range<usize>,
        [firsts, seconds]: [&mut [A]; 2],
        mut put: impl FnMut(usize, Words<'_>, Slot<'_, A>),
    ) {
        let width = Self::WIDTH;
        let groups =
            self.task.waves.turns.words(pairs.clone()).groups(width).zip(pairs.step_by(width));
        if INTERLEAVED {
            for (both, (words, first)) in firsts.chunks_exact_mut(2 * width).zip(groups) {
                let (front, back) = both.split_at_mut(width);
                put(first, words, (front, back));
            }
        } else {
            let slots = firsts.chunks_exact_mut(width).zip(seconds.chunks_exact_mut(width));
            for (slot, (words, first)) in slots.zip(groups) {
                put(first, words, slot);
            }
        }
    }
}

/// The first elements of a row, and those after them.
#[inline(always)]
fn two_parts<A>(row: &mut [A], lens: [usize; 2]) -> [&mut [A]; 2] {
    let (first, rest) = row.split_at_mut(lens[0]);
    [first, &mut rest[..lens[1]]]
}
