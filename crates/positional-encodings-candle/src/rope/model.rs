//! The rotary embedding that a model holds: a rotation for each type of layer.

use std::path::Path;
use std::sync::Arc;

use candle_core::Result;
use positional_encodings::checkpoint::Gguf;
use positional_encodings::config::ModelRotary;
use positional_encodings::{Positions, Rotary};

use super::layers::Layers;
use super::plan::RopePlan;
use super::planned::Planned;
use crate::error::wrap;

/// The rotary embedding of a model, which it holds instead of tables.
///
/// A `Rope` has no maximal length and no device. Each forward pass makes a [plan](RopePlan) at the
/// positions of its tokens, with which each layer rotates its queries and keys.
///
/// ```
/// use candle_core::{DType, Device, Result, Tensor};
/// use positional_encodings_candle::Rope;
///
/// struct Model {
///     rope: Rope,
///     layers: usize,
/// }
///
/// impl Model {
///     fn forward(&self, q: &Tensor, past: usize) -> Result<Tensor> {
///         let (_, _, len, _) = q.dims4()?; // (batch, heads, positions, dim)
///         let plan = self.rope.at(past..past + len)?;
///         let mut q = q.clone();
///         for layer in 0..self.layers {
///             q = plan.layer(layer).rope(&q)?; // keys likewise
///         }
///         Ok(q)
///     }
/// }
///
/// let config = r#"{"model_type": "llama", "head_dim": 64, "num_hidden_layers": 2, "rope_theta": 500000.0}"#;
/// let model = Model { rope: Rope::from_json(config)?, layers: 2 };
/// let q = Tensor::ones((1, 8, 5, 64), DType::BF16, &Device::Cpu)?;
/// assert_eq!(model.forward(&q, 4095)?.dims(), [1, 8, 5, 64]);
/// # Ok::<(), candle_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Rope {
    layers: Arc<Layers>,
    /// The rotation of each type of layer; `None` for layers without positions.
    rotaries: Vec<Option<Arc<Rotary>>>,
}

