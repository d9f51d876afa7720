//! A bias from a network of the distance.

use ndarray::Array2;

use super::{DifferentiableBias, by_key};
use crate::bias::distance::{Distances, distances, put_values};
use crate::bias::{AttentionBias, DependsOn};
use crate::element::Element;
use crate::error::Error;
use crate::positions::Positions;
use crate::training::{Layers, Parameter, Trainable, check_values};

/// The function of the distance i − j that is the input of a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Spacing {
    /// The distance i − j itself.
    Linear,
    /// The logarithm ± ln(|i − j| + 1), with the sign of i − j.
    Log,
}

/// A bias from a network of the distance, x-transformers' `DynamicPositionBias`, whose activation
/// is SiLU.
///
/// The layers have one input, the distance or its logarithm, and one output for each head. They are
/// evaluated in f64 once for each distance, and the outputs are rounded once.
///
/// ```
/// use ndarray::array;
/// use positional_encodings::training::{Activation, DistanceNetwork, Layers, Linear, Spacing};
/// use positional_encodings::{AttentionBias, Positions};
///
/// let layers = Layers::new([Linear::new(array![[2.0_f32]])?], Activation::Silu)?;
/// let bias = DistanceNetwork::new(layers, Spacing::Linear)?;
/// let row = bias.encode(&Positions::from(2..3), &Positions::from(0..4))?;
/// assert_eq!(row, array![[[4.0, 2.0, 0.0, -2.0]]]);
/// # Ok::<(), positional_encodings::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct DistanceNetwork<A> {
    layers: Layers<A>,
    spacing: Spacing,
}

impl<A: Element> DistanceNetwork<A> {
    /// Makes the bias from layers with one input and one output for each head.
    ///
    /// # Errors
    ///
    /// [`Error::WidthMismatch`] where the layers have more than one input.
    pub fn new(layers: Layers<A>, spacing: Spacing) -> Result<Self, Error> {
        match layers.inputs() {
            1 => Ok(Self { layers, spacing }),
            found => Err(Error::WidthMismatch { expected: 1, found }),
        }
    }

    /// Returns the layers.
    pub fn layers(&self) -> &Layers<A> {
        &self.layers
    }

    fn features(&self, distances: &[f64]) -> Array2<f64> {
        Array2::from_shape_fn((distances.len(), 1), |(i, _)| match self.spacing {
            Spacing::Linear => distances[i],
            Spacing::Log => libm::log1p(distances[i].abs()).copysign(distances[i]),
        })
    }
}

impl<A: Element> AttentionBias<A> for DistanceNetwork<A> {
    fn heads(&self) -> usize {
        self.layers.outputs()
    }

    fn encode_row(&self, query: &Positions<'_>, keys: &Positions<'_>, out: &mut [A]) {
        distances(query, keys, |start, Distances { values, .. }| {
            let rows = self.layers.forward(self.features(values));
            put_values(out, [self.heads(), keys.len()], (start, values.len()), |head, i| {
                rows[[i, head]]
            });
        });
    }

    fn depends_on(&self) -> DependsOn {
        DependsOn::Distance
    }
}

impl<A: Element> Trainable<A> for DistanceNetwork<A> {
    fn parameters(&self) -> Vec<Parameter> {
        self.layers.parameters("layers.")
    }

    fn values_into(&self, values: &mut [A]) -> Result<(), Error> {
        check_values(self.layers.len(), values.len())?;
        self.layers.values_into(values);
        Ok(())
    }

    fn set_values(&mut self, values: &[A]) -> Result<(), Error> {
        self.layers.set_values(values)
    }
}

impl<A: Element> DifferentiableBias<A> for DistanceNetwork<A> {
    fn backward_row(
        &self,
        query: &Positions<'_>,
        keys: &Positions<'_>,
        upstream: &[f64],
        gradient: &mut [f64],
    ) {
        distances(query, keys, |start, Distances { values, .. }| {
            let upstream = by_key(upstream, [self.heads(), keys.len()], start, values.len());
            self.layers.backward(self.features(values), upstream, gradient);
        });
    }
}
