//! Iterates over a batch: each part of the output is written, and its positions are added while it
//! is in cache.

use ndarray::{Array, Array2, ArrayView2, ArrayViewMut2, ArrayViewMutD, Axis, Dimension, Ix2};

use super::rows::Target;
use crate::add::{Four, add_to_four};
use crate::additive::PositionalEncoding;
use crate::arrays::{room, zeros};
use crate::blocks::{STACK_BYTES, blocks, in_blocks, middle, rows_in};
use crate::element::Element;
use crate::error::Error;
use crate::phase::BLOCK;
use crate::positions::Positions;
use crate::threads::{parts, piece};

/// Writes the sums for some rows: the arguments are the sequence, the first row, the target and the
/// vectors, at most [`BLOCK`] of them.
pub(super) type Write<'a, A> = &'a (dyn Fn(usize, usize, Target<'_, A>, ArrayView2<'_, A>) + Sync);

/// The sum of the caller's words and position vectors. Shapes and positions have been checked.
#[derive(Clone, Copy)]
pub(super) struct Sum<'a, A, E: ?Sized> {
    pub(super) encoding: &'a E,
    pub(super) positions: &'a Positions<'a>,
    /// Writes the sums; `None` to add to words in place.
    pub(super) write: Option<Write<'a, A>>,
}

