//! Bad input gives typed errors with their numbers, and scores stay unchanged.

use ndarray::{Array2, Array3, Array4, ArrayViewMut, IxDyn, arr3};
use positional_encodings::bias::{
    AlibiForm, AxesBias, Buckets, Forget, Kerple, RelativeValues, Sandwich, TableRule, WindowBias,
};
use positional_encodings::resample::Resample;
use positional_encodings::training::{
    Activation, BoxBias, DistanceNetwork, Fire, Layers, Linear, Spacing, SwinV2Bias,
};
use positional_encodings::{Alibi, AttentionBias, Error, Positions, T5Bias, add_bias};

fn parameter<T: std::fmt::Debug>(result: Result<T, Error>) -> &'static str {
    match result {
        Err(Error::InvalidParameter { name, .. }) => name,
        other => panic!("{other:?}"),
    }
}

#[test]
fn heads_slopes_and_kernels() {
    for heads in [0, (1 << 16) + 1, usize::MAX] {
        for result in [Alibi::new(heads), Alibi::geometric(heads), Alibi::falcon(heads)] {
            assert_eq!(parameter(result), "number of heads");
        }
        assert_eq!(parameter(Sandwich::new(heads, 64)), "number of heads");
    }
    assert_eq!(Alibi::new(1 << 16).unwrap().slopes().len(), 1 << 16);
    assert_eq!(parameter(Alibi::from_slopes(&[])), "number of heads");
    for max in [0, 65, u32::MAX] {
        assert_eq!(parameter(Alibi::with_bias_max(4, max)), "alibi_bias_max");
    }
    for slope in [f64::NAN, f64::INFINITY, -1e39] {
        assert_eq!(parameter(Alibi::from_slopes(&[0.5, slope])), "slope");
        assert_eq!(parameter(Kerple::log(&[slope], &[1.0])), "r1");
        assert_eq!(parameter(Kerple::power(&[1.0], &[slope])), "r2");
    }
    assert_eq!(parameter(Kerple::log(&[0.0], &[1.0])), "r1");
    assert_eq!(parameter(Kerple::power(&[1.0], &[2.5])), "r2");
    let missing = Error::LengthMismatch { what: "values of r2", expected: 2, found: 1 };
    assert_eq!(Kerple::log(&[1.0, 1.0], &[1.0]), Err(missing));
    assert_eq!(parameter(Kerple::log(&[], &[])), "number of heads");
    assert!(matches!(Sandwich::new(4, 7), Err(Error::OddDim { dim: 7 })));
    assert!(matches!(Sandwich::new(4, 0), Err(Error::ZeroDim)));
}

#[test]
fn tables_and_buckets() {
    let table = |rows, heads| Array2::<f32>::zeros((rows, heads));
    for buckets in [0, 1, 2, 3, 7, 31] {
        assert_eq!(parameter(T5Bias::bidirectional(table(buckets, 2), 128)), "number of buckets");
    }
    assert_eq!(parameter(T5Bias::causal(table(33, 2), 128)), "number of buckets");
    for buckets in [usize::MAX, usize::MAX - 1] {
        assert_eq!(parameter(Buckets::causal(buckets, usize::MAX)), "number of buckets");
    }
    for distance in [0, 8, 31, usize::MAX] {
        assert_eq!(parameter(T5Bias::bidirectional(table(32, 2), distance)), "max_distance");
        assert_eq!(parameter(T5Bias::causal(table(32, 2), distance)), "max_distance");
    }
    assert_eq!(parameter(T5Bias::causal(table(32, 0), 128)), "number of heads");
    let mut bad = table(32, 2);
    bad[[3, 1]] = f32::INFINITY;
    assert_eq!(parameter(T5Bias::causal(bad, 128)), "value");
    let wrong = Error::LengthMismatch { what: "rows of the table", expected: 169, found: 32 };
    assert_eq!(WindowBias::swin(table(32, 2), [7, 7]).unwrap_err(), wrong);
    let wrong = Error::LengthMismatch { what: "rows of the table", expected: 172, found: 169 };
    assert_eq!(WindowBias::beit(table(169, 2), [7, 7]).unwrap_err(), wrong);
    let empty = Error::EmptyGrid { rows: 0, columns: 7 };
    assert_eq!(WindowBias::swin(table(0, 2), [0, 7]).unwrap_err(), empty);
    for window in [[usize::MAX, usize::MAX], [1 << 31, 1 << 31], [usize::MAX, 1]] {
        assert!(matches!(WindowBias::swin(table(0, 2), window), Err(Error::TooLarge { .. })));
    }
    let swin = WindowBias::swin(table(9, 2), [2, 2]).unwrap();
    assert!(matches!(swin.resized([0, 2], Resample::vit()), Err(Error::EmptyGrid { .. })));
    assert!(matches!(
        swin.resized([1 << 30, 1 << 30], Resample::vit()),
        Err(Error::TooLarge { .. })
    ));
    let t5 = |heads| T5Bias::causal(table(32, heads), 128).unwrap();
    assert_eq!(AxesBias::<f32, Buckets>::new([]).unwrap_err(), Error::ZeroDim);
    let heads = Error::LengthMismatch { what: "heads", expected: 2, found: 3 };
    assert_eq!(AxesBias::new([t5(2), t5(3)]).unwrap_err(), heads);
    assert!(matches!(AxesBias::new(vec![t5(2); 9]), Err(Error::TooLarge { .. })));
    assert_eq!(parameter(Forget::from_sums(table(0, 3))), "number of heads");
    assert_eq!(
        parameter(Forget::from_log_gates(ndarray::array![[0.0, f64::NEG_INFINITY]])),
        "value"
    );
}

