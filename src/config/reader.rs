//! One rotation from the fields of a `config.json`.

use serde_json::{Map, Value};

use super::checks::{scales, unused};
use super::families::{Family, Layers};
use super::fields::Fields;
use super::layers::LIMIT;
use super::{RotarySpec, Scaling};
use crate::error::ConfigProblem;
use crate::rotary::{QueryTemperature, Sections};
use crate::{DynamicNtk, Error, Llama3, LongRope, Pairing, Yarn};

/// Names that a dictionary of rope parameters may have. Others are typing errors, or say something
/// that is not known here.
pub(super) const KNOWN: [&str; 24] = [
    "rope_type",
    "type",
    "rope_theta",
    "factor",
    "original_max_position_embeddings",
    "max_position_embeddings",
    "attention_factor",
    "beta_fast",
    "beta_slow",
    "mscale",
    "mscale_all_dim",
    "truncate",
    "short_factor",
    "long_factor",
    "short_mscale",
    "long_mscale",
    "low_freq_factor",
    "high_freq_factor",
    "partial_rotary_factor",
    "mrope_section",
    "mrope_interleaved",
    "llama_4_scaling_beta",
    "finetuned",
    "interleaved",
];

/// Names of the base of all layers or of the global ones, and of that of the local ones.
const GLOBAL_BASES: [&str; 3] = ["rope_theta", "rotary_emb_base", "global_rope_theta"];
pub(super) const LOCAL_BASES: [&str; 3] =
    ["rope_local_base_freq", "local_rope_theta", "swa_rope_theta"];

/// Names of the part of the head that is rotated.
pub(super) const PARTS: [&str; 4] =
    ["partial_rotary_factor", "rotary_pct", "rope_pct", "rotary_emb_fraction"];

/// The parts of a DeepSeek head where the config does not say.
const MLA_NOPE: usize = 128;
const MLA_ROPE: usize = 64;

/// Widths of a [`RotarySpec`].
struct Dims {
    dim: usize,
    frequency_dim: usize,
    head_dim: usize,
}

/// A config, and what is known of its family.
pub(super) struct Reader<'a> {
    pub(super) fields: Fields<'a>,
    pub(super) family: Family,
    /// The model type, or empty where the caller gave the pairing.
    pub(super) name: &'a str,
}

/// The type of a rotation without its aliases.
pub(super) fn rope_type(name: &str) -> Option<&'static str> {
    match name {
        "default" | "mrope" => Some("default"),
        "linear" => Some("linear"),
        "dynamic" => Some("dynamic"),
        "yarn" => Some("yarn"),
        "longrope" | "su" => Some("longrope"),
        "llama3" => Some("llama3"),
        "proportional" => Some("proportional"),
        _ => None,
    }
}

pub(super) type RopeDict<'a> = (String, &'a Map<String, Value>);

/// The dictionary of rope parameters by either of its names, and its path.
pub(super) fn rope_dict<'a>(fields: &Fields<'a>) -> Result<Option<RopeDict<'a>>, Error> {
    let names = ["rope_parameters", "rope_scaling"];
    let Some(dict) = fields.one_of(&names, |fields, name| fields.object(name))? else {
        return Ok(None);
    };
    let name = if fields.get(names[0]).is_some() { names[0] } else { names[1] };
    Ok(Some((fields.path(name), dict)))
}

