//! A value of a type that depends on the element type, by the element type.
//!
//! Functions that take one are not generic. So kernels are compiled once, in this crate, and not in
//! every crate that calls a generic method.

use crate::element::Element;

/// A type for each element type, such as the slices of elements.
pub trait OfElement {
    type Of<A: Element>;
}

/// A value of the type that belongs to one of the element types.
pub enum AnyElement<F: OfElement> {
    F32(F::Of<f32>),
    F64(F::Of<f64>),
    #[cfg(feature = "half")]
    F16(F::Of<half::f16>),
    #[cfg(feature = "half")]
    Bf16(F::Of<half::bf16>),
}

/// Seals [`Element`], and knows which element type it is.
pub trait Sealed: Sized {
    fn any<F: OfElement>(value: F::Of<Self>) -> AnyElement<F>
    where
        Self: Element;
}

macro_rules! sealed {
    ($type:ty, $variant:ident) => {
        impl Sealed for $type {
            #[inline]
            fn any<F: OfElement>(value: F::Of<Self>) -> AnyElement<F> {
                AnyElement::$variant(value)
            }
        }
    };
}

sealed!(f32, F32);
sealed!(f64, F64);
#[cfg(feature = "half")]
sealed!(half::f16, F16);
#[cfg(feature = "half")]
sealed!(half::bf16, Bf16);
