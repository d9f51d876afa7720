//! Where rows are read and where they are written: the same memory for what is done in place.

use core::ops::Range;

use ndarray::{ArrayView, ArrayViewMut, Axis, Dimension, Ix3, Slice};

use super::walk::Arrays;

/// Elements, and those that they are made from unless it is them.
pub struct Span<'a, A> {
    source: Option<&'a [A]>,
    target: &'a mut [A],
}

/// The same of arrays of one shape.
pub struct Views<'a, A, D> {
    pub(super) source: Option<ArrayView<'a, A, D>>,
    pub(super) target: ArrayViewMut<'a, A, D>,
}

impl<'a, A: Copy> Span<'a, A> {
    /// Slices of one length.
    pub(super) fn new(source: Option<&'a [A]>, target: &'a mut [A]) -> Self {
        debug_assert!(source.is_none_or(|source| source.len() == target.len()));
        Self { source, target }
    }

    #[inline(always)]
    pub(super) fn source(&self) -> &[A] {
        self.source.unwrap_or(self.target)
    }

    #[inline(always)]
    pub(super) fn target(&mut self) -> &mut [A] {
        self.target
    }

    /// `len` elements from `start` on.
    #[inline(always)]
    pub(super) fn part(&mut self, start: usize, len: usize) -> Span<'_, A> {
        Span {
            source: self.source.map(|source| &source[start..][..len]),
            target: &mut self.target[start..][..len],
        }
    }

    /// Parts of `len` elements.
    pub(super) fn chunks(self, len: usize) -> impl Iterator<Item = Self> {
        let mut sources = self.source.map(|source| source.chunks_exact(len));
        self.target
            .chunks_exact_mut(len)
            .map(move |target| Self { source: sources.as_mut().and_then(Iterator::next), target })
    }

    /// Copies what lies before `start` and what lies behind `end`.
    #[inline(always)]
    fn copy_around(&mut self, start: usize, end: usize) {
        if let Some(source) = self.source {
            self.target[..start].copy_from_slice(&source[..start]);
            self.target[end..].copy_from_slice(&source[end..]);
        }
    }
}

impl<A: Copy, D: Dimension> Views<'_, A, D> {
    /// Slices where both are in row-major order; their shape is `shape`.
    pub(super) fn as_arrays<'b>(&'b mut self, shape: &'b [usize]) -> Arrays<'b, A> {
        let source = self.source.as_ref().map(|source| source.view());
        let target = self.target.view_mut();
        if !target.is_standard_layout()
            || source.as_ref().is_some_and(|source| !source.is_standard_layout())
        {
            return Arrays::Views(Views {
                source: source.map(ArrayView::into_dyn),
                target: target.into_dyn(),
            });
        }
        let source = source.and_then(|source| source.to_slice());
        Arrays::Spans(Span::new(source, target.into_slice().unwrap_or_default()), shape)
    }

    /// The first `index` indices of an axis, and the others.
    pub(super) fn split_at(self, axis: Axis, index: usize) -> (Self, Self) {
        let (source, source_rest) = self.source.map(|source| source.split_at(axis, index)).unzip();
        let (target, rest) = self.target.split_at(axis, index);
        (Self { source, target }, Self { source: source_rest, target: rest })
    }

    /// Makes one axis of two where both arrays allow it.
    pub(super) fn merge_axes(&mut self, take: Axis, into: Axis) {
        if self.source.as_ref().is_none_or(|source| source.view().merge_axes(take, into))
            && self.target.merge_axes(take, into)
            && let Some(source) = &mut self.source
        {
            source.merge_axes(take, into);
        }
    }
}

/// Rows of features, of heads at positions, the features next to each other in memory.
pub(super) struct Rows<'a, A> {
    /// Heads, positions, features.
    pub(super) dim: [usize; 3],
    /// From one head to the next in the target, and from one position to the next.
    strides: [usize; 2],
    memory: Memory<'a, A>,
}

enum Memory<'a, A> {
    Span(Span<'a, A>),
    Views(Views<'a, A, Ix3>),
}

impl<A: Copy> Views<'_, A, Ix3> {
    /// Calls `visit` with rows of features, which lie next to each other in memory.
    #[inline(always)]
    fn each_row(
        &mut self,
        heads: Range<usize>,
        position: usize,
        mut visit: impl FnMut(Span<'_, A>),
    ) {
        let of_position = self.source.as_ref().map(|source| source.index_axis(Axis(1), position));
        let sources =
            of_position.as_ref().map(|rows| rows.slice_axis(Axis(0), Slice::from(heads.clone())));
        let mut sources = sources.as_ref().map(|rows| rows.outer_iter());
        let mut of_position = self.target.index_axis_mut(Axis(1), position);
        let mut targets = of_position.slice_axis_mut(Axis(0), Slice::from(heads));
        for row in targets.outer_iter_mut() {
            let source = sources.as_mut().and_then(|rows| rows.next()?.to_slice());
            if let Some(target) = row.into_slice() {
                visit(Span { source, target });
            }
        }
    }
}

impl<'a, A: Copy> Rows<'a, A> {
    pub(super) fn of_span(span: Span<'a, A>, dim: [usize; 3], strides: [usize; 2]) -> Self {
        Self { dim, strides, memory: Memory::Span(span) }
    }

    pub(super) fn of_views(views: Views<'a, A, Ix3>) -> Self {
        let (heads, positions, features) = views.target.dim();
        let strides = [0, 1].map(|axis| views.target.strides()[axis].unsigned_abs());
        Self { dim: [heads, positions, features], strides, memory: Memory::Views(views) }
    }

    /// Whether the heads of a position follow each other in memory.
    pub(super) fn are_heads_inside(&self) -> bool {
        let [heads, positions, _] = self.dim;
        heads > 1 && (positions == 1 || self.strides[0] < self.strides[1])
    }

    /// Calls `visit` with `len` features of some heads at a position, from `start` on.
    #[inline(always)]
    pub(super) fn each(
        &mut self,
        heads: Range<usize>,
        position: usize,
        start: usize,
        len: usize,
        mut visit: impl FnMut(Span<'_, A>),
    ) {
        // A loop for each kind of memory: none has to choose again for each row.
        match &mut self.memory {
            Memory::Span(Span { source: None, target }) => {
                let first = heads.start * self.strides[0] + position * self.strides[1] + start;
                for i in 0..heads.len() {
                    visit(Span {
                        source: None,
                        target: &mut target[first + i * self.strides[0]..][..len],
                    });
                }
            }
            Memory::Span(span) => {
                let first = heads.start * self.strides[0] + position * self.strides[1] + start;
                for i in 0..heads.len() {
                    visit(span.part(first + i * self.strides[0], len));
                }
            }
            Memory::Views(views) => views.each_row(
                heads,
                position,
                #[inline(always)]
                |mut row| visit(row.part(start, len)),
            ),
        }
    }

    /// Copies the features of some heads that are not turned.
    pub(super) fn copy_around(
        &mut self,
        heads: Range<usize>,
        position: usize,
        turned: Range<usize>,
    ) {
        let width = self.dim[2];
        self.each(heads, position, 0, width, |mut row| row.copy_around(turned.start, turned.end));
    }

    /// Whether there are features that are neither turned nor there already.
    pub(super) fn needs_copies(&self, turned: Range<usize>) -> bool {
        let apart = match &self.memory {
            Memory::Span(span) => span.source.is_some(),
            Memory::Views(views) => views.source.is_some(),
        };
        apart && turned.len() < self.dim[2]
    }
}
