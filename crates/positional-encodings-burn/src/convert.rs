//! Conversion of arrays to tensors and back, and of tensors of ids to positions.

use burn::tensor::kind::Basic;
use burn::tensor::{DType, Device, Tensor, TensorData};
use ndarray::{Array, Array2, ArrayView2, CowArray, Dim, Dimension, Ix};
use positional_encodings::{Positions, ids::PositionElement};

use crate::element::Stored;
use crate::refuse::expect;

/// Makes a tensor from an array, with its axes and its element type: `Tensor<D>` from floats,
/// `Tensor<D, Int>` from whole numbers.
///
/// An array that owns its elements in row-major order is moved: on the CPU nothing is copied. Other
/// arrays are copied.
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use positional_encodings::{PositionalEncoding, Positions, Sinusoidal};
/// use positional_encodings_burn::to_tensor;
///
/// let sinusoid = Sinusoidal::new(64)?;
/// let vectors = PositionalEncoding::<f32>::encode(&sinusoid, &Positions::from(0..128))?;
/// let tensor: Tensor<2> = to_tensor(vectors, &Device::default());
/// assert_eq!(tensor.dims(), [128, 64]);
/// # Ok::<(), positional_encodings::Error>(())
/// ```
pub fn to_tensor<'a, A: Stored, const D: usize>(
    array: impl Into<CowArray<'a, A, Dim<[Ix; D]>>>,
    device: &Device,
) -> Tensor<D, A::Kind>
where
    Dim<[Ix; D]>: Dimension,
{
    let array = array.into();
    let shape: [usize; D] = core::array::from_fn(|axis| array.shape()[axis]);
    let values = match array.is_view() || !array.is_standard_layout() {
        true => array.iter().copied().collect(),
        false => whole(array.into_owned()),
    };
    Tensor::from_data(TensorData::new(values, shape), (device, A::dtype()))
}

/// Returns the elements of an array in row-major order.
fn whole<A: Stored, D: Dimension>(array: Array<A, D>) -> Vec<A> {
    let len = array.len();
    let (values, offset) = array.into_raw_vec_and_offset();
    // A part of a larger array would keep all of its memory.
    if values.len() == len { values } else { values[offset.unwrap_or(0)..][..len].to_vec() }
}

/// Copies a tensor, on any device and in any layout, to an array of its shape. The memory of a CPU
/// tensor without other handles is moved instead.
///
/// # Panics
///
/// Panics if the element types of tensor and array differ, or if the device cannot be read.
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use ndarray::array;
/// use positional_encodings_burn::to_array;
///
/// let tensor = Tensor::<2>::from_data([[1.0, 2.0], [3.0, 4.0]], &Device::default());
/// assert_eq!(to_array::<f32, 2>(tensor.transpose()), array![[1.0, 3.0], [2.0, 4.0]]);
/// ```
///
/// So a bias that reads queries or keys (Shaw, Transformer-XL, DeBERTa, …) is computed for tensors,
/// without gradients:
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use ndarray::{Array2, Array4};
/// use positional_encodings::bias::{ShawBias, add_content_bias};
/// use positional_encodings_burn::{to_array, to_tensor};
///
/// let device = Device::default();
/// let shaw = ShawBias::shaw(Array2::<f32>::ones((9, 64)), 12)?;
/// let q = Tensor::<4>::ones([2, 12, 5, 64], &device); // (batch, heads, len, dim)
/// let (q, none) = (to_array::<f32, 4>(q), Array4::zeros((0, 0, 0, 0))); // It reads no keys.
/// let mut bias = Array4::zeros((2, 12, 5, 5));
/// add_content_bias(bias.view_mut(), &shaw, q.view(), none.view(), 0..5, 0..5)?;
/// let bias: Tensor<4> = to_tensor(bias, &device); // to be added to the scores
/// assert_eq!(bias.max().into_scalar::<f32>(), 64.0 / 8.0);
/// # Ok::<(), positional_encodings::Error>(())
/// ```
#[track_caller]
pub fn to_array<A: Stored, const D: usize>(tensor: Tensor<D, A::Kind>) -> Array<A, Dim<[Ix; D]>>
where
    Dim<[Ix; D]>: Dimension,
{
    let (expected, found) = (A::dtype(), tensor.dtype());
    assert!(
        expected == found,
        "an array of {expected:?} was asked for, and the tensor is {found:?}"
    );
    let mut shape = Dim::<[Ix; D]>::zeros(D);
    shape.slice_mut().copy_from_slice(&tensor.dims());
    let values = expect(tensor.into_data().try_into_vec::<A>());
    expect(Array::from_shape_vec(shape, values))
}

/// Returns the positions from a tensor of ids (len) or (batch, len), or on several axes (axes,
/// batch, len) as for M-RoPE; whole numbers or reals.
///
/// # Panics
///
/// Panics if the tensor has more than three axes or no axes of positions, if its elements are
/// booleans or quantised, or if the device cannot be read.
///
/// ```
/// use burn::tensor::{Device, Int, Tensor};
/// use positional_encodings::Positions;
/// use positional_encodings_burn::to_positions;
///
/// let device = Device::default();
/// let ids = Tensor::<1, Int>::arange(4095..4097, &device);
/// assert_eq!(to_positions(ids), Positions::from(4095..4097));
/// assert_eq!(to_positions(Tensor::<3, Int>::zeros([3, 1, 7], &device)).axes(), 3);
/// ```
#[track_caller]
pub fn to_positions<const D: usize, K: Basic>(ids: Tensor<D, K>) -> Positions<'static> {
    let dims = ids.dims();
    let known = D < 3 || D == 3 && dims[0] > 0;
    assert!(known, "positions are (len), (batch, len) or (axes, batch, len), not {dims:?}");
    match ids.dtype() {
        DType::F64 | DType::F32 | DType::Flex32 | DType::F16 | DType::BF16 => {
            of_ids::<f64>(&dims, &expect(ids.try_into_vec_as()))
        }
        other @ (DType::Bool(_) | DType::QFloat(_)) => {
            panic!("positions: elements are {other:?}, but must be whole numbers or floats")
        }
        _ => of_ids::<i64>(&dims, &expect(ids.try_into_vec_as())),
    }
}

fn of_ids<T: PositionElement>(dims: &[usize], ids: &[T]) -> Positions<'static> {
    match *dims {
        [rows, len] => Positions::from(expect(Array2::from_shape_vec((rows, len), ids.to_vec()))),
        [axes, rows, len] => {
            let axis = |axis: usize| {
                let values = &ids[axis * rows * len..][..rows * len];
                expect(ArrayView2::from_shape((rows, len), values))
            };
            let positions = expect(Positions::from_axes((0..axes).map(axis)));
            expect(positions.into_owned())
        }
        _ => Positions::from(ids.to_vec()),
    }
}
