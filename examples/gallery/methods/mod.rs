//! Every method of the crate with its texts, its knobs and its numbers.
//!
//! The gallery compiles this for the machine that it runs on, to draw static pictures, and the
//! package `wasm` compiles it for the page, so that both show the numbers of the crate.

mod additive;
mod bias;
mod content;
mod figures;
mod json;
mod rotary;
mod space;

pub use figures::{Answer, Content, Figure};
pub use json::catalogue;

use positional_encodings::Error;

/// A text in English and in Chinese.
#[derive(Clone, Copy, Debug)]
pub struct Text {
    /// English.
    pub en: &'static str,
    /// Chinese.
    pub zh: &'static str,
}

/// A text in English and in Chinese.
pub const fn text(en: &'static str, zh: &'static str) -> Text {
    Text { en, zh }
}

/// Something that the reader can change: a name and the values that it can have.
#[derive(Clone, Copy, Debug)]
pub struct Knob {
    /// The name in requests.
    pub name: &'static str,
    /// The name that the reader sees.
    pub label: Text,
    /// The values: numbers in ascending order, or names.
    pub values: &'static [&'static str],
    /// The index of the first value shown.
    pub start: usize,
}

/// Makes a knob from its name, the names that readers see, its values, and the first index.
pub const fn knob(
    name: &'static str,
    label: Text,
    values: &'static [&'static str],
    start: usize,
) -> Knob {
    Knob { name, label, values, start }
}

/// A method: its texts on the page, and the computation of its figures.
pub struct Method {
    /// The name in requests and of files.
    pub id: &'static str,
    /// The name that the reader sees.
    pub name: Text,
    /// A description in some sentences.
    pub about: Text,
    /// The formula.
    pub formula: &'static str,
    /// The end of the sentence "Use it when".
    pub when: Text,
    /// The knobs.
    pub knobs: &'static [Knob],
    /// Computes the figures.
    pub compute: fn(&Settings) -> Result<Answer, Error>,
}

/// The values of all knobs of a method.
pub struct Settings(Vec<(&'static str, &'static str)>);

impl Settings {
    /// Returns the value of a knob as written.
    pub fn name(&self, knob: &str) -> &'static str {
        self.0.iter().find(|(name, _)| *name == knob).map_or("", |(_, value)| value)
    }

    /// Returns the value of a knob that is a number.
    pub fn number(&self, knob: &str) -> f64 {
        self.name(knob).parse().unwrap_or(f64::NAN)
    }

    /// Returns the value of a knob that is a count.
    pub fn count(&self, knob: &str) -> usize {
        self.name(knob).parse().unwrap_or(0)
    }
}

/// A part of the gallery: its title, and its methods.
pub type Part = (Text, &'static [&'static [Method]]);

/// The parts of the gallery.
pub const PARTS: &[Part] = &[
    (text("Added to the embeddings", "加到词向量上"), &[additive::METHODS, space::METHODS]),
    (text("Rotations of queries and keys", "旋转查询与键"), &[rotary::METHODS]),
    (text("Added to the attention scores", "加到注意力分数上"), &[bias::METHODS, content::METHODS]),
];

/// All methods, in the order of the page.
pub fn methods() -> impl Iterator<Item = &'static Method> {
    PARTS.iter().flat_map(|(_, groups)| groups.iter().copied().flatten())
}

/// The reason why a request cannot be answered.
pub type Refusal = String;

/// Answers `id?knob=value&…`; knobs that are not named have their first value.
pub fn answer(request: &str) -> Result<Answer, Refusal> {
    let (id, query) = request.split_once('?').unwrap_or((request, ""));
    let method =
        methods().find(|method| method.id == id).ok_or_else(|| format!("no method {id:?}"))?;
    let mut settings: Vec<_> =
        method.knobs.iter().map(|knob| (knob.name, knob.values[knob.start])).collect();
    for part in query.split('&').filter(|part| !part.is_empty()) {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        let place = method.knobs.iter().position(|knob| knob.name == name);
        let place = place.ok_or_else(|| format!("{id} has no knob {name:?}"))?;
        let known = method.knobs[place].values.iter().find(|known| **known == value);
        settings[place].1 = known.ok_or_else(|| format!("{name} cannot be {value:?}"))?;
    }
    (method.compute)(&Settings(settings)).map_err(|error| error.to_string())
}

/// Returns the answer to a request, or the reason why there is none, as JSON.
pub fn answer_json(request: &str) -> String {
    json::answer(&answer(request))
}
