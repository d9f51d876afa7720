//! Gradients, compared with torch's and with finite differences of everything that is learned.

use crate::common::Tensors;
use ndarray::{Array1, Array2, Array3, ArrayView2, Axis, array};
use positional_encodings::{
    Error, FeatureLayout, Frequencies, Init, Learned, OddDim, Positions, Sinusoidal,
    TokenEmbedding,
    testing::check_laws,
    training::{
        Activation, Differentiable, Frozen, LearnedFrequencies, Linear, Parameter, PositionNetwork,
        Scaled, TouchedRows, Trainable, backward_positions, backward_positions_at,
    },
};
use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};

fn b4() -> Tensors {
    Tensors::golden("b4_learned_gradients")
}

fn close(found: ArrayView2<'_, f32>, expected: ArrayView2<'_, f32>) {
    assert_eq!(found.dim(), expected.dim());
    for (found, expected) in found.iter().zip(expected) {
        assert!(
            (found - expected).abs() <= 2e-6 * expected.abs().max(1.0),
            "{found} instead of {expected}"
        );
    }
}

/// Gradient of a lookup of `plain/ids` by positions and by tokens.
#[test]
fn lookups_have_torchs_gradient() {
    let file = b4();
    let ids: Array2<i64> = file.get("plain/ids");
    let upstream: Array3<f32> = file.get("plain/upstream");
    let expected: Array2<f32> = file.get("plain/grad");
    let table: Array2<f32> = file.get("plain/table");
    let learned = Learned::from_table(table.clone()).unwrap();
    let mut gradient = Array2::zeros(table.raw_dim());
    backward_positions_at(&upstream, &learned, &ids, gradient.as_slice_mut().unwrap()).unwrap();
    assert_eq!(gradient, expected, "the same sums in the same order: the same bits");

    let zeros = Learned::from_table(Array2::zeros((7, 5))).unwrap();
    let embedding = TokenEmbedding::new(table, zeros).unwrap();
    let mut gradient = Array2::zeros((9, 5));
    embedding.lookup(&ids).backward_words(upstream.view(), gradient.view_mut()).unwrap();
    assert_eq!(gradient, expected);

    // The sparse rows are the nonzero rows of the dense gradient.
    let mut touched = TouchedRows::new(5);
    embedding.lookup(&ids).backward_words(upstream.view(), &mut touched).unwrap();
    let mut dense = Array2::<f32>::zeros((9, 5));
    for (&row, values) in touched.rows().iter().zip(touched.gradient().rows()) {
        dense.row_mut(row).assign(&values);
    }
    assert_eq!(dense, expected);
    touched.divide_by_counts();
    let by_frequency: Array2<f32> = file.get("scale_by_freq/grad");
    for (&row, values) in touched.rows().iter().zip(touched.gradient().rows()) {
        close(values.insert_axis(Axis(0)), by_frequency.row(row).insert_axis(Axis(0)));
    }
    touched.clear();
    assert!(touched.rows().is_empty() && touched.gradient().is_empty());
}

#[test]
fn padding_gets_no_gradient() {
    let file = b4();
    let ids: Array2<i64> = file.get("plain/ids");
    let upstream: Array3<f32> = file.get("plain/upstream");
    let table: Array2<f32> = file.get("plain/table");
    let learned = Learned::from_table(table).unwrap().with_padding_row(2).unwrap();
    let mut gradient = Array2::zeros((9, 5));
    backward_positions_at(&upstream, &learned, &ids, gradient.as_slice_mut().unwrap()).unwrap();
    assert_eq!(gradient, file.get::<f32, _>("padding_idx/grad"));
}

#[test]
fn doubles_and_a_shared_range_have_torchs_gradient() {
    let file = b4();
    let ids: Array2<i64> = file.get("plain/ids");
    let upstream: Array3<f32> = file.get("plain/upstream");
    let learned = Learned::from_table(Array2::<f64>::zeros((9, 5))).unwrap();
    let mut gradient = Array2::zeros((9, 5));
    backward_positions_at(
        &upstream.mapv(f64::from),
        &learned,
        &ids,
        gradient.as_slice_mut().unwrap(),
    )
    .unwrap();
    assert_eq!(gradient, file.get::<f64, _>("plain_f64/grad"));

    let learned = Learned::from_table(Array2::<f32>::zeros((9, 5))).unwrap();
    let mut gradient = Array2::zeros((9, 5));
    let upstream: Array3<f32> = file.get("broadcast_add/grad_x");
    backward_positions_at(&upstream, &learned, 1..8, gradient.as_slice_mut().unwrap()).unwrap();
    assert_eq!(gradient, file.get::<f32, _>("broadcast_add/grad_table"));
}

