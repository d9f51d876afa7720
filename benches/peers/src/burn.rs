//! burn, on its CPU backend flex.

use burn::nn::{
    PositionalEncoding, PositionalEncodingConfig, RotaryEncoding, RotaryEncodingConfig,
};
use burn::tensor::{Device, Tensor, TensorData};

use crate::work::{BASE, DIM, HEAD_DIM, ROWS};

pub fn table() -> PositionalEncoding {
    PositionalEncodingConfig::new(DIM).with_max_sequence_size(ROWS).init(&Device::flex())
}

pub fn rotary(positions: usize) -> RotaryEncoding {
    RotaryEncodingConfig::new(positions, HEAD_DIM).with_theta(BASE as f32).init(&Device::flex())
}

pub fn tensor<const D: usize>(values: &[f32], shape: [usize; D]) -> Tensor<D> {
    Tensor::from_data(TensorData::new(values.to_vec(), shape), &Device::flex())
}

pub fn values<const D: usize>(tensor: &Tensor<D>) -> Vec<f32> {
    tensor.to_data().try_to_vec().expect("f32 values")
}
