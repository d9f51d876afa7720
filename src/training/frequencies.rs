//! Learned frequencies.

use ndarray::{ArrayView2, ArrayViewMut2};

use super::{Differentiable, Parameter, Trainable, check_backward, check_values, copy_values};
use crate::additive::{PositionalEncoding, Sinusoidal};
use crate::element::Element;
use crate::error::Error;
use crate::frequencies::Frequencies;
use crate::positions::Positions;

/// A sinusoid whose frequencies are learned (Li et al. 2021, *Learnable Fourier features for
/// multi-dimensional spatial positional encoding*; Time2Vec's periodic part).
///
/// PE(p) is the vector of the [`Sinusoidal`]; ∂PE/∂wᵢ is p · a · cos(p · wᵢ) in the column of the
/// sine and −p · a · sin(p · wᵢ) in that of the cosine, with a the amplitude. The gradient grows
/// with the position: scale long positions down (see [`Frequencies::scaled`]) or train with a small
/// step.
///
/// Frequencies are stored as doubles. Values that are read or set in a narrower type are rounded to
/// it.
///
/// ```
/// use positional_encodings::training::{LearnedFrequencies, Trainable};
/// use positional_encodings::{PositionalEncoding, Positions, Sinusoidal};
///
/// let mut learned = LearnedFrequencies::new(Sinusoidal::new(4)?);
/// assert_eq!(Trainable::<f64>::values(&learned), [1.0, 0.01]);
/// learned.set_values(&[0.5_f64, 0.25])?;
/// let row: ndarray::Array2<f64> = learned.encode(&Positions::from(2..3))?;
/// assert_eq!(row[[0, 2]], 0.5_f64.sin());
/// # Ok::<(), positional_encodings::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct LearnedFrequencies {
    sinusoidal: Sinusoidal,
}

impl LearnedFrequencies {
    /// Makes the frequencies of `sinusoidal` learnable, starting from their values.
    pub fn new(sinusoidal: Sinusoidal) -> Self {
        Self { sinusoidal }
    }

    /// Returns the encoding with its current frequencies.
    pub fn sinusoidal(&self) -> &Sinusoidal {
        &self.sinusoidal
    }

    /// Returns the encoding with its current frequencies, for use without training.
    pub fn into_sinusoidal(self) -> Sinusoidal {
        self.sinusoidal
    }
}

impl<A: Element> PositionalEncoding<A> for LearnedFrequencies {
    fn dim(&self) -> usize {
        self.sinusoidal.dim()
    }

    fn max_len(&self) -> Option<usize> {
        self.sinusoidal.max_len()
    }

    fn encode_into(
        &self,
        positions: &Positions<'_>,
        out: ArrayViewMut2<'_, A>,
    ) -> Result<(), Error> {
        self.sinusoidal.encode_into(positions, out)
    }

    fn add_to(
        &self,
        positions: &Positions<'_>,
        embeddings: ArrayViewMut2<'_, A>,
    ) -> Result<(), Error> {
        self.sinusoidal.add_to(positions, embeddings)
    }
}

impl<A: Element> Trainable<A> for LearnedFrequencies {
    fn parameters(&self) -> Vec<Parameter> {
        vec![Parameter::new("frequencies", [self.sinusoidal.frequencies().len()], false)]
    }

    fn values_into(&self, values: &mut [A]) -> Result<(), Error> {
        let radians = self.sinusoidal.frequencies().to_radians();
        copy_values(radians.len(), radians.into_iter().map(A::from_f64), values)
    }

    fn set_values(&mut self, values: &[A]) -> Result<(), Error> {
        check_values(self.sinusoidal.frequencies().len(), values.len())?;
        let frequencies = Frequencies::from_radians(values.iter().map(|value| value.to_f64()))?;
        self.sinusoidal.replace_frequencies(frequencies);
        Ok(())
    }

    fn parameter_count(&self) -> usize {
        self.sinusoidal.frequencies().len()
    }
}

impl<A: Element> Differentiable<A> for LearnedFrequencies {
    fn backward(
        &self,
        positions: &Positions<'_>,
        upstream: ArrayView2<'_, A>,
        gradient: &mut [A],
    ) -> Result<(), Error> {
        check_backward(
            self,
            positions,
            &upstream,
            self.sinusoidal.frequencies().len(),
            gradient.len(),
        )?;
        let slopes = self.sinusoidal.frequency_gradient(&positions.flat(), upstream);
        gradient
            .iter_mut()
            .zip(slopes)
            .for_each(|(gradient, slope)| *gradient = *gradient + A::from_f64(slope));
        Ok(())
    }
}
