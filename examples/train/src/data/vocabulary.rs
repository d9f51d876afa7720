//! Tokens and their numbers.

use std::collections::HashMap;

/// Padding after the end.
pub const PAD: u32 = 0;
/// The beginning of a text.
pub const START: u32 = 1;
/// The end of a text.
pub const END: u32 = 2;
/// A token that is not in the vocabulary.
pub const UNKNOWN: u32 = 3;

/// A list of tokens, the most frequent ones of a text.
#[derive(Clone, Debug)]
pub struct Vocabulary {
    tokens: Vec<String>,
    numbers: HashMap<String, u32>,
}

impl Vocabulary {
    /// Makes a vocabulary of the `most` most frequent tokens, with ties in alphabetical order.
    pub fn of<'a>(tokens: impl Iterator<Item = &'a str>, most: usize) -> Self {
        let mut counts: HashMap<&str, usize> = HashMap::new();
        tokens.for_each(|token| *counts.entry(token).or_default() += 1);
        let mut counts: Vec<(&str, usize)> = counts.into_iter().collect();
        counts.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
        let special = ["", "", "", "?"].into_iter();
        let tokens = special.chain(counts.iter().take(most).map(|(token, _)| *token));
        let tokens: Vec<String> = tokens.map(str::to_string).collect();
        let numbers = (0..).zip(&tokens).skip(4).map(|(number, token)| (token.clone(), number));
        let numbers = numbers.collect();
        Self { tokens, numbers }
    }

    /// The number of tokens, the four special ones included.
    #[allow(clippy::len_without_is_empty)] // it never is
    pub fn len(&self) -> usize {
        self.tokens.len()
    }

    /// The number of a token.
    pub fn number(&self, token: &str) -> u32 {
        self.numbers.get(token).copied().unwrap_or(UNKNOWN)
    }

    /// The token of a number; special ones are empty.
    pub fn token(&self, number: u32) -> &str {
        self.tokens.get(number as usize).map_or("", String::as_str)
    }

    /// The numbers of all characters of a text.
    pub fn characters(&self, text: &str) -> Vec<u32> {
        let mut buffer = [0; 4];
        text.chars().map(|c| self.number(c.encode_utf8(&mut buffer))).collect()
    }

    /// The text of numbers, up to the first end.
    pub fn text(&self, numbers: &[u32]) -> String {
        let numbers = numbers.iter().take_while(|number| **number != END);
        numbers.map(|number| self.token(*number)).collect()
    }
}

/// A vocabulary of all characters.
pub fn characters<'a>(texts: impl Iterator<Item = &'a str>) -> Vocabulary {
    let pieces = texts.flat_map(|text| text.split_inclusive(|_: char| true));
    Vocabulary::of(pieces, usize::MAX)
}
