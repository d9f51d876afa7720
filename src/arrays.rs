//! Allocation of arrays that fails with an error instead of an abort, and checks of arrays.

use ndarray::{
    Array, Array2, ArrayBase, ArrayView, ArrayView2, ArrayViewD, Axis, Data, Dimension, Ix2, IxDyn,
    RawData,
};

use crate::element::Element;
use crate::error::Error;

/// Returns rows · dim if that many elements fit into memory, as far as can be told without writing
/// to them.
pub(crate) fn room<A>(rows: usize, dim: usize) -> Result<usize, Error> {
    let too_large = Error::TooLarge { rows, dim };
    let fits = |&len: &usize| len <= isize::MAX as usize / size_of::<A>().max(1);
    let len = rows.checked_mul(dim).filter(fits).ok_or(too_large.clone())?;
    // Asking first turns the abort of an impossible request into an error.
    Vec::<A>::new().try_reserve_exact(len).map_err(|_| too_large)?;
    Ok(len)
}

/// Returns a new array of zeros, or an error where it does not fit into memory.
pub(crate) fn zeros<A: Element>(rows: usize, dim: usize) -> Result<Array2<A>, Error> {
    // Zeroed pages come from the system for free.
    let zeros = vec![A::zero(); room::<A>(rows, dim)?];
    Array2::from_shape_vec((rows, dim), zeros).map_err(|_| Error::TooLarge { rows, dim })
}

/// Returns a copy, or an error where there is no room: a broadcast view may claim any size.
pub(crate) fn copied<A: Clone, S: Data<Elem = A>, D: Dimension>(
    array: &ArrayBase<S, D>,
) -> Result<Array<A, D>, Error> {
    room::<A>(array.len(), 1)?;
    Ok(array.to_owned())
}

/// Returns the array in row-major order.
pub(crate) fn row_major<A: Clone, D: Dimension>(array: Array<A, D>) -> Array<A, D> {
    if array.is_standard_layout() { array } else { array.as_standard_layout().into_owned() }
}

/// Checks that a count is the expected one.
pub(crate) fn check_len(what: &'static str, expected: usize, found: usize) -> Result<(), Error> {
    if found == expected { Ok(()) } else { Err(Error::LengthMismatch { what, expected, found }) }
}

/// Checks that the last axis has the expected width.
pub(crate) fn check_width(expected: usize, found: usize) -> Result<(), Error> {
    if found == expected { Ok(()) } else { Err(Error::WidthMismatch { expected, found }) }
}

/// Checks that all values are finite: +∞ added to a score that a mask has set to −∞ is NaN.
pub(crate) fn check_finite<'a, A: Element>(
    values: impl IntoIterator<Item = &'a A>,
) -> Result<(), Error> {
    match values.into_iter().map(|value| value.to_f64()).find(|value| !value.is_finite()) {
        Some(value) => Err(Error::InvalidParameter { name: "value", value, needs: "finite" }),
        None => Ok(()),
    }
}

/// Removes axes of length 1, except among the last `kept` axes.
///
/// A non-empty array then has at most 64 further axes, so a function may recurse over them.
pub(crate) fn without_unit_axes<S: RawData>(
    mut array: ArrayBase<S, IxDyn>,
    kept: usize,
) -> ArrayBase<S, IxDyn> {
    for axis in (0..array.ndim().saturating_sub(kept)).rev() {
        if array.len_of(Axis(axis)) == 1 {
            array = array.index_axis_move(Axis(axis), 0);
        }
    }
    array
}

/// Returns the n-th subview over the last axes, in row-major order of the others; `None` past the
/// end.
pub(crate) fn nth<'v, T, D: Dimension>(
    array: &'v ArrayViewD<'_, T>,
    mut n: usize,
) -> Option<ArrayView<'v, T, D>> {
    let mut view = array.view();
    let kept = D::NDIM?;
    if n >= view.shape()[..view.ndim().checked_sub(kept)?].iter().product() {
        return None;
    }
    while view.ndim() > kept {
        let below = view.shape()[1..view.ndim() - kept].iter().product::<usize>().max(1);
        view = view.index_axis_move(Axis(0), n / below);
        n %= below;
    }
    view.into_dimensionality().ok()
}

/// Calls `visit` with each matrix (len, dim) of an array (…, len, dim), in row-major order of the
/// leading axes. An empty array has none.
pub(crate) fn for_each_matrix<A>(
    array: ArrayViewD<'_, A>,
    visit: &mut impl FnMut(ArrayView2<'_, A>) -> Result<(), Error>,
) -> Result<(), Error> {
    if array.is_empty() {
        return Ok(());
    }
    for_each_matrix_within(without_unit_axes(array, 2), visit)
}

fn for_each_matrix_within<A>(
    array: ArrayViewD<'_, A>,
    visit: &mut impl FnMut(ArrayView2<'_, A>) -> Result<(), Error>,
) -> Result<(), Error> {
    if array.ndim() > 2 {
        let mut parts = array.axis_iter(Axis(0));
        return parts.try_for_each(|array| for_each_matrix_within(array, visit));
    }
    let found = array.ndim();
    visit(array.into_dimensionality::<Ix2>().map_err(|_| Error::TooFewAxes { expected: 2, found })?)
}

/// Returns Σ aᵢ · bᵢ, summed in eight lanes in an order that depends on the length alone.
pub(crate) fn dot<A: Element, B: Element>(a: &[A], b: &[B]) -> f64 {
    let mut lanes = [0.0; 8];
    let (a_chunks, b_chunks) = (a.chunks_exact(8), b.chunks_exact(8));
    let rests = a_chunks.remainder().iter().zip(b_chunks.remainder());
    let rest: f64 = rests.map(|(a, b)| a.to_f64() * b.to_f64()).sum();
    for (a, b) in a_chunks.zip(b_chunks) {
        for ((lane, a), b) in lanes.iter_mut().zip(a).zip(b) {
            *lane += a.to_f64() * b.to_f64();
        }
    }
    lanes.iter().sum::<f64>() + rest
}
