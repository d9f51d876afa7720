//! The part of a config that is read, and the family of its type.

use serde_json::{Map, Value};

use super::checks::{nothing_else, root_agrees};
use super::families::biases::row_of;
use super::families::of_model_type;
use super::families::parts::{has_parts, text_type};
use super::family::{Family, HALVES, NEIGHBOURS};
use super::fields::{Name, Role, field, named as names_of};
use super::json::{Fields, parse};
use super::layers::{LayerTypes, read};
use super::parts::Part;
use super::reader::Reader;
use super::spec::RopeRatio;
use crate::error::{ConfigProblem, Error};
use crate::rotary::Pairing;

/// The text of a config, and what the caller adds to it.
#[derive(Clone, Copy, Default)]
pub(super) struct Source<'a> {
    pub(super) text: &'a str,
    /// The part to read, by default the language model.
    pub(super) part: Option<&'a str>,
    pub(super) pairing: Option<Pairing>,
    pub(super) ratio: Option<RopeRatio>,
}

impl Source<'_> {
    /// Reads the selected part of the config.
    pub(super) fn read(&self) -> Result<LayerTypes, Error> {
        let root = parse(self.text)?;
        let whole = Part::whole(&root)?;
        let part = match self.part {
            Some(path) => named(whole, path)?,
            None => text(whole)?,
        };
        let (family, is_given) = self.family(&part)?;
        let kind = if is_given { "" } else { part.kind.unwrap_or_default() };
        let mut own = completed(part.object, &family, kind);
        let listed = layer_types(&Fields::new(&part.path, &own), &family)?;
        own.extend(listed.map(|names| (field::LAYER_TYPES.to_string(), Value::from(names))));
        let fields = Fields::new(&part.path, &own);
        let reader = Reader { fields, family, is_given, ratio: self.ratio };
        read(&reader)
    }

    /// Returns the family of a part, and whether it rests on the caller's pairing alone.
    fn family(&self, part: &Part<'_>) -> Result<(Family, bool), Error> {
        let (fields, name) = (Fields::new(&part.path, part.object), field::MODEL_TYPE);
        let known = part.kind.and_then(of_model_type);
        if let Some(reason) = known.and_then(|family| family.reason) {
            return Err(fields.not_read(name, reason));
        }
        match (known.map(|family| without_latent(&fields, family)).transpose()?, self.pairing) {
            (Some(family), None) => Ok((family, false)),
            (Some(family), Some(pairing)) => {
                let reader = Reader { fields, family, is_given: false, ratio: self.ratio };
                match reader.pairing()? {
                    own if own == pairing => Ok((family, false)),
                    _ => Err(fields.contradicts(name, "the pairing given")),
                }
            }
            (None, Some(pairing)) => {
                nothing_else(&fields)?;
                let given = if pairing == Pairing::Halves { HALVES } else { NEIGHBOURS };
                Ok((given.needs_base(), true))
            }
            (None, None) => match part.kind {
                None => Err(fields.error(name, ConfigProblem::Missing)),
                Some(kind) if has_parts(kind) => {
                    let reason = "its parts have configs and rotations of their own: read one of them \
                        with from_json_part";
                    Err(fields.not_read(name, reason))
                }
                Some(kind) if row_of(kind).is_some() => {
                    let reason = "models of this type rotate nothing: ModelPositions::from_json says \
                        whether they have a bias, and Checkpoint reads tables that are added";
                    Err(fields.not_read(name, reason))
                }
                Some(kind) => Err(fields.unknown(name, kind)),
            },
        }
    }
}

/// Returns a family with latent heads as one with plain heads, if the config says so (`use_mla`).
fn without_latent(fields: &Fields<'_>, family: Family) -> Result<Family, Error> {
    let plain = family.latent.is_some() && fields.flag(field::USE_MLA)? == Some(false);
    let halves = Family { pairing: Pairing::Halves, ..family };
    Ok(if plain { halves } else { family })
}

/// Returns the part of that path.
fn named<'a>(whole: Part<'a>, path: &str) -> Result<Part<'a>, Error> {
    let mut part = whole;
    for name in path.split('.') {
        let missing = Fields::new(&part.path, part.object).error(name, ConfigProblem::Missing);
        part = part.part(name)?.ok_or(missing)?;
    }
    Ok(part)
}

/// Returns the part that describes the language model. The objects around it must not contradict it
/// about rotations.
fn text(whole: Part<'_>) -> Result<Part<'_>, Error> {
    let refused = whole.kind.and_then(of_model_type).and_then(|family| family.reason);
    if let Some(reason) = refused {
        return Err(Fields::new("", whole.object).not_read(field::MODEL_TYPE, reason));
    }
    let mut way = whole.to_text()?;
    let Some(text) = way.pop() else { return Ok(whole) };
    let inner = Fields::new(&text.path, text.object);
    for outer in [whole].iter().chain(&way) {
        root_agrees(&Fields::new(&outer.path, outer.object), &inner, &text.path)?;
    }
    Ok(text)
}

/// Returns the fields of a config in the usual form: fields with other names in the family are
/// renamed, fields that its class does not read are left out, and the sizes of the class are filled
/// in.
fn completed(object: &Map<String, Value>, family: &Family, kind: &str) -> Map<String, Value> {
    let mut fields = object.clone();
    for name in family.unread {
        fields.remove(&**name);
    }
    for (from, to) in family.renamed {
        let value = match from.split_once('.') {
            Some((part, name)) => object.get(part).and_then(|part| part.get(name)),
            None => object.get(*from),
        };
        if let Some(value) = value.filter(|value| !value.is_null()) {
            fields.insert((*to).to_string(), value.clone());
        }
    }
    if let Some(own) = family.sizes.or_else(|| of_model_type(text_type(kind)?)?.sizes) {
        let said = |name: Name| fields.get(&*name).is_some_and(is_some);
        let absent = |role| !names_of(role).any(said);
        let mut missing = Vec::new();
        if absent(Role::Width) && absent(Role::Heads) {
            missing.push((field::HIDDEN_SIZE, own.hidden_size));
        }
        if absent(Role::Heads) {
            missing.push((field::NUM_ATTENTION_HEADS, own.heads));
        } else if absent(Role::Width) {
            missing.push((field::HIDDEN_SIZE, own.hidden_size));
        }
        if absent(Role::LayerCount) && absent(Role::LayerList) {
            missing.push((field::NUM_HIDDEN_LAYERS, own.layers));
        }
        let length = field::MAX_POSITION_EMBEDDINGS;
        let in_dict = |name: Name| {
            fields.get(&*name).and_then(|dict| dict.get(&*length)).is_some_and(is_some)
        };
        if !said(length) && !names_of(Role::Parameters).any(in_dict) {
            missing.push((length, own.positions));
        }
        let known = missing.into_iter().filter(|(_, size)| *size > 0);
        fields.extend(known.map(|(name, size)| (name.to_string(), Value::from(size))));
    }
    fields
}

/// Returns the names of the types of layers, where the config lists them as numbers.
fn layer_types(fields: &Fields<'_>, family: &Family) -> Result<Option<Vec<&'static str>>, Error> {
    let Some((field, names)) = family.coded else { return Ok(None) };
    if fields.get(field::LAYER_TYPES).is_some() {
        return Ok(None);
    }
    let Some(codes) = fields.counts(field)? else { return Ok(None) };
    let found: Option<_> = codes.into_iter().map(|code| names.get(code).copied()).collect();
    found.map(Some).ok_or_else(|| fields.not_a(field, "a list of codes of layer types"))
}

fn is_some(value: &Value) -> bool {
    !value.is_null()
}
