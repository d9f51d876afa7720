//! Rotations of images and video, compared with the systems that use them.

use ndarray::{Array2, Array3, ArrayD, Axis, Slice};
use positional_encodings::scaling::{LongRope, Regime};
use positional_encodings::testing::InstructionSet;
use positional_encodings::{
    Error, Frequencies, Pairing, Positions, Rotary, Rotation,
    ids::Segment,
    rotary::{AxialOrder, Dinov3Augmentation, Sections},
};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use crate::golden::{Golden, close};

use crate::apply::positions_on;

/// The tolerance of a cosine is 1e-6 + 3e-7 · angle: angles are below 10, except in the cases in
/// pixels, where they reach 16π.
fn bound(_: &ndarray::IxDyn) -> f64 {
    2e-5
}

/// Compares cosines and sines with tables, whose column i belongs to pair `pair(i)`.
#[track_caller]
fn same(
    case: &str,
    rotation: &Rotation<f32>,
    cos: &ArrayD<f64>,
    sin: &ArrayD<f64>,
    pair: impl Fn(usize) -> usize,
) {
    let width = *cos.shape().last().unwrap();
    let rows = |table: &ArrayD<f64>| table.iter().copied().collect::<Vec<f64>>();
    let (cos, sin) = (rows(cos), rows(sin));
    assert_eq!(cos.len(), rotation.positions().unwrap() * width, "{case}");
    let bound = if case.ends_with("pixel") { 2e-5 } else { 4e-6 };
    for (i, (cos, sin)) in cos.into_iter().zip(sin).enumerate() {
        let [c, s] =
            rotation.cos_sin(i / width).unwrap().map(|row| f64::from(row[pair(i % width)]));
        assert!(
            (c - cos).abs() < bound && (s - sin).abs() < bound,
            "{case} {i}: {c} {s} instead of {cos} {sin}"
        );
    }
}

fn coordinates(golden: &Golden, name: &str) -> Positions<'static> {
    let rows: Array2<f64> = golden.tensor(name).into_dimensionality().unwrap();
    Positions::from_points(&rows).unwrap().into_owned().unwrap()
}

/// Returns the coordinates of one sequence, axis by axis.
fn axes(coordinates: &Positions<'_>) -> Vec<Vec<f64>> {
    let list = |axis| coordinates.axis(axis).unwrap().row(0).iter().map(|p| p.to_f64()).collect();
    (0..coordinates.axes()).map(list).collect()
}

/// transformers' M-RoPE ids (3, batch, len)
fn three(golden: &Golden, name: &str) -> Positions<'static> {
    let ids: Array3<f64> = golden.tensor(name).into_dimensionality().unwrap();
    let axes: Vec<Vec<f64>> = ids.outer_iter().map(|axis| axis.iter().copied().collect()).collect();
    Positions::from_axes(axes).unwrap()
}

#[test]
pub fn vision_towers_of_transformers() {
    let golden = Golden::open("c3_rope_multi_axis");
    for (case, order) in
        [("qwen2_vl_vision", AxialOrder::Qwen2Vl), ("pixtral", AxialOrder::Pixtral)]
    {
        let rotary = Rotary::axial_2d(16, 1e4, order).unwrap();
        let rotation = rotary.at(coordinates(&golden, &format!("{case}/positions"))).unwrap();
        let [cos, sin] = ["cos", "sin"].map(|name| golden.tensor(&format!("{case}/{name}")));
        same(case, &rotation, &cos, &sin, |i| i % 8);
    }
    let rotary = Rotary::axial_2d(16, 100.0, AxialOrder::Gemma4).unwrap();
    let mut x = golden.f32("gemma4_vision/x");
    rotary
        .at(coordinates(&golden, "gemma4_vision/positions"))
        .unwrap()
        .apply(positions_on(1, x.view_mut()))
        .unwrap();
    close("gemma4", &x, &golden.f32("gemma4_vision/out"), bound);
    let [cos, sin] = ["cos", "sin"].map(|name| golden.tensor(&format!("gemma4_vision/{name}")));
    let rotation = rotary.at(coordinates(&golden, "gemma4_vision/positions")).unwrap();
    same("gemma4", &rotation, &cos, &sin, |i| i / 8 * 4 + i % 4);
}

