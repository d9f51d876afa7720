//! Pictures of encodings, as SVG or PNG (feature `plot`).
//!
//! ```
//! use ndarray::Array2;
//! use positional_encodings::plot::Picture;
//! use positional_encodings::{PositionalEncoding, Positions, Sinusoidal};
//!
//! let rows: Array2<f64> = Sinusoidal::new(32)?.encode(&Positions::from(0..64))?;
//! let picture = Picture::heat_map(rows.view())?.with_title("Sinusoidal, dim 32");
//! let file = std::env::temp_dir().join(format!("sinusoidal-{}.svg", std::process::id()));
//! picture.save(&file)?; // or .png
//! # assert!(std::fs::read_to_string(&file)?.contains("Sinusoidal, dim 32"));
//! # std::fs::remove_file(&file)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! | picture | made from |
//! |---|---|
//! | [`heat_map`](Picture::heat_map) | position vectors, (len, dim) |
//! | [`similarity`](Picture::similarity) | a matrix (len, len) |
//! | [`bias`](Picture::bias) | numbers by head and distance or bucket, (heads, buckets) |
//! | [`grids`](Picture::grids) | a grid for each of some positions, (grids, rows, columns) |
//! | [`by_distance`](Picture::by_distance) | curves: similarity, kernels, biases |
//! | [`wavelengths`](Picture::wavelengths) | the wavelength of each pair |
//! | [`scaling`](Picture::scaling) | wavelengths before and after context scaling |
//! | [`precision`](Picture::precision) | curves: error by position |
//!
//! Pictures are made from `f64` arrays, so that your own encoding is drawn as the crate's are.
//! Colours become lighter with the value, and curves differ in dashes and markers, so that pictures
//! are readable in grey and for colour-blind people. Matrices of more than 160 rows or columns and
//! curves of more than 800 points are sampled. Labels of PNG files are drawn with a font within the
//! crate, which has ASCII, some Greek letters and mathematical signs.

mod colors;
mod curves;
mod frame;
mod heat;
mod lettering;
mod marks;
mod picture;
mod png;
mod scale;
mod svg;
#[cfg(test)]
mod tests;

pub use curves::Curve;
pub use picture::Picture;
