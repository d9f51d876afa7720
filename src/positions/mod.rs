//! Positions: where the tokens are that an encoding is applied to.

mod augment;
mod axes;
mod blocks;
mod from;
pub mod ids;
mod images;
mod list;
mod masks;
mod points;
mod position;
mod runs;

pub use from::PositionElement;
pub use images::Dinov3Augmentation;
pub(crate) use points::PerAxis;
pub use position::Position;
pub(crate) use runs::Run;

use core::fmt;
use std::ops::Range;
use std::sync::Arc;

use crate::error::Error;
use list::List;

/// Positions beyond ±2⁶² are an error. Up to there, the phases of frequencies below one turn are
/// exact to 2⁻¹²⁷ of a turn.
pub(crate) const LIMIT: i64 = 1 << 62;

/// The positions of tokens: a list that all sequences share, or a row for each sequence of a batch,
/// on one or several axes.
///
/// Functions that take positions accept anything that converts to them with `From`:
///
/// | from | meaning |
/// |---|---|
/// | `0..len` | a whole sequence |
/// | `4095..4096` | a decode step: an offset is a range that starts later |
/// | `&[i64]`, `&[usize]`, `&[u32]`, `&[i32]`, arrays, `&Vec`, `Vec`, `Array1` and views | ids, in any order; they may be negative (relative sinusoids, shifts) |
/// | the same of `f64`, `f32` | continuous time |
/// | arrays (batch, len) of any of them and views | a row of positions for each sequence; a single row is shared |
/// | [`from_axes`](Self::from_axes), [`from_points`](Self::from_points), [`grid`](Self::grid), [`grid_of`](Self::grid_of), [`grid_in_blocks`](Self::grid_in_blocks), [`from_masks`](Self::from_masks), [`boxes`](Self::boxes), [`dinov3`](Self::dinov3), [`multimodal`](Self::multimodal) | a position on each of several axes: images, video |
///
/// A range stays a range internally, which encodings compute faster. Borrowed lists are never
/// copied, whatever their strides. A real that is a whole number within ±2⁶² is that integer.
///
/// Positions are numbered row after row: [`get`](Self::get), [`iter`](Self::iter) and
/// [`slice`](Self::slice) count all [`count`](Self::count) of them, and an encoding writes their
/// vectors in this order.
///
/// ```
/// use ndarray::array;
/// use positional_encodings::{Position, Positions};
///
/// assert_eq!(Positions::from(0..128).len(), 128);
/// let ids = [7_i64, -1, 0];
/// assert_eq!(Positions::from(&ids).get(1), Some(Position::Integer(-1)));
/// assert_eq!(Positions::from(&[2.0, 2.5]).get(0), Some(Position::Integer(2)));
/// assert_eq!(Positions::from(&[2.0, 2.5]).get(1), Some(Position::Real(2.5)));
///
/// let padded = Positions::from(array![[0, 0, 1], [0, 1, 2]]); // (batch, len)
/// assert_eq!((padded.rows(), padded.len(), padded.count()), (Some(2), 3, 6));
/// assert_eq!(padded.row(1), Positions::from(0..3));
///
/// let patches = Positions::grid(&[2, 3])?; // two rows of three columns
/// assert_eq!((patches.axes(), patches.len()), (2, 6));
/// # Ok::<(), positional_encodings::Error>(())
/// ```
#[derive(Clone)]
pub struct Positions<'a> {
    axes: Axes<'a>,
    /// The index of the first position in the lists of all axes.
    start: usize,
    rows: Option<usize>,
    len: usize,
}

