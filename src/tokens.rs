//! Token ids to the input of an encoder: word row × scale + segment row + position vector.

mod train;

use core::array;

use ndarray::{
    Array, Array2, ArrayBase, ArrayView, ArrayView1, ArrayView2, ArrayViewMut, Data, Dimension,
};
use num_traits::{AsPrimitive, PrimInt};

use crate::additive::FrozenRows;
use crate::additive::PositionalEncoding;
use crate::arrays::zeros;
use crate::batch::{Sum, nth};
use crate::element::Element;
use crate::error::Error;
use crate::parts::{Four, Summands};
use crate::phase::{BLOCK, Picked};
use crate::positions::Positions;

/// The embedding layer of a transformer: a word table, an encoding of positions, and if the model
/// has them segments.
///
/// out\[…, i\] = words\[token_i\] · scale + segments\[segment_i\] + PE(position_i), summed in this
/// order in the element type, which is the order of BERT and its descendants, so that sums before
/// LayerNorm are theirs bit for bit.
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
#[derive(Clone, Debug)]
pub struct TokenEmbedding<A, E> {
    words: Array2<A>,
    segments: Option<Array2<A>>,
    positions: E,
    scale: Option<A>,
    /// Rows of the word table that get no gradient.
    frozen: FrozenRows,
}

impl<A: Element, E: PositionalEncoding<A>> TokenEmbedding<A, E> {
    /// A word table (vocabulary, dim) and an encoding of the same dim.
    ///
    /// # Errors
    ///
    /// [`Error::WidthMismatch`].
    pub fn new(words: Array2<A>, positions: E) -> Result<Self, Error> {
        check_width(&words, positions.dim())?;
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
    /// [`Error::InvalidFactor`] where it is not finite.
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

    /// Adds rows of a segment (token type) table (segments, dim). Where a lookup names no segments,
    /// all are segment 0.
    ///
    /// # Errors
    ///
    /// [`Error::WidthMismatch`].
    pub fn with_segments(self, segments: Array2<A>) -> Result<Self, Error> {
        check_width(&segments, self.positions.dim())?;
        Ok(Self { segments: Some(row_major(segments)), ..self })
    }

    /// The same tables with another encoding of positions: encodings are compared without a second
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
        check_width(&self.words, positions.dim())?;
        let Self { words, segments, scale, frozen, .. } = self;
        Ok(TokenEmbedding { words, segments, positions, scale, frozen })
    }

    /// The word table (vocabulary, dim).
    pub fn words(&self) -> ArrayView2<'_, A> {
        self.words.view()
    }

    /// The segment table (segments, dim), if there is one.
    pub fn segments(&self) -> Option<ArrayView2<'_, A>> {
        self.segments.as_ref().map(|segments| segments.view())
    }

    /// The encoding of positions.
    pub fn positions(&self) -> &E {
        &self.positions
    }

    /// Starts a lookup of `tokens` (…, len).
    pub fn lookup<'a, T, S, D>(&'a self, tokens: &'a ArrayBase<S, D>) -> Lookup<'a, A, E, T, D>
    where
        T: PrimInt + AsPrimitive<i64>,
        S: Data<Elem = T>,
        D: Dimension,
    {
        Lookup { embedding: self, tokens: tokens.view(), segments: None, positions: None }
    }

    /// The input for `tokens` (…, len) at positions 0..len, shape (…, len, dim).
    ///
    /// # Errors
    ///
    /// Those of [`Lookup::embed_into`], and [`Error::TooLarge`].
    pub fn embed<T, S, D>(&self, tokens: &ArrayBase<S, D>) -> Result<Array<A, D::Larger>, Error>
    where
        T: PrimInt + AsPrimitive<i64> + Sync,
        S: Data<Elem = T>,
        D: Dimension,
    {
        self.lookup(tokens).embed()
    }
}

