//! GGUF files: llama.cpp's format.

use core::fmt;
use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use gguf_rs_lib::error::GGUFError;
use gguf_rs_lib::format::types::GGUFTensorType;
use gguf_rs_lib::format::{Metadata, MetadataValue};
use gguf_rs_lib::reader::GGUFFileReader;
use gguf_rs_lib::tensor::TensorInfo;
use ndarray::{Array1, Array2};

use super::values::{self, Format, Rounding};
use crate::additive::Learned;
use crate::element::Element;
use crate::error::{Error, FileError, FileProblem, at};

/// A GGUF file, of which the header has been read and checked (by the crate `gguf-rs-lib`).
///
/// Position tables of GPT-2, BERT and CLIP are kept as `position_embd.weight`,
/// `token_types.weight`, `v.position_embd.weight`; the factors of scaled rotations as
/// `rope_freqs.weight`. They are f32 or f16 in the files there are; quantised tensors are refused.
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
    metadata: Metadata,
    tensors: Vec<TensorInfo>,
    /// Where the tensors begin.
    start: u64,
}

impl<R> fmt::Debug for Gguf<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gguf")
            .field("path", &self.path)
            .field("metadata", &self.metadata.len())
            .field("tensors", &self.tensors.len())
            .finish_non_exhaustive()
    }
}

impl Gguf {
    /// Opens a file and reads its header.
    ///
    /// # Errors
    ///
    /// [`FileProblem::Io`]; [`FileProblem::InvalidHeader`].
    pub fn open(path: impl AsRef<Path>) -> Result<Self, FileError> {
        let path = path.as_ref();
        let file = File::open(path).map_err(|error| at(path)(error.into()))?;
        Self::from_reader(BufReader::new(file), path)
    }
}

impl<R: Read + Seek> Gguf<R> {
    /// Reads the header of anything that can be read and sought; `name` is what errors call it.
    ///
    /// # Errors
    ///
    /// The errors of [`open`](Gguf::open).
    pub fn from_reader(mut source: R, name: impl Into<PathBuf>) -> Result<Self, FileError> {
        let path = name.into();
        let header = match GGUFFileReader::new(&mut source) {
            Ok(header) => header,
            Err(GGUFError::Io(error)) if error.kind() != std::io::ErrorKind::UnexpectedEof => {
                return Err(at(&path)(error.into()));
            }
            Err(_) => {
                let byte = source.stream_position().unwrap_or(0);
                return Err(at(&path)(FileProblem::InvalidHeader { byte }));
            }
        };
        let (metadata, tensors) = (header.metadata().clone(), header.tensor_infos().to_vec());
        let start = header.tensor_data_offset();
        Ok(Self { source, path, metadata, tensors, start })
    }