impl<'a> Reader<'a> {
    /// The rotation that `dict` describes, of the layers named `kind` where there are several
    /// types.
    pub(super) fn spec(
        &self,
        dict: Option<Fields<'_>>,
        kind: Option<&str>,
    ) -> Result<RotarySpec, Error> {
        let empty = Map::new();
        let dict = dict.unwrap_or(Fields::new("rope_parameters", &empty));
        if let Some(name) = dict.names().find(|name| !KNOWN.contains(name)) {
            return Err(dict.error(name, ConfigProblem::Unknown { found: name.to_string() }));
        }
        let rope_type = self.rope_type(&dict)?;
        unused(&dict, rope_type)?;
        let stated = self.fraction(&dict, kind)?;
        let Dims { dim, frequency_dim, head_dim } = self.dims(rope_type, stated, kind)?;
        let mut spec = RotarySpec {
            dim,
            frequency_dim,
            head_dim,
            base: self.base(&dict, kind)?,
            scaling: Scaling::None,
            attention_factor: 1.0,
            short_attention_factor: 1.0,
            softmax_factor: 1.0,
            pairing: self.pairing()?,
            on_last_features: self.is_latent(),
            sections: self.sections(&dict)?,
            divisors: None,
        };
        self.scale(&mut spec, &dict, rope_type, stated.unwrap_or(self.family.fraction))?;
        try_out(&spec, &dict)?;
        Ok(spec)
    }

    /// How many features are rotated, of which `stated` is the part that the config says.
    fn dims(
        &self,
        rope_type: &str,
        stated: Option<f64>,
        kind: Option<&str>,
    ) -> Result<Dims, Error> {
        let head_dim = self.head_dim(kind)?;
        let mla = self.is_latent();
        let fraction = stated.unwrap_or(self.family.fraction);
        let given = self.fields.count("rotary_dim")?;
        let frequency_dim = match given {
            Some(dim) => dim,
            None if matches!(self.name, "gptj" | "codegen") => 64,
            None if mla => self.latent_part("qk_rope_head_dim")?,
            None if rope_type == "proportional" => head_dim,
            None => (head_dim as f64 * fraction) as usize,
        };
        // transformers rounds an odd part up. The classes that take the part from the config again
        // cannot, and where a scaling counts features, the odd number would have to count.
        let rounds = given.is_none()
            && !mla
            && !matches!(self.name, "phi" | "stablelm" | "persimmon")
            && matches!(rope_type, "default" | "linear" | "llama3" | "longrope");
        let dim = if rounds { frequency_dim.next_multiple_of(2) } else { frequency_dim };
        if dim > head_dim || dim == 0 || !dim.is_multiple_of(2) {
            let expected = "a part of the head with an even number of features";
            let name = match given {
                Some(_) => "rotary_dim",
                None if mla => "qk_rope_head_dim",
                None => "partial_rotary_factor",
            };
            return Err(self.fields.error(name, ConfigProblem::NotA { expected }));
        }
        if mla && dim != self.latent_part("qk_rope_head_dim")? {
            let other = "qk_rope_head_dim".to_string();
            return Err(self.fields.error("rotary_dim", ConfigProblem::Contradicts { other }));
        }
        // transformers has latent heads of which the rotated part counts as the whole.
        let is_part = |fraction: f64| {
            (head_dim as f64 * fraction - dim as f64).abs() <= 1.0
                || mla && given.is_none() && fraction == 1.0
        };
        if let (Some(fraction), true) = (stated, mla || given.is_some())
            && !is_part(fraction)
        {
            let name = if given.is_some() { "rotary_dim" } else { "qk_rope_head_dim" };
            let other = "partial_rotary_factor".to_string();
            return Err(self.fields.error(name, ConfigProblem::Contradicts { other }));
        }
        Ok(Dims { dim, frequency_dim, head_dim })
    }

    /// The rotation of local layers: another base, and no scaling but in ModernBERT, which scales
    /// both in transformers 5.
    pub(super) fn local(&self, global: &RotarySpec, base: f64) -> Result<RotarySpec, Error> {
        if self.fields.count("swa_head_dim")?.is_some_and(|head_dim| head_dim != global.head_dim) {
            let other = "head_dim: heads of one width are read".to_string();
            return Err(self.fields.error("swa_head_dim", ConfigProblem::Contradicts { other }));
        }
        let name = LOCAL_BASES
            .into_iter()
            .find(|name| self.fields.get(name).is_some())
            .unwrap_or("rope_theta");
        let scaled = RotarySpec { base: self.checked_base(name, base)?, ..global.clone() };
        let spec = match self.family.layers {
            Layers::FirstOfEach { .. } => scaled,
            _ => RotarySpec {
                scaling: Scaling::None,
                attention_factor: 1.0,
                short_attention_factor: 1.0,
                softmax_factor: 1.0,
                ..scaled
            },
        };
        let path = self.fields.path(name);
        try_out(&spec, &Fields::new(&path, &Map::new()))?;
        Ok(spec)
    }

