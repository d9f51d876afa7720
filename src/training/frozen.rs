//! An encoding that training does not change.

use ndarray::{ArrayView2, ArrayViewMut2};

use super::{Differentiable, Parameter, Trainable, check_backward, check_values};
use crate::additive::PositionalEncoding;
use crate::element::Element;
use crate::error::Error;
use crate::positions::Positions;

/// A wrapper that hides the parameters of an encoding, so that training does not change them.
///
/// ```
/// use ndarray::array;
/// use positional_encodings::training::{Frozen, Trainable};
/// use positional_encodings::{Learned, PositionalEncoding, Positions};
///
/// let frozen = Frozen(Learned::from_table(array![[1.0_f32], [2.0]])?);
/// assert_eq!(frozen.parameter_count(), 0);
/// assert_eq!(frozen.encode(&Positions::from(1..2))?, array![[2.0]]);
/// # Ok::<(), positional_encodings::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Frozen<E>(pub E);

impl<A: Element, E: PositionalEncoding<A>> PositionalEncoding<A> for Frozen<E> {
    fn dim(&self) -> usize {
        self.0.dim()
    }

    fn max_len(&self) -> Option<usize> {
        self.0.max_len()
    }

    fn encode_into(
        &self,
        positions: &Positions<'_>,
        out: ArrayViewMut2<'_, A>,
    ) -> Result<(), Error> {
        self.0.encode_into(positions, out)
    }

    fn axes(&self) -> usize {
        self.0.axes()
    }

    fn check(&self, positions: &Positions<'_>) -> Result<(), Error> {
        self.0.check(positions)
    }

    fn add_to(
        &self,
        positions: &Positions<'_>,
        embeddings: ArrayViewMut2<'_, A>,
    ) -> Result<(), Error> {
        self.0.add_to(positions, embeddings)
    }
}

impl<A: Element, E: PositionalEncoding<A>> Trainable<A> for Frozen<E> {
    fn parameters(&self) -> Vec<Parameter> {
        Vec::new()
    }

    fn values_into(&self, values: &mut [A]) -> Result<(), Error> {
        check_values(0, values.len())
    }

    fn set_values(&mut self, values: &[A]) -> Result<(), Error> {
        check_values(0, values.len())
    }
}

impl<A: Element, E: PositionalEncoding<A>> Differentiable<A> for Frozen<E> {
    fn backward(
        &self,
        positions: &Positions<'_>,
        upstream: ArrayView2<'_, A>,
        gradient: &mut [A],
    ) -> Result<(), Error> {
        check_backward(self, positions, &upstream, 0, gradient.len())
    }
}
