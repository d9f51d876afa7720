//! YaRN: fast pairs are kept, slow ones interpolated.

use core::f64::consts::TAU;

use super::{Frequencies, Step, length};
use crate::error::{Error, at_least_one, positive};
use crate::exact::Wide;

/// The parameters of YaRN (Peng et al. 2023, *YaRN: efficient context window extension of large
/// language models*, arXiv 2309.00071), with the names and defaults of transformers' `yarn`.
///
/// ```
/// use positional_encodings::scaling::Yarn;
///
/// let qwen3 = Yarn::new(4.0, 32768);
/// assert!((qwen3.default_attention_factor() - 1.138629436).abs() < 1e-9);
/// let deepseek_v3 = Yarn { mscale: 1.0, mscale_all_dim: 1.0, ..Yarn::new(40.0, 4096) };
/// assert_eq!(deepseek_v3.default_attention_factor(), 1.0);
/// assert!((deepseek_v3.softmax_factor() - 1.8738542070926265).abs() < 1e-15);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(from = "Written"))]
pub struct Yarn {
    /// The growth of the context, at least 1.
    pub factor: f64,
    /// The length that the model was trained on (`original_max_position_embeddings`).
    pub original_len: usize,
    /// Pairs that make more turns than this within the original length are kept; 32 by default.
    pub beta_fast: f64,
    /// Pairs that make fewer turns than this are interpolated; 1 by default.
    pub beta_slow: f64,
    /// Whether the ends of the ramp between them are rounded outwards to whole pairs; true by
    /// default, false in gpt-oss.
    pub truncate: bool,
    /// DeepSeek's `mscale`; 0 if absent.
    pub mscale: f64,
    /// DeepSeek's `mscale_all_dim`; 0 if absent.
    pub mscale_all_dim: f64,
}

/// A [`Yarn`] as configs write it: missing fields have their defaults.
#[cfg(feature = "serde")]
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    factor: f64,
    original_len: usize,
    beta_fast: Option<f64>,
    beta_slow: Option<f64>,
    truncate: Option<bool>,
    mscale: Option<f64>,
    mscale_all_dim: Option<f64>,
}

#[cfg(feature = "serde")]
impl From<Written> for Yarn {
    fn from(written: Written) -> Self {
        let plain = Self::new(written.factor, written.original_len);
        Self {
            beta_fast: written.beta_fast.unwrap_or(plain.beta_fast),
            beta_slow: written.beta_slow.unwrap_or(plain.beta_slow),
            truncate: written.truncate.unwrap_or(plain.truncate),
            mscale: written.mscale.unwrap_or(plain.mscale),
            mscale_all_dim: written.mscale_all_dim.unwrap_or(plain.mscale_all_dim),
            ..plain
        }
    }
}

impl Yarn {
    /// Makes the parameters with the defaults: betas 32 and 1, truncated, no mscale.
    pub fn new(factor: f64, original_len: usize) -> Self {
        Self {
            factor,
            original_len,
            beta_fast: 32.0,
            beta_slow: 1.0,
            truncate: true,
            mscale: 0.0,
            mscale_all_dim: 0.0,
        }
    }

    /// Returns the factor of cosines and sines for configs that give none: 0.1 · ln s + 1, or
    /// g(mscale)/g(mscale_all_dim) where both are given, with s = `factor` and g(m) = 0.1 · m · ln
    /// s + 1. As in transformers, one of the two alone is ignored.
    pub fn default_attention_factor(&self) -> f64 {
        if self.mscale != 0.0 && self.mscale_all_dim != 0.0 {
            mscale(self.factor, self.mscale) / mscale(self.factor, self.mscale_all_dim)
        } else {
            mscale(self.factor, 1.0)
        }
    }

    /// Returns the factor of the softmax scale in DeepSeek-V2 and V3: g(mscale_all_dim)², which is
    /// 1 if `mscale_all_dim` is absent, with g as in
    /// [`default_attention_factor`](Self::default_attention_factor).
    pub fn softmax_factor(&self) -> f64 {
        let g = mscale(self.factor, self.mscale_all_dim);
        g * g
    }

    /// Returns the pairs between which the ramp runs, given ln(wᵢ/wᵢ₊₁), which is 2 ln(base)/dim.
    fn ramp(&self, log_ratio: f64, pairs: usize) -> (f64, f64) {
        let len = self.original_len as f64;
        let pair_of = |turns: f64| {
            let quotient = len / (turns * TAU);
            // With extreme betas the quotient is 0 or infinite.
            let is_number = quotient > 0.0 && quotient.is_finite();
            let log = if is_number {
                libm::log(quotient)
            } else {
                libm::log(len) - libm::log(turns) - libm::log(TAU)
            };
            log / log_ratio
        };
        let (mut low, mut high) = (pair_of(self.beta_fast), pair_of(self.beta_slow));
        if self.truncate {
            (low, high) = (libm::floor(low), libm::ceil(high));
        }
        // transformers clamps at dim − 1, which is beyond the last pair.
        let last = (2 * pairs - 1) as f64;
        (low, high) = (low.max(0.0), high.min(last));
        (low, if low == high { high + 0.001 } else { high })
    }
}

