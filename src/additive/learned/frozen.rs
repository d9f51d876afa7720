//! Rows of a table that training does not change.

use core::fmt;
use std::ops::Range;

use super::Learned;
use crate::element::Element;
use crate::error::Error;

/// Rows that get no gradient: the padding row, and rows that keep their trained values.
#[derive(Clone, Default, PartialEq)]
pub(crate) struct FrozenRows(Vec<Range<usize>>);

/// Lists a few ranges, and only counts many.
impl fmt::Debug for FrozenRows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.len() {
            0..=4 => self.0.fmt(f),
            many => write!(f, "{many} ranges"),
        }
    }
}

impl FrozenRows {
    /// Adds a range of rows, in a table of `len` rows.
    pub(crate) fn freeze(&mut self, rows: Range<usize>, len: usize) -> Result<(), Error> {
        if rows.end > len {
            return Err(Error::PositionOutsideTable {
                position: (rows.end - 1) as f64,
                first: 0,
                len,
            });
        }
        self.0.push(rows);
        Ok(())
    }

    /// Returns true if the row is frozen.
    pub(crate) fn contains(&self, row: usize) -> bool {
        self.0.iter().any(|rows| rows.contains(&row))
    }
}

impl<A: Element> Learned<A> {
    /// Excludes rows from all gradients: for example rows 0..512 of a table that was trained for
    /// 512 positions and then stretched.
    ///
    /// Each call adds a range.
    ///
    /// # Errors
    ///
    /// [`Error::PositionOutsideTable`] where the range ends past the table.
    ///
    /// ```
    /// use ndarray::array;
    /// use positional_encodings::{Learned, Positions, training::Differentiable};
    ///
    /// let learned = Learned::from_table(array![[0.0_f32], [0.0], [0.0]])?.with_frozen_rows(0..2)?;
    /// let mut gradient = [0.0; 3];
    /// learned.backward(
    ///     &Positions::from(0..3),
    ///     array![[1.0], [2.0], [3.0]].view(),
    ///     &mut gradient,
    /// )?;
    /// assert_eq!(gradient, [0.0, 0.0, 3.0]);
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn with_frozen_rows(mut self, rows: Range<usize>) -> Result<Self, Error> {
        if !rows.is_empty() {
            self.frozen.freeze(rows, self.table.nrows())?;
        }
        Ok(self)
    }

    /// Sets the padding row, which gets no gradient: torch's `padding_idx`. Its values are not
    /// changed (see [`with_zero_row`](Self::with_zero_row)).
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
    /// let learned = Learned::from_table(array![[1.0_f32], [2.0], [3.0]])?
    ///     .with_zero_row(1)?
    ///     .with_padding_row(1)?;
    /// assert_eq!(learned.padding_row(), Some(1));
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn with_padding_row(mut self, row: usize) -> Result<Self, Error> {
        self.frozen.freeze(row..row.saturating_add(1), self.table.nrows())?;
        self.padding = Some(row);
        Ok(self)
    }

    /// Returns the padding row, if one was set.
    pub fn padding_row(&self) -> Option<usize> {
        self.padding
    }
}