/// A lookup of token ids, made by [`TokenEmbedding::lookup`].
#[derive(Clone, Debug)]
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
    T: PrimInt + AsPrimitive<i64> + Sync,
    D: Dimension,
{
    /// Segment ids of the same shape as the tokens.
    pub fn with_segments<S: Data<Elem = T>>(self, segments: &'a ArrayBase<S, D>) -> Self {
        Self { segments: Some(segments.view()), ..self }
    }

    /// Positions instead of 0..len: a list that all sequences share, or ids (batch, len).
    pub fn at(self, positions: impl Into<Positions<'a>>) -> Self {
        Self { positions: Some(positions.into()), ..self }
    }

    /// The input as a new array (…, len, dim).
    ///
    /// # Errors
    ///
    /// Those of [`embed_into`](Self::embed_into), and [`Error::TooLarge`].
    pub fn embed(self) -> Result<Array<A, D::Larger>, Error> {
        self.check()?;
        let (rows, dim) = (self.tokens.len(), self.embedding.positions.dim());
        let too_large = Error::TooLarge { rows, dim };
        let mut shape = D::Larger::zeros(self.tokens.ndim() + 1);
        for (axis, &len) in self.tokens.shape().iter().chain(&[dim]).enumerate() {
            shape[axis] = len;
        }
        let mut out = zeros(rows, dim)?.into_shape_with_order(shape).map_err(|_| too_large)?;
        self.embed_into(out.view_mut())?;
        Ok(out)
    }

    /// Writes the input to `out` (…, len, dim), whatever stood there, in one pass over memory.
    ///
    /// # Errors
    ///
    /// [`Error::TooFewAxes`] for tokens without an axis, [`Error::LengthMismatch`] for segments,
    /// positions or an output of another shape, [`Error::WidthMismatch`],
    /// [`Error::IdOutsideTable`], and what the encoding says of the positions. Then `out` is as it
    /// was.
    pub fn embed_into(&self, out: ArrayViewMut<'_, A, D::Larger>) -> Result<(), Error> {
        self.check()?;
        let (expected, dim) = (self.tokens.shape(), self.embedding.positions.dim());
        for (&expected, &found) in expected.iter().zip(out.shape()) {
            if found != expected {
                return Err(Error::LengthMismatch { what: "rows", expected, found });
            }
        }
        match out.shape().last() {
            Some(&found) if found != dim => {
                return Err(Error::WidthMismatch { expected: dim, found });
            }
            _ => {}
        }
        let tokens = self.tokens.view().into_dyn();
        let segments = self.segments.as_ref().map(|segments| segments.view().into_dyn());
        let default = self.default_positions();
        let positions = self.positions.as_ref().unwrap_or(&default);
        let write = |sequence, row, rows: Four<'_, A>, vectors: ArrayView2<'_, A>| {
            let tokens = array::from_fn(|n| nth(&tokens, sequence + n));
            let segments = array::from_fn(|n| nth(segments.as_ref()?, sequence + n));
            self.embedding.write(tokens, segments, row, rows, vectors);
        };
        Sum { encoding: &self.embedding.positions, positions, write: Some(&write) }
            .make(out.into_dyn())
    }

    /// 0..len
    fn default_positions(&self) -> Positions<'static> {
        Positions::from(0..self.tokens.shape().last().copied().unwrap_or(0))
    }

    fn check(&self) -> Result<(), Error> {
        let Some(&len) = self.tokens.shape().last() else {
            return Err(Error::TooFewAxes { expected: 1, found: 0 });
        };
        check_ids("word", &self.tokens, self.embedding.words.nrows())?;
        if let Some(segments) = &self.segments {
            for (&expected, &found) in self.tokens.shape().iter().zip(segments.shape()) {
                if found != expected {
                    return Err(Error::LengthMismatch { what: "segments", expected, found });
                }
            }
            check_ids(
                "segment",
                segments,
                self.embedding.segments.as_ref().map_or(0, Array2::nrows),
            )?;
        } else if self.embedding.segments.as_ref().is_some_and(|segments| segments.nrows() == 0) {
            return Err(Error::IdOutsideTable { table: "segment", id: 0, rows: 0 });
        }
        let default = self.default_positions();
        let positions = self.positions.as_ref().unwrap_or(&default);
        if positions.len() != len {
            return Err(Error::LengthMismatch {
                what: "positions",
                expected: len,
                found: positions.len(),
            });
        }
        let sequences: usize = self.tokens.shape()[..self.tokens.ndim() - 1].iter().product();
        match positions.rows() {
            Some(found) if found != sequences && found != 1 => {
                Err(Error::LengthMismatch { what: "rows of positions", expected: sequences, found })
            }
            _ => self.embedding.positions.check(positions),
        }
    }
}

impl<A: Element, E: PositionalEncoding<A>> TokenEmbedding<A, E> {
    /// Writes the sums of words, segments and vectors of the tokens of four sequences, from `row`
    /// on.
    fn write<'i, T: PrimInt + AsPrimitive<i64>>(
        &self,
        tokens: [Option<ArrayView1<'i, T>>; 4],
        segments: [Option<ArrayView1<'i, T>>; 4],
        row: usize,
        rows: Four<'_, A>,
        vectors: ArrayView2<'_, A>,
    ) {
        let len = vectors.nrows();
        // Without ids the rows are the first of their table.
        let (mut word_ids, mut segment_ids) = ([[0; BLOCK]; 4], [[0; BLOCK]; 4]);
        for (numbers, ids) in
            word_ids.iter_mut().zip(tokens).chain(segment_ids.iter_mut().zip(segments))
        {
            let ids = ids.iter().flat_map(|ids| ids.iter().skip(row).take(len));
            numbers.iter_mut().zip(ids).for_each(|(number, id)| *number = id.as_() as usize);
        }
        let summands = Summands {
            set: self.positions.instruction_set(),
            words: word_ids.each_ref().map(|numbers| Picked::rows(&self.words, &numbers[..len])),
            scale: self.scale.unwrap_or(A::one()),
            segments: segment_ids
                .each_ref()
                .map(|numbers| Picked::rows(self.segments.as_ref()?, &numbers[..len])),
        };
        summands.write(rows, vectors);
    }
}

fn check_ids<T, D>(table: &'static str, ids: &ArrayView<'_, T, D>, rows: usize) -> Result<(), Error>
where
    T: PrimInt + AsPrimitive<i64>,
    D: Dimension,
{
    // Numbers of 128 bits must not wrap to the id of another row.
    let outside = |id: &&T| id.to_u64().is_none_or(|id| id >= rows as u64);
    match ids.iter().find(outside) {
        Some(id) => {
            let end = if *id < T::zero() { i64::MIN } else { i64::MAX };
            Err(Error::IdOutsideTable { table, id: id.to_i64().unwrap_or(end), rows })
        }
        None => Ok(()),
    }
}

fn check_width<A>(table: &Array2<A>, dim: usize) -> Result<(), Error> {
    if table.ncols() == dim {
        Ok(())
    } else {
        Err(Error::WidthMismatch { expected: dim, found: table.ncols() })
    }
}

fn row_major<A: Element>(table: Array2<A>) -> Array2<A> {
    if table.is_standard_layout() { table } else { table.as_standard_layout().into_owned() }
}
