//! Checks for contradictions in a config, and for fields that would be ignored.

use serde_json::{Map, Value};

use super::family::Layers;
use super::fields::{Role, field, is_of_config, named, of_text, rope_type};
use super::json::Fields;
use super::reader::Reader;
use crate::error::Error;
use crate::rotary::Pairing;

/// Checks that a config of an unknown class has no field about rotations that is not read here. A
/// value of null or true changes nothing and is allowed.
pub(super) fn nothing_else(fields: &Fields<'_>) -> Result<(), Error> {
    let speaks = |name: &str| name.contains("rope") || name.contains("rotary");
    // A list of layers contains all that its interval states.
    let is_listed = |name: &str| {
        *name == field::NO_ROPE_LAYER_INTERVAL && fields.get(field::NO_ROPE_LAYERS).is_some()
    };
    let is_read = |name: &str| is_of_config(name) || is_listed(name);
    let is_said = |value: &Value| !value.is_null() && *value != Value::Bool(true);
    let mut all = fields.object_of().iter();
    match all.find(|(name, value)| speaks(name) && !is_read(name) && is_said(value)) {
        Some((name, _)) => Err(fields.unknown(name, name)),
        None => Ok(()),
    }
}

/// Checks that the root of a multimodal config says nothing about rotations that its `text_config`
/// does not say: transformers does not read the root, and older versions wrote the same in both.
pub(super) fn root_agrees(root: &Fields<'_>, text: &Fields<'_>, path: &str) -> Result<(), Error> {
    let dict = named(Role::Parameters).find_map(|name| text.get(name));
    for name in of_text() {
        let Some(value) = root.get(name) else { continue };
        let inside = || dict.and_then(|dict| dict.get(&*name)).filter(|value| !value.is_null());
        let found = if named(Role::Parameters).any(|dict| dict == name) {
            dict
        } else {
            text.get(name).or_else(inside)
        };
        match found {
            None => return Err(root.not_a(name, "inside text_config")),
            Some(found) if !agree(value, found) => {
                return Err(root.contradicts(name, path));
            }
            Some(_) => {}
        }
    }
    Ok(())
}

/// Returns true if two values mean the same. Dictionaries may use either name of their type and its
/// aliases, and a base that only one of them has is not compared. Each value is compared once,
/// however deeply it is nested.
fn agree(a: &Value, b: &Value) -> bool {
    if let (Some(a), Some(b)) = (a.as_f64(), b.as_f64()) {
        return a == b;
    }
    let (Some(a), Some(b)) = (a.as_object(), b.as_object()) else { return a == b };
    let kind = |dict: &Map<String, Value>| {
        let found = named(Role::Kind).find_map(|name| dict.get(&*name)?.as_str());
        found.map_or(Some("default"), rope_type)
    };
    fn said<'v>(dict: &'v Map<String, Value>, name: &str) -> Option<&'v Value> {
        dict.get(name).filter(|value| !value.is_null())
    }
    let same = |name: &String| match (said(a, name), said(b, name)) {
        (Some(a), Some(b)) => agree(a, b),
        (None, None) => true,
        _ => **name == field::ROPE_THETA,
    };
    let only_in_b = b.keys().filter(|name| !a.contains_key(*name));
    kind(a) == kind(b) && a.keys().chain(only_in_b).filter(|name| !name.ends_with("type")).all(same)
}

/// Returns true if a model rotates in any layer.
pub(super) fn rotates(reader: &Reader<'_>) -> Result<bool, Error> {
    let fields = &reader.fields;
    if reader.family.layers == Layers::NONE {
        return Ok(false);
    }
    // `mla_use_nope`: latent attention without positions.
    for name in [field::ALIBI, field::USE_ALIBI, field::MLA_USE_NOPE] {
        if fields.flag(name)? == Some(true) {
            return Ok(false);
        }
    }
    if let Some(name) = reader.family.rotates_if
        && fields.flag(name)? != Some(true)
    {
        return Ok(false);
    }
    if let Some(layers) = reader.family.still_layers
        && fields.of_role(Role::LayerCount, Fields::count)? == Some(layers)
    {
        return Ok(false);
    }
    // Two positions for each token, and a rotation of another kind: no known model is published
    // with these.
    for (name, needed) in [(field::POSITION_ENCODING_2D, false), (field::ORIGINAL_ROPE, true)] {
        if fields.flag(name)?.is_some_and(|found| found != needed) {
            return Err(fields.not_a(name, if needed { "true" } else { "false" }));
        }
    }
    let name = field::POSITION_EMBEDDING_TYPE;
    let pairing = match fields.text(name)? {
        None if reader.family.rotates_if_typed => return Ok(false),
        Some("absolute") if reader.family.rotates_if_typed => return Ok(false),
        None | Some("rope" | "rotary") => return Ok(true),
        Some("nope" | "alibi") => return Ok(false),
        found if found == reader.family.unread_type => return Ok(true),
        Some("rope_gptj") => Pairing::Interleaved,
        Some("rope_gpt_neox") => Pairing::Halves,
        Some(other) => return Err(fields.unknown(name, other)),
    };
    if pairing == reader.pairing()? {
        return Ok(true);
    }
    Err(fields.contradicts(name, reader.source_of_pairing()))
}
