//! Grids in the order of merged patches, and boxes on a page.

use std::sync::Arc;

use ndarray::{ArrayBase, Data, Ix2};
use num_traits::PrimInt;

use super::list::{Items, List, with_room};
use super::{Axes, Position, Positions};
use crate::error::Error;

impl Positions<'_> {
    /// Makes all points of a grid, block by block, where `block` is the size of a block on each
    /// axis. Blocks are in row-major order, and so are the points within each.
    ///
    /// Encoders that merge 2 × 2 patches into a token (Qwen2-VL, Kimi K2.5) take patches in this
    /// order, so that the patches of a token are adjacent: `&[1, 2, 2]` on (time, row, column). A
    /// grid of any size takes no memory.
    ///
    /// # Errors
    ///
    /// [`Error::LengthMismatch`] unless `block` has one size for each axis;
    /// [`Error::IndivisibleSize`] where a block does not divide its axis, and for a block of 0; the
    /// errors of [`grid`](Self::grid).
    ///
    /// ```
    /// use positional_encodings::Positions;
    ///
    /// let patches = Positions::grid_in_blocks(&[2, 4], &[2, 2])?;
    /// let [rows, columns] = [&[0, 0, 1, 1, 0, 0, 1, 1], &[0, 1, 0, 1, 2, 3, 2, 3]];
    /// assert_eq!(patches, Positions::from_axes([rows, columns])?);
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn grid_in_blocks(sizes: &[usize], block: &[usize]) -> Result<Positions<'static>, Error> {
        if block.len() != sizes.len() {
            let (what, expected, found) = ("sizes of a block", sizes.len(), block.len());
            return Err(Error::LengthMismatch { what, expected, found });
        }
        for (&size, &divisor) in sizes.iter().zip(block) {
            if divisor == 0 || !size.is_multiple_of(divisor) {
                return Err(Error::IndivisibleSize { size, divisor });
            }
        }
        let len = Self::grid(sizes)?.len();
        // A coordinate is block index · block size + index within the block; both come from what
        // remains of the index after the faster axes.
        let all = block.iter().fold(1, |all: usize, &block| all.saturating_mul(block));
        let (mut within, mut between) = (1, all);
        let mut lists: Vec<List<'static>> = Vec::with_capacity(sizes.len());
        for (&size, &block) in sizes.iter().zip(block).rev().filter(|_| len > 0) {
            let (inner, outer) = (within, between);
            let item = move |index: usize| {
                let position = index / outer % (size / block) * block + index / inner % block;
                Some(Position::from(position))
            };
            lists.push(List::new(Items::ByIndex(Arc::new(item)), len));
            (within, between) = (within * block, between * (size / block));
        }
        let empty = || List::new(Items::Range(0), 0);
        lists.resize_with(sizes.len(), empty);
        let lists = lists.into_iter().rev().collect();
        Ok(Positions { axes: Axes::Several(lists), start: 0, rows: None, len })
    }

    /// Makes positions with six axes from boxes (x0, y0, x1, y1): x0, y0, x1, y1, width x1 − x0 and
    /// height y1 − y0.
    ///
    /// LayoutLM adds tables of all six (Xu et al. 2019, arXiv 1912.13318); see
    /// [`Axes::reading`](crate::Axes::reading). Its coordinates are scaled to 0..=1000.
    ///
    /// # Errors
    ///
    /// [`Error::AxesMismatch`] unless a box has four numbers; [`Error::InvalidParameter`] where one
    /// ends before it starts; [`Error::TooLarge`].
    ///
    /// ```
    /// use ndarray::array;
    /// use positional_encodings::Positions;
    ///
    /// let boxes = Positions::boxes(&array![[1_i64, 2, 4, 7]])?;
    /// assert_eq!(boxes.to_array()?, array![[1.0, 2.0, 4.0, 7.0, 3.0, 5.0]]);
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn boxes<T: PrimInt, S: Data<Elem = T>>(
        boxes: &ArrayBase<S, Ix2>,
    ) -> Result<Positions<'static>, Error> {
        let rows = boxes.nrows();
        if boxes.ncols() != 4 {
            return Err(Error::AxesMismatch { expected: 4, found: boxes.ncols() });
        }
        let mut axes = Vec::with_capacity(6);
        for _ in 0..6 {
            axes.push(with_room::<i64>(rows, 6)?);
        }
        for corners in boxes.rows() {
            let corner = |axis: usize| {
                let value = corners[axis].to_f64().unwrap_or(f64::NAN);
                let (name, needs) = ("corner of a box", "a 64-bit integer");
                let error = Error::InvalidParameter { name, value, needs };
                corners[axis].to_i64().ok_or(error)
            };
            let [x0, y0, x1, y1] = [corner(0)?, corner(1)?, corner(2)?, corner(3)?];
            let side = |name, from: i64, to: i64| {
                let value = to as f64 - from as f64;
                let error = Error::InvalidParameter { name, value, needs: "at least 0" };
                to.checked_sub(from).filter(|&side| side >= 0).ok_or(error)
            };
            let [width, height] =
                [side("width of a box", x0, x1)?, side("height of a box", y0, y1)?];
            for (axis, value) in axes.iter_mut().zip([x0, y0, x1, y1, width, height]) {
                axis.push(value);
            }
        }
        Positions::from_axes(axes)
    }
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn blocks_of_one_are_a_grid() {
        for sizes in [&[3, 4][..], &[2, 3, 5], &[7], &[0, 4], &[4, 0, usize::MAX]] {
            let blocks = Positions::grid_in_blocks(sizes, &vec![1; sizes.len()]).unwrap();
            assert_eq!(blocks, Positions::grid(sizes).unwrap(), "{sizes:?}");
        }
    }

    #[test]
    fn blocks_of_a_video() {
        let video = Positions::grid_in_blocks(&[2, 4, 6], &[1, 2, 3]).unwrap();
        let mut index = 0;
        for (t, block_row, block_column) in
            (0..2).flat_map(|t| (0..2).flat_map(move |r| (0..2).map(move |c| (t, r, c))))
        {
            for (row, column) in (0..2).flat_map(|r| (0..3).map(move |c| (r, c))) {
                let point = [t, 2 * block_row + row, 3 * block_column + column];
                let point = point.map(Position::Integer).to_vec();
                assert_eq!(video.point(index), Some(point), "{index}");
                index += 1;
            }
        }
        assert_eq!(index, video.len());
    }

    #[test]
    fn sides_of_boxes() {
        let boxes = Positions::boxes(&array![[3_i64, 2, 3, 7], [-4, 5, -1, 5]]).unwrap();
        let expected = array![[3.0, 2.0, 3.0, 7.0, 0.0, 5.0], [-4.0, 5.0, -1.0, 5.0, 3.0, 0.0]];
        assert_eq!(boxes.to_array().unwrap(), expected);
        let error = Positions::boxes(&array![[0_i64, 0, 2, 1], [1, 4, 4, 1]]).unwrap_err();
        let (name, needs) = ("height of a box", "at least 0");
        assert_eq!(error, Error::InvalidParameter { name, value: -3.0, needs });
    }

    #[test]
    fn what_cannot_be() {
        let error = Positions::grid_in_blocks(&[4, 6], &[2, 4]).unwrap_err();
        assert_eq!(error, Error::IndivisibleSize { size: 6, divisor: 4 });
        assert_eq!(error.to_string(), "size 6 is not a multiple of 4");
        let error = Positions::grid_in_blocks(&[4], &[0]).unwrap_err();
        assert_eq!(error, Error::IndivisibleSize { size: 4, divisor: 0 });
        assert!(Positions::grid_in_blocks(&[4, 6], &[2]).is_err());
        assert_eq!(Positions::grid_in_blocks(&[], &[]), Err(Error::ZeroDim));
        let huge = [usize::MAX / 2 * 2, 2];
        assert!(Positions::grid_in_blocks(&huge, &[2, 2]).is_err());
        for bad in [[1_i64, 2, 0, 7], [1, 2, 4, 1], [i64::MIN, 0, i64::MAX, 1]] {
            let error = Positions::boxes(&array![bad]).unwrap_err();
            assert!(matches!(error, Error::InvalidParameter { .. }), "{error}");
        }
        let error = Positions::boxes(&array![[1_i64, 2, 3]]).unwrap_err();
        assert_eq!(error, Error::AxesMismatch { expected: 4, found: 3 });
    }
}