#[test]
pub fn llama4_vision() {
    let golden = Golden::open("c3_rope_multi_axis");
    let patches = Positions::grid(&[3, 3]).unwrap().map(|_, c| c + 1.0).unwrap();
    let mut axes: Vec<Vec<f64>> = (0..2)
        .map(|axis| patches.axis(axis).unwrap().row(0).iter().map(|p| p.to_f64()).collect())
        .collect();
    axes.iter_mut().for_each(|axis| axis.push(0.0));
    let rotary = Rotary::axial_2d(16, 1e4, AxialOrder::Llama4).unwrap();
    let rotation = rotary.at(Positions::from_axes(axes).unwrap()).unwrap();
    let complex = golden.tensor("llama4_vision/freqs_ci");
    let [cos, sin] = [0, 1].map(|part| complex.index_axis(Axis(3), part).to_owned());
    same("llama4", &rotation, &cos, &sin, |i| i);
}

#[test]
pub fn dinov3() {
    let golden = Golden::open("c3_rope_multi_axis");
    let rotation = Rotary::dinov3(16, 100.0).unwrap().at(Positions::dinov3(3, 4).unwrap()).unwrap();
    let [cos, sin] = ["cos", "sin"].map(|name| golden.tensor(&format!("dinov3/{name}")));
    same("dinov3", &rotation, &cos, &sin, |i| i % 8);
    let mut q = golden.f32("dinov3/q");
    rotation.apply(q.slice_axis_mut(Axis(2), Slice::from(5..))).unwrap();
    close("dinov3", &q, &golden.f32("dinov3/q_out"), bound);
    let emb = golden.tensor("timm_dinov3/emb");
    let halves = |from: usize| emb.slice_axis(Axis(1), Slice::from(from..from + 16)).to_owned();
    same("timm_dinov3", &rotation, &halves(16), &halves(0), |i| i % 8);
}

#[test]
pub fn flux_and_diffusers() {
    let golden = Golden::open("c3_rope_multi_axis");
    let axial = |dims: &[usize]| {
        let frequencies = dims.iter().map(|&dim| Frequencies::geometric(dim, 1e4).unwrap());
        Rotary::axial(frequencies, Pairing::Interleaved).unwrap()
    };
    let table = |case: &str| ["cos", "sin"].map(|name| golden.tensor(&format!("{case}/{name}")));
    let rotation = axial(&[4, 6, 6]).at(coordinates(&golden, "flux/ids")).unwrap();
    let [cos, sin] = table("flux");
    same("flux", &rotation, &cos, &sin, |i| i / 2);
    let grid = Positions::grid(&[2, 3, 2]).unwrap();
    let [cos, sin] = table("diffusers_3d");
    same("diffusers_3d", &axial(&[4, 6, 6]).at(grid).unwrap(), &cos, &sin, |i| i / 2);
    // Two axes: the columns come first.
    let [cos, sin] = table("diffusers_2d");
    let rotary = Rotary::axial_2d(8, 1e4, AxialOrder::Llama4).unwrap();
    same("diffusers_2d", &rotary.at(Positions::grid(&[4, 3]).unwrap()).unwrap(), &cos, &sin, |i| {
        i / 2
    });
}

