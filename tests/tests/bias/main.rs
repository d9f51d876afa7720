//! Biases of attention scores, compared with the systems in use and with their definitions, and
//! checked against their laws.

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