impl<A: Element, E: PositionalEncoding<A> + ?Sized> Sum<'_, A, E> {
    /// Makes the sum in a new array of this shape, (…, len, any width).
    pub(super) fn new_array<D: Dimension>(&self, shape: D) -> Result<Array<A, D>, Error> {
        let [leading @ .., width] = shape.slice() else {
            return Err(Error::TooFewAxes { expected: 2, found: 0 });
        };
        let (rows, width) = (leading.iter().product(), *width);
        let too_large = Error::TooLarge { rows, dim: width };
        let len = room::<A>(rows, width)?;
        let values = if self.grows(len) {
            let mut values = Vec::new();
            values.try_reserve_exact(len).map_err(|_| too_large.clone())?;
            if len > 0 {
                self.append(rows / self.positions.len(), &mut values)?;
            }
            values
        } else {
            let mut out = zeros(rows, width)?;
            let view = out.view_mut().into_shape_with_order(shape.clone());
            self.make(view.map_err(|_| too_large.clone())?.into_dyn())?;
            out.into_raw_vec_and_offset().0
        };
        Array::from_shape_vec(shape, values).map_err(|_| too_large)
    }

    /// Returns true if a new array of `len` elements is appended row by row, by one thread: this
    /// saves writing zeros first, a fifth of the time.
    ///
    /// Sequences that share positions need all vectors at once. Where these exceed the cache, large
    /// new memory is zero anyway.
    fn grows(&self, len: usize) -> bool {
        const CACHED: usize = 16 << 20;
        let dim = self.encoding.dim().saturating_mul(size_of::<A>());
        let table = self.positions.len().saturating_mul(dim);
        piece(len * size_of::<A>()).is_none() && (!self.positions.are_shared() || table <= CACHED)
    }

    /// Appends the rows of some sequences.
    fn append(&self, sequences: usize, values: &mut Vec<A>) -> Result<(), Error> {
        let Some(write) = self.write else { return Ok(()) };
        if self.positions.are_shared() && sequences > 1 {
            let table = self.table()?;
            for sequence in 0..sequences {
                for (n, vectors) in table.axis_chunks_iter(Axis(0), BLOCK).enumerate() {
                    write(sequence, n * BLOCK, Target::End(values), vectors);
                }
            }
            return Ok(());
        }
        (0..sequences).try_for_each(|sequence| {
            self.in_blocks(&self.positions.row(sequence), |row, vectors| {
                write(sequence, row, Target::End(values), vectors);
            })
        })
    }

    /// Returns the vectors of shared positions. They are computed block by block, so that the zeros
    /// are in cache when they are overwritten.
    fn table(&self) -> Result<Array2<A>, Error> {
        let (positions, dim) = (self.positions.row(0), self.encoding.dim());
        let too_large = Error::TooLarge { rows: positions.len(), dim };
        let (len, mut table) = (room::<A>(positions.len(), dim)?, Vec::new());
        table.try_reserve_exact(len).map_err(|_| too_large.clone())?;
        for block in blocks(&positions, BLOCK) {
            let shape = (block.len(), dim);
            table.resize(block.end * dim, A::zero());
            let rows = ArrayViewMut2::from_shape(shape, &mut table[block.start * dim..]);
            let rows = rows.map_err(|_| too_large.clone())?;
            self.encoding.encode_into(&positions.slice(block), rows)?;
        }
        Array2::from_shape_vec((positions.len(), dim), table).map_err(|_| too_large)
    }

    /// Computes the sum in `out` (…, len, any width), on all cores if this is long work.
    pub(super) fn make(&self, out: ArrayViewMutD<'_, A>) -> Result<(), Error> {
        let cut = |shape: &[usize], [sequence, row, _]: [usize; 3], is_long: bool| {
            is_long.then(|| self.cut(shape, sequence, row)).flatten()
        };
        parts(out, &cut, &|out, [sequence, row, _]| {
            if self.positions.are_shared() && sequences(out.shape()) > 1 {
                self.together(out, sequence, row)
            } else {
                self.one_by_one(out, sequence, row)
            }
        })
    }

    /// Returns an axis and where to cut it: the axis of positions, if they are shared and enough
    /// for blocks; otherwise the outermost axis, so that the sequences of a part are adjacent.
    fn cut(&self, shape: &[usize], sequence: usize, row: usize) -> Option<(usize, usize)> {
        let [leading @ .., len, dim] = shape else { return None };
        let rows = || {
            let positions = self.positions.row(sequence);
            Some((leading.len(), middle(&positions.slice(row..row + len))?))
        };
        let outermost =
            leading.iter().position(|&len| len > 1).map(|axis| (axis, leading[axis] / 2));
        if self.positions.are_shared() && *len > rows_in::<A>(STACK_BYTES, *dim) {
            rows().or(outermost)
        } else {
            outermost.or_else(rows)
        }
    }

    /// Handles sequences that share their positions: each block of vectors is computed once and
    /// added to all of them.
    fn together(
        &self,
        mut out: ArrayViewMutD<'_, A>,
        sequence: usize,
        row: usize,
    ) -> Result<(), Error> {
        let axis = Axis(out.ndim() - 2);
        let positions = self.positions.row(sequence);
        let positions = positions.slice(row..row + out.len_of(axis));
        self.in_blocks(&positions, |start, vectors| {
            let rows = out.slice_axis_mut(axis, (start..start + vectors.nrows()).into());
            for_each_four(rows, sequence, &mut |sequence, four| match self.write {
                None => add_to_four(four, vectors),
                Some(write) => four.into_iter().flatten().enumerate().for_each(|(n, rows)| {
                    write(sequence + n, row + start, Target::Rows(rows), vectors);
                }),
            });
        })
    }

    /// Handles sequences with their own positions.
    fn one_by_one(
        &self,
        out: ArrayViewMutD<'_, A>,
        sequence: usize,
        row: usize,
    ) -> Result<(), Error> {
        let mut done = Ok(());
        for_each_four(out, sequence, &mut |sequence, four| {
            for (n, rows) in four.into_iter().flatten().enumerate() {
                if done.is_ok() {
                    done = self.one(rows, sequence + n, row);
                }
            }
        });
        done
    }

    fn one(&self, out: ArrayViewMut2<'_, A>, sequence: usize, row: usize) -> Result<(), Error> {
        if self.write.is_some() {
            return self.together(out.into_dyn(), sequence, row);
        }
        let positions = self.positions.row(sequence);
        self.encoding.add_to(&positions.slice(row..row + out.nrows()), out)
    }

    /// Calls `visit` with the vectors of the positions, block by block.
    fn in_blocks(
        &self,
        positions: &Positions<'_>,
        mut visit: impl FnMut(usize, ArrayView2<'_, A>),
    ) -> Result<(), Error> {
        in_blocks(
            positions,
            self.encoding.dim(),
            |positions, vectors| self.encoding.encode_into(positions, vectors),
            |start, vectors| {
                visit(start, vectors);
                Ok(())
            },
        )
    }
}

/// Returns the number of matrices in an array (…, len, dim).
fn sequences(shape: &[usize]) -> usize {
    shape[..shape.len() - 2].iter().product()
}

/// Calls `visit` with the matrices (len, dim) of a non-empty array (…, len, dim), four at a time or
/// fewer at the end, and with the index of the first, counted from `first`.
///
/// The function recurses over the axes, of which at most 64 are longer than 1.
fn for_each_four<A>(
    mut words: ArrayViewMutD<'_, A>,
    first: usize,
    visit: &mut impl FnMut(usize, Four<'_, A>),
) {
    match words.ndim() {
        3 => {
            let parts = words.axis_iter_mut(Axis(0));
            let mut parts = parts.map(|words| words.into_dimensionality::<Ix2>().ok());
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
