//! Typed access to the fields of a JSON object, with errors that name the field.

use serde_json::{Map, Value};

use super::fields::{Name, Role, named};
use crate::error::{ConfigProblem, Error};

/// An object of the config, and its path.
#[derive(Clone, Copy)]
pub(super) struct Fields<'a> {
    path: &'a str,
    object: &'a Map<String, Value>,
}

impl<'a> Fields<'a> {
    pub(super) fn new(path: &'a str, object: &'a Map<String, Value>) -> Self {
        Self { path, object }
    }

    /// Returns the name with its path.
    pub(super) fn path(&self, name: impl AsRef<str>) -> String {
        match (self.path, name.as_ref()) {
            ("", name) => name.to_string(),
            (path, "") => path.to_string(),
            (path, name) => format!("{path}.{name}"),
        }
    }

    pub(super) fn error(&self, name: impl AsRef<str>, problem: ConfigProblem) -> Error {
        Error::Config { field: self.path(name), problem }
    }

    /// Returns an error: the field contradicts `other`.
    pub(super) fn contradicts(&self, name: impl AsRef<str>, other: &str) -> Error {
        self.error(name, ConfigProblem::Contradicts { other: other.to_string() })
    }

    /// Returns an error: the field is not of the expected kind.
    pub(super) fn not_a(&self, name: impl AsRef<str>, expected: &'static str) -> Error {
        self.error(name, ConfigProblem::NotA { expected })
    }

    /// Returns an error: the setting of the field is not supported, for this reason.
    pub(super) fn not_read(&self, name: impl AsRef<str>, reason: &'static str) -> Error {
        self.error(name, ConfigProblem::Unsupported { reason })
    }

    /// Returns an error: the field has an unknown value.
    pub(super) fn unknown(&self, name: impl AsRef<str>, found: &str) -> Error {
        self.error(name, ConfigProblem::Unknown { found: found.to_string() })
    }

    /// Returns an error: the setting of the field is not possible.
    pub(super) fn invalid(&self, name: impl AsRef<str>, error: Error) -> Error {
        self.error(name, ConfigProblem::Invalid(Box::new(error)))
    }

