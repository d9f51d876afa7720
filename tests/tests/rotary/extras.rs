//! Gradients, xPos, mixed rotations, converted projections.

use ndarray::{Array2, Array3, Array4, ArrayD, Axis, IxDyn};
use positional_encodings::{
    Error, Frequencies, Pairing, Positions, Rotary,
    ids::Segment,
    rotary::{MixedRotary, QueryTemperature, Sections, XPos},
};
use rand::SeedableRng;

use crate::golden::{Golden, close};

use crate::apply::positions_on;

fn noise(shape: &[usize], seed: f64) -> ArrayD<f64> {
    let mut at = seed;
    ArrayD::from_shape_simple_fn(IxDyn(shape), || {
        at += 1.7;
        (at * at).sin()
    })
}

#[test]
fn backward_of_transformers() {
    let golden = Golden::open("b4_learned_gradients");
    let rotary = Rotary::new(Frequencies::geometric(6, 100.0).unwrap(), Pairing::Halves);
    let rotation = rotary.at::<f32>(0..4).unwrap();
    let mut gradient = golden.f32("rope_backward/upstream");
    rotation.gradient().apply(gradient.view_mut()).unwrap();
    close("backward", &gradient, &golden.f32("rope_backward/grad_q"), |_| 1e-6);
    let mut q = golden.f32("rope_backward/q");
    rotation.apply(q.view_mut()).unwrap();
    close("forward", &q, &golden.f32("rope_backward/out"), |_| 1e-6);
}

/// The loss is the sum of upstream · rotated.
fn loss(rotary: &Rotary, ids: &Positions<'_>, x: &ArrayD<f64>, upstream: &ArrayD<f64>) -> f64 {
    let mut y = x.clone();
    rotary.at(ids).unwrap().apply(y.view_mut()).unwrap();
    (&y * upstream).sum()
}

#[test]
fn frequency_gradients_are_finite_differences() {
    let radians = [1.0, 0.3, 0.05];
    let rotary = |radians: &[f64], pairing| {
        let frequencies = Frequencies::from_radians(radians.iter().copied()).unwrap();
        let scaled = frequencies.with_attention_factor(1.2).unwrap();
        Rotary::new(scaled, pairing).on_last_features()
    };
    let (x, upstream) = (noise(&[2, 3, 4, 7], 0.1), noise(&[2, 3, 4, 7], 5.0));
    let ids = ndarray::array![[0_i64, 1, 2, 3], [9, 4, -5, 2]];
    for ids in [Positions::from(3..7), Positions::from(&ids)] {
        for pairing in [Pairing::Halves, Pairing::Interleaved] {
            let plain = rotary(&radians, pairing);
            let mut y = x.clone();
            plain.at(&ids).unwrap().apply(y.view_mut()).unwrap();
            let gradient = plain.frequency_gradient(&ids, y.view(), upstream.view()).unwrap();
            for pair in 0..3 {
                let moved = |step: f64| {
                    let mut radians = radians;
                    radians[pair] += step;
                    loss(&rotary(&radians, pairing), &ids, &x, &upstream)
                };
                let difference = (moved(1e-6) - moved(-1e-6)) / 2e-6;
                assert!(
                    (gradient[pair] - difference).abs() < 1e-6 * difference.abs().max(1.0),
                    "{pairing:?} {pair}"
                );
            }
        }
    }
}

/// With an axis for each section, each frequency uses the position on its axis.
#[test]
fn frequency_gradients_of_several_axes() {
    let ids = Positions::multimodal(&[Segment::Text(2), Segment::Image { rows: 2, columns: 3 }])
        .unwrap()
        .0;
    let radians = [0.9, 0.5, 0.3, 0.2, 0.1, 0.05];
    let rotary = |radians: &[f64]| {
        let frequencies = Frequencies::from_radians(radians.iter().copied()).unwrap();
        Rotary::new(frequencies, Pairing::Halves)
            .with_sections(&[2, 2, 2], Sections::Interleaved)
            .unwrap()
    };
    let (x, upstream) = (noise(&[2, 8, 12], 0.1), noise(&[2, 8, 12], 5.0));
    let mut y = x.clone();
    rotary(&radians).at(&ids).unwrap().apply(y.view_mut()).unwrap();
    let gradient = rotary(&radians).frequency_gradient(&ids, y.view(), upstream.view()).unwrap();
    for pair in 0..6 {
        let moved = |step: f64| {
            let mut radians = radians;
            radians[pair] += step;
            loss(&rotary(&radians), &ids, &x, &upstream)
        };
        let difference = (moved(1e-6) - moved(-1e-6)) / 2e-6;
        assert!((gradient[pair] - difference).abs() < 1e-6 * difference.abs().max(1.0), "{pair}");
    }
    let short = upstream.slice_axis(Axis(1), (0..7).into());
    assert!(rotary(&radians).frequency_gradient(&ids, y.view(), short).is_err());
    assert!(rotary(&radians).frequency_gradient(0..7, y.view(), upstream.view()).is_err());
}

