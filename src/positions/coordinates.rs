//! Positions on several axes: rows and columns of images, time, height and width of video.

use ndarray::{ArrayBase, ArrayView1, Axis, Data, Ix2};

use super::{BatchPositions, PositionElement, Positions};
use crate::Error;

/// A position on each of several axes, for every token; or one position that stands for all axes.
///
/// Whatever makes [`BatchPositions`] makes this too: it is the same position on every axis, which
/// is what M-RoPE gives to text and what a rotation of one axis wants.
///
/// ```
/// use ndarray::array;
/// use positional_encodings::Coordinates;
///
/// let patches = Coordinates::grid(&[2, 3])?; // two rows of three columns
/// assert_eq!((patches.len(), patches.axes()), (6, Some(2)));
/// assert_eq!(patches, Coordinates::from_rows(&array![[0, 0], [0, 1], [0, 2], [1, 0], [1, 1], [1, 2]]));
/// assert_eq!(Coordinates::from(0..5).axes(), None);
/// # Ok::<(), positional_encodings::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Coordinates<'a>(Kind<'a>);

#[derive(Clone, Debug)]
enum Kind<'a> {
    Same(BatchPositions<'a>),
    Axes(Vec<BatchPositions<'a>>),
}

impl<'a> Coordinates<'a> {
    /// The positions on each axis in turn: of all tokens, or as ids (batch, len). transformers'
    /// M-RoPE ids, shape (3, batch, len), are three such axes.
    ///
    /// # Errors
    ///
    /// [`Error::ZeroDim`] without an axis; [`Error::LengthMismatch`] where the axes differ in
    /// length or rows.
    ///
    /// ```
    /// use positional_encodings::Coordinates;
    ///
    /// let video = Coordinates::from_axes([&[0, 0, 1, 1], &[0, 0, 0, 0], &[0, 1, 0, 1]])?;
    /// assert_eq!(video, Coordinates::grid(&[2, 1, 2])?);
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn from_axes(
        axes: impl IntoIterator<Item = impl Into<BatchPositions<'a>>>,
    ) -> Result<Self, Error> {
        let axes: Vec<BatchPositions<'a>> = axes.into_iter().map(Into::into).collect();
        let first = axes.first().ok_or(Error::ZeroDim)?;
        for axis in &axes {
            if axis.len() != first.len() {
                let (expected, found) = (first.len(), axis.len());
                return Err(Error::LengthMismatch {
                    what: "positions on an axis",
                    expected,
                    found,
                });
            }
            if axis.rows() != first.rows() {
                let [expected, found] = [first, axis].map(|axis| axis.rows().unwrap_or(1));
                return Err(Error::LengthMismatch {
                    what: "rows of positions on an axis",
                    expected,
                    found,
                });
            }
        }
        Ok(Self(Kind::Axes(axes)))
    }

    /// From an array (positions, axes) of ids or reals.
    ///
    /// ```
    /// use ndarray::array;
    /// use positional_encodings::{Coordinates, Position};
    ///
    /// let patches = Coordinates::from_rows(&array![[0.0, 0.5], [1.0, 0.25]]);
    /// assert_eq!((patches.axes(), patches.rows(), patches.len(), patches.is_empty()), (Some(2), None, 2, false));
    /// assert_eq!(patches.axis(1).unwrap().row(0).get(1), Some(Position::Real(0.25)));
    /// ```
    pub fn from_rows<T: PositionElement, S: Data<Elem = T>>(rows: &ArrayBase<S, Ix2>) -> Self {
        let axis =
            |column: ArrayView1<'_, T>| BatchPositions::from(Positions::from(column.to_vec()));
        Self(Kind::Axes(rows.axis_iter(Axis(1)).map(axis).collect()))
    }

    /// All points of a grid in row-major order: the last axis runs fastest. For an image,
    /// `&[rows, columns]`.
    ///
    /// # Errors
    ///
    /// [`Error::TooLarge`] with the number of points and of axes.
    ///
    /// ```
    /// use positional_encodings::Coordinates;
    ///
    /// let grid = Coordinates::grid(&[2, 3])?;
    /// assert_eq!(grid, Coordinates::from_axes([&[0, 0, 0, 1, 1, 1], &[0, 1, 2, 0, 1, 2]])?);
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn grid(sizes: &[usize]) -> Result<Self, Error> {
        let count = if sizes.contains(&0) {
            0
        } else {
            sizes.iter().fold(1, |count: usize, &n| count.saturating_mul(n))
        };
        let mut period = count;
        let axis = |&size: &usize| {
            let stride = period.checked_div(size).unwrap_or(0);
            period = stride;
            let mut ids = allocate(count, sizes.len())?;
            ids.extend((0..count).map(|index| index / stride % size));
            Ok(BatchPositions::from(Positions::from(ids)))
        };
        sizes.iter().map(axis).collect::<Result<_, Error>>().map(|axes| Self(Kind::Axes(axes)))
    }

    pub(super) fn from_equal_axes(axes: Vec<BatchPositions<'a>>) -> Self {
        Self(Kind::Axes(axes))
    }

    /// Every coordinate changed by a function of its axis and value: Llama 4 counts patches from 1,
    /// timm scales a grid to a reference.
    ///
    /// ```
    /// use positional_encodings::Coordinates;
    ///
    /// let shifted = Coordinates::grid(&[1, 2])?.map(|_, c| c + 1.0);
    /// assert_eq!(shifted, Coordinates::from_axes([&[1.0, 1.0], &[1.0, 2.0]])?);
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn map(&self, f: impl Fn(usize, f64) -> f64) -> Coordinates<'static> {
        let map = |(axis, positions): (usize, &BatchPositions<'_>)| {
            positions.map(|all| all.iter().map(|position| f(axis, position.to_f64())).collect())
        };
        Coordinates(match &self.0 {
            Kind::Same(positions) => Kind::Same(map((0, positions))),
            Kind::Axes(axes) => Kind::Axes(axes.iter().enumerate().map(map).collect()),
        })
    }

    /// Number of axes, or `None` where one position stands for all.
    pub fn axes(&self) -> Option<usize> {
        match &self.0 {
            Kind::Same(_) => None,
            Kind::Axes(axes) => Some(axes.len()),
        }
    }

    /// The positions on an axis, or `None` where there is no such axis.
    pub fn axis(&self, axis: usize) -> Option<&BatchPositions<'a>> {
        match &self.0 {
            Kind::Same(positions) => Some(positions),
            Kind::Axes(axes) => axes.get(axis),
        }
    }

    /// Number of rows where sequences have positions of their own; see [`BatchPositions::rows`].
    pub fn rows(&self) -> Option<usize> {
        self.axis(0).and_then(BatchPositions::rows)
    }

    /// Positions in each sequence.
    pub fn len(&self) -> usize {
        self.axis(0).map_or(0, BatchPositions::len)
    }

    /// Whether the sequences are empty.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// An empty list with room for the ids of one of `axes`.
