//! KERPLE, FIRE, Sandwich, boxes and forget gates, element by element against the reference
//! implementations.

use ndarray::{Array2, Array3, Axis, Ix1, Ix2, Ix3, Ix4, s};
use positional_encodings::bias::{Forget, Kerple, Sandwich};
use positional_encodings::training::{Activation, BoxBias, Fire, Layers};
use positional_encodings::{Alibi, AttentionBias, Frequencies, Positions, add_bias};

use crate::common::Tensors;
use crate::golden::{assert_near, linear};

fn golden() -> Tensors {
    Tensors::golden("d6_bias_references")
}

fn parameters(golden: &Tensors, name: &str) -> Vec<f64> {
    golden.list::<f32>(name).into_iter().map(f64::from).collect()
}

/// Two layers with a ReLU between them.
fn network(golden: &Tensors, [first, second]: [String; 2]) -> Layers<f32> {
    let layer = |name: String| {
        linear::<f32>(
            golden.get(&format!("{name}_weight")),
            Some(golden.get(&format!("{name}_bias"))),
        )
    };
    Layers::new([layer(first), layer(second)], Activation::Relu).unwrap()
}

/// The authors' module gives keys after the query the distance 0; a mask hides them.
#[test]
fn kerple_of_its_authors() {
    let golden = golden();
    for kind in ["log", "power"] {
        let [p, a] = ["p", "a"].map(|name| parameters(&golden, &format!("kerple_{kind}/{name}")));
        let kerple = match kind {
            "log" => Kerple::log(&p, &a).unwrap(),
            _ => Kerple::power(&a, &p).unwrap(),
        };
        let (all, last) = (Positions::from(0..9), Positions::from(8..9));
        let mut bias: Array3<f32> = kerple.encode(&all, &all).unwrap();
        for ((_, query, key), value) in bias.indexed_iter_mut() {
            *value = if key > query { 0.0 } else { *value };
        }
        let what = |name: &str| format!("kerple_{kind}/{name}");
        assert_near(&bias, &golden.get::<f32, Ix3>(&what("bias")), 2e-6, kind);
        let step: Array3<f32> = kerple.encode(&last, &all).unwrap();
        assert_near(&step, &golden.get::<f32, Ix3>(&what("step")), 2e-6, kind);
    }
}

#[test]
fn kerple_and_sandwich_of_nemo() {
    let golden = golden();
    let [a, b] = ["a", "b"].map(|name| parameters(&golden, &format!("nemo_kerple/{name}")));
    // The factors start as ALiBi's slopes.
    assert_eq!(b, Alibi::new(4).unwrap().slopes());
    let kerple = Kerple::log(&b, &a).unwrap();
    let bias: Array3<f32> = kerple.encode(&Positions::from(4..9), &Positions::from(0..9)).unwrap();
    assert_near(&bias, &golden.get::<f32, Ix3>("nemo_kerple/bias"), 1e-6, "KERPLE");

    let (heads, dim) = (6, 32);
    let radians = (1..=dim / 2).map(|k| 1e4_f64.powf(-2.0 * f64::from(k) / f64::from(dim)));
    let sandwich =
        Sandwich::with_frequencies(heads, Frequencies::from_radians(radians).unwrap()).unwrap();
    let mut bias: Array3<f64> =
        sandwich.encode(&Positions::from(33..40), &Positions::from(0..40)).unwrap();
    // NeMo subtracts the value of each head at distance 0.
    for (head, mut bias) in bias.axis_iter_mut(Axis(0)).enumerate() {
        bias -= f64::from(dim / 2) * heads as f64 / (8 * (head + 1)) as f64;
    }
    assert_near(&bias, &golden.get::<f32, Ix3>("nemo_sandwich/bias"), 1e-5, "Sandwich");
}

#[test]
fn fire() {
    let golden = golden();
    for (case, len) in [("fire_short", 9), ("fire_long", 24)] {
        let own = parameters(&golden, &format!("{case}/c_and_l"));
        let layers = network(&golden, [0, 2].map(|layer| format!("{case}/layer{layer}")));
        let fire = Fire::new(layers, own[0], own[1]).unwrap();
        let positions = Positions::from(0..len);
        let bias = fire.encode(&positions, &positions).unwrap();
        // 10⁻⁶ of their denominator, at least ln 1.6, and f32.
        assert_near(&bias, &golden.get::<f32, Ix3>(&format!("{case}/bias")), 5e-6, case);
    }
}

#[test]
fn boxes_of_sam_3() {
    let golden = golden();
    let layers = ["x", "y"].map(|axis| {
        network(&golden, ["layer1", "layer2"].map(|layer| format!("sam3_boxes/{axis}_{layer}")))
    });
    let bias = BoxBias::new(layers).unwrap();
    let corners = golden.get::<f32, Ix2>("sam3_boxes/corners").mapv(f64::from);
    let sizes = [3.0, 5.0];
    let pixels = Positions::grid(&[3, 5]).unwrap().map(|axis, place| place / sizes[axis]).unwrap();
    let found = bias.encode(&Positions::from_points(&corners).unwrap(), &pixels).unwrap();
    assert_near(&found, &golden.get::<f32, Ix3>("sam3_boxes/bias"), 2e-6, "SAM 3");
}

/// Attention weights, from outputs whose values were unit vectors.
#[test]
fn forgetting_attention() {
    let golden = golden();
    let get = |name: &str| golden.get::<f32, Ix4>(&format!("fox/{name}"));
    let (gates, q, k) = (golden.get::<f32, Ix3>("fox/gates"), get("q"), get("k"));
    let (batch, len, heads) = gates.dim();
    for (name, has_products) in [("bias_alone", false), ("weights", true)] {
        let expected = get(name);
        for sequence in 0..batch {
            let of = |array: &ndarray::Array4<f32>, head: usize| -> Array2<f32> {
                array.slice(s![sequence, .., head, ..]).to_owned()
            };
            let mut scores = Array3::<f32>::zeros((heads, len, len));
            for (head, mut scores) in scores.outer_iter_mut().enumerate() {
                if has_products {
                    let (q, k) = (of(&q, head), of(&k, head));
                    scores.assign(&(q.dot(&k.t()) / (q.ncols() as f32).sqrt()));
                }
                for ((query, key), score) in scores.indexed_iter_mut() {
                    *score = if key > query { f32::NEG_INFINITY } else { *score };
                }
            }
            let own = gates.index_axis(Axis(0), sequence).reversed_axes().to_owned();
            let forget = Forget::from_log_gates(own).unwrap();
            add_bias(scores.view_mut(), &forget, 0..len, 0..len).unwrap();
            for (head, scores) in scores.outer_iter().enumerate() {
                let mut weights = scores.mapv(f32::exp);
                for mut row in weights.rows_mut() {
                    let sum = row.sum();
                    row /= sum;
                }
                assert_near(&weights, &of(&expected, head), 2e-6, name);
            }
        }
    }
}

/// The parameters of the first layers are not zero, so a file of zeros would not pass.
#[test]
fn references_are_not_zero() {
    let golden = golden();
    for name in ["fire_long/layer0_weight", "sam3_boxes/x_layer1_weight"] {
        assert!(golden.get::<f32, Ix2>(name).iter().all(|value| *value != 0.0), "{name}");
    }
    assert!(golden.get::<f32, Ix1>("kerple_log/p").iter().all(|p| *p > 0.0));
}
