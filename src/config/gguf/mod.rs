//! Rotations from GGUF metadata.

mod layers;

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::families::architectures::{
    Architecture, Attention, Divided, Multiplier, Unstated, given, of_architecture,
};
use super::fields::{Name, key};
use super::json::Fields;
use super::metadata::Metadata;
use super::model::ModelRotary;
use super::reader::{LIMIT, MOST_SECTIONS, try_out};
use super::spec::RotarySpec;
use crate::error::{ConfigProblem, Error};
use crate::frequencies::scaling::{Scaling, Yarn};
use crate::rotary::{Pairing, Sections};

impl RotarySpec {
    /// Reads the rotation that GGUF metadata describe: `general.architecture` and the keys
    /// `{architecture}.rope.*`. Keys about other things are skipped; unknown keys about rotations
    /// are errors.
    ///
    /// A GGUF file does not store the pairing: it follows from the architecture, as in llama.cpp
    /// (queries and keys of `llama` are permuted to neighbours). Where the keys are absent, the
    /// base is 10000 and the dim that of a head, and a scaling factor without a type is linear, as
    /// in llama.cpp. Where layers differ, this is the rotation of the full-attention layers, or of
    /// those that have one: [`ModelRotary::from_gguf`] distinguishes them.
    ///
    /// Some scalings are stored in tensors only; `Gguf::model_rotary` reads these. Llama 3's
    /// scaling and the pairs that Gemma 4's full-attention layers do not rotate are in the tensor
    /// `rope_freqs.weight`: the scaling is then [`Scaling::DivisorsTensor`], and no rotation can be
    /// made until the values of the tensor are in [`divisors`](Self::divisors). Whether a file of
    /// `llama` has the tensor is known only from `Gguf::metadata`; otherwise it is assumed for
    /// Llama 3.1's base with a context beyond 8192. LongRoPE's factors are tensors too: the scaling
    /// is then [`Scaling::LongRopeTensors`].
    ///
    /// # Errors
    ///
    /// [`Error::Config`] for unknown architectures and scaling types, and for values that cannot be
    /// applied.
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
        Model::new(metadata, None)?.only()
    }

    /// Reads the rotation of an unknown architecture with a given pairing; see
    /// [`ModelRotary::from_gguf_with_pairing`].
    ///
    /// # Errors
    ///
    /// The errors of [`from_gguf`](Self::from_gguf).
    pub fn from_gguf_with_pairing<K: Into<String>>(
        metadata: impl IntoIterator<Item = (K, Metadata)>,
        pairing: Pairing,
    ) -> Result<Self, Error> {
        Model::new(metadata, Some(pairing))?.only()
    }
}

impl ModelRotary {
    /// Reads the rotation of each layer that GGUF metadata describe, as llama.cpp applies it.
    /// Layers with sliding windows that have their own base or heads (Gemma 3, Gemma 4, OLMo 3) are
    /// the type `sliding_attention` beside `full_attention`, and layers without positions (Llama 4,
    /// SmolLM3, Command R7B, EXAONE 4) have `None`. Where all layers are the same, there is one
    /// type, `all`.
    ///
    /// Where llama.cpp differs from the training of a model, the training counts: the ramp of
    /// gpt-oss ends between pairs, and an attention factor from the config is not multiplied by
    /// YaRN's again (Olmo 3).
    ///
    /// The notes on pairing and tensors at [`RotarySpec::from_gguf`] apply here, too.
    /// `rope_freqs.weight` belongs to the full-attention layers.
    ///
    /// # Errors
    ///
    /// The errors of [`RotarySpec::from_gguf`]; [`Error::Config`] where keys mention sliding
    /// windows but do not say in which layers.
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
        Model::new(metadata, None)?.layers()
    }

    /// Reads the rotations of an unknown architecture with a given pairing: halves for llama.cpp's
    /// NEOX, neighbours for NORM. Only the keys are used; what the code of the architecture does
    /// besides, such as layers without positions, is not known. For a known architecture its own
    /// conventions are used, and the pairing must agree with them.
    ///
    /// # Errors
    ///
    /// The errors of [`from_gguf`](Self::from_gguf).
    ///
    /// ```
    /// use positional_encodings::{Pairing, config::{Metadata, ModelRotary}};
    ///
    /// let new = || -> [(&str, Metadata); 3] {[
    ///     ("general.architecture", "new".into()),
    ///     ("new.attention.key_length", 64_u32.into()),
    ///     ("new.rope.freq_base", 1_000_000_f32.into()),
    /// ]};
    /// assert!(ModelRotary::from_gguf(new()).is_err());
    /// let model = ModelRotary::from_gguf_with_pairing(new(), Pairing::Halves)?;
    /// assert_eq!(model.only()?.base, 1e6);
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn from_gguf_with_pairing<K: Into<String>>(
        metadata: impl IntoIterator<Item = (K, Metadata)>,
        pairing: Pairing,
    ) -> Result<Self, Error> {
        Model::new(metadata, Some(pairing))?.layers()
    }
}

