//! The sizes and the inputs of the tasks. `python.py` makes the same numbers.

use ndarray::{Array2, Array3, Array4};
use positional_encodings::Pairing;

/// A table: rows × features.
pub const ROWS: usize = 8192;
pub const DIM: usize = 1024;
/// Word vectors: (batch, len, dim) = (8, 1024, 1024).
pub const BATCH: usize = 8;
pub const LEN: usize = 1024;
/// The rows of the word table, and their factor in a model of this width.
pub const VOCABULARY: usize = 32_000;
pub const SCALE: f32 = 32.0;
/// Queries: (1, heads, positions, dim of a head).
pub const HEADS: usize = 32;
pub const POSITIONS: usize = 2048;
pub const HEAD_DIM: usize = 128;
/// The position of the decode step.
pub const STEP: usize = 4095;
pub const BASE: f64 = 10_000.0;
/// Padded images: (batch, side, side), and the width of the vectors of their pixels.
pub const IMAGES: usize = 8;
pub const SIDE: usize = 128;
pub const PIXEL_DIM: usize = 256;
/// Attention scores (1, heads, queries, keys): of a long sequence, and of a decode step.
pub const SCORES: [[usize; 2]; 2] = [[1024, 1024], [1, STEP + 1]];
/// T5's buckets.
pub const BUCKETS: usize = 32;
pub const FARTHEST: usize = 128;

/// Returns values in [-1, 1] that are the same in any language.
pub fn value(i: usize) -> f32 {
    ((i * 7919 % 1009) as f32 - 504.0) / 504.0
}

pub fn words() -> Array3<f32> {
    filled(Array3::zeros((BATCH, LEN, DIM)))
}

pub fn queries(positions: usize) -> Array4<f32> {
    filled(Array4::zeros((1, HEADS, positions, HEAD_DIM)))
}

pub fn vocabulary() -> Array2<f32> {
    filled(Array2::zeros((VOCABULARY, DIM)))
}

pub fn ids() -> Array2<usize> {
    Array2::from_shape_fn((BATCH, LEN), |(row, column)| (row * LEN + column) * 40_503 % VOCABULARY)
}

/// Returns whether a pixel belongs to its image; each image is smaller than the one before.
pub fn masks() -> Array3<bool> {
    let is_inside = |(image, y, x)| y < SIDE - 8 * image && x < SIDE - 4 * image;
    Array3::from_shape_fn((IMAGES, SIDE, SIDE), is_inside)
}

pub fn scores([queries, keys]: [usize; 2]) -> Array4<f32> {
    filled(Array4::zeros((1, HEADS, queries, keys)))
}

/// T5's table: (buckets, heads).
pub fn bucket_table() -> Array2<f32> {
    filled(Array2::zeros((BUCKETS, HEADS)))
}

fn filled<D: ndarray::Dimension>(mut array: ndarray::Array<f32, D>) -> ndarray::Array<f32, D> {
    array.iter_mut().enumerate().for_each(|(i, item)| *item = value(i));
    array
}

/// The places of an output: rows of `dim` features, at positions that start again after `len` rows.
#[derive(Clone, Copy)]
pub struct Places {
    pub first: usize,
    pub len: usize,
    pub dim: usize,
    pub pairing: Pairing,
}

impl Places {
    /// Returns the position and the frequency, in radians, of the i-th value.
    pub fn of(&self, i: usize) -> (usize, f64) {
        let (row, feature) = (i / self.dim, i % self.dim);
        let pair = match self.pairing {
            Pairing::Interleaved => feature / 2,
            // Halves, the only other pairing here.
            _ => feature % (self.dim / 2),
        };
        (self.first + row % self.len, BASE.powf(-2.0 * pair as f64 / self.dim as f64))
    }
}