#[test]
fn mixed_rotations() {
    let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(3);
    let mixed = MixedRotary::init(3, 16, 10.0, Pairing::Interleaved, &mut rng).unwrap();
    // Magnitudes of the paper, in two orthogonal directions, rotated by an angle of each head
    let frequency =
        |head: usize, pair: usize| [0, 1].map(|axis| mixed.frequencies()[[axis, head, pair]]);
    for head in 0..3 {
        for i in 0..4 {
            let ([x, y], [u, v]) = (frequency(head, i), frequency(head, i + 4));
            let magnitude = 10_f64.powf(-(i as f64) / 4.0);
            assert!(
                (x.hypot(y) - magnitude).abs() < 1e-15 && (u.hypot(v) - magnitude).abs() < 1e-15
            );
            assert!((x * u + y * v).abs() < 1e-15 && x * v - y * u > 0.0);
            assert!(
                (x * frequency(head, 0)[1] - y * frequency(head, 0)[0]).abs() < 1e-15,
                "one direction"
            );
        }
    }
    assert_ne!(frequency(0, 0), frequency(1, 0));
    let grid = Positions::grid(&[3, 4]).unwrap();
    let x = noise(&[2, 3, 12, 16], 0.4).into_dimensionality::<ndarray::Ix4>().unwrap();
    let mut y = x.clone();
    mixed.at(&grid).unwrap().apply(y.view_mut()).unwrap();
    let mut swapped = x.view().permuted_axes([0, 2, 1, 3]).as_standard_layout().into_owned();
    mixed.at(&grid).unwrap().apply(positions_on(1, swapped.view_mut())).unwrap();
    assert_eq!(swapped, y.view().permuted_axes([0, 2, 1, 3]));
    // By the formula
    for ((batch, head, patch, feature), found) in y.indexed_iter() {
        let pair = feature / 2;
        let frequency = |axis: usize| mixed.frequencies()[[axis, head, pair]];
        let angle = (patch / 4) as f64 * frequency(0) + (patch % 4) as f64 * frequency(1);
        let [a, b] = [0, 1].map(|member| x[[batch, head, patch, 2 * pair + member]]);
        let expected = if feature % 2 == 0 {
            a * angle.cos() - b * angle.sin()
        } else {
            b * angle.cos() + a * angle.sin()
        };
        assert!((found - expected).abs() < 1e-14);
    }
    // The gradient by differences
    let upstream = noise(&[2, 3, 12, 16], 9.0).into_dimensionality::<ndarray::Ix4>().unwrap();
    let gradient = mixed.frequency_gradient(&grid, y.view(), upstream.view()).unwrap();
    let loss = |frequencies: Array3<f64>| {
        let mut y: Array4<f64> = x.clone();
        MixedRotary::new(frequencies, Pairing::Interleaved)
            .unwrap()
            .at(&grid)
            .unwrap()
            .apply(y.view_mut())
            .unwrap();
        (&y * &upstream).sum()
    };
    for at in [[0, 0, 0], [1, 0, 3], [0, 2, 7], [1, 1, 5]] {
        let moved = |step: f64| {
            let mut frequencies = mixed.frequencies().clone();
            frequencies[at] += step;
            loss(frequencies)
        };
        let difference = (moved(1e-6) - moved(-1e-6)) / 2e-6;
        assert!((gradient[at] - difference).abs() < 1e-6 * difference.abs().max(1.0), "{at:?}");
    }
    assert!(mixed.at::<f32>(&Positions::from(0..3)).is_err());
    assert!(MixedRotary::new(Array3::zeros((2, 0, 4)), Pairing::Halves).is_err());
    assert!(MixedRotary::new(Array3::from_elem((2, 1, 4), f64::NAN), Pairing::Halves).is_err());
}

