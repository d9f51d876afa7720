//! Tensors from the files next to the tests.

// Every test binary has its own copy of this module and uses a part of it.
#![allow(dead_code)]

use std::path::Path;

use ndarray::{Array, ArrayD, Dimension};
use safetensors::{Dtype, SafeTensors};

/// A safetensors file.
pub struct Tensors {
    name: String,
    bytes: Vec<u8>,
}

/// Element types of the files.
pub trait Stored: Sized {
    const DTYPE: Dtype;
    fn read(bytes: &[u8]) -> Vec<Self>;
}

macro_rules! stored {
    ($($type:ty: $dtype:ident),*) => {$(
        impl Stored for $type {
            const DTYPE: Dtype = Dtype::$dtype;
            fn read(bytes: &[u8]) -> Vec<Self> {
                let (items, rest) = bytes.as_chunks();
                assert!(rest.is_empty());
                items.iter().map(|item| Self::from_le_bytes(*item)).collect()
            }
        }
    )*};
}

#[cfg(feature = "half")]
impl Stored for half::bf16 {
    const DTYPE: Dtype = Dtype::BF16;
    fn read(bytes: &[u8]) -> Vec<Self> {
        u16::read(bytes).into_iter().map(Self::from_bits).collect()
    }
}

stored!(f64: F64, f32: F32, i64: I64, i32: I32, i16: I16, u64: U64, u16: U16, u8: U8);

impl Tensors {
    /// `tests/<folder>/<name>.safetensors`
    pub fn open(folder: &str, name: &str) -> Self {
        let path =
            Path::new(env!("CARGO_MANIFEST_DIR")).join(folder).join(format!("{name}.safetensors"));
        let bytes =
            std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Self { name: name.to_string(), bytes }
    }

    /// A file of outputs of other libraries, recorded by calling them (see
    /// `tests/golden/README.md`).
    pub fn golden(name: &str) -> Self {
        Self::open("golden", name)
    }

    /// The tensor `name`, which must have this type and number of axes.
    pub fn get<T: Stored, D: Dimension>(&self, name: &str) -> Array<T, D> {
        let file = SafeTensors::deserialize(&self.bytes).unwrap();
        let tensor =
            file.tensor(name).unwrap_or_else(|error| panic!("{}: {name}: {error}", self.name));
        assert_eq!(tensor.dtype(), T::DTYPE, "{}: {name}", self.name);
        let array = ArrayD::from_shape_vec(tensor.shape(), T::read(tensor.data())).unwrap();
        array.into_dimensionality().unwrap_or_else(|error| panic!("{}: {name}: {error}", self.name))
    }

    /// The tensor `name` as a plain list.
    pub fn list<T: Stored>(&self, name: &str) -> Vec<T> {
        self.get::<T, ndarray::Ix1>(name).into_raw_vec_and_offset().0
    }
}