/// torch also adds bf16 in bf16, so even the roundings agree.
#[test]
#[cfg(feature = "half")]
fn bf16_has_torchs_gradient() {
    use half::bf16;
    use positional_encodings::Element;
    let file = b4();
    let ids: Array2<i64> = file.get("plain/ids");
    let upstream: Array3<f32> = file.get("plain/upstream");
    let upstream = upstream.mapv(|value| <bf16 as Element>::from_f64(f64::from(value)));
    let learned = Learned::from_table(Array2::from_elem((9, 5), bf16::ZERO)).unwrap();
    let mut gradient = Array2::from_elem((9, 5), bf16::ZERO);
    backward_positions_at(&upstream, &learned, &ids, gradient.as_slice_mut().unwrap()).unwrap();
    assert_eq!(gradient, file.get::<bf16, _>("plain_bf16/grad"));
}

/// BERT's whole embedding layer; the test inverts the LayerNorm between.
#[test]
fn the_embedding_layer_of_bert_has_torchs_gradient() {
    let file = b4();
    let ids: Array2<i64> = file.get("plain/ids");
    let segments: Array2<i64> = file.get("bert_embeddings/token_type_ids");
    let position: Array2<f32> = file.get("bert_embeddings/position");
    let weight: Array1<f32> = file.get("bert_embeddings/ln_weight");
    let embedding = TokenEmbedding::new(
        file.get("bert_embeddings/word"),
        Learned::from_table(position).unwrap(),
    )
    .and_then(|embedding| embedding.with_segments(file.get("bert_embeddings/token_type")))
    .and_then(|embedding| embedding.with_padding_token(2))
    .unwrap();
    let lookup = embedding.lookup(&ids).with_segments(&segments);
    let sums = lookup.clone().embed().unwrap();
    let upstream = layer_norm_backward(&sums, &weight, &file.get("plain/upstream"));

    let mut words = Array2::zeros((9, 5));
    lookup.backward_words(upstream.view(), words.view_mut()).unwrap();
    close(words.view(), file.get("bert_embeddings/grad_word").view());
    let mut types = Array2::zeros((2, 5));
    lookup.backward_segments(upstream.view(), types.view_mut()).unwrap();
    close(types.view(), file.get("bert_embeddings/grad_token_type").view());
    let mut positions = Array2::zeros((9, 5));
    lookup.backward_positions(upstream.view(), positions.as_slice_mut().unwrap()).unwrap();
    close(positions.view(), file.get("bert_embeddings/grad_position").view());
}

fn layer_norm_backward(
    sums: &Array3<f32>,
    weight: &Array1<f32>,
    upstream: &Array3<f32>,
) -> Array3<f32> {
    let mut gradient = upstream.clone();
    for (mut gradient, row) in gradient.lanes_mut(Axis(2)).into_iter().zip(sums.lanes(Axis(2))) {
        let n = row.len() as f64;
        let mean = row.iter().map(|x| f64::from(*x)).sum::<f64>() / n;
        let deviation =
            (row.iter().map(|x| (f64::from(*x) - mean).powi(2)).sum::<f64>() / n + 1e-12).sqrt();
        let normal: Vec<f64> = row.iter().map(|x| (f64::from(*x) - mean) / deviation).collect();
        let slopes: Vec<f64> =
            gradient.iter().zip(weight).map(|(g, w)| f64::from(*g) * f64::from(*w)).collect();
        let average = slopes.iter().sum::<f64>() / n;
        let along = slopes.iter().zip(&normal).map(|(s, x)| s * x).sum::<f64>() / n;
        for ((gradient, slope), x) in gradient.iter_mut().zip(slopes).zip(normal) {
            *gradient = ((slope - average - x * along) / deviation) as f32;
        }
    }
    gradient
}

