//! Groups: sine and cosine of a few pairs in vector registers, from their phases to the columns of a row.

use fearless_simd::prelude::*;

use super::kernel::{ANCHOR, BLOCK, Job, QUAD};
use super::sincos::{rough_sincos, sincos};
use super::turns::{GROUP, Turns};
use super::{Lanes, Layout};
use crate::{Element, Position};

/// What 16 turns from the anchor and those to a row cost at most, as a part of the amplitude. A turn costs 2.2 · 2⁻⁵³: half a
/// unit for its sum and, together, for its products, and what its table lacks.
const TURNED: f64 = 40.0 * f64::EPSILON / 2.0;
/// Values below this, as a part of the amplitude, are computed from their own phase: there, what turning cost and
/// cancellation brought to light exceeds 0.002 ulp of f32.
const CANCELLED: f64 = TURNED * (1_u64 << 33) as f64;
/// 1 less the rounding of f32, with room to spare.
const BELOW: f64 = 1.0 - 1.0 / (1 << 20) as f64;
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

    /// The rows around this centre: one position before it, its own, one and two after it.
    #[inline(always)]
    pub(super) fn quad(self, one: Self) -> [Self; 4] {
        let [after, before] = self.rotations(one);
        [before, self, after, self.step_after(after, one)]
    }

    /// The group two positions on, where `after` is one position on: sin(x + 2w) = 2 cos w · sin(x + w) − sin x, and so for
    /// the cosine.
    #[inline(always)]
    fn step_after(self, after: Self, one: Self) -> Self {
        let twice = [one.cos[0] + one.cos[0], one.cos[1] + one.cos[1]];
        Self {
            sin: [after.sin[0] * twice[0] - self.sin[0], after.sin[1] * twice[1] - self.sin[1]],
            cos: [after.cos[0] * twice[0] - self.cos[0], after.cos[1] * twice[1] - self.cos[1]],
        }
    }

    /// Every value plus `offset`.
    #[inline(always)]
    fn shifted(self, offset: f64) -> Self {
        let Self { sin, cos } = self;
        Self { sin: [sin[0] + offset, sin[1] + offset], cos: [cos[0] + offset, cos[1] + offset] }
    }

    /// The group with the pairs of another one where its own sine or cosine is below a bound.
    #[inline(always)]
    fn replaced(self, by: Self, bound: [S::f64s; 2]) -> Self {
        let Self { mut sin, mut cos } = self;
        for i in 0..2 {
            let below = sin[i].abs().min(cos[i].abs()).simd_lt(bound[i]);
            (sin[i], cos[i]) = (below.select(by.sin[i], sin[i]), below.select(by.cos[i], cos[i]));
        }
        Self { sin, cos }
    }

    /// The smaller magnitude of sine and cosine, rounded to f32.
    #[inline(always)]
    pub(super) fn smaller(self) -> S::f32s {
        let (sin, cos) = (<f32 as Lanes>::to_group::<S>(self.sin), <f32 as Lanes>::to_group::<S>(self.cos));
        sin.abs().min(cos.abs())
    }
}

/// The turns of a group by four positions and by one.
#[derive(Clone, Copy)]
pub(super) struct Steps<S: Simd> {
    pub(super) four: Group<S>,
    pub(super) one: Group<S>,
}

impl<S: Simd> Steps<S> {
    #[inline(always)]
    pub(super) fn load(simd: S, values: &[f64]) -> Self {
        let (four, one) = values.split_at(4 * S::f64s::LEN);
        Self { four: Group::load(simd, four), one: Group::load(simd, one) }
    }
}

/// The group of pairs from `first` on at one position, by phase and polynomial, without the amplitude.
///
/// It stays a call: inlined wherever it is used, it would be most of the code.
#[inline(never)]
pub(super) fn exact<S: Simd>(simd: S, turns: &Turns, position: Position, first: usize) -> Group<S> {
    simd.vectorize(
        #[inline(always)]
        || {
            let low = exact_vector(simd, turns, position, first);
            let high = exact_vector(simd, turns, position, first + S::f64s::LEN);
            Group { sin: [low.0, high.0], cos: [low.1, high.1] }
        },
    )
}

#[inline(always)]
fn exact_vector<S: Simd>(simd: S, turns: &Turns, position: Position, first: usize) -> (S::f64s, S::f64s) {
    let (high, low) = turns.phases(simd, position, first);
    let radians = S::f64s::from_slice(simd, &turns.radians()[first..first + S::f64s::LEN]);
    sincos(simd, high, low, radians * position.to_f64())
}

