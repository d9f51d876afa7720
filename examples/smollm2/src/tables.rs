//! The tables: perplexity with other positions, and beyond the length of the training.
//!
//! Matrices are dequantised here, since candle's quantised products round their inputs to 8 bits:
//! the last bit of an angle then decides many roundings, which hides the effect of positions. One
//! row shows by how much.

use indicatif::{ProgressBar, ProgressStyle};
use positional_encodings_candle::Rope;
use positional_encodings_candle::positional_encodings::scaling::{DynamicNtk, Scaling, Yarn};
use positional_encodings_candle::positional_encodings::{Frequencies, Pairing, Rotary};
use smollm2::Result;
use smollm2::model::Model;
use smollm2::perplexity::{log_probabilities, perplexity};
use smollm2::recipe::Recipe;
use smollm2::text::parts;
use smollm2::weights::Weights;

/// The shift of all positions.
const SHIFT: usize = 1_000_000;

/// Returns the first tokens of parts of a text.
fn windows(weights: &Weights, text: &str, count: usize, len: usize) -> Result<Vec<Vec<u32>>> {
    parts(text, count, 8 * len)
        .map(|part| {
            let mut tokens = weights.tokenizer.encode(part, false)?.get_ids().to_vec();
            tokens.truncate(len);
            match tokens.len() {
                found if found == len => Ok(tokens),
                found => Err(format!("a part of the text has {found} tokens, not {len}").into()),
            }
        })
        .collect()
}

fn bar(tokens: usize) -> Result<ProgressBar> {
    let style = "{msg:34} {bar:30} {pos}/{len} tokens, {per_sec}, {eta} left";
    Ok(ProgressBar::new(tokens as u64).with_style(ProgressStyle::with_template(style)?))
}

/// Prints the perplexity of parts of a text with the model's own positions, others and none.
pub fn what_positions_are_for(
    weights: &Weights,
    model: &Model,
    text: &str,
    quick: bool,
) -> Result<()> {
    let (count, len) = if quick { (1, 257) } else { (4, 1025) };
    let windows = windows(weights, text, count, len)?;
    let recipes = other_positions(weights, model)?;
    let bar = bar(recipes.len() * count * (len - 1))?;
    println!("\nwhat positions are for: {count} x {} tokens of the text", len - 1);
    println!("  {:34}{:>12}{:>26}", "positions", "perplexity", "largest change of ln p");
    let mut own: Option<Vec<f32>> = None;
    for (name, model, recipe) in recipes {
        bar.set_message(name);
        let mut logs = Vec::new();
        for window in &windows {
            let done = |tokens| bar.inc(tokens as u64);
            logs.extend(log_probabilities(model, &recipe, window, done)?);
        }
        let own = own.get_or_insert_with(|| logs.clone());
        let change = own.iter().zip(&logs).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        let perplexity = perplexity(&logs);
        bar.suspend(|| println!("  {name:34}{perplexity:12.3}{change:26.5}"));
    }
    bar.finish_and_clear();
    Ok(())
}

type Row<'m> = (&'static str, &'m Model, Recipe);

fn other_positions<'m>(weights: &'m Weights, model: &'m Model) -> Result<Vec<Row<'m>>> {
    let shape = &model.shape;
    let (dim, base) = (shape.head_dim, f64::from(shape.base));
    let own = || Recipe::exact(weights.rope.clone());
    let candle = || Recipe::candle(dim, shape.base);
    let with_base = |base| Recipe::scaled(dim, base, &Scaling::None, shape.context);
    let halves = Rotary::new(Frequencies::geometric(dim, base)?, Pairing::Halves);
    Ok(vec![
        ("the model's own", model, own()),
        ("candle's recipe", model, candle()?),
        ("its own, shifted by 1,000,000", model, own().shifted(SHIFT)),
        ("candle's recipe, shifted alike", model, candle()?.shifted(SHIFT)),
        ("base divided by 10", model, with_base(base / 10.0)?),
        ("base multiplied by 10", model, with_base(base * 10.0)?),
        ("the other pairing", model, Recipe::exact(Rope::new(halves))),
        ("none", model, Recipe::none()),
        ("its own, quantised products", &weights.model, own()),
    ])
}

/// Prints the perplexity of a part of a text of twice the length that the model was trained on,
/// with rotations that are scaled to it in several ways.
pub fn beyond_training(weights: &Weights, model: &Model, text: &str) -> Result<()> {
    let context = model.shape.context;
    let window = &windows(weights, text, 1, 2 * context + 1)?[0];
    let recipes = scaled_to_twice(model)?;
    let bar = bar(recipes.len() * 2 * context)?;
    let (up_to, beyond) = (format!("tokens to {context}"), format!("{context} to {}", 2 * context));
    println!("\nbeyond training: one part of {} tokens; perplexity", 2 * context);
    println!("  {:34}{up_to:>16}{beyond:>16}", "positions");
    for (name, recipe) in recipes {
        bar.set_message(name);
        let done = |tokens| bar.inc(tokens as u64);
        let logs = log_probabilities(model, &recipe, window, done)?;
        let [up_to, beyond] = [&logs[..context], &logs[context..]].map(perplexity);
        bar.suspend(|| println!("  {name:34}{up_to:16.2}{beyond:16.2}"));
    }
    bar.finish_and_clear();
    Ok(())
}

fn scaled_to_twice(model: &Model) -> Result<Vec<(&'static str, Recipe)>> {
    let shape = &model.shape;
    let original_len = shape.context;
    let scaled =
        |scaling| Recipe::scaled(shape.head_dim, f64::from(shape.base), &scaling, 2 * original_len);
    Ok(vec![
        ("as trained", scaled(Scaling::None)?),
        ("linear, by 2", scaled(Scaling::Linear { factor: 2.0 })?),
        ("NTK, by 2", scaled(Scaling::Ntk { factor: 2.0 })?),
        (
            "dynamic NTK, by 2",
            scaled(Scaling::DynamicNtk(DynamicNtk { factor: 2.0, original_len }))?,
        ),
        ("YaRN, by 2", scaled(Scaling::Yarn(Yarn::new(2.0, original_len)))?),
    ])
}