/// Compares `backward` with (L(v + h) − L(v − h)) / 2h for every value v, L = Σ upstream · PE.
fn check_differences<E: Differentiable<f64> + Clone>(
    name: &str,
    encoding: &E,
    positions: &Positions<'_>,
) {
    check_laws::<f64>(encoding).unwrap_or_else(|violation| panic!("{name}: {violation}"));
    let upstream = Array2::from_shape_fn((positions.len(), encoding.dim()), |(i, j)| {
        ((7 * i + 3 * j + 1) % 11) as f64 * 0.2 - 1.0
    });
    let count = encoding.parameter_count();
    assert_eq!(
        count,
        encoding.parameters().iter().map(|parameter| parameter.len()).sum::<usize>(),
        "{name}"
    );
    let values = encoding.values();
    let loss = |values: &[f64]| {
        let mut moved = encoding.clone();
        moved.set_values(values).unwrap();
        assert_eq!(moved.values(), values, "{name}");
        (moved.encode(positions).unwrap() * &upstream).sum()
    };
    let mut gradient = vec![1.0; count];
    encoding.backward(positions, upstream.view(), &mut gradient).unwrap();
    for (index, slope) in gradient.iter().enumerate() {
        let h = 1e-5;
        let [above, below] = [h, -h].map(|step| {
            let mut values = values.clone();
            values[index] += step;
            loss(&values)
        });
        let expected = (above - below) / (2.0 * h);
        let error = (slope - 1.0 - expected).abs();
        assert!(
            error <= 1e-6 * expected.abs().max(1.0),
            "{name}, value {index}: {slope} - 1 instead of {expected}"
        );
    }
    check_refusals(name, encoding, positions, &upstream);
}

/// Wrong shapes and positions are errors, and nothing is written.
fn check_refusals<E: Differentiable<f64> + Clone>(
    name: &str,
    encoding: &E,
    positions: &Positions<'_>,
    upstream: &Array2<f64>,
) {
    let count = encoding.parameter_count();
    let before = vec![0.5; count];
    let mut gradient = before.clone();
    let wide = Array2::zeros((positions.len(), encoding.dim() + 1));
    let long = Array2::zeros((positions.len() + 1, encoding.dim()));
    assert!(encoding.backward(positions, wide.view(), &mut gradient).is_err(), "{name}");
    assert!(encoding.backward(positions, long.view(), &mut gradient).is_err(), "{name}");
    let mut bad: Vec<f64> = positions.iter().map(|position| position.to_f64()).collect();
    if let Some(last) = bad.last_mut() {
        *last = f64::NAN;
    }
    assert!(
        encoding.backward(&Positions::from(&bad), upstream.view(), &mut gradient).is_err(),
        "{name}"
    );
    assert_eq!(gradient, before, "{name}");
    let mut long = vec![0.5; count + 1];
    assert!(encoding.backward(positions, upstream.view(), &mut long).is_err(), "{name}");
    assert!(encoding.values_into(&mut long).is_err(), "{name}");
    let mut changed = encoding.clone();
    assert!(changed.set_values(&long).is_err() && changed.values() == encoding.values(), "{name}");
}

pub fn table(rows: usize, dim: usize) -> Learned<f64> {
    Learned::init(rows, dim, Init::Normal { std: 1.0 }, &mut ChaCha8Rng::seed_from_u64(3)).unwrap()
}

fn linear(outputs: usize, inputs: usize, bias: bool) -> Linear<f64> {
    let linear = Linear::new(table(outputs, inputs).into_table()).unwrap();
    if bias {
        linear.with_bias(table(1, outputs).table().row(0).to_owned()).unwrap()
    } else {
        linear
    }
}

#[test]
fn tables_agree_with_finite_differences() {
    check_differences("table", &table(9, 4), &Positions::from(&[3, 0, 3, 8]));
    check_differences(
        "offset",
        &table(9, 4).with_offset(2).unwrap(),
        &Positions::from(&[-2, 3, 6, 3]),
    );
    check_differences(
        "between rows",
        &table(9, 4).with_offset(2).unwrap(),
        &Positions::from(&[-1.75, 3.5, 6.0, 5.99]),
    );
    check_differences("frozen", &Frozen(table(9, 4)), &Positions::from(0..5));
}

