//! The rotations of a model's layers, from transformers' `config.json`.

use super::fields::field;
use super::layers::LayerTypes;
use super::source::Source;
use super::spec::{RopeRatio, RotarySpec, Types};
use crate::error::{ConfigProblem, Error};
use crate::rotary::{Pairing, QueryTemperature};

/// The rotations of a model, one for each type of layer; `None` for layers without positions
/// (NoPE).
///
/// A `ModelRotary` is read from the `config.json` of transformers 4 (`rope_theta`, `rope_scaling`,
/// …) and 5 (`rope_parameters`), with the conventions and defaults of each model family where the
/// config gives no value. A field that is unknown, missing or contradictory is an error that names
/// it: no default is used silently.
///
/// A `partial_rotary_factor` gives ⌊head · factor⌋ features, as in transformers (MiMo-V2's 0.334 of
/// 192 is 64). If that is odd, one more feature is rotated and the exponents keep the odd number,
/// as in transformers. An odd number is an error for the classes that cannot rotate it (Phi,
/// StableLM, Persimmon), with scalings that depend on the number of features (dynamic, YaRN), and
/// where it is the whole head.
///
/// ```
/// use positional_encodings::config::ModelRotary;
///
/// let config = r#"{
///     "model_type": "llama", "hidden_size": 4096, "num_attention_heads": 32,
///     "num_hidden_layers": 32,
///     "rope_theta": 500000.0, "max_position_embeddings": 131072,
///     "rope_scaling": {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0,
///         "high_freq_factor": 4.0, "original_max_position_embeddings": 8192}
/// }"#;
/// let model = ModelRotary::from_json(config)?;
/// let rotaries = model.rotaries(4096)?; // held: one rotation for each type of layer
/// assert_eq!(rotaries.layer(0)?.unwrap().dim(), 128);
///
/// let error = ModelRotary::from_json(&config.replace("llama3", "lama3")).unwrap_err();
/// assert_eq!(error.to_string(), "config field rope_scaling.rope_type: \"lama3\" is not known");
/// # Ok::<(), positional_encodings::Error>(())
/// ```
#[derive(Clone, PartialEq)]
pub struct ModelRotary {
    pub(super) types: Types,
    /// The type of each layer; empty if the config does not give the number of layers.
    pub(super) layers: Vec<usize>,
    pub(super) temperature: Option<QueryTemperature>,
}

impl ModelRotary {
    /// Reads the text of a `config.json` whose `model_type` this crate knows. Of a multimodal
    /// config, its `text_config` is read.
    ///
    /// # Errors
    ///
    /// [`Error::Config`].
    ///
    /// ```
    /// use positional_encodings::config::ModelRotary;
    ///
    /// let config = r#"{"model_type": "qwen2", "head_dim": 64, "rope_theta": 1e6}"#;
    /// assert_eq!(ModelRotary::from_json(config)?.only()?.rotary(0)?.dim(), 64);
    /// let error = ModelRotary::from_json(r#"{"model_type": "qwen9"}"#).unwrap_err();
    /// assert_eq!(error.to_string(), "config field model_type: \"qwen9\" is not known");
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn from_json(text: &str) -> Result<Self, Error> {
        Source { text, ..Source::default() }.read().map(Self::from)
    }

    /// Reads one part of a composite config: `vision_config`, `audio_config`, `decoder`, … by its
    /// path, with dots between names. The type of the part may be a field of it, or follow from the
    /// type of the whole.
    ///
    /// # Errors
    ///
    /// [`Error::Config`]; if there is no such part, the error names it as the field.
    ///
    /// ```
    /// use positional_encodings::{config::ModelRotary, rotary::AxialOrder};
    ///
    /// let config = r#"{"model_type": "qwen2_5_vl", "text_config": {"hidden_size": 3584},
    ///     "vision_config": {"hidden_size": 1280, "num_heads": 16}}"#;
    /// let vision = ModelRotary::from_json_part(config, "vision_config")?;
    /// let spec = vision.only()?;
    /// assert_eq!((spec.head_dim, spec.grid), (80, Some(AxialOrder::Qwen2Vl)));
    /// assert_eq!(spec.rotary(0)?.axes(), 2);
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn from_json_part(text: &str, part: &str) -> Result<Self, Error> {
        Source { text, part: Some(part), ..Source::default() }.read().map(Self::from)
    }

