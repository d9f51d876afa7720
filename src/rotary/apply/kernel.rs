//! The kernel: rows of features, rotated by the angles of their positions.
//!
//! (x, y) → (x·cos − y·sin, y·cos + x·sin), each product and each sum rounded on its own.
//! Multiplications and additions are never fused, so that results have the same bits with every
//! instruction set.

use core::ops::Range;

use fearless_simd::prelude::*;
use num_traits::One;

use super::memory::Axis;
use crate::element::Lanes;
use crate::rotary::pairing::{Features, Pairing};
use crate::simd::Kernel;

/// Vectors of pairs whose place in a row is checked at once.
const TILE: usize = 4;
/// Heads of one position that are rotated together where each lies in a stretch of memory of its
/// own: so many streams the processor fetches ahead without effort.
pub(super) const STREAMS: usize = 4;
/// Bytes of angles that are walked across the heads before the next ones are fetched.
const BLOCK_BYTES: usize = 1 << 20;

/// Rows (heads, positions), and the angles of the positions.
pub(super) struct Rows<'a, A: Lanes> {
    /// Where the rows are written.
    pub(super) target: &'a mut [A],
    /// Where the rows are read, unless it is where they are written.
    pub(super) source: Option<&'a [A]>,
    /// Cosines and then sines of each position.
    pub(super) angles: &'a [A::Angle],
    /// Where the first row begins in the target, in the source and in the angles.
    pub(super) first: [isize; 3],
    /// The axis along which angles stay the same.
    pub(super) heads: Axis,
    /// The axis along which they do not.
    pub(super) positions: Axis,
    /// Number of features in a row.
    pub(super) width: usize,
    pub(super) features: Features,
    /// Whether to rotate by the negated angles.
    pub(super) back: bool,
}

impl<A: Lanes> Kernel for Rows<'_, A> {
    #[inline(always)]
    fn run<S: Simd>(mut self, simd: S) {
        let (heads, positions) = (self.heads.len, self.positions.len);
        // All heads of a position where they follow each other in memory; otherwise few of them, at
        // so many positions that their angles stay in cache until the next heads come.
        let are_inside =
            heads > 1 && (positions == 1 || self.heads.step[0] < self.positions.step[0]);
        let (together, stretch) = if are_inside {
            (heads, positions)
        } else {
            let row = 2 * self.features.pairs * size_of::<A::Angle>();
            (STREAMS, (BLOCK_BYTES / row).max(8))
        };
        for start in (0..positions).step_by(stretch) {
            for head in (0..heads).step_by(together) {
                for position in start..positions.min(start + stretch) {
                    self.rotate_heads(simd, head..heads.min(head + together), position);
                }
            }
        }
    }
}

impl<A: Lanes> Rows<'_, A> {
    /// Rotates the rows of some heads at a position.
    #[inline(always)]
    fn rotate_heads<S: Simd>(&mut self, simd: S, heads: Range<usize>, position: usize) {
        let (features, width) = (self.features, self.width);
        let of_position = |i: usize| self.first[i] + position as isize * self.positions.step[i];
        let angles = &self.angles[of_position(2) as usize..][..2 * features.pairs];
        let sign = if self.back { -A::Angle::one() } else { A::Angle::one() };
        let sign = A::Vector::<S>::splat(simd, sign);
        for head in heads {
            let place = |i: usize| of_position(i) + head as isize * self.heads.step[i];
            let [target, source] = [place(0), place(1)].map(|place| place as usize);
            let source = self.source.map(|memory| &memory[source..][..width]);
            let mut row = Row { source, target: &mut self.target[target..][..width] };
            let rotated = features.rotated(width);
            row.copy_around(rotated.clone());
            let mut row = row.part(rotated);
            let pairs = features.pairs / features.blocks;
            for block in 0..features.blocks {
                let row = row.part(2 * block * pairs..2 * (block + 1) * pairs);
                let (cos, sin) = angles.split_at(features.pairs);
                let of_block = block * pairs..(block + 1) * pairs;
                let angles = Angles { cos: &cos[of_block.clone()], sin: &sin[of_block], sign };
                match features.pairing {
                    Pairing::Halves => rotate_row::<S, A, Halves>(simd, row, angles),
                    Pairing::Interleaved => rotate_row::<S, A, Neighbours>(simd, row, angles),
                }
            }
        }
    }
}

