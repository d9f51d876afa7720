//! Input that cannot be analysed is an error with its numbers.

use ndarray::{Array2, aview1};
use positional_encodings::analysis::{
    self, ByDistance, Measure, RotaryProfile, RowNorms, Spectrum,
};
use positional_encodings::bias::WindowBias;
use positional_encodings::{Alibi, Error, Frequencies, Pairing, Rotary};

/// Every finding about a table, by name.
fn findings(table: &Array2<f64>) -> Vec<(&'static str, usize, Option<Error>)> {
    let view = table.view();
    vec![
        ("similarity", 1, analysis::similarity(view, Measure::Dot).err()),
        ("by distance", 1, ByDistance::of_table(view, Measure::Cosine).err()),
        ("matrix", 1, ByDistance::of_matrix(view).err()),
        ("collisions", 1, analysis::collisions::<f64, f32>(view).err()),
        ("nearest pair", 2, analysis::nearest_pair(view).err()),
        ("spectrum", 2, Spectrum::of(view).err()),
        ("norms", 1, RowNorms::of(view).err()),
        ("untrained", 2, analysis::untrained_rows(view).err()),
        ("position probe", 4, analysis::probe_position(view, 1e-6).err()),
        ("shift probe", 5, analysis::probe_shift(view, 1, 1e-6).err()),
        ("errors", 1, analysis::largest_errors(view, view).err()),
        ("difference", 1, analysis::Difference::of(view, view).err()),
        ("explain", 2, analysis::explain(view, view).err()),
        ("formula", 2, analysis::closest_formula(view).err()),
    ]
}

#[test]
fn tables_without_rows_or_features() {
    for (name, _, error) in findings(&Array2::zeros((5, 0))) {
        assert_eq!(error, Some(Error::ZeroDim), "{name}");
    }
    // Wider than memory.
    for (name, needed, error) in findings(&Array2::zeros((0, 1 << 50))) {
        assert_eq!(error, Some(Error::TooFewRows { needed, found: 0 }), "{name}");
    }
    for rows in 1..6 {
        for (name, needed, error) in findings(&Array2::from_elem((rows, 4), 0.5)) {
            let expected = (rows < needed).then_some(Error::TooFewRows { needed, found: rows });
            assert_eq!(error, expected, "{name} of {rows} rows");
        }
    }
}

#[test]
fn values_that_are_no_numbers_or_too_large() {
    for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e16, f64::MAX] {
        let mut table = Array2::ones((6, 4));
        table[[4, 2]] = value;
        for (name, _, error) in findings(&table) {
            let Some(Error::ValueOutOfRange { row: 4, column: 2, value: found }) = error else {
                panic!("{name}: {error:?}")
            };
            assert_eq!(found.to_bits(), value.to_bits());
        }
    }
    // The largest and the smallest accepted values give finite figures, in f32 too.
    for value in [(1_u64 << 50) as f64, 1e-310, 0.0] {
        let table = Array2::from_elem((6, 4), value);
        assert!(findings(&table).iter().all(|(_, _, error)| error.is_none()));
        let narrow = table.mapv(|value| value as f32);
        for measure in [Measure::Dot, Measure::Cosine] {
            let of_table = ByDistance::of_table(narrow.view(), measure).unwrap();
            assert!(of_table.mean.iter().chain(&of_table.spread).all(|value| value.is_finite()));
            assert!(of_table.toeplitz_residual() < 1e-6);
        }
        let spectrum = Spectrum::of(table.view()).unwrap();
        assert_eq!((spectrum.effective_rank(), spectrum.components_for(0.5)), (0.0, 4));
        assert_eq!(analysis::nearest_pair(table.view()).unwrap().distance, 0.0);
    }
}

