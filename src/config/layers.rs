//! The types of a model's layers, and which layer is of which type.

use serde_json::{Map, Value};

use super::checks::rotates;
use super::family::{
    ALL, COMPRESS, FULL, LISTED, MAIN, NO_ROPE, ROPE, Rotation, SLIDING, WithoutWindow,
};
use super::fields::{Role, field, is_of_dict, named};
use super::json::{Fields, parse};
use super::lists::{
    MOST_TYPES, by_base, by_lists, hybrid_layers, is_listed, named_type, no_rope_agrees,
    no_rope_layers, without_extra,
};
use super::reader::{Reader, RopeDict, rope_dict, try_out};
use super::spec::{RotarySpec, Types};
use crate::error::{ConfigProblem, Error};
use crate::frequencies::scaling::Scaling;
use crate::rotary::QueryTemperature;

/// The types of layers, the type of each layer, and the temperature of queries.
pub(super) type LayerTypes = (Types, Vec<usize>, Option<QueryTemperature>);

/// Reads the rotations of all layers.
pub(super) fn read(reader: &Reader<'_>) -> Result<LayerTypes, Error> {
    let fields = &reader.fields;
    let own = reader.family.parameters.map(parse).transpose()?;
    check_sizes(fields)?;
    let is_nested = |dict: &Map<String, Value>| {
        dict.iter().any(|(name, value)| value.is_object() && !is_of_dict(name))
    };
    let dict: Option<RopeDict<'_>> = match (rope_dict(fields)?, &own) {
        (None, Some(own)) => Some((fields.path(field::ROPE_PARAMETERS), own)),
        (dict, _) => dict,
    };
    let inner = dict.as_ref().map(|(path, dict)| Fields::new(path, dict));
    let of_lists = match bases_listed(fields)? {
        Some(list) => Some(by_base(reader, &reader.spec(inner, None)?, &list)?),
        None if is_listed(fields) => Some(by_lists(reader, inner)?),
        None => None,
    };
    if let Some((types, layers)) = of_lists {
        no_rope_agrees(fields, &types, &layers)?;
        return Ok((types, layers, reader.temperature(dict.as_ref())?));
    }
    let mut types = match &dict {
        _ if !rotates(reader)? => vec![named_type(ALL, None)],
        Some((path, dict)) if is_nested(dict) => nested(reader, path, dict)?,
        // A class with nested default parameters reads no others.
        Some((path, dict)) if own.as_ref().is_some_and(is_nested) => {
            return Err(Fields::new(path, dict).error(FULL, ConfigProblem::Missing));
        }
        _ if reader.family.compressed_base.is_some() => compressed(reader, inner)?,
        _ => flat(reader, inner)?,
    };
    add_still(reader, &mut types)?;
    let layers = layers(reader, &types)?;
    no_rope_agrees(fields, &types, &layers)?;
    Ok((types, layers, reader.temperature(dict.as_ref())?))
}

/// Checks that the sizes of a config are whole numbers, whether needed or not.
fn check_sizes(fields: &Fields<'_>) -> Result<(), Error> {
    let names = [
        field::HIDDEN_SIZE,
        field::NUM_ATTENTION_HEADS,
        field::HEAD_DIM,
        field::MAX_POSITION_EMBEDDINGS,
    ];
    names.into_iter().try_for_each(|name| fields.count(name).map(|_| ()))
}

/// Adds a type for layers without positions, if the config lists layers of a type that has none in
/// this family.
fn add_still(reader: &Reader<'_>, types: &mut Types) -> Result<(), Error> {
    let listed = reader.fields.texts(field::LAYER_TYPES)?.unwrap_or_default();
    let is_listed = listed.iter().any(|name| reader.family.still.contains(name));
    let is_there = types.iter().any(|(name, _)| name == NO_ROPE);
    if !is_listed || is_there || types.iter().all(|(_, spec)| spec.is_none()) {
        return Ok(());
    }
    if is_uniform(types) {
        types[0].0 = ROPE.to_string();
    }
    types.push(named_type(NO_ROPE, None));
    Ok(())
}

/// Returns the base of each layer, 0 for a layer without positions, where the config lists them.
fn bases_listed(fields: &Fields<'_>) -> Result<Option<Vec<f64>>, Error> {
    let name = field::LAYER_ROPE_THETA;
    let list = fields.numbers(name)?.filter(|list| !list.is_empty());
    if list.iter().flatten().any(|&base| base < 0.0) {
        return Err(fields.not_a(name, "a list of bases, 0 for layers without positions"));
    }
    Ok(list)
}

