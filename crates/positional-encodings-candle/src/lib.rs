//! [`positional_encodings`] for [candle](candle_core): rotary embeddings and position vectors of
//! tensors, with exact angles at every position, gradients, and no copy on the CPU.
//!
//! ```
//! use candle_core::{DType, Device, Tensor};
//! use positional_encodings_candle::Rope;
//!
//! // Held by the model, made from its config.json or GGUF file, or by hand
//! let config = r#"{"model_type": "llama", "head_dim": 64, "num_hidden_layers": 2,
//!     "rope_theta": 500000.0}"#;
//! let rope = Rope::from_json(config)?;
//!
//! // Once per forward pass: here a decode step
//! let plan = rope.at(4095..4096)?;
//!
//! // In each layer, for queries and keys (batch, heads, positions, dim)
//! let q = Tensor::ones((1, 32, 1, 64), DType::F32, &Device::Cpu)?;
//! let k = Tensor::ones((1, 8, 1, 64), DType::F32, &Device::Cpu)?;
//! let q = plan.layer(0).rope(&q)?;
//! plan.layer(0).rope_inplace(&k)?;
//! assert_eq!(q.i((0, 0, 0, 0))?.to_scalar::<f32>()?, 4095_f32.cos() - 4095_f32.sin());
//! # use candle_core::IndexOp;
//! # Ok::<(), candle_core::Error>(())
//! ```
//!
//! | you have | use |
//! |---|---|
//! | a `config.json`, a GGUF file | [`Rope::from_config`], [`Rope::from_gguf`] |
//! | frequencies and a pairing | [`Rope::new`] of a [`Rotary`](positional_encodings::Rotary) |
//! | queries and keys in any layout | [`LayerRope`] |
//! | position ids in a tensor, M-RoPE's too | [`to_positions`] |
//! | embeddings and a formula (sinusoids, …) | [`PositionVectors`] |
//! | a position table, trained or to be trained | [`LearnedPositions`] |
//! | token ids and a word table | [`TokenEmbedding`] |
//! | an [`AttentionBias`](positional_encodings::AttentionBias) | [`bias_tensor`], [`add_bias_inplace`] |
//! | a bias that reads queries or keys | [`with_array`] and [`bias::add_content_bias`](positional_encodings::bias::add_content_bias) |
//! | any other array of [`positional_encodings`] | [`to_tensor`], [`to_array`], [`with_array`] |
//!
//! # Errors
//!
//! Errors are candle's, with the message and the numbers of [`positional_encodings::Error`]. A call
//! that fails leaves its tensors unchanged.
//!
//! # GPUs
//!
//! This crate has no features. To use a GPU, a program enables feature `cuda` or `metal` of
//! candle-core and candle-nn, as it would without this crate.

#![forbid(unsafe_code)]

mod bias;
mod convert;
mod element;
mod error;
mod learned;
mod memory;
mod rope;
mod tokens;
mod vectors;

/// The crate that computes the encodings.
pub use positional_encodings;

pub use bias::{add_bias_inplace, bias_tensor};
pub use convert::{to_array, to_positions, to_tensor, with_array};
pub use element::{EveryElement, Stored};
pub use learned::LearnedPositions;
pub use rope::{LayerRope, Rope, RopePlan};
pub use tokens::TokenEmbedding;
pub use vectors::{AddPositions, PositionVectors};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

#[cfg(doctest)]
#[doc = include_str!("../../../docs/adopt.md")]
struct Adopt;
