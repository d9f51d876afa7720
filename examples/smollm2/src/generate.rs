//! A prompt, continued greedily.

use candle_core::{Result, Tensor};

use crate::session::Session;

/// Reads a prompt and then picks the most likely token repeatedly: `count` times, or until `end`.
/// Each token is passed to `show`.
///
/// # Errors
///
/// The errors of candle and of the positions.
pub fn greedy(
    session: &mut Session<'_>,
    prompt: &[u32],
    count: usize,
    end: Option<u32>,
    mut show: impl FnMut(&mut Session<'_>, u32),
) -> Result<Vec<u32>> {
    let mut tokens = Vec::with_capacity(count.min(1 << 16));
    if count == 0 {
        return Ok(tokens);
    }
    let mut next = likeliest(&session.next_logits(prompt)?)?;
    while Some(next) != end {
        tokens.push(next);
        show(session, next);
        if tokens.len() == count {
            break;
        }
        next = likeliest(&session.next_logits(&[next])?)?;
    }
    Ok(tokens)
}

/// Returns the token with the largest logit.
///
/// # Errors
///
/// The errors of candle.
pub fn likeliest(logits: &Tensor) -> Result<u32> {
    logits.argmax(0)?.to_scalar()
}

/// Returns a question in the form of the model's training.
pub fn question(text: &str) -> String {
    format!(
        "<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face\
         <|im_end|>\n<|im_start|>user\n{text}<|im_end|>\n<|im_start|>assistant\n"
    )
}
