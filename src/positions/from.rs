//! Conversions to positions. No conversion copies a borrowed list.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use ndarray::{
    Array, Array1, Array2, ArrayBase, ArrayView1, ArrayView2, Axis, CowArray, Data, Dimension, Ix1,
    Ix2,
};

use super::list::{Items, List};
use super::{Position, Positions};

/// The number types of positions: `usize`, `i64`, `u32`, `i32`, `f64`, `f32`. The trait is sealed.
pub trait PositionElement: Copy + Send + Sync + 'static + sealed::Element {}

mod sealed {
    use std::borrow::Cow;

    use super::{Items, Position};

    pub trait Element: Sized + Clone {
        fn position(self) -> Position;
        fn items(list: Cow<'_, [Self]>) -> Items<'_>;
    }
}

/// Implements the trait for a type whose lists are stored unchanged.
macro_rules! kept {
    ($type:ty, $items:ident) => {
        impl sealed::Element for $type {
            fn position(self) -> Position {
                Position::from(self)
            }

            fn items(list: Cow<'_, [Self]>) -> Items<'_> {
                Items::$items(list)
            }
        }

        impl PositionElement for $type {}
    };
}

/// Implements the trait for a type whose numbers are converted to a wider type when they are read.
macro_rules! widened {
    ($type:ty, $wide:ty) => {
        impl sealed::Element for $type {
            fn position(self) -> Position {
                Position::from(<$wide>::from(self))
            }

            fn items(list: Cow<'_, [Self]>) -> Items<'_> {
                Items::ByIndex(Arc::new(move |index: usize| {
                    list.get(index).map(|id| id.position())
                }))
            }
        }

        impl PositionElement for $type {}
    };
}

kept!(usize, Unsigned);
kept!(i64, Signed);
kept!(f64, Real);
widened!(u32, i64);
widened!(i32, i64);
widened!(f32, f64);

impl From<Range<usize>> for Positions<'_> {
    /// A range that ends before it starts is empty, as everywhere in Rust.
    fn from(range: Range<usize>) -> Self {
        let len = range.len();
        Self::one(List::new(Items::Range(range.start), len), None, len)
    }
}

fn from_cow<T: PositionElement>(list: Cow<'_, [T]>) -> Positions<'_> {
    let len = list.len();
    Positions::one(List::new(T::items(list), len), None, len)
}

impl<'a, T: PositionElement> From<&'a [T]> for Positions<'a> {
    fn from(list: &'a [T]) -> Self {
        from_cow(Cow::Borrowed(list))
    }
}

impl<'a, T: PositionElement, const N: usize> From<&'a [T; N]> for Positions<'a> {
    fn from(list: &'a [T; N]) -> Self {
        from_cow(Cow::Borrowed(list))
    }
}

impl<'a, T: PositionElement> From<&'a Vec<T>> for Positions<'a> {
    fn from(list: &'a Vec<T>) -> Self {
        from_cow(Cow::Borrowed(list))
    }
}

impl<T: PositionElement> From<Vec<T>> for Positions<'_> {
    fn from(list: Vec<T>) -> Self {
        from_cow(Cow::Owned(list))
    }
}

/// Returns the items of a list, and their number: one for a broadcast array of one element.
fn items_of_list<'a, T, S>(list: ArrayBase<S, Ix1>) -> (Items<'a>, usize)
where
    T: PositionElement,
    S: Data<Elem = T> + Send + Sync + 'a,
{
    let n = if list.strides() == [0] { list.len().min(1) } else { list.len() };
    (Items::ByIndex(Arc::new(move |index: usize| list.get(index).map(|id| id.position()))), n)
}

