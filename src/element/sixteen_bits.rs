//! Conversion between f32 and `half::f16` or `half::bf16`, in vectors of bits.

use fearless_simd::prelude::*;
use half::slice::HalfFloatSliceExt;
use half::{bf16, f16};

use crate::element::{Element, Lanes};

/// The bits of f32 without the sign.
const MAGNITUDE: u32 = 0x7fff_ffff;
const F32_INFINITY: u32 = 0x7f80_0000;
const F16_INFINITY: u32 = 0x7c00;

/// Loads as many elements as an f32 vector has lanes.
#[inline(always)]
fn load<S: Simd>(simd: S, elements: &[u16]) -> S::u32s {
    let mut bits = S::u16s::splat(simd, 0);
    bits.as_mut_slice()[..S::u32s::LEN].copy_from_slice(&elements[..S::u32s::LEN]);
    bits.widen().0
}

/// Stores the lower 16 bits of each lane.
#[inline(always)]
fn store<S: Simd>(bits: S::u32s, elements: &mut [u16]) {
    elements[..S::u32s::LEN].copy_from_slice(&bits.narrow(bits).as_slice()[..S::u32s::LEN]);
}

#[inline(always)]
fn widen_bf16<S: Simd>(bits: S::u32s) -> S::f32s {
    (bits << 16).bitcast()
}

/// Rounds to the nearest values, ties to even.
#[inline(always)]
fn narrow_bf16<S: Simd>(values: S::f32s) -> S::u32s {
    let bits = values.bitcast::<S::u32s>();
    let high = bits >> 16;
    (bits & MAGNITUDE).simd_gt(F32_INFINITY).select(high | 0x40, (bits + 0x7fff + (high & 1)) >> 16)
}

#[inline(always)]
fn widen_f16<S: Simd>(bits: S::u32s) -> S::f32s {
    let magnitude = (bits & 0x7fff) << 13;
    // The exponents of the two types differ by 112. The product is exact, also of a subnormal.
    let finite =
        (magnitude.bitcast::<S::f32s>() * f32::from_bits((112 + 127) << 23)).bitcast::<S::u32s>();
    let special = magnitude | F32_INFINITY;
    let is_special = magnitude.simd_ge(F16_INFINITY << 13);
    (is_special.select(special, finite) | ((bits & 0x8000) << 16)).bitcast()
}

/// Rounds to the nearest values, ties to even.
#[inline(always)]
fn narrow_f16<S: Simd>(values: S::f32s) -> S::u32s {
    let bits = values.bitcast::<S::u32s>();
    let magnitude = bits & MAGNITUDE;
    let normal = ((magnitude + 0xfff + ((magnitude >> 13) & 1)) >> 13) - (112 << 10);
    // The last place of 0.5 in f32 is the last place of the subnormals of f16.
    let subnormal = (values.abs() + 0.5).bitcast::<S::u32s>() - 0.5_f32.to_bits();
    let finite = magnitude.simd_lt(113 << 23).select(subnormal, normal.min(F16_INFINITY));
    let nan = ((magnitude >> 13) & 0x3ff) | (F16_INFINITY + 0x200);
    magnitude.simd_gt(F32_INFINITY).select(nan, finite) | ((bits >> 16) & 0x8000)
}

macro_rules! lanes_of_f32 {
    ($type:ident, $widen:ident, $narrow:ident) => {
        impl Lanes for $type {
            type Vector<S: Simd> = S::f32s;

            #[inline(always)]
            fn load<S: Simd>(simd: S, elements: &[Self]) -> S::f32s {
                $widen::<S>(load::<S>(simd, elements.reinterpret_cast()))
            }

            #[inline(always)]
            fn store<S: Simd>(vector: S::f32s, elements: &mut [Self]) {
                store::<S>($narrow::<S>(vector), elements.reinterpret_cast_mut());
            }

            #[inline(always)]
            fn round<S: Simd>(vector: S::f32s) -> S::f32s {
                $widen::<S>($narrow::<S>(vector))
            }

            #[inline(always)]
            fn load_pairs<S: Simd>(simd: S, elements: &[Self]) -> [S::f32s; 2] {
                // The first of a pair is in the lower half of 32 bits.
                let bits = S::u16s::from_slice(simd, elements.reinterpret_cast());
                let bits = bits.bitcast::<S::u32s>();
                [$widen::<S>(bits & 0xffff), $widen::<S>(bits >> 16)]
            }

            #[inline(always)]
            fn store_pairs<S: Simd>([even, odd]: [S::f32s; 2], elements: &mut [Self]) {
                let bits = $narrow::<S>(even) | ($narrow::<S>(odd) << 16);
                bits.bitcast::<S::u16s>().store_slice(elements.reinterpret_cast_mut());
            }

            #[inline(always)]
            fn widen(self) -> f32 {
                self.to_f64() as f32
            }

            #[inline(always)]
            fn narrow(value: f32) -> Self {
                Element::from_f64(f64::from(value))
            }
        }
    };
}

