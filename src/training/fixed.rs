//! Encodings by formula, which have no parameters.

use ndarray::ArrayView2;

use super::{Differentiable, Parameter, Trainable, check_backward, check_values};
use crate::additive::{Fourier, MipNerf, NoPositions, Radial, Sinusoidal, Sphere2Vec, Wavelengths};
use crate::element::Element;
use crate::error::Error;
use crate::positions::Positions;

macro_rules! fixed {
    ($($encoding:ty),*) => {$(
        /// There are no parameters to learn.
        impl<A: Element> Trainable<A> for $encoding {
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

        impl<A: Element> Differentiable<A> for $encoding {
            fn backward(
                &self,
                positions: &Positions<'_>,
                upstream: ArrayView2<'_, A>,
                gradient: &mut [A],
            ) -> Result<(), Error> {
                check_backward(self, positions, &upstream, 0, gradient.len())
            }
        }
    )*};
}

fixed!(Sinusoidal, NoPositions, Fourier, MipNerf, Radial, Sphere2Vec, Wavelengths);