    /// Reads the config of a model whose `rope_ratio` is not 1, with the given meaning of this
    /// ratio.
    ///
    /// # Errors
    ///
    /// [`Error::Config`].
    ///
    /// ```
    /// use positional_encodings::config::{ModelRotary, RopeRatio};
    ///
    /// let config = r#"{"model_type": "chatglm", "kv_channels": 128, "rope_ratio": 4}"#;
    /// assert!(ModelRotary::from_json(config).is_err());
    /// let glm4 = ModelRotary::from_json_with_rope_ratio(config, RopeRatio::MultipliesBase)?;
    /// assert_eq!(glm4.only()?.base, 40_000.0);
    /// let chatglm2 = ModelRotary::from_json_with_rope_ratio(config, RopeRatio::DividesPositions)?;
    /// assert_eq!(chatglm2.only()?.rotary(0)?.frequencies()[0], 0.25);
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn from_json_with_rope_ratio(text: &str, ratio: RopeRatio) -> Result<Self, Error> {
        Source { text, ratio: Some(ratio), ..Source::default() }.read().map(Self::from)
    }

    /// Reads the config of a model of an unknown type with a given pairing. The config must have a
    /// `rope_theta`, and no unknown field about rotations. What the class does besides, such as
    /// layers without positions, is not known. A `mrope_section` requires a `mrope_interleaved`,
    /// since models order the axes of their pairs in several ways. For a known type its own
    /// conventions are used, and the pairing must agree with them.
    ///
    /// # Errors
    ///
    /// [`Error::Config`].
    ///
    /// ```
    /// use positional_encodings::{Pairing, config::ModelRotary};
    ///
    /// let config = r#"{"model_type": "unheard_of", "head_dim": 64,
    ///     "rope_parameters": {"rope_type": "default", "rope_theta": 1e6}}"#;
    /// assert!(ModelRotary::from_json(config).is_err());
    /// let model = ModelRotary::from_json_with_pairing(config, Pairing::Halves)?;
    /// assert_eq!(model.only()?.base, 1e6);
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn from_json_with_pairing(text: &str, pairing: Pairing) -> Result<Self, Error> {
        Source { text, pairing: Some(pairing), ..Source::default() }.read().map(Self::from)
    }

    /// Returns the types of layers with their rotations, `None` for a type without positions.
    /// Models whose layers are all the same have one type, named `all`.
    ///
    /// ```
    /// use positional_encodings::config::ModelRotary;
    ///
    /// let gemma3 = r#"{"model_type": "gemma3_text", "head_dim": 256, "num_hidden_layers": 6}"#;
    /// let model = ModelRotary::from_json(gemma3)?;
    /// let bases: Vec<_> = model.types().map(|(name, spec)| (name, spec.unwrap().base)).collect();
    /// assert_eq!(bases, [("full_attention", 1_000_000.0), ("sliding_attention", 10_000.0)]);
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn types(&self) -> impl Iterator<Item = (&str, Option<&RotarySpec>)> {
        self.types.iter().map(|(name, spec)| (name.as_str(), spec.as_ref()))
    }

    /// Returns the rotation of a type of layer; `None` where the type has no positions.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] where there is no such type.
    ///
    /// ```
    /// use positional_encodings::config::ModelRotary;
    ///
    /// let gemma3 = r#"{"model_type": "gemma3_text", "head_dim": 256, "num_hidden_layers": 6}"#;
    /// let model = ModelRotary::from_json(gemma3)?;
    /// assert_eq!(model.layer_type("sliding_attention")?.unwrap().base, 10_000.0);
    /// assert!(model.layer_type("chunked_attention").is_err());
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn layer_type(&self, name: &str) -> Result<Option<&RotarySpec>, Error> {
        let kind = type_named(&self.types, name)?;
        Ok(self.types[kind].1.as_ref())
    }

