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

/// Writes the features of one encoding to their places in all rows.
pub(super) fn encode_once<A: Element, E: PositionalEncoding<A>>(
    encoding: &E,
    positions: &Positions<'_>,
    places: impl Iterator<Item = Place> + Clone,
    mut out: ArrayViewMut2<'_, A>,
) -> Result<(), Error> {
    /// To look for fewer rows among others costs more than it saves.
    const FEW: usize = 4;
    let len = positions.len();
    if positions.axes() > 1 || len < FEW {
        return encode(encoding, positions, places, out);
    }
    // Rows from `new` to `row` have positions that were not seen before them.
    let (mut new, mut row, mut seen) = (0, 0, Seen::new());
    while let Some(run) = positions.run_at(row) {
        let (start, count, step) = match run {
            Run::Integers { start, len } => (Position::Integer(start), len, 1),
            Run::Repeated { position, len } => (Position::Integer(position), len, 0),
            Run::Real(position) => (Position::Real(position), 1, 0),
        };
        for index in 0..count {
            let position = match start {
                Position::Integer(start) => Position::Integer(start + step * index as i64),
                real => real,
            };
            let first = seen.first(position, row);
            if first < row {
                if new < row {
                    let rows = out.slice_axis_mut(Axis(0), Slice::from(new..row));
                    encode(encoding, &positions.slice(new..row), places.clone(), rows)?;
                }
                places.clone().for_each(|place| copy(&mut out, first, row, place));
                new = row + 1;
            }
            row += 1;
        }
    }
    let rows = out.slice_axis_mut(Axis(0), Slice::from(new..len));
    encode(encoding, &positions.slice(new..len), places, rows)
}

/// The rows at which positions were seen first: two for each set of slots. Where there are more the
/// oldest is forgotten, and computed once more when it comes again.
struct Seen([[(Option<Position>, usize); 2]; Self::SETS]);

impl Seen {
    const SETS: usize = 1 << 9;

    fn new() -> Self {
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
fn encode<A: Element, E: PositionalEncoding<A>>(
    encoding: &E,
    positions: &Positions<'_>,
    places: impl Iterator<Item = Place> + Clone,
    mut out: ArrayViewMut2<'_, A>,
) -> Result<(), Error> {
    /// Elements of a short block on the stack: the caller may have a long one there.
    const SHORT: usize = 1 << 11;
    let dim = encoding.dim();
    let mut rest = places.clone();
    let Some(place) = rest.next() else { return Ok(()) };
    if place.len == dim {
        let columns = out.slice_axis_mut(Axis(1), place.columns().into());
        return encoding.encode_into(positions, columns);
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

/// Copies some columns of a row to a row below it.
fn copy<A: Element>(out: &mut ArrayViewMut2<'_, A>, from: usize, to: usize, place: Place) {
    /// Fewer elements are copied one by one: a call would take longer.
    const FEW: usize = 8;
    let (dim, columns) = (out.ncols(), place.columns());
    if let Some(all) = out.as_slice_mut() {
        let (above, below) = all.split_at_mut(to * dim);
        let source = &above[from * dim..][columns.clone()];
        let target = &mut below[columns];
        if source.len() < FEW {
            return target.iter_mut().zip(source).for_each(|(target, source)| *target = *source);
        }
        return target.copy_from_slice(source);
    }
    let columns = Slice::from(columns);
    let (above, mut below) = out.view_mut().split_at(Axis(0), to);
    let source = above.index_axis_move(Axis(0), from);
    let mut target = below.index_axis_mut(Axis(0), 0);
    target.slice_axis_mut(Axis(0), columns).assign(&source.slice_axis(Axis(0), columns));
}
