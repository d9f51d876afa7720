//! Writes a table to a safetensors file.

use std::path::Path;

use serde_json::{Map, Value, json};

use crate::additive::Learned;
use crate::element::Element;
use crate::error::{FileError, FileProblem, at, reserve};
use crate::files::replace;

/// An element type of safetensors files: f32, f64, and with feature `half` f16 and bf16. The trait
/// is sealed, as [`Element`] is.
pub trait StoredElement: Element {
    /// The name of the type in the format.
    #[doc(hidden)]
    const DTYPE: &'static str;

    /// Appends the bytes of the value, in little-endian order.
    #[doc(hidden)]
    fn write(self, bytes: &mut Vec<u8>);
}

macro_rules! stored {
    ($($type:ty: $dtype:ident),*) => {$(
        impl StoredElement for $type {
            const DTYPE: &'static str = stringify!($dtype);

            fn write(self, bytes: &mut Vec<u8>) {
                bytes.extend_from_slice(&self.to_le_bytes());
            }
        }
    )*};
}

stored!(f32: F32, f64: F64);
#[cfg(feature = "half")]
stored!(half::f16: F16, half::bf16: BF16);

impl<A: StoredElement> Learned<A> {
    /// Writes the table, its offset and its padding row to a new safetensors file with the single
    /// tensor `key`.
    ///
    /// [`Checkpoint::learned_at`](crate::checkpoint::Checkpoint::learned_at) reads the same bits
    /// back; other readers find a plain table. An existing file is replaced once the new one is
    /// complete.
    ///
    /// # Errors
    ///
    /// [`FileProblem::Io`]; [`FileProblem::MissingKey`] for a key that the format reserves;
    /// [`FileProblem::NotFinite`] for a value that is not finite; [`FileProblem::OutOfMemory`].
    pub fn save(&self, path: impl AsRef<Path>, key: &str) -> Result<(), FileError> {
        let path = path.as_ref();
        self.write(path, key).map_err(at(path))
    }

    fn write(&self, path: &Path, key: &str) -> Result<(), FileProblem> {
        if key == "__metadata__" {
            return Err(FileProblem::MissingKey { key: key.to_string() });
        }
        // Such a file could not be read again.
        if let Some(index) = self.table().iter().position(|value| !value.to_f64().is_finite()) {
            return Err(FileProblem::NotFinite { key: key.to_string(), index, byte: None });
        }
        let mut bytes = Vec::new();
        reserve(&mut bytes, self.table().len().saturating_mul(size_of::<A>()))?;
        self.table().iter().for_each(|value| value.write(&mut bytes));
        let header = self.header(key, bytes.len());
        let len = (header.len() as u64).to_le_bytes();
        Ok(replace(path, &[&len, header.as_bytes(), &bytes])?)
    }

    /// Returns the header of a file with this table alone, of `bytes` bytes, padded with spaces so
    /// that the numbers are aligned.
    fn header(&self, key: &str, bytes: usize) -> String {
        let rows = [
            ("offset", Some(self.offset()).filter(|offset| *offset > 0)),
            ("padding_row", self.padding_row()),
        ];
        let metadata: Map<String, Value> = rows
            .into_iter()
            .filter_map(|(name, row)| Some((format!("{key}.{name}"), row?.to_string().into())))
            .collect();
        let tensor = json!({
            "dtype": A::DTYPE, "shape": self.table().shape(), "data_offsets": [0, bytes],
        });
        let mut header = json!({"__metadata__": metadata, key: tensor}).to_string();
        header.extend(core::iter::repeat_n(' ', header.len().next_multiple_of(8) - header.len()));
        header
    }
}
