//! candle's storage as views of ndarray: offsets and strides are taken over, nothing is copied.

use candle_core::{Layout, Result};
use ndarray::{ArrayViewD, ArrayViewMutD, IxDyn, ShapeBuilder, StrideShape};
use positional_encodings::Element;

use crate::error::wrap;

/// The elements of a tensor where they lie.
pub(crate) fn view<'a, A>(data: &'a [A], layout: &Layout) -> Result<ArrayViewD<'a, A>> {
    let (shape, start) = placed(layout);
    ArrayViewD::from_shape(shape, data.get(start..).unwrap_or_default()).map_err(wrap)
}

/// The elements of a tensor where they lie, to be changed. Tensors that repeat elements have none.
pub(crate) fn view_mut<'a, A>(data: &'a mut [A], layout: &Layout) -> Result<ArrayViewMutD<'a, A>> {
    let (shape, start) = placed(layout);
    ArrayViewMutD::from_shape(shape, data.get_mut(start..).unwrap_or_default()).map_err(wrap)
}

/// Shape and strides, and where the first element lies.
fn placed(layout: &Layout) -> (StrideShape<IxDyn>, usize) {
    let dims = IxDyn(layout.dims());
    // Of an array without elements any strides will do, but not any offset.
    if layout.shape().elem_count() == 0 {
        return (dims.into(), 0);
    }
    (dims.strides(IxDyn(layout.stride())), layout.start_offset())
}

/// New memory for so many elements, or an error where there is not enough.
pub(crate) fn zeros<A: Element>(len: usize) -> Result<Vec<A>> {
    // Asking first turns the abort of an impossible request into an error; zeroed pages come from
    // the system for free.
    Vec::<A>::new().try_reserve_exact(len).map_err(wrap)?;
    Ok(vec![A::zero(); len])
}