#[test]
fn shapes_that_do_not_fit() {
    let (a, b, c) =
        (Array2::<f64>::ones((5, 4)), Array2::<f64>::ones((5, 6)), Array2::<f64>::ones((3, 4)));
    let width = Error::WidthMismatch { expected: 4, found: 6 };
    let rows = Error::LengthMismatch { what: "rows", expected: 5, found: 3 };
    assert_eq!(analysis::Difference::of(a.view(), b.view()).unwrap_err(), width);
    assert_eq!(analysis::Difference::of(a.view(), c.view()).unwrap_err(), rows);
    assert_eq!(analysis::largest_errors(a.view(), c.view()).unwrap_err(), rows);
    assert_eq!(analysis::explain(a.view(), b.view()).unwrap_err(), width);
    assert!(analysis::explain(a.view(), c.view()).is_ok());
    let rotation = Rotary::new(Frequencies::geometric(4, 1e4).unwrap(), Pairing::Halves);
    let (rotation, none) = (rotation.at::<f64>(0..3).unwrap(), rotation.at::<f64>(0..0).unwrap());
    let pairs = Error::LengthMismatch { what: "products", expected: 2, found: 3 };
    assert_eq!(analysis::rotary_kernel(&rotation, &[[1.0, 0.0]; 3]).unwrap_err(), pairs);
    let empty = Error::TooFewRows { needed: 1, found: 0 };
    assert_eq!(analysis::rotary_kernel(&none, &[[1.0, 0.0]; 2]).unwrap_err(), empty);
    assert!(analysis::rotary_kernel(&rotation, &[[f64::NAN, 0.0]; 2]).is_err());
    let [three, four] = [3, 4].map(|len| vec![1.0_f64; len]);
    let narrow = analysis::pair_products(aview1(&three), aview1(&three), &rotation);
    assert_eq!(narrow.unwrap_err(), Error::TooNarrow { needed: 4, found: 3 });
    assert!(analysis::pair_products(aview1(&four), aview1(&three), &rotation).is_err());
    assert!(analysis::rotation_errors(&rotation, &none).is_err());
}

#[test]
fn parameters_out_of_range() {
    let table = Array2::<f64>::ones((9, 2));
    for ridge in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let error = analysis::probe_position(table.view(), ridge).unwrap_err();
        assert!(matches!(error, Error::InvalidParameter { name: "ridge", .. }), "{error}");
    }
    let error = analysis::probe_shift(table.view(), usize::MAX, 1.0).unwrap_err();
    assert_eq!(error, Error::TooFewRows { needed: usize::MAX, found: 9 });
    let alibi = Alibi::new(2).unwrap();
    for share in [0.0, 1.0, 2.0, -0.5, f64::NAN] {
        assert!(analysis::bias_windows::<f32>(&alibi, 9, share).is_err(), "{share}");
    }
    let none = Error::TooFewRows { needed: 1, found: 0 };
    assert_eq!(analysis::bias_by_distance::<f32>(&alibi, 0).unwrap_err(), none);
    for len in [usize::MAX, usize::MAX / 2 + 1, 1 << 58] {
        assert!(analysis::bias_by_distance::<f32>(&alibi, len).is_err(), "{len}");
    }
    let table = Array2::<f32>::zeros((9, 2));
    let image = WindowBias::swin(table, [2, 2]).unwrap();
    assert!(matches!(
        analysis::bias_by_distance(&image, 4).unwrap_err(),
        Error::AxesMismatch { expected: 2, found: 1 }
    ));
    let frequencies = Frequencies::geometric(4, 1e4).unwrap();
    for len in [0, 1, usize::MAX] {
        assert!(RotaryProfile::of(&frequencies, &[[1.0, 0.0]; 2], len).is_err(), "{len}");
    }
    let products = [[1.0, 0.0], [0.0, 0.0]];
    assert!(RotaryProfile::of(&frequencies, &products, 1 << 52).unwrap().variance > 0.49);
    assert!(RotaryProfile::of(&frequencies, &[[1.0, 0.0]], 9).is_err());
    let still = RotaryProfile::of(&frequencies, &[[0.0; 2]; 2], 9).unwrap();
    assert_eq!((still.reversal, still.sensitivity, still.variance), (0.5, 0.0, 0.0));
    assert_eq!(analysis::wavelengths(&[], 9).unwrap_err(), Error::ZeroDim);
    assert!(analysis::wavelengths(&[1.0], 0).is_err());
    assert!(analysis::wavelengths(&[1.0, f64::NAN], 9).is_err());
    assert!(analysis::rescaled((&[1.0], 9), (&[1.0, 2.0], 9)).is_err());
    assert_eq!(analysis::wavelengths(&[0.0], 9).unwrap()[0].wavelength, f64::INFINITY);
    assert!(analysis::uniform_products(0).is_err());
    assert!(analysis::uniform_products(usize::MAX).is_err());
    assert!(ByDistance::of_curve(0, aview1(&[])).is_err());
    let far = ByDistance::of_curve(i64::MAX, aview1(&[1.0, 2.0])).unwrap();
    assert_eq!((far.at(i64::MIN), far.at(0)), (None, None));
    for first in [i64::MIN, i64::MAX] {
        let curve = ByDistance::of_curve(first, aview1(&[1.0, 2.0])).unwrap();
        let _ = (curve.monotone_share(), curve.at(first));
        assert_eq!(curve.at(first), Some(1.0));
        assert_eq!(curve.first_asymmetry(0.0), None);
    }
}
