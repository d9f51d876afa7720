//! The kernels: rows of sines and cosines at runs of positions, and at single ones.

use core::ops::Range;

use fearless_simd::{dispatch, prelude::*};

use super::rows::Rows;
use super::sincos::sincos;
use super::turns::GROUP;
use super::{Columns, Lanes, Layout, Store, Waves};
use crate::positions::Run;
use crate::{Element, Positions};

/// An anchor serves the positions from this many before it to one less than this many after it.
pub(super) const HALF_BLOCK: usize = 32;
const BLOCK: i64 = 2 * HALF_BLOCK as i64;
/// Pairs whose anchors are computed at a time, on the stack.
const CHUNK: usize = 512;
/// Values below this, as a part of the amplitude, are computed from their own phase: there, what the sum of products lost
/// to cancellation exceeds 0.001 ulp of f32.
const CANCELLED: f64 = 1.0 / (1_u64 << 17) as f64;
/// Below this angle in radians, no sine is small by cancellation and no cosine is small at all.
const UNWRAPPED: f64 = 1.5;

/// Sine and cosine of a group of pairs, as two vectors each.
#[derive(Clone, Copy)]
struct Group<S: Simd> {
    sin: [S::f64s; 2],
    cos: [S::f64s; 2],
}

/// Sine and cosine of a chunk of pairs at one position, and how small a value must be to be suspected of cancellation.
struct Anchor {
    sin: [f64; CHUNK],
    cos: [f64; CHUNK],
    suspect: [f32; CHUNK],
}

/// What stays the same for all rows of a call.
struct Job<'a, S: Simd, const ADD: bool, const INTERLEAVED: bool> {
    simd: S,
    waves: &'a Waves,
    columns: &'a Columns,
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
            for step in 0..=HALF_BLOCK {
                for first in (0..padded).step_by(CHUNK) {
                    let chunk = first..(first + CHUNK).min(padded);
                    let at = step * padded + chunk.start..step * padded + chunk.end;
                    job.exact(Run::Integers { start: step as i64, len: 1 }, chunk, &mut sin[at.clone()], &mut cos[at]);
                }
            }
        });
        for value in sin.iter_mut().chain(&mut cos) {
            *value *= self.amplitude;
        }
        (self.step_sin, self.step_cos) = (sin, cos);
    }
}

