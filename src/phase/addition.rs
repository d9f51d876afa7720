//! Angle addition: other rows from one that is there.
//!
//! sin(a ± b) = sin a · cos b ± cos a · sin b and cos(a ± b) = cos a · cos b ∓ sin a · sin b: four
//! products serve the rows on both sides.

use core::ops::{Add, Mul, Neg, Sub};

use super::double::GRID;
use super::sincos::Real;

/// By how many positions sines and cosines are rotated: from a centre to its rows, and from one
/// centre to others.
pub(super) const STEPS: [i64; 8] = [1, 2, 3, 4, 8, 16, 32, 64];

/// What every sine and cosine is multiplied by: a magnitude from 2⁻⁶⁴ to 2⁶⁴, or zero.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Amplitude {
    pub(super) value: f64,
    /// The grid of double-double numbers up to the amplitude.
    pub(super) grid: f64,
    /// Values below this are not sure: 2⁻¹⁵ of the power of two that is at most the amplitude.
    pub(super) small: f64,
    /// What brings the exponent of the amplitude to 2047, in the bits of f64.
    pub(super) shift: u64,
}

impl Amplitude {
    pub(crate) const ONE: Self =
        Self { value: 1.0, grid: GRID, small: 1.0 / 32768.0, shift: 1024 << 52 };

    /// The amplitude, or nothing where it is not zero and too large, too small or not a number.
    pub(crate) fn new(value: f64) -> Option<Self> {
        const LARGEST: f64 = 18446744073709551616.0;
        const FRACTION: u64 = (1 << 52) - 1;
        let magnitude = value.abs();
        if magnitude == 0.0 {
            return Some(Self { value, grid: 0.0, small: 0.0, shift: 1024 << 52 });
        }
        if !(1.0 / LARGEST..=LARGEST).contains(&magnitude) {
            return None;
        }
        let below = f64::from_bits(magnitude.to_bits() & !FRACTION);
        let above = f64::from_bits((magnitude.to_bits() + FRACTION) & !FRACTION);
        let shift = (2047 << 52) - below.to_bits();
        Some(Self { value, grid: GRID * above, small: below / 32768.0, shift })
    }

    pub(crate) fn value(self) -> f64 {
        self.value
    }
}

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
