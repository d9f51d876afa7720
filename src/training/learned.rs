//! The gradient of a learned table.

use ndarray::ArrayView2;

use super::rows::{GradientRows, scatter_positions};
use super::{
    Differentiable, Parameter, Trainable, check_backward, check_upstream, check_values, copy_values,
};
use crate::additive::{Learned, PositionalEncoding};
use crate::element::Element;
use crate::error::Error;
use crate::positions::Positions;

impl<A: Element> Learned<A> {
    /// Adds the gradient with respect to the table to an array of its shape, to a flat slice or to
    /// [`TouchedRows`](super::TouchedRows).
    ///
    /// gradient\[r\] += Σ upstream\[i\] over all i whose position reads row r; at a real position
    /// the two rows around it get (1 − t) and t times the upstream row. Frozen rows and the padding
    /// row get none. Sums are taken in the element type, in the order of the positions, as in
    /// torch; a dense gradient allocates nothing.
    ///
    /// # Errors
    ///
    /// The errors of [`backward`](Differentiable::backward).
    ///
    /// ```
    /// use ndarray::{Array2, array};
    /// use positional_encodings::{Learned, Positions};
    ///
    /// let learned = Learned::from_table(array![[0.0_f32], [0.0], [0.0]])?;
    /// let mut gradient = Array2::zeros((3, 1));
    /// learned.backward_rows(
    ///     &Positions::from(&[2.0, 0.25]),
    ///     array![[1.0], [100.0]].view(),
    ///     gradient.view_mut(),
    /// )?;
    /// assert_eq!(gradient, array![[75.0], [25.0], [1.0]]);
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn backward_rows<'g>(
        &self,
        positions: &Positions<'_>,
        upstream: ArrayView2<'_, A>,
        gradient: impl Into<GradientRows<'g, A>>,
    ) -> Result<(), Error> {
        check_upstream(positions, self.dim(), &upstream)?;
        let mut gradient = gradient.into().of_table(self.table().nrows(), self.dim())?;
        PositionalEncoding::check(self, positions)?;
        scatter_positions(positions, self.first(), &upstream, &self.frozen, &mut gradient);
        Ok(())
    }
}

impl<A: Element> Trainable<A> for Learned<A> {
    fn parameters(&self) -> Vec<Parameter> {
        vec![Parameter::new("table", self.table().shape(), false)]
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

impl<A: Element> Differentiable<A> for Learned<A> {
    fn backward(
        &self,
        positions: &Positions<'_>,
        upstream: ArrayView2<'_, A>,
        gradient: &mut [A],
    ) -> Result<(), Error> {
        check_backward(self, positions, &upstream, self.table().len(), gradient.len())?;
        self.backward_rows(positions, upstream, gradient)
    }
}
