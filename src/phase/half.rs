//! The 16-bit types: rounded once, from f64, in vectors of bits.

use fearless_simd::prelude::*;
use half::slice::HalfFloatSliceExt;
use half::{bf16, f16};

use super::rows::Rows;
use super::sincos::Two;
use super::{Columns, Lanes, Store, Waves};
use crate::{Element, Positions};

/// Bits of f32 without the sign.
const MAGNITUDE: u32 = 0x7fff_ffff;
const F32_INFINITY: u32 = 0x7f80_0000;

/// How a 16-bit type and f32 turn into each other.
trait Sixteen: Element {
    /// Significand bits that f32 has more.
    const DROPPED: u32;
    /// Bits of the f32 below which this type has fewer significand bits, where f32 has not.
    const SMALLEST_NORMAL: u32;
    /// The nearest values of this type to numbers, ties to even, as bits.
    fn narrow<S: Simd>(values: S::f32s) -> S::u32s;
    /// The same numbers as f32.
    fn widen<S: Simd>(bits: S::u32s) -> S::f32s;
    /// The bits of NaN: of values that are not numbers, where `narrow` has something else.
    fn nan<S: Simd>(values: S::f32s) -> S::u32s;
    fn bits(values: &[Self]) -> &[u16];
    fn bits_mut(values: &mut [Self]) -> &mut [u16];
}

impl Sixteen for bf16 {
    const DROPPED: u32 = 16;
    const SMALLEST_NORMAL: u32 = 0;

    #[inline(always)]
    fn narrow<S: Simd>(values: S::f32s) -> S::u32s {
        let bits = values.bitcast::<S::u32s>();
        (bits + 0x7fff + ((bits >> 16) & 1)) >> 16
    }

    #[inline(always)]
    fn nan<S: Simd>(values: S::f32s) -> S::u32s {
        (values.bitcast::<S::u32s>() >> 16) | 0x40
    }

    #[inline(always)]
    fn widen<S: Simd>(bits: S::u32s) -> S::f32s {
        (bits << 16).bitcast()
    }

    #[inline(always)]
    fn bits(values: &[Self]) -> &[u16] {
        values.reinterpret_cast()
    }

    #[inline(always)]
    fn bits_mut(values: &mut [Self]) -> &mut [u16] {
        values.reinterpret_cast_mut()
    }
}

impl Sixteen for f16 {
    const DROPPED: u32 = 13;
    const SMALLEST_NORMAL: u32 = 113 << 23;

    #[inline(always)]
    fn narrow<S: Simd>(values: S::f32s) -> S::u32s {
        const INFINITY: u32 = 0x7c00;
        let bits = values.bitcast::<S::u32s>();
        let magnitude = bits & MAGNITUDE;
        let normal = ((magnitude + 0xfff + ((magnitude >> 13) & 1)) >> 13) - (112 << 10);
        // The last place of 0.5 is that of subnormals.
        let subnormal = (values.abs() + 0.5).bitcast::<S::u32s>() - 0.5_f32.to_bits();
        let number =
            magnitude.simd_lt(Self::SMALLEST_NORMAL).select(subnormal, normal.min(INFINITY));
        number | ((bits >> 16) & 0x8000)
    }

    #[inline(always)]
    fn nan<S: Simd>(values: S::f32s) -> S::u32s {
        let bits = values.bitcast::<S::u32s>();
        ((bits >> 13) & 0x3ff) | 0x7e00 | ((bits >> 16) & 0x8000)
    }

    #[inline(always)]
    fn widen<S: Simd>(bits: S::u32s) -> S::f32s {
        let magnitude = (bits & 0x7fff) << 13;
        // 2¹¹² is what the exponents are apart; the product is exact, that of a subnormal as well.
        let finite = (magnitude.bitcast::<S::f32s>() * f32::from_bits((112 + 127) << 23))
            .bitcast::<S::u32s>();
        let special = magnitude | F32_INFINITY;
        (magnitude.simd_ge(0x7c00 << 13).select(special, finite) | ((bits & 0x8000) << 16))
            .bitcast()
    }

    #[inline(always)]
    fn bits(values: &[Self]) -> &[u16] {
        values.reinterpret_cast()
    }

    #[inline(always)]
    fn bits_mut(values: &mut [Self]) -> &mut [u16] {
        values.reinterpret_cast_mut()
    }
}

