//! Tables to files.

use std::collections::HashMap;
use std::path::Path;

use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensorError, serialize_to_file};

use crate::additive::Learned;
use crate::element::Element;
use crate::error::{FileError, FileProblem, at};

/// An element type that a safetensors file has: f32, f64, and with feature `half` f16 and bf16.
/// Sealed, as [`Element`] is.
pub trait StoredElement: Element {
    /// Its name in the format.
    #[doc(hidden)]
    const DTYPE: Dtype;

    /// Appends its bytes, the lowest first.
    #[doc(hidden)]
    fn write(self, bytes: &mut Vec<u8>);
}

macro_rules! stored {
    ($($type:ty: $dtype:ident),*) => {$(
        impl StoredElement for $type {
            const DTYPE: Dtype = Dtype::$dtype;

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
    /// Writes the table, its offset and its padding row to a new safetensors file, as the one
    /// tensor `key`.
    ///
    /// [`Checkpoint::learned_at`](crate::checkpoint::Checkpoint::learned_at) reads it back to the bit; any
    /// other reader finds a plain table. An existing file is replaced once the new one is complete.
    ///
    /// # Errors
    ///
    /// [`FileProblem::Io`]; [`FileProblem::MissingKey`] for a key that the format reserves.
    pub fn save(&self, path: impl AsRef<Path>, key: &str) -> Result<(), FileError> {
        let path = path.as_ref();
        self.write(path, key).map_err(at(path))
    }

    fn write(&self, path: &Path, key: &str) -> Result<(), FileProblem> {
        if key == "__metadata__" {
            return Err(FileProblem::MissingKey { key: key.to_string() });
        }
        let mut bytes = Vec::new();
        self.table().iter().for_each(|value| value.write(&mut bytes));
        let view =
            TensorView::new(A::DTYPE, self.table().shape().to_vec(), &bytes).map_err(problem)?;
        let rows = [
            ("offset", Some(self.offset()).filter(|offset| *offset > 0)),
            ("padding_row", self.padding_row()),
        ];
        let metadata: HashMap<String, String> = rows
            .into_iter()
            .filter_map(|(name, row)| Some((format!("{key}.{name}"), row?.to_string())))
            .collect();
        let mut partial = path.as_os_str().to_os_string();
        partial.push(".partial");
        let written =
            serialize_to_file([(key, view)], Some(metadata), Path::new(&partial)).map_err(problem);
        let done = written.and_then(|()| Ok(std::fs::rename(&partial, path)?));
        if done.is_err() {
            let _ = std::fs::remove_file(&partial); // what could not be written may not be there
        }
        done
    }
}

/// Of what the format can refuse, only the system's refusals can happen to a table.
fn problem(error: SafeTensorError) -> FileProblem {
    match error {
        SafeTensorError::IoError(error) => error.into(),
        _ => FileProblem::Io { kind: std::io::ErrorKind::InvalidInput },
    }
}
