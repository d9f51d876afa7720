//! The encodings of [`Axes`](super::Axes): which axes each reads, and where its features go in a
//! row.

use core::fmt;
use core::ops::Range;

use ndarray::{ArrayViewMut2, Axis, Slice};

use super::repeat::{Place, Sources, copy, copy_in_turn, encode};
use crate::additive::PositionalEncoding;
use crate::element::Element;
use crate::error::{Error, check_parameter};
use crate::phase::BLOCK;
use crate::positions::Positions;
use crate::short::Short;

/// Encodings, and how they are joined.
#[derive(Clone, PartialEq)]
pub(super) struct Parts<E> {
    parts: Vec<Part<E>>,
    join: Join,
    /// The number of axes of the positions.
    axes: usize,
    dim: usize,
}

#[derive(Clone, PartialEq)]
struct Part<E> {
    encoding: E,
    dim: usize,
    /// The axes that the encoding reads.
    axes: Vec<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Join {
    Sum,
    SideBySide,
    /// The parts are interleaved: this many columns of each in turn.
    Interleaved(usize),
}

impl<E> Parts<E> {
    /// Lets the encodings read the axes one after the other.
    pub(super) fn new<A: Element>(encodings: impl IntoIterator<Item = E>) -> Result<Self, Error>
    where
        E: PositionalEncoding<A>,
    {
        let (mut parts, mut axes) = (Vec::new(), 0_usize);
        for encoding in encodings {
            let (dim, own) = (encoding.dim(), encoding.axes());
            let end = axes.checked_add(own).filter(|&end| end <= u16::MAX.into());
            let end = end.ok_or(Error::TooLarge { rows: 1, dim: axes.saturating_add(own) })?;
            parts.push(Part { encoding, dim, axes: (axes..end).collect() });
            axes = end;
        }
        match parts.first().map_or(0, |part| part.dim) {
            0 => Err(Error::ZeroDim),
            dim => Ok(Self { parts, join: Join::Sum, axes, dim }),
        }
    }

    pub(super) fn side_by_side(mut self) -> Result<Self, Error> {
        let dim = self.parts.iter().try_fold(0_usize, |dim, part| dim.checked_add(part.dim));
        self.dim = dim.ok_or(Error::TooLarge { rows: 1, dim: usize::MAX })?;
        self.join = Join::SideBySide;
        Ok(self)
    }

    pub(super) fn on_top_of_each_other(self) -> Result<Self, Error> {
        self.one_width().map(|_| self)
    }

    /// Returns the width that all parts share.
    fn one_width(&self) -> Result<usize, Error> {
        let expected = self.parts.first().map_or(0, |part| part.dim);
        match self.parts.iter().find(|part| part.dim != expected) {
            Some(part) => Err(Error::WidthMismatch { expected, found: part.dim }),
            None => Ok(expected),
        }
    }

    pub(super) fn interleave(&mut self, chunk: usize) -> Result<(), Error> {
        let width = self.one_width()?;
        if self.join == Join::Sum {
            let expected = width.saturating_mul(self.parts.len());
            return Err(Error::WidthMismatch { expected, found: width });
        }
        let is_met = chunk > 0 && width.is_multiple_of(chunk);
        check_parameter("chunk", chunk as f64, is_met, "a divisor of the width of the encodings")?;
        self.join = Join::Interleaved(chunk);
        Ok(())
    }

    pub(super) fn read(&mut self, axes: &[usize]) -> Result<(), Error> {
        let expected = self.parts.iter().map(|part| part.axes.len()).sum();
        if axes.len() != expected {
            let what = "axes to read";
            return Err(Error::LengthMismatch { what, expected, found: axes.len() });
        }
        let count = axes.iter().max().map_or(0, |&axis| axis.saturating_add(1));
        let mut unread = (0..count).filter(|axis| !axes.contains(axis));
        if let Some(axis) = unread.next() {
            return Err(Error::NoSuchAxis { axis, axes: expected });
        }
        let mut rest = axes;
        for part in &mut self.parts {
            let (own, after) = rest.split_at(part.axes.len());
            part.axes.copy_from_slice(own);
            rest = after;
        }
        self.axes = count;
        Ok(())
    }

    pub(super) fn set_dim(&mut self, dim: usize) -> Result<(), Error> {
        if dim == 0 {
            return Err(Error::ZeroDim);
        }
        let width = self.parts.first().map_or(0, |part| part.dim);
        if self.join == Join::Sum && dim < width {
            return Err(Error::WidthMismatch { expected: width, found: dim });
        }
        self.dim = dim;
        Ok(())
    }

    pub(super) fn axes(&self) -> usize {
        self.axes
    }

    pub(super) fn dim(&self) -> usize {
        self.dim
    }

    pub(super) fn encodings(&self) -> impl ExactSizeIterator<Item = &E> {
        self.parts.iter().map(|part| &part.encoding)
    }

    pub(super) fn encodings_mut(&mut self) -> impl Iterator<Item = &mut E> {
        self.parts.iter_mut().map(|part| &mut part.encoding)
    }

    pub(super) fn map(self, change: impl Fn(E) -> E) -> Self {
        let part = |part: Part<E>| Part { encoding: change(part.encoding), ..part };
        Self { parts: self.parts.into_iter().map(part).collect(), ..self }
    }

