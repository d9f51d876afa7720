//! Bad input is a typed error with its numbers, and outputs stay as they were.

use ndarray::{Array, Array1, Array2, Array3, ArrayViewMut, Dimension, arr0, array};
use positional_encodings::{
    Error, Frequencies, Init, Learned, OddDim, PositionalEncoding, Positions, Sinusoidal,
    TokenEmbedding, add_positions, add_positions_at, concat_positions, concat_positions_at,
    embed_with_positions, embed_with_positions_at, ids, testing::InstructionSet,
};
use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};

#[track_caller]
fn says<T>(result: Result<T, Error>, error: Error, message: &str) {
    let found = result.err().expect("there should be an error");
    // NaN does not equal itself, but its text does.
    assert_eq!(format!("{found:?}"), format!("{error:?}"));
    assert_eq!(found.to_string(), message);
}

/// Runs `call` on an array of sevens: it must fail and leave the array unchanged.
#[track_caller]
fn refused<D: Dimension>(
    shape: impl ndarray::ShapeBuilder<Dim = D>,
    call: impl FnOnce(ArrayViewMut<'_, f32, D>) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut out = Array::from_elem(shape, 7.0);
    let result = call(out.view_mut());
    assert!(result.is_err(), "there should be an error");
    assert!(out.iter().all(|&value| value == 7.0), "the output was written");
    result
}

#[test]
fn dims() {
    says(Sinusoidal::new(0), Error::ZeroDim, "dim 0: an encoding needs at least one feature");
    says(
        Sinusoidal::new(7),
        Error::OddDim { dim: 7 },
        "dim 7 is odd, and conventions for odd dims differ: choose an OddDim",
    );
    for odd in [OddDim::DropLast, OddDim::DropLastOfEven, OddDim::ZeroColumn] {
        assert_eq!(Sinusoidal::odd(0, odd).unwrap_err(), Error::ZeroDim);
        assert_eq!(Sinusoidal::odd(8, odd).map(|encoding| encoding.dim()), Ok(8));
        assert_eq!(Sinusoidal::odd(7, odd).map(|encoding| encoding.dim()), Ok(7));
    }
    assert_eq!(Sinusoidal::odd(1, OddDim::ZeroColumn).unwrap_err(), Error::ZeroDim);
    assert_eq!(Frequencies::geometric_inclusive(3, 1e4).unwrap_err(), Error::OddDim { dim: 3 });
    assert_eq!(Frequencies::timescales(5, 1.0..=2.0).unwrap_err(), Error::OddDim { dim: 5 });
    assert_eq!(Frequencies::harmonic(1, 8.0).unwrap_err(), Error::OddDim { dim: 1 });
    assert_eq!(Frequencies::from_radians([]).unwrap_err(), Error::ZeroDim);
    says(
        Sinusoidal::new(8).unwrap().padded_to(7),
        Error::DimTooSmall { dim: 7, needed: 8 },
        "dim 7 is too small: the frequencies need 8 features",
    );
    assert_eq!(Learned::from_table(Array2::<f32>::zeros((3, 0))).unwrap_err(), Error::ZeroDim);
}

#[test]
fn sizes_that_overflow() {
    let even = usize::MAX - 1;
    says(
        Sinusoidal::new(even),
        Error::TooLarge { rows: 1, dim: even },
        &format!("1 rows of {even} features do not fit into memory"),
    );
    let too_large = |result: Result<Frequencies, Error>| {
        let error = result.unwrap_err();
        assert!(matches!(error, Error::TooLarge { rows: 1, .. }), "{error:?}");
    };
    too_large(Frequencies::geometric_inclusive(even, 1e4));
    too_large(Frequencies::timescales(even, 1.0..=2.0));
    too_large(Frequencies::harmonic(even, 1.0));
    too_large(Frequencies::geometric_odd(usize::MAX, 1e4, OddDim::DropLast));
    too_large(Frequencies::geometric_odd(usize::MAX, 1e4, OddDim::ZeroColumn));
    assert!(Frequencies::geometric_odd(usize::MAX, 1e4, OddDim::DropLastOfEven).is_err());

    let encoding = Sinusoidal::new(8).unwrap();
    let rows = 1 << 60;
    let table = PositionalEncoding::<f32>::encode(&encoding, &Positions::from(0..rows));
    assert_eq!(table, Err(Error::TooLarge { rows, dim: 8 }));
    let wide = encoding.padded_to(usize::MAX).unwrap();
    let table = PositionalEncoding::<f32>::encode(&wide, &Positions::from(0..2));
    assert_eq!(table, Err(Error::TooLarge { rows: 2, dim: usize::MAX }));
    let next = concat_positions(&Array2::<f32>::zeros((2, 3)), &wide);
    assert_eq!(next, Err(Error::TooLarge { rows: 2, dim: usize::MAX }));
    let init = Learned::<f32>::init(usize::MAX, 2, Init::Zeros, &mut ChaCha8Rng::seed_from_u64(0));
    assert_eq!(init.unwrap_err(), Error::TooLarge { rows: usize::MAX, dim: 2 });
}

#[test]
fn bases() {
    for base in [0.0, -0.0, -1.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let message = format!("base {base} is not a positive finite number");
        let error = || Error::InvalidBase { base };
        says(Frequencies::geometric(8, base), error(), &message);
        says(Frequencies::geometric_inclusive(8, base), error(), &message);
        says(Frequencies::geometric_odd(7, base, OddDim::DropLast), error(), &message);
    }
    // Base 1 is allowed: all pairs turn one radian per position. A base below 1 is allowed, too.
    assert_eq!(Frequencies::geometric(6, 1.0).unwrap().to_radians(), [1.0; 3]);
    assert_eq!(Frequencies::geometric(4, 0.25).unwrap().to_radians(), [1.0, 2.0]);
    let too_fast = Frequencies::geometric(4, 1e-300).unwrap_err();
    assert!(
        matches!(too_fast, Error::InvalidFrequency { pair: 1, frequency } if frequency > 1e140),
        "{too_fast:?}"
    );
}

#[test]
fn frequencies_and_factors() {
    for frequency in [f64::NAN, f64::INFINITY, 1e20, -1e20] {
        says(
            Frequencies::from_radians([1.0, 2.0, frequency]),
            Error::InvalidFrequency { pair: 2, frequency },
            &format!(
                "frequency {frequency} of pair 2 is not finite, or makes 2^63 turns or more per position"
            ),
        );
    }
    for (shortest, longest) in [
        (0.0, 1.0),
        (2.0, 1.0),
        (-1.0, 1.0),
        (f64::NAN, 1.0),
        (1.0, f64::NAN),
        (1.0, f64::INFINITY),
    ] {
        says(
            Frequencies::timescales(4, shortest..=longest),
            Error::InvalidTimescales { shortest, longest },
            &format!(
                "timescales from {shortest} to {longest}: they must be positive and finite, the shorter one first"
            ),
        );
    }
    for period in [0.0, -3.0, f64::NAN, f64::INFINITY] {
        let error = Frequencies::harmonic(4, period).unwrap_err();
        assert!(matches!(error, Error::InvalidTimescales { .. }), "{error:?}");
    }
    assert!(matches!(Frequencies::harmonic(4, 1e-30), Err(Error::InvalidFrequency { .. })));
    let good = || Frequencies::geometric(4, 1e4).unwrap();
    for factor in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let error = || Error::InvalidFactor { factor };
        says(good().scaled(factor), error(), &format!("factor {factor} is not finite"));
        let words =
            TokenEmbedding::new(Array2::<f32>::zeros((2, 4)), Sinusoidal::new(4).unwrap()).unwrap();
        says(words.with_scale(factor), error(), &format!("factor {factor} is not finite"));
    }
    let magnitudes = 2_f64.powi(-64)..=2_f64.powi(64);
    for value in [f64::NAN, f64::INFINITY, -1e20, 1e-20, -f64::MIN_POSITIVE] {
        let found = Sinusoidal::new(4).unwrap().with_amplitude(value);
        assert!(matches!(found, Err(Error::InvalidParameter { name: "amplitude", .. })), "{value}");
        assert!(!magnitudes.contains(&value.abs()));
    }
    for value in [0.0, -0.0, -1.0, *magnitudes.start(), *magnitudes.end()] {
        assert_eq!(Sinusoidal::new(4).unwrap().with_amplitude(value).unwrap().amplitude(), value);
    }
    assert!(matches!(good().scaled(1e30), Err(Error::InvalidFrequency { pair: 0, .. })));
    let fast = Frequencies::from_radians([4e19]).and_then(Frequencies::full_turns);
    assert!(matches!(fast, Err(Error::InvalidFrequency { pair: 0, .. })));
}

