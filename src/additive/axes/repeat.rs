//! Features of repeated coordinates: computed once, then copied within the output.

use core::ops::Range;

use ndarray::{ArrayViewMut2, Axis, Slice};

use crate::additive::PositionalEncoding;
use crate::blocks::in_blocks;
use crate::element::Element;
use crate::error::Error;
use crate::phase::BLOCK;
use crate::positions::{Position, Positions, Run};

/// A range of an encoding's features, and the column of the row at which it starts.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    pub(super) source: usize,
    pub(super) to: usize,
    pub(super) len: usize,
}

impl Place {
    /// Returns the features of the encoding.
    pub(crate) fn features(self) -> Range<usize> {
        self.source..self.source + self.len
    }

    /// Returns the columns of the row.
    pub(crate) fn columns(self) -> Range<usize> {
        self.to..self.to + self.len
    }
}

/// For one encoding and one block of rows: the row that each row's features are copied from.
pub(super) struct Sources {
    seen: Seen,
    /// For each row of the block, the row with the same features; the row itself where they are
    /// new.
    rows: [usize; BLOCK],
}

impl Sources {
    pub(super) fn new() -> Self {
        Self { seen: Seen::new(), rows: [0; BLOCK] }
    }

    /// Writes the features of new positions to their places in the rows of a block, and records for
    /// the other rows where theirs are.
    pub(super) fn encode_new<A: Element, E: PositionalEncoding<A>>(
        &mut self,
        encoding: &E,
        positions: &Positions<'_>,
        block: Range<usize>,
        places: impl Iterator<Item = Place> + Clone,
        out: &mut ArrayViewMut2<'_, A>,
    ) -> Result<(), Error> {
        let rows = &mut self.rows[..block.len()];
        self.seen.first_rows(&positions.slice(0..block.end), block.start, rows);
        let mut row = block.start;
        while row < block.end {
            let is_new = |(row, source): &(usize, &usize)| row == *source;
            let count = (row..).zip(&rows[row - block.start..]).take_while(is_new).count();
            encode(encoding, positions, row..row + count, places.clone(), out)?;
            // The row after this run is not new.
            row += count + 1;
        }
        Ok(())
    }
}

/// The rows at which positions were first seen: four in each set. A fifth replaces the oldest,
/// which is then computed again when it recurs.
struct Seen([[(Option<Position>, usize); 4]; Self::SETS]);

impl Seen {
    const SETS: usize = 1 << 8;

    fn new() -> Self {
        Self([[(None, 0); 4]; Self::SETS])
    }

    /// Finds, for each row from `row` on, the first row with the same position: the row itself
    /// where the position is new.
    fn first_rows(&mut self, positions: &Positions<'_>, mut row: usize, mut rows: &mut [usize]) {
        while let Some(run) = positions.run_at(row) {
            let (start, len, step) = match run {
                Run::Integers { start, len } => (Position::Integer(start), len, 1),
                Run::Repeated { position, len } => (Position::Integer(position), len, 0),
                Run::Real(position) => (Position::Real(position), 1, 0),
            };
            let (own, rest) = rows.split_at_mut(len);
            let first = self.first(start, row);
            let again = match positions.run_at(first) {
                Some(Run::Integers { len: other, .. }) => first < row && other >= len,
                _ => false,
            };
            for (i, own) in (0..).zip(own) {
                *own = match start {
                    _ if step == 0 => first,
                    Position::Integer(start) if !again && i > 0 => {
                        self.first(Position::Integer(start + i as i64), row + i)
                    }
                    _ => first + i,
                };
            }
            (row, rows) = (row + len, rest);
        }
    }

    /// Returns the first row with this position: `row` itself where it is new.
    fn first(&mut self, position: Position, row: usize) -> usize {
        let set = &mut self.0[Self::set(position)];
        for (seen, first) in *set {
            if seen == Some(position) {
                return first;
            }
        }
        set.rotate_right(1);
        set[0] = (Some(position), row);
        row
    }

    /// Returns the set of a position; consecutive integers fall into different sets.
    fn set(position: Position) -> usize {
        let bits = match position {
            Position::Integer(position) => position as u64,
            Position::Real(position) => {
                // Evenly spaced doubles differ in a few bits only.
                let mixed = position.to_bits().wrapping_mul(0x9e37_79b9_7f4a_7c15);
                (mixed ^ mixed >> 32).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 40
            }
        };
        bits as usize % Self::SETS
    }
}

