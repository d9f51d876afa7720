//! One rotation as a config describes it.

use super::Scaling;
use crate::{Error, Frequencies, Pairing, Regime, Rotary, Sections};

/// The rotation of one type of layer, as data: what a config says, with the model's own defaults where it says nothing.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct RotarySpec {
    /// Number of features that are rotated.
    pub dim: usize,
    /// Number of features of a query or key head.
    pub head_dim: usize,
    /// Base of the frequencies.
    pub base: f64,
    /// How they change for longer contexts.
    pub scaling: Scaling,
    /// What cosines and sines are multiplied by; where LongRoPE has two, this is the one of long sequences.
    pub attention_factor: f64,
    /// The one of short sequences.
    pub short_attention_factor: f64,
    /// What the softmax scale is to be multiplied by, besides: not 1 with DeepSeek's `mscale_all_dim`.
    pub softmax_factor: f64,
    /// Which features make a pair.
    pub pairing: Pairing,
    /// Whether the last features of the head are rotated (DeepSeek's \[NoPE | RoPE\]).
    pub on_last_features: bool,
    /// How multimodal models divide the pairs among axes.
    pub sections: Option<(Vec<usize>, Sections)>,
    /// A divisor for each pair, GGUF's `rope_freqs.weight`.
    pub divisors: Option<Vec<f64>>,
}

impl RotarySpec {
    /// The rotation for sequences of `total_len` positions, cache included. A pure function: only LongRoPE and dynamic NTK
    /// look at the length, and [`Rotary::regime`] says what they made of it.
    ///
    /// # Errors
    ///
    /// Where the values cannot be followed; those that come from a config have been tried out.
    pub fn rotary(&self, total_len: usize) -> Result<Rotary, Error> {
        let plain = Frequencies::geometric(self.dim, self.base)?;
        let (mut frequencies, regime) = self.scaling.apply(plain, total_len)?;
        if let Some(divisors) = &self.divisors {
            frequencies = frequencies.divided(divisors)?;
        }
        let short = matches!(regime, Regime::Short);
        let factor = if short { self.short_attention_factor } else { self.attention_factor };
        let mut rotary = Rotary::new(frequencies, self.pairing).with_attention_factor(factor)?.with_regime(regime);
        if let Some((sections, order)) = &self.sections {
            rotary = rotary.with_sections(sections, *order)?;
        }
        Ok(if self.on_last_features { rotary.on_last_features() } else { rotary })
    }
}
