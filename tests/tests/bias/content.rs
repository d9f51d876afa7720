//! Biases that read queries or keys: their laws, their gradients, and their definitions as plain
//! loops.

use ndarray::{Array1, Array2, Array3, Array4, Axis, s};
use positional_encodings::bias::{
    Beyond, ContentBias, Cope, DecomposedBias, DisentangledBias, LogBuckets, Order, RelativeBias,
    ShawBias, Side, Span, add_content_bias,
};
use positional_encodings::testing::check_content_bias_laws;
use positional_encodings::training::{ContentGradient, CopeGradient, DifferentiableContentBias};
use positional_encodings::{Element, Error, Positions};

use crate::content_biases::{content_biases, contents, flat, rows};

fn check<A: Element>() {
    for (name, bias, [queries, keys]) in content_biases::<A>().unwrap() {
        if let Err(violation) = check_content_bias_laws(&bias, &queries, &keys) {
            panic!("{name}: {violation}");
        }
    }
    let cope = Cope::with_tables(rows(2, 6, 5), 2).unwrap();
    let positions = Positions::from(0..9);
    if let Err(violation) = check_content_bias_laws::<A>(&cope, &positions.slice(4..9), &positions)
    {
        panic!("CoPE: {violation}");
    }
}

#[test]
fn every_content_bias_obeys_the_laws() {
    check::<f32>();
    check::<f64>();
    #[cfg(feature = "half")]
    check::<half::f16>();
    #[cfg(feature = "half")]
    check::<half::bf16>();
}

