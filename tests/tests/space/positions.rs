//! Positions themselves, as grids, draws and arrays give them.

use std::convert::Infallible;

use ndarray::{Array1, Array2, Array3, Axis, CowArray, Slice, array};
use positional_encodings::ids::{Cape, RandPos, Shape};
use positional_encodings::rotary::Dinov3Augmentation;
use positional_encodings::space::{AngleUnit, equal_earth};
use positional_encodings::{Axes, Error, LearnedGrid, PositionalEncoding, Positions, Sinusoidal};
use rand::TryRng;

type Outcome = Result<(), Error>;

/// A generator whose outputs are listed.
struct Listed(Vec<u64>);

impl TryRng for Listed {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        self.try_next_u64().map(|output| output as u32)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(self.0.remove(0))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        bytes.fill(0);
        Ok(())
    }
}

/// torch.linspace counts the upper half from its end, and so the middle: 0.1 + 0.3 would be 0.4.
#[test]
fn the_middle_counts_from_the_end() -> Outcome {
    let line = Positions::linspace(&[3], 0.1..=0.7)?;
    assert_eq!(line.to_array()?, array![[0.1], [0.39999999999999997], [0.7]]);
    for (ends, index, position) in
        [(f64::NEG_INFINITY..=1.0, 0, f64::NEG_INFINITY), (0.0..=f64::INFINITY, 1, f64::INFINITY)]
    {
        let error = Error::NonFinitePosition { index, position };
        assert_eq!(Positions::linspace(&[1], ends), Err(error));
    }
    Ok(())
}

/// Patches of merged blocks, of any size.
#[test]
fn merged_blocks() -> Outcome {
    for merge in [1, 2, 3] {
        let (rows, columns) = (2 * merge, 3 * merge);
        let merged = Positions::merged(rows, columns, merge)?;
        assert_eq!(merged, Positions::grid_in_blocks(&[rows, columns], &[merge, merge])?);
    }
    Ok(())
}

/// A grid without points is as cheap as none, whatever its other sizes.
#[test]
fn grids_without_points() -> Outcome {
    for sizes in [[usize::MAX, 0], [0, usize::MAX]] {
        let none = Positions::grid(&sizes)?;
        assert_eq!(none.map(|_, position| position + 0.5)?.to_array()?.dim(), (0, 2));
        assert_eq!((none.total_len(), none.check_finite()), (0, Ok(())));
    }
    let none = Positions::grid_in_blocks(&[0, usize::MAX, usize::MAX], &[1; 3])?;
    assert_eq!((none.count(), none.axes()), (0, 3));
    Ok(())
}

/// Owned arrays in any order of memory.
#[test]
fn owned_arrays() {
    let ids: Array1<i64> = array![3, 1, 4, 1, 5];
    assert_eq!(Positions::from(ids.clone()), Positions::from(&ids));
    let mut backwards = ids.clone();
    backwards.invert_axis(Axis(0));
    assert_eq!(Positions::from(backwards), Positions::from(&[5, 1, 4, 1, 3]));
    let part = ids.clone().slice_axis_move(Axis(0), Slice::new(1, Some(3), 1));
    assert_eq!(Positions::from(part), Positions::from(&[1, 4]));
    let second = ids.slice_axis_move(Axis(0), Slice::new(0, None, 2));
    assert_eq!(Positions::from(second), Positions::from(&[3, 4, 5]));
}

/// A broadcast array without columns has no positions.
#[test]
fn rows_without_columns() {
    let column = Array2::<i64>::zeros((3, 1));
    let none = column.broadcast((3, 0)).unwrap();
    for none in [Positions::from(none), Positions::from(CowArray::from(none))] {
        assert_eq!((none.rows(), none.len(), none.total_len()), (Some(3), 0, 0));
        assert_eq!((none.check_finite(), none.iter().count()), (Ok(()), 0));
    }
}

/// The rows of a batch stay rows: places stay in them, and all of them are checked.
#[test]
fn rows_of_a_batch() -> Outcome {
    let batch = |last| [array![[0, 1], [2, 3]], array![[0, 1], [1, 0]], array![[0, 1], [1, last]]];
    let places = batch(1);
    let points = equal_earth(&Positions::from_axes(&places[..2])?, AngleUnit::Degrees)?;
    assert_eq!((points.rows(), points.len()), (Some(2), 2));
    let parts: [Box<dyn PositionalEncoding<f32>>; 2] = [
        Box::new(Sinusoidal::new(4)?),
        Box::new(LearnedGrid::from_table(Array3::<f32>::zeros((2, 2, 4)))?),
    ];
    let video = Axes::concat(parts)?;
    assert_eq!(video.check(&Positions::from_axes(batch(1))?), Ok(()));
    let outside = Error::PositionOutsideTable { position: 7.0, first: 0, len: 2 };
    assert_eq!(video.check(&Positions::from_axes(batch(7))?), Err(outside));
    Ok(())
}

/// Numbers below 3 from 64 bits: an output of which 3 does not take its share is drawn again, and
/// no other (Lemire's multiplication).
#[test]
fn draws_are_uniform() -> Outcome {
    let drawn = |outputs: &[u64]| {
        let shifted = Shape { max: 2 }.augment(&Positions::from(0..1), &mut Listed(outputs.into()));
        shifted.map(|positions| positions.total_len() - 1)
    };
    // 3 · 0xaaaa_aaaa_aaaa_aaab is 1 more than 2 · 2⁶⁴.
    assert_eq!(drawn(&[0, 0xaaaa_aaaa_aaaa_aaab, 1 << 63])?, 2);
    assert_eq!(drawn(&[1, u64::MAX])?, 0);
    Ok(())
}

/// Real positions are shifted like whole ones.
#[test]
fn shifts_of_reals() -> Outcome {
    let shifted =
        Shape { max: 2 }.augment(&Positions::from(&[0.5, 2.0]), &mut Listed(vec![u64::MAX]))?;
    assert_eq!(shifted, Positions::from(&[2.5, 4.0]));
    Ok(())
}

/// The greatest output is the greatest shift, to the right.
#[test]
fn shifts_of_patches() -> Outcome {
    let most = 1.0 - 2_f64.powi(-52);
    let augmentation = Dinov3Augmentation { shift: Some(0.5), ..Dinov3Augmentation::default() };
    let shifted = augmentation.augment(&Positions::from(&[0.25]), &mut Listed(vec![u64::MAX]))?;
    assert_eq!(shifted, Positions::from(&[0.25 + 0.5 * most]));
    Ok(())
}

/// Where there are no positions, nothing is drawn, however many rows there are.
#[test]
fn draws_of_nothing() -> Outcome {
    let rng = &mut Listed(Vec::new());
    assert_eq!(RandPos { max: 3 }.draw(1 << 62, 0, rng)?.count(), 0);
    let none = Array2::<i64>::zeros((1, 0));
    let none = Positions::from(none.broadcast((1 << 60, 0)).unwrap());
    let cape = Cape { centred: true, global_shift: 1.0, local_shift: 1.0, scaling: 2.0 };
    assert_eq!(cape.augment(&none, rng)?, none);
    Ok(())
}
