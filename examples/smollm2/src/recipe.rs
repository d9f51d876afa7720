//! How queries and keys are rotated: exactly, as in candle's models, or not at all.

use candle_core::{DType, Device, Result, Tensor};
use candle_nn::rotary_emb::rope_i;
use positional_encodings_candle::positional_encodings::scaling::Scaling;
use positional_encodings_candle::positional_encodings::{Frequencies, Pairing, Rotary};
use positional_encodings_candle::{Rope, RopePlan};

/// Positions of a model.
pub struct Recipe {
    how: How,
    /// The number that is added to all positions.
    shift: usize,
}

enum How {
    Exact(Rope),
    /// Frequencies in f32.
    Single(Tensor),
    Nothing,
}

impl Recipe {
    /// Rotates by exact angles.
    pub fn exact(rope: Rope) -> Self {
        Self { how: How::Exact(rope), shift: 0 }
    }

    /// Rotates neighbours by exact angles with another base or another scaling, at a length.
    ///
    /// # Errors
    ///
    /// The errors of [`Frequencies::geometric`] and [`Scaling::apply`].
    pub fn scaled(dim: usize, base: f64, scaling: &Scaling, len: usize) -> crate::Result<Self> {
        let frequencies = scaling.apply(Frequencies::geometric(dim, base)?, len)?;
        Ok(Self::exact(Rope::new(Rotary::new(frequencies, Pairing::Interleaved))))
    }

    /// Rotates neighbours as candle-transformers does: frequencies, and their products with
    /// positions, in f32.
    ///
    /// # Errors
    ///
    /// The errors of candle.
    pub fn candle(dim: usize, base: f32) -> Result<Self> {
        let exponent = |pair: usize| (2 * pair) as f32 / dim as f32;
        let frequencies = (0..dim / 2).map(|pair| 1.0 / base.powf(exponent(pair)));
        let frequencies = Tensor::from_iter(frequencies, &Device::Cpu)?.unsqueeze(0)?;
        Ok(Self { how: How::Single(frequencies), shift: 0 })
    }

    /// Rotates nothing: earlier tokens are a bag of words.
    pub fn none() -> Self {
        Self { how: How::Nothing, shift: 0 }
    }

    /// Adds a number to all positions.
    pub fn shifted(self, shift: usize) -> Self {
        Self { shift, ..self }
    }

    /// Returns the rotation of all layers for tokens past..past + len.
    ///
    /// # Errors
    ///
    /// The errors of [`Rope::at`].
    pub fn at(&self, past: usize, len: usize) -> Result<Turn> {
        let start = self.shift + past;
        Ok(match &self.how {
            How::Exact(rope) => Turn::Exact(rope.at(start..start + len)?),
            How::Single(frequencies) => {
                let positions = Tensor::arange(start as u32, (start + len) as u32, &Device::Cpu)?;
                let positions = positions.to_dtype(DType::F32)?.unsqueeze(1)?;
                let angles = positions.matmul(frequencies)?;
                Turn::Single { cos: angles.cos()?, sin: angles.sin()? }
            }
            How::Nothing => Turn::Nothing,
        })
    }
}

/// A [`Recipe`] at the positions of some tokens.
pub enum Turn {
    /// By a plan, in place.
    Exact(RopePlan),
    /// By candle's own operation and cosines and sines (positions, pairs).
    Single {
        /// The cosines.
        cos: Tensor,
        /// The sines.
        sin: Tensor,
    },
    /// Not at all.
    Nothing,
}

impl Turn {
    /// Rotates queries or keys (1, heads, tokens, dim) of a layer, which must not have another
    /// handle.
    ///
    /// # Errors
    ///
    /// An error where their shape does not fit.
    pub fn rotate(&self, layer: usize, xs: Tensor) -> Result<Tensor> {
        match self {
            Turn::Exact(plan) => {
                plan.layer(layer).rope_inplace(&xs)?;
                Ok(xs)
            }
            Turn::Single { cos, sin } => rope_i(&xs, cos, sin),
            Turn::Nothing => Ok(xs),
        }
    }
}
