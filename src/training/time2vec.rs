//! Gradients with respect to the frequencies and phases of Time2Vec.

use ndarray::{ArrayView1, ArrayView2};

use super::{Differentiable, Parameter, Trainable, check_backward, check_values, copy_values};
use crate::additive::Time2Vec;
use crate::element::Element;
use crate::error::Error;
use crate::positions::Positions;

impl<A: Element> Trainable<A> for Time2Vec {
    fn parameters(&self) -> Vec<Parameter> {
        let own = |name| Parameter::new(name, [self.dim()], false);
        vec![own("frequencies"), own("phases")]
    }

    fn values_into(&self, values: &mut [A]) -> Result<(), Error> {
        let own = self.frequencies().into_iter().chain(self.phases()).copied();
        copy_values(2 * self.dim(), own.map(A::from_f64), values)
    }

    fn set_values(&mut self, values: &[A]) -> Result<(), Error> {
        check_values(2 * self.dim(), values.len())?;
        let (frequencies, phases) = values.split_at(self.dim());
        *self = Self::new(&ArrayView1::from(frequencies), &ArrayView1::from(phases))?;
        Ok(())
    }
}

impl<A: Element> Differentiable<A> for Time2Vec {
    fn backward(
        &self,
        positions: &Positions<'_>,
        upstream: ArrayView2<'_, A>,
        gradient: &mut [A],
    ) -> Result<(), Error> {
        check_backward(self, positions, &upstream, 2 * self.dim(), gradient.len())?;
        let dim = self.dim();
        let mut slopes = vec![0.0_f64; 2 * dim];
        for (position, &up) in positions.iter().zip(upstream.column(0)) {
            slopes[0] += up.to_f64() * position.to_f64();
            slopes[dim] += up.to_f64();
        }
        self.each_chunk::<f64>(positions, |index, time, first, values| {
            for (feature, cos) in (first..dim).zip(&values.cos) {
                let slope = upstream[[index, feature]].to_f64() * cos;
                slopes[feature] += slope * time;
                slopes[dim + feature] += slope;
            }
        });
        let own = gradient.iter_mut().zip(slopes);
        own.for_each(|(gradient, slope)| *gradient = *gradient + A::from_f64(slope));
        Ok(())
    }
}
