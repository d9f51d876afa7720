//! Traits of references and pointers to what implements them.

/// Implements a trait over elements `A` for `&T`, `Box<T>` and `Arc<T>`. Its methods, whose
/// signatures are given, are those of `T`: a provided method that `T` overrides must be among them.
macro_rules! forward {
    ($trait:ident $methods:tt) => {
        forward!(@for &T, $trait $methods);
        forward!(@for Box<T>, $trait $methods);
        forward!(@for std::sync::Arc<T>, $trait $methods);
    };
    (@for $pointer:ty, $trait:ident {
        $(fn $name:ident(&self $(, $argument:ident: $type:ty)*) $(-> $result:ty)?;)*
    }) => {
        impl<A: Element, T: $trait<A> + ?Sized> $trait<A> for $pointer {
            $(fn $name(&self $(, $argument: $type)*) $(-> $result)? {
                (**self).$name($($argument),*)
            })*
        }
    };
}

pub(crate) use forward;
