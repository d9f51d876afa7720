//! What is turned: sines and cosines of a group of pairs, in as many bits as an element type needs.

use core::ops::{Add, Mul, Sub};

use fearless_simd::prelude::*;

use super::Waves;
use super::kernel::OCTET;
use super::sincos::{Two, rough_sincos, sincos};
use super::turns::{Turns, Words};
use crate::Position;

/// By how many positions a group is turned: from a centre to its rows, and to the next centre.
pub(super) const TURNS: [i64; 5] = [1, 2, 3, 4, OCTET];
/// What 15 turns from the anchor and that to a row cost at most in f64, as a part of the amplitude.
/// A turn costs 2.2 · 2⁻⁵³: half a unit for its sum and, together, for its products, and what its
/// table lacks.
const TURNED: f64 = 40.0 * f64::EPSILON / 2.0;

/// The numbers that are turned: doubles, which are enough for elements of 32 bits, or longer ones.
pub trait Number<S: Simd>:
    Copy + Add<Output = Self> + Sub<Output = Self> + Mul<Output = Self>
{
    /// Of how many doubles each consists.
    const PARTS: usize;
    /// How far apart a turned value and one of a position by itself are at most, as a part of the
    /// amplitude, with room to spare.
    const DOUBT: f64;

    fn load(simd: S, values: &[f64]) -> Self;
    fn store(self, values: &mut [f64]);
    /// The sum of two products, ready to be a factor again.
    fn factor(self, waves: &Waves) -> Self;
    /// Times the amplitude, and ready to be a factor.
    fn scaled(self, waves: &Waves) -> Self;
    /// The nearest doubles.
    fn rounded(self) -> Two<S::f64s>;
    /// The doubles that are nearest to the sum.
    fn shifted(self, offset: f64) -> Two<S::f64s>;
    /// Sine and cosine of a phase.
    fn sincos(simd: S, phase: Phase<S>) -> SinCos<Self>;
    /// Those of a position below 2³² in magnitude within [`Number::DOUBT`].
    fn near(simd: S, words: Words<'_>, position: i64) -> SinCos<Self>;
    /// For each group its turns by [`TURNS`].
    fn steps(waves: &Waves) -> &[f64];
    /// The numbers whose exponents tell whether they are large: those that are stored, or by way of
    /// which 16 bits are.
    fn shown(group: Group<S>) -> Group<S>;
    /// Bits of what is shown, plus `shift` as for doubles, in which exponents are found: those that
    /// a sine and a cosine have in common, or where they are `paired`, as f32 stores them in turn,
    /// of both.
    fn exponents(group: Group<S>, shift: Option<u64>, paired: bool) -> Two<S::u32s>;
    /// In the same places: all but the bits of large exponents, shifted ones or not, where not all
    /// bits of a pair are set.
    fn masks(sure: Two<S::u64s>, shifted: bool, paired: bool) -> Two<S::u32s>;
}

impl<S: Simd> Number<S> for Two<S::f64s> {
    const PARTS: usize = 1;
    const DOUBT: f64 = 4.0 * TURNED;

    #[inline(always)]
    fn load(simd: S, values: &[f64]) -> Self {
        let (low, high) = values.split_at(S::f64s::LEN);
        Self(S::f64s::from_slice(simd, low), S::f64s::from_slice(simd, high))
    }

    #[inline(always)]
    fn store(self, values: &mut [f64]) {
        let (low, high) = values.split_at_mut(S::f64s::LEN);
        self.0.store_slice(low);
        self.1.store_slice(high);
    }

    #[inline(always)]
    fn factor(self, _: &Waves) -> Self {
        self
    }

    #[inline(always)]
    fn scaled(self, waves: &Waves) -> Self {
        Self(self.0 * waves.amplitude, self.1 * waves.amplitude)
    }

    #[inline(always)]
    fn rounded(self) -> Self {
        self
    }

    #[inline(always)]
    fn shifted(self, offset: f64) -> Self {
        Self(self.0 + offset, self.1 + offset)
    }

    #[inline(always)]
    fn sincos(simd: S, phase: Phase<S>) -> SinCos<Self> {
        sincos(simd, phase.high, phase.low, phase.angle).into()
    }

    /// Within 2⁻⁴⁸.
    #[inline(always)]
    fn near(simd: S, words: Words<'_>, position: i64) -> SinCos<Self> {
        let [low, high] = words.halves();
        rough_sincos(simd, Two(low.rough_phases(simd, position), high.rough_phases(simd, position)))
            .into()
    }

    #[inline(always)]
    fn steps(waves: &Waves) -> &[f64] {
        &waves.steps
    }

    #[inline(always)]
    fn shown(Group::<S> { sin, cos }: Group<S>) -> Group<S> {
        let (sin, cos) = (sin.0.narrow(sin.1).widen(), cos.0.narrow(cos.1).widen());
        SinCos { sin: Two(sin.0, sin.1), cos: Two(cos.0, cos.1) }
    }

    #[inline(always)]
    fn exponents(group: Group<S>, shift: Option<u64>, paired: bool) -> Two<S::u32s> {
        let (sin, cos) = (group.sin.0.narrow(group.sin.1), group.cos.0.narrow(group.cos.1));
        // 896 is what exponents of f64 and f32 are apart, and so are the last ones.
        let bits = |value: S::f32s| match shift {
            Some(shift) => {
                value.bitcast::<S::u32s>() + (((shift >> 52) as u32).wrapping_sub(896) << 23)
            }
            None => value.bitcast(),
        };
        if paired {
            let (first, second) = sin.interleave(cos);
            return Two(bits(first), bits(second));
        }
        Two(bits(sin) & bits(cos), S::u32s::splat(sin.token(), !0))
    }

    #[inline(always)]
    fn masks(sure: Two<S::u64s>, shifted: bool, paired: bool) -> Two<S::u32s> {
        const LARGE: u32 = 0b0111_0000 << 23;
        const LARGE_SHIFTED: u32 = 0b1111_0000 << 23;
        let simd = sure.0.token();
        let (zero, one) = (S::f64s::splat(simd, 0.0), S::f64s::splat(simd, 1.0));
        let sure =
            sure.0.simd_eq(!0).select(one, zero).narrow(sure.1.simd_eq(!0).select(one, zero));
        let (all, rest) = (
            S::u32s::splat(simd, !0),
            S::u32s::splat(simd, if shifted { !LARGE_SHIFTED } else { !LARGE }),
        );
        let masks = |sure: S::f32s| sure.simd_eq(1.0).select(all, rest);
        if paired {
            let (first, second) = sure.interleave(sure);
            return Two(masks(first), masks(second));
        }
        Two(masks(sure), all)
    }
}

/// Sines and cosines of the pairs of a group.
#[derive(Clone, Copy)]
pub struct SinCos<V> {
    pub(super) sin: V,
    pub(super) cos: V,
}

impl<V> From<(V, V)> for SinCos<V> {
    #[inline(always)]
    fn from((sin, cos): (V, V)) -> Self {
        Self { sin, cos }
    }
}

impl<V> SinCos<V> {
    /// Sines, then cosines.
    #[inline(always)]
    pub(super) fn load<S: Simd>(simd: S, values: &[f64]) -> Self
    where
        V: Number<S>,
    {
        let (sin, cos) = values.split_at(2 * V::PARTS * S::f64s::LEN);
        Self { sin: V::load(simd, sin), cos: V::load(simd, cos) }
    }

    #[inline(always)]
    pub(super) fn store<S: Simd>(self, values: &mut [f64])
    where
        V: Number<S>,
    {
        let (sin, cos) = values.split_at_mut(2 * V::PARTS * S::f64s::LEN);
        self.sin.store(sin);
        self.cos.store(cos);
    }

    /// One of [`TURNS`] in the table of a group.
    #[inline(always)]
    pub(super) fn turn<S: Simd>(simd: S, table: &[f64], by: i64) -> Self
    where
        V: Number<S>,
    {
        let width = 4 * V::PARTS * S::f64s::LEN;
        let at = if by == OCTET { TURNS.len() - 1 } else { by as usize - 1 };
        Self::load(simd, &table[at * width..(at + 1) * width])
    }

    #[inline(always)]
    pub(super) fn scaled<S: Simd>(self, waves: &Waves) -> Self
    where
        V: Number<S>,
    {
        Self { sin: self.sin.scaled(waves), cos: self.cos.scaled(waves) }
    }

    /// Turned by the angles of others, and ready to be turned again.
    #[inline(always)]
    pub(super) fn advanced<S: Simd>(self, by: Self, waves: &Waves) -> Self
    where
        V: Number<S>,
    {
        let [Self { sin, cos }, _] = self.rotations(by);
        Self { sin: sin.factor(waves), cos: cos.factor(waves) }
    }

    #[inline(always)]
    pub(super) fn rounded<S: Simd>(self) -> Group<S>
    where
        V: Number<S>,
    {
        SinCos { sin: self.sin.rounded(), cos: self.cos.rounded() }
    }

    #[inline(always)]
    pub(super) fn shifted<S: Simd>(self, offset: f64) -> Group<S>
    where
        V: Number<S>,
    {
        SinCos { sin: self.sin.shifted(offset), cos: self.cos.shifted(offset) }
    }

    /// What is `offset` positions on from this centre, in its eight rows.
    #[inline(always)]
    pub(super) fn beside<S: Simd>(self, simd: S, table: &[f64], offset: i64) -> Self
    where
        V: Number<S>,
    {
        match offset {
            0 => self,
            1.. => self.rotations(Self::turn(simd, table, offset))[0],
            _ => self.rotations(Self::turn(simd, table, -offset))[1],
        }
    }
}

impl<V: Copy + Add<Output = V> + Sub<Output = V> + Mul<Output = V>> SinCos<V> {
    /// Turned forwards and backwards by the angles of others: both share their products.
    #[inline(always)]
    pub(super) fn rotations(self, by: Self) -> [Self; 2] {
        let ([sin, sin_before], [cos, cos_before]) =
            (self.half_rotations::<false>(by), self.half_rotations::<true>(by));
        [Self { sin, cos }, Self { sin: sin_before, cos: cos_before }]
    }

    /// The sines or the cosines of these.
    #[inline(always)]
    pub(super) fn half_rotations<const COSINES: bool>(self, by: Self) -> [V; 2] {
        if COSINES {
            let (cos_cos, sin_sin) = (self.cos * by.cos, self.sin * by.sin);
            return [cos_cos - sin_sin, cos_cos + sin_sin];
        }
        let (sin_cos, cos_sin) = (self.sin * by.cos, self.cos * by.sin);
        [sin_cos + cos_sin, sin_cos - cos_sin]
    }
}

/// In doubles.
pub(super) type Group<S> = SinCos<Two<<S as Simd>::f64s>>;

/// The phases of a group of pairs: 128 bits of a turn, as high and low words, and the same in
/// radians as f64 has it.
pub struct Phase<S: Simd> {
    pub(super) high: Two<S::u64s>,
    pub(super) low: Two<S::u64s>,
    pub(super) angle: Two<S::f64s>,
}

impl<S: Simd> Phase<S> {
    /// That of the pairs from `first` on.
    #[inline(always)]
    fn new(simd: S, turns: &Turns, position: Position, first: usize) -> Self {
        let half = S::f64s::LEN;
        let (low, high) =
            (turns.phases(simd, position, first), turns.phases(simd, position, first + half));
        let radians = |first| {
            S::f64s::from_slice(simd, &turns.radians()[first..first + half]) * position.to_f64()
        };
        Self {
            high: Two(low.0, high.0),
            low: Two(low.1, high.1),
            angle: Two(radians(first), radians(first + half)),
        }
    }

    /// The same at a position below 2³² in magnitude.
    #[inline(always)]
    pub(super) fn near(simd: S, words: Words<'_>, position: i64) -> Self {
        let [low, high] = words.halves();
        let angle = Two(low.angles(simd, position), high.angles(simd, position));
        let (low, high) = (low.near_phases(simd, position), high.near_phases(simd, position));
        Self { high: Two(low.0, high.0), low: Two(low.1, high.1), angle }
    }
}

/// Sine and cosine of the pairs from `first` on at one position, by phase and polynomial, without
/// the amplitude.
///
/// It stays a call: inlined wherever it is used, it would be most of the code.
#[inline(never)]
pub(super) fn exact<S: Simd, V: Number<S>>(
    simd: S,
    turns: &Turns,
    position: Position,
    first: usize,
) -> SinCos<V> {
    simd.vectorize(
        #[inline(always)]
        || V::sincos(simd, Phase::new(simd, turns, position, first)),
    )
}

/// The bits of exponents that are common to the sine and the cosine of each pair, plus `shift`.
#[inline(always)]
pub(super) fn exponents<S: Simd>(group: Group<S>, shift: Option<u64>) -> Two<S::u64s> {
    let bits = |value: S::f64s| value.bitcast::<S::u64s>() + shift.unwrap_or(0);
    Two(bits(group.sin.0) & bits(group.cos.0), bits(group.sin.1) & bits(group.cos.1))
}
