//! The two element types that have kernels: f32 and f64. Rows of 16-bit types are rows of f32,
//! rounded once more.

use fearless_simd::prelude::*;

use super::addition::{Number, SinCos};
use super::amplitude::Amplitude;
use super::double_double::{self, Double};
use super::fixed::Line;
use super::sincos::{self, in_quarter};
use super::vectors::{Real, Two};

/// An angle in radians below this has not wrapped.
const UNWRAPPED: f64 = 1.5;

/// The leading bits of the sixteen largest exponents.
const LARGE: u64 = 0b111_1111_0000 << 52;
const LARGE_32: u32 = 0b1111_0000 << 23;

/// The number of lines that the centre of a chunk of pairs takes. A chunk is processed for a whole
/// block of positions at a time, so that its centres and rotations stay in cache.
pub(super) const LINES: usize = 64;
/// The bytes of a row of a chunk; its centre has twice as many.
const ROW: usize = LINES * size_of::<Line>() / 2;

/// An element type, and the arithmetic that gives it correctly rounded sines and cosines.
pub trait Arithmetic: Copy + 'static {
    /// A row of a chunk of pairs.
    type Row: Copy + AsRef<[Self]> + AsMut<[Self]>;
    const EMPTY: Self::Row;
    /// The numbers in which angles are added.
    type Number<V: Real>: Number<Real = V>;
    /// The number of doubles in such a number.
    const PARTS: usize;
    /// Two vectors of doubles, rounded.
    type Rounded<S: Simd>: Copy;
    /// The bits of values from which their exponents are read.
    type Bits<S: Simd>: Copy;

    /// Returns sine and cosine of x + tail for |x| ≤ π/4.
    fn sincos<V: Real>(x: V, tail: V) -> [Self::Number<V>; 2];
    /// Returns true if cancellation cannot have left a value with too few bits.
    fn is_large(value: f64, amplitude: Amplitude) -> bool;
    /// Returns true if sines of angles up to this one in magnitude are not small by cancellation,
    /// and cosines are not small.
    fn is_unwrapped(angle: f64) -> bool;

    /// Reads a vector of numbers from the `at`-th double of some lines on.
    fn load<S: Simd>(simd: S, lines: &[Line], at: usize) -> Self::Number<Two<S::f64s>>;
    /// Writes a vector of numbers to the `at`-th double of some lines and the following ones.
    fn store<S: Simd>(number: Self::Number<Two<S::f64s>>, lines: &mut [Line], at: usize);
    fn in_quarter<S: Simd>(
        simd: S,
        quarter: Two<S::u64s>,
        values: [Self::Number<Two<S::f64s>>; 2],
    ) -> SinCos<Self::Number<Two<S::f64s>>>;

    fn round<S: Simd>(values: Two<S::f64s>) -> Self::Rounded<S>;
    /// Returns a0 b0 a1 b1 …: the first half, and the second.
    fn interleave<S: Simd>(a: Self::Rounded<S>, b: Self::Rounded<S>) -> [Self::Rounded<S>; 2];
    fn write<S: Simd>(values: Self::Rounded<S>, out: &mut [Self]);

    /// Returns bits that are all set.
    fn all<S: Simd>(simd: S) -> Self::Bits<S>;
    /// Returns the bits that `seen` and the values have in common, after exponents are shifted so
    /// that those of large values begin with ones.
    fn seen<S: Simd>(
        seen: Self::Bits<S>,
        values: Self::Rounded<S>,
        amplitude: Amplitude,
    ) -> Self::Bits<S>;
    /// Returns true if all values whose bits were seen are large. It may return `false` by mistake.
    fn are_large<S: Simd>(seen: [Self::Bits<S>; 2]) -> bool;
    /// Returns true if all values whose bits were seen are certain, given their angles. It may
    /// return `false` by mistake.
    fn are_sure<S: Simd>(seen: Self::Bits<S>, angles: Self::Rounded<S>) -> bool;
}

impl Arithmetic for f32 {
    type Row = [f32; ROW / size_of::<f32>()];
    const EMPTY: Self::Row = [0.0; ROW / size_of::<f32>()];
    type Number<V: Real> = V;
    const PARTS: usize = 1;
    type Rounded<S: Simd> = S::f32s;
    type Bits<S: Simd> = S::u32s;

    #[inline(always)]
    fn sincos<V: Real>(x: V, tail: V) -> [V; 2] {
        sincos::sincos(x, tail)
    }

    #[inline(always)]
    fn is_large(value: f64, amplitude: Amplitude) -> bool {
        f64::from(value as f32).abs() >= amplitude.small
    }

    fn is_unwrapped(angle: f64) -> bool {
        angle < UNWRAPPED
    }

    #[inline(always)]
    fn load<S: Simd>(simd: S, lines: &[Line], at: usize) -> Two<S::f64s> {
        Two(Line::load(simd, lines, at), Line::load(simd, lines, at + S::f64s::LEN))
    }

    #[inline(always)]
    fn store<S: Simd>(number: Two<S::f64s>, lines: &mut [Line], at: usize) {
        Line::store::<S>(number.0, lines, at);
        Line::store::<S>(number.1, lines, at + S::f64s::LEN);
    }

    #[inline(always)]
    fn in_quarter<S: Simd>(
        simd: S,
        quarter: Two<S::u64s>,
        [sin, cos]: [Two<S::f64s>; 2],
    ) -> SinCos<Two<S::f64s>> {
        let [sin, cos] = in_quarter(simd, quarter, sin, cos);
        SinCos { sin, cos }
    }

    #[inline(always)]
    fn round<S: Simd>(Two(low, high): Two<S::f64s>) -> S::f32s {
        low.narrow(high)
    }