/// Returns the list of all rows, one after the other. A broadcast axis is stored once.
fn list_of_rows<'a, T, S>(ids: ArrayBase<S, Ix2>) -> List<'a>
where
    T: PositionElement,
    S: Data<Elem = T> + Send + Sync + 'a,
{
    let (rows, len) = ids.dim();
    let is_same = |axis: usize| ids.strides()[axis] == 0 || ids.shape()[axis] == 1;
    let (rows_are_same, row_is_same) = (is_same(0), is_same(1));
    let (n, each) = match (rows_are_same, row_is_same) {
        _ if ids.is_empty() => (0, 1),
        (true, true) => (1, 1),
        (true, false) => (len, 1),
        (false, true) => (rows, len),
        (false, false) => (ids.len(), 1),
    };
    let at = move |item: usize| match (rows_are_same, row_is_same) {
        (true, _) => [0, item],
        (false, true) => [item, 0],
        (false, false) => [item / len, item % len],
    };
    let item = move |item| ids.get(at(item)).map(|id| id.position());
    List { items: Items::ByIndex(Arc::new(item)), n, each }
}

impl<'a, T: PositionElement> From<ArrayView1<'a, T>> for Positions<'a> {
    /// A strided view is not copied.
    fn from(list: ArrayView1<'a, T>) -> Self {
        if let Some(slice) = list.to_slice() {
            return Self::from(slice);
        }
        let len = list.len();
        let (items, n) = items_of_list(list);
        Self::one(List::new(items, n), None, len)
    }
}

impl<'a, T: PositionElement, S: Data<Elem = T>> From<&'a ArrayBase<S, Ix1>> for Positions<'a> {
    fn from(list: &'a ArrayBase<S, Ix1>) -> Self {
        Self::from(list.view())
    }
}

impl<'a, T: PositionElement> From<CowArray<'a, T, Ix1>> for Positions<'a> {
    fn from(list: CowArray<'a, T, Ix1>) -> Self {
        let len = list.len();
        let (items, n) = items_of_list(list);
        Self::one(List::new(items, n), None, len)
    }
}

impl<T: PositionElement> From<Array1<T>> for Positions<'_> {
    fn from(list: Array1<T>) -> Self {
        let len = list.len();
        if list.is_standard_layout() {
            return from_cow(Cow::Owned(into_vec(list)));
        }
        let (items, n) = items_of_list(list);
        Self::one(List::new(items, n), None, len)
    }
}

/// Returns the elements of an array in standard layout, without a copy.
fn into_vec<T, D: Dimension>(array: Array<T, D>) -> Vec<T> {
    let len = array.len();
    let (mut all, offset) = array.into_raw_vec_and_offset();
    let start = offset.unwrap_or(0);
    all.truncate(start + len);
    all.drain(..start.min(all.len()));
    all
}

impl<'a, T: PositionElement> From<ArrayView2<'a, T>> for Positions<'a> {
    /// Makes positions from ids of shape (batch, len), a row for each sequence.
    fn from(ids: ArrayView2<'a, T>) -> Self {
        let (rows, len) = ids.dim();
        let shared = (rows > 0 && ids.strides()[0] == 0).then(|| ids.index_axis_move(Axis(0), 0));
        let row = shared.and_then(|row| row.to_slice());
        let list = match ids.to_slice().or(row) {
            Some(slice) => List::new(T::items(Cow::Borrowed(slice)), slice.len()),
            None => list_of_rows(ids),
        };
        Self::one(list, Some(rows), len)
    }
}

impl<'a, T: PositionElement, S: Data<Elem = T>> From<&'a ArrayBase<S, Ix2>> for Positions<'a> {
    fn from(ids: &'a ArrayBase<S, Ix2>) -> Self {
        Self::from(ids.view())
    }
}

impl<'a, T: PositionElement> From<CowArray<'a, T, Ix2>> for Positions<'a> {
    fn from(ids: CowArray<'a, T, Ix2>) -> Self {
        let (rows, len) = ids.dim();
        Self::one(list_of_rows(ids), Some(rows), len)
    }
}

impl<T: PositionElement> From<Array2<T>> for Positions<'_> {
    fn from(ids: Array2<T>) -> Self {
        let (rows, len) = ids.dim();
        let list = if ids.is_standard_layout() {
            let all = into_vec(ids);
            let n = all.len();
            List::new(T::items(Cow::Owned(all)), n)
        } else {
            list_of_rows(ids)
        };
        Self::one(list, Some(rows), len)
    }
}

