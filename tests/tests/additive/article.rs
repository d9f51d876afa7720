//! The four formulas of the Chinese article on absolute positional encoding in large language
//! models on which this crate was founded, with its worked example.

use approx::abs_diff_eq;
use std::f64::consts::PI;

use ndarray::Array2;
use positional_encodings::{Error, Frequencies, PositionalEncoding, Positions, Sinusoidal};

type Outcome = Result<(), Error>;

#[track_caller]
fn close(found: &Array2<f64>, expected: impl Fn(usize, usize) -> f64) {
    for ((row, column), &found) in found.indexed_iter() {
        let expected = expected(row, column);
        assert!(
            abs_diff_eq!(found, expected, epsilon = 1e-13),
            "{found} instead of {expected} at row {row}, column {column}"
        );
    }
}

/// "sin, cos of p / 10000^(2i/dim)", the Transformer's.
#[test]
fn the_transformers() -> Outcome {
    let dim = 8;
    let found: Array2<f64> = Sinusoidal::new(dim)?.encode(&Positions::from(0..50))?;
    close(&found, |p, j| {
        let angle = p as f64 / 10_000_f64.powf((j / 2 * 2) as f64 / dim as f64);
        if j % 2 == 0 { angle.sin() } else { angle.cos() }
    });
    Ok(())
}

/// "pos_vector(i) = sin(1000 i / 1000) for even indices, cos for odd": every pair turns one radian
/// per position.
#[test]
fn one_radian_per_position() -> Outcome {
    let dim = 6;
    for frequencies in
        [Frequencies::from_radians(vec![1.0; dim / 2])?, Frequencies::geometric(dim, 1.0)?]
    {
        let found: Array2<f64> =
            Sinusoidal::from_frequencies(frequencies).encode(&Positions::from(0..20))?;
        close(&found, |p, j| {
            let angle = 1000.0 * p as f64 / 1000.0;
            if j % 2 == 0 { angle.sin() } else { angle.cos() }
        });
    }
    Ok(())
}

/// The article's worked example: sin 1, cos 1, sin 2, cos 2, … cos 4, which is positions 1..=4 at
/// dim 2 in order.
#[test]
fn worked_example() -> Outcome {
    let rows: Array2<f64> = Sinusoidal::new(2)?.encode(&Positions::from(1..5))?;
    let example: Vec<String> = rows.iter().map(|value| format!("{value:.3}")).collect();
    assert_eq!(
        example,
        ["0.841", "0.540", "0.909", "-0.416", "0.141", "-0.990", "-0.757", "-0.654"]
    );
    Ok(())
}

/// The article's code: feature 2i − 2 is sin(π · p · i / pos_size), feature 2i − 1 the cosine, for
/// i in 1..=pos_size; the rest is zero.
#[test]
fn its_code() -> Outcome {
    let (pos_size, dim) = (3, 10);
    let encoding = |pos_size: usize, dim| {
        Sinusoidal::from_frequencies(Frequencies::harmonic(2 * pos_size, 2.0 * pos_size as f64)?)
            .padded_to(dim)
    };
    let found: Array2<f64> = encoding(pos_size, dim)?.encode(&Positions::from(0..40))?;
    let mut expected = Array2::<f64>::zeros((40, dim));
    for (p, mut row) in expected.rows_mut().into_iter().enumerate() {
        for i in 1..=pos_size {
            let angle = PI * p as f64 * i as f64 / pos_size as f64;
            row[2 * i - 2] = angle.sin();
            row[2 * i - 1] = angle.cos();
        }
    }
    close(&found, |p, j| expected[[p, j]]);
    assert!(
        found
            .columns()
            .into_iter()
            .skip(2 * pos_size)
            .all(|column| column.iter().all(|&value| value == 0.0))
    );

    // In the article a pos_size above dim/2 writes out of bounds; this crate refuses it.
    assert!(encoding(5, dim).is_ok());
    assert_eq!(encoding(6, dim).unwrap_err(), Error::DimTooSmall { dim: 10, needed: 12 });
    Ok(())
}

/// The article's answer to "how are position vectors generated": [sin(2π p / max_len), cos(2π p /
/// max_len)].
#[test]
fn one_turn_in_max_len() -> Outcome {
    let max_len = 12;
    let circle = Sinusoidal::from_frequencies(Frequencies::harmonic(2, max_len as f64)?);
    let found: Array2<f64> = circle.encode(&Positions::from(0..max_len))?;
    close(&found, |p, j| {
        let angle = 2.0 * PI * p as f64 / max_len as f64;
        if j == 0 { angle.sin() } else { angle.cos() }
    });
    // After 10⁹ turns the formula in f64 has lost six digits.
    let far: Array2<f64> = circle.encode(&Positions::from(12_000_000_000..12_000_000_001))?;
    assert!(far[[0, 0]].abs() < 1e-37 && far[[0, 1]] == 1.0, "{far}");
    let sixteenths = Sinusoidal::from_frequencies(Frequencies::harmonic(2, 16.0)?);
    let far: Array2<f64> = sixteenths.encode(&Positions::from(16_000_000_000..16_000_000_001))?;
    assert_eq!(far.as_slice(), Some(&[0.0, 1.0][..]));
    Ok(())
}
