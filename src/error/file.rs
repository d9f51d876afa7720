//! Errors of files.

use core::fmt;
use std::io;
use std::path::{Path, PathBuf};

use super::Error;

/// The error of a file that could not be read or written: its path, and the problem.
///
/// A `FileError` is not a variant of [`Error`]: it always has a path, which would enlarge every
/// `Result` of calls that touch no file, and its causes are those of formats, not of encodings. The
/// error of a constructor about a table that was read successfully is [`FileProblem::Table`].
///
/// ```
/// use positional_encodings::{FileProblem, words::{WordFormat, WordVectors}};
///
/// let error = WordVectors::reader(WordFormat::Glove).read("/nowhere/glove.txt").unwrap_err();
/// assert_eq!(error.problem, FileProblem::Io { kind: std::io::ErrorKind::NotFound });
/// assert_eq!(error.to_string(), "/nowhere/glove.txt: entity not found");
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct FileError {
    /// The file, or the name given to another source.
    pub path: PathBuf,
    /// The problem of the file.
    pub problem: FileProblem,
}

impl FileError {
    /// Makes an error, for a reader of your own.
    ///
    /// ```
    /// use positional_encodings::{FileError, FileProblem};
    ///
    /// let error = FileError::new("words.txt", FileProblem::Empty);
    /// assert_eq!(error.to_string(), "words.txt: there are no vectors");
    /// ```
    pub fn new(path: impl Into<PathBuf>, problem: FileProblem) -> Self {
        Self { path: path.into(), problem }
    }
}

/// A place in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Place {
    /// A line of a text file, counted from 1.
    Line(u64),
    /// A byte of a binary file, counted from 0.
    Byte(u64),
}

