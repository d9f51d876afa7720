//! Timesteps and Fourier features, compared with output of the systems that use them.

use core::f64::consts::{PI, TAU};

use ndarray::{Array1, Array2, Array4, Axis, Ix2, Ix3, Ix4, s};
use positional_encodings::{
    Axes, Error, FeatureLayout, Fourier, Frequencies, PositionalEncoding, Positions, Timestep,
    space::Input,
};

use crate::agrees;
use crate::common::Tensors;

type Outcome = Result<(), Error>;

fn golden() -> Tensors {
    Tensors::golden("a3_timestep_fourier")
}

/// Returns the array of this name in a case.
fn matrix(name: &str) -> Array2<f32> {
    golden().get::<f32, Ix2>(name)
}

fn list(name: &str) -> Array1<f32> {
    Array1::from_vec(golden().list(name))
}

#[track_caller]
fn points_agree(encoding: &Fourier, points: &Array2<f32>, golden: &Array2<f32>) {
    let at = Positions::from_points(points).unwrap();
    let found: Array2<f32> = encoding.encode(&at).unwrap();
    let reach = |pair: &[f64]| pair.iter().fold(0.0, |sum, turns| sum + turns.abs());
    let largest = points.iter().fold(0.0, |most: f64, x| most.max(x.abs().into()));
    let columns = encoding.turns();
    let widest =
        columns.columns().into_iter().map(|pair| reach(&pair.to_vec())).fold(0.0, f64::max);
    agrees(found.view(), golden.view().into_dyn(), TAU * widest * largest);
}

#[test]
fn timesteps() -> Outcome {
    let plain = Timestep::new(16);
    for (index, timestep) in [
        plain,
        Timestep::flipped(16),
        Timestep { dim: 9, ..plain },
        Timestep { dim: 8, max_period: 100.0, scale: 1000.0, ..plain },
        Timestep { downscale_freq_shift: 0.5, ..Timestep::flipped(10) },
    ]
    .into_iter()
    .enumerate()
    {
        let (t, golden) =
            (list(&format!("timestep_{index}/t")), matrix(&format!("timestep_{index}/out")));
        let found: Array2<f32> = timestep.encoding()?.encode(&Positions::from(&t))?;
        for ((row, found), golden) in found.rows().into_iter().enumerate().zip(golden.rows()) {
            let (found, golden) = (found.insert_axis(Axis(0)), golden.insert_axis(Axis(0)));
            agrees(found, golden.into_dyn(), timestep.scale * f64::from(t[row]));
        }
    }
    Ok(())
}

#[test]
fn gaussian_projections_of_diffusers() -> Outcome {
    let w = |case: &str| list(&format!("{case}/W")).insert_axis(Axis(0));
    let x = |case: &str| list(&format!("{case}/x"));
    let case = "gaussian_fourier_flip";
    let fourier = Fourier::new(&w(case))?.with_layout(FeatureLayout::CosSinHalves);
    points_agree(&fourier, &x(case).insert_axis(Axis(1)), &matrix(&format!("{case}/out")));
    let case = "gaussian_fourier_log";
    let logs = Positions::from(&x(case)).map(|_, x| x.ln())?;
    let found: Array2<f32> = Fourier::new(&w(case))?.encode(&logs)?;
    let golden = matrix(&format!("{case}/out"));
    let largest = logs.iter().fold(0.0, |most: f64, log| most.max(log.to_f64().abs()));
    let widest = w(case).iter().fold(0.0, |most: f64, w| most.max(w.abs().into()));
    agrees(found.view(), golden.view().into_dyn(), TAU * largest * widest);
    Ok(())
}

#[test]
fn nerf_and_random_features_of_nerfstudio() -> Outcome {
    let plain = Fourier::nerfstudio(3, 4, (0.0, 3.0))?;
    points_agree(&plain, &matrix("nerf_plain/x"), &matrix("nerf_plain/out"));
    let with_input = Fourier::nerfstudio(3, 6, (0.0, 8.0))?.with_input(Input::Last);
    points_agree(&with_input, &matrix("nerf_input/x"), &matrix("nerf_input/out"));
    let rff = Fourier::new(&matrix("rff/B"))?.with_input(Input::Last);
    points_agree(&rff, &matrix("rff/x"), &matrix("rff/out"));
    Ok(())
}

