//! Double-double numbers for rows of f64: the sum of two doubles, the first of which has few bits.
//!
//! Compensated sums and products take a dozen operations where fused multiply-add is missing, and
//! different ones where it is not. With the first doubles on a common grid, their products and sums
//! are exact: nothing has to be compensated, and the operations are the same everywhere.

use core::ops::{Add, Mul, Neg, Sub};

use super::addition::Number;
use super::amplitude::{Amplitude, GRID};
use super::vectors::Real;

/// The sum of two doubles. *On the grid*, the first is a multiple of 2⁻²⁶ and the second is at most
/// 2⁻²⁷ in magnitude. A product or a sum of such numbers is a multiple of 2⁻⁵² and a remainder, and
/// must be brought back to the grid before it is a factor again.
#[derive(Clone, Copy, Debug)]
pub struct Double<V> {
    pub(super) high: V,
    pub(super) low: V,
}

impl<V: Real> Double<V> {
    /// Brings the number to the grid of [`GRID`], or, for numbers up to a power of two, to that
    /// grid times this power.
    #[inline(always)]
    pub(super) fn on(self, grid: f64) -> Self {
        let high = (self.high + self.low + grid) - grid;
        Self { high, low: (self.high - high) + self.low }
    }

    /// Returns the number plus a multiple of 2⁻²⁶ and a remainder.
    #[inline(always)]
    fn plus(self, multiple: f64, low: f64) -> Self {
        Self { high: self.high + multiple / (1_u64 << 26) as f64, low: self.low + low }
    }
}

impl<V: Real> Mul for Double<V> {
    type Output = Self;

    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        // All but the product of the first doubles, which is exact by itself.
        let low = (self.high + self.low) * other.low + self.low * other.high;
        Self { high: self.high * other.high, low }
    }
}

impl<V: Real> Add for Double<V> {
    type Output = Self;

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Self { high: self.high + other.high, low: self.low + other.low }
    }
}

impl<V: Real> Sub for Double<V> {
    type Output = Self;

    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        Self { high: self.high - other.high, low: self.low - other.low }
    }
}

impl<V: Real> Neg for Double<V> {
    type Output = Self;

    #[inline(always)]
    fn neg(self) -> Self {
        Self { high: -self.high, low: -self.low }
    }
}

impl<V: Real> Number for Double<V> {
    type Real = V;

    #[inline(always)]
    fn scaled(self, amplitude: Amplitude) -> Self {
        let Amplitude { value, grid, .. } = amplitude;
        let high = (value + grid) - grid;
        let low = value - high;
        let product = (self.high + self.low) * low + self.low * high;
        Self { high: self.high * high, low: product }.on(grid)
    }

    #[inline(always)]
    fn factor(self, amplitude: Amplitude) -> Self {
        self.on(amplitude.grid)
    }

    #[inline(always)]
    fn rounded(self) -> V {
        self.high + self.low
    }
}

/// Returns sine and cosine of x + tail for |x| ≤ π/4, within 2⁻⁷² and on the grid: the first terms
/// of their series, and for the others a polynomial that interpolates at Chebyshev's points.
#[inline(always)]
pub(super) fn sincos<V: Real>(x: V, tail: V) -> [Double<V>; 2] {
    let x = Double { high: x, low: tail }.on(GRID);
    let z = (x * x).on(GRID);
    [sin(x, z), cos(z)]
}

/// Returns sin x, where z is the square of x.
#[inline(always)]
fn sin<V: Real>(x: Double<V>, z: Double<V>) -> Double<V> {
    const REST: [f64; 6] = [
        2.7557319223985893e-06,
        -2.5052108385441657e-08,
        1.605904383670576e-10,
        -7.647163651675205e-13,
        2.8114321906094672e-15,
        -8.184494281302312e-18,
    ];
    // 1/5! is 559241 / 2²⁶ and a remainder; so are the others.
    let seventh = times_rest(z, [-13315.0, -3.73711661686973e-09], REST);
    let fifth = seventh.plus(559241.0, -6.953875223795573e-09).on(GRID);
    let third = (z * fifth).plus(-11184811.0, 4.967053731282552e-09).on(GRID);
    (x + x * (z * third).on(GRID)).on(GRID)
}

/// Returns cos x, where z is the square of x.
#[inline(always)]
fn cos<V: Real>(z: Double<V>) -> Double<V> {
    const REST: [f64; 6] = [
        -2.7557319223985883e-07,
        2.0876756987810156e-09,
        -1.1470745522579083e-11,
        4.779443212260593e-14,
        -1.555595293699416e-16,
        0.0,
    ];
    let eighth = times_rest(z, [1664.0, 6.055075024801587e-09], REST);
    let sixth = eighth.plus(-93207.0, 3.6425060696072047e-09).on(GRID);
    let fourth = (z * sixth).plus(2796203.0, -4.967053731282552e-09).on(GRID);
    let second = (z * fourth).plus(-33554432.0, 0.0).on(GRID);
    (z * second).plus(67108864.0, 0.0).on(GRID)
}

/// Returns z · (a multiple of 2⁻²⁶ + a remainder + z · Σ cᵢ · zⁱ).
#[inline(always)]
fn times_rest<V: Real>(z: Double<V>, [multiple, low]: [f64; 2], c: [f64; 6]) -> Double<V> {
    let short = z.rounded();
    let square = short * short;
    let [low_terms, middle, high_terms] =
        [short * c[1] + c[0], short * c[3] + c[2], short * c[5] + c[4]];
    let polynomial = (high_terms * square + middle) * square + low_terms;
    let high = multiple / (1_u64 << 26) as f64;
    let low = short * polynomial + low;
    Double { high: z.high * high, low: short * low + z.low * high }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn going_to_the_grid_keeps_the_number() {
        let number = Double { high: 0.1, low: 1e-18 };
        let on = number.on(GRID);
        assert_eq!((on.high * 2_f64.powi(26)).fract(), 0.0);
        assert_eq!((number.high - on.high) + number.low, on.low);
        assert!(on.low.abs() <= 2_f64.powi(-27));
    }
}
