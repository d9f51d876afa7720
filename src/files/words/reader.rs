//! The choices of a reader, and what all formats share.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use ndarray::Array2;

use super::{Vocabulary, WordVectors, binary, text};
use crate::files::{FileError, FileProblem, Place, at, reserve};

/// A format of word vectors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum WordFormat {
    /// GloVe's text: a word and its numbers on each line, separated by single spaces, no header.
    Glove,
    /// word2vec's text: the same after a line with the number of words and that of numbers for
    /// each.
    Word2vecText,
    /// word2vec's binary: that header, then for each word its bytes, a space, little-endian f32
    /// values, and perhaps a line feed.
    Word2vecBinary,
    /// fastText's `.vec`, which is word2vec's text.
    FastText,
}

/// What becomes of a word that occurs again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Duplicates {
    /// It is an error.
    #[default]
    Refuse,
    /// The first vector stays, as gensim has it.
    KeepFirst,
}

/// How far a reader is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// Bytes read.
    pub bytes: u64,
    /// Bytes in all, where that is known.
    pub total: Option<u64>,
    /// Vectors seen, those that were not asked for included.
    pub words: u64,
}

/// Reads word vectors, made by [`WordVectors::reader`].
///
/// Files are streamed: memory is that of the table and the vocabulary plus less than a megabyte,
/// and none is taken on the word of a header.
///
/// - A line is split from the right, by the known number of numbers, since glove.840B has words
///   with spaces in them (`. . .`).
/// - Spaces at the ends of lines (fastText, word2vec) and CR LF are accepted; words need not be
///   UTF-8.
/// - Numbers must be finite; words must not be empty.
///
/// ```
/// use positional_encodings::{FileProblem, Place, WordFormat, WordVectors};
///
/// let mut reports = 0;
/// let vectors = WordVectors::reader(WordFormat::FastText)
///     .only(["cat", "dog"])
///     .with_progress(|progress| reports += usize::from(progress.words == 3))
///     .read_from("3 2\nthe 1 2 \ncat 3 4 \n. . . 5 6 \n".as_bytes(), "crawl.vec")?;
/// assert_eq!((vectors.table().dim(), reports), ((1, 2), 1));
///
/// let error = WordVectors::reader(WordFormat::Glove).read_from("a 1 2\nb 3\n".as_bytes(), "glove.txt").unwrap_err();
/// assert_eq!(error.problem, FileProblem::TooFewNumbers { at: Place::Line(2), expected: 2, found: 1 });
/// assert_eq!(error.to_string(), "glove.txt: line 2: 1 numbers where there must be 2");
/// # Ok::<(), positional_encodings::FileError>(())
/// ```
pub struct WordReader<'a> {
    format: WordFormat,
    dim: Option<usize>,
    wanted: Option<Vocabulary>,
    duplicates: Duplicates,
    progress: Option<Box<dyn FnMut(Progress) + 'a>>,
}

impl<'a> WordReader<'a> {
    pub(super) fn new(format: WordFormat) -> Self {
        Self { format, dim: None, wanted: None, duplicates: Duplicates::default(), progress: None }
    }

    /// Numbers for each word. Without this, GloVe's first line says it, whose word must then not
    /// have a space in it, and the header of the other formats, which must agree otherwise.
    pub fn with_dim(self, dim: usize) -> Self {
        Self { dim: Some(dim), ..self }
    }

    /// Reads the vectors of these words only, in the order of the file. Those that it lacks are
    /// left out.
    pub fn only<W: AsRef<[u8]>>(self, words: impl IntoIterator<Item = W>) -> Self {
        Self { wanted: Some(words.into_iter().collect()), ..self }
    }

    /// What becomes of words that occur again.
    pub fn with_duplicates(self, duplicates: Duplicates) -> Self {
        Self { duplicates, ..self }
    }

    /// Calls `progress` about once for each megabyte, and at the end.
    pub fn with_progress(self, progress: impl FnMut(Progress) + 'a) -> Self {
        Self { progress: Some(Box::new(progress)), ..self }
    }

    /// Reads a file.
    ///
    /// # Errors
    ///
    /// [`FileProblem::Io`]; what is wrong with a line or a byte: [`FileProblem::TooFewNumbers`],
    /// [`FileProblem::NotANumber`], [`FileProblem::EmptyWord`], [`FileProblem::DuplicateWord`],
    /// [`FileProblem::TooLong`], [`FileProblem::Truncated`]; with the whole:
    /// [`FileProblem::InvalidWordHeader`], [`FileProblem::UnexpectedWordHeader`],
    /// [`FileProblem::WordCount`], [`FileProblem::Empty`], [`FileProblem::OutOfMemory`].
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

