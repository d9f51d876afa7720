//! Gradients of the tables of the token lookup.

use std::ops::Range;

use ndarray::{ArrayView, ArrayViewMut2, Dimension};
use num_traits::PrimInt;

use super::{Lookup, TokenEmbedding};
use crate::additive::{FrozenRows, PositionalEncoding};
use crate::arrays::for_each_matrix;
use crate::element::Element;
use crate::error::Error;
use crate::positions::Positions;
use crate::training::{Differentiable, GradientRows, Trainable, check_values, scatter};

impl<A: Element, E: PositionalEncoding<A>> TokenEmbedding<A, E> {
    /// Excludes rows of the word table from all gradients: pretrained words that must not change.
    /// Each call adds rows.
    ///
    /// # Errors
    ///
    /// [`Error::PositionOutsideTable`] where the range ends past the table.
    pub fn with_frozen_words(mut self, words: Range<usize>) -> Result<Self, Error> {
        if !words.is_empty() {
            self.frozen.freeze(words, self.words.nrows())?;
        }
        Ok(self)
    }

    /// Sets the padding token: its row gets no gradient (torch's `padding_idx`; 0 in BERT, 1 in
    /// RoBERTa).
    ///
    /// # Errors
    ///
    /// [`Error::PositionOutsideTable`] where there is no such row.
    ///
    /// ```
    /// use ndarray::{Array2, array};
    /// use positional_encodings::{Learned, TokenEmbedding};
    ///
    /// let positions = Learned::from_table(Array2::<f32>::zeros((4, 1)))?;
    /// let embedding = TokenEmbedding::new(array![[0.0], [0.0], [0.0]], positions)?
    ///     .with_padding_token(0)?;
    /// let mut gradient = Array2::zeros((3, 1));
    /// embedding
    ///     .lookup(&array![2, 2, 0])
    ///     .backward_words(array![[1.0], [10.0], [100.0]].view(), gradient.view_mut())?;
    /// assert_eq!(gradient, array![[0.0], [0.0], [11.0]]);
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn with_padding_token(mut self, token: usize) -> Result<Self, Error> {
        self.frozen.freeze(token..token.saturating_add(1), self.words.nrows())?;
        Ok(self)
    }

    /// Returns the word table as a mutable view.
    pub fn words_mut(&mut self) -> ArrayViewMut2<'_, A> {
        self.words.view_mut()
    }

    /// Returns the segment table as a mutable view, if there is one.
    pub fn segments_mut(&mut self) -> Option<ArrayViewMut2<'_, A>> {
        self.segments.as_mut().map(|segments| segments.view_mut())
    }
}

