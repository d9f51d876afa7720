//! The element types that candle and this crate share.

use candle_core::{CpuStorage, WithDType};
use half::{bf16, f16};
use positional_encodings::{Element, PositionalEncoding};

/// An element type of both tensors and arrays: `f32`, `f64`, `half::f16`, `half::bf16`.
pub trait Stored: Element + WithDType {
    /// Returns the elements of a CPU tensor, if they have this type.
    fn elements_mut(storage: &mut CpuStorage) -> Option<&mut [Self]>;
}

macro_rules! stored {
    ($type:ty, $variant:ident) => {
        impl Stored for $type {
            fn elements_mut(storage: &mut CpuStorage) -> Option<&mut [Self]> {
                match storage {
                    CpuStorage::$variant(elements) => Some(elements),
                    _ => None,
                }
            }
        }
    };
}

stored!(f32, F32);
stored!(f64, F64);
stored!(f16, F16);
stored!(bf16, BF16);

/// An encoding for every element type: a formula such as
/// [`Sinusoidal`](positional_encodings::Sinusoidal), or your own type that implements
/// [`PositionalEncoding`] for all four types. The trait is implemented automatically.
///
/// ```
/// use positional_encodings::{PositionalEncoding, Sinusoidal};
/// use positional_encodings_candle::EveryElement;
///
/// fn width(encoding: &impl EveryElement) -> usize {
///     PositionalEncoding::<f32>::dim(encoding)
/// }
/// assert_eq!(width(&Sinusoidal::new(8)?), 8);
/// # Ok::<(), positional_encodings::Error>(())
/// ```
pub trait EveryElement:
    PositionalEncoding<f32>
    + PositionalEncoding<f64>
    + PositionalEncoding<f16>
    + PositionalEncoding<bf16>
{
}

impl<E> EveryElement for E where
    E: PositionalEncoding<f32>
        + PositionalEncoding<f64>
        + PositionalEncoding<f16>
        + PositionalEncoding<bf16>
        + ?Sized
{
}

/// Runs the same code for every element type that this crate supports.
macro_rules! for_each_element {
    ($storage:expr, $op:expr, $elements:ident => $do:expr) => {
        match $storage {
            candle_core::CpuStorage::F32($elements) => $do,
            candle_core::CpuStorage::F64($elements) => $do,
            candle_core::CpuStorage::F16($elements) => $do,
            candle_core::CpuStorage::BF16($elements) => $do,
            other => {
                crate::error::unsupported(candle_core::backend::BackendStorage::dtype(&*other), $op)
            }
        }
    };
}

pub(crate) use for_each_element;
