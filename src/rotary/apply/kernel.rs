//! The kernel, which rotates heads at positions; all heads share the angles of a position.
//!
//! (x, y) → (x·cos − y·sin, y·cos + x·sin), each product and each sum rounded on its own.
//! Multiplications and additions are never fused, so that results have the same bits with every
//! instruction set.

use core::marker::PhantomData;

use fearless_simd::Level;
use fearless_simd::prelude::*;
use num_traits::One;

use super::axes::Axis;
use crate::element::Lanes;
use crate::rotary::pairing::Pairing;
use crate::simd::Kernel;

/// The number of vectors of pairs whose bounds are checked together.
const TILE: usize = 4;
/// The bytes of the shortest vectors.
const SHORTEST: usize = 16;

/// Memory that is read and memory that is written, which may be the same.
pub(super) struct Memory<'a, A> {
    pub(super) target: &'a mut [A],
    /// The memory that is read, unless it is the one that is written.
    pub(super) source: Option<&'a [A]>,
}

impl<A> Default for Memory<'_, A> {
    fn default() -> Self {
        Self { target: &mut [], source: None }
    }
}

impl<A> Memory<'_, A> {
    #[inline(always)]
    fn source(&self) -> &[A] {
        self.source.unwrap_or(self.target)
    }

    /// Returns `len` elements of the target and of the source, from the given offsets on.
    #[inline(always)]
    pub(super) fn part(&mut self, [target, source]: [usize; 2], len: usize) -> Memory<'_, A> {
        // Only a closure that is always inlined uses the instructions of the kernel.
        let source = self.source.map(
            #[inline(always)]
            |memory| &memory[source..][..len],
        );
        Memory { source, target: &mut self.target[target..][..len] }
    }
}

/// The memory of the rows: one piece for all, or one for each head or position.
pub(super) struct Pieces<'m, 'a, A> {
    pub(super) whole: Memory<'m, A>,
    /// Empty where all rows are in one piece.
    pub(super) own: &'m mut [Memory<'a, A>],
}

impl<'a, A> Pieces<'_, 'a, A> {
    /// Returns true if the memory that is read is not the memory that is written.
    pub(super) fn has_source(&self) -> bool {
        self.own.first().map_or(self.whole.source, |piece| piece.source).is_some()
    }

    /// Returns the pieces from `index` on.
    #[inline(always)]
    pub(super) fn from(&mut self, index: usize) -> Pieces<'_, 'a, A> {
        let whole = Memory { target: &mut *self.whole.target, source: self.whole.source };
        let index = if self.own.is_empty() { 0 } else { index };
        Pieces { whole, own: &mut self.own[index..] }
    }

    /// Returns `len` elements of a piece, from the given offsets in its target and source on.
    #[inline(always)]
    pub(super) fn part(&mut self, index: usize, places: [usize; 2], len: usize) -> Memory<'_, A> {
        if self.own.is_empty() {
            self.whole.part(places, len)
        } else {
            self.own[index].part(places, len)
        }
    }
}

/// The pairs of features that are rotated, for heads at positions.
pub(super) struct Block<'m, 'a, A: Lanes> {
    pub(super) pieces: Pieces<'m, 'a, A>,
    /// The offsets of the first row in the target and in the source, and of its cosines in the
    /// angles.
    pub(super) first: [isize; 3],
    /// The axis along which angles stay the same.
    pub(super) heads: Axis,
    /// The axis along which angles change.
    pub(super) positions: Axis,
    pub(super) angles: &'m [A::Angle],
    /// The distance from the cosines of a position to its sines.
    pub(super) to_sines: usize,
    pub(super) pairs: usize,
    /// Whether to rotate by the negated angles.
    pub(super) back: bool,
}

