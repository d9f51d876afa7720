//! candle, as its models use it.

use candle_core::{DType, Device, Result, Tensor};

use crate::work::BASE;

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

/// The table from them: sines, then cosines.
pub fn table(positions: usize, dim: usize) -> Result<Tensor> {
    Tensor::cat(&sin_cos(positions, dim)?, 1)
}

pub fn tensor(values: &[f32], shape: impl Into<candle_core::Shape>) -> Result<Tensor> {
    Tensor::from_slice(values, shape, &Device::Cpu)
}

pub fn values(tensor: &Tensor) -> Result<Vec<f32>> {
    tensor.flatten_all()?.to_vec1()
}
