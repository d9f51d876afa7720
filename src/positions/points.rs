//! Iteration over points, one or a few at a time.

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

    /// Returns true if all positions on the first axis are finite and within ±2⁶². It may return
    /// `false` by mistake: it reads lists that are stored, some positions at a time.
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

    /// Calls `visit` with `N` points at a time, or fewer at the end: with the index of the first,
    /// and the coordinates of all, point after point.
    pub(crate) fn some_points<const N: usize>(&self, mut visit: impl FnMut(usize, &[Position])) {
        /// The coordinates of points with more axes than this are on the heap, allocated once.
        const AXES: usize = 8;
        let (axes, count) = (self.axes(), self.count());
        let mut stack = [[Position::Integer(0); AXES]; N];
        let mut heap = Vec::new();
        let points = if axes > AXES {
            heap.resize(axes * N, Position::Integer(0));
            &mut heap[..]
        } else {
            &mut stack.as_flattened_mut()[..axes * N]
        };
        for first in (0..count).step_by(N) {
            let points = &mut points[..axes * N.min(count - first)];
            for (index, point) in (first..).zip(points.chunks_exact_mut(axes)) {
                self.read_point(index, point);
            }
            visit(first, points);
        }
    }

    /// Calls `visit` with the index and the coordinates of each point.
    pub(crate) fn each_point(&self, visit: impl FnMut(usize, &[Position])) {
        self.some_points::<1>(visit);
    }
}