/// Powers outside the range of the element type are an error; within it all are finite.
fn xpos_within_reach() {
    let xpos = XPos::new(64).unwrap();
    let finite = |position: f64, xpos: &XPos| {
        let (queries, keys) = xpos.at::<f32>(&[position]).unwrap();
        let [q, k] = [queries.cos_sin(0).unwrap(), keys.cos_sin(0).unwrap()];
        [q[0], q[1], k[0], k[1]].concat().iter().all(|value| value.is_finite())
    };
    let reach = xpos.reach::<f32>().floor();
    assert!(finite(reach, &xpos) && finite(-reach, &xpos));
    assert!(xpos.at::<f32>(&[reach + 1.0]).is_err() && xpos.at::<f32>(&[37_000]).is_err());
    assert!(xpos.at::<f64>(&[37_000]).is_ok()); // within f64
    let moved = xpos.clone().with_origin(1e6).unwrap();
    assert!(finite(1e6 + reach, &moved) && moved.at::<f32>(&[0]).is_err());
    assert!(xpos.with_origin(f64::NAN).is_err());
}

#[test]
pub fn xpos_is_theirs_without_the_centre() {
    let (c2, c3) = (Golden::open("c2_rope_apply"), Golden::open("c3_rope_multi_axis"));
    let (torchscale, lucidrains) =
        (["torchscale_xpos/x"; 2], ["rotary_torch_xpos/q", "rotary_torch_xpos/k"]);
    let outputs = ["q_out", "k_out"];
    for (golden, inputs, case, outputs, scale_base, start, centre) in [
        (&c2, torchscale, "torchscale_xpos", &outputs[..], 512.0, 0, 3.0),
        // (length + offset)/2
        (&c2, torchscale, "torchscale_xpos", &["q_out_offset3"], 512.0, 3, 4.0),
        (&c2, ["llama/q", "llama/k"], "x_transformers_xpos", &outputs, 64.0, 0, 2.0),
        (&c3, lucidrains, "rotary_torch_xpos", &outputs, 512.0, 0, 3.0),
    ] {
        let xpos = XPos::new(16).unwrap().with_scale_base(scale_base).unwrap();
        let centred = xpos.clone().with_origin(centre).unwrap();
        for ((input, name), sign) in inputs.into_iter().zip(outputs).zip([-1.0, 1.0]) {
            let mut whole = golden.f32(input);
            let (queries, keys) =
                centred.at::<f32>(start..start + whole.shape()[whole.ndim() - 2]).unwrap();
            if sign < 0.0 { queries } else { keys }.apply(whole.view_mut()).unwrap();
            close(case, &whole, &golden.f32(&format!("{case}/{name}")), |_| 5e-6);
            let mut x = golden.f32(input);
            let len = x.shape()[x.ndim() - 2];
            let (queries, keys) = xpos.at::<f32>(start..start + len).unwrap();
            if sign < 0.0 { queries } else { keys }.apply(x.view_mut()).unwrap();
            // In the reference every exponent is smaller by centre / scale_base.
            let features = Axis(x.ndim() - 1);
            for mut lane in x.lanes_mut(features) {
                for (i, value) in lane.iter_mut().enumerate() {
                    let zeta = (2.0 * (i / 2) as f64 + 6.4) / 22.4;
                    *value *= zeta.powf(sign * centre / scale_base) as f32;
                }
            }
            close(case, &x, &golden.f32(&format!("{case}/{name}")), |_| 5e-6);
        }
    }
    let scale = c2.tensor("x_transformers_xpos/scale");
    for ((row, i), expected) in scale.into_dimensionality::<ndarray::Ix2>().unwrap().indexed_iter()
    {
        let zeta = (2.0 * (i / 2) as f64 + 6.4) / 22.4;
        assert!((zeta.powf((row as f64 - 2.0) / 64.0) - expected).abs() < 1e-6, "{row} {i}");
    }
    assert!(XPos::new(16).unwrap().with_scale_base(0.0).is_err());
    xpos_within_reach();
    // At B = 512 queries are multiplied by ζ once
    let (queries, _) = XPos::new(2).unwrap().at::<f64>(512..513).unwrap();
    assert!((queries.cos_sin(0).unwrap()[0][0] - 0.4 / 1.4 * 512_f64.cos()).abs() < 1e-15);
    let (queries, _) = XPos::new(16).unwrap().at::<f64>(700..701).unwrap();
    let mut x = Array2::<f64>::ones((1, 16));
    queries.apply(x.view_mut()).unwrap();
    queries.inverse().apply(x.view_mut()).unwrap();
    assert!(x.iter().all(|value| (value - 1.0).abs() < 1e-14));
}