/// A problem with a file.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum FileProblem {
    /// The operating system reported an error.
    Io {
        /// The kind of the error.
        kind: io::ErrorKind,
    },
    /// There is not enough memory for the values.
    OutOfMemory {
        /// The number of values in memory and requested, together.
        values: usize,
    },
    /// The header claims to be longer than the file, or than the 100 MB that the format allows.
    HeaderTooLong {
        /// The length that the header claims.
        claimed: u64,
        /// The bytes that are available, or allowed.
        available: u64,
    },
    /// The header violates the format.
    InvalidHeader {
        /// The byte of the file at which the fault is.
        byte: u64,
        /// The fault.
        cause: String,
    },
    /// The header describes a tensor twice.
    DuplicateKey {
        /// The name of the tensor.
        key: String,
    },
    /// A tensor does not begin where the one before it ends: they overlap or leave a gap.
    Misplaced {
        /// The name of the tensor.
        key: String,
        /// The byte of the file at which it begins according to the header.
        byte: u64,
        /// The byte at which it must begin.
        expected: u64,
    },
    /// The bytes of a tensor do not match its shape and type.
    WrongSize {
        /// The name of the tensor.
        key: String,
        /// The bytes for its shape and type; `None` where the number overflows.
        expected: Option<u64>,
        /// The bytes of the tensor according to the header.
        found: u64,
    },
    /// The file does not end where its last tensor ends.
    WrongLength {
        /// The length according to the header.
        expected: u64,
        /// The length of the file.
        found: u64,
    },
    /// The folder has no checkpoint under any of the usual names.
    NoCheckpoint,
    /// There is no tensor of that name.
    MissingKey {
        /// The name asked for.
        key: String,
    },
    /// Several tensors match the name.
    AmbiguousKey {
        /// The first of these tensors.
        key: String,
        /// The second of these tensors.
        other: String,
    },
    /// The type of the tensor is none of F64, F32, F16 and BF16.
    WrongType {
        /// The name of the tensor.
        key: String,
        /// The type of the tensor.
        found: String,
    },
    /// The tensor has the wrong number of axes.
    WrongRank {
        /// The name of the tensor.
        key: String,
        /// The axes it must have.
        expected: usize,
        /// The axes it has.
        found: usize,
    },
    /// A value is infinite or not a number.
    NotFinite {
        /// The name of the tensor.
        key: String,
        /// The index of the value in row-major order.
        index: usize,
        /// The byte of the value in the file; `None` for a value that was to be written.
        byte: Option<u64>,
    },
    /// A value has no exact counterpart in the element type asked for.
    Inexact {
        /// The name of the tensor.
        key: String,
        /// The index of the value in row-major order.
        index: usize,
        /// The value.
        value: f64,
    },
    /// Metadata of this crate have a value that it never writes.
    InvalidMetadata {
        /// The key of the metadata.
        key: String,
        /// The value of the metadata.
        value: String,
    },
    /// The first line of a word2vec file is not the number of words and the number of values of
    /// each.
    InvalidWordHeader,
    /// A GloVe file has no header, but this one begins like word2vec's text.
    UnexpectedWordHeader {
        /// The number of words in that header.
        words: u64,
        /// The number of values of each word.
        dim: u64,
    },
    /// A line or a word is too long.
    TooLong {
        /// The place where it begins.
        at: Place,
        /// The maximal number of bytes.
        limit: usize,
    },
    /// A vector has too few numbers.
    TooFewNumbers {
        /// The place of the problem.
        at: Place,
        /// The expected number of numbers.
        expected: usize,
        /// The number of numbers found.
        found: usize,
    },
    /// A number is infinite, NaN or not a number at all.
    NotANumber {
        /// The place of the problem.
        at: Place,
        /// The index of the number in its vector, counted from 0.
        index: usize,
    },
    /// A vector has no word.
    EmptyWord {
        /// The place of the problem.
        at: Place,
    },
    /// A word occurs again.
    DuplicateWord {
        /// The place of the problem.
        at: Place,
        /// The row of the first occurrence.
        row: usize,
    },
    /// The number of words is not that of the header.
    WordCount {
        /// The number in the header.
        claimed: u64,
        /// The number of words in the file.
        found: u64,
    },
    /// The file ends within a vector.
    Truncated {
        /// The length of the file in bytes.
        byte: u64,
    },
    /// An empty line precedes other lines.
    EmptyLine {
        /// The place of the problem.
        at: Place,
    },
    /// The file is compressed by gzip.
    Compressed,
    /// The file has no vectors.
    Empty,
    /// The name of a picture file ends in neither `.svg` nor `.png`.
    NoPictureFormat,
    /// The table was read successfully, but cannot be used.
    Table(Error),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(line) => write!(f, "line {line}"),
            Self::Byte(byte) => write!(f, "byte {byte}"),
        }
    }
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path.display(), self.problem)
    }
}

impl fmt::Display for FileProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io { kind } => write!(f, "{kind}"),
            Self::OutOfMemory { values } => write!(f, "not enough memory for {values} values"),
            Self::Table(error) => write!(f, "{error}"),
            Self::NoPictureFormat => write!(f, "pictures are .svg or .png files"),
            Self::NoCheckpoint => {
                write!(f, "no model.safetensors and no model.safetensors.index.json in this folder")
            }
            Self::HeaderTooLong { claimed, available } => {
                write!(
                    f,
                    "the header claims {claimed} bytes where at most {available} are possible"
                )
            }
            Self::InvalidHeader { byte, cause } => {
                write!(f, "byte {byte}: not a valid header: {cause}")
            }
            Self::WrongLength { expected, found } => {
                write!(f, "{found} bytes where the header describes {expected}")
            }
            Self::InvalidMetadata { key, value } => {
                write!(f, "metadata {key}: {value:?} is not the index of a row")
            }
            Self::DuplicateKey { .. }
            | Self::Misplaced { .. }
            | Self::WrongSize { .. }
            | Self::MissingKey { .. }
            | Self::AmbiguousKey { .. }
            | Self::WrongType { .. }
            | Self::WrongRank { .. }
            | Self::NotFinite { .. }
            | Self::Inexact { .. } => self.write_tensor(f),
            _ => self.write_words(f),
        }
    }
}

