//! Impossible input gives typed errors with their numbers, and outputs stay unchanged.

use ndarray::{Array2, Array3, Array4, arr0, array};
use positional_encodings::space::{
    AngleUnit, Cycle, MipNerf, Radial, Sphere2Vec, Wavelengths, equal_earth,
};
use positional_encodings::{
    Axes, Error, Fourier, Frequencies, Learned, LearnedGrid, PositionTable, PositionalEncoding,
    Positions, Sinusoidal, Timestep, add_positions_to_grid, ids::MaskCounts, space::Time2Vec,
};

type Outcome = Result<(), Error>;
type Grid = Axes<f32, Sinusoidal>;

#[test]
fn dims_that_do_not_divide_say_which_would() {
    let error = Grid::mae(10).unwrap_err();
    assert_eq!(error, Error::IndivisibleDim { dim: 10, divisor: 4 });
    let text =
        "dim 10 cannot be divided among the axes: it must be a multiple of 4, such as 8 or 12";
    assert_eq!(error.to_string(), text);
    for (found, dim, divisor) in [
        (Grid::timm(6, 1e4), 6, 4),
        (Grid::detr(9, 1e4), 9, 4),
        (Grid::loftr(2), 2, 4),
        (Grid::dab_detr(12, 1e4), 12, 8),
        (Grid::v_jepa(12), 12, 8),
        (Grid::diffusers_3d(24), 24, 16),
        (Grid::mae(usize::MAX), usize::MAX, 4),
    ] {
        let error = found.unwrap_err();
        assert_eq!(error, Error::IndivisibleDim { dim, divisor });
        assert!(!error.to_string().is_empty());
    }
    assert_eq!(Grid::mae(0), Err(Error::ZeroDim));
    assert_eq!(Grid::python(0, 2), Err(Error::ZeroDim));
    assert_eq!(Grid::python(8, 0), Err(Error::ZeroDim));
    assert_eq!(Grid::tensor2tensor(8, 0), Err(Error::ZeroDim));
    let error = Grid::tensor2tensor(5, 3).unwrap_err();
    assert_eq!(error, Error::DimTooSmall { dim: 5, needed: 6 });
    assert!(matches!(Grid::python(8, usize::MAX), Err(Error::TooLarge { .. })));
    assert!(matches!(Grid::mae(usize::MAX / 4 * 4), Err(Error::TooLarge { .. })));
    for bad in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert!(matches!(Grid::detr(16, bad), Err(Error::InvalidBase { .. })));
    }
}

#[test]
fn axes_that_cannot_be() -> Outcome {
    let axis = || Sinusoidal::new(4);
    let none: [Sinusoidal; 0] = [];
    assert_eq!(Grid::concat(none.clone()), Err(Error::ZeroDim));
    assert_eq!(Grid::sum(none), Err(Error::ZeroDim));
    let error = Grid::sum([axis()?, Sinusoidal::new(6)?]).unwrap_err();
    assert_eq!(error, Error::WidthMismatch { expected: 4, found: 6 });
    let two = || Grid::concat([axis()?, axis()?]);
    let error = two()?.reading(&[0]).unwrap_err();
    let what = "axes to read";
    assert_eq!(error, Error::LengthMismatch { what, expected: 2, found: 1 });
    assert_eq!(two()?.reading(&[0, 2]), Err(Error::NoSuchAxis { axis: 1, axes: 2 }));
    let huge = two()?.reading(&[0, usize::MAX]).unwrap_err();
    assert_eq!(huge, Error::NoSuchAxis { axis: 1, axes: 2 });
    for chunk in [0, 3, 5, usize::MAX] {
        assert!(
            matches!(two()?.interleaved(chunk), Err(Error::InvalidParameter { .. })),
            "{chunk}"
        );
    }
    assert!(Grid::sum([axis()?, axis()?])?.interleaved(2).is_err());
    assert!(Grid::concat([axis()?, Sinusoidal::new(6)?])?.interleaved(2).is_err());
    assert_eq!(two()?.with_dim(0), Err(Error::ZeroDim));
    assert!(Grid::sum([axis()?, axis()?])?.with_dim(3).is_err());
    let wide = two()?.with_dim(usize::MAX)?;
    let result: Result<Array2<f32>, Error> = wide.encode(&Positions::grid(&[2, 2])?);
    assert_eq!(result.unwrap_err(), Error::TooLarge { rows: 4, dim: usize::MAX });
    // An empty list of vectors is no work, however wide they are.
    let none: Array2<f32> = two()?.encode(&Positions::grid(&[0, 2])?)?;
    assert_eq!(none.dim(), (0, 8));
    let endless = core::iter::repeat(axis()?);
    assert!(matches!(Grid::concat(endless), Err(Error::TooLarge { .. })));
    Ok(())
}

