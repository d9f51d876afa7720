//! candle's storage as views of ndarray, with its offsets and strides, without a copy.

use candle_core::{Layout, Result};
use ndarray::{ArrayViewD, ArrayViewMutD, IxDyn, ShapeBuilder, StrideShape};
use positional_encodings::Element;

use crate::error::wrap;

/// Returns a view of the elements of a tensor.
pub(crate) fn view<'a, A>(data: &'a [A], layout: &Layout) -> Result<ArrayViewD<'a, A>> {
    let (shape, start) = placed(layout);
    ArrayViewD::from_shape(shape, data.get(start..).unwrap_or_default()).map_err(wrap)
}

/// Returns a mutable view of the elements of a tensor. A tensor that repeats elements has none.
pub(crate) fn view_mut<'a, A>(data: &'a mut [A], layout: &Layout) -> Result<ArrayViewMutD<'a, A>> {
    let (shape, start) = placed(layout);
    ArrayViewMutD::from_shape(shape, data.get_mut(start..).unwrap_or_default()).map_err(wrap)
}

/// Returns shape and strides, and the offset of the first element.
fn placed(layout: &Layout) -> (StrideShape<IxDyn>, usize) {
    let dims = IxDyn(layout.dims());
    // An array without elements may have any strides, but not any offset.
    if layout.shape().elem_count() == 0 {
        return (dims.into(), 0);
    }
    (dims.strides(IxDyn(layout.stride())), layout.start_offset())
}

/// Returns a new list of `len` zeros, or an error if there is not enough memory.
pub(crate) fn zeros<A: Element>(len: usize) -> Result<Vec<A>> {
    // Asking first turns the abort of an impossible request into an error; zeroed pages come from
    // the system for free.
    Vec::<A>::new().try_reserve_exact(len).map_err(wrap)?;
    Ok(vec![A::zero(); len])
}
