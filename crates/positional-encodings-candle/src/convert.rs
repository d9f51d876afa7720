//! Conversion of arrays to tensors and back, and of tensors of ids to positions.

use candle_core::{CpuStorage, DType, Device, Result, Storage, Tensor, WithDType};
use ndarray::{Array, ArrayD, ArrayView2, ArrayViewD, CowArray, Dimension, IxDyn};
use positional_encodings::Positions;

use crate::error::{unsupported, wrap};
use crate::memory::view;

/// Makes a tensor from an array, with its shape.
///
/// An array that owns its elements is moved: on the CPU nothing is copied, and permuted axes become
/// permuted axes of the tensor. Views and arrays with gaps are copied.
///
/// # Errors
///
/// The errors of the device.
///
/// ```
/// use candle_core::Device;
/// use ndarray::array;
/// use positional_encodings::{PositionalEncoding, Positions, Sinusoidal};
/// use positional_encodings_candle::to_tensor;
///
/// let vectors = PositionalEncoding::<f32>::encode(&Sinusoidal::new(64)?, &Positions::from(0..128))?;
/// assert_eq!(to_tensor(vectors, &Device::Cpu)?.dims(), [128, 64]);
///
/// let columns = array![[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]].reversed_axes();
/// let tensor = to_tensor(columns, &Device::Cpu)?;
/// assert_eq!((tensor.dims(), tensor.stride()), (&[3, 2][..], &[1, 3][..]));
/// assert_eq!(tensor.to_vec2::<f64>()?, [[1.0, 4.0], [2.0, 5.0], [3.0, 6.0]]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn to_tensor<'a, A: WithDType, D: Dimension>(
    array: impl Into<CowArray<'a, A, D>>,
    device: &Device,
) -> Result<Tensor> {
    let array = array.into();
    if array.is_view() {
        let values: Vec<A> = array.iter().copied().collect();
        return Tensor::from_vec(values, array.shape(), device);
    }
    owned_to_tensor(array.into_owned().into_dyn(), device)
}

fn owned_to_tensor<A: WithDType>(array: ArrayD<A>, device: &Device) -> Result<Tensor> {
    // The axes in the order of their strides.
    let mut order: Vec<usize> = (0..array.ndim()).collect();
    order.sort_by_key(|&axis| core::cmp::Reverse((array.strides()[axis], array.shape()[axis])));
    let mut place = vec![0; order.len()];
    order.iter().enumerate().for_each(|(at, &axis)| place[axis] = at);
    let in_memory = array.permuted_axes(IxDyn(&order));
    let shape = in_memory.shape().to_vec();
    let tensor = match whole(in_memory) {
        Ok(values) => Tensor::from_vec(values, shape, device)?,
        Err(parts) => Tensor::from_vec(parts.iter().copied().collect::<Vec<A>>(), shape, device)?,
    };
    if place.is_sorted() { Ok(tensor) } else { tensor.permute(place) }
}

/// Returns the elements in order if the array fills its memory, otherwise the array.
fn whole<A: WithDType>(array: ArrayD<A>) -> core::result::Result<Vec<A>, ArrayD<A>> {
    if !array.is_standard_layout() {
        return Err(array);
    }
    let len = array.len();
    let (values, offset) = array.into_raw_vec_and_offset();
    // A part of a larger array would keep all of its memory.
    Ok(if values.len() == len { values } else { values[offset.unwrap_or(0)..][..len].to_vec() })
}

/// Copies a tensor, on any device and in any layout, to an array of its shape.
///
/// # Errors
///
/// An error if the element types differ, and the errors of the device.
///
/// ```
/// use candle_core::{Device, Tensor};
/// use ndarray::array;
/// use positional_encodings_candle::to_array;
///
/// let tensor = Tensor::new(&[[1.0_f32, 2.0], [3.0, 4.0]], &Device::Cpu)?.t()?;
/// assert_eq!(to_array::<f32>(&tensor)?, array![[1.0, 3.0], [2.0, 4.0]].into_dyn());
/// assert!(to_array::<f64>(&tensor).is_err());
/// # Ok::<(), candle_core::Error>(())
/// ```
pub fn to_array<A: WithDType>(tensor: &Tensor) -> Result<ArrayD<A>> {
    with_array(tensor, |array| array.as_standard_layout().into_owned())
}

