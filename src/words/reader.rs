//! The reader of word vectors and its options.

use core::fmt;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use super::lines::ready;
use super::rows::{Duplicates, Progress, Report, Rows};
use super::text::Separator;
use super::vectors::WordVectors;
use super::vocabulary::Vocabulary;
use super::{binary, text};
use crate::error::{FileError, FileProblem, at};

/// A format of word vectors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum WordFormat {
    /// GloVe's text: a word and its numbers on each line, separated by single spaces, no header.
    Glove,
    /// word2vec's text: as GloVe's, after a line with the number of words and the number of values
    /// of each.
    Word2vecText,
    /// word2vec's binary: the same header, then for each word its bytes, a space, little-endian f32
    /// values, and possibly a line feed.
    Word2vecBinary,
    /// fastText's `.vec`, in the format of word2vec's text.
    FastText,
}

/// A reader of word vectors, made by [`WordVectors::reader`].
///
/// Files are streamed: memory is the table and the vocabulary plus less than a megabyte. It grows
/// with the vectors that are read, whatever number a header claims.
///
/// - A line is split from the right, by the known number of values, since glove.840B has words that
///   contain spaces (`. . .`).
/// - Spaces at the ends of lines (fastText, word2vec) and CR LF are accepted; words need not be
///   UTF-8.
/// - Numbers must be finite; words must not be empty. Empty lines are allowed at the end of the
///   file only.
/// - A gzip file is an error of its own: use [`read_from`](Self::read_from) with a decompressor.
///
/// ```
/// use positional_encodings::FileProblem;
/// use positional_encodings::words::{Place, WordFormat, WordVectors};
///
/// let mut reports = 0;
/// let vectors = WordVectors::reader(WordFormat::FastText)
///     .only(["cat", "dog"])
///     .with_progress(|progress| reports += usize::from(progress.words == 3))
///     .read_from("3 2\nthe 1 2 \ncat 3 4 \n. . . 5 6 \n".as_bytes(), "crawl.vec")?;
/// assert_eq!((vectors.table().dim(), reports), ((1, 2), 1));
///
/// let error = WordVectors::reader(WordFormat::Glove)
///     .read_from("a 1 2\nb 3\n".as_bytes(), "glove.txt")
///     .unwrap_err();
/// assert_eq!(
///     error.problem,
///     FileProblem::TooFewNumbers { at: Place::Line(2), expected: 2, found: 1 }
/// );
/// assert_eq!(error.to_string(), "glove.txt: line 2: 1 numbers where there must be 2");
/// # Ok::<(), positional_encodings::FileError>(())
/// ```
pub struct WordReader<'a> {
    format: WordFormat,
    dim: Option<usize>,
    wanted: Option<Vocabulary>,
    duplicates: Duplicates,
    separator: Separator,
    progress: Option<Report<'a>>,
}

impl fmt::Debug for WordReader<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WordReader")
            .field("format", &self.format)
            .field("dim", &self.dim)
            .field("wanted", &self.wanted)
            .field("duplicates", &self.duplicates)
            .field("separator", &self.separator)
            .finish_non_exhaustive()
    }
}

impl WordVectors {
    /// Makes a reader of a format, with default options.
    pub fn reader<'a>(format: WordFormat) -> WordReader<'a> {
        WordReader::new(format)
    }

    /// Reads all vectors of a GloVe text file.
    ///
    /// # Errors
    ///
    /// The errors of [`WordReader::read`].
    pub fn glove(path: impl AsRef<Path>) -> Result<Self, FileError> {
        Self::reader(WordFormat::Glove).read(path)
    }
}

impl<'a> WordReader<'a> {
    fn new(format: WordFormat) -> Self {
        Self {
            format,
            dim: None,
            wanted: None,
            duplicates: Duplicates::default(),
            separator: Separator::default(),
            progress: None,
        }
    }

    /// Sets the number of values of each word. By default it is taken from the first line of a
    /// GloVe file, whose word must then not contain a space, or from the header of the other
    /// formats. A given number must agree with the header.
    pub fn with_dim(self, dim: usize) -> Self {
        Self { dim: Some(dim), ..self }
    }

