//! The rotations of a model's layers, from transformers' `config.json`.

use serde_json::{Map, Value};

use super::RotarySpec;
use super::checks::{
    hybrid_layers, no_rope_agrees, no_rope_layers, nothing_else, root_agrees, rotates,
};
use super::families::{Family, Layers, of_model_type};
use super::fields::Fields;
use super::reader::{KNOWN, LOCAL_BASES, Reader, RopeDict, rope_dict};
use crate::error::ConfigProblem;
use crate::rotary::QueryTemperature;
use crate::{Error, Pairing};

/// More layers or features than any model has: a limit for configs that are not what they seem.
pub(super) const LIMIT: usize = 1 << 16;

/// The same for types of layers, each of which costs as much as a model.
const MOST_TYPES: usize = 32;

/// The rotations of a model, one for each type of layer; `None` for layers without positions
/// (NoPE).
///
/// Reads the `config.json` of transformers 4 (`rope_theta`, `rope_scaling`, …) and 5
/// (`rope_parameters`), with each model family's own conventions and defaults where the config says
/// nothing. Where it says something that this crate does not know, lacks something, or contradicts
/// itself, that is an error which names the field: nothing is silently taken for the default.
///
/// A `partial_rotary_factor` gives ⌊head · factor⌋ features, as in transformers (MiMo-V2's 0.334 of
/// 192 are 64). Where that is odd, one feature more is rotated and the odd number stays in the
/// exponents, as transformers has it; it is an error with the classes that cannot (Phi, StableLM,
/// Persimmon), with scalings that count features (dynamic, YaRN), and where it is the whole head.
///
/// ```
/// use positional_encodings::config::ModelRotary;
///
/// let config = r#"{
///     "model_type": "llama", "hidden_size": 4096, "num_attention_heads": 32, "num_hidden_layers": 32,
///     "rope_theta": 500000.0, "max_position_embeddings": 131072,
///     "rope_scaling": {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
///                      "original_max_position_embeddings": 8192}
/// }"#;
/// let model = ModelRotary::from_json(config)?;
/// let rotary = model.layer(0).unwrap().unwrap().rotary(4096)?;
/// assert_eq!(rotary.dim(), 128);
///
/// let error = ModelRotary::from_json(&config.replace("llama3", "lama3")).unwrap_err();
/// assert_eq!(error.to_string(), "config field rope_scaling.rope_type: \"lama3\" is not known");
/// # Ok::<(), positional_encodings::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct ModelRotary {
    pub(super) types: Vec<(String, Option<RotarySpec>)>,
    /// The type of each layer; empty where the config has no number of layers.
    pub(super) layers: Vec<usize>,
    pub(super) temperature: Option<QueryTemperature>,
}

impl ModelRotary {
    /// From the text of a `config.json` whose `model_type` this crate knows. Of a multimodal
    /// config, its `text_config` is read.
    ///
    /// # Errors
    ///
    /// [`Error::Config`].
    ///
    /// ```
    /// use positional_encodings::config::ModelRotary;
    ///
    /// let model = ModelRotary::from_json(r#"{"model_type": "qwen2", "head_dim": 64, "rope_theta": 1e6}"#)?;
    /// assert_eq!(model.only().unwrap().rotary(0)?.dim(), 64);
    /// let error = ModelRotary::from_json(r#"{"model_type": "qwen9"}"#).unwrap_err();
    /// assert_eq!(error.to_string(), "config field model_type: \"qwen9\" is not known");
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn from_json(text: &str) -> Result<Self, Error> {
        let root = parse(text)?;
        let (path, object) = text_part(&root)?;
        let fields = Fields::new(path, object);
        let name = fields.need("model_type", fields.text("model_type")?)?;
        let unknown =
            || fields.error("model_type", ConfigProblem::Unknown { found: name.to_string() });
        let family = of_model_type(name).ok_or_else(unknown)?;
        read(&Reader { fields, family, name })
    }

