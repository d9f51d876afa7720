//! A learned amplitude.

use ndarray::{ArrayView2, ArrayViewMut2, Axis};

use super::{Differentiable, Parameter, Trainable, check_backward, check_values};
use crate::additive::PositionalEncoding;
use crate::blocks::blocks;
use crate::element::Element;
use crate::error::Error;
use crate::phase::BLOCK;
use crate::positions::Positions;
use crate::threads;

/// An encoding multiplied by a learned scalar (SpeechT5, Transformer-TTS, ESPnet's
/// `ScaledPositionalEncoding`; Li et al. 2019, *Neural speech synthesis with transformer network*,
/// section 3.2).
///
/// PE′(p) = α · PE(p), with the product taken in f64 and rounded once. ∂PE′/∂α is PE(p), and the
/// inner encoding gets upstream · α. For a fixed amplitude use
/// [`Sinusoidal::with_amplitude`](crate::Sinusoidal::with_amplitude).
///
/// ```
/// use ndarray::array;
/// use positional_encodings::training::{Differentiable, Scaled};
/// use positional_encodings::{PositionalEncoding, Positions, Sinusoidal};
///
/// let speecht5 = Scaled::new(Sinusoidal::new(4)?, 0.75)?;
/// let row: ndarray::Array2<f32> = speecht5.encode(&Positions::from(0..1))?;
/// assert_eq!(row, array![[0.0, 0.75, 0.0, 0.75]]);
///
/// let mut gradient = [0.0_f32];
/// speecht5.backward(&Positions::from(0..1), array![[9.0, 1.0, 9.0, 2.0]].view(), &mut gradient)?;
/// assert_eq!(gradient, [3.0]); // the two cosines
/// # Ok::<(), positional_encodings::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scaled<E> {
    encoding: E,
    scale: f64,
}

impl<E> Scaled<E> {
    /// Multiplies `encoding` by `scale`, which is 1 initially in most systems.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidFactor`] where the scale is not finite.
    pub fn new(encoding: E, scale: f64) -> Result<Self, Error> {
        if !scale.is_finite() {
            return Err(Error::InvalidFactor { factor: scale });
        }
        Ok(Self { encoding, scale })
    }

    /// Returns the current scale.
    pub fn scale(&self) -> f64 {
        self.scale
    }

    /// Returns the inner encoding.
    pub fn encoding(&self) -> &E {
        &self.encoding
    }
}

impl<A: Element, E: PositionalEncoding<A>> PositionalEncoding<A> for Scaled<E> {
    fn dim(&self) -> usize {
        self.encoding.dim()
    }

    fn max_len(&self) -> Option<usize> {
        self.encoding.max_len()
    }

    fn encode_into(
        &self,
        positions: &Positions<'_>,
        out: ArrayViewMut2<'_, A>,
    ) -> Result<(), Error> {
        self.check_shape(positions, &out)?;
        self.check(positions)?;
        threads::rows(positions, out, &|positions, mut out| {
            // Rows are scaled while they are in cache.
            blocks(positions, BLOCK).try_for_each(|block| {
                let mut rows = out.slice_axis_mut(Axis(0), block.clone().into());
                self.encoding.encode_into(&positions.slice(block), rows.view_mut())?;
                rows.map_inplace(|value| *value = A::from_f64(value.to_f64() * self.scale));
                Ok(())
            })
        })
    }

    fn axes(&self) -> usize {
        self.encoding.axes()
    }

    fn check(&self, positions: &Positions<'_>) -> Result<(), Error> {
        self.encoding.check(positions)
    }
}

impl<A: Element, E: Trainable<A>> Trainable<A> for Scaled<E> {
    fn parameters(&self) -> Vec<Parameter> {
        let inner = self.encoding.parameters().into_iter().map(Parameter::nested);
        core::iter::once(Parameter::new("scale", [], false)).chain(inner).collect()
    }

    fn values_into(&self, values: &mut [A]) -> Result<(), Error> {
        check_values(self.parameter_count(), values.len())?;
        let Some((scale, inner)) = values.split_first_mut() else { return Ok(()) };
        self.encoding.values_into(inner)?;
        *scale = A::from_f64(self.scale);
        Ok(())
    }

    fn set_values(&mut self, values: &[A]) -> Result<(), Error> {
        check_values(self.parameter_count(), values.len())?;
        let Some((scale, inner)) = values.split_first() else { return Ok(()) };
        let factor = scale.to_f64();
        if !factor.is_finite() {
            return Err(Error::InvalidFactor { factor });
        }
        self.encoding.set_values(inner)?;
        self.scale = factor;
        Ok(())
    }

    fn parameter_count(&self) -> usize {
        1 + self.encoding.parameter_count()
    }
}

impl<A: Element, E: Differentiable<A>> Differentiable<A> for Scaled<E> {
    fn backward(
        &self,
        positions: &Positions<'_>,
        upstream: ArrayView2<'_, A>,
        gradient: &mut [A],
    ) -> Result<(), Error> {
        check_backward(self, positions, &upstream, self.parameter_count(), gradient.len())?;
        let Some((scale, inner)) = gradient.split_first_mut() else { return Ok(()) };
        let vectors = self.encoding.encode(positions)?;
        if !inner.is_empty() {
            let scaled = upstream.mapv(|value| A::from_f64(value.to_f64() * self.scale));
            self.encoding.backward(positions, scaled.view(), inner)?;
        }
        let slope: f64 = vectors.iter().zip(&upstream).map(|(v, g)| v.to_f64() * g.to_f64()).sum();
        *scale = *scale + A::from_f64(slope);
        Ok(())
    }
}