#[test]
pub fn timm_and_rotary_embedding_torch() {
    let golden = Golden::open("c3_rope_multi_axis");
    let check = |case: &str, rotary: Rotary, grid: Positions<'_>| {
        let x = golden.f32(&format!("{case}/x"));
        let (shape, rows) = (x.shape().to_vec(), grid.len());
        let (width, leading) = (shape[shape.len() - 1], x.len() / rows / shape[shape.len() - 1]);
        let mut flat = x.into_shape_with_order((leading, rows, width)).unwrap();
        rotary.at(&grid).unwrap().apply(flat.view_mut()).unwrap();
        let out = flat.into_shape_with_order(shape).unwrap();
        close(case, &out, &golden.f32(&format!("{case}/out")), bound);
        // timm's table is [sin | cos]; the table of rotary-embedding-torch has angles.
        let interleaved = rotary.pairing() == Pairing::Interleaved;
        let pair = |i: usize| if interleaved { i / 2 } else { i % (rotary.dim() / 2) };
        let rotation = rotary.at(&grid).unwrap();
        if golden.has(&format!("{case}/emb")) {
            let emb = golden.tensor(&format!("{case}/emb"));
            let half = |part: usize| {
                emb.slice_axis(Axis(1), Slice::from(part * width..(part + 1) * width)).to_owned()
            };
            same(case, &rotation, &half(1), &half(0), pair);
        } else {
            let angles = golden.tensor(&format!("{case}/freqs"));
            same(case, &rotation, &angles.mapv(f64::cos), &angles.mapv(f64::sin), pair);
        }
    };
    let each = |dim, base| Frequencies::geometric(dim, base).unwrap();
    let linspace =
        |from: f64, to: f64, n: usize| move |i: f64| from + (to - from) * i / (n - 1) as f64;
    // timm's bands are geometric, rotary-embedding-torch's linear.
    let bands = |max_res: f64, n: usize, linear: bool| {
        let band = |i: f64| {
            if linear {
                linspace(1.0, max_res / 2.0, n)(i)
            } else {
                (max_res / 2.0).powf(linspace(0.0, 1.0, n)(i))
            }
        };
        let half_turns = (0..n).map(|i| band(i as f64));
        Frequencies::from_radians(half_turns).unwrap().scaled(0.5).unwrap().full_turns().unwrap()
    };
    let eva = |dim, base| Rotary::axial_2d(dim, base, AxialOrder::Eva02).unwrap();
    check("timm_rotary_cat_lang", eva(16, 1e4), Positions::grid(&[3, 2]).unwrap());
    let ratios = [4.0 / 6.0, 4.0 / 5.0];
    check(
        "timm_rotary_cat_lang_ref",
        eva(16, 100.0),
        Positions::grid(&[6, 5]).unwrap().map(|axis, c| c * ratios[axis]).unwrap(),
    );
    // Indexed "xy", columns come first.
    let offset = Positions::grid(&[2, 4]).unwrap().map(|_, c| c + 1.0).unwrap();
    check(
        "timm_rotary_cat_xy_offset",
        Rotary::axial_2d(8, 1e4, AxialOrder::Llama4).unwrap(),
        offset,
    );
    check(
        "timm_rotary_cat_half",
        Rotary::axial_2d(8, 1e4, AxialOrder::Qwen2Vl).unwrap(),
        Positions::grid(&[3, 2]).unwrap(),
    );
    let pixels =
        Rotary::axial([bands(32.0, 4, false), bands(32.0, 4, false)], Pairing::Interleaved)
            .unwrap();
    let sizes = [2, 3];
    check(
        "timm_rotary_cat_pixel",
        pixels,
        Positions::grid(&sizes)
            .unwrap()
            .map(|axis, c| linspace(-1.0, 1.0, sizes[axis])(c))
            .unwrap(),
    );
    let lang = Rotary::axial([each(4, 1e4), each(4, 1e4)], Pairing::Interleaved).unwrap();
    check("rotary_torch_axial_lang", lang, Positions::grid(&[3, 2]).unwrap());
    let pixels =
        Rotary::axial([bands(16.0, 2, true), bands(16.0, 2, true)], Pairing::Interleaved).unwrap();
    let sizes = [3, 4];
    check(
        "rotary_torch_axial_pixel",
        pixels,
        Positions::grid(&sizes)
            .unwrap()
            .map(|axis, c| linspace(-1.0, 1.0, sizes[axis])(c))
            .unwrap(),
    );
}

#[test]
pub fn multimodal_sections() {
    let golden = Golden::open("c3_rope_multi_axis");
    let positions = three(&golden, "qwen2_vl/positions");
    for (case, sections, order) in [
        ("qwen2_vl", [2, 3, 3], Sections::Chunked),
        ("qwen3_vl_interleaved", [4, 2, 2], Sections::Interleaved),
    ] {
        let plain = Rotary::new(Frequencies::geometric(16, 1e6).unwrap(), Pairing::Halves);
        let rotation =
            plain.with_sections(&sections, order).unwrap().at::<f32>(&positions).unwrap();
        let [cos, sin] = ["cos", "sin"].map(|name| golden.tensor(&format!("{case}/{name}")));
        same(case, &rotation, &cos, &sin, |i| i % 8);
        for x in ["q", "k"] {
            let mut rotated = golden.f32(&format!("qwen2_vl/{x}"));
            rotation.apply(rotated.view_mut()).unwrap();
            close(case, &rotated, &golden.f32(&format!("{case}/{x}_out")), |_| 1e-4);
        }
    }
}

