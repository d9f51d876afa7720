//! The promises of this crate for candle's tensors, on the CPU.

mod adopt;
mod arrays;
mod biases;
mod gradients;
mod hostile;
mod layouts;
mod models;
mod same_as_candle;
mod vectors;

use candle_core::{DType, Device, Result, Tensor};
use positional_encodings::{Frequencies, Pairing, Rotary};

const PAIRINGS: [Pairing; 2] = [Pairing::Halves, Pairing::Interleaved];
const DTYPES: [DType; 4] = [DType::F32, DType::F64, DType::F16, DType::BF16];

fn rotary(dim: usize, pairing: Pairing) -> Rotary {
    Rotary::new(Frequencies::geometric(dim, 10_000.0).unwrap(), pairing)
}

/// Returns irregular numbers in −1..1.
fn tensor(shape: &[usize], dtype: DType) -> Result<Tensor> {
    let mut state = 1_u64;
    let mut next = || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 40) as f64 / (1_u64 << 23) as f64 - 1.0
    };
    let values: Vec<f64> = (0..shape.iter().product()).map(|_| next()).collect();
    Tensor::from_vec(values, shape, &Device::Cpu)?.to_dtype(dtype)
}

/// Returns the elements in f64, exactly.
fn values(tensor: &Tensor) -> Result<Vec<f64>> {
    tensor.to_dtype(DType::F64)?.flatten_all()?.to_vec1()
}

/// Asserts that two tensors have the same shape, type and elements.
#[track_caller]
fn assert_same(a: &Tensor, b: &Tensor) {
    assert_eq!((a.dims(), a.dtype()), (b.dims(), b.dtype()));
    let (a, b) = (values(a).unwrap(), values(b).unwrap());
    let differs = a.iter().zip(&b).position(|(a, b)| a.to_bits() != b.to_bits());
    if let Some(index) = differs {
        panic!("element {index} is {}, not {}", a[index], b[index]);
    }
}

#[track_caller]
fn assert_error<T>(result: Result<T>, message: &str) {
    let error = result.err().expect("an error").to_string();
    assert!(error.contains(message), "{error:?} does not say {message:?}");
}
