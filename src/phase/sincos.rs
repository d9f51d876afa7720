//! Sine and cosine of an exact phase, in f64, many pairs at a time.
//!
//! The phase is reduced to an eighth of a turn by looking at its leading bits, becomes an angle of
//! two doubles (of all its 128 bits), and goes through the polynomials of fdlibm's `__kernel_sin`
//! and `__kernel_cos` (Sun Microsystems, 1993). The result is within 0.8 ulp; only sums, products
//! and bit operations are used, so it has the same bits on every machine.

// The polynomial coefficients stand as fdlibm prints them, a digit more than needed.
#![allow(clippy::excessive_precision)]

use core::ops::{Add, Mul, Sub};

use fearless_simd::prelude::*;

/// 2π · 2⁻²⁸ in 27 bits, so that its product with a 26-bit integer is exact.
const TAU_HIGH: f64 = f64::from_bits(0x3e59_21fb_5400_0000);
/// What `TAU_HIGH` lacks.
const TAU_REST: f64 = f64::from_bits(0x3c71_0b46_11a6_2633);
/// 2π · 2⁻⁸⁰
const TAU_LOW: f64 = core::f64::consts::TAU / (1_u128 << 80) as f64;
/// 2π · 2⁻¹²⁸
const TAU_LAST: f64 = TAU_LOW / (1_u64 << 48) as f64;
/// Below this the angle itself, position × frequency in f64, is more accurate than the fixed-point
/// phase.
const TINY: f64 = 1.0 / (1_u64 << 26) as f64;
/// The bits of 2⁵²: a 52-bit integer below them makes the double 2⁵² + integer.
const TWO_52_BITS: u64 = 0x4330_0000_0000_0000;
const TWO_52: f64 = (1_u64 << 52) as f64;

/// Two vectors, in step: a processor looks ahead only so far, and so it always has two chains of
/// operations to choose from.
#[derive(Clone, Copy)]
pub struct Two<V>(pub(crate) V, pub(crate) V);

impl<V: Mul<Output = V>> Mul for Two<V> {
    type Output = Self;

    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        Self(self.0 * other.0, self.1 * other.1)
    }
}

impl<V: Add<Output = V>> Add for Two<V> {
    type Output = Self;

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0, self.1 + other.1)
    }
}

impl<V: Sub<Output = V>> Sub for Two<V> {
    type Output = Self;

    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        Self(self.0 - other.0, self.1 - other.1)
    }
}

/// The same number everywhere.
#[inline(always)]
pub(super) fn splat<S: Simd>(simd: S, value: f64) -> Two<S::f64s> {
    let vector = S::f64s::splat(simd, value);
    Two(vector, vector)
}

/// An angle as the nearest quarter turn, and what is left of it in radians: x and its tail y.
pub(super) struct Reduced<S: Simd> {
    pub(super) quarter: S::u64s,
    pub(super) x: S::f64s,
    pub(super) y: S::f64s,
}

/// Sine and cosine of the phases (high, low), 128 bits of a turn; `angle` is the same in radians as
/// f64 has it, used where it is tiny.
#[inline(always)]
pub(crate) fn sincos<S: Simd>(
    simd: S,
    high: Two<S::u64s>,
    low: Two<S::u64s>,
    angle: Two<S::f64s>,
) -> (Two<S::f64s>, Two<S::f64s>) {
    let a = reduced(simd, high.0, low.0, angle.0);
    let b = reduced(simd, high.1, low.1, angle.1);
    let (x, y) = (Two(a.x, b.x), Two(a.y, b.y));
    let (sin, cos) = (kernel_sin(simd, x, y), kernel_cos(simd, x, y));
    let (a, b) =
        (in_quarter(simd, a.quarter, sin.0, cos.0), in_quarter(simd, b.quarter, sin.1, cos.1));
    (Two(a.0, b.0), Two(a.1, b.1))
}

#[inline(always)]
pub(super) fn reduced<S: Simd>(simd: S, high: S::u64s, low: S::u64s, angle: S::f64s) -> Reduced<S> {
    // The nearest quarter turn, and what is left: an eighth of a turn at most, biased by that
    // eighth and by half a unit of the leading bits, so that those are the nearest and next to a
    // quarter turn they are zero on both sides.
    let biased = high + ((1 << 61) + (1 << 35));
    let rest = biased & ((1 << 62) - 1);
    // 26 leading bits, the 52 next (integers less their biases of 2²⁵ and 2⁵¹), and the last 48.
    let leading: S::f64s = ((rest >> 36) | TWO_52_BITS).bitcast();
    let leading = leading - (TWO_52 + (1 << 25) as f64);
    let trailing: S::f64s = ((rest & ((1 << 36) - 1)) << 16 | low >> 48 | TWO_52_BITS).bitcast();
    let trailing = trailing - (TWO_52 + (1_u64 << 51) as f64);
    let last: S::f64s = ((low & ((1 << 48) - 1)) | TWO_52_BITS).bitcast();
    let last = last - TWO_52;

    let exact = leading * TAU_HIGH;
    let small = leading * TAU_REST + (trailing * TAU_LOW + last * TAU_LAST);
    let sum = exact + small;
    let error = (exact - sum) + small;
    let tiny = angle.abs().simd_lt(S::f64s::splat(simd, TINY));
    let (x, y) = (tiny.select(angle, sum), tiny.select(S::f64s::splat(simd, 0.0), error));
    Reduced { quarter: biased >> 62, x, y }
}