    /// The type by either of its names, without its aliases.
    fn rope_type(&self, dict: &Fields<'_>) -> Result<&'static str, Error> {
        let read = |fields: &Fields<'_>, name: &str| -> Result<Option<&'static str>, Error> {
            let Some(found) = fields.text(name)? else { return Ok(None) };
            let unknown =
                || fields.error(name, ConfigProblem::Unknown { found: found.to_string() });
            rope_type(found).ok_or_else(unknown).map(Some)
        };
        match dict.one_of(&["rope_type", "type"], read)? {
            Some(rope_type) => Ok(rope_type),
            // Parameters without a type would be a scaling that nobody applies.
            None if scales(dict) => Err(dict.error("rope_type", ConfigProblem::Missing)),
            None => Ok("default"),
        }
    }

    /// Whether heads are \[NoPE | RoPE\], as DeepSeek's multi-head latent attention has them: by
    /// their fields, whatever the model's name.
    fn is_latent(&self) -> bool {
        let names = ["qk_rope_head_dim", "qk_nope_head_dim", "kv_lora_rank"];
        self.name.starts_with("deepseek_v")
            || names.iter().any(|name| self.fields.get(name).is_some())
    }

    /// One of the two parts of such a head.
    fn latent_part(&self, name: &str) -> Result<usize, Error> {
        let default = if name == "qk_nope_head_dim" { MLA_NOPE } else { MLA_ROPE };
        let own = self.name.starts_with("deepseek_v").then_some(default);
        self.fields.need(name, self.fields.count(name)?.or(own))
    }

    /// That of the family or the caller, which `rope_interleave` changes for latent heads, and else
    /// must not contradict.
    pub(super) fn pairing(&self) -> Result<Pairing, Error> {
        let (names, own) = (["rope_interleave", "rotary_emb_interleaved"], self.family.pairing);
        let name = if self.fields.get(names[0]).is_some() { names[0] } else { names[1] };
        let said = match self.fields.one_of(&names, Fields::flag)? {
            Some(true) => Pairing::Interleaved,
            Some(false) => Pairing::Halves,
            None => own,
        };
        if said == own || self.is_latent() && !self.name.is_empty() {
            return Ok(said);
        }
        Err(self.fields.error(
            name,
            ConfigProblem::Contradicts { other: self.source_of_pairing().to_string() },
        ))
    }

    /// What a pairing that another field says would contradict.
    pub(super) fn source_of_pairing(&self) -> &'static str {
        if self.name.is_empty() { "the pairing given" } else { "model_type" }
    }

    fn head_dim(&self, kind: Option<&str>) -> Result<usize, Error> {
        let fields = &self.fields;
        let limited = |name: &str, head_dim: usize| {
            if head_dim <= LIMIT {
                Ok(head_dim)
            } else {
                Err(fields.error(name, ConfigProblem::NotA { expected: "at most 65536" }))
            }
        };
        if self.is_latent() {
            let part = |name: &str| limited(name, self.latent_part(name)?);
            return Ok(part("qk_nope_head_dim")? + part("qk_rope_head_dim")?);
        }
        // Gemma 4's global layers have wider heads.
        let wider = self.layer_head_dim()?;
        if kind == Some("full_attention") && self.name.starts_with("gemma4") {
            match wider {
                Some(head_dim) => return limited("per_layer_config", head_dim),
                // Written by transformers 5.23 and later: what is not there is as in all layers.
                None if fields.get("per_layer_config").is_some() => {}
                None => {
                    return limited(
                        "global_head_dim",
                        fields.count("global_head_dim")?.unwrap_or(512),
                    );
                }
            }
        } else if wider.is_some() && !self.name.starts_with("gemma4") {
            let expected = "without head_dim: heads of one width are read";
            return Err(fields.error("per_layer_config", ConfigProblem::NotA { expected }));
        }
        if let Some(head_dim) =
            fields.one_of(&["head_dim", "kv_channels"], Fields::count)?.or(self.family.head_dim)
        {
            return limited("head_dim", head_dim);
        }
        let width = fields
            .need("hidden_size", fields.one_of(&["hidden_size", "n_embd"], Fields::count)?)?;
        let heads = fields.one_of(&["num_attention_heads", "n_head"], Fields::count)?;
        let heads = fields.need("num_attention_heads", heads)?;
        if heads == 0 || !width.is_multiple_of(heads) {
            let expected = "a divisor of hidden_size";
            return Err(fields.error("num_attention_heads", ConfigProblem::NotA { expected }));
        }
        limited("hidden_size", width / heads)
    }

