//! Elements in vectors of the type of their angles: loads, and stores with one rounding.

use fearless_simd::prelude::*;

use crate::element::Element;

/// An element type and the vectors in which it is computed: f32 for 16-bit types, otherwise the
/// type itself.
///
/// A kernel is generic over this trait. The scalar methods do the same to one element.
pub(crate) trait Lanes: Element<Angle: SimdFloatElement> {
    type Vector<S: Simd>: SimdFloat<S, Element = Self::Angle>;

    /// Loads a vector; `elements` has as many elements as the vector has lanes.
    fn load<S: Simd>(simd: S, elements: &[Self]) -> Self::Vector<S>;

    /// Rounds each lane to the nearest element, ties to even, and stores it. `elements` has the
    /// length of a vector.
    fn store<S: Simd>(vector: Self::Vector<S>, elements: &mut [Self]);

    /// Returns, in each lane, the value of the element that [`store`](Self::store) would write.
    fn round<S: Simd>(vector: Self::Vector<S>) -> Self::Vector<S>;

    /// Loads two vectors: the elements with even indices, and those with odd indices.
    #[inline(always)]
    fn load_pairs<S: Simd>(simd: S, elements: &[Self]) -> [Self::Vector<S>; 2] {
        let (low, high) = elements.split_at(Self::Vector::<S>::LEN);
        Self::load(simd, low).deinterleave(Self::load(simd, high)).into()
    }

    /// Stores two vectors as [`load_pairs`](Self::load_pairs) loads them.
    #[inline(always)]
    fn store_pairs<S: Simd>([even, odd]: [Self::Vector<S>; 2], elements: &mut [Self]) {
        let (low, high) = elements.split_at_mut(Self::Vector::<S>::LEN);
        let (first, second) = even.interleave(odd);
        Self::store(first, low);
        Self::store(second, high);
    }

    /// Converts the element exactly to the type of its angles.
    fn widen(self) -> Self::Angle;

    /// Returns the nearest element, with ties to even.
    fn narrow(value: Self::Angle) -> Self;
}

macro_rules! lanes_as_they_are {
    ($type:ident, $vector:ident) => {
        impl Lanes for $type {
            type Vector<S: Simd> = S::$vector;

            #[inline(always)]
            fn load<S: Simd>(simd: S, elements: &[Self]) -> S::$vector {
                S::$vector::from_slice(simd, elements)
            }

            #[inline(always)]
            fn store<S: Simd>(vector: S::$vector, elements: &mut [Self]) {
                vector.store_slice(elements);
            }

            #[inline(always)]
            fn round<S: Simd>(vector: S::$vector) -> S::$vector {
                vector
            }

            #[inline(always)]
            fn widen(self) -> Self {
                self
            }

            #[inline(always)]
            fn narrow(value: Self) -> Self {
                value
            }
        }
    };
}

lanes_as_they_are!(f32, f32s);
lanes_as_they_are!(f64, f64s);
