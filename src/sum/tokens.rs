//! From token ids to the input of an encoder: word row × scale + segment row + position vector.

mod fmt;
mod train;
mod trainable;

use ndarray::{
    Array, Array2, ArrayBase, ArrayView, ArrayView1, ArrayView2, ArrayViewD, ArrayViewMut, Data,
    Dimension,
};
use num_traits::PrimInt;

use super::rows::{Picked, Target, Terms};
use super::walk::Sum;
use crate::additive::{FrozenRows, PositionalEncoding, check_lengths};
use crate::arrays::{check_width, nth, row_major, without_unit_axes};
use crate::element::Element;
use crate::error::Error;
use crate::phase::BLOCK;
use crate::positions::Positions;

/// The embedding layer of a transformer: a word table, an encoding of positions, and optionally
/// segments.
///
/// out\[…, i\] = words\[token_i\] · scale + segments\[segment_i\] + PE(position_i), summed in this
/// order in the element type. BERT and its descendants use the same order, so the sums equal those
/// before their LayerNorm bit for bit.
///
/// ```
/// use ndarray::array;
/// use positional_encodings::{Learned, TokenEmbedding};
///
/// let words = array![[1.0_f32, 2.0], [3.0, 4.0]];
/// let positions = Learned::from_table(array![[0.5, 0.5], [0.25, 0.25]])?;
/// let embedding = TokenEmbedding::new(words, positions)?;
/// assert_eq!(embedding.embed(&array![1, 0])?, array![[3.5, 4.5], [1.25, 2.25]]);
///
/// // A batch with segments, at positions of its own
/// let bert = embedding.with_segments(array![[0.0, 0.0], [10.0, 10.0]])?;
/// let input = bert.lookup(&array![[1, 0]]).with_segments(&array![[0, 1]]).at(&[1, 0]).embed()?;
/// assert_eq!(input, array![[[3.25, 4.25], [11.5, 12.5]]]);
/// # Ok::<(), positional_encodings::Error>(())
/// ```
///
/// Words that are vectors already (`inputs_embeds`, rows of a
/// [`WordVectors`](crate::words::WordVectors) table looked up elsewhere, OPT-350m's words after
/// their projection) need no table: add positions to them with
/// [`add_positions`](crate::add_positions).
#[derive(Clone, PartialEq)]
pub struct TokenEmbedding<A, E> {
    words: Array2<A>,
    segments: Option<Array2<A>>,
    positions: E,
    scale: Option<A>,
    /// Rows of the word table that get no gradient.
    frozen: FrozenRows,
}

impl<A: Element, E: PositionalEncoding<A>> TokenEmbedding<A, E> {
    /// Makes an embedding from a word table (vocabulary, dim) and an encoding of the same dim.
    ///
    /// # Errors
    ///
    /// [`Error::WidthMismatch`].
    pub fn new(words: Array2<A>, positions: E) -> Result<Self, Error> {
        check_width(positions.dim(), words.ncols())?;
        Ok(Self {
            words: row_major(words),
            segments: None,
            positions,
            scale: None,
            frozen: FrozenRows::default(),
        })
    }

    /// Multiplies word rows by `scale`: √dim in the paper, Marian and BART with `scale_embedding`.
    ///
    /// The scale is rounded to the element type first, as torch and Gemma do.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidFactor`] where the scale is not finite.
    ///
    /// ```
    /// use ndarray::array;
    /// use positional_encodings::{Learned, TokenEmbedding};
    ///
    /// let positions = Learned::from_table(array![[0.5_f32; 4]])?;
    /// let embedding = TokenEmbedding::new(array![[1.0; 4]], positions)?.with_scale(4_f64.sqrt())?;
    /// assert_eq!(embedding.embed(&array![0])?, array![[2.5; 4]]);
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn with_scale(self, scale: f64) -> Result<Self, Error> {
        if !scale.is_finite() {
            return Err(Error::InvalidFactor { factor: scale });
        }
        Ok(Self { scale: Some(A::from_f64(scale)), ..self })
    }

    /// Adds a segment (token type) table (segments, dim). Where a lookup has no segment ids, all
    /// tokens are in segment 0.
    ///
    /// # Errors
    ///
    /// [`Error::WidthMismatch`].
    pub fn with_segments(self, segments: Array2<A>) -> Result<Self, Error> {
        check_width(self.positions.dim(), segments.ncols())?;
        Ok(Self { segments: Some(row_major(segments)), ..self })
    }

    /// Replaces the encoding of positions, so that encodings can be compared without a second
    /// vocabulary in memory.
    ///
    /// # Errors
    ///
    /// [`Error::WidthMismatch`].
    ///
    /// ```
    /// use ndarray::array;
    /// use positional_encodings::{Learned, Sinusoidal, TokenEmbedding};
    ///
    /// let sinusoidal = TokenEmbedding::new(array![[1.0, 2.0]], Sinusoidal::new(2)?)?;
    /// assert_eq!(sinusoidal.embed(&array![0])?, array![[1.0, 3.0]]); // sin 0, cos 0
    /// let learned = sinusoidal.with_positions(Learned::from_table(array![[0.5, 0.25]])?)?;
    /// assert_eq!(learned.embed(&array![0])?, array![[1.5, 2.25]]);
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn with_positions<F: PositionalEncoding<A>>(
        self,
        positions: F,
    ) -> Result<TokenEmbedding<A, F>, Error> {
        check_width(positions.dim(), self.words.ncols())?;
        let Self { words, segments, scale, frozen, .. } = self;
        Ok(TokenEmbedding { words, segments, positions, scale, frozen })
    }

