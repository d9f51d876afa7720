//! Encodings, rotations and biases of users are analysed like the crate's own.

use ndarray::{Array2, ArrayViewMut2, array};
use positional_encodings::analysis::{self, ByDistance, Measure};
use positional_encodings::{
    AttentionBias, Element, Error, Pairing, PositionalEncoding, Positions, Rotation,
};

use crate::assert_close;

/// The parity of a position, and the constant 1.
struct Parity;

impl<A: Element> PositionalEncoding<A> for Parity {
    fn dim(&self) -> usize {
        2
    }

    fn max_len(&self) -> Option<usize> {
        None
    }

    fn encode_into(
        &self,
        positions: &Positions<'_>,
        mut out: ArrayViewMut2<'_, A>,
    ) -> Result<(), Error> {
        PositionalEncoding::<A>::check_shape(self, positions, &out)?;
        PositionalEncoding::<A>::check(self, positions)?;
        for (position, mut row) in positions.iter().zip(out.rows_mut()) {
            row[0] = A::from_f64(position.to_f64().rem_euclid(2.0));
            row[1] = A::from_f64(1.0);
        }
        Ok(())
    }
}

/// A head that attends to its neighbours only.
struct Neighbours;

impl AttentionBias<f32> for Neighbours {
    fn heads(&self) -> usize {
        1
    }

    fn encode_row(&self, query: &Positions<'_>, keys: &Positions<'_>, row: &mut [f32]) {
        let query = query.iter().next().map_or(0.0, |position| position.to_f64());
        for (bias, key) in row.iter_mut().zip(keys.iter()) {
            *bias = if (query - key.to_f64()).abs() <= 1.0 { 0.0 } else { f32::NEG_INFINITY };
        }
    }
}

#[test]
fn an_encoding() {
    let rows: Array2<f64> = Parity.encode(&Positions::from(0..6)).unwrap();
    assert_eq!(analysis::collisions::<f64, f64>(rows.view()).unwrap(), [[0, 2, 4], [1, 3, 5]]);
    assert_eq!(analysis::nearest_pair(rows.view()).unwrap().distance, 0.0);
    let similar = ByDistance::of_table(rows.view(), Measure::Dot).unwrap();
    assert_eq!((similar.mean[1], similar.first_rise(0.0)), (1.0, Some(2)));
    // At even distances both are even, or both odd: 1 or 2.
    assert_close(similar.spread[2], 0.5, 1e-15);
    assert_eq!(analysis::Spectrum::of(rows.view()).unwrap().components_for(0.99), 1);
}

#[test]
fn a_rotation() {
    let (cos, sin) = (array![[1.0], [0.0], [-1.0]], array![[0.0], [1.0], [0.0]]);
    let rotation = Rotation::from_cos_sin(cos.view(), sin.view(), Pairing::Halves).unwrap();
    let kernel = analysis::rotary_kernel(&rotation, &[[1.0, 0.0]]).unwrap();
    assert_eq!(kernel, [1.0, 0.0, -1.0]);
    let off = Rotation::from_cos_sin((&cos + 0.25).view(), sin.view(), Pairing::Halves).unwrap();
    assert_eq!(analysis::rotation_errors(&off, &rotation).unwrap(), [0.25; 3]);
}

#[test]
fn a_bias() {
    let window = analysis::bias_windows(&Neighbours, 10, 0.01).unwrap()[0];
    assert_eq!((window.behind, window.ahead), (Some(2), Some(2)));
}
