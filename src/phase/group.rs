//! Groups: sine and cosine of a few pairs in vector registers, from their phases to the columns of a row.

use fearless_simd::prelude::*;

use super::kernel::{HALF_BLOCK, Job, QUAD, centre_of};
use super::sincos::sincos;
use super::turns::{GROUP, Turns};
use super::{Lanes, Layout};
use crate::{Element, Position};

/// Values below this, as a part of the amplitude, are computed from their own phase: there, what the sum of products lost
/// to cancellation exceeds 0.001 ulp of f32.
const CANCELLED: f64 = 1.0 / (1_u64 << 17) as f64;
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

    /// The smaller magnitude of sine and cosine, rounded to f32.
    #[inline(always)]
    pub(super) fn smaller(self) -> S::f32s {
        let (sin, cos) = (<f32 as Lanes>::to_group::<S>(self.sin), <f32 as Lanes>::to_group::<S>(self.cos));
        sin.abs().min(cos.abs())
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

    /// Below which magnitude the rows around `anchor` are suspected of cancellation; zero for pairs that have not wrapped.
    #[inline(always)]
    pub(super) fn bound(self, anchor: i64, first: usize) -> S::f32s {
        let farthest = anchor.unsigned_abs() as f64 + HALF_BLOCK as f64;
        let cancelled = S::f64s::splat(self.simd, CANCELLED * self.waves.amplitude.abs());
        let none = S::f64s::splat(self.simd, 0.0);
        let low = (self.radians(first).abs() * farthest).simd_lt(UNWRAPPED).select(none, cancelled);
        let high = (self.radians(first + S::f64s::LEN).abs() * farthest).simd_lt(UNWRAPPED).select(none, cancelled);
        low.narrow(high)
    }

    /// The group at anchor + step with suspect pairs computed from their own phase, stored like the others.
    ///
    /// Everything is computed again, so that the values of the usual path never leave their registers.
    #[cold]
    #[inline(never)]
    pub(super) fn put_repaired<A: Element>(self, anchor: i64, step: i64, first: usize, slot: Slot<'_, A>) {
        self.simd.vectorize(
            #[inline(always)]
            || {
                let mut group =
                    self.turned(exact(self.simd, &self.waves.turns, Position::Integer(anchor), first), step, first);
                let exact = exact(self.simd, &self.waves.turns, Position::Integer(anchor + step), first)
                    .scaled(self.waves.amplitude);
                let bound = self.bound(anchor, first);
                for i in 0..Self::WIDTH {
                    let (vector, lane) = (i / S::f64s::LEN, i % S::f64s::LEN);
                    let smaller = (group.sin[vector][lane] as f32).abs().min((group.cos[vector][lane] as f32).abs());
                    if smaller < bound[i] {
                        group.sin[vector][lane] = exact.sin[vector][lane];
                        group.cos[vector][lane] = exact.cos[vector][lane];
                    }
                }
                self.put(group, slot);
            },
        );
    }

    /// A group at an anchor turned by `step` positions: to the centre, and from there.
    #[inline(always)]
    pub(super) fn turned(self, group: Group<S>, step: i64, first: usize) -> Group<S> {
        let simd = self.simd;
        let pairs = first..first + Self::WIDTH;
        let (one, two) = self.waves.centre_turns(pairs.clone()).split_at(2 * Self::WIDTH);
        let centre = group.rotated(Group::load(simd, self.waves.to_centre(centre_of(step), pairs)));
        match step.rem_euclid(QUAD as i64) {
            0 => centre.rotations(Group::load(simd, one))[1],
            1 => centre,
            2 => centre.rotated(Group::load(simd, one)),
            _ => centre.rotated(Group::load(simd, two)),
        }
    }

    /// Stores or adds a group.
    #[inline(always)]
    pub(super) fn put<A: Element>(self, group: Group<S>, slot: Slot<'_, A>) {
        let (sin, cos) = (A::to_group::<S>(group.sin), A::to_group::<S>(group.cos));
        let [first, second] = if INTERLEAVED {
            A::interleave::<S>(sin, cos)
        } else if self.columns.layout == Layout::CosSinHalves {
            [cos, sin]
        } else {
            [sin, cos]
        };
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
