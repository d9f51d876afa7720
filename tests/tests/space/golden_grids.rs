//! Each recipe, compared with output of the system in its name.

use core::f64::consts::TAU;

use ndarray::{Array2, Array3, Array4, ArrayD, Ix2, Ix3, Ix4, IxDyn};
use positional_encodings::{
    Axes, Error, FeatureLayout, Frequencies, PositionalEncoding, Positions, Sinusoidal,
    ids::MaskCounts,
};

use crate::agrees;
use crate::common::Tensors;

type Outcome = Result<(), Error>;

fn golden() -> Tensors {
    Tensors::golden("a2_sinusoidal_nd")
}

/// Asserts that the vectors of a grid equal those of a table (points, dim) or (sizes…, dim).
#[track_caller]
fn grid_agrees(encoding: &dyn PositionalEncoding<f32>, sizes: &[usize], table: &str) {
    let found: ArrayD<f32> = encoding.encode_grid(sizes).unwrap();
    let rows = found.len() / encoding.dim();
    let found = found.into_shape_with_order((rows, encoding.dim())).unwrap();
    let largest = *sizes.iter().max().unwrap() as f64;
    agrees(found.view(), golden().get::<f32, IxDyn>(table).view(), largest);
}

#[test]
fn mae() -> Outcome {
    let golden: Array2<f32> = golden().get::<f32, Ix2>("mae_2d_sincos/table");
    let tokens = Positions::concat([Positions::from(&[-1]), Positions::grid(&[4, 4])?])?;
    let mae = Axes::mae(16)?.with_zero_position(-1);
    agrees(mae.encode(&tokens)?.view(), golden.view().into_dyn(), 4.0);
    Ok(())
}

#[test]
fn timm() -> Outcome {
    grid_agrees(&Axes::timm(16, 1e4)?, &[3, 5], "timm_sincos2d_plain/table");
    grid_agrees(&Axes::timm_interleaved(12, 100.0)?, &[4, 2], "timm_sincos2d_interleave/table");
    // `reverse_coord` swaps the shape as well as the coordinates.
    let reversed = Axes::timm(8, 1e4)?.reading(&[1, 0])?;
    let found: Array2<f32> = reversed.encode(&Positions::grid(&[3, 5])?)?;
    let swapped: Array2<f32> = Axes::timm(8, 1e4)?.encode(&Positions::grid(&[5, 3])?)?;
    let golden: Array2<f32> = golden().get::<f32, Ix2>("timm_sincos2d_reverse/table");
    let off = |table: &Array2<f32>| {
        table.iter().zip(&golden).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
    };
    assert!(off(&swapped) < 2e-6 || off(&found) < 2e-6, "{} {}", off(&swapped), off(&found));
    Ok(())
}

/// Returns a table (…, height, width) with its channels last, as in this crate.
fn channels_last(table: Array4<f32>) -> Array4<f32> {
    table.permuted_axes([0, 2, 3, 1]).as_standard_layout().into_owned()
}

fn detr_agrees(name: &str, mask: Array3<u8>, dim: usize, temperature: f64, counts: MaskCounts) {
    let golden = channels_last(golden().get::<f32, Ix4>(&format!("{name}/out")));
    let pixels = Positions::from_masks(&mask, counts).unwrap();
    let found = Axes::detr(dim, temperature).unwrap().encode(&pixels).unwrap();
    agrees(found.view(), golden.view().into_dyn(), 7.0);
}

#[test]
fn detr_and_mask2former() {
    let all = || Array3::<u8>::ones((1, 4, 6));
    detr_agrees("detr_plain", all(), 16, 1e4, MaskCounts::PLAIN);
    detr_agrees("detr_normalized", all(), 16, 1e4, MaskCounts::NORMALIZED);
    let scale = MaskCounts { scale: Some(3.0), ..MaskCounts::PLAIN };
    detr_agrees("detr_scale", all(), 12, 1e4, scale);
    let mask = |name: &str| golden().get::<u8, Ix3>(&format!("{name}/mask"));
    let (name, counts) = ("detr_normalized_masked", MaskCounts::NORMALIZED);
    detr_agrees(name, mask(name), 12, 20.0, counts);
    detr_agrees("mask2former_masked", mask("mask2former_masked"), 16, 1e4, counts);
}

#[test]
fn loftr() -> Outcome {
    let positions = Positions::grid_of(&[1..4, 1..5])?;
    for (name, encoding) in
        [("loftr_fixed", Axes::loftr(8)?), ("loftr_legacy", Axes::loftr_released(8)?)]
    {
        let pe = golden().get::<f32, Ix3>(&format!("{name}/pe"));
        let golden = pe.permuted_axes([1, 2, 0]).as_standard_layout().into_owned();
        agrees(encoding.encode(&positions)?.view(), golden.view().into_dyn(), 4.0);
    }
    Ok(())
}

