//! Groups: sine and cosine of a few pairs in vector registers, from their phases to the columns of a row.

use fearless_simd::prelude::*;

use super::kernel::{BLOCK, CENTRE, Job, OCTET};
use super::sincos::{Two, rough_sincos, sincos};
use super::turns::{GROUP, Turns, Words};
use super::{Lanes, Store};
use crate::{Element, Position};

/// By how many positions a group is turned: from a centre to its rows, and to the next centre.
pub(super) const TURNS: [i64; 5] = [1, 2, 3, 4, OCTET];
/// What 15 turns from the anchor and that to a row cost at most, as a part of the amplitude. A turn costs 2.2 · 2⁻⁵³: half
/// a unit for its sum and, together, for its products, and what its table lacks.
const TURNED: f64 = 40.0 * f64::EPSILON / 2.0;
/// The bits of an exponent that are set from 2⁻¹⁵ up to 2, and not below: those of 1008 to 1023, of 16 binades.
///
/// Values below 2⁻¹⁵ of the power of two that is at most the amplitude are computed from their own phase: there, what turning
/// cost and cancellation brought to light exceeds 0.0024 ulp of f32, or twice that where the amplitude is nearly the next power.
const LARGE: u64 = 0b011_1111_0000 << 52;
/// The same for other amplitudes, where exponents are counted from 2047 down.
const LARGE_SHIFTED: u64 = 0b111_1111_0000 << 52;
/// How far apart a turned value and a rough one are at most, as a part of the amplitude, with room to spare.
const DOUBT: f64 = 4.0 * TURNED;
/// Below this angle in radians, no sine is small by cancellation and no cosine is small at all.
const UNWRAPPED: f64 = 1.5;

/// Sine and cosine of a group of pairs, two vectors each.
#[derive(Clone, Copy)]
pub(super) struct Group<S: Simd> {
    pub(super) sin: [S::f64s; 2],
    pub(super) cos: [S::f64s; 2],
}

impl<S: Simd> Group<S> {
    /// Sines, then cosines.
    #[inline(always)]
    pub(super) fn load(simd: S, values: &[f64]) -> Self {
        let (sin, cos) = values.split_at(2 * S::f64s::LEN);
        Self { sin: load_two(simd, sin), cos: load_two(simd, cos) }
    }

    #[inline(always)]
    pub(super) fn store(self, values: &mut [f64]) {
        let (sin, cos) = values.split_at_mut(2 * S::f64s::LEN);
        <f64 as Lanes>::write_group::<S>(self.sin, sin);
        <f64 as Lanes>::write_group::<S>(self.cos, cos);
    }

    #[inline(always)]
    pub(super) fn scaled(self, factor: f64) -> Self {
        let Self { sin, cos } = self;
        Self { sin: [sin[0] * factor, sin[1] * factor], cos: [cos[0] * factor, cos[1] * factor] }
    }

    /// The group turned by the angles of another one.
    #[inline(always)]
    pub(super) fn rotated(self, by: Self) -> Self {
        self.rotations(by)[0]
    }

    /// The group turned forwards and backwards by the angles of another one: both share their products.
    #[inline(always)]
    pub(super) fn rotations(self, by: Self) -> [Self; 2] {
        let sin_cos = [self.sin[0] * by.cos[0], self.sin[1] * by.cos[1]];
        let cos_sin = [self.cos[0] * by.sin[0], self.cos[1] * by.sin[1]];
        let cos_cos = [self.cos[0] * by.cos[0], self.cos[1] * by.cos[1]];
        let sin_sin = [self.sin[0] * by.sin[0], self.sin[1] * by.sin[1]];
        [
            Self {
                sin: [sin_cos[0] + cos_sin[0], sin_cos[1] + cos_sin[1]],
                cos: [cos_cos[0] - sin_sin[0], cos_cos[1] - sin_sin[1]],
            },
            Self {
                sin: [sin_cos[0] - cos_sin[0], sin_cos[1] - cos_sin[1]],
                cos: [cos_cos[0] + sin_sin[0], cos_cos[1] + sin_sin[1]],
            },
        ]
    }

    /// The group `offset` positions on from this centre, in its eight rows.
    #[inline(always)]
    fn near(self, table: &[f64], offset: i64) -> Self {
        let simd = self.sin[0].token();
        match offset {
            0 => self,
            1.. => self.rotated(turn(simd, table, offset)),
            _ => self.rotations(turn(simd, table, -offset))[1],
        }
    }

    /// Every value plus `offset`.
    #[inline(always)]
    fn shifted(self, offset: f64) -> Self {
        let Self { sin, cos } = self;
        Self { sin: [sin[0] + offset, sin[1] + offset], cos: [cos[0] + offset, cos[1] + offset] }
    }

