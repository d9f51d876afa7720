//! Attention biases as tensors, or added to scores.

use burn::tensor::{Device, Tensor};
use ndarray::ArrayD;
use positional_encodings::{AttentionBias, Positions, add_bias as add_to_array};

use crate::convert::to_tensor;
use crate::element::StoredFloat;
use crate::host::{change, is_host};
use crate::refuse::expect;

/// Returns a bias (heads, queries, keys) on a device, to add to scores (…, heads, queries, keys) or
/// to pass to a fused attention. `A` is its element type.
///
/// # Panics
///
/// Panics if the bias is not defined at a position, or if there is not enough memory.
///
/// ```
/// use burn::tensor::{Device, Tensor, s};
/// use positional_encodings::Alibi;
/// use positional_encodings_burn::bias_tensor;
///
/// let device = Device::default();
/// let bias = bias_tensor::<f32, _>(&Alibi::new(8)?, 4..5, 0..5, &device); // a decode step
/// let scores = Tensor::<4>::zeros([2, 8, 1, 5], &device) + bias.unsqueeze();
/// let first = scores.slice(s![1, 0, .., ..]).into_data();
/// assert_eq!(first.as_slice::<f32>().unwrap(), [-2.0, -1.5, -1.0, -0.5, 0.0]);
/// # Ok::<(), positional_encodings::Error>(())
/// ```
#[track_caller]
pub fn bias_tensor<'q, 'k, A, B>(
    bias: &B,
    queries: impl Into<Positions<'q>>,
    keys: impl Into<Positions<'k>>,
    device: &Device,
) -> Tensor<3>
where
    A: StoredFloat,
    B: AttentionBias<A> + ?Sized,
{
    to_tensor(expect(bias.encode(&queries.into(), &keys.into())), device)
}

/// Returns scores (…, heads, queries, keys) plus a bias; if positions have rows, each sequence has
/// its own. `A` is the element type of the scores.
///
/// On flex, burn's CPU backend, the bias is added in the memory of the scores if no other handle
/// shares it. On other backends, and on devices with autodiff, it is computed on the CPU, uploaded
/// and added there. The gradient with respect to the scores passes through.
///
/// # Panics
///
/// Panics if the heads, queries, keys or element type of the scores do not fit, and where
/// [`bias_tensor`] does.
///
/// ```
/// use burn::tensor::{Device, Tensor, s};
/// use positional_encodings::Alibi;
/// use positional_encodings_burn::add_bias;
///
/// let scores = Tensor::<4>::zeros([2, 8, 1, 5], &Device::default());
/// let scores = add_bias::<f32, _, 4>(scores, &Alibi::new(8)?, 4..5, 0..5);
/// let first = scores.slice(s![1, 0, .., ..]).into_data();
/// assert_eq!(first.as_slice::<f32>().unwrap(), [-2.0, -1.5, -1.0, -0.5, 0.0]);
/// # Ok::<(), positional_encodings::Error>(())
/// ```
#[track_caller]
pub fn add_bias<'q, 'k, A, B, const D: usize>(
    scores: Tensor<D>,
    bias: &B,
    queries: impl Into<Positions<'q>>,
    keys: impl Into<Positions<'k>>,
) -> Tensor<D>
where
    A: StoredFloat,
    B: AttentionBias<A> + ?Sized,
{
    let (queries, keys) = (queries.into(), keys.into());
    let (expected, found) = (A::dtype(), scores.dtype());
    assert!(
        expected == found,
        "a bias of {expected:?} was asked for, and the scores are {found:?}"
    );
    let device = scores.device();
    if is_host(&device) {
        return change::<A, D>(scores, |scores| add_to_array(scores, bias, &queries, &keys));
    }
    let mut shape = scores.dims();
    let shared = |positions: &Positions<'_>| positions.rows().is_none_or(|rows| rows == 1);
    if D > 3 && shared(&queries) && shared(&keys) {
        shape[..D - 3].fill(1);
    }
    let mut sum = ArrayD::<A>::zeros(&shape[..]);
    expect(add_to_array(sum.view_mut(), bias, &queries, &keys));
    let values = sum.into_raw_vec_and_offset().0;
    let data = burn::tensor::TensorData::new(values, shape);
    scores + Tensor::from_data(data, (&device.inner(), expected))
}
