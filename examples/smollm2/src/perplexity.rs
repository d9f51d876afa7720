//! How well the model predicts a text.

use candle_core::{D, Device, Result, Tensor};
use candle_nn::ops::log_softmax;

use crate::model::Model;
use crate::recipe::Recipe;
use crate::session::Session;

/// The number of tokens that are read at a time, which bounds the memory of scores.
const CHUNK: usize = 256;

/// Returns the log probability of each token but the first, given all tokens before it. `done` is
/// told the number of tokens that have been read.
///
/// # Errors
///
/// The errors of candle and of the positions.
pub fn log_probabilities(
    model: &Model,
    recipe: &Recipe,
    tokens: &[u32],
    mut done: impl FnMut(usize),
) -> Result<Vec<f32>> {
    let read = &tokens[..tokens.len().saturating_sub(1)];
    let mut session = Session::new(model, recipe, read.len());
    let mut all = Vec::with_capacity(read.len());
    for (index, chunk) in read.chunks(CHUNK).enumerate() {
        let next = &tokens[index * CHUNK + 1..][..chunk.len()];
        let next = Tensor::new(next, &Device::Cpu)?.unsqueeze(1)?;
        let logs = log_softmax(&session.logits(chunk)?, D::Minus1)?;
        all.extend(logs.gather(&next, 1)?.flatten_all()?.to_vec1::<f32>()?);
        done(chunk.len());
    }
    Ok(all)
}

/// Returns exp of the mean loss: the number of equally likely tokens that would give the same loss.
pub fn perplexity(logs: &[f32]) -> f64 {
    let sum: f64 = logs.iter().map(|&log| f64::from(log)).sum();
    (-sum / logs.len() as f64).exp()
}