#[test]
fn amplitudes_and_frequencies_agree_with_finite_differences() {
    let positions = Positions::from(&[0.0, 1.0, 2.5, -3.0, 17.0, 1.0]);
    let sinusoid = Sinusoidal::new(10).unwrap();
    check_differences(
        "amplitude of a formula",
        &Scaled::new(sinusoid.clone(), 0.75).unwrap(),
        &positions,
    );
    check_differences(
        "amplitude of a table",
        &Scaled::new(table(9, 4), -1.5).unwrap(),
        &Positions::from(&[1, 5, 1]),
    );
    for layout in
        [FeatureLayout::Interleaved, FeatureLayout::SinCosHalves, FeatureLayout::CosSinHalves]
    {
        let sinusoid = sinusoid.clone().with_layout(layout);
        check_differences("frequencies", &LearnedFrequencies::new(sinusoid.clone()), &positions);
        let odd = LearnedFrequencies::new(
            Sinusoidal::odd(9, OddDim::DropLast).unwrap().with_layout(layout),
        );
        check_differences("frequencies, odd", &odd, &positions);
        let padded =
            sinusoid.with_amplitude(0.3).unwrap().with_zero_position(1).padded_to(13).unwrap();
        check_differences(
            "frequencies, padded",
            &LearnedFrequencies::new(padded.clone()),
            &positions,
        );
        let both = Scaled::new(LearnedFrequencies::new(padded), 2.0).unwrap();
        check_differences("both", &both, &positions);
    }
    // More positions than a block
    let many: Vec<f64> = (0..100).map(|i| f64::from(i) * 0.25).collect();
    let slow = Frequencies::geometric(6, 10_000.0).unwrap().scaled(0.1).unwrap();
    check_differences(
        "many",
        &LearnedFrequencies::new(Sinusoidal::from_frequencies(slow)),
        &Positions::from(&many),
    );
}

#[test]
fn networks_agree_with_finite_differences() {
    use Activation::{Gelu, GeluTanh, Relu, Silu, Tanh};
    for activation in [Relu, Silu, Gelu, GeluTanh, Tanh] {
        let network =
            PositionNetwork::new(table(9, 4), linear(11, 4, true), activation, linear(3, 11, true))
                .unwrap();
        check_differences(&format!("{activation:?}"), &network, &Positions::from(&[1, 5, 1, 8]));
    }
    let features = LearnedFrequencies::new(
        Sinusoidal::new(6).unwrap().with_amplitude(6_f64.sqrt().recip()).unwrap(),
    );
    let network =
        PositionNetwork::new(features, linear(5, 6, false), Gelu, linear(4, 5, false)).unwrap();
    check_differences("learnable Fourier features", &network, &Positions::from(&[0.5, 3.0, -2.0]));
    let boxed: Box<dyn Differentiable<f64>> = Box::new(network);
    assert_eq!(boxed.parameters().last().unwrap().name, "encoding.frequencies");
    let decays: Vec<bool> = boxed.parameters().iter().map(|parameter| parameter.decays).collect();
    assert_eq!(decays, [true, true, false]);
}

#[test]
fn activations_have_known_values() {
    let cases = [
        (Activation::Silu, 1.0, 0.731_058_578_630_004_9),
        (Activation::Silu, -40.0, -1.699_341_702_116_633e-16),
        (Activation::Gelu, -1.0, -0.158_655_253_931_457_05),
        (Activation::GeluTanh, 1.0, 0.841_191_990_608_276_8),
        (Activation::Tanh, 0.5, 0.462_117_157_260_009_8),
    ];
    for (activation, x, expected) in cases {
        let value = activation.value(x);
        assert!(
            (value - expected).abs() <= 2e-15 * expected.abs(),
            "{activation:?}({x}) = {value}"
        );
    }
}

#[test]
fn frozen_ranges_and_leading_axes() {
    let learned = table(6, 2).with_frozen_rows(0..2).unwrap().with_frozen_rows(4..4).unwrap();
    let learned = learned.with_frozen_rows(5..6).unwrap();
    assert!(
        learned.clone().with_frozen_rows(3..7).is_err()
            && learned.clone().with_padding_row(6).is_err()
    );
    let upstream = ndarray::Array4::from_elem((2, 3, 6, 2), 1.0);
    let mut gradient = vec![0.0; 12];
    backward_positions(&upstream, &learned, &mut gradient).unwrap();
    assert_eq!(gradient, [0.0, 0.0, 0.0, 0.0, 6.0, 6.0, 6.0, 6.0, 6.0, 6.0, 0.0, 0.0]);
    let error = backward_positions(&upstream, &learned, &mut [0.0; 3]).unwrap_err();
    assert_eq!(error, Error::LengthMismatch { what: "parameter values", expected: 12, found: 3 });
    assert!(backward_positions(&array![1.0], &learned, &mut gradient).is_err());
}

