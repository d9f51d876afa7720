//! GGUF metadata, as key-value pairs.

use serde_json::Value;

use super::gguf::Model;
use super::model::ModelRotary;
use super::spec::RotarySpec;
use crate::error::Error;

/// A value of GGUF metadata.
///
/// ```
/// use positional_encodings::config::Metadata;
///
/// assert_eq!(Metadata::from(10_000_f32), Metadata::Number(10_000.0));
/// assert_eq!(Metadata::from("yarn"), Metadata::Text("yarn".to_string()));
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Metadata {
    /// An integer or a float of any width.
    Number(f64),
    /// A string.
    Text(String),
    /// An array of numbers, or of booleans as 1 and 0.
    Numbers(Vec<f64>),
    /// A boolean.
    Flag(bool),
}

macro_rules! from_number {
    ($($type:ty),*) => {$(
        impl From<$type> for Metadata {
            fn from(number: $type) -> Self {
                Self::Number(number as f64)
            }
        }
    )*};
}

from_number!(f32, f64, u8, u16, u32, u64, i8, i16, i32, i64);

impl From<&str> for Metadata {
    fn from(text: &str) -> Self {
        Self::Text(text.to_string())
    }
}

impl From<bool> for Metadata {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}

impl From<Metadata> for Value {
    fn from(metadata: Metadata) -> Self {
        match metadata {
            Metadata::Number(number) => Self::from(number),
            Metadata::Text(text) => Self::from(text),
            Metadata::Numbers(numbers) => Self::from(numbers),
            Metadata::Flag(flag) => Self::from(flag),
        }
    }
}

impl RotarySpec {
    /// Reads the rotation that GGUF metadata describe: `general.architecture` and the keys
    /// `{architecture}.rope.*`. Keys of other things are passed over; keys of rotations that are
    /// not known are errors.
    ///
    /// A GGUF file does not store the pairing: it follows from the architecture, as in llama.cpp
    /// (queries and keys of `llama` are permuted to neighbours). Llama 3's scaling and the pairs
    /// that stand still in Gemma 4's full layers are in the tensor `rope_freqs.weight` and nowhere
    /// else: where a file has it, give it as [`divisors`](Self::divisors). LongRoPE's factors are
    /// tensors too: the scaling is
    /// [`Scaling::LongRopeTensors`](crate::scaling::Scaling::LongRopeTensors), and no rotation can be
    /// made without them. As in llama.cpp, the base is 10000 and the dim that of a head where the keys
    /// are absent, and a scaling factor without a type is linear. Where layers differ, this is the
    /// rotation of the full ones, or of those that have one: [`ModelRotary::from_gguf`] tells them
    /// apart.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] for architectures and scaling types that are not known, and for values
    /// that cannot be followed.
    ///
    /// ```
    /// use positional_encodings::{Pairing, config::{Metadata, RotarySpec}};
    ///
    /// let smollm2: [(&str, Metadata); 4] = [
    ///     ("general.architecture", "llama".into()),
    ///     ("llama.rope.freq_base", 100_000_f32.into()),
    ///     ("llama.rope.dimension_count", 64_u32.into()),
    ///     ("llama.context_length", 8192_u32.into()),
    /// ];
    /// let spec = RotarySpec::from_gguf(smollm2)?;
    /// assert_eq!((spec.dim, spec.base, spec.pairing), (64, 100_000.0, Pairing::Interleaved));
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn from_gguf<K: Into<String>>(
        metadata: impl IntoIterator<Item = (K, Metadata)>,
    ) -> Result<Self, Error> {
        Model::new(metadata)?.spec()
    }
}

impl ModelRotary {
    /// Reads the rotation of each layer that GGUF metadata describe, as llama.cpp has it: sliding layers
    /// with a base or heads of their own (Gemma 3, Gemma 4, OLMo 3) are the type
    /// `sliding_attention` beside `full_attention`, and layers without positions (Llama 4, SmolLM3,
    /// Command R7B, EXAONE 4) have `None`. Where all layers are the same, there is one type, `all`.
    ///
    /// Where llama.cpp differs from what a model was trained with, this is the latter: the ramp of
    /// gpt-oss ends between pairs, and an attention factor that a config gave is not multiplied by
    /// YaRN's again (Olmo 3).
    ///
    /// What [`RotarySpec::from_gguf`] says of pairing and tensors holds here, too.
    /// `rope_freqs.weight` belongs to the full layers.
    ///
    /// # Errors
    ///
    /// [`Error::Config`], as [`RotarySpec::from_gguf`]; where the keys speak of sliding layers, but
    /// not of which they are.
    ///
    /// ```
    /// use positional_encodings::config::{Metadata, ModelRotary};
    ///
    /// let gemma3: [(&str, Metadata); 6] = [
    ///     ("general.architecture", "gemma3".into()),
    ///     ("gemma3.block_count", 34_u32.into()),
    ///     ("gemma3.attention.key_length", 256_u32.into()),
    ///     ("gemma3.attention.sliding_window", 1024_u32.into()),
    ///     ("gemma3.rope.freq_base", 1_000_000_f32.into()),
    ///     ("gemma3.rope.scaling.factor", 8_f32.into()),
    /// ];
    /// let model = ModelRotary::from_gguf(gemma3)?;
    /// let base = |layer| model.layer(layer).unwrap().unwrap().base;
    /// assert_eq!([base(4), base(5), base(6)], [10_000.0, 1_000_000.0, 10_000.0]);
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn from_gguf<K: Into<String>>(
        metadata: impl IntoIterator<Item = (K, Metadata)>,
    ) -> Result<Self, Error> {
        Model::new(metadata)?.layers()
    }
}
