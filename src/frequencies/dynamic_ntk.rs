//! Dynamic NTK: the base grows with the length asked for.

use super::regime::Regime;
use super::{Frequencies, Step, at_least_one, length};
use crate::error::Error;
use crate::frequencies::wide::Wide;

/// The parameters of dynamic NTK scaling (emozilla 2023, *Dynamically scaled RoPE*; transformers'
/// `dynamic`).
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(deny_unknown_fields))]
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
    /// [`regime`](Self::regime) is that length: tag caches with it.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidParameter`] for a factor below 1 or not finite, or an original length of
    /// zero.
    ///
    /// ```
    /// use positional_encodings::{Frequencies, scaling::{DynamicNtk, Regime}};
    ///
    /// let plain = Frequencies::geometric(128, 10_000.0)?;
    /// let parameters = DynamicNtk { factor: 2.0, original_len: 4096 };
    /// assert_eq!(plain.clone().dynamic_ntk(parameters, 100)?, plain);
    /// let long = plain.dynamic_ntk(parameters, 8192)?;
    /// assert_eq!(long.regime(), Regime::Length(8192));
    /// let other_base = Frequencies::geometric(128, 30527.7367488067)?;
    /// assert!((long.to_radians()[63] / other_base.to_radians()[63] - 1.0).abs() < 1e-14);
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn dynamic_ntk(self, parameters: DynamicNtk, total_len: usize) -> Result<Self, Error> {
        let DynamicNtk { factor, original_len } = parameters;
        let wide = Wide::from_f64(at_least_one("factor", factor)?);
        let original = length("original length", original_len)?;
        let step = Step::DynamicNtk { factor, original_len, total_len };
        if total_len <= original_len {
            return self.map(step, |_, frequency| frequency);
        }
        let grown = wide.mul(Wide::from_u64(total_len as u64)).mul(original.inverse_root(1));
        let stretch = grown.sub(wide.sub(Wide::ONE));
        Ok(Self { regime: Regime::Length(total_len), ..self.stretched(stretch, step)? })
    }
}
