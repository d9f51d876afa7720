//! Biases of attention scores: against the systems in use, against their definitions, and their
//! laws.

#[path = "../common/mod.rs"]
mod common;

mod content;
mod golden;
mod golden_content;
mod laws;