impl FileProblem {
    fn write_tensor(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DuplicateKey { key } => write!(f, "{key} is described twice"),
            Self::Misplaced { key, byte, expected } => {
                write!(f, "{key} begins at byte {byte} instead of {expected}")
            }
            Self::WrongSize { key, expected: Some(expected), found } => {
                write!(f, "{key} has {found} bytes where its shape and type ask for {expected}")
            }
            Self::WrongSize { key, expected: None, found } => {
                write!(f, "{key} has {found} bytes, and its shape and type give no valid size")
            }
            Self::MissingKey { key } => write!(f, "there is no tensor {key}"),
            Self::AmbiguousKey { key, other } => {
                write!(f, "{key} and {other} both match: load one by its key")
            }
            Self::WrongType { key, found } => {
                write!(f, "{key} is of type {found}: it must be F64, F32, F16 or BF16")
            }
            Self::WrongRank { key, expected, found } => {
                write!(f, "{key} has {found} axes where there must be {expected}")
            }
            Self::NotFinite { key, index, byte: Some(byte) } => {
                write!(f, "{key}: value {index}, at byte {byte}, is not finite")
            }
            Self::NotFinite { key, index, byte: None } => {
                write!(f, "{key}: value {index} is not finite")
            }
            Self::Inexact { key, index, value } => {
                write!(
                    f,
                    "{key}: value {index}, {value:e}, would be rounded: ask for another element type or for rounding"
                )
            }
            _ => Ok(()),
        }
    }

    fn write_words(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InvalidWordHeader => {
                write!(f, "line 1: expected the number of words and the number of values of each")
            }
            Self::UnexpectedWordHeader { words, dim } => {
                write!(
                    f,
                    "line 1: a header of {words} words with {dim} numbers: the format is word2vec's, not GloVe's"
                )
            }
            Self::TooLong { at, limit } => write!(f, "{at}: longer than {limit} bytes"),
            Self::TooFewNumbers { at, expected, found } => {
                write!(f, "{at}: {found} numbers where there must be {expected}")
            }
            Self::NotANumber { at, index } => {
                write!(f, "{at}: number {index} is not a finite number")
            }
            Self::EmptyWord { at } => write!(f, "{at}: a vector without a word"),
            Self::DuplicateWord { at, row } => write!(f, "{at}: this word has row {row} already"),
            Self::WordCount { claimed, found } => {
                write!(f, "{found} words where the header claims {claimed}")
            }
            Self::Truncated { byte } => write!(f, "byte {byte}: the file ends within a vector"),
            Self::EmptyLine { at } => write!(f, "{at}: an empty line between others"),
            Self::Compressed => write!(
                f,
                "the file is compressed by gzip: decompress it, or pass a decompressor to read_from"
            ),
            Self::Empty => write!(f, "there are no vectors"),
            _ => Ok(()),
        }
    }
}

impl std::error::Error for FileError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.problem {
            FileProblem::Table(error) => Some(error),
            _ => None,
        }
    }
}

impl From<io::Error> for FileProblem {
    fn from(error: io::Error) -> Self {
        Self::Io { kind: error.kind() }
    }
}

impl From<Error> for FileProblem {
    fn from(error: Error) -> Self {
        Self::Table(error)
    }
}

/// Returns a function that adds the path to a problem.
pub(crate) fn at(path: &Path) -> impl Fn(FileProblem) -> FileError + '_ {
    move |problem| FileError::new(path, problem)
}

/// Reserves room for `count` more values, or returns an error.
pub(crate) fn reserve<T>(list: &mut Vec<T>, count: usize) -> Result<(), FileProblem> {
    list.try_reserve(count)
        .map_err(|_| FileProblem::OutOfMemory { values: list.len().saturating_add(count) })
}
