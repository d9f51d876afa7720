//! Elements in vectors of their angles' type: loads, and stores with one rounding.

use fearless_simd::prelude::*;

use crate::element::Element;

/// An element type in vectors, in which it is computed with: f32 for 16-bit types, otherwise the
/// type itself.
///
/// A kernel is written once over it. The scalar methods do the same to one element.
pub(crate) trait Lanes: Element<Angle: SimdFloatElement> {
    type Vector<S: Simd>: SimdFloat<S, Element = Self::Angle>;

    /// Loads as many elements as a vector has lanes, which is the length of `elements`.
    fn load<S: Simd>(simd: S, elements: &[Self]) -> Self::Vector<S>;

    /// Rounds each lane to the nearest element, ties to even, and stores it. `elements` has the
    /// length of a vector.
    fn store<S: Simd>(vector: Self::Vector<S>, elements: &mut [Self]);

    /// Returns the value of the element that [`store`](Self::store) would write, in each lane.
    fn round<S: Simd>(vector: Self::Vector<S>) -> Self::Vector<S>;

    /// Loads twice as many elements: those with even indices, and those with odd ones.
    #[inline(always)]
    fn load_pairs<S: Simd>(simd: S, elements: &[Self]) -> [Self::Vector<S>; 2] {
        let (low, high) = elements.split_at(Self::Vector::<S>::LEN);
        Self::load(simd, low).deinterleave(Self::load(simd, high)).into()
    }

    /// Stores what [`load_pairs`](Self::load_pairs) loads.
    #[inline(always)]
    fn store_pairs<S: Simd>([even, odd]: [Self::Vector<S>; 2], elements: &mut [Self]) {
        let (low, high) = elements.split_at_mut(Self::Vector::<S>::LEN);
        let (first, second) = even.interleave(odd);
        Self::store(first, low);
        Self::store(second, high);
    }

    /// The element in the type of its angles, exactly.
    fn widen(self) -> Self::Angle;

    /// The nearest element, ties to even.
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