    /// The same for a model of any other type, whose pairing the caller knows. The config must have
    /// a `rope_theta`, and no field that speaks of a rotation and is not known here.
    ///
    /// # Errors
    ///
    /// [`Error::Config`].
    ///
    /// ```
    /// use positional_encodings::{Pairing, config::ModelRotary};
    ///
    /// let config = r#"{"model_type": "new", "head_dim": 64, "rope_parameters": {"rope_type": "default", "rope_theta": 1e6}}"#;
    /// assert!(ModelRotary::from_json(config).is_err());
    /// let model = ModelRotary::from_json_with_pairing(config, Pairing::Halves)?;
    /// assert_eq!(model.only().unwrap().base, 1e6);
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn from_json_with_pairing(text: &str, pairing: Pairing) -> Result<Self, Error> {
        let root = parse(text)?;
        let (path, object) = text_part(&root)?;
        let layers = Layers::Same;
        let family =
            Family { pairing, base: None, fraction: 1.0, head_dim: None, layers, parameters: None };
        let fields = Fields::new(path, object);
        nothing_else(&fields)?;
        read(&Reader { fields, family, name: "" })
    }

    /// The types of layers with their rotations, `None` where a type has no positions. Models whose
    /// layers are all the same have one type, named `all`.
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

    /// The rotation of a type of layer; `None` where there is no such type, `Some(None)` where it
    /// has no positions.
    ///
    /// ```
    /// use positional_encodings::config::ModelRotary;
    ///
    /// let gemma3 = r#"{"model_type": "gemma3_text", "head_dim": 256, "num_hidden_layers": 6}"#;
    /// let model = ModelRotary::from_json(gemma3)?;
    /// assert_eq!(model.layer_type("sliding_attention").unwrap().unwrap().base, 10_000.0);
    /// assert_eq!(model.layer_type("chunked_attention"), None);
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn layer_type(&self, name: &str) -> Option<Option<&RotarySpec>> {
        self.types().find(|(found, _)| *found == name).map(|(_, spec)| spec)
    }

    /// The rotation of a layer, counted from 0; `None` where there is no such layer or the config
    /// does not say how many there are, `Some(None)` where the layer has no positions.
    ///
    /// ```
    /// use positional_encodings::config::ModelRotary;
    ///
    /// let gemma3 = r#"{"model_type": "gemma3_text", "head_dim": 256, "num_hidden_layers": 6}"#;
    /// let model = ModelRotary::from_json(gemma3)?;
    /// assert_eq!(model.layer(4), model.layer_type("sliding_attention"));
    /// assert_eq!(model.layer(5), model.layer_type("full_attention"));
    /// assert_eq!(model.layer(6), None);
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn layer(&self, index: usize) -> Option<Option<&RotarySpec>> {
        self.layers.get(index).map(|&kind| self.types[kind].1.as_ref())
    }

    /// The rotation of a model that has only one.
    ///
    /// ```
    /// use positional_encodings::config::ModelRotary;
    ///
    /// let gemma3 = r#"{"model_type": "gemma3_text", "head_dim": 256, "num_hidden_layers": 6}"#;
    /// let model = ModelRotary::from_json(gemma3)?;
    /// assert_eq!(model.only(), None); // it has two
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn only(&self) -> Option<&RotarySpec> {
        match &self.types[..] {
            [(_, spec)] => spec.as_ref(),
            _ => None,
        }
    }

    /// The temperature of queries: in Llama 4 that of the layers without positions, in Ministral 3
    /// of all.
    ///
    /// ```
    /// use positional_encodings::config::ModelRotary;
    ///
    /// let llama4 = ModelRotary::from_json(r#"{"model_type": "llama4_text", "num_hidden_layers": 48}"#)?;
    /// let temperature = llama4.query_temperature().unwrap();
    /// assert_eq!(temperature.factors(&(8191..8192).into())?, [1.0 + 0.1 * 2_f64.ln()]);
    /// assert_eq!(llama4.layer(3), Some(None)); // one of the layers that it is for
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn query_temperature(&self) -> Option<QueryTemperature> {
        self.temperature
    }
}

