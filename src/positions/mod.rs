//! Where the tokens are: the positions that every encoding is asked about.

mod batch;
mod coordinates;
pub mod ids;
mod images;
mod runs;

pub use batch::BatchPositions;
pub use coordinates::Coordinates;
pub use images::Dinov3Augmentation;
pub(crate) use runs::Run;

use std::borrow::Cow;
use std::ops::Range;

use ndarray::{ArrayBase, ArrayView1, CowArray, Data, Ix1};

use crate::Error;

/// Positions beyond ±2⁶² are refused: up to there phases are exact to 2⁻⁶⁶ of a turn.
pub(crate) const LIMIT: i64 = 1 << 62;

/// A list of positions: a range, integer ids or reals, borrowed where it can be.
///
/// Built with `From`, which every function that takes positions does by itself where it can:
///
/// | from | meaning | memory |
/// |---|---|---|
/// | `0..len` | a whole sequence | none |
/// | `4095..4096` | a decode step: an offset is a range that starts later | none |
/// | `&[usize]`, `&[i64]`, `&Vec`, `ArrayView1` | ids, in any order; negative ones are real (relative sinusoids, shifts) | borrowed |
/// | `&[u32]`, `&[i32]` | the same | copied |
/// | `&[f64]` | continuous time | borrowed |
/// | `&[f32]` | the same | copied |
/// | any of them as `Vec` or `Array1` | the same | owned |
///
/// A range stays a range inside, so that encodings take their fast path; a real that is a whole
/// number is that integer.
///
/// ```
/// use positional_encodings::{Position, Positions};
///
/// assert_eq!(Positions::from(0..128).len(), 128);
/// let ids = [7_i64, -1, 0];
/// assert_eq!(Positions::from(&ids).get(1), Some(Position::Integer(-1)));
/// assert_eq!(Positions::from(&[2.0, 2.5]).get(0), Some(Position::Integer(2)));
/// assert_eq!(Positions::from(&[2.0, 2.5]).get(1), Some(Position::Real(2.5)));
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Positions<'a>(Kind<'a>);

