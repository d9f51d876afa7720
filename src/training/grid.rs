//! The gradient of a learned grid.

use ndarray::ArrayView2;

use super::{Differentiable, Parameter, Trainable, check_backward, check_values, copy_values};
use crate::additive::LearnedGrid;
use crate::element::Element;
use crate::error::Error;
use crate::positions::Positions;

impl<A: Element> Trainable<A> for LearnedGrid<A> {
    fn parameters(&self) -> Vec<Parameter> {
        let shape: Vec<usize> = self.sizes().iter().copied().chain([self.dim()]).collect();
        vec![Parameter::new("table", shape, false)]
    }

    fn values_into(&self, values: &mut [A]) -> Result<(), Error> {
        copy_values(self.table().len(), self.table().iter().copied(), values)
    }

    fn set_values(&mut self, values: &[A]) -> Result<(), Error> {
        check_values(self.table().len(), values.len())?;
        self.table_mut().iter_mut().zip(values).for_each(|(entry, value)| *entry = *value);
        Ok(())
    }

    fn parameter_count(&self) -> usize {
        self.table().len()
    }
}

impl<A: Element> Differentiable<A> for LearnedGrid<A> {
    fn backward(
        &self,
        positions: &Positions<'_>,
        upstream: ArrayView2<'_, A>,
        gradient: &mut [A],
    ) -> Result<(), Error> {
        check_backward(self, positions, &upstream, self.table().len(), gradient.len())?;
        let dim = self.dim();
        positions.each_point(|index, point| {
            self.around(point, &mut |row, weight| {
                let own = gradient[row * dim..(row + 1) * dim].iter_mut();
                for (gradient, up) in own.zip(upstream.row(index)) {
                    *gradient = *gradient + A::from_f64(weight * up.to_f64());
                }
            });
        });
        Ok(())
    }
}
