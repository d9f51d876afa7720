//! The way through the memory of the rows: a few strides if the memory has no gaps, otherwise one
//! gapless part after the other.

use core::marker::PhantomData;

use ndarray::{ArrayBase, ArrayView, ArrayViewMut, Data, Dimension, Ix2, Ix3, IxDyn};

use super::axes::{AngleSteps, Axis};
use super::kernel::{Memory, Pieces};
use super::rows::{Rows, SharedAngles};
use crate::element::{Element, Lanes, OfElement};

/// The number of axes longer than 1 that a [`Walk`] can have.
const FEW: usize = 4;
/// The number of rows, each in its own piece of memory, that are rotated together.
const PIECES: usize = 16;

/// Arrays of one shape: the array that is written and, unless it is the same, the array that is
/// read.
pub(super) struct Views<'a, A, D> {
    pub(super) source: Option<ArrayView<'a, A, D>>,
    pub(super) target: ArrayViewMut<'a, A, D>,
}

/// A rotation of memory without gaps, and the way through it.
pub(super) struct RotateSlices<'a, A: Element> {
    pub(super) memory: Memory<'a, A>,
    pub(super) walk: &'a Walk,
    pub(super) shared: SharedAngles<'a, A>,
}

/// [`RotateSlices`] for each element type.
pub(super) struct OfSlices<'a>(PhantomData<&'a ()>);

impl<'a> OfElement for OfSlices<'a> {
    type Of<A: Element> = RotateSlices<'a, A>;
}

impl<A: Lanes> RotateSlices<'_, A> {
    pub(super) fn run(self) {
        self.shared.along(self.walk, self.memory, 0);
    }
}

/// Loops over rows, the outermost first: offsets and strides, whatever the element type.
#[derive(Debug, Default)]
pub(super) struct Walk {
    /// The offsets of the first row in the target, in the source and in the angles.
    first: [isize; 3],
    axes: [Axis; FEW],
    count: usize,
    /// The number of features in a row.
    width: usize,
}

impl Walk {
    /// Finds the way through arrays without gaps. It fails where features are not adjacent, or
    /// where more than [`FEW`] axes are left after joining.
    fn find(
        &mut self,
        shape: &[usize],
        target: &[isize],
        source: &[isize],
        steps: AngleSteps,
    ) -> Option<()> {
        let features = shape.len() - 1;
        if target[features] != 1 || source[features] != 1 {
            return None;
        }
        self.width = shape[features];
        for axis in (0..features).filter(|&axis| shape[axis] > 1) {
            let mut step = [target[axis], source[axis], steps.along(axis) as isize];
            let last = shape[axis] as isize - 1;
            // Addresses must ascend.
            if step[1] < 0 {
                self.first[1] -= last * step[1];
            }
            if step[0] < 0 {
                self.first[1] += last * step[1];
                self.first[2] += last * step[2];
                step = step.map(core::ops::Neg::neg);
            }
            self.insert(Axis { len: shape[axis], step })?;
        }
        self.join();
        Some(())
    }

    /// Inserts an axis in the order of the strides.
    fn insert(&mut self, axis: Axis) -> Option<()> {
        if self.count == FEW {
            self.join();
        }
        let place = self.axes[..self.count].partition_point(|other| other.step[0] > axis.step[0]);
        *self.axes.get_mut(self.count)? = axis;
        self.axes[place..=self.count].rotate_right(1);
        self.count += 1;
        Some(())
    }

    /// Joins axes that are contiguous both in memory and in the angles.
    fn join(&mut self) {
        let mut kept = 0;
        for i in 0..self.count {
            let inner = self.axes[i];
            let joined = kept > 0
                && (0..3)
                    .all(|k| self.axes[kept - 1].step[k] == inner.len as isize * inner.step[k]);
            if joined {
                let len = self.axes[kept - 1].len * inner.len;
                self.axes[kept - 1] = Axis { len, step: inner.step };
            } else {
                self.axes[kept] = inner;
                kept += 1;
            }
        }
        self.count = kept;
    }

    /// Returns the axes of heads and positions, over which the kernel loops, and the remaining
    /// axes.
    fn inner(&self) -> (Axis, Axis, impl Iterator<Item = Axis>) {
        let axes = &self.axes[..self.count];
        let heads = axes.iter().rposition(|axis| axis.step[2] == 0);
        let positions = axes.iter().rposition(|axis| axis.step[2] != 0);
        let axis = |at: Option<usize>| at.map_or(Axis::ONE, |at| axes[at]);
        let outer = (0..axes.len()).filter(move |&i| Some(i) != heads && Some(i) != positions);
        (axis(heads), axis(positions), outer.map(|i| axes[i]))
    }
}

