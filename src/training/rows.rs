//! The gradient of a table: rows of the upstream gradient, summed by the row of the table that was
//! read.

use core::fmt;
use std::collections::HashMap;

use ndarray::{Array2, ArrayView1, ArrayView2, ArrayViewMut2, Axis};

use crate::additive::FrozenRows;
use crate::arrays::zeros;
use crate::element::Element;
use crate::error::Error;
use crate::positions::{Position, Positions};

/// The destination of the gradient of a table: an array of the table's shape, or only the rows that
/// were read.
///
/// A dense gradient suits position tables, of which a batch reads all rows; touched rows suit word
/// tables, of which a batch reads a few hundred of many thousand rows. A dense gradient is an array
/// of the table's shape or its values as one flat slice, as in [`Trainable`](super::Trainable).
///
/// ```
/// use ndarray::{Array2, array};
/// use positional_encodings::{Learned, Positions, training::TouchedRows};
///
/// let learned = Learned::from_table(array![[0.0_f32], [0.0], [0.0]])?;
/// let (positions, upstream) = (Positions::from(&[2, 0, 2]), array![[1.0], [10.0], [100.0]]);
/// let (mut flat, mut dense, mut touched) = ([0.0; 3], Array2::zeros((3, 1)), TouchedRows::new(1));
/// learned.backward_rows(&positions, upstream.view(), &mut flat[..])?;
/// learned.backward_rows(&positions, upstream.view(), &mut dense)?;
/// learned.backward_rows(&positions, upstream.view(), &mut touched)?;
/// assert_eq!((flat, touched.to_dense(3)?), ([10.0, 0.0, 101.0], dense));
/// # Ok::<(), positional_encodings::Error>(())
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum GradientRows<'g, A> {
    /// An array (rows, dim), to which the gradient is added without an allocation.
    Dense(ArrayViewMut2<'g, A>),
    /// The values of such an array in row-major order.
    Flat(&'g mut [A]),
    /// Only the rows that were read, of a table of any length.
    Touched(&'g mut TouchedRows<A>),
}

impl<'g, A> From<ArrayViewMut2<'g, A>> for GradientRows<'g, A> {
    fn from(dense: ArrayViewMut2<'g, A>) -> Self {
        Self::Dense(dense)
    }
}

impl<'g, A> From<&'g mut Array2<A>> for GradientRows<'g, A> {
    fn from(dense: &'g mut Array2<A>) -> Self {
        Self::Dense(dense.view_mut())
    }
}

impl<'g, A> From<&'g mut [A]> for GradientRows<'g, A> {
    fn from(flat: &'g mut [A]) -> Self {
        Self::Flat(flat)
    }
}

impl<'g, A> From<&'g mut Vec<A>> for GradientRows<'g, A> {
    fn from(flat: &'g mut Vec<A>) -> Self {
        Self::Flat(flat)
    }
}

impl<'g, A> From<&'g mut TouchedRows<A>> for GradientRows<'g, A> {
    fn from(touched: &'g mut TouchedRows<A>) -> Self {
        Self::Touched(touched)
    }
}

/// The gradient of those rows of a table that were read, in the order of first reading.
///
/// The gradient accumulates over calls until [`clear`](Self::clear), which keeps the memory.
///
/// ```
/// use ndarray::{Array2, array};
/// use positional_encodings::{Learned, Positions, training::TouchedRows};
///
/// let learned = Learned::from_table(Array2::<f32>::zeros((30_000, 2)))?;
/// let mut touched = TouchedRows::new(2);
/// let upstream = array![[1.0, 2.0], [10.0, 20.0], [100.0, 200.0]];
/// learned.backward_rows(&Positions::from(&[7, 29_999, 7]), upstream.view(), &mut touched)?;
/// assert_eq!(touched.rows(), [7, 29_999]);
/// assert_eq!(touched.gradient(), array![[101.0, 202.0], [10.0, 20.0]]);
/// assert_eq!(touched.counts(), [2, 1]);
/// # Ok::<(), positional_encodings::Error>(())
/// ```
#[derive(Clone, PartialEq)]
pub struct TouchedRows<A> {
    dim: usize,
    rows: Vec<usize>,
    counts: Vec<usize>,
    values: Vec<A>,
    slots: HashMap<usize, usize>,
}

