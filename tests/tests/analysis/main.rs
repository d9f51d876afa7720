//! Findings about encodings, compared with closed forms, with plain loops on small tables, and on
//! the tables of real models.
#![cfg(feature = "analysis")]

mod closed_forms;
mod hostile;
#[cfg(all(feature = "half", feature = "plot", feature = "safetensors", feature = "serde"))]
mod inspect;
mod own;
mod plain_loops;
#[cfg(feature = "safetensors")]
mod real_tables;

use ndarray::Array2;
use positional_encodings::{PositionalEncoding, Positions};
use rand::{RngExt, SeedableRng};

/// Returns the vectors of positions 0..len.
fn table(encoding: &dyn PositionalEncoding<f64>, len: usize) -> Array2<f64> {
    encoding.encode(&Positions::from(0..len)).unwrap()
}

/// Returns a table of random values between −1 and 1.
fn random_table(rows: usize, dim: usize, seed: u64) -> Array2<f64> {
    let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
    Array2::from_shape_simple_fn((rows, dim), || random.random_range(-1.0..1.0))
}

fn assert_close(a: f64, b: f64, tolerance: f64) {
    assert!((a - b).abs() <= tolerance, "{a} and {b} differ by more than {tolerance}");
}
