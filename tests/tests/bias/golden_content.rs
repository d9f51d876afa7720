//! Biases that read queries or keys, element by element against the systems in use.

use ndarray::{Array2, Array3, Array4, ArrayView3, Axis, Ix2, Ix3, Ix4, Ix5, s};
use positional_encodings::bias::{
    Beyond, ContentBias, Cope, DecomposedBias, DisentangledBias, LogBuckets, Order, RelativeBias,
    RelativeValues, ShawBias, Side, Span, TransformerXlBias, add_content_bias, split_heads,
};
use positional_encodings::resample::{Kernel, Resample, Sampling};
use positional_encodings::{PositionalEncoding, Positions, Sinusoidal};

use crate::common::Tensors;
use crate::golden::assert_near;

/// Returns the scores q · k / √dim of heads.
fn products(q: ArrayView3<'_, f32>, k: ArrayView3<'_, f32>) -> Array3<f32> {
    let mut scores = Array3::zeros((q.dim().0, q.dim().1, k.dim().1));
    for ((mut scores, q), k) in scores.outer_iter_mut().zip(q.outer_iter()).zip(k.outer_iter()) {
        scores.assign(&(q.dot(&k.t()) / (q.ncols() as f32).sqrt()));
    }
    scores
}

fn softmax(mut scores: Array3<f32>) -> Array3<f32> {
    for mut row in scores.rows_mut() {
        let most = row.fold(f32::NEG_INFINITY, |most, score| most.max(*score));
        row.mapv_inplace(|score| (score - most).exp());
        let sum = row.sum();
        row /= sum;
    }
    scores
}

/// Returns a batch of heads as one axis of heads.
fn flat<D: ndarray::Dimension>(array: ndarray::Array<f32, D>) -> Array3<f32> {
    let [.., rows, columns] = *array.shape() else { panic!("two axes at least") };
    let heads = array.len() / (rows * columns);
    array.into_shape_with_order((heads, rows, columns)).unwrap()
}

#[test]
fn buckets_of_deberta() {
    let golden = Tensors::golden("d2_bucketed_bias");
    for (buckets, max) in [(256, 512), (32, 128)] {
        let case = format!("deberta_log_bucket_{buckets}_{max}");
        let rule = LogBuckets::new(buckets, max).unwrap();
        let relative = golden.list::<i32>(&format!("{case}/relative"));
        for (r, bucket) in relative.into_iter().zip(golden.list::<i32>(&format!("{case}/bucket"))) {
            // Rows are clipped, as DeBERTa does before it reads them.
            let expected = i64::from(bucket).clamp(-(buckets as i64), buckets as i64 - 1);
            assert_eq!(rule.bucket(i64::from(r)), expected, "{case}, distance {r}");
        }
    }
    let case = "deberta_build_relative_position";
    let [bucketed, plain] =
        ["bucketed", "plain"].map(|which| golden.get::<i64, Ix3>(&format!("{case}/{which}")));
    let rules = [LogBuckets::new(6, 16).unwrap(), LogBuckets::plain(16).unwrap()];
    for (rule, expected) in rules.iter().zip([bucketed, plain]) {
        for ((_, query, key), expected) in expected.indexed_iter() {
            assert_eq!(rule.bucket(query as i64 - key as i64), *expected, "{query} − {key}");
        }
    }
}

#[test]
fn disentangled_attention() {
    let golden = Tensors::golden("d2_bucketed_bias");
    for (case, buckets, p2c) in [
        ("shared", LogBuckets::new(6, 12).unwrap(), true),
        ("separate", LogBuckets::plain(12).unwrap(), true),
        ("c2p_only", LogBuckets::new(6, 12).unwrap(), false),
    ] {
        let get = |name: &str| golden.get::<f32, Ix3>(&format!("deberta_attention_{case}/{name}"));
        let p2c = p2c.then(|| get("pos_query"));
        let bias = DisentangledBias::disentangled(buckets, 2, Some(get("pos_key")), p2c).unwrap();
        let of_batch = |name: &str| get(name).into_shape_with_order((2, 2, 6, 4)).unwrap();
        let (q, k, mut scores) = (of_batch("query"), of_batch("key"), Array4::zeros((2, 2, 6, 6)));
        add_content_bias(scores.view_mut(), &bias, q.view(), k.view(), 0..6, 0..6).unwrap();
        assert_near(&flat(scores), &get("bias"), 1e-6, case);
    }
}