    /// Reads anything that can be read, a decompressor say; `name` is what errors call it.
    ///
    /// # Errors
    ///
    /// Those of [`read`](Self::read).
    pub fn read_from(
        self,
        source: impl BufRead,
        name: impl Into<PathBuf>,
    ) -> Result<WordVectors, FileError> {
        let name = name.into();
        self.run(source, None).map_err(at(&name))
    }

    fn run(self, source: impl BufRead, total: Option<u64>) -> Result<WordVectors, FileProblem> {
        let Self { format, dim, wanted, duplicates, progress } = self;
        let mut rows = Rows {
            vocabulary: Vocabulary::new(),
            values: Vec::new(),
            wanted,
            duplicates,
            progress,
            state: Progress { bytes: 0, total, words: 0 },
            bytes: 0,
            reported: 0,
        };
        let dim = match format {
            WordFormat::Glove => text::glove(source, dim, &mut rows)?,
            WordFormat::Word2vecText | WordFormat::FastText => {
                text::word2vec(source, dim, &mut rows)?
            }
            WordFormat::Word2vecBinary => binary::word2vec(source, dim, &mut rows)?,
        };
        rows.finish(dim)
    }
}

/// What has been read so far.
pub(super) struct Rows<'a> {
    vocabulary: Vocabulary,
    values: Vec<f32>,
    wanted: Option<Vocabulary>,
    duplicates: Duplicates,
    progress: Option<Box<dyn FnMut(Progress) + 'a>>,
    state: Progress,
    /// Bytes read, and those of them that were reported.
    bytes: u64,
    reported: u64,
}

impl Rows<'_> {
    /// Notes a word that ends at byte `bytes` of the file; whether its vector is to be kept.
    pub(super) fn begin(
        &mut self,
        word: &[u8],
        place: Place,
        bytes: u64,
    ) -> Result<bool, FileProblem> {
        const EVERY: u64 = 1 << 20;
        if word.is_empty() {
            return Err(FileProblem::EmptyWord { at: place });
        }
        self.bytes = bytes;
        if bytes >= self.reported + EVERY {
            self.report(bytes);
        }
        self.state.words += 1;
        if self.wanted.as_ref().is_some_and(|wanted| wanted.row(word).is_none()) {
            return Ok(false);
        }
        match (self.vocabulary.insert(word), self.duplicates) {
            (Ok(_), _) => Ok(true),
            (Err(_), Duplicates::KeepFirst) => Ok(false),
            (Err(row), Duplicates::Refuse) => Err(FileProblem::DuplicateWord { at: place, row }),
        }
    }

    /// Where the numbers of the word that has begun go, with room for `count` of them.
    ///
    /// Of a file the length is known, and with it about how many there will be: so the table grows
    /// once or twice, and not by doubling.
    pub(super) fn values(&mut self, count: usize) -> Result<&mut Vec<f32>, FileProblem> {
        const ENOUGH: u64 = 1 << 16;
        let held = self.values.len();
        if self.values.capacity() - held >= count {
            return Ok(&mut self.values);
        }
        match self.state.total {
            Some(total) if (ENOUGH..total).contains(&self.bytes) => {
                let projected = (held as f64 * (total as f64 / self.bytes as f64) * 1.01) as usize;
                let more = projected.saturating_sub(held).max(count);
                let values = held.saturating_add(more);
                self.values
                    .try_reserve_exact(more)
                    .map_err(|_| FileProblem::OutOfMemory { values })?;
            }
            _ => reserve(&mut self.values, count)?,
        }
        Ok(&mut self.values)
    }

    pub(super) fn words(&self) -> u64 {
        self.state.words
    }

    pub(super) fn report(&mut self, bytes: u64) {
        self.reported = bytes;
        self.state.bytes = bytes;
        if let Some(progress) = &mut self.progress {
            progress(self.state);
        }
    }

    fn finish(mut self, dim: usize) -> Result<WordVectors, FileProblem> {
        self.values.shrink_to_fit();
        let values = self.values.len();
        let table = Array2::from_shape_vec((self.vocabulary.len(), dim), self.values);
        let table = table.map_err(|_| FileProblem::OutOfMemory { values })?;
        Ok(WordVectors { vocabulary: self.vocabulary, table })
    }
}
