//! From real words to a real model's input, and a picture of the effect of positions.
//!
//! ```text
//! cargo run --release --example quickstart
//! cargo run --release --example quickstart -- The dog chased the cat
//! echo "Any text" | cargo run --release --example quickstart
//! ```

use std::collections::HashSet;
use std::error::Error;
use std::ffi::{OsStr, OsString};
use std::io::{self, IsTerminal, Read, Write};
use std::process::ExitCode;
use std::{env, iter};

use ndarray::{Array2, ArrayView1, Axis, arr1, aview1, s};
use positional_encodings::{
    Error as EncodingError, Learned, PositionalEncoding, Positions, Sinusoidal, TokenEmbedding,
};

mod data;
use data::{MiniLm, words_of};

const DEFAULT_TEXT: &str = "The quick brown fox jumps over the lazy dog";
const MAX_BYTES: u64 = 1 << 20;
const MAX_PIECES: usize = 2000;
/// The rows and columns of the picture, and the number of features from one column to the next.
const MAX_ROWS: usize = 20;
const COLUMNS: usize = 20;
const STEP: usize = 10;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// An embedding layer whose encoding is chosen at run time.
type Embedding = TokenEmbedding<f32, Box<dyn PositionalEncoding<f32>>>;

fn main() -> ExitCode {
    match run(&mut io::stdout().lock()) {
        Ok(()) => ExitCode::SUCCESS,
        // A reader that stops early, such as `head`, is not an error.
        Err(e)
            if e.downcast_ref()
                .is_some_and(|e: &io::Error| e.kind() == io::ErrorKind::BrokenPipe) =>
        {
            ExitCode::SUCCESS
        }
        Err(e) => {
            eprintln!("error: {e}");
            ExitCode::FAILURE
        }
    }
}

fn run(out: &mut impl Write) -> Result<()> {
    // Words become rows of the word table.
    let minilm = MiniLm::load()?;
    let mut sentence = Sentence::new(&read_text()?, &minilm);
    if sentence.words.is_empty() {
        writeln!(out, "There are no words in the text, so here is the default sentence.")?;
        sentence = Sentence::new(DEFAULT_TEXT, &minilm);
    }
    let ids = sentence.ids(&minilm);
    let words = minilm.words.select(Axis(0), &ids);
    let labels: Vec<&str> = ids.iter().map(|&id| minilm.tokens[id].as_str()).collect();
    sentence.describe(out, &labels)?;

    // The input of the paper's model. Word vectors are short beside sines and cosines, so the paper
    // scales them by √dim.
    let dim = words.ncols();
    let scale = (dim as f64).sqrt();
    let encoding: Box<dyn PositionalEncoding<f32>> = Box::new(Sinusoidal::new(dim)?);
    let sinusoidal: Embedding =
        TokenEmbedding::new(minilm.words.clone(), encoding)?.with_scale(scale)?;
    let input = sinusoidal.embed(&aview1(&ids))?;
    let scaled = &words * scale as f32;
    writeln!(out, "\n1. Sinusoidal positions (Vaswani et al. 2017)\n")?;
    show(
        out,
        &labels,
        ["words x sqrt(dim)", "positions", "input"],
        &scaled,
        sinusoidal.positions(),
        &input,
    )?;
    let mut models = vec![("sinusoidal", sinusoidal)];

    // The input of all-MiniLM-L6-v2: its own position table, and its row for the first segment.
    let encoding: Box<dyn PositionalEncoding<f32>> =
        Box::new(Learned::from_table(minilm.positions.clone())?);
    let learned: Embedding =
        TokenEmbedding::new(minilm.words.clone(), encoding)?.with_segments(minilm.types.clone())?;
    writeln!(out, "\n2. Learned positions: the sum that all-MiniLM-L6-v2 itself starts from\n")?;
    match learned.embed(&aview1(&ids)) {
        Ok(input) => {
            let typed = &words + &minilm.types.row(0);
            show(
                out,
                &labels,
                ["words + type row", "positions", "input"],
                &typed,
                learned.positions(),
                &input,
            )?;
            models.push(("learned", learned));
        }
        Err(error @ EncodingError::PositionOutsideTable { .. }) => {
            writeln!(
                out,
                "This table has an end: {error}.\nThe sinusoid has none, so on with that alone."
            )?;
        }
        Err(error) => return Err(error.into()),
    }

    writeln!(out, "\n3. One word at two places: cosine similarity of its two vectors\n")?;
    let (id, places) = word_at_two_places(&ids, &labels);
    writeln!(out, "   {:?} at positions {} and {}", minilm.tokens[id], places[0], places[1])?;
    let word = minilm.words.row(id);
    writeln!(out, "   words alone  {:.3}", cosine(word, word))?;
    for (name, model) in &models {
        let pair = model.lookup(&arr1(&[id, id])).at(&places).embed()?;
        writeln!(out, "   {name:<12} {:.3}", cosine(pair.row(0), pair.row(1)))?;
    }

    writeln!(
        out,
        "\n4. The same words in another order, the first one last: vectors that both inputs have\n"
    )?;
    let moved = sentence.first_word_last().ids(&minilm);
    let moved_words = minilm.words.select(Axis(0), &moved);
    let count = ids.len() - 2; // [CLS] and [SEP] keep their positions
    writeln!(out, "   words alone  {} of {count}", found_again(&words, &moved_words))?;
    for (name, model) in &models {
        let found = found_again(&model.embed(&aview1(&ids))?, &model.embed(&aview1(&moved))?);
        let why = if found > 0 { " (words that are at the same place in both)" } else { "" };
        writeln!(out, "   {name:<12} {found} of {count}{why}")?;
    }
    Ok(())
}

