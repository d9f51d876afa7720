//! The rows of Fourier features.

use core::ops::Range;

use ndarray::{ArrayViewMut1, ArrayViewMut2, Axis, Slice};

use super::{Fourier, Input};
use crate::element::Element;
use crate::phase::FeatureLayout;
use crate::phase::projection::{CHUNK, Values};
use crate::positions::{Position, Positions};

/// Coordinates of points with more axes than this are on the heap, once for all points.
const AXES: usize = 8;

/// Calls `visit` with the index of each point and with its coordinates.
pub(crate) fn each_point(positions: &Positions<'_>, mut visit: impl FnMut(usize, &[Position])) {
    let axes = positions.axes();
    let mut stack = [Position::Integer(0); AXES];
    let mut heap = Vec::new();
    let point = if axes > AXES {
        heap.resize(axes, Position::Integer(0));
        &mut heap[..]
    } else {
        &mut stack[..axes]
    };
    for index in 0..positions.count() {
        positions.read_point(index, point);
        visit(index, point);
    }
}

impl Fourier {
    /// The columns of sines and cosines.
    pub(super) fn waves(&self) -> usize {
        self.pairs() * if self.has_cosines { 2 } else { 1 }
    }

    /// The columns of coordinates.
    pub(super) fn inputs(&self) -> usize {
        if self.input == Input::Absent { 0 } else { self.frequencies.len() }
    }

    /// Sine and cosine of a pair at a point.
    pub(crate) fn pair_at(&self, pair: usize, point: &[Position]) -> [f64; 2] {
        self.projection.exact::<f64>(pair, point)
    }

    /// The columns of a pair's sine, and of its cosine if there is one.
    pub(crate) fn columns_of(&self, pair: usize) -> (usize, Option<usize>) {
        let before = if self.input == Input::First { self.inputs() } else { 0 };
        let (block, within) = (pair / self.block, pair % self.block);
        if !self.has_cosines {
            return (before + pair, None);
        }
        let ((sine, cosine), step) = self.places(block);
        (before + sine + step * within, Some(before + cosine + step * within))
    }

    /// The columns of the first sine and the first cosine of a block, and from one to the next.
    fn places(&self, block: usize) -> ((usize, usize), usize) {
        let (start, half) = (2 * block * self.block, (2 * block + 1) * self.block);
        match self.layout {
            FeatureLayout::Interleaved => ((start, start + 1), 2),
            FeatureLayout::SinCosHalves => ((start, half), 1),
            FeatureLayout::CosSinHalves => ((half, start), 1),
        }
    }

    /// Writes rows of points that were checked.
    pub(super) fn rows<A: Element>(
        &self,
        positions: &Positions<'_>,
        mut out: ArrayViewMut2<'_, A>,
    ) {
        let mut values = Values::ZERO;
        let (inputs, waves) = (self.inputs(), self.waves());
        each_point(positions, |index, point| {
            let mut row = out.row_mut(index);
            let (before, after) = match self.input {
                Input::Last => (0, waves..waves + inputs),
                _ => (inputs, 0..inputs),
            };
            let coordinates = row.slice_axis_mut(Axis(0), Slice::from(after));
            coordinates.into_iter().zip(point).for_each(|(out, c)| *out = A::from_f64(c.to_f64()));
            let mut row = row.slice_axis_mut(Axis(0), Slice::from(before..before + waves));
            for first in (0..self.pairs()).step_by(CHUNK) {
                self.projection.values::<A>(point, first, &mut values);
                self.deliver(&mut row, first..self.pairs().min(first + CHUNK), &values);
            }
        });
    }

    /// Rounds the values of some pairs to their columns.
    fn deliver<A: Element>(
        &self,
        row: &mut ArrayViewMut1<'_, A>,
        pairs: Range<usize>,
        values: &Values,
    ) {
        let mut pair = pairs.start;
        while pair < pairs.end {
            // To the end of the block, or of the pairs.
            let (block, within) = (pair / self.block, pair % self.block);
            let len = (self.block - within).min(pairs.end - pair);
            let from = pair - pairs.start;
            let (sin, cos) = (&values.sin[from..from + len], &values.cos[from..from + len]);
            pair += len;
            if !self.has_cosines {
                put(row, block * self.block + within, 1, sin);
                continue;
            }
            let ((sines, cosines), step) = self.places(block);
            put(row, sines + step * within, step, sin);
            put(row, cosines + step * within, step, cos);
        }
    }
}

/// Rounds values to every `step`-th column from one on.
fn put<A: Element>(row: &mut ArrayViewMut1<'_, A>, first: usize, step: usize, values: &[f64]) {
    let end = first + (values.len() - 1) * step + 1;
    let columns = Slice::new(first as isize, Some(end as isize), step as isize);
    let mut columns = row.slice_axis_mut(Axis(0), columns);
    if let Some(columns) = columns.as_slice_mut() {
        return columns.iter_mut().zip(values).for_each(|(out, value)| *out = A::from_f64(*value));
    }
    columns.into_iter().zip(values).for_each(|(out, value)| *out = A::from_f64(*value));
}
