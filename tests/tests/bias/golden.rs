//! Compared element by element with output of the systems that made the methods known.

use ndarray::{Array1, Array2, Array3, Array4, Axis, Ix1, Ix2, Ix3, Ix4, s};
use positional_encodings::bias::{AlibiForm, Buckets, Forget, WindowBias};
use positional_encodings::resample::{Kernel, Resample, Sampling};
use positional_encodings::training::{
    Activation, DistanceNetwork, Layers, Linear, Spacing, SwinV2Bias,
};
use positional_encodings::{Alibi, AttentionBias, Element, Positions, T5Bias, add_bias, ids};

use crate::common::Tensors;

/// Asserts equality within an absolute `most`.
pub fn assert_near<A: Element, B: Element, D: ndarray::Dimension>(
    found: &ndarray::Array<A, D>,
    expected: &ndarray::Array<B, D>,
    most: f64,
    what: &str,
) {
    assert_eq!(found.shape(), expected.shape(), "{what}");
    for ((at, found), expected) in found.indexed_iter().zip(expected) {
        let (found, expected) = (found.to_f64(), expected.to_f64());
        assert!(
            (found - expected).abs() <= most,
            "{what}: {found} instead of {expected} at {at:?}"
        );
    }
}

#[test]
fn slopes_for_any_number_of_heads() {
    let golden = Tensors::golden("d1_alibi");
    for heads in [1, 2, 3, 4, 6, 8, 12, 16] {
        let slopes = Alibi::new(heads).unwrap().slopes();
        for system in ["bloom", "mlx", "mpt", "x_transformers"] {
            let expected: Array1<f32> = golden.get(&format!("slopes_h{heads}/{system}"));
            assert_eq!(slopes.len(), heads);
            for (slope, expected) in slopes.iter().zip(expected) {
                // The systems multiply powers in f32: up to two ulps.
                let error = (slope / f64::from(expected) - 1.0).abs();
                assert!(error < 3e-7, "{system}, {heads} heads: {slope} instead of {expected}");
            }
        }
    }
    // The text of the paper has another set.
    let text = Alibi::geometric(12).unwrap().slopes();
    (1..=12).zip(text).for_each(|(h, slope)| {
        let expected = 2_f64.powf(-8.0 * h as f64 / 12.0);
        assert!((slope - expected).abs() < 1e-15 * expected);
    });
}

/// Rows (batch · heads, 1, keys) of a mask (batch, keys).
fn of_mask<A: Element>(alibi: &Alibi, mask: &Array2<i64>) -> Array3<A> {
    // BLOOM counts tokens by its mask, and padding has position 0.
    let mut positions = ids::from_mask(mask, 0).unwrap();
    positions.zip_mut_with(mask, |position, mask| *position *= mask);
    let (batch, keys) = mask.dim();
    let mut scores = Array4::zeros((batch, alibi.slopes().len(), 1, keys));
    add_bias(scores.view_mut(), alibi, 0..1, &positions).unwrap();
    scores.into_shape_with_order((batch * alibi.slopes().len(), 1, keys)).unwrap()
}

#[test]
fn bloom_and_falcon_bias_the_keys() {
    let golden = Tensors::golden("d1_alibi");
    let bloom = Alibi::new(6).unwrap().with_form(AlibiForm::Keys);
    let mask = golden.get::<i64, Ix2>("bloom_bias/attention_mask");
    assert_near(
        &of_mask::<f32>(&bloom, &mask),
        &golden.get::<f32, Ix3>("bloom_bias/bias"),
        5e-7,
        "BLOOM",
    );
    #[cfg(feature = "half")]
    {
        let expected = golden.get::<half::bf16, Ix3>("bloom_bias/bias_bf16");
        assert_eq!(of_mask::<half::bf16>(&bloom, &mask), expected);
    }
    let falcon = Alibi::falcon(6).unwrap();
    let mask = golden.get::<i64, Ix2>("falcon_bias/attention_mask");
    assert_eq!(of_mask::<f32>(&falcon, &mask), golden.get::<f32, Ix3>("falcon_bias/bias"));
}