/// Returns 0.1 · m · ln s + 1.
fn mscale(factor: f64, m: f64) -> f64 {
    if factor <= 1.0 { 1.0 } else { 0.1 * m * libm::log(factor) + 1.0 }
}

impl Frequencies {
    /// Interpolates slow pairs and keeps fast ones: wᵢ → (wᵢ/s) · ramp + wᵢ · (1 − ramp), ramp =
    /// clamp((i − low)/(high − low), 0, 1). The attention factor is multiplied by
    /// [`Yarn::default_attention_factor`].
    ///
    /// A pair that makes β turns within the original length L has the index c(β) = ln(L/2πβ) /
    /// ln(wᵢ/wᵢ₊₁), which for a geometric progression is dim · ln(L/2πβ)/(2 ln base). Then low =
    /// c(beta_fast) and high = c(beta_slow), rounded outwards if `truncate`, within 0 and dim − 1.
    /// Where low = high, high grows by 0.001. This is transformers' `yarn`; keras-hub clamps at
    /// dim/2 − 1.
    ///
    /// The ends of the ramp are computed in f64, everything after that exactly. Where a config has
    /// its own attention factor, call [`with_attention_factor`](Self::with_attention_factor)
    /// afterwards.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidParameter`] for a factor below 1, betas that are not positive, a length of
    /// zero, NaN, an attention factor outside 2⁻⁶⁴ to 2⁶⁴, and where the ratio of the first two
    /// frequencies is not finite or not above 1; [`Error::DimTooSmall`] with fewer than two pairs.
    ///
    /// ```
    /// use positional_encodings::{Frequencies, scaling::Yarn};
    ///
    /// let plain = Frequencies::geometric(128, 1e6)?;
    /// let scaled = plain.clone().yarn(&Yarn::new(4.0, 32768))?;
    /// assert_eq!(scaled.to_radians()[..24], plain.to_radians()[..24]); // fast pairs: kept
    /// assert_eq!(scaled.to_radians()[40], plain.to_radians()[40] / 4.0); // slow: interpolated
    /// assert_eq!(scaled.attention_factor(), 0.1 * 4_f64.ln() + 1.0);
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn yarn(self, parameters: &Yarn) -> Result<Self, Error> {
        let inverse = Wide::from_f64(at_least_one("factor", parameters.factor)?).inverse_root(1);
        length("original length", parameters.original_len)?;
        positive("beta_fast", parameters.beta_fast)?;
        positive("beta_slow", parameters.beta_slow)?;
        let (low, high) = parameters.ramp(self.log_ratio()?, self.len());
        let low = Wide::from_f64(low);
        let one_over_span = inverse_of(Wide::from_f64(high).sub(low));
        let scale = |pair, frequency: Wide| {
            let along = Wide::from_u64(pair as u64).sub(low);
            let ramp = clamp_to_unit(along.mul(one_over_span));
            frequency.mul(inverse).mul(ramp).add(frequency.mul(Wide::ONE.sub(ramp)))
        };
        self.map(Step::Yarn(*parameters), scale)?
            .times_attention_factor(parameters.default_attention_factor())
    }

    /// Returns ln(w₀/w₁), which must be a positive number.
    fn log_ratio(&self) -> Result<f64, Error> {
        let [first, second, ..] = self.radians[..] else {
            return Err(Error::DimTooSmall { dim: 2 * self.len(), needed: 4 });
        };
        let ratio = first.to_f64() / second.to_f64();
        let log_ratio = libm::log(ratio);
        if log_ratio.is_finite() && log_ratio > 0.0 {
            return Ok(log_ratio);
        }
        Err(Error::InvalidParameter {
            name: "ratio of the first two frequencies",
            value: ratio,
            needs: "finite and above 1",
        })
    }
}

/// Returns 1/x for x ≠ 0.
fn inverse_of(x: Wide) -> Wide {
    if x.to_f64() < 0.0 { x.neg().inverse_root(1).neg() } else { x.inverse_root(1) }
}

/// Returns x clamped to 0..=1. The nearest doubles are compared, since the bounds are doubles.
fn clamp_to_unit(x: Wide) -> Wide {
    match x.to_f64() {
        value if value <= 0.0 => Wide::ZERO,
        value if value >= 1.0 => Wide::ONE,
        _ => x,
    }
}
