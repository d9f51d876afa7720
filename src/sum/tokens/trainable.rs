//! The parameters of the embedding layer as one list.

use ndarray::Array2;

use super::TokenEmbedding;
use crate::additive::PositionalEncoding;
use crate::element::Element;
use crate::error::Error;
use crate::training::{Parameter, Trainable, check_values};

/// The parameters are `words`, `segments` if there are any, and those of the positions, named
/// `positions.…`. Weight decay applies to none of the tables. The gradient is that of
/// [`Lookup::backward`](super::Lookup::backward).
///
/// ```
/// use ndarray::Array2;
/// use positional_encodings::{Learned, TokenEmbedding, training::Trainable};
///
/// let positions = Learned::from_table(Array2::<f32>::zeros((512, 8)))?;
/// let embedding = TokenEmbedding::new(Array2::zeros((30_522, 8)), positions)?;
/// let names: Vec<String> =
///     embedding.parameters().into_iter().map(|parameter| parameter.name).collect();
/// assert_eq!(names, ["words", "positions.table"]);
/// assert_eq!(embedding.parameter_count(), (30_522 + 512) * 8);
/// # Ok::<(), positional_encodings::Error>(())
/// ```
impl<A: Element, E: PositionalEncoding<A> + Trainable<A>> Trainable<A> for TokenEmbedding<A, E> {
    fn parameters(&self) -> Vec<Parameter> {
        let segments =
            self.segments.as_ref().map(|table| Parameter::new("segments", table.shape(), false));
        let positions = self.positions.parameters().into_iter();
        core::iter::once(Parameter::new("words", self.words.shape(), false))
            .chain(segments)
            .chain(
                positions.map(|own| Parameter { name: format!("positions.{}", own.name), ..own }),
            )
            .collect()
    }

    fn values_into(&self, values: &mut [A]) -> Result<(), Error> {
        check_values(self.parameter_count(), values.len())?;
        let tables = self.words.iter().chain(self.segments.iter().flatten());
        let (own, positions) = values.split_at_mut(self.words.len() + self.segments_len());
        self.positions.values_into(positions)?;
        own.iter_mut().zip(tables).for_each(|(value, entry)| *value = *entry);
        Ok(())
    }

    fn set_values(&mut self, values: &[A]) -> Result<(), Error> {
        check_values(self.parameter_count(), values.len())?;
        let (own, positions) = values.split_at(self.words.len() + self.segments_len());
        // The positions first, since only they can reject a value.
        self.positions.set_values(positions)?;
        let tables = self.words.iter_mut().chain(self.segments.iter_mut().flatten());
        tables.zip(own).for_each(|(entry, value)| *entry = *value);
        Ok(())
    }

    fn parameter_count(&self) -> usize {
        self.words.len() + self.segments_len() + self.positions.parameter_count()
    }
}

impl<A, E> TokenEmbedding<A, E> {
    fn segments_len(&self) -> usize {
        self.segments.as_ref().map_or(0, Array2::len)
    }
}
