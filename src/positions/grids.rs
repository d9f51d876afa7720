//! Grids whose points stand in another order, or around their middle.

use super::Positions;
use super::list::with_room;
use crate::error::Error;

impl Positions<'_> {
    /// All points (row, column) of a grid in blocks of `merge` × `merge`: the blocks row by row, and
    /// the points of a block row by row. Vision encoders whose patches are merged into one token
    /// for each block have them so (Qwen2-VL, GLM-4V, …; transformers' `get_vision_position_ids`).
    ///
    /// # Errors
    ///
    /// [`Error::InvalidParameter`] where `merge` is 0 or does not divide both sizes;
    /// [`Error::TooLarge`].
    ///
    /// ```
    /// use positional_encodings::Positions;
    ///
    /// let merged = Positions::merged(2, 4, 2)?;
    /// assert_eq!(merged, Positions::from_axes([&[0, 0, 1, 1, 0, 0, 1, 1], &[0, 1, 0, 1, 2, 3, 2, 3]])?);
    /// assert_eq!(Positions::merged(3, 5, 1)?, Positions::grid(&[3, 5])?);
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn merged(rows: usize, columns: usize, merge: usize) -> Result<Positions<'static>, Error> {
        if merge == 0 || !rows.is_multiple_of(merge) || !columns.is_multiple_of(merge) {
            let needs = "a divisor of the rows and of the columns";
            return Err(Error::InvalidParameter { name: "merge", value: merge as f64, needs });
        }
        let count = rows.checked_mul(columns).ok_or(Error::TooLarge { rows, dim: columns })?;
        let (mut down, mut right) = (with_room(count, 2)?, with_room(count, 2)?);
        for row in (0..rows).step_by(merge) {
            for column in (0..columns).step_by(merge) {
                for inner in 0..merge * merge {
                    down.push(row + inner / merge);
                    right.push(column + inner % merge);
                }
            }
        }
        Positions::from_axes([down, right])
    }

    /// All points of a grid in row-major order, each axis of n from −⌈n/2⌉ to ⌊n/2⌋ − 1:
    /// Qwen-Image's rows and columns.
    ///
    /// # Errors
    ///
    /// The errors of [`grid`](Self::grid).
    ///
    /// ```
    /// use positional_encodings::Positions;
    ///
    /// let centred = Positions::centred(&[4, 5])?;
    /// let points = centred.to_array()?;
    /// assert_eq!(points.row(0).to_vec(), [-2.0, -3.0]);
    /// assert_eq!(points.row(19).to_vec(), [1.0, 1.0]);
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn centred(sizes: &[usize]) -> Result<Positions<'static>, Error> {
        let back = |axis: usize| (sizes[axis] - sizes[axis] / 2) as f64;
        Positions::grid(sizes)?.map(|axis, position| position - back(axis))
    }
}
