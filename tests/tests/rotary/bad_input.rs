//! Impossible calls are errors with their numbers, and arrays stay unchanged.

use ndarray::{Array1, Array2, Array3, array};
use positional_encodings::scaling::{DynamicNtk, Llama3, LongRope, Yarn};
use positional_encodings::{
    Error, Frequencies, Pairing, Positions, Rotary,
    ids::Segment,
    rotary::{Dinov3Augmentation, MixedRotary, QueryTemperature, XPos},
};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

fn rotary() -> Rotary {
    Rotary::new(Frequencies::geometric(8, 1e4).unwrap(), Pairing::Halves)
}

#[test]
fn dims() {
    assert_eq!(Frequencies::geometric(0, 1e4).unwrap_err(), Error::ZeroDim);
    assert_eq!(Frequencies::geometric(7, 1e4).unwrap_err(), Error::OddDim { dim: 7 });
    let mut narrow = Array2::<f32>::ones((3, 6));
    let error = rotary().at(0..3).unwrap().apply(narrow.view_mut()).unwrap_err();
    assert_eq!(error, Error::TooNarrow { needed: 8, found: 6 });
    assert_eq!(error.to_string(), "the last axis has 6 features where the rotation needs 8");
    assert_eq!(narrow, Array2::<f32>::ones((3, 6)));
}

#[test]
fn shapes() {
    let rotation = rotary().at::<f32>(0..3).unwrap();
    let mut x = Array3::<f32>::ones((2, 4, 8));
    let error = rotation.apply(x.view_mut()).unwrap_err();
    assert_eq!(error, Error::LengthMismatch { what: "positions", expected: 3, found: 4 });
    let error = rotation.apply(Array1::<f32>::ones(8).view_mut()).unwrap_err();
    assert_eq!(error, Error::TooFewAxes { expected: 2, found: 1 });
    let error = rotation.apply(ndarray::arr0(1_f32).view_mut()).unwrap_err();
    assert_eq!(error, Error::TooFewAxes { expected: 2, found: 0 });
    let batch = rotary().at::<f32>(&array![[0, 1, 2, 3], [0, 0, 1, 2], [0, 0, 0, 1]]).unwrap();
    assert!(matches!(
        batch.apply(x.view_mut()),
        Err(Error::LengthMismatch { expected: 3, found: 2, .. })
    ));
    let mut two = Array2::<f32>::ones((4, 8));
    assert_eq!(batch.apply(two.view_mut()), Err(Error::TooFewAxes { expected: 3, found: 2 }));
    assert!(x.iter().chain(&two).all(|&value| value == 1.0));
}

#[test]
fn positions() {
    let error = rotary().at::<f32>(&[0.0, f64::NAN]).unwrap_err();
    assert!(matches!(error, Error::NonFinitePosition { index: 1, .. }));
    assert!(matches!(rotary().at::<f32>(&[1e300]), Err(Error::PositionTooLarge { index: 0, .. })));
    assert!(matches!(rotary().shift::<f32>(i64::MIN), Err(Error::PositionTooLarge { .. })));
    assert!(matches!(rotary().at::<f64>(0..1 << 61), Err(Error::TooLarge { .. })));
    let mut rotation = rotary().at::<f32>(0..3).unwrap();
    assert!(rotary().at_into(&[f64::INFINITY], &mut rotation).is_err());
    assert_eq!(rotation.positions(), Some(3));
    assert_eq!(rotation.cos_sin(2).unwrap()[0][0], 2_f32.cos());
    let error = rotary().at::<f32>(grid()).unwrap_err();
    assert_eq!(error, Error::AxesMismatch { expected: 1, found: 2 });
    assert_eq!(rotary().at::<f32>(0..0).unwrap().positions(), Some(0));
}