impl<A, E, T, D> Lookup<'_, A, E, T, D>
where
    A: Element,
    E: PositionalEncoding<A>,
    T: PrimInt + Sync,
    D: Dimension,
{
    /// Adds the gradient with respect to the word table to `gradient`, given the gradient
    /// `upstream` with respect to the input, shape (…, len, dim): row `token` gets upstream ·
    /// scale.
    ///
    /// Contributions of repeated tokens accumulate; padding and frozen words get none.
    ///
    /// # Errors
    ///
    /// The errors of [`embed_into`](Lookup::embed_into), and [`Error::LengthMismatch`] for a
    /// gradient of another shape; the gradient is then unchanged.
    ///
    /// ```
    /// use ndarray::{Array2, array};
    /// use positional_encodings::{Learned, TokenEmbedding, training::TouchedRows};
    ///
    /// let positions = Learned::from_table(Array2::<f32>::zeros((4, 1)))?;
    /// let embedding =
    ///     TokenEmbedding::new(Array2::zeros((30_522, 1)), positions)?.with_scale(2.0)?;
    /// let mut touched = TouchedRows::new(1);
    /// embedding
    ///     .lookup(&array![[101, 102]])
    ///     .backward_words(array![[[1.0], [10.0]]].view(), &mut touched)?;
    /// assert_eq!(
    ///     (touched.rows(), touched.gradient()),
    ///     (&[101, 102][..], array![[2.0], [20.0]].view())
    /// );
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn backward_words<'g>(
        &self,
        upstream: ArrayView<'_, A, D::Larger>,
        gradient: impl Into<GradientRows<'g, A>>,
    ) -> Result<(), Error> {
        let (rows, dim) = self.embedding.words.dim();
        let mut gradient = gradient.into().of_table(rows, dim)?;
        self.check_upstream(&upstream)?;
        let scale = self.embedding.scale.map(Element::to_f64);
        let frozen = &self.embedding.frozen;
        Self::scatter_ids(&self.tokens, upstream, scale, frozen, &mut gradient)
    }

    /// Adds the gradient with respect to the segment table.
    ///
    /// # Errors
    ///
    /// The errors of [`backward_words`](Self::backward_words); [`Error::LengthMismatch`] where the
    /// embedding has no segments.
    pub fn backward_segments<'g>(
        &self,
        upstream: ArrayView<'_, A, D::Larger>,
        gradient: impl Into<GradientRows<'g, A>>,
    ) -> Result<(), Error> {
        let Some(table) = &self.embedding.segments else {
            return Err(Error::LengthMismatch { what: "segment tables", expected: 1, found: 0 });
        };
        let mut gradient = gradient.into().of_table(table.nrows(), table.ncols())?;
        self.check_upstream(&upstream)?;
        let frozen = FrozenRows::default();
        match &self.segments {
            Some(ids) => Self::scatter_ids(ids, upstream, None, &frozen, &mut gradient),
            None => for_each_matrix(upstream.into_dyn(), &mut |upstream| {
                let zeros = core::iter::repeat_n(0, upstream.nrows());
                scatter(zeros, &upstream, None, &frozen, &mut gradient);
                Ok(())
            }),
        }
    }

    /// Adds the gradient with respect to the parameters of the positions.
    ///
    /// # Errors
    ///
    /// The errors of [`backward_words`](Self::backward_words); [`Error::LengthMismatch`] for a
    /// gradient of another length.
    pub fn backward_positions(
        &self,
        upstream: ArrayView<'_, A, D::Larger>,
        gradient: &mut [A],
    ) -> Result<(), Error>
    where
        E: Differentiable<A>,
    {
        check_values(self.embedding.positions.parameter_count(), gradient.len())?;
        self.check_upstream(&upstream)?;
        let mut sequence = 0;
        for_each_matrix(upstream.into_dyn(), &mut |upstream| {
            let positions = match &self.positions {
                Some(positions) => positions.row(sequence),
                None => Positions::from(0..upstream.nrows()),
            };
            sequence += 1;
            self.embedding.positions.backward(&positions, upstream, gradient)
        })
    }

    /// Adds the gradient with respect to all parameters of the embedding, in the order of its
    /// [`parameters`](Trainable::parameters): words, segments, positions.
    ///
    /// # Errors
    ///
    /// The errors of [`backward_words`](Self::backward_words), and [`Error::LengthMismatch`] for a
    /// gradient of another length; the gradient is then unchanged.
    ///
    /// ```
    /// use ndarray::array;
    /// use positional_encodings::{Learned, TokenEmbedding, training::Trainable};
    ///
    /// let positions = Learned::from_table(array![[0.0_f32], [0.0]])?;
    /// let mut embedding = TokenEmbedding::new(array![[0.0], [0.0], [0.0]], positions)?;
    /// let mut gradient = vec![0.0; embedding.parameter_count()];
    /// embedding.lookup(&array![2, 0]).backward(array![[1.0], [10.0]].view(), &mut gradient)?;
    /// assert_eq!(gradient, [10.0, 0.0, 1.0, 1.0, 10.0]); // three words, two positions
    ///
    /// let values: Vec<f32> =
    ///     embedding.values().iter().zip(&gradient).map(|(v, g)| v - 0.5 * g).collect();
    /// embedding.set_values(&values)?;
    /// assert_eq!(embedding.embed(&array![2, 0])?, array![[-1.0], [-10.0]]);
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn backward(
        &self,
        upstream: ArrayView<'_, A, D::Larger>,
        gradient: &mut [A],
    ) -> Result<(), Error>
    where
        E: Differentiable<A>,
    {
        check_values(self.embedding.parameter_count(), gradient.len())?;
        let (words, rest) = gradient.split_at_mut(self.embedding.words.len());
        let segments = self.embedding.segments.as_ref().map_or(0, |segments| segments.len());
        let (segments, positions) = rest.split_at_mut(segments);
        // The positions first: of the three, only an encoding from outside this crate could fail
        // after its checks.
        self.backward_positions(upstream.view(), positions)?;
        self.backward_words(upstream.view(), words)?;
        match self.embedding.segments {
            Some(_) => self.backward_segments(upstream, segments),
            None => Ok(()),
        }
    }

    /// Checks that the lookup is valid and that `upstream` has the shape of its result.
    fn check_upstream(&self, upstream: &ArrayView<'_, A, D::Larger>) -> Result<(), Error> {
        self.check()?;
        self.check_shape(upstream.shape(), "rows of the upstream gradient")
    }

    fn scatter_ids(
        ids: &ArrayView<'_, T, D>,
        upstream: ArrayView<'_, A, D::Larger>,
        scale: Option<f64>,
        frozen: &FrozenRows,
        gradient: &mut GradientRows<'_, A>,
    ) -> Result<(), Error> {
        // All ids have been checked.
        let mut rows = ids.iter().map(|id| id.to_usize().unwrap_or(0));
        for_each_matrix(upstream.into_dyn(), &mut |upstream| {
            scatter(rows.by_ref().take(upstream.nrows()), &upstream, scale, frozen, gradient);
            Ok(())
        })
    }
}
