//! The vectors that a reader has read so far, whatever the format.

use ndarray::Array2;

use super::vectors::WordVectors;
use super::vocabulary::Vocabulary;
use crate::error::{FileProblem, Place, reserve};

/// The fate of a word that occurs again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Duplicates {
    /// The reader refuses the file.
    #[default]
    Refuse,
    /// The first vector stays, as gensim has it.
    KeepFirst,
}

/// The point that a reader has reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// The bytes read so far.
    pub bytes: u64,
    /// The bytes in all, where that is known.
    pub total: Option<u64>,
    /// The vectors seen, those that were not asked for included.
    pub words: u64,
}

/// A function that is told how far a reader is.
pub(super) type Report<'a> = Box<dyn FnMut(Progress) + 'a>;

/// The vectors that were read so far, and how they are chosen.
pub(super) struct Rows<'a> {
    vocabulary: Vocabulary,
    values: Vec<f32>,
    wanted: Option<Vocabulary>,
    duplicates: Duplicates,
    progress: Option<Report<'a>>,
    state: Progress,
    /// Bytes read, and those of them that were reported.
    bytes: u64,
    reported: u64,
}

impl<'a> Rows<'a> {
    /// Starts without rows, for a source of `total` bytes where that is known.
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

    /// The words and the table of their vectors, of `dim` numbers each.
    pub(super) fn finish(mut self, dim: usize) -> Result<WordVectors, FileProblem> {
        self.values.shrink_to_fit();
        let values = self.values.len();
        let table = Array2::from_shape_vec((self.vocabulary.len(), dim), self.values);
        let table = table.map_err(|_| FileProblem::OutOfMemory { values })?;
        Ok(WordVectors::new(self.vocabulary, table))
    }
}
