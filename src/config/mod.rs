//! Rotations and biases from a model's own config: transformers' `config.json` and GGUF metadata.
//!
//! What is known of models is data: `families` has a row for each model type, `architectures` one
//! for each architecture of GGUF, `fields` the names of all fields. The rest reads: a text becomes
//! `json` fields, `layers` finds the types of layers, `reader` the rotation of each (its `heads`
//! and how they `scale`), and `checks` refuses what nobody would follow. `timestep` reads those of
//! diffusion models, from diffusers' `config.json`. `biases` has a row for each model that adds
//! something to its scores, and `bias` reads it.

mod architectures;
mod bias;
mod biases;
mod checks;
mod families;
mod family;
mod fields;
mod gguf;
mod heads;
mod json;
mod layers;
mod lists;
mod metadata;
mod model;
mod parts;
mod reader;
mod rotaries;
mod scale;
mod sizes;
mod source;
mod spec;
mod timestep;

pub use crate::error::ConfigProblem;
pub use bias::{ModelBias, ModelPositions};
#[cfg(feature = "gguf")]
pub(crate) use gguf::{DIVISORS, LONG_FACTORS};
pub use metadata::Metadata;
pub use model::ModelRotary;
pub use rotaries::LayerRotaries;
pub use spec::{RopeRatio, RotarySpec};

#[cfg(doctest)]
#[doc = include_str!("../../docs/rotary.md")]
struct Guide;