    #[inline(always)]
    fn interleave<S: Simd>(a: S::f32s, b: S::f32s) -> [S::f32s; 2] {
        a.interleave(b).into()
    }

    #[inline(always)]
    fn write<S: Simd>(values: S::f32s, out: &mut [f32]) {
        values.store_slice(out);
    }

    #[inline(always)]
    fn all<S: Simd>(simd: S) -> S::u32s {
        S::u32s::splat(simd, !0)
    }

    #[inline(always)]
    fn seen<S: Simd>(seen: S::u32s, values: S::f32s, amplitude: Amplitude) -> S::u32s {
        // The exponents of f64 and f32 differ by 896, and so do the largest ones.
        let shift = ((amplitude.shift >> 52) as u32).wrapping_sub(896) << 23;
        seen & (values.bitcast::<S::u32s>() + shift)
    }

    #[inline(always)]
    fn are_large<S: Simd>([first, second]: [S::u32s; 2]) -> bool {
        let large = S::u32s::splat(first.token(), LARGE_32);
        (first & second & LARGE_32).simd_eq(large).all_true()
    }

    #[inline(always)]
    fn are_sure<S: Simd>(seen: S::u32s, angles: S::f32s) -> bool {
        let simd = seen.token();
        let unwrapped = angles.simd_lt(S::f32s::splat(simd, UNWRAPPED as f32));
        let large = (seen & LARGE_32).simd_eq(S::u32s::splat(simd, LARGE_32));
        (unwrapped | large).all_true()
    }
}

impl Arithmetic for f64 {
    type Row = [f64; ROW / size_of::<f64>()];
    const EMPTY: Self::Row = [0.0; ROW / size_of::<f64>()];
    type Number<V: Real> = Double<V>;
    const PARTS: usize = 2;
    type Rounded<S: Simd> = Two<S::f64s>;
    type Bits<S: Simd> = Two<S::u64s>;

    #[inline(always)]
    fn sincos<V: Real>(x: V, tail: V) -> [Double<V>; 2] {
        double_double::sincos(x, tail)
    }

    #[inline(always)]
    fn is_large(value: f64, amplitude: Amplitude) -> bool {
        value.abs() >= amplitude.small
    }

    /// Double-double numbers on a common grid cannot hold numbers that are small from the
    /// beginning, except zero.
    fn is_unwrapped(angle: f64) -> bool {
        angle == 0.0
    }

    #[inline(always)]
    fn load<S: Simd>(simd: S, lines: &[Line], at: usize) -> Double<Two<S::f64s>> {
        let high = <f32 as Arithmetic>::load(simd, lines, at);
        Double { high, low: <f32 as Arithmetic>::load(simd, lines, at + 2 * S::f64s::LEN) }
    }

    #[inline(always)]
    fn store<S: Simd>(number: Double<Two<S::f64s>>, lines: &mut [Line], at: usize) {
        <f32 as Arithmetic>::store::<S>(number.high, lines, at);
        <f32 as Arithmetic>::store::<S>(number.low, lines, at + 2 * S::f64s::LEN);
    }

    #[inline(always)]
    fn in_quarter<S: Simd>(
        simd: S,
        quarter: Two<S::u64s>,
        [sin, cos]: [Double<Two<S::f64s>>; 2],
    ) -> SinCos<Double<Two<S::f64s>>> {
        let high = in_quarter(simd, quarter, sin.high, cos.high);
        let low = in_quarter(simd, quarter, sin.low, cos.low);
        let sin = Double { high: high[0], low: low[0] };
        SinCos { sin, cos: Double { high: high[1], low: low[1] } }
    }

    #[inline(always)]
    fn round<S: Simd>(values: Two<S::f64s>) -> Two<S::f64s> {
        values
    }

    #[inline(always)]
    fn interleave<S: Simd>(a: Two<S::f64s>, b: Two<S::f64s>) -> [Two<S::f64s>; 2] {
        let ((a0, b0), (a1, b1)) = (a.0.interleave(b.0), a.1.interleave(b.1));
        [Two(a0, b0), Two(a1, b1)]
    }

    #[inline(always)]
    fn write<S: Simd>(values: Two<S::f64s>, out: &mut [f64]) {
        let (low, high) = out.split_at_mut(S::f64s::LEN);
        values.0.store_slice(low);
        values.1.store_slice(high);
    }

    #[inline(always)]
    fn all<S: Simd>(simd: S) -> Two<S::u64s> {
        Two(S::u64s::splat(simd, !0), S::u64s::splat(simd, !0))
    }

    #[inline(always)]
    fn seen<S: Simd>(
        seen: Two<S::u64s>,
        values: Two<S::f64s>,
        amplitude: Amplitude,
    ) -> Two<S::u64s> {
        let bits: Two<S::u64s> = Two(values.0.bitcast(), values.1.bitcast());
        Two(seen.0 & (bits.0 + amplitude.shift), seen.1 & (bits.1 + amplitude.shift))
    }

    #[inline(always)]
    fn are_large<S: Simd>([first, second]: [Two<S::u64s>; 2]) -> bool {
        let large = S::u64s::splat(first.0.token(), LARGE);
        (first.0 & first.1 & second.0 & second.1 & LARGE).simd_eq(large).all_true()
    }

    #[inline(always)]
    fn are_sure<S: Simd>(seen: Two<S::u64s>, angles: Two<S::f64s>) -> bool {
        let (large, zero) =
            (S::u64s::splat(seen.0.token(), LARGE), S::f64s::splat(seen.0.token(), 0.0));
        let low = (seen.0 & LARGE).simd_eq(large) | angles.0.simd_eq(zero);
        let high = (seen.1 & LARGE).simd_eq(large) | angles.1.simd_eq(zero);
        (low & high).all_true()
    }
}