/// Rounds f64 to 16 bits by way of f32, which rounds twice, and says where that could matter.
#[inline(always)]
fn round_twice<A: Sixteen, S: Simd>(values: Two<S::f64s>) -> (S::u32s, S::mask32s) {
    let single = values.0.narrow(values.1);
    let bits = single.bitcast::<S::u32s>();
    let in_the_middle = (bits & ((1 << A::DROPPED) - 1)).simd_eq(1 << (A::DROPPED - 1));
    // Zero wraps around to a large number.
    let subnormal = ((bits & MAGNITUDE) - 1).simd_lt(A::SMALLEST_NORMAL.saturating_sub(1));
    (
        A::narrow::<S>(single),
        if A::SMALLEST_NORMAL > 0 { in_the_middle | subnormal } else { in_the_middle },
    )
}

/// Rounds f64 to 16 bits: the few values for which rounding twice could matter once.
#[inline(always)]
fn round<A: Sixteen, S: Simd>(values: Two<S::f64s>) -> S::u32s {
    let (rounded, doubtful) = round_twice::<A, S>(values);
    if doubtful.any_true() { A::narrow::<S>(round_each::<A, S>(values)) } else { rounded }
}

/// The nearest values of `A`, as f32.
#[cold]
#[inline(never)]
fn round_each<A: Element, S: Simd>(Two(low, high): Two<S::f64s>) -> S::f32s {
    let mut rounded = S::f32s::splat(low.token(), 0.0);
    for (single, value) in
        rounded.as_mut_slice().iter_mut().zip(low.as_slice().iter().chain(high.as_slice()))
    {
        *single = A::from_f64(*value).to_f64() as f32;
    }
    rounded
}

/// Rounds the results of this type's arithmetic, to bits.
#[inline(always)]
fn round_result<A: Sixteen, S: Simd>(result: S::f32s) -> S::u32s {
    let is_nan = (result.bitcast::<S::u32s>() & MAGNITUDE).simd_gt(F32_INFINITY);
    is_nan.select(A::nan::<S>(result), A::narrow::<S>(result))
}

#[inline(always)]
fn write<A: Sixteen, S: Simd>(group: S::u32s, out: &mut [A]) {
    let width = S::u32s::LEN;
    A::bits_mut(out)[..width].copy_from_slice(&group.narrow(group).as_slice()[..width]);
}

#[inline(always)]
fn load<A: Sixteen, S: Simd>(simd: S, values: &[A]) -> S::u32s {
    let mut found = S::u16s::splat(simd, 0);
    found.as_mut_slice()[..S::u32s::LEN].copy_from_slice(&A::bits(values)[..S::u32s::LEN]);
    found.widen().0
}

/// Stores pairs of 16 bits, the lower ones in front.
#[inline(always)]
fn write_pairs<A: Sixteen, S: Simd>(a: S::u32s, b: S::u32s, (first, second): (&mut [A], &mut [A])) {
    let pairs = (a | (b << 16)).bitcast::<S::u16s>();
    let (low, high) = pairs.as_slice().split_at(S::u32s::LEN);
    A::bits_mut(first)[..S::u32s::LEN].copy_from_slice(low);
    A::bits_mut(second)[..S::u32s::LEN].copy_from_slice(high);
}

/// A blanket implementation could not be: what implements `Sixteen` implements `Lanes` already.
macro_rules! lanes {
    ($type:ident) => {
        impl Lanes for $type {
            type Group<S: Simd> = S::u32s;
            type Number<S: Simd> = Two<S::f64s>;
            const EXACT: bool = false;
            const PAIRED: bool = false;

            #[inline(always)]
            fn to_group<S: Simd>(values: Two<S::f64s>) -> S::u32s {
                round::<Self, S>(values)
            }

            #[inline(always)]
            fn to_group_or_doubt<S: Simd>(values: Two<S::f64s>) -> (S::u32s, S::mask32s) {
                round_twice::<Self, S>(values)
            }

            #[inline(always)]
            fn interleave<S: Simd>(a: S::u32s, b: S::u32s) -> [S::u32s; 2] {
                a.interleave(b).into()
            }

            #[inline(always)]
            fn are_same<S: Simd>(a: S::u32s, b: S::u32s) -> bool {
                a.simd_eq(b).all_true()
            }

            #[inline(always)]
            fn write_group<S: Simd>(group: S::u32s, out: &mut [Self]) {
                write::<Self, S>(group, out);
            }

            #[inline(always)]
            fn sum<S: Simd>(a: S::u32s, b: S::u32s) -> S::u32s {
                round_result::<Self, S>(Self::widen::<S>(a) + Self::widen::<S>(b))
            }

            #[inline(always)]
            fn write_pairs<S: Simd>(a: S::u32s, b: S::u32s, out: (&mut [Self], &mut [Self])) {
                write_pairs::<Self, S>(a, b, out);
            }

            #[inline(always)]
            fn load_group<S: Simd>(simd: S, values: &[Self]) -> S::u32s {
                load::<Self, S>(simd, values)
            }

            fn rows(
                waves: &Waves,
                positions: &Positions<'_>,
                columns: &Columns,
                store: Store,
                rows: &mut Rows<'_, Self>,
            ) {
                waves.dispatch(positions, columns, store, rows);
            }
        }
    };
}