#[test]
fn lookups_refuse_gradients_that_do_not_fit() {
    let embedding = TokenEmbedding::new(
        Array2::<f32>::zeros((5, 2)),
        Learned::from_table(Array2::zeros((4, 2))).unwrap(),
    );
    let embedding = embedding.unwrap();
    for token in [5, usize::MAX] {
        assert!(embedding.clone().with_padding_token(token).is_err());
        assert!(embedding.positions().clone().with_padding_row(token).is_err());
    }
    let ids = array![[0, 4], [1, 2]];
    let good = Array3::<f32>::ones((2, 2, 2));
    let lookup = embedding.lookup(&ids);
    let mut gradient = Array2::zeros((5, 2));
    assert!(lookup.backward_words(Array3::ones((2, 3, 2)).view(), gradient.view_mut()).is_err());
    assert!(lookup.backward_words(Array3::ones((2, 2, 3)).view(), gradient.view_mut()).is_err());
    assert!(lookup.backward_words(good.view(), Array2::zeros((4, 2)).view_mut()).is_err());
    assert!(lookup.backward_words(good.view(), &mut TouchedRows::new(3)).is_err());
    assert!(lookup.backward_segments(good.view(), gradient.view_mut()).is_err());
    assert!(
        embedding
            .lookup(&array![[5, 0], [0, 0]])
            .backward_words(good.view(), gradient.view_mut())
            .is_err()
    );
    assert_eq!(gradient, Array2::<f32>::zeros((5, 2)));
    // A column-major gradient is accepted
    let mut columns = Array2::zeros((2, 5));
    lookup.backward_words(good.view(), columns.view_mut().reversed_axes()).unwrap();
    assert_eq!(columns.row(0).to_vec(), [1.0, 1.0, 1.0, 0.0, 1.0]);
}

#[test]
fn sizes_of_no_machine_are_no_trouble() {
    assert_eq!(Parameter::new("x", vec![usize::MAX, 2], false).len(), usize::MAX);
    assert_eq!(Parameter::new("x", vec![usize::MAX, 2, 0], false).len(), 0);
    let touched = TouchedRows::<f32>::new(usize::MAX);
    assert_eq!(touched.gradient().nrows(), 0);
    assert!(touched.to_dense(1).is_err());
    // Sequences without tokens, in any number, contribute no gradient.
    let (learned, mut gradient) = (table(3, 4), [7.0; 12]);
    let upstream = Array3::<f64>::zeros((1 << 58, 0, 4));
    backward_positions(&upstream, &learned, &mut gradient).unwrap();
    assert_eq!(gradient, [7.0; 12]);
    // Thousands of axes of length 1 are one sequence.
    let deep = Array2::<f64>::ones((3, 4)).into_dyn();
    let shape: Vec<usize> = std::iter::repeat_n(1, 5000).chain([3, 4]).collect();
    let deep = deep.into_shape_with_order(shape).unwrap();
    backward_positions(&deep, &learned, &mut gradient).unwrap();
    assert_eq!(gradient, [8.0; 12]);
}

#[test]
fn touched_rows_become_a_whole_table() {
    let learned = table(4, 2);
    let (positions, upstream) = (Positions::from(&[3, 1, 3]), Array2::ones((3, 2)));
    let (mut touched, mut flat) = (TouchedRows::new(2), vec![0.0; 8]);
    learned.backward_rows(&positions, upstream.view(), &mut touched).unwrap();
    learned.backward_rows(&positions, upstream.view(), &mut flat).unwrap();
    let dense = array![[0.0, 0.0], [1.0, 1.0], [0.0, 0.0], [2.0, 2.0]];
    assert_eq!(
        (touched.to_dense(4).unwrap(), flat),
        (dense.clone(), dense.into_raw_vec_and_offset().0)
    );
    assert_eq!(
        touched.to_dense(3).unwrap_err(),
        Error::PositionOutsideTable { position: 3.0, first: 0, len: 3 }
    );
    let mut short = vec![0.0; 7];
    assert_eq!(
        learned.backward_rows(&positions, upstream.view(), &mut short).unwrap_err(),
        Error::LengthMismatch { what: "values of the gradient", expected: 8, found: 7 }
    );
}