/// Asserts that encoding these points gives this error, and changes nothing.
#[track_caller]
fn refused(encoding: &dyn PositionalEncoding<f32>, at: &Positions<'_>, error: &Error) {
    let before = Array2::from_shape_fn((at.count(), encoding.dim()), |(i, j)| (i + j) as f32);
    let mut after = before.clone();
    assert_eq!(&encoding.encode_into(at, after.view_mut()).unwrap_err(), error);
    assert_eq!(&encoding.add_to(at, after.view_mut()).unwrap_err(), error);
    assert_eq!(&encoding.encode(at).unwrap_err(), error);
    assert_eq!(after, before);
}

#[test]
fn points_that_cannot_be() -> Outcome {
    let mae: Grid = Axes::mae(8)?;
    let fourier = Fourier::new(&array![[1.0], [2.0]])?;
    let two: [&dyn PositionalEncoding<f32>; 2] = [&mae, &fourier];
    for encoding in two {
        for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let points = array![[0.0, 1.0], [2.0, 3.0], [0.5, bad]];
            let at = Positions::from_points(&points)?;
            let Err(error) = at.check_finite() else { panic!("{bad} is finite") };
            assert!(matches!(error, Error::NonFinitePosition { index: 2, .. }), "{error}");
            // NaN does not equal itself.
            if !bad.is_nan() {
                refused(encoding, &at, &error);
            }
            assert!(encoding.encode(&at).is_err());
        }
        let far = array![[0.0, 1e19]];
        let error = Error::PositionTooLarge { index: 0, position: 1e19 };
        refused(encoding, &Positions::from_points(&far)?, &error);
        for (at, found) in [(Positions::from(0..3), 1), (Positions::grid(&[1, 2, 3])?, 3)] {
            refused(encoding, &at, &Error::AxesMismatch { expected: 2, found });
        }
    }
    let huge = Positions::grid(&[1 << 40, 1 << 20])?;
    let rows = 1 << 60;
    assert_eq!(mae.encode(&huge), Err(Error::TooLarge { rows, dim: 8 }));
    assert!(mae.encode_grid(&[usize::MAX, 2]).is_err());
    assert!(mae.encode_grid(&[]).is_err());
    assert_eq!(mae.encode_grid(&[3]).unwrap_err(), Error::AxesMismatch { expected: 2, found: 1 });
    Ok(())
}

#[test]
fn images_that_do_not_fit() -> Outcome {
    let mae: Grid = Axes::mae(8)?;
    let mut image = Array3::<f32>::ones((2, 3, 9));
    let error = add_positions_to_grid(image.view_mut(), &mae).unwrap_err();
    assert_eq!(error, Error::WidthMismatch { expected: 8, found: 9 });
    let error = add_positions_to_grid(Array4::<f32>::ones((0, 2, 3, 9)).view_mut(), &mae);
    assert_eq!(error, Err(Error::WidthMismatch { expected: 8, found: 9 }));
    let error = add_positions_to_grid(arr0(1.0_f32).view_mut(), &mae);
    assert_eq!(error, Err(Error::TooFewAxes { expected: 3, found: 0 }));
    let error = add_positions_to_grid(Array2::<f32>::ones((3, 8)).view_mut(), &mae).unwrap_err();
    assert_eq!(error, Error::TooFewAxes { expected: 3, found: 2 });
    let table =
        Axes::concat([1, 2].map(|n| Learned::from_table(Array2::<f32>::zeros((n, 4))).unwrap()))?;
    let mut image = Array4::<f32>::ones((2, 2, 2, 8));
    let error = add_positions_to_grid(image.view_mut(), &table).unwrap_err();
    assert_eq!(error, Error::PositionOutsideTable { position: 1.0, first: 0, len: 1 });
    assert!(image.iter().all(|value| *value == 1.0));
    add_positions_to_grid(Array4::<f32>::ones((0, 2, 2, 8)).view_mut(), &mae)?;
    add_positions_to_grid(Array4::<f32>::ones((2, 0, 2, 8)).view_mut(), &mae)
}

