//! The kernels: the pairs of one row, turned by their angles.
//!
//! (x, y) → (x·cos − y·sin, y·cos + x·sin), each product and each sum rounded on its own. Multiplications and additions are
//! never fused, so that results have the same bits with every instruction set.

use fearless_simd::prelude::*;

use crate::Element;

/// What a rotation needs to know of an element type.
pub trait Turn: Sized + Copy {
    /// The type of cosines and sines, and of the arithmetic: f32 for 16-bit elements, otherwise the type itself.
    type Angle: Element;

    /// Turns the pairs (firstᵢ, secondᵢ); backwards where `BACK`. All slices have one length.
    fn turn_halves<S: Simd, const BACK: bool>(
        simd: S,
        first: &mut [Self],
        second: &mut [Self],
        cos: &[Self::Angle],
        sin: &[Self::Angle],
    );

    /// Turns the pairs (x₂ᵢ, x₂ᵢ₊₁).
    fn turn_neighbours<S: Simd, const BACK: bool>(simd: S, x: &mut [Self], cos: &[Self::Angle], sin: &[Self::Angle]);

    /// Turns one pair.
    fn turn_pair<const BACK: bool>(pair: (Self, Self), cos: Self::Angle, sin: Self::Angle) -> (Self, Self);
}

macro_rules! turn_in_vectors {
    ($type:ident, $vector:ident) => {
        impl Turn for $type {
            type Angle = Self;

            #[inline(always)]
            fn turn_halves<S: Simd, const BACK: bool>(
                simd: S,
                first: &mut [Self],
                second: &mut [Self],
                cos: &[Self],
                sin: &[Self],
            ) {
                let lanes = S::$vector::LEN;
                let (mut firsts, mut seconds) = (first.chunks_exact_mut(lanes), second.chunks_exact_mut(lanes));
                let (cosines, sines) = (cos.chunks_exact(lanes), sin.chunks_exact(lanes));
                let angles = cosines.remainder().iter().zip(sines.remainder());
                for (((first, second), cos), sin) in firsts.by_ref().zip(seconds.by_ref()).zip(cosines).zip(sines) {
                    let load = |values: &[Self]| S::$vector::from_slice(simd, values);
                    let (x, y, cos, sin) = (load(first), load(second), load(cos), load(sin));
                    let (a, b) = if BACK {
                        (x * cos + y * sin, y * cos - x * sin)
                    } else {
                        (x * cos - y * sin, y * cos + x * sin)
                    };
                    a.store_slice(first);
                    b.store_slice(second);
                }
                let rest = firsts.into_remainder().iter_mut().zip(seconds.into_remainder());
                for ((first, second), (cos, sin)) in rest.zip(angles) {
                    (*first, *second) = Self::turn_pair::<BACK>((*first, *second), *cos, *sin);
                }
            }

            #[inline(always)]
            fn turn_neighbours<S: Simd, const BACK: bool>(simd: S, x: &mut [Self], cos: &[Self], sin: &[Self]) {
                let lanes = S::$vector::LEN;
                let mut pairs = x.chunks_exact_mut(2 * lanes);
                let (cosines, sines) = (cos.chunks_exact(lanes), sin.chunks_exact(lanes));
                let angles = cosines.remainder().iter().zip(sines.remainder());
                for ((pairs, cos), sin) in pairs.by_ref().zip(cosines).zip(sines) {
                    let load = |values: &[Self]| S::$vector::from_slice(simd, values);
                    let (low, high) = pairs.split_at_mut(lanes);
                    let (x, y): (S::$vector, S::$vector) = load(low).deinterleave(load(high)).into();
                    let (cos, sin) = (load(cos), load(sin));
                    let (a, b) = if BACK {
                        (x * cos + y * sin, y * cos - x * sin)
                    } else {
                        (x * cos - y * sin, y * cos + x * sin)
                    };
                    let (a, b): (S::$vector, S::$vector) = a.interleave(b).into();
                    a.store_slice(low);
                    b.store_slice(high);
                }
                for (pair, (cos, sin)) in pairs.into_remainder().chunks_exact_mut(2).zip(angles) {
                    (pair[0], pair[1]) = Self::turn_pair::<BACK>((pair[0], pair[1]), *cos, *sin);
                }
            }

            #[inline(always)]
            fn turn_pair<const BACK: bool>((x, y): (Self, Self), cos: Self, sin: Self) -> (Self, Self) {
                if BACK { (x * cos + y * sin, y * cos - x * sin) } else { (x * cos - y * sin, y * cos + x * sin) }
            }
        }
    };
}

turn_in_vectors!(f32, f32s);
turn_in_vectors!(f64, f64s);

/// The 16-bit types are widened to f32, turned, and rounded once.
#[cfg(feature = "half")]
macro_rules! turn_half {
    ($type:ty) => {
        impl Turn for $type {
            type Angle = f32;

            #[inline(always)]
            fn turn_halves<S: Simd, const BACK: bool>(
                _: S,
                first: &mut [Self],
                second: &mut [Self],
                cos: &[f32],
                sin: &[f32],
            ) {
                for ((first, second), (cos, sin)) in first.iter_mut().zip(second).zip(cos.iter().zip(sin)) {
                    (*first, *second) = Self::turn_pair::<BACK>((*first, *second), *cos, *sin);
                }
            }

            #[inline(always)]
            fn turn_neighbours<S: Simd, const BACK: bool>(_: S, x: &mut [Self], cos: &[f32], sin: &[f32]) {
                for (pair, (cos, sin)) in x.chunks_exact_mut(2).zip(cos.iter().zip(sin)) {
                    (pair[0], pair[1]) = Self::turn_pair::<BACK>((pair[0], pair[1]), *cos, *sin);
                }
            }

            #[inline(always)]
            fn turn_pair<const BACK: bool>(pair: (Self, Self), cos: f32, sin: f32) -> (Self, Self) {
                let (x, y) = f32::turn_pair::<BACK>((pair.0.to_f32(), pair.1.to_f32()), cos, sin);
                (Self::from_f32(x), Self::from_f32(y))
            }
        }
    };
}

#[cfg(feature = "half")]
turn_half!(half::f16);
#[cfg(feature = "half")]
turn_half!(half::bf16);