fn parse(text: &str) -> Result<Map<String, Value>, Error> {
    let error = |problem| Error::Config { field: "config".to_string(), problem };
    let syntax =
        |e: serde_json::Error| error(ConfigProblem::Syntax { line: e.line(), column: e.column() });
    match serde_json::from_str(text).map_err(syntax)? {
        Value::Object(object) => Ok(object),
        _ => Err(error(ConfigProblem::NotA { expected: "an object" })),
    }
}

/// The part of a config that describes the language model. Its root must not say anything else of
/// rotations.
fn text_part(root: &Map<String, Value>) -> Result<(&'static str, &Map<String, Value>), Error> {
    let fields = Fields::new("", root);
    fields.text("model_type")?;
    let Some(text) = fields.object("text_config")? else { return Ok(("", root)) };
    root_agrees(&fields, &Fields::new("text_config", text))?;
    Ok(("text_config", text))
}

fn read(reader: &Reader<'_>) -> Result<ModelRotary, Error> {
    let fields = &reader.fields;
    let own = reader.family.parameters.map(parse).transpose()?;
    for name in ["hidden_size", "num_attention_heads", "head_dim", "max_position_embeddings"] {
        // Whether they are needed or not
        fields.count(name)?;
    }
    let is_nested = |dict: &Map<String, Value>| {
        dict.iter().any(|(name, value)| value.is_object() && !KNOWN.contains(&&**name))
    };
    let dict: Option<RopeDict<'_>> = match (rope_dict(fields)?, &own) {
        (None, Some(own)) => Some((fields.path("rope_parameters"), own)),
        (dict, _) => dict,
    };
    let types = match &dict {
        _ if !rotates(reader)? => vec![("all".to_string(), None)],
        Some((path, dict)) if is_nested(dict) => nested(reader, path, dict)?,
        // A class whose own parameters are nested reads no others.
        Some((path, dict)) if own.as_ref().is_some_and(is_nested) => {
            return Err(Fields::new(path, dict).error("full_attention", ConfigProblem::Missing));
        }
        Some((path, dict)) => flat(reader, Some(Fields::new(path, dict)))?,
        None => flat(reader, None)?,
    };
    let layers = layers(reader, &types)?;
    no_rope_agrees(fields, &types, &layers)?;
    Ok(ModelRotary { types, layers, temperature: reader.temperature(dict.as_ref())? })
}

type Types = Vec<(String, Option<RotarySpec>)>;

/// v5: a dictionary for each type of layer, null for layers without positions.
fn nested(reader: &Reader<'_>, path: &str, dict: &Map<String, Value>) -> Result<Types, Error> {
    // Gemma 3, OLMo 3 and ModernBERT take a type that is null or not there for one without scaling.
    let family = reader.family;
    let has_both = matches!(family.layers, Layers::LastOfEach { .. } | Layers::FirstOfEach { .. });
    let fills = has_both && family.parameters.is_none();
    let empty = Map::new();
    let mut types = Vec::new();
    if dict.len() > MOST_TYPES {
        let problem = ConfigProblem::NotA { expected: "at most 32 types of layers" };
        return Err(Error::Config { field: path.to_string(), problem });
    }
    for (name, value) in dict {
        let own = format!("{path}.{name}");
        let spec = |object| reader.spec(Some(Fields::new(&own, object)), Some(name)).map(Some);
        let spec = match value {
            // Saved beside the types by some versions, and without meaning there.
            Value::Null if KNOWN.contains(&&**name) => continue,
            Value::String(kind) if kind == "default" && matches!(&**name, "rope_type" | "type") => {
                continue;
            }
            _ if KNOWN.contains(&&**name) => {
                let problem = ConfigProblem::NotA { expected: "inside a type of layers" };
                return Err(Error::Config { field: own, problem });
            }
            Value::Null if fills => spec(&empty)?,
            Value::Null => None,
            Value::Object(object) => spec(object)?,
            _ => {
                return Err(Error::Config {
                    field: own,
                    problem: ConfigProblem::NotA { expected: "an object or null" },
                });
            }
        };
        types.push((name.clone(), spec));
    }
    for name in ["full_attention", "sliding_attention"] {
        if fills && !dict.contains_key(name) {
            types.push((name.to_string(), Some(reader.spec(None, Some(name))?)));
        }
    }
    Ok(types)
}

