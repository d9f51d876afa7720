//! Lists of layers, and types of layers from lists with a base or a rotated fraction for each.

use serde_json::{Map, Value};

use super::family::{ALL, NO_ROPE, ROPE, SLIDING};
use super::fields::{Name, Role, field};
use super::json::Fields;
use super::reader::{LIMIT, Reader, try_out};
use super::spec::{RotarySpec, Types};
use crate::error::Error;

const BASES: Name = field::ROPE_THETA;
const PARTS: [Name; 2] = [field::PARTIAL_ROTARY_FACTORS, field::PARTIAL_ROTARY_FACTOR];

/// A limit above the number of types of layers of any model, since each type costs as much as a
/// model.
pub(super) const MOST_TYPES: usize = 32;

impl Reader<'_> {
    /// Returns the number of layers, if the config has it.
    pub(super) fn layer_count(&self) -> Result<Option<usize>, Error> {
        let count = self.fields.of_role(Role::LayerCount, Fields::count)?;
        if count.is_some_and(|count| count > LIMIT) {
            return Err(self.fields.not_a(field::NUM_HIDDEN_LAYERS, "at most 65536"));
        }
        Ok(count)
    }
}

pub(super) fn named_type(name: &str, spec: Option<RotarySpec>) -> (String, Option<RotarySpec>) {
    (name.to_string(), spec)
}

/// Makes a type of layers for each base of a list, named after the base.
pub(super) fn by_base(
    reader: &Reader<'_>,
    main: &RotarySpec,
    list: &[f64],
) -> Result<(Types, Vec<usize>), Error> {
    let (fields, name) = (&reader.fields, field::LAYER_ROPE_THETA);
    if reader.layer_count()?.is_some_and(|count| count != list.len()) {
        return Err(fields.contradicts(field::NUM_HIDDEN_LAYERS, "the list of layers"));
    }
    let mut bases: Vec<f64> = Vec::new();
    let mut layers = Vec::with_capacity(list.len());
    for &base in list {
        let known = bases.iter().position(|&known| known == base);
        if known.is_none() && bases.len() == MOST_TYPES {
            return Err(fields.not_a(name, "a list of at most 32 bases"));
        }
        layers.push(known.unwrap_or(bases.len()));
        if known.is_none() {
            bases.push(base);
        }
    }
    let mut types = Vec::new();
    for &base in &bases {
        let spec = RotarySpec { base, ..main.clone() };
        types.push(match (base, &bases[..]) {
            (0.0, _) => named_type(NO_ROPE, None),
            (_, [_]) => named_type(ALL, Some(spec)),
            (_, [_, _]) if bases.contains(&0.0) => named_type(ROPE, Some(spec)),
            _ => named_type(&format!("{ROPE}_theta {base}"), Some(spec)),
        });
    }
    for spec in types.iter().filter_map(|(_, spec)| spec.as_ref()) {
        try_out(spec, &Fields::new(&fields.path(name), &Map::new()))?;
    }
    Ok((types, layers))
}

/// Returns true if the config has a base or a rotated fraction for each layer.
pub(super) fn is_listed(fields: &Fields<'_>) -> bool {
    let names = [BASES].into_iter().chain(PARTS);
    names.into_iter().any(|name| matches!(fields.get(name), Some(Value::Array(_))))
}

/// Makes a type of layers for each pair of a base and a rotated fraction, named after the type of
/// these layers if it has one pair. Layers with sliding windows are scaled as in the family.
pub(super) fn by_lists(
    reader: &Reader<'_>,
    dict: Option<Fields<'_>>,
) -> Result<(Types, Vec<usize>), Error> {
    let (fields, count) = (&reader.fields, reader.layer_count()?);
    let list = |name| match fields.get(name) {
        Some(Value::Array(_)) => without_extra(reader, fields.numbers(name)?, count),
        _ => Ok(None),
    };
    let bases = list(BASES)?;
    let parts = match list(PARTS[0])? {
        None => list(PARTS[1])?,
        parts => parts,
    };
    let names = without_extra(reader, fields.texts(field::LAYER_TYPES)?, count)?;
    let lens = [
        (field::LAYER_TYPES, names.as_ref().map(Vec::len)),
        (BASES, bases.as_ref().map(Vec::len)),
        (PARTS[0], parts.as_ref().map(Vec::len)),
    ];
    let len = count.or(lens.iter().find_map(|(_, len)| *len)).unwrap_or(0);
    if let Some((name, _)) = lens.iter().find(|(_, own)| own.is_some_and(|own| own != len)) {
        return Err(fields.contradicts(name, "the number of layers"));
    }
    let mut kinds: Vec<Kind<'_>> = Vec::new();
    let mut layers = Vec::with_capacity(len);
    for layer in 0..len {
        let at = |list: &Option<Vec<f64>>| list.as_ref().map(|list| list[layer]);
        let name = names.as_ref().map(|names| names[layer]);
        let kind = Kind { name, base: at(&bases), part: at(&parts) };
        let known = kinds.iter().position(|known| *known == kind);
        if known.is_none() && kinds.len() == MOST_TYPES {
            return Err(fields.not_a(BASES, "a list of at most 32 bases"));
        }
        layers.push(known.unwrap_or(kinds.len()));
        if known.is_none() {
            kinds.push(kind);
        }
    }
    let types = kinds.iter().map(|kind| {
        let count = kinds.iter().filter(|other| other.name == kind.name).count();
        let own = kind.name.filter(|_| count == 1).map(str::to_string);
        let name = own.unwrap_or_else(|| match kinds.len() {
            1 => ALL.to_string(),
            _ => format!("{ROPE}_theta {:?}, part {:?}", kind.base, kind.part),
        });
        Ok((name, kind.spec(reader, dict)?))
    });
    Ok((types.collect::<Result<_, Error>>()?, layers))
}

