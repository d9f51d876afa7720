//! Rows of an output, one or two at a time.

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
        let contiguous = view.rows_mut().into_iter().next().is_none_or(|mut row| row.as_slice_mut().is_some());
        if contiguous { Ok(Self::Strided(view)) } else { Err(view) }
    }

    #[inline(always)]
    pub(crate) fn one(&mut self, row: usize) -> &mut [A] {
        match self {
            Self::Flat { data, dim } => &mut data[row * *dim..(row + 1) * *dim],
            Self::Strided(view) => view.row_mut(row).into_slice().unwrap_or_default(),
        }
    }

    /// Two rows, `first` above `second`.
    #[inline(always)]
    pub(crate) fn two(&mut self, first: usize, second: usize) -> [&mut [A]; 2] {
        match self {
            Self::Flat { data, dim } => {
                let (above, below) = data.split_at_mut(second * *dim);
                [&mut above[first * *dim..(first + 1) * *dim], &mut below[..*dim]]
            }
            Self::Strided(view) => {
                let (above, below) = view.view_mut().split_at(Axis(0), second);
                [(above, first), (below, 0)]
                    .map(|(rows, row)| rows.index_axis_move(Axis(0), row).into_slice().unwrap_or_default())
            }
        }
    }
}