#[test]
fn networks() {
    let linear = |outputs, inputs| Linear::new(Array2::<f32>::zeros((outputs, inputs))).unwrap();
    let layers = |inputs| Layers::new([linear(4, inputs), linear(3, 4)], Activation::Relu).unwrap();
    let width = |expected, found| Error::WidthMismatch { expected, found };
    assert_eq!(
        Layers::new([linear(4, 1), linear(3, 5)], Activation::Relu).unwrap_err(),
        width(4, 5)
    );
    assert_eq!(Layers::<f32>::new([], Activation::Relu).unwrap_err(), Error::ZeroDim);
    let nan = Linear::new(ndarray::array![[f32::NAN]]).unwrap();
    assert_eq!(parameter(Layers::new([nan], Activation::Relu)), "value");
    assert_eq!(DistanceNetwork::new(layers(2), Spacing::Log).unwrap_err(), width(1, 2));
    assert_eq!(Fire::new(layers(2), 0.1, 512.0).unwrap_err(), width(1, 2));
    for bad in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert_eq!(parameter(Fire::new(layers(1), bad, 512.0)), "c");
        assert_eq!(parameter(Fire::new(layers(1), 0.1, bad)), "L");
    }
    assert_eq!(SwinV2Bias::new(layers(1), [7, 7], [7, 7]).unwrap_err(), width(2, 1));
    let empty = |window, trained| SwinV2Bias::new(layers(2), window, trained);
    assert!(matches!(empty([0, 7], [7, 7]), Err(Error::EmptyGrid { rows: 0, columns: 7 })));
    assert!(matches!(empty([7, 7], [7, 0]), Err(Error::EmptyGrid { rows: 7, columns: 0 })));
    assert!(matches!(empty([1 << 30, 1 << 30], [7, 7]), Err(Error::TooLarge { .. })));
    // A window of one patch has one offset, and no division by zero.
    let one = empty([1, 1], [1, 1]).unwrap();
    assert_eq!(one.table().table(), ndarray::array![[8.0, 8.0, 8.0]]);
    assert_eq!(BoxBias::new([layers(2), layers(1)]).unwrap_err(), width(2, 1));
}