/// The properties that distinguish a type of layers.
#[derive(PartialEq)]
struct Kind<'a> {
    name: Option<&'a str>,
    base: Option<f64>,
    part: Option<f64>,
}

impl Kind<'_> {
    /// Returns the rotation of these layers; `None` where the base is 0.
    fn spec(
        &self,
        reader: &Reader<'_>,
        dict: Option<Fields<'_>>,
    ) -> Result<Option<RotarySpec>, Error> {
        let mut own = reader.fields.object_of().clone();
        for name in PARTS {
            own.remove(&*name);
        }
        let values = [(BASES, self.base), (PARTS[1], self.part)];
        own.extend(
            values.into_iter().filter_map(|(name, value)| Some((name.to_string(), value?.into()))),
        );
        if self.base == Some(0.0) {
            return Ok(None);
        }
        let path = reader.fields.path("");
        let reader = Reader { fields: Fields::new(&path, &own), ..*reader };
        let slides = self.name == Some(SLIDING);
        let plain = reader.family.layers.local().is_some_and(|local| !local.scaled);
        let dict = dict.filter(|_| !(slides && plain));
        reader.spec(dict, None).map(Some)
    }
}

/// Returns the list without the layers that predict further tokens, which some files have at its
/// end.
pub(super) fn without_extra<T>(
    reader: &Reader<'_>,
    list: Option<Vec<T>>,
    count: Option<usize>,
) -> Result<Option<Vec<T>>, Error> {
    let extra = reader.fields.count(field::NUM_NEXTN_PREDICT_LAYERS)?.unwrap_or(0);
    Ok(list.map(|mut list| {
        if let Some(count) = count
            && count.checked_add(extra) == Some(list.len())
        {
            list.truncate(count);
        }
        list
    }))
}

/// Returns, for each layer, 1 if it has positions and 0 if not, where the config lists them.
pub(super) fn no_rope_layers(fields: &Fields<'_>) -> Result<Option<Vec<usize>>, Error> {
    Ok(zeros_and_ones(fields, field::NO_ROPE_LAYERS)?.filter(|list| !list.is_empty()))
}

/// Returns, for each layer, 1 if it has a sliding window and 0 if not, where the config lists them.
pub(super) fn hybrid_layers(fields: &Fields<'_>) -> Result<Option<Vec<usize>>, Error> {
    zeros_and_ones(fields, field::HYBRID_LAYER_PATTERN)
}

fn zeros_and_ones(fields: &Fields<'_>, name: Name) -> Result<Option<Vec<usize>>, Error> {
    match fields.counts(name)? {
        Some(list) if list.iter().any(|&number| number > 1) => {
            Err(fields.not_a(name, "a list of 0 and 1"))
        }
        list => Ok(list),
    }
}

/// Checks that `no_rope_layers` lists the same layers without positions as the types of layers.
pub(super) fn no_rope_agrees(
    fields: &Fields<'_>,
    types: &Types,
    layers: &[usize],
) -> Result<(), Error> {
    let Some(list) = no_rope_layers(fields)? else { return Ok(()) };
    let found = layers.iter().map(|&kind| usize::from(types[kind].1.is_some()));
    if found.eq(list) {
        return Ok(());
    }
    Err(fields.contradicts(field::NO_ROPE_LAYERS, "the types of layers"))
}