#[test]
fn sam() -> Outcome {
    let coordinates: Array4<f32> = golden().get::<f32, Ix4>("sam_random_fourier/coords");
    let out: Array4<f32> = golden().get::<f32, Ix4>("sam_random_fourier/out");
    let points = coordinates.into_shape_with_order((6, 2)).unwrap();
    // (x, y) in an image of 48 rows and 64 columns
    let sizes = [64.0, 48.0];
    let normal = Positions::from_points(&points)?.map(|axis, c| 2.0 * (c / sizes[axis]) - 1.0)?;
    let found: Array2<f32> = Fourier::new(&matrix("sam_random_fourier/G"))?.encode(&normal)?;
    let reach = matrix("sam_random_fourier/G").iter().map(|g| f64::from(g.abs())).sum::<f64>();
    agrees(found.view(), out.view().into_dyn(), TAU * reach);
    Ok(())
}

#[test]
fn perceiver() -> Outcome {
    let grid = Positions::linspace(&[3, 4], -1.0..=1.0)?;
    let pos = golden().get::<f32, Ix3>("perceiver_2d/pos");
    for (found, golden) in grid.to_array()?.iter().zip(&pos) {
        assert!((found - f64::from(*golden)).abs() < 1e-7);
    }
    let found: Array2<f32> = Fourier::perceiver(&[3, 4], 3)?.encode(&grid)?;
    let out = golden().get::<f32, Ix3>("perceiver_2d/out");
    agrees(found.view(), out.view().into_dyn(), 2.0 * PI);
    let sines = Fourier::perceiver(&[16], 4)?.sines_only().with_input(Input::Absent);
    let line = Positions::linspace(&[5], -1.0..=1.0)?;
    let found: Array2<f32> = sines.encode(&line)?;
    agrees(found.view(), matrix("perceiver_sine_only/out").view().into_dyn(), 8.0 * PI);
    Ok(())
}

/// timm's features of an axis: \[coordinate | sin | cos\].
fn timm_agrees(case: &str, bands: &Frequencies, grid: &Positions<'_>, sizes: [usize; 2]) {
    let axis = Fourier::bands(1, bands).unwrap().with_input(Input::First);
    let found: Array2<f32> = Axes::concat([axis.clone(), axis]).unwrap().encode(grid).unwrap();
    let n = bands.len();
    let part = |name: &str| golden().get::<f32, Ix4>(&format!("{case}/{name}"));
    let shape = (sizes[0], sizes[1], 2, 1 + 2 * n);
    let found = found.into_shape_with_order(shape).unwrap();
    let widest = TAU * bands.to_radians().into_iter().fold(0.0, f64::max);
    let reach = grid.to_array().unwrap().iter().fold(0.0, |most: f64, c| most.max(c.abs()));
    for (name, columns) in [("grid", 0..1), ("sin", 1..1 + n), ("cos", 1 + n..1 + 2 * n)] {
        let found = found.slice(s![.., .., .., columns.clone()]).to_owned();
        let rows = found.len() / columns.len();
        let found = found.into_shape_with_order((rows, columns.len())).unwrap();
        agrees(found.view(), part(name).view().into_dyn(), widest * reach);
    }
}

#[test]
fn timm() -> Outcome {
    // Bands in turns per unit: half of π · f.
    let linear = |n: usize, last: f64| {
        let at = |i: usize| (1.0 + i as f64 * (last - 1.0) / (n - 1) as f64) / 2.0;
        Frequencies::from_radians((0..n).map(at))
    };
    let grid = Positions::linspace(&[3, 2], -1.0..=1.0)?;
    timm_agrees("timm_fourier_parts_pixel_lin", &linear(3, 6.0)?, &grid, [3, 2]);
    let logarithmic =
        Frequencies::from_radians([0.0, 4.0 / 3.0, 8.0 / 3.0, 4.0].map(|e: f64| e.exp2() / 2.0))?;
    let grid = Positions::linspace(&[2, 3], -1.0..=1.0)?;
    timm_agrees("timm_fourier_parts_pixel_log", &logarithmic, &grid, [2, 3]);
    // `lang` has frequencies in radians: temperature^(−i/n) at whole coordinates.
    let language = Frequencies::geometric(8, 100.0)?.scaled(1.0 / TAU)?;
    let grid = Positions::grid(&[3, 3])?;
    timm_agrees("timm_fourier_parts_lang", &language, &grid, [3, 3]);
    // FourierEmbed appends them to the features of the image, with the axes next to each other.
    let axis = Fourier::bands(1, &linear(4, 8.0)?)?.with_input(Input::First);
    let grid = Positions::linspace(&[3, 2], -1.0..=1.0)?;
    let found: Array2<f32> = Axes::concat([axis.clone(), axis])?.interleaved(1)?.encode(&grid)?;
    let out = golden().get::<f32, Ix3>("timm_fourier_embed/out");
    agrees(found.view(), out.slice(s![0, .., 2..]).into_dyn(), 8.0 * PI);
    Ok(())
}
