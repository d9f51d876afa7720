//! Rotations from a model's own config: transformers' `config.json` and GGUF metadata.

mod checks;
mod families;
mod fields;
mod gguf;
mod layers;
mod reader;
mod spec;

pub use gguf::Metadata;
pub use layers::ModelRotary;
pub use spec::RotarySpec;

#[cfg(doctest)]
#[doc = include_str!("../../docs/rotary.md")]
struct Guide;
