//! An LSTM that reads a text and keeps its last state, like the text model of the article on which
//! this crate was founded; unlike there, positions are really added.

use candle_core::{D, Device, Tensor};
use candle_nn::ops::sigmoid;
use candle_nn::{Linear, Module};

use crate::Result;
use crate::encodings::{Encoding, Size};
use crate::parameters::{Scope, Start};
use crate::transformer::Embedding;

/// An LSTM (Hochreiter and Schmidhuber 1997) on embedded words.
pub struct Lstm {
    embedding: Embedding,
    input: Linear,
    state: Linear,
    dim: usize,
}

impl Lstm {
    /// Makes a model of `vocabulary` tokens.
    ///
    /// # Errors
    ///
    /// An error where the encoding is for attention, which an LSTM does not have.
    pub fn new(
        vocabulary: usize,
        encoding: Encoding,
        size: Size,
        scope: &Scope<'_>,
    ) -> Result<Self> {
        if !encoding.is_of_embeddings() {
            let name = encoding.name();
            return Err(format!("{name} is of attention, and an LSTM has none").into());
        }
        let dim = size.dim;
        // Forget gates start open (Jozefowicz et al. 2015).
        let bias = (0..4 * dim).map(|i| if i / dim.max(1) == 1 { 1.0 } else { 0.0 }).collect();
        let bias = scope.get("bias", 4 * dim, Start::Values(bias), false)?;
        Ok(Self {
            embedding: Embedding::new(vocabulary, encoding, size, scope)?,
            input: Linear::new(scope.weight("input", [4 * dim, dim])?, Some(bias)),
            state: Linear::new(scope.weight("state", [4 * dim, dim])?, None),
            dim,
        })
    }

    /// Returns the last state (batch, dim) for ids (batch, len).
    ///
    /// # Errors
    ///
    /// An error where there is no such id or position.
    pub fn forward(&self, ids: &Tensor) -> candle_core::Result<Tensor> {
        let (batch, len) = ids.dims2()?;
        let inputs = self.input.forward(&self.embedding.forward(ids)?)?;
        let mut hidden = Tensor::zeros((batch, self.dim), candle_core::DType::F32, &Device::Cpu)?;
        let mut cell = hidden.clone();
        for step in 0..len {
            let input = inputs.narrow(1, step, 1)?.squeeze(1)?;
            let gates = (input + self.state.forward(&hidden)?)?;
            let gate = |index: usize| gates.narrow(D::Minus1, index * self.dim, self.dim);
            let [enter, forget, leave] = [0, 1, 3].map(|index| sigmoid(&gate(index)?));
            cell = ((forget? * &cell)? + (enter? * gate(2)?.tanh()?)?)?;
            hidden = (leave? * cell.tanh()?)?;
        }
        Ok(hidden)
    }
}