/// A row of features, to be read and to be written.
struct Row<'a, A> {
    source: Option<&'a [A]>,
    target: &'a mut [A],
}

impl<A: Copy> Row<'_, A> {
    #[inline(always)]
    fn source(&self) -> &[A] {
        self.source.unwrap_or(self.target)
    }

    #[inline(always)]
    fn part(&mut self, range: Range<usize>) -> Row<'_, A> {
        let source = self.source.map(|source| &source[range.clone()]);
        Row { source, target: &mut self.target[range] }
    }

    /// Copies the features that are not rotated.
    #[inline(always)]
    fn copy_around(&mut self, rotated: Range<usize>) {
        if let Some(source) = self.source
            && rotated.len() < source.len()
        {
            self.target[..rotated.start].copy_from_slice(&source[..rotated.start]);
            self.target[rotated.end..].copy_from_slice(&source[rotated.end..]);
        }
    }
}

/// The angles of a row of pairs.
#[derive(Clone, Copy)]
struct Angles<'a, V, T> {
    cos: &'a [T],
    sin: &'a [T],
    /// What the sines are multiplied by: −1 rotates back.
    sign: V,
}

/// Rotates a row of pairs and nothing else.
#[inline(always)]
fn rotate_row<S: Simd, A: Lanes, P: Pairs>(
    simd: S,
    mut row: Row<'_, A>,
    angles: Angles<'_, A::Vector<S>, A::Angle>,
) {
    let (pairs, lanes) = (angles.cos.len(), A::Vector::<S>::LEN);
    if pairs < lanes {
        return rotate_each::<S, A, P>(row, angles);
    }
    let (in_tiles, in_vectors) = (pairs - pairs % (TILE * lanes), pairs - pairs % lanes);
    // A last vector of pairs overlaps with the one before. It is loaded before that is stored.
    let last = pairs - lanes;
    let rest = (in_vectors < pairs).then(|| load::<S, A, P>(simd, &row, last));
    for at in (0..in_tiles).step_by(TILE * lanes) {
        rotate_tile::<S, A, P, TILE>(simd, &mut row, angles, at);
    }
    for at in (in_tiles..in_vectors).step_by(lanes) {
        rotate_tile::<S, A, P, 1>(simd, &mut row, angles, at);
    }
    if let Some(rest) = rest {
        let rotated = rotate(rest, load_angles::<S, A>(simd, angles, last));
        P::store::<S, A>(rotated, P::part_mut(row.target, last, lanes), 0);
    }
}

#[inline(always)]
fn load<S: Simd, A: Lanes, P: Pairs>(simd: S, row: &Row<'_, A>, at: usize) -> [A::Vector<S>; 2] {
    P::load::<S, A>(simd, P::part(row.source(), at, A::Vector::<S>::LEN), 0)
}

#[inline(always)]
fn load_angles<S: Simd, A: Lanes>(
    simd: S,
    angles: Angles<'_, A::Vector<S>, A::Angle>,
    at: usize,
) -> [A::Vector<S>; 2] {
    let lanes = A::Vector::<S>::LEN;
    let cos = A::Vector::<S>::from_slice(simd, &angles.cos[at..][..lanes]);
    [cos, A::Vector::<S>::from_slice(simd, &angles.sin[at..][..lanes]) * angles.sign]
}

