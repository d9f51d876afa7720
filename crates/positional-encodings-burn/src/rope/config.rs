//! The configuration of the module, from a model's files or by hand.

use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use burn::tensor::Device;
use positional_encodings::checkpoint::Gguf;
use positional_encodings::config::ModelRotary;
use positional_encodings::{Error, FileError, FileProblem, Rotary};

use super::layers::Layers;
use super::module::Rope;

/// The configuration of a model's rotary embedding, before it is on a device: read from the model's
/// files, or made by hand.
///
/// ```
/// use burn::tensor::Device;
/// use positional_encodings::{Frequencies, Pairing, Rotary};
/// use positional_encodings_burn::RopeConfig;
///
/// let device = Device::default();
/// let config = r#"{"model_type": "llama", "head_dim": 64, "rope_theta": 500000.0}"#;
/// let read = RopeConfig::from_json(config)?.init(&device);
///
/// let frequencies = Frequencies::geometric(64, 500_000.0)?;
/// let by_hand = RopeConfig::new(Rotary::new(frequencies, Pairing::Halves)).init(&device);
/// assert_eq!(read.rotary(0)?, by_hand.rotary(0)?);
/// # Ok::<(), positional_encodings::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct RopeConfig {
    layers: Layers,
}

impl RopeConfig {
    /// Makes a configuration that rotates as `rotary` does, in all layers.
    pub fn new(rotary: Rotary) -> Self {
        Self { layers: Layers::One(Arc::new(rotary)) }
    }

    /// Reads the rotations of a model from its `config.json` or its GGUF file; the first four bytes
    /// tell which it is.
    ///
    /// # Errors
    ///
    /// The errors of reading the file, of [`ModelRotary::from_json`] and of [`Gguf::model_rotary`];
    /// each names the file.
    ///
    /// ```no_run
    /// use burn::tensor::{Device, Tensor};
    /// use positional_encodings_burn::RopeConfig;
    ///
    /// let rope = RopeConfig::from_model("config.json")?.init(&Device::default());
    /// let q = Tensor::<4>::ones([1, 32, 1, 128], &Device::default());
    /// let q = rope.forward(q, 4095..4096);
    /// # Ok::<(), positional_encodings::FileError>(())
    /// ```
    pub fn from_model(path: impl AsRef<Path>) -> Result<Self, FileError> {
        let path = path.as_ref();
        let at = |problem: FileProblem| FileError::new(path, problem);
        let model = if is_gguf(path).map_err(|error| at(error.into()))? {
            Gguf::open(path)?.model_rotary()?
        } else {
            let text = std::fs::read_to_string(path).map_err(|error| at(error.into()))?;
            ModelRotary::from_json(&text).map_err(|error| at(error.into()))?
        };
        Self::from_rotaries(model).map_err(|error| at(error.into()))
    }

    /// Reads the text of a `config.json` whose `model_type` is known.
    ///
    /// # Errors
    ///
    /// The errors of [`ModelRotary::from_json`], which name the field.
    ///
    /// ```
    /// use positional_encodings_burn::RopeConfig;
    ///
    /// let config = r#"{"model_type": "llama", "rope_scaling": {"rope_type": "lama3"}}"#;
    /// let error = RopeConfig::from_json(config).unwrap_err();
    /// assert!(error.to_string().contains("rope_scaling.rope_type"));
    /// ```
    pub fn from_json(text: &str) -> Result<Self, Error> {
        Self::from_rotaries(ModelRotary::from_json(text)?)
    }

    /// Makes a configuration from a [`ModelRotary`], for models whose `config.json` does not
    /// describe everything.
    ///
    /// # Errors
    ///
    /// The errors of [`ModelRotary::rotaries`].
    ///
    /// ```
    /// use burn::tensor::Device;
    /// use positional_encodings::{Pairing, config::ModelRotary};
    /// use positional_encodings_burn::RopeConfig;
    ///
    /// let config = r#"{"model_type": "mine", "head_dim": 64, "rope_theta": 1e6}"#;
    /// let model = ModelRotary::from_json_with_pairing(config, Pairing::Interleaved)?;
    /// let rope = RopeConfig::from_rotaries(model)?.init(&Device::default());
    /// assert_eq!(rope.rotary(0)?.unwrap().pairing(), Pairing::Interleaved);
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn from_rotaries(model: ModelRotary) -> Result<Self, Error> {
        Layers::of_model(model).map(|layers| Self { layers })
    }

    /// Makes the module for tensors on a device. It has no parameters, and works with and without
    /// autodiff.
    pub fn init(&self, device: &Device) -> Rope {
        Rope::new(self.layers.clone(), device)
    }
}

/// Returns true if a file begins as GGUF files do.
fn is_gguf(path: &Path) -> std::io::Result<bool> {
    let mut start = Vec::new();
    std::fs::File::open(path)?.take(4).read_to_end(&mut start)?;
    Ok(start == b"GGUF")
}
