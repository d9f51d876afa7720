//! A text in the model: the tokens so far, and the time of each part.

use std::time::{Duration, Instant};

use candle_core::{Result, Tensor};
use candle_nn::kv_cache::KvCache;

use crate::model::Model;
use crate::recipe::Recipe;

/// The times of the parts of a forward pass.
#[derive(Clone, Copy, Debug, Default)]
pub struct Profile {
    /// Cosines and sines of the positions, and the rotation of queries and keys in all layers.
    pub positions: Clock,
    /// Scores, softmax, and sums of values; the cache.
    pub attention: Clock,
    /// Everything.
    pub whole: Clock,
}

/// The time of a part, and the number of calls.
#[derive(Clone, Copy, Debug, Default)]
pub struct Clock {
    /// The total time.
    pub time: Duration,
    /// The number of calls.
    pub calls: u32,
}

impl Clock {
    /// Runs something and adds its time.
    pub fn time<T>(&mut self, run: impl FnOnce() -> T) -> T {
        let start = Instant::now();
        let done = run();
        self.time += start.elapsed();
        self.calls += 1;
        done
    }
}

/// A model, its positions, and the keys and values of the tokens so far.
pub struct Session<'m> {
    model: &'m Model,
    recipe: &'m Recipe,
    caches: Vec<KvCache>,
    past: usize,
    /// The times of the passes since the start, or since the last reset.
    pub profile: Profile,
}

impl<'m> Session<'m> {
    /// Begins a text of `len` tokens; beyond them the cache grows in steps of `len`.
    pub fn new(model: &'m Model, recipe: &'m Recipe, len: usize) -> Self {
        let cache = |_| KvCache::new(2, len.max(1));
        let caches = (0..model.shape.layers).map(cache).collect();
        Self { model, recipe, caches, past: 0, profile: Profile::default() }
    }

    /// Reads further tokens, and returns the logits (tokens, vocabulary) of the token after each.
    ///
    /// # Errors
    ///
    /// The errors of candle and of the positions.
    pub fn logits(&mut self, tokens: &[u32]) -> Result<Tensor> {
        self.pass(tokens, |model, hidden| model.logits(&hidden))
    }

    /// Reads further tokens, and returns the logits (vocabulary) of the token after the last.
    ///
    /// # Errors
    ///
    /// The errors of candle and of the positions, and an error for no tokens.
    pub fn next_logits(&mut self, tokens: &[u32]) -> Result<Tensor> {
        let Some(last) = tokens.len().checked_sub(1) else {
            candle_core::bail!("there is no token to follow")
        };
        self.pass(tokens, |model, hidden| model.logits(&hidden.narrow(1, last, 1)?)?.squeeze(0))
    }

    fn pass(
        &mut self,
        tokens: &[u32],
        end: impl FnOnce(&Model, Tensor) -> Result<Tensor>,
    ) -> Result<Tensor> {
        let Self { model, recipe, caches, past, profile } = self;
        let mut whole = profile.whole;
        let result = whole.time(|| {
            let turn = profile.positions.time(|| recipe.at(*past, tokens.len()))?;
            let mut hidden = model.embed(tokens)?;
            for (block, cache) in model.blocks().iter().zip(caches) {
                hidden = block.forward(&hidden, &turn, cache, profile)?;
            }
            end(model, hidden)
        });
        profile.whole = whole;
        *past += tokens.len();
        result
    }
}
