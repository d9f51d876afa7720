//! The way through a batch: each part of it is made ready, and given its positions while it is in
//! cache.

use ndarray::{
    ArrayView, ArrayView2, ArrayViewD, ArrayViewMut2, ArrayViewMutD, Axis, Dimension, Ix2,
};

use crate::parts::{Four, STACK_BYTES, Summands, cut, join, piece, rows_in, through_stack};
use crate::{Element, Error, PositionalEncoding, Positions};

/// Writes to the rows, from row i on, of four sequences, from sequence n on, what the vectors are
/// added to, and adds them.
pub(crate) type Write<'a, A> = &'a (dyn Fn(usize, usize, Four<'_, A>, ArrayView2<'_, A>) + Sync);

/// The sum of what a caller has and of position vectors.
#[derive(Clone, Copy)]
pub(crate) struct Sum<'a, A, E: ?Sized> {
    pub(crate) encoding: &'a E,
    pub(crate) positions: &'a Positions<'a>,
    /// Nothing where it is in place already.
    pub(crate) write: Option<Write<'a, A>>,
}

impl<A: Element, E: PositionalEncoding<A> + ?Sized> Sum<'_, A, E> {
    /// Makes the sum in `out` (…, len, dim), on all cores where that is long work. Shape and
    /// positions have been checked.
    pub(crate) fn make(&self, out: ArrayViewMutD<'_, A>) -> Result<(), Error> {
        self.part(piece(out.len() * size_of::<A>()), out, 0, 0)
    }

    /// The part that begins with this sequence and this row, in pieces of so many bytes.
    fn part(
        &self,
        piece: usize,
        out: ArrayViewMutD<'_, A>,
        sequence: usize,
        row: usize,
    ) -> Result<(), Error> {
        let long = out.len() * size_of::<A>() > piece;
        let Some((axis, cut)) = long.then(|| self.cut(out.shape(), sequence, row)).flatten() else {
            return if self.positions.are_shared() && sequences(out.shape()) > 1 {
                self.together(out, sequence, row)
            } else {
                self.one_by_one(out, sequence, row)
            };
        };
        let (sequences, rows) = if axis + 2 == out.ndim() {
            (0, cut)
        } else {
            (cut * sequences(&out.shape()[axis + 1..]), 0)
        };
        let (low, high) = out.split_at(Axis(axis), cut);
        join(
            || self.part(piece, low, sequence, row),
            || self.part(piece, high, sequence + sequences, row + rows),
        )
    }

    /// An axis and where to cut it: that of positions, if they are shared and enough for blocks;
    /// else the outermost, so that the sequences of a part are neighbours.
    fn cut(&self, shape: &[usize], sequence: usize, row: usize) -> Option<(usize, usize)> {
        let [leading @ .., len, dim] = shape else { return None };
        let rows =
            || Some((leading.len(), cut(&self.positions.row(sequence).slice(row..row + len))?));
        let outermost =
            leading.iter().position(|&len| len > 1).map(|axis| (axis, leading[axis] / 2));
        if self.positions.are_shared() && *len > rows_in::<A>(STACK_BYTES, *dim) {
            rows().or(outermost)
        } else {
            outermost.or_else(rows)
        }
    }

    /// Sequences that share their positions: each block of vectors is computed once and added to
    /// all of them.
    fn together(
        &self,
        mut out: ArrayViewMutD<'_, A>,
        sequence: usize,
        row: usize,
    ) -> Result<(), Error> {
        let axis = Axis(out.ndim() - 2);
        let positions = self.positions.row(sequence);
        let positions = positions.slice(row..row + out.len_of(axis));
        let encode = |positions: &Positions<'_>, vectors: ArrayViewMut2<'_, A>| {
            self.encoding.encode_into(positions, vectors)
        };
        through_stack(&positions, self.encoding.dim(), out.as_ptr(), encode, |start, vectors| {
            let rows = out.slice_axis_mut(axis, (start..start + vectors.nrows()).into());
            for_each_four(rows, sequence, &mut |sequence, rows| match self.write {
                Some(write) => write(sequence, row + start, rows, vectors),
                None => Summands::in_place(self.encoding.instruction_set()).write(rows, vectors),
            });
            Ok(())
        })
    }

    /// Sequences of their own.
    fn one_by_one(
        &self,
        out: ArrayViewMutD<'_, A>,
        sequence: usize,
        row: usize,
    ) -> Result<(), Error> {
        for_each_sequence(out, sequence, &mut |sequence, out| {
            if self.write.is_some() {
                return self.together(out.into_dyn(), sequence, row);
            }
            let positions = self.positions.row(sequence);
            self.encoding.add_to(&positions.slice(row..row + out.nrows()), out)
        })
    }
}

/// How many matrices there are in an array (…, len, dim).
fn sequences(shape: &[usize]) -> usize {
    shape[..shape.len() - 2].iter().product()
}

/// Calls `visit` with each matrix (len, dim) of an array (…, len, dim) and its number, in row-major
/// order of the leading axes, counted from `first`.
pub(crate) fn for_each_sequence<A>(
    mut words: ArrayViewMutD<'_, A>,
    first: usize,
    visit: &mut impl FnMut(usize, ArrayViewMut2<'_, A>) -> Result<(), Error>,
) -> Result<(), Error> {
    if words.ndim() > 2 {
        let below = sequences(&words.shape()[1..]);
        let mut parts = words.axis_iter_mut(Axis(0)).enumerate();
        return parts.try_for_each(|(i, words)| for_each_sequence(words, first + i * below, visit));
    }
    let found = words.ndim();
    visit(
        first,
        words.into_dimensionality::<Ix2>().map_err(|_| Error::TooFewAxes { expected: 2, found })?,
    )
}

/// Calls `visit` with the matrices (len, dim) of an array (…, len, dim), four at a time, the last
/// ones perhaps fewer, and the number of the first, counted from `first`.
fn for_each_four<A>(
    mut words: ArrayViewMutD<'_, A>,
    first: usize,
    visit: &mut impl FnMut(usize, Four<'_, A>),
) {
    match words.ndim() {
        3 => {
            let mut parts =
                words.axis_iter_mut(Axis(0)).map(|words| words.into_dimensionality().ok());
            let mut sequence = first;
            while let Some(part) = parts.next() {
                let mut next = || parts.next().flatten();
                visit(sequence, [part, next(), next(), next()]);
                sequence += 4;
            }
        }
        0..3 => visit(first, [words.into_dimensionality().ok(), None, None, None]),
        _ => {
            let below = sequences(&words.shape()[1..]);
            for (i, words) in words.axis_iter_mut(Axis(0)).enumerate() {
                for_each_four(words, first + i * below, visit);
            }
        }
    }
}

/// The n-th part that has only the last axes, in row-major order of the others; nothing where there
/// are not so many.
pub(crate) fn nth<'v, T, D: Dimension>(
    array: &'v ArrayViewD<'_, T>,
    mut n: usize,
) -> Option<ArrayView<'v, T, D>> {
    let mut view = array.view();
    let kept = D::NDIM?;
    if n >= view.shape()[..view.ndim().checked_sub(kept)?].iter().product() {
        return None;
    }
    while view.ndim() > kept {
        let below = view.shape()[1..view.ndim() - kept].iter().product::<usize>().max(1);
        view = view.index_axis_move(Axis(0), n / below);
        n %= below;
    }
    view.into_dimensionality().ok()
}
