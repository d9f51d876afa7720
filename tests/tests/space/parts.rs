//! Parts of positions: their values, their lengths and their equality.

use ndarray::{Array2, Array3, Axis, arr1, array};
use positional_encodings::{
    Error, Fourier, PositionalEncoding, Positions, ids::MaskCounts, space::Input,
};

type Outcome = Result<(), Error>;

/// A part of a list keeps its values when it is mapped, copied or combined, wherever it begins.
#[test]
fn parts_keep_their_values() -> Outcome {
    let (unsigned, signed, reals) = ([2_usize, 8, 5], [2_i64, 8, 5], [2.0, 8.0, 5.0]);
    let rows = (arr1(&unsigned), arr1(&signed), arr1(&reals));
    let grid = Positions::grid(&[3, 4])?;
    let range = Positions::from(5..9);
    let lists = [Positions::from(&unsigned), Positions::from(&signed), Positions::from(&reals)];
    let shared = [
        Positions::from(rows.0.broadcast((4, 3)).unwrap()),
        Positions::from(rows.1.broadcast((4, 3)).unwrap()),
        Positions::from(rows.2.broadcast((4, 3)).unwrap()),
    ];
    let axes = [grid.axis(0).unwrap(), grid.axis(1).unwrap()];
    let mut cases = vec![
        (range.slice(1..3), vec![6.0, 7.0]),
        (axes[0].slice(1..3), vec![0.0, 0.0]),
        (axes[0].slice(3..6), vec![0.0, 1.0, 1.0]),
        (axes[1].slice(3..6), vec![3.0, 0.0, 1.0]),
    ];
    cases.extend(lists.iter().map(|list| (list.slice(1..3), vec![8.0, 5.0])));
    cases.extend(shared.iter().map(|list| (list.slice(1..4), vec![8.0, 5.0, 2.0])));
    cases.extend(shared.iter().map(|list| (list.slice(3..6), vec![2.0, 8.0, 5.0])));
    for (part, expected) in cases {
        let values = |positions: &Positions<'_>| positions.to_array().unwrap().column(0).to_vec();
        assert_eq!(values(&part), expected);
        assert_eq!(values(&part.map(|_, position| position)?), expected);
        assert_eq!(values(&part.clone().into_owned()?), expected);
        let combined = Positions::from_axes([part.clone(), part])?;
        assert_eq!(values(&combined.axis(1).unwrap()), expected);
    }
    Ok(())
}

/// The largest position of a part is its last, or the last before the numbers restart.
#[test]
fn lengths_of_parts() -> Outcome {
    assert_eq!(Positions::from(0..10).slice(3..5).total_len(), 5);
    let grid = Positions::grid(&[2, 3])?;
    let columns = grid.axis(1).unwrap();
    for (part, len) in [(0..2, 2), (1..5, 3), (2..4, 3), (3..5, 2), (0..0, 0)] {
        assert_eq!(columns.slice(part.clone()).total_len(), len, "{part:?}");
    }
    Ok(())
}

#[test]
fn equality_of_parts() -> Outcome {
    let grids = [[2, 3], [2, 4], [3, 2]].map(|sizes| Positions::grid(&sizes).unwrap());
    let rows = grids.each_ref().map(|grid| grid.axis(0).unwrap());
    let columns = grids.each_ref().map(|grid| grid.axis(1).unwrap());
    assert_ne!(rows[0].slice(0..2), Positions::from(0..2));
    assert_ne!(columns[0].slice(1..5), columns[1].slice(1..5));
    assert_ne!(rows[0], rows[2]);
    let two = |second: [i64; 2]| Positions::from_axes([vec![0, 1], second.to_vec()]);
    assert_ne!(two([0, 1])?, two([1, 0])?);
    assert_eq!(Positions::from(2..9), Positions::from(0..9).slice(2..9));
    // However long they are.
    let huge = 1 << 62;
    assert_eq!(Positions::from(0..huge).slice(1..huge), Positions::from(1..huge));
    Ok(())
}

/// Counts of a mask with an offset: from 0 without a scale, and from the middle of a pixel.
#[test]
fn counts_of_masks() -> Outcome {
    let full = Array3::from_elem((1, 2, 3), true);
    let from_zero = Positions::from_masks(&full, MaskCounts { offset: -1.0, scale: None })?;
    assert_eq!(from_zero.row(0), Positions::grid(&[2, 3])?);
    let centred = Positions::from_masks(&full, MaskCounts::CENTRED)?.to_array()?;
    let of = |count: f64, last: f64| (count - 0.5) / (last + 1e-6) * core::f64::consts::TAU;
    assert_eq!(centred.row(0), array![of(1.0, 2.0), of(1.0, 3.0)]);
    assert_eq!(centred.row(5), array![of(2.0, 2.0), of(3.0, 3.0)]);
    Ok(())
}

/// Points of nine coordinates.
#[test]
fn points_with_many_coordinates() -> Outcome {
    let points = Array2::from_shape_fn((7, 9), |(i, j)| ((3 * i + j) % 5) as f64);
    let sums = points.sum_axis(Axis(1));
    let of = |axes: usize| {
        let scales = Array2::<f32>::from_elem((axes, 2), 0.25);
        Fourier::new(&scales).map(|encoding| encoding.with_input(Input::Absent))
    };
    let (nine, one) = (of(9)?, of(1)?);
    let found: Array2<f32> = nine.encode(&Positions::from_points(&points)?)?;
    let expected: Array2<f32> = one.encode(&Positions::from(&sums))?;
    assert_eq!(found, expected);
    Ok(())
}
