//! Rotations of other systems: ONNX's node tests, V-JEPA 2, Golden-Gate RoPE, diffusion
//! transformers, LeRoPE.

use ndarray::{Array1, Array2, Array4, Axis, Ix2, Ix3, Ix4, array, s};
use positional_encodings::rotary::{Diffusion, MixedRotary, VJepa2};
use positional_encodings::{Error, Frequencies, Pairing, Positions, Rotary, Rotation};

use crate::common::Tensors;

/// Runs a node of ONNX's `RotaryEmbedding` with this crate's rotation.
fn node(golden: &Tensors, case: &str, pairing: Pairing, heads: Option<usize>) -> Array4<f32> {
    let name = |tensor: &str| format!("{case}/{tensor}");
    // (batch, heads, positions, dim), or (batch, positions, heads · dim)
    let x: Array4<f32> = match heads {
        None => golden.get::<f32, Ix4>(&name("input")),
        Some(heads) => {
            let x = golden.get::<f32, Ix3>(&name("input"));
            let (batch, len, width) = x.dim();
            let x = x.into_shape_with_order((batch, len, heads, width / heads)).unwrap();
            x.permuted_axes([0, 2, 1, 3]).as_standard_layout().into_owned()
        }
    };
    let mut out = x.clone();
    for (row, mut sequence) in out.axis_iter_mut(Axis(0)).enumerate() {
        // A cache of all positions, indexed by ids, or one for each sequence
        let table = |tensor: &str| -> Array2<f32> {
            if case.contains("no_position_ids") {
                golden.get::<f32, Ix3>(&name(tensor)).index_axis_move(Axis(0), row)
            } else {
                let ids = golden.get::<i64, Ix2>(&name("position_ids"));
                let ids: Vec<usize> = ids.row(row).iter().map(|&id| id as usize).collect();
                golden.get::<f32, Ix2>(&name(tensor)).select(Axis(0), &ids)
            }
        };
        let (cos, sin) = (table("cos_cache"), table("sin_cache"));
        let rotation = Rotation::from_cos_sin(cos.view(), sin.view(), pairing).unwrap();
        rotation.apply(sequence.view_mut()).unwrap();
    }
    out
}

#[test]
fn node_tests_of_onnx() {
    let golden = Tensors::golden("onnx_rotary");
    let (halves, pairs) = (Pairing::Halves, Pairing::Interleaved);
    for (case, pairing, heads) in [
        ("case", halves, None),
        ("case_3d_input", halves, Some(4)),
        ("case_interleaved", pairs, None),
        ("case_with_rotary_dim", halves, None),
        ("case_with_interleaved_rotary_dim", pairs, None),
        ("case_no_position_ids", halves, None),
        ("case_no_position_ids_interleaved", pairs, None),
        ("case_no_position_ids_rotary_dim", halves, None),
    ] {
        let found = node(&golden, case, pairing, heads);
        let expected: Array4<f32> = match heads {
            None => golden.get::<f32, Ix4>(&format!("{case}/output")),
            Some(heads) => {
                let out = golden.get::<f32, Ix3>(&format!("{case}/output"));
                let (batch, len, width) = out.dim();
                let out = out.into_shape_with_order((batch, len, heads, width / heads)).unwrap();
                out.permuted_axes([0, 2, 1, 3])
            }
        };
        let worst = (&found - &expected).iter().fold(0.0_f32, |worst, off| worst.max(off.abs()));
        assert!(worst <= 1e-6, "{case}: {worst}");
        // The other pairing is another function.
        let other = if pairing == halves { pairs } else { halves };
        assert!(node(&golden, case, other, heads) != found, "{case}");
    }
}

/// modeling_vjepa2.py, run by hand: D = 4 of an axis, position 1, features 1 2 3 4.
#[test]
fn vjepa2() {
    let vjepa2 = VJepa2::new(14).unwrap();
    let expected = [-1.1426396637476532, 2.009899834167497, -1.7449770216271667, 4.029799501669161];
    for axis in 0..3 {
        let mut x = Array2::<f64>::zeros((1, 14));
        (0..4).for_each(|i| x[[0, 4 * axis + i]] = 1.0 + i as f64);
        (x[[0, 12]], x[[0, 13]]) = (5.0, 6.0);
        let mut point = [[0_i64]; 3];
        point[axis] = [1];
        vjepa2.apply(x.view_mut(), Positions::from_axes(point.iter()).unwrap()).unwrap();
        for (i, expected) in expected.into_iter().enumerate() {
            assert!((x[[0, 4 * axis + i]] - expected).abs() < 1e-14, "{axis} {i}: {x}");
        }
        assert_eq!((x[[0, 12]], x[[0, 13]]), (5.0, 6.0));
    }
    let mut x = Array2::<f64>::ones((2, 14));
    let grid = Positions::grid(&[1, 1, 2]).unwrap();
    assert!(matches!(vjepa2.apply(x.view_mut(), 0..2), Err(Error::AxesMismatch { .. })));
    assert!(vjepa2.apply(x.view_mut(), Positions::grid(&[1, 1, 3]).unwrap()).is_err());
    assert!(vjepa2.apply(x.slice_mut(s![.., ..13]), grid.clone()).is_err());
    assert!(vjepa2.apply(Array1::<f64>::ones(14).view_mut(), grid).is_err());
    assert!(x.iter().all(|&value| value == 1.0));
    assert_eq!(VJepa2::new(5), Err(Error::DimTooSmall { dim: 5, needed: 6 }));
}

