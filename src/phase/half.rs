//! The 16-bit types: rounded once, from f64, in vectors of bits.

use fearless_simd::prelude::*;
use half::slice::HalfFloatSliceExt;
use half::{bf16, f16};

use super::lanes::Lanes;
use super::sums::Sums;
use crate::simd::launch;
use crate::{Element, InstructionSet};

/// Bits of f32 without the sign.
const MAGNITUDE: u32 = 0x7fff_ffff;
const F32_INFINITY: u32 = 0x7f80_0000;

/// How a 16-bit type and f32 turn into each other.
trait Sixteen: Element {
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

/// A blanket implementation could not be: what implements `Sixteen` implements `Lanes` already.
macro_rules! lanes {
    ($type:ident) => {
        impl Lanes for $type {
            type Group<S: Simd> = S::u32s;
            #[inline(always)]
            fn write_group<S: Simd>(group: S::u32s, out: &mut [Self]) {
                write::<Self, S>(group, out);
            }

            #[inline(always)]
            fn sum<S: Simd>(a: S::u32s, b: S::u32s) -> S::u32s {
                round_result::<Self, S>(Self::widen::<S>(a) + Self::widen::<S>(b))
            }

            #[inline(always)]
            fn product<S: Simd>(a: S::u32s, b: S::u32s) -> S::u32s {
                round_result::<Self, S>(Self::widen::<S>(a) * Self::widen::<S>(b))
            }

            #[inline(always)]
            fn load_group<S: Simd>(simd: S, values: &[Self]) -> S::u32s {
                load::<Self, S>(simd, values)
            }

            fn add_up(set: InstructionSet, sums: Sums<'_, Self>) {
                launch(set.level_or_best(), sums);
            }
        }
    };
}

lanes!(bf16);
lanes!(f16);
