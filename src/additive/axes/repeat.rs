//! Features of coordinates that repeat: computed once, and copied from where they were written.

use core::ops::Range;

use ndarray::{ArrayViewMut2, Axis, Slice};

use crate::additive::PositionalEncoding;
use crate::blocks::in_blocks;
use crate::element::Element;
use crate::error::Error;
use crate::positions::{Position, Positions, Run};

/// So many columns of an encoding, from one on, and the column of the row where they go.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    pub(super) source: usize,
    pub(super) to: usize,
    pub(super) len: usize,
}

impl Place {
    /// The features of the encoding.
    pub(crate) fn features(self) -> Range<usize> {
        self.source..self.source + self.len
    }

    /// The columns of the row.
    pub(crate) fn columns(self) -> Range<usize> {
        self.to..self.to + self.len
    }
}

/// Writes the features of one encoding to their places in some rows, those of a block: positions
/// that were seen in a block before are copied from there.
pub(super) fn encode_once<A: Element, E: PositionalEncoding<A>>(
    encoding: &E,
    positions: &Positions<'_>,
    block: Range<usize>,
    seen: &mut Seen,
    places: impl Iterator<Item = Place> + Clone,
    out: &mut ArrayViewMut2<'_, A>,
) -> Result<(), Error> {
    // Rows from `new` to `row` have positions that were not seen before them.
    let (mut new, mut row) = (block.start, block.start);
    while let Some(run) = positions.run_at(row).filter(|_| row < block.end) {
        let (start, count, step) = match run {
            Run::Integers { start, len } => (Position::Integer(start), len, 1),
            Run::Repeated { position, len } => (Position::Integer(position), len, 0),
            Run::Real(position) => (Position::Real(position), 1, 0),
        };
        let rows = row..row + count.min(block.end - row);
        row = rows.end;
        let first = seen.first(start, rows.start);
        let same = rows.len() > 1 && first < rows.start && positions.run_at(first) == Some(run);
        if step == 0 || same {
            // All of them are copied, but for a first one that is new.
            let copied = if first < rows.start { rows.clone() } else { first + 1..rows.end };
            if !copied.is_empty() {
                encode(encoding, positions, new..copied.start, places.clone(), out)?;
                copy(out, first, step as usize, copied.clone(), places.clone());
                new = copied.end;
            }
            continue;
        }
        for (row, index) in rows.zip(0..) {
            let position = match start {
                Position::Integer(start) => Position::Integer(start + index),
                real => real,
            };
            let first = seen.first(position, row);
            if first < row {
                encode(encoding, positions, new..row, places.clone(), out)?;
                copy(out, first, 0, row..row + 1, places.clone());
                new = row + 1;
            }
        }
    }
    encode(encoding, positions, new..block.end, places, out)
}

/// The rows at which positions were seen first: two for each set of slots. Where there are more the
/// oldest is forgotten, and computed once more when it comes again.
pub(super) struct Seen([[(Option<Position>, usize); 2]; Self::SETS]);

impl Seen {
    const SETS: usize = 1 << 9;

    pub(super) fn new() -> Self {
        Self([[(None, 0); 2]; Self::SETS])
    }

    /// The first row with this position: the given one where it is new.
    fn first(&mut self, position: Position, row: usize) -> usize {
        let set = &mut self.0[Self::set(position)];
        for (seen, first) in *set {
            if seen == Some(position) {
                return first;
            }
        }
        *set = [(Some(position), row), set[0]];
        row
    }

    /// Consecutive integers have sets of their own.
    fn set(position: Position) -> usize {
        let bits = match position {
            Position::Integer(position) => position as u64,
            Position::Real(position) => {
                // Doubles at even distances differ in a few bits only.
                let mixed = position.to_bits().wrapping_mul(0x9e37_79b9_7f4a_7c15);
                (mixed ^ mixed >> 32).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 40
            }
        };
        bits as usize % Self::SETS
    }
}

/// Writes rows straight to their places, or by way of the stack where these are not a whole vector.
pub(super) fn encode<A: Element, E: PositionalEncoding<A>>(
    encoding: &E,
    positions: &Positions<'_>,
    rows: Range<usize>,
    places: impl Iterator<Item = Place> + Clone,
    out: &mut ArrayViewMut2<'_, A>,
) -> Result<(), Error> {
    /// Elements of a short block on the stack: the caller may have a long one there.
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
            for place in places.clone() {
                let vectors = vectors.slice_axis(Axis(1), place.features().into());
                out.slice_axis_mut(Axis(1), place.columns().into()).assign(&vectors);
            }
            Ok(())
        })?;
    }
    Ok(())
}

/// Copies some columns of rows from one on, or of that one alone where the step is 0, to rows
/// below.
fn copy<A: Element>(
    out: &mut ArrayViewMut2<'_, A>,
    from: usize,
    step: usize,
    rows: Range<usize>,
    places: impl Iterator<Item = Place> + Clone,
) {
    /// Fewer elements are copied one by one: a call would take longer.
    const FEW: usize = 8;
    let dim = out.ncols();
    if let Some(all) = out.as_slice_mut() {
        for (index, row) in rows.enumerate() {
            let (above, below) = all.split_at_mut(row * dim);
            let (source, target) = (&above[(from + step * index) * dim..], &mut below[..dim]);
            for place in places.clone() {
                let (source, target) = (&source[place.columns()], &mut target[place.columns()]);
                if place.len < FEW {
                    target.iter_mut().zip(source).for_each(|(target, source)| *target = *source);
                } else {
                    target.copy_from_slice(source);
                }
            }
        }
        return;
    }
    for (index, row) in rows.enumerate() {
        let (above, mut below) = out.view_mut().split_at(Axis(0), row);
        let source = above.index_axis_move(Axis(0), from + step * index);
        let mut target = below.index_axis_mut(Axis(0), 0);
        for columns in places.clone().map(|place| Slice::from(place.columns())) {
            target.slice_axis_mut(Axis(0), columns).assign(&source.slice_axis(Axis(0), columns));
        }
    }
}
