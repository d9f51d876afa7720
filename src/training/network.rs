//! Position vectors from a small neural network.

use ndarray::{Array2, ArrayView2, ArrayViewMut2, Axis};

use super::linear::{Activation, Linear};
use super::{Differentiable, Parameter, Trainable, check_backward, check_values};
use crate::additive::PositionalEncoding;
use crate::blocks::blocks;
use crate::element::Element;
use crate::error::Error;
use crate::phase::BLOCK;
use crate::positions::Positions;
use crate::threads;

/// A network that generates position vectors: an inner encoding, a linear layer, an activation, a
/// linear layer.
///
/// PE(p) = W₂ · φ(W₁ · e(p) + b₁) + b₂ with e the inner encoding, W₁ of shape (hidden, dim of e)
/// and W₂ (dim, hidden). Hidden values are f64 and the result is rounded once; a row has the same
/// bits whatever other rows are computed with it.
///
/// | system | inner encoding | φ |
/// |---|---|---|
/// | diffusion timesteps (DDPM, Stable Diffusion, DiT) | [`Sinusoidal`](crate::Sinusoidal) with halves | SiLU |
/// | learnable Fourier features (Li et al. 2021, *Learnable Fourier features for multi-dimensional spatial positional encoding*) | [`LearnedFrequencies`](super::LearnedFrequencies), amplitude 1/√dim | GELU |
///
/// ```
/// use ndarray::array;
/// use positional_encodings::training::{Activation, Linear, PositionNetwork};
/// use positional_encodings::{Learned, PositionalEncoding, Positions};
///
/// let inner = Learned::from_table(array![[1.0_f32], [-2.0]])?;
/// let first = Linear::new(array![[1.0], [-1.0]])?; // W₁ (hidden, 1)
/// let second = Linear::new(array![[1.0, 10.0]])?.with_bias(array![0.5])?; // W₂ (1, hidden)
/// let network = PositionNetwork::new(inner, first, Activation::Relu, second)?;
/// assert_eq!(network.encode(&Positions::from(0..2))?, array![[1.5], [20.5]]);
/// # Ok::<(), positional_encodings::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct PositionNetwork<A, E> {
    encoding: E,
    first: Linear<A>,
    activation: Activation,
    second: Linear<A>,
}

impl<A: Element, E: PositionalEncoding<A>> PositionNetwork<A, E> {
    /// Makes a network over `encoding`.
    ///
    /// # Errors
    ///
    /// [`Error::WidthMismatch`] unless the first layer takes the dim of the encoding and the second
    /// the outputs of the first.
    pub fn new(
        encoding: E,
        first: Linear<A>,
        activation: Activation,
        second: Linear<A>,
    ) -> Result<Self, Error> {
        for (expected, found) in
            [(encoding.dim(), first.inputs()), (first.outputs(), second.inputs())]
        {
            if found != expected {
                return Err(Error::WidthMismatch { expected, found });
            }
        }
        Ok(Self { encoding, first, activation, second })
    }

    /// Returns the inner encoding.
    pub fn encoding(&self) -> &E {
        &self.encoding
    }

    /// Returns the two linear layers.
    pub fn layers(&self) -> [&Linear<A>; 2] {
        [&self.first, &self.second]
    }

    /// Returns the outputs of the network at the positions, before rounding.
    fn forward(&self, positions: &Positions<'_>) -> Result<Array2<f64>, Error> {
        let features = self.encoding.encode(positions)?.mapv(Element::to_f64);
        let mut hidden = self.first.forward(&features);
        hidden.map_inplace(|value| *value = self.activation.value(*value));
        Ok(self.second.forward(&hidden))
    }
}

impl<A: Element, E: PositionalEncoding<A>> PositionalEncoding<A> for PositionNetwork<A, E> {
    fn dim(&self) -> usize {
        self.second.outputs()
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
            // Block by block, so that memory does not grow with the number of positions.
            blocks(positions, BLOCK).try_for_each(|block| {
                let rows = self.forward(&positions.slice(block.clone()))?;
                let mut out = out.slice_axis_mut(Axis(0), block.into());
                out.zip_mut_with(&rows, |out, value| *out = A::from_f64(*value));
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

impl<A: Element, E: Trainable<A>> Trainable<A> for PositionNetwork<A, E> {
    fn parameters(&self) -> Vec<Parameter> {
        let inner = self.encoding.parameters().into_iter().map(Parameter::nested);
        self.first
            .parameters("first")
            .chain(self.second.parameters("second"))
            .chain(inner)
            .collect()
    }

    fn values_into(&self, values: &mut [A]) -> Result<(), Error> {
        check_values(self.parameter_count(), values.len())?;
        let (first, rest) = values.split_at_mut(self.first.len());
        let (second, inner) = rest.split_at_mut(self.second.len());
        self.encoding.values_into(inner)?;
        self.first.values_into(first);
        self.second.values_into(second);
        Ok(())
    }

    fn set_values(&mut self, values: &[A]) -> Result<(), Error> {
        check_values(self.parameter_count(), values.len())?;
        let (first, rest) = values.split_at(self.first.len());
        let (second, inner) = rest.split_at(self.second.len());
        self.encoding.set_values(inner)?;
        self.first.set_values(first);
        self.second.set_values(second);
        Ok(())
    }

    fn parameter_count(&self) -> usize {
        self.first.len() + self.second.len() + self.encoding.parameter_count()
    }
}

impl<A: Element, E: Differentiable<A>> Differentiable<A> for PositionNetwork<A, E> {
    fn backward(
        &self,
        positions: &Positions<'_>,
        upstream: ArrayView2<'_, A>,
        gradient: &mut [A],
    ) -> Result<(), Error> {
        check_backward(self, positions, &upstream, self.parameter_count(), gradient.len())?;
        let features = self.encoding.encode(positions)?.mapv(Element::to_f64);
        let before = self.first.forward(&features);
        let hidden = before.mapv(|value| self.activation.value(value));
        let upstream = upstream.mapv(Element::to_f64);
        let mut slopes = self.second.backward_input(&upstream);
        slopes.zip_mut_with(&before, |slope, before| *slope *= self.activation.slope(*before));
        let (first, rest) = gradient.split_at_mut(self.first.len());
        let (second, inner) = rest.split_at_mut(self.second.len());
        if !inner.is_empty() {
            let passed_on = self.first.backward_input(&slopes).mapv(A::from_f64);
            self.encoding.backward(positions, passed_on.view(), inner)?;
        }
        self.first.backward(&features, &slopes, first);
        self.second.backward(&hidden, &upstream, second);
        Ok(())
    }
}
