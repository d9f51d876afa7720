//! The 16-bit types: widened to f32, turned, and rounded once, in vectors of bits.

use fearless_simd::prelude::*;
use fearless_simd::{f32x4, u16x8};
use half::slice::HalfFloatSliceExt;
use half::{bf16, f16};

use super::turn::{Short, Turn, Wide, Width};
use super::walk::{Arrays, Turner};

/// Bits of f32 without the sign.
const MAGNITUDE: u32 = 0x7fff_ffff;
const F32_INFINITY: u32 = 0x7f80_0000;
const F16_INFINITY: u32 = 0x7c00;

/// Vectors of f32, of any width.
trait Single<S: Simd>: SimdFloat<S, Element = f32> {}

impl<S: Simd, V: SimdFloat<S, Element = f32>> Single<S> for V {}

/// Vectors of 16 bits that turn into two of f32's bits.
trait Sixteen<S: Simd, V: Single<S>>:
    SimdWiden<S, Element = u16, Widened: SimdBase<S, ByteVector = V::ByteVector>>
{
}

impl<S: Simd, V: Single<S>, N> Sixteen<S, V> for N where
    N: SimdWiden<S, Element = u16, Widened: SimdBase<S, ByteVector = V::ByteVector>>
{
}

/// As many elements as `V` has lanes.
#[inline(always)]
fn load<S: Simd, V: Single<S>, N: Sixteen<S, V>>(simd: S, elements: &[u16]) -> V::Bits {
    let mut bits = N::splat(simd, 0);
    bits.as_mut_slice()[..V::LEN].copy_from_slice(&elements[..V::LEN]);
    bits.widen().0.bitcast()
}

/// Stores the lower halves.
#[inline(always)]
fn store<S: Simd, V: Single<S>, N: Sixteen<S, V>>(bits: V::Bits, elements: &mut [u16]) {
    let bits = bits.bitcast::<N::Widened>();
    elements[..V::LEN].copy_from_slice(&bits.narrow(bits).as_slice()[..V::LEN]);
}

#[inline(always)]
fn widen_bf16<S: Simd, V: Single<S>>(bits: V::Bits) -> V {
    V::from_bits(bits << 16)
}

/// The nearest values, ties to even.
#[inline(always)]
fn narrow_bf16<S: Simd, V: Single<S>>(values: V) -> V::Bits {
    let bits = values.to_bits();
    let high = bits >> 16;
    (bits & MAGNITUDE).simd_gt(F32_INFINITY).select(high | 0x40, (bits + 0x7fff + (high & 1)) >> 16)
}

#[inline(always)]
fn widen_f16<S: Simd, V: Single<S>>(bits: V::Bits) -> V {
    let magnitude = (bits & 0x7fff) << 13;
    // 2¹¹² is what the exponents are apart; the product is exact, that of a subnormal as well.
    let finite = (V::from_bits(magnitude) * f32::from_bits((112 + 127) << 23)).to_bits();
    let special = magnitude | F32_INFINITY;
    let is_special = magnitude.simd_ge(F16_INFINITY << 13);
    V::from_bits(is_special.select(special, finite) | ((bits & 0x8000) << 16))
}

/// The nearest values, ties to even.
#[inline(always)]
fn narrow_f16<S: Simd, V: Single<S>>(values: V) -> V::Bits {
    let bits = values.to_bits();
    let magnitude = bits & MAGNITUDE;
    let normal = ((magnitude + 0xfff + ((magnitude >> 13) & 1)) >> 13) - (112 << 10);
    // The last place of 0.5 is that of subnormals.
    let subnormal = (values.abs() + 0.5).to_bits() - 0.5_f32.to_bits();
    let finite = magnitude.simd_lt(113 << 23).select(subnormal, normal.min(F16_INFINITY));
    let nan = ((magnitude >> 13) & 0x3ff) | (F16_INFINITY + 0x200);
    magnitude.simd_gt(F32_INFINITY).select(nan, finite) | ((bits >> 16) & 0x8000)
}