impl<A: Lanes> SharedAngles<'_, A> {
    /// Rotates all rows of a walk, the first with the angles from `angle` on.
    fn along(self, walk: &Walk, memory: Memory<'_, A>, angle: usize) {
        let (heads, positions, outer) = walk.inner();
        let (mut axes, mut rounds) = ([Axis::ONE; FEW], 1);
        for (slot, axis) in axes.iter_mut().zip(outer) {
            *slot = axis;
            rounds *= axis.len;
        }
        let pieces = Pieces { whole: memory, own: &mut [] };
        let mut rows = Rows { pieces, first: walk.first, heads, positions, width: walk.width };
        for round in 0..rounds {
            let (mut first, mut left) = (walk.first, round);
            first[2] += angle as isize;
            for axis in axes.iter().rev().filter(|axis| axis.len > 1) {
                let index = (left % axis.len) as isize;
                left /= axis.len;
                (0..3).for_each(|k| first[k] += index * axis.step[k]);
            }
            rows.first = first;
            rows.rotate(self);
        }
    }

    /// Rotates rows along one axis, in one piece of memory or each in its own piece.
    fn line(self, pieces: Pieces<'_, '_, A>, width: usize, rows: Axis, angle: usize) {
        let first = [0, 0, angle as isize];
        let one_angle = rows.step[2] == 0;
        let (heads, positions) = if one_angle { (rows, Axis::ONE) } else { (Axis::ONE, rows) };
        Rows { pieces, first, heads, positions, width }.rotate(self);
    }

    /// Rotates the rows of arrays in any layout. It recurses along axes longer than 1; there are
    /// fewer of these than an index has bits.
    pub(super) fn through(
        self,
        mut views: Views<'_, A, IxDyn>,
        mut steps: AngleSteps,
        angle: usize,
        row: &mut Vec<A>,
    ) {
        for axis in (0..views.target.ndim() - 1).rev() {
            if views.target.len_of(ndarray::Axis(axis)) == 1 {
                views = views.index(axis, 0);
                steps = steps.without(axis);
            }
        }
        let mut walk = Walk::default();
        if let Some(memory) = views.without_gaps(steps, &mut walk) {
            return self.along(&walk, memory, angle);
        }
        let axes = views.target.ndim() - 1;
        if axes <= 2 {
            return self.through_planes(views, steps, angle, row);
        }
        let strides = views.target.strides();
        let Some(outer) = (0..axes).max_by_key(|&axis| strides[axis].unsigned_abs()) else {
            return;
        };
        for i in 0..views.target.shape()[outer] {
            let angle = angle + i * steps.along(outer);
            self.through(views.reborrow().index(outer, i), steps.without(outer), angle, row);
        }
    }

    /// Rotates the rows of at most two axes.
    fn through_planes(
        self,
        views: Views<'_, A, IxDyn>,
        steps: AngleSteps,
        angle: usize,
        row: &mut Vec<A>,
    ) {
        let axes = views.target.ndim() - 1;
        let steps = [0, 1].map(|axis| (axis + axes).checked_sub(2).map_or(0, |at| steps.along(at)));
        let Some(mut views) = views.three_axes() else { return };
        let [mut planes, mut rows] = steps;
        let [outer, inner] = [0, 1].map(|axis| views.target.strides()[axis].unsigned_abs());
        if axes == 2 && outer < inner {
            views.swap_axes(0, 1);
            core::mem::swap(&mut planes, &mut rows);
        }
        for (i, plane) in views.planes().enumerate() {
            self.through_plane(plane, angle + i * planes, rows, row);
        }
    }

    /// Rotates rows whose angles advance by `step`.
    fn through_plane(
        self,
        mut plane: Views<'_, A, Ix2>,
        angle: usize,
        step: usize,
        row: &mut Vec<A>,
    ) {
        let (len, width) = plane.target.dim();
        if let Some(whole) = plane.slices() {
            let step = [width as isize, width as isize, step as isize];
            return self.line(Pieces { whole, own: &mut [] }, width, Axis { len, step }, angle);
        }
        let features = plane.source.as_ref().map_or(1, |source| source.strides()[1]);
        if features != 1 || plane.target.strides()[1] != 1 {
            return self.through_apart(plane, angle, step, row);
        }
        let mut rows = plane.rows();
        for start in (0..len).step_by(PIECES) {
            let mut pieces: [Memory<'_, A>; PIECES] = core::array::from_fn(|_| Memory::default());
            let own = &mut pieces[..PIECES.min(len - start)];
            own.iter_mut().zip(&mut rows).for_each(|(piece, row)| *piece = row);
            let rows = Axis { len: own.len(), step: [0, 0, step as isize] };
            let pieces = Pieces { whole: Memory::default(), own };
            self.line(pieces, width, rows, angle + start * step);
        }
    }

    /// Rotates rows whose features are not adjacent, in a copy.
    fn through_apart(
        self,
        mut plane: Views<'_, A, Ix2>,
        angle: usize,
        step: usize,
        row: &mut Vec<A>,
    ) {
        for (i, mut target) in plane.target.outer_iter_mut().enumerate() {
            row.clear();
            match &plane.source {
                Some(source) => row.extend(source.row(i)),
                None => row.extend(&target),
            }
            let whole = Memory { target: &mut row[..], source: None };
            let pieces = Pieces { whole, own: &mut [] };
            self.line(pieces, target.len(), Axis::ONE, angle + i * step);
            target.iter_mut().zip(&*row).for_each(|(target, &value)| *target = value);
        }
    }
}

