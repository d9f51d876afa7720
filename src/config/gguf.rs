//! GGUF metadata, as key-value pairs.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::families::{Layers, of_architecture};
use super::fields::Fields;
use super::layers::LIMIT;
use super::reader::try_out;
use super::{ModelRotary, RotarySpec, Scaling};
use crate::error::ConfigProblem;
use crate::rotary::{QueryTemperature, Sections};
use crate::{Error, Pairing, Yarn};

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
    /// The rotation that GGUF metadata describe: `general.architecture` and the keys
    /// `{architecture}.rope.*`. Keys of other things are passed over; keys of rotations that are
    /// not known are errors.
    ///
    /// A GGUF file does not store the pairing: it follows from the architecture, as in llama.cpp
    /// (queries and keys of `llama` are permuted to neighbours). Llama 3's scaling and the pairs
    /// that stand still in Gemma 4's full layers are in the tensor `rope_freqs.weight` and nowhere
    /// else: where a file has it, give it as [`divisors`](Self::divisors). LongRoPE's factors are
    /// tensors too: the scaling is [`Scaling::LongRopeTensors`], and no rotation can be made
    /// without them. As in llama.cpp, the base is 10000 and the dim that of a head where the keys
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
    /// The rotation of each layer that GGUF metadata describe, as llama.cpp has it: sliding layers
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

/// Names of metadata that a rotation may have. llama.cpp reads `rope.scaling.alpha` for models that
/// are not known here.
const KNOWN: [&str; 16] = [
    "rope.dimension_count",
    "rope.dimension_count_swa",
    "rope.dimension_sections",
    "rope.freq_base",
    "rope.freq_base_swa",
    "rope.scale_linear",
    "rope.scaling.type",
    "rope.scaling.factor",
    "rope.scaling.attn_factor",
    "rope.scaling.original_context_length",
    "rope.scaling.finetuned",
    "rope.scaling.yarn_log_multiplier",
    "rope.scaling.yarn_ext_factor",
    "rope.scaling.yarn_attn_factor",
    "rope.scaling.yarn_beta_fast",
    "rope.scaling.yarn_beta_slow",
];

/// The metadata of one architecture.
struct Model {
    architecture: String,
    pairing: Pairing,
    /// Its keys, without the architecture before them.
    object: Map<String, Value>,
}

impl Model {
    fn new<K: Into<String>>(
        metadata: impl IntoIterator<Item = (K, Metadata)>,
    ) -> Result<Self, Error> {
        let all: HashMap<String, Metadata> =
            metadata.into_iter().map(|(key, value)| (key.into(), value)).collect();
        let name = "general.architecture";
        let missing = || Error::Config { field: name.to_string(), problem: ConfigProblem::Missing };
        let Some(Metadata::Text(architecture)) = all.get(name) else { return Err(missing()) };
        let unknown = || {
            let problem = ConfigProblem::Unknown { found: architecture.clone() };
            Error::Config { field: name.to_string(), problem }
        };
        let pairing = of_architecture(architecture).ok_or_else(unknown)?;
        let prefix = format!("{architecture}.");
        let own =
            all.iter().filter_map(|(key, value)| Some((key.strip_prefix(&prefix)?, value.clone())));
        let own: Vec<(&str, Metadata)> = own.collect();
        // JSON has no such number, and null would be taken for absent.
        if let Some((key, _)) =
            own.iter().find(|(_, value)| matches!(value, Metadata::Number(x) if !x.is_finite()))
        {
            let problem = ConfigProblem::NotA { expected: "a finite number" };
            return Err(Error::Config { field: format!("{prefix}{key}"), problem });
        }
        let object = own.into_iter().map(|(key, value)| (key.to_string(), value.into())).collect();
        Ok(Self { architecture: architecture.clone(), pairing, object })
    }

