//! Files of others: checkpoints, GGUF, word vectors; and what damaged ones may do.

#[cfg(feature = "safetensors")]
mod checkpoints;
#[cfg(feature = "gguf")]
mod gguf;
mod hostile;
mod word_vectors;
