//! From word embeddings to inputs with positions, and on to a small encoder and decoder: the steps
//! of the article on which this crate was founded, an article in Chinese on absolute positional
//! encoding in large language models. Its sections are numbered 2 to 6.
//!
//! `cargo run --release --example article`
//!
//! The numbers in brackets are sections of the article: its steps are in section 4.1, its code in
//! 5.2, and question 3 asks how position vectors are generated, by formulas or by a network.

use std::error::Error;

use ndarray::{Array2, Axis, s};
use positional_encodings::training::{Activation, Linear, PositionNetwork};
use positional_encodings::{
    Frequencies, PositionalEncoding, Positions, Sinusoidal, concat_positions, embed_with_positions,
};

#[allow(dead_code)] // the quickstart uses the rest
mod data;
use data::{MiniLm, words_of};

const SENTENCE: &str = "The quick brown fox jumps over the lazy dog";

fn main() -> Result<(), Box<dyn Error>> {
    // [4.1, step 1] Word embeddings: every word has a vector, at any position.
    let minilm = MiniLm::load()?;
    let names = words_of(SENTENCE);
    let ids: Vec<usize> =
        names.iter().flat_map(|word| minilm.spell(word).unwrap_or_default()).collect();
    let words = minilm.words.select(Axis(0), &ids);
    let dim = words.ncols();
    println!(
        "[4.1] 1. Words, shape {:?}. \"the\" stands at 0 and 6, with one and the same vector:",
        words.dim()
    );
    print_start("the", &words, 0);
    print_start("the", &words, 6);

    // [4.1, step 2] Position vectors.
    let transformer = formulas(dim, words.nrows())?;
    network(dim)?;

    // [4.1, step 3] Words plus positions.
    // Words are scaled as in the paper, so that both have similar magnitudes.
    let words = &words * (dim as f32).sqrt();
    let input = embed_with_positions(&words, &transformer)?;
    println!(
        "\n[4.1] 3. Words + positions, shape {:?}. Now \"the\" at position 6 is another vector:",
        input.dim()
    );
    print_start("the", &input, 0);
    print_start("the", &input, 6);
    side_by_side(&words)?;

    // Another order gives another input.
    let mut moved = ids.clone();
    moved.rotate_left(1);
    let moved_words = minilm.words.select(Axis(0), &moved) * (dim as f32).sqrt();
    let moved = embed_with_positions(&moved_words, &transformer)?;
    println!(
        "\n   \"quick brown fox jumps over the lazy dog the\": the same words in another order."
    );
    println!("   \"quick\" without positions is the same: {}", words.row(1) == moved_words.row(0));
    println!("   \"quick\" with positions is the same:    {}", input.row(1) == moved.row(0));

    // [4.1, steps 4 and 5] An encoder and a decoder on these inputs.
    let encoded = encoder(&names, &words, &input);
    decoder(&names, &input, &encoded);
    Ok(())
}

/// Prints three of the article's four formulas and its worked example, and returns the paper's.
fn formulas(dim: usize, len: usize) -> Result<Sinusoidal, Box<dyn Error>> {
    println!("\n[4.1] 2. Position vectors: the first features at positions 0, 1 and 6");

    // sin(p / 10000^(2i/dim)) and the cosine: the Transformer's formula.
    let transformer = Sinusoidal::new(dim)?;
    print_positions("[4.1] sin, cos of p / 10000^(2i/dim)", &transformer)?;

    // Every pair turns one radian per position. Positions 1..=4 at dim 2, read in order, are sin 1,
    // cos 1, … cos 4.
    let radian = |dim: usize| Frequencies::geometric(dim, 1.0).map(Sinusoidal::from_frequencies);
    print_positions("[4.1] sin, cos of p", &radian(dim)?)?;
    let worked: Array2<f32> = radian(2)?.encode(&Positions::from(1..5))?;
    println!("         its worked example, sin 1 … cos 4: {:.4}", worked.flatten());

    // sin(pi p i / size) and the cosine for i in 1..=size, then zeros; size may not exceed dim/2,
    // beyond which the article's code writes out of bounds.
    let size = 8;
    let code = Sinusoidal::from_frequencies(Frequencies::harmonic(2 * size, 2.0 * size as f64)?)
        .padded_to(dim)?;
    print_positions("[5.2] sin, cos of pi p i / 8, then zeros", &code)?;
    let too_small = Sinusoidal::from_frequencies(Frequencies::harmonic(16, 16.0)?).padded_to(10);
    println!("         with dim 10: {}", too_small.err().ok_or("expected an error")?);

    // [sin(2 pi p / max_len), cos(2 pi p / max_len)]: once around a circle.
    print_positions("[Q3]  the first way, sin, cos of 2 pi p / max_len", &circle(len)?)?;
    Ok(transformer)
}

fn circle(len: usize) -> Result<Sinusoidal, positional_encodings::Error> {
    Ok(Sinusoidal::from_frequencies(Frequencies::harmonic(2, len as f64)?))
}

