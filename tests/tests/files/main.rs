//! Files of other systems: checkpoints, GGUF and word vectors, valid and damaged.

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
