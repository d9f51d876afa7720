//! Tells a model *where* each token is: positional encodings on [`ndarray`], every value correct to
//! its last bits.
//!
//! ```
//! use ndarray::Array3;
//! use positional_encodings::{Sinusoidal, embed_with_positions};
//!
//! let words = Array3::<f32>::zeros((32, 128, 512)); // (batch, len, dim)
//! let encoding = Sinusoidal::new(512)?; // Vaswani et al. 2017
//! let input = embed_with_positions(&words, &encoding)?; // words + the vectors of positions 0..128
//! assert_eq!(input.dim(), (32, 128, 512));
//! # Ok::<(), positional_encodings::Error>(())
//! ```
//!
//! # What to use
//!
//! | you have | you want | use |
//! |---|---|---|
//! | word vectors (…, len, dim) | words + positions | [`embed_with_positions`], in place [`add_positions`] |
//! | word vectors and positions of your own: a decode step, padding, packed documents | words + the vectors of these positions | [`embed_with_positions_at`], [`add_positions_at`] with a range or with [`ids`] |
//! | word vectors | words and position vectors side by side | [`concat_positions`], [`concat_positions_at`] |
//! | token ids and a word table | a model's whole input, segments and scale included | [`TokenEmbedding`] |
//! | positions alone | their vectors | [`PositionalEncoding::encode`] or, without allocation, [`encode_into`](PositionalEncoding::encode_into) |
//! | a position table, trained or to be trained | its rows, also at fractional positions | [`Learned`], [`Init`] |
//! | a paper or a system to match | its frequencies, order of features, odd dims | [`Sinusoidal`], [`Frequencies`], [`FeatureLayout`], [`OddDim`] |
//! | an ablation to run | no positions, and nothing else changed | [`NoPositions`] |
//! | queries and keys | rotary position embeddings | [`Rotary`], [`Rotation`], [`Pairing`]; longer contexts: [`Frequencies`] |
//! | an image, a video, masks | vectors of rows, columns and frames, by the names of the systems | [`Axes`], [`LearnedGrid`], [`add_positions_to_grid`]; [guide](guide::space) |
//! | timesteps, points, dates, places, distances | their features | [`Timestep`], [`Fourier`], [`Time2Vec`](space::Time2Vec), [`space`] |
//! | attention scores (…, heads, queries, keys) | a bias added to them: ALiBi, T5's buckets, windows, … | [`add_bias`], [`Alibi`], [`T5Bias`], [`bias`] |
//! | scores, and the queries and keys they come from | the bias of DeBERTa, Transformer-XL, Shaw et al., … | [`bias::add_content_bias`], [`bias::ContentBias`] |
//! | an image or a video | rotations along its axes | [`Positions::grid`], [`Rotary::axial_2d`], [`Rotary::with_sections`], [`MixedRotary`](rotary::MixedRotary) |
//! | a `config.json` or GGUF metadata | the model's rotation | `config::ModelRotary`, `config::RotarySpec` (feature `serde`) |
//! | a `config.json` | the bias that the model adds to its scores | `config::ModelBias`; rotation and bias: `config::ModelPositions` |
//! | numbers of an encoding | a picture of them | `plot::Picture` (feature `plot`) |
//! | an encoding, a rotation or a bias | what it can and cannot tell apart, in numbers | `analysis` (feature `analysis`) |
//! | a formula of your own | all of the above for it | [`PositionalEncoding`], [`AttentionBias`], [`testing`] |
//!
//! # The three places where position enters a transformer
//!
//! | place | what happens | here |
//! |---|---|---|
//! | the embeddings | a position vector is **added** to the word vector | [`PositionalEncoding`] |
//! | the queries and keys | each pair of features is **rotated** by an angle that grows with position | [`Rotary`] → [`Rotation`] |
//! | the attention scores | a number that depends on the distance is **added to the score** | [`AttentionBias`] |
//!
//! # Positions are arguments
//!
//! No encoding has a start index or a state that moves: where the tokens are is an argument,
//! [`Positions`]. It is made from a range, from integer ids or from reals, shared by all sequences
//! or of shape (batch, len), and has several axes for images. A decode step is a range that starts
//! later:
//!
//! ```
//! use ndarray::Array2;
//! use positional_encodings::{PositionalEncoding, Positions, Sinusoidal, add_positions_at};
//!
//! let encoding = Sinusoidal::new(64)?;
//! let mut step = Array2::<f32>::zeros((1, 64));
//! add_positions_at(step.view_mut(), &encoding, 4095..4096)?;
//!
//! let table: Array2<f32> = encoding.encode(&Positions::from(0..128))?;
//! let times: Array2<f64> = encoding.encode(&Positions::from(&[0.0, 0.25, 17.5]))?;
//! assert_eq!((table.dim(), times.dim()), ((128, 64), (3, 64)));
//! # Ok::<(), positional_encodings::Error>(())
//! ```
//!
//! # Conventions have names
//!
//! Systems differ in their frequencies, in the order of features and in what they do at odd dims.
//! Each of these choices has a name, and its documentation says which systems make it. This is the
//! encoder of Whisper:
//!
//! ```
//! use positional_encodings::{FeatureLayout, Frequencies, Sinusoidal};
//!
//! let whisper = Sinusoidal::from_frequencies(Frequencies::geometric_inclusive(384, 10_000.0)?)
//!     .with_layout(FeatureLayout::SinCosHalves);
//! # assert_eq!(whisper.dim(), 384);
//! # Ok::<(), positional_encodings::Error>(())
//! ```
//!
//! # From token ids to a model's input
//!
//! ```
//! use ndarray::{Array2, array};
//! use positional_encodings::{Learned, TokenEmbedding};
//!
//! let words = Array2::<f32>::zeros((30_522, 64));
//! let positions = Learned::from_table(Array2::zeros((512, 64)))?;
//! let bert = TokenEmbedding::new(words, positions)?.with_segments(Array2::zeros((2, 64)))?;
//! let input = bert.embed(&array![[101, 1996, 4248, 102]])?; // (batch, len) to (batch, len, dim)
//! assert_eq!(input.dim(), (1, 4, 64));
//! # Ok::<(), positional_encodings::Error>(())
//! ```
//!
//! # Trained tables
//!
//! | you want | use |
//! |---|---|
//! | gradients of tables and other learned parameters | [`Trainable`](training::Trainable), [`Differentiable`](training::Differentiable), [`backward_positions`](training::backward_positions) |
//! | a learned amplitude, learned frequencies, a learned network | [`Scaled`](training::Scaled), [`LearnedFrequencies`](training::LearnedFrequencies), [`PositionNetwork`](training::PositionNetwork) |
//! | a table resized to another length or image grid | [`Learned::stretch`], [`resample`] |
//! | the tables of trained models, from their files | `checkpoint::Checkpoint` (feature `safetensors`), `checkpoint::Gguf` (feature `gguf`) |
//! | pretrained word vectors | [`words`] |
//!
//! # Guarantees of every encoding
//!
//! - A row depends on its position alone: it has the same bits in a range, as a single id, in a
//!   batch, on every machine. So sequences can be built in blocks, and each rank of a sharded model
//!   computes its own shard.
//! - Invalid input is an [`Error`] that carries the numbers at fault. Nothing panics, and a call
//!   that fails leaves its output unchanged.
//! - Encodings are `Send` and `Sync`; encoding never changes them. There are no hidden caches.
//!
//! # Features
//!
//! None is on by default.
//!
//! | feature | adds |
//! |---|---|
//! | `half` | the elements `half::f16` and `half::bf16` |
//! | `rayon` | all cores for long work, with the same bits |
//! | `serde` | rotations and biases from `config.json`; `Init`, `FeatureLayout`, … in a config of your own |
//! | `safetensors`, `gguf` | tables from checkpoints |
//! | `plot` | pictures of encodings, as SVG and PNG |
//! | `analysis` | properties of encodings, as numbers |