/// Reads the types of transformers 5: a dictionary for each, null for layers without positions.
fn nested(reader: &Reader<'_>, path: &str, dict: &Map<String, Value>) -> Result<Types, Error> {
    let fields = Fields::new(path, dict);
    // In classes with local layers, a type that is null or absent has no scaling.
    let fills = reader.family.layers.local().is_some() && reader.family.parameters.is_none();
    let empty = Map::new();
    let mut types = Vec::new();
    if dict.len() > MOST_TYPES {
        return Err(fields.not_a("", "at most 32 types of layers"));
    }
    for (name, value) in dict {
        let own = format!("{path}.{name}");
        let spec = |object| reader.spec(Some(Fields::new(&own, object)), Some(name)).map(Some);
        let is_kind = || named(Role::Kind).any(|kind| **name == kind);
        let spec = match value {
            // Some versions save this beside the types, where it has no meaning.
            Value::Null if is_of_dict(name) => continue,
            Value::String(kind) if kind == "default" && is_kind() => continue,
            _ if is_of_dict(name) => return Err(fields.not_a(name, "inside a type of layers")),
            Value::Null if fills => spec(&empty)?,
            Value::Null => None,
            Value::Object(object) => spec(object)?,
            _ => return Err(fields.not_a(name, "an object or null")),
        };
        types.push((name.clone(), spec));
    }
    for name in [FULL, SLIDING] {
        if fills && !dict.contains_key(name) {
            types.push(named_type(name, Some(reader.spec(None, Some(name))?)));
        }
    }
    Ok(types)
}

/// Returns the types for layers that compress, with their own base and the scaling without its
/// attention factor, and for plain layers.
fn compressed(reader: &Reader<'_>, dict: Option<Fields<'_>>) -> Result<Types, Error> {
    let name = field::COMPRESS_ROPE_THETA;
    let main = reader.spec(None, None)?;
    let base = reader.fields.number(name)?.or(reader.family.compressed_base);
    let base = reader.checked_base(name, reader.fields.need(name, base)?)?;
    let mut compress = RotarySpec { base, ..reader.spec(dict, Some(COMPRESS))? };
    // Without the field the class uses 1 beside YaRN; a null stands for YaRN's own factor.
    let is_yarn = matches!(compress.scaling, Scaling::Yarn(_));
    let is_said = |dict: Fields<'_>| dict.names().any(|name| *name == field::ATTENTION_FACTOR);
    if is_yarn && !dict.is_some_and(is_said) {
        (compress.attention_factor, compress.short_attention_factor) = (1.0, 1.0);
    }
    try_out(&compress, &Fields::new(&reader.fields.path(name), &Map::new()))?;
    Ok(vec![named_type(COMPRESS, Some(compress)), named_type(MAIN, Some(main))])
}

/// Reads the types of transformers 4, and of 5 where all layers with positions share their
/// parameters.
fn flat(reader: &Reader<'_>, dict: Option<Fields<'_>>) -> Result<Types, Error> {
    let (fields, family) = (&reader.fields, &reader.family);
    let main = reader.spec(dict, None)?;
    if let Some(base) = reader.local_base(&main)? {
        let local = reader.local(&main, base)?;
        return Ok(vec![named_type(FULL, Some(main)), named_type(SLIDING, Some(local))]);
    }
    if fields.is_null(field::SLIDING_WINDOW) {
        match family.layers.without_window {
            WithoutWindow::Same => {}
            WithoutWindow::AllRotate => return Ok(vec![named_type(ALL, Some(main))]),
            WithoutWindow::Refused => {
                return Err(fields.error(field::SLIDING_WINDOW, ConfigProblem::Missing));
            }
        }
    }
    if family.layers.every != 1 {
        let types = family.layers.types().map(|kind| {
            let spec = (kind.rotation != Rotation::None).then(|| main.clone());
            named_type(kind.name, spec)
        });
        return Ok(types.into());
    }
    Ok(if fields.get(field::NO_ROPE_LAYERS).is_some() {
        vec![named_type(ROPE, Some(main)), named_type(NO_ROPE, None)]
    } else {
        vec![named_type(ALL, Some(main))]
    })
}

