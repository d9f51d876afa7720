//! New arrays, without an abort where memory is short.

use ndarray::Array2;

use crate::element::Element;
use crate::error::Error;

/// A new array of zeros, or an error where it does not fit into memory.
pub(crate) fn zeros<A: Element>(rows: usize, dim: usize) -> Result<Array2<A>, Error> {
    let too_large = Error::TooLarge { rows, dim };
    let Some(len) =
        rows.checked_mul(dim).filter(|&len| len <= isize::MAX as usize / size_of::<A>())
    else {
        return Err(too_large);
    };
    // Zeroed pages come from the system for free; asking first turns the abort of an impossible
    // request into an error.
    if Vec::<A>::new().try_reserve_exact(len).is_err() {
        return Err(too_large);
    }
    Array2::from_shape_vec((rows, dim), vec![A::zero(); len]).map_err(|_| too_large)
}