    /// The group with the pairs of another one where not all bits are set.
    #[inline(always)]
    fn or_where_unsure(self, by: Self, sure: [S::u64s; 2]) -> Self {
        let Self { mut sin, mut cos } = self;
        for i in 0..2 {
            let keep = sure[i].simd_eq(!0);
            (sin[i], cos[i]) = (keep.select(sin[i], by.sin[i]), keep.select(cos[i], by.cos[i]));
        }
        Self { sin, cos }
    }
}

/// The turn by some positions, one of [`TURNS`], in the table of a group.
#[inline(always)]
pub(super) fn turn<S: Simd>(simd: S, table: &[f64], by: i64) -> Group<S> {
    let width = 4 * S::f64s::LEN;
    let at = if by == OCTET { TURNS.len() - 1 } else { by as usize - 1 };
    Group::load(simd, &table[at * width..(at + 1) * width])
}

/// The group of pairs from `first` on at one position, by phase and polynomial, without the amplitude.
///
/// It stays a call: inlined wherever it is used, it would be most of the code.
#[inline(never)]
pub(super) fn exact<S: Simd>(simd: S, turns: &Turns, position: Position, first: usize) -> Group<S> {
    simd.vectorize(
        #[inline(always)]
        || {
            let half = S::f64s::LEN;
            let (low, high) = (turns.phases(simd, position, first), turns.phases(simd, position, first + half));
            let radians = |first| S::f64s::from_slice(simd, &turns.radians()[first..first + half]) * position.to_f64();
            let angles = Two(radians(first), radians(first + half));
            sincos(simd, Two(low.0, high.0), Two(low.1, high.1), angles).into()
        },
    )
}

/// The same at a position below 2³² in magnitude.
#[inline(always)]
pub(super) fn exact_near<S: Simd>(simd: S, words: Words<'_>, position: i64) -> Group<S> {
    let [low, high] = words.halves();
    let angles = Two(low.angles(simd, position), high.angles(simd, position));
    let (low, high) = (low.near_phases(simd, position), high.near_phases(simd, position));
    sincos(simd, Two(low.0, high.0), Two(low.1, high.1), angles).into()
}

/// The same within 2⁻⁴⁸.
#[inline(always)]
pub(super) fn rough_near<S: Simd>(simd: S, words: Words<'_>, position: i64) -> Group<S> {
    let [low, high] = words.halves();
    rough_sincos(simd, Two(low.rough_phases(simd, position), high.rough_phases(simd, position))).into()
}

impl<S: Simd> From<(Two<S::f64s>, Two<S::f64s>)> for Group<S> {
    #[inline(always)]
    fn from((sin, cos): (Two<S::f64s>, Two<S::f64s>)) -> Self {
        Self { sin: [sin.0, sin.1], cos: [cos.0, cos.1] }
    }
}

/// What is known of values that were stored.
#[derive(Clone, Copy)]
pub(super) struct Seen<S: Simd> {
    /// Bits that tell whether all sines and cosines are large, pair by pair.
    large: [S::u64s; 2],
    /// Whether some were rounded twice where it matters.
    doubtful: S::mask32s,
}

impl<S: Simd> Seen<S> {
    #[inline(always)]
    pub(super) fn nothing(simd: S) -> Self {
        Self { large: [S::u64s::splat(simd, !0); 2], doubtful: S::mask32s::splat(simd, false) }
    }
}

/// Where the two vectors of a group go: the sines and the cosines, or the first and the second part where they alternate.
pub(super) type Slot<'a, A> = (&'a mut [A], &'a mut [A]);

#[inline(always)]
fn load_two<S: Simd>(simd: S, values: &[f64]) -> [S::f64s; 2] {
    let (low, high) = values.split_at(S::f64s::LEN);
    [S::f64s::from_slice(simd, low), S::f64s::from_slice(simd, high)]
}

