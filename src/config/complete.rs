//! A config with the names that all classes share, and with the sizes that its class has where it
//! leaves them out.

use serde_json::{Map, Value};

use super::family::Family;
use super::fields::{Role, named};
use super::parts::text_type;
use super::sizes;

/// The fields of a config as the rest reads them: those that the family calls by other names under
/// the usual ones, without those that its class does not read, and with its class' sizes.
pub(super) fn completed(
    object: &Map<String, Value>,
    family: &Family,
    kind: &str,
) -> Map<String, Value> {
    let mut fields = object.clone();
    for name in family.unread {
        fields.remove(*name);
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
    let own = sizes::of_model_type(kind);
    if let Some(own) = own.or_else(|| sizes::of_model_type(text_type(kind)?)) {
        let is_said = |role| named(role).any(|name| fields.get(name).is_some_and(is_some));
        let absent = |role| !is_said(role);
        let mut missing = Vec::new();
        if absent(Role::Width) && absent(Role::Heads) {
            missing.push(("hidden_size", own.hidden_size));
        }
        if absent(Role::Heads) {
            missing.push(("num_attention_heads", own.heads));
        } else if absent(Role::Width) {
            missing.push(("hidden_size", own.hidden_size));
        }
        if absent(Role::LayerCount) && absent(Role::LayerList) {
            missing.push(("num_hidden_layers", own.layers));
        }
        let length = "max_position_embeddings";
        let in_dict =
            |name| fields.get(name).and_then(|dict| dict.get(length)).is_some_and(is_some);
        if !fields.get(length).is_some_and(is_some) && !named(Role::Parameters).any(in_dict) {
            missing.push((length, own.positions));
        }
        let known = missing.into_iter().filter(|(_, size)| *size > 0);
        fields.extend(known.map(|(name, size)| (name.to_string(), Value::from(size))));
    }
    fields
}

fn is_some(value: &Value) -> bool {
    !value.is_null()
}
