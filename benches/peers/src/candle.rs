//! candle, as used by its models.

use candle_core::{DType, Device, Result, Tensor};

use crate::work::{BASE, BUCKETS, FARTHEST, HEADS};

/// The sines and cosines that the models of candle-transformers hold: (positions, pairs) each.
pub fn sin_cos(positions: usize, dim: usize) -> Result<[Tensor; 2]> {
    let inverse: Vec<f32> =
        (0..dim).step_by(2).map(|i| 1.0 / (BASE as f32).powf(i as f32 / dim as f32)).collect();
    let inverse = Tensor::from_vec(inverse, (1, dim / 2), &Device::Cpu)?;
    let positions =
        Tensor::arange(0, positions as u32, &Device::Cpu)?.to_dtype(DType::F32)?.unsqueeze(1)?;
    let angles = positions.matmul(&inverse)?;
    Ok([angles.sin()?, angles.cos()?])
}

/// Returns a table (positions, dim) of these sines and cosines: sines, then cosines.
pub fn table(positions: usize, dim: usize) -> Result<Tensor> {
    Tensor::cat(&sin_cos(positions, dim)?, 1)
}

/// Returns the bias of candle's T5: a bucket for each query and key, its row of the table (buckets,
/// heads), and heads before queries.
pub fn t5_bias(table: &Tensor, queries: usize, keys: usize) -> Result<Tensor> {
    let (each, exact) = (BUCKETS as u32 / 2, BUCKETS as u32 / 4);
    let far = |distance: u32| {
        let share =
            f32::ln(distance as f32 / exact as f32) / f32::ln(FARTHEST as f32 / exact as f32);
        (exact + (share * (each - exact) as f32) as u32).min(each - 1)
    };
    let bucket = |distance: u32| if distance < exact { distance } else { far(distance) };
    let row = |query: u32| {
        let of = |key: u32| match key > query {
            true => each + bucket(key - query),
            false => bucket(query - key),
        };
        (0..keys as u32).map(of).collect::<Vec<_>>()
    };
    let buckets: Vec<_> = ((keys - queries) as u32..keys as u32).map(row).collect();
    let buckets = Tensor::new(buckets, &Device::Cpu)?;
    let rows = table.index_select(&buckets.flatten_all()?, 0)?;
    rows.reshape((queries, keys, HEADS))?.permute((2, 0, 1))?.unsqueeze(0)
}

/// Returns the bias of candle's MPT: slopes (1, heads, 1, 1) times distances from the last key.
pub fn alibi(keys: usize) -> Result<Tensor> {
    let distances = Tensor::arange(1 - keys as i64, 1, &Device::Cpu)?.reshape((1, 1, 1, keys))?;
    let slope = |k: usize| 1.0 / 2_f32.powf((8 * k) as f32 / HEADS as f32);
    let slopes = Tensor::from_iter((1..=HEADS).map(slope), &Device::Cpu)?;
    distances.to_dtype(DType::F32)?.broadcast_mul(&slopes.reshape((1, HEADS, 1, 1))?)
}

pub fn tensor(values: &[f32], shape: impl Into<candle_core::Shape>) -> Result<Tensor> {
    Tensor::from_slice(values, shape, &Device::Cpu)
}

pub fn values(tensor: &Tensor) -> Result<Vec<f32>> {
    tensor.flatten_all()?.to_vec1()
}
