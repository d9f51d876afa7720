//! The promises of this crate for burn's tensors, on the CPU backend, flex.

mod adopt;
mod arrays;
mod biases;
mod gradients;
mod hostile;
mod layouts;
mod models;
mod same_as_burn;
mod vectors;

use burn::tensor::{DType, Device, Tensor, TensorData};
use positional_encodings::{Frequencies, Pairing, Rotary};
use positional_encodings_burn::{Rope, RopeConfig};

const PAIRINGS: [Pairing; 2] = [Pairing::Halves, Pairing::Interleaved];
const DTYPES: [DType; 4] = [DType::F32, DType::F64, DType::F16, DType::BF16];

fn rotary(dim: usize, pairing: Pairing) -> Rotary {
    Rotary::new(Frequencies::geometric(dim, 10_000.0).unwrap(), pairing)
}

/// Returns a rotation by this crate's kernel, and one by burn's operations.
fn ropes(rotary: &Rotary) -> [Rope; 2] {
    devices().map(|device| RopeConfig::new(rotary.clone()).init(&device))
}

fn devices() -> [Device; 2] {
    [Device::flex(), Device::flex().autodiff()]
}

fn config(text: &str) -> Rope {
    RopeConfig::from_json(text).unwrap().init(&Device::flex())
}

/// Returns irregular numbers in −1..1.
fn numbers(count: usize) -> Vec<f64> {
    let mut state = 1_u64;
    let mut next = || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 40) as f64 / (1_u64 << 23) as f64 - 1.0
    };
    (0..count).map(|_| next()).collect()
}

fn tensor<const D: usize>(shape: [usize; D], dtype: DType) -> Tensor<D> {
    let data = TensorData::new(numbers(shape.iter().product()), shape);
    Tensor::from_data(data, (&Device::flex(), dtype))
}

/// Returns the elements in f64, exactly.
fn values<const D: usize>(tensor: &Tensor<D>) -> Vec<f64> {
    tensor.try_to_vec_as().unwrap()
}

/// Asserts that two tensors have the same shape, type and elements.
#[track_caller]
fn assert_same<const D: usize>(a: &Tensor<D>, b: &Tensor<D>) {
    assert_eq!((a.dims(), a.dtype()), (b.dims(), b.dtype()));
    let (a, b) = (values(a), values(b));
    let differs = a.iter().zip(&b).position(|(a, b)| a.to_bits() != b.to_bits());
    if let Some(index) = differs {
        panic!("element {index} is {}, not {}", a[index], b[index]);
    }
}

/// Asserts that a call panics with a message.
#[track_caller]
fn assert_panics<T>(call: impl FnOnce() -> T, message: &str) {
    let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(call));
    let Err(payload) = outcome else { panic!("no panic that says {message:?}") };
    let found = payload.downcast_ref::<String>().cloned();
    let found = found.or_else(|| payload.downcast_ref::<&str>().map(ToString::to_string));
    let found = found.expect("a message");
    assert!(found.contains(message), "{found:?} does not say {message:?}");
}