#[test]
fn positions() {
    let encoding = Sinusoidal::new(4).unwrap();
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let list = [0.0, 1.0, bad];
        let at = Positions::from(&list);
        let error = || Error::NonFinitePosition { index: 2, position: bad };
        let message = format!("position {bad} at index 2 is not finite");
        says(PositionalEncoding::<f32>::encode(&encoding, &at), error(), &message);
        says(refused((3, 4), |out| encoding.encode_into(&at, out)), error(), &message);
        says(refused((3, 4), |out| encoding.add_to(&at, out)), error(), &message);
        says(refused((3, 4), |out| add_positions_at(out, &encoding, &at)), error(), &message);
        says(refused((2, 3, 4), |out| add_positions_at(out, &encoding, &at)), error(), &message);
        says(
            embed_with_positions_at(&Array2::<f32>::zeros((3, 4)), &encoding, &at),
            error(),
            &message,
        );
        says(concat_positions_at(&Array2::<f32>::zeros((3, 4)), &encoding, &at), error(), &message);
    }
    says(
        refused((2, 4), |out| encoding.encode_into(&Positions::from(&[0, i64::MAX]), out)),
        Error::PositionTooLarge { index: 1, position: i64::MAX as f64 },
        "position 9223372036854776000 at index 1 is outside ±2^62",
    );
    let far = encoding.encode(&Positions::from(&[-5e18])) as Result<Array2<f32>, Error>;
    assert_eq!(far, Err(Error::PositionTooLarge { index: 0, position: -5e18 }));
    let ends = usize::MAX - 2..usize::MAX;
    let far = refused((2, 4), |out| encoding.encode_into(&Positions::from(ends), out));
    assert!(matches!(far, Err(Error::PositionTooLarge { index: 0, .. })), "{far:?}");
}

