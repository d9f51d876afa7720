//! Rotations from GGUF metadata.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::architectures::{
    Architecture, Attention, Layered, Multiplier, Tempered, Untold, of_architecture,
};
use super::family::{ALL, FULL, Layers, Rotation, SLIDING};
use super::json::Fields;
use super::metadata::Metadata;
use super::model::ModelRotary;
use super::reader::{LIMIT, MOST_SECTIONS, try_out};
use super::spec::{RotarySpec, Types};
use crate::error::{ConfigProblem, Error};
use crate::frequencies::scaling::{Scaling, Yarn};
use crate::rotary::{Pairing, QueryTemperature, Sections};

impl RotarySpec {
    /// Reads the rotation that GGUF metadata describe: `general.architecture` and the keys
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
    name: String,
    row: Architecture,
    /// Its keys, without the architecture before them.
    object: Map<String, Value>,
}

impl Model {
    fn new<K: Into<String>>(
        metadata: impl IntoIterator<Item = (K, Metadata)>,
    ) -> Result<Self, Error> {
        let all: HashMap<String, Metadata> =
            metadata.into_iter().map(|(key, value)| (key.into(), value)).collect();
        let key = "general.architecture";
        let error = |problem| Error::Config { field: key.to_string(), problem };
        let Some(Metadata::Text(name)) = all.get(key) else {
            return Err(error(ConfigProblem::Missing));
        };
        let unknown = || error(ConfigProblem::Unknown { found: name.clone() });
        let row = of_architecture(name).ok_or_else(unknown)?;
        let prefix = format!("{name}.");
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
        Ok(Self { name: name.clone(), row, object })
    }