/// The first directions of two axes, by the reference's ten iterations for the generalised golden
/// ratio.
#[test]
fn golden_gate() {
    let mixed = MixedRotary::golden_gate([2, 1, 3], 1.0..=1.0, 0, Pairing::Halves).unwrap();
    let expected = [[0.96898, 0.24714], [0.02260, -0.99974], [-0.75169, 0.65952]];
    for (pair, expected) in expected.into_iter().enumerate() {
        for (axis, expected) in expected.into_iter().enumerate() {
            let found = mixed.frequencies()[[axis, 0, pair]];
            assert!((found - expected).abs() < 2e-4, "{pair} {axis}: {found}");
        }
    }
    let mixed = MixedRotary::golden_gate([3, 4, 16], 0.5..=32.0, 3, Pairing::Halves).unwrap();
    for head in 0..4 {
        for pair in 0..16 {
            let length = mixed.frequencies().slice(s![.., head, pair]).mapv(|w| w * w).sum().sqrt();
            let expected = if pair < 3 { 0.0 } else { 0.5 * 64_f64.powf((pair - 3) as f64 / 12.0) };
            assert!((length - expected).abs() < 1e-12, "{head} {pair}: {length}");
        }
    }
    let wrong = |shape, magnitudes, still| {
        MixedRotary::golden_gate(shape, magnitudes, still, Pairing::Halves).is_err()
    };
    assert!(wrong([0, 1, 1], 1.0..=2.0, 0) && wrong([1, 1, 0], 1.0..=2.0, 0));
    assert!(wrong([1, 1, 1], 2.0..=1.0, 0) && wrong([1, 1, 1], 0.0..=1.0, 0));
    assert!(wrong([1, 1, 1], 1.0..=2.0, 2) && wrong([1, 1, 1], f64::NAN..=1.0, 0));
    assert!(MixedRotary::golden_gate([2, 1, 2], 1.0..=2.0, 2, Pairing::Halves).is_ok());
}

/// diffusers: flux, flux2, qwenimage, z_image, lumina2, wan.
#[test]
fn diffusion() {
    let all = |model: Diffusion, text, image| -> Vec<Vec<f64>> {
        let points = model.ids(text, image).unwrap().to_array().unwrap();
        points.rows().into_iter().map(|row| row.to_vec()).collect()
    };
    let flux = all(Diffusion::Flux, 1, [1, 1, 2]);
    assert_eq!(flux, [[0.0, 0.0, 0.0], [0.0, 0.0, 0.0], [0.0, 0.0, 1.0]]);
    let flux2 = all(Diffusion::Flux2, 2, [1, 1, 2]);
    assert_eq!(flux2, [[0.0; 4], [0.0, 0.0, 0.0, 1.0], [0.0; 4], [0.0, 0.0, 1.0, 0.0]]);
    let qwen = all(Diffusion::QwenImage, 1, [1, 5, 2]);
    assert_eq!(
        (&qwen[0], &qwen[1], &qwen[10]),
        (&vec![2.0; 3], &vec![0.0, -3.0, -1.0], &vec![0.0, 1.0, 0.0])
    );
    let z_image = all(Diffusion::ZImage, 2, [1, 1, 2]);
    let expected = [[1.0, 0.0, 0.0], [2.0, 0.0, 0.0], [3.0, 0.0, 0.0], [3.0, 0.0, 1.0]];
    assert_eq!(z_image, expected);
    let lumina2 = all(Diffusion::Lumina2, 2, [1, 1, 2]);
    assert_eq!(lumina2, [[0.0; 3], [1.0; 3], [2.0, 0.0, 0.0], [2.0, 0.0, 1.0]]);
    assert_eq!(all(Diffusion::Wan, 7, [2, 1, 1]), [[0.0; 3], [1.0, 0.0, 0.0]]);
    for (model, dim, last) in [
        (Diffusion::Flux, 128, 1e4_f64.powf(-54.0 / 56.0)),
        (Diffusion::Flux2, 128, 2000_f64.powf(-30.0 / 32.0)),
        (Diffusion::Wan, 128, 1e4_f64.powf(-40.0 / 42.0)),
        (Diffusion::HunyuanVideo, 128, 256_f64.powf(-54.0 / 56.0)),
        (Diffusion::HunyuanImage, 128, 256_f64.powf(-62.0 / 64.0)),
        (Diffusion::ZImage, 128, 256_f64.powf(-46.0 / 48.0)),
        (Diffusion::Krea2, 128, 1000_f64.powf(-46.0 / 48.0)),
        (Diffusion::CogVideoX, 64, 1e4_f64.powf(-22.0 / 24.0)),
    ] {
        let rotary = model.rotary().unwrap();
        assert_eq!((rotary.dim(), rotary.pairing()), (dim, Pairing::Interleaved));
        assert!((rotary.frequencies().last().unwrap() / last - 1.0).abs() < 1e-14, "{model:?}");
        let ids = model.ids(3, [1, 4, 4]).unwrap();
        rotary.at::<f32>(&ids).unwrap();
    }
    // Cosmos: halves, and the base of frames times 2^(44/42).
    let cosmos = Diffusion::Cosmos.rotary().unwrap();
    assert_eq!((cosmos.dim(), cosmos.pairing()), (128, Pairing::Halves));
    let second = (1e4 * 2_f64.powf(44.0 / 42.0)).powf(-2.0 / 44.0);
    assert!((cosmos.frequencies()[1] / second - 1.0).abs() < 1e-14);
    assert!((cosmos.frequencies()[23] / 1e4_f64.powf(-2.0 / 42.0) - 1.0).abs() < 1e-14);
    assert_eq!(all(Diffusion::Cosmos, 7, [1, 1, 2]), [[0.0; 3], [0.0, 0.0, 1.0]]);
    assert_eq!(all(Diffusion::Flux3, 2, [1, 1, 2]), flux2);
    assert!(Diffusion::Flux.ids(usize::MAX, [1, usize::MAX, 2]).is_err());
    // Without an axis of frames there is one frame.
    for frames in [0, 2, 5, usize::MAX] {
        let error = Diffusion::HunyuanImage.ids(0, [frames, 4, usize::MAX]).unwrap_err();
        assert!(
            matches!(error, Error::InvalidParameter { name: "number of frames", .. }),
            "{error:?}"
        );
    }
}

