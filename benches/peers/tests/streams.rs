//! The statements of docs/streams.md about candle and burn: the positions of a shard, added on the
//! device, equal those of the whole sequence.

use ndarray::{Array2, Array3, Axis, Slice};
use positional_encodings::{PositionalEncoding, Positions, Sinusoidal, add_positions};

const SHAPE: (usize, usize, usize) = (2, 24, 16);
const SHARD: std::ops::Range<usize> = 8..16;

/// Returns words, and the words with all positions.
fn whole() -> (Array3<f32>, Array3<f32>, Sinusoidal) {
    let encoding = Sinusoidal::new(SHAPE.2).unwrap();
    let words =
        Array3::from_shape_fn(SHAPE, |(b, position, i)| (b * 31 + position * 7 + i) as f32 / 8.0);
    let mut sums = words.clone();
    add_positions(sums.view_mut(), &encoding).unwrap();
    (words, sums, encoding)
}

/// Returns the values of a shard of each sequence.
fn shard(of: &Array3<f32>) -> Vec<f32> {
    of.slice_axis(Axis(1), Slice::from(SHARD.start as isize..SHARD.end as isize))
        .iter()
        .copied()
        .collect()
}

#[test]
fn candle() -> candle_core::Result<()> {
    use candle_core::{Device, Tensor};

    let ((words, sums, encoding), device) = (whole(), Device::Cpu);
    let words = Tensor::from_vec(shard(&words), (SHAPE.0, SHARD.len(), SHAPE.2), &device)?;

    let rows: Array2<f32> = encoding.encode(&Positions::from(SHARD)).unwrap();
    let shape = rows.dim();
    let positions = Tensor::from_vec(rows.into_raw_vec_and_offset().0, shape, &device)?;
    let input = words.broadcast_add(&positions)?;

    assert_eq!(input.flatten_all()?.to_vec1::<f32>()?, shard(&sums));
    Ok(())
}

#[test]
fn burn() {
    use burn::tensor::{Tensor, TensorData};

    let ((words, sums, encoding), device) = (whole(), Default::default());
    let words = TensorData::new(shard(&words), [SHAPE.0, SHARD.len(), SHAPE.2]);
    let words = Tensor::<3>::from_data(words, &device);

    let rows: Array2<f32> = encoding.encode(&Positions::from(SHARD)).unwrap();
    let (positions, dim) = rows.dim();
    let data = TensorData::new(rows.into_raw_vec_and_offset().0, [1, positions, dim]);
    let input = words + Tensor::from_data(data, &device);

    assert_eq!(input.into_data().try_to_vec::<f32>().unwrap(), shard(&sums));
}
