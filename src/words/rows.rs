//! The vectors read so far, whatever the format.

use ndarray::Array2;

use super::vectors::WordVectors;
use super::vocabulary::Vocabulary;
use crate::error::{FileProblem, Place, reserve};

/// The treatment of a word that occurs again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Duplicates {
    /// A repeated word is an error.
    #[default]
    Refuse,
    /// The first vector is kept, as in gensim.
    KeepFirst,
}

/// The progress of a reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// The bytes read so far.
    pub bytes: u64,
    /// The total number of bytes, if known.
    pub total: Option<u64>,
    /// The number of vectors seen, including those that were not asked for.
    pub words: u64,
}

/// A function that is called with the progress of a reader.
pub(super) type Report<'a> = Box<dyn FnMut(Progress) + 'a>;

/// The vectors read so far, and the options that select them.
pub(super) struct Rows<'a> {
    vocabulary: Vocabulary,
    values: Vec<f32>,
    wanted: Option<Vocabulary>,
    duplicates: Duplicates,
    progress: Option<Report<'a>>,
    state: Progress,
    /// The bytes read, and the bytes at the last report.
    bytes: u64,
    reported: u64,
}

impl<'a> Rows<'a> {
    /// Makes an empty table for a source of `total` bytes, if known.
    pub(super) fn new(
        wanted: Option<Vocabulary>,
        duplicates: Duplicates,
        progress: Option<Report<'a>>,
        total: Option<u64>,
    ) -> Self {
        Self {
            vocabulary: Vocabulary::new(),
            values: Vec::new(),
            wanted,
            duplicates,
            progress,
            state: Progress { bytes: 0, total, words: 0 },
            bytes: 0,
            reported: 0,
        }
    }

    /// Adds a word that ends at byte `bytes` of the file; returns whether its vector is to be kept.
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

    /// Returns the list to which the numbers of the current word are added, with room for `count`
    /// of them.
    ///
    /// The length of the file tells roughly how many rows there will be, so the table is
    /// reallocated once or twice instead of by doubling.
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

    /// Returns the words and the table of their vectors, of `dim` numbers each.
    pub(super) fn finish(mut self, dim: usize) -> Result<WordVectors, FileProblem> {
        self.values.shrink_to_fit();
        let values = self.values.len();
        let table = Array2::from_shape_vec((self.vocabulary.len(), dim), self.values);
        let table = table.map_err(|_| FileProblem::OutOfMemory { values })?;
        Ok(WordVectors::new(self.vocabulary, table))
    }
}
