//! The problems that a file can have.

use core::fmt;
use std::io;
use std::path::{Path, PathBuf};

use super::Error;

/// Why a file could not be read or written: which one, and what about it.
///
/// A file's error is not a variant of [`Error`] because it always has a path, which calls that
/// touch no file would carry along in the size of every `Result`, and because its causes are those
/// of formats, not of encodings. What a constructor says of a table that was read well is within,
/// as [`FileProblem::Table`].
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
    /// The file, or the name given to what was read instead of one.
    pub path: PathBuf,
    /// The problem with it.
    pub problem: FileProblem,
}

impl FileError {
    /// Names the file that has a problem, in a reader of your own.
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

/// Where in a file something stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Place {
    /// A line of a text file, the first of which is 1.
    Line(u64),
    /// A byte of a binary file, the first of which is 0.
    Byte(u64),
}

/// A problem with a file.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum FileProblem {
    /// The system refused.
    Io {
        /// The reason that the system gave.
        kind: io::ErrorKind,
    },
    /// There is no memory for what was read.
    OutOfMemory {
        /// Values held and asked for.
        values: usize,
    },
    /// The header claims to be longer than the file, or than the 100 MB that the format allows.
    HeaderTooLong {
        /// The length that the header claims.
        claimed: u64,
        /// The bytes that are there, or that are allowed.
        available: u64,
    },
    /// The header is not what the format asks for.
    InvalidHeader {
        /// The byte of the file at which it stops making sense.
        byte: u64,
        /// The fault that was found there.
        cause: String,
    },
    /// The header describes a tensor twice.
    DuplicateKey {
        /// The name of the tensor.
        key: String,
    },
    /// A tensor does not begin where the one before it ends: they overlap, or leave a gap.
    Misplaced {
        /// The name of the tensor.
        key: String,
        /// The byte of the file at which it claims to begin.
        byte: u64,
        /// The byte at which it must.
        expected: u64,
    },
    /// A tensor's shape and type ask for another number of bytes than it has.
    WrongSize {
        /// The name of the tensor.
        key: String,
        /// The bytes that shape and type ask for; `None` where there is no such number.
        expected: Option<u64>,
        /// The bytes it claims.
        found: u64,
    },
    /// The file does not end where its last tensor does.
    WrongLength {
        /// The length that the header describes.
        expected: u64,
        /// The length that the file has.
        found: u64,
    },
    /// The folder has no checkpoint under any of the usual names.
    NoCheckpoint,
    /// There is no tensor of that name.
    MissingKey {
        /// The name asked for.
        key: String,
    },
    /// Several tensors could be meant.
    AmbiguousKey {
        /// The first of these tensors.
        key: String,
        /// The second.
        other: String,
    },
    /// The tensor is not of a type of real numbers that is understood: F64, F32, F16, BF16.
    WrongType {
        /// The name of the tensor.
        key: String,
        /// The type of the tensor.
        found: String,
    },
    /// The tensor has another number of axes.
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
        /// Name of the tensor.
        key: String,
        /// Where it stands in it, in row-major order.
        index: usize,
        /// The byte of the file where it stands; `None` where it was about to be written to one.
        byte: Option<u64>,
    },
    /// A value has no exact counterpart in the element type asked for.
    Inexact {
        /// Name of the tensor.
        key: String,
        /// Where it stands in it, in row-major order.
        index: usize,
        /// The value.
        value: f64,
    },
    /// Metadata that this crate writes has a value that it never writes.
    InvalidMetadata {
        /// The key of the metadata.
        key: String,
        /// The value that stands there.
        value: String,
    },
    /// The first line of a word2vec file must be the number of words and that of numbers for each.
    InvalidWordHeader,
    /// A GloVe file has no header, but this one begins like word2vec's text.
    UnexpectedWordHeader {
        /// Words it would have.
        words: u64,
        /// Numbers for each.
        dim: u64,
    },
    /// A line or a word is longer than any sensible one.
    TooLong {
        /// Where it begins.
        at: Place,
        /// The most bytes it may have.
        limit: usize,
    },
    /// There are fewer numbers than the vectors have.
    TooFewNumbers {
        /// Where it stands.
        at: Place,
        /// The numbers that there must be.
        expected: usize,
        /// The numbers that there are.
        found: usize,
    },
    /// A number is infinite or no number.
    NotANumber {
        /// Where it stands.
        at: Place,
        /// The index of the number in its vector, counted from 0.
        index: usize,
    },
    /// A vector has no word.
    EmptyWord {
        /// Where it stands.
        at: Place,
    },
    /// A word occurs again.
    DuplicateWord {
        /// Where it stands.
        at: Place,
        /// The row that the word has already.
        row: usize,
    },
    /// The header claims another number of words.
    WordCount {
        /// The claim.
        claimed: u64,
        /// Words there are.
        found: u64,
    },
    /// The file ends within a vector.
    Truncated {
        /// The length of the file in bytes.
        byte: u64,
    },
    /// An empty line stands before other lines.
    EmptyLine {
        /// Where it stands.
        at: Place,
    },
    /// The file is compressed by gzip.
    Compressed,
    /// There are no vectors at all.
    Empty,
    /// A picture is written as SVG or PNG, and the name ends in neither `.svg` nor `.png`.
    NoPictureFormat,
    /// The table was read well, and is not one that can be used.
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
            Self::OutOfMemory { values } => write!(f, "no memory for {values} values"),
            Self::Table(error) => write!(f, "{error}"),
            Self::NoPictureFormat => write!(f, "pictures are .svg or .png files"),
            Self::NoCheckpoint => {
                write!(f, "no model.safetensors and no model.safetensors.index.json in this folder")
            }
            Self::HeaderTooLong { claimed, available } => {
                write!(f, "the header claims {claimed} bytes where {available} are to be had")
            }
            Self::InvalidHeader { byte, cause } => {
                write!(f, "byte {byte}: not a valid header: {cause}")
            }
            Self::WrongLength { expected, found } => {
                write!(f, "{found} bytes where the header describes {expected}")
            }
            Self::InvalidMetadata { key, value } => {
                write!(f, "metadata {key}: {value:?} is not a row of the table")
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
                write!(f, "{key} has {found} bytes and a shape or type of no known size")
            }
            Self::MissingKey { key } => write!(f, "there is no tensor {key}"),
            Self::AmbiguousKey { key, other } => {
                write!(f, "{key} and {other} could both be meant: load one by its key")
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
                write!(f, "line 1: not the number of words and the number of numbers for each")
            }
            Self::UnexpectedWordHeader { words, dim } => {
                write!(
                    f,
                    "line 1: a header of {words} words with {dim} numbers: this is word2vec's text, not GloVe's"
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
                "the file is compressed by gzip: decompress it, or read_from a decompressor"
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

/// Names the file in what its reader says of it.
pub(crate) fn at(path: &Path) -> impl Fn(FileProblem) -> FileError + '_ {
    move |problem| FileError::new(path, problem)
}

/// Makes room for `count` more values, or says that there is none.
pub(crate) fn reserve<T>(list: &mut Vec<T>, count: usize) -> Result<(), FileProblem> {
    list.try_reserve(count)
        .map_err(|_| FileProblem::OutOfMemory { values: list.len().saturating_add(count) })
}
