//! The parts of composite configs.

use serde_json::{Map, Value};

use super::families::parts::type_of;
use super::fields::{Role, field, named};
use super::json::Fields;
use crate::error::Error;

/// A part of a config: its path and its type.
pub(super) struct Part<'a> {
    pub(super) path: String,
    pub(super) object: &'a Map<String, Value>,
    pub(super) kind: Option<&'a str>,
}

impl<'a> Part<'a> {
    /// Returns the whole config as a part.
    pub(super) fn whole(object: &'a Map<String, Value>) -> Result<Self, Error> {
        let kind = Fields::new("", object).text(field::MODEL_TYPE)?;
        Ok(Self { path: String::new(), object, kind })
    }

    /// Returns a part of this part.
    pub(super) fn part(&self, name: &str) -> Result<Option<Self>, Error> {
        let fields = Fields::new(&self.path, self.object);
        if fields.part(name)?.is_none() {
            return Ok(None);
        }
        let Some(Value::Object(object)) = self.object.get(name) else { return Ok(None) };
        let path = fields.path(name);
        Fields::new(&path, object).text(field::MODEL_TYPE)?;
        let own = object.get(&*field::MODEL_TYPE).and_then(Value::as_str);
        // Some classes write an empty type.
        let kind = own.filter(|own| !own.is_empty()).or(type_of(self.kind.unwrap_or(""), name));
        Ok(Some(Self { path, object, kind }))
    }

    /// Returns the parts on the path to the one that describes the language model, which is the
    /// last; empty if this is it.
    pub(super) fn to_text(&self) -> Result<Vec<Self>, Error> {
        let mut way: Vec<Self> = Vec::new();
        // Known configs are nested at most three levels deep.
        for _ in 0..3 {
            let last = way.last().unwrap_or(self);
            let mut found = None;
            for name in named(Role::Text) {
                if found.is_none() {
                    found = last.part(&name)?;
                }
            }
            match found {
                Some(part) => way.push(part),
                None => break,
            }
        }
        Ok(way)
    }
}
