//! Access to tensors of the CPU backend as arrays of ndarray, without a copy.

use burn::backend::{Backend, Dispatch};
use burn::tensor::{Device, Tensor};
use ndarray::ArrayViewMutD;

use crate::element::StoredFloat;
use crate::refuse::expect;

/// Returns true if the tensors of a device are in the memory of this process and not part of a
/// gradient graph: those of burn's CPU backend, flex. There the kernels of `positional-encodings`
/// run, elsewhere burn's operations.
pub(crate) fn is_host(device: &Device) -> bool {
    !device.is_autodiff() && Dispatch::name(device.as_dispatch()) == "dispatch<flex>"
}

/// Changes the elements of a tensor for which [`is_host`] holds. A tensor without other handles and
/// without gaps is changed in its own memory, another one is copied first.
pub(crate) fn change<A: StoredFloat, const D: usize>(
    tensor: Tensor<D>,
    change: impl FnOnce(ArrayViewMutD<'_, A>) -> Result<(), positional_encodings::Error>,
) -> Tensor<D> {
    let (device, shape) = (tensor.device(), tensor.dims());
    let mut data = tensor.into_data();
    let elements = expect(data.as_mut_slice::<A>());
    expect(change(expect(ArrayViewMutD::from_shape(&shape[..], elements))));
    Tensor::from_data(data, (&device, A::dtype()))
}
