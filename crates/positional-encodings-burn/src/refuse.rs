//! Panics: burn's operations panic where shapes do not fit, and so do those of this crate, with the
//! message and the numbers of [`positional_encodings::Error`].

use burn::tensor::{DType, Device, Distribution};
use positional_encodings::Error;

/// Returns the value, or panics with the message of the error.
#[track_caller]
pub(crate) fn expect<T>(result: Result<T, impl core::fmt::Display>) -> T {
    match result {
        Ok(value) => value,
        Err(error) => panic!("{error}"),
    }
}

/// Panics for element types in which nothing is computed.
#[track_caller]
pub(crate) fn unsupported(dtype: DType, op: &str) -> ! {
    panic!("{op}: elements are {dtype:?}, and must be floats of 16, 32 or 64 bits")
}

/// Checks that a tensor is on the device of a module.
#[track_caller]
pub(crate) fn same_device(module: &Device, tensor: &Device, op: &str) {
    assert!(module == tensor, "{op}: the module is on {module:?}, the tensor on {tensor:?}");
}

/// Checks that two lengths agree.
pub(crate) fn same(what: &'static str, expected: usize, found: usize) -> Result<(), Error> {
    if expected == found { Ok(()) } else { Err(Error::LengthMismatch { what, expected, found }) }
}

/// Checks that a tensor has the element type of a module's table.
#[track_caller]
pub(crate) fn same_type(module: DType, tensor: DType, op: &str) {
    assert!(module == tensor, "{op}: the table is {module:?}, the tensor {tensor:?}");
}

/// Returns the distribution of the values of new tables.
pub(crate) fn new_rows(deviation: f64) -> Result<Distribution, Error> {
    if deviation.is_finite() && deviation >= 0.0 {
        return Ok(Distribution::Normal(0.0, deviation));
    }
    let needs = "finite and not negative";
    Err(Error::InvalidParameter { name: "deviation", value: deviation, needs })
}