    /// The width of heads that `per_layer_config` gives to some layers.
    fn layer_head_dim(&self) -> Result<Option<usize>, Error> {
        let name = "per_layer_config";
        let Some(layers) = self.fields.object(name)? else { return Ok(None) };
        let path = self.fields.path(name);
        let mut found = None;
        for (layer, value) in layers {
            let object = value.as_object();
            let layer_path = format!("{path}.{layer}");
            let not = |expected| Error::Config {
                field: layer_path.clone(),
                problem: ConfigProblem::NotA { expected },
            };
            let object = object.ok_or_else(|| not("an object"))?;
            let head_dim = Fields::new(&layer_path, object).count("head_dim")?;
            if found.is_some() && head_dim.is_some() && found != head_dim {
                return Err(not("as wide as the other layers that it lists"));
            }
            found = found.or(head_dim);
        }
        Ok(found)
    }

    /// An error where a dictionary says something else than the field beside it; nested ones may.
    fn agree(
        &self,
        dict: &Fields<'_>,
        name: &str,
        kind: Option<&str>,
        outer: Option<f64>,
    ) -> Result<Option<f64>, Error> {
        match (dict.number(name)?, outer) {
            (Some(inner), Some(outer)) if kind.is_none() && inner != outer => Err(dict.error(
                name,
                ConfigProblem::Contradicts { other: format!("{name} outside of it") },
            )),
            (inner, outer) => Ok(inner.or(outer)),
        }
    }

    /// The rotated part of the head, where the config says it as a part.
    fn fraction(&self, dict: &Fields<'_>, kind: Option<&str>) -> Result<Option<f64>, Error> {
        let outer = self.fields.one_of(&PARTS, Fields::number)?;
        let fraction = self.agree(dict, "partial_rotary_factor", kind, outer)?;
        if fraction.is_none_or(|fraction| fraction > 0.0 && fraction <= 1.0) {
            Ok(fraction)
        } else {
            Err(dict.error(
                "partial_rotary_factor",
                ConfigProblem::NotA { expected: "above 0 and at most 1" },
            ))
        }
    }

    fn base(&self, dict: &Fields<'_>, kind: Option<&str>) -> Result<f64, Error> {
        let own_of_local =
            self.family.layers.local_base().filter(|_| kind == Some("sliding_attention"));
        let (names, default) = match own_of_local {
            Some(base) => (&LOCAL_BASES[..], Some(base)),
            None => (&GLOBAL_BASES[..], self.family.base),
        };
        let outer = self.fields.one_of(names, Fields::number)?;
        let base = self
            .fields
            .need("rope_theta", self.agree(dict, "rope_theta", kind, outer)?.or(default))?;
        self.checked_base("rope_theta", base * self.fields.number("rope_ratio")?.unwrap_or(1.0))
    }

    fn checked_base(&self, name: &str, base: f64) -> Result<f64, Error> {
        if base > 0.0 && base.is_finite() {
            Ok(base)
        } else {
            Err(self
                .fields
                .error(name, ConfigProblem::Invalid(Box::new(Error::InvalidBase { base }))))
        }
    }