/// v4, and v5 where all layers with positions share them.
fn flat(reader: &Reader<'_>, dict: Option<Fields<'_>>) -> Result<Types, Error> {
    let fields = &reader.fields;
    let spec = reader.spec(dict, None)?;
    let named = |name: &str, spec| (name.to_string(), spec);
    let local = fields.one_of(&LOCAL_BASES, Fields::number)?;
    let local = match reader.family.layers {
        // ModernBERT's null is the base of the global layers.
        Layers::FirstOfEach { .. } if fields.is_null("local_rope_theta") => Some(spec.base),
        Layers::LastOfEach { local_base, .. } | Layers::FirstOfEach { local_base, .. } => {
            Some(local.or(local_base).unwrap_or(spec.base))
        }
        _ => local,
    };
    if let Some(base) = local {
        let sliding = reader.local(&spec, base)?;
        return Ok(vec![
            named("full_attention", Some(spec)),
            named("sliding_attention", Some(sliding)),
        ]);
    }
    Ok(match reader.family.layers {
        // Without a window, all layers of EXAONE 4 are full ones with positions.
        Layers::SlidingOnly { .. }
            if reader.name == "exaone4" && fields.is_null("sliding_window") =>
        {
            vec![named("all", Some(spec))]
        }
        Layers::SlidingOnly { .. } if fields.is_null("sliding_window") => {
            return Err(fields.error("sliding_window", ConfigProblem::Missing));
        }
        Layers::LinearBetween { .. } => {
            vec![named("full_attention", Some(spec)), named("linear_attention", None)]
        }
        Layers::SlidingOnly { .. } => {
            vec![named("full_attention", None), named("sliding_attention", Some(spec))]
        }
        _ if fields.get("no_rope_layers").is_some()
            || matches!(reader.family.layers, Layers::NoneInEach { .. }) =>
        {
            vec![named("rope", Some(spec)), named("no_rope", None)]
        }
        _ => vec![named("all", Some(spec))],
    })
}

/// One in how many layers is another, and the name of the field that says so.
fn every(reader: &Reader<'_>) -> Result<usize, Error> {
    let fields = &reader.fields;
    let (name, default) = match reader.family.layers {
        Layers::Same => return Ok(1),
        Layers::LastOfEach { every, .. } | Layers::SlidingOnly { every } => {
            ("sliding_window_pattern", every)
        }
        Layers::FirstOfEach { every, .. } => ("global_attn_every_n_layers", every),
        Layers::NoneInEach { every } => ("no_rope_layer_interval", every),
        Layers::LinearBetween { every } => ("full_attention_interval", every),
    };
    let found = match fields.get(name) {
        // EXAONE's "LLLG": local, local, local, global
        Some(Value::String(pattern)) => pattern
            .strip_suffix('G')
            .filter(|local| local.bytes().all(|layer| layer == b'L'))
            .map(|_| pattern.len()),
        _ => Some(fields.count(name)?.unwrap_or(default)),
    };
    let expected = "a whole number from 1, or local layers and a global one as in LLLG";
    found
        .filter(|&every| every > 0)
        .ok_or_else(|| fields.error(name, ConfigProblem::NotA { expected }))
}