#[derive(Clone)]
enum Axes<'a> {
    One(List<'a>),
    /// The lists of several axes, at least one.
    Several(Arc<[List<'a>]>),
}

impl<'a> Positions<'a> {
    fn one(list: List<'a>, rows: Option<usize>, len: usize) -> Self {
        Self { axes: Axes::One(list), start: 0, rows, len }
    }

    /// Returns the lists of all axes.
    fn lists(&self) -> &[List<'a>] {
        match &self.axes {
            Axes::One(list) => core::slice::from_ref(list),
            Axes::Several(lists) => lists,
        }
    }

    /// Returns the list of the first axis.
    fn list(&self) -> &List<'a> {
        match &self.axes {
            Axes::One(list) => list,
            Axes::Several(lists) => &lists[0],
        }
    }

    /// Borrows the positions.
    pub(crate) fn borrowed(&self) -> Positions<'_> {
        self.window(self.start, self.rows, self.len)
    }

    /// Returns a window of the same lists.
    fn window(&self, start: usize, rows: Option<usize>, len: usize) -> Positions<'_> {
        let axes = match &self.axes {
            Axes::One(list) => Axes::One(list.borrowed()),
            Axes::Several(lists) => Axes::Several(Arc::clone(lists)),
        };
        Positions { axes, start, rows, len }
    }
}