/// The text: the arguments, or standard input where it is not a terminal, or the default.
fn read_text() -> Result<String> {
    let arguments: Vec<OsString> = env::args_os().skip(1).collect();
    if !arguments.is_empty() {
        return arguments
            .join(OsStr::new(" "))
            .into_string()
            .map_err(|_| "the arguments are not UTF-8 text".into());
    }
    if io::stdin().is_terminal() {
        return Ok(DEFAULT_TEXT.into());
    }
    eprintln!("(reading the text from standard input)");
    let mut bytes = Vec::new();
    io::stdin().take(MAX_BYTES).read_to_end(&mut bytes)?;
    match String::from_utf8(bytes) {
        Ok(text) => Ok(text),
        // The limit is within a character.
        Err(e)
            if e.utf8_error().error_len().is_none() && e.as_bytes().len() as u64 == MAX_BYTES =>
        {
            Ok(String::from_utf8_lossy(e.as_bytes())
                .trim_end_matches(char::REPLACEMENT_CHARACTER)
                .into())
        }
        Err(e) => Err(format!("standard input is not UTF-8 text: {}", e.utf8_error()).into()),
    }
}

/// A text as rows of the word table.
#[derive(Clone, Default)]
struct Sentence {
    /// The pieces of each word.
    words: Vec<Vec<usize>>,
    /// Words that are spelt from pieces, smaller than those of a model with the whole vocabulary.
    spelt: Vec<String>,
    /// Words that cannot be spelt.
    unknown: Vec<String>,
    is_cut: bool,
}

impl Sentence {
    fn new(text: &str, minilm: &MiniLm) -> Self {
        let mut sentence = Self::default();
        let (mut seen, mut pieces) = (HashSet::new(), 0);
        for word in words_of(text) {
            let ids = minilm.spell(&word).unwrap_or_else(|| vec![minilm.unk]);
            pieces += ids.len();
            if pieces > MAX_PIECES {
                sentence.is_cut = true;
                break;
            }
            let is_new = seen.insert(word.clone());
            if is_new && ids == [minilm.unk] {
                sentence.unknown.push(word.escape_debug().to_string());
            } else if is_new && ids.len() > 1 {
                let pieces: Vec<&str> = ids.iter().map(|&id| minilm.tokens[id].as_str()).collect();
                sentence.spelt.push(format!("{word} = {}", pieces.join(" ")));
            }
            sentence.words.push(ids);
        }
        sentence
    }

    fn ids(&self, minilm: &MiniLm) -> Vec<usize> {
        let words = self.words.iter().flatten().copied();
        iter::once(minilm.cls).chain(words).chain([minilm.sep]).collect()
    }

    fn first_word_last(&self) -> Self {
        let mut moved = self.clone();
        moved.words.rotate_left(1);
        moved
    }

    fn describe(&self, out: &mut impl Write, labels: &[&str]) -> Result<()> {
        writeln!(out, "{} tokens: {}", labels.len(), shorten(&labels.join(" ")))?;
        if self.is_cut {
            writeln!(out, "The text is longer; only its first {MAX_PIECES} tokens are used.")?;
        }
        let missing = [("spelt in pieces", &self.spelt), ("taken as [UNK]", &self.unknown)];
        for (fate, words) in missing.into_iter().filter(|(_, words)| !words.is_empty()) {
            writeln!(out, "Words that the excerpt of the vocabulary lacks, {fate}:")?;
            for word in words.iter().take(10) {
                writeln!(out, "   {}", shorten(word))?;
            }
            if words.len() > 10 {
                writeln!(out, "   … and {} more", words.len() - 10)?;
            }
        }
        Ok(())
    }
}

