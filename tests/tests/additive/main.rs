//! Encodings that are added to words: compared with the systems in use and with references, and
//! checked against their laws.

#[path = "../common/mod.rs"]
mod common;

mod accuracy;
mod article;
mod bad_input;
mod batches;
mod golden_sinusoidal;
mod golden_tokens;
mod hostile_sums;
mod laws;
mod lookups;
mod minilm;
mod own_encoding;
mod printed;
mod properties;
#[cfg(feature = "serde")]
mod saved;
mod shards;
mod stretching;
#[cfg(feature = "rayon")]
mod threads;
mod trained_embedding;
mod training;