#[test]
fn positions_past_a_table() {
    let learned = Learned::from_table(Array2::<f32>::zeros((512, 4))).unwrap();
    let past = |position| Error::PositionOutsideTable { position, first: 0, len: 512 };
    says(
        refused((2, 4), |out| learned.encode_into(&Positions::from(&[0_usize, 600]), out)),
        past(600.0),
        "position 600 is outside a table of 512 rows",
    );
    says(
        refused((1, 4), |out| learned.add_to(&Positions::from(&[-1]), out)),
        past(-1.0),
        "position -1 is outside a table of 512 rows",
    );
    for (list, position) in [
        ([0.0, 511.5], 511.5),
        ([-0.5, 0.0], -0.5),
        ([0.0, 1e300], 1e300),
        ([i64::MAX as f64; 2], 2_f64.powi(63)),
    ] {
        let found = refused((2, 4), |out| learned.encode_into(&Positions::from(&list), out));
        assert_eq!(found, Err(past(position)));
    }
    let nan = learned.encode(&Positions::from(&[0.0, f64::NAN]));
    assert!(matches!(nan, Err(Error::NonFinitePosition { index: 1, .. })), "{nan:?}");
    // The last real that has a row on both sides is the last row itself.
    assert!(learned.encode(&Positions::from(&[511.0, 510.999])).is_ok());
    assert_eq!(refused((513, 4), |out| add_positions(out, &learned)), Err(past(512.0)));
    assert_eq!(refused((2, 513, 4), |out| add_positions(out, &learned)), Err(past(512.0)));
    let differing = array![[0_i64, 1], [2, 512]];
    assert_eq!(
        refused((2, 2, 4), |out| add_positions_at(out, &learned, &differing)),
        Err(past(512.0))
    );

    let offset = learned.clone().with_offset(2).unwrap();
    says(
        offset.encode(&Positions::from(0..511)),
        Error::PositionOutsideTable { position: 510.0, first: -2, len: 512 },
        "position 510 is outside a table of 512 rows, the first for position -2",
    );
    assert!(offset.encode(&Positions::from(&[-3])).is_err());
    assert_eq!(learned.clone().with_offset(513).unwrap_err(), past(513.0));
    assert_eq!(learned.clone().with_offset(512).unwrap().max_len(), Some(0));
    assert_eq!(learned.clone().with_zero_row(512).unwrap_err(), past(512.0));
    let none = Learned::from_table(Array2::<f32>::zeros((0, 4))).unwrap();
    assert!(
        none.encode(&Positions::from(0..0)).is_ok() && none.encode(&Positions::from(0..1)).is_err()
    );
    assert!(none.encode(&Positions::from(&[0.5])).is_err());
}

