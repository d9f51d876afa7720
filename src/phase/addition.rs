//! Angle addition: rows of other positions from a row that is computed already.
//!
//! sin(a ± b) = sin a · cos b ± cos a · sin b and cos(a ± b) = cos a · cos b ∓ sin a · sin b: four
//! products serve the rows on both sides.

use core::ops::{Add, Mul, Neg, Sub};

use super::amplitude::Amplitude;
use super::vectors::Real;

/// The numbers of positions by which sines and cosines are rotated: from a centre to its rows, and
/// from one centre to others.
pub(super) const STEPS: [i64; 8] = [1, 2, 3, 4, 8, 16, 32, 64];

/// The numbers in which angles are added: doubles, which suffice for f32, or double-double numbers.
pub trait Number:
    Copy + Add<Output = Self> + Sub<Output = Self> + Mul<Output = Self> + Neg<Output = Self>
{
    /// The doubles to which the number is rounded.
    type Real: Real;

    /// Returns the number times the amplitude, as a factor of further products.
    fn scaled(self, amplitude: Amplitude) -> Self;
    /// Returns the number, a sum of two products, as a factor of further products.
    fn factor(self, amplitude: Amplitude) -> Self;
    /// Returns the nearest double.
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
    /// Returns the pair rotated forwards and backwards by the angles of another.
    #[inline(always)]
    pub(super) fn rotations(self, by: Self) -> [Self; 2] {
        let (sin_cos, cos_sin) = (self.sin * by.cos, self.cos * by.sin);
        let (cos_cos, sin_sin) = (self.cos * by.cos, self.sin * by.sin);
        [
            Self { sin: sin_cos + cos_sin, cos: cos_cos - sin_sin },
            Self { sin: sin_cos - cos_sin, cos: cos_cos + sin_sin },
        ]
    }

    /// Returns the pair rotated by the angles of another, as a factor of further rotations.
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
