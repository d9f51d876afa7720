//! Dynamic NTK: the base grows with the sequence length, continuously or in steps.

use super::regime::Regime;
use super::{Frequencies, Step, length};
use crate::error::{Error, at_least_one};
use crate::exact::Wide;

/// The parameters of dynamic NTK scaling (emozilla 2023, *Dynamically scaled RoPE*; transformers'
/// `dynamic`).
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(deny_unknown_fields))]
pub struct DynamicNtk {
    /// The factor s, at least 1.
    pub factor: f64,
    /// The length L that the model was trained on; transformers uses `max_position_embeddings`.
    pub original_len: usize,
}

impl Frequencies {
    /// Scales the base: base → base · (s · L′/L − (s − 1))^(dim/(dim − 2)) with L′ =
    /// max(`total_len`, L).
    ///
    /// Up to L nothing changes. Beyond L, **every** angle depends on the length, so that keys
    /// rotated for another length do not fit (transformers#25104). The [`regime`](Self::regime) is
    /// that length: tag caches with it.
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

impl Frequencies {
    /// Scales the base: base → base · α^(dim/(dim − 2)) with α = 2·2^⌈log₂(L′/L)⌉ − 1 for a length
    /// L′ = `total_len` beyond L = `original_len`, and α = 1 up to L. This is `use_dynamic_ntk` of
    /// the first Qwen (Qwen team 2023, *modeling_qwen.py*).
    ///
    /// α is 3 up to 2L, 7 up to 4L, and so on, so cached keys fit until the next step. The
    /// [`regime`](Self::regime) is the longest length of the step.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidParameter`] for an original length of zero.
    ///
    /// ```
    /// use positional_encodings::{Frequencies, scaling::Regime};
    ///
    /// let plain = Frequencies::geometric(128, 10_000.0)?;
    /// assert_eq!(plain.clone().stepped_ntk(8192, 8192)?, plain);
    /// let long = plain.clone().stepped_ntk(8192, 16_000)?; // α = 3
    /// assert_eq!(
    ///     (long.regime(), long.to_radians()),
    ///     (Regime::Length(16_384), plain.ntk(3.0)?.to_radians())
    /// );
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn stepped_ntk(self, original_len: usize, total_len: usize) -> Result<Self, Error> {
        length("original length", original_len)?;
        let step = Step::SteppedNtk { original_len, total_len };
        match stage(original_len, total_len) {
            None => self.map(step, |_, frequency| frequency),
            Some((longest, alpha)) => {
                let regime = Regime::Length(longest);
                Ok(Self { regime, ..self.stretched(Wide::from_u64(alpha), step)? })
            }
        }
    }
}

/// Returns the longest length of the step that `total_len` falls into, and α; `None` up to the
/// original length.
pub(crate) fn stage(original_len: usize, total_len: usize) -> Option<(usize, u64)> {
    if total_len <= original_len || original_len == 0 {
        return None;
    }
    let longest = usize::MAX / 2 + 1;
    let doublings = total_len.div_ceil(original_len).checked_next_power_of_two().unwrap_or(longest);
    let alpha = (doublings as u64).saturating_mul(2).saturating_sub(1);
    Some((original_len.saturating_mul(doublings), alpha))
}
