//! Pretrained word vectors from files: GloVe, word2vec, fastText.
//!
//! [`WordVectors::reader`] makes a reader for a [`WordFormat`]. The result is a [`Vocabulary`] and
//! a table for [`TokenEmbedding`](crate::TokenEmbedding), whose
//! [`lookup`](crate::TokenEmbedding::lookup) of token ids is a [`Lookup`].

mod binary;
mod lines;
mod reader;
mod rows;
mod text;
mod vectors;
mod vocabulary;

pub use crate::error::Place;
pub use crate::sum::Lookup;
pub use reader::{WordFormat, WordReader};
pub use rows::{Duplicates, Progress};
pub use text::Separator;
pub use vectors::WordVectors;
pub use vocabulary::Vocabulary;