/// The metadata of one architecture.
struct Model {
    name: String,
    row: Architecture,
    /// The keys, without the prefix of the architecture.
    object: Map<String, Value>,
}

impl Model {
    fn new<K: Into<String>>(
        metadata: impl IntoIterator<Item = (K, Metadata)>,
        pairing: Option<Pairing>,
    ) -> Result<Self, Error> {
        let all: HashMap<String, Metadata> =
            metadata.into_iter().map(|(key, value)| (key.into(), value)).collect();
        let key = &*key::GENERAL_ARCHITECTURE;
        let error = |problem| Error::Config { field: key.to_string(), problem };
        let Some(Metadata::Text(name)) = all.get(key) else {
            return Err(error(ConfigProblem::Missing));
        };
        let row = match (of_architecture(name), pairing) {
            (Some(row), Some(pairing)) if row.still.is_none() && row.pairing != pairing => {
                let other = "the pairing given".to_string();
                return Err(error(ConfigProblem::Contradicts { other }));
            }
            (Some(row), _) => row,
            (None, Some(pairing)) => given(pairing),
            (None, None) => return Err(error(ConfigProblem::Unknown { found: name.clone() })),
        };
        let prefix = format!("{name}.");
        let own =
            all.iter().filter_map(|(key, value)| Some((key.strip_prefix(&prefix)?, value.clone())));
        let own: Vec<(&str, Metadata)> = own.collect();
        // JSON has no such number, and null would mean absent.
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

    /// Returns what provides positions instead of a rotation, where layers have none.
    fn still(&self) -> Result<Option<&'static str>, Error> {
        let fields = self.fields();
        let blocks = self.row.still_blocks;
        if blocks.is_some() && fields.count(key::BLOCK_COUNT)? == blocks {
            return Ok(Some("models with this number of blocks use ALiBi, a bias by distance"));
        }
        let name = key::SCALING_FINETUNED;
        if self.row.finetuned_rotates && fields.flag(name)? == Some(false) {
            return Ok(Some("the file says that no layer rotates"));
        }
        Ok(self.row.still)
    }

    /// Returns the rotation of all layers, or of those with full attention; an error if there is
    /// none.
    fn only(&self) -> Result<RotarySpec, Error> {
        match self.still()? {
            None => self.spec(),
            Some(reason) => {
                let field = key::GENERAL_ARCHITECTURE.to_string();
                Err(Error::Config { field, problem: ConfigProblem::Unsupported { reason } })
            }
        }
    }

