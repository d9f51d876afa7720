//! Sine and cosine of an exact phase in f64, many pairs at a time.
//!
//! The leading bits of the phase reduce it to an eighth of a turn. The remainder becomes an angle
//! of two doubles (from all its 128 bits), and goes through the polynomials of fdlibm's
//! `__kernel_sin` and `__kernel_cos` (Sun Microsystems, 1993). The result is within 0.8 ulp. Only
//! sums, products and bit operations are used, so it has the same bits on every machine.

// The polynomial coefficients are written as fdlibm prints them, with one digit more than needed.
#![allow(clippy::excessive_precision)]

use core::ops::{Add, Mul, Sub};

use fearless_simd::prelude::*;

use super::fixed::{Phase, ROUND};
use super::vectors::{Real, Two};

/// 2π · 2⁻²⁸ in 27 bits, so that its product with a 26-bit integer is exact.
const TAU_HIGH: f64 = f64::from_bits(0x3e59_21fb_5400_0000);
/// 2π · 2⁻²⁸ − `TAU_HIGH`.
const TAU_REST: f64 = f64::from_bits(0x3c71_0b46_11a6_2633);
/// 2π · 2⁻⁸⁰
const TAU_LOW: f64 = core::f64::consts::TAU / (1_u128 << 80) as f64;
/// 2π · 2⁻¹²⁸
const TAU_LAST: f64 = TAU_LOW / (1_u64 << 48) as f64;
/// Below this angle, position × frequency in f64 is more accurate than the fixed-point phase.
const TINY: f64 = 1.0 / (1_u64 << 26) as f64;
/// The bits of 2⁵²: a 52-bit integer below them makes the double 2⁵² + integer.
const TWO_52_BITS: u64 = 0x4330_0000_0000_0000;
const TWO_52: f64 = (1_u64 << 52) as f64;

/// The remainder of an angle after the nearest quarter turn, in radians: x and its tail. The last
/// two bits of the tail, which are worth 2⁻¹⁰⁴ of x, hold the number of that quarter, so that two
/// doubles contain everything.
pub(super) struct Reduced<V> {
    pub(super) x: V,
    pub(super) tail: V,
}

/// The bits of a tail that hold the number of the quarter.
const QUARTER: u64 = 0b11;

/// Reduces the phases of two vectors of pairs.
#[inline(always)]
pub(super) fn reduced<S: Simd>(simd: S, phase: Phase<S>) -> Reduced<Two<S::f64s>> {
    let Phase { high, low, angle } = phase;
    let (a, b) =
        (reduced_one(simd, high.0, low.0, angle.0), reduced_one(simd, high.1, low.1, angle.1));
    Reduced { x: Two(a.x, b.x), tail: Two(a.tail, b.tail) }
}

#[inline(always)]
fn reduced_one<S: Simd>(simd: S, high: S::u64s, low: S::u64s, angle: S::f64s) -> Reduced<S::f64s> {
    // The nearest quarter, and the remainder: at most an eighth of a turn. The bias, an eighth of a
    // turn and half a unit of the leading bits, makes the leading bits the nearest ones, and zero
    // on both sides of a quarter.
    let biased = high + ((1 << 61) + (1 << 35));
    let rest = biased & ((1 << 62) - 1);
    // 26 leading bits, the next 52 (as integers minus their biases of 2²⁵ and 2⁵¹), and the
    // remaining 48.
    let leading: S::f64s = ((rest >> 36) | TWO_52_BITS).bitcast();
    let leading = leading - (TWO_52 + (1 << 25) as f64);
    let trailing: S::f64s = ((rest & ((1 << 36) - 1)) << 16 | low >> 48 | TWO_52_BITS).bitcast();
    let trailing = trailing - (TWO_52 + (1_u64 << 51) as f64);
    let last: S::f64s = ((low & ((1 << 48) - 1)) | TWO_52_BITS).bitcast();
    let last = last - TWO_52;

    let [sum, error] = radians(leading, trailing, last);
    let tiny = angle.abs().simd_lt(S::f64s::splat(simd, TINY));
    let (x, tail) = (tiny.select(angle, sum), tiny.select(S::f64s::splat(simd, 0.0), error));
    let tail: S::u64s = tail.bitcast();
    Reduced { x, tail: (tail & !QUARTER | biased >> 62).bitcast() }
}

/// Reduces angles given in quarter turns: returns the remainder after the nearest whole quarter, in
/// radians, and bits whose last two are the number of that quarter.
#[inline(always)]
pub(super) fn reduced_quarters<S: Simd>(quarters: Two<S::f64s>) -> (Two<S::f64s>, Two<S::u64s>) {
    let biased = quarters + ROUND;
    let x = (quarters - (biased - ROUND)) * core::f64::consts::FRAC_PI_2;
    (x, Two(biased.0.bitcast(), biased.1.bitcast()))
}

/// Returns the remainder as one double, or the angle itself if it is tiny; the tail has only the
/// number of the quarter.
#[inline(always)]
pub(super) fn without_tail<S: Simd>(
    simd: S,
    quarters: Two<S::f64s>,
    angle: Two<S::f64s>,
) -> Reduced<Two<S::f64s>> {
    let (x, Two(low, high)) = reduced_quarters::<S>(quarters);
    let tiny = |angle: S::f64s, x| {
        let is_tiny = angle.abs().simd_lt(S::f64s::splat(simd, TINY));
        is_tiny.select(angle, x)
    };
    let tail = Two((low & QUARTER).bitcast(), (high & QUARTER).bitcast());
    Reduced { x: Two(tiny(angle.0, x.0), tiny(angle.1, x.1)), tail }
}

