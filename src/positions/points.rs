//! The coordinates of points.

use core::ops::{Deref, DerefMut};

use super::list::{Items, List};
use super::{LIMIT, Position, Positions};

impl Positions<'_> {
    /// Returns the coordinates of the point at `index`.
    pub(crate) fn coordinates(&self, index: usize) -> impl Iterator<Item = Position> {
        let at = move |list: &List<'_>| list.get(self.start + index);
        self.lists().iter().map(move |list| at(list).unwrap_or(Position::Integer(0)))
    }

    /// Reads consecutive positions on an axis as doubles.
    pub(crate) fn read(&self, axis: usize, index: usize, out: &mut [f64]) {
        self.lists()[axis].read(self.start + index, out);
    }

    /// Returns true only if all positions on the first axis are finite and within ±2⁶²; even then
    /// it may be false: only lists that are stored in full are read, some positions at a time.
    pub(super) fn are_small(&self) -> bool {
        let (list, count) = (self.list(), self.count());
        if matches!(list.items, Items::Range(_)) || list.each > 1 || list.n < count {
            return false;
        }
        (0..count).step_by(64).all(|index| {
            let mut reals = [0.0; 64];
            let reals = &mut reals[..64.min(count - index)];
            list.read(self.start + index, reals);
            reals.iter().all(|real| real.abs() < LIMIT as f64)
        })
    }

    /// Calls `visit` with the index and the coordinates of each point.
    pub(crate) fn each_point(&self, mut visit: impl FnMut(usize, &[Position])) {
        let mut point = PerAxis::new(Position::Integer(0), self.axes());
        for index in 0..self.count() {
            point.set(self.coordinates(index));
            visit(index, &point);
        }
    }
}

/// A value for each axis: on the stack for up to 8 axes, so that points of space and time take no
/// allocation, and on the heap for more.
pub(crate) enum PerAxis<T> {
    Few([T; 8], usize),
    Many(Vec<T>),
}

impl<T: Copy> PerAxis<T> {
    pub(crate) fn new(value: T, axes: usize) -> Self {
        if axes <= 8 { Self::Few([value; 8], axes) } else { Self::Many(vec![value; axes]) }
    }

    /// Replaces the values.
    pub(crate) fn set(&mut self, values: impl Iterator<Item = T>) {
        self.iter_mut().zip(values).for_each(|(to, from)| *to = from);
    }
}

impl<T> Deref for PerAxis<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        match self {
            Self::Few(values, axes) => &values[..*axes],
            Self::Many(values) => values,
        }
    }
}

impl<T> DerefMut for PerAxis<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        match self {
            Self::Few(values, axes) => &mut values[..*axes],
            Self::Many(values) => values,
        }
    }
}