#[test]
fn sam_along_rows_and_columns() {
    let golden = Tensors::golden("d3_window_bias");
    let table = |name: &str| golden.get::<f32, Ix2>(&format!("sam_decomposed/{name}"));
    let sam = DecomposedBias::new([table("rel_pos_h"), table("rel_pos_w")], 1).unwrap();
    let q = golden.get::<f32, Ix3>("sam_decomposed/query").insert_axis(Axis(1));
    let patches = Positions::grid(&[3, 4]).unwrap();
    let (mut scores, none) = (Array4::zeros((2, 1, 12, 12)), Array4::zeros((0, 0, 0, 0)));
    add_content_bias(scores.view_mut(), &sam, q.view(), none.view(), &patches, &patches).unwrap();
    let expected = golden.get::<f32, Ix5>("sam_decomposed/bias");
    let expected = expected.into_shape_with_order((2, 12, 12)).unwrap();
    assert_near(&flat(scores), &expected, 1e-6, "SAM");

    // Pooled queries are at positions 0 and 2; the table of 5 rows becomes one of 7.
    let table = golden.get::<f32, Ix2>("sam_get_rel_pos_unequal/rel_pos");
    let linear = Resample::new(Kernel::Linear, Sampling::HalfPixel);
    let pooled = DecomposedBias::new([table.clone(), Array2::zeros((1, 4))], 1).unwrap();
    let pooled = pooled.resized([4, 1], linear).unwrap();
    let along = |list: Vec<i64>| {
        let columns = vec![0_i64; list.len()];
        Positions::from_axes([list, columns]).unwrap()
    };
    let (queries, keys) = (along(vec![0, 2]), along((0..4).collect()));
    let expected = golden.get::<f32, Ix3>("sam_get_rel_pos_unequal/out");
    for feature in 0..4 {
        let q = Array3::from_shape_fn((1, 2, 4), |(.., j)| f32::from(u8::from(j == feature)));
        let mut scores = Array3::zeros((1, 2, 4));
        let none = Array3::zeros((0, 0, 0));
        pooled.add_to(q.view(), none.view(), &queries, &keys, scores.view_mut()).unwrap();
        let expected = expected.slice(s![.., .., feature]).insert_axis(Axis(0)).to_owned();
        assert_near(&scores, &expected, 1e-6, "SAM, pooled");
    }
}

#[test]
fn conformer() {
    let golden = Tensors::golden("d4_relative_content");
    let get = |name: &str| golden.get::<f32, Ix4>(&format!("conformer_relative/{name}"));
    let weights = |name: &str| golden.get::<f32, Ix2>(&format!("conformer_relative/{name}"));
    let distances = Positions::from((-4..5).collect::<Vec<i64>>());
    let sinusoid: Array2<f32> = Sinusoidal::new(8).unwrap().encode(&distances).unwrap();
    // transformers has the farthest distance first.
    let theirs = golden.get::<f32, Ix3>("conformer_relative/pos_emb").index_axis_move(Axis(0), 0);
    assert_near(&sinusoid, &theirs.slice_move(s![..;-1, ..]).to_owned(), 1e-6, "sinusoid");

    let rows = split_heads(sinusoid.dot(&weights("linear_pos").t()).view(), 2).unwrap();
    let (u, v) = (weights("u"), weights("v"));
    let bias = TransformerXlBias::transformer_xl(rows, -4, u, v).unwrap();
    let (q, k, mut scores) = (get("q"), get("k"), Array4::zeros((2, 2, 5, 5)));
    add_content_bias(scores.view_mut(), &bias, q.view(), k.view(), 0..5, 0..5).unwrap();
    let shifted = products(flat(get("query_plus_u")).view(), flat(k.clone()).view());
    let expected = shifted + flat(get("bias")) - products(flat(q).view(), flat(k).view());
    assert_near(&flat(scores), &expected, 2e-6, "Conformer");
}

