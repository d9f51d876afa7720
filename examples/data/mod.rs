//! The excerpt of all-MiniLM-L6-v2 that the examples read: see README.md beside this file.

use std::collections::HashMap;
use std::error::Error;

use ndarray::Array2;

/// Real word vectors with their word pieces, learned positions and segment types.
pub struct MiniLm {
    pub words: Array2<f32>,
    pub positions: Array2<f32>,
    pub types: Array2<f32>,
    pub tokens: Vec<String>,
    /// The rows of the tokens before and after a sentence, and of a word that cannot be spelt.
    pub cls: usize,
    pub sep: usize,
    pub unk: usize,
    ids: HashMap<String, usize>,
}

impl MiniLm {
    pub fn load() -> Result<Self, Box<dyn Error>> {
        // A safetensors file: the header's length, the header, the tensors.
        let bytes = include_bytes!("minilm_excerpt.safetensors");
        let (length, rest) = bytes.split_first_chunk().ok_or("an empty file")?;
        let (header, data) = rest.split_at(u64::from_le_bytes(*length) as usize);
        let header = str::from_utf8(header)?;
        let table = |name: &str| -> Result<Array2<f32>, Box<dyn Error>> {
            let about = after(header, &format!("\"embeddings.{name}.weight\":"))?;
            let [rows, dim] = numbers(after(about, "\"shape\":[")?)?;
            let [start, end] = numbers(after(about, "\"data_offsets\":[")?)?;
            let values = data[start..end].as_chunks().0.iter().map(|b| f32::from_le_bytes(*b));
            Ok(Array2::from_shape_vec((rows, dim), values.collect())?)
        };
        let (tokens, _) = after(header, "\"tokens\":\"")?.split_once("\"}").ok_or("no end")?;
        let tokens = tokens.replace("\\\"", "\"");
        let tokens: Vec<String> = tokens.split(' ').map(String::from).collect();
        let ids: HashMap<String, usize> = tokens.iter().cloned().zip(0..).collect();
        let id = |token: &str| ids.get(token).copied().ok_or(format!("no {token}"));
        Ok(Self {
            cls: id("[CLS]")?,
            sep: id("[SEP]")?,
            unk: id("[UNK]")?,
            words: table("word_embeddings")?,
            positions: table("position_embeddings")?,
            types: table("token_type_embeddings")?,
            tokens,
            ids,
        })
    }

    /// The rows of a word's pieces, the longest that fits first; `None` where it cannot be spelt.
    pub fn spell(&self, word: &str) -> Option<Vec<usize>> {
        // As in BERT, more than 100 letters are not a word.
        let mut rest = word.char_indices().nth(100).is_none().then_some(word)?;
        let mut ids = Vec::new();
        while !rest.is_empty() {
            let prefix = if ids.is_empty() { "" } else { "##" };
            // No piece is longer than 20 letters.
            let ends: Vec<usize> =
                rest.char_indices().map(|(start, c)| start + c.len_utf8()).take(20).collect();
            let longest =
                |&end: &usize| Some((*self.ids.get(&format!("{prefix}{}", &rest[..end]))?, end));
            let (id, end) = ends.iter().rev().find_map(longest)?;
            ids.push(id);
            rest = &rest[end..];
        }
        Some(ids)
    }
}

/// Returns the text after the first `key`.
fn after<'t>(text: &'t str, key: &str) -> Result<&'t str, String> {
    text.split_once(key).map(|(_, rest)| rest).ok_or_else(|| format!("no {key}"))
}

/// The two numbers at the start of a text, before a closing bracket.
fn numbers(text: &str) -> Result<[usize; 2], Box<dyn Error>> {
    let (first, rest) = text.split_once(',').ok_or("no two numbers")?;
    let (second, _) = rest.split_once(']').ok_or("no closing bracket")?;
    Ok([first.parse()?, second.parse()?])
}

/// Returns the lower-case words of a text, with punctuation separate, as in BERT.
pub fn words_of(text: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    for c in text.chars().flat_map(char::to_lowercase) {
        if c.is_whitespace() || c.is_control() {
            words.push(String::new());
        } else if c.is_alphanumeric() {
            words.last_mut().expect("never empty").push(c);
        } else {
            words.extend([String::from(c), String::new()]);
        }
    }
    words.retain(|word| !word.is_empty());
    words
}
