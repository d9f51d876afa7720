//! Reads golden files.

use std::cell::RefCell;
use std::collections::BTreeSet;

use ndarray::{ArrayD, IxDyn};
use safetensors::{Dtype, SafeTensors};
use serde_json::Value;

thread_local! {
    /// The tensors that this thread has read, as file/case/tensor.
    static READ: RefCell<BTreeSet<String>> = const { RefCell::new(BTreeSet::new()) };
}

/// Returns the tensors that the tests of this thread have read so far.
#[cfg(feature = "half")]
pub fn read_so_far() -> BTreeSet<String> {
    READ.with_borrow(Clone::clone)
}

/// A file of outputs of other systems.
pub struct Golden {
    name: String,
    bytes: Vec<u8>,
    cases: Value,
}

impl Golden {
    pub fn open(name: &str) -> Self {
        let path = format!("{}/golden/{name}.safetensors", env!("CARGO_MANIFEST_DIR"));
        let bytes = std::fs::read(path).unwrap();
        let (_, metadata) = SafeTensors::read_metadata(&bytes).unwrap();
        let cases = serde_json::from_str(&metadata.metadata().as_ref().unwrap()["cases"]).unwrap();
        Self { name: name.to_string(), bytes, cases }
    }

    pub fn cases(&self) -> Vec<String> {
        self.cases.as_object().unwrap().keys().cloned().collect()
    }

    pub fn params(&self, case: &str) -> Value {
        match &self.cases[case]["params"] {
            Value::String(text) => serde_json::from_str(text).unwrap(),
            value => value.clone(),
        }
    }

    /// Returns all tensors, as file/case/tensor.
    #[cfg(feature = "half")]
    pub fn names(&self) -> Vec<String> {
        let tensors = SafeTensors::deserialize(&self.bytes).unwrap();
        tensors.names().into_iter().map(|name| format!("{}/{name}", self.name)).collect()
    }

    pub fn has(&self, name: &str) -> bool {
        SafeTensors::deserialize(&self.bytes).unwrap().tensor(name).is_ok()
    }

    /// Returns a tensor of any type, as f64.
    pub fn tensor(&self, name: &str) -> ArrayD<f64> {
        let tensors = SafeTensors::deserialize(&self.bytes).unwrap();
        let tensor = tensors.tensor(name).unwrap_or_else(|error| panic!("{name}: {error}"));
        READ.with_borrow_mut(|read| read.insert(format!("{}/{name}", self.name)));
        let data = tensor.data();
        let values: Vec<f64> = match tensor.dtype() {
            Dtype::F32 => data
                .chunks_exact(4)
                .map(|b| f64::from(f32::from_le_bytes(b.try_into().unwrap())))
                .collect(),
            Dtype::F64 => {
                data.chunks_exact(8).map(|b| f64::from_le_bytes(b.try_into().unwrap())).collect()
            }
            Dtype::I64 => data
                .chunks_exact(8)
                .map(|b| i64::from_le_bytes(b.try_into().unwrap()) as f64)
                .collect(),
            Dtype::BF16 => data
                .chunks_exact(2)
                .map(|b| {
                    f64::from(f32::from_bits(u32::from(u16::from_le_bytes([b[0], b[1]])) << 16))
                })
                .collect(),
            Dtype::F16 => {
                data.chunks_exact(2).map(|b| from_f16(u16::from_le_bytes([b[0], b[1]]))).collect()
            }
            other => panic!("{name}: {other:?}"),
        };
        ArrayD::from_shape_vec(IxDyn(tensor.shape()), values).unwrap()
    }

    /// Returns a tensor of any type, as f32.
    pub fn f32(&self, name: &str) -> ArrayD<f32> {
        self.tensor(name).mapv(|value| value as f32)
    }

    /// Returns a list of positions.
    pub fn ids(&self, name: &str) -> Vec<i64> {
        self.tensor(name).iter().map(|&value| value as i64).collect()
    }
}

/// Converts a finite f16.
fn from_f16(bits: u16) -> f64 {
    let (exponent, mantissa) = (i32::from(bits >> 10 & 31), f64::from(bits & 1023));
    let size = if exponent == 0 {
        mantissa * 2_f64.powi(-24)
    } else {
        (mantissa + 1024.0) * 2_f64.powi(exponent - 25)
    };
    if bits >> 15 == 1 { -size } else { size }
}

/// Asserts that all values agree within the bound that depends on the index.
#[track_caller]
pub fn close(
    what: &str,
    found: &ArrayD<f32>,
    expected: &ArrayD<f32>,
    bound: impl Fn(&IxDyn) -> f64,
) {
    assert_eq!(found.shape(), expected.shape(), "{what}");
    for (at, value) in found.indexed_iter() {
        let expected = f64::from(expected[&at]);
        let error = (f64::from(*value) - expected).abs();
        assert!(
            error <= bound(&at),
            "{what} at {at:?}: {value} instead of {expected}, off by {error}"
        );
    }
}
