//! Biases of attention scores: against the systems in use, against their definitions, and their
//! laws.

#[path = "../common/mod.rs"]
mod common;

mod biases;
mod exact;
mod golden;
mod laws;
mod training;