#[test]
pub fn multimodal_positions() {
    let golden = Golden::open("c3_rope_multi_axis");
    for case in ["qwen2_vl_rope_index", "qwen3_vl_rope_index"] {
        let expected = three(&golden, &format!("{case}/position_ids"));
        let kinds = golden.ids(&format!("{case}/mm_token_type_ids"));
        // The token of patches occurs nowhere else.
        let ids = golden.ids(&format!("{case}/input_ids"));
        let image_id = ids[kinds.iter().position(|&kind| kind != 0).unwrap()];
        assert!(
            ids.iter().zip(&kinds).all(|(&id, &kind)| (id == image_id) == (kind != 0)),
            "{case}"
        );
        let before = kinds.iter().take_while(|&&kind| kind == 0).count();
        let image = kinds.iter().filter(|&&kind| kind != 0).count();
        let after = kinds.len() - before - image;
        let segments =
            [Segment::Text(before), Segment::Image { rows: 2, columns: 3 }, Segment::Text(after)];
        let (positions, next) = Positions::multimodal(&segments).unwrap();
        for axis in 0..3 {
            let list = |c: &Positions<'_>| c.axis(axis).unwrap().row(0).iter().collect::<Vec<_>>();
            assert_eq!(list(&positions), list(&expected), "{case} {axis}");
        }
        assert_eq!(next as i64 - kinds.len() as i64, golden.ids(&format!("{case}/delta"))[0]);
    }
    let video = Segment::Video { frames: 3, rows: 1, columns: 1, interval: 2.5 };
    let (positions, next) =
        Positions::multimodal(&[Segment::Text(1), video, Segment::Text(1)]).unwrap();
    assert_eq!(
        positions,
        Positions::from_axes([&[0_usize, 1, 3, 6, 7], &[0, 1, 1, 1, 7], &[0, 1, 1, 1, 7]]).unwrap()
    );
    assert_eq!(next, 8);
}

/// get_rope_index of modeling_qwen2_vl.py and modeling_qwen2_5_vl.py (transformers 4.57) on a
/// prompt of two images and a video, by hand: the segment after a grid starts after the largest of
/// its positions, time included.
#[test]
fn several_images_and_videos() {
    let image = |rows, columns| Segment::Image { rows, columns };
    // 2 frames of 1 × 2 tokens, 0.5 seconds · 25 tokens per second apart: 12.5, rounded down
    let video = Segment::Video { frames: 2, rows: 1, columns: 2, interval: 12.5 };
    let prompt =
        [Segment::Text(1), image(1, 3), Segment::Text(2), image(2, 1), video, Segment::Text(2)];
    let (positions, next) = Positions::multimodal(&prompt).unwrap();
    let time = [0, 1, 1, 1, 4, 5, 6, 6, 8, 8, 20, 20, 21, 22];
    let height = [0, 1, 1, 1, 4, 5, 6, 7, 8, 8, 8, 8, 21, 22];
    let width = [0, 1, 2, 3, 4, 5, 6, 6, 8, 9, 8, 9, 21, 22];
    assert_eq!(axes(&positions), [time, height, width].map(|axis| axis.map(f64::from).to_vec()));
    assert_eq!(next, 23);
    // Qwen3-VL: each frame is an image, preceded by its time as text.
    let frames = [Segment::Text(2), image(2, 2), Segment::Text(2), image(2, 2)];
    let (positions, next) = Positions::multimodal(&frames).unwrap();
    assert_eq!(axes(&positions)[0], [0, 1, 2, 2, 2, 2, 4, 5, 6, 6, 6, 6].map(f64::from));
    assert_eq!(next, 8);
    // Grids without a token take no position.
    for none in
        [image(0, 5), image(5, 0), Segment::Video { frames: 0, rows: 2, columns: 2, interval: 1.0 }]
    {
        let (positions, next) =
            Positions::multimodal(&[Segment::Text(3), none, Segment::Text(1)]).unwrap();
        assert_eq!((positions.len(), next), (4, 4));
    }
}

