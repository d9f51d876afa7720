//! The element types that burn and this crate share.

use burn::tensor::kind::Basic;
use burn::tensor::{Float, Int};
use half::{bf16, f16};
use positional_encodings::{Element, PositionalEncoding};

/// An element type of both arrays and tensors: floats of 16, 32 and 64 bits, and whole numbers,
/// with the kind of its tensors.
///
/// ```
/// use burn::tensor::{Int, Tensor};
/// use positional_encodings_burn::Stored;
///
/// let ids: Tensor<1, <u32 as Stored>::Kind> = Tensor::<1, Int>::zeros([3], &Default::default());
/// assert_eq!(ids.dims(), [3]);
/// ```
pub trait Stored: burn::tensor::Element + Copy {
    /// The kind of its tensors: `Float` or `Int`.
    type Kind: Basic;
}

macro_rules! stored {
    ($kind:ty: $($type:ty),*) => { $(impl Stored for $type { type Kind = $kind; })* };
}

stored!(Float: f32, f64, f16, bf16);
stored!(Int: i8, i16, i32, i64, u8, u16, u32, u64);

/// An encoding for every element type: a formula such as
/// [`Sinusoidal`](positional_encodings::Sinusoidal), or your own type that implements
/// [`PositionalEncoding`] for all four types. The trait is implemented automatically.
///
/// ```
/// use positional_encodings::{PositionalEncoding, Sinusoidal};
/// use positional_encodings_burn::EveryElement;
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

/// A float type of tensors in which encodings are computed.
pub trait StoredFloat: Stored<Kind = Float> + Element {}

impl<A: Stored<Kind = Float> + Element> StoredFloat for A {}

/// Runs the same code for every element type in which encodings are computed.
macro_rules! for_each_float {
    ($dtype:expr, $op:expr, $A:ident => $do:expr) => {
        match $dtype {
            burn::tensor::DType::F32 => {
                type $A = f32;
                $do
            }
            burn::tensor::DType::F64 => {
                type $A = f64;
                $do
            }
            burn::tensor::DType::F16 => {
                type $A = half::f16;
                $do
            }
            burn::tensor::DType::BF16 => {
                type $A = half::bf16;
                $do
            }
            other => crate::refuse::unsupported(other, $op),
        }
    };
}

pub(crate) use for_each_float;