impl Positions<'_> {
    /// Returns the number of positions of each sequence.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Returns the total number of positions: rows × len, or len for a list.
    pub fn count(&self) -> usize {
        self.rows.unwrap_or(1).saturating_mul(self.len)
    }

    /// Returns true if there are no positions.
    pub fn is_empty(&self) -> bool {
        self.count() == 0
    }

    /// Returns the number of rows of a batch, or `None` for a list. A list, or a single row, is
    /// shared by all sequences.
    pub fn rows(&self) -> Option<usize> {
        self.rows
    }

    /// Returns the number of axes.
    pub fn axes(&self) -> usize {
        self.lists().len()
    }

    /// Returns the positions on one of the axes, or `None` where there is no such axis.
    ///
    /// ```
    /// use positional_encodings::Positions;
    ///
    /// let grid = Positions::grid(&[2, 3])?;
    /// assert_eq!(grid.axis(1), Some(Positions::from(&[0, 1, 2, 0, 1, 2])));
    /// assert_eq!(grid.axis(2), None);
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn axis(&self, axis: usize) -> Option<Positions<'_>> {
        let list = self.lists().get(axis)?.borrowed();
        Some(Positions { axes: Axes::One(list), start: self.start, rows: self.rows, len: self.len })
    }

    /// Returns the positions of sequence `row`, as a list: all of them where sequences share them,
    /// and none past the last row.
    ///
    /// ```
    /// use ndarray::array;
    /// use positional_encodings::Positions;
    ///
    /// let ids = array![[0, 1, 2], [0, 0, 1]];
    /// assert_eq!(Positions::from(&ids).row(1), Positions::from(&[0, 0, 1]));
    /// assert_eq!(Positions::from(0..3).row(1), Positions::from(0..3));
    /// ```
    pub fn row(&self, row: usize) -> Positions<'_> {
        match self.rows {
            Some(rows) if rows != 1 => {
                let start = row.saturating_mul(self.len);
                self.slice(start..start.saturating_add(self.len))
            }
            _ => self.window(self.start, None, self.len),
        }
    }

    /// Returns the positions at `indices`, as a list; indices past the end are left out.
    ///
    /// ```
    /// use positional_encodings::Positions;
    /// assert_eq!(Positions::from(5..80).slice(2..4), Positions::from(7..9));
    /// ```
    pub fn slice(&self, indices: Range<usize>) -> Positions<'_> {
        let end = indices.end.min(self.count());
        let start = indices.start.min(end);
        self.window(self.start + start, None, end - start)
    }

    /// Returns all positions as one list, row after row.
    pub(crate) fn flat(&self) -> Positions<'_> {
        self.window(self.start, None, self.count())
    }

    /// Returns true if all sequences share their positions.
    pub(crate) fn are_shared(&self) -> bool {
        self.rows.is_none_or(|rows| rows == 1)
    }

    /// Returns the position at `index`, on the first axis; `None` past the end.
    pub fn get(&self, index: usize) -> Option<Position> {
        if index < self.count() { self.list().get(self.start + index) } else { None }
    }

    /// Returns the position at `index` on every axis; `None` past the end.
    ///
    /// ```
    /// use positional_encodings::{Position::Integer, Positions};
    ///
    /// let grid = Positions::grid(&[2, 3])?;
    /// assert_eq!(grid.point(5), Some(vec![Integer(1), Integer(2)]));
    /// assert_eq!(grid.point(6), None);
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn point(&self, index: usize) -> Option<Vec<Position>> {
        if index >= self.count() {
            return None;
        }
        self.lists().iter().map(|list| list.get(self.start + index)).collect()
    }

    /// Returns the positions in order, on the first axis.
    ///
    /// ```
    /// use positional_encodings::{Position, Positions};
    /// let positions: Vec<f64> = Positions::from(5..8).iter().map(Position::to_f64).collect();
    /// assert_eq!(positions, [5.0, 6.0, 7.0]);
    /// ```
    pub fn iter(&self) -> impl Iterator<Item = Position> + '_ {
        (0..self.count()).filter_map(|index| self.get(index))
    }

    /// Returns enough of the positions on the first axis, with their indices, to tell whether all
    /// lie within bounds: for a range, its two ends.
    pub(crate) fn ends(&self) -> impl Iterator<Item = (usize, Position)> + '_ {
        let bounds = self.list().bounds(self.start, self.count());
        bounds.filter_map(|index| Some((index, self.get(index)?)))
    }

    /// Returns the length of a sequence with these positions, cache included: one more than the
    /// largest position on any axis, rounded up; 0 where there are none or all are at most −1.
    /// transformers computes this length as `max(position_ids) + 1` for rotations that depend on
    /// the length.
    ///
    /// ```
    /// use ndarray::array;
    /// use positional_encodings::Positions;
    ///
    /// assert_eq!(Positions::from(4095..4096).total_len(), 4096);
    /// assert_eq!(Positions::from(array![[0, 0, 1], [0, 1, 2]]).total_len(), 3);
    /// assert_eq!(Positions::from(&[0.5, 2.5]).total_len(), 4);
    /// assert_eq!(Positions::from(&[-1]).total_len(), 0);
    /// ```
    pub fn total_len(&self) -> usize {
        let after = |position| match position {
            Position::Integer(..0) => 0,
            Position::Integer(position) => {
                usize::try_from(position).unwrap_or(usize::MAX).saturating_add(1)
            }
            // The cast saturates, and NaN becomes 0.
            Position::Real(position) => (position.ceil() + 1.0) as usize,
        };
        let axes = (0..self.axes()).filter_map(|axis| self.axis(axis));
        let largest = |axis: Positions<'_>| axis.ends().map(|(_, at)| after(at)).max();
        axes.filter_map(largest).max().unwrap_or(0)
    }

    /// Checks that every position is finite and within ±2⁶², as encodings by formula require.
    ///
    /// # Errors
    ///
    /// [`Error::NonFinitePosition`] or [`Error::PositionTooLarge`], with a position at fault.
    pub fn check_finite(&self) -> Result<(), Error> {
        let mut axes = (0..self.axes()).filter_map(|axis| self.axis(axis));
        axes.try_for_each(|axis| match axis.are_small() {
            true => Ok(()),
            false => axis.ends().try_for_each(|(index, position)| position.check_finite(index)),
        })
    }

    /// Checks the number of axes.
    pub(crate) fn check_axes(&self, expected: usize) -> Result<(), Error> {
        match self.axes() {
            found if found == expected => Ok(()),
            found => Err(Error::AxesMismatch { expected, found }),
        }
    }
}

impl PartialEq for Positions<'_> {
    /// Positions are equal if their shape, axes and values are, whatever type they were given in.
    fn eq(&self, other: &Positions<'_>) -> bool {
        let shape = |positions: &Positions<'_>| (positions.axes(), positions.rows, positions.len);
        let mut axes = self.lists().iter().zip(other.lists());
        shape(self) == shape(other)
            && axes.all(|(a, b)| a.equals(self.start, b, other.start, self.count()))
    }
}

