//! The errors of cosines and sines as positions grow, of this crate and of the usual recipe.
//!
//! `cargo run --release --features half --example rope_precision` prints the table of
//! docs/rotary.md.
//!
//! The usual float32 recipe computes positions × frequencies, cosine and sine in f32; in bf16, both
//! factors and their product are rounded to bf16. The reference is the cosine of the exact angle in
//! f64. Each line is the largest error over the 1000 positions up to the one named, at dim 128 and
//! base 10000. The bf16 values of this crate are the features (1, 0) of each pair, rotated.

use half::bf16;
use ndarray::Array2;
use positional_encodings::{
    Element, Error, Frequencies, Pairing, Rotary, Rotation, rotary::Precision,
};

const WINDOW: usize = 1000;

fn main() -> Result<(), Error> {
    let exact = Rotary::new(Frequencies::geometric(128, 10_000.0)?, Pairing::Halves);
    let recipe = exact.clone().with_precision(Precision::Float32Recipe);
    println!(
        "| positions up to | f32, this crate | f32, usual recipe | bf16, this crate | bf16, angles in bf16 |"
    );
    println!("|---|---|---|---|---|");
    for end in [1_000, 10_000, 100_000, 1_000_000] {
        let positions = end + 1 - WINDOW..end + 1;
        let truth = rows(&exact.at::<f64>(positions.clone())?);
        let ours = rows(&exact.at::<f32>(positions.clone())?);
        let usual = rows(&recipe.at::<f32>(positions.clone())?);
        let rotated = rotated(&exact.at::<f32>(positions.clone())?)?;
        let low = low_precision(&exact, positions);
        let [a, b, c, d] = [ours, usual, rotated, low].map(|values| largest_error(&values, &truth));
        println!("| {end} | {a:.1e} | {b:.1e} | {c:.1e} | {d:.1e} |");
    }
    Ok(())
}

/// All cosines and sines, as f64.
fn rows<T: Element<Angle = T>>(rotation: &Rotation<T>) -> Vec<f64> {
    let row =
        |index| rotation.cos_sin(index).into_iter().flatten().flatten().map(|value| value.to_f64());
    (0..WINDOW).flat_map(row).collect()
}

/// (1, 0) rotated by an angle is its cosine and its sine.
fn rotated(rotation: &Rotation<f32>) -> Result<Vec<f64>, Error> {
    let pairs = rotation.dim() / 2;
    let mut x =
        Array2::from_shape_fn(
            (WINDOW, 2 * pairs),
            |(_, i)| if i < pairs { bf16::ONE } else { bf16::ZERO },
        );
    rotation.apply(x.view_mut())?;
    Ok(x.iter().map(|value| value.to_f64()).collect())
}

/// Positions, frequencies and their product in bf16.
fn low_precision(rotary: &Rotary, positions: std::ops::Range<usize>) -> Vec<f64> {
    let round = |value: f64| <bf16 as Element>::from_f64(value).to_f64();
    let frequencies: Vec<f64> = rotary.frequencies().into_iter().map(round).collect();
    let mut values = Vec::new();
    for position in positions {
        let angles =
            || frequencies.iter().map(|frequency| round(round(position as f64) * frequency));
        values.extend(angles().map(|angle| round(angle.cos())));
        values.extend(angles().map(|angle| round(angle.sin())));
    }
    values
}

fn largest_error(values: &[f64], truth: &[f64]) -> f64 {
    values.iter().zip(truth).map(|(value, truth)| (value - truth).abs()).fold(0.0, f64::max)
}