#[test]
fn mpt_mlx_and_x_transformers() {
    let golden = Tensors::golden("d1_alibi");
    for bias_max in [8, 16] {
        let mpt = Alibi::with_bias_max(6, bias_max).unwrap();
        let bias: Array3<f32> = mpt.encode(&Positions::from(6..7), &Positions::from(0..7)).unwrap();
        let expected = golden.get::<f32, Ix3>(&format!("mpt_bias_max{bias_max}/bias"));
        assert_near(&bias, &expected, 5e-7, "MPT");
    }
    let symmetric = |heads| Alibi::new(heads).unwrap().with_form(AlibiForm::Symmetric);
    let mut scores = golden.get::<f32, Ix4>("mlx_bias/scores");
    add_bias(scores.view_mut(), &symmetric(4), 2..6, 0..6).unwrap();
    assert_near(&scores, &golden.get::<f32, Ix4>("mlx_bias/out"), 5e-7, "MLX");

    // Heads beyond the fourth get slope 0.
    let mut slopes = symmetric(4).slopes();
    slopes.extend([0.0; 2]);
    let alibi = Alibi::from_slopes(&slopes).unwrap().with_form(AlibiForm::Symmetric);
    let bias: Array3<f32> = alibi.encode(&Positions::from(2..6), &Positions::from(0..6)).unwrap();
    assert_near(&bias, &golden.get::<f32, Ix3>("x_transformers_bias/bias"), 5e-7, "x-transformers");
}

#[test]
fn buckets_are_those_of_t5_and_mpnet() {
    let golden = Tensors::golden("d2_bucketed_bias");
    for (buckets, distance) in [(16, 64), (32, 128), (64, 256)] {
        let name = format!("t5_buckets_n{buckets}_d{distance}");
        let relative = golden.get::<i32, Ix1>(&format!("{name}/relative"));
        for (direction, rule) in [
            ("bidirectional", Buckets::bidirectional(buckets, distance).unwrap()),
            ("causal", Buckets::causal(buckets, distance).unwrap()),
        ] {
            let expected = golden.get::<i16, Ix1>(&format!("{name}/{direction}"));
            for (r, expected) in relative.iter().zip(expected) {
                let found = rule.bucket(i64::from(*r));
                assert_eq!(found, expected as usize, "{name}, {direction}, distance {r}");
            }
        }
    }
    let relative = golden.get::<i32, Ix1>("mpnet_buckets/relative");
    let rule = Buckets::bidirectional(32, 128).unwrap();
    for (r, expected) in relative.iter().zip(golden.get::<i16, Ix1>("mpnet_buckets/bucket")) {
        assert_eq!(rule.bucket(i64::from(*r)), expected as usize, "MPNet, distance {r}");
    }
}

#[test]
fn t5_biases() {
    let golden = Tensors::golden("d2_bucketed_bias");
    let table = |case: &str| golden.get::<f32, Ix2>(&format!("{case}/table"));
    for (case, causal, queries) in [
        ("t5_bias_encoder", false, 0..6),
        ("t5_bias_decoder", true, 0..6),
        ("t5_bias_decode_step", true, 8..9),
    ] {
        let t5 = match causal {
            true => T5Bias::causal(table(case), 16).unwrap(),
            false => T5Bias::bidirectional(table(case), 16).unwrap(),
        };
        let expected = golden.get::<f32, Ix4>(&format!("{case}/bias"));
        let keys = expected.len_of(Axis(3));
        let bias = t5.encode(&Positions::from(queries), &Positions::from(0..keys)).unwrap();
        assert_eq!(bias, expected.index_axis_move(Axis(0), 0), "{case}");
    }
    for (case, causal) in
        [("x_transformers_t5_bidirectional", false), ("x_transformers_t5_causal", true)]
    {
        let table = table(case) * 4.0;
        let t5 = match causal {
            true => T5Bias::causal(table, 16).unwrap(),
            false => T5Bias::bidirectional(table, 16).unwrap(),
        };
        let bias = t5.encode(&Positions::from(3..7), &Positions::from(0..7)).unwrap();
        assert_eq!(bias, golden.get::<f32, Ix3>(&format!("{case}/bias")), "{case}");
    }
}

/// A class token and the patches of a window.
fn with_class(window: [usize; 2]) -> Positions<'static> {
    let class = Positions::from(vec![-1_i64]);
    Positions::concat([class, Positions::grid(&window).unwrap()]).unwrap()
}

#[test]
fn windows_of_swin_and_beit() {
    let golden = Tensors::golden("d3_window_bias");
    let swin = WindowBias::swin(golden.get::<f32, Ix2>("swin/table"), [3, 3]).unwrap();
    let patches = Positions::grid(&[3, 3]).unwrap();
    let expected = golden.get::<f32, Ix4>("swin/bias");
    assert_eq!(swin.encode(&patches, &patches).unwrap(), expected.index_axis_move(Axis(0), 0));

    for (case, window) in [("timm_beit_bias", [2, 3]), ("hf_beit_same", [3, 3])] {
        let beit =
            WindowBias::beit(golden.get::<f32, Ix2>(&format!("{case}/table")), window).unwrap();
        let tokens = with_class(window);
        let expected = golden.get::<f32, ndarray::IxDyn>(&format!("{case}/bias"));
        let heads = beit.table().ncols();
        let expected = expected.into_shape_with_order((heads, tokens.len(), tokens.len())).unwrap();
        assert_eq!(beit.encode(&tokens, &tokens).unwrap(), expected, "{case}");
    }
}