impl<'m, A: Lanes> Block<'m, '_, A> {
    /// Rotates all rows.
    pub(super) fn rotate(&mut self, pairing: Pairing, level: Level) {
        match pairing {
            Pairing::Halves => self.rotate_pairs::<Halves>(level),
            Pairing::Interleaved => self.rotate_pairs::<Neighbours>(level),
        }
    }

    fn rotate_pairs<P: Pairs>(&mut self, level: Level) {
        // Where a row is shorter than the longest vectors, shorter vectors are used.
        match self.pairs * size_of::<A::Angle>() {
            ..SHORTEST => self.rotate_each::<P>(),
            bytes => InVectors(self, PhantomData::<P>).launch_within(level, bytes),
        }
    }

    /// Rotates one pair after the other, where a row has fewer pairs than the shortest vector has
    /// lanes.
    fn rotate_each<P: Pairs>(&mut self) {
        let back = self.back;
        for position in 0..self.positions.len {
            let (cos, sin) = self.angles_of(position);
            for head in 0..self.heads.len {
                let row = self.row(position, head);
                for (pair, (&cos, &sin)) in cos.iter().zip(sin).enumerate() {
                    let [i, j] = P::features(pair, row.target.len() / 2);
                    let [x, y] = [row.source()[i], row.source()[j]].map(A::widen);
                    let sin = if back { -sin } else { sin };
                    row.target[i] = A::narrow(x * cos - y * sin);
                    row.target[j] = A::narrow(y * cos + x * sin);
                }
            }
        }
    }

    /// Returns the cosines and the sines of a position.
    #[inline(always)]
    fn angles_of(&self, position: usize) -> (&'m [A::Angle], &'m [A::Angle]) {
        let at = (self.first[2] + position as isize * self.positions.step[2]) as usize;
        (&self.angles[at..][..self.pairs], &self.angles[at + self.to_sines..][..self.pairs])
    }

    /// Returns the offsets, in the target and in the source, of the row of the first head at a
    /// position.
    #[inline(always)]
    fn places_of(&self, position: usize) -> [isize; 2] {
        [0, 1].map(
            #[inline(always)]
            |i| self.first[i] + position as isize * self.positions.step[i],
        )
    }

    fn row(&mut self, position: usize, head: usize) -> Memory<'_, A> {
        let of_head = [0, 1].map(|i| head as isize * self.heads.step[i]);
        let [target, source] = self.places_of(position);
        let places = [target + of_head[0], source + of_head[1]].map(|place| place as usize);
        // With a piece for each row there is a single position or a single head, so that their sum
        // is the index of the piece.
        self.pieces.part(position + head, places, 2 * self.pairs)
    }
}

/// A [`Block`] whose pairs are rotated in vectors.
struct InVectors<'b, 'm, 'a, A: Lanes, P>(&'b mut Block<'m, 'a, A>, PhantomData<P>);

impl<A: Lanes, P: Pairs> Kernel for InVectors<'_, '_, '_, A, P> {
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let block = self.0;
        let back = block.back;
        let sign = if back { -A::Angle::one() } else { A::Angle::one() };
        let sign = A::Vector::<S>::splat(simd, sign);
        let (heads, step) = (block.heads.len, block.heads.step);
        for position in 0..block.positions.len {
            let (cos, sin) = block.angles_of(position);
            let [target, source] = block.places_of(position);
            let pieces = block.pieces.from(position);
            let heads = Heads { pieces, heads, target, source, step: [step[0], step[1]] };
            rotate_heads::<S, A, P>(simd, heads, Angles { cos, sin, back, sign });
        }
    }
}

/// The rows of all heads at one position.
struct Heads<'m, 'a, A> {
    pieces: Pieces<'m, 'a, A>,
    heads: usize,
    /// The offset of the first row.
    target: isize,
    source: isize,
    step: [isize; 2],
}

/// Rotates the rows of all heads at a position.
#[inline(always)]
fn rotate_heads<S: Simd, A: Lanes, P: Pairs>(
    simd: S,
    Heads { mut pieces, heads, target, source, step }: Heads<'_, '_, A>,
    angles: Angles<'_, A::Vector<S>, A::Angle>,
) {
    let (pairs, lanes) = (angles.cos.len(), A::Vector::<S>::LEN);
    let in_tiles = pairs - pairs % (TILE * lanes);
    let last = pairs - lanes;
    let (mut target, mut source) = (target as usize, source as usize);
    for head in 0..heads {
        let mut row = pieces.part(head, [target, source], 2 * pairs);
        if in_tiles == pairs {
            rotate_tiles::<S, A, P>(simd, &mut row, angles, in_tiles);
        } else {
            // The last vector may overlap the one before it, and is loaded before that one is
            // stored.
            let rest = load::<S, A, P>(simd, &row, angles, last);
            rotate_tiles::<S, A, P>(simd, &mut row, angles, in_tiles);
            let mut at = in_tiles;
            while at < last {
                rotate_tile::<S, A, P, 1>(simd, &mut row, angles, at);
                at += lanes;
            }
            let part = P::part_mut(row.target, last, lanes, angles.back);
            P::store::<S, A>(rotate(rest, load_angles::<S, A, P>(simd, angles, last)), part, 0);
        }
        target = target.wrapping_add_signed(step[0]);
        source = source.wrapping_add_signed(step[1]);
    }
}

#[inline(always)]
fn rotate_tiles<S: Simd, A: Lanes, P: Pairs>(
    simd: S,
    row: &mut Memory<'_, A>,
    angles: Angles<'_, A::Vector<S>, A::Angle>,
    end: usize,
) {
    let mut at = 0;
    while at < end {
        rotate_tile::<S, A, P, TILE>(simd, row, angles, at);
        at += TILE * A::Vector::<S>::LEN;
    }
}

#[inline(always)]
fn load<S: Simd, A: Lanes, P: Pairs>(
    simd: S,
    row: &Memory<'_, A>,
    angles: Angles<'_, A::Vector<S>, A::Angle>,
    at: usize,
) -> [A::Vector<S>; 2] {
    P::load::<S, A>(simd, P::part(row.source(), at, A::Vector::<S>::LEN, angles.back), 0)
}

