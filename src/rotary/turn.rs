//! What a rotation needs to know of an element type.

use fearless_simd::prelude::*;
use fearless_simd::{f32x4, f64x2};

use super::walk::{Arrays, Turner};
use crate::Element;

/// Vectors of one width, in which elements are turned.
pub trait Width<A: Turn> {
    type Vector<S: Simd>: SimdFloat<S, Element = A::Angle>;

    /// As many elements as the vector has lanes.
    fn load<S: Simd>(simd: S, elements: &[A]) -> Self::Vector<S>;

    /// The inverse of [`load`](Self::load).
    fn store<S: Simd>(vector: Self::Vector<S>, elements: &mut [A]);

    /// Twice as many elements: those with even indices, and those with odd ones.
    #[inline(always)]
    fn load_pairs<S: Simd>(simd: S, elements: &[A]) -> [Self::Vector<S>; 2] {
        let (low, high) = elements.split_at(Self::Vector::<S>::LEN);
        Self::load(simd, low).deinterleave(Self::load(simd, high)).into()
    }

    /// The inverse of [`load_pairs`](Self::load_pairs).
    #[inline(always)]
    fn store_pairs<S: Simd>([x, y]: [Self::Vector<S>; 2], elements: &mut [A]) {
        let (low, high) = elements.split_at_mut(Self::Vector::<S>::LEN);
        let (x, y) = x.interleave(y);
        Self::store(x, low);
        Self::store(y, high);
    }
}

/// The widest vectors of an instruction set.
pub enum Wide {}

/// Vectors of 16 bytes.
pub enum Short {}

/// An element type that can be turned: loaded as its angles' type, and stored with one rounding.
pub trait Turn: Sized + Copy {
    /// The type of cosines and sines, and of the arithmetic: f32 for 16-bit elements, otherwise the
    /// type itself.
    type Angle: Element + SimdFloatElement;
    /// The widest vectors of an instruction set.
    type Wide: Width<Self>;
    /// Vectors of 16 bytes.
    type Short: Width<Self>;

    /// Turns one pair.
    fn turn_pair(pair: [Self; 2], cos: Self::Angle, sin: Self::Angle) -> [Self; 2];

    /// Turns all rows of arrays. It is not generic, so that the kernels are compiled here, once,
    /// and not in every crate that uses them.
    fn turn(turner: &Turner, arrays: Arrays<'_, Self>, steps: &[usize], angles: &[Self::Angle]);
}

macro_rules! turn_as_is {
    ($type:ident, $wide:ident, $short:ident) => {
        impl Turn for $type {
            type Angle = Self;
            type Wide = Wide;
            type Short = Short;

            #[inline(always)]
            fn turn_pair([x, y]: [Self; 2], cos: Self, sin: Self) -> [Self; 2] {
                [x * cos - y * sin, y * cos + x * sin]
            }

            fn turn(turner: &Turner, arrays: Arrays<'_, Self>, steps: &[usize], angles: &[Self]) {
                turner.turn_arrays(arrays, steps, angles);
            }
        }

        impl Width<$type> for Wide {
            type Vector<S: Simd> = S::$wide;

            #[inline(always)]
            fn load<S: Simd>(simd: S, elements: &[$type]) -> S::$wide {
                S::$wide::from_slice(simd, elements)
            }

            #[inline(always)]
            fn store<S: Simd>(vector: S::$wide, elements: &mut [$type]) {
                vector.store_slice(elements);
            }
        }

        impl Width<$type> for Short {
            type Vector<S: Simd> = $short<S>;

            #[inline(always)]
            fn load<S: Simd>(simd: S, elements: &[$type]) -> $short<S> {
                $short::from_slice(simd, elements)
            }

            #[inline(always)]
            fn store<S: Simd>(vector: $short<S>, elements: &mut [$type]) {
                vector.store_slice(elements);
            }
        }
    };
}

turn_as_is!(f32, f32s, f32x4);
turn_as_is!(f64, f64s, f64x2);