#[derive(Clone, Debug, PartialEq)]
enum Kind<'a> {
    Range { start: usize, len: usize },
    Unsigned(Cow<'a, [usize]>),
    Signed(Cow<'a, [i64]>),
    Real(Cow<'a, [f64]>),
}

/// One position.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Position {
    /// A whole number, however it was given.
    Integer(i64),
    /// A number that is not whole, or not finite, or too large to be an `i64`.
    Real(f64),
}

impl Position {
    /// The position as f64: rounded above 2⁵³.
    ///
    /// ```
    /// use positional_encodings::Position;
    /// assert_eq!(Position::Integer(3).to_f64(), 3.0);
    /// ```
    pub fn to_f64(self) -> f64 {
        match self {
            Self::Integer(position) => position as f64,
            Self::Real(position) => position,
        }
    }
}

impl From<f64> for Position {
    fn from(position: f64) -> Self {
        if position.trunc() == position && position.abs() <= LIMIT as f64 {
            Self::Integer(position as i64)
        } else {
            Self::Real(position)
        }
    }
}

impl From<usize> for Position {
    fn from(position: usize) -> Self {
        i64::try_from(position).map_or(Self::Real(position as f64), Self::Integer)
    }
}

impl From<i64> for Position {
    fn from(position: i64) -> Self {
        Self::Integer(position)
    }
}

impl Positions<'_> {
    /// How many positions there are.
    pub fn len(&self) -> usize {
        match &self.0 {
            Kind::Range { len, .. } => *len,
            Kind::Unsigned(ids) => ids.len(),
            Kind::Signed(ids) => ids.len(),
            Kind::Real(reals) => reals.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The position at `index`, or `None` past the end.
    pub fn get(&self, index: usize) -> Option<Position> {
        match &self.0 {
            Kind::Range { start, len } => (index < *len).then(|| Position::from(start + index)),
            Kind::Unsigned(ids) => ids.get(index).map(|&id| Position::from(id)),
            Kind::Signed(ids) => ids.get(index).map(|&id| Position::from(id)),
            Kind::Real(reals) => reals.get(index).map(|&real| Position::from(real)),
        }
    }

    /// The positions in order.
    ///
    /// ```
    /// use positional_encodings::{Position, Positions};
    /// let positions: Vec<f64> = Positions::from(5..8).iter().map(Position::to_f64).collect();
    /// assert_eq!(positions, [5.0, 6.0, 7.0]);
    /// ```
    pub fn iter(&self) -> impl Iterator<Item = Position> + '_ {
        (0..self.len()).filter_map(|index| self.get(index))
    }

    /// The part of the positions at `indices`, clipped to what there is.
    ///
    /// ```
    /// use positional_encodings::Positions;
    /// assert_eq!(Positions::from(5..80).slice(2..4), Positions::from(7..9));
    /// ```
    pub fn slice(&self, indices: Range<usize>) -> Positions<'_> {
        let end = indices.end.min(self.len());
        let start = indices.start.min(end);
        Positions(match &self.0 {
            Kind::Range { start: first, .. } => {
                Kind::Range { start: first + start, len: end - start }
            }
            Kind::Unsigned(ids) => Kind::Unsigned(Cow::Borrowed(&ids[start..end])),
            Kind::Signed(ids) => Kind::Signed(Cow::Borrowed(&ids[start..end])),
            Kind::Real(reals) => Kind::Real(Cow::Borrowed(&reals[start..end])),
        })
    }

    /// Enough of the positions, with their indices, to tell whether all lie within bounds: of a
    /// range its two ends.
    pub(crate) fn ends(&self) -> impl Iterator<Item = (usize, Position)> + '_ {
        let step = match self.0 {
            Kind::Range { len, .. } => len.saturating_sub(1).max(1),
            _ => 1,
        };
        (0..self.len()).step_by(step).filter_map(|index| Some((index, self.get(index)?)))
    }

    /// Whether every position is finite and within ±2⁶², which is what encodings by formula need.
    ///
    /// # Errors
    ///
    /// [`Error::NonFinitePosition`] or [`Error::PositionTooLarge`], with the first such position.
    pub fn check_finite(&self) -> Result<(), Error> {
        self.ends().try_for_each(|(index, position)| check_one(index, position))
    }
}

fn check_one(index: usize, position: Position) -> Result<(), Error> {
    match position {
        Position::Integer(p) if (-LIMIT..=LIMIT).contains(&p) => Ok(()),
        Position::Real(p) if p.abs() < LIMIT as f64 => Ok(()),
        Position::Real(position) if !position.is_finite() => {
            Err(Error::NonFinitePosition { index, position })
        }
        _ => Err(Error::PositionTooLarge { index, position: position.to_f64() }),
    }
}

impl From<Range<usize>> for Positions<'_> {
    /// A range that ends before it starts is empty, as everywhere in Rust.
    fn from(range: Range<usize>) -> Self {
        Self(Kind::Range { start: range.start, len: range.len() })
    }
}

/// Numbers that positions are made of: `usize`, `i64`, `u32`, `i32`, `f64`, `f32`. Sealed.
pub trait PositionElement: Copy + 'static + sealed::Positions {}

mod sealed {
    use super::Cow;

