//! Files of others: checkpoints, GGUF, word vectors; and what damaged ones may do.

#[cfg(feature = "safetensors")]
mod bias_tables;
#[cfg(feature = "safetensors")]
mod checkpoints;
#[cfg(feature = "gguf")]
mod gguf;
#[cfg(feature = "gguf")]
mod gguf_writer;
mod hostile;
#[cfg(feature = "safetensors")]
mod shards;
mod word_vectors;
