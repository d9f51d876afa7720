//! all-MiniLM-L6-v2, end to end: words, positions and segments by `positional-encodings`, the
//! layers above by candle.

#![forbid(unsafe_code)]

pub mod encoder;
pub mod install;
pub mod wordpiece;

use std::error::Error;
use std::path::Path;

use ndarray::Array2;
use positional_encodings::{
    Learned, TokenEmbedding,
    checkpoint::{Architecture, Checkpoint},
};

use encoder::Encoder;
use wordpiece::WordPiece;

/// The error of any step of this example.
pub type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// The embedding layer, the layers above it, and the tokenizer.
pub struct Model {
    /// Words + segments + positions.
    pub embedding: TokenEmbedding<f32, Learned<f32>>,
    /// LayerNorm, six layers of attention, mean and normalisation.
    pub encoder: Encoder,
    /// Text to token ids.
    pub tokenizer: WordPiece,
}

impl Model {
    /// Loads `model.safetensors` and `vocab.txt` from a folder.
    pub fn load(folder: &Path) -> Result<Self> {
        let mut checkpoint = Checkpoint::open(folder.join("model.safetensors"))?;
        Ok(Self {
            embedding: checkpoint.embedding(Architecture::Bert)?,
            encoder: Encoder::load(&mut checkpoint)?,
            tokenizer: WordPiece::load(&folder.join("vocab.txt"))?,
        })
    }

    /// Returns the sentence's tokens, and the sum of their word, segment and position vectors, the
    /// input of the encoder.
    pub fn embed(&self, sentence: &str) -> Result<Array2<f32>> {
        Ok(self.embedding.embed(&ndarray::Array1::from(self.tokenizer.tokens(sentence)))?)
    }

    /// Returns the sentence's vector, of norm 1.
    pub fn sentence(&self, sentence: &str) -> Result<Vec<f32>> {
        self.encoder.encode(&self.embed(sentence)?)
    }
}

/// Returns the cosine of two vectors of norm 1.
pub fn similarity(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
