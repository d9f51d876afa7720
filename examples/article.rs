//! From word embeddings to inputs that know their order, step by step, with four ways to make
//! position vectors.
//!
//! `cargo run --release --example article`

use std::error::Error;

use ndarray::{Array2, Axis, s};
use positional_encodings::{
    Frequencies, PositionalEncoding, Positions, Sinusoidal, concat_positions, embed_with_positions,
};

#[allow(dead_code)] // the quickstart uses the rest
mod data;
use data::{MiniLm, words_of};

fn main() -> Result<(), Box<dyn Error>> {
    // Step 1. Word embeddings: every word has a vector, wherever it stands.
    let minilm = MiniLm::load()?;
    let ids = |text: &str| {
        words_of(text).iter().flat_map(|word| minilm.spell(word).unwrap_or_default()).collect()
    };
    let ids: Vec<usize> = ids("The quick brown fox jumps over the lazy dog");
    let words = minilm.words.select(Axis(0), &ids);
    let (len, dim) = words.dim();
    println!(
        "1. Words, shape {:?}. \"the\" stands at positions 0 and 6, with one and the same vector:",
        words.dim()
    );
    print_start("the", &words, 0);
    print_start("the", &words, 6);

    // Step 2. Position vectors, by four formulas.
    println!("\n2. Position vectors: the first features at positions 0, 1 and 6");

    // sin(p / 10000^(2i/dim)), cos of the same: the Transformer's.
    let transformer = Sinusoidal::new(dim)?;
    print_positions("sin, cos of p / 10000^(2i/dim)", &transformer)?;

    // Every pair turns one radian per position. Positions 1..=4 at dim 2, read in order, are sin 1,
    // cos 1, … cos 4.
    let radian = |dim: usize| Frequencies::geometric(dim, 1.0).map(Sinusoidal::from_frequencies);
    print_positions("sin, cos of p", &radian(dim)?)?;
    let worked: Array2<f32> = radian(2)?.encode(&Positions::from(1..5))?;
    println!("   its worked example, sin 1 … cos 4: {:.4}", worked.flatten());

    // sin(pi p i / size), cos of the same for i in 1..=size, then zeros; size may not exceed dim/2.
    let size = 8;
    let code = Sinusoidal::from_frequencies(Frequencies::harmonic(2 * size, 2.0 * size as f64)?)
        .padded_to(dim)?;
    print_positions("sin, cos of pi p i / 8, then zeros", &code)?;
    let too_small = Sinusoidal::from_frequencies(Frequencies::harmonic(16, 16.0)?).padded_to(10);
    println!("   with dim 10: {}", too_small.err().ok_or("expected an error")?);

    // [sin(2 pi p / max_len), cos(2 pi p / max_len)]: once around a circle.
    let circle = Sinusoidal::from_frequencies(Frequencies::harmonic(2, len as f64)?);
    print_positions("sin, cos of 2 pi p / max_len", &circle)?;

    // Step 3. Words plus positions. Scaled as in the paper, so that neither drowns the other.
    let words = &words * (dim as f32).sqrt();
    let input = embed_with_positions(&words, &transformer)?;
    println!(
        "\n3. Words + positions, shape {:?}. Now \"the\" at position 6 is another vector:",
        input.dim()
    );
    print_start("the", &input, 0);
    print_start("the", &input, 6);

    // Step 4. Or side by side: the words stay as they are, the model becomes wider.
    let wide = concat_positions(&words, &circle)?;
    println!(
        "\n4. Words next to positions, shape {:?}: {dim} features of the word, 2 of its place",
        wide.dim()
    );
    println!(
        "   \"the\" at 0 ends in {:.4}, at 6 in {:.4}",
        wide.slice(s![0, dim..]),
        wide.slice(s![6, dim..])
    );

    // Step 5. Another order is another input.
    let mut moved = ids.clone();
    moved.rotate_left(1);
    let moved_words = minilm.words.select(Axis(0), &moved) * (dim as f32).sqrt();
    let moved = embed_with_positions(&moved_words, &transformer)?;
    println!(
        "\n5. \"quick brown fox jumps over the lazy dog the\": the same words in another order."
    );
    println!("   \"quick\" without positions is the same: {}", words.row(1) == moved_words.row(0));
    println!("   \"quick\" with positions is the same:    {}", input.row(1) == moved.row(0));
    Ok(())
}

fn print_start(name: &str, vectors: &Array2<f32>, row: usize) {
    println!("   {name} at {row}: {:7.4} …", vectors.slice(s![row, ..6]));
}

fn print_positions(formula: &str, encoding: &Sinusoidal) -> Result<(), Box<dyn Error>> {
    let rows: Array2<f32> = encoding.encode(&Positions::from(&[0, 1, 6]))?;
    println!("   {formula}, dim {}", encoding.dim());
    for (position, row) in [0, 1, 6].iter().zip(rows.rows()) {
        println!("      {position}: {:7.4}", row.slice(s![..row.len().min(6)]));
    }
    Ok(())
}