fn scores(
    bias: &dyn ContentBias<f64>,
    [q, k]: [&Array3<f64>; 2],
    at: [&Positions<'_>; 2],
) -> Array3<f64> {
    let mut scores = Array3::zeros((bias.heads(), at[0].len(), at[1].len()));
    bias.add_to(q.view(), k.view(), at[0], at[1], scores.view_mut()).unwrap();
    scores
}

/// The definitions, one score at a time.
#[test]
fn scores_are_those_of_the_definitions() {
    let at = |positions: &Positions<'_>, i| positions.get(i).unwrap().to_f64();
    let dot = |a: ndarray::ArrayView1<'_, f64>, b: ndarray::ArrayView1<'_, f64>| a.dot(&b);
    let log_bucket = |r: f64| match r.abs() {
        size if size <= 4.0 => r,
        size => {
            r.signum() * (((size / 4.0).ln() / (15.0_f64 / 4.0).ln() * 3.0 - 1e-12).ceil() + 4.0)
        }
    };
    let mut checked = 0;
    for (name, bias, [queries, keys]) in content_biases::<f64>().unwrap() {
        let [q, k, _] = contents(&bias, [queries.len(), keys.len()]);
        let found = scores(&bias, [&q, &k], [&queries, &keys]);
        for ((h, i, j), found) in found.indexed_iter().filter(|_| !["SAM", "MViT"].contains(&name))
        {
            let r = at(&queries, i) - at(&keys, j);
            let q = || q.slice(s![h, i, ..]);
            let k = || k.slice(s![h, j, ..]);
            let row = |table: Array3<f64>, row: f64| {
                table.slice(s![h % table.dim().0, row as usize, ..]).to_owned()
            };
            let span = |r: f64| (r.clamp(-8.0, 7.0)) + 8.0;
            let expected = match name {
                "Shaw" => {
                    dot(q(), row(rows(1, 9, 5), (-r).clamp(-4.0, 4.0) + 4.0).view()) / 5_f64.sqrt()
                }
                "Wav2Vec2-BERT" => {
                    dot(q(), row(rows(1, 9, 5), (-r).clamp(-6.0, 2.0) + 6.0).view()) / 5_f64.sqrt()
                }
                "relative_key" => dot(q(), row(rows(1, 79, 4), r + 39.0).view()) / 2.0,
                "relative_key_query" => {
                    let row = row(rows(1, 79, 4), r + 39.0);
                    (dot(q(), row.view()) + dot(k(), row.view())) / 2.0
                }
                "Transformer-XL" => {
                    let u: Array1<f64> = flat(2, 9).row(h).to_owned();
                    let row = row(rows(2, 61, 9), r + 30.0);
                    (dot(u.view(), k()) + dot((&q() + &(&u * 2.0)).view(), row.view())) / 3.0
                }
                "Inkling" if (0.0..7.0).contains(&r) => dot(q(), row(rows(1, 7, 3), r).view()),
                "Inkling" => 0.0,
                "DeBERTa" => {
                    let at = span(log_bucket(r));
                    let sum = dot(q(), row(rows(2, 16, 8), at).view())
                        + dot(k(), row(rows(1, 16, 8), at).view());
                    sum / 24_f64.sqrt()
                }
                "p2c" => dot(k(), row(rows(1, 16, 8), span(log_bucket(r))).view()) / 4.0,
                _ => dot(q(), row(rows(2, 16, 8), span(r)).view()) / 4.0,
            };
            assert!(
                (found - expected).abs() < 1e-12,
                "{name}, {h} {i} {j}: {found} instead of {expected}"
            );
            checked += 1;
        }
    }
    assert!(checked > 10_000);
}

#[test]
fn gradients_of_content_biases_are_those_of_finite_differences() {
    const STEP: f64 = 1e-5;
    for (name, mut bias, [queries, keys]) in content_biases::<f64>().unwrap() {
        let at = [&queries, &keys];
        let [mut q, mut k, _] = contents(&bias, [queries.len(), keys.len()]);
        let shape = (bias.heads(), queries.len(), keys.len());
        let weights = Array3::from_shape_fn(shape, |(h, i, j)| {
            ((h * 31 + i * 17 + j * 7) % 23) as f64 / 8.0 - 1.3
        });
        let mut values = bias.values();
        let lengths: usize = bias.parameters().iter().map(|parameter| parameter.len()).sum();
        assert_eq!(values.len(), lengths, "{name}");
        let (mut by_q, mut by_k) =
            (Array3::from_elem(q.dim(), 0.5), Array3::from_elem(k.dim(), 0.5));
        let mut by_values = vec![0.5; values.len()];
        let gradient =
            ContentGradient { q: by_q.view_mut(), k: by_k.view_mut(), parameters: &mut by_values };
        bias.backward(q.view(), k.view(), &queries, &keys, weights.view(), gradient).unwrap();
        let agree = |found: f64, [below, above]: [f64; 2], what: &str| {
            let slope = (above - below) / (2.0 * STEP);
            assert!(
                (found - 0.5 - slope).abs() < 1e-6 * (1.0 + slope.abs()),
                "{name}, {what}: {found} {slope}"
            );
        };
        for place in (0..values.len()).step_by(1 + values.len() / 20) {
            let losses = [-STEP, 2.0 * STEP].map(|step| {
                values[place] += step;
                bias.set_values(&values).unwrap();
                (scores(&bias, [&q, &k], at) * &weights).sum()
            });
            values[place] -= STEP;
            bias.set_values(&values).unwrap();
            agree(by_values[place], losses, "values");
        }
        for which in [0, 1] {
            for place in (0..[q.len(), k.len()][which]).step_by(29) {
                let losses = [-STEP, 2.0 * STEP].map(|step| {
                    let content = if which == 0 { &mut q } else { &mut k };
                    content.as_slice_mut().unwrap()[place] += step;
                    (scores(&bias, [&q, &k], at) * &weights).sum()
                });
                let content = if which == 0 { &mut q } else { &mut k };
                content.as_slice_mut().unwrap()[place] -= STEP;
                let found = [&by_q, &by_k][which].as_slice().unwrap()[place];
                agree(found, losses, ["queries", "keys"][which]);
            }
        }
    }
}

#[test]
fn gradients_of_contextual_positions_are_those_of_finite_differences() {
    const STEP: f64 = 1e-6;
    let table = rows::<f64>(2, 4, 5);
    let cope = Cope::with_tables(table.clone(), 2).unwrap();
    let [q, _, mut before] = contents(&cope, [3, 6]);
    before[[0, 1, 5]] = f64::NEG_INFINITY;
    let weights = before.mapv(|score| if score.is_finite() { score * 0.7 + 0.2 } else { 0.0 });
    let loss = |table: &Array3<f64>, q: &Array3<f64>, before: &Array3<f64>| {
        let cope = Cope::with_tables(table.clone(), 2).unwrap();
        let (mut after, none) = (before.clone(), Array3::zeros((0, 0, 0)));
        cope.add_to(q.view(), none.view(), &(0..3).into(), &(0..6).into(), after.view_mut())
            .unwrap();
        after
            .iter()
            .zip(&weights)
            .filter(|(after, _)| after.is_finite())
            .map(|(a, w)| a * w)
            .sum::<f64>()
    };
    let (mut by_q, mut by_scores) = (Array3::zeros(q.dim()), Array3::zeros(before.dim()));
    let mut by_rows = vec![0.0; table.len()];
    let gradient =
        CopeGradient { q: by_q.view_mut(), scores: by_scores.view_mut(), parameters: &mut by_rows };
    cope.backward(q.view(), before.view(), weights.view(), gradient).unwrap();
    let agree = |found: f64, losses: [f64; 2], what: &str| {
        let slope = (losses[1] - losses[0]) / (2.0 * STEP);
        assert!((found - slope).abs() < 1e-7 * (1.0 + slope.abs()), "{what}: {found} {slope}");
    };
    let moved = |array: &Array3<f64>, place: usize, by: f64| {
        let mut array = array.clone();
        array.as_slice_mut().unwrap()[place] += by;
        array
    };
    for (place, found) in by_rows.iter().enumerate() {
        let losses = [-STEP, STEP].map(|step| loss(&moved(&table, place, step), &q, &before));
        agree(*found, losses, "rows");
    }
    for (place, found) in by_q.iter().enumerate() {
        let losses = [-STEP, STEP].map(|step| loss(&table, &moved(&q, place, step), &before));
        agree(*found, losses, "queries");
    }
    for (place, found) in by_scores.iter().enumerate() {
        let losses = [-STEP, STEP].map(|step| loss(&table, &q, &moved(&before, place, step)));
        agree(*found, losses, "scores");
    }
}

#[test]
fn sequences_of_a_batch_have_their_own_positions() {
    let shaw = ShawBias::relative_key_query(flat::<f32>(21, 4), 2).unwrap();
    let content = |by: usize| {
        Array4::from_shape_fn((3, 2, 6, 4), |(b, h, i, j)| ((b * 5 + h + i * by + j) % 7) as f32)
    };
    let (q, k, mut scores) = (content(3), content(4), Array4::zeros((3, 2, 6, 6)));
    let positions = Array2::from_shape_fn((3, 6), |(b, i)| (i * (b + 1) % 9) as i64);
    add_content_bias(scores.view_mut(), &shaw, q.view(), k.view(), &positions, &positions).unwrap();
    for (b, scores) in scores.outer_iter().enumerate() {
        let mut alone = Array3::zeros((2, 6, 6));
        let at = Positions::from(positions.row(b));
        let [q, k] = [&q, &k].map(|content| content.index_axis(Axis(0), b));
        shaw.add_to(q, k, &at, &at, alone.view_mut()).unwrap();
        assert_eq!(scores, alone);
    }
    // Long calls on all cores give the same bits.
    let (q, k) = (Array3::from_elem((2, 600, 4), 0.5), Array3::from_elem((2, 600, 4), 0.25));
    let shaw = ShawBias::shaw(flat::<f32>(9, 4), 2).unwrap();
    let mut scores = Array3::zeros((2, 600, 600));
    shaw.add_to(q.view(), k.view(), &(0..600).into(), &(0..600).into(), scores.view_mut()).unwrap();
    for row in [0, 299, 300, 599] {
        let mut step = Array3::zeros((2, 1, 600));
        let q = q.slice(s![.., row..row + 1, ..]);
        shaw.add_to(q, k.view(), &(row..row + 1).into(), &(0..600).into(), step.view_mut())
            .unwrap();
        assert_eq!(step, scores.slice(s![.., row..row + 1, ..]));
    }
}

#[test]
fn hostile_tables_and_shapes() {
    let nan = Array2::from_elem((9, 4), f32::NAN);
    assert!(matches!(ShawBias::shaw(nan, 2), Err(Error::InvalidParameter { name: "value", .. })));
    assert!(matches!(ShawBias::shaw(flat::<f32>(8, 4), 2), Err(Error::InvalidParameter { .. })));
    assert!(matches!(ShawBias::shaw(flat::<f32>(9, 4), 0), Err(Error::InvalidParameter { .. })));
    assert_eq!(
        ShawBias::relative_key(Array2::<f32>::zeros((9, 0)), 1).unwrap_err(),
        Error::ZeroDim
    );
    for (buckets, max) in [(7, 64), (2, 64), (0, 64), (1 << 20, 1 << 30), (8, 5), (8, usize::MAX)] {
        assert!(LogBuckets::new(buckets, max).is_err(), "{buckets} {max}");
    }
    assert!(LogBuckets::plain(0).is_err() && LogBuckets::plain(usize::MAX).is_err());
    for (first, len) in [(0, 0), (i64::MIN, 3), (i64::MAX, 3), (0, usize::MAX)] {
        assert!(
            Span::new(first, len, Order::QueryMinusKey, Beyond::Clip).is_err(),
            "{first} {len}"
        );
    }
    assert_eq!(Span::clipped(usize::MAX).first(), -(1 << 30));
    let tables =
        |sides: &[Side]| sides.iter().map(|side| (*side, rows::<f32>(1, 3, 2))).collect::<Vec<_>>();
    for sides in [&[][..], &[Side::Queries, Side::Queries], &[Side::Both, Side::Keys]] {
        assert!(RelativeBias::new(Span::clipped(1), 2, tables(sides)).is_err(), "{sides:?}");
    }
    let one = RelativeBias::new(Span::clipped(1), 2, tables(&[Side::Both])).unwrap();
    assert!(one.clone().with_factor(f64::NAN).is_err());
    assert!(one.clone().with_biases(flat(2, 3), flat(2, 2)).is_err());
    assert!(one.clone().with_biases(flat(3, 2), flat(2, 2)).is_err());
    let many = [(Side::Keys, rows::<f32>(3, 3, 2))];
    assert!(matches!(
        RelativeBias::new(Span::clipped(1), 2, many),
        Err(Error::LengthMismatch { .. })
    ));
    assert!(Cope::new(Array2::<f32>::zeros((0, 4)), 1).is_err());
    assert!(DecomposedBias::new([flat::<f32>(4, 2), flat(3, 2)], 1).is_err());
    assert!(DecomposedBias::new([flat::<f32>(5, 2), flat(3, 3)], 1).is_err());
    let sam = DecomposedBias::new([flat::<f32>(5, 2), flat(3, 2)], 1).unwrap();
    let resample = positional_encodings::resample::Resample::vit();
    assert!(
        sam.resized([0, 4], resample).is_err() && sam.resized([usize::MAX, 4], resample).is_err()
    );

    // Positions without a row in the table, and fractional positions.
    let bert = ShawBias::relative_key(flat::<f32>(5, 4), 1).unwrap();
    let mut scores = Array3::from_elem((1, 1, 1), 7.0);
    let (q, none) = (rows(1, 1, 4), Array3::zeros((0, 0, 0)));
    let far =
        bert.add_to(q.view(), none.view(), &(9..10).into(), &(6..7).into(), scores.view_mut());
    assert_eq!(far, Err(Error::PositionOutsideTable { position: 3.0, first: -2, len: 5 }));
    let deberta =
        DisentangledBias::disentangled(LogBuckets::plain(4).unwrap(), 1, Some(rows(1, 8, 4)), None);
    let half = Positions::from(vec![0.5]);
    assert!(
        deberta.unwrap().add_to(q.view(), none.view(), &half, &half, scores.view_mut()).is_err()
    );
    assert_eq!(scores[[0, 0, 0]], 7.0);
    // Scores with too few axes, and distant positions that are clipped.
    let flat_scores = &mut Array2::<f32>::zeros((1, 1));
    let query = Array2::<f32>::zeros((1, 4));
    let few =
        add_content_bias(flat_scores.view_mut(), &bert, query.view(), query.view(), 0..1, 0..1);
    assert_eq!(few, Err(Error::TooFewAxes { expected: 3, found: 2 }));
    let shaw = ShawBias::shaw(flat::<f32>(5, 4), 1).unwrap();
    let ends = [Positions::from(vec![1_i64 << 62]), Positions::from(vec![-(1_i64 << 62)])];
    shaw.add_to(q.view(), none.view(), &ends[0], &ends[1], scores.view_mut()).unwrap();
    assert!(scores[[0, 0, 0]].is_finite());

    // Many empty sequences, and a large number of axes.
    let many = isize::MAX as usize / 64;
    let mut none = Array4::<f32>::zeros((many, 1, 0, 3));
    let (q, k) = (Array4::zeros((many, 1, 0, 4)), Array4::zeros((0, 0, 0, 0)));
    add_content_bias(none.view_mut(), &shaw, q.view(), k.view(), 0..0, 0..3).unwrap();
    let nested = |last: [usize; 3]| {
        let shape: Vec<usize> = core::iter::repeat_n(1, 5000).chain(last).collect();
        ndarray::ArrayD::<f32>::ones(shape)
    };
    let (q, mut scores) = (nested([1, 2, 4]), nested([1, 2, 3]));
    add_content_bias(scores.view_mut(), &shaw, q.view(), q.view(), 0..2, 0..3).unwrap();
    assert!(scores.iter().all(|score| *score != 1.0));
}
