//! Positions on several axes: rows and columns of images, time, height and width of video.

use std::ops::{Range, RangeInclusive};
use std::sync::Arc;

use ndarray::{Array2, ArrayBase, ArrayView1, Axis, Data, Ix2};

use super::list::{Items, List, with_room};
use super::{Axes, Position, PositionElement, Positions};
use crate::error::Error;

/// More axes than this are an error: most likely another array was passed instead of positions.
const MOST_AXES: usize = 1 << 16;

impl<'a> Positions<'a> {
    /// Makes positions from the positions on each axis. transformers' M-RoPE ids, shape (3, batch,
    /// len), are three such axes.
    ///
    /// # Errors
    ///
    /// [`Error::ZeroDim`] without an axis; [`Error::LengthMismatch`] where the axes differ in
    /// length or rows; [`Error::AxesMismatch`] where one of them has several axes itself;
    /// [`Error::TooLarge`] for more than 65,536 axes.
    ///
    /// ```
    /// use positional_encodings::Positions;
    ///
    /// let video = Positions::from_axes([&[0, 0, 1, 1], &[0, 0, 0, 0], &[0, 1, 0, 1]])?;
    /// assert_eq!(video, Positions::grid(&[2, 1, 2])?);
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn from_axes(
        axes: impl IntoIterator<Item = impl Into<Positions<'a>>>,
    ) -> Result<Self, Error> {
        Self::of_axes(axes.into_iter().take(MOST_AXES + 1).map(Into::into).collect())
    }

    /// Does the work of [`from_axes`](Self::from_axes), compiled once for all types.
    fn of_axes(axes: Vec<Self>) -> Result<Self, Error> {
        let first = axes.first().ok_or(Error::ZeroDim)?;
        check_count(first.len, axes.len())?;
        let (rows, len) = (common_rows(&axes, "rows of positions on an axis")?, first.len);
        for axis in &axes {
            axis.check_axes(1)?;
            if axis.len != len {
                let (what, expected, found) = ("positions on an axis", len, axis.len);
                return Err(Error::LengthMismatch { what, expected, found });
            }
        }
        let lists = axes.into_iter().filter_map(Self::into_list).collect();
        Ok(Self { axes: Axes::Several(lists), start: 0, rows, len })
    }