#[test]
fn positions_that_a_table_does_not_know() {
    let t5 = T5Bias::causal(Array2::<f32>::zeros((32, 2)), 128).unwrap();
    let half = Positions::from(&[0.0, 1.5]);
    assert_eq!(parameter(t5.encode(&half, &Positions::from(0..3))), "position");
    let swin = WindowBias::swin(Array2::<f32>::zeros((15, 2)), [2, 3]).unwrap();
    let (inside, outside) = (Positions::grid(&[2, 3]).unwrap(), Positions::grid(&[3, 3]).unwrap());
    let error = Error::PositionOutsideTable { position: 2.0, first: -1, len: 3 };
    assert_eq!(swin.encode(&outside, &inside).unwrap_err(), error);
    let error = Error::PositionOutsideTable { position: -2.0, first: -1, len: 3 };
    assert_eq!(swin.encode(&inside, &outside).unwrap_err(), error);
    assert!(matches!(
        swin.encode(&inside, &Positions::from(0..6)),
        Err(Error::AxesMismatch { expected: 2, found: 1 })
    ));
    let huge = Positions::from_axes([&[i64::MAX - 1, 0], &[0, i64::MIN]]).unwrap();
    assert!(swin.encode(&huge, &inside).is_err());
    // Patches far from 0 but near each other are within the window.
    let far = inside.map(|_, place| place + 1e15).unwrap();
    assert!(swin.encode(&far, &far).is_ok());
    let gates = Forget::from_sums(Array2::<f32>::zeros((2, 5))).unwrap();
    let result: Result<Array3<f32>, _> =
        gates.encode(&Positions::from(0..1), &Positions::from(0..6));
    assert!(matches!(result, Err(Error::PositionOutsideTable { len: 5, .. })));
    let far = Positions::from(&[1_i64 << 62]);
    let result: Result<Array3<f32>, _> = Sandwich::new(2, 8).unwrap().encode(&far, &far);
    assert!(matches!(result, Err(Error::PositionTooLarge { .. })));
}

/// Distances between the largest positions, whole and real.
#[test]
fn the_farthest_positions() {
    let ends = [-(1_i64 << 62), 1 - (1 << 62), -1, 0, (1 << 62) - 1, 1 << 62];
    let ends = Positions::from(&ends);
    for alibi in [Alibi::new(3).unwrap(), Alibi::new(3).unwrap().with_form(AlibiForm::Symmetric)] {
        let bias: Array3<f64> = alibi.encode(&ends, &ends).unwrap();
        assert!(bias.iter().all(|value| value.is_finite()));
        assert_eq!(bias[[0, 5, 0]], -(2_f64.powi(63)) / 16.0);
    }
    let t5 =
        T5Bias::bidirectional(Array2::from_shape_fn((32, 1), |(row, _)| row as f32), 128).unwrap();
    assert_eq!(t5.encode(&ends, &ends).unwrap().row(0), [0.0, 17.0, 31.0, 31.0, 31.0, 31.0]);
    let from = Positions::from((1 << 62) - 2..(1 << 62) + 1);
    let bias: Array3<f32> = Alibi::new(1).unwrap().encode(&from, &from).unwrap();
    assert_eq!(bias, arr3(&[[[0.0, 1.0, 2.0], [-1.0, 0.0, 1.0], [-2.0, -1.0, 0.0]]]) / 256.0);
}

trait Row {
    fn row(&self, row: usize) -> Vec<f32>;
}

impl Row for Array3<f32> {
    fn row(&self, row: usize) -> Vec<f32> {
        self.slice(ndarray::s![0, row, ..]).to_vec()
    }
}

