//! Groups: sine and cosine of a few pairs in vector registers, from their phases to the columns of
//! a row.

use fearless_simd::prelude::*;

use super::Store;
use super::kernel::{BLOCK, CENTRE, Job, OCTET};
use super::sincos::Two;
use super::turned::{Group, Number, SinCos, exact, exponents};
use super::turns::GROUP;
use crate::{Element, Position};

/// The bits of an exponent that are set from 2⁻¹⁵ up to 2, and not below: those of 1008 to 1023, of
/// 16 binades.
///
/// Values below 2⁻¹⁵ of the power of two that is at most the amplitude are computed from their own
/// phase: there, what turning cost and cancellation brought to light exceeds 0.0024 ulp of f32, or
/// twice that where the amplitude is nearly the next power.
const LARGE: u64 = 0b011_1111_0000 << 52;
/// The same for other amplitudes, where exponents are counted from 2047 down.
const LARGE_SHIFTED: u64 = 0b111_1111_0000 << 52;
/// Below this angle in radians, no sine is small by cancellation and no cosine is small at all.
const UNWRAPPED: f64 = 1.5;

/// What is known of values that were stored.
#[derive(Clone, Copy)]
pub(super) struct Seen<S: Simd> {
    /// Bits that tell whether all sines and cosines are large, pair by pair.
    large: Two<S::u32s>,
    /// Whether some were rounded twice where it matters.
    doubtful: S::mask32s,
    /// [`Job::shift`], at hand.
    shift: Option<u64>,
}

impl<S: Simd> Seen<S> {
    #[inline(always)]
    pub(super) fn nothing(simd: S, shift: Option<u64>) -> Self {
        Self {
            large: Two(S::u32s::splat(simd, !0), S::u32s::splat(simd, !0)),
            doubtful: S::mask32s::splat(simd, false),
            shift,
        }
    }

    /// Keeps it while the sines of a group wait for its cosines.
    #[inline(always)]
    pub(super) fn store(self, values: &mut [u32]) {
        let zero = S::u32s::splat(self.large.0.token(), 0);
        let doubtful = self.doubtful.select(!zero, zero);
        let mut vectors = values.chunks_exact_mut(S::u32s::LEN);
        for vector in [self.large.0, self.large.1, doubtful] {
            if let Some(place) = vectors.next() {
                vector.store_slice(place);
            }
        }
    }

    #[inline(always)]
    pub(super) fn load(simd: S, values: &[u32], shift: Option<u64>) -> Self {
        let (low, rest) = values.split_at(S::u32s::LEN);
        let (high, doubtful) = rest.split_at(S::u32s::LEN);
        let vector = |values| S::u32s::from_slice(simd, values);
        let doubtful = !vector(doubtful).simd_eq(0);
        Self { large: Two(vector(low), vector(high)), doubtful, shift }
    }
}

/// Where the two vectors of a group go: the sines and the cosines, or the first and the second part
/// where they alternate.
pub(super) type Slot<'a, A> = (&'a mut [A], &'a mut [A]);

