//! The kernel: rows that share their angles, turned while these are in registers.
//!
//! (x, y) → (x·cos − y·sin, y·cos + x·sin), each product and each sum rounded on its own.
//! Multiplications and additions are never fused, so that results have the same bits with every
//! instruction set.

use core::ops::Range;

use fearless_simd::prelude::*;
use num_traits::One;

use super::Pairing;
use super::rows::{Rows, Span};
use super::turn::{Turn, Width};
use crate::simd::Kernel;

/// Vectors of cosines, and of sines, that are in registers together.
const TILE: usize = 4;

/// Rows of features, of heads at positions, and the angles of the positions.
pub(super) struct Sheet<'a, 'r, A: Turn> {
    pub(super) rows: &'a mut Rows<'r, A>,
    /// Heads of a position that are turned together.
    pub(super) together: usize,
    /// Positions that are walked across the heads before the next ones.
    pub(super) stretch: usize,
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

impl<A: Turn> Kernel for &mut Sheet<'_, '_, A> {
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        match self.pairing {
            Pairing::Halves => self.turn::<S, Halves>(simd),
            Pairing::Interleaved => self.turn::<S, Neighbours>(simd),
        }
    }
}

impl<A: Turn> Sheet<'_, '_, A> {
    #[inline(always)]
    fn turn<S: Simd, P: Pairs>(&mut self, simd: S) {
        if self.pairs >= lanes::<S, A, A::Wide>() {
            self.turn_vectors::<S, P, A::Wide>(simd);
        } else if self.pairs >= lanes::<S, A, A::Short>() {
            self.turn_vectors::<S, P, A::Short>(simd);
        } else {
            let back = self.back;
            self.each_block(|group, cos, sin| turn_each::<A, P>(group, cos, sin, back));
        }
    }

    /// At least one vector in a block.
    #[inline(always)]
    fn turn_vectors<S: Simd, P: Pairs, W: Width<A>>(&mut self, simd: S) {
        // The last tile is not empty: what is left after it overlaps with its last vector.
        match (self.pairs / lanes::<S, A, W>() - 1) % TILE {
            0 => self.turn_tiles::<S, P, W, 1>(simd),
            1 => self.turn_tiles::<S, P, W, 2>(simd),
            2 => self.turn_tiles::<S, P, W, 3>(simd),
            _ => self.turn_tiles::<S, P, W, TILE>(simd),
        }
    }

    /// `LAST` vectors in the last tile.
    #[inline(never)]
    fn turn_tiles<S: Simd, P: Pairs, W: Width<A>, const LAST: usize>(&mut self, simd: S) {
        let sign =
            W::Vector::splat(simd, if self.back { -A::Angle::one() } else { A::Angle::one() });
        // A function of its own: all of them in one would leave no registers to any.
        simd.vectorize(
            #[inline(always)]
            || {
                self.each_block(
                    #[inline(always)]
                    |group, cos, sin| {
                        turn_rows::<S, A, P, W, LAST>(simd, group, Angles { cos, sin, sign })
                    },
                );
            },
        );
    }

    /// Calls `turn` with some heads at a position, where a block of theirs begins, and its angles.
    #[inline(always)]
    fn each_block(&mut self, mut turn: impl FnMut(Group<'_, '_, A>, &[A::Angle], &[A::Angle])) {
        let Self { ref mut rows, together, stretch, angles, step, start, blocks, pairs, .. } =
            *self;
        let [heads, positions, _] = rows.dim;
        let turned = start..start + 2 * blocks * pairs;
        let copies = rows.needs_copies(turned.clone());
        let (mut first, mut head) = (0, 0);
        while first < positions {
            let end = positions.min(first.saturating_add(stretch));
            while head < heads {
                let group = head..heads.min(head.saturating_add(together));
                for position in first..end {
                    if copies {
                        rows.copy_around(group.clone(), position, turned.clone());
                    }
                    let (cos, sin) =
                        angles[position * step..][..2 * blocks * pairs].split_at(blocks * pairs);
                    for block in 0..blocks {
                        let (start, of_block) =
                            (start + 2 * block * pairs, block * pairs..(block + 1) * pairs);
                        let group = Group { rows, heads: group.clone(), position, start };
                        turn(group, &cos[of_block.clone()], &sin[of_block]);
                    }
                }
                head = group.end;
            }
            (first, head) = (end, 0);
        }
    }
}