#[test]
fn python_package() -> Outcome {
    for (dim, sizes, name) in [
        (10, &[3, 3][..], "2d_c10"),
        (12, &[5, 4], "2d_c12"),
        (12, &[2, 3, 4], "3d_c12"),
        (8, &[2, 2, 3], "3d_c8"),
    ] {
        let name = format!("positional_encodings_{name}/table");
        grid_agrees(&Axes::python(dim, sizes.len())?, sizes, &name);
    }
    let permuted = golden().get::<f32, Ix3>("positional_encodings_permute2d/table");
    let table = permuted.permuted_axes([1, 2, 0]).as_standard_layout().into_owned();
    let found = Axes::python(8, 2)?.encode(&Positions::grid(&[3, 4])?)?;
    agrees(found.view(), table.view().into_dyn(), 4.0);
    // On one axis it is the paper's sinusoid.
    let line: Array2<f64> = Axes::python(6, 1)?.encode(&Positions::grid(&[9])?)?;
    let paper: Array2<f64> = Sinusoidal::new(6)?.encode(&Positions::from(0..9))?;
    assert_eq!(line, paper);
    Ok(())
}

#[test]
fn diffusers() -> Outcome {
    // diffusers rounds coordinates to f32, and the rest is f64.
    let mae = Axes::mae(8)?;
    let token = Positions::from(&[-1]);
    let square = Positions::grid(&[4, 4])?;
    let table = |name: &str| golden().get::<f64, IxDyn>(&format!("diffusers_{name}/table"));
    let found = Axes::mae(16)?.encode(&square)?;
    agrees(found.view(), table("2d_square").view(), 4.0);
    let with_class = Positions::concat([token, Positions::grid(&[2, 2])?])?;
    let found = Axes::mae(8)?.with_zero_position(-1).encode(&with_class)?;
    agrees(found.view(), table("2d_cls").view(), 2.0);
    let sizes = [3.0, 5.0];
    let scaled = Positions::grid(&[3, 5])?.map(|axis, i| i / (sizes[axis] / 16.0) / 2.0)?;
    agrees(mae.encode(&scaled)?.view(), table("2d_rect_scaled").view(), 16.0);
    let video = Axes::diffusers_3d(16)?.encode(&Positions::grid(&[2, 2, 3])?)?;
    agrees(video.view(), table("3d").view(), 3.0);
    Ok(())
}

/// Recipes without recorded output are made of parts that have one, by the formula in the source.
#[test]
fn others_by_their_formulas() -> Outcome {
    let halves = |dim| -> Result<Sinusoidal, Error> {
        Ok(Sinusoidal::new(dim)?.with_layout(FeatureLayout::SinCosHalves))
    };
    let at = |encoding: &Sinusoidal, p: f64| -> Vec<f64> {
        let row: Array2<f64> = encoding.encode(&Positions::from(&[p])).unwrap();
        row.into_raw_vec_and_offset().0
    };
    let point = ndarray::array![[3.0, 5.0, 2.0]];
    let video = Positions::from_points(&point)?;
    let row = |encoding: &dyn PositionalEncoding<f64>, at: &Positions<'_>| -> Vec<f64> {
        encoding.encode(at).unwrap().into_raw_vec_and_offset().0
    };
    let expected = [at(&halves(8)?, 3.0), at(&halves(4)?, 5.0), at(&halves(4)?, 2.0)].concat();
    assert_eq!(row(&Axes::v_jepa(16)?, &video), expected);
    // uniform_power: 2⌈16/6⌉ = 6 columns for each axis, and two are cut off.
    let expected = [3.0, 5.0, 2.0].map(|p| at(&halves(6).unwrap(), p)).concat();
    assert_eq!(row(&Axes::v_jepa_uniform(16)?, &video), expected[..16]);
    let inclusive = |dim| -> Result<Sinusoidal, Error> {
        let frequencies = Frequencies::geometric_inclusive(dim, 1e4)?;
        Ok(Sinusoidal::from_frequencies(frequencies).with_layout(FeatureLayout::SinCosHalves))
    };
    let mut expected = [3.0, 5.0, 2.0].map(|p| at(&inclusive(4).unwrap(), p)).concat();
    expected.extend([0.0; 3]);
    assert_eq!(row(&Axes::tensor2tensor(15, 3)?, &video), expected);
    // DAB-DETR: y, x, w, h of coordinates times 2π.
    let corners = [0.25, 0.5, 0.125, 0.375];
    let points = ndarray::array![corners];
    let boxes = Positions::from_points(&points)?;
    let features = row(&Axes::dab_detr(16, 1e4)?, &boxes);
    for (block, corner) in [0.5, 0.25, 0.125, 0.375].into_iter().enumerate() {
        for (i, w) in [1.0, 0.01].into_iter().enumerate() {
            let (sin, cos) = (TAU * corner * w).sin_cos();
            let found = &features[4 * block + 2 * i..][..2];
            assert!((found[0] - sin).abs() < 1e-15 && (found[1] - cos).abs() < 1e-15);
        }
    }
    let unordered = row(&Axes::deformable_detr(16, 1e4)?, &boxes);
    assert_eq!([&unordered[4..8], &unordered[..4], &unordered[8..]].concat(), features);
    Ok(())
}