    fn sections(&self, dict: &Fields<'_>) -> Result<Option<(Vec<usize>, Sections)>, Error> {
        let (qwen3_vl, qwen3_5) =
            (self.name.starts_with("qwen3_vl"), self.name.starts_with("qwen3_5"));
        // Qwen3-Omni calls it interleaved.
        let stated = dict.one_of(&["mrope_interleaved", "interleaved"], Fields::flag)?;
        let interleaved = stated.unwrap_or(qwen3_vl || qwen3_5);
        let sections = match dict.counts("mrope_section")? {
            None if qwen3_vl => vec![24, 20, 20],
            None if qwen3_5 => vec![11, 11, 10],
            None if self.name.starts_with("qwen2") && self.name.contains("_vl") => vec![16, 24, 24],
            None if interleaved => return Err(dict.error("mrope_section", ConfigProblem::Missing)),
            None => return Ok(None),
            Some(sections) => sections,
        };
        Ok(Some((sections, if interleaved { Sections::Interleaved } else { Sections::Chunked })))
    }

    /// The length trained on: in the dictionary, beside it, or, where `or_maximal`, the maximal
    /// one.
    fn original_len(&self, dict: &Fields<'_>, or_maximal: bool) -> Result<usize, Error> {
        let name = "original_max_position_embeddings";
        let found = match self.len(dict, name)? {
            None if or_maximal => self.len(dict, "max_position_embeddings")?,
            found => found,
        };
        dict.need(name, found)
    }

    /// A length in the dictionary or beside it.
    fn len(&self, dict: &Fields<'_>, name: &str) -> Result<Option<usize>, Error> {
        match (dict.count(name)?, self.fields.count(name)?) {
            (Some(inner), Some(outer)) if inner != outer => Err(dict.error(
                name,
                ConfigProblem::Contradicts { other: format!("{name} outside of it") },
            )),
            (inner, outer) => Ok(inner.or(outer)),
        }
    }

    /// transformers has dynamic NTK start at the maximal length; where another one is given, others
    /// start at that.
    fn dynamic_start(&self, dict: &Fields<'_>) -> Result<usize, Error> {
        let (name, maximal) = ("original_max_position_embeddings", "max_position_embeddings");
        let start = self.fields.need(maximal, self.len(dict, maximal)?)?;
        if self.len(dict, name)?.is_some_and(|original| original != start) {
            let fields = if dict.get(name).is_some() { dict } else { &self.fields };
            return Err(
                fields.error(name, ConfigProblem::Contradicts { other: maximal.to_string() })
            );
        }
        Ok(start)
    }

    fn scale(
        &self,
        spec: &mut RotarySpec,
        dict: &Fields<'_>,
        rope_type: &str,
        fraction: f64,
    ) -> Result<(), Error> {
        let factor = dict.number("factor")?;
        let needed = |name: &str| dict.need(name, dict.number(name)?);
        let mut attention = 1.0;
        spec.scaling = match rope_type {
            "linear" => Scaling::Linear { factor: needed("factor")? },
            "dynamic" => {
                let original_len = self.dynamic_start(dict)?;
                Scaling::DynamicNtk(DynamicNtk { factor: needed("factor")?, original_len })
            }
            "yarn" => {
                let yarn = self.yarn(dict, needed("factor")?)?;
                attention = yarn.default_attention_factor();
                if spec.on_last_features {
                    spec.softmax_factor = yarn.softmax_factor();
                    if !(spec.softmax_factor > 0.0 && spec.softmax_factor.is_finite()) {
                        let expected = "a number that gives a finite scale";
                        return Err(dict.error("mscale_all_dim", ConfigProblem::NotA { expected }));
                    }
                }
                Scaling::Yarn(yarn)
            }
            "llama3" => Scaling::Llama3(Llama3 {
                factor: needed("factor")?,
                low_freq_factor: needed("low_freq_factor")?,
                high_freq_factor: needed("high_freq_factor")?,
                original_len: self.original_len(dict, false)?,
            }),
            "longrope" => {
                let longrope = self.longrope(dict)?;
                let max_len = self.len(dict, "max_position_embeddings")?;
                let grown = max_len.map(|len| len as f64 / longrope.original_len as f64);
                let factor = self.fields.need("max_position_embeddings", factor.or(grown))?;
                attention = longrope.default_attention_factor(factor);
                Scaling::LongRope(longrope)
            }
            "proportional" => Scaling::Proportional { fraction, factor: factor.unwrap_or(1.0) },
            _ => Scaling::None,
        };
        let attention = dict.number("attention_factor")?.unwrap_or(attention);
        spec.attention_factor = dict.number("long_mscale")?.unwrap_or(attention);
        spec.short_attention_factor = dict.number("short_mscale")?.unwrap_or(attention);
        Ok(())
    }