/// Returns the first whole word that occurs twice and its positions, or the first whole word, at
/// positions 1 and 7.
fn word_at_two_places(ids: &[usize], labels: &[&str]) -> (usize, [usize; 2]) {
    let is_whole =
        |i: &usize| labels[*i].starts_with(char::is_alphabetic) && !labels[i + 1].starts_with("##");
    let mut whole = (1..ids.len() - 1).filter(is_whole);
    let first = whole.clone().next().unwrap_or(1);
    let twice = whole.find_map(|i| {
        let again = (i + 1..ids.len() - 1).filter(is_whole).find(|&j| ids[j] == ids[i])?;
        Some((ids[i], [i, again]))
    });
    twice.unwrap_or((ids[first], [1, 7]))
}

fn cosine(a: ArrayView1<f32>, b: ArrayView1<f32>) -> f32 {
    a.dot(&b) / (a.dot(&a) * b.dot(&b)).sqrt()
}

/// Counts the rows of `a`, without the first and the last, that are rows of `b` to the bit.
fn found_again(a: &Array2<f32>, b: &Array2<f32>) -> usize {
    let bits = |row: ArrayView1<f32>| row.iter().map(|x| x.to_bits()).collect::<Vec<u32>>();
    let inner = |table: &Array2<f32>| -> Vec<Vec<u32>> {
        table.slice(s![1..table.nrows() - 1, ..]).rows().into_iter().map(bits).collect()
    };
    let b = HashSet::<Vec<u32>>::from_iter(inner(b));
    inner(a).iter().filter(|row| b.contains(*row)).count()
}

fn shorten(text: &str) -> String {
    match text.char_indices().nth(80) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.into(),
    }
}

/// Prints shapes and a heat map of words + positions = input.
fn show(
    out: &mut impl Write,
    labels: &[&str],
    titles: [&str; 3],
    words: &Array2<f32>,
    encoding: &dyn PositionalEncoding<f32>,
    input: &Array2<f32>,
) -> Result<()> {
    let positions = encoding.encode(&Positions::from(0..labels.len()))?;
    let panels = [words, &positions, input];
    let [a, b, c] = panels.map(|panel| format!("{:?}", panel.dim()));
    writeln!(out, "   {} {a} + {} {b} = {} {c}\n", titles[0], titles[1], titles[2])?;

    let no_colour = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let colour = io::stdout().is_terminal()
        && !no_colour
        && env::var_os("TERM").is_none_or(|term| term != "dumb");
    let rms = |panel: &Array2<f32>| panel.pow2().mean().unwrap_or_default().sqrt();
    let full = 1.5 * panels.into_iter().map(rms).fold(0.0, f32::max);
    writeln!(out, "{:13} {:20} {:20} {}", "", titles[0], titles[1], titles[2])?;
    for (position, label) in labels.iter().enumerate().take(MAX_ROWS) {
        write!(out, "{position:3} {label:<9.9}")?;
        for panel in panels {
            write!(out, "{}", if colour { " " } else { "|" })?;
            for &value in panel.slice(s![position, ..COLUMNS * STEP; STEP]) {
                write!(out, "{}", cell(value / full, colour))?;
            }
        }
        writeln!(out, "{}", if colour { "" } else { "|" })?;
    }
    if labels.len() > MAX_ROWS {
        writeln!(out, "    … and {} more", labels.len() - MAX_ROWS)?;
    }
    let scale: String = (-6..=6).map(|shade| cell(shade as f32 / 6.0, colour)).collect();
    let last = (COLUMNS - 1) * STEP;
    writeln!(
        out,
        "\n   features 0, {STEP}, … {last} of {}; -{full:.2} {scale} +{full:.2}",
        words.ncols()
    )?;
    Ok(())
}

/// Returns a character for a value in -1..=1: from blue over black to orange, or from a blank to
/// `@`.
fn cell(value: f32, colour: bool) -> String {
    const COLOURS: [u8; 13] = [45, 39, 32, 25, 24, 17, 233, 52, 94, 130, 166, 208, 214];
    const SHADES: [char; 13] = [' ', '.', ',', ':', '-', '~', '=', '+', '*', 'o', '%', '#', '@'];
    let shade = ((value.clamp(-1.0, 1.0) + 1.0) * 6.0).round() as usize;
    if colour { format!("\x1b[48;5;{}m \x1b[0m", COLOURS[shade]) } else { SHADES[shade].into() }
}