    /// Calls `visit` with each encoding, its index and the positions on its axes.
    pub(super) fn each(
        &self,
        positions: &Positions<'_>,
        mut visit: impl FnMut(usize, &E, &Positions<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.parts.iter().enumerate().try_for_each(|(index, part)| {
            visit(index, &part.encoding, &positions.on_axes(&part.axes)?)
        })
    }

    /// Returns which columns of a part are kept, and where they go.
    pub(super) fn places(&self, index: usize) -> impl Iterator<Item = Place> + Clone + use<E> {
        let (dim, width) = (self.dim, self.parts[index].dim);
        let (first, chunk, step) = match self.join {
            Join::Sum => (0, width, width),
            Join::SideBySide => {
                (self.parts[..index].iter().map(|part| part.dim).sum(), width, width)
            }
            Join::Interleaved(chunk) => (index * chunk, chunk, self.parts.len() * chunk),
        };
        let place = move |(source, to): (usize, usize)| {
            let len = chunk.min(dim.saturating_sub(to));
            Place { source, to, len }
        };
        let places = (0..width).step_by(chunk).zip((first..).step_by(step)).map(place);
        places.take_while(|place| place.len > 0)
    }

    /// Returns the columns that no part writes.
    fn zeros(&self) -> Range<usize> {
        let used = match self.join {
            Join::Sum => self.parts[0].dim,
            _ => self.parts.iter().map(|part| part.dim).sum(),
        };
        used.min(self.dim)..self.dim
    }

    /// Writes the rows of checked positions.
    pub(super) fn encode<A: Element>(
        &self,
        positions: &Positions<'_>,
        mut out: ArrayViewMut2<'_, A>,
    ) -> Result<(), Error>
    where
        E: PositionalEncoding<A>,
    {
        out.slice_axis_mut(Axis(1), self.zeros().into()).fill(A::zero());
        if self.join != Join::Sum {
            return self.encode_beside(positions, out);
        }
        self.each(positions, |index, encoding, own| {
            let columns = out.slice_axis_mut(Axis(1), Slice::from(0..encoding.dim()));
            match index {
                0 => encoding.encode_into(own, columns),
                _ => encoding.add_to(own, columns),
            }
        })
    }

    /// Writes rows whose features are side by side: two encodings at a time and block by block, so
    /// that a half-written row is completed while it is in cache.
    fn encode_beside<A: Element>(
        &self,
        positions: &Positions<'_>,
        mut out: ArrayViewMut2<'_, A>,
    ) -> Result<(), Error>
    where
        E: PositionalEncoding<A>,
    {
        for first in (0..self.parts.len()).step_by(2) {
            self.encode_two(first..self.parts.len().min(first + 2), positions, &mut out)?;
        }
        Ok(())
    }

    /// Writes the features of one or two encodings.
    fn encode_two<A: Element>(
        &self,
        two: Range<usize>,
        positions: &Positions<'_>,
        out: &mut ArrayViewMut2<'_, A>,
    ) -> Result<(), Error>
    where
        E: PositionalEncoding<A>,
    {
        /// Below this many rows, searching for repeats costs more than it saves.
        const FEW: usize = 4;
        let len = positions.len();
        let repeats = |index: &usize| self.parts[*index].axes.len() == 1 && len >= FEW;
        for index in two.clone().filter(|index| !repeats(index)) {
            let (part, places) = (&self.parts[index], self.places(index));
            let own = positions.on_axes(&part.axes)?;
            encode(&part.encoding, &own, 0..len, places, out)?;
        }
        let (repeating, dim) = (two.filter(repeats), out.ncols());
        let turn = match repeating.clone().count() {
            0 => return Ok(()),
            count => self.turn().filter(|_| count == 2),
        };
        let mut sources = [Sources::new(), Sources::new()];
        for start in (0..len).step_by(BLOCK) {
            let block = start..len.min(start + BLOCK);
            for (index, sources) in repeating.clone().zip(&mut sources) {
                let part = &self.parts[index];
                let own = positions.on_axes(&part.axes)?;
                sources.encode_new(&part.encoding, &own, block.clone(), self.places(index), out)?;
            }
            if let (Some(chunk), Some(all)) = (turn, out.as_slice_mut()) {
                copy_in_turn(&sources, block, chunk, dim, all);
                continue;
            }
            for (index, sources) in repeating.clone().zip(&sources) {
                copy(sources, block.clone(), self.places(index), out);
            }
        }
        Ok(())
    }

    /// Returns the number of columns of each encoding in turn, if there are two that alternate.
    fn turn(&self) -> Option<usize> {
        match self.join {
            Join::Interleaved(chunk) if self.parts.len() == 2 => Some(chunk),
            _ => None,
        }
    }
}

impl<E> fmt::Display for Parts<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let dims: Vec<_> = self.parts.iter().map(|part| part.dim).collect();
        write!(f, "{} encodings, dims {}, ", dims.len(), Short(&dims))?;
        match self.join {
            Join::Sum => f.write_str("summed")?,
            Join::SideBySide => f.write_str("side by side")?,
            Join::Interleaved(columns) => write!(f, "{columns} columns of each in turn")?,
        }
        write!(f, ", dim {}", self.dim)
    }
}

impl<E> fmt::Debug for Parts<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of = |read: fn(&Part<E>) -> String| {
            self.parts.iter().take(8).map(read).collect::<Vec<_>>().join(", ")
        };
        f.debug_struct("Axes")
            .field("dim", &self.dim)
            .field("join", &self.join)
            .field("encodings", &self.parts.len())
            .field("dims", &format_args!("[{}]", of(|part| part.dim.to_string())))
            .field("reading", &format_args!("[{}]", of(|part| Short(&part.axes).to_string())))
            .finish()
    }
}
