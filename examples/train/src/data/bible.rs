//! The King James Bible, 31,102 verses: real sentences that Debian packages.

use std::path::Path;
use std::process::Command;

use super::install;
use crate::Result;

/// The excerpt in this package, for short runs: Genesis, Psalms, Proverbs, Matthew,
/// Luke and John.
const EXCERPT: &str = include_str!("../../data/kjv-excerpt.txt");

/// The verses, without their numbers.
///
/// `file` has a verse on each line. Without it, Debian's package is fetched.
///
/// # Errors
///
/// A message that says what to do where there is no text.
pub fn verses(file: Option<&Path>) -> Result<Vec<String>> {
    let text = match file {
        Some(file) => std::fs::read_to_string(file)
            .map_err(|error| format!("no data: {}: {error}", file.display()))?,
        None => packaged()?,
    };
    let verses: Vec<String> = lines(&text);
    if verses.len() < 1000 {
        return Err(format!("no data: {} lines of text are too few", verses.len()).into());
    }
    Ok(verses)
}

/// The verses of the excerpt.
pub fn excerpt() -> Vec<String> {
    lines(EXCERPT)
}

fn lines(text: &str) -> Vec<String> {
    text.lines().map(|line| line.trim().to_string()).filter(|line| !line.is_empty()).collect()
}

/// Returns the text as printed by the package's own program, since the package holds it compressed.
fn packaged() -> Result<String> {
    let instead = "give a text with a sentence on each line: --text FILE";
    let text = &install::unpacked(&["bible-kjv-text"], instead)?[0];
    let reader = &install::unpacked(&["bible-kjv"], instead)?[0];
    let output = Command::new(reader.join("usr/bin/bible"))
        .arg("-p")
        .arg(text.join("usr/lib"))
        .args(["-f", "-l", "100000", "gen1:1-rev22:21"])
        .stdin(std::process::Stdio::null())
        .output()
        .map_err(|error| format!("no data: the reader of bible-kjv: {error}; {instead}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    // "Ge1:1 In the beginning …"
    let verse = |line: &str| line.split_once(' ').map(|(_, verse)| format!("{verse}\n"));
    Ok(text.lines().filter_map(verse).collect())
}

/// Returns the words of a verse in lower case, and its punctuation marks.
pub fn tokens(verse: &str) -> Vec<String> {
    let mut tokens = Vec::new();
    for word in verse.split_whitespace() {
        let letters = word.chars().filter(|c| c.is_alphabetic()).flat_map(char::to_lowercase);
        let letters: String = letters.collect();
        let mark = word.chars().last().filter(|c| c.is_ascii_punctuation());
        tokens.extend((!letters.is_empty()).then_some(letters));
        tokens.extend(mark.map(String::from));
    }
    tokens
}
