//! The kernel: rows that share their angles, turned while these are in registers.
//!
//! (x, y) → (x·cos − y·sin, y·cos + x·sin), each product and each sum rounded on its own. Multiplications and additions are
//! never fused, so that results have the same bits with every instruction set.

use fearless_simd::prelude::*;
use ndarray::{ArrayViewMut2, ArrayViewMut3, Axis};
use num_traits::One;

use super::{Pairing, Turn};
use crate::phase::level::Kernel;

/// Vectors of cosines, and of sines, that are in registers together.
const TILE: usize = 4;

/// Rows of features, of heads at positions, and the angles of the positions.
pub(super) struct Sheet<'a, A: Turn> {
    /// (heads, positions, features), the features next to each other in memory.
    pub(super) rows: ArrayViewMut3<'a, A>,
    /// Heads of a position that are turned together.
    pub(super) together: usize,
    /// Cosines and then sines of a position; those of the next one are `step` further.
    pub(super) angles: &'a [A::Angle],
    pub(super) step: usize,
    /// The first feature that is turned.
    pub(super) start: usize,
    pub(super) pairing: Pairing,
    /// Parts of a row that are paired on their own, and how many pairs each has.
    pub(super) blocks: usize,
    pub(super) pairs: usize,
    pub(super) back: bool,
}

impl<A: Turn> Kernel for Sheet<'_, A> {
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        match self.pairing {
            Pairing::Halves => self.turn::<S, Halves>(simd),
            Pairing::Interleaved => self.turn::<S, Neighbours>(simd),
        }
    }
}

impl<A: Turn> Sheet<'_, A> {
    #[inline(always)]
    fn turn<S: Simd, P: Pairs>(self, simd: S) {
        if self.pairs >= A::Wide::<S>::LEN {
            self.turn_vectors::<S, P, A::Wide<S>>(simd);
        } else if self.pairs >= A::Short::<S>::LEN {
            self.turn_vectors::<S, P, A::Short<S>>(simd);
        } else {
            let back = self.back;
            self.each_block(|rows, start, cos, sin| turn_each::<A, P>(rows, start, cos, sin, back));
        }
    }

    /// At least one vector in a block.
    #[inline(always)]
    fn turn_vectors<S: Simd, P: Pairs, V: SimdFloat<S, Element = A::Angle>>(self, simd: S) {
        // The last tile is not empty: what is left after it overlaps with its last vector.
        match (self.pairs / V::LEN - 1) % TILE {
            0 => self.turn_tiles::<S, P, V, 1>(simd),
            1 => self.turn_tiles::<S, P, V, 2>(simd),
            2 => self.turn_tiles::<S, P, V, 3>(simd),
            _ => self.turn_tiles::<S, P, V, TILE>(simd),
        }
    }

    /// `LAST` vectors in the last tile.
    #[inline(always)]
    fn turn_tiles<S: Simd, P: Pairs, V: SimdFloat<S, Element = A::Angle>, const LAST: usize>(self, simd: S) {
        let sign = V::splat(simd, if self.back { -A::Angle::one() } else { A::Angle::one() });
        // A function of its own: all of them in one would leave no registers to any.
        simd.vectorize(
            #[inline(always)]
            || {
                self.each_block(
                    #[inline(always)]
                    |rows, start, cos, sin| turn_rows::<S, A, P, V, LAST>(simd, rows, start, Angles { cos, sin, sign }),
                );
            },
        );
    }

    /// Calls `turn` with rows of one position, the start of a block in them, and its angles.
    #[inline(always)]
    fn each_block(self, mut turn: impl FnMut(ArrayViewMut2<'_, A>, usize, &[A::Angle], &[A::Angle])) {
        let Self { mut rows, together, angles, step, start, blocks, pairs, .. } = self;
        for mut heads in rows.axis_chunks_iter_mut(Axis(0), together) {
            for (i, mut rows) in heads.axis_iter_mut(Axis(1)).enumerate() {
                let (cos, sin) = angles[i * step..][..2 * blocks * pairs].split_at(blocks * pairs);
                for block in 0..blocks {
                    let of_block = block * pairs..(block + 1) * pairs;
                    turn(rows.view_mut(), start + 2 * block * pairs, &cos[of_block.clone()], &sin[of_block]);
                }
            }
        }
    }
}