impl Rope {
    /// Makes a rotary embedding that rotates as `rotary` does, in all layers.
    ///
    /// ```
    /// use candle_core::{Device, Tensor};
    /// use positional_encodings::{Frequencies, Pairing, Rotary};
    /// use positional_encodings_candle::Rope;
    ///
    /// let quarter = Frequencies::harmonic(2, 4.0)?; // a quarter of a turn for each position
    /// let rope = Rope::new(Rotary::new(quarter, Pairing::Halves));
    /// let x = Tensor::new(&[[1.0_f32, 2.0], [1.0, 2.0]], &Device::Cpu)?; // (positions, dim)
    /// let rotated = rope.at(0..2)?.only().rope(&x)?;
    /// assert_eq!(rotated.to_vec2::<f32>()?, [[1.0, 2.0], [-2.0, 1.0]]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn new(rotary: Rotary) -> Self {
        Self { layers: Arc::default(), rotaries: vec![Some(Arc::new(rotary))] }
    }

    /// Makes a rotary embedding from a [`ModelRotary`], for models whose `config.json` does not
    /// describe everything.
    ///
    /// # Errors
    ///
    /// The errors of [`ModelRotary::rotaries`].
    ///
    /// ```
    /// use positional_encodings::{Pairing, config::ModelRotary};
    /// use positional_encodings_candle::Rope;
    ///
    /// let config = r#"{"model_type": "mine", "head_dim": 64, "rope_theta": 1e6}"#;
    /// let model = ModelRotary::from_json_with_pairing(config, Pairing::Interleaved)?;
    /// let rope = Rope::from_model(model)?;
    /// assert_eq!(rope.rotary(0)?.unwrap().pairing(), Pairing::Interleaved);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn from_model(model: ModelRotary) -> Result<Self> {
        let layers = Layers::new(model).map_err(wrap)?;
        let rotaries = rotaries(&layers, 0)?.unwrap_or_default();
        Ok(Self { layers: Arc::new(layers), rotaries })
    }

    /// Reads the text of a `config.json` whose `model_type` is known.
    ///
    /// # Errors
    ///
    /// The errors of [`ModelRotary::from_json`], which name the field.
    ///
    /// ```
    /// use positional_encodings_candle::Rope;
    ///
    /// let error = Rope::from_json(r#"{"model_type": "llama", "rope_scaling": {"rope_type": "lama3"}}"#);
    /// assert!(error.unwrap_err().to_string().contains("rope_scaling.rope_type"));
    /// ```
    pub fn from_json(text: &str) -> Result<Self> {
        Self::from_model(ModelRotary::from_json(text).map_err(wrap)?)
    }

    /// Reads a `config.json`: see [`from_json`](Self::from_json).
    ///
    /// # Errors
    ///
    /// The errors of reading the file, and of [`from_json`](Self::from_json); each names the file.
    pub fn from_config(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let text = std::fs::read_to_string(path)
            .map_err(|error| wrap(format!("{}: {error}", path.display())))?;
        Self::from_json(&text).map_err(|error| wrap(format!("{}: {error}", path.display())))
    }

    /// Reads the metadata of a GGUF file, and the tensors of its rotation if there are any.
    ///
    /// # Errors
    ///
    /// The errors of [`Gguf::open`] and [`Gguf::model_rotary`].
    pub fn from_gguf(path: impl AsRef<Path>) -> Result<Self> {
        let mut file = Gguf::open(path).map_err(wrap)?;
        Self::from_model(file.model_rotary().map_err(wrap)?)
    }

    /// Returns the rotation of a layer; `None` for a layer without positions.
    ///
    /// # Errors
    ///
    /// An error if there is no such layer, or if the config does not give the number of layers.
    pub fn rotary(&self, layer: usize) -> Result<Option<&Rotary>> {
        let kind = self.layers.layer(layer).map_err(wrap)?;
        Ok(self.rotaries.get(kind).and_then(Option::as_deref))
    }

    /// Makes the plan for one forward pass: cosines and sines at the positions of its tokens.
    /// Positions are a range, ids (len) or (batch, len), or coordinates on several axes for M-RoPE
    /// and images; see [`Positions`], and [`to_positions`](crate::to_positions) for ids in a
    /// tensor.
    ///
    /// Where a model's rotation depends on the length (dynamic NTK, LongRoPE), the length is one
    /// more than the largest position, as in transformers. A cache of keys that were rotated for
    /// another length must then be recomputed: see [`fits`](Self::fits).
    ///
    /// # Errors
    ///
    /// The errors of [`Rotary::at`] and [`ModelRotary::rotaries`].
    ///
    /// ```
    /// use candle_core::{Device, Tensor};
    /// use ndarray::array;
    /// use positional_encodings_candle::Rope;
    ///
    /// let rope = Rope::from_json(r#"{"model_type": "qwen2", "head_dim": 64}"#)?;
    /// let prompt = rope.at(0..128)?;
    /// let step = rope.at(128..129)?;
    /// let left_padded = rope.at(&array![[0, 0, 1], [0, 1, 2]])?; // (batch, positions)
    /// let q = Tensor::zeros((2, 4, 3, 64), candle_core::DType::F32, &Device::Cpu)?;
    /// assert!(left_padded.layer(0).rope(&q).is_ok());
    /// assert!(step.layer(0).rope(&q).is_err()); // three positions, not one
    /// # Ok::<(), candle_core::Error>(())
    /// ```
    pub fn at<'p>(&self, positions: impl Into<Positions<'p>>) -> Result<RopePlan> {
        let positions = positions.into();
        let fitting = match self.fits(positions.total_len()) {
            true => None,
            false => rotaries(&self.layers, positions.total_len())?,
        };
        let positions = positions.into_owned().map_err(wrap)?;
        let planned = |rotary: &Option<Arc<Rotary>>| {
            rotary.as_ref().map(|rotary| Planned::new(rotary, &positions)).transpose()
        };
        let rotations = fitting.as_ref().unwrap_or(&self.rotaries).iter().map(planned);
        Ok(RopePlan::new(Arc::clone(&self.layers), rotations.collect::<Result<_>>()?))
    }

    /// Returns true if these rotations also apply to sequences of `total_len` positions, cache
    /// included: always, except with dynamic NTK and LongRoPE.
    ///
    /// ```
    /// use positional_encodings_candle::Rope;
    ///
    /// let rope = Rope::from_json(r#"{"model_type": "llama", "head_dim": 64, "max_position_embeddings": 2048,
    ///     "rope_scaling": {"type": "dynamic", "factor": 2.0}}"#)?;
    /// assert!(rope.fits(2048) && !rope.fits(2049));
    /// # Ok::<(), candle_core::Error>(())
    /// ```
    pub fn fits(&self, total_len: usize) -> bool {
        let Some(model) = self.layers.model() else { return true };
        model.types().zip(&self.rotaries).all(|((_, spec), rotary)| match (spec, rotary) {
            (Some(spec), Some(rotary)) => spec.regime(total_len) == rotary.regime(),
            _ => true,
        })
    }
}

/// Returns the rotations of the types of layers at a length; `None` without a model.
fn rotaries(layers: &Layers, total_len: usize) -> Result<Option<Vec<Option<Arc<Rotary>>>>> {
    let Some(model) = layers.model() else { return Ok(None) };
    let rotaries = model.rotaries(total_len).map_err(wrap)?;
    Ok(Some(rotaries.types().map(|(_, rotary)| rotary.cloned().map(Arc::new)).collect()))
}
