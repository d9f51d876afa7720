//! Rotations, against goldens of the systems in use, and their laws.

mod apply;
mod axes;
mod bad_input;
mod bits;
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
mod forms;
mod frequencies;
#[cfg(feature = "serde")]
mod gguf;
mod gguf_architectures;
mod golden;
#[cfg(feature = "serde")]
mod held;
#[cfg(feature = "serde")]
mod hostile;
mod into;
mod laws;
#[cfg(feature = "serde")]
mod mutations;
mod scaling;
mod tables;
