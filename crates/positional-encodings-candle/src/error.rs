//! This crate's errors as candle's.

use candle_core::{DType, Error, Result, Tensor};

/// candle's error with the message of `error`, numbers included.
pub(crate) fn wrap(error: impl core::fmt::Display + Send + Sync + 'static) -> Error {
    Error::wrap(error)
}

/// The error for elements that no encoding is computed in.
pub(crate) fn unsupported<T>(dtype: DType, op: &'static str) -> Result<T> {
    Err(Error::UnsupportedDTypeForOp(dtype, op).bt())
}

/// Whether a tensor may be changed in place. One that gradients are computed through may not: they
/// would be those of another value, and nobody would be told.
pub(crate) fn untracked(xs: &Tensor, op: &'static str) -> Result<()> {
    if xs.track_op() {
        candle_core::bail!(
            "{op} in place: gradients are computed through this tensor, and would be wrong; \
             use the call that returns a new one, or detach it"
        )
    }
    Ok(())
}