impl<S: Simd, const INTERLEAVED: bool, const UNIT: bool> Job<'_, S, INTERLEAVED, UNIT> {
    /// Pairs in a group.
    pub(super) const WIDTH: usize = 2 * S::f64s::LEN;

    #[inline(always)]
    fn radians(self, first: usize) -> S::f64s {
        S::f64s::from_slice(
            self.simd,
            &self.task.waves.turns.radians()[first..first + S::f64s::LEN],
        )
    }

    /// Which pairs have not wrapped from `octet` to the end of its block, and so lose nothing to
    /// cancellation. At position 0 the sine cancels whole, and to zero unless rounding the
    /// amplitude stands in the way.
    #[inline(always)]
    fn unwrapped(self, octet: i64, first: usize) -> S::mask64s {
        let farthest = octet.unsigned_abs() as f64 + BLOCK as f64;
        let unwrapped =
            if octet == 0 && self.task.waves.amplitude != 1.0 { 0.0 } else { UNWRAPPED };
        (self.radians(first).abs() * farthest).simd_lt(unwrapped)
    }

    /// Which pairs lose nothing to cancellation from `octet` to the end of its block. Longer
    /// numbers have no place for what is small from the beginning, but zero.
    #[inline(always)]
    fn uncancelled<A: Element>(self, octet: i64, first: usize) -> S::mask64s {
        if A::EXACT { self.radians(first).simd_eq(0.0) } else { self.unwrapped(octet, first) }
    }

    /// All bits of pairs that lose nothing to cancellation; of others, those that do not tell
    /// whether they are large.
    #[inline(always)]
    pub(super) fn sure<A: Element>(self, octet: i64, first: usize) -> Two<S::u64s> {
        let all = S::u64s::splat(self.simd, !0);
        let rest = S::u64s::splat(self.simd, if UNIT { !LARGE } else { !LARGE_SHIFTED });
        let low = self.uncancelled::<A>(octet, first).select(all, rest);
        let high = self.uncancelled::<A>(octet, first + S::f64s::LEN).select(all, rest);
        Two(low, high)
    }

    /// What makes exponents those of [`LARGE_SHIFTED`].
    #[inline(always)]
    pub(super) fn shift(self) -> Option<u64> {
        if UNIT { None } else { Some(self.task.waves.shift) }
    }

    /// The masks of [`Job::sure`] for what is shown.
    #[inline(always)]
    pub(super) fn masks<A: Element>(self, octet: i64, first: usize) -> Two<S::u32s> {
        A::Number::<S>::masks(self.sure::<A>(octet, first), !UNIT, INTERLEAVED && A::PAIRED)
    }

    /// Whether all that was stored is as it should be.
    #[inline(always)]
    pub(super) fn is_right(self, seen: Seen<S>, masks: &[u32]) -> bool {
        let (low, high) = masks.split_at(S::u32s::LEN);
        let masks = Two(S::u32s::from_slice(self.simd, low), S::u32s::from_slice(self.simd, high));
        let all = (seen.large.0 | masks.0) & (seen.large.1 | masks.1);
        all.simd_eq(!0).all_true() & !seen.doubtful.any_true()
    }

    /// A group at the anchor of a block.
    #[inline(always)]
    pub(super) fn anchor<A: Element>(self, block: i64, first: usize) -> SinCos<A::Number<S>> {
        let waves = self.task.waves;
        exact::<S, A::Number<S>>(self.simd, &waves.turns, Position::Integer(block + CENTRE), first)
            .scaled::<S>(waves)
    }

    /// A group at position 0, where every sine would be in doubt. Its zeros have the signs that
    /// they have in a run of rows: those of the frequencies, unless turning back to zero has made
    /// them.
    #[inline(always)]
    pub(super) fn unturned<A: Element>(self, first: usize) -> Group<S> {
        let (zero, one) = (S::f64s::splat(self.simd, 0.0), S::f64s::splat(self.simd, 1.0));
        let low = self.uncancelled::<A>(0, first).select(zero, self.radians(first) * 0.0);
        let first = first + S::f64s::LEN;
        let high = self.uncancelled::<A>(0, first).select(zero, self.radians(first) * 0.0);
        Group::<S> { sin: Two(low, high), cos: Two(one, one) }.scaled::<S>(self.task.waves)
    }

    /// Eight rows of which some are suspected of cancellation, from their centre.
    #[cold]
    #[inline(never)]
    pub(super) fn put_settled<A: Element>(
        self,
        centre: &[f64],
        octet: i64,
        first: usize,
        slots: [Slot<'_, A>; 8],
    ) {
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
    pub(super) fn put_near<A: Element>(
        self,
        centre: &[f64],
        position: i64,
        first: usize,
        slot: Slot<'_, A>,
    ) {
        let (waves, offset) = (self.task.waves, position.rem_euclid(OCTET) - CENTRE);
        let steps = waves.steps::<S, A::Number<S>>(first..first + Self::WIDTH);
        let centre = SinCos::<A::Number<S>>::load(self.simd, centre);
        let group = centre.beside(self.simd, steps, offset).rounded::<S>();
        // What is sure from the second octet of a block on is sure in its rest.
        let step = position.rem_euclid(BLOCK);
        let sure = self.sure::<A>(position - step + (step - step % OCTET).min(OCTET), first);
        self.put_or_settle(group, sure, Position::Integer(position), first, slot);
    }

    /// The group at a position that no run has, of longer numbers.
    #[inline(always)]
    pub(super) fn put_real<A: Element>(self, position: Position, first: usize, slot: Slot<'_, A>) {
        let waves = self.task.waves;
        let group = exact::<S, A::Number<S>>(self.simd, &waves.turns, position, first)
            .scaled::<S>(waves)
            .rounded::<S>();
        self.put_or_settle(group, self.sure::<A>(0, first), position, first, slot);
    }

    /// A group, but what is neither large nor sure computed from its own phase.
    #[inline(always)]
    fn put_or_settle<A: Element>(
        self,
        group: Group<S>,
        sure: Two<S::u64s>,
        position: Position,
        first: usize,
        slot: Slot<'_, A>,
    ) {
        let large = exponents::<S>(A::Number::<S>::shown(group), self.shift());
        let sure = Two(large.0 | sure.0, large.1 | sure.1);
        if (sure.0 & sure.1).bitcast::<S::u32s>().simd_eq(!0).all_true() {
            self.put(group, slot);
        } else {
            self.put(self.settled(group, sure, position, first), slot);
        }
    }

    /// The group with what is not sure, where not all bits are set, computed from its own phase.
    #[cold]
    #[inline(never)]
    fn settled(
        self,
        group: Group<S>,
        sure: Two<S::u64s>,
        position: Position,
        first: usize,
    ) -> Group<S> {
        self.simd.vectorize(
            #[inline(always)]
            || {
                let waves = self.task.waves;
                let exact: Group<S> = exact(self.simd, &waves.turns, position, first);
                let exact = exact.scaled::<S>(waves);
                let (low, high) = (sure.0.simd_eq(!0), sure.1.simd_eq(!0));
                Group::<S> {
                    sin: Two(
                        low.select(group.sin.0, exact.sin.0),
                        high.select(group.sin.1, exact.sin.1),
                    ),
                    cos: Two(
                        low.select(group.cos.0, exact.cos.0),
                        high.select(group.cos.1, exact.cos.1),
                    ),
                }
            },
        )
    }

    /// The group at a position by itself, unless it is so close to where rounding changes that the
    /// one that a run of rows would have might be rounded otherwise.
    #[inline(always)]
    pub(super) fn put_lone<A: Element>(
        self,
        group: SinCos<A::Number<S>>,
        position: i64,
        first: usize,
        front: &mut [A],
        back: &mut [A],
    ) {
        let group = group.scaled::<S>(self.task.waves);
        let doubt = A::Number::<S>::DOUBT * self.task.waves.amplitude.abs();
        let (low, high) = (group.shifted::<S>(-doubt), group.shifted::<S>(doubt));
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
        let waves = self.task.waves;
        self.put(if waves.amplitude == 1.0 { group } else { group.scaled::<S>(waves) }, slot);
    }

    /// The group at a position by itself, in the way of runs.
    #[cold]
    #[inline(never)]
    fn put_turned<A: Element>(self, position: i64, first: usize, front: &mut [A], back: &mut [A]) {
        self.simd.vectorize(
            #[inline(always)]
            || {
                let waves = self.task.waves;
                let steps = waves.steps::<S, A::Number<S>>(first..first + Self::WIDTH);
                let turn = SinCos::turn(self.simd, steps, OCTET);
                let step = position.rem_euclid(BLOCK);
                let mut centre = self.anchor::<A>(position - step, first);
                for _ in 0..step / OCTET {
                    centre = centre.advanced::<S>(turn, waves);
                }
                let mut values = [0.0; 4 * GROUP];
                let values = &mut values[..2 * A::Number::<S>::PARTS * Self::WIDTH];
                centre.store::<S>(values);
                self.put_near(values, position, first, (front, back));
            },
        );
    }

    /// Stores a group and remembers what could be wrong with it.
    #[inline(always)]
    pub(super) fn put_unsure<A: Element>(
        self,
        group: SinCos<A::Number<S>>,
        slot: Slot<'_, A>,
        seen: Seen<S>,
    ) -> Seen<S> {
        let group = group.rounded::<S>();
        let (sin, cos) =
            (A::to_group_or_doubt::<S>(group.sin), A::to_group_or_doubt::<S>(group.cos));
        self.put_rounded(sin.0, cos.0, slot);
        let large = A::Number::<S>::exponents(group, seen.shift, INTERLEAVED && A::PAIRED);
        let large = Two(seen.large.0 & large.0, seen.large.1 & large.1);
        Seen { large, doubtful: seen.doubtful | sin.1 | cos.1, ..seen }
    }

    /// The same of its sines or its cosines.
    #[inline(always)]
    pub(super) fn put_half<A: Element>(
        self,
        values: A::Number<S>,
        out: &mut [A],
        seen: Seen<S>,
    ) -> Seen<S> {
        let values = values.rounded();
        let (group, doubtful) = A::to_group_or_doubt::<S>(values);
        A::write_group::<S>(group, out);
        let large =
            A::Number::<S>::exponents(Group::<S> { sin: values, cos: values }, seen.shift, false);
        let large = Two(seen.large.0 & large.0, seen.large.1 & large.1);
        Seen { large, doubtful: seen.doubtful | doubtful, ..seen }
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
            A::write_group::<S>(
                A::sum::<S>(A::load_group(self.simd, out), A::load_group(self.simd, values)),
                out,
            );
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
