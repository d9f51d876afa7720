//! Stepped NTK: the base grows with the length in steps, one for each doubling.

use super::regime::Regime;
use super::{Frequencies, Step, length};
use crate::error::Error;
use crate::phase::wide::Wide;

impl Frequencies {
    /// base → base · α^(dim/(dim − 2)) with α = 2·2^⌈log₂(L′/L)⌉ − 1 for a length L′ = `total_len`
    /// beyond L = `original_len`, and 1 up to it: `use_dynamic_ntk` of Qwen's first version (Qwen
    /// team 2023, *modeling_qwen.py*).
    ///
    /// α is 3 up to 2L, 7 up to 4L, …: keys in a cache fit until the next step. The
    /// [`regime`](Self::regime) names the longest length of the step.
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
    /// assert_eq!((long.regime(), long.to_radians()), (Regime::Length(16_384), plain.ntk(3.0)?.to_radians()));
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

/// The longest length of the step that `total_len` falls into, and α; none up to the original
/// length.
pub(crate) fn stage(original_len: usize, total_len: usize) -> Option<(usize, u64)> {
    if total_len <= original_len || original_len == 0 {
        return None;
    }
    let longest = usize::MAX / 2 + 1;
    let doublings = total_len.div_ceil(original_len).checked_next_power_of_two().unwrap_or(longest);
    let alpha = (doublings as u64).saturating_mul(2).saturating_sub(1);
    Some((original_len.saturating_mul(doublings), alpha))
}
