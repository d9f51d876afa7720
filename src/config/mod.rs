//! Rotations and biases from a model's own config: transformers' `config.json` and GGUF metadata.
//!
//! Facts about models are data, in the tables of `families`; `family` has the columns of the largest,
//! and `fields` the names of all fields and keys. The other modules read configs: `source` finds the
//! part that is read, and its family; `json` gives access to fields, `layers` finds the types of
//! layers, with `lists` where a config lists them, `reader` reads the rotation of each, with its
//! `heads` and its `scale`, and `checks` finds contradictions. `bias` reads biases, and `timestep`
//! the timesteps of diffusion models, from diffusers' `config.json`.

mod bias;
mod checks;
mod families;
mod family;
mod fields;
mod fmt;
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
pub(crate) use fields::key;
pub use metadata::Metadata;
pub use model::ModelRotary;
pub use rotaries::{LayerRotaries, LayerRotations};
pub use spec::{RopeRatio, RotarySpec};

#[cfg(doctest)]
#[doc = include_str!("../../docs/rotary.md")]
struct Guide;