/// Rotates `N` vectors of pairs from `at` on.
#[inline(always)]
fn rotate_tile<S: Simd, A: Lanes, P: Pairs, const N: usize>(
    simd: S,
    row: &mut Row<'_, A>,
    Angles { cos, sin, sign }: Angles<'_, A::Vector<S>, A::Angle>,
    at: usize,
) {
    let lanes = A::Vector::<S>::LEN;
    let (cos, sin) = (&cos[at..][..N * lanes], &sin[at..][..N * lanes]);
    for i in 0..N {
        let angles = load_angles::<S, A>(simd, Angles { cos, sin, sign }, i * lanes);
        let pairs = P::load::<S, A>(simd, P::part(row.source(), at, N * lanes), i);
        P::store::<S, A>(rotate(pairs, angles), P::part_mut(row.target, at, N * lanes), i);
    }
}

#[inline(always)]
fn rotate<S: Simd, V: SimdFloat<S>>([x, y]: [V; 2], [cos, sin]: [V; 2]) -> [V; 2] {
    [x * cos - y * sin, y * cos + x * sin]
}

/// Rotates fewer pairs than the shortest vector has lanes.
#[inline(always)]
fn rotate_each<S: Simd, A: Lanes, P: Pairs>(
    row: Row<'_, A>,
    angles: Angles<'_, A::Vector<S>, A::Angle>,
) {
    let sign = angles.sign.as_slice()[0];
    for (pair, (&cos, &sin)) in angles.cos.iter().zip(angles.sin).enumerate() {
        let [i, j] = P::features(pair, angles.cos.len());
        let [x, y] = [row.source()[i], row.source()[j]].map(A::widen);
        let sin = sin * sign;
        row.target[i] = A::narrow(x * cos - y * sin);
        row.target[j] = A::narrow(y * cos + x * sin);
    }
}

/// Where the features of a pair are in a row of pairs.
trait Pairs {
    /// The features of consecutive pairs, to read and to write.
    type Part<'a, A: 'a>;
    type PartMut<'a, A: 'a>;

    fn features(pair: usize, pairs: usize) -> [usize; 2];
    /// Returns `count` pairs of a row, from `at` on.
    fn part<A>(row: &[A], at: usize, count: usize) -> Self::Part<'_, A>;
    fn part_mut<A>(row: &mut [A], at: usize, count: usize) -> Self::PartMut<'_, A>;
    /// Loads the first features of the i-th vector of pairs, and the second ones.
    fn load<S: Simd, A: Lanes>(simd: S, part: Self::Part<'_, A>, i: usize) -> [A::Vector<S>; 2];
    fn store<S: Simd, A: Lanes>(pairs: [A::Vector<S>; 2], part: Self::PartMut<'_, A>, i: usize);
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
    fn load<S: Simd, A: Lanes>(simd: S, [x, y]: [&[A]; 2], i: usize) -> [A::Vector<S>; 2] {
        let lanes = A::Vector::<S>::LEN;
        // No closure: it would have none of the instructions of `simd` where it is not inlined.
        [A::load(simd, &x[i * lanes..][..lanes]), A::load(simd, &y[i * lanes..][..lanes])]
    }

    #[inline(always)]
    fn store<S: Simd, A: Lanes>(pairs: [A::Vector<S>; 2], [x, y]: [&mut [A]; 2], i: usize) {
        let lanes = A::Vector::<S>::LEN;
        A::store::<S>(pairs[0], &mut x[i * lanes..][..lanes]);
        A::store::<S>(pairs[1], &mut y[i * lanes..][..lanes]);
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
    fn load<S: Simd, A: Lanes>(simd: S, part: &[A], i: usize) -> [A::Vector<S>; 2] {
        let lanes = A::Vector::<S>::LEN;
        A::load_pairs(simd, &part[2 * i * lanes..][..2 * lanes])
    }

    #[inline(always)]
    fn store<S: Simd, A: Lanes>(pairs: [A::Vector<S>; 2], part: &mut [A], i: usize) {
        let lanes = A::Vector::<S>::LEN;
        A::store_pairs::<S>(pairs, &mut part[2 * i * lanes..][..2 * lanes]);
    }
}