macro_rules! turn_half {
    ($type:ident, $widen:ident, $narrow:ident) => {
        impl Turn for $type {
            type Angle = f32;
            type Wide = Wide;
            type Short = Short;

            #[inline(always)]
            fn turn_pair(pair: [Self; 2], cos: f32, sin: f32) -> [Self; 2] {
                f32::turn_pair(pair.map(Self::to_f32), cos, sin).map(Self::from_f32)
            }

            fn turn(turner: &Turner, arrays: Arrays<'_, Self>, steps: &[usize], angles: &[f32]) {
                turner.turn_arrays(arrays, steps, angles);
            }
        }

        impl Width<$type> for Wide {
            type Vector<S: Simd> = S::f32s;

            #[inline(always)]
            fn load<S: Simd>(simd: S, elements: &[$type]) -> S::f32s {
                $widen::<S, S::f32s>(load::<S, S::f32s, S::u16s>(simd, elements.reinterpret_cast()))
            }

            #[inline(always)]
            fn store<S: Simd>(vector: S::f32s, elements: &mut [$type]) {
                store::<S, S::f32s, S::u16s>(
                    $narrow::<S, S::f32s>(vector),
                    elements.reinterpret_cast_mut(),
                );
            }

            #[inline(always)]
            fn load_pairs<S: Simd>(simd: S, elements: &[$type]) -> [S::f32s; 2] {
                // The first of a pair is in the lower half of 32 bits.
                let bits = S::u16s::from_slice(simd, elements.reinterpret_cast())
                    .bitcast::<<S::f32s as SimdFloat<S>>::Bits>();
                [$widen::<S, S::f32s>(bits & 0xffff), $widen::<S, S::f32s>(bits >> 16)]
            }

            #[inline(always)]
            fn store_pairs<S: Simd>([x, y]: [S::f32s; 2], elements: &mut [$type]) {
                let bits = $narrow::<S, S::f32s>(x) | ($narrow::<S, S::f32s>(y) << 16);
                bits.bitcast::<S::u16s>().store_slice(elements.reinterpret_cast_mut());
            }
        }

        impl Width<$type> for Short {
            type Vector<S: Simd> = f32x4<S>;

            #[inline(always)]
            fn load<S: Simd>(simd: S, elements: &[$type]) -> f32x4<S> {
                $widen::<S, f32x4<S>>(load::<S, f32x4<S>, u16x8<S>>(
                    simd,
                    elements.reinterpret_cast(),
                ))
            }

            #[inline(always)]
            fn store<S: Simd>(vector: f32x4<S>, elements: &mut [$type]) {
                store::<S, f32x4<S>, u16x8<S>>(
                    $narrow::<S, f32x4<S>>(vector),
                    elements.reinterpret_cast_mut(),
                );
            }

            #[inline(always)]
            fn load_pairs<S: Simd>(simd: S, elements: &[$type]) -> [f32x4<S>; 2] {
                // The first of a pair is in the lower half of 32 bits.
                let bits = u16x8::<S>::from_slice(simd, elements.reinterpret_cast())
                    .bitcast::<<f32x4<S> as SimdFloat<S>>::Bits>();
                [$widen::<S, f32x4<S>>(bits & 0xffff), $widen::<S, f32x4<S>>(bits >> 16)]
            }

            #[inline(always)]
            fn store_pairs<S: Simd>([x, y]: [f32x4<S>; 2], elements: &mut [$type]) {
                let bits = $narrow::<S, f32x4<S>>(x) | ($narrow::<S, f32x4<S>>(y) << 16);
                bits.bitcast::<u16x8<S>>().store_slice(elements.reinterpret_cast_mut());
            }
        }
    };
}

turn_half!(bf16, widen_bf16, narrow_bf16);
turn_half!(f16, widen_f16, narrow_f16);