#[test]
fn windows_of_other_sizes() {
    let golden = Tensors::golden("d3_window_bias");
    let table = golden.get::<f32, Ix2>("timm_resize_bicubic/table");
    let resized =
        WindowBias::swin(table, [2, 2]).unwrap().resized([3, 3], Resample::vit()).unwrap();
    let expected = golden.get::<f32, Ix2>("timm_resize_bicubic/out");
    assert_near(&resized.table().to_owned(), &expected, 1e-6, "timm, bicubic");

    // transformers takes the height for the width, so offsets between patches differ; the rows of
    // the class token agree.
    let beit = WindowBias::beit(golden.get::<f32, Ix2>("hf_beit_larger/table"), [3, 3]).unwrap();
    let linear = Resample::new(Kernel::Linear, Sampling::HalfPixel);
    let expected = golden.get::<f32, Ix3>("hf_beit_larger/bias");
    let resized = beit.resized([5, 4], linear).unwrap();
    let tokens = with_class([5, 4]);
    let bias = resized.encode(&tokens, &tokens).unwrap();
    assert_eq!(bias.slice(s![.., 0, ..]), expected.slice(s![.., 0, ..]));
    assert_eq!(bias.slice(s![.., .., 0]), expected.slice(s![.., .., 0]));
}

pub fn linear<A: Element>(weight: Array2<A>, bias: Option<Array1<A>>) -> Linear<A> {
    let linear = Linear::new(weight).unwrap();
    bias.map_or(linear.clone(), |bias| linear.with_bias(bias).unwrap())
}

#[test]
fn swin_v2() {
    let golden = Tensors::golden("d3_window_bias");
    for (case, trained) in [("swinv2_swin", [3, 3]), ("swinv2_swin_pretrained", [2, 2])] {
        let weights = |name: &str| golden.get::<f32, Ix2>(&format!("{case}/{name}"));
        let first = linear(weights("fc1_weight"), Some(golden.get(&format!("{case}/fc1_bias"))));
        let layers = [first, linear(weights("fc2_weight"), None)];
        let layers = Layers::new(layers, Activation::Relu).unwrap();
        let bias = SwinV2Bias::new(layers, [3, 3], trained).unwrap();
        let patches = Positions::grid(&[3, 3]).unwrap();
        let expected = golden.get::<f32, Ix4>(&format!("{case}/bias")).index_axis_move(Axis(0), 0);
        assert_near(&bias.encode(&patches, &patches).unwrap(), &expected, 3e-6, case);
    }
}

#[test]
fn networks_of_the_distance() {
    let golden = Tensors::golden("d4_relative_content");
    for (case, depth, spacing) in [
        ("dynamic_position_bias_log", 1, Spacing::Log),
        ("dynamic_position_bias_plain", 2, Spacing::Linear),
    ] {
        let layers = (0..=depth).map(|i| {
            let name =
                if i < depth { format!("{case}/mlp_{i}_0") } else { format!("{case}/mlp_{i}") };
            linear::<f32>(
                golden.get(&format!("{name}_weight")),
                Some(golden.get(&format!("{name}_bias"))),
            )
        });
        let layers = Layers::new(layers, Activation::Silu).unwrap();
        let bias = DistanceNetwork::new(layers, spacing).unwrap();
        let found = bias.encode(&Positions::from(2..5), &Positions::from(0..5)).unwrap();
        assert_near(&found, &golden.get::<f32, Ix3>(&format!("{case}/bias")), 1e-6, case);
    }
}

#[test]
fn forget_gates() {
    let golden = Tensors::golden("d4_relative_content");
    let (x, weight) = (
        golden.get::<f32, Ix3>("data_dependent_alibi/x").index_axis_move(Axis(0), 0),
        golden.get::<f32, Ix2>("data_dependent_alibi/weight"),
    );
    let bias = golden.get::<f32, Ix1>("data_dependent_alibi/linear_bias");
    let gates = weight.dot(&x.t()) + &bias.insert_axis(Axis(1));
    let gates = gates.mapv(|gate| -(f64::from(-gate).exp()).ln_1p());
    let forget = Forget::from_log_gates(gates).unwrap();
    let found: Array3<f32> = forget.encode(&Positions::from(0..5), &Positions::from(0..5)).unwrap();
    let expected = golden.get::<f32, Ix4>("data_dependent_alibi/out").index_axis_move(Axis(0), 0);
    for ((at, found), expected) in found.indexed_iter().zip(&expected) {
        // The mask hides keys after the query.
        if at.2 <= at.1 {
            assert!((found - expected).abs() < 1e-6, "{found} instead of {expected} at {at:?}");
        }
    }
}
