//! Relative positions of images, decomposed into rows and columns.

use core::fmt;

use ndarray::{Array2, ArrayViewMut2, Axis};

use super::relative::put;
use super::{ContentBias, Head, RelativeBias, Side, Span, TableRule};
use crate::arrays::check_width;
use crate::bias::{Window, check_axes};
use crate::element::Element;
use crate::error::Error;
use crate::positions::Positions;
use crate::resample::{GridResample, Resample};

/// Decomposed relative positions (Li et al. 2021, *MViTv2*): qᵢ · R_h\[Δy\] + qᵢ · R_w\[Δx\], with
/// a learned row for each offset (Δy, Δx) = query − key along an axis. SAM's image encoder, ViTDet
/// and MViT V2 use them.
///
/// The bias is not divided by √dim. Positions have two axes, row and column. Where queries or keys
/// are pooled, positions are those of the finer grid: if there are twice as many keys as queries
/// along an axis, queries are at 0, 2, 4, …
///
/// ```
/// use ndarray::{Array2, Array3};
/// use positional_encodings::Positions;
/// use positional_encodings::bias::{ContentBias, DecomposedBias};
///
/// let rel_pos = |len: usize| Array2::from_shape_fn((2 * len - 1, 4), |(row, _)| row as f32);
/// let sam = DecomposedBias::new([rel_pos(2), rel_pos(3)], 1)?; // a grid of 2 rows, 3 columns
/// let (q, k) = (Array3::ones((1, 6, 4)), Array3::zeros((0, 0, 0)));
/// let (patches, mut scores) = (Positions::grid(&[2, 3])?, Array3::zeros((1, 6, 6)));
/// sam.add_to(q.view(), k.view(), &patches, &patches, scores.view_mut())?;
/// assert_eq!(scores[[0, 0, 5]], 4.0 * (0.0 + 0.0)); // one row down, two columns to the right
/// assert_eq!(scores[[0, 0, 0]], 4.0 * (1.0 + 2.0));
/// # Ok::<(), positional_encodings::Error>(())
/// ```
#[derive(Clone, PartialEq)]
pub struct DecomposedBias<A> {
    pub(crate) parts: [RelativeBias<A, Span>; 2],
}

impl<A> fmt::Debug for DecomposedBias<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [rows, columns] = self.parts.each_ref().map(|part| &part.tables);
        f.debug_struct("DecomposedBias")
            .field("heads", &self.parts[0].heads)
            .field("rows", rows)
            .field("columns", columns)
            .finish()
    }
}

impl<A: Element> DecomposedBias<A> {
    /// Makes the bias from `rel_pos_h` (2 · height − 1, dim) and `rel_pos_w` (2 · width − 1, dim),
    /// which all heads share.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidParameter`] for a table with an even number of rows,
    /// [`Error::WidthMismatch`] where the dims differ, and the errors of [`RelativeBias::new`].
    pub fn new([rows, columns]: [Array2<A>; 2], heads: usize) -> Result<Self, Error> {
        check_width(rows.ncols(), columns.ncols())?;
        let part = |table: Array2<A>| {
            let span = Span::symmetric(table.nrows())?;
            RelativeBias::new(span, heads, [(Side::Queries, table.insert_axis(Axis(0)))])
        };
        Ok(Self { parts: [part(rows)?, part(columns)?] })
    }

    /// Returns the bias for another grid (height, width), with rows resampled from this one's. For
    /// SAM, use [`Resample::bilinear`] with [`Sampling::HalfPixel`].
    ///
    /// [`Sampling::HalfPixel`]: crate::resample::Sampling::HalfPixel
    ///
    /// # Errors
    ///
    /// [`Error::EmptyGrid`], [`Error::TooLarge`], and the errors of [`GridResample::apply`].
    pub fn resized(&self, grid: [usize; 2], resample: Resample) -> Result<Self, Error> {
        let sides = Window::new(grid)?.sides();
        let resized = |axis: usize| {
            // Shape (1, 2 · len − 1, dim).
            let table = self.parts[axis].tables[0].rows.index_axis(Axis(0), 0);
            match sides[axis] == table.nrows() {
                true => Ok(table.to_owned()),
                false => {
                    GridResample::new([table.nrows(), 1], [sides[axis], 1], resample)?.apply(table)
                }
            }
        };
        Self::new([resized(0)?, resized(1)?], self.parts[0].heads)
    }
}

impl<A: Element> ContentBias<A> for DecomposedBias<A> {
    fn heads(&self) -> usize {
        self.parts[0].heads
    }

    fn widths(&self) -> [Option<usize>; 2] {
        self.parts[0].widths()
    }

    fn add_head(&self, head: &Head<'_, A>, mut scores: ArrayViewMut2<'_, A>) {
        let (mut sums, mut logits) = (vec![0.0; head.keys.len()], Vec::new());
        let on = |axis| head.queries.axis(axis).zip(head.keys.axis(axis));
        let (Some(rows), Some(columns)) = (on(0), on(1)) else { return };
        for (query, scores) in scores.outer_iter_mut().enumerate() {
            sums.fill(0.0);
            for (part, (queries, keys)) in self.parts.iter().zip([&rows, &columns]) {
                let head = Head { queries, keys, ..head.borrowed() };
                part.add_sums(&head, query, &mut logits, &mut sums);
            }
            put(scores, &sums, 1.0);
        }
    }

    fn axes(&self) -> [usize; 2] {
        [2, 2]
    }

    fn check(&self, queries: &Positions<'_>, keys: &Positions<'_>) -> Result<(), Error> {
        check_axes(2, queries, keys, |axis, queries, keys| {
            self.parts[axis].rule().check(queries, keys)
        })
    }
}