#[test]
fn transformer_xl_with_memory() {
    let golden = Tensors::golden("d5_relative_legacy");
    let get = |name: &str| golden.get::<f32, Ix4>(&format!("transfo_xl_attention/{name}"));
    let weights = |name: &str| golden.get::<f32, Ix2>(&format!("transfo_xl_attention/{name}"));
    // (len, batch, heads, dim); rows of distances 4 … 0.
    let of = |name: &str| get(name).index_axis_move(Axis(1), 0).permuted_axes([1, 0, 2]);
    let rows = golden.get::<f32, Ix3>("transfo_xl_attention/r_k").permuted_axes([1, 0, 2]);
    let rows = rows.slice_move(s![.., ..;-1, ..]);
    let (q, k) = (of("q"), of("k"));
    // Three more rows for the keys that the mask hides.
    let hidden = Array3::zeros((2, 2, 4));
    let rows = ndarray::concatenate(Axis(1), &[hidden.view(), rows.view()]).unwrap();
    let bias = TransformerXlBias::transformer_xl(rows, -2, weights("u"), weights("v")).unwrap();
    let mut scores = products(q.view(), k.view());
    let mask = golden.get::<u8, Ix2>("transfo_xl_attention/mask");
    let hide = |scores: &mut Array3<f32>| {
        for ((_, i, j), score) in scores.indexed_iter_mut() {
            if j > i + 2 {
                *score = f32::NEG_INFINITY;
            }
        }
    };
    assert!(mask.indexed_iter().all(|((i, j), mask)| (*mask == 1) == (j > i + 2)), "{mask}");
    hide(&mut scores);
    let (queries, keys) = (Positions::from(2..5), Positions::from(0..5));
    bias.add_to(q.view(), k.view(), &queries, &keys, scores.view_mut()).unwrap();
    let expected = get("probs").index_axis_move(Axis(2), 0).permuted_axes([2, 0, 1]);
    assert_near(&softmax(scores), &expected.to_owned(), 1e-6, "Transformer-XL");
}

/// Returns scores whose logits are given, to test the shift alone.
fn gathered(logits: ArrayView3<'_, f32>, span: Span, keys: usize) -> Array3<f32> {
    let (heads, rows, len) = logits.dim();
    let bias =
        RelativeBias::new(span, heads, [(Side::Queries, Array2::eye(len).insert_axis(Axis(0)))]);
    let mut scores = Array3::zeros((heads, rows, keys));
    let none = Array3::zeros((0, 0, 0));
    let (queries, keys) = (Positions::from(0..rows), Positions::from(0..keys));
    bias.unwrap().add_to(logits, none.view(), &queries, &keys, scores.view_mut()).unwrap();
    scores
}

#[test]
fn what_shifts_do() {
    let golden = Tensors::golden("d4_relative_content");
    let x = flat(golden.get::<f32, Ix4>("xlnet_rel_shift_bnij/x"));
    let out = flat(golden.get::<f32, Ix4>("xlnet_rel_shift_bnij/out"));
    let rows = x.dim().1 as i64;
    let span = Span::new(-rows, x.dim().2, Order::KeyMinusQuery, Beyond::Nothing).unwrap();
    for ((at, found), expected) in gathered(x.view(), span, out.dim().2).indexed_iter().zip(&out) {
        // Keys beyond the last row read what the shift leaves in that place.
        let has_row = at.2 + rows as usize - at.1 < x.dim().2;
        assert!(found == expected || !has_row, "XLNet at {at:?}: {found} instead of {expected}");
    }

    let golden = Tensors::golden("d5_relative_legacy");
    let [x, out] = ["x", "out"].map(|name| {
        let array = golden.get::<f32, Ix4>(&format!("transfo_xl_rel_shift/{name}"));
        flat(array.permuted_axes([2, 3, 0, 1]).as_standard_layout().into_owned())
    });
    let (_, rows, keys) = x.dim();
    let span = Span::new(1 - rows as i64, keys, Order::KeyMinusQuery, Beyond::Nothing).unwrap();
    for ((at, found), expected) in gathered(x.view(), span, keys).indexed_iter().zip(&out) {
        // The values beyond are filler that a mask hides.
        assert!(found == expected || at.2 > at.1 + keys - rows, "Transformer-XL at {at:?}");
    }
}

