//! The gradient of a table: rows of the upstream gradient, added up by the row that they were read
//! from.

use std::collections::HashMap;

use ndarray::{ArrayView1, ArrayView2, ArrayViewMut2, Axis};

use crate::additive::FrozenRows;
use crate::element::Element;
use crate::error::Error;
use crate::positions::{Position, Positions};

/// Where the gradient of a table goes: into an array of the table's shape, or into the rows that
/// were touched only.
///
/// Dense is right for position tables, of which a batch touches all rows; touched rows for word
/// tables, of which it touches a few hundred out of many thousand.
#[derive(Debug)]
#[non_exhaustive]
pub enum GradientRows<'g, A> {
    /// An array (rows, dim) in row-major order, added to in place without an allocation.
    Dense(ArrayViewMut2<'g, A>),
    /// Only the rows that were read.
    Touched(&'g mut TouchedRows<A>),
}

impl<'g, A> From<ArrayViewMut2<'g, A>> for GradientRows<'g, A> {
    fn from(dense: ArrayViewMut2<'g, A>) -> Self {
        Self::Dense(dense)
    }
}

impl<'g, A> From<&'g mut TouchedRows<A>> for GradientRows<'g, A> {
    fn from(touched: &'g mut TouchedRows<A>) -> Self {
        Self::Touched(touched)
    }
}

/// The gradient of those rows of a table that were read, in the order of their first reading.
///
/// It accumulates over calls until it is [cleared](Self::clear), and then keeps its memory.
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
#[derive(Clone, Debug, PartialEq)]
pub struct TouchedRows<A> {
    dim: usize,
    rows: Vec<usize>,
    counts: Vec<usize>,
    values: Vec<A>,
    slots: HashMap<usize, usize>,
}

impl<A: Element> TouchedRows<A> {
    /// No rows yet, of a table with `dim` columns.
    pub fn new(dim: usize) -> Self {
        Self {
            dim,
            rows: Vec::new(),
            counts: Vec::new(),
            values: Vec::new(),
            slots: HashMap::new(),
        }
    }

    /// The rows that were read, without repetition.
    pub fn rows(&self) -> &[usize] {
        &self.rows
    }

    /// How often each of them was read.
    pub fn counts(&self) -> &[usize] {
        &self.counts
    }

    /// The gradient of each of them, shape (rows, dim).
    pub fn gradient(&self) -> ArrayView2<'_, A> {
        ArrayView2::from_shape((self.rows.len(), self.dim), &self.values)
            .unwrap_or_else(|_| ArrayView2::from(&[[]]))
    }

    /// Divides the gradient of each row by how often it was read: torch's `scale_grad_by_freq`.
    ///
    /// ```
    /// use ndarray::array;
    /// use positional_encodings::{Learned, Positions, training::TouchedRows};
    ///
    /// let learned = Learned::from_table(array![[0.0_f32], [0.0]])?;
    /// let mut touched = TouchedRows::new(1);
    /// learned.backward_rows(&Positions::from(&[1, 1]), array![[1.0], [2.0]].view(), &mut touched)?;
    /// touched.divide_by_counts();
    /// assert_eq!(touched.gradient(), array![[1.5]]);
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn divide_by_counts(&mut self) {
        for (row, &count) in self.values.chunks_exact_mut(self.dim.max(1)).zip(&self.counts) {
            row.iter_mut().for_each(|value| *value = A::from_f64(value.to_f64() / count as f64));
        }
    }

    /// Forgets all rows, and keeps the memory.
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

impl<A: Element> GradientRows<'_, A> {
    /// Whether it is made for a table of this shape.
    pub(crate) fn check(&self, rows: usize, dim: usize) -> Result<(), Error> {
        let width = match self {
            Self::Dense(dense) => dense.ncols(),
            Self::Touched(touched) => touched.dim,
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
        }
    }
}

fn add_row<A: Element>(to: &mut [A], from: ArrayView1<'_, A>, factor: Option<f64>) {
    match (from.to_slice(), factor) {
        // What every optimiser step does: kept apart so that it becomes wide instructions.
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

/// The same by positions, row 0 standing for position `first`; a real position gives its parts to
/// the two rows around it.
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