#[test]
fn scores_that_do_not_fit() {
    let alibi = Alibi::new(4).unwrap();
    let mut flat = [1.0_f32; 12];
    let error =
        add_bias(ArrayViewMut::from_shape(IxDyn(&[3, 4]), &mut flat).unwrap(), &alibi, 0..3, 0..4);
    assert_eq!(error, Err(Error::TooFewAxes { expected: 3, found: 2 }));
    assert_eq!(error.unwrap_err().to_string(), "an array of 2 axes where at least 3 are needed");
    assert_eq!(flat, [1.0; 12]);
    let mut scores = Array4::<f32>::ones((2, 4, 3, 5));
    let mismatch = |what, expected, found| Err(Error::LengthMismatch { what, expected, found });
    let three = Array2::<i64>::zeros((3, 3));
    let pairs = Array2::<i64>::zeros((2, 3));
    assert_eq!(
        add_bias(scores.view_mut(), &Alibi::new(5).unwrap(), 0..3, 0..5),
        mismatch("heads", 5, 4)
    );
    assert_eq!(add_bias(scores.view_mut(), &alibi, 0..4, 0..5), mismatch("queries", 4, 3));
    assert_eq!(
        add_bias(scores.view_mut(), &alibi, 0..3, 0..usize::MAX),
        mismatch("keys", usize::MAX, 5)
    );
    assert_eq!(add_bias(scores.view_mut(), &alibi, &three, 0..5), mismatch("sequences", 3, 2));
    assert_eq!(
        add_bias(scores.view_mut(), &alibi, &pairs, &Array2::<i64>::zeros((3, 5))),
        mismatch("sequences", 3, 2)
    );
    let mut late = Array2::<f64>::zeros((2, 3));
    late[[1, 2]] = f64::NAN;
    assert!(matches!(
        add_bias(scores.view_mut(), &alibi, &late, 0..5),
        Err(Error::NonFinitePosition { .. })
    ));
    assert!(scores.iter().all(|score| *score == 1.0));
    // Positions for one sequence beside a shared list.
    assert_eq!(add_bias(scores.view_mut(), &alibi, &pairs, 0..5), Ok(()));

    let huge = Positions::from(0..1 << 61);
    let result: Result<Array3<f32>, _> = alibi.encode(&huge, &huge);
    assert!(matches!(result, Err(Error::TooLarge { .. })));
    let result: Result<Array3<f32>, _> = alibi.encode(&huge, &Positions::from(0..1));
    assert!(matches!(result, Err(Error::TooLarge { .. })));
}

/// Single rows, with more or less room than values, and without keys.
#[test]
fn rows_of_another_length_do_not_panic() {
    for (_, bias, [queries, keys]) in crate::biases::biases::<f32>().unwrap() {
        let query = queries.slice(0..1);
        let (values, parameters) = (bias.heads() * keys.len(), bias.parameter_count());
        for len in [0, 1, keys.len(), values, 2 * values + 7] {
            for keys in [&keys, &keys.slice(0..0)] {
                bias.encode_row(&query, keys, &mut vec![0.0; len]);
                for of_parameters in [0, 1, parameters, parameters + 3] {
                    let mut gradient = vec![0.0; of_parameters];
                    bias.backward_row(&query, keys, &vec![1.0; len], &mut gradient);
                }
            }
        }
    }
}

#[test]
fn rows_of_other_lengths() {
    let table = Array2::<f32>::ones((32, 3));
    let biases: [Box<dyn AttentionBias<f32>>; 3] = [
        Box::new(Alibi::new(3).unwrap()),
        Box::new(T5Bias::causal(table, 128).unwrap()),
        Box::new(Kerple::log(&[1.0; 3], &[1.0; 3]).unwrap()),
    ];
    let (query, keys) = (Positions::from(3..4), Positions::from(0..4));
    for bias in biases {
        let mut scores = [1.0; 13];
        let (what, expected) = ("scores", 12);
        for found in [11, 13, 0] {
            let error = bias.add_row(&query, &keys, &mut scores[..found]).unwrap_err();
            assert_eq!(error, Error::LengthMismatch { what, expected, found });
        }
        let error = bias.add_row(&Positions::from(0..2), &keys, &mut scores[..12]).unwrap_err();
        assert_eq!(error, Error::LengthMismatch { what: "queries", expected: 1, found: 2 });
        assert_eq!(scores, [1.0; 13]);
        // A value without a place is not written.
        bias.encode_row(&query, &keys, &mut scores[..11]);
        assert_eq!(scores[11..], [1.0; 2]);
    }
}

/// A rule without entries has tables of any width, without a value in memory. Where there is no
/// query, nothing of that width is allocated.
#[test]
fn values_of_no_entries() {
    struct NoEntries;

    impl TableRule for NoEntries {
        fn entries(&self) -> usize {
            0
        }

        fn rows(&self, _: &Positions<'_>, _: &Positions<'_>, _: &mut [usize]) {}
    }

    let dim = 1 << 60;
    let values = RelativeValues::new(NoEntries, 1, Array3::<f32>::zeros((1, 0, dim))).unwrap();
    let (weights, at) = (Array3::zeros((1, 0, 3)), Positions::from(0..3));
    let mut out = Array3::zeros((1, 0, dim));
    let found = values.add_to(weights.view(), &Positions::from(0..0), &at, out.view_mut());
    assert_eq!(found, Ok(()));
}