    fn fields(&self) -> Fields<'_> {
        Fields::new(&self.architecture, &self.object)
    }

    /// The rotation of all layers, or of the full ones.
    fn spec(&self) -> Result<RotarySpec, Error> {
        let fields = self.fields();
        let head_dim = head_dim(&fields)?;
        let dim = self.dim("rope.dimension_count", ("attention.key_length", head_dim))?;
        let unknown = fields.names().find(|key| key.starts_with("rope.") && !KNOWN.contains(key));
        if let Some(key) = unknown {
            return Err(fields.error(key, ConfigProblem::Unknown { found: key.to_string() }));
        }
        let (scaling, extra) = scaling(&fields, &self.architecture)?;
        let (attention_factor, softmax_factor) = match &scaling {
            Scaling::Yarn(yarn) => self.yarn_factors(yarn, extra)?,
            _ => (extra.unwrap_or(1.0), 1.0),
        };
        // llama.cpp turns halves by sections; the converter permutes projections of GLM-4V, whose
        // text model has neighbours.
        let sections = sections(&fields, &self.architecture)?;
        let spec = RotarySpec {
            dim,
            frequency_dim: dim,
            head_dim,
            base: fields.number("rope.freq_base")?.unwrap_or(10_000.0),
            scaling,
            attention_factor,
            short_attention_factor: attention_factor,
            softmax_factor,
            pairing: if sections.is_some() { Pairing::Halves } else { self.pairing },
            on_last_features: matches!(&*self.architecture, "deepseek2" | "minicpm3"),
            sections,
            divisors: None,
        };
        try_out(&spec, &fields)?;
        Ok(spec)
    }

    /// YaRN's attention factor and that of the softmax scale; `extra` is what the file multiplies
    /// by.
    fn yarn_factors(&self, yarn: &Yarn, extra: Option<f64>) -> Result<(f64, f64), Error> {
        let (fields, name) = (self.fields(), "rope.scaling.yarn_attn_factor");
        let written = fields.number(name)?;
        // The converter writes a config's attention_factor there, which is all of it; Grok's
        // multiplies.
        let (whole, extra) = match &*self.architecture {
            "grok" => (None, extra.or(written)),
            // Olmo 3's was once written under the other name.
            "olmo2" => (written.or(extra), None),
            _ => (written, extra),
        };
        let (multiplier, extra) = ("rope.scaling.yarn_log_multiplier", extra.unwrap_or(1.0));
        let given = fields.number(multiplier)?;
        let (own, softmax) = if self.architecture == "deepseek2" {
            // The converter writes 0.1 · mscale_all_dim. llama.cpp takes YaRN's factor out of the
            // rotation and puts that of mscale_all_dim into the softmax scale.
            let mscale_all_dim = fields.need(multiplier, given)? / 0.1;
            (1.0, Yarn { mscale_all_dim, ..*yarn }.softmax_factor() * extra * extra)
        } else if let Some(mscale_all_dim) = given.filter(|&given| given != 0.0) {
            // mscale_all_dim as it is (Ministral 3), beside an mscale of 1.
            (Yarn { mscale: 1.0, mscale_all_dim, ..*yarn }.default_attention_factor(), 1.0)
        } else {
            (yarn.default_attention_factor(), 1.0)
        };
        if [own, softmax].iter().all(|factor| *factor > 0.0 && factor.is_finite()) {
            return Ok((whole.unwrap_or(own) * extra, softmax));
        }
        Err(fields.error(
            multiplier,
            ConfigProblem::NotA { expected: "a number that gives a finite scale" },
        ))
    }

    /// The number of rotated features under `name`, or all of a head.
    fn dim(&self, name: &str, (head_name, head_dim): (&str, usize)) -> Result<usize, Error> {
        let fields = self.fields();
        let given = fields.count(name)?;
        let dim = given.unwrap_or(head_dim);
        if dim > LIMIT {
            let name = if given.is_some() { name } else { head_name };
            return Err(fields.error(name, ConfigProblem::NotA { expected: "at most 65536" }));
        }
        if dim > head_dim {
            let other = "the width of a head".to_string();
            return Err(fields.error(name, ConfigProblem::Contradicts { other }));
        }
        Ok(dim)
    }

    fn layers(&self) -> Result<ModelRotary, Error> {
        let fields = self.fields();
        let full = self.spec()?;
        let count = fields.count("block_count")?.unwrap_or(0);
        if count > LIMIT {
            return Err(
                fields.error("block_count", ConfigProblem::NotA { expected: "at most 65536" })
            );
        }
        let named = |name: &str, spec| (name.to_string(), spec);
        let uniform = |spec| ModelRotary {
            types: vec![named("all", Some(spec))],
            layers: vec![0; count],
            temperature: None,
        };
        let model = match layers_of_architecture(&self.architecture, &fields)? {
            Layers::NoneInEach { every } => ModelRotary {
                types: vec![named("rope", Some(full)), named("no_rope", None)],
                layers: (1..=count).map(|layer| usize::from(layer.is_multiple_of(every))).collect(),
                temperature: None,
            },
            Layers::SlidingOnly { every } => ModelRotary {
                types: vec![named("full_attention", None), named("sliding_attention", Some(full))],
                layers: self.sliding(count, Some(every))?,
                temperature: None,
            },
            Layers::LastOfEach { every, local_base } => {
                let unscaled = RotarySpec {
                    base: local_base.unwrap_or(full.base),
                    scaling: Scaling::None,
                    attention_factor: 1.0,
                    short_attention_factor: 1.0,
                    ..full.clone()
                };
                self.two_types(full, unscaled, count, Some(every))?
            }
            _ => match self.local(full.clone())? {
                local if local == full => uniform(full),
                _ => self.two_types(full.clone(), full, count, None)?,
            },
        };
        Ok(ModelRotary { temperature: self.temperature()?, ..model })
    }

    fn two_types(
        &self,
        full: RotarySpec,
        local: RotarySpec,
        count: usize,
        every: Option<usize>,
    ) -> Result<ModelRotary, Error> {
        let local = self.local(local)?;
        let types = [("full_attention", full), ("sliding_attention", local)];
        let types = types.map(|(name, spec)| (name.to_string(), Some(spec))).into();
        Ok(ModelRotary { types, layers: self.sliding(count, every)?, temperature: None })
    }

    /// The rotation of sliding layers: `spec`, but for what the keys that end in `_swa` say.
    fn local(&self, spec: RotarySpec) -> Result<RotarySpec, Error> {
        let fields = self.fields();
        let given = fields.count("attention.key_length_swa")?;
        let head_dim = given.unwrap_or(spec.head_dim);
        let whole = if given.is_some() { head_dim } else { spec.dim };
        let dim = match fields.count("rope.dimension_count_swa")? {
            Some(_) => {
                self.dim("rope.dimension_count_swa", ("attention.key_length_swa", head_dim))?
            }
            None if head_dim > LIMIT => {
                return Err(fields.error(
                    "attention.key_length_swa",
                    ConfigProblem::NotA { expected: "at most 65536" },
                ));
            }
            None => whole,
        };
        let base = fields.number("rope.freq_base_swa")?;
        // The only base of local layers that llama.cpp itself leaves to the file.
        let base = if self.architecture == "gemma4" {
            Some(fields.need("rope.freq_base_swa", base)?)
        } else {
            base
        };
        let base = base.unwrap_or(spec.base);
        let local = RotarySpec { dim, frequency_dim: dim, head_dim, base, ..spec };
        try_out(&local, &fields)?;
        Ok(local)
    }

    /// For each layer 1 where it is a sliding one and 0 where it is a full one: as the keys list
    /// them, or the last of each n full.
    fn sliding(&self, count: usize, every: Option<usize>) -> Result<Vec<usize>, Error> {
        let (fields, name) = (self.fields(), "attention.sliding_window_pattern");
        if let Some(Value::Array(_)) = fields.get(name) {
            let list = fields.need(name, fields.counts(name)?)?;
            if list.len() != count {
                let other = "block_count".to_string();
                return Err(fields.error(name, ConfigProblem::Contradicts { other }));
            }
            return Ok(list.into_iter().map(|sliding| usize::from(sliding != 0)).collect());
        }
        let every = fields.need(name, fields.count(name)?.or(every))?;
        if every == 0 {
            return Err(fields.error(
                name,
                ConfigProblem::NotA { expected: "a whole number from 1, or a list" },
            ));
        }
        Ok((1..=count).map(|layer| usize::from(!layer.is_multiple_of(every))).collect())
    }

    /// llama.cpp has Llama 4's in its code; those of Ministral 3 and Mistral Large 3 (`deepseek2`)
    /// are in the file.
    fn temperature(&self) -> Result<Option<QueryTemperature>, Error> {
        let fields = self.fields();
        let invalid =
            |name: &str, error| fields.error(name, ConfigProblem::Invalid(Box::new(error)));
        match &*self.architecture {
            "llama4" if fields.number("attention.sliding_window")? != Some(0.0) => {
                QueryTemperature::llama4(0.1, 8192.0).map(Some)
            }
            "mistral3" | "deepseek2" => {
                let name = "attention.temperature_scale";
                let Some(scale) = fields.number(name)?.filter(|&scale| scale != 0.0) else {
                    return Ok(None);
                };
                let original = "rope.scaling.original_context_length";
                let original = fields.need(original, fields.count(original)?)?;
                QueryTemperature::ministral3(scale, original)
                    .map(Some)
                    .map_err(|error| invalid(name, error))
            }
            _ => Ok(None),
        }
    }
}