impl<'a, A, D: Dimension> Views<'a, A, D> {
    pub(super) fn reborrow(&mut self) -> Views<'_, A, D> {
        let source = self.source.as_ref().map(|source| source.view());
        Views { source, target: self.target.view_mut() }
    }

    pub(super) fn into_dyn(self) -> Views<'a, A, IxDyn> {
        let source = self.source.map(ArrayView::into_dyn);
        Views { source, target: self.target.into_dyn() }
    }

    /// Returns the memory of arrays without gaps, and records the way through it.
    pub(super) fn without_gaps(
        &mut self,
        steps: AngleSteps,
        walk: &mut Walk,
    ) -> Option<Memory<'_, A>> {
        let source = match &self.source {
            Some(source) => Some(source.as_slice_memory_order()?),
            None => None,
        };
        let strides = self.source.as_ref().map_or(self.target.strides(), |source| source.strides());
        walk.find(self.target.shape(), self.target.strides(), strides, steps)?;
        Some(Memory { source, target: self.target.as_slice_memory_order_mut()? })
    }
}

impl<'a, A> Views<'a, A, IxDyn> {
    /// Returns the subview at an index of an axis, without that axis.
    fn index(self, axis: usize, index: usize) -> Self {
        let axis = ndarray::Axis(axis);
        let source = self.source.map(|source| source.index_axis_move(axis, index));
        Self { source, target: self.target.index_axis_move(axis, index) }
    }

    /// Splits the arrays at `index` along an axis.
    pub(super) fn split_at(self, axis: ndarray::Axis, index: usize) -> (Self, Self) {
        let (source, source_rest) = self.source.map(|source| source.split_at(axis, index)).unzip();
        let (target, rest) = self.target.split_at(axis, index);
        (Self { source, target }, Self { source: source_rest, target: rest })
    }

    /// Returns the same rows as an array with two axes before the features.
    fn three_axes(self) -> Option<Views<'a, A, Ix3>> {
        fn three<S: Data>(mut view: ArrayBase<S, IxDyn>) -> Option<ArrayBase<S, Ix3>> {
            while view.ndim() < 3 {
                view.insert_axis_inplace(ndarray::Axis(0));
            }
            view.into_dimensionality().ok()
        }
        let source = match self.source {
            Some(source) => Some(three(source)?),
            None => None,
        };
        Some(Views { source, target: three(self.target)? })
    }
}

impl<'a, A> Views<'a, A, Ix3> {
    fn swap_axes(&mut self, a: usize, b: usize) {
        if let Some(source) = &mut self.source {
            source.swap_axes(a, b);
        }
        self.target.swap_axes(a, b);
    }

    fn planes(&mut self) -> impl Iterator<Item = Views<'_, A, Ix2>> {
        let mut sources = self.source.as_ref().map(|source| source.outer_iter());
        self.target
            .outer_iter_mut()
            .map(move |target| Views { source: sources.as_mut().and_then(Iterator::next), target })
    }
}

impl<A> Views<'_, A, Ix2> {
    /// Returns the memory of contiguous rows.
    fn slices(&mut self) -> Option<Memory<'_, A>> {
        let source = match &self.source {
            Some(source) => Some(source.as_slice()?),
            None => None,
        };
        Some(Memory { source, target: self.target.as_slice_mut()? })
    }

    /// Returns the memory of each row; the features of a row are adjacent.
    fn rows(&mut self) -> impl Iterator<Item = Memory<'_, A>> {
        let mut sources = self.source.as_ref().map(|source| source.outer_iter());
        self.target.outer_iter_mut().map(move |target| Memory {
            source: sources.as_mut().and_then(|rows| rows.next()?.to_slice()),
            target: target.into_slice().unwrap_or_default(),
        })
    }
}
