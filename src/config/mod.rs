//! Rotations from a model's own config: transformers' `config.json` and GGUF metadata.

mod checks;
mod families;
mod fields;
mod gguf;
mod layers;
mod reader;
mod scaling;
mod spec;

pub use crate::error::ConfigProblem;
pub use gguf::Metadata;
pub use layers::ModelRotary;
pub use scaling::Scaling;
pub use spec::RotarySpec;
