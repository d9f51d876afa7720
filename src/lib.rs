//! Where each token is: positional encodings, exact and fast.
//!
//! # The three places where position enters a transformer
//!
//! | place | what happens | here |
//! |---|---|---|
//! | the embeddings | a position vector is **added** to the word vector | [`PositionalEncoding`] |
//! | the queries and keys | each pair of features is **rotated** by an angle that grows with position | to come |
//! | the attention scores | a number that depends on the distance is **added to the score** | to come |
//!
//! # A map by job
//!
//! | you want | use |
//! |---|---|
//! | word embeddings with positions | [`embed_with_positions`], [`embed_with_positions_at`], in place [`add_positions`] |
//! | token ids to a model's input | [`TokenEmbedding`] |
//! | the paper's sinusoid, and its variants | [`Sinusoidal`], [`Frequencies`], [`Layout`], [`OddDim`] |
//! | a learned table | [`Learned`], [`Init`] |
//! | positions of padded or packed batches | [`Positions`], [`BatchPositions`], [`ids`] |
//! | pretrained word vectors | [`WordVectors`], [`WordFormat`], [`Vocabulary`] |
//! | tables of trained models from their files | `Checkpoint`, `Architecture` (feature `safetensors`), `Gguf` (feature `gguf`) |
//! | a table for other lengths or image grids | [`Learned::stretch`], [`Stretch`], [`GridResample`] |
//! | to train it | [`Trainable`], [`backward_positions`], [`TouchedRows`], [`Scaled`], [`LearnedFrequencies`], [`PositionNetwork`] |
//! | an encoding of your own | [`PositionalEncoding`], [`testing::check_laws`] |

#![forbid(unsafe_code)]

mod additive;
mod element;
mod embed;
mod error;
mod files;
mod frequencies;
mod phase;
mod positions;
pub mod testing;
mod tokens;
mod training;

pub use additive::{
    Activation, GridResample, Init, Kernel, Learned, LearnedFrequencies, Linear, PositionNetwork, PositionalEncoding,
    Resample, Sampling, Scaled, Sinusoidal, Stretch,
};
pub use element::Element;
pub use embed::{
    add_positions, add_positions_at, concat_positions, concat_positions_at, embed_with_positions,
    embed_with_positions_at,
};
pub use error::Error;
#[cfg(feature = "gguf")]
pub use files::Gguf;
#[cfg(feature = "safetensors")]
pub use files::{Architecture, Checkpoint, StoredElement};
pub use files::{Duplicates, FileError, FileProblem, Place, Progress, Vocabulary, WordFormat, WordReader, WordVectors};
pub use frequencies::{Frequencies, OddDim};
pub use phase::{InstructionSet, Layout};
pub use positions::{BatchPositions, Position, PositionElement, Positions, ids};
pub use tokens::{Lookup, TokenEmbedding};
pub use training::{
    Frozen, GradientRows, Parameter, TouchedRows, Trainable, backward_positions, backward_positions_at,
};
