//! Fourier features with a learned projection.

use ndarray::{Array2, ArrayView2, ArrayViewMut2};

use super::{Differentiable, Parameter, Trainable, check_backward, check_values, copy_values};
use crate::additive::{Fourier, PositionalEncoding};
use crate::element::Element;
use crate::error::Error;
use crate::positions::Positions;

/// Fourier features whose projection is learned (Li et al. 2021, *Learnable Fourier features for
/// multi-dimensional spatial positional encoding*, arXiv 2106.02795).
///
/// PE(x) is the vector of the [`Fourier`]; ∂/∂Bₖⱼ is 2π·xₖ·a·cos in the column of the sine and
/// −2π·xₖ·a·sin in that of the cosine, with a the amplitude. The paper has cosines first, amplitude
/// 1/√dim, Bₖⱼ normal with standard deviation 1/(2π·γ), and two layers with GELU on top: a
/// [`PositionNetwork`](super::PositionNetwork).
///
/// ```
/// use ndarray::{Array2, array};
/// use positional_encodings::training::{LearnedProjection, Trainable};
/// use positional_encodings::{FeatureLayout, Fourier, PositionalEncoding, Positions};
///
/// let fourier = Fourier::new(&array![[0.25], [0.0]])?.with_layout(FeatureLayout::CosSinHalves);
/// let mut learned = LearnedProjection::new(fourier);
/// learned.set_values(&[0.0_f64, 0.25])?;
/// let points = array![[7.0, 1.0]];
/// let row: Array2<f64> = learned.encode(&Positions::from_points(&points)?)?;
/// assert_eq!(row, array![[0.0, 1.0]]);
/// # Ok::<(), positional_encodings::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct LearnedProjection {
    fourier: Fourier,
}

impl LearnedProjection {
    /// Makes the projection of `fourier` learnable, starting from its values.
    pub fn new(fourier: Fourier) -> Self {
        Self { fourier }
    }

    /// Returns the encoding with its current projection.
    pub fn fourier(&self) -> &Fourier {
        &self.fourier
    }

    fn shape(&self) -> [usize; 2] {
        self.fourier.turns().dim().into()
    }
}

impl<A: Element> PositionalEncoding<A> for LearnedProjection {
    fn dim(&self) -> usize {
        self.fourier.dim()
    }

    fn max_len(&self) -> Option<usize> {
        None
    }

    fn axes(&self) -> usize {
        PositionalEncoding::<A>::axes(&self.fourier)
    }

    fn encode_into(
        &self,
        positions: &Positions<'_>,
        out: ArrayViewMut2<'_, A>,
    ) -> Result<(), Error> {
        self.fourier.encode_into(positions, out)
    }
}

impl<A: Element> Trainable<A> for LearnedProjection {
    fn parameters(&self) -> Vec<Parameter> {
        vec![Parameter::new("projection", self.shape(), true)]
    }

    fn values_into(&self, values: &mut [A]) -> Result<(), Error> {
        let turns = self.fourier.turns();
        copy_values(turns.len(), turns.mapv(A::from_f64), values)
    }

    fn set_values(&mut self, values: &[A]) -> Result<(), Error> {
        let [axes, pairs] = self.shape();
        check_values(axes * pairs, values.len())?;
        let turns =
            Array2::from_shape_fn((axes, pairs), |(axis, pair)| values[axis * pairs + pair]);
        self.fourier = self.fourier.with_turns(&turns)?;
        Ok(())
    }
}

impl<A: Element> Differentiable<A> for LearnedProjection {
    fn backward(
        &self,
        positions: &Positions<'_>,
        upstream: ArrayView2<'_, A>,
        gradient: &mut [A],
    ) -> Result<(), Error> {
        let [axes, pairs] = self.shape();
        check_backward(self, positions, &upstream, axes * pairs, gradient.len())?;
        let mut slopes = vec![0.0; axes * pairs];
        positions.each_point(|index, point| {
            for pair in 0..pairs {
                let [sin, cos] = self.fourier.pair_at(pair, point);
                let (sine, cosine) = self.fourier.columns_of(pair);
                let up = |column: usize| upstream[[index, column]].to_f64();
                let slope = up(sine) * cos - cosine.map_or(0.0, |cosine| up(cosine) * sin);
                for (axis, position) in point.iter().enumerate() {
                    slopes[axis * pairs + pair] +=
                        core::f64::consts::TAU * position.to_f64() * slope;
                }
            }
        });
        let own = gradient.iter_mut().zip(slopes);
        own.for_each(|(gradient, slope)| *gradient = *gradient + A::from_f64(slope));
        Ok(())
    }
}
