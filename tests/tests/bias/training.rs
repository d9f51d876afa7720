//! Gradients, compared with finite differences.

use ndarray::{Array2, Array3, Array4, Axis, array};
use positional_encodings::bias::{
    AlibiForm, AxesBias, ContentBias, RelativeBias, RelativeValues, Side, TableBias, TableRule,
};
use positional_encodings::training::{
    ContentGradient, DifferentiableBias, DifferentiableContentBias, Trainable, backward_bias,
};
use positional_encodings::{Alibi, AttentionBias, Positions};

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

/// A rule whose rows are given, whatever the positions.
struct Given(Vec<usize>);

impl TableRule for Given {
    fn entries(&self) -> usize {
        3
    }

    fn rows(&self, _: &Positions<'_>, keys: &Positions<'_>, rows: &mut [usize]) {
        let first = keys.iter().next().map_or(0, |key| key.to_f64() as usize);
        rows.copy_from_slice(&self.0[first..first + rows.len()]);
    }
}

/// An index past the table reads no row, however large it is: a product with the number of heads
/// that wraps around would be the index of a row again.
#[test]
fn rows_past_the_table_are_zeros_without_gradients() {
    let mut rows = vec![1, 3, 4, usize::MAX, usize::MAX / 2, usize::MAX / 3, 2];
    rows.extend((1..usize::BITS).flat_map(|bit| [(1 << bit) + 3, usize::MAX << bit]));
    let keys = Positions::from(0..rows.len());
    let query = Positions::from(0..1);
    let table = Array2::from_shape_fn((3, 2), |(row, head)| (1 + 10 * row + head) as f64);
    let expected = Array3::from_shape_fn((2, 1, rows.len()), |(head, _, key)| {
        table.get((rows[key], head)).copied().unwrap_or(0.0)
    });
    let mut gradient = vec![0.0; 6];
    rows.iter().filter(|row| **row < 3).for_each(|row| {
        gradient[2 * row] += 1.0;
        gradient[2 * row + 1] += 1.0;
    });
    let plain = TableBias::new(table.clone(), Given(rows.clone())).unwrap();
    let of_axis = AxesBias::new([TableBias::new(table, Given(rows.clone())).unwrap()]).unwrap();
    for bias in [&plain as &dyn DifferentiableBias<f64>, &of_axis] {
        assert_eq!(bias.encode(&query, &keys).unwrap(), expected);
        let mut scores = vec![1.0; 2 * rows.len()];
        bias.add_row(&query, &keys, &mut scores).unwrap();
        assert!(scores.iter().zip(&expected).all(|(score, bias)| *score == 1.0 + bias));
        let mut found = vec![0.0; 6];
        let upstream = Array3::ones(expected.dim());
        bias.backward(&query, &keys, upstream.view(), &mut found).unwrap();
        assert_eq!(found, gradient);
    }
    // Tables with a row of two features for both heads.
    let table = array![[[1.0, 0.0], [0.0, 1.0], [3.0, 0.0]]];
    let bias = RelativeBias::new(Given(rows.clone()), 2, [(Side::Queries, table.clone())]).unwrap();
    let (q, none) = (Array3::ones((2, 1, 2)), Array3::zeros((0, 0, 0)));
    let mut scores = Array3::zeros(expected.dim());
    bias.add_to(q.view(), none.view(), &query, &keys, scores.view_mut()).unwrap();
    let sums = [1.0, 1.0, 3.0];
    let of_row = |key: usize| sums.get(rows[key]).copied().unwrap_or(0.0);
    assert!(scores.indexed_iter().all(|((_, _, key), score)| *score == of_row(key)));
    let (mut by_q, mut by_none, mut by_table) = (q.clone(), none.clone(), [0.0; 6]);
    let (to_q, k) = (by_q.view_mut(), by_none.view_mut());
    let to = ContentGradient { q: to_q, k, parameters: &mut by_table[..] };
    let upstream = Array3::ones(expected.dim());
    bias.backward(q.view(), none.view(), &query, &keys, upstream.view(), to).unwrap();
    assert_eq!(by_table.iter().sum::<f64>(), 2.0 * gradient.iter().sum::<f64>());
    let values = RelativeValues::new(Given(rows), 2, table).unwrap();
    let mut out = Array3::zeros((2, 1, 2));
    values.add_to(upstream.view(), &query, &keys, out.view_mut()).unwrap();
    let count = |row: usize| gradient[2 * row];
    assert_eq!(out[[0, 0, 0]], count(0) + 3.0 * count(2));
}

/// Values that are set again change nothing, in any type: not the form, not Falcon's rounding, and
/// not the slopes, of which f32 does not know all bits.
#[test]
fn slopes_that_are_set_again_are_the_same() {
    fn check<A: positional_encodings::Element>() {
        for alibi in [
            Alibi::new(12).unwrap(),
            Alibi::new(8).unwrap().with_form(AlibiForm::Symmetric),
            Alibi::falcon(6).unwrap(),
            Alibi::from_slopes(&[0.1, -0.3, 0.0]).unwrap(),
        ] {
            let mut same = alibi.clone();
            let values: Vec<A> = same.values();
            same.set_values(&values).unwrap();
            assert_eq!(same, alibi);
        }
    }
    check::<f32>();
    check::<f64>();
    #[cfg(feature = "half")]
    check::<half::bf16>();
    // Other slopes are rounded as Falcon's are.
    let mut falcon = Alibi::falcon(2).unwrap();
    falcon.set_values(&[1.001_f64, 0.5]).unwrap();
    let bias: Array3<f64> = falcon.encode(&(0..1).into(), &(3..4).into()).unwrap();
    assert_eq!(bias, array![[[3.0]], [[1.5]]]);
}

#[test]
fn tables_of_axes_are_named_as_elsewhere() {
    let biases = biases::<f64>().unwrap();
    let (_, layout, _) = biases.iter().find(|(name, _, _)| *name == "LayoutLM").unwrap();
    let names: Vec<_> = layout.parameters().into_iter().map(|parameter| parameter.name).collect();
    assert_eq!(names, ["axis_0.table", "axis_1.table", "axis_2.table"]);
}