#[test]
fn initialisers() {
    let init = |init| Learned::<f32>::init(3, 4, init, &mut ChaCha8Rng::seed_from_u64(0));
    for std in [-1.0, f64::NAN, f64::INFINITY] {
        let message = format!("std must be finite and not negative, but it is {std}");
        let error =
            || Error::InvalidInit { needs: "std must be finite and not negative", found: std };
        says(init(Init::Normal { std }), error(), &message);
        says(init(Init::TruncatedNormal { std, bound: 1.0 }), error(), &message);
    }
    for bound in [0.0, -1.0, f64::NAN, 1e-9] {
        let found = init(Init::TruncatedNormal { std: 1.0, bound });
        assert!(matches!(found, Err(Error::InvalidInit { .. })), "{bound}");
    }
    for (low, high) in [
        (1.0, 0.0),
        (0.0, 0.0),
        (0.0, f64::NAN),
        (f64::NAN, 0.0),
        (0.0, f64::INFINITY),
        (-1e308, 1.7e308),
    ] {
        let found = init(Init::Uniform { low, high });
        assert!(matches!(found, Err(Error::InvalidInit { .. })), "{low} {high}");
    }
    assert!(init(Init::Normal { std: 0.0 }).is_ok());
    let bounded = init(Init::TruncatedNormal { std: 1.0, bound: 0.02 }).unwrap();
    assert!(bounded.table().iter().all(|value| value.abs() <= 0.02));
    assert_eq!(
        Learned::<f32>::init(3, 0, Init::Zeros, &mut ChaCha8Rng::seed_from_u64(0)).unwrap_err(),
        Error::ZeroDim
    );
}

#[test]
fn shapes() {
    let encoding = Sinusoidal::new(4).unwrap();
    let three = Positions::from(0..3);
    says(
        refused((3, 5), |out| encoding.encode_into(&three, out)),
        Error::WidthMismatch { expected: 4, found: 5 },
        "the last axis has 5 features where the encoding has 4",
    );
    says(
        refused((2, 4), |out| encoding.add_to(&three, out)),
        Error::LengthMismatch { what: "rows", expected: 3, found: 2 },
        "2 rows where there must be 3",
    );
    let width = Error::WidthMismatch { expected: 4, found: 3 };
    assert_eq!(
        embed_with_positions(&Array3::<f32>::zeros((2, 2, 3)), &encoding),
        Err(width.clone())
    );
    assert_eq!(refused((2, 2, 3), |out| add_positions(out, &encoding)), Err(width));
    says(
        refused((2, 3, 4), |out| add_positions_at(out, &encoding, 0..5)),
        Error::LengthMismatch { what: "positions", expected: 3, found: 5 },
        "5 positions where there must be 3",
    );
    says(
        refused((2, 3, 4), |out| add_positions_at(out, &encoding, &Array2::<i64>::zeros((3, 3)))),
        Error::LengthMismatch { what: "rows of positions", expected: 2, found: 3 },
        "3 rows of positions where there must be 2",
    );
    says(
        embed_with_positions(&Array1::<f32>::zeros(4), &encoding),
        Error::TooFewAxes { expected: 2, found: 1 },
        "an array of 1 axes where at least 2 are needed, the last two (positions, dim)",
    );
    let scalar = Error::TooFewAxes { expected: 2, found: 0 };
    assert_eq!(embed_with_positions(&arr0(1_f32), &encoding).unwrap_err(), scalar);
    assert_eq!(concat_positions(&arr0(1_f32), &encoding).unwrap_err(), scalar);
    assert_eq!(refused((), |out| add_positions(out, &encoding)).unwrap_err(), scalar);
    assert_eq!(
        refused(4, |out| add_positions(out, &encoding)),
        Err(Error::TooFewAxes { expected: 2, found: 1 })
    );
}

