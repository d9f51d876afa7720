//! Rows of an output, wherever they are in memory.

use core::ops::Range;

use ndarray::{ArrayViewMut2, Axis};

/// The rows of an array (positions, features).
pub enum Output<'a, A> {
    /// Contiguous rows, one after the other.
    Flat { data: &'a mut [A], dim: usize },
    /// Contiguous rows with gaps between them.
    Strided(ArrayViewMut2<'a, A>),
    /// Rows whose features are not adjacent.
    Scattered(ArrayViewMut2<'a, A>),
}

impl<'a, A: Copy> Output<'a, A> {
    pub(crate) fn new(mut view: ArrayViewMut2<'a, A>) -> Self {
        let dim = view.ncols();
        if view.is_standard_layout() {
            return Self::Flat { data: view.into_slice().unwrap_or_default(), dim };
        }
        let first = view.rows_mut().into_iter().next();
        match first.is_none_or(|mut row| row.as_slice_mut().is_some()) {
            true => Self::Strided(view),
            false => Self::Scattered(view),
        }
    }

    /// Returns true if each row is a slice.
    pub(super) fn are_slices(&self) -> bool {
        !matches!(self, Self::Scattered(_))
    }

    /// Returns a row if it is a slice.
    pub(super) fn one(&mut self, row: usize) -> Option<&mut [A]> {
        match self {
            Self::Flat { data, dim } => Some(&mut data[row * *dim..(row + 1) * *dim]),
            Self::Strided(view) => view.row_mut(row).into_slice(),
            Self::Scattered(_) => None,
        }
    }

    /// Returns eight rows from `first` on, if they are slices.
    pub(super) fn eight(&mut self, first: usize) -> Option<[&mut [A]; 8]> {
        match self {
            Self::Flat { data, dim } => {
                let mut rows = data[first * *dim..(first + 8) * *dim].chunks_exact_mut(*dim);
                Some(core::array::from_fn(|_| rows.next().unwrap_or_default()))
            }
            Self::Strided(view) => {
                let mut rest = Some(view.slice_axis_mut(Axis(0), (first..first + 8).into()));
                let mut next = || {
                    let (row, below) = rest.take()?.split_at(Axis(0), 1);
                    rest = Some(below);
                    row.index_axis_move(Axis(0), 0).into_slice()
                };
                Some(core::array::from_fn(|_| next().unwrap_or_default()))
            }
            Self::Scattered(_) => None,
        }
    }

    /// Has `write` fill some columns of some rows in slices; it is given the row and the columns.
    pub(super) fn fill(
        &mut self,
        rows: Range<usize>,
        columns: Range<usize>,
        empty: A,
        mut write: impl FnMut(usize, Range<usize>, &mut [A]),
    ) {
        let Self::Scattered(view) = self else {
            for row in rows {
                if let Some(out) = self.one(row) {
                    write(row, columns.clone(), &mut out[columns.clone()]);
                }
            }
            return;
        };
        // In most such arrays the rows of a column are adjacent in memory: with few columns at a
        // time their cache lines are still present when the next row is written.
        const FEW: usize = 64;
        let mut values = [empty; FEW];
        for first in columns.clone().step_by(FEW) {
            let some = first..columns.end.min(first + FEW);
            for row in rows.clone() {
                let values = &mut values[..some.len()];
                write(row, some.clone(), values);
                let out = view.row_mut(row).into_iter().skip(some.start);
                out.zip(values).for_each(|(out, value)| *out = *value);
            }
        }
    }
}
