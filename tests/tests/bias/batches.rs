//! Positions of a batch: shared, for each sequence, padded, packed, or of a cache, on one thread
//! and on several.

use ndarray::{Array2, Array3, Array4, Array5, ArrayD, Axis, IxDyn, s};
use positional_encodings::{Alibi, AttentionBias, Element, Positions, T5Bias, add_bias, ids};

use crate::biases::{biases, table};

fn scores(shape: (usize, usize, usize, usize)) -> Array4<f32> {
    Array4::from_shape_fn(shape, |(b, h, i, j)| ((b * 7 + h * 5 + i * 3 + j) % 16) as f32 / 4.0)
}

/// Adding to a batch is adding to each of its sequences.
#[test]
fn each_sequence_has_its_positions() {
    let t5 = T5Bias::bidirectional(table::<f32>(32, 3), 128).unwrap();
    let mask = Array2::from_shape_fn((5, 40), |(row, column)| i64::from(column >= 3 * row));
    let padded = ids::from_mask(&mask, 0).unwrap();
    let queries = padded.slice(s![.., 30..]).to_owned();
    let before = scores((5, 3, 10, 40));
    let mut after = before.clone();
    add_bias(after.view_mut(), &t5, &queries, &padded).unwrap();
    for row in 0..5 {
        let mut own = before.index_axis(Axis(0), row).to_owned();
        let at = |ids: &Array2<i64>| Positions::from(ids.row(row).to_vec());
        t5.add_to(&at(&queries), &at(&padded), own.view_mut()).unwrap();
        assert_eq!(after.index_axis(Axis(0), row), own, "row {row}");
    }
    // Leading axes whose product is the number of rows, and no leading axes.
    let mut more = Array5::from_shape_fn((1, 5, 3, 10, 40), |(_, b, h, i, j)| before[[b, h, i, j]]);
    add_bias(more.view_mut(), &t5, &queries, &padded).unwrap();
    assert_eq!(more.index_axis(Axis(0), 0), after);
    let mut none = ArrayD::<f32>::zeros(IxDyn(&[0, 5, 3, 10, 40]));
    add_bias(none.view_mut(), &t5, 0..10, 0..40).unwrap();
}

/// Documents packed into one sequence have the bias that each has alone.
#[test]
fn packed_documents() {
    let alibi = Alibi::new(6).unwrap();
    let packed = ids::packed(&[30, 1, 50]).unwrap();
    let bias: Array3<f64> =
        alibi.encode(&Positions::from(&packed), &Positions::from(&packed)).unwrap();
    let alone: Array3<f64> =
        alibi.encode(&Positions::from(0..50), &Positions::from(0..50)).unwrap();
    assert_eq!(bias.slice(s![.., 31.., 31..]), alone);
    assert_eq!(bias.slice(s![.., ..30, ..30]), alone.slice(s![.., ..30, ..30]));
}

/// The definition without tiles, windows and vectors: one query and one key at a time.
fn one_by_one<A: Element>(
    bias: &dyn AttentionBias<A>,
    queries: &Positions<'_>,
    keys: &Positions<'_>,
) -> Array3<A> {
    let mut out = Array3::from_elem((bias.heads(), queries.len(), keys.len()), A::zero());
    let mut values = vec![A::zero(); bias.heads()];
    for row in 0..queries.len() {
        for column in 0..keys.len() {
            let (query, key) = (queries.slice(row..row + 1), keys.slice(column..column + 1));
            bias.encode_row(&query, &key, &mut values);
            values.iter().enumerate().for_each(|(head, value)| out[[head, row, column]] = *value);
        }
    }
    out
}

#[test]
fn every_value_is_that_of_its_pair() {
    fn check<A: Element>() {
        for (name, bias, [queries, keys]) in biases::<A>().unwrap() {
            let (queries, keys) = (queries.slice(0..24), keys.slice(0..40));
            let whole = bias.encode(&queries, &keys).unwrap();
            assert_eq!(whole, one_by_one(&bias, &queries, &keys), "{name}");
        }
    }
    check::<f32>();
    check::<f64>();
    #[cfg(feature = "half")]
    check::<half::bf16>();
}

/// Scores larger than a tile and than the share of a thread, at positions of every kind.
#[test]
fn long_work_is_short_work_piece_by_piece() {
    let alibi = Alibi::new(3).unwrap();
    let mixed: Vec<i64> = (0..700).chain((0..40).map(|i| i * 37 % 100)).chain(5..400).collect();
    let mixed = Positions::from(&mixed);
    for (queries, keys) in
        [(mixed.slice(0..300), mixed.slice(0..1135)), (mixed.slice(690..1135), mixed.slice(0..900))]
    {
        let mut scores = Array4::<f32>::zeros((2, 3, queries.len(), keys.len()));
        add_bias(scores.view_mut(), &alibi, &queries, &keys).unwrap();
        for (row, expected) in (0..queries.len()).step_by(41).map(|row| {
            let own: Array3<f32> = alibi.encode(&queries.slice(row..row + 1), &keys).unwrap();
            (row, own)
        }) {
            for sequence in 0..2 {
                assert_eq!(
                    scores.slice(s![sequence, .., row..row + 1, ..]),
                    expected,
                    "query {row}"
                );
            }
        }
    }
    // More heads than fit on the stack.
    let many = T5Bias::causal(table::<f32>(4, 70_000), 8).unwrap();
    let bias = many.encode(&Positions::from(3..4), &Positions::from(0..5)).unwrap();
    assert_eq!(bias[[69_999, 0, 3]], many.table()[[0, 69_999]]);
}
