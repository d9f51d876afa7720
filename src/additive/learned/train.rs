//! The table as a parameter.

use std::ops::Range;

use ndarray::{ArrayView2, ArrayViewMut2};

use super::Learned;
use crate::additive::PositionalEncoding;
use crate::training::{check_backward, check_upstream, check_values, scatter_positions};
use crate::{Element, Error, GradientRows, Parameter, Positions, Trainable};

impl<A: Element> Learned<A> {
    /// These rows of the table get no gradient: rows 0..512 of a table that was trained for 512
    /// positions and then stretched, say.
    ///
    /// It may be called again for further ranges.
    ///
    /// # Errors
    ///
    /// [`Error::PositionOutsideTable`] where the range ends past the table.
    ///
    /// ```
    /// use ndarray::array;
    /// use positional_encodings::{Learned, Positions, Trainable};
    ///
    /// let learned = Learned::from_table(array![[0.0_f32], [0.0], [0.0]])?.with_frozen_rows(0..2)?;
    /// let mut gradient = [0.0; 3];
    /// learned.backward(&Positions::from(0..3), array![[1.0], [2.0], [3.0]].view(), &mut gradient)?;
    /// assert_eq!(gradient, [0.0, 0.0, 3.0]);
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn with_frozen_rows(mut self, rows: Range<usize>) -> Result<Self, Error> {
        if !rows.is_empty() {
            self.frozen.freeze(rows, self.table.nrows())?;
        }
        Ok(self)
    }

    /// The row of the padding, which gets no gradient: torch's `padding_idx`. Its values stay as
    /// they are (see [`with_zero_row`](Self::with_zero_row)).
    ///
    /// # Errors
    ///
    /// [`Error::PositionOutsideTable`] where there is no such row.
    ///
    /// ```
    /// use ndarray::array;
    /// use positional_encodings::Learned;
    ///
    /// // fairseq and RoBERTa: row 1
    /// let learned = Learned::from_table(array![[1.0_f32], [2.0], [3.0]])?.with_zero_row(1)?.with_padding_row(1)?;
    /// assert_eq!(learned.padding_row(), Some(1));
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn with_padding_row(mut self, row: usize) -> Result<Self, Error> {
        self.frozen.freeze(row..row.saturating_add(1), self.table.nrows())?;
        self.padding = Some(row);
        Ok(self)
    }

    /// The row of the padding, if one was named.
    pub fn padding_row(&self) -> Option<usize> {
        self.padding
    }

    /// The table, to be written to, shape (rows, dim): an optimiser's step in place.
    ///
    /// ```
    /// use ndarray::array;
    /// use positional_encodings::Learned;
    ///
    /// let mut learned = Learned::from_table(array![[1.0_f64, 2.0]])?;
    /// learned.table_mut().scaled_add(-0.5, &array![[1.0, 0.0]]);
    /// assert_eq!(learned.table(), array![[0.5, 2.0]]);
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn table_mut(&mut self) -> ArrayViewMut2<'_, A> {
        self.table.view_mut()
    }

    /// Adds the gradient of the table to an array of its shape or to a list of
    /// [`TouchedRows`](crate::TouchedRows).
    ///
    /// gradient\[r\] += Σ upstream\[i\] over all i whose position reads row r; a real position
    /// gives (1 − t) and t of its upstream row to the two rows it lies between. Frozen and padding
    /// rows get none. Sums are taken in the element type, in the order of the positions, as torch
    /// takes them; nothing is allocated for a dense gradient.
    ///
    /// # Errors
    ///
    /// Those of [`backward`](Trainable::backward).
    ///
    /// ```
    /// use ndarray::{Array2, array};
    /// use positional_encodings::{Learned, Positions};
    ///
    /// let learned = Learned::from_table(array![[0.0_f32], [0.0], [0.0]])?;
    /// let mut gradient = Array2::zeros((3, 1));
    /// learned.backward_rows(&Positions::from(&[2.0, 0.25]), array![[1.0], [100.0]].view(), gradient.view_mut())?;
    /// assert_eq!(gradient, array![[75.0], [25.0], [1.0]]);
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn backward_rows<'g>(
        &self,
        positions: &Positions<'_>,
        upstream: ArrayView2<'_, A>,
        gradient: impl Into<GradientRows<'g, A>>,
    ) -> Result<(), Error> {
        let mut gradient = gradient.into();
        check_upstream(positions, self.dim(), &upstream)?;
        gradient.check(self.table.nrows(), self.dim())?;
        PositionalEncoding::check(self, positions)?;
        scatter_positions(positions, self.first(), &upstream, &self.frozen, &mut gradient);
        Ok(())
    }
}

impl<A: Element> Trainable<A> for Learned<A> {
    fn parameters(&self) -> Vec<Parameter> {
        vec![Parameter::new("table", self.table.shape(), false)]
    }

    fn values_into(&self, values: &mut [A]) -> Result<(), Error> {
        check_values(self.table.len(), values.len())?;
        values.iter_mut().zip(&self.table).for_each(|(value, entry)| *value = *entry);
        Ok(())
    }

    fn set_values(&mut self, values: &[A]) -> Result<(), Error> {
        check_values(self.table.len(), values.len())?;
        self.table.iter_mut().zip(values).for_each(|(entry, value)| *entry = *value);
        Ok(())
    }

    fn backward(
        &self,
        positions: &Positions<'_>,
        upstream: ArrayView2<'_, A>,
        gradient: &mut [A],
    ) -> Result<(), Error> {
        check_backward(self, positions, &upstream, self.table.len(), gradient.len())?;
        let found = gradient.len();
        let dense = ArrayViewMut2::from_shape(self.table.dim(), gradient);
        let mismatch = |_| Error::LengthMismatch {
            what: "parameter values",
            expected: self.table.len(),
            found,
        };
        self.backward_rows(positions, upstream, dense.map_err(mismatch)?)
    }

    fn parameter_count(&self) -> usize {
        self.table.len()
    }
}
