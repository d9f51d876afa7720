//! GGUF files, the format of llama.cpp.

mod header;
#[cfg(feature = "serde")]
mod rotations;

use core::fmt;
use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use ndarray::{Array1, Array2};

use self::header::{Header, Value};
use super::values::{self, Rounding};
use crate::additive::Learned;
use crate::element::Element;
use crate::error::{Error, FileError, FileProblem, at};

/// A GGUF file of version 2 or 3, whose header has been read and checked.
///
/// The position table is called `position_embd.weight` for GPT-2 and BERT and
/// `v.position_embd.weight` for CLIP's images, BERT's segment table `token_types.weight`, and the
/// divisors of scaled frequencies `rope_freqs.weight`. These tensors are f32 or f16 in known files;
/// a quantised tensor is an error.
///
/// ```no_run
/// use positional_encodings::{Learned, checkpoint::Gguf};
///
/// let mut file = Gguf::open("model.gguf")?;
/// let base = file.real(&format!("{}.rope.freq_base", file.architecture().unwrap_or_default()));
/// let learned: Learned<f32> = file.learned("position_embd.weight")?;
/// assert_eq!(learned.max_len(), Some(512));
/// # let _ = base;
/// # Ok::<(), positional_encodings::FileError>(())
/// ```
pub struct Gguf<R = BufReader<File>> {
    source: R,
    path: PathBuf,
    header: Header,
}

impl<R> fmt::Debug for Gguf<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gguf")
            .field("path", &self.path)
            .field("metadata", &self.header.metadata.len())
            .field("tensors", &self.header.tensors.len())
            .finish_non_exhaustive()
    }
}

impl Gguf {
    /// Opens a file and reads its header.
    ///
    /// # Errors
    ///
    /// [`FileProblem::Io`]; [`FileProblem::InvalidHeader`]; [`FileProblem::DuplicateKey`];
    /// [`FileProblem::OutOfMemory`].
    pub fn open(path: impl AsRef<Path>) -> Result<Self, FileError> {
        let path = path.as_ref();
        let file = File::open(path).map_err(|error| at(path)(error.into()))?;
        Self::from_reader(BufReader::new(file), path)
    }
}

impl<R: Read + Seek> Gguf<R> {
    /// Reads the header from any source; errors show `name` as its path.
    ///
    /// # Errors
    ///
    /// The errors of [`open`](Gguf::open).
    pub fn from_reader(mut source: R, name: impl Into<PathBuf>) -> Result<Self, FileError> {
        let path = name.into();
        let header = Header::read(&mut source).map_err(at(&path))?;
        Ok(Self { source, path, header })
    }

    /// Returns the names of the tensors, in the order of the file.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.header.tensors.iter().map(|tensor| tensor.name.as_str())
    }

    /// Returns the model's architecture, with which the keys of its metadata begin: `llama`,
    /// `bert`, `gpt2`.
    pub fn architecture(&self) -> Option<&str> {
        self.text("general.architecture")
    }

    /// Returns the value of `key` in the metadata if it is text.
    pub fn text(&self, key: &str) -> Option<&str> {
        match self.value(key)? {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Returns the value of `key` in the metadata if it is a number of any type:
    /// `llama.rope.freq_base`, `llama.rope.dimension_count`, `llama.context_length`.
    pub fn real(&self, key: &str) -> Option<f64> {
        match self.value(key)? {
            Value::Number(number) => Some(*number),
            _ => None,
        }
    }

    /// Returns the value of `key` in the metadata if it is a list of numbers:
    /// `qwen2vl.rope.dimension_sections`.
    pub fn reals(&self, key: &str) -> Option<Vec<f64>> {
        self.value(key).filter(|value| !value.is_of_flags())?.numbers()
    }

    fn value(&self, key: &str) -> Option<&Value> {
        let found = self.header.metadata.iter().find(|(known, _)| known == key);
        found.map(|(_, value)| value)
    }

    /// Reads the tensor `key` as a table (rows, dim), converted exactly.
    ///
    /// # Errors
    ///
    /// [`FileProblem::MissingKey`], [`FileProblem::WrongType`] for a quantised tensor,
    /// [`FileProblem::WrongRank`], [`FileProblem::WrongLength`] where the file ends within it,
    /// [`FileProblem::NotFinite`], [`FileProblem::Inexact`], [`FileProblem::Io`],
    /// [`FileProblem::OutOfMemory`].
    pub fn table<A: Element>(&mut self, key: &str) -> Result<Array2<A>, FileError> {
        let (shape, values) = self.read_values(key)?;
        let [rows, dim] = shape[..] else {
            return Err(self.refuse(FileProblem::WrongRank {
                key: key.to_string(),
                expected: 2,
                found: shape.len(),
            }));
        };
        Array2::from_shape_vec((rows, dim), values)
            .map_err(|_| self.refuse(Error::TooLarge { rows, dim }))
    }

    /// Reads the tensor `key` as a list, such as `rope_freqs.weight`, by which frequencies are
    /// divided.
    ///
    /// # Errors
    ///
    /// The errors of [`table`](Self::table).
    pub fn vector<A: Element>(&mut self, key: &str) -> Result<Array1<A>, FileError> {
        match self.read_values(key)? {
            (shape, values) if shape.len() == 1 => Ok(Array1::from_vec(values)),
            (shape, _) => Err(self.refuse(FileProblem::WrongRank {
                key: key.to_string(),
                expected: 1,
                found: shape.len(),
            })),
        }
    }

    /// Reads the position table `key`. The offset depends on the model and is not set; GPT-2 and
    /// BERT have none.
    ///
    /// # Errors
    ///
    /// The errors of [`table`](Self::table), and [`FileProblem::Table`].
    pub fn learned<A: Element>(&mut self, key: &str) -> Result<Learned<A>, FileError> {
        let table = self.table(key)?;
        Learned::from_table(table).map_err(|error| self.refuse(error))
    }

    /// Returns the shape, the fastest axis last, and the values of a tensor.
    fn read_values<A: Element>(&mut self, key: &str) -> Result<(Vec<usize>, Vec<A>), FileError> {
        let tensor = self.header.tensors.iter().find(|tensor| tensor.name == key);
        let missing = || self.refuse(FileProblem::MissingKey { key: key.to_string() });
        let tensor = tensor.ok_or_else(missing)?;
        let format = tensor
            .format()
            .map_err(|found| self.refuse(FileProblem::WrongType { key: key.to_string(), found }))?;
        let too_long = || self.refuse(FileProblem::WrongLength { expected: u64::MAX, found: 0 });
        let axes = tensor.axes.iter().rev().map(|&len| usize::try_from(len));
        let shape: Vec<usize> = axes.collect::<Result<_, _>>().map_err(|_| too_long())?;
        let range = tensor.range(self.header.start, format.size()).ok_or_else(too_long)?;
        let len = self.source.seek(SeekFrom::End(0)).map_err(|error| self.refuse(error))?;
        if range.end > len {
            return Err(self.refuse(FileProblem::WrongLength { expected: range.end, found: len }));
        }
        let values = values::read(&mut self.source, key, range, format, Rounding::Refused);
        Ok((shape, values.map_err(|problem| self.refuse(problem))?))
    }

    fn refuse(&self, problem: impl Into<FileProblem>) -> FileError {
        at(&self.path)(problem.into())
    }
}