/// The other answer to question 3: a network makes position vectors of any width from a few numbers
/// for the position of a token. Its weights would be trained; here they are fixed.
fn network(dim: usize) -> Result<(), Box<dyn Error>> {
    let (inner, hidden) = (Sinusoidal::new(4)?, 8);
    // Weights that differ from each other, without another meaning.
    let weights = |rows: usize, columns: usize| {
        Array2::from_shape_fn((rows, columns), |(i, j)| ((3 * i + 5 * j + 1) as f32).sin())
    };
    let first = Linear::new(weights(hidden, 4))?;
    let second = Linear::new(weights(dim, hidden))?;
    let network = PositionNetwork::new(inner, first, Activation::Silu, second)?;
    let name = "[Q3]  the second way, vectors from a network: 4 features, 8 hidden, all";
    print_positions(name, &network)
}

/// Positions next to words instead of added to them: the words are unchanged, and the model becomes
/// wider.
fn side_by_side(words: &Array2<f32>) -> Result<(), Box<dyn Error>> {
    let (len, dim) = words.dim();
    let wide = concat_positions(words, &circle(len)?)?;
    println!(
        "\n   Or side by side, shape {:?}: {dim} features of the word, 2 of its place",
        wide.dim()
    );
    println!(
        "   \"the\" at 0 ends in {:.4}, at 6 in {:.4}",
        wide.slice(s![0, dim..]),
        wide.slice(s![6, dim..])
    );
    Ok(())
}

/// Step 4: one head of self-attention. Queries, keys and values are the input itself, so that every
/// number can be followed; a trained encoder has projections between.
fn encoder(names: &[String], words: &Array2<f32>, input: &Array2<f32>) -> Array2<f32> {
    println!("\n[4.1] 4. The encoder: how much \"the\" at 0 and at 6 attend to each word");
    println!("      {}", header(names));
    for (label, input) in [("without positions", words), ("with positions", input)] {
        let weights = attention(input, input, |_, _| true);
        println!("   {label}");
        print_weights("the, 0", &weights, 0);
        print_weights("the, 6", &weights, 6);
    }
    println!("   Without positions both attend alike, whatever stands beside them.");
    attention(input, input, |_, _| true).dot(input)
}

/// Step 5: a decoder has written three words and looks for the fourth: it attends to its own words,
/// but not ahead, and then to the output of the encoder.
fn decoder(names: &[String], input: &Array2<f32>, encoded: &Array2<f32>) {
    let written = input.slice(s![..3, ..]).to_owned();
    println!("\n[4.1] 5. The decoder, which has written \"the quick brown\": its own words");
    println!("      {}", header(&names[..3]));
    let own = attention(&written, &written, |query, key| key <= query);
    for (row, name) in names[..3].iter().enumerate() {
        print_weights(&format!("{name}, {row}"), &own, row);
    }
    println!("   and the encoder's");
    println!("      {}", header(names));
    let across = attention(&own.dot(&written), encoded, |_, _| true);
    for (row, name) in names[..3].iter().enumerate() {
        print_weights(&format!("{name}, {row}"), &across, row);
    }
}

/// Returns the attention weights, softmax(Q·Kᵀ/√dim): a row for each query, which sums to 1.
/// Queries and keys are the vectors over dim^¼, since no scale has been learned here.
fn attention(
    queries: &Array2<f32>,
    keys: &Array2<f32>,
    sees: impl Fn(usize, usize) -> bool,
) -> Array2<f32> {
    let mut weights = queries.dot(&keys.t()) / keys.ncols() as f32;
    for ((query, key), score) in weights.indexed_iter_mut() {
        *score = if sees(query, key) { score.exp() } else { 0.0 };
    }
    for mut row in weights.rows_mut() {
        let sum = row.sum();
        row /= sum;
    }
    weights
}

fn header(names: &[String]) -> String {
    let cells: String = names.iter().map(|name| format!("{name:>7}")).collect();
    format!("         {cells}")
}

fn print_weights(name: &str, weights: &Array2<f32>, row: usize) {
    let cells: String = weights.row(row).iter().map(|weight| format!("{weight:7.3}")).collect();
    println!("      {name:<9}{cells}");
}

fn print_start(name: &str, vectors: &Array2<f32>, row: usize) {
    println!("   {name} at {row}: {:7.4} …", vectors.slice(s![row, ..6]));
}

fn print_positions(
    formula: &str,
    encoding: &dyn PositionalEncoding<f32>,
) -> Result<(), Box<dyn Error>> {
    let rows: Array2<f32> = encoding.encode(&Positions::from(&[0, 1, 6]))?;
    println!("   {formula}, dim {}", encoding.dim());
    for (position, row) in [0, 1, 6].iter().zip(rows.rows()) {
        println!("         {position}: {:7.4}", row.slice(s![..row.len().min(6)]));
    }
    Ok(())
}