impl<S: Simd, const INTERLEAVED: bool, const UNIT: bool> Job<'_, S, INTERLEAVED, UNIT> {
    /// Pairs in a group.
    pub(super) const WIDTH: usize = 2 * S::f64s::LEN;

    #[inline(always)]
    fn radians(self, first: usize) -> S::f64s {
        S::f64s::from_slice(self.simd, &self.task.waves.turns.radians()[first..first + S::f64s::LEN])
    }

    /// Which pairs have not wrapped from `octet` to the end of its block, and so lose nothing to cancellation. At position 0 the
    /// sine cancels whole, and to zero unless rounding the amplitude stands in the way.
    #[inline(always)]
    fn unwrapped(self, octet: i64, first: usize) -> S::mask64s {
        let farthest = octet.unsigned_abs() as f64 + BLOCK as f64;
        let unwrapped = if octet == 0 && self.task.waves.amplitude != 1.0 { 0.0 } else { UNWRAPPED };
        (self.radians(first).abs() * farthest).simd_lt(unwrapped)
    }

    /// All bits of pairs that have not wrapped; of others, those that do not tell whether they are large.
    #[inline(always)]
    pub(super) fn sure(self, octet: i64, first: usize) -> [S::u64s; 2] {
        let all = S::u64s::splat(self.simd, !0);
        let rest = S::u64s::splat(self.simd, if UNIT { !LARGE } else { !LARGE_SHIFTED });
        let low = self.unwrapped(octet, first).select(all, rest);
        let high = self.unwrapped(octet, first + S::f64s::LEN).select(all, rest);
        [low, high]
    }

    /// Bits of which those of [`LARGE`] tell whether sines and cosines are.
    #[inline(always)]
    fn large(self, group: Group<S>) -> [S::u64s; 2] {
        let bits = |value: S::f64s| {
            let bits = value.bitcast::<S::u64s>();
            if UNIT { bits } else { bits + self.task.waves.shift }
        };
        [bits(group.sin[0]) & bits(group.cos[0]), bits(group.sin[1]) & bits(group.cos[1])]
    }

    /// Whether values are large that are not sure anyway.
    #[inline(always)]
    fn is_sure(self, large: [S::u64s; 2], sure: [S::u64s; 2]) -> bool {
        let all = (large[0] | sure[0]) & (large[1] | sure[1]);
        all.bitcast::<S::u32s>().simd_eq(!0).all_true()
    }

    /// Whether all that was stored is as it should be.
    #[inline(always)]
    pub(super) fn is_right(self, seen: Seen<S>, sure: &[u64]) -> bool {
        let (low, high) = sure.split_at(S::u64s::LEN);
        let sure = [S::u64s::from_slice(self.simd, low), S::u64s::from_slice(self.simd, high)];
        self.is_sure(seen.large, sure) & !seen.doubtful.any_true()
    }

    /// A group at the anchor of a block.
    #[inline(always)]
    pub(super) fn anchor(self, block: i64, first: usize) -> Group<S> {
        exact(self.simd, &self.task.waves.turns, Position::Integer(block + CENTRE), first)
            .scaled(self.task.waves.amplitude)
    }

    /// A group at position 0, where every sine would be in doubt. Its zeros have the signs that they have in a run of rows: those of
    /// the frequencies, unless turning back to zero has made them.
    #[inline(always)]
    pub(super) fn unturned(self, first: usize) -> Group<S> {
        let zero = S::f64s::splat(self.simd, 0.0);
        let low = self.unwrapped(0, first).select(zero, self.radians(first) * 0.0);
        let first = first + S::f64s::LEN;
        let high = self.unwrapped(0, first).select(zero, self.radians(first) * 0.0);
        Group { sin: [low, high], cos: [S::f64s::splat(self.simd, 1.0); 2] }.scaled(self.task.waves.amplitude)
    }

    /// Eight rows of which some are suspected of cancellation, from their centre.
    #[cold]
    #[inline(never)]
    pub(super) fn put_settled<A: Element>(self, centre: &[f64], octet: i64, first: usize, slots: [Slot<'_, A>; 8]) {
        self.simd.vectorize(
            #[inline(always)]
            || {
                for (position, slot) in (octet..).zip(slots) {
                    self.put_near(centre, position, first, slot);
                }
            },
        );
    }

    /// The group at a position from that at its centre.
    #[inline(always)]
    pub(super) fn put_near<A: Element>(self, centre: &[f64], position: i64, first: usize, slot: Slot<'_, A>) {
        let group = Group::load(self.simd, centre)
            .near(self.task.waves.steps(first..first + Self::WIDTH), position.rem_euclid(OCTET) - CENTRE);
        // What is sure from the second octet of a block on is sure in its rest.
        let step = position.rem_euclid(BLOCK);
        let sure = self.sure(position - step + (step - step % OCTET).min(OCTET), first);
        let large = self.large(group);
        if self.is_sure(large, sure) {
            self.put(group, slot);
        } else {
            self.put(self.settled(group, [large[0] | sure[0], large[1] | sure[1]], position, first), slot);
        }
    }

    /// The group with what is not sure computed from its own phase.
    #[cold]
    #[inline(never)]
    fn settled(self, group: Group<S>, sure: [S::u64s; 2], position: i64, first: usize) -> Group<S> {
        self.simd.vectorize(
            #[inline(always)]
            || {
                let exact = exact(self.simd, &self.task.waves.turns, Position::Integer(position), first)
                    .scaled(self.task.waves.amplitude);
                group.or_where_unsure(exact, sure)
            },
        )
    }

    /// The group at a position by itself: the rough one, unless it is so close to where rounding changes that the one that a run
    /// of rows would have might be rounded otherwise.
    #[inline(always)]
    pub(super) fn put_lone<A: Element>(
        self,
        group: Group<S>,
        position: i64,
        first: usize,
        front: &mut [A],
        back: &mut [A],
    ) {
        let group = group.scaled(self.task.waves.amplitude);
        let doubt = DOUBT * self.task.waves.amplitude.abs();
        let (low, high) = (group.shifted(-doubt), group.shifted(doubt));
        let same = |low, high| A::are_same::<S>(A::to_group::<S>(low), A::to_group::<S>(high));
        if same(low.sin, high.sin) & same(low.cos, high.cos) {
            self.put(high, (front, back));
        } else {
            self.put_turned(position, first, front, back);
        }
    }

    /// A group of exact phases.
    #[inline(always)]
    pub(super) fn put_exact<A: Element>(self, group: Group<S>, slot: Slot<'_, A>) {
        let amplitude = self.task.waves.amplitude;
        self.put(if amplitude == 1.0 { group } else { group.scaled(amplitude) }, slot);
    }

    /// The group at a position by itself, in the way of runs.
    #[cold]
    #[inline(never)]
    fn put_turned<A: Element>(self, position: i64, first: usize, front: &mut [A], back: &mut [A]) {
        self.simd.vectorize(
            #[inline(always)]
            || {
                let turn = turn(self.simd, self.task.waves.steps(first..first + Self::WIDTH), OCTET);
                let step = position.rem_euclid(BLOCK);
                let mut centre = self.anchor(position - step, first);
                for _ in 0..step / OCTET {
                    centre = centre.rotated(turn);
                }
                let mut values = [0.0; 2 * GROUP];
                centre.store(&mut values[..2 * Self::WIDTH]);
                self.put_near(&values[..2 * Self::WIDTH], position, first, (front, back));
            },
        );
    }

    /// Stores a group and remembers what could be wrong with it.
    #[inline(always)]
    pub(super) fn put_unsure<A: Element>(self, group: Group<S>, slot: Slot<'_, A>, seen: Seen<S>) -> Seen<S> {
        let (sin, cos) = (A::to_group_or_doubt::<S>(group.sin), A::to_group_or_doubt::<S>(group.cos));
        self.put_rounded(sin.0, cos.0, slot);
        let large = self.large(group);
        let large = [seen.large[0] & large[0], seen.large[1] & large[1]];
        Seen { large, doubtful: seen.doubtful | sin.1 | cos.1 }
    }

    /// Stores a group.
    #[inline(always)]
    pub(super) fn put<A: Element>(self, group: Group<S>, slot: Slot<'_, A>) {
        self.put_rounded(A::to_group::<S>(group.sin), A::to_group::<S>(group.cos), slot);
    }

    #[inline(always)]
    fn put_rounded<A: Element>(self, sin: A::Group<S>, cos: A::Group<S>, slot: Slot<'_, A>) {
        if INTERLEAVED {
            return A::write_pairs::<S>(sin, cos, (slot.0, slot.1));
        }
        A::write_group::<S>(sin, slot.0);
        A::write_group::<S>(cos, slot.1);
    }

    /// Stores or adds as many of the values as there is room for.
    #[inline(always)]
    pub(super) fn deliver<A: Element>(self, out: &mut [A], values: &[A]) {
        let values = &values[..out.len()];
        if self.task.store == Store::Write {
            return out.copy_from_slice(values);
        }
        let (whole, rest) = values.split_at(out.len() - out.len() % Self::WIDTH);
        let mut groups = out.chunks_exact_mut(Self::WIDTH);
        for (out, values) in groups.by_ref().zip(whole.chunks_exact(Self::WIDTH)) {
            A::write_group::<S>(A::sum::<S>(A::load_group(self.simd, out), A::load_group(self.simd, values)), out);
        }
        for (out, value) in groups.into_remainder().iter_mut().zip(rest) {
            *out = *out + *value;
        }
    }

    /// The columns after the pairs.
    #[inline(always)]
    pub(super) fn zeros<A: Element>(self, row: &mut [A]) {
        for out in &mut row[self.task.columns.used()..] {
            *out = if self.task.store == Store::Add { *out + A::zero() } else { A::zero() };
        }
    }
}
