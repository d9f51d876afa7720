//! Positions of a batch: the same for every sequence, or a row for each.

use ndarray::{ArrayBase, ArrayView2, CowArray, Data, Ix2};

use super::{PositionElement, Positions};

/// The positions of a batch of sequences: one list that all of them share, or ids of shape (batch,
/// len) where the rows differ.
///
/// Whatever makes [`Positions`] makes this too, and so does a two-dimensional array of ids.
///
/// ```
/// use ndarray::array;
/// use positional_encodings::BatchPositions;
///
/// let shared = BatchPositions::from(0..4);
/// assert_eq!((shared.rows(), shared.len()), (None, 4));
/// let ids = array![[0_i64, 1, 2], [0, 0, 1]];
/// let differing = BatchPositions::from(&ids);
/// assert_eq!((differing.rows(), differing.len()), (Some(2), 3));
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct BatchPositions<'a> {
    /// All rows, one after the other.
    all: Positions<'a>,
    shape: Shape,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Shape {
    Shared,
    Rows { rows: usize, len: usize },
}

impl BatchPositions<'_> {
    /// Number of rows, or `None` where all sequences share the positions.
    pub fn rows(&self) -> Option<usize> {
        match self.shape {
            Shape::Shared => None,
            Shape::Rows { rows, .. } => Some(rows),
        }
    }

    /// Positions in each sequence.
    pub fn len(&self) -> usize {
        match self.shape {
            Shape::Shared => self.all.len(),
            Shape::Rows { len, .. } => len,
        }
    }

    /// Whether the sequences are empty.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The positions of sequence `row`.
    pub fn row(&self, row: usize) -> Positions<'_> {
        match self.shape {
            Shape::Shared => Positions::from(&self.all),
            Shape::Rows { len, .. } => {
                let start = row.saturating_mul(len);
                self.all.slice(start..start.saturating_add(len))
            }
        }
    }

    /// The same without a copy.
    pub(crate) fn borrowed(&self) -> BatchPositions<'_> {
        BatchPositions { all: Positions::from(&self.all), shape: self.shape }
    }

    /// The same shape with other positions, as many as before.
    pub(crate) fn map(&self, f: impl Fn(&Positions<'_>) -> Vec<f64>) -> BatchPositions<'static> {
        let all = Positions::from(f(&self.all));
        debug_assert_eq!(all.len(), self.all.len());
        BatchPositions { all, shape: self.shape }
    }

    /// All positions, row after row; the shared ones once.
    pub(crate) fn all(&self) -> &Positions<'_> {
        &self.all
    }
}

impl<'a, T: Into<Positions<'a>>> From<T> for BatchPositions<'a> {
    fn from(positions: T) -> Self {
        Self { all: positions.into(), shape: Shape::Shared }
    }
}

impl<'a, T: PositionElement> From<ArrayView2<'a, T>> for BatchPositions<'a> {
    /// A view that is not in row-major order is copied.
    fn from(ids: ArrayView2<'a, T>) -> Self {
        let shape = Shape::Rows { rows: ids.nrows(), len: ids.ncols() };
        let all = match ids.to_slice() {
            Some(slice) => Positions::from(slice),
            None => Positions::from(ids.iter().copied().collect::<Vec<T>>()),
        };
        Self { all, shape }
    }
}

impl<'a, T: PositionElement, S: Data<Elem = T>> From<&'a ArrayBase<S, Ix2>> for BatchPositions<'a> {
    fn from(ids: &'a ArrayBase<S, Ix2>) -> Self {
        Self::from(ids.view())
    }
}

impl<'a, T: PositionElement> From<CowArray<'a, T, Ix2>> for BatchPositions<'a> {
    fn from(ids: CowArray<'a, T, Ix2>) -> Self {
        let shape = Shape::Rows { rows: ids.nrows(), len: ids.ncols() };
        Self { all: Positions::from(ids.iter().copied().collect::<Vec<T>>()), shape }
    }
}

impl<'a> From<&'a BatchPositions<'_>> for BatchPositions<'a> {
    fn from(positions: &'a BatchPositions<'_>) -> Self {
        positions.borrowed()
    }
}
