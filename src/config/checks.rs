//! What a config must not say: things that contradict each other, or that would be passed over.

use serde_json::Value;

use super::RotarySpec;
use super::fields::Fields;
use super::reader::{Reader, rope_type};
use crate::error::ConfigProblem;
use crate::{Error, Pairing};

/// Parameters of scalings, and the types that use them.
const SCALING: [(&str, &[&str]); 13] = [
    ("factor", &["linear", "dynamic", "yarn", "longrope", "llama3", "proportional"]),
    ("attention_factor", &["yarn", "longrope"]),
    ("beta_fast", &["yarn"]),
    ("beta_slow", &["yarn"]),
    ("mscale", &["yarn"]),
    ("mscale_all_dim", &["yarn"]),
    ("truncate", &["yarn"]),
    ("short_factor", &["longrope"]),
    ("long_factor", &["longrope"]),
    ("short_mscale", &["longrope"]),
    ("long_mscale", &["longrope"]),
    ("low_freq_factor", &["llama3"]),
    ("high_freq_factor", &["llama3"]),
];

/// Fields of rotations, which belong into the part of a config that describes the language model.
const OF_TEXT: [&str; 23] = [
    "rope_parameters",
    "rope_scaling",
    "rope_theta",
    "rotary_emb_base",
    "global_rope_theta",
    "rope_local_base_freq",
    "local_rope_theta",
    "swa_rope_theta",
    "rope_ratio",
    "rope_interleave",
    "partial_rotary_factor",
    "rotary_pct",
    "rope_pct",
    "rotary_emb_fraction",
    "rotary_dim",
    "qk_nope_head_dim",
    "qk_rope_head_dim",
    "original_max_position_embeddings",
    "layer_types",
    "no_rope_layers",
    "hybrid_layer_pattern",
    "position_embedding_type",
    "alibi",
];

/// Fields of rotations that are read wherever they are, besides [`OF_TEXT`]; the last one only says
/// whether there are sections.
const OTHERS: [&str; 3] = ["rotary_emb_interleaved", "original_rope", "use_mrope"];

/// An error where a config of an unknown class has a field that speaks of rotations and is not read
/// here. What is null or true says nothing that would change them.
pub(super) fn nothing_else(fields: &Fields<'_>) -> Result<(), Error> {
    let speaks = |name: &str| name.contains("rope") || name.contains("rotary");
    // A list of layers says all that its interval says.
    let is_listed =
        |name: &str| name == "no_rope_layer_interval" && fields.get("no_rope_layers").is_some();
    let is_read = |name: &str| OF_TEXT.contains(&name) || OTHERS.contains(&name) || is_listed(name);
    let is_said = |name: &str| fields.get(name).is_some_and(|value| *value != Value::Bool(true));
    match fields.names().find(|name| speaks(name) && !is_read(name) && is_said(name)) {
        Some(name) => Err(fields.error(name, ConfigProblem::Unknown { found: name.to_string() })),
        None => Ok(()),
    }
}

/// Whether there are parameters of a scaling.
pub(super) fn scales(dict: &Fields<'_>) -> bool {
    SCALING.iter().any(|(name, _)| dict.get(name).is_some())
}

/// An error where a parameter belongs to another type, and is not a factor of 1.
pub(super) fn unused(dict: &Fields<'_>, rope_type: &str) -> Result<(), Error> {
    let is_one = |name: &str| dict.get(name).and_then(Value::as_f64) == Some(1.0);
    for (name, types) in SCALING {
        let neutral = matches!(name, "factor" | "attention_factor") && is_one(name);
        if dict.get(name).is_some() && !types.contains(&rope_type) && !neutral {
            return Err(dict.error(
                name,
                ConfigProblem::Contradicts { other: format!("the type {rope_type}") },
            ));
        }
    }
    Ok(())
}

/// An error where the root of a multimodal config says of rotations what its `text_config` does not
/// say: transformers does not read it, and older versions wrote the same in both.
pub(super) fn root_agrees(root: &Fields<'_>, text: &Fields<'_>) -> Result<(), Error> {
    for name in OF_TEXT {
        let Some(value) = root.get(name) else { continue };
        let dicts = ["rope_parameters", "rope_scaling"];
        let dict = dicts.into_iter().find_map(|dict| text.get(dict));
        let inside = || dict.and_then(|dict| dict.get(name)).filter(|value| !value.is_null());
        match if dicts.contains(&name) { dict } else { text.get(name).or_else(inside) } {
            None => {
                return Err(
                    root.error(name, ConfigProblem::NotA { expected: "inside text_config" })
                );
            }
            Some(found) if !agree(value, found) => {
                return Err(root
                    .error(name, ConfigProblem::Contradicts { other: "text_config".to_string() }));
            }
            Some(_) => {}
        }
    }
    Ok(())
}