    /// Returns the positions on the first axis as a list of their own.
    fn into_list(self) -> Option<List<'a>> {
        let count = self.count();
        let list = match self.axes {
            Axes::One(list) => list,
            Axes::Several(lists) => lists.first()?.clone(),
        };
        Some(list.part(self.start, count))
    }

    /// Makes positions from an array (positions, axes) of ids or reals.
    ///
    /// # Errors
    ///
    /// [`Error::ZeroDim`] without an axis; [`Error::TooLarge`] for more than 65,536 axes.
    ///
    /// ```
    /// use ndarray::array;
    /// use positional_encodings::{Position, Positions};
    ///
    /// let points = array![[0.0, 0.5], [1.0, 0.25]];
    /// let patches = Positions::from_points(&points)?;
    /// assert_eq!((patches.axes(), patches.rows(), patches.len()), (2, None, 2));
    /// assert_eq!(patches.axis(1), Some(Positions::from(&[0.5, 0.25])));
    /// assert_eq!(patches.to_array()?, points);
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn from_points<T: PositionElement, S: Data<Elem = T>>(
        points: &'a ArrayBase<S, Ix2>,
    ) -> Result<Self, Error> {
        check_count(points.nrows(), points.ncols())?;
        let columns = points.axis_iter(Axis(1));
        Self::from_axes(columns.map(|column: ArrayView1<'a, T>| Self::from(column)))
    }
}

impl Positions<'_> {
    /// Makes all points of a grid in row-major order: the last axis varies fastest. For an image
    /// pass `&[rows, columns]`. A grid of any size takes no memory.
    ///
    /// # Errors
    ///
    /// [`Error::ZeroDim`] without an axis; [`Error::TooLarge`] where the points cannot be counted,
    /// or for more than 65,536 axes.
    ///
    /// ```
    /// use positional_encodings::Positions;
    ///
    /// let grid = Positions::grid(&[2, 3])?;
    /// assert_eq!(grid, Positions::from_axes([&[0, 0, 0, 1, 1, 1], &[0, 1, 2, 0, 1, 2]])?);
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn grid(sizes: &[usize]) -> Result<Positions<'static>, Error> {
        grid(sizes.iter().map(|&size| (0, size)))
    }

    /// Makes the points of a part of a grid, such as a crop of an image, or of a grid whose
    /// coordinates do not start at 0.
    ///
    /// A range that ends before it starts is empty.
    ///
    /// # Errors
    ///
    /// The errors of [`grid`](Self::grid).
    ///
    /// ```
    /// use positional_encodings::Positions;
    ///
    /// let crop = Positions::grid_of(&[1..3, 5..8])?;
    /// assert_eq!(crop, Positions::from_axes([&[1, 1, 1, 2, 2, 2], &[5, 6, 7, 5, 6, 7]])?);
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn grid_of(ranges: &[Range<usize>]) -> Result<Positions<'static>, Error> {
        grid(ranges.iter().map(|range| (range.start, range.len())))
    }

    /// Makes a grid with evenly spaced coordinates on each axis, both ends included, like
    /// `linspace` of torch and NumPy. Perceiver and timm use −1 to 1. An axis of one point is at
    /// the start.
    ///
    /// # Errors
    ///
    /// The errors of [`grid`](Self::grid); [`Error::NonFinitePosition`] for an end that is not
    /// finite.
    ///
    /// ```
    /// use positional_encodings::Positions;
    ///
    /// let grid = Positions::linspace(&[1, 3], -1.0..=1.0)?;
    /// assert_eq!(grid, Positions::from_axes([&[-1.0, -1.0, -1.0], &[-1.0, 0.0, 1.0]])?);
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn linspace(
        sizes: &[usize],
        ends: RangeInclusive<f64>,
    ) -> Result<Positions<'static>, Error> {
        let (start, end) = (*ends.start(), *ends.end());
        for (index, position) in [start, end].into_iter().enumerate() {
            if !position.is_finite() {
                return Err(Error::NonFinitePosition { index, position });
            }
        }
        let steps = |axis: usize| sizes[axis].saturating_sub(1).max(1) as f64;
        // Each half counts from its own end, as in torch, so that the last value is exactly the
        // end.
        let at = |axis: usize, i: f64| {
            let step = (end - start) / steps(axis);
            let last = sizes[axis].saturating_sub(1) as f64;
            if 2.0 * i < last || last == 0.0 { start + step * i } else { end - step * (last - i) }
        };
        Self::grid(sizes)?.map(at)
    }

    /// Concatenates `parts`, such as class or prefix tokens and a grid.
    ///
    /// A part with one axis has the same position on all axes of the others, and a list is repeated
    /// for all rows of a batch.
    ///
    /// # Errors
    ///
    /// [`Error::AxesMismatch`], [`Error::LengthMismatch`] for batches with different numbers of
    /// rows, [`Error::TooLarge`].
    ///
    /// ```
    /// use positional_encodings::Positions;
    ///
    /// let class = Positions::from(&[0]);
    /// let patches = Positions::grid(&[1, 2])?.map(|_, position| position + 1.0)?;
    /// let tokens = Positions::concat([&class, &patches])?;
    /// assert_eq!(tokens, Positions::from_axes([&[0, 1, 1], &[0, 1, 2]])?);
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn concat<'p>(
        parts: impl IntoIterator<Item = impl Into<Positions<'p>>>,
    ) -> Result<Positions<'static>, Error> {
        Self::joined(&parts.into_iter().map(Into::into).collect::<Vec<Positions<'p>>>())
    }

    /// Does the work of [`concat`](Self::concat), compiled once for all types.
    fn joined(parts: &[Positions<'_>]) -> Result<Positions<'static>, Error> {
        let axes = parts.iter().map(Positions::axes).max().unwrap_or(1);
        parts.iter().filter(|part| part.axes() > 1).try_for_each(|part| part.check_axes(axes))?;
        let rows = common_rows(parts, "rows of positions")?;
        let len = parts.iter().fold(0_usize, |len, part| len.saturating_add(part.len));
        let Some(count) = rows.unwrap_or(1).checked_mul(len) else {
            return Err(Error::TooLarge { rows: usize::MAX, dim: axes });
        };
        let lists = (0..axes).map(|axis| {
            let mut all = with_room(count, axes)?;
            for row in 0..if count == 0 { 0 } else { rows.unwrap_or(1) } {
                for part in parts.iter().filter_map(|part| part.on_axis(axis)) {
                    all.extend(part.row(row).iter());
                }
            }
            List::from_positions(all)
        });
        let lists = lists.collect::<Result<Vec<_>, _>>()?;
        Ok(Positions { rows, len, ..Positions::from_lists(lists) })
    }

    /// Makes positions from lists of equal length, one for each axis, in `rows` rows.
    pub(super) fn from_changed(
        axes: Vec<Vec<Position>>,
        rows: Option<usize>,
        len: usize,
    ) -> Result<Positions<'static>, Error> {
        let lists = axes.into_iter().map(List::from_positions);
        let lists = lists.collect::<Result<Vec<_>, _>>()?;
        Ok(Positions { rows, len, ..Positions::from_lists(lists) })
    }

    /// Divides the positions into the rows of `other`, which has as many positions.
    pub(crate) fn shaped_like(self, other: &Positions<'_>) -> Self {
        Self { rows: other.rows, len: other.len, ..self }
    }

    /// Makes positions from one list for each axis.
    fn from_lists<'l>(mut lists: Vec<List<'l>>) -> Positions<'l> {
        let axes = match lists.len() {
            1 => Axes::One(lists.remove(0)),
            _ => Axes::Several(Arc::from(lists)),
        };
        Positions { axes, start: 0, rows: None, len: 0 }
    }

    /// Returns the positions on one of the axes; if there is only one, it stands for all.
    pub(crate) fn on_axis(&self, axis: usize) -> Option<Positions<'_>> {
        self.axis(if self.axes() == 1 { 0 } else { axis })
    }

    /// Returns the positions on some of the axes, in the order given. For one axis, and for all in
    /// their order, nothing is allocated.
    pub(crate) fn on_axes(&self, axes: &[usize]) -> Result<Positions<'_>, Error> {
        if axes.iter().copied().eq(0..self.axes()) {
            return Ok(self.borrowed());
        }
        let none = |axis| Error::NoSuchAxis { axis, axes: self.axes() };
        if let [axis] = *axes {
            return self.axis(axis).ok_or_else(|| none(axis));
        }
        let list = |&axis: &usize| self.lists().get(axis).map(List::borrowed).ok_or(none(axis));
        let lists = axes.iter().map(list).collect::<Result<Vec<_>, _>>()?;
        let (start, rows, len) = (self.start, self.rows, self.len);
        Ok(Positions { start, rows, len, ..Positions::from_lists(lists) })
    }

    /// Applies a function of axis and value to every position: Llama 4 counts patches from 1, timm
    /// scales a grid to a reference size.
    ///
    /// # Errors
    ///
    /// [`Error::TooLarge`] where the values do not fit into memory.
    ///
    /// ```
    /// use positional_encodings::Positions;
    ///
    /// let shifted = Positions::grid(&[1, 2])?.map(|_, c| c + 1.0)?;
    /// assert_eq!(shifted, Positions::from_axes([&[1.0, 1.0], &[1.0, 2.0]])?);
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn map(&self, f: impl Fn(usize, f64) -> f64) -> Result<Positions<'static>, Error> {
        self.map_dyn(&f)
    }

    /// Does the work of [`map`](Self::map), compiled once for all functions.
    fn map_dyn(&self, f: &dyn Fn(usize, f64) -> f64) -> Result<Positions<'static>, Error> {
        let map = |(axis, list): (usize, &List<'_>)| {
            list.borrowed().part(self.start, self.count()).map(&|position| f(axis, position))
        };
        let lists = self.lists().iter().enumerate().map(map).collect::<Result<Vec<_>, _>>();
        let lists = lists.map_err(|_| Error::TooLarge { rows: self.count(), dim: self.axes() })?;
        Ok(Positions { rows: self.rows, len: self.len, ..Positions::from_lists(lists) })
    }

    /// Returns the points as an array (positions, axes), row after row; integers above 2⁵³ are
    /// rounded.
    ///
    /// # Errors
    ///
    /// [`Error::TooLarge`].
    ///
    /// ```
    /// use ndarray::array;
    /// use positional_encodings::Positions;
    ///
    /// let grid = Positions::grid(&[2, 2])?;
    /// assert_eq!(grid.to_array()?, array![[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]);
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn to_array(&self) -> Result<Array2<f64>, Error> {
        let (rows, dim) = (self.count(), self.axes());
        let too_large = || Error::TooLarge { rows, dim };
        let mut values =
            with_room(rows.checked_mul(dim).ok_or_else(too_large)?, 1).map_err(|_| too_large())?;
        for index in 0..rows {
            let point = self.lists().iter().filter_map(|list| list.get(self.start + index));
            values.extend(point.map(Position::to_f64));
        }
        Array2::from_shape_vec((rows, dim), values).map_err(|_| too_large())
    }

    /// Returns owned positions. Only borrowed lists are copied.
    ///
    /// # Errors
    ///
    /// [`Error::TooLarge`] where the copy does not fit into memory.
    ///
    /// ```
    /// use positional_encodings::Positions;
    ///
    /// let ids = vec![3, 1];
    /// let kept: Positions<'static> = Positions::from(&ids).into_owned()?;
    /// drop(ids);
    /// assert_eq!(kept, Positions::from(&[3, 1]));
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn into_owned(self) -> Result<Positions<'static>, Error> {
        let (count, Self { axes, start, rows, len }) = (self.count(), self);
        let axes = match axes {
            Axes::One(list) => Axes::One(list.part(start, count).into_owned()?),
            Axes::Several(lists) => {
                let own = |list: &List<'_>| list.borrowed().part(start, count).into_owned();
                Axes::Several(lists.iter().map(own).collect::<Result<_, _>>()?)
            }
        };
        Ok(Positions { axes, start: 0, rows, len })
    }
}