#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod add;
mod additive;
#[cfg(feature = "analysis")]
pub mod analysis;
mod arrays;
pub mod bias;
mod blocks;
#[cfg(any(feature = "safetensors", feature = "gguf"))]
pub mod checkpoint;
#[cfg(feature = "serde")]
pub mod config;
mod element;
mod error;
mod exact;
#[cfg(any(feature = "safetensors", feature = "plot"))]
mod files;
mod forward;
mod frequencies;
pub mod guide;
mod phase;
#[cfg(feature = "plot")]
pub mod plot;
mod positions;
pub mod resample;
pub mod rotary;
mod short;
mod simd;
mod sum;
pub mod testing;
/// Places, distances, quantities, times and calendars have their encodings here.
pub mod space {
    pub use crate::additive::{
        AngleUnit, Cycle, Input, MipNerf, Radial, Sphere2Vec, Time2Vec, Wavelengths, equal_earth,
    };
}
mod threads;
pub mod training;
pub mod words;

/// The `ndarray` crate, in the version that this crate was built with.
pub use ndarray;

pub use additive::{
    Axes, Fourier, Init, Learned, LearnedGrid, NoPositions, PositionTable, PositionalEncoding,
    Sinusoidal, Timestep,
};
pub use bias::{Alibi, AttentionBias, T5Bias, add_bias};
pub use element::Element;
pub use error::{Error, FileError, FileProblem};
pub use frequencies::{Frequencies, OddDim, scaling};
pub use phase::FeatureLayout;
pub use positions::{Position, Positions, ids};
pub use rotary::{Pairing, Rotary, Rotation};
pub use sum::{
    TokenEmbedding, add_positions, add_positions_at, add_positions_to_grid, add_positions_to_slice,
    concat_positions, concat_positions_at, embed_with_positions, embed_with_positions_at,
};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

#[cfg(all(doctest, feature = "plot"))]
#[doc = include_str!("../docs/gallery.md")]
struct Gallery;
