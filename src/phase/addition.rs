//! Angle addition: other rows from one that is there.
//!
//! sin(a ± b) = sin a · cos b ± cos a · sin b and cos(a ± b) = cos a · cos b ∓ sin a · sin b: four
//! products serve the rows on both sides.

use core::ops::{Add, Mul, Neg, Sub};

use super::amplitude::Amplitude;
use super::reals::Real;

/// By how many positions sines and cosines are rotated: from a centre to its rows, and from one
/// centre to others.
pub(super) const STEPS: [i64; 8] = [1, 2, 3, 4, 8, 16, 32, 64];

/// Numbers in which angles are added: doubles, which are enough for f32, or double-double ones.
pub trait Number:
    Copy + Add<Output = Self> + Sub<Output = Self> + Mul<Output = Self> + Neg<Output = Self>
{
    /// The doubles that it rounds to.
    type Real: Real;

    /// The number times the amplitude, ready to be a factor.
    fn scaled(self, amplitude: Amplitude) -> Self;
    /// The number, a sum of two products, ready to be a factor again.
    fn factor(self, amplitude: Amplitude) -> Self;
    /// The nearest double.
    fn rounded(self) -> Self::Real;
}

impl<V: Real> Number for V {
    type Real = V;

    #[inline(always)]
    fn scaled(self, amplitude: Amplitude) -> Self {
        self * amplitude.value
    }

    #[inline(always)]
    fn factor(self, _: Amplitude) -> Self {
        self
    }

    #[inline(always)]
    fn rounded(self) -> V {
        self
    }
}

/// The sine and the cosine of a pair, or of a vector of pairs.
#[derive(Clone, Copy, Debug)]
pub struct SinCos<N> {
    pub(super) sin: N,
    pub(super) cos: N,
}

impl<N: Number> SinCos<N> {
    /// Rotated forwards and backwards by the angles of others.
    #[inline(always)]
    pub(super) fn rotations(self, by: Self) -> [Self; 2] {
        let (sin_cos, cos_sin) = (self.sin * by.cos, self.cos * by.sin);
        let (cos_cos, sin_sin) = (self.cos * by.cos, self.sin * by.sin);
        [
            Self { sin: sin_cos + cos_sin, cos: cos_cos - sin_sin },
            Self { sin: sin_cos - cos_sin, cos: cos_cos + sin_sin },
        ]
    }

    /// Rotated by the angles of others, and ready to be rotated again.
    #[inline(always)]
    pub(super) fn advanced(self, by: Self, amplitude: Amplitude) -> Self {
        let [Self { sin, cos }, _] = self.rotations(by);
        Self { sin: sin.factor(amplitude), cos: cos.factor(amplitude) }
    }

    #[inline(always)]
    pub(super) fn scaled(self, amplitude: Amplitude) -> Self {
        Self { sin: self.sin.scaled(amplitude), cos: self.cos.scaled(amplitude) }
    }

    #[inline(always)]
    pub(super) fn rounded(self) -> SinCos<N::Real> {
        SinCos { sin: self.sin.rounded(), cos: self.cos.rounded() }
    }
}
