//! Values whose type depends on the element type, as an enum over element types.
//!
//! Functions that take such an enum are not generic. So kernels are compiled once, in this crate,
//! and not in every crate that calls a generic method.
//!
//! The items are `pub` because [`Sealed`], a supertrait of the public [`Element`], names them. The
//! module is private, so that other crates can neither name nor implement them.

use crate::element::Element;

/// A family of types, one for each element type, such as slices of elements.
pub trait OfElement {
    type Of<A: Element>;
}

/// A value of such a family, for one of the element types.
pub enum AnyElement<F: OfElement> {
    F32(F::Of<f32>),
    F64(F::Of<f64>),
    #[cfg(feature = "half")]
    F16(F::Of<half::f16>),
    #[cfg(feature = "half")]
    Bf16(F::Of<half::bf16>),
}

/// Seals [`Element`], and wraps values by element type.
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
