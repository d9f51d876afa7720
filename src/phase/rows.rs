//! Rows of an output, one or eight at a time.

use ndarray::{ArrayViewMut2, Axis};

/// Rows that are contiguous slices: of a whole block, or of a strided array.
pub enum Rows<'a, A> {
    Flat { data: &'a mut [A], dim: usize },
    Strided(ArrayViewMut2<'a, A>),
}

impl<'a, A> Rows<'a, A> {
    /// The rows of `view`, or the view itself where its rows are not contiguous.
    pub(crate) fn new(mut view: ArrayViewMut2<'a, A>) -> Result<Self, ArrayViewMut2<'a, A>> {
        let dim = view.ncols();
        if view.is_standard_layout() {
            return match view.into_slice() {
                Some(data) => Ok(Self::Flat { data, dim }),
                None => Ok(Self::Flat { data: &mut [], dim }),
            };
        }
        let contiguous =
            view.rows_mut().into_iter().next().is_none_or(|mut row| row.as_slice_mut().is_some());
        if contiguous { Ok(Self::Strided(view)) } else { Err(view) }
    }

    #[inline(always)]
    pub(crate) fn one(&mut self, row: usize) -> &mut [A] {
        match self {
            Self::Flat { data, dim } => &mut data[row * *dim..(row + 1) * *dim],
            Self::Strided(view) => view.row_mut(row).into_slice().unwrap_or_default(),
        }
    }

    /// Eight rows from `first` on.
    #[inline(always)]
    pub(crate) fn eight(&mut self, first: usize) -> [&mut [A]; 8] {
        match self {
            Self::Flat { data, dim } => {
                let mut rows = data[first * *dim..(first + 8) * *dim].chunks_exact_mut(*dim);
                core::array::from_fn(|_| rows.next().unwrap_or_default())
            }
            Self::Strided(view) => {
                let mut rest = Some(view.slice_axis_mut(Axis(0), (first..first + 8).into()));
                let mut next = || {
                    let (row, below) = rest.take()?.split_at(Axis(0), 1);
                    rest = Some(below);
                    row.index_axis_move(Axis(0), 0).into_slice()
                };
                core::array::from_fn(|_| next().unwrap_or_default())
            }
        }
    }
}
