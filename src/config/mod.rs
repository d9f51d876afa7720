//! Rotations and biases from a model's own config: transformers' `config.json` and GGUF metadata.
//!
//! Facts about models are data: `families` has a row for each model type, `architectures` one for
//! each GGUF architecture, `fields` the names of all fields, and `biases` a row for each model that
//! adds something to its scores. The other modules read configs: `json` gives access to fields,
//! `layers` finds the types of layers, `reader` reads the rotation of each, with its `heads` and
//! its `scale`, and `checks` finds contradictions. `bias` reads biases, and `timestep` the
//! timesteps of diffusion models, from diffusers' `config.json`.

mod bias;
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
mod source;
mod spec;
mod timestep;

pub use crate::error::ConfigProblem;
pub use bias::{ModelBias, ModelPositions};
#[cfg(feature = "gguf")]
pub(crate) use gguf::{DIVISORS, LONG_FACTORS};
pub use metadata::Metadata;
pub use model::ModelRotary;
pub use rotaries::{LayerRotaries, LayerRotations};
pub use spec::{RopeRatio, RotarySpec};

#[cfg(doctest)]
#[doc = include_str!("../../docs/rotary.md")]
struct Guide;