impl fmt::Debug for Positions<'_> {
    /// Shows the shape and the first few positions on each axis.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 8;
        write!(f, "Positions(")?;
        self.rows.map_or(Ok(()), |rows| write!(f, "{rows} × "))?;
        write!(f, "{}:", self.len)?;
        for list in self.lists() {
            write!(f, " [")?;
            for index in 0..self.count().min(SHOWN) {
                let comma = if index > 0 { ", " } else { "" };
                match list.get(self.start + index) {
                    Some(Position::Integer(position)) => write!(f, "{comma}{position}")?,
                    Some(Position::Real(position)) => write!(f, "{comma}{position:?}")?,
                    None => {}
                }
            }
            write!(f, "{}]", if self.count() > SHOWN { ", …" } else { "" })?;
        }
        write!(f, ")")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[allow(clippy::reversed_empty_ranges)]
    fn ends_and_extremes() {
        assert!(Positions::from(5..2).is_empty());
        assert_eq!(Positions::from(0..usize::MAX).len(), usize::MAX);
        assert!(Positions::from(0..usize::MAX).check_finite().is_err());
        assert!(Positions::from(usize::MAX..usize::MAX).check_finite().is_ok());
        assert!(Positions::from(usize::MAX - 1..usize::MAX).check_finite().is_err());
        assert_eq!(Positions::from(0..4).slice(3..9).len(), 1);
        assert_eq!(Positions::from(0..4).slice(7..9).len(), 0);
        for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let error = Positions::from(&[0.0, bad]).check_finite().unwrap_err();
            assert!(matches!(error, Error::NonFinitePosition { index: 1, .. }));
        }
        for bad in [1e300, -1e300, 4.7e18] {
            let error = Positions::from(&[bad]).check_finite().unwrap_err();
            assert_eq!(error, Error::PositionTooLarge { index: 0, position: bad });
        }
        assert!(Positions::from(&[i64::MIN]).check_finite().is_err());
        assert!(Positions::from(&[i64::MAX]).check_finite().is_err());
        assert!(Positions::from(&[LIMIT, -LIMIT]).check_finite().is_ok());
        let limit = LIMIT as f64;
        assert_eq!(Positions::from(&[limit, -limit]), Positions::from(&[LIMIT, -LIMIT]));
    }

    #[test]
    fn total_lengths_and_extremes() {
        for (positions, len) in [
            (Positions::from(0..0), 0),
            (Positions::from(7..7), 0),
            (Positions::from(0..usize::MAX), usize::MAX),
            (Positions::from(&[i64::MAX - 1, i64::MIN]), i64::MAX as usize),
            (Positions::from(&[f64::NAN, 1.25]), 3),
            (Positions::from(&[-0.5, -3.0]), 1),
            (Positions::from(&[1e300]), usize::MAX),
            (Positions::grid(&[3, 5]).unwrap(), 5),
        ] {
            assert_eq!(positions.total_len(), len, "{positions:?}");
        }
    }

    #[test]
    fn equality_is_by_value_and_ends() {
        const HUGE: usize = 1 << 62;
        assert_eq!(Positions::from(0..HUGE), Positions::from(0..HUGE));
        assert_eq!(Positions::from(2..HUGE).slice(1..9), Positions::from(3..HUGE).slice(0..8));
        assert_ne!(Positions::from(0..HUGE), Positions::from(1..HUGE + 1));
        assert_eq!(Positions::from(0..3), Positions::from(&[0.0, 1.0, 2.0]));
        assert_ne!(Positions::from(&[f64::NAN]), Positions::from(&[f64::NAN]));
        assert_ne!(Positions::from(0..2), Positions::from(ndarray::array![[0, 1]]));
    }

    #[test]
    fn debug_is_a_line() {
        let long = Positions::from(0..1 << 62);
        let text = "Positions(4611686018427387904: [0, 1, 2, 3, 4, 5, 6, 7, …])";
        assert_eq!(format!("{long:?}"), text);
        let batch = Positions::from(ndarray::array![[0.5], [1.0]]);
        assert_eq!(format!("{batch:?}"), "Positions(2 × 1: [0.5, 1])");
    }
}