    /// Returns the rotation of all layers, or of those with full attention, if they rotate.
    fn spec(&self) -> Result<RotarySpec, Error> {
        let fields = self.fields();
        let head_dim = head_dim(&fields)?;
        let dim = self.dim(key::DIMENSION_COUNT, (key::KEY_LENGTH, head_dim))?;
        let dim = if self.row.halves_full { dim / 2 } else { dim };
        let reads = |name: Name| name != key::SCALING_ALPHA || self.row.reads_alpha;
        let is_known = |key: &str| key::KEYS.iter().any(|name| *key == *name && reads(*name));
        let unknown = fields.names().find(|key| key.starts_with("rope.") && !is_known(key));
        if let Some(key) = unknown {
            return Err(fields.unknown(key, key));
        }
        let (scaling, extra) = match self.row.compresses {
            true => (Scaling::None, None), // only compressed layers are scaled
            false => self.scaling()?,
        };
        let scaling = self.divided(scaling)?;
        let (attention_factor, softmax_factor) = match &scaling {
            Scaling::Yarn(yarn) => self.yarn_factors(yarn, extra)?,
            _ => (extra.unwrap_or(1.0), 1.0),
        };
        // llama.cpp rotates halves by sections; for a text model with neighbours the converter
        // permutes the projections.
        let sections = self.sections()?;
        let spec = RotarySpec {
            dim,
            frequency_dim: dim,
            head_dim,
            base: fields.number(key::FREQ_BASE)?.unwrap_or(10_000.0),
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

    /// Returns the scaling, or a mark for the tensor that contains it.
    fn divided(&self, scaling: Scaling) -> Result<Scaling, Error> {
        let fields = self.fields();
        let told = fields.get(key::ROPE_FREQS).map(|said| *said != Value::Bool(false));
        let is_divided = match (told, self.row.divided) {
            (Some(told), _) => told,
            (None, Divided::Always) => true,
            (None, Divided::Never) => false,
            (None, Divided::Beyond(base, len)) => {
                fields.number(key::FREQ_BASE)? == Some(base)
                    && fields.count(key::CONTEXT_LENGTH)?.is_some_and(|context| context > len)
            }
        };
        match scaling {
            scaling if !is_divided => Ok(scaling),
            Scaling::None => Ok(Scaling::DivisorsTensor),
            // Where the tensor is only assumed, an explicit scaling takes precedence.
            scaling if told.is_none() => Ok(scaling),
            _ => {
                let reason =
                    "the file has divisors in addition to a scaling: Gguf::model_rotary reads both";
                Err(fields.not_read(key::ROPE_FREQS, reason))
            }
        }
    }

    /// Returns the scaling, and the factor by which the file multiplies cosines and sines.
    fn scaling(&self) -> Result<(Scaling, Option<f64>), Error> {
        let fields = self.fields();
        let given = fields.number(key::SCALING_ATTN_FACTOR)?;
        let factor = || fields.need(key::SCALING_FACTOR, fields.number(key::SCALING_FACTOR)?);
        // The converter writes no type for LongRoPE. Where only some files have it, those are the
        // files with an attention factor.
        let untold = match (fields.get(key::ROPE_FACTORS_LONG), self.row.longrope) {
            (Some(told), _) => *told != Value::Bool(false),
            (None, Unstated::Never) => false,
            (None, Unstated::WithFactor) => given.is_some_and(|given| given != 1.0),
            (None, Unstated::Always) => true,
        };
        let name = key::SCALING_TYPE;
        let scaling = match fields.text(name)?.or(untold.then_some("longrope")) {
            // A factor without a type, by its newer or older name, is linear; 0 is none.
            None => {
                let names = [key::SCALING_FACTOR, key::SCALE_LINEAR];
                let factor = fields.one_of(names, Fields::number)?.filter(|&factor| factor != 0.0);
                factor.map_or(Scaling::None, |factor| Scaling::Linear { factor })
            }
            Some("none") => {
                let alpha = fields.number(key::SCALING_ALPHA)?.filter(|&alpha| alpha != 0.0);
                alpha.map_or(Scaling::None, |factor| Scaling::Ntk { factor })
            }
            Some("linear") => Scaling::Linear { factor: factor()? },
            Some("longrope") => Scaling::LongRopeTensors,
            Some("yarn") => Scaling::Yarn(self.yarn(factor()?)?),
            Some(other) => return Err(fields.unknown(name, other)),
        };
        Ok((scaling, given))
    }

    fn yarn(&self, factor: f64) -> Result<Yarn, Error> {
        let fields = self.fields();
        // A negative value means unset; a value other than 1 would weight YaRN's ramp differently.
        let name = key::SCALING_YARN_EXT_FACTOR;
        if fields.number(name)?.is_some_and(|factor| factor >= 0.0 && factor != 1.0) {
            return Err(fields.not_a(name, "1, as in YaRN"));
        }
        let name = key::SCALING_ORIGINAL_CONTEXT_LENGTH;
        let original = fields.count(name)?.or(fields.count(key::CONTEXT_LENGTH)?);
        let plain = Yarn::new(factor, fields.need(name, original)?);
        let number = |name| fields.number(name);
        Ok(Yarn {
            beta_fast: number(key::SCALING_YARN_BETA_FAST)?.unwrap_or(plain.beta_fast),
            beta_slow: number(key::SCALING_YARN_BETA_SLOW)?.unwrap_or(plain.beta_slow),
            truncate: self.row.truncates,
            ..plain
        })
    }

    /// Returns YaRN's attention factor and the factor of the softmax scale; `extra` is the factor
    /// in the file.
    fn yarn_factors(&self, yarn: &Yarn, extra: Option<f64>) -> Result<(f64, f64), Error> {
        let fields = self.fields();
        let written = fields.number(key::SCALING_YARN_ATTN_FACTOR)?;
        let (whole, extra) = match self.row.attention {
            Attention::Whole => (written, extra),
            Attention::Multiplies => (None, extra.or(written)),
            Attention::WholeByEitherName => (written.or(extra), None),
        };
        let (name, extra) = (key::SCALING_YARN_LOG_MULTIPLIER, extra.unwrap_or(1.0));
        let given = fields.number(name)?;
        let (own, softmax) = match (self.row.multiplier, given.filter(|&given| given != 0.0)) {
            (Multiplier::TenthForSoftmax, _) => {
                // llama.cpp removes YaRN's factor from the rotation and puts the factor of
                // mscale_all_dim into the softmax scale.
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

    /// Reads the number of rotated features under `name`, by default all of a head.
    fn dim(&self, name: Name, (head_name, head_dim): (Name, usize)) -> Result<usize, Error> {
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

    /// Reads up to four sections; those at the end may be 0.
    fn sections(&self) -> Result<Option<(Vec<usize>, Sections)>, Error> {
        let (fields, name) = (self.fields(), key::DIMENSION_SECTIONS);
        let Some(mut sections) = fields.counts(name)? else { return Ok(None) };
        while sections.len() > 3 && sections.last() == Some(&0) {
            sections.pop();
        }
        if sections.len() > MOST_SECTIONS {
            return Err(fields.not_a(name, "a list of at most 8 sections"));
        }
        Ok(Some((sections, self.row.sections)))
    }
}

fn head_dim(fields: &Fields<'_>) -> Result<usize, Error> {
    // For latent heads the second name is the width of compressed keys.
    for name in [key::KEY_LENGTH_MLA, key::KEY_LENGTH] {
        if let Some(head_dim) = fields.count(name)? {
            return Ok(head_dim);
        }
    }
    let name = key::HEAD_COUNT;
    let heads = match fields.get(name) {
        // One number for each layer, 0 for a layer without attention; the heads have one width.
        Some(Value::Array(_)) => {
            let list = fields.counts(name)?.unwrap_or_default();
            list.into_iter().find(|&heads| heads > 0)
        }
        _ => fields.count(name)?,
    };
    match (fields.count(key::EMBEDDING_LENGTH)?, heads) {
        (Some(width), Some(heads)) if heads > 0 => Ok(width / heads),
        _ => fields.need(key::DIMENSION_COUNT, fields.count(key::DIMENSION_COUNT)?),
    }
}