pub(super) fn allocate(count: usize, axes: usize) -> Result<Vec<usize>, Error> {
    let mut ids = Vec::new();
    ids.try_reserve_exact(count).map_err(|_| Error::TooLarge { rows: count, dim: axes })?;
    Ok(ids)
}

impl<'a, T: Into<BatchPositions<'a>>> From<T> for Coordinates<'a> {
    fn from(positions: T) -> Self {
        Self(Kind::Same(positions.into()))
    }
}

impl<'a> From<&'a Coordinates<'_>> for Coordinates<'a> {
    fn from(coordinates: &'a Coordinates<'_>) -> Self {
        Self(match &coordinates.0 {
            Kind::Same(positions) => Kind::Same(positions.borrowed()),
            Kind::Axes(axes) => Kind::Axes(axes.iter().map(BatchPositions::borrowed).collect()),
        })
    }
}

impl PartialEq for Coordinates<'_> {
    /// Whether the positions are the same, whatever numbers they were given as.
    fn eq(&self, other: &Coordinates<'_>) -> bool {
        let shape = |c: &Coordinates<'_>| (c.axes(), c.rows(), c.len());
        let same = |axis| match (self.axis(axis), other.axis(axis)) {
            (Some(a), Some(b)) => a.all().iter().eq(b.all().iter()),
            (a, b) => a.is_none() && b.is_none(),
        };
        shape(self) == shape(other) && (0..self.axes().unwrap_or(1)).all(same)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_grids_are_empty() {
        for (sizes, axes) in [(&[3, 0][..], 2), (&[0, 3], 2), (&[usize::MAX, 2, 0], 3), (&[], 0)] {
            let grid = Coordinates::grid(sizes).unwrap();
            assert_eq!((grid.len(), grid.axes()), (0, Some(axes)), "{sizes:?}");
        }
    }

    #[test]
    fn what_does_not_fit_is_an_error() {
        let error = |rows, dim| Err(Error::TooLarge { rows, dim });
        assert_eq!(Coordinates::grid(&[usize::MAX, 2]), error(usize::MAX, 2));
        assert_eq!(Coordinates::grid(&[1, usize::MAX / 2, 1]), error(usize::MAX / 2, 3));
        assert_eq!(Coordinates::dinov3(usize::MAX, usize::MAX), error(usize::MAX, 2));
    }

    #[test]
    fn axes_must_agree() {
        let no_axes: [&[usize]; 0] = [];
        assert_eq!(Coordinates::from_axes(no_axes), Err(Error::ZeroDim));
        assert!(Coordinates::from_axes([0..3, 0..2]).is_err());
        let (one, two) = (ndarray::array![[0, 1]], ndarray::array![[0, 1], [0, 1]]);
        assert!(Coordinates::from_axes([&one, &two]).is_err());
    }
}