/// Fewer pairs than the shortest vector has lanes.
fn turn_each<A: Turn, P: Pairs>(
    mut rows: ArrayViewMut2<'_, A>,
    start: usize,
    cos: &[A::Angle],
    sin: &[A::Angle],
    back: bool,
) {
    for row in rows.axis_iter_mut(Axis(0)) {
        let Some(row) = row.into_slice() else { return };
        let row = &mut row[start..][..2 * cos.len()];
        for (pair, (&cos, &sin)) in cos.iter().zip(sin).enumerate() {
            let [x, y] = P::features(pair, row.len() / 2);
            [row[x], row[y]] = A::turn_pair([row[x], row[y]], cos, if back { -sin } else { sin });
        }
    }
}

/// Turns the pairs of all rows from the feature `start` on.
#[inline(always)]
fn turn_rows<S: Simd, A: Turn, P: Pairs, V: SimdFloat<S, Element = A::Angle>, const LAST: usize>(
    simd: S,
    mut rows: ArrayViewMut2<'_, A>,
    start: usize,
    angles: Angles<'_, V, A::Angle>,
) {
    let pairs = angles.cos.len();
    let (last, rest) = ((pairs / V::LEN - LAST) * V::LEN, pairs % V::LEN);
    let of_last = angles.load::<S, LAST>(simd, last);
    let [of_rest] = angles.load::<S, 1>(simd, pairs - V::LEN);
    for row in rows.axis_iter_mut(Axis(0)) {
        let Some(row) = row.into_slice() else { return };
        let row = &mut row[start..][..2 * pairs];
        for at in (0..last).step_by(TILE * V::LEN) {
            turn_part::<S, A, P, V, TILE>(simd, P::part(row, at, TILE * V::LEN), angles.load(simd, at));
        }
        if rest == 0 {
            turn_part::<S, A, P, V, LAST>(simd, P::part(row, last, LAST * V::LEN), of_last);
        } else {
            // Loaded before the tile turns some of them, which get the same values twice.
            let rest = P::load::<S, A, V>(simd, &P::part(row, pairs - V::LEN, V::LEN), 0);
            turn_part::<S, A, P, V, LAST>(simd, P::part(row, last, LAST * V::LEN), of_last);
            P::store::<S, A, V>(turn(rest, of_rest), &mut P::part(row, pairs - V::LEN, V::LEN), 0);
        }
    }
}

/// Turns `N` vectors of pairs.
#[inline(always)]
fn turn_part<S: Simd, A: Turn, P: Pairs, V: SimdFloat<S, Element = A::Angle>, const N: usize>(
    simd: S,
    mut part: P::Part<'_, A>,
    angles: [[V; 2]; N],
) {
    for (i, angles) in angles.iter().enumerate() {
        let pairs = P::load::<S, A, V>(simd, &part, i);
        P::store::<S, A, V>(turn(pairs, *angles), &mut part, i);
    }
}

#[inline(always)]
fn turn<S: Simd, V: SimdFloat<S>>([x, y]: [V; 2], [cos, sin]: [V; 2]) -> [V; 2] {
    [x * cos - y * sin, y * cos + x * sin]
}

/// The angles of a block of pairs.
#[derive(Clone, Copy)]
struct Angles<'a, V, T> {
    cos: &'a [T],
    sin: &'a [T],
    /// What the sines are multiplied by: −1 turns back.
    sign: V,
}

