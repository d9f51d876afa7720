//! Gradients, compared with finite differences.

use ndarray::{Array3, Array4, Axis};
use positional_encodings::training::backward_bias;
use positional_encodings::{AttentionBias, Positions};

use crate::biases::biases;

/// A loss: the sum of the bias times these weights.
fn weights(shape: (usize, usize, usize)) -> Array3<f64> {
    Array3::from_shape_fn(shape, |(h, i, j)| ((h * 31 + i * 17 + j * 7) % 23) as f64 / 8.0 - 1.3)
}

#[test]
fn gradients_are_those_of_finite_differences() {
    const STEP: f64 = 1e-6;
    let mut learned = 0;
    for (name, mut bias, [queries, keys]) in biases::<f64>().unwrap() {
        let before = bias.encode(&queries, &keys).unwrap();
        let weights = weights(before.dim());
        let largest = before.iter().fold(0.0_f64, |most, value| most.max(value.abs()));
        let values = bias.values();
        assert_eq!(values.len(), bias.parameter_count(), "{name}");
        let lengths: usize = bias.parameters().iter().map(|parameter| parameter.len()).sum();
        assert_eq!(values.len(), lengths, "{name}");
        let mut gradient = vec![0.5; values.len()];
        bias.backward(&queries, &keys, weights.view(), &mut gradient).unwrap();
        // All values of a short list, some of a long one.
        for k in (0..values.len()).step_by(1 + values.len() / 20) {
            let mut loss_at = |value: f64| {
                let mut moved = values.clone();
                moved[k] = value;
                bias.set_values(&moved).unwrap();
                (bias.encode(&queries, &keys).unwrap() * &weights).sum()
            };
            if name == "ALiBi, Falcon" {
                continue;
            }
            let slope = (loss_at(values[k] + STEP) - loss_at(values[k] - STEP)) / (2.0 * STEP);
            let found = gradient[k] - 0.5;
            let most = 1e-5 * (1.0 + slope.abs() + largest);
            assert!((found - slope).abs() < most, "{name}, value {k}: {found} instead of {slope}");
            learned += 1;
        }
        bias.set_values(&values).unwrap();
        assert_eq!(bias.values(), values, "{name}");
    }
    assert!(learned > 200, "{learned}");
}

/// A batch with positions for each sequence has the summed gradient of its sequences; a bias of the
/// distance has the same gradient whether distances are summed first or not.
#[test]
fn batches_and_orders_of_positions_agree() {
    for (name, bias, [queries, keys]) in biases::<f64>().unwrap() {
        let (rows, columns) = (queries.len(), keys.len());
        let heads = bias.heads();
        let upstream = weights((heads, rows, columns));
        let mut together = vec![0.0; bias.parameter_count()];
        bias.backward(&queries, &keys, upstream.view(), &mut together).unwrap();
        let mut apart = vec![0.0; bias.parameter_count()];
        for (row, upstream) in upstream.axis_chunks_iter(Axis(1), 1).enumerate() {
            bias.backward(&queries.slice(row..row + 1), &keys, upstream, &mut apart).unwrap();
        }
        let mut twice = vec![0.0; bias.parameter_count()];
        let batch =
            Array4::from_shape_fn((2, heads, rows, columns), |(_, h, i, j)| upstream[[h, i, j]]);
        backward_bias(&batch, &bias, &queries, &keys, &mut twice).unwrap();
        for ((together, apart), twice) in together.iter().zip(&apart).zip(&twice) {
            let most = 1e-9 * (1.0 + together.abs());
            assert!((together - apart).abs() < most, "{name}: {together}, {apart}");
            assert!((2.0 * together - twice).abs() < most, "{name}: {together}, {twice}");
        }
    }
}

#[test]
fn a_wrong_gradient_is_refused_and_left_alone() {
    for (name, bias, [queries, keys]) in biases::<f32>().unwrap() {
        let shape = (bias.heads(), queries.len(), keys.len());
        let mut gradient = vec![0.25; bias.parameter_count() + 1];
        let upstream = Array3::<f32>::ones(shape);
        assert!(bias.backward(&queries, &keys, upstream.view(), &mut gradient).is_err(), "{name}");
        let nan = Positions::from(vec![f64::NAN; keys.len()]);
        let own = &mut gradient[1..];
        assert!(bias.backward(&queries, &nan, upstream.view(), own).is_err(), "{name}");
        let narrow = Array3::<f32>::ones((shape.0, shape.1, shape.2 + 1));
        assert!(bias.backward(&queries, &keys, narrow.view(), own).is_err(), "{name}");
        assert!(gradient.iter().all(|value| *value == 0.25), "{name}");
        let mut bias = bias;
        if bias.parameter_count() > 0 {
            let values = bias.values();
            let mut bad = values.clone();
            bad[0] = f32::NAN;
            assert!(bias.set_values(&bad).is_err(), "{name}");
            assert!(bias.set_values(&values[1..]).is_err(), "{name}");
            assert_eq!(bias.values(), values, "{name}");
        }
    }
}