/// Sine and cosine of what is left, turned by a number of quarters.
#[inline(always)]
pub(super) fn in_quarter<S: Simd>(
    simd: S,
    quarter: S::u64s,
    sin: S::f64s,
    cos: S::f64s,
) -> (S::f64s, S::f64s) {
    // Quarter 0: (sin, cos); 1: (cos, −sin); 2: (−sin, −cos); 3: (−cos, sin).
    let odd = (quarter & 1).simd_eq(S::u64s::splat(simd, 1));
    let sin_sign = (quarter & 2) << 62;
    let cos_sign = ((quarter + 1) & 2) << 62;
    let sin_bits: S::u64s = odd.select(cos, sin).bitcast();
    let cos_bits: S::u64s = odd.select(sin, cos).bitcast();
    ((sin_bits ^ sin_sign).bitcast(), (cos_bits ^ cos_sign).bitcast())
}

/// Sine and cosine of phases in 2⁻⁶⁴ of a turn, within 2⁻⁴⁸.
///
/// The phase is reduced to half a turn, and goes through polynomials that interpolate sin(2πx)/x
/// and cos(2πx) on a quarter turn either way, as functions of x², at Chebyshev's points; their
/// errors are 2⁻⁵¹·⁸ and 2⁻⁴⁸·⁸.
#[inline(always)]
pub(crate) fn rough_sincos<S: Simd>(simd: S, phase: Two<S::u64s>) -> (Two<S::f64s>, Two<S::f64s>) {
    const SIN: [f64; 8] = [
        6.283185307179585,
        -41.341702240398284,
        81.60524927557977,
        -76.70585968962867,
        42.05868995395094,
        -15.09450614073429,
        3.817365633469135,
        -0.6925067010720717,
    ];
    const COS: [f64; 8] = [
        0.9999999999999981,
        -19.739208802174744,
        64.93939402133272,
        -85.45681703563287,
        60.24463060817376,
        -26.42588874334368,
        7.896555735851554,
        -1.6452233497893094,
    ];
    let (a, b) = (half_turn::<S>(phase.0), half_turn::<S>(phase.1));
    let x = Two(a.0, b.0);
    let z = x * x;
    let (sin, cos) = (x * polynomial(simd, z, SIN), polynomial(simd, z, COS));
    let signed = |value: S::f64s, sign: S::u64s| (value.bitcast::<S::u64s>() ^ sign).bitcast();
    (Two(signed(sin.0, a.1), signed(sin.1, b.1)), Two(signed(cos.0, a.1), signed(cos.1, b.1)))
}

/// What is left of a phase after the nearest half turn, in turns, and the sign that this half turn
/// makes.
#[inline(always)]
fn half_turn<S: Simd>(phase: S::u64s) -> (S::f64s, S::u64s) {
    let biased = phase + (1 << 62);
    // 52 bits of a quarter turn at most, either way.
    let x: S::f64s = (((biased << 1) >> 12) | TWO_52_BITS).bitcast();
    ((x - (TWO_52 + (1_u64 << 51) as f64)) * (0.5 / TWO_52), biased & (1 << 63))
}

/// Σ cᵢ · zⁱ in pairs of terms, pairs of those and their sum (Estrin's way), so that products do
/// not wait for each other.
#[inline(always)]
fn polynomial<S: Simd>(simd: S, z: Two<S::f64s>, c: [f64; 8]) -> Two<S::f64s> {
    let pair = |i: usize| z * splat(simd, c[i + 1]) + splat(simd, c[i]);
    let square = z * z;
    let (low, high) = (pair(2) * square + pair(0), pair(6) * square + pair(4));
    high * (square * square) + low
}

/// sin(x + y) for |x| ≤ π/4, y the tail of x.
#[inline(always)]
fn kernel_sin<S: Simd>(simd: S, x: Two<S::f64s>, y: Two<S::f64s>) -> Two<S::f64s> {
    let k = |value| splat(simd, value);
    let z = x * x;
    let w = z * z;
    let r = k(8.333_333_333_322_489_461_24e-3)
        + z * (z * k(2.755_731_370_707_006_767_89e-6) - k(1.984_126_982_985_794_931_34e-4))
        + z * w * (z * k(1.589_690_995_211_550_102_21e-10) - k(2.505_076_025_340_686_341_95e-8));
    let v = z * x;
    x - ((z * (y * k(0.5) - v * r) - y) - v * k(-1.666_666_666_666_663_243_48e-1))
}

/// cos(x + y) for |x| ≤ π/4, y the tail of x.
#[inline(always)]
fn kernel_cos<S: Simd>(simd: S, x: Two<S::f64s>, y: Two<S::f64s>) -> Two<S::f64s> {
    let k = |value| splat(simd, value);
    let z = x * x;
    let w = z * z;
    let r = z
        * (k(4.166_666_666_666_660_190_37e-2)
            + z * (z * k(2.480_158_728_947_672_941_78e-5) - k(1.388_888_888_887_410_957_49e-3)))
        + w * w
            * (k(-2.755_731_435_139_066_330_35e-7)
                + z * (k(2.087_572_321_298_174_827_9e-9)
                    - z * k(1.135_964_755_778_819_482_65e-11)));
    let half = z * k(0.5);
    let one = k(1.0);
    let w = one - half;
    w + (((one - w) - half) + (z * r - x * y))
}