#[test]
fn converted_projections_give_the_same_scores() {
    // Two heads of ten features, eight of which are rotated; queries and keys are W·x.
    let weights = |seed| noise(&[20, 5], seed).into_dimensionality::<ndarray::Ix2>().unwrap();
    let (wq, wk, x) = (
        weights(0.3),
        weights(7.0),
        noise(&[3, 5], 2.0).into_dimensionality::<ndarray::Ix2>().unwrap(),
    );
    let scores = |wq: &Array2<f64>, wk: &Array2<f64>, pairing| {
        let rotation =
            Rotary::new(Frequencies::geometric(8, 1e4).unwrap(), pairing).at(10..13).unwrap();
        let heads = |w: &Array2<f64>| {
            let mut y = x
                .dot(&w.t())
                .as_standard_layout()
                .into_owned()
                .into_shape_with_order((3, 2, 10))
                .unwrap();
            rotation.apply(positions_on(0, y.view_mut())).unwrap();
            y
        };
        let (q, k) = (heads(wq), heads(wk));
        (0..2)
            .map(|head| q.index_axis(Axis(1), head).dot(&k.index_axis(Axis(1), head).t()))
            .collect::<Vec<_>>()
    };
    let [cq, ck] = [&wq, &wk]
        .map(|w| Pairing::Interleaved.convert_projection(w, 2, 8, Pairing::Halves).unwrap());
    let (before, after) =
        (scores(&wq, &wk, Pairing::Interleaved), scores(&cq, &ck, Pairing::Halves));
    for (a, b) in before.iter().zip(&after) {
        assert!((a - b).iter().all(|difference| difference.abs() < 1e-14));
    }
    assert_eq!(Pairing::Halves.convert_projection(&cq, 2, 8, Pairing::Interleaved).unwrap(), wq);
    // transformers' permute in convert_llama_weights_to_hf.py: view(heads, dim/2, 2).transpose(1,
    // 2)
    let meta = Array2::from_shape_fn((16, 1), |(row, _)| row);
    let theirs = meta
        .to_shape((2, 4, 2))
        .unwrap()
        .permuted_axes([0, 2, 1])
        .as_standard_layout()
        .into_owned();
    let hf = Pairing::Interleaved.convert_projection(&meta, 2, 8, Pairing::Halves).unwrap();
    assert_eq!(hf, theirs.into_shape_with_order((16, 1)).unwrap());
    assert!(Pairing::Halves.convert_projection(&cq, 3, 4, Pairing::Interleaved).is_err());
    assert!(Pairing::Halves.convert_projection(&cq, 0, 4, Pairing::Interleaved).is_err());
    assert_eq!(
        Pairing::Halves.convert_projection(&cq, 2, 0, Pairing::Interleaved),
        Err(Error::ZeroDim)
    );
    assert!(Pairing::Halves.convert_projection(&cq, 2, 12, Pairing::Interleaved).is_err());
    assert!(Pairing::Halves.convert_projection(&cq, 2, 3, Pairing::Interleaved).is_err());
}

/// The formula of the first Qwen holds between whole positions too, without a jump.
#[test]
fn temperatures_between_positions() {
    let logn = QueryTemperature::logn(2).unwrap();
    let expected = [1.0, 1.0, 2.5_f64.log2(), 3_f64.log2()];
    for (factor, expected) in logn.factors(&[0.0, 1.0, 1.5, 2.0]).unwrap().into_iter().zip(expected)
    {
        assert!((factor - expected).abs() < 1e-15, "{factor} {expected}");
    }
}