/// Shapes are compared, and memory is reserved, before a range is collected.
#[test]
fn ranges_that_nobody_can_collect() {
    const HUGE: usize = 1 << 62;
    let x = Array2::<f64>::ones((3, 8));
    let error = rotary().frequency_gradient(0..HUGE, x.view(), x.view()).unwrap_err();
    assert_eq!(error, Error::LengthMismatch { what: "positions", expected: HUGE, found: 3 });
    let empty = Array3::<f64>::zeros((0, 1 << 56, 8));
    let none = rotary().frequency_gradient(0..1 << 56, empty.view(), empty.view()).unwrap();
    assert_eq!(none, [0.0; 4]);
    let mixed = MixedRotary::new(Array3::ones((1, 1, 4)), Pairing::Halves).unwrap();
    let heads = Array3::<f64>::ones((1, 3, 8));
    assert!(mixed.frequency_gradient(0..HUGE, heads.view(), heads.view()).is_err());
    assert!(matches!(mixed.at::<f32>(0..HUGE), Err(Error::TooLarge { .. })));
    let error = QueryTemperature::llama4(0.1, 8192.0).unwrap().factors(0..HUGE).unwrap_err();
    assert_eq!(error, Error::TooLarge { rows: HUGE, dim: 1 });
    let error = QueryTemperature::llama4(0.1, 8192.0).unwrap().factors(grid()).unwrap_err();
    assert_eq!(error, Error::AxesMismatch { expected: 1, found: 2 });
    let rng = &mut ChaCha8Rng::seed_from_u64(1);
    let error = Dinov3Augmentation::default().augment(&Positions::from(0..HUGE), rng).unwrap_err();
    assert_eq!(error, Error::TooLarge { rows: HUGE, dim: 1 });
    assert!(matches!(XPos::new(8).unwrap().at::<f32>(0..HUGE), Err(Error::TooLarge { .. })));
}

/// A single row of ids is a list: any batch may share it.
#[test]
fn a_single_row_is_shared() {
    let (list, row) = (rotary().at(2..5).unwrap(), rotary().at(&array![[2, 3, 4]]).unwrap());
    let mut expected = Array3::<f32>::ones((4, 3, 8));
    let mut found = expected.clone();
    list.apply(expected.view_mut()).unwrap();
    row.apply(found.view_mut()).unwrap();
    assert_eq!(found, expected);
    row.apply(Array2::<f32>::ones((3, 8)).view_mut()).unwrap();
}

fn grid() -> Positions<'static> {
    Positions::grid(&[2, 2]).unwrap()
}

#[test]
fn parameters() {
    let plain = || Frequencies::geometric(8, 1e4).unwrap();
    for bad in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert!(matches!(plain().linear(bad), Err(Error::InvalidParameter { name: "factor", .. })));
    }
    for bad in [0.5, 0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert!(matches!(plain().ntk(bad), Err(Error::InvalidParameter { name: "factor", .. })));
        assert!(plain().yarn(&Yarn::new(bad, 4096)).is_err());
        assert!(plain().dynamic_ntk(DynamicNtk { factor: bad, original_len: 10 }, 20).is_err());
        let llama3 =
            Llama3 { factor: bad, low_freq_factor: 1.0, high_freq_factor: 4.0, original_len: 10 };
        assert!(plain().llama3(llama3).is_err());
    }
    for bad in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert!(plain().with_attention_factor(bad).is_err());
        let (short, long) = (vec![1.0; 4], vec![1.0; 4]);
        let longrope = LongRope { short, long, original_len: 10, factor: bad };
        assert!(plain().longrope(&longrope, 5).is_err());
        assert!(plain().yarn(&Yarn { beta_fast: bad, ..Yarn::new(2.0, 4096) }).is_err());
        assert!(plain().yarn(&Yarn { beta_slow: bad, ..Yarn::new(2.0, 4096) }).is_err());
        assert!(plain().proportional(bad).is_err());
        assert!(plain().divided(&[1.0, 1.0, bad, 1.0]).is_err());
        for (low_freq_factor, high_freq_factor) in [(bad, 4.0), (1.0, bad)] {
            let llama3 =
                Llama3 { factor: 2.0, low_freq_factor, high_freq_factor, original_len: 10 };
            assert!(plain().llama3(llama3).is_err());
        }
    }
    let error = plain().ntk(0.5).unwrap_err();
    assert_eq!(error.to_string(), "factor is 0.5, but must be finite and at least 1");
    assert!(plain().yarn(&Yarn::new(2.0, 0)).is_err());
    assert!(plain().dynamic_ntk(DynamicNtk { factor: 2.0, original_len: 0 }, 20).is_err());
    assert!(matches!(
        plain().divided(&[1.0; 3]),
        Err(Error::LengthMismatch { expected: 4, found: 3, .. })
    ));
    let (short, long) = (vec![1.0; 4], vec![1.0; 5]);
    let longrope = LongRope { short, long, original_len: 10, factor: 2.0 };
    assert!(plain().longrope(&longrope, 5).is_err());
    assert!(Frequencies::geometric(2, 1e4).unwrap().yarn(&Yarn::new(2.0, 4096)).is_err());
    assert!(Frequencies::from_radians([1.0, 1.0]).unwrap().yarn(&Yarn::new(2.0, 4096)).is_err());
    assert!(Frequencies::from_radians([0.0, 0.0]).unwrap().yarn(&Yarn::new(2.0, 4096)).is_err());
    // Betas at the limits of f64 still give a ramp.
    for (beta_fast, beta_slow) in
        [(1e308, 1.0), (1e308, 1e308), (32.0, 5e-324), (5e-324, 1e308), (1e308, 5e-324)]
    {
        let scaled = plain()
            .yarn(&Yarn { beta_fast, beta_slow, ..Yarn::new(2.0, 4096) })
            .unwrap()
            .to_radians();
        let between = |(scaled, whole): (&f64, f64)| (whole / 2.0..=whole).contains(scaled);
        assert!(
            scaled.iter().zip(plain().to_radians()).all(between),
            "{beta_fast} {beta_slow}: {scaled:?}"
        );
    }
    assert!(
        Frequencies::from_radians([1e10, 5e-324]).unwrap().yarn(&Yarn::new(2.0, 4096)).is_err()
    );
    // Exchanged betas give a falling ramp, not a panic.
    assert!(
        plain().yarn(&Yarn { beta_fast: 1.0, beta_slow: 32.0, ..Yarn::new(2.0, 4096) }).is_ok()
    );
}

