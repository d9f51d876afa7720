//! Attention biases as tensors, or added to scores in place.

use core::marker::PhantomData;

use candle_core::{CpuStorage, Device, InplaceOp1, Layout, Result, Tensor};
use positional_encodings::{AttentionBias, Positions, add_bias};

use crate::convert::to_tensor;
use crate::element::Stored;
use crate::error::{untracked, wrap};
use crate::memory::view_mut;

/// The name of the operation, in errors.
const NAME: &str = "attention bias";

/// Returns a bias (heads, queries, keys) on a device, to add to scores (…, heads, queries, keys)
/// with `broadcast_add`, which has a gradient, or to pass to a fused attention. `A` is its element
/// type.
///
/// # Errors
///
/// The errors of [`AttentionBias::encode`] and of the device.
///
/// ```
/// use candle_core::{DType, Device, Tensor};
/// use positional_encodings::Alibi;
/// use positional_encodings_candle::bias_tensor;
///
/// let bias = bias_tensor::<f32, _>(&Alibi::new(8)?, 4..5, 0..5, &Device::Cpu)?; // a decode step
/// let scores = Tensor::zeros((2, 8, 1, 5), DType::F32, &Device::Cpu)?;
/// let biased = scores.broadcast_add(&bias)?;
/// assert_eq!(biased.get(1)?.get(0)?.to_vec2::<f32>()?, [[-2.0, -1.5, -1.0, -0.5, 0.0]]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn bias_tensor<'q, 'k, A, B>(
    bias: &B,
    queries: impl Into<Positions<'q>>,
    keys: impl Into<Positions<'k>>,
    device: &Device,
) -> Result<Tensor>
where
    A: Stored,
    B: AttentionBias<A> + ?Sized,
{
    to_tensor(bias.encode(&queries.into(), &keys.into()).map_err(wrap)?, device)
}

/// Adds a bias to scores (…, heads, queries, keys) in place, on the CPU only; clones and views of
/// the scores change with them. `A` is the element type of the scores.
///
/// # Errors
///
/// The errors of [`add_bias`], and an error for scores that have another element type or repeated
/// elements, are on another device, or are part of a gradient graph; the scores are then unchanged.
///
/// ```
/// use candle_core::{DType, Device, Tensor};
/// use positional_encodings::Alibi;
/// use positional_encodings_candle::add_bias_inplace;
///
/// let scores = Tensor::zeros((2, 8, 1, 5), DType::F32, &Device::Cpu)?;
/// add_bias_inplace::<f32, _>(&scores, &Alibi::new(8)?, 4..5, 0..5)?;
/// assert_eq!(scores.get(1)?.get(0)?.to_vec2::<f32>()?, [[-2.0, -1.5, -1.0, -0.5, 0.0]]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn add_bias_inplace<'q, 'k, A, B>(
    scores: &Tensor,
    bias: &B,
    queries: impl Into<Positions<'q>>,
    keys: impl Into<Positions<'k>>,
) -> Result<()>
where
    A: Stored,
    B: AttentionBias<A> + ?Sized,
{
    untracked(scores, NAME)?;
    if scores.dtype() != A::DTYPE {
        let (expected, found) = (A::DTYPE, scores.dtype());
        candle_core::bail!("a bias of {expected:?} was asked for, and the scores are {found:?}")
    }
    let (queries, keys) = (queries.into(), keys.into());
    if scores.elem_count() == 0 {
        // candle takes a tensor without elements for one with repeated elements.
        let none = ndarray::ArrayViewMutD::<A>::from_shape(scores.dims(), &mut []).map_err(wrap)?;
        return add_bias(none, bias, &queries, &keys).map_err(wrap);
    }
    scores.inplace_op1(&Biasing { bias, queries, keys, elements: PhantomData::<A> })
}

/// The addition as a candle operation.
struct Biasing<'a, A, B: ?Sized> {
    bias: &'a B,
    queries: Positions<'a>,
    keys: Positions<'a>,
    elements: PhantomData<A>,
}

impl<A: Stored, B: AttentionBias<A> + ?Sized> InplaceOp1 for Biasing<'_, A, B> {
    fn name(&self) -> &'static str {
        NAME
    }

    fn cpu_fwd(&self, storage: &mut CpuStorage, layout: &Layout) -> Result<()> {
        let Some(scores) = A::elements_mut(storage) else {
            candle_core::bail!("{NAME}: the elements are not {:?}", A::DTYPE)
        };
        add_bias(view_mut(scores, layout)?, self.bias, &self.queries, &self.keys).map_err(wrap)
    }
}
