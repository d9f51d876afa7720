//! The model: token vectors, layers, and the logits of the next token.

use candle_core::quantized::QMatMul;
use candle_core::quantized::gguf_file::Content;
use candle_core::{Device, Module, Result, Tensor};
use candle_nn::RmsNorm;

use crate::block::Block;

/// The sizes of a model, from its GGUF metadata.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// Layers.
    pub layers: usize,
    /// Heads of queries.
    pub heads: usize,
    /// Heads of keys and values, each shared by the same number of heads of queries.
    pub kv_heads: usize,
    /// Features of a head.
    pub head_dim: usize,
    /// Tokens that the model was trained on.
    pub context: usize,
    /// The base of its rotation.
    pub base: f32,
    /// The number that RMSNorm adds to the mean square.
    pub epsilon: f32,
    /// The token that ends an answer.
    pub end: u32,
}

impl Shape {
    /// Reads the metadata of a model of architecture `llama`.
    ///
    /// # Errors
    ///
    /// An error where a key is missing or the architecture is another.
    pub fn read(content: &Content) -> Result<Self> {
        let value = |key: &str| match content.metadata.get(key) {
            Some(value) => Ok(value),
            None => candle_core::bail!("the metadata has no {key}"),
        };
        let architecture = value("general.architecture")?.to_string()?;
        if architecture != "llama" {
            candle_core::bail!("the architecture is {architecture}, not llama")
        }
        let number = |key: &str| Ok::<_, candle_core::Error>(value(key)?.to_u32()? as usize);
        let heads = number("llama.attention.head_count")?;
        let dim = number("llama.embedding_length")?;
        let kv_heads = number("llama.attention.head_count_kv")?;
        if heads == 0 || kv_heads == 0 || dim % heads != 0 || heads % kv_heads != 0 {
            candle_core::bail!("{dim} features, {heads} heads and {kv_heads} of keys do not fit")
        }
        Ok(Self {
            layers: number("llama.block_count")?,
            heads,
            kv_heads,
            head_dim: dim / heads,
            context: number("llama.context_length")?,
            base: value("llama.rope.freq_base")?.to_f32()?,
            epsilon: value("llama.attention.layer_norm_rms_epsilon")?.to_f32()?,
            end: value("tokenizer.ggml.eos_token_id")?.to_u32()?,
        })
    }
}

/// Token vectors, layers and the last norm. The matrix of token vectors also gives the logits.
pub struct Model {
    /// The sizes.
    pub shape: Shape,
    words: QMatMul,
    blocks: Vec<Block>,
    norm: RmsNorm,
}

impl Model {
    /// Makes a model from its matrices, quantised or not, by their names in a GGUF file.
    ///
    /// # Errors
    ///
    /// The errors of `tensor`, and an error where the weights of a norm are quantised.
    pub fn new(shape: Shape, mut tensor: impl FnMut(&str) -> Result<QMatMul>) -> Result<Self> {
        let words = tensor("token_embd.weight")?;
        let norm = norm(&shape, tensor("output_norm.weight")?)?;
        let block = |index| Block::new(&shape, index, &mut tensor);
        let blocks = (0..shape.layers).map(block).collect::<Result<_>>()?;
        Ok(Self { shape, words, blocks, norm })
    }

    /// The vectors (1, tokens, dim) of tokens.
    ///
    /// # Errors
    ///
    /// An error where there is no such token.
    pub fn embed(&self, tokens: &[u32]) -> Result<Tensor> {
        self.words.embedding(&Tensor::new(tokens, &Device::Cpu)?.unsqueeze(0)?)
    }

    /// Returns the layers in order.
    pub fn blocks(&self) -> &[Block] {
        &self.blocks
    }

    /// The logits (tokens, vocabulary) of the tokens that follow, from the output of the last
    /// layer.
    ///
    /// # Errors
    ///
    /// The errors of candle.
    pub fn logits(&self, hidden: &Tensor) -> Result<Tensor> {
        self.words.forward(&self.norm.forward(hidden)?)?.squeeze(0)
    }
}

/// Makes a norm from a tensor of weights.
pub(crate) fn norm(shape: &Shape, weight: QMatMul) -> Result<RmsNorm> {
    match weight {
        QMatMul::Tensor(weight) => Ok(RmsNorm::new(weight, f64::from(shape.epsilon))),
        _ => candle_core::bail!("the weights of a norm are quantised"),
    }
}
