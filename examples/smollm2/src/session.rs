//! A text on its way through the model: what it has seen, and how long each part took.

use std::time::{Duration, Instant};

use candle_core::{Result, Tensor};
use candle_nn::kv_cache::KvCache;

use crate::model::Model;
use crate::recipe::Recipe;

/// How long the parts of a forward pass took.
#[derive(Clone, Copy, Debug, Default)]
pub struct Profile {
    /// Cosines and sines of the positions, and the rotation of queries and keys in all layers.
    pub positions: Clock,
    /// Scores, softmax, and sums of values; the cache.
    pub attention: Clock,
    /// Everything.
    pub whole: Clock,
}

/// Time spent, in so many calls.
#[derive(Clone, Copy, Debug, Default)]
pub struct Clock {
    /// In all.
    pub time: Duration,
    /// How often.
    pub calls: u32,
}

impl Clock {
    /// Does something and counts how long it takes.
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
    /// How long the passes since the start, or since it was set anew, took.
    pub profile: Profile,
}

impl<'m> Session<'m> {
    /// Begins a text of `len` tokens at most; more make the cache grow by so many.
    pub fn new(model: &'m Model, recipe: &'m Recipe, len: usize) -> Self {
        let cache = |_| KvCache::new(2, len.max(1));
        let caches = (0..model.shape.layers).map(cache).collect();
        Self { model, recipe, caches, past: 0, profile: Profile::default() }
    }

    /// Reads further tokens; the logits (tokens, vocabulary) of those that follow each.
    ///
    /// # Errors
    ///
    /// Those of candle and of the positions.
    pub fn logits(&mut self, tokens: &[u32]) -> Result<Tensor> {
        self.pass(tokens, |model, hidden| model.logits(&hidden))
    }

    /// Reads further tokens; the logits (vocabulary) of the one that follows the last.
    ///
    /// # Errors
    ///
    /// Those of candle and of the positions, and where there is no token.
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
