//! GGUF metadata, as key-value pairs.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::families::of_architecture;
use super::fields::Fields;
use super::layers::LIMIT;
use super::reader::try_out;
use super::{RotarySpec, Scaling};
use crate::error::ConfigProblem;
use crate::{Error, Sections, Yarn};

/// A value of GGUF metadata.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Metadata {
    /// An integer or a float of any width.
    Number(f64),
    /// A string.
    Text(String),
    /// An array of numbers.
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
    /// The rotation that GGUF metadata describe: `general.architecture` and the keys `{architecture}.rope.*`. Keys of other
    /// things are passed over.
    ///
    /// A GGUF file does not store the pairing: it follows from the architecture, as in llama.cpp (queries and keys of `llama` are
    /// permuted to neighbours). Llama 3's scaling is baked into the tensor `rope_freqs.weight`: give it as
    /// [`divisors`](Self::divisors). LongRoPE's factors are tensors too: give one of them as divisors. As in llama.cpp, the
    /// base is 10000 and the dim that of a head where the keys are absent, and a scaling factor without a type is linear. Where
    /// sliding layers have a rotation of their own, as in Gemma 3, this is that of the full ones.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] for architectures and scaling types that are not known, and for values that cannot be followed.
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
    pub fn from_gguf<K: Into<String>>(metadata: impl IntoIterator<Item = (K, Metadata)>) -> Result<Self, Error> {
        let all: HashMap<String, Metadata> = metadata.into_iter().map(|(key, value)| (key.into(), value)).collect();
        let name = "general.architecture";
        let missing = || Error::Config { field: name.to_string(), problem: ConfigProblem::Missing };
        let Some(Metadata::Text(architecture)) = all.get(name) else { return Err(missing()) };
        let unknown = || {
            let problem = ConfigProblem::Unknown { found: architecture.clone() };
            Error::Config { field: name.to_string(), problem }
        };
        let pairing = of_architecture(architecture).ok_or_else(unknown)?;
        let prefix = format!("{architecture}.");
        let own = all.iter().filter_map(|(key, value)| Some((key.strip_prefix(&prefix)?, value.clone())));
        let own: Vec<(&str, Metadata)> = own.collect();
        // JSON has no such number, and null would be taken for absent.
        if let Some((key, _)) = own.iter().find(|(_, value)| matches!(value, Metadata::Number(x) if !x.is_finite())) {
            let problem = ConfigProblem::NotA { expected: "a finite number" };
            return Err(Error::Config { field: format!("{prefix}{key}"), problem });
        }
        let object: Map<String, Value> = own.into_iter().map(|(key, value)| (key.to_string(), value.into())).collect();
        let fields = Fields::new(architecture, &object);

        let head_dim = head_dim(&fields)?;
        let given = fields.count("rope.dimension_count")?;
        let dim = given.unwrap_or(head_dim);
        if dim > LIMIT {
            let name = if given.is_some() { "rope.dimension_count" } else { "attention.key_length" };
            return Err(fields.error(name, ConfigProblem::NotA { expected: "at most 65536" }));
        }
        if dim > head_dim {
            let other = "the width of a head".to_string();
            return Err(fields.error("rope.dimension_count", ConfigProblem::Contradicts { other }));
        }
        let (scaling, mut attention_factor) = scaling(&fields)?;
        let mut softmax_factor = 1.0;
        if let (Scaling::Yarn(yarn), "deepseek2") = (&scaling, &**architecture) {
            // llama.cpp takes YaRN's factor out of the rotation and puts that of mscale_all_dim into the softmax scale.
            let log_multiplier = fields.number("rope.scaling.yarn_log_multiplier")?.unwrap_or(0.0);
            attention_factor /= yarn.default_attention_factor();
            let softmax = Yarn { mscale_all_dim: log_multiplier / 0.1, ..*yarn }.softmax_factor();
            softmax_factor = softmax * attention_factor * attention_factor;
            if !(softmax_factor > 0.0 && softmax_factor.is_finite()) {
                let expected = "a number that gives a finite scale";
                return Err(fields.error("rope.scaling.yarn_log_multiplier", ConfigProblem::NotA { expected }));
            }
        }
        let spec = Self {
            dim,
            head_dim,
            base: fields.number("rope.freq_base")?.unwrap_or(10_000.0),
            scaling,
            attention_factor,
            short_attention_factor: attention_factor,
            softmax_factor,
            pairing,
            on_last_features: architecture == "deepseek2",
            sections: sections(&fields, architecture)?,
            divisors: None,
        };
        try_out(&spec, &fields)?;
        Ok(spec)
    }
}

fn head_dim(fields: &Fields<'_>) -> Result<usize, Error> {
    if let Some(head_dim) = fields.count("attention.key_length")? {
        return Ok(head_dim);
    }
    match (fields.count("embedding_length")?, fields.count("attention.head_count")?) {
        (Some(width), Some(heads)) if heads > 0 => Ok(width / heads),
        _ => fields.need("rope.dimension_count", fields.count("rope.dimension_count")?),
    }
}

/// Scaling and attention factor.
fn scaling(fields: &Fields<'_>) -> Result<(Scaling, f64), Error> {
    let number = |name: &str| fields.number(name);
    let given = number("rope.scaling.attn_factor")?;
    let factor = || fields.need("rope.scaling.factor", number("rope.scaling.factor")?);
    match fields.text("rope.scaling.type")? {
        // A factor without a type is a linear one, by its newer or older name; 0 is none.
        None => {
            let factor = fields.one_of(&["rope.scaling.factor", "rope.scale_linear"], Fields::number)?;
            let factor = factor.filter(|&factor| factor != 0.0);
            Ok((factor.map_or(Scaling::None, |factor| Scaling::Linear { factor }), given.unwrap_or(1.0)))
        }
        Some("none") => Ok((Scaling::None, given.unwrap_or(1.0))),
        Some("linear") => Ok((Scaling::Linear { factor: factor()? }, given.unwrap_or(1.0))),
        // The factors are tensors, and belong to the divisors.
        Some("longrope") => Ok((Scaling::None, given.unwrap_or(1.0))),
        Some("yarn") => {
            let maximal = fields.count("context_length")?;
            let original = fields.count("rope.scaling.original_context_length")?.or(maximal);
            let plain = Yarn::new(factor()?, fields.need("rope.scaling.original_context_length", original)?);
            let yarn = Yarn {
                beta_fast: number("rope.scaling.yarn_beta_fast")?.unwrap_or(plain.beta_fast),
                beta_slow: number("rope.scaling.yarn_beta_slow")?.unwrap_or(plain.beta_slow),
                ..plain
            };
            let extra = given.or(number("rope.scaling.yarn_attn_factor")?).unwrap_or(1.0);
            Ok((Scaling::Yarn(yarn), yarn.default_attention_factor() * extra))
        }
        Some(other) => Err(fields.error("rope.scaling.type", ConfigProblem::Unknown { found: other.to_string() })),
    }
}

/// Up to four sections; those at the end may be 0.
fn sections(fields: &Fields<'_>, architecture: &str) -> Result<Option<(Vec<usize>, Sections)>, Error> {
    let Some(mut sections) = fields.counts("rope.dimension_sections")? else { return Ok(None) };
    while sections.len() > 3 && sections.last() == Some(&0) {
        sections.pop();
    }
    let order = if architecture.starts_with("qwen3vl") { Sections::Interleaved } else { Sections::Chunked };
    Ok(Some((sections, order)))
}