impl<'a> From<&'a Positions<'_>> for Positions<'a> {
    fn from(positions: &'a Positions<'_>) -> Self {
        positions.borrowed()
    }
}

#[cfg(test)]
mod tests {
    use ndarray::{Slice, arr1, array};

    use super::*;
    use crate::error::Error;

    #[test]
    fn slices_and_contiguous_views_are_borrowed() {
        let ids = [1_i64, 2, 3];
        let is_signed = |positions: &Positions<'_>| {
            matches!(positions.list().items, Items::Signed(Cow::Borrowed(_)))
        };
        assert!(is_signed(&Positions::from(&ids[..])));
        let reals = arr1(&[1.0, 2.5]);
        assert!(matches!(Positions::from(&reals).list().items, Items::Real(Cow::Borrowed(_))));
        assert!(is_signed(&Positions::from(&array![[1_i64, 2], [3, 4]])));
        let row = arr1(&ids);
        let shared = Positions::from(row.broadcast((5, 3)).unwrap());
        assert!(is_signed(&shared));
        assert_eq!((shared.rows(), shared.len()), (Some(5), 3));
    }

    #[test]
    fn strided_views_keep_their_order() {
        let ids = arr1(&[0_i64, 1, 2, 3, 4, 5]);
        let backwards = ids.slice_axis(Axis(0), Slice::new(0, None, -2));
        assert_eq!(Positions::from(backwards), Positions::from(vec![5_i64, 3, 1]));
        let ids = array![[0.5_f32, 1.0, 2.0], [3.0, 4.0, 5.0]];
        let transposed = array![[0.5_f32, 3.0], [1.0, 4.0], [2.0, 5.0]];
        assert_eq!(Positions::from(ids.t()), Positions::from(&transposed));
        assert_eq!(Positions::from(ids.clone().reversed_axes()), Positions::from(&transposed));
        let part = ids.clone().slice_axis_move(Axis(0), (1..).into());
        assert_eq!(Positions::from(part), Positions::from(&array![[3, 4, 5]]));
        assert_eq!(Positions::from(CowArray::from(ids.view())), Positions::from(&ids));
    }

    #[test]
    fn arrays_that_were_broadcast_take_no_memory() {
        const HUGE: usize = 1 << 40;
        let one = arr1(&[7_i64]);
        let list = Positions::from(one.broadcast(HUGE).unwrap());
        assert_eq!((list.len(), list.get(HUGE - 1)), (HUGE, Some(Position::Integer(7))));
        assert_eq!(list, list.clone().into_owned().unwrap());
        assert_eq!(list.check_finite(), Ok(()));
        let column = array![[1.5], [2.5], [f64::NAN]];
        let rows = Positions::from(column.broadcast((3, HUGE)).unwrap());
        assert_eq!(rows.row(1).get(HUGE - 1), Some(Position::Real(2.5)));
        let error = rows.check_finite().unwrap_err();
        assert!(matches!(error, Error::NonFinitePosition { index, .. } if index == 2 * HUGE));
        let row = array![3_u32, 4, 5];
        let shared = Positions::from(row.broadcast((HUGE, 3)).unwrap());
        assert_eq!(shared.row(HUGE - 1), Positions::from(3..6));
        assert_eq!(shared, Positions::from(arr1(&[3.0, 4.0, 5.0]).broadcast((HUGE, 3)).unwrap()));
        assert_eq!(shared.check_finite(), Ok(()));
        let none = Positions::from(ndarray::Array2::<i64>::zeros((1 << 58, 0)));
        assert_eq!((none.count(), none.rows(), none.is_empty()), (0, Some(1 << 58), true));
    }

    #[test]
    fn literals_infer() {
        assert_eq!(Positions::from(0..3).len(), 3);
        assert_eq!(Positions::from(&[1, 2, 3]).get(2), Some(Position::Integer(3)));
        assert_eq!(Positions::from(&[0.5]).get(0), Some(Position::Real(0.5)));
    }
}
