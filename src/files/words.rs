//! Pretrained word vectors: GloVe, word2vec, fastText.

mod binary;
mod lines;
mod reader;
mod text;
mod vocabulary;

pub use reader::{Duplicates, Progress, WordFormat, WordReader};
pub use vocabulary::Vocabulary;

use std::path::Path;

use ndarray::{Array2, ArrayView1, ArrayView2};

use super::FileError;

/// A vocabulary and its vectors: row i of the table (words, dim) belongs to word i.
///
/// Values are f32, which is what all these formats hold or print. Parts come out with
/// [`into_parts`](Self::into_parts), and the table is what
/// [`TokenEmbedding::new`](crate::TokenEmbedding::new) takes:
///
/// ```
/// use ndarray::array;
/// use positional_encodings::{Sinusoidal, TokenEmbedding, WordFormat, WordVectors};
///
/// let file = "the 0.25 1 0 0\ncat 0.5 2 0 0\n";
/// let vectors = WordVectors::reader(WordFormat::Glove).read_from(file.as_bytes(), "memory")?;
/// assert_eq!(vectors.vector("cat").unwrap().to_vec(), [0.5, 2.0, 0.0, 0.0]);
///
/// let (vocabulary, table) = vectors.into_parts();
/// let tokens: Vec<usize> = ["the", "cat"].iter().filter_map(|word| vocabulary.row(word)).collect();
/// let input = TokenEmbedding::new(table, Sinusoidal::new(4)?)?.embed(&ndarray::Array1::from(tokens))?;
/// assert_eq!(input.row(0).to_vec(), [0.25, 2.0, 0.0, 1.0]); // the vector and sin 0, cos 0, sin 0, cos 0
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct WordVectors {
    vocabulary: Vocabulary,
    table: Array2<f32>,
}

impl WordVectors {
    /// A reader of a format, with its choices still to be made.
    pub fn reader<'a>(format: WordFormat) -> WordReader<'a> {
        WordReader::new(format)
    }

    /// All vectors of a GloVe text file.
    ///
    /// # Errors
    ///
    /// Those of [`WordReader::read`].
    pub fn glove(path: impl AsRef<Path>) -> Result<Self, FileError> {
        Self::reader(WordFormat::Glove).read(path)
    }

    /// The words.
    pub fn vocabulary(&self) -> &Vocabulary {
        &self.vocabulary
    }

    /// The vectors, shape (words, dim).
    pub fn table(&self) -> ArrayView2<'_, f32> {
        self.table.view()
    }

    /// The vector of a word, or `None` where it is not among them.
    pub fn vector(&self, word: impl AsRef<[u8]>) -> Option<ArrayView1<'_, f32>> {
        Some(self.table.row(self.vocabulary.row(word)?))
    }

    /// The vocabulary and the table, without a copy.
    pub fn into_parts(self) -> (Vocabulary, Array2<f32>) {
        (self.vocabulary, self.table)
    }
}