/// The frequencies of diffusers 0.42 at dim 24 and base 1e4; the coordinate 1/4 turns back by half
/// of each.
#[test]
fn ltx() {
    let rotary = Rotary::ltx(26, 1e4).unwrap();
    let radians = [core::f64::consts::FRAC_PI_2, 33.8417809742, 729.0990690331, 15707.9632679490];
    for (pair, found) in rotary.frequencies().into_iter().enumerate() {
        assert!((found / radians[pair / 3] - 1.0).abs() < 1e-11, "{pair}: {found}");
    }
    assert_eq!(rotary.rotated_features(26), Some(2..26));
    let at = Positions::from_points(&array![[0.25, 0.5, 0.75]])
        .unwrap()
        .map(|_, g| 2.0 * g - 1.0)
        .unwrap();
    let rotation = rotary.at::<f64>(at).unwrap();
    let [cos, sin] = rotation.cos_sin(0).unwrap();
    for pair in 0..12 {
        let angle = radians[pair / 3] * [-0.5, 0.0, 0.5][pair % 3];
        let close = |a: f64, b: f64| (a - b).abs() < 1e-6;
        assert!(close(cos[pair], angle.cos()) && close(sin[pair], angle.sin()), "{pair}");
    }
    for dim in [0, 11] {
        assert!(matches!(Rotary::ltx(dim, 1e4), Err(Error::InvalidParameter { .. })));
    }
}

/// The gradient for LeRoPE's exponents is the gradient for the frequencies, times the frequencies.
#[test]
fn learned_exponents() {
    let plain = Frequencies::geometric(8, 10_000.0).unwrap();
    let alpha = [0.0, 0.5, -0.25, 1e-3];
    let learned = plain.clone().times_exponentials(&alpha).unwrap();
    for ((found, plain), alpha) in learned.to_radians().iter().zip(plain.to_radians()).zip(alpha) {
        assert!((found / plain - alpha.exp()).abs() < 1e-15);
    }
    assert!(plain.clone().times_exponentials(&[0.0; 3]).is_err());
    for wrong in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e4] {
        assert!(plain.clone().times_exponentials(&[wrong, 0.0, 0.0, 0.0]).is_err(), "{wrong}");
    }
}

#[test]
fn merged_and_centred_grids() {
    for merge in [0, 3] {
        assert!(Positions::merged(4, 6, merge).is_err());
    }
    let points = Positions::merged(4, 6, 2).unwrap().to_array().unwrap();
    // Every point once, and each block together
    let mut seen = Array2::<usize>::zeros((4, 6));
    for (index, point) in points.rows().into_iter().enumerate() {
        let [row, column] = [point[0] as usize, point[1] as usize];
        seen[[row, column]] += 1;
        let block = index / 4;
        assert_eq!((row / 2, column / 2), (block / 3, block % 3));
    }
    assert!(seen.iter().all(|&count| count == 1));
    assert!(Positions::merged(usize::MAX, 2, 1).is_err() && Positions::centred(&[]).is_err());
    assert_eq!(Positions::merged(0, 4, 2).unwrap().len(), 0);
}
