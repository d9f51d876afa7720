//! Figures that were computed once by running other systems, and formulas in f64.

use core::f64::consts::{PI, TAU};

use ndarray::{Array2, ArrayView1, array};
use positional_encodings::space::{AngleUnit, MipNerf, Radial, Wavelengths, equal_earth};
use positional_encodings::{
    Error, Fourier, Frequencies, PositionalEncoding, Positions, Sinusoidal, Timestep,
};

type Outcome = Result<(), Error>;

#[track_caller]
fn close(found: ArrayView1<'_, f64>, expected: &[f64], bound: f64) {
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        assert!((found - expected).abs() <= bound, "{found} instead of {expected}");
    }
}

/// torch_geometric 2.8.1: `PositionalEncoding` and `TemporalEncoding` at dim 8.
#[test]
fn graphs_in_pyg() -> Outcome {
    let positions = Frequencies::geometric_inclusive(8, 1e4)?.to_radians();
    close(ArrayView1::from(&positions), &[1.0, 0.0464159, 0.00215443, 0.0001], 5e-8);
    // cos(x / √d^linspace(0, √d, d)): timescales from 1 to √8^√8
    let root = 8_f64.sqrt();
    let scales = Frequencies::timescales(16, 1.0..=root.powf(root))?;
    let expected = [1.0, 0.656974, 0.431615, 0.283560, 0.186292, 0.122388, 0.080406, 0.052825];
    close(ArrayView1::from(&scales.to_radians()), &expected, 1e-6);
    // A cosine is a sine that is a quarter of a turn ahead.
    let turns = Frequencies::from_radians(scales.to_radians().into_iter().map(|w| w / TAU))?;
    let temporal = Fourier::bands(1, &turns)?.with_phases(&[0.25; 8])?.sines_only();
    let row: Array2<f64> = temporal.encode(&Positions::from(&[3.5]))?;
    close(
        row.row(0),
        &scales.to_radians().iter().map(|w| (3.5 * w).cos()).collect::<Vec<_>>(),
        1e-14,
    );
    Ok(())
}

/// microsoft-aurora 2.0.1: wavelengths log-spaced over the range, sines before cosines.
#[test]
fn aurora() -> Outcome {
    let (low, high) = (1.0 / 60.0, 504.0);
    let lead_time = Wavelengths::new(6, low..=high)?;
    let at = [6.0, 0.0, -12.0];
    let found: Array2<f64> = lead_time.encode(&Positions::from(&at))?;
    for (x, row) in at.into_iter().zip(found.rows()) {
        let wave = |i: i32| low * (high / low).powf(f64::from(i) / 2.0);
        let angles = [0, 1, 2].map(|i| TAU * x / wave(i));
        let expected = [angles.map(f64::sin), angles.map(f64::cos)].concat();
        close(row, &expected, 1e-11);
    }
    for bad in [504.5, -504.5, 0.01, -0.001] {
        let result: Result<Array2<f32>, Error> =
            lead_time.encode(&Positions::from(&[1.0, 0.0, bad]));
        let expected = Error::OutsideRange { index: 2, position: bad, low, high };
        assert_eq!(result.unwrap_err(), expected);
    }
    let absolute: Array2<f64> =
        Wavelengths::unchecked(2, 8766.0..=8766.0)?.encode(&Positions::from(&[8766.0 * 2.25]))?;
    close(absolute.row(0), &[1.0, 0.0], 1e-15);
    Ok(())
}

/// nerfstudio 1.1.5: features times exp(−½ · 4^e · σ²), the variance not multiplied by (2π)².
#[test]
fn mip_nerf() -> Outcome {
    let points = array![[0.3, -0.7, 0.01, 0.2]];
    let found: Array2<f64> =
        MipNerf::nerfstudio(2, 3, (0.0, 4.0))?.encode(&Positions::from_points(&points)?)?;
    let plain: Array2<f64> = Fourier::nerfstudio(2, 3, (0.0, 4.0))?
        .encode(&Positions::from_points(&array![[0.3, -0.7]])?)?;
    let fades = [0.01, 0.2].map(|v| [0, 2, 4].map(|e| (-0.5 * 4_f64.powi(e) * v).exp())).concat();
    let expected: Vec<f64> = plain.iter().zip(fades.iter().cycle()).map(|(v, f)| v * f).collect();
    close(found.row(0), &expected, 1e-15);
    // The paper's frequencies: 2^k without 2π.
    let found: Array2<f64> =
        MipNerf::new(1, 3)?.encode(&Positions::from_points(&array![[0.3, 0.1]])?)?;
    let wave = |k: i32| (2_f64.powi(k) * 0.3, (-0.5 * 4_f64.powi(k) * 0.1).exp());
    let expected = [0, 1, 2].map(|k| wave(k).0.sin() * wave(k).1);
    let cosines = [0, 1, 2].map(|k| wave(k).0.cos() * wave(k).1);
    close(found.row(0), &[expected, cosines].concat(), 1e-15);
    Ok(())
}