/// The same within 2⁻⁴⁸.
#[inline(always)]
fn rough<S: Simd>(simd: S, turns: &Turns, position: i64, first: usize) -> Group<S> {
    if position.unsigned_abs() >= 1 << 32 {
        return exact(simd, turns, Position::Integer(position), first);
    }
    let low = rough_sincos(simd, turns.rough_phases(simd, position, first));
    let high = rough_sincos(simd, turns.rough_phases(simd, position, first + S::f64s::LEN));
    Group { sin: [low.0, high.0], cos: [low.1, high.1] }
}

/// Where the two vectors of a group go: the sines and the cosines, or the first and the second part where they alternate.
pub(super) type Slot<'a, A> = (&'a mut [A], &'a mut [A]);

/// `len` values from `start` on, or those that there are.
#[inline(always)]
fn part<A>(values: &mut [A], start: usize, len: usize) -> &mut [A] {
    let end = (start + len).min(values.len());
    &mut values[start.min(end)..end]
}

#[inline(always)]
fn load_two<S: Simd>(simd: S, values: &[f64]) -> [S::f64s; 2] {
    let (low, high) = values.split_at(S::f64s::LEN);
    [S::f64s::from_slice(simd, low), S::f64s::from_slice(simd, high)]
}

impl<S: Simd, const ADD: bool, const INTERLEAVED: bool> Job<'_, S, ADD, INTERLEAVED> {
    /// Pairs in a group.
    pub(super) const WIDTH: usize = 2 * S::f64s::LEN;

    #[inline(always)]
    fn radians(self, first: usize) -> S::f64s {
        S::f64s::from_slice(self.simd, &self.waves.turns.radians()[first..first + S::f64s::LEN])
    }

    /// Below which magnitude the rows of four positions, and of those after them in the block, are suspected of cancellation;
    /// zero for pairs that have not wrapped. At position 0 the sine cancels whole, and to zero unless rounding the
    /// amplitude stands in the way.
    #[inline(always)]
    pub(super) fn bound(self, quad: i64, first: usize) -> S::f32s {
        let farthest = quad.unsigned_abs() as f64 + BLOCK as f64;
        let unwrapped = if quad == 0 && self.waves.amplitude != 1.0 { 0.0 } else { UNWRAPPED };
        let cancelled = S::f64s::splat(self.simd, CANCELLED * self.waves.amplitude.abs());
        let none = S::f64s::splat(self.simd, 0.0);
        let low = (self.radians(first).abs() * farthest).simd_lt(unwrapped).select(none, cancelled);
        let high = (self.radians(first + S::f64s::LEN).abs() * farthest).simd_lt(unwrapped).select(none, cancelled);
        low.narrow(high)
    }

    /// A group at the anchor of a block.
    #[inline(always)]
    pub(super) fn anchor(self, block: i64, first: usize) -> Group<S> {
        exact(self.simd, &self.waves.turns, Position::Integer(block + ANCHOR), first).scaled(self.waves.amplitude)
    }

    /// Four rows of which some are suspected of cancellation, from their centre.
    #[cold]
    #[inline(never)]
    pub(super) fn put_settled<A: Element>(
        self,
        centre: &[f64],
        bound: &[f32],
        quad: i64,
        first: usize,
        slots: [Slot<'_, A>; 4],
    ) {
        self.simd.vectorize(
            #[inline(always)]
            || {
                let bound = S::f32s::from_slice(self.simd, bound);
                for ((position, slot), group) in (quad..).zip(slots).zip(self.rows(centre, first)) {
                    self.put_if_sure(group, bound, position, first, slot);
                }
            },
        );
    }

    /// The rows around a centre.
    #[inline(always)]
    fn rows(self, centre: &[f64], first: usize) -> [Group<S>; 4] {
        let one = Steps::load(self.simd, self.waves.steps(first..first + Self::WIDTH)).one;
        Group::load(self.simd, centre).quad(one)
    }

    /// The group at a position from that at its centre.
    #[inline(always)]
    pub(super) fn put_near<A: Element>(
        self,
        centre: &[f64],
        bound: S::f32s,
        position: i64,
        first: usize,
        slot: Slot<'_, A>,
    ) {
        let rows = self.rows(centre, first);
        let group = match position.rem_euclid(QUAD) {
            0 => rows[0],
            1 => rows[1],
            2 => rows[2],
            _ => rows[3],
        };
        self.put_if_sure(group, bound, position, first, slot);
    }

    #[inline(always)]
    fn put_if_sure<A: Element>(self, group: Group<S>, bound: S::f32s, position: i64, first: usize, slot: Slot<'_, A>) {
        if group.smaller().simd_lt(bound).any_true() {
            self.put(self.settled(group, bound, position, first), slot);
        } else {
            self.put(group, slot);
        }
    }

    /// The group with suspect pairs computed from their own phase.
    #[cold]
    #[inline(never)]
    fn settled(self, group: Group<S>, bound: S::f32s, position: i64, first: usize) -> Group<S> {
        self.simd.vectorize(
            #[inline(always)]
            || {
                let exact = exact(self.simd, &self.waves.turns, Position::Integer(position), first)
                    .scaled(self.waves.amplitude);
                // A little less than the bound: whatever is below this was suspected after it was rounded to f32 as well.
                let (low, high) = bound.widen();
                group.replaced(exact, [low * BELOW, high * BELOW])
            },
        )
    }

    /// The group at a position by itself: a rough value, unless it is so close to where rounding changes that the
    /// one that a run of rows would have might be rounded otherwise.
    #[inline(always)]
    pub(super) fn put_lone<A: Element>(self, position: i64, first: usize, slot: Slot<'_, A>) {
        let group = rough(self.simd, &self.waves.turns, position, first).scaled(self.waves.amplitude);
        let doubt = DOUBT * self.waves.amplitude.abs();
        let (low, high) = (group.shifted(-doubt), group.shifted(doubt));
        let same = |low, high| A::are_same::<S>(A::to_group::<S>(low), A::to_group::<S>(high));
        if same(low.sin, high.sin) & same(low.cos, high.cos) {
            self.put(high, slot);
        } else {
            self.put_turned(position, first, slot);
        }
    }

    /// The group at a position by itself, in the way of runs.
    #[cold]
    #[inline(never)]
    fn put_turned<A: Element>(self, position: i64, first: usize, slot: Slot<'_, A>) {
        self.simd.vectorize(
            #[inline(always)]
            || {
                let four = Steps::load(self.simd, self.waves.steps(first..first + Self::WIDTH)).four;
                let step = position.rem_euclid(BLOCK);
                let mut centre = self.anchor(position - step, first);
                for _ in 0..step / QUAD {
                    centre = centre.rotated(four);
                }
                let mut values = [0.0; 2 * GROUP];
                centre.store(&mut values[..2 * Self::WIDTH]);
                // The bounds of the first four rows of a block, or of the next, which hold for its rest.
                let quad = (step - step % QUAD).min(QUAD) + position - step;
                self.put_near(&values[..2 * Self::WIDTH], self.bound(quad, first), position, first, slot);
            },
        );
    }

    /// Stores or adds a group.
    #[inline(always)]
    pub(super) fn put<A: Element>(self, group: Group<S>, slot: Slot<'_, A>) {
        let (sin, cos) = (A::to_group::<S>(group.sin), A::to_group::<S>(group.cos));
        if INTERLEAVED && ADD {
            return A::add_pairs::<S>(self.simd, sin, cos, slot);
        } else if INTERLEAVED {
            return A::write_pairs::<S>(sin, cos, slot);
        }
        let [first, second] = if self.columns.layout == Layout::CosSinHalves { [cos, sin] } else { [sin, cos] };
        if ADD {
            A::add_group(self.simd, first, slot.0);
            A::add_group(self.simd, second, slot.1);
        } else {
            A::write_group::<S>(first, slot.0);
            A::write_group::<S>(second, slot.1);
        }
    }

    /// Gives `put` the place of the `at`-th group of some columns, or a copy of it where they end in its midst.
    #[inline(always)]
    pub(super) fn at<A: Element>(self, out: &mut [&mut [A]; 2], at: usize, put: impl FnOnce(Slot<'_, A>)) {
        let width = Self::WIDTH;
        let [firsts, seconds] = out;
        let (first, second) = if INTERLEAVED {
            let both = part(firsts, 2 * width * at, 2 * width);
            both.split_at_mut(width.min(both.len()))
        } else {
            (part(firsts, width * at, width), part(seconds, width * at, width))
        };
        if first.len() == width && second.len() == width {
            return put((first, second));
        }
        let (mut low, mut high) = ([A::zero(); GROUP], [A::zero(); GROUP]);
        low[..first.len()].copy_from_slice(first);
        high[..second.len()].copy_from_slice(second);
        put((&mut low[..width], &mut high[..width]));
        first.copy_from_slice(&low[..first.len()]);
        second.copy_from_slice(&high[..second.len()]);
    }

    /// The columns after the pairs.
    #[inline(always)]
    pub(super) fn zeros<A: Element>(self, row: &mut [A]) {
        for out in &mut row[self.columns.used()..] {
            *out = if ADD { *out + A::zero() } else { A::zero() };
        }
    }
}