impl<S: Simd, const ADD: bool, const INTERLEAVED: bool> Job<'_, S, ADD, INTERLEAVED> {
    /// Pairs in a group: two vectors of f64.
    const WIDTH: usize = 2 * S::f64s::LEN;

    #[inline(always)]
    fn all<A: Element>(&self, positions: &Positions<'_>, rows: &mut Rows<'_, A>) {
        let mut row = 0;
        while let Some(run) = positions.run_at(row) {
            match run {
                Run::Integers { start, len } if !A::EXACT => self.run(start, len, row, rows),
                Run::Integers { start, len } => {
                    for (position, row) in (start..).zip(row..row + len) {
                        self.exact_row(Run::Integers { start: position, len: 1 }, rows.one(row));
                    }
                }
                Run::Real(_) => self.exact_row(run, rows.one(row)),
            }
            row += if let Run::Integers { len, .. } = run { len } else { 1 };
        }
    }

    /// The rows of `len` consecutive positions, the first at row `row`: block by block.
    #[inline(always)]
    fn run<A: Element>(&self, start: i64, len: usize, row: usize, rows: &mut Rows<'_, A>) {
        let mut done = 0;
        while done < len {
            let position = start + done as i64;
            let step = (position + BLOCK / 2).rem_euclid(BLOCK) - BLOCK / 2;
            let anchor = position - step;
            let count = (len - done).min((BLOCK / 2 - step) as usize);
            self.block(anchor, step..step + count as i64, row + done, rows);
            done += count;
        }
    }

    /// The rows of positions anchor + steps, the first at row `row`.
    #[inline(always)]
    fn block<A: Element>(&self, anchor: i64, steps: Range<i64>, row: usize, rows: &mut Rows<'_, A>) {
        let row_of = |step: i64| row + (step - steps.start) as usize;
        let mut values = Anchor { sin: [0.0; CHUNK], cos: [0.0; CHUNK], suspect: [0.0; CHUNK] };
        for first in (0..self.waves.turns.padded()).step_by(CHUNK) {
            let chunk = first..(first + CHUNK).min(self.waves.turns.padded());
            self.anchor(anchor, chunk.clone(), &mut values);
            // Mirrored rows share their products; `far` counts outwards from where both exist.
            let mirrored = (-steps.start).min(steps.end - 1).max(0);
            for step in 1..=mirrored {
                let [above, below] = rows.two(row_of(-step), row_of(step));
                let pair = (
                    self.columns.of_pairs(below, first, CHUNK.min(self.columns.pairs - first)),
                    self.columns.of_pairs(above, first, CHUNK.min(self.columns.pairs - first)),
                );
                self.mirrored_rows(anchor, step, chunk.clone(), &values, pair.0, pair.1);
            }
            let alone = steps.clone().filter(|step| step.abs() > mirrored || *step == 0);
            for step in alone {
                let out = self.columns.of_pairs(rows.one(row_of(step)), first, CHUNK.min(self.columns.pairs - first));
                self.single_row(anchor, step, chunk.clone(), &values, out);
            }
        }
        for step in steps.clone() {
            self.zeros(rows.one(row_of(step)));
        }
    }

    /// Sine and cosine of a chunk of pairs at the anchor.
    #[inline(always)]
    fn anchor(&self, anchor: i64, chunk: Range<usize>, values: &mut Anchor) {
        let n = chunk.len();
        let radians = &self.waves.turns.radians()[chunk.clone()];
        self.exact(Run::Integers { start: anchor, len: 1 }, chunk, &mut values.sin[..n], &mut values.cos[..n]);
        let farthest = anchor.unsigned_abs() as f64 + HALF_BLOCK as f64;
        let suspect = (CANCELLED * self.waves.amplitude.abs()) as f32;
        for (slot, radians) in values.suspect.iter_mut().zip(radians) {
            *slot = if farthest * radians.abs() < UNWRAPPED { 0.0 } else { suspect };
        }
    }

    /// Positions anchor + step and anchor − step of a chunk of pairs.
    #[inline(always)]
    fn mirrored_rows<A: Element>(
        &self,
        anchor: i64,
        step: i64,
        chunk: Range<usize>,
        values: &Anchor,
        mut after: [&mut [A]; 2],
        mut before: [&mut [A]; 2],
    ) {
        for at in (0..chunk.len()).step_by(Self::WIDTH) {
            let [sin_cos, cos_sin, cos_cos, sin_sin] = self.products(step as usize, chunk.start, at, values);
            let mut plus = Group {
                sin: [sin_cos[0] + cos_sin[0], sin_cos[1] + cos_sin[1]],
                cos: [cos_cos[0] - sin_sin[0], cos_cos[1] - sin_sin[1]],
            };
            let mut minus = Group {
                sin: [sin_cos[0] - cos_sin[0], sin_cos[1] - cos_sin[1]],
                cos: [cos_cos[0] + sin_sin[0], cos_cos[1] + sin_sin[1]],
            };
            let suspect = S::f32s::from_slice(self.simd, &values.suspect[at..at + Self::WIDTH]);
            if (self.is_suspect(&plus, suspect) | self.is_suspect(&minus, suspect)).any_true() {
                plus = self.repaired(anchor + step, chunk.start + at, plus, &values.suspect[at..]);
                minus = self.repaired(anchor - step, chunk.start + at, minus, &values.suspect[at..]);
            }
            self.put(plus, at, &mut after);
            self.put(minus, at, &mut before);
        }
    }

    /// Position anchor + step of a chunk of pairs.
    #[inline(always)]
    fn single_row<A: Element>(
        &self,
        anchor: i64,
        step: i64,
        chunk: Range<usize>,
        values: &Anchor,
        mut out: [&mut [A]; 2],
    ) {
        for at in (0..chunk.len()).step_by(Self::WIDTH) {
            let [sin_cos, cos_sin, cos_cos, sin_sin] =
                self.products(step.unsigned_abs() as usize, chunk.start, at, values);
            let mut group = if step >= 0 {
                Group {
                    sin: [sin_cos[0] + cos_sin[0], sin_cos[1] + cos_sin[1]],
                    cos: [cos_cos[0] - sin_sin[0], cos_cos[1] - sin_sin[1]],
                }
            } else {
                Group {
                    sin: [sin_cos[0] - cos_sin[0], sin_cos[1] - cos_sin[1]],
                    cos: [cos_cos[0] + sin_sin[0], cos_cos[1] + sin_sin[1]],
                }
            };
            let suspect = S::f32s::from_slice(self.simd, &values.suspect[at..at + Self::WIDTH]);
            if self.is_suspect(&group, suspect).any_true() {
                group = self.repaired(anchor + step, chunk.start + at, group, &values.suspect[at..]);
            }
            self.put(group, at, &mut out);
        }
    }

    /// The products of angle addition for the group at `at` of the chunk from pair `first` on: sin·cos, cos·sin, cos·cos
    /// and sin·sin of anchor and step.
    #[inline(always)]
    fn products(&self, step: usize, first: usize, at: usize, values: &Anchor) -> [[S::f64s; 2]; 4] {
        let row = step * self.waves.turns.padded() + first + at;
        let steps = row..row + Self::WIDTH;
        let sin = self.load(&values.sin[at..at + Self::WIDTH]);
        let cos = self.load(&values.cos[at..at + Self::WIDTH]);
        let step_sin = self.load(&self.waves.step_sin[steps.clone()]);
        let step_cos = self.load(&self.waves.step_cos[steps]);
        let product = |a: [S::f64s; 2], b: [S::f64s; 2]| [a[0] * b[0], a[1] * b[1]];
        [product(sin, step_cos), product(cos, step_sin), product(cos, step_cos), product(sin, step_sin)]
    }

    #[inline(always)]
    fn load(&self, values: &[f64]) -> [S::f64s; 2] {
        let (low, high) = values.split_at(S::f64s::LEN);
        [S::f64s::from_slice(self.simd, low), S::f64s::from_slice(self.simd, high)]
    }

    /// Where a sine or a cosine, rounded to f32, is below the bound of its pair.
    #[inline(always)]
    fn is_suspect(&self, group: &Group<S>, bound: S::f32s) -> S::mask32s {
        let small = |values| <f32 as Lanes>::to_group::<S>(values).abs().simd_lt(bound);
        small(group.sin) | small(group.cos)
    }

    /// The group with suspect pairs replaced by sine and cosine of their own phase.
    #[inline(never)]
    fn repaired(&self, position: i64, first: usize, group: Group<S>, bounds: &[f32]) -> Group<S> {
        let (mut sin, mut cos) = ([0.0; GROUP], [0.0; GROUP]);
        let pairs = first..first + Self::WIDTH;
        self.simd.vectorize(
            #[inline(always)]
            || {
                let run = Run::Integers { start: position, len: 1 };
                self.exact(run, pairs, &mut sin[..Self::WIDTH], &mut cos[..Self::WIDTH]);
            },
        );
        let mut result = group;
        for i in 0..Self::WIDTH {
            let (vector, lane) = (i / S::f64s::LEN, i % S::f64s::LEN);
            let small = |values: &[S::f64s; 2]| (values[vector][lane] as f32).abs() < bounds[i];
            if small(&group.sin) || small(&group.cos) {
                result.sin[vector][lane] = sin[i] * self.waves.amplitude;
                result.cos[vector][lane] = cos[i] * self.waves.amplitude;
            }
        }
        result
    }

    /// A row from the exact phases of its own position.
    #[inline(always)]
    fn exact_row<A: Element>(&self, position: Run, row: &mut [A]) {
        let (mut sin, mut cos) = ([0.0; CHUNK], [0.0; CHUNK]);
        for first in (0..self.waves.turns.padded()).step_by(CHUNK) {
            let chunk = first..(first + CHUNK).min(self.waves.turns.padded());
            let n = chunk.len();
            self.exact(position, chunk, &mut sin[..n], &mut cos[..n]);
            let mut out = self.columns.of_pairs(row, first, CHUNK.min(self.columns.pairs - first));
            for at in (0..n).step_by(Self::WIDTH) {
                let amplitude = S::f64s::splat(self.simd, self.waves.amplitude);
                let scaled = |values: [S::f64s; 2]| [values[0] * amplitude, values[1] * amplitude];
                let sin = scaled(self.load(&sin[at..at + Self::WIDTH]));
                let cos = scaled(self.load(&cos[at..at + Self::WIDTH]));
                self.put(Group { sin, cos }, at, &mut out);
            }
        }
        self.zeros(row);
    }

    /// Sine and cosine of the pairs of a chunk at one position, by phase and polynomial.
    #[inline(always)]
    fn exact(&self, position: Run, chunk: Range<usize>, sin: &mut [f64], cos: &mut [f64]) {
        let n = chunk.len();
        let (mut high, mut low) = ([0; CHUNK], [0; CHUNK]);
        let (high, low) = (&mut high[..n], &mut low[..n]);
        let angle = match position {
            Run::Integers { start, .. } => {
                self.waves.turns.phases_at_integer(start, chunk.start, high, low);
                start as f64
            }
            Run::Real(real) => {
                self.waves.turns.phases_at_real(real, chunk.start, high, low);
                real
            }
        };
        let radians = &self.waves.turns.radians()[chunk];
        let vectors = high.chunks_exact(S::f64s::LEN).zip(low.chunks_exact(S::f64s::LEN));
        let vectors = vectors.zip(radians.chunks_exact(S::f64s::LEN));
        let outputs = sin.chunks_exact_mut(S::f64s::LEN).zip(cos.chunks_exact_mut(S::f64s::LEN));
        for (((high, low), radians), (sin_out, cos_out)) in vectors.zip(outputs) {
            let high = S::u64s::from_slice(self.simd, high);
            let low = S::u64s::from_slice(self.simd, low);
            let angle = S::f64s::from_slice(self.simd, radians) * angle;
            let (sin, cos) = sincos(self.simd, high, low, angle);
            sin.store_slice(sin_out);
            cos.store_slice(cos_out);
        }
    }

    /// Stores or adds a group to the columns of its chunk.
    #[inline(always)]
    fn put<A: Element>(&self, group: Group<S>, at: usize, out: &mut [&mut [A]; 2]) {
        let (sin, cos) = (A::to_group::<S>(group.sin), A::to_group::<S>(group.cos));
        if INTERLEAVED {
            let [first, second] = A::interleave::<S>(sin, cos);
            self.store(first, &mut *out[0], 2 * at);
            self.store(second, &mut *out[0], 2 * at + Self::WIDTH);
        } else if self.columns.layout == Layout::CosSinHalves {
            self.store(cos, &mut *out[0], at);
            self.store(sin, &mut *out[1], at);
        } else {
            self.store(sin, &mut *out[0], at);
            self.store(cos, &mut *out[1], at);
        }
    }

    /// Stores or adds a group at `out[at..]`, or as much of it as there is room for.
    #[inline(always)]
    fn store<A: Element>(&self, group: A::Group<S>, out: &mut [A], at: usize) {
        if let Some(out) = out.get_mut(at..at + Self::WIDTH) {
            if ADD {
                A::add_group(self.simd, group, out);
            } else {
                A::write_group::<S>(group, out);
            }
        } else {
            let mut values = [A::zero(); GROUP];
            A::write_group::<S>(group, &mut values[..Self::WIDTH]);
            for (out, value) in out.iter_mut().skip(at).zip(values) {
                *out = if ADD { *out + value } else { value };
            }
        }
    }

    /// The columns after the pairs.
    #[inline(always)]
    fn zeros<A: Element>(&self, row: &mut [A]) {
        for out in &mut row[self.columns.used()..] {
            *out = if ADD { *out + A::zero() } else { A::zero() };
        }
    }
}
