//! Biases of attention scores: against the systems in use, against their definitions, and their
//! laws.

#[path = "../common/mod.rs"]
mod common;

mod batches;
mod biases;
#[cfg(feature = "serde")]
mod configs;
mod content;
mod content_biases;
mod exact;
mod golden;
mod golden_content;
mod golden_references;
mod hostile;
mod laws;
mod training;
