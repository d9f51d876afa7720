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
    pub(super) fn put_repaired<A: Element>(
        self,
        anchor: i64,
        step: i64,
        first: usize,
        at: usize,
        out: &mut [&mut [A]; 2],
    ) {
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
                self.put(group, at, out);
            },
        );
    }

    /// A group at an anchor turned by `step` positions: to the centre, and from there.
    #[inline(always)]
    pub(super) fn turned(self, group: Group<S>, step: i64, first: usize) -> Group<S> {
        let simd = self.simd;
        let pairs = first..first + Self::WIDTH;
        let (one, two) = self.waves.from_centre(pairs.clone()).split_at(2 * Self::WIDTH);
        let centre = group.rotated(Group::load(simd, self.waves.to_centre(centre_of(step), pairs)));
        match step.rem_euclid(QUAD as i64) {
            0 => centre.rotations(Group::load(simd, one))[1],
            1 => centre,
            2 => centre.rotated(Group::load(simd, one)),
            _ => centre.rotated(Group::load(simd, two)),
        }
    }

    /// Stores or adds the group that is the `at`-th of its columns.
    #[inline(always)]
    pub(super) fn put<A: Element>(self, group: Group<S>, at: usize, out: &mut [&mut [A]; 2]) {
        let (sin, cos) = (A::to_group::<S>(group.sin), A::to_group::<S>(group.cos));
        let at = at * Self::WIDTH;
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

    /// Stores or adds at `out[at..]`, or as much as there is room for.
    #[inline(always)]
    fn store<A: Element>(self, group: A::Group<S>, out: &mut [A], at: usize) {
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
    pub(super) fn zeros<A: Element>(self, row: &mut [A]) {
        for out in &mut row[self.columns.used()..] {
            *out = if ADD { *out + A::zero() } else { A::zero() };
        }
    }
}