#[test]
fn ranges_and_units() -> Outcome {
    let scales = Frequencies::from_radians([1.0, 0.5])?;
    for (unit, pole) in
        [(AngleUnit::Degrees, 90.0), (AngleUnit::Radians, core::f64::consts::FRAC_PI_2)]
    {
        let sphere = Sphere2Vec::new(&scales, unit)?;
        let points = array![[pole, 1e6], [-pole - 0.01, 0.0]];
        let at = Positions::from_points(&points)?;
        let position = -pole - 0.01;
        let error = Error::OutsideRange { index: 1, position, low: -pole, high: pole };
        refused(&sphere, &at, &error);
        assert_eq!(equal_earth(&at, unit).unwrap_err(), error);
    }
    let high = f64::INFINITY;
    let below = Error::OutsideRange { index: 1, position: -0.5, low: 0.0, high };
    refused(&Radial::gaussian(4, 0.0..=5.0)?, &Positions::from(&[1.0, -0.5]), &below);
    let variance = array![[0.0, 1.0], [0.0, -0.5]];
    refused(&MipNerf::new(1, 3)?, &Positions::from_points(&variance)?, &below);
    let (low, high) = (1.0, 2.0);
    let outside = Error::OutsideRange { index: 1, position: 2.5, low, high };
    refused(&Wavelengths::new(4, low..=high)?, &Positions::from(&[0.0, 2.5]), &outside);
    Ok(())
}

#[test]
fn constructors_refuse() -> Outcome {
    let invalid =
        |result: Result<Fourier, Error>| matches!(result, Err(Error::InvalidFrequency { .. }));
    for bad in [f64::NAN, f64::INFINITY, 1e30] {
        assert!(invalid(Fourier::new(&array![[1.0, bad]])), "{bad}");
        assert!(Fourier::new(&array![[1.0]])?.with_phases(&[bad]).is_err());
        assert!(Time2Vec::new(&array![1.0, bad], &array![0.0, 0.0]).is_err());
        assert!(Time2Vec::new(&array![1.0, 1.0], &array![0.0, bad]).is_err());
        assert!(Fourier::calendar(&[Cycle::new(1.0).from(bad)]).is_err());
        assert!(Timestep { downscale_freq_shift: bad, ..Timestep::new(8) }.encoding().is_err());
    }
    assert_eq!(Fourier::new(&Array2::<f32>::zeros((0, 3))), Err(Error::ZeroDim));
    assert_eq!(Fourier::new(&Array2::<f32>::zeros((3, 0))), Err(Error::ZeroDim));
    let one = array![[1.0_f32]];
    let huge = one.broadcast((1 << 30, 1 << 30)).unwrap();
    let error = Fourier::new(&huge).unwrap_err();
    assert_eq!(error, Error::TooLarge { rows: 1 << 30, dim: 1 << 30 });
    assert!(matches!(Fourier::nerf(1 << 40, 60), Err(Error::TooLarge { .. })));
    assert!(matches!(Fourier::perceiver(&[4], 1 << 60), Err(Error::TooLarge { .. })));
    assert!(matches!(Fourier::perceiver(&[4; 9], usize::MAX), Err(Error::TooLarge { .. })));
    assert!(invalid(Fourier::nerf(3, 65)) && invalid(Fourier::nerf(3, usize::MAX)));
    for exponents in [(1.0, 0.0), (f64::NAN, 1.0), (0.0, f64::INFINITY), (0.0, 1e9)] {
        assert!(Fourier::nerfstudio(3, 4, exponents).is_err(), "{exponents:?}");
    }
    for period in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e-300] {
        assert!(Fourier::calendar(&[Cycle::new(period)]).is_err(), "{period}");
        assert!(Radial::bessel(4, period).is_err() && Radial::exp_normal(4, period).is_err());
    }
    for dim in [0, 1, usize::MAX] {
        assert!(Radial::gaussian(dim, 0.0..=1.0).is_err() && Radial::exp_normal(dim, 1.0).is_err());
    }
    assert!(
        Radial::gaussian(4, 1.0..=1.0).is_err() && Radial::gaussian(4, 0.0..=f64::NAN).is_err()
    );
    assert!(Radial::dimenet(4, 1.0, 65).is_err());
    for shift in [0.3, 4.0, 5.0, -1e9] {
        let error = Timestep { downscale_freq_shift: shift, ..Timestep::new(8) }.encoding();
        assert!(matches!(error, Err(Error::InvalidParameter { name: "shift", .. })), "{shift}");
    }
    for dim in [0, 1] {
        assert_eq!(Timestep::new(dim).encoding(), Err(Error::ZeroDim));
    }
    assert!(Timestep::new(usize::MAX).encoding().is_err());
    Ok(())
}