/// modeling_dinov3_vit.py: augment_patches_center_coordinates adds one shift for each axis, then
/// multiplies each axis by its jitter and all by one rescale, both log-uniform.
#[test]
fn dinov3_augmentation() {
    let patches = Positions::dinov3(3, 4).unwrap();
    let augmented = |augmentation: Dinov3Augmentation, seed| {
        axes(&augmentation.augment(&patches, &mut ChaCha8Rng::seed_from_u64(seed)).unwrap())
    };
    let plain = axes(&patches);
    let none = Dinov3Augmentation::default();
    assert_eq!(augmented(none, 1), plain);
    let only = |which: usize, bound: f64| {
        let given = |i| (i == which).then_some(bound);
        Dinov3Augmentation { shift: given(0), jitter: given(1), rescale: given(2) }
    };
    let (mut shifts, mut jitters, mut rescales) = (Vec::new(), Vec::new(), Vec::new());
    for seed in 0..500 {
        // One number for each axis, or for both; it is the same at every patch.
        for (which, found, bound) in
            [(0, &mut shifts, 0.5), (1, &mut jitters, 2.0), (2, &mut rescales, 2.0)]
        {
            let after = augmented(only(which, bound), seed);
            let change = |axis: usize, patch: usize| {
                let (before, after) = (plain[axis][patch], after[axis][patch]);
                if which == 0 { after - before } else { (after / before).log2() }
            };
            // The middle row has coordinate 0, which no factor changes.
            let of_axis = [change(0, 0), change(1, 0)];
            for (axis, of_axis) in of_axis.into_iter().enumerate() {
                assert!((change(axis, 11) - of_axis).abs() < 1e-14);
            }
            assert_eq!((of_axis[0] - of_axis[1]).abs() < 1e-14, which == 2);
            found.extend(of_axis);
        }
    }
    // Uniform, or log-uniform, from one end to the other
    for (found, bound) in [(shifts, 0.5), (jitters, 1.0), (rescales, 1.0)] {
        let mean = found.iter().sum::<f64>() / found.len() as f64;
        let square = found.iter().map(|x| x * x).sum::<f64>() / found.len() as f64;
        assert!(found.iter().all(|x| x.abs() <= bound) && mean.abs() < 0.1 * bound, "{mean}");
        assert!((square / (bound * bound / 3.0) - 1.0).abs() < 0.15, "{square}");
    }
    let all = Dinov3Augmentation { shift: Some(0.5), jitter: Some(2.0), rescale: Some(2.0) };
    assert_eq!(augmented(all, 5), augmented(all, 5));
    assert_ne!(augmented(all, 5), augmented(all, 6));
    // All together: shifted coordinates are multiplied, and so is the shift.
    for seed in 0..200 {
        for (before, after) in plain.iter().zip(augmented(all, seed)) {
            let slope = (after[11] - after[0]) / (before[11] - before[0]);
            let shift = after[0] / slope - before[0];
            assert!(shift.abs() <= 0.5 + 1e-12 && (0.25..=4.0).contains(&slope), "{shift} {slope}");
        }
    }
}

#[test]
fn dinov3_augmentation_checks_its_parameters_before_it_draws() {
    let patches = Positions::dinov3(3, 4).unwrap();
    let none = Dinov3Augmentation::default();
    let not_finite = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY];
    for bound in [-1.0, 0.0, 0.5].into_iter().chain(not_finite) {
        let given = Some(bound);
        for (name, bad) in [
            ("shift", Dinov3Augmentation { shift: given, ..none }),
            ("jitter", Dinov3Augmentation { jitter: given, ..none }),
            ("rescale", Dinov3Augmentation { rescale: given, ..none }),
        ] {
            let mut rng = ChaCha8Rng::seed_from_u64(1);
            let result = bad.augment(&patches, &mut rng);
            if name == "shift" && (0.0..=0.5).contains(&bound) {
                assert!(result.is_ok(), "{bad:?}");
                continue;
            }
            let error = result.unwrap_err();
            assert!(
                matches!(error, Error::InvalidParameter { name: found, .. } if found == name),
                "{bad:?}: {error}"
            );
            assert_eq!(rng, ChaCha8Rng::seed_from_u64(1), "{bad:?}");
        }
    }
}

/// Gemma 4's halves of halves with gaps between features, and in gradients.
#[test]
fn halves_of_each_axis() {
    let rotary = Rotary::axial_2d(16, 100.0, AxialOrder::Gemma4).unwrap();
    let grid = Positions::grid(&[2, 3]).unwrap();
    let x = Array2::from_shape_fn((6, 16), |(i, j)| ((16 * i + j) as f64).sin());
    let mut rows = x.clone();
    rotary.at(&grid).unwrap().apply(rows.view_mut()).unwrap();
    let mut columns = x.t().as_standard_layout().into_owned();
    rotary.at(&grid).unwrap().apply(columns.view_mut().reversed_axes()).unwrap();
    assert_eq!(columns.t(), rows);
    // Stretching the coordinates multiplies every frequency by the same factor.
    let upstream = x.mapv(|value| (5.0 * value).cos());
    let loss = |stretch: f64| {
        let mut y = x.clone();
        rotary.at(grid.map(|_, c| stretch * c).unwrap()).unwrap().apply(y.view_mut()).unwrap();
        (&y * &upstream).sum()
    };
    let gradient = rotary.frequency_gradient(&grid, rows.view(), upstream.view()).unwrap();
    let along: f64 = gradient.iter().zip(rotary.frequencies()).map(|(g, w)| g * w).sum();
    let difference = (loss(1.0 + 1e-6) - loss(1.0 - 1e-6)) / 2e-6;
    assert!((along - difference).abs() < 1e-6 * difference.abs().max(1.0), "{along} {difference}");
}

