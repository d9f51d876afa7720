//! Dynamic NTK: the base grows with the length asked for.

use super::{Frequencies, Regime, at_least_one, length};
use crate::Error;
use crate::phase::wide::Wide;

/// The parameters of dynamic NTK scaling (emozilla 2023, *Dynamically scaled RoPE*; transformers'
/// `dynamic`).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DynamicNtk {
    /// The factor s, at least 1.
    pub factor: f64,
    /// The length L that the model was trained on: transformers takes `max_position_embeddings`.
    pub original_len: usize,
}

impl Frequencies {
    /// base → base · (s · L′/L − (s − 1))^(dim/(dim − 2)) with L′ = max(`total_len`, L).
    ///
    /// A pure function of the length: up to L nothing changes; beyond, **every** angle depends on
    /// the length, so that keys rotated for another length do not fit (transformers#25104). The
    /// [`Regime`] is that length: tag caches with it.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidParameter`] for a factor below 1 or not finite, or an original length of
    /// zero.
    ///
    /// ```
    /// use positional_encodings::{DynamicNtk, Frequencies, Regime};
    ///
    /// let plain = Frequencies::geometric(128, 10_000.0)?;
    /// let parameters = DynamicNtk { factor: 2.0, original_len: 4096 };
    /// let (short, regime) = plain.clone().dynamic_ntk(parameters, 100)?;
    /// assert_eq!((short, regime), (plain.clone(), Regime::Fixed));
    /// let (long, regime) = plain.dynamic_ntk(parameters, 8192)?;
    /// assert_eq!(regime, Regime::Length(8192));
    /// let other_base = Frequencies::geometric(128, 30527.7367488067)?;
    /// assert!((long.to_radians()[63] / other_base.to_radians()[63] - 1.0).abs() < 1e-14);
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn dynamic_ntk(
        self,
        parameters: DynamicNtk,
        total_len: usize,
    ) -> Result<(Self, Regime), Error> {
        let factor = Wide::from_f64(at_least_one("factor", parameters.factor)?);
        let original = length("original length", parameters.original_len)?;
        if total_len <= parameters.original_len {
            return Ok((self, Regime::Fixed));
        }
        let grown = factor.mul(Wide::from_u64(total_len as u64)).mul(original.inverse_root(1));
        let stretch = grown.sub(factor.sub(Wide::ONE));
        Ok((self.stretched(stretch)?, Regime::Length(total_len)))
    }
}