/// Which layers llama.cpp takes for sliding ones and for such without positions, where the file
/// does not list them.
fn layers_of_architecture(name: &str, fields: &Fields<'_>) -> Result<Layers, Error> {
    let window = fields.number("attention.sliding_window")?;
    let slides = window.is_some_and(|window| window != 0.0);
    Ok(match name {
        "gemma3" if slides => Layers::LastOfEach { every: 6, local_base: Some(10_000.0) },
        // OLMo 3
        "olmo2" if slides => Layers::LastOfEach { every: 4, local_base: None },
        "cohere2" => Layers::SlidingOnly { every: 4 },
        // The 32B; the others have full attention and positions everywhere.
        "exaone4" if fields.count("block_count")? == Some(64) => Layers::SlidingOnly { every: 4 },
        "llama4" if window == Some(0.0) => Layers::Same,
        "llama4" | "smollm3" => Layers::NoneInEach { every: 4 },
        _ => Layers::Same,
    })
}

fn head_dim(fields: &Fields<'_>) -> Result<usize, Error> {
    // Of latent heads the second is that of compressed keys.
    for name in ["attention.key_length_mla", "attention.key_length"] {
        if let Some(head_dim) = fields.count(name)? {
            return Ok(head_dim);
        }
    }
    match (fields.count("embedding_length")?, fields.count("attention.head_count")?) {
        (Some(width), Some(heads)) if heads > 0 => Ok(width / heads),
        _ => fields.need("rope.dimension_count", fields.count("rope.dimension_count")?),
    }
}

