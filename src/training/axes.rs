//! Gradients of joined encodings.

use ndarray::{Array2, ArrayView2, Axis, Slice};

use super::{Differentiable, Parameter, Trainable, check_backward, check_values};
use crate::additive::{Axes, PositionalEncoding};
use crate::arrays::zeros;
use crate::element::Element;
use crate::error::Error;
use crate::positions::Positions;

/// The parameters are those of the encodings in turn; their names are prefixed with `axis_0.`,
/// `axis_1.` and so on.
impl<A: Element, E: PositionalEncoding<A> + Trainable<A>> Trainable<A> for Axes<A, E> {
    fn parameters(&self) -> Vec<Parameter> {
        let named = |(index, encoding): (usize, &E)| {
            let own = encoding.parameters().into_iter();
            own.map(move |own| Parameter { name: format!("axis_{index}.{}", own.name), ..own })
        };
        self.encodings().enumerate().flat_map(named).collect()
    }

    fn values_into(&self, values: &mut [A]) -> Result<(), Error> {
        check_values(self.parameter_count(), values.len())?;
        let mut rest = values;
        self.encodings().try_for_each(|encoding| {
            let (own, after) = core::mem::take(&mut rest).split_at_mut(encoding.parameter_count());
            rest = after;
            encoding.values_into(own)
        })
    }

    fn set_values(&mut self, values: &[A]) -> Result<(), Error> {
        check_values(self.parameter_count(), values.len())?;
        let before = self.values();
        let set = |axes: &mut Self, mut rest: &[A]| {
            axes.encodings_mut().try_for_each(|encoding| {
                let (own, after) = rest.split_at(encoding.parameter_count());
                rest = after;
                encoding.set_values(own)
            })
        };
        let result = set(self, values);
        if result.is_err() {
            // The encodings before the one that failed get their old values back.
            set(self, &before)?;
        }
        result
    }

    fn parameter_count(&self) -> usize {
        self.encodings().map(E::parameter_count).fold(0, usize::saturating_add)
    }
}

impl<A: Element, E: Differentiable<A>> Differentiable<A> for Axes<A, E> {
    fn backward(
        &self,
        positions: &Positions<'_>,
        upstream: ArrayView2<'_, A>,
        gradient: &mut [A],
    ) -> Result<(), Error> {
        check_backward(self, positions, &upstream, self.parameter_count(), gradient.len())?;
        let mut rest = gradient;
        self.each(positions, |index, encoding, own| {
            let (gradient, after) =
                core::mem::take(&mut rest).split_at_mut(encoding.parameter_count());
            rest = after;
            if gradient.is_empty() {
                return Ok(());
            }
            // Columns that were cut off get no gradient.
            let mut columns: Array2<A> = zeros(upstream.nrows(), encoding.dim())?;
            for place in self.places(index) {
                let source = Slice::from(place.columns());
                let target = Slice::from(place.features());
                let source = upstream.slice_axis(Axis(1), source);
                columns.slice_axis_mut(Axis(1), target).assign(&source);
            }
            encoding.backward(own, columns.view(), gradient)
        })
    }
}