    /// The object.
    pub(super) fn object_of(&self) -> &'a Map<String, Value> {
        self.object
    }

    /// The names of all fields, null or not.
    pub(super) fn names(&self) -> impl Iterator<Item = &'a str> {
        self.object.keys().map(String::as_str)
    }

    /// The value, unless it is absent or null.
    pub(super) fn get(&self, name: Name) -> Option<&'a Value> {
        self.of_name(&name)
    }

    fn of_name(&self, name: &str) -> Option<&'a Value> {
        self.object.get(name).filter(|value| !value.is_null())
    }

    /// Returns true if the value is present and null.
    pub(super) fn is_null(&self, name: Name) -> bool {
        self.object.get(&*name).is_some_and(Value::is_null)
    }

    fn typed<T>(
        &self,
        name: &str,
        expected: &'static str,
        of: impl FnOnce(&'a Value) -> Option<T>,
    ) -> Result<Option<T>, Error> {
        let typed = |value| of(value).ok_or_else(|| self.not_a(name, expected));
        self.of_name(name).map(typed).transpose()
    }

    pub(super) fn number(&self, name: Name) -> Result<Option<f64>, Error> {
        self.typed(&name, "a number", Value::as_f64)
    }

    /// Reads a whole number; some configs write 8192.0.
    pub(super) fn count(&self, name: Name) -> Result<Option<usize>, Error> {
        self.typed(&name, "a whole number", as_count)
    }

    pub(super) fn flag(&self, name: Name) -> Result<Option<bool>, Error> {
        self.typed(&name, "true or false", Value::as_bool)
    }

    pub(super) fn text(&self, name: Name) -> Result<Option<&'a str>, Error> {
        self.typed(&name, "a string", Value::as_str)
    }

    pub(super) fn object(&self, name: Name) -> Result<Option<&'a Map<String, Value>>, Error> {
        self.typed(&name, "an object", Value::as_object)
    }

    /// Reads a part by the name that a caller gives.
    pub(super) fn part(&self, name: &str) -> Result<Option<&'a Map<String, Value>>, Error> {
        self.typed(name, "an object", Value::as_object)
    }

    pub(super) fn numbers(&self, name: Name) -> Result<Option<Vec<f64>>, Error> {
        self.typed(&name, "a list of numbers", |value| {
            value.as_array()?.iter().map(Value::as_f64).collect()
        })
    }

    pub(super) fn counts(&self, name: Name) -> Result<Option<Vec<usize>>, Error> {
        self.typed(&name, "a list of whole numbers", |value| {
            value.as_array()?.iter().map(as_count).collect()
        })
    }

    pub(super) fn texts(&self, name: Name) -> Result<Option<Vec<&'a str>>, Error> {
        self.typed(&name, "a list of strings", |value| {
            value.as_array()?.iter().map(Value::as_str).collect()
        })
    }

    pub(super) fn need<T>(&self, name: impl AsRef<str>, value: Option<T>) -> Result<T, Error> {
        value.ok_or_else(|| self.error(name, ConfigProblem::Missing))
    }

    /// Returns the value of several fields with the same meaning; different values are a
    /// contradiction.
    pub(super) fn one_of<T: PartialEq>(
        &self,
        names: impl IntoIterator<Item = Name>,
        read: impl Fn(&Self, Name) -> Result<Option<T>, Error>,
    ) -> Result<Option<T>, Error> {
        let mut found: Option<(Name, T)> = None;
        for name in names {
            match (read(self, name)?, &found) {
                (Some(value), Some((first, known))) if value != *known => {
                    return Err(self.contradicts(name, first));
                }
                (Some(value), None) => found = Some((name, value)),
                _ => {}
            }
        }
        Ok(found.map(|(_, value)| value))
    }

    /// Returns the value of all fields of a role; different values are a contradiction.
    pub(super) fn of_role<T: PartialEq>(
        &self,
        role: Role,
        read: impl Fn(&Self, Name) -> Result<Option<T>, Error>,
    ) -> Result<Option<T>, Error> {
        self.one_of(named(role), read)
    }

    /// Returns the name of a role that is present.
    pub(super) fn name_of(&self, role: Role) -> Option<Name> {
        named(role).find(|name| self.get(*name).is_some())
    }
}

fn as_count(value: &Value) -> Option<usize> {
    const LARGEST: f64 = (1_u64 << 53) as f64;
    let number = value
        .as_f64()
        .filter(|number| (0.0..=LARGEST).contains(number) && number.fract() == 0.0)?;
    Some(number as usize)
}

/// Returns the text with the numbers that only Python writes (`NaN`, `Infinity`, `-Infinity`) as
/// strings of the same length. No field takes a string for a number, and where the field is not
/// needed it is harmless.
fn quoted(text: &str) -> String {
    let (mut result, mut rest) = (String::with_capacity(text.len()), text);
    let mut in_string = false;
    while let Some(first) = rest.chars().next() {
        let names = ["NaN", "Infinity", "-Infinity"];
        let found = names.into_iter().find(|name| !in_string && rest.starts_with(name));
        let len = match (found, first) {
            (Some(name), _) => {
                result.extend(["\"", &name[1..name.len() - 1], "\""]);
                name.len()
            }
            // An escaped character does not end a string.
            (None, '\\') => 1 + rest[1..].chars().next().map_or(0, char::len_utf8),
            (None, first) => {
                in_string ^= first == '"';
                first.len_utf8()
            }
        };
        if found.is_none() {
            result.push_str(&rest[..len]);
        }
        rest = &rest[len..];
    }
    result
}

/// Parses a text as a JSON object.
pub(super) fn parse(text: &str) -> Result<Map<String, Value>, Error> {
    let error = |problem| Error::Config { field: "config".to_string(), problem };
    let syntax =
        |e: serde_json::Error| error(ConfigProblem::Syntax { line: e.line(), column: e.column() });
    let value = match serde_json::from_str(text) {
        Err(error) => serde_json::from_str(&quoted(text)).map_err(|_| syntax(error))?,
        Ok(value) => value,
    };
    match value {
        Value::Object(object) => Ok(object),
        _ => Err(error(ConfigProblem::NotA { expected: "an object" })),
    }
}