    fn yarn(&self, dict: &Fields<'_>, factor: f64) -> Result<Yarn, Error> {
        let plain = Yarn::new(factor, self.original_len(dict, true)?);
        Ok(Yarn {
            beta_fast: dict.number("beta_fast")?.unwrap_or(plain.beta_fast),
            beta_slow: dict.number("beta_slow")?.unwrap_or(plain.beta_slow),
            truncate: dict.flag("truncate")?.unwrap_or(plain.truncate),
            mscale: dict.number("mscale")?.unwrap_or(plain.mscale),
            mscale_all_dim: dict.number("mscale_all_dim")?.unwrap_or(plain.mscale_all_dim),
            ..plain
        })
    }

    fn longrope(&self, dict: &Fields<'_>) -> Result<LongRope, Error> {
        let list = |name: &str| dict.need(name, dict.numbers(name)?);
        let original_len = self.original_len(dict, false)?;
        if original_len == 0 {
            let expected = "at least 1";
            return Err(
                dict.error("original_max_position_embeddings", ConfigProblem::NotA { expected })
            );
        }
        Ok(LongRope { short: list("short_factor")?, long: list("long_factor")?, original_len })
    }

    /// The query temperature of Llama 4 and Ministral 3.
    pub(super) fn temperature(
        &self,
        dict: Option<&RopeDict<'_>>,
    ) -> Result<Option<QueryTemperature>, Error> {
        let invalid =
            |name: &str, error| self.fields.error(name, ConfigProblem::Invalid(Box::new(error)));
        if self.name.starts_with("llama4") {
            // The first published configs have 4 for true.
            let tuning = match self.fields.get("attn_temperature_tuning") {
                Some(Value::Number(_)) => {
                    self.fields.number("attn_temperature_tuning")? != Some(0.0)
                }
                _ => self.fields.flag("attn_temperature_tuning")?.unwrap_or(true),
            };
            let scale = self.fields.number("attn_scale")?.unwrap_or(0.1);
            let floor = self.fields.number("floor_scale")?.unwrap_or(8192.0);
            let temperature = QueryTemperature::llama4(scale, floor)
                .map_err(|error| invalid("floor_scale", error))?;
            return Ok(tuning.then_some(temperature));
        }
        let Some((path, dict)) = dict else { return Ok(None) };
        let dict = Fields::new(path, dict);
        let Some(beta) = dict.number("llama_4_scaling_beta")? else { return Ok(None) };
        let original_len = self.original_len(&dict, false)?;
        let temperature = QueryTemperature::ministral3(beta, original_len);
        temperature.map(Some).map_err(|error| invalid("llama_4_scaling_beta", error))
    }
}

/// Makes the rotation once, so that a spec that exists can be followed.
pub(super) fn try_out(spec: &RotarySpec, dict: &Fields<'_>) -> Result<(), Error> {
    // Factors in tensors can be any.
    let filled = RotarySpec { divisors: Some(vec![1.0; spec.dim / 2]), ..spec.clone() };
    let spec = if matches!(spec.scaling, Scaling::LongRopeTensors) { &filled } else { spec };
    // A short length and a long one: LongRoPE has factors for each.
    for len in [1, 1 << 31] {
        spec.rotary(len)
            .map_err(|error| dict.error("", ConfigProblem::Invalid(Box::new(error))))?;
    }
    Ok(())
}