/// Returns the tails alone, and the bits with the numbers of the quarters.
#[inline(always)]
pub(super) fn tails<S: Simd>(tail: Two<S::f64s>) -> (Two<S::f64s>, Two<S::u64s>) {
    let bits: Two<S::u64s> = Two(tail.0.bitcast(), tail.1.bitcast());
    (Two((bits.0 & !QUARTER).bitcast(), (bits.1 & !QUARTER).bitcast()), bits)
}

/// Returns the number of the quarter, and x and its tail, for one pair.
pub(super) fn reduced_scalar(phase: u128, angle: f64) -> (u64, Reduced<f64>) {
    let (high, low) = ((phase >> 64) as u64, phase as u64);
    let biased = high.wrapping_add((1 << 61) + (1 << 35));
    let rest = biased & ((1 << 62) - 1);
    let leading = (rest >> 36) as f64 - (1 << 25) as f64;
    let trailing = ((rest & ((1 << 36) - 1)) << 16 | low >> 48) as f64 - (1_u64 << 51) as f64;
    let last = (low & ((1 << 48) - 1)) as f64;
    let [x, tail] = radians(leading, trailing, last);
    let [x, tail] = if angle.abs() < TINY { [angle, 0.0] } else { [x, tail] };
    (biased >> 62, Reduced { x, tail: f64::from_bits(tail.to_bits() & !QUARTER) })
}

/// Returns the angle of 126 bits of a turn, given as three integers: the nearest double, and its
/// error.
#[inline(always)]
fn radians<V>(leading: V, trailing: V, last: V) -> [V; 2]
where
    V: Copy + Add<Output = V> + Sub<Output = V> + Mul<f64, Output = V>,
{
    let exact = leading * TAU_HIGH;
    let small = leading * TAU_REST + (trailing * TAU_LOW + last * TAU_LAST);
    let sum = exact + small;
    [sum, (exact - sum) + small]
}

/// Returns sine and cosine of the remainder, rotated by the quarters whose numbers are the last two
/// bits.
#[inline(always)]
pub(super) fn in_quarter<S: Simd>(
    simd: S,
    quarter: Two<S::u64s>,
    sin: Two<S::f64s>,
    cos: Two<S::f64s>,
) -> [Two<S::f64s>; 2] {
    let [a, b] = in_quarter_one(simd, quarter.0, sin.0, cos.0);
    let [c, d] = in_quarter_one(simd, quarter.1, sin.1, cos.1);
    [Two(a, c), Two(b, d)]
}

#[inline(always)]
fn in_quarter_one<S: Simd>(simd: S, quarter: S::u64s, sin: S::f64s, cos: S::f64s) -> [S::f64s; 2] {
    // Quarter 0: (sin, cos); 1: (cos, −sin); 2: (−sin, −cos); 3: (−cos, sin).
    let odd = (quarter & 1).simd_eq(S::u64s::splat(simd, 1));
    let sin_sign = (quarter & 2) << 62;
    let cos_sign = ((quarter + 1) & 2) << 62;
    let sin_bits: S::u64s = odd.select(cos, sin).bitcast();
    let cos_bits: S::u64s = odd.select(sin, cos).bitcast();
    [(sin_bits ^ sin_sign).bitcast(), (cos_bits ^ cos_sign).bitcast()]
}

/// Returns sine and cosine of x + tail for |x| ≤ π/4.
#[inline(always)]
pub(super) fn sincos<V: Real>(x: V, tail: V) -> [V; 2] {
    [kernel_sin(x, tail), kernel_cos(x, tail)]
}

/// Returns sine and cosine of x for |x| ≤ π/4, within 2 ulp.
#[inline(always)]
pub(super) fn sincos_short<V: Real>(x: V) -> [V; 2] {
    let z = x * x;
    [x + x * z * horner(z, SIN), (z * horner(z, COS) - 0.5) * z + 1.0]
}

#[inline(always)]
fn horner<V: Real>(z: V, [a, b, c, d, e, f]: [f64; 6]) -> V {
    ((((z * f + e) * z + d) * z + c) * z + b) * z + a
}

/// (sin x − x) / x³ as a polynomial in x².
const SIN: [f64; 6] = [
    -1.666_666_666_666_663_243_48e-1,
    8.333_333_333_322_489_461_24e-3,
    -1.984_126_982_985_794_931_34e-4,
    2.755_731_370_707_006_767_89e-6,
    -2.505_076_025_340_686_341_95e-8,
    1.589_690_995_211_550_102_21e-10,
];

/// (cos x − 1 + x²/2) / x⁴ as a polynomial in x².
const COS: [f64; 6] = [
    4.166_666_666_666_660_190_37e-2,
    -1.388_888_888_887_410_957_49e-3,
    2.480_158_728_947_672_941_78e-5,
    -2.755_731_435_139_066_330_35e-7,
    2.087_572_321_298_174_827_9e-9,
    -1.135_964_755_778_819_482_65e-11,
];

#[inline(always)]
fn kernel_sin<V: Real>(x: V, y: V) -> V {
    let z = x * x;
    let w = z * z;
    let r = z * (z * SIN[3] + SIN[2]) + SIN[1] + z * w * (z * SIN[5] + SIN[4]);
    let v = z * x;
    x - ((z * (y * 0.5 - v * r) - y) - v * SIN[0])
}

#[inline(always)]
fn kernel_cos<V: Real>(x: V, y: V) -> V {
    let z = x * x;
    let w = z * z;
    let r = z * (z * (z * COS[2] + COS[1]) + COS[0]) + w * w * (z * (z * COS[5] + COS[4]) + COS[3]);
    let half = z * 0.5;
    let w = -half + 1.0;
    w + (((-w + 1.0) - half) + (z * r - x * y))
}