    pub trait Positions: Sized + Clone {
        fn positions(list: Cow<'_, [Self]>) -> super::Positions<'_>;
    }
}

impl sealed::Positions for usize {
    fn positions(list: Cow<'_, [Self]>) -> Positions<'_> {
        Positions(Kind::Unsigned(list))
    }
}

impl sealed::Positions for i64 {
    fn positions(list: Cow<'_, [Self]>) -> Positions<'_> {
        Positions(Kind::Signed(list))
    }
}

impl sealed::Positions for u32 {
    fn positions(list: Cow<'_, [Self]>) -> Positions<'_> {
        Positions(Kind::Signed(list.iter().map(|&id| i64::from(id)).collect()))
    }
}

impl sealed::Positions for i32 {
    fn positions(list: Cow<'_, [Self]>) -> Positions<'_> {
        Positions(Kind::Signed(list.iter().map(|&id| i64::from(id)).collect()))
    }
}

impl sealed::Positions for f64 {
    fn positions(list: Cow<'_, [Self]>) -> Positions<'_> {
        Positions(Kind::Real(list))
    }
}

impl sealed::Positions for f32 {
    fn positions(list: Cow<'_, [Self]>) -> Positions<'_> {
        Positions(Kind::Real(list.iter().map(|&real| f64::from(real)).collect()))
    }
}

impl PositionElement for usize {}
impl PositionElement for i64 {}
impl PositionElement for u32 {}
impl PositionElement for i32 {}
impl PositionElement for f64 {}
impl PositionElement for f32 {}

impl<'a, T: PositionElement> From<&'a [T]> for Positions<'a> {
    fn from(list: &'a [T]) -> Self {
        T::positions(Cow::Borrowed(list))
    }
}

impl<'a, T: PositionElement, const N: usize> From<&'a [T; N]> for Positions<'a> {
    fn from(list: &'a [T; N]) -> Self {
        T::positions(Cow::Borrowed(list))
    }
}

impl<'a, T: PositionElement> From<&'a Vec<T>> for Positions<'a> {
    fn from(list: &'a Vec<T>) -> Self {
        T::positions(Cow::Borrowed(list))
    }
}

impl<T: PositionElement> From<Vec<T>> for Positions<'_> {
    fn from(list: Vec<T>) -> Self {
        T::positions(Cow::Owned(list))
    }
}

impl<'a, T: PositionElement> From<ArrayView1<'a, T>> for Positions<'a> {
    /// A strided view is copied.
    fn from(list: ArrayView1<'a, T>) -> Self {
        match list.to_slice() {
            Some(slice) => Self::from(slice),
            None => Self::from(list.to_vec()),
        }
    }
}

impl<'a, T: PositionElement, S: Data<Elem = T>> From<&'a ArrayBase<S, Ix1>> for Positions<'a> {
    fn from(list: &'a ArrayBase<S, Ix1>) -> Self {
        Self::from(list.view())
    }
}

impl<'a, T: PositionElement> From<CowArray<'a, T, Ix1>> for Positions<'a> {
    fn from(list: CowArray<'a, T, Ix1>) -> Self {
        Self::from(list.iter().copied().collect::<Vec<T>>())
    }
}

impl<'a> From<&'a Positions<'_>> for Positions<'a> {
    fn from(positions: &'a Positions<'_>) -> Self {
        positions.slice(0..positions.len())
    }
}

impl Positions<'_> {
    /// The same positions without a borrow.
    pub fn into_owned<'b>(self) -> Positions<'b> {
        Positions(match self.0 {
            Kind::Range { start, len } => Kind::Range { start, len },
            Kind::Unsigned(ids) => Kind::Unsigned(Cow::Owned(ids.into_owned())),
            Kind::Signed(ids) => Kind::Signed(Cow::Owned(ids.into_owned())),
            Kind::Real(reals) => Kind::Real(Cow::Owned(reals.into_owned())),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Axis, Slice, arr1};

    #[test]
    fn slices_and_contiguous_views_are_borrowed() {
        let ids = [1_i64, 2, 3];
        assert!(matches!(Positions::from(&ids[..]).0, Kind::Signed(Cow::Borrowed(_))));
        let reals = arr1(&[1.0, 2.5]);
        assert!(matches!(Positions::from(&reals).0, Kind::Real(Cow::Borrowed(_))));
    }

    #[test]
    fn strided_views_keep_their_order() {
        let ids = arr1(&[0_i64, 1, 2, 3, 4, 5]);
        assert_eq!(
            Positions::from(ids.slice_axis(Axis(0), Slice::new(0, None, -2))),
            Positions::from(vec![5_i64, 3, 1])
        );
    }

    #[test]
    fn literals_infer() {
        assert_eq!(Positions::from(0..3).len(), 3);
        assert_eq!(Positions::from(&[1, 2, 3]).get(2), Some(Position::Integer(3)));
        assert_eq!(Positions::from(&[0.5]).get(0), Some(Position::Real(0.5)));
    }

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
    }
}