#[test]
fn tables_that_cannot_be() -> Outcome {
    let empty = LearnedGrid::from_table(Array3::<f32>::zeros((0, 4, 2)))?;
    assert_eq!(empty.max_len(), Some(0));
    let at = Positions::grid(&[1, 1])?;
    refused(&empty, &at, &Error::PositionOutsideTable { position: 0.0, first: 0, len: 0 });
    assert_eq!(LearnedGrid::from_table(Array3::<f32>::zeros((3, 4, 0))), Err(Error::ZeroDim));
    let flat = LearnedGrid::from_table(ndarray::Array1::<f32>::zeros(3)).unwrap_err();
    assert_eq!(flat, Error::TooFewAxes { expected: 2, found: 1 });
    let grid = LearnedGrid::from_table(Array3::<f32>::zeros((3, 4, 2)))?;
    for (point, position, len) in
        [([3.0, 0.0], 3.0, 3), ([0.0, 3.5], 3.5, 4), ([-0.5, 0.0], -0.5, 3)]
    {
        let points = array![point];
        let error = Error::PositionOutsideTable { position, first: 0, len };
        refused(&grid, &Positions::from_points(&points)?, &error);
    }
    for shape in [(0, 4), (1, 4), (16, 0), (5, 3)] {
        let table = PositionTable::of(Array2::<f32>::zeros(shape));
        assert!(
            shape.1 == 0 && table == Err(Error::ZeroDim)
                || matches!(table, Ok(PositionTable::Learned(_)))
        );
    }
    let none = Array3::<bool>::default((1, 0, 4));
    let error = Positions::from_masks(&none, MaskCounts::PLAIN).unwrap_err();
    assert_eq!(error, Error::EmptyGrid { rows: 0, columns: 4 });
    Ok(())
}

/// The last of as many points as can be counted.
#[test]
fn points_at_the_end_of_the_largest_grid() -> Outcome {
    let last = usize::MAX - 3..usize::MAX;
    let grid = Positions::grid(&[usize::MAX / 5, 5])?;
    let fourier = Fourier::new(&array![[0.5], [0.25]])?;
    let rows: Array2<f32> = fourier.encode(&grid.slice(last.clone()))?;
    let alone: Array2<f32> = fourier.encode(&grid.slice(usize::MAX - 1..usize::MAX))?;
    assert_eq!(rows.row(2), alone.row(0));
    let blocks = Positions::grid_in_blocks(&[usize::MAX / 5, 5], &[1, 5])?;
    blocks.slice(last.clone()).check_finite()?;
    let same: Array2<f32> = fourier.encode(&blocks.slice(last))?;
    assert_eq!(same, rows);
    Ok(())
}
