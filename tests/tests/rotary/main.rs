//! Rotations, compared with golden values of the systems in use, and checked against their laws.

mod apply;
mod axes;
mod bad_input;
mod bits;
#[path = "../common/mod.rs"]
mod common;
#[cfg(feature = "serde")]
mod configs;
#[cfg(feature = "serde")]
mod contradictions;
#[cfg(feature = "serde")]
mod defaults;
mod extras;
#[cfg(feature = "serde")]
mod families;
#[cfg(feature = "serde")]
mod fields;
#[cfg(feature = "serde")]
mod forms;
mod frequencies;
#[cfg(feature = "serde")]
mod gguf;
#[cfg(feature = "serde")]
mod gguf_architectures;
#[cfg(feature = "serde")]
mod gguf_layers;
#[cfg(feature = "serde")]
mod gguf_scaling;
mod golden;
#[cfg(feature = "serde")]
mod held;
#[cfg(feature = "serde")]
mod hostile;
#[cfg(feature = "serde")]
mod hub;
mod into;
mod laws;
#[cfg(feature = "serde")]
mod layer_types;
#[cfg(feature = "serde")]
mod mutations;
mod others;
mod scaling;
mod tables;
#[cfg(feature = "serde")]
mod widths;