/// Writes rows straight to their places, or by way of a buffer on the stack where the places are
/// not one whole vector.
pub(super) fn encode<A: Element, E: PositionalEncoding<A>>(
    encoding: &E,
    positions: &Positions<'_>,
    rows: Range<usize>,
    places: impl Iterator<Item = Place> + Clone,
    out: &mut ArrayViewMut2<'_, A>,
) -> Result<(), Error> {
    /// The elements of the buffer: short, since the caller may have a long block on the stack.
    const SHORT: usize = 1 << 11;
    let dim = encoding.dim();
    let Some(place) = places.clone().next().filter(|_| !rows.is_empty()) else { return Ok(()) };
    let mut out = out.slice_axis_mut(Axis(0), rows.clone().into());
    let positions = positions.slice(rows);
    if place.len == dim {
        let columns = out.slice_axis_mut(Axis(1), place.columns().into());
        return encoding.encode_into(&positions, columns);
    }
    let step = (SHORT / dim).max(1);
    for start in (0..positions.len()).step_by(step) {
        let some = positions.slice(start..start.saturating_add(step));
        let encode = |positions: &Positions<'_>, rows: ArrayViewMut2<'_, A>| {
            encoding.encode_into(positions, rows)
        };
        in_blocks(&some, dim, encode, |row, vectors| {
            let rows = start + row..start + row + vectors.nrows();
            let mut out = out.slice_axis_mut(Axis(0), rows.into());
            for (vector, mut out) in vectors.outer_iter().zip(out.outer_iter_mut()) {
                match (vector.to_slice(), out.as_slice_mut()) {
                    (Some(vector), Some(out)) => put_places(
                        vector,
                        out,
                        places.clone().map(|place| (place.features(), place.columns())),
                    ),
                    _ => {
                        for place in places.clone() {
                            let own = vector.slice_axis(Axis(0), place.features().into());
                            out.slice_axis_mut(Axis(0), place.columns().into()).assign(&own);
                        }
                    }
                }
            }
            Ok(())
        })?;
    }
    Ok(())
}

/// Copies the features of one encoding to the rows of a block whose positions were seen before.
pub(super) fn copy<A: Element>(
    sources: &Sources,
    block: Range<usize>,
    places: impl Iterator<Item = Place> + Clone,
    out: &mut ArrayViewMut2<'_, A>,
) {
    let dim = out.ncols();
    let copies = block.zip(&sources.rows).filter(|(row, source)| row != *source);
    if let Some(all) = out.as_slice_mut() {
        for (row, source) in copies {
            let (above, below) = all.split_at_mut(row * dim);
            let columns = places.clone().map(|place| (place.columns(), place.columns()));
            put_places(&above[source * dim..][..dim], &mut below[..dim], columns);
        }
        return;
    }
    for (row, &source) in copies {
        let (above, mut below) = out.view_mut().split_at(Axis(0), row);
        let source = above.index_axis_move(Axis(0), source);
        let mut target = below.index_axis_mut(Axis(0), 0);
        for columns in places.clone().map(|place| Slice::from(place.columns())) {
            target.slice_axis_mut(Axis(0), columns).assign(&source.slice_axis(Axis(0), columns));
        }
    }
}

/// Copies the features of two encodings that alternate, `chunk` columns of each in turn, to the
/// rows of a block whose positions were seen before: in one pass, since two would write each cache
/// line twice. `all` has all rows, each `dim` wide.
pub(super) fn copy_in_turn<A: Element>(
    sources: &[Sources; 2],
    block: Range<usize>,
    chunk: usize,
    dim: usize,
    all: &mut [A],
) {
    for (i, row) in block.enumerate() {
        let (above, below) = all.split_at_mut(row * dim);
        let (target, [a, b]) = (&mut below[..dim], sources.each_ref().map(|of| of.rows[i]));
        // New features are in the row already.
        let from = |source: usize| (source != row).then(|| &above[source * dim..][..dim]);
        match (from(a), from(b)) {
            (Some(a), Some(b)) if chunk == 2 => in_turn::<A, 4>(a, b, target),
            (Some(a), Some(b)) if chunk == 1 => in_turn::<A, 2>(a, b, target),
            (a, b) => {
                for (source, first) in [(a, 0), (b, chunk)] {
                    let Some(source) = source else { continue };
                    for start in (first..dim).step_by(2 * chunk) {
                        let columns = start..dim.min(start + chunk);
                        target[columns.clone()].copy_from_slice(&source[columns]);
                    }
                }
            }
        }
    }
}

/// Writes TURN / 2 columns of `a`, then TURN / 2 of `b`, and so on. Each column is copied from the
/// same column of `a` or `b`.
fn in_turn<A: Copy, const TURN: usize>(a: &[A], b: &[A], target: &mut [A]) {
    let pick = |i: usize, a: &[A], b: &[A]| if i < TURN / 2 { a[i] } else { b[i] };
    let (a, b) = (a.chunks_exact(TURN), b.chunks_exact(TURN));
    // The last turn may be cut, and columns of zeros may follow.
    let (whole, rest) = target.split_at_mut(target.len() - a.remainder().len());
    rest.iter_mut().enumerate().for_each(|(i, to)| *to = pick(i, a.remainder(), b.remainder()));
    for ((to, a), b) in whole.chunks_exact_mut(TURN).zip(a).zip(b) {
        // An array is stored at once.
        to.copy_from_slice(&core::array::from_fn::<A, TURN, _>(|i| pick(i, a, b)));
    }
}

/// Writes columns of one row to those of another; the two ranges of a pair have the same length.
fn put_places<A: Copy>(
    source: &[A],
    target: &mut [A],
    places: impl Iterator<Item = (Range<usize>, Range<usize>)>,
) {
    /// Fewer elements than this are copied one by one: a call would take longer.
    const FEW: usize = 8;
    for (from, to) in places {
        let (source, target) = (&source[from], &mut target[to]);
        if source.len() < FEW {
            target.iter_mut().zip(source).for_each(|(target, source)| *target = *source);
        } else {
            target.copy_from_slice(source);
        }
    }
}