/// Makes a grid from the start and the number of points of each axis.
fn grid(
    axes: impl ExactSizeIterator<Item = (usize, usize)> + Clone,
) -> Result<Positions<'static>, Error> {
    let mut sizes = axes.clone().map(|(_, size)| size);
    let count = match axes.clone().any(|(_, size)| size == 0) {
        true => Some(0),
        false => sizes.try_fold(1_usize, |count, size| count.checked_mul(size)),
    };
    let too_large = Error::TooLarge { rows: usize::MAX, dim: axes.len() };
    let len = count.ok_or(too_large)?;
    check_count(len, axes.len())?;
    let mut period = len;
    let axis = |(start, size): (usize, usize)| {
        period = period.checked_div(size).unwrap_or(0);
        let n = if len == 0 { 0 } else { size };
        List { items: Items::Range(start), n, each: period.max(1) }
    };
    let lists = axes.map(axis).collect();
    Ok(Positions { axes: Axes::Several(lists), start: 0, rows: None, len })
}

fn check_count(rows: usize, axes: usize) -> Result<(), Error> {
    match axes {
        0 => Err(Error::ZeroDim),
        1..=MOST_AXES => Ok(()),
        _ => Err(Error::TooLarge { rows, dim: axes }),
    }
}

/// Returns the number of rows that the parts have in common; lists and single rows fit any number.
fn common_rows(parts: &[Positions<'_>], what: &'static str) -> Result<Option<usize>, Error> {
    let mut own = parts.iter().filter(|part| !part.are_shared()).filter_map(Positions::rows);
    let Some(expected) = own.next() else {
        return Ok(parts.iter().find_map(Positions::rows));
    };
    match own.find(|&rows| rows != expected) {
        Some(found) => Err(Error::LengthMismatch { what, expected, found }),
        None => Ok(Some(expected)),
    }
}

#[cfg(test)]
mod tests {
    use ndarray::{Array2, arr1, array};

    use super::*;

    #[test]
    fn empty_grids_are_empty() {
        for (sizes, axes) in [(&[3, 0][..], 2), (&[0, 3], 2), (&[usize::MAX, 2, 0], 3)] {
            let grid = Positions::grid(sizes).unwrap();
            assert_eq!((grid.len(), grid.axes(), grid.point(0)), (0, axes, None), "{sizes:?}");
        }
    }

    #[test]
    fn what_does_not_fit_is_an_error() {
        let error = |rows, dim| Err(Error::TooLarge { rows, dim });
        assert_eq!(Positions::grid(&[usize::MAX, 2]), error(usize::MAX, 2));
        assert_eq!(Positions::dinov3(usize::MAX, usize::MAX), error(usize::MAX, 2));
        let huge = Positions::grid(&[1, usize::MAX / 2, 1]).unwrap();
        assert_eq!(huge.map(|_, position| position), error(usize::MAX / 2, 3));
        assert_eq!(huge.to_array().unwrap_err(), Error::TooLarge { rows: usize::MAX / 2, dim: 3 });
        assert_eq!(huge.clone().into_owned(), Ok(huge.clone()));
        assert_eq!(Positions::concat([&huge, &huge, &huge]), error(usize::MAX, 3));
        assert_eq!(Positions::from(0..1 << 62).map(|_, position| position), error(1 << 62, 1));
    }

    #[test]
    fn empty_axes_beside_huge_ones() {
        let none = Array2::<i64>::zeros((0, 1 << 58));
        let error = Error::TooLarge { rows: 0, dim: 1 << 58 };
        assert_eq!(Positions::from_points(&none), Err(error));
        let no_axes = Array2::<i64>::zeros((1 << 58, 0));
        assert_eq!(Positions::from_points(&no_axes), Err(Error::ZeroDim));
        let empty = Positions::from(&no_axes);
        assert_eq!(Positions::concat([&empty, &empty]).unwrap(), empty);
        assert_eq!(empty.map(|_, position| position).unwrap(), empty);
    }

    #[test]
    fn points_of_views_that_were_broadcast_take_no_memory() {
        let point = array![[1.0_f32, 2.5]];
        let view = point.broadcast((1 << 40, 2)).unwrap();
        let points = Positions::from_points(&view).unwrap();
        assert_eq!((points.len(), points.axes()), (1 << 40, 2));
        assert_eq!(points.slice(7..8), Positions::from_points(&point).unwrap());
        assert_eq!(points.check_finite(), Ok(()));
    }

    #[test]
    fn axes_must_agree() {
        let no_axes: [&[usize]; 0] = [];
        assert_eq!(Positions::from_axes(no_axes), Err(Error::ZeroDim));
        assert!(Positions::from_axes([0..3, 0..2]).is_err());
        let (two, three) = (array![[0, 1], [0, 1]], array![[0, 1], [0, 1], [0, 1]]);
        assert!(Positions::from_axes([&two, &three]).is_err());
        let error = Err(Error::AxesMismatch { expected: 1, found: 2 });
        assert_eq!(Positions::from_axes([Positions::grid(&[1, 2]).unwrap()]), error);
        let endless = core::iter::repeat(0..2);
        assert!(matches!(Positions::from_axes(endless), Err(Error::TooLarge { .. })));
    }

    #[test]
    fn axes_of_a_batch_may_be_shared() {
        let ids = array![[0, 1], [5, 6]];
        let long = arr1(&[9, 7, 8, 9]);
        let shared =
            [Positions::from(&ids), Positions::from(&long).slice(1..3).into_owned().unwrap()];
        let batch = Positions::from_axes(shared).unwrap();
        assert_eq!((batch.rows(), batch.len(), batch.count()), (Some(2), 2, 4));
        assert_eq!(batch.row(1), Positions::from_axes([&[5, 6], &[7, 8]]).unwrap());
        assert_eq!(batch.axis(1), Some(Positions::from(&array![[7, 8], [7, 8]])));
        let single = array![[3, 4]];
        let batch = Positions::from_axes([&single, &ids]).unwrap();
        assert_eq!(batch.row(1), Positions::from_axes([&[3, 4], &[5, 6]]).unwrap());
    }

    #[test]
    fn parts_are_put_together() {
        let ids = array![[0, 1], [5, 6]];
        let batch = Positions::concat([Positions::from(&[0.5]), Positions::from(&ids)]).unwrap();
        assert_eq!(batch, Positions::from(&array![[0.5, 0.0, 1.0], [0.5, 5.0, 6.0]]));
        let (grid, cube) = (Positions::grid(&[2, 2]), Positions::grid(&[1, 1, 1]));
        let [grid, cube] = [grid, cube].map(Result::unwrap);
        let error = Err(Error::AxesMismatch { expected: 3, found: 2 });
        assert_eq!(Positions::concat([&grid, &cube]), error);
        let tail = Positions::concat([&grid.slice(1..3), &grid.slice(3..4)]).unwrap();
        assert_eq!(tail, grid.slice(1..4));
        let exact = Positions::concat([Positions::from(&[i64::MAX]), Positions::from(&[0.5])]);
        assert_eq!(exact.unwrap().get(0), Some(Position::Integer(i64::MAX)));
        assert!(Positions::concat::<'_>([0..0; 0]).unwrap().is_empty());
    }

    #[test]
    fn a_part_of_a_grid_is_mapped_and_kept() {
        let grid = Positions::grid(&[3, 4]).unwrap();
        let part = grid.slice(3..9);
        let same = part.map(|_, position| position).unwrap();
        assert_eq!(same, part);
        assert_eq!(part.clone().into_owned().unwrap(), part);
        assert_eq!(grid.map(|axis, position| position + axis as f64).unwrap().point(5), {
            Some(vec![Position::Integer(1), Position::Integer(2)])
        });
    }
}