/// The attention factor of the frequencies is kept, however they are divided.
#[test]
fn sections_keep_what_was_before() {
    let frequencies =
        || Frequencies::geometric(12, 1e4).unwrap().with_attention_factor(1.5).unwrap();
    for order in [Sections::Chunked, Sections::Interleaved] {
        let plain = Rotary::new(frequencies(), Pairing::Halves);
        let before = plain.clone().with_instruction_set(InstructionSet::Best).unwrap();
        for rotary in [plain, before] {
            let rotary = rotary.with_sections(&[2, 2, 2], order).unwrap();
            let rotation = rotary.at::<f64>(7..8).unwrap();
            let [cos, sin] = rotation.cos_sin(0).unwrap();
            cos.iter()
                .zip(sin)
                .for_each(|(cos, sin)| assert!((cos.hypot(*sin) - 1.5).abs() < 1e-15));
            assert_eq!(rotary.attention_factor(), 1.5);
            // Removed by its inverse, not applied again by a shift
            assert!((rotation.inverse().cos_sin(0).unwrap()[0][0] - cos[0] / 2.25).abs() < 1e-15);
            assert_eq!(rotary.shift::<f64>(7).unwrap().cos_sin(0).unwrap()[0][0], 7_f64.cos());
        }
    }
}

/// Axes share an attention factor and a regime, as they share the scores.
#[test]
fn axes_carry_what_their_frequencies_do() {
    let factor =
        |factor| Frequencies::geometric(8, 1e4).unwrap().with_attention_factor(factor).unwrap();
    let both = Rotary::axial([factor(1.5), factor(1.5)], Pairing::Halves).unwrap();
    assert_eq!(both.attention_factor(), 1.5);
    let rotation = both.at::<f64>(Positions::grid(&[2, 2]).unwrap()).unwrap();
    for at in 0..8 {
        let [cos, sin] = rotation.cos_sin(3).unwrap();
        assert!((cos[at].hypot(sin[at]) - 1.5).abs() < 1e-15);
    }
    let error = Rotary::axial([factor(1.5), factor(1.25)], Pairing::Halves).unwrap_err();
    let text = "attention factor of an axis is 1.25, but must be equal to that of the first axis";
    assert_eq!(error.to_string(), text);
    let (short, long) = (vec![1.0; 4], vec![2.0; 4]);
    let longrope = LongRope { short, long, original_len: 4096, factor: 1.0 };
    let long = Frequencies::geometric(8, 1e4).unwrap().longrope(&longrope, 5000).unwrap();
    let mixed = Rotary::axial([factor(1.0), long], Pairing::Halves).unwrap();
    assert_eq!(mixed.regime(), Regime::Long);
}

#[test]
fn sections_that_do_not_fit() {
    let plain = || Rotary::new(Frequencies::geometric(16, 1e6).unwrap(), Pairing::Halves);
    assert!(plain().with_sections(&[2, 3, 4], Sections::Chunked).is_err());
    assert!(plain().with_sections(&[4, 4], Sections::Interleaved).is_err());
    assert!(plain().with_sections(&[usize::MAX, 9], Sections::Chunked).is_err());
    // Found by fuzzing: sections are neither summed nor listed where there are several axes
    // already.
    let several = plain().with_sections(&[2, 3, 3], Sections::Chunked).unwrap();
    for order in
        [Sections::Chunked, Sections::Interleaved, Sections::InTurn, Sections::SpaceThenTime]
    {
        let error = several.clone().with_sections(&[usize::MAX; 3], order).unwrap_err();
        let what = "axes before the sections";
        assert_eq!(error, Error::LengthMismatch { what, expected: 1, found: 3 });
    }
    assert!(
        plain()
            .with_sections(&[2, 3, 3], Sections::Chunked)
            .unwrap()
            .with_sections(&[8], Sections::Chunked)
            .is_err()
    );
    assert!(Rotary::axial_2d(18, 1e4, AxialOrder::Eva02).is_err());
    assert!(Rotary::axial([], Pairing::Halves).is_err());
    // The rotation of an image needs a position for each axis.
    assert!(Rotary::axial_2d(16, 1e4, AxialOrder::Eva02).unwrap().at::<f32>(0..3).is_err());
}