/// Some heads at a position, and the first feature of a block of theirs.
struct Group<'r, 'a, A> {
    rows: &'r mut Rows<'a, A>,
    heads: Range<usize>,
    position: usize,
    start: usize,
}

impl<A: Copy> Group<'_, '_, A> {
    /// Calls `turn` with the block's `len` features of each head.
    #[inline(always)]
    fn each_row(self, len: usize, turn: impl FnMut(Span<'_, A>)) {
        self.rows.each(self.heads, self.position, self.start, len, turn);
    }
}

/// Fewer pairs than the shortest vector has lanes.
fn turn_each<A: Turn, P: Pairs>(
    group: Group<'_, '_, A>,
    cos: &[A::Angle],
    sin: &[A::Angle],
    back: bool,
) {
    group.each_row(2 * cos.len(), |mut row| {
        for (pair, (&cos, &sin)) in cos.iter().zip(sin).enumerate() {
            let [x, y] = P::features(pair, row.source().len() / 2);
            let turned = A::turn_pair(
                [row.source()[x], row.source()[y]],
                cos,
                if back { -sin } else { sin },
            );
            [row.target()[x], row.target()[y]] = turned;
        }
    });
}

/// Turns the pairs of a block of all heads.
#[inline(always)]
fn turn_rows<S: Simd, A: Turn, P: Pairs, W: Width<A>, const LAST: usize>(
    simd: S,
    group: Group<'_, '_, A>,
    angles: Angles<'_, W::Vector<S>, A::Angle>,
) {
    let (pairs, lanes) = (angles.cos.len(), lanes::<S, A, W>());
    let (last, rest) = ((pairs / lanes - LAST) * lanes, pairs % lanes);
    let of_last = angles.load::<S, LAST>(simd, last);
    let [of_rest] = angles.load::<S, 1>(simd, pairs - lanes);
    group.each_row(
        2 * pairs,
        #[inline(always)]
        |mut row| {
            for at in (0..last).step_by(TILE * lanes) {
                turn_part::<S, A, P, W, TILE>(simd, &mut row, at, angles.load(simd, at));
            }
            if rest == 0 {
                turn_part::<S, A, P, W, LAST>(simd, &mut row, last, of_last);
            } else {
                // Loaded before the tile turns some of them, which get the same values twice.
                let at = pairs - lanes;
                let rest = P::load::<S, A, W>(simd, P::part(row.source(), at, lanes), 0);
                turn_part::<S, A, P, W, LAST>(simd, &mut row, last, of_last);
                P::store::<S, A, W>(turn(rest, of_rest), P::part_mut(row.target(), at, lanes), 0);
            }
        },
    );
}

/// Turns `N` vectors of pairs from `at` on.
#[inline(always)]
fn turn_part<S: Simd, A: Turn, P: Pairs, W: Width<A>, const N: usize>(
    simd: S,
    row: &mut Span<'_, A>,
    at: usize,
    angles: [[W::Vector<S>; 2]; N],
) {
    let count = N * lanes::<S, A, W>();
    for (i, angles) in angles.iter().enumerate() {
        let pairs = P::load::<S, A, W>(simd, P::part(row.source(), at, count), i);
        P::store::<S, A, W>(turn(pairs, *angles), P::part_mut(row.target(), at, count), i);
    }
}

/// Elements in a vector.
#[inline(always)]
fn lanes<S: Simd, A: Turn, W: Width<A>>() -> usize {
    W::Vector::<S>::LEN
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
    /// The features of consecutive pairs, to read and to write.
    type Part<'a, A: 'a>;
    type PartMut<'a, A: 'a>;

    fn features(pair: usize, pairs: usize) -> [usize; 2];
    /// `count` pairs of a row, from `at` on.
    fn part<A>(row: &[A], at: usize, count: usize) -> Self::Part<'_, A>;
    fn part_mut<A>(row: &mut [A], at: usize, count: usize) -> Self::PartMut<'_, A>;
    /// The first features of the i-th vector of pairs, and the second ones.
    fn load<S: Simd, A: Turn, W: Width<A>>(
        simd: S,
        part: Self::Part<'_, A>,
        i: usize,
    ) -> [W::Vector<S>; 2];
    fn store<S: Simd, A: Turn, W: Width<A>>(
        pairs: [W::Vector<S>; 2],
        part: Self::PartMut<'_, A>,
        i: usize,
    );
}

struct Halves;

impl Pairs for Halves {
    type Part<'a, A: 'a> = [&'a [A]; 2];
    type PartMut<'a, A: 'a> = [&'a mut [A]; 2];

    #[inline(always)]
    fn features(pair: usize, pairs: usize) -> [usize; 2] {
        [pair, pairs + pair]
    }

    #[inline(always)]
    fn part<A>(row: &[A], at: usize, count: usize) -> [&[A]; 2] {
        let (first, second) = row.split_at(row.len() / 2);
        [&first[at..][..count], &second[at..][..count]]
    }

    #[inline(always)]
    fn part_mut<A>(row: &mut [A], at: usize, count: usize) -> [&mut [A]; 2] {
        let (first, second) = row.split_at_mut(row.len() / 2);
        [&mut first[at..][..count], &mut second[at..][..count]]
    }

    #[inline(always)]
    fn load<S: Simd, A: Turn, W: Width<A>>(
        simd: S,
        part: [&[A]; 2],
        i: usize,
    ) -> [W::Vector<S>; 2] {
        let [first, second] = part;
        let len = lanes::<S, A, W>();
        // No closure: it would have none of the instructions of `simd` where it is not inlined.
        [W::load(simd, &first[i * len..][..len]), W::load(simd, &second[i * len..][..len])]
    }

    #[inline(always)]
    fn store<S: Simd, A: Turn, W: Width<A>>(
        [x, y]: [W::Vector<S>; 2],
        part: [&mut [A]; 2],
        i: usize,
    ) {
        let [first, second] = part;
        W::store(x, &mut first[i * lanes::<S, A, W>()..][..lanes::<S, A, W>()]);
        W::store(y, &mut second[i * lanes::<S, A, W>()..][..lanes::<S, A, W>()]);
    }
}

struct Neighbours;

impl Pairs for Neighbours {
    type Part<'a, A: 'a> = &'a [A];
    type PartMut<'a, A: 'a> = &'a mut [A];

    #[inline(always)]
    fn features(pair: usize, _: usize) -> [usize; 2] {
        [2 * pair, 2 * pair + 1]
    }

    #[inline(always)]
    fn part<A>(row: &[A], at: usize, count: usize) -> &[A] {
        &row[2 * at..][..2 * count]
    }

    #[inline(always)]
    fn part_mut<A>(row: &mut [A], at: usize, count: usize) -> &mut [A] {
        &mut row[2 * at..][..2 * count]
    }

    #[inline(always)]
    fn load<S: Simd, A: Turn, W: Width<A>>(simd: S, part: &[A], i: usize) -> [W::Vector<S>; 2] {
        let len = 2 * lanes::<S, A, W>();
        W::load_pairs(simd, &part[i * len..][..len])
    }

    #[inline(always)]
    fn store<S: Simd, A: Turn, W: Width<A>>(pairs: [W::Vector<S>; 2], part: &mut [A], i: usize) {
        let len = 2 * lanes::<S, A, W>();
        W::store_pairs(pairs, &mut part[i * len..][..len]);
    }
}
