//! Llama 3's scaling by wavelength.

use super::{Frequencies, Step, length};
use crate::error::{Error, at_least_one, check_parameter, positive};
use crate::exact::Wide;

/// The parameters of Llama 3.1's scaling (`apply_scaling` of Meta's llama-models; transformers'
/// `llama3`).
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(deny_unknown_fields))]
pub struct Llama3 {
    /// The growth of the context, at least 1: 8 in Llama 3.1, 32 in Llama 3.2.
    pub factor: f64,
    /// Pairs that make fewer turns than this within the original length are interpolated; 1 in
    /// Llama 3.1.
    pub low_freq_factor: f64,
    /// Pairs that make more turns than this are kept; 4 in Llama 3.1.
    pub high_freq_factor: f64,
    /// The length that the model was trained on; 8192 in Llama 3.1.
    pub original_len: usize,
}

impl Frequencies {
    /// Scales frequencies by wavelength. With n = L·wᵢ/2π turns within the original length L, wᵢ is
    /// kept where n > high, becomes wᵢ/s where n < low, and (1 − t) · wᵢ/s + t · wᵢ with t = (n −
    /// low)/(high − low) between them. Where low = high, as in Llama 4, nothing is between them.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidParameter`] for a factor below 1, for frequency factors that are not
    /// positive or not in order, for a length of zero, and for NaN.
    ///
    /// ```
    /// use positional_encodings::{Frequencies, scaling::Llama3};
    ///
    /// let plain = Frequencies::geometric(128, 500_000.0)?;
    /// let llama31 = Llama3 {
    ///     factor: 8.0,
    ///     low_freq_factor: 1.0,
    ///     high_freq_factor: 4.0,
    ///     original_len: 8192,
    /// };
    /// let (before, after) = (plain.to_radians(), plain.llama3(llama31)?.to_radians());
    /// assert_eq!(after[28], before[28]);
    /// assert!((after[29] / before[29] - 0.8281684118).abs() < 1e-10);
    /// assert_eq!(after[35], before[35] / 8.0);
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn llama3(self, parameters: Llama3) -> Result<Self, Error> {
        let inverse = Wide::from_f64(at_least_one("factor", parameters.factor)?).inverse_root(1);
        let low = positive("low_freq_factor", parameters.low_freq_factor)?;
        let high = positive("high_freq_factor", parameters.high_freq_factor)?;
        check_parameter("high_freq_factor", high, high >= low, "at least low_freq_factor")?;
        let turns_per_radian =
            length("original length", parameters.original_len)?.mul(Wide::TURNS_PER_RADIAN);
        let wide_low = Wide::from_f64(low);
        let span = Wide::from_f64(high).sub(wide_low);
        let one_over_span = if span.is_zero() { Wide::ZERO } else { span.inverse_root(1) };
        self.map(Step::Llama3(parameters), |_, frequency| {
            let turns = frequency.abs().mul(turns_per_radian);
            let magnitude = turns.to_f64();
            if magnitude > high || (magnitude == high && span.is_zero()) {
                frequency
            } else if magnitude < low {
                frequency.mul(inverse)
            } else {
                let t = turns.sub(wide_low).mul(one_over_span);
                frequency.mul(inverse).mul(Wide::ONE.sub(t)).add(frequency.mul(t))
            }
        })
    }
}
