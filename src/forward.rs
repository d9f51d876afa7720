//! Implementations of a trait for references and pointers to its implementors.

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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use ndarray::{Array3, ArrayViewMut2};

    use crate::additive::PositionalEncoding;
    use crate::bias::AttentionBias;
    use crate::error::Error;
    use crate::positions::Positions;
    use crate::training::{Parameter, Trainable};

    /// A bias whose array is not that of the provided method.
    struct Own;

    impl AttentionBias<f32> for Own {
        fn heads(&self) -> usize {
            1
        }

        fn encode_row(&self, _: &Positions<'_>, _: &Positions<'_>, out: &mut [f32]) {
            out.fill(1.0);
        }

        fn encode(&self, _: &Positions<'_>, _: &Positions<'_>) -> Result<Array3<f32>, Error> {
            Ok(Array3::from_elem((1, 1, 1), 7.0))
        }
    }

    /// The vectors are zeros, except for those of the method for slices.
    impl PositionalEncoding<f32> for Own {
        fn dim(&self) -> usize {
            1
        }

        fn max_len(&self) -> Option<usize> {
            None
        }

        fn encode_into(
            &self,
            _: &Positions<'_>,
            mut out: ArrayViewMut2<'_, f32>,
        ) -> Result<(), Error> {
            out.fill(0.0);
            Ok(())
        }

        fn encode_slice(&self, _: &Positions<'_>, out: &mut [f32]) -> Result<(), Error> {
            out.fill(7.0);
            Ok(())
        }
    }

    impl Trainable<f32> for Own {
        fn parameters(&self) -> Vec<Parameter> {
            Vec::new()
        }

        fn values_into(&self, _: &mut [f32]) -> Result<(), Error> {
            Ok(())
        }

        fn set_values(&mut self, _: &[f32]) -> Result<(), Error> {
            Ok(())
        }

        fn values(&self) -> Vec<f32> {
            vec![7.0]
        }
    }

    #[test]
    fn overridden_methods_are_called() {
        fn encoded(bias: impl AttentionBias<f32>) -> f32 {
            bias.encode(&Positions::from(0..1), &Positions::from(0..1)).unwrap().sum()
        }
        let boxed: Box<dyn AttentionBias<f32>> = Box::new(Own);
        assert_eq!([encoded(&Own), encoded(boxed), encoded(Arc::new(Own))], [7.0; 3]);
        fn of_slice(encoding: impl PositionalEncoding<f32>) -> f32 {
            let mut row = [0.0];
            encoding.encode_slice(&Positions::from(0..1), &mut row).unwrap();
            row[0]
        }
        let boxed: Box<dyn PositionalEncoding<f32>> = Box::new(Own);
        assert_eq!([of_slice(&Own), of_slice(boxed), of_slice(Arc::new(Own))], [7.0; 3]);
        let boxed: Box<dyn Trainable<f32>> = Box::new(Own);
        assert_eq!(boxed.values(), [7.0]);
    }
}
