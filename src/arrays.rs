//! New arrays, without an abort where memory is short.

use ndarray::Array2;

use crate::element::Element;
use crate::error::Error;

/// Whether rows of so many elements fit into memory, as far as can be told without taking it.
pub(crate) fn room<A>(rows: usize, dim: usize) -> Result<usize, Error> {
    let too_large = Error::TooLarge { rows, dim };
    let fits = |&len: &usize| len <= isize::MAX as usize / size_of::<A>().max(1);
    let len = rows.checked_mul(dim).filter(fits).ok_or(too_large.clone())?;
    // Asking first turns the abort of an impossible request into an error.
    Vec::<A>::new().try_reserve_exact(len).map_err(|_| too_large)?;
    Ok(len)
}

/// A new array of zeros, or an error where it does not fit into memory.
pub(crate) fn zeros<A: Element>(rows: usize, dim: usize) -> Result<Array2<A>, Error> {
    // Zeroed pages come from the system for free.
    let zeros = vec![A::zero(); room::<A>(rows, dim)?];
    Array2::from_shape_vec((rows, dim), zeros).map_err(|_| Error::TooLarge { rows, dim })
}