    fn fields(&self) -> Fields<'_> {
        Fields::new(&self.name, &self.object)
    }

    /// The rotation of all layers, or of the full ones.
    fn spec(&self) -> Result<RotarySpec, Error> {
        let fields = self.fields();
        let head_dim = head_dim(&fields)?;
        let dim = self.dim("rope.dimension_count", ("attention.key_length", head_dim))?;
        let unknown = fields.names().find(|key| key.starts_with("rope.") && !KNOWN.contains(key));
        if let Some(key) = unknown {
            return Err(fields.unknown(key, key));
        }
        let (scaling, extra) = self.scaling()?;
        let (attention_factor, softmax_factor) = match &scaling {
            Scaling::Yarn(yarn) => self.yarn_factors(yarn, extra)?,
            _ => (extra.unwrap_or(1.0), 1.0),
        };
        // llama.cpp rotates halves by sections; the converter permutes projections of a text model
        // that has neighbours.
        let sections = self.sections()?;
        let spec = RotarySpec {
            dim,
            frequency_dim: dim,
            head_dim,
            base: fields.number("rope.freq_base")?.unwrap_or(10_000.0),
            scaling,
            attention_factor,
            short_attention_factor: attention_factor,
            softmax_factor,
            pairing: if sections.is_some() { Pairing::Halves } else { self.row.pairing },
            on_last_features: self.row.on_last_features,
            sections,
            grid: None,
            divisors: None,
        };
        try_out(&spec, &fields)?;
        Ok(spec)
    }

    /// The scaling, and what the file multiplies cosines and sines by.
    fn scaling(&self) -> Result<(Scaling, Option<f64>), Error> {
        let fields = self.fields();
        let given = fields.number("rope.scaling.attn_factor")?;
        let factor = || fields.need("rope.scaling.factor", fields.number("rope.scaling.factor")?);
        // The converter writes no type for LongRoPE. Where not all files have it, those that do
        // have an attention factor.
        let untold = match self.row.longrope {
            Untold::Never => false,
            Untold::WithFactor => given.is_some(),
            Untold::Always => true,
        };
        let name = "rope.scaling.type";
        let scaling = match fields.text(name)?.or(untold.then_some("longrope")) {
            // A factor without a type is a linear one, by its newer or older name; 0 is none.
            None => {
                let names = ["rope.scaling.factor", "rope.scale_linear"];
                let factor = fields.one_of(names, Fields::number)?.filter(|&factor| factor != 0.0);
                factor.map_or(Scaling::None, |factor| Scaling::Linear { factor })
            }
            Some("none") => Scaling::None,
            Some("linear") => Scaling::Linear { factor: factor()? },
            Some("longrope") => Scaling::LongRopeTensors,
            Some("yarn") => Scaling::Yarn(self.yarn(factor()?)?),
            Some(other) => return Err(fields.unknown(name, other)),
        };
        Ok((scaling, given))
    }

    fn yarn(&self, factor: f64) -> Result<Yarn, Error> {
        let fields = self.fields();
        // Below 0 is not set; anything but 1 mixes in another way.
        let name = "rope.scaling.yarn_ext_factor";
        if fields.number(name)?.is_some_and(|factor| factor >= 0.0 && factor != 1.0) {
            return Err(fields.not_a(name, "1, which is YaRN"));
        }
        let name = "rope.scaling.original_context_length";
        let original = fields.count(name)?.or(fields.count("context_length")?);
        let plain = Yarn::new(factor, fields.need(name, original)?);
        let number = |name: &str| fields.number(name);
        Ok(Yarn {
            beta_fast: number("rope.scaling.yarn_beta_fast")?.unwrap_or(plain.beta_fast),
            beta_slow: number("rope.scaling.yarn_beta_slow")?.unwrap_or(plain.beta_slow),
            truncate: self.row.truncates,
            ..plain
        })
    }

    /// YaRN's attention factor and that of the softmax scale; `extra` is what the file multiplies
    /// by.
    fn yarn_factors(&self, yarn: &Yarn, extra: Option<f64>) -> Result<(f64, f64), Error> {
        let fields = self.fields();
        let written = fields.number("rope.scaling.yarn_attn_factor")?;
        let (whole, extra) = match self.row.attention {
            Attention::Whole => (written, extra),
            Attention::Multiplies => (None, extra.or(written)),
            Attention::WholeByEitherName => (written.or(extra), None),
        };
        let (name, extra) = ("rope.scaling.yarn_log_multiplier", extra.unwrap_or(1.0));
        let given = fields.number(name)?;
        let (own, softmax) = match (self.row.multiplier, given.filter(|&given| given != 0.0)) {
            (Multiplier::TenthForSoftmax, _) => {
                // llama.cpp takes YaRN's factor out of the rotation and puts that of mscale_all_dim
                // into the softmax scale.
                let mscale_all_dim = fields.need(name, given)? / 0.1;
                (1.0, Yarn { mscale_all_dim, ..*yarn }.softmax_factor() * extra * extra)
            }
            (Multiplier::MscaleAllDim, Some(mscale_all_dim)) => {
                (Yarn { mscale: 1.0, mscale_all_dim, ..*yarn }.default_attention_factor(), 1.0)
            }
            (Multiplier::MscaleAllDim, None) => (yarn.default_attention_factor(), 1.0),
        };
        if [own, softmax].iter().all(|factor| *factor > 0.0 && factor.is_finite()) {
            return Ok((whole.unwrap_or(own) * extra, softmax));
        }
        Err(fields.not_a(name, "a number that gives a finite scale"))
    }

    /// The number of rotated features under `name`, or all of a head.
    fn dim(&self, name: &str, (head_name, head_dim): (&str, usize)) -> Result<usize, Error> {
        let fields = self.fields();
        let given = fields.count(name)?;
        let dim = given.unwrap_or(head_dim);
        if dim > LIMIT {
            let name = if given.is_some() { name } else { head_name };
            return Err(fields.not_a(name, "at most 65536"));
        }
        if dim > head_dim {
            return Err(fields.contradicts(name, "the width of a head"));
        }
        Ok(dim)
    }

    /// Up to four sections; those at the end may be 0.
    fn sections(&self) -> Result<Option<(Vec<usize>, Sections)>, Error> {
        let (fields, name) = (self.fields(), "rope.dimension_sections");
        let Some(mut sections) = fields.counts(name)? else { return Ok(None) };
        while sections.len() > 3 && sections.last() == Some(&0) {
            sections.pop();
        }
        if sections.len() > MOST_SECTIONS {
            return Err(fields.not_a(name, "a list of at most 8 sections"));
        }
        Ok(Some((sections, self.row.sections)))
    }

    /// The rotation of each layer.
    fn layers(&self) -> Result<ModelRotary, Error> {
        let fields = self.fields();
        let full = self.spec()?;
        let count = fields.count("block_count")?.unwrap_or(0);
        if count > LIMIT {
            return Err(fields.not_a("block_count", "at most 65536"));
        }
        let differ = self.layers_differ()?;
        let (types, layers) = if !differ || self.row.layers.every == 1 {
            match self.local(full.clone())? {
                local if local == full => (vec![(ALL.to_string(), Some(full))], vec![0; count]),
                local => (pair(full, local), self.sliding(count, None)?),
            }
        } else {
            self.special_layers(full, count)?
        };
        Ok(ModelRotary { types, layers, temperature: self.temperature(differ)? })
    }

    /// Whether the layers of this file differ as the row says.
    fn layers_differ(&self) -> Result<bool, Error> {
        let fields = self.fields();
        let window = fields.number("attention.sliding_window")?;
        Ok(match self.row.layered {
            Layered::Always => true,
            Layered::WithWindow => window.is_some_and(|window| window != 0.0),
            Layered::UnlessWindowIsZero => window != Some(0.0),
            Layered::WithBlocks(blocks) => fields.count("block_count")? == Some(blocks),
        })
    }

    /// The types of layers as the row has them, and the type of each layer.
    fn special_layers(&self, full: RotarySpec, count: usize) -> Result<(Types, Vec<usize>), Error> {
        let row = &self.row.layers;
        if let Rotation::Local(local) = row.others.rotation {
            let unscaled = RotarySpec {
                base: local.base.unwrap_or(full.base),
                scaling: Scaling::None,
                attention_factor: 1.0,
                short_attention_factor: 1.0,
                ..full.clone()
            };
            let local = self.local(unscaled)?;
            return Ok((pair(full, local), self.sliding(count, Some(row))?));
        }
        let types = row.types().map(|kind| {
            let spec = (kind.rotation != Rotation::None).then(|| full.clone());
            (kind.name.to_string(), spec)
        });
        if row.others.name == SLIDING {
            return Ok((types.into(), self.sliding(count, Some(row))?));
        }
        let kind = |index| usize::from(row.at(index, row.every).name == types[1].0);
        let layers = (0..count).map(kind).collect();
        Ok((types.into(), layers))
    }

    /// The rotation of sliding layers: `spec`, but for what the keys that end in `_swa` say.
    fn local(&self, spec: RotarySpec) -> Result<RotarySpec, Error> {
        let fields = self.fields();
        let head_name = "attention.key_length_swa";
        let given = fields.count(head_name)?;
        let head_dim = given.unwrap_or(spec.head_dim);
        let dim = match fields.count("rope.dimension_count_swa")? {
            Some(_) => self.dim("rope.dimension_count_swa", (head_name, head_dim))?,
            None if head_dim > LIMIT => return Err(fields.not_a(head_name, "at most 65536")),
            None if given.is_some() => head_dim,
            None => spec.dim,
        };
        let name = "rope.freq_base_swa";
        let mut base = fields.number(name)?;
        if self.row.needs_local_base {
            base = Some(fields.need(name, base)?);
        }
        let base = base.unwrap_or(spec.base);
        let local = RotarySpec { dim, frequency_dim: dim, head_dim, base, ..spec };
        try_out(&local, &fields)?;
        Ok(local)
    }

    /// For each layer 1 where it is a sliding one and 0 where it is a full one: as the keys list
    /// them, or the last of each n full.
    fn sliding(&self, count: usize, row: Option<&Layers>) -> Result<Vec<usize>, Error> {
        let (fields, name) = (self.fields(), "attention.sliding_window_pattern");
        if let Some(Value::Array(_)) = fields.get(name) {
            let list = fields.need(name, fields.counts(name)?)?;
            if list.len() != count {
                return Err(fields.contradicts(name, "block_count"));
            }
            return Ok(list.into_iter().map(|sliding| usize::from(sliding != 0)).collect());
        }
        let every = fields.need(name, fields.count(name)?.or(row.map(|row| row.every)))?;
        if every == 0 {
            return Err(fields.not_a(name, "a whole number from 1, or a list"));
        }
        Ok((1..=count).map(|layer| usize::from(!layer.is_multiple_of(every))).collect())
    }

    /// The temperature of queries, by code that is for layers without positions or by the file.
    fn temperature(&self, differ: bool) -> Result<Option<QueryTemperature>, Error> {
        let (fields, name) = (self.fields(), "attention.temperature_scale");
        match self.row.temperature {
            Tempered::ByCode(own) if differ => {
                QueryTemperature::llama4(own.scale, own.floor).map(Some)
            }
            Tempered::ByFile => {
                let Some(scale) = fields.number(name)?.filter(|&scale| scale != 0.0) else {
                    return Ok(None);
                };
                let original = "rope.scaling.original_context_length";
                let original = fields.need(original, fields.count(original)?)?;
                QueryTemperature::ministral3(scale, original)
                    .map(Some)
                    .map_err(|error| fields.invalid(name, error))
            }
            _ => Ok(None),
        }
    }
}

/// Full layers and sliding ones.
fn pair(full: RotarySpec, sliding: RotarySpec) -> Types {
    [(FULL, full), (SLIDING, sliding)].map(|(name, spec)| (name.to_string(), Some(spec))).into()
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
