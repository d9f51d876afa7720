//! A small network: linear layers with an activation between them.

use core::fmt;

use ndarray::Array2;

use super::linear::{Activation, Linear};
use super::{Parameter, check_values};
use crate::arrays::check_finite;
use crate::element::Element;
use crate::error::Error;
use crate::short::Short;

/// Linear layers with an activation between consecutive ones, as used in attention biases.
///
/// ```
/// use ndarray::array;
/// use positional_encodings::training::{Activation, Layers, Linear};
///
/// let first = Linear::new(array![[1.0_f32], [-1.0]])?.with_bias(array![0.5, 0.0])?;
/// let layers = Layers::new([first, Linear::new(array![[2.0, 3.0]])?], Activation::Relu)?;
/// assert_eq!((layers.inputs(), layers.outputs()), (1, 1));
/// # Ok::<(), positional_encodings::Error>(())
/// ```
#[derive(Clone, PartialEq)]
pub struct Layers<A> {
    layers: Vec<Linear<A>>,
    activation: Activation,
}

impl<A> fmt::Debug for Layers<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inputs = self.layers.iter().take(1).map(|layer| layer.weight.ncols());
        let widths = inputs.chain(self.layers.iter().map(|layer| layer.weight.nrows()));
        f.debug_struct("Layers")
            .field("widths", &Short(&widths.collect::<Vec<_>>()))
            .field("activation", &self.activation)
            .finish()
    }
}

impl<A: Element> Layers<A> {
    /// Makes a network from layers in their order.
    ///
    /// # Errors
    ///
    /// [`Error::ZeroDim`] without a layer, [`Error::WidthMismatch`] where a layer does not take the
    /// outputs of the one before, [`Error::InvalidParameter`] for a weight that is not finite.
    pub fn new(
        layers: impl IntoIterator<Item = Linear<A>>,
        activation: Activation,
    ) -> Result<Self, Error> {
        let layers: Vec<_> = layers.into_iter().collect();
        if layers.is_empty() {
            return Err(Error::ZeroDim);
        }
        for pair in layers.windows(2) {
            let (expected, found) = (pair[0].outputs(), pair[1].inputs());
            if found != expected {
                return Err(Error::WidthMismatch { expected, found });
            }
        }
        let layers = Self { layers, activation };
        let mut values = vec![A::zero(); layers.len()];
        layers.values_into(&mut values);
        check_finite(&values)?;
        Ok(layers)
    }

    /// Returns the layers.
    pub fn layers(&self) -> &[Linear<A>] {
        &self.layers
    }

    /// Returns the number of inputs.
    pub fn inputs(&self) -> usize {
        self.layers.first().map_or(0, Linear::inputs)
    }

    /// Returns the number of outputs.
    pub fn outputs(&self) -> usize {
        self.layers.last().map_or(0, Linear::outputs)
    }

    /// The number of values of all layers.
    pub(crate) fn len(&self) -> usize {
        self.layers.iter().map(Linear::len).sum()
    }

    pub(crate) fn parameters(&self, name: &str) -> Vec<Parameter> {
        let of =
            |(i, layer): (usize, &Linear<A>)| layer.parameters(&format!("{name}{i}")).collect();
        self.layers.iter().enumerate().flat_map(|layer| -> Vec<_> { of(layer) }).collect()
    }

    pub(crate) fn values_into(&self, mut values: &mut [A]) {
        for layer in &self.layers {
            let (own, rest) = values.split_at_mut(layer.len());
            layer.values_into(own);
            values = rest;
        }
    }

    /// Replaces the values of all layers; their number has been checked.
    pub(crate) fn set_values(&mut self, mut values: &[A]) -> Result<(), Error> {
        check_values(self.len(), values.len())?;
        check_finite(values)?;
        for layer in &mut self.layers {
            let (own, rest) = values.split_at(layer.len());
            layer.set_values(own);
            values = rest;
        }
        Ok(())
    }

    /// Maps rows of x (rows, inputs) to rows (rows, outputs).
    pub(crate) fn forward(&self, x: Array2<f64>) -> Array2<f64> {
        let last = self.layers.len() - 1;
        self.layers.iter().enumerate().fold(x, |x, (i, layer)| {
            let mut y = layer.forward(&x);
            if i < last {
                y.map_inplace(|value| *value = self.activation.value(*value));
            }
            y
        })
    }

    /// Adds the gradient with respect to all layers to `gradient`, given the gradient with respect
    /// to the outputs, and returns the gradient with respect to x.
    pub(crate) fn backward(
        &self,
        x: Array2<f64>,
        mut upstream: Array2<f64>,
        gradient: &mut [f64],
    ) -> Array2<f64> {
        if gradient.len() < self.len() {
            return Array2::zeros(x.raw_dim());
        }
        // The input of each layer, before and after the activation.
        let mut inputs = vec![(x.clone(), x)];
        for (i, layer) in self.layers.iter().enumerate().take(self.layers.len() - 1) {
            let before = layer.forward(&inputs[i].1);
            let behind = before.mapv(|value| self.activation.value(value));
            inputs.push((before, behind));
        }
        let mut rest = gradient;
        for (i, (layer, (before, behind))) in self.layers.iter().zip(&inputs).enumerate().rev() {
            let (others, own) = rest.split_at_mut(rest.len() - layer.len());
            layer.backward(behind, &upstream, own);
            upstream = layer.backward_input(&upstream);
            if i > 0 {
                let slope = |slope: &mut f64, x: &f64| *slope *= self.activation.slope(*x);
                upstream.zip_mut_with(before, slope);
            }
            rest = others;
        }
        upstream
    }
}
