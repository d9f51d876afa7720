//! What a rotation needs to know of an element type.

use fearless_simd::prelude::*;
use fearless_simd::{f32x4, f64x2};
use ndarray::ArrayViewMutD;

use super::walk::Turner;
use crate::Element;

/// An element type that can be turned: loaded as its angles' type, and stored with one rounding.
pub trait Turn: Sized + Copy {
    /// The type of cosines and sines, and of the arithmetic: f32 for 16-bit elements, otherwise the type itself.
    type Angle: Element + SimdFloatElement;
    /// The widest vector of an instruction set.
    type Wide<S: Simd>: SimdFloat<S, Element = Self::Angle>;
    /// A vector of 16 bytes.
    type Short<S: Simd>: SimdFloat<S, Element = Self::Angle>;

    /// As many elements as the vector has lanes.
    fn load<S: Simd, V: SimdFloat<S, Element = Self::Angle>>(simd: S, elements: &[Self]) -> V;

    /// The inverse of [`load`](Self::load).
    fn store<S: Simd, V: SimdFloat<S, Element = Self::Angle>>(vector: V, elements: &mut [Self]);

    /// Turns one pair.
    fn turn_pair(pair: [Self; 2], cos: Self::Angle, sin: Self::Angle) -> [Self; 2];

    /// Turns all rows of a view. It is not generic, so that the kernels are compiled here, once, and not in every crate
    /// that uses them.
    fn turn(turner: &Turner, view: ArrayViewMutD<'_, Self>, steps: &[usize], angles: &[Self::Angle]);
}

macro_rules! turn_as_is {
    ($type:ident, $wide:ident, $short:ident) => {
        impl Turn for $type {
            type Angle = Self;
            type Wide<S: Simd> = S::$wide;
            type Short<S: Simd> = $short<S>;

            #[inline(always)]
            fn load<S: Simd, V: SimdFloat<S, Element = Self>>(simd: S, elements: &[Self]) -> V {
                V::from_slice(simd, elements)
            }

            #[inline(always)]
            fn store<S: Simd, V: SimdFloat<S, Element = Self>>(vector: V, elements: &mut [Self]) {
                vector.store_slice(elements);
            }

            #[inline(always)]
            fn turn_pair([x, y]: [Self; 2], cos: Self, sin: Self) -> [Self; 2] {
                [x * cos - y * sin, y * cos + x * sin]
            }

            fn turn(turner: &Turner, view: ArrayViewMutD<'_, Self>, steps: &[usize], angles: &[Self]) {
                turner.turn_view(view, steps, angles);
            }
        }
    };
}

turn_as_is!(f32, f32s, f32x4);
turn_as_is!(f64, f64s, f64x2);