/// Calls `read` with the elements of a tensor as an array: on the CPU without a copy.
///
/// While `read` runs, the tensor is locked against changes in place: if `read` itself changes it,
/// the call deadlocks.
///
/// # Errors
///
/// The errors of [`to_array`].
///
/// ```
/// use candle_core::{Device, Tensor};
/// use positional_encodings_candle::with_array;
///
/// let tensor = Tensor::new(&[[1.0_f32, 2.0], [3.0, 4.0]], &Device::Cpu)?;
/// let row = tensor.narrow(0, 1, 1)?;
/// assert_eq!(with_array::<f32, _>(&row, |array| array.sum())?, 7.0);
/// # Ok::<(), candle_core::Error>(())
/// ```
///
/// So a bias that reads queries or keys (Shaw, Transformer-XL, DeBERTa, …) is computed for tensors,
/// without gradients:
///
/// ```
/// use candle_core::{DType, Device, Tensor};
/// use ndarray::{Array2, ArrayD};
/// use positional_encodings::bias::{ShawBias, add_content_bias};
/// use positional_encodings_candle::{to_tensor, with_array};
///
/// let shaw = ShawBias::shaw(Array2::<f32>::ones((9, 64)), 12)?;
/// let q = Tensor::ones((2, 12, 5, 64), DType::F32, &Device::Cpu)?; // (batch, heads, len, dim)
/// let none = ArrayD::zeros(vec![0; 4]); // It does not read keys.
/// let mut bias = ArrayD::zeros(vec![2, 12, 5, 5]);
/// with_array(&q, |q| add_content_bias(bias.view_mut(), &shaw, q, none.view(), 0..5, 0..5))??;
/// let bias = to_tensor(bias, &Device::Cpu)?; // to be added to the scores
/// assert_eq!(bias.max_all()?.to_scalar::<f32>()?, 64.0 / 8.0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn with_array<A: WithDType, R>(
    tensor: &Tensor,
    read: impl FnOnce(ArrayViewD<'_, A>) -> R,
) -> Result<R> {
    let there = tensor.to_device(&Device::Cpu)?;
    let (storage, layout) = there.storage_and_layout();
    match &*storage {
        Storage::Cpu(storage) => Ok(read(view(CpuStorage::as_slice::<A>(storage)?, layout)?)),
        _ => candle_core::bail!("the tensor is not on the CPU"),
    }
}

/// Returns the positions from a tensor of ids (len) or (batch, len), or on several axes (axes,
/// batch, len) as for M-RoPE; whole numbers or reals.
///
/// # Errors
///
/// An error for other ranks, for no axes of positions, and for other element types.
///
/// ```
/// use candle_core::{DType, Device, Tensor};
/// use positional_encodings::Positions;
/// use positional_encodings_candle::to_positions;
///
/// let ids = Tensor::arange(4095_u32, 4097, &Device::Cpu)?;
/// assert_eq!(to_positions(&ids)?, Positions::from(4095..4097));
/// let video = Tensor::zeros((3, 1, 7), DType::I64, &Device::Cpu)?;
/// assert_eq!(to_positions(&video)?.axes(), 3);
/// # Ok::<(), candle_core::Error>(())
/// ```
pub fn to_positions(ids: &Tensor) -> Result<Positions<'static>> {
    let exact = match ids.dtype() {
        DType::U8 | DType::U32 | DType::I16 | DType::I32 | DType::I64 => DType::I64,
        DType::F16 | DType::BF16 | DType::F32 | DType::F64 => DType::F64,
        other => return unsupported(other, "positions"),
    };
    let ids = ids.to_dtype(exact)?;
    if exact == DType::I64 { of_ids::<i64>(&ids) } else { of_ids::<f64>(&ids) }
}

fn of_ids<T>(ids: &Tensor) -> Result<Positions<'static>>
where
    T: WithDType + positional_encodings::ids::PositionElement,
{
    match *ids.dims() {
        [_] => Ok(Positions::from(ids.to_vec1::<T>()?)),
        [rows, len] => {
            let ids: Vec<T> = ids.flatten_all()?.to_vec1()?;
            let ids = Array::from_shape_vec((rows, len), ids).map_err(wrap)?;
            Ok(Positions::from(ids))
        }
        [axes, rows, len] if axes > 0 => {
            let ids: Vec<T> = ids.flatten_all()?.to_vec1()?;
            let axis = |axis: usize| {
                ArrayView2::from_shape((rows, len), &ids[axis * rows * len..][..rows * len])
            };
            let axes: core::result::Result<Vec<_>, _> = (0..axes).map(axis).collect();
            let positions = Positions::from_axes(axes.map_err(wrap)?).map_err(wrap)?;
            positions.into_owned().map_err(wrap)
        }
        _ => candle_core::bail!(
            "positions are (len), (batch, len) or (axes, batch, len), not {:?}",
            ids.dims()
        ),
    }
}
