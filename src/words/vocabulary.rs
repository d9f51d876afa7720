//! The vocabulary: words and their rows.

use core::fmt;
use std::borrow::Cow;
use std::hash::{BuildHasher, RandomState};

/// Words in order, each with its index.
///
/// Words are bytes, since files of word vectors contain some that are not UTF-8. They are stored
/// one after the other in one block of memory; half a million take about 15 MB, a third of a map of
/// strings.
///
/// ```
/// use positional_encodings::words::Vocabulary;
///
/// let vocabulary: Vocabulary = ["[PAD]", "the", "cat"].into_iter().collect();
/// assert_eq!(
///     (vocabulary.len(), vocabulary.row("cat"), vocabulary.row("dog")),
///     (3, Some(2), None)
/// );
/// assert_eq!(vocabulary.word(1), Some(&b"the"[..]));
/// assert_eq!(vocabulary.text(1).as_deref(), Some("the"));
/// ```
#[derive(Clone, Default)]
pub struct Vocabulary {
    bytes: Vec<u8>,
    /// The end of each word.
    ends: Vec<usize>,
    /// Row + 1, at the slot of the word's hash or after it; 0 for an empty slot. The length is a
    /// power of two, at least twice that of `ends`.
    slots: Vec<u32>,
    hasher: RandomState,
}

impl Vocabulary {
    /// Makes an empty vocabulary.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns the number of words.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Returns true if there are no words.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Returns the row of a word, or `None` for an unknown word.
    pub fn row(&self, word: impl AsRef<[u8]>) -> Option<usize> {
        self.find(word.as_ref()).ok()
    }

    /// Returns the bytes of the word of a row.
    pub fn word(&self, row: usize) -> Option<&[u8]> {
        let end = *self.ends.get(row)?;
        let start = row.checked_sub(1).map_or(0, |before| self.ends[before]);
        self.bytes.get(start..end)
    }

    /// Returns the word of a row as text, with U+FFFD for bytes that are not UTF-8.
    pub fn text(&self, row: usize) -> Option<Cow<'_, str>> {
        self.word(row).map(String::from_utf8_lossy)
    }

    /// Returns the words in order.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        (0..self.len()).filter_map(|row| self.word(row))
    }

    /// Adds a new word and returns its row.
    ///
    /// # Errors
    ///
    /// The row of the word if it is present already; past 2³² − 1 words, the last row.
    pub fn insert(&mut self, word: impl AsRef<[u8]>) -> Result<usize, usize> {
        let word = word.as_ref();
        let row = self.len();
        let Ok(mark) = u32::try_from(row + 1) else { return Err(row - 1) };
        if 2 * (row + 1) > self.slots.len() {
            self.grow();
        }
        match self.find(word) {
            Ok(row) => Err(row),
            Err(slot) => {
                self.slots[slot] = mark;
                self.bytes.extend_from_slice(word);
                self.ends.push(self.bytes.len());
                Ok(row)
            }
        }
    }

    /// Returns the row of a word, or the slot for it.
    fn find(&self, word: &[u8]) -> Result<usize, usize> {
        if self.slots.is_empty() {
            return Err(0);
        }
        let mask = self.slots.len() - 1;
        let mut slot = self.hasher.hash_one(word) as usize & mask;
        loop {
            match self.slots[slot] {
                0 => return Err(slot),
                mark if self.word(mark as usize - 1) == Some(word) => return Ok(mark as usize - 1),
                _ => slot = (slot + 1) & mask,
            }
        }
    }

    fn grow(&mut self) {
        let len = (2 * self.slots.len()).max(16);
        let mask = len - 1;
        let mut slots = vec![0_u32; len];
        for row in 0..self.len() {
            let hash = self.word(row).map_or(0, |word| self.hasher.hash_one(word));
            let mut slot = hash as usize & mask;
            while slots[slot] != 0 {
                slot = (slot + 1) & mask;
            }
            slots[slot] = row as u32 + 1;
        }
        self.slots = slots;
    }
}

impl fmt::Debug for Vocabulary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vocabulary")
            .field("words", &self.len())
            .field("bytes", &self.bytes.len())
            .finish_non_exhaustive()
    }
}

/// Vocabularies are equal if they have the same words in the same order.
impl PartialEq for Vocabulary {
    fn eq(&self, other: &Self) -> bool {
        self.bytes == other.bytes && self.ends == other.ends
    }
}

impl<W: AsRef<[u8]>> FromIterator<W> for Vocabulary {
    /// A word that occurs again keeps its first row.
    fn from_iter<I: IntoIterator<Item = W>>(words: I) -> Self {
        let mut vocabulary = Self::new();
        for word in words {
            let _ = vocabulary.insert(word); // a repetition is not an error here
        }
        vocabulary
    }
}