#[test]
fn empty_arrays_are_no_work() {
    let encoding = Sinusoidal::new(4).unwrap();
    for shape in [[0, 3, 4], [2, 0, 4], [0, 0, 4]] {
        let words = Array3::<f32>::zeros(shape);
        assert_eq!(embed_with_positions(&words, &encoding).unwrap().shape(), shape);
        assert_eq!(concat_positions(&words, &encoding).unwrap().shape(), [shape[0], shape[1], 8]);
    }
    let words = TokenEmbedding::new(Array2::<f32>::zeros((0, 4)), &encoding).unwrap();
    assert_eq!(words.embed(&Array2::<i64>::zeros((2, 0))).unwrap().shape(), [2, 0, 4]);
    assert_eq!(words.embed(&Array2::<i64>::zeros((0, 5))).unwrap().shape(), [0, 5, 4]);
    assert_eq!(ids::from_mask(&Array2::<u8>::zeros((0, 3)), 0).unwrap().dim(), (0, 3));
    assert_eq!(ids::packed(&[]), Ok(vec![]));
    let error = ids::packed(&[usize::MAX, 1]).unwrap_err();
    assert_eq!(error, Error::TooLarge { rows: usize::MAX, dim: 1 });
    assert_eq!(ids::batch::<i64, Vec<i64>>(&[]).unwrap().dim(), (0, 0));
}

