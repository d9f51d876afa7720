//! A vocabulary and its vectors.

use core::fmt;

use ndarray::{Array2, ArrayView1, ArrayView2};

use super::vocabulary::Vocabulary;

/// A vocabulary and its vectors: row i of the table (words, dim) belongs to word i.
///
/// Values are f32, the type that all these formats store or print. [`into_parts`](Self::into_parts)
/// returns vocabulary and table; the table can be passed to
/// [`TokenEmbedding::new`](crate::TokenEmbedding::new):
///
/// ```
/// use ndarray::array;
/// use positional_encodings::{Sinusoidal, TokenEmbedding};
/// use positional_encodings::words::{WordFormat, WordVectors};
///
/// let file = "the 0.25 1 0 0\ncat 0.5 2 0 0\n";
/// let vectors = WordVectors::reader(WordFormat::Glove).read_from(file.as_bytes(), "memory")?;
/// assert_eq!(vectors.vector("cat").unwrap().to_vec(), [0.5, 2.0, 0.0, 0.0]);
///
/// let (vocabulary, table) = vectors.into_parts();
/// let tokens = ["the", "cat"].iter().filter_map(|word| vocabulary.row(word));
/// let tokens: ndarray::Array1<usize> = tokens.collect();
/// let input = TokenEmbedding::new(table, Sinusoidal::new(4)?)?.embed(&tokens)?;
/// // the vector and sin 0, cos 0, sin 0, cos 0
/// assert_eq!(input.row(0).to_vec(), [0.25, 2.0, 0.0, 1.0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq)]
pub struct WordVectors {
    vocabulary: Vocabulary,
    table: Array2<f32>,
}

impl fmt::Debug for WordVectors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WordVectors").field("table", &self.table.dim()).finish_non_exhaustive()
    }
}

impl WordVectors {
    /// Joins a vocabulary and a table of as many rows.
    pub(super) fn new(vocabulary: Vocabulary, table: Array2<f32>) -> Self {
        debug_assert_eq!(vocabulary.len(), table.nrows());
        Self { vocabulary, table }
    }

    /// Returns the words.
    pub fn vocabulary(&self) -> &Vocabulary {
        &self.vocabulary
    }

    /// Returns the vectors, shape (words, dim).
    pub fn table(&self) -> ArrayView2<'_, f32> {
        self.table.view()
    }

    /// Returns the vector of a word, or `None` for an unknown word.
    pub fn vector(&self, word: impl AsRef<[u8]>) -> Option<ArrayView1<'_, f32>> {
        Some(self.table.row(self.vocabulary.row(word)?))
    }

    /// Returns the vocabulary and the table, without a copy.
    pub fn into_parts(self) -> (Vocabulary, Array2<f32>) {
        (self.vocabulary, self.table)
    }
}