    /// The names of the tensors, in the order of the file.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.tensors.iter().map(TensorInfo::name)
    }

    /// The model's architecture, with which the names of its metadata begin: `llama`, `bert`,
    /// `gpt2`.
    pub fn architecture(&self) -> Option<&str> {
        self.text("general.architecture")
    }

    /// Metadata that is text.
    pub fn text(&self, key: &str) -> Option<&str> {
        self.metadata.get(key)?.as_str()
    }

    /// Metadata that is a number, of whatever type: `llama.rope.freq_base`,
    /// `llama.rope.dimension_count`, `llama.context_length`.
    pub fn real(&self, key: &str) -> Option<f64> {
        number(self.metadata.get(key)?)
    }

    /// Metadata that is a list of numbers: `qwen2vl.rope.dimension_sections`.
    pub fn reals(&self, key: &str) -> Option<Vec<f64>> {
        match self.metadata.get(key)? {
            MetadataValue::Array(array) => array.iter().map(number).collect(),
            _ => None,
        }
    }

    /// The metadata of the architecture, as `config::ModelRotary::from_gguf` and
    /// `config::RotarySpec::from_gguf` take them (feature `serde`). Lists of text are left out: no
    /// rotation depends on them.
    ///
    /// ```no_run
    /// use positional_encodings::{checkpoint::Gguf, config::ModelRotary};
    ///
    /// let mut file = Gguf::open("llama-3.1-8b.gguf")?;
    /// let model = ModelRotary::from_gguf(file.metadata())?;
    /// let mut spec = model.layer(0).unwrap().unwrap().clone();
    /// spec.divisors = Some(file.vector::<f64>("rope_freqs.weight")?.to_vec()); // Llama 3's scaling
    /// let rotary = spec.rotary(4096)?;
    /// # let _ = rotary;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[cfg(feature = "serde")]
    pub fn metadata(&self) -> impl Iterator<Item = (&str, crate::config::Metadata)> {
        let name = "general.architecture";
        let prefix = format!("{}.", self.architecture().unwrap_or_default());
        let own =
            self.metadata.iter().filter(move |(key, _)| *key == name || key.starts_with(&prefix));
        own.filter_map(|(key, value)| Some((key.as_str(), config_value(value)?)))
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

    /// Reads the tensor `key` as a list: `rope_freqs.weight`, by which frequencies are divided.
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

    /// Reads the position table `key`. Its offset is the model's: none in GPT-2 and BERT.
    ///
    /// # Errors
    ///
    /// The errors of [`table`](Self::table), and [`FileProblem::Table`].
    pub fn learned<A: Element>(&mut self, key: &str) -> Result<Learned<A>, FileError> {
        let table = self.table(key)?;
        Learned::from_table(table).map_err(|error| self.refuse(error))
    }

    /// The shape, the fastest axis last, and the values of a tensor.
    fn read_values<A: Element>(&mut self, key: &str) -> Result<(Vec<usize>, Vec<A>), FileError> {
        let info = self.tensors.iter().find(|info| info.name() == key);
        let info =
            info.ok_or_else(|| self.refuse(FileProblem::MissingKey { key: key.to_string() }))?;
        let format = match info.tensor_type() {
            GGUFTensorType::F32 => Format::F32,
            GGUFTensorType::F16 => Format::F16,
            GGUFTensorType::BF16 => Format::BF16,
            GGUFTensorType::F64 => Format::F64,
            other => {
                let found = format!("{other:?}");
                return Err(self.refuse(FileProblem::WrongType { key: key.to_string(), found }));
            }
        };
        let shape: Vec<usize> = info.shape().dims().iter().rev().map(|&len| len as usize).collect();
        let (offset, size) = (info.data_offset(), info.expected_data_size());
        let range = || {
            let start = self.start.checked_add(offset)?;
            Some(start..start.checked_add(size)?)
        };
        let range = range().ok_or_else(|| {
            self.refuse(FileProblem::WrongLength { expected: u64::MAX, found: offset })
        })?;
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

#[cfg(feature = "serde")]
fn config_value(value: &MetadataValue) -> Option<crate::config::Metadata> {
    use crate::config::Metadata;
    let item = |value: &MetadataValue| match value {
        MetadataValue::Bool(flag) => Some(f64::from(u8::from(*flag))),
        value => number(value),
    };
    Some(match value {
        MetadataValue::String(text) => Metadata::from(text.as_str()),
        MetadataValue::Bool(flag) => (*flag).into(),
        MetadataValue::Array(list) => {
            Metadata::Numbers(list.iter().map(item).collect::<Option<_>>()?)
        }
        value => Metadata::Number(number(value)?),
    })
}

fn number(value: &MetadataValue) -> Option<f64> {
    Some(match *value {
        MetadataValue::U8(value) => value.into(),
        MetadataValue::I8(value) => value.into(),
        MetadataValue::U16(value) => value.into(),
        MetadataValue::I16(value) => value.into(),
        MetadataValue::U32(value) => value.into(),
        MetadataValue::I32(value) => value.into(),
        MetadataValue::U64(value) => value as f64,
        MetadataValue::I64(value) => value as f64,
        MetadataValue::F32(value) => value.into(),
        MetadataValue::F64(value) => value,
        MetadataValue::Bool(_) | MetadataValue::String(_) | MetadataValue::Array(_) => return None,
    })
}
