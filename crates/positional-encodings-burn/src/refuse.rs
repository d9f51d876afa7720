//! Refusals: burn's operations panic where shapes do not fit, and so do these, with the message and
//! the numbers of [`positional_encodings::Error`].

use burn::tensor::{DType, Device};
use positional_encodings::Error;

/// The value, or a panic with the error's message.
#[track_caller]
pub(crate) fn expect<T>(result: Result<T, impl core::fmt::Display>) -> T {
    match result {
        Ok(value) => value,
        Err(error) => panic!("{error}"),
    }
}

/// The panic for elements that nothing is computed in.
#[track_caller]
pub(crate) fn unsupported(dtype: DType, op: &str) -> ! {
    panic!("{op}: elements are {dtype:?}, and must be floats of 16, 32 or 64 bits")
}

/// Whether a tensor is where a module is.
#[track_caller]
pub(crate) fn same_device(module: &Device, tensor: &Device, op: &str) {
    assert!(module == tensor, "{op}: the module is on {module:?}, the tensor on {tensor:?}");
}

/// Whether two lengths agree.
pub(crate) fn same(what: &'static str, expected: usize, found: usize) -> Result<(), Error> {
    if expected == found { Ok(()) } else { Err(Error::LengthMismatch { what, expected, found }) }
}
