//! FIRE: a bias from a network of the distance relative to the query's position.

use ndarray::Array2;

use super::{DifferentiableBias, by_key};
use crate::bias::AttentionBias;
use crate::bias::distance::{Distances, distances, put_values};
use crate::element::Element;
use crate::error::{Error, check_parameter};
use crate::positions::Positions;
use crate::training::{Layers, Parameter, Trainable, check_values};

/// FIRE (Li et al. 2023, *Functional interpolation for relative positions improves long context
/// transformers*): f(ψ(|i − j|) / ψ(max(i, L))) with ψ(x) = ln(c · x + 1) and f a network with one
/// input and one output for each head, in the paper with ReLU and 32 hidden values.
///
/// c and L are learned too; the paper starts from 0.1 and 512. The paper adds 10⁻⁶ to the
/// denominator against a division by zero, which cannot occur here. Values are computed in f64 and
/// rounded once.
///
/// ```
/// use ndarray::array;
/// use positional_encodings::training::{Activation, Fire, Layers, Linear};
/// use positional_encodings::{AttentionBias, Positions};
///
/// let layers = Layers::new([Linear::new(array![[-8.0_f32]])?], Activation::Relu)?;
/// let fire = Fire::new(layers, 1.0, 15.0)?; // ψ(15) = ln 16
/// let row = fire.encode(&Positions::from(3..4), &Positions::from(&[0, 3]))?;
/// assert_eq!(row, array![[[-4.0, 0.0]]]); // ln 4 / ln 16 is a half
/// # Ok::<(), positional_encodings::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Fire<A> {
    layers: Layers<A>,
    c: f64,
    threshold: f64,
}

/// The input of the network, and its derivatives with respect to c and L.
struct Share {
    value: f64,
    by_c: f64,
    by_threshold: f64,
}

impl<A: Element> Fire<A> {
    /// Makes the bias from layers with one input and one output for each head, and from c and L.
    ///
    /// # Errors
    ///
    /// [`Error::WidthMismatch`] where the layers have more than one input,
    /// [`Error::InvalidParameter`] unless c and L are positive and within the range of normal f32
    /// numbers.
    pub fn new(layers: Layers<A>, c: f64, threshold: f64) -> Result<Self, Error> {
        if layers.inputs() != 1 {
            return Err(Error::WidthMismatch { expected: 1, found: layers.inputs() });
        }
        for (name, value) in [("c", c), ("L", threshold)] {
            let is_met = value >= f64::from(f32::MIN_POSITIVE) && value <= f64::from(f32::MAX);
            let needs = "positive and within the range of normal f32 numbers";
            check_parameter(name, value, is_met, needs)?;
        }
        Ok(Self { layers, c, threshold })
    }

    /// Returns the layers.
    pub fn layers(&self) -> &Layers<A> {
        &self.layers
    }

    /// Returns the parameters c and L.
    pub fn c_and_threshold(&self) -> [f64; 2] {
        [self.c, self.threshold]
    }

    fn shares(&self, query: &Positions<'_>, distances: &[f64]) -> Vec<Share> {
        let query = query.get(0).map_or(0.0, |query| query.to_f64());
        let whole = query.max(self.threshold);
        let psi = |x: f64| (libm::log1p(self.c * x), x / (1.0 + self.c * x));
        let (below, below_by_c) = psi(whole);
        let slope = if query < self.threshold { self.c / (1.0 + self.c * whole) } else { 0.0 };
        let share = |distance: &f64| {
            let (above, above_by_c) = psi(distance.abs());
            let value = above / below;
            let by_c = (above_by_c - value * below_by_c) / below;
            Share { value, by_c, by_threshold: -value * slope / below }
        };
        distances.iter().map(share).collect()
    }
}

fn features(shares: &[Share]) -> Array2<f64> {
    Array2::from_shape_fn((shares.len(), 1), |(i, _)| shares[i].value)
}

impl<A: Element> AttentionBias<A> for Fire<A> {
    fn heads(&self) -> usize {
        self.layers.outputs()
    }

    fn encode_row(&self, query: &Positions<'_>, keys: &Positions<'_>, out: &mut [A]) {
        distances(query, keys, |start, Distances { values, .. }| {
            let rows = self.layers.forward(features(&self.shares(query, values)));
            put_values(out, [self.heads(), keys.len()], (start, values.len()), |head, i| {
                rows[[i, head]]
            });
        });
    }
}

impl<A: Element> Trainable<A> for Fire<A> {
    fn parameters(&self) -> Vec<Parameter> {
        let own = ["c", "threshold"].map(|name| Parameter::new(name, [], false));
        own.into_iter().chain(self.layers.parameters("layers.")).collect()
    }

    fn values_into(&self, values: &mut [A]) -> Result<(), Error> {
        check_values(2 + self.layers.len(), values.len())?;
        let (own, layers) = values.split_at_mut(2);
        own.copy_from_slice(&self.c_and_threshold().map(A::from_f64));
        self.layers.values_into(layers);
        Ok(())
    }

    fn set_values(&mut self, values: &[A]) -> Result<(), Error> {
        check_values(2 + self.layers.len(), values.len())?;
        let mut layers = self.layers.clone();
        layers.set_values(&values[2..])?;
        *self = Self::new(layers, values[0].to_f64(), values[1].to_f64())?;
        Ok(())
    }
}

impl<A: Element> DifferentiableBias<A> for Fire<A> {
    fn backward_row(
        &self,
        query: &Positions<'_>,
        keys: &Positions<'_>,
        upstream: &[f64],
        gradient: &mut [f64],
    ) {
        let (own, layers) = gradient.split_at_mut(2.min(gradient.len()));
        distances(query, keys, |start, Distances { values, .. }| {
            let shares = self.shares(query, values);
            let upstream = by_key(upstream, [self.heads(), keys.len()], start, values.len());
            let by_share = self.layers.backward(features(&shares), upstream, layers);
            for (share, slope) in shares.iter().zip(&by_share) {
                let slopes = [share.by_c, share.by_threshold];
                own.iter_mut().zip(slopes).for_each(|(sum, own)| *sum += slope * own);
            }
        });
    }
}