    /// Reads the vectors of these words only, in the order of the file. Words that the file lacks
    /// are left out.
    pub fn only<W: AsRef<[u8]>>(self, words: impl IntoIterator<Item = W>) -> Self {
        Self { wanted: Some(words.into_iter().collect()), ..self }
    }

    /// Sets how words that occur again are treated.
    pub fn with_duplicates(self, duplicates: Duplicates) -> Self {
        Self { duplicates, ..self }
    }

    /// Sets the separator of the fields of a line of text.
    ///
    /// ```
    /// use positional_encodings::words::{Separator, WordFormat, WordVectors};
    ///
    /// let read = |text: &str, separator| {
    ///     let reader = WordVectors::reader(WordFormat::Glove).with_separator(separator);
    ///     reader.read_from(text.as_bytes(), "vectors.tsv").map(|vectors| vectors.table().dim())
    /// };
    /// assert_eq!(read("the\t1\t2\nNew York\t3\t4\n", Separator::Tab)?, (2, 2));
    /// assert_eq!(read("the  1 \t 2\ncat 3   4\n\n", Separator::Whitespace)?, (2, 2));
    /// assert!(read("the  1 2\n", Separator::Space).is_err());
    /// # Ok::<(), positional_encodings::FileError>(())
    /// ```
    pub fn with_separator(self, separator: Separator) -> Self {
        Self { separator, ..self }
    }

    /// Calls `progress` about once for each megabyte, and at the end.
    pub fn with_progress(self, progress: impl FnMut(Progress) + 'a) -> Self {
        Self { progress: Some(Box::new(progress)), ..self }
    }

    /// Reads a file.
    ///
    /// # Errors
    ///
    /// [`FileProblem::Io`]; for a line or a byte: [`FileProblem::TooFewNumbers`],
    /// [`FileProblem::NotANumber`], [`FileProblem::EmptyWord`], [`FileProblem::DuplicateWord`],
    /// [`FileProblem::EmptyLine`], [`FileProblem::TooLong`], [`FileProblem::Truncated`]; for the
    /// whole file: [`FileProblem::InvalidWordHeader`], [`FileProblem::UnexpectedWordHeader`],
    /// [`FileProblem::WordCount`], [`FileProblem::Empty`], [`FileProblem::Compressed`],
    /// [`FileProblem::OutOfMemory`].
    pub fn read(self, path: impl AsRef<Path>) -> Result<WordVectors, FileError> {
        let path = path.as_ref();
        let open = || -> std::io::Result<(File, u64)> {
            let file = File::open(path)?;
            let len = file.metadata()?.len();
            Ok((file, len))
        };
        let (file, len) = open().map_err(|error| at(path)(error.into()))?;
        self.run(BufReader::with_capacity(1 << 17, file), Some(len)).map_err(at(path))
    }

    /// Reads from any source, such as a decompressor; errors show `name` as its path.
    ///
    /// # Errors
    ///
    /// The errors of [`read`](Self::read).
    pub fn read_from(
        self,
        source: impl BufRead,
        name: impl Into<PathBuf>,
    ) -> Result<WordVectors, FileError> {
        let name = name.into();
        self.run(source, None).map_err(at(&name))
    }

    fn run(self, mut source: impl BufRead, total: Option<u64>) -> Result<WordVectors, FileProblem> {
        let Self { format, dim, wanted, duplicates, separator, progress } = self;
        // The first bytes of gzip, with which no text begins.
        if ready(&mut source)?.starts_with(&[0x1f, 0x8b]) {
            return Err(FileProblem::Compressed);
        }
        let mut rows = Rows::new(wanted, duplicates, progress, total);
        let dim = match format {
            WordFormat::Glove => text::glove(source, dim, separator, &mut rows)?,
            WordFormat::Word2vecText | WordFormat::FastText => {
                text::word2vec(source, dim, separator, &mut rows)?
            }
            WordFormat::Word2vecBinary => binary::word2vec(source, dim, &mut rows)?,
        };
        rows.finish(dim)
    }
}