/// The type of each layer.
fn layers(reader: &Reader<'_>, types: &Types) -> Result<Vec<usize>, Error> {
    let fields = &reader.fields;
    let count = fields.one_of(&["num_hidden_layers", "n_layer", "num_layers"], Fields::count)?;
    if count.is_some_and(|count| count > LIMIT) {
        return Err(
            fields.error("num_hidden_layers", ConfigProblem::NotA { expected: "at most 65536" })
        );
    }
    let find = |name: &str| types.iter().position(|(known, _)| known == name);
    let list = layers_listed(fields, types, find)?;
    if let (Some(list), Some(count)) = (&list, count)
        && list.len() != count
    {
        let other = "the list of layers".to_string();
        return Err(fields.error("num_hidden_layers", ConfigProblem::Contradicts { other }));
    }
    if let Some(list) = list {
        return Ok(with_last_full(reader, list, find("full_attention")));
    }
    if is_uniform(types) {
        return Ok(vec![0; count.unwrap_or(0)]);
    }
    let (full, other) =
        (find("full_attention"), find("sliding_attention").or(find("linear_attention")));
    let every = every(reader)?;
    let kind = |index: usize| match reader.family.layers {
        Layers::LastOfEach { .. } | Layers::SlidingOnly { .. } | Layers::LinearBetween { .. } => {
            if (index + 1).is_multiple_of(every) {
                full
            } else {
                other
            }
        }
        Layers::FirstOfEach { .. } => {
            if index.is_multiple_of(every) {
                full
            } else {
                other
            }
        }
        Layers::NoneInEach { .. } => {
            find(if (index + 1).is_multiple_of(every) { "no_rope" } else { "rope" })
        }
        Layers::Same => None,
    };
    let layers: Option<Vec<usize>> = (0..count.unwrap_or(0)).map(kind).collect();
    let layers = layers.ok_or_else(|| fields.error("layer_types", ConfigProblem::Missing))?;
    Ok(with_last_full(reader, layers, full))
}

/// The last layer of Gemma 4 is a full one, whatever its config says.
fn with_last_full(reader: &Reader<'_>, mut layers: Vec<usize>, full: Option<usize>) -> Vec<usize> {
    if let (true, Some(last), Some(full)) =
        (reader.name.starts_with("gemma4"), layers.last_mut(), full)
    {
        *last = full;
    }
    layers
}

/// The types as `layer_types` or `no_rope_layers` list them.
fn layers_listed(
    fields: &Fields<'_>,
    types: &Types,
    find: impl Fn(&str) -> Option<usize>,
) -> Result<Option<Vec<usize>>, Error> {
    if let (Some(list), Some(_)) = (no_rope_layers(fields)?, find("no_rope")) {
        // 1 is a layer with positions.
        let kind = |&with: &usize| find(if with == 0 { "no_rope" } else { "rope" });
        return Ok(list.iter().map(kind).collect());
    }
    let Some(names) = fields.texts("layer_types")? else {
        let (full, sliding) = (find("full_attention"), find("sliding_attention"));
        let list = hybrid_layers(fields)?.filter(|_| !is_uniform(types));
        let kind = |slides: usize| if slides == 0 { full } else { sliding };
        return Ok(list.and_then(|list| list.into_iter().map(kind).collect()));
    };
    if is_uniform(types) {
        return Ok(Some(vec![0; names.len()]));
    }
    if find("no_rope").is_some() {
        return Ok(None);
    }
    let unknown = |name: &str| {
        fields.error("layer_types", ConfigProblem::Unknown { found: name.to_string() })
    };
    names
        .into_iter()
        .map(|name| find(name).ok_or_else(|| unknown(name)))
        .collect::<Result<_, _>>()
        .map(Some)
}

/// Whether all layers share their positions, whatever else tells them apart.
fn is_uniform(types: &Types) -> bool {
    matches!(&types[..], [(name, _)] if name == "all")
}