#[test]
fn relative_keys() {
    let golden = Tensors::golden("d4_relative_content");
    let get = |name: &str| golden.get::<f32, Ix4>(&format!("shaw_relative_key_clamped/{name}"));
    let table = golden.get::<f32, Ix2>("shaw_relative_key_clamped/table");
    let shaw = ShawBias::clipped(table, 3, 2).unwrap();
    let (q, mut scores) = (get("q"), Array4::zeros((2, 2, 5, 5)));
    let none = Array4::zeros((0, 0, 0, 0));
    add_content_bias(scores.view_mut(), &shaw, q.view(), none.view(), 0..5, 0..5).unwrap();
    assert_near(&scores, &get("bias"), 1e-6, "Wav2Vec2-BERT");

    let golden = Tensors::golden("d5_relative_legacy");
    for case in ["bert_relative_key", "bert_relative_key_query"] {
        let get = |name: &str| golden.get::<f32, Ix4>(&format!("{case}/{name}"));
        let table = golden.get::<f32, Ix2>(&format!("{case}/table"));
        let bert = match case {
            "bert_relative_key" => ShawBias::relative_key(table, 2),
            _ => ShawBias::relative_key_query(table, 2),
        };
        let (q, k) = (get("q"), get("k"));
        let scores = products(flat(q.clone()).view(), flat(k.clone()).view());
        let mut scores = scores.into_shape_with_order((2, 2, 5, 5)).unwrap();
        let bert = bert.unwrap();
        add_content_bias(scores.view_mut(), &bert, q.view(), k.view(), 0..5, 0..5).unwrap();
        assert_near(&softmax(flat(scores)), &flat(get("probs")), 1e-6, case);
    }
}

/// The definition, as a loop.
#[test]
fn relative_values() {
    let table = Array3::from_shape_fn((2, 5, 3), |(h, row, j)| (h * 31 + row * 7 + j) as f64 * 0.1);
    let weights = Array3::from_shape_fn((2, 4, 6), |(h, i, j)| 1.0 / (1 + h + i + 2 * j) as f64);
    let values = RelativeValues::new(Span::clipped(2), 2, table.clone()).unwrap();
    let mut out = Array3::ones((2, 4, 3));
    values.add_to(weights.view(), &(2..6).into(), &(0..6).into(), out.view_mut()).unwrap();
    for ((h, i, feature), found) in out.indexed_iter() {
        let row = |j: usize| ((i + 2) as i64 - j as i64).clamp(-2, 2) + 2;
        let sum: f64 =
            (0..6).map(|j| weights[[h, i, j]] * table[[h, row(j) as usize, feature]]).sum();
        assert!((found - 1.0 - sum).abs() < 1e-14);
    }
}

#[test]
fn contextual_positions() {
    let golden = Tensors::golden("d4_relative_content");
    let get =
        |name: &str| golden.get::<f32, Ix4>(&format!("cope/{name}")).index_axis_move(Axis(0), 0);
    let cope = Cope::new(golden.get::<f32, Ix2>("cope/pos_emb"), 2).unwrap();
    let (q, none, positions) = (get("query"), Array3::zeros((0, 0, 0)), Positions::from(0..5));
    for (logits, out) in [("attn_logits", "out"), ("logits_unmasked", "out_unmasked_logits")] {
        let before = get(logits);
        let mut scores = before.clone();
        cope.add_to(q.view(), none.view(), &positions, &positions, scores.view_mut()).unwrap();
        for (((found, before), out), at) in scores.iter().zip(&before).zip(&get(out)).zip(0..) {
            // Masked scores stay masked.
            let expected = before + out;
            assert!(
                (found - expected).abs() <= 2e-6 || *before < -1e30,
                "{logits} {at}: {found} {expected}"
            );
        }
    }
}