lanes!(bf16);
lanes!(f16);

#[cfg(test)]
mod tests {
    use fearless_simd::Level;

    use super::*;
    use crate::simd::{Kernel, launch};

    /// Rounds, adds and multiplies in vectors what it compares with scalar arithmetic.
    struct Check<'a, A> {
        values: &'a [f64],
        sums: &'a [A],
    }

    impl<A: Sixteen> Kernel for Check<'_, A> {
        #[inline(always)]
        fn run<S: Simd>(self, simd: S) {
            let width = S::u32s::LEN;
            for (values, sums) in self.values.chunks_exact(width).zip(self.sums.chunks_exact(width))
            {
                let (low, high) = values.split_at(width / 2);
                let group = round::<A, S>(Two(
                    S::f64s::from_slice(simd, low),
                    S::f64s::from_slice(simd, high),
                ));
                let before = load::<A, S>(simd, sums);
                let (mut written, mut added, mut multiplied) =
                    (sums.to_vec(), sums.to_vec(), sums.to_vec());
                let mut written_pairs = [sums, sums].concat();
                write::<A, S>(group, &mut written);
                write::<A, S>(
                    round_result::<A, S>(A::widen::<S>(before) + A::widen::<S>(group)),
                    &mut added,
                );
                write::<A, S>(
                    round_result::<A, S>(A::widen::<S>(before) * A::widen::<S>(group)),
                    &mut multiplied,
                );
                write_pairs::<A, S>(group, before, written_pairs.split_at_mut(width));
                for (i, pair) in A::bits(&written_pairs).chunks(2).enumerate() {
                    assert_eq!(pair, [A::bits(&written)[i], A::bits(sums)[i]]);
                }
                for i in 0..width {
                    let (rounded, before) = (A::from_f64(values[i]), sums[i]);
                    assert_eq!(A::bits(&[written[i]]), A::bits(&[rounded]), "{:e}", values[i]);
                    assert_eq!(
                        A::bits(&[added[i]]),
                        A::bits(&[before + rounded]),
                        "{before:?} + {rounded:?}"
                    );
                    assert_eq!(
                        A::bits(&[multiplied[i]]),
                        A::bits(&[before * rounded]),
                        "{before:?} * {rounded:?}"
                    );
                }
            }
        }
    }

    fn check<A: Sixteen>() {
        // Every number of the type, infinities and NaN included, meets one that is next to some
        // other number, or the middle between two, or next to that.
        let mut all = vec![A::zero(); 1 << 16];
        A::bits_mut(&mut all).iter_mut().zip(0..=u16::MAX).for_each(|(bits, value)| *bits = value);
        let numbers: Vec<f64> =
            all.iter().map(|value| value.to_f64()).filter(|value| value.is_finite()).collect();
        let nudges = [0.0, f64::EPSILON, -f64::EPSILON];
        for part in [0.0, 0.25, 0.5] {
            for nudge in nudges {
                let values: Vec<f64> = (0..all.len())
                    .map(|i| i * 40_503 % (numbers.len() - 1))
                    .map(|i| (numbers[i] + part * (numbers[i + 1] - numbers[i])) * (1.0 + nudge))
                    .collect();
                for level in [Level::baseline(), Level::new()] {
                    launch(level, Check { values: &values, sums: &all });
                }
            }
        }
    }

    #[test]
    fn vectors_compute_like_scalars() {
        check::<bf16>();
        check::<f16>();
    }
}