/// Whether two values say the same; dictionaries by either name of their type and its aliases, and
/// the base of only one counts.
fn agree(a: &Value, b: &Value) -> bool {
    if let (Some(a), Some(b)) = (a.as_f64(), b.as_f64()) {
        return a == b;
    }
    let (Some(x), Some(y)) = (a.as_object(), b.as_object()) else { return a == b };
    let kind = |value: &Value| {
        let found = ["rope_type", "type"].into_iter().find_map(|name| value.get(name)?.as_str());
        found.map_or(Some("default"), rope_type)
    };
    let said =
        |value: &Value, name: &str| value.get(name).filter(|value| !value.is_null()).cloned();
    let same = |name: &String| match (said(a, name), said(b, name)) {
        (Some(a), Some(b)) => agree(&a, &b),
        (None, None) => true,
        _ => name == "rope_theta",
    };
    kind(a) == kind(b) && x.keys().chain(y.keys()).filter(|name| !name.ends_with("type")).all(same)
}

/// Whether a model rotates at all.
pub(super) fn rotates(reader: &Reader<'_>) -> Result<bool, Error> {
    let fields = &reader.fields;
    // Kimi Linear's latent attention has no positions.
    if fields.flag("alibi")? == Some(true) || fields.flag("mla_use_nope")? == Some(true) {
        return Ok(false);
    }
    // The first ChatGLM has two positions for each token; no published one has another than the
    // original rotation.
    for (name, needed) in [("position_encoding_2d", false), ("original_rope", true)] {
        if fields.flag(name)?.is_some_and(|found| found != needed) {
            let expected = if needed { "true" } else { "false" };
            return Err(fields.error(name, ConfigProblem::NotA { expected }));
        }
    }
    let name = "position_embedding_type";
    let pairing = match fields.text(name)? {
        None | Some("rope" | "rotary") => return Ok(true),
        Some("nope" | "alibi") => return Ok(false),
        // BERT's, which ModernBERT's configs have and its class does not read
        Some("absolute") if reader.name == "modernbert" => return Ok(true),
        // Cohere's configs have the first.
        Some("rope_gptj") => Pairing::Interleaved,
        Some("rope_gpt_neox") => Pairing::Halves,
        Some(other) => {
            return Err(fields.error(name, ConfigProblem::Unknown { found: other.to_string() }));
        }
    };
    if pairing == reader.pairing()? {
        return Ok(true);
    }
    Err(fields
        .error(name, ConfigProblem::Contradicts { other: reader.source_of_pairing().to_string() }))
}

/// For each layer 1 where it has positions and 0 where not, where the config lists them.
pub(super) fn no_rope_layers(fields: &Fields<'_>) -> Result<Option<Vec<usize>>, Error> {
    Ok(zeros_and_ones(fields, "no_rope_layers")?.filter(|list| !list.is_empty()))
}

/// For each layer 1 where it is a sliding one and 0 where not, where the config lists them
/// (MiMo-V2).
pub(super) fn hybrid_layers(fields: &Fields<'_>) -> Result<Option<Vec<usize>>, Error> {
    zeros_and_ones(fields, "hybrid_layer_pattern")
}

fn zeros_and_ones(fields: &Fields<'_>, name: &str) -> Result<Option<Vec<usize>>, Error> {
    match fields.counts(name)? {
        Some(list) if list.iter().any(|&number| number > 1) => {
            Err(fields.error(name, ConfigProblem::NotA { expected: "a list of 0 and 1" }))
        }
        list => Ok(list),
    }
}

/// An error where `no_rope_layers` lists other layers without positions than the types of layers
/// give.
pub(super) fn no_rope_agrees(
    fields: &Fields<'_>,
    types: &[(String, Option<RotarySpec>)],
    layers: &[usize],
) -> Result<(), Error> {
    let Some(list) = no_rope_layers(fields)? else { return Ok(()) };
    let found = layers.iter().map(|&kind| usize::from(types[kind].1.is_some()));
    if found.eq(list) {
        return Ok(());
    }
    let other = "the types of layers".to_string();
    Err(fields.error("no_rope_layers", ConfigProblem::Contradicts { other }))
}
