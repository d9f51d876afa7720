//! Iteration over points, one or a few at a time.

use super::{Position, Positions};

impl Positions<'_> {
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