lanes_of_f32!(bf16, widen_bf16, narrow_bf16);
lanes_of_f32!(f16, widen_f16, narrow_f16);

#[cfg(test)]
mod tests {
    use fearless_simd::Level;

    use super::*;
    use crate::simd::Kernel;

    /// Loads, rounds and stores in vectors, and compares with the scalar methods.
    struct Check<'a, A> {
        /// Elements to load.
        elements: &'a [A],
        /// Numbers to round, as many as elements.
        numbers: &'a [f32],
    }

    /// Returns the bits, with all NaNs made equal.
    fn bits<A: Element>(element: A) -> u64 {
        let value = element.to_f64();
        if value.is_nan() { f64::NAN.to_bits() } else { value.to_bits() }
    }

    impl<A: Lanes<Angle = f32>> Kernel for Check<'_, A> {
        #[inline(always)]
        fn run<S: Simd>(self, simd: S) {
            let len = A::Vector::<S>::LEN;
            let mut stored = vec![A::zero(); 2 * len];
            let groups = self.elements.chunks_exact(2 * len);
            for (elements, numbers) in groups.zip(self.numbers.chunks_exact(2 * len)) {
                let [even, odd] = A::load_pairs(simd, elements);
                for (i, element) in elements[..len].iter().enumerate() {
                    let loaded = A::load(simd, &elements[..len]);
                    assert_eq!(bits(loaded.as_slice()[i]), bits(element.widen()));
                    assert_eq!(bits(even.as_slice()[i]), bits(elements[2 * i].widen()));
                    assert_eq!(bits(odd.as_slice()[i]), bits(elements[2 * i + 1].widen()));
                }
                let [low, high] = [&numbers[..len], &numbers[len..]]
                    .map(|numbers| A::Vector::<S>::from_slice(simd, numbers));
                A::store_pairs([low, high], &mut stored);
                for i in 0..len {
                    let [low, high] = [A::narrow(numbers[i]), A::narrow(numbers[len + i])];
                    assert_eq!(bits(stored[2 * i]), bits(low), "{:e}", numbers[i]);
                    assert_eq!(bits(stored[2 * i + 1]), bits(high), "{:e}", numbers[len + i]);
                }
                A::store(low, &mut stored[..len]);
                let rounded = A::round(low);
                for i in 0..len {
                    assert_eq!(bits(stored[i]), bits(A::narrow(numbers[i])), "{:e}", numbers[i]);
                    assert_eq!(bits(rounded.as_slice()[i]), bits(stored[i]));
                }
            }
        }
    }

    /// Checks every element, and every f32 that is at or next to an element or the middle between
    /// two.
    fn check<A: Lanes<Angle = f32>>(from_bits: impl Fn(u16) -> A) {
        let elements: Vec<A> = (0..=u16::MAX).map(&from_bits).collect();
        for part in [0.0, 0.25, 0.5] {
            for nudge in [-1_i32, 0, 1] {
                let number = |i: usize| {
                    let [below, above] =
                        [i, (i + 1) % elements.len()].map(|i| elements[i].to_f64());
                    let middle = (below + part * (above - below)) as f32;
                    f32::from_bits(middle.to_bits().wrapping_add_signed(nudge))
                };
                let numbers: Vec<f32> = (0..elements.len()).map(number).collect();
                for level in [Level::baseline(), Level::new()] {
                    Check { elements: &elements, numbers: &numbers }.launch(level);
                }
            }
        }
    }

    #[test]
    fn vectors_compute_like_scalars() {
        check(bf16::from_bits);
        check(f16::from_bits);
    }
}
