//! LongRoPE: a divisor for each pair.

use super::{Frequencies, length, positive};
use crate::Error;
use crate::phase::wide::Wide;

/// What frequencies that depend on the length were made for. Keys rotated in one regime do not fit
/// queries of another, so a cache of keys wants to be tagged with it.
///
/// ```
/// use positional_encodings::{Frequencies, LongRope, Regime};
///
/// let parameters = LongRope { short: vec![1.0], long: vec![2.0], original_len: 4096 };
/// let regime = |len| Frequencies::geometric(2, 10_000.0)?.longrope(&parameters, len).map(|(_, regime)| regime);
/// assert_eq!((regime(4096)?, regime(4097)?), (Regime::Short, Regime::Long));
/// # Ok::<(), positional_encodings::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Regime {
    /// The frequencies do not depend on the length, or the length is within the one trained on.
    #[default]
    Fixed,
    /// LongRoPE's short factors.
    Short,
    /// LongRoPE's long factors.
    Long,
    /// Dynamic NTK beyond the original length: this length in all.
    Length(usize),
}

/// The parameters of LongRoPE (Ding et al. 2024, arXiv 2402.13753; transformers' `longrope`, once
/// `su`).
///
/// ```
/// use positional_encodings::{LongRope, Regime};
///
/// let phi3 = LongRope { short: vec![1.0; 48], long: vec![2.0; 48], original_len: 4096 };
/// assert_eq!(phi3.regime(4096), Regime::Short);
/// assert_eq!(phi3.regime(4097), Regime::Long); // strictly longer
/// assert_eq!(phi3.default_attention_factor(32.0), 1.1902380714238083);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct LongRope {
    /// A divisor for each pair, up to the original length.
    pub short: Vec<f64>,
    /// A divisor for each pair, beyond it.
    pub long: Vec<f64>,
    /// The length that the model was trained on.
    pub original_len: usize,
}

impl LongRope {
    /// Which factors a sequence of `total_len` positions takes: the long ones if it is strictly
    /// longer than the original length. `total_len` counts the whole sequence, cache included: 1 +
    /// the largest position.
    pub fn regime(&self, total_len: usize) -> Regime {
        if total_len > self.original_len { Regime::Long } else { Regime::Short }
    }

    /// √(1 + ln s / ln L), which cos and sin are multiplied by where a config does not say; s is
    /// the maximal length over the original one. 1 for s ≤ 1.
    pub fn default_attention_factor(&self, factor: f64) -> f64 {
        if factor <= 1.0 {
            1.0
        } else {
            libm::sqrt(1.0 + libm::log(factor) / libm::log(self.original_len as f64))
        }
    }
}

impl Frequencies {
    /// wᵢ / extᵢ, with the short or the long factors as `total_len` asks for.
    ///
    /// # Errors
    ///
    /// [`Error::LengthMismatch`] where there are not as many factors as pairs, in either list;
    /// [`Error::InvalidParameter`] for factors that are not positive and an original length of
    /// zero.
    ///
    /// ```
    /// use positional_encodings::{Frequencies, LongRope, Regime};
    ///
    /// let parameters = LongRope { short: vec![1.0, 1.0], long: vec![1.0, 4.0], original_len: 4096 };
    /// let (long, regime) = Frequencies::geometric(4, 10_000.0)?.longrope(&parameters, 5000)?;
    /// assert_eq!((long.to_radians(), regime), (vec![1.0, 0.0025], Regime::Long));
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn longrope(
        self,
        parameters: &LongRope,
        total_len: usize,
    ) -> Result<(Self, Regime), Error> {
        length("original length", parameters.original_len)?;
        let regime = parameters.regime(total_len);
        let [short, long] =
            [&parameters.short, &parameters.long].map(|factors| self.clone().divided(factors));
        // Both lists are checked, whichever is used: a config is right or wrong as a whole.
        let (short, long) = (short?, long?);
        Ok((if regime == Regime::Long { long } else { short }, regime))
    }

    /// wᵢ / divisorᵢ: what a GGUF file's `rope_freqs.weight` tensor asks for, into which Llama 3's
    /// scaling is baked.
    ///
    /// # Errors
    ///
    /// [`Error::LengthMismatch`] where there are not as many divisors as pairs,
    /// [`Error::InvalidParameter`] for one that is not positive and finite.
    ///
    /// ```
    /// use positional_encodings::Frequencies;
    ///
    /// assert_eq!(Frequencies::geometric(4, 10_000.0)?.divided(&[1.0, 8.0])?.to_radians(), [1.0, 0.00125]);
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn divided(self, divisors: &[f64]) -> Result<Self, Error> {
        if divisors.len() != self.len() {
            return Err(Error::LengthMismatch {
                what: "factors",
                expected: self.len(),
                found: divisors.len(),
            });
        }
        let divide = |(frequency, divisor): (&Wide, &f64)| {
            Ok(frequency
                .mul(Wide::from_f64(positive("factor of a pair", *divisor)?).inverse_root(1)))
        };
        Self::new(self.radians.iter().zip(divisors).map(divide).collect::<Result<_, Error>>()?)
    }
}
