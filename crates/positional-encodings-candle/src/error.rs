//! Errors of `positional-encodings` as candle's errors.

use candle_core::{DType, Error, Result, Tensor};

/// Returns candle's error with the message of `error`, numbers included.
pub(crate) fn wrap(error: impl core::fmt::Display + Send + Sync + 'static) -> Error {
    Error::wrap(error)
}

/// Returns the error for element types in which no encoding is computed.
pub(crate) fn unsupported<T>(dtype: DType, op: &'static str) -> Result<T> {
    Err(Error::UnsupportedDTypeForOp(dtype, op).bt())
}

/// Checks that a tensor may be changed in place. A tensor in a gradient graph may not: its
/// gradients would silently be those of another value.
pub(crate) fn untracked(xs: &Tensor, op: &'static str) -> Result<()> {
    if xs.track_op() {
        candle_core::bail!(
            "{op} in place: gradients are computed through this tensor, and would be wrong; \
             use the call that returns a new one, or detach it"
        )
    }
    Ok(())
}