impl<A: Element> TouchedRows<A> {
    /// Makes a gradient without rows, for a table with `dim` columns.
    pub fn new(dim: usize) -> Self {
        Self {
            dim,
            rows: Vec::new(),
            counts: Vec::new(),
            values: Vec::new(),
            slots: HashMap::new(),
        }
    }

    /// Returns the rows that were read, without repetition.
    pub fn rows(&self) -> &[usize] {
        &self.rows
    }

    /// Returns the number of times that each of these rows was read.
    pub fn counts(&self) -> &[usize] {
        &self.counts
    }

    /// Returns the gradient of each of these rows, shape (rows, dim).
    pub fn gradient(&self) -> ArrayView2<'_, A> {
        // No array is wider than this, not even one without rows.
        let dim = self.dim.min(isize::MAX as usize);
        ArrayView2::from_shape((self.rows.len(), dim), &self.values)
            .unwrap_or_else(|_| ArrayView2::from(&[[]]))
    }

    /// Returns the gradient of the whole table of `rows` rows, shape (rows, dim), with zeros in
    /// rows that were not read.
    ///
    /// # Errors
    ///
    /// [`Error::PositionOutsideTable`] where a row was read that a table of this size lacks;
    /// [`Error::TooLarge`].
    ///
    /// ```
    /// use ndarray::array;
    /// use positional_encodings::{Learned, Positions, training::TouchedRows};
    ///
    /// let learned = Learned::from_table(array![[0.0_f32], [0.0], [0.0]])?;
    /// let mut touched = TouchedRows::new(1);
    /// learned.backward_rows(&Positions::from(&[1]), array![[5.0]].view(), &mut touched)?;
    /// assert_eq!(touched.to_dense(3)?, array![[0.0], [5.0], [0.0]]);
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn to_dense(&self, rows: usize) -> Result<Array2<A>, Error> {
        if let Some(row) = self.rows.iter().find(|row| **row >= rows) {
            return Err(Error::PositionOutsideTable { position: *row as f64, first: 0, len: rows });
        }
        let mut dense = zeros(rows, self.dim)?;
        for (row, gradient) in self.rows.iter().zip(self.gradient().rows()) {
            dense.row_mut(*row).assign(&gradient);
        }
        Ok(dense)
    }

    /// Divides the gradient of each row by the number of times it was read: torch's
    /// `scale_grad_by_freq`.
    ///
    /// ```
    /// use ndarray::array;
    /// use positional_encodings::{Learned, Positions, training::TouchedRows};
    ///
    /// let learned = Learned::from_table(array![[0.0_f32], [0.0]])?;
    /// let mut touched = TouchedRows::new(1);
    /// learned.backward_rows(
    ///     &Positions::from(&[1, 1]),
    ///     array![[1.0], [2.0]].view(),
    ///     &mut touched,
    /// )?;
    /// touched.divide_by_counts();
    /// assert_eq!(touched.gradient(), array![[1.5]]);
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn divide_by_counts(&mut self) {
        for (row, &count) in self.values.chunks_exact_mut(self.dim.max(1)).zip(&self.counts) {
            row.iter_mut().for_each(|value| *value = A::from_f64(value.to_f64() / count as f64));
        }
    }

    /// Removes all rows, and keeps the memory.
    pub fn clear(&mut self) {
        self.rows.clear();
        self.counts.clear();
        self.values.clear();
        self.slots.clear();
    }

    fn row_mut(&mut self, row: usize) -> &mut [A] {
        let slot = *self.slots.entry(row).or_insert(self.rows.len());
        if slot == self.rows.len() {
            self.rows.push(row);
            self.counts.push(0);
            self.values.resize(self.values.len() + self.dim, A::zero());
        }
        self.counts[slot] += 1;
        &mut self.values[slot * self.dim..][..self.dim]
    }
}

impl<A> fmt::Debug for TouchedRows<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TouchedRows")
            .field("rows", &self.rows.len())
            .field("dim", &self.dim)
            .finish_non_exhaustive()
    }
}

