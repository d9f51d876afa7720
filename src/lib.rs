//! Where each token is: positional encodings, exact and fast.
//!
//! # The three places where position enters a transformer
//!
//! | place | what happens | here |
//! |---|---|---|
//! | the embeddings | a position vector is **added** to the word vector | [`PositionalEncoding`] |
//! | the queries and keys | each pair of features is **rotated** by an angle that grows with position | [`Rotary`] → [`Rotation`] |
//! | the attention scores | a number that depends on the distance is **added to the score** | to come |
//!
//! # A map by job
//!
//! | you want | use |
//! |---|---|
//! | word embeddings with positions | [`embed_with_positions`], [`embed_with_positions_at`], in place [`add_positions`] |
//! | token ids to a model's input | [`TokenEmbedding`] |
//! | the paper's sinusoid, and its variants | [`Sinusoidal`], [`Frequencies`], [`Layout`], [`OddDim`] |
//! | a learned table | [`Learned`], [`Init`] |
//! | positions of padded or packed batches | [`Positions`], [`BatchPositions`], [`ids`] |
//! | rotated queries and keys | [`Rotary`], [`Rotation`], [`Pairing`]; longer contexts: [`Frequencies`] |
//! | rotations of images and video | [`Coordinates`], [`Rotary::axial_2d`], [`Rotary::with_sections`], [`MixedRotary`] |
//! | the rotation of a `config.json` or GGUF file | `config::ModelRotary`, `config::RotarySpec` (feature `serde`) |
//! | an encoding of your own | [`PositionalEncoding`], [`testing::check_laws`] |

#![forbid(unsafe_code)]

mod additive;
#[cfg(feature = "serde")]
pub mod config;
mod element;
mod embed;
mod error;
mod frequencies;
mod phase;
mod positions;
mod rotary;
pub mod testing;
mod tokens;

pub use additive::{Init, Learned, PositionalEncoding, Sinusoidal};
pub use element::Element;
pub use embed::{
    add_positions, add_positions_at, concat_positions, concat_positions_at, embed_with_positions,
    embed_with_positions_at,
};
pub use error::{ConfigProblem, Error};
pub use frequencies::{DynamicNtk, Frequencies, Llama3, LongRope, OddDim, Regime, Yarn};
pub use phase::{InstructionSet, Layout};
pub use positions::{
    BatchPositions, Coordinates, Dinov3Augmentation, Position, PositionElement, Positions, Segment, ids,
};
pub use rotary::{AxialOrder, MixedRotary, Pairing, Precision, QueryTemperature, Rotary, Rotation, Sections, XPos};
pub use tokens::{Lookup, TokenEmbedding};