/// Returns n, where one in n layers is special.
fn every(reader: &Reader<'_>) -> Result<usize, Error> {
    let (fields, layers) = (&reader.fields, &reader.family.layers);
    let Some(name) = layers.field else { return Ok(1) };
    if layers.every == LISTED {
        return Err(fields.error(field::LAYER_TYPES, ConfigProblem::Missing));
    }
    let found = match fields.get(name) {
        // "LLLG": local, local, local, global
        Some(Value::String(pattern)) => pattern
            .strip_suffix('G')
            .filter(|local| local.bytes().all(|layer| layer == b'L'))
            .map(|_| pattern.len()),
        _ => Some(fields.count(name)?.unwrap_or(layers.every)),
    };
    let expected =
        "a whole number from 1, or a pattern of local layers and a global one, such as LLLG";
    found.filter(|&every| every > 0).ok_or_else(|| fields.not_a(name, expected))
}

/// Returns the type of each layer.
fn layers(reader: &Reader<'_>, types: &Types) -> Result<Vec<usize>, Error> {
    let fields = &reader.fields;
    let count = reader.layer_count()?;
    let find = |name: &str| types.iter().position(|(known, _)| known == name);
    let list = layers_listed(reader, types, find)?;
    let list = without_extra(reader, list, count)?;
    if let (Some(list), Some(count)) = (&list, count)
        && list.len() != count
    {
        return Err(fields.contradicts(field::NUM_HIDDEN_LAYERS, "the list of layers"));
    }
    if let Some(list) = list {
        return Ok(with_last_full(reader, list, find(FULL)));
    }
    if is_uniform(types) || types.iter().any(|(name, _)| name == COMPRESS) {
        return Ok(vec![0; count.unwrap_or(0)]);
    }
    let every = every(reader)?;
    // The name of the type shared by all layers is not a name among several types.
    let kind = |index| find(reader.family.layers.at(index, every).name);
    let layers: Option<Vec<usize>> = (0..count.unwrap_or(0)).map(kind).collect();
    let layers = fields.need(field::LAYER_TYPES, layers)?;
    Ok(with_last_full(reader, layers, find(FULL)))
}

/// Returns the compression ratio of each layer, 0 for none, where the config lists it.
fn compress_ratios(reader: &Reader<'_>) -> Result<Option<Vec<usize>>, Error> {
    match reader.family.compressed_base {
        Some(_) => reader.fields.counts(field::COMPRESS_RATIOS),
        None => Ok(None),
    }
}

/// Makes the last layer one with full attention, if the family requires it.
fn with_last_full(reader: &Reader<'_>, mut layers: Vec<usize>, full: Option<usize>) -> Vec<usize> {
    if let (true, Some(last), Some(full)) = (reader.family.ends_full, layers.last_mut(), full) {
        *last = full;
    }
    layers
}

/// Returns the types as `layer_types` or `no_rope_layers` list them.
fn layers_listed(
    reader: &Reader<'_>,
    types: &Types,
    find: impl Fn(&str) -> Option<usize>,
) -> Result<Option<Vec<usize>>, Error> {
    let (fields, family) = (&reader.fields, &reader.family);
    if let (Some(list), Some(_)) = (no_rope_layers(fields)?, find(NO_ROPE)) {
        // 1 is a layer with positions.
        let kind = |&with: &usize| find(if with == 0 { NO_ROPE } else { ROPE });
        return Ok(list.iter().map(kind).collect());
    }
    let Some(names) = fields.texts(field::LAYER_TYPES)? else {
        if let Some(list) = compress_ratios(reader)? {
            let kind = |ratio: usize| find(if ratio == 0 { MAIN } else { COMPRESS });
            return Ok(list.into_iter().map(kind).collect());
        }
        let list = hybrid_layers(fields)?.filter(|_| !is_uniform(types));
        let kind = |slides: usize| find(if slides == 0 { FULL } else { SLIDING });
        return Ok(list.and_then(|list| list.into_iter().map(kind).collect()));
    };
    if is_uniform(types) {
        return Ok(Some(vec![0; names.len()]));
    }
    if find(NO_ROPE).is_some() && family.still.is_empty() {
        return Ok(None);
    }
    let found = |name: &str| {
        let own = family.labels.iter().find(|(known, _)| *known == name);
        let kind = match family.still.contains(&name) {
            true => find(NO_ROPE),
            false => find(own.map_or(name, |(_, label)| *label)).or(find(ROPE)),
        };
        kind.ok_or_else(|| fields.unknown(field::LAYER_TYPES, name))
    };
    names.into_iter().map(found).collect::<Result<_, _>>().map(Some)
}

/// Returns true if all layers share their positions, whatever else distinguishes them.
pub(super) fn is_uniform(types: &Types) -> bool {
    matches!(&types[..], [(name, _)] if name == ALL)
}