#[test]
fn tokens() {
    let encoding = Sinusoidal::new(2).unwrap();
    let words = Array2::<f32>::zeros((10, 2));
    says(
        TokenEmbedding::new(Array2::<f32>::zeros((10, 3)), &encoding),
        Error::WidthMismatch { expected: 2, found: 3 },
        "the last axis has 3 features where the encoding has 2",
    );
    let embedding = TokenEmbedding::new(words, &encoding).unwrap();
    assert!(embedding.clone().with_segments(Array2::zeros((2, 1))).is_err());
    for (id, message) in [
        (10, "word id 10 is outside a table of 10 rows"),
        (-1, "word id -1 is outside a table of 10 rows"),
    ] {
        let tokens = array![[0, 1], [2, id]];
        let error = || Error::IdOutsideTable { table: "word", id, rows: 10 };
        says(embedding.embed(&tokens), error(), message);
        says(refused((2, 2, 2), |out| embedding.lookup(&tokens).embed_into(out)), error(), message);
    }
    let huge = embedding.embed(&array![u64::MAX]);
    assert!(matches!(huge, Err(Error::IdOutsideTable { table: "word", rows: 10, .. })), "{huge:?}");

    let tokens = array![[0, 1], [2, 3]];
    let segmented = embedding.clone().with_segments(Array2::zeros((2, 2))).unwrap();
    assert_eq!(
        (embedding.segments(), segmented.segments().map(|table| table.dim())),
        (None, Some((2, 2)))
    );
    let segments = array![[0, 1], [2, 0]];
    says(
        refused((2, 2, 2), |out| {
            segmented.lookup(&tokens).with_segments(&segments).embed_into(out)
        }),
        Error::IdOutsideTable { table: "segment", id: 2, rows: 2 },
        "segment id 2 is outside a table of 2 rows",
    );
    // Segments for a model without segments.
    let none = embedding.lookup(&tokens).with_segments(&tokens).embed();
    assert_eq!(none, Err(Error::IdOutsideTable { table: "segment", id: 0, rows: 0 }));
    says(
        segmented.lookup(&tokens).with_segments(&array![[0, 1, 1], [0, 0, 0]]).embed(),
        Error::LengthMismatch { what: "segments", expected: 2, found: 3 },
        "3 segments where there must be 2",
    );
    let no_rows = embedding.clone().with_segments(Array2::zeros((0, 2))).unwrap();
    assert_eq!(
        no_rows.embed(&tokens),
        Err(Error::IdOutsideTable { table: "segment", id: 0, rows: 0 })
    );

    let wrong_positions = embedding.lookup(&tokens).at(0..3).embed();
    assert_eq!(
        wrong_positions,
        Err(Error::LengthMismatch { what: "positions", expected: 2, found: 3 })
    );
    let wrong_rows = embedding.lookup(&tokens).at(&Array2::<i64>::zeros((3, 2))).embed();
    assert_eq!(
        wrong_rows,
        Err(Error::LengthMismatch { what: "rows of positions", expected: 2, found: 3 })
    );
    let nan = embedding.lookup(&tokens).at(&[0.0, f64::NAN]).embed();
    assert!(matches!(nan, Err(Error::NonFinitePosition { index: 1, .. })), "{nan:?}");
    let shape = refused((2, 3, 2), |out| embedding.lookup(&tokens).embed_into(out));
    assert!(matches!(shape, Err(Error::LengthMismatch { expected: 2, found: 3, .. })), "{shape:?}");
    let width = refused((2, 2, 3), |out| embedding.lookup(&tokens).embed_into(out));
    assert_eq!(width, Err(Error::WidthMismatch { expected: 2, found: 3 }));
    assert_eq!(embedding.embed(&arr0(3)), Err(Error::TooFewAxes { expected: 1, found: 0 }));
}

#[test]
fn ragged_batches_and_offsets() {
    says(
        ids::batch(&[vec![1, 2, 3], vec![4, 5, 6], vec![7]]),
        Error::Ragged { row: 2, expected: 3, found: 1 },
        "row 2 has 1 ids where the rows before it have 3",
    );
    let huge = ids::packed_from_offsets(&[0, i64::MAX]);
    assert_eq!(huge, Err(Error::TooLarge { rows: i64::MAX as usize, dim: 1 }));
    assert_eq!(ids::batch(&[&[][..], &[1]]), Err(Error::Ragged { row: 1, expected: 0, found: 1 }));
    for (offsets, index) in
        [(vec![0, 3, 2], 2), (vec![1, 2], 0), (vec![-1, 2], 0), (vec![0, i64::MIN], 1)]
    {
        let offset = offsets[index];
        let message = format!(
            "offset {offset} at index {index}: offsets of packed documents start at 0 and never decrease"
        );
        says(ids::packed_from_offsets(&offsets), Error::InvalidOffsets { index, offset }, &message);
    }
}

#[test]
fn instruction_sets() {
    let missing: Vec<_> = [InstructionSet::Avx2, InstructionSet::Avx512]
        .into_iter()
        .filter(|set| !InstructionSet::available().any(|available| available == *set))
        .collect();
    for set in missing {
        let name = set.name();
        says(
            Sinusoidal::new(4).unwrap().with_instruction_set(set),
            Error::UnavailableInstructionSet { name },
            &format!("this machine does not have the instruction set {name}"),
        );
    }
    assert!(Sinusoidal::new(4).unwrap().with_instruction_set(InstructionSet::Best).is_ok());
    assert!(InstructionSet::available().any(|set| set == InstructionSet::Baseline));
}