/// Scaling, and what the file multiplies cosines and sines by.
fn scaling(fields: &Fields<'_>, architecture: &str) -> Result<(Scaling, Option<f64>), Error> {
    let number = |name: &str| fields.number(name);
    let given = number("rope.scaling.attn_factor")?;
    let factor = || fields.need("rope.scaling.factor", number("rope.scaling.factor")?);
    // The converter writes no type for them. Of Phi-3 those that are scaled have an attention
    // factor; all of MiniCPM 3 are.
    let untold = match architecture {
        "phi3" | "phimoe" => given.is_some(),
        name => name == "minicpm3",
    };
    match fields.text("rope.scaling.type")?.or(untold.then_some("longrope")) {
        // A factor without a type is a linear one, by its newer or older name; 0 is none.
        None => {
            let factor =
                fields.one_of(&["rope.scaling.factor", "rope.scale_linear"], Fields::number)?;
            let factor = factor.filter(|&factor| factor != 0.0);
            Ok((factor.map_or(Scaling::None, |factor| Scaling::Linear { factor }), given))
        }
        Some("none") => Ok((Scaling::None, given)),
        Some("linear") => Ok((Scaling::Linear { factor: factor()? }, given)),
        Some("longrope") => Ok((Scaling::LongRopeTensors, given)),
        Some("yarn") => {
            // Below 0 is not set; anything but 1 mixes in another way.
            let name = "rope.scaling.yarn_ext_factor";
            if number(name)?.is_some_and(|factor| factor >= 0.0 && factor != 1.0) {
                return Err(
                    fields.error(name, ConfigProblem::NotA { expected: "1, which is YaRN" })
                );
            }
            let maximal = fields.count("context_length")?;
            let original = fields.count("rope.scaling.original_context_length")?.or(maximal);
            let plain = Yarn::new(
                factor()?,
                fields.need("rope.scaling.original_context_length", original)?,
            );
            let yarn = Yarn {
                beta_fast: number("rope.scaling.yarn_beta_fast")?.unwrap_or(plain.beta_fast),
                beta_slow: number("rope.scaling.yarn_beta_slow")?.unwrap_or(plain.beta_slow),
                // No key says it.
                truncate: architecture != "gpt-oss",
                ..plain
            };
            Ok((Scaling::Yarn(yarn), given))
        }
        Some(other) => {
            Err(fields
                .error("rope.scaling.type", ConfigProblem::Unknown { found: other.to_string() }))
        }
    }
}

/// Up to four sections; those at the end may be 0.
fn sections(
    fields: &Fields<'_>,
    architecture: &str,
) -> Result<Option<(Vec<usize>, Sections)>, Error> {
    let Some(mut sections) = fields.counts("rope.dimension_sections")? else { return Ok(None) };
    while sections.len() > 3 && sections.last() == Some(&0) {
        sections.pop();
    }
    let order =
        if architecture.starts_with("qwen3vl") { Sections::Interleaved } else { Sections::Chunked };
    Ok(Some((sections, order)))
}
