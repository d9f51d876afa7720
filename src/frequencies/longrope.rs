//! LongRoPE: a divisor for each pair.

use core::fmt;

use super::regime::Regime;
use super::{Frequencies, Step, length};
use crate::error::{Error, positive};
use crate::exact::Wide;
use crate::short::Short;

/// The parameters of LongRoPE (Ding et al. 2024, arXiv 2402.13753; transformers' `longrope`,
/// formerly `su`).
///
/// ```
/// use positional_encodings::scaling::{LongRope, Regime};
///
/// let phi3 =
///     LongRope { short: vec![1.0; 48], long: vec![2.0; 48], original_len: 4096, factor: 32.0 };
/// assert_eq!(phi3.regime(4096), Regime::Short);
/// assert_eq!(phi3.regime(4097), Regime::Long); // strictly longer
/// assert_eq!(phi3.default_attention_factor(), 1.1902380714238083);
/// ```
#[derive(Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(deny_unknown_fields))]
pub struct LongRope {
    /// The divisor of each pair's frequency, for sequences up to the original length.
    pub short: Vec<f64>,
    /// The divisor of each pair's frequency, for sequences beyond the original length.
    pub long: Vec<f64>,
    /// The length that the model was trained on.
    pub original_len: usize,
    /// The maximal length over the original length. Only the attention factor depends on it.
    pub factor: f64,
}

impl fmt::Debug for LongRope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LongRope")
            .field("short", &Short(&self.short))
            .field("long", &Short(&self.long))
            .field("original_len", &self.original_len)
            .field("factor", &self.factor)
            .finish()
    }
}

impl LongRope {
    /// Returns which factors apply to a sequence of `total_len` positions: the long ones if it is
    /// strictly longer than the original length. `total_len` counts the whole sequence, cache
    /// included: 1 + the largest position.
    pub fn regime(&self, total_len: usize) -> Regime {
        if total_len > self.original_len { Regime::Long } else { Regime::Short }
    }

    /// Returns √(1 + ln s / ln L), the factor of cosines and sines for configs that give none, with
    /// s = `factor` and L the original length. It is 1 for s ≤ 1.
    pub fn default_attention_factor(&self) -> f64 {
        if self.factor <= 1.0 {
            1.0
        } else {
            libm::sqrt(1.0 + libm::log(self.factor) / libm::log(self.original_len as f64))
        }
    }
}

impl Frequencies {
    /// Divides each frequency by its factor in the short or the long list, according to
    /// `total_len`. The attention factor is multiplied by [`LongRope::default_attention_factor`],
    /// and the [`regime`](Self::regime) says which list was used.
    ///
    /// # Errors
    ///
    /// [`Error::LengthMismatch`] unless each list has as many factors as there are pairs;
    /// [`Error::InvalidParameter`] for factors that are not positive and finite, an original length
    /// of zero, and an attention factor outside 2⁻⁶⁴ to 2⁶⁴; [`Error::InvalidFrequency`] where a
    /// quotient is too large.
    ///
    /// ```
    /// use positional_encodings::{Frequencies, scaling::{LongRope, Regime}};
    ///
    /// let parameters = LongRope {
    ///     short: vec![1.0, 1.0],
    ///     long: vec![1.0, 4.0],
    ///     original_len: 4096,
    ///     factor: 32.0,
    /// };
    /// let long = Frequencies::geometric(4, 10_000.0)?.longrope(&parameters, 5000)?;
    /// assert_eq!((long.to_radians(), long.regime()), (vec![1.0, 0.0025], Regime::Long));
    /// assert_eq!(long.attention_factor(), 1.1902380714238083);
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn longrope(self, parameters: &LongRope, total_len: usize) -> Result<Self, Error> {
        length("original length", parameters.original_len)?;
        positive("factor", parameters.factor)?;
        let step = || Step::LongRope { parameters: parameters.clone(), total_len };
        let regime = parameters.regime(total_len);
        let [short, long] = [&parameters.short, &parameters.long]
            .map(|factors| self.clone().divided_by(factors, step()));
        // Both lists are checked, whichever is used, so that a wrong config fails at every length.
        let (short, long) = (short?, long?);
        let chosen = if regime == Regime::Long { long } else { short };
        Self { regime, ..chosen }.times_attention_factor(parameters.default_attention_factor())
    }

    /// Divides each frequency by a divisor, as for the tensor `rope_freqs.weight` of a GGUF file,
    /// which contains Llama 3's scaling.
    ///
    /// # Errors
    ///
    /// [`Error::LengthMismatch`] unless there are as many divisors as pairs;
    /// [`Error::InvalidParameter`] for a divisor that is not positive and finite;
    /// [`Error::InvalidFrequency`] where a quotient is too large.
    ///
    /// ```
    /// use positional_encodings::Frequencies;
    ///
    /// let divided = Frequencies::geometric(4, 10_000.0)?.divided(&[1.0, 8.0])?;
    /// assert_eq!(divided.to_radians(), [1.0, 0.00125]);
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn divided(self, divisors: &[f64]) -> Result<Self, Error> {
        self.divided_by(divisors, Step::Divided(divisors.to_vec()))
    }

    /// Multiplies each frequency by e^αᵢ, with LeRoPE's learned exponents αᵢ, one for each pair.
    /// Mistral Large 4 has them in its checkpoint (`rotary_emb.alpha`, formerly `lerope.alpha`) and
    /// applies them after YaRN. The gradient of a loss with respect to αᵢ is wᵢ·e^αᵢ times its
    /// gradient with respect to the new frequency.
    ///
    /// e^αᵢ is rounded to f64.
    ///
    /// # Errors
    ///
    /// [`Error::LengthMismatch`] unless there are as many exponents as pairs;
    /// [`Error::InvalidParameter`] for an exponent whose power is not positive and finite;
    /// [`Error::InvalidFrequency`] where a product is too large.
    ///
    /// ```
    /// use positional_encodings::Frequencies;
    ///
    /// let plain = Frequencies::geometric(4, 10_000.0)?;
    /// assert_eq!(plain.clone().times_exponentials(&[0.0, 0.0])?.to_radians(), plain.to_radians());
    /// let learned = plain.times_exponentials(&[0.0, 2_f64.ln()])?;
    /// assert!((learned.to_radians()[1] - 0.02).abs() < 1e-17);
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn times_exponentials(self, exponents: &[f64]) -> Result<Self, Error> {
        if exponents.len() != self.len() {
            let (expected, found) = (self.len(), exponents.len());
            return Err(Error::LengthMismatch { what: "exponents", expected, found });
        }
        let powers: Vec<f64> = exponents.iter().map(|&alpha| libm::exp(alpha)).collect();
        powers.iter().try_for_each(|&x| positive("power of an exponent", x).map(|_| ()))?;
        let step = Step::TimesExponentials(exponents.to_vec());
        self.map(step, |pair, frequency| frequency.mul(Wide::from_f64(powers[pair])))
    }

    fn divided_by(self, divisors: &[f64], step: Step) -> Result<Self, Error> {
        if divisors.len() != self.len() {
            let (expected, found) = (self.len(), divisors.len());
            return Err(Error::LengthMismatch { what: "factors", expected, found });
        }
        divisors.iter().try_for_each(|&x| positive("factor of a pair", x).map(|_| ()))?;
        self.map(step, |pair, frequency| {
            frequency.mul(Wide::from_f64(divisors[pair]).inverse_root(1))
        })
    }
}