impl<'g, A: Element> GradientRows<'g, A> {
    /// Checks that the gradient has the shape of the table; a flat gradient is given this shape.
    pub(crate) fn of_table(self, rows: usize, dim: usize) -> Result<Self, Error> {
        let gradient = match self {
            Self::Flat(flat) => {
                let (expected, found) = (rows.saturating_mul(dim), flat.len());
                let mismatch =
                    Error::LengthMismatch { what: "values of the gradient", expected, found };
                Self::Dense(ArrayViewMut2::from_shape((rows, dim), flat).map_err(|_| mismatch)?)
            }
            shaped => shaped,
        };
        gradient.check(rows, dim).map(|()| gradient)
    }

    fn check(&self, rows: usize, dim: usize) -> Result<(), Error> {
        let width = match self {
            Self::Dense(dense) => dense.ncols(),
            Self::Touched(touched) => touched.dim,
            Self::Flat(_) => dim,
        };
        if width != dim {
            return Err(Error::WidthMismatch { expected: dim, found: width });
        }
        match self {
            Self::Dense(dense) if dense.nrows() != rows => Err(Error::LengthMismatch {
                what: "rows of the gradient",
                expected: rows,
                found: dense.nrows(),
            }),
            _ => Ok(()),
        }
    }

    fn add(&mut self, row: usize, upstream: ArrayView1<'_, A>, factor: Option<f64>) {
        match self {
            Self::Dense(dense) => {
                let mut row = dense.index_axis_mut(Axis(0), row);
                match row.as_slice_mut() {
                    Some(slice) => add_row(slice, upstream, factor),
                    None => {
                        row.iter_mut().zip(upstream).for_each(|(to, from)| add(to, *from, factor))
                    }
                }
            }
            Self::Touched(touched) => add_row(touched.row_mut(row), upstream, factor),
            Self::Flat(_) => debug_assert!(false, "a flat gradient has been given its shape"),
        }
    }
}

fn add_row<A: Element>(to: &mut [A], from: ArrayView1<'_, A>, factor: Option<f64>) {
    match (from.to_slice(), factor) {
        // Every optimiser step runs this loop: kept apart so that it is vectorised.
        (Some(from), None) => to.iter_mut().zip(from).for_each(|(to, from)| *to = *to + *from),
        _ => to.iter_mut().zip(from).for_each(|(to, from)| add(to, *from, factor)),
    }
}

fn add<A: Element>(to: &mut A, from: A, factor: Option<f64>) {
    *to = *to + factor.map_or(from, |factor| A::from_f64(from.to_f64() * factor));
}

/// Adds row i of `upstream` · `factor` to row `rows[i]` of the gradient. The caller has checked
/// rows and shapes.
pub(crate) fn scatter<A: Element>(
    rows: impl Iterator<Item = usize>,
    upstream: &ArrayView2<'_, A>,
    factor: Option<f64>,
    frozen: &FrozenRows,
    gradient: &mut GradientRows<'_, A>,
) {
    for (row, upstream) in rows.zip(upstream.rows()) {
        if !frozen.contains(row) {
            gradient.add(row, upstream, factor);
        }
    }
}

/// Adds row i of `upstream` to the row of position i, where row 0 belongs to position `first`; at a
/// real position the two rows around it get their parts.
pub(crate) fn scatter_positions<A: Element>(
    positions: &Positions<'_>,
    first: i64,
    upstream: &ArrayView2<'_, A>,
    frozen: &FrozenRows,
    gradient: &mut GradientRows<'_, A>,
) {
    for (position, upstream) in positions.iter().zip(upstream.rows()) {
        match position {
            Position::Integer(position) => {
                let row = (position - first) as usize;
                if !frozen.contains(row) {
                    gradient.add(row, upstream, None);
                }
            }
            Position::Real(position) => {
                let row = position - first as f64;
                let below = row.floor();
                for (row, part) in
                    [(below as usize, 1.0 - (row - below)), (below as usize + 1, row - below)]
                {
                    if part != 0.0 && !frozen.contains(row) {
                        gradient.add(row, upstream, Some(part));
                    }
                }
            }
        }
    }
}
