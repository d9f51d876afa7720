//! A rotation as a config describes it.

use crate::error::Error;
use crate::frequencies::scaling::{Regime, Scaling};
use crate::frequencies::{Frequencies, OddDim, dynamic_ntk};
use crate::rotary::{AxialOrder, Pairing, Rotary, Sections};

/// The rotation of one type of layer as data, with the defaults of the model where a config gives
/// no value. It can be saved in a config of your own, under the names of its fields.
///
/// ```
/// use positional_encodings::{Pairing, config::ModelRotary, scaling::{Scaling, Yarn}};
///
/// let config = r#"{"model_type": "gpt_oss", "num_hidden_layers": 24}"#; // class defaults
/// let model = ModelRotary::from_json(config)?;
/// let spec = model.only()?;
/// assert_eq!(
///     (spec.dim, spec.head_dim, spec.base, spec.pairing),
///     (64, 64, 150_000.0, Pairing::Halves)
/// );
/// assert_eq!(
///     spec.scaling,
///     Scaling::Yarn(Yarn { truncate: false, ..Yarn::new(32.0, 4096) })
/// );
/// assert!((spec.attention_factor - 1.3465735902799727).abs() < 1e-15);
/// # Ok::<(), positional_encodings::Error>(())
/// ```
#[derive(Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct RotarySpec {
    /// The number of rotated features.
    pub dim: usize,
    /// The dim in the exponents of the frequencies, base^(−2i/dim). It is `dim`, or one less where
    /// a config asks for an odd number of rotated features: transformers rounds the features up and
    /// keeps the odd number in the exponents.
    pub frequency_dim: usize,
    /// The number of features of a query or key head.
    pub head_dim: usize,
    /// The base of the frequencies.
    pub base: f64,
    /// The scaling of the frequencies for longer contexts.
    pub scaling: Scaling,
    /// The factor of cosines and sines; with LongRoPE, the factor for long sequences.
    pub attention_factor: f64,
    /// The factor of cosines and sines for short sequences.
    pub short_attention_factor: f64,
    /// A further factor of the softmax scale; it differs from 1 with DeepSeek's `mscale_all_dim`.
    pub softmax_factor: f64,
    /// The pairing.
    pub pairing: Pairing,
    /// Whether the last features of the head are rotated (DeepSeek's \[NoPE | RoPE\]).
    pub on_last_features: bool,
    /// How the pairs are divided among axes, in multimodal models.
    pub sections: Option<(Vec<usize>, Sections)>,
    /// How the pairs are divided among rows and columns of an image's patches, in vision towers.
    /// Positions then have two axes, and nothing is scaled.
    pub grid: Option<AxialOrder>,
    /// A divisor for each pair, from GGUF's `rope_freqs.weight` or one of LongRoPE's tensors.
    pub divisors: Option<Vec<f64>>,
}

impl RotarySpec {
    /// Makes the rotation for sequences of `total_len` positions, cache included. This is a pure
    /// function. Only LongRoPE and dynamic NTK depend on the length; [`Rotary::regime`] says how.
    ///
    /// # Errors
    ///
    /// The errors of [`Frequencies`](crate::Frequencies) and [`Rotary`] for values that are not
    /// valid; a spec that was read from a config has none. [`Error::Config`] with
    /// [`Scaling::LongRopeTensors`] and [`Scaling::DivisorsTensor`] while the values of the tensors
    /// are missing.
    ///
    /// ```
    /// use positional_encodings::{config::ModelRotary, scaling::Regime};
    ///
    /// // Dynamic NTK: the frequencies depend on the length, and the plan says so.
    /// let config = r#"{"model_type": "llama", "head_dim": 128, "max_position_embeddings": 2048,
    ///     "rope_scaling": {"type": "dynamic", "factor": 2.0}}"#;
    /// let model = ModelRotary::from_json(config)?;
    /// let spec = model.only()?;
    /// assert_eq!(spec.rotary(2048)?.regime(), Regime::Fixed);
    /// assert_eq!(spec.rotary(4096)?.at::<f32>(4095..4096)?.regime(), Regime::Length(4096));
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn rotary(&self, total_len: usize) -> Result<Rotary, Error> {
        if let Some(order) = self.grid {
            return Rotary::axial_2d(self.dim, self.base, order);
        }
        let plain = match self.dim.checked_sub(self.frequency_dim) {
            Some(0) => Frequencies::geometric(self.dim, self.base)?,
            Some(1) if self.dim.is_multiple_of(2) => {
                Frequencies::geometric_odd(self.frequency_dim, self.base, OddDim::DropLast)?
            }
            _ => {
                let (expected, found) = (self.dim, self.frequency_dim);
                return Err(Error::LengthMismatch {
                    what: "features in the exponents",
                    expected,
                    found,
                });
            }
        };
        let mut frequencies = match (&self.scaling, &self.divisors) {
            (Scaling::LongRopeTensors | Scaling::DivisorsTensor, Some(_)) => plain,
            (scaling, _) => scaling.apply(plain, total_len)?,
        };
        if let Some(divisors) = &self.divisors {
            frequencies = frequencies.divided(divisors)?;
        }
        let short = frequencies.regime() == Regime::Short;
        let factor = if short { self.short_attention_factor } else { self.attention_factor };
        let mut rotary = Rotary::new(frequencies.with_attention_factor(factor)?, self.pairing);
        if let Some((sections, order)) = &self.sections {
            rotary = rotary.with_sections(sections, *order)?;
        }
        Ok(if self.on_last_features { rotary.on_last_features() } else { rotary })
    }

    /// Returns the regime of sequences of `total_len` positions, as
    /// [`rotary(total_len)`](Self::rotary) has it, without making the rotation.
    ///
    /// ```
    /// use positional_encodings::{config::ModelRotary, scaling::Regime};
    ///
    /// let config = r#"{"model_type": "llama", "head_dim": 128, "max_position_embeddings": 2048,
    ///     "rope_scaling": {"type": "dynamic", "factor": 2.0}}"#;
    /// let model = ModelRotary::from_json(config)?;
    /// assert_eq!(model.only()?.regime(4096), Regime::Length(4096));
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn regime(&self, total_len: usize) -> Regime {
        match &self.scaling {
            // A grid has the plain frequencies.
            _ if self.grid.is_some() => Regime::Fixed,
            Scaling::LongRope(longrope) => longrope.regime(total_len),
            Scaling::SteppedNtk { original_len } => {
                let stage = dynamic_ntk::stage(*original_len, total_len);
                stage.map_or(Regime::Fixed, |(longest, _)| Regime::Length(longest))
            }
            Scaling::DynamicNtk(dynamic) if total_len > dynamic.original_len => {
                Regime::Length(total_len)
            }
            _ => Regime::Fixed,
        }
    }
}

/// The meaning of a config's `rope_ratio`, which its fields do not tell.
///
/// ```
/// use positional_encodings::config::{ModelRotary, RopeRatio};
///
/// let config = r#"{"model_type": "chatglm", "kv_channels": 128, "rope_ratio": 500}"#;
/// let glm4 = ModelRotary::from_json_with_rope_ratio(config, RopeRatio::MultipliesBase)?;
/// assert_eq!(glm4.only()?.base, 5e6);
/// # Ok::<(), positional_encodings::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RopeRatio {
    /// Positions are divided by the ratio: ChatGLM2-6B-32k.
    DividesPositions,
    /// The base is multiplied by the ratio: ChatGLM3-6B-32k, GLM-4.
    MultipliesBase,
}

/// The types of layers by name; `None` for layers without positions.
pub(super) type Types = Vec<(String, Option<RotarySpec>)>;