/// GeoCLIP's projection, by its formula in powers.
#[test]
fn equal_earth_of_geoclip() -> Outcome {
    let places = array![[48.1_f64, 11.6], [-90.0, 0.0], [90.0, -180.0], [0.0, 123.4]];
    let found = equal_earth(&Positions::from_points(&places)?, AngleUnit::Degrees)?.to_array()?;
    for (place, found) in places.rows().into_iter().zip(found.rows()) {
        let (latitude, longitude) = (place[0].to_radians(), place[1].to_radians());
        let t = (3_f64.sqrt() / 2.0 * latitude.sin()).asin();
        let [a1, a2, a3, a4] = [1.340264, -0.081106, 0.000893, 0.003796];
        let slope = 9.0 * a4 * t.powi(8) + 7.0 * a3 * t.powi(6) + 3.0 * a2 * t.powi(2) + a1;
        let x = 2.0 * 3_f64.sqrt() * longitude * t.cos() / (3.0 * slope);
        let y = a4 * t.powi(9) + a3 * t.powi(7) + a2 * t.powi(3) + a1 * t;
        close(found, &[x * 66.50336 / 180.0, y * 66.50336 / 180.0], 1e-14);
    }
    Ok(())
}

/// Wan's timestep of candle#mold: 936.5 and 937 are not 936 in bf16.
#[test]
#[cfg(feature = "half")]
fn a_timestep_is_not_rounded_before_its_angle() -> Outcome {
    let encoding = Timestep::flipped(256).encoding()?;
    let rows: Array2<half::bf16> = encoding.encode(&Positions::from(&[936.5, 937.0, 936.0]))?;
    for (row, t) in [936.5_f64, 937.0, 936.0].into_iter().enumerate() {
        assert_eq!(rows[[row, 0]], half::bf16::from_f64(t.cos()));
    }
    assert_ne!(rows.row(0), rows.row(2));
    Ok(())
}

/// FLUX multiplies times from 0 to 1 by 1000.
#[test]
fn flux() -> Outcome {
    let [flux, plain] = [Timestep::flux(256), Timestep::flipped(256)].map(|t| t.encoding());
    let dyadic = [0.25, 0.9365234375];
    let flux: Array2<f32> = flux?.encode(&Positions::from(&dyadic))?;
    let plain: Array2<f32> = plain?.encode(&Positions::from(&dyadic.map(|t| 1000.0 * t)))?;
    assert_eq!(flux, plain);
    // With one pair diffusers divides zero by zero.
    let smallest: Array2<f64> = Timestep::new(2).encoding()?.encode(&Positions::from(0..2))?;
    let one_pair: Array2<f64> = Sinusoidal::new(2)?.encode(&Positions::from(0..2))?;
    assert_eq!(smallest, one_pair);
    Ok(())
}

/// The limits at distance 0, where a Bessel function divides by the distance.
#[test]
fn bessel_at_zero() -> Outcome {
    let rows = |radial: Radial| -> Result<Array2<f64>, Error> {
        radial.encode(&Positions::from(&[0.0, 1e-12]))
    };
    for (radial, limit) in [(Radial::bessel(3, 4.0)?, PI / 4.0), (Radial::dimenet(3, 4.0, 5)?, PI)]
    {
        let found = rows(radial)?;
        close(found.row(0), &[limit, 2.0 * limit, 3.0 * limit], 0.0);
        close(found.row(1), &found.row(0).to_vec(), 1e-11);
    }
    Ok(())
}