impl<V: Copy, T> Angles<'_, V, T> {
    /// Cosines and sines of `N` vectors of pairs from `at` on.
    #[inline(always)]
    fn load<S: Simd, const N: usize>(self, simd: S, at: usize) -> [[V; 2]; N]
    where
        V: SimdFloat<S, Element = T>,
        T: SimdFloatElement,
    {
        let (cos, sin) = (&self.cos[at..][..N * V::LEN], &self.sin[at..][..N * V::LEN]);
        let mut angles = [[self.sign; 2]; N];
        for (i, angles) in angles.iter_mut().enumerate() {
            let load = |values: &[T]| V::from_slice(simd, &values[i * V::LEN..][..V::LEN]);
            *angles = [load(cos), load(sin) * self.sign];
        }
        angles
    }
}

/// Where the features of a pair are in a row of pairs.
trait Pairs {
    /// The features of consecutive pairs.
    type Part<'a, A: 'a>;

    fn features(pair: usize, pairs: usize) -> [usize; 2];
    /// `count` pairs of a row, from `at` on.
    fn part<A>(row: &mut [A], at: usize, count: usize) -> Self::Part<'_, A>;
    /// The first features of the i-th vector of pairs, and the second ones.
    fn load<S: Simd, A: Turn, V: SimdFloat<S, Element = A::Angle>>(
        simd: S,
        part: &Self::Part<'_, A>,
        i: usize,
    ) -> [V; 2];
    fn store<S: Simd, A: Turn, V: SimdFloat<S, Element = A::Angle>>(
        pairs: [V; 2],
        part: &mut Self::Part<'_, A>,
        i: usize,
    );
}

struct Halves;

impl Pairs for Halves {
    type Part<'a, A: 'a> = [&'a mut [A]; 2];

    #[inline(always)]
    fn features(pair: usize, pairs: usize) -> [usize; 2] {
        [pair, pairs + pair]
    }

    #[inline(always)]
    fn part<A>(row: &mut [A], at: usize, count: usize) -> [&mut [A]; 2] {
        let (first, second) = row.split_at_mut(row.len() / 2);
        [&mut first[at..][..count], &mut second[at..][..count]]
    }

    #[inline(always)]
    fn load<S: Simd, A: Turn, V: SimdFloat<S, Element = A::Angle>>(simd: S, part: &[&mut [A]; 2], i: usize) -> [V; 2] {
        [A::load(simd, &part[0][i * V::LEN..][..V::LEN]), A::load(simd, &part[1][i * V::LEN..][..V::LEN])]
    }

    #[inline(always)]
    fn store<S: Simd, A: Turn, V: SimdFloat<S, Element = A::Angle>>(
        [x, y]: [V; 2],
        part: &mut [&mut [A]; 2],
        i: usize,
    ) {
        A::store(x, &mut part[0][i * V::LEN..][..V::LEN]);
        A::store(y, &mut part[1][i * V::LEN..][..V::LEN]);
    }
}

struct Neighbours;

impl Pairs for Neighbours {
    type Part<'a, A: 'a> = &'a mut [A];

    #[inline(always)]
    fn features(pair: usize, _: usize) -> [usize; 2] {
        [2 * pair, 2 * pair + 1]
    }

    #[inline(always)]
    fn part<A>(row: &mut [A], at: usize, count: usize) -> &mut [A] {
        &mut row[2 * at..][..2 * count]
    }

    #[inline(always)]
    fn load<S: Simd, A: Turn, V: SimdFloat<S, Element = A::Angle>>(simd: S, part: &&mut [A], i: usize) -> [V; 2] {
        let (low, high) = part[2 * i * V::LEN..][..2 * V::LEN].split_at(V::LEN);
        A::load::<S, V>(simd, low).deinterleave(A::load::<S, V>(simd, high)).into()
    }

    #[inline(always)]
    fn store<S: Simd, A: Turn, V: SimdFloat<S, Element = A::Angle>>([x, y]: [V; 2], part: &mut &mut [A], i: usize) {
        let (low, high) = part[2 * i * V::LEN..][..2 * V::LEN].split_at_mut(V::LEN);
        let (x, y) = x.interleave(y);
        A::store(x, low);
        A::store(y, high);
    }
}