    /// Returns the word table (vocabulary, dim).
    pub fn words(&self) -> ArrayView2<'_, A> {
        self.words.view()
    }

    /// Returns the segment table (segments, dim), if there is one.
    pub fn segments(&self) -> Option<ArrayView2<'_, A>> {
        self.segments.as_ref().map(|segments| segments.view())
    }

    /// Returns the encoding of positions.
    pub fn positions(&self) -> &E {
        &self.positions
    }

    /// Returns the encoding of positions as a mutable reference, to train or change it.
    ///
    /// If it is replaced by an encoding of another dim, the next lookup is an error; see
    /// [`with_positions`](Self::with_positions).
    pub fn positions_mut(&mut self) -> &mut E {
        &mut self.positions
    }

    /// Takes the embedding apart: the word table, the segment table if there is one, and the
    /// encoding of positions.
    ///
    /// ```
    /// use ndarray::array;
    /// use positional_encodings::{Learned, TokenEmbedding};
    ///
    /// let positions = Learned::from_table(array![[0.5_f32], [0.25]])?;
    /// let (words, segments, positions) =
    ///     TokenEmbedding::new(array![[1.0], [2.0]], positions)?.into_parts();
    /// assert_eq!((words.nrows(), segments, positions.max_len()), (2, None, Some(2)));
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn into_parts(self) -> (Array2<A>, Option<Array2<A>>, E) {
        (self.words, self.segments, self.positions)
    }

    /// Starts a lookup of `tokens` (…, len).
    pub fn lookup<'a, T, S, D>(&'a self, tokens: &'a ArrayBase<S, D>) -> Lookup<'a, A, E, T, D>
    where
        T: PrimInt,
        S: Data<Elem = T>,
        D: Dimension,
    {
        Lookup { embedding: self, tokens: tokens.view(), segments: None, positions: None }
    }

    /// Returns the input for `tokens` (…, len) at positions 0..len, shape (…, len, dim).
    ///
    /// # Errors
    ///
    /// The errors of [`Lookup::embed_into`], and [`Error::TooLarge`].
    pub fn embed<T, S, D>(&self, tokens: &ArrayBase<S, D>) -> Result<Array<A, D::Larger>, Error>
    where
        T: PrimInt + Sync,
        S: Data<Elem = T>,
        D: Dimension,
    {
        self.lookup(tokens).embed()
    }
}

/// A lookup of token ids, made by [`TokenEmbedding::lookup`].
#[derive(Clone)]
pub struct Lookup<'a, A, E, T, D: Dimension> {
    embedding: &'a TokenEmbedding<A, E>,
    tokens: ArrayView<'a, T, D>,
    segments: Option<ArrayView<'a, T, D>>,
    positions: Option<Positions<'a>>,
}

