//! [`positional_encodings`] for [burn](https://burn.dev): rotary embeddings, position vectors and
//! attention biases as modules, with exact angles at every position, on every backend, with
//! gradients.
//!
//! ```
//! use burn::tensor::{Device, Tensor};
//! use positional_encodings_burn::RopeConfig;
//!
//! // Held by the model, made from its config.json or GGUF file, or by hand
//! let device = Device::default();
//! let config = r#"{"model_type": "llama", "head_dim": 64, "rope_theta": 500000.0}"#;
//! let rope = RopeConfig::from_json(config)?.init(&device);
//!
//! // For queries and keys (batch, heads, positions, dim): here a decode step
//! let q = Tensor::<4>::ones([1, 32, 1, 64], &device);
//! let q = rope.forward(q, 4095..4096);
//! let first: f32 = q.slice([0..1, 0..1, 0..1, 0..1]).into_scalar();
//! assert_eq!(first, 4095_f32.cos() - 4095_f32.sin());
//! # Ok::<(), positional_encodings::Error>(())
//! ```
//!
//! | you have | use |
//! |---|---|
//! | a `config.json`, a GGUF file | [`RopeConfig::from_model`], [`RopeConfig::from_json`] |
//! | frequencies and a pairing | [`RopeConfig::new`] of a [`Rotary`](positional_encodings::Rotary) |
//! | queries and keys in any layout | [`Rope::forward`], [`Rope::forward_positions_first`] |
//! | many layers, or layers of several types | a plan per step: [`Rope::at`] |
//! | position ids in a tensor, M-RoPE's too | [`to_positions`] |
//! | embeddings and a formula (sinusoids, …) | [`PositionVectors`] |
//! | a position table, trained or to be trained | [`LearnedPositionsConfig`] |
//! | token ids and a word table | [`TokenEmbeddingConfig`] |
//! | an [`AttentionBias`](positional_encodings::AttentionBias) | [`bias_tensor`], [`add_bias`] |
//! | a bias that reads queries or keys | [`to_array`] and [`bias::add_content_bias`](positional_encodings::bias::add_content_bias) |
//! | any other array of [`positional_encodings`] | [`to_tensor`], [`to_array`] |
//!
//! # Backends
//!
//! burn's tensors choose their backend at run time, so nothing here is generic over backends, and
//! no feature selects one. On flex, burn's CPU backend, the kernels of [`positional_encodings`] run
//! on the tensor's own memory. On every other backend, and on every device with autodiff, exact
//! tables and vectors are computed on the CPU, uploaded as constants, and applied by burn's
//! operations, so that gradients flow.
//!
//! Calls take and return tensors, as burn's own operations do: a call that gets the only handle of
//! a tensor changes its memory, a call that gets a clone copies it.
//!
//! # Errors
//!
//! burn's operations panic where shapes do not fit, and so do the functions here, before any work,
//! with the message and the numbers of [`positional_encodings::Error`]. Functions that read a file
//! or a config return the error.

#![forbid(unsafe_code)]

mod bias;
mod convert;
mod element;
mod host;
mod learned;
mod place;
mod refuse;
mod rope;
mod tokens;
mod vectors;

/// The crate that computes the encodings.
pub use positional_encodings;

pub use bias::{add_bias, bias_tensor};
pub use convert::{to_array, to_positions, to_tensor};
pub use element::{EveryElement, Stored, StoredFloat};
pub use learned::{LearnedPositions, LearnedPositionsConfig};
pub use rope::{LayerRope, Rope, RopeConfig, RopePlan};
pub use tokens::{TokenEmbedding, TokenEmbeddingConfig};
pub use vectors::{AddPositions, PositionVectors};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