#[test]
fn query_temperatures() {
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let scale = |result: Result<QueryTemperature, Error>| {
            let error = result.unwrap_err();
            assert!(
                matches!(error, Error::InvalidParameter { name: "scale", needs: "finite", .. }),
                "{error:?}"
            );
        };
        scale(QueryTemperature::llama4(bad, 8192.0));
        scale(QueryTemperature::ministral3(bad, 8192));
        let positions = [0.0, bad];
        let error = QueryTemperature::llama4(0.1, 8192.0).unwrap().factors(&positions).unwrap_err();
        assert!(matches!(error, Error::NonFinitePosition { index: 1, .. }), "{error:?}");
    }
    for bad in [f64::NAN, f64::INFINITY, 0.0, 0.5, -8192.0] {
        let error = QueryTemperature::llama4(0.1, bad).unwrap_err();
        assert!(matches!(error, Error::InvalidParameter { name: "floor", .. }), "{error:?}");
    }
    assert!(matches!(
        QueryTemperature::ministral3(0.1, 0),
        Err(Error::InvalidParameter { name: "floor", .. })
    ));
    // The factor is 1 before position 0, and follows the formula at large positions.
    let llama4 = QueryTemperature::llama4(0.1, 8192.0).unwrap();
    let found = llama4.factors(&[-1_i64 << 40, -8193, -8192, -1, 1 << 60]).unwrap();
    assert_eq!(found, [1.0, 1.0, 1.0, 1.0, 1.0 + 0.1 * (2_f64.powi(47)).ln_1p()]);
    // Where position 0 has a step already, so have those before it.
    let steep = QueryTemperature::llama4(0.5, 1.0).unwrap();
    assert_eq!(steep.factors(&[-7, -1, 0]).unwrap(), [1.0 + 0.5 * 2_f64.ln(); 3]);
    let far = QueryTemperature::llama4(0.1, 1.0).unwrap().factors(&[1e300]);
    assert_eq!(far, Err(Error::PositionTooLarge { index: 0, position: 1e300 }));
}

#[test]
fn intervals_between_frames() {
    let video = |frames, interval| {
        Positions::multimodal(&[Segment::Video { frames, rows: 2, columns: 2, interval }])
    };
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1.0, -5e-324] {
        for frames in [0, 1, 3] {
            let error = video(frames, bad).unwrap_err();
            assert!(matches!(error, Error::InvalidParameter { name: "interval", .. }), "{error:?}");
        }
    }
    assert_eq!(
        video(3, -1.0).unwrap_err().to_string(),
        "interval is -1, but must be finite and not negative"
    );
    // All frames at the same time are unusual, but allowed.
    assert_eq!(video(3, 0.0).unwrap().1, 2);
    let none = Segment::Video { frames: usize::MAX, rows: usize::MAX, columns: 0, interval: 1.0 };
    assert_eq!(Positions::multimodal(&[none, Segment::Text(2)]).unwrap().1, 2);
}
