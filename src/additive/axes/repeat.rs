//! Features of coordinates that repeat: computed once, and copied from where they were written.

use core::ops::Range;

use ndarray::{ArrayViewMut2, Axis, Slice};

use crate::additive::PositionalEncoding;
use crate::blocks::in_blocks;
use crate::element::Element;
use crate::error::Error;
use crate::positions::{Position, Positions};

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
    let (mut row, mut seen) = (0, Seen::new());
    while row < len {
        let is_new = |&row: &usize| seen.first(positions, row) == row;
        let end = row + (row..len).take_while(is_new).count();
        if row < end {
            let rows = out.slice_axis_mut(Axis(0), Slice::from(row..end));
            encode(encoding, &positions.slice(row..end), places.clone(), rows)?;
        }
        row = end;
        while row < len {
            let first = seen.first(positions, row);
            if first == row {
                break;
            }
            places.clone().for_each(|place| copy(&mut out, first, row, place));
            row += 1;
        }
    }
    Ok(())
}

/// The rows at which positions were seen first. Where two have the same slot the later one takes
/// it, so that the other is computed once more.
struct Seen([(Option<Position>, usize); Self::SLOTS]);

impl Seen {
    const SLOTS: usize = 1 << 10;

    fn new() -> Self {
        Self([(None, 0); Self::SLOTS])
    }

    /// The first row with the position of this one: itself where there is none.
    fn first(&mut self, positions: &Positions<'_>, row: usize) -> usize {
        let position = positions.get(row);
        let slot = &mut self.0[Self::slot(position)];
        if slot.0 != position || position.is_none() {
            *slot = (position, row);
        }
        slot.1
    }

    /// Consecutive integers have slots of their own.
    fn slot(position: Option<Position>) -> usize {
        let bits = match position {
            Some(Position::Integer(position)) => position as u64,
            Some(Position::Real(position)) => {
                position.to_bits().wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40
            }
            None => 0,
        };
        bits as usize % Self::SLOTS
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
    let (dim, columns) = (out.ncols(), place.columns());
    if let Some(all) = out.as_slice_mut() {
        let start = from * dim;
        let source = start + columns.start..start + columns.end;
        return all.copy_within(source, to * dim + columns.start);
    }
    let columns = Slice::from(columns);
    let (above, mut below) = out.view_mut().split_at(Axis(0), to);
    let source = above.index_axis_move(Axis(0), from);
    let mut target = below.index_axis_mut(Axis(0), 0);
    target.slice_axis_mut(Axis(0), columns).assign(&source.slice_axis(Axis(0), columns));
}
