//! Biases of attention scores: against the systems in use, against their definitions, and their
//! laws.

#[path = "../common/mod.rs"]
mod common;

mod batches;
mod biases;
mod exact;
mod golden;
mod hostile;
mod laws;
mod training;