    /// Returns the rotation of a layer, counted from 0; `None` where the layer has no positions.
    ///
    /// # Errors
    ///
    /// [`Error::NoSuchLayer`]; [`Error::Config`] where the config does not say how many layers
    /// there are.
    ///
    /// ```
    /// use positional_encodings::{Error, config::ModelRotary};
    ///
    /// let gemma3 = r#"{"model_type": "gemma3_text", "head_dim": 256, "num_hidden_layers": 6}"#;
    /// let model = ModelRotary::from_json(gemma3)?;
    /// assert_eq!(model.layer(4), model.layer_type("sliding_attention"));
    /// assert_eq!(model.layer(5), model.layer_type("full_attention"));
    /// assert_eq!(model.layer(6), Err(Error::NoSuchLayer { layer: 6, layers: 6 }));
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn layer(&self, index: usize) -> Result<Option<&RotarySpec>, Error> {
        Ok(self.types[type_of(&self.layers, index)?].1.as_ref())
    }

    /// Returns the number of layers, if the config gives it.
    ///
    /// ```
    /// use positional_encodings::config::ModelRotary;
    ///
    /// let config = r#"{"model_type": "llama", "head_dim": 64, "num_hidden_layers": 6}"#;
    /// assert_eq!(ModelRotary::from_json(config)?.layer_count(), Some(6));
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn layer_count(&self) -> Option<usize> {
        Some(self.layers.len()).filter(|&count| count > 0)
    }

    /// Returns the rotation of a model whose layers all share it.
    ///
    /// # Errors
    ///
    /// [`Error::NotOneRotation`] with the number of types if there are several, and with 0 if no
    /// layer has a rotation.
    ///
    /// ```
    /// use positional_encodings::{Error, config::ModelRotary};
    ///
    /// let gemma3 = r#"{"model_type": "gemma3_text", "head_dim": 256, "num_hidden_layers": 6}"#;
    /// let model = ModelRotary::from_json(gemma3)?;
    /// assert_eq!(model.only(), Err(Error::NotOneRotation { types: 2 }));
    /// let bloom = r#"{"model_type": "falcon", "head_dim": 64, "alibi": true}"#;
    /// let model = ModelRotary::from_json(bloom)?;
    /// assert_eq!(model.only(), Err(Error::NotOneRotation { types: 0 }));
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn only(&self) -> Result<&RotarySpec, Error> {
        match &self.types[..] {
            [(_, Some(spec))] => Ok(spec),
            [(_, None)] => Err(Error::NotOneRotation { types: 0 }),
            types => Err(Error::NotOneRotation { types: types.len() }),
        }
    }

    /// Returns the rotations, to be completed from the tensors of a file.
    #[cfg(feature = "gguf")]
    pub(crate) fn specs_mut(&mut self) -> impl Iterator<Item = (&str, &mut RotarySpec)> {
        self.types.iter_mut().filter_map(|(name, spec)| Some((name.as_str(), spec.as_mut()?)))
    }

    /// Returns the query temperature: in Llama 4 for the layers without positions, in Ministral 3
    /// for all layers.
    ///
    /// ```
    /// use positional_encodings::config::ModelRotary;
    ///
    /// let llama4 = r#"{"model_type": "llama4_text", "num_hidden_layers": 48}"#;
    /// let llama4 = ModelRotary::from_json(llama4)?;
    /// let temperature = llama4.query_temperature().unwrap();
    /// assert_eq!(temperature.factors(8191..8192)?, [1.0 + 0.1 * 2_f64.ln()]);
    /// assert_eq!(llama4.layer(3)?, None); // a layer with the query temperature
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn query_temperature(&self) -> Option<QueryTemperature> {
        self.temperature
    }
}

impl From<LayerTypes> for ModelRotary {
    fn from((types, layers, temperature): LayerTypes) -> Self {
        Self { types, layers, temperature }
    }
}

/// Returns the index of the type of that name.
pub(super) fn type_named<T>(types: &[(String, T)], name: &str) -> Result<usize, Error> {
    let found = || ConfigProblem::Unknown { found: name.to_string() };
    types
        .iter()
        .position(|(known, _)| known == name)
        .ok_or_else(|| Error::Config { field: field::LAYER_TYPES.to_string(), problem: found() })
}

/// Returns the index of the type of a layer.
pub(super) fn type_of(layers: &[usize], index: usize) -> Result<usize, Error> {
    if layers.is_empty() {
        let field = field::NUM_HIDDEN_LAYERS.to_string();
        return Err(Error::Config { field, problem: ConfigProblem::Missing });
    }
    let count = layers.len();
    layers.get(index).copied().ok_or(Error::NoSuchLayer { layer: index, layers: count })
}