/// The angles of a row of pairs.
#[derive(Clone, Copy)]
struct Angles<'a, V, T> {
    cos: &'a [T],
    sin: &'a [T],
    /// Whether to rotate by the negated angles: the sines are then multiplied by −1.
    back: bool,
    sign: V,
}

#[inline(always)]
fn load_angles<S: Simd, A: Lanes, P: Pairs>(
    simd: S,
    angles: Angles<'_, A::Vector<S>, A::Angle>,
    at: usize,
) -> [A::Vector<S>; 2] {
    let lanes = A::Vector::<S>::LEN;
    let cos = A::Vector::<S>::from_slice(simd, &angles.cos[at..][..lanes]);
    let sin = A::Vector::<S>::from_slice(simd, &angles.sin[at..][..lanes]);
    [cos, if P::SWAPS { sin } else { sin * angles.sign }]
}

/// Rotates `N` vectors of pairs from `at` on.
#[inline(always)]
fn rotate_tile<S: Simd, A: Lanes, P: Pairs, const N: usize>(
    simd: S,
    row: &mut Memory<'_, A>,
    Angles { cos, sin, back, sign }: Angles<'_, A::Vector<S>, A::Angle>,
    at: usize,
) {
    let lanes = A::Vector::<S>::LEN;
    let (cos, sin) = (&cos[at..][..N * lanes], &sin[at..][..N * lanes]);
    let angles = Angles { cos, sin, back, sign };
    for i in 0..N {
        let pairs = P::load::<S, A>(simd, P::part(row.source(), at, N * lanes, back), i);
        let rotated = rotate(pairs, load_angles::<S, A, P>(simd, angles, i * lanes));
        P::store::<S, A>(rotated, P::part_mut(row.target, at, N * lanes, back), i);
    }
}

#[inline(always)]
fn rotate<S: Simd, V: SimdFloat<S>>([x, y]: [V; 2], [cos, sin]: [V; 2]) -> [V; 2] {
    [x * cos - y * sin, y * cos + x * sin]
}

/// The places of the two features of a pair in a row.
trait Pairs {
    /// The features of consecutive pairs, for reading or writing.
    type Part<'a, A: 'a>;
    type PartMut<'a, A: 'a>;

    /// Whether, for a rotation back, a part has the features of a pair swapped: (y, x) is then
    /// rotated forward.
    const SWAPS: bool;

    fn features(pair: usize, pairs: usize) -> [usize; 2];
    /// Returns `count` pairs of a row, from `at` on.
    fn part<A>(row: &[A], at: usize, count: usize, back: bool) -> Self::Part<'_, A>;
    fn part_mut<A>(row: &mut [A], at: usize, count: usize, back: bool) -> Self::PartMut<'_, A>;
    /// Loads the i-th vector of pairs: one vector of first features and one of second features.
    fn load<S: Simd, A: Lanes>(simd: S, part: Self::Part<'_, A>, i: usize) -> [A::Vector<S>; 2];
    fn store<S: Simd, A: Lanes>(pairs: [A::Vector<S>; 2], part: Self::PartMut<'_, A>, i: usize);
}

struct Halves;

impl Pairs for Halves {
    type Part<'a, A: 'a> = [&'a [A]; 2];
    type PartMut<'a, A: 'a> = [&'a mut [A]; 2];
    const SWAPS: bool = true;

    #[inline(always)]
    fn features(pair: usize, pairs: usize) -> [usize; 2] {
        [pair, pairs + pair]
    }

    #[inline(always)]
    fn part<A>(row: &[A], at: usize, count: usize, back: bool) -> [&[A]; 2] {
        let (first, second) = row.split_at(row.len() / 2);
        let (first, second) = if back { (second, first) } else { (first, second) };
        [&first[at..][..count], &second[at..][..count]]
    }

    #[inline(always)]
    fn part_mut<A>(row: &mut [A], at: usize, count: usize, back: bool) -> [&mut [A]; 2] {
        let (first, second) = row.split_at_mut(row.len() / 2);
        let (first, second) = if back { (second, first) } else { (first, second) };
        [&mut first[at..][..count], &mut second[at..][..count]]
    }

    #[inline(always)]
    fn load<S: Simd, A: Lanes>(simd: S, [x, y]: [&[A]; 2], i: usize) -> [A::Vector<S>; 2] {
        let lanes = A::Vector::<S>::LEN;
        // Not a closure, which would not use the instructions of `simd` unless it is inlined.
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
    const SWAPS: bool = false;

    #[inline(always)]
    fn features(pair: usize, _: usize) -> [usize; 2] {
        [2 * pair, 2 * pair + 1]
    }

    #[inline(always)]
    fn part<A>(row: &[A], at: usize, count: usize, _: bool) -> &[A] {
        &row[2 * at..][..2 * count]
    }

    #[inline(always)]
    fn part_mut<A>(row: &mut [A], at: usize, count: usize, _: bool) -> &mut [A] {
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
