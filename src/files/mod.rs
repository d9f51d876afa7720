//! Tables from files: checkpoints of trained models, and word vectors.

#[cfg(feature = "safetensors")]
mod checkpoint;
mod error;
#[cfg(feature = "gguf")]
mod gguf;
#[cfg(any(feature = "safetensors", feature = "gguf"))]
mod values;
mod words;

#[cfg(feature = "safetensors")]
pub use checkpoint::{Architecture, Checkpoint, StoredElement};
pub use error::{FileError, FileProblem, Place};
#[cfg(feature = "gguf")]
pub use gguf::Gguf;
pub use words::{Duplicates, Progress, Vocabulary, WordFormat, WordReader, WordVectors};

use std::path::Path;

/// An error about a file, from what its reader says.
fn at(path: &Path) -> impl Fn(FileProblem) -> FileError + '_ {
    |problem| FileError { path: path.to_path_buf(), problem }
}

/// Room for `count` more values, or an error.
fn reserve<T>(list: &mut Vec<T>, count: usize) -> Result<(), FileProblem> {
    list.try_reserve(count)
        .map_err(|_| FileProblem::OutOfMemory { values: list.len().saturating_add(count) })
}
