//! BERT's tokenizer for lower-case models: words and punctuation, then the longest pieces in the
//! vocabulary.

use std::path::Path;

use positional_encodings::words::Vocabulary;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use crate::Result;

/// Words longer than this are unknown.
const LONGEST: usize = 100;

/// A vocabulary of word pieces.
pub struct WordPiece {
    vocabulary: Vocabulary,
    first: i64,
    last: i64,
    unknown: i64,
}

impl WordPiece {
    /// Reads a vocabulary with one piece on each line.
    pub fn load(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| format!("{}: {error}", path.display()))?;
        let vocabulary: Vocabulary = text.lines().collect();
        let token = |piece: &str| {
            let row = vocabulary
                .row(piece)
                .ok_or_else(|| format!("{}: there is no {piece}", path.display()))?;
            Ok::<_, String>(row as i64)
        };
        let (first, last, unknown) = (token("[CLS]")?, token("[SEP]")?, token("[UNK]")?);
        Ok(Self { vocabulary, first, last, unknown })
    }

    /// The ids of a text between [CLS] and [SEP].
    pub fn tokens(&self, text: &str) -> Vec<i64> {
        let mut tokens = vec![self.first];
        for word in words(text) {
            match self.pieces(&word) {
                Some(pieces) => tokens.extend(pieces),
                None => tokens.push(self.unknown),
            }
        }
        tokens.push(self.last);
        tokens
    }

    /// Splits a word: the longest piece in the vocabulary, then the longest of the rest, and so on.
    fn pieces(&self, word: &str) -> Option<Vec<i64>> {
        if word.chars().count() > LONGEST {
            return None;
        }
        let mut pieces = Vec::new();
        let mut rest = word;
        while !rest.is_empty() {
            let ends = rest.char_indices().map(|(start, c)| start + c.len_utf8()).rev();
            let found = ends.into_iter().find_map(|end| {
                let piece = if pieces.is_empty() {
                    rest[..end].to_string()
                } else {
                    format!("##{}", &rest[..end])
                };
                Some((self.vocabulary.row(piece)?, end))
            });
            let (row, end) = found?;
            pieces.push(row as i64);
            rest = &rest[end..];
        }
        Some(pieces)
    }
}

/// Lower-case words without accents; each mark of punctuation and each Chinese character is one.
fn words(text: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    for c in text.to_lowercase().nfd().filter(|c| !is_combining_mark(*c)) {
        if c.is_whitespace() {
            words.push(String::new());
        } else if c.is_control() || c == '\u{fffd}' {
            // left out, as BERT does
        } else if stands_alone(c) {
            words.extend([c.to_string(), String::new()]);
        } else if let Some(word) = words.last_mut() {
            word.push(c);
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

fn stands_alone(c: char) -> bool {
    c.is_ascii_punctuation()
        || matches!(c, '\u{a1}' | '\u{a7}' | '\u{ab}' | '\u{b6}' | '\u{b7}' | '\u{bb}' | '\u{bf}')
        || matches!(c, '\u{2010}'..='\u{2027}' | '\u{2030}'..='\u{205e}' | '\u{3000}'..='\u{303f}' | '\u{ff01}'..='\u{ff0f}')
        || matches!(c, '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{2fa1f}')
}