impl<'a, A, E, T, D> Lookup<'a, A, E, T, D>
where
    A: Element,
    E: PositionalEncoding<A>,
    T: PrimInt + Sync,
    D: Dimension,
{
    /// Sets the segment ids, of the same shape as the tokens.
    pub fn with_segments<S: Data<Elem = T>>(self, segments: &'a ArrayBase<S, D>) -> Self {
        Self { segments: Some(segments.view()), ..self }
    }

    /// Sets the positions, 0..len by default: a list that all sequences share, or ids (batch, len).
    pub fn at(self, positions: impl Into<Positions<'a>>) -> Self {
        Self { positions: Some(positions.into()), ..self }
    }

    /// Returns the input as a new array (…, len, dim).
    ///
    /// # Errors
    ///
    /// The errors of [`embed_into`](Self::embed_into), and [`Error::TooLarge`].
    pub fn embed(self) -> Result<Array<A, D::Larger>, Error> {
        self.check()?;
        let mut shape = D::Larger::zeros(self.tokens.ndim() + 1);
        let lens = self.tokens.shape().iter().copied().chain([self.embedding.positions.dim()]);
        shape.slice_mut().iter_mut().zip(lens).for_each(|(axis, len)| *axis = len);
        self.sum(|sum| sum.new_array(shape))
    }

    /// Writes the input to `out` (…, len, dim), whatever was there, in one pass over memory.
    ///
    /// # Errors
    ///
    /// [`Error::TooFewAxes`] for tokens without an axis, [`Error::LengthMismatch`] for segments,
    /// positions or an output of another shape, [`Error::WidthMismatch`],
    /// [`Error::IdOutsideTable`], and the errors of the encoding; `out` is then unchanged.
    pub fn embed_into(&self, out: ArrayViewMut<'_, A, D::Larger>) -> Result<(), Error> {
        self.check()?;
        self.check_shape(out.shape(), "rows")?;
        self.sum(|sum| sum.make(out.into_dyn()))
    }

    /// Calls `make` with the sum of the terms.
    fn sum<R>(&self, make: impl FnOnce(Sum<'_, A, E>) -> R) -> R {
        let ids = |ids: &ArrayView<'a, T, D>| without_unit_axes(ids.clone().into_dyn(), 1);
        let (tokens, segments) = (ids(&self.tokens), self.segments.as_ref().map(ids));
        let write = |sequence, row, target: Target<'_, A>, vectors: ArrayView2<'_, A>| {
            let (mut words, mut kinds) = ([0; BLOCK], [0; BLOCK]);
            pick(&tokens, sequence, row, &mut words[..vectors.nrows()]);
            // Without ids all tokens are in segment 0.
            let segments = segments.as_ref();
            segments.inspect(|ids| pick(ids, sequence, row, &mut kinds[..vectors.nrows()]));
            let table = self.embedding.segments.as_ref();
            Terms {
                words: Picked::rows(&self.embedding.words, &words),
                scale: self.embedding.scale.unwrap_or(A::one()),
                segments: table.map(|table| Picked::rows(table, &kinds)),
                vectors: vectors.as_slice().unwrap_or_default(),
                dim: vectors.ncols(),
            }
            .write(target);
        };
        let default = self.default_positions();
        let positions = self.positions.as_ref().unwrap_or(&default);
        make(Sum { encoding: &self.embedding.positions, positions, write: Some(&write) })
    }

    /// Returns the positions 0..len.
    fn default_positions(&self) -> Positions<'static> {
        Positions::from(0..self.tokens.shape().last().copied().unwrap_or(0))
    }

    fn check(&self) -> Result<(), Error> {
        if self.tokens.ndim() == 0 {
            return Err(Error::TooFewAxes { expected: 1, found: 0 });
        }
        let embedding = self.embedding;
        check_width(embedding.positions.dim(), embedding.words.ncols())?;
        check_ids("word", &self.tokens, embedding.words.nrows())?;
        let kinds = embedding.segments.as_ref().map_or(0, Array2::nrows);
        match &self.segments {
            Some(segments) => {
                check_lens("segments", self.tokens.shape(), segments.shape())?;
                check_ids("segment", segments, kinds)?;
            }
            None if embedding.segments.is_some() && kinds == 0 => {
                return Err(Error::IdOutsideTable { table: "segment", id: 0, rows: 0 });
            }
            None => {}
        }
        let Some(positions) = &self.positions else {
            return embedding.positions.check(&self.default_positions());
        };
        check_lengths(self.tokens.shape(), positions)?;
        embedding.positions.check(positions)
    }

    /// Checks that an array has the shape (…, len, dim) of the input.
    fn check_shape(&self, shape: &[usize], what: &'static str) -> Result<(), Error> {
        let dim = self.embedding.positions.dim();
        let [lens @ .., width] = shape else {
            return Err(Error::TooFewAxes { expected: 2, found: 0 });
        };
        check_lens(what, self.tokens.shape(), lens)?;
        match *width {
            width if width == dim => Ok(()),
            width => Err(Error::WidthMismatch { expected: dim, found: width }),
        }
    }
}

/// Writes the ids of a sequence, from `row` on, to `numbers`.
fn pick<T: PrimInt>(ids: &ArrayViewD<'_, T>, sequence: usize, row: usize, numbers: &mut [usize]) {
    let ids: Option<ArrayView1<'_, T>> = nth(ids, sequence);
    let ids = ids.iter().flat_map(|ids| ids.iter().skip(row));
    // All ids have been checked.
    numbers.iter_mut().zip(ids).for_each(|(number, id)| *number = id.to_usize().unwrap_or(0));
}

fn check_ids<T, D>(table: &'static str, ids: &ArrayView<'_, T, D>, rows: usize) -> Result<(), Error>
where
    T: PrimInt,
    D: Dimension,
{
    // 128-bit numbers must not wrap to the id of another row.
    let outside = |id: &&T| id.to_usize().is_none_or(|id| id >= rows);
    match ids.iter().find(outside) {
        Some(id) => {
            let end = if *id < T::zero() { i64::MIN } else { i64::MAX };
            Err(Error::IdOutsideTable { table, id: id.to_i64().unwrap_or(end), rows })
        }
        None => Ok(()),
    }
}

/// Checks that the axes have the same lengths.
fn check_lens(what: &'static str, expected: &[usize], found: &[usize]) -> Result<(), Error> {
    if found.len() != expected.len() {
        let (expected, found) = (expected.len(), found.len());
        return Err(Error::LengthMismatch { what: "leading axes", expected, found });
    }
    match expected.iter().zip(found).find(|(expected, found)| expected != found) {
        Some((&expected, &found)) => Err(Error::LengthMismatch { what, expected, found }),
        None => Ok(()),
    }
}
