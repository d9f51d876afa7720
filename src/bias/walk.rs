//! The way through scores (…, heads, queries, keys): rows of the bias are made in a block on the
//! stack, and written or added to all sequences that share them, on all cores.
//!
//! Where the bias depends on the distance alone and positions are consecutive, all rows of a tile
//! are slices of one vector per head: rows + columns − 1 values instead of rows × columns.

use core::ops::Range;

use ndarray::{ArrayViewMut3, ArrayViewMutD, Axis, Ix3};

use super::{AttentionBias, DependsOn, check_row};
use crate::add::{Put, add_streams};
use crate::arrays::without_unit_axes;
use crate::element::Element;
use crate::error::Error;
use crate::positions::{Positions, Run};
use crate::threads::{join, piece};

/// A bias for scores, whose shapes and positions have been checked.
#[derive(Clone, Copy)]
pub(super) struct Walk<'a, A> {
    pub(super) bias: &'a dyn AttentionBias<A>,
    pub(super) queries: &'a Positions<'a>,
    pub(super) keys: &'a Positions<'a>,
    pub(super) put: Put,
}

impl<A: Element> Walk<'_, A> {
    /// Goes through scores (…, heads, queries, keys).
    pub(super) fn through(&self, scores: ArrayViewMutD<'_, A>) -> Result<(), Error> {
        if scores.is_empty() {
            return Ok(());
        }
        let piece = piece(scores.len() * size_of::<A>()).unwrap_or(usize::MAX);
        self.part(piece, without_unit_axes(scores, 3), 0, [0, 0])
    }

    /// The part that begins with this sequence and this query and key, in pieces of so many bytes.
    fn part(
        &self,
        piece: usize,
        mut scores: ArrayViewMutD<'_, A>,
        sequence: usize,
        [query, key]: [usize; 2],
    ) -> Result<(), Error> {
        let last = scores.ndim() - 1;
        let long = scores.len() * size_of::<A>() > piece;
        let shared = self.queries.are_shared() && self.keys.are_shared();
        if last > 2 && scores.len_of(Axis(0)) == 1 {
            scores.index_axis_inplace(Axis(0), 0);
            return self.part(piece, scores, sequence, [query, key]);
        }
        let axes = (0..last - 2).chain([last - 1, last]);
        let cut = axes.into_iter().find(|&axis| scores.len_of(Axis(axis)) > 1);
        let Some(axis) = cut.filter(|&axis| long || !shared && axis < last - 2) else {
            return self.tiles(scores, sequence, [query, key]);
        };
        let middle = scores.len_of(Axis(axis)) / 2;
        let below: usize = scores.shape()[..last - 2].iter().skip(axis + 1).product();
        let (sequences, rows, columns) = match axis {
            axis if axis < last - 2 => (middle * below, 0, 0),
            axis if axis < last => (0, middle, 0),
            _ => (0, 0, middle),
        };
        let (low, high) = scores.split_at(Axis(axis), middle);
        let next = [query + rows, key + columns];
        let first = || self.part(piece, low, sequence, [query, key]);
        let second = || self.part(piece, high, sequence + sequences, next);
        if long { join(first, second) } else { first().and_then(|()| second()) }
    }

    /// Goes through the tiles of sequences that share their positions, in memory that is as large
    /// as the work is long: it is filled with zeros first.
    fn tiles(
        &self,
        scores: ArrayViewMutD<'_, A>,
        sequence: usize,
        [query, key]: [usize; 2],
    ) -> Result<(), Error> {
        let [.., rows, columns] = *scores.shape() else { return Ok(()) };
        let (queries, keys) = (self.queries.row(sequence), self.keys.row(sequence));
        let tiles = Tiles {
            bias: self.bias,
            queries: &queries.slice(query..query + rows),
            keys: &keys.slice(key..key + columns),
            put: self.put,
        };
        let mut scores = scores;
        if let (1, Put::Add, Some(row)) = (rows, self.put, scores.as_slice_mut())
            && row.len() == self.bias.heads() * columns
        {
            return self.bias.add_row(tiles.queries, tiles.keys, row);
        }
        tiles.of_size(scores)
    }
}

/// Adds the bias of one query, made in pieces.
pub(super) fn add_row<A: Element>(
    bias: &dyn AttentionBias<A>,
    query: &Positions<'_>,
    keys: &Positions<'_>,
    scores: &mut [A],
) -> Result<(), Error> {
    check_row(bias.heads(), query, keys, scores)?;
    let too_large = |_| Error::TooLarge { rows: bias.heads(), dim: keys.len() };
    let scores = ArrayViewMut3::from_shape((bias.heads(), 1, keys.len()), scores);
    let scores = scores.map_err(too_large)?;
    Tiles { bias, queries: query, keys, put: Put::Add }.of_size(scores.into_dyn())
}

/// Sequences that share lists of positions.
struct Tiles<'a, A> {
    bias: &'a dyn AttentionBias<A>,
    queries: &'a Positions<'a>,
    keys: &'a Positions<'a>,
    put: Put,
}

/// Positions that are neighbours: consecutive from a first one on, or in any order.
struct Segment {
    indices: Range<usize>,
    first: Option<i64>,
}

impl<A: Element> Tiles<'_, A> {
    /// Takes as much of the stack as the work is long.
    fn of_size(&self, scores: ArrayViewMutD<'_, A>) -> Result<(), Error> {
        match (scores.len(), size_of::<A>()) {
            (..=1024, _) => self.on_stack::<1024>(scores),
            (..=0x40_0000, _) => self.on_stack::<0x4000>(scores),
            (_, 8) => self.on_stack::<0x8000>(scores),
            _ => self.on_stack::<0x1_0000>(scores),
        }
    }

    /// Does long work. This stays a call, so that short work does not take its stack.
    #[inline(never)]
    fn on_stack<const LEN: usize>(&self, scores: ArrayViewMutD<'_, A>) -> Result<(), Error> {
        let heads = self.bias.heads();
        if heads <= LEN {
            self.through(&mut [A::zero(); LEN], scores);
            return Ok(());
        }
        let mut heap = Vec::new();
        let too_large = |_| Error::TooLarge { rows: heads, dim: 1 };
        heap.try_reserve_exact(heads).map_err(too_large)?;
        heap.resize(heads, A::zero());
        self.through(&mut heap, scores);
        Ok(())
    }

    fn through(&self, room: &mut [A], mut scores: ArrayViewMutD<'_, A>) {
        let most = room.len() / self.bias.heads();
        let rows = Axis(scores.ndim() - 2);
        let mut start = 0;
        while start < self.queries.len() {
            // Long rows are long runs of memory, so they take most of the room.
            let queries = self.segment(self.queries, start, (most / 4).max(1));
            start = queries.indices.end;
            let most = most + 1 - queries.indices.len();
            let mut start = 0;
            while start < self.keys.len() {
                let keys = self.segment(self.keys, start, most);
                start = keys.indices.end;
                let mut part = scores.slice_axis_mut(rows, queries.indices.clone().into());
                part.slice_axis_inplace(Axis(rows.0 + 1), keys.indices.clone().into());
                self.tile(room, &queries, &keys, part);
            }
        }
    }

    /// The next positions, at most so many, that go together.
    fn segment(&self, positions: &Positions<'_>, start: usize, most: usize) -> Segment {
        /// Shorter runs are not worth a vector of their own.
        const LEAST: usize = 16;
        let end = start.saturating_add(most).min(positions.len());
        if self.bias.depends_on() != DependsOn::Distance || positions.axes() != 1 {
            return Segment { indices: start..end, first: None };
        }
        let rest = positions.slice(start..end);
        let mut len = 0;
        while let Some(run) = rest.run_at(len) {
            match run {
                Run::Integers { start: first, len: own } if own >= LEAST.min(rest.len()) => {
                    let (end, first) = if len == 0 { (own, Some(first)) } else { (len, None) };
                    return Segment { indices: start..start + end, first };
                }
                Run::Integers { len: own, .. } | Run::Repeated { len: own, .. } => len += own,
                Run::Real(_) => len += 1,
            }
        }
        Segment { indices: start..end, first: None }
    }

    /// Makes the rows of one tile and puts them where they belong.
    fn tile(
        &self,
        room: &mut [A],
        queries: &Segment,
        keys: &Segment,
        mut scores: ArrayViewMutD<'_, A>,
    ) {
        let (rows, columns) = (queries.indices.len(), keys.indices.len());
        let heads = self.bias.heads();
        // The first row of the vector of distances is the last query's.
        let last = queries.first.map(|first| first.saturating_add_unsigned(rows as u64 - 1));
        let distance = last.zip(keys.first).and_then(|(last, key)| last.checked_sub(key));
        if let (Some(distance), 2..) = (distance, rows) {
            let len = rows + columns - 1;
            let vectors = &mut room[..heads * len];
            let (query, keys) = ([distance], Positions::from(0..len));
            self.bias.encode_row(&Positions::from(&query), &keys, vectors);
            return self.put(vectors, scores, |row| rows - 1 - row);
        }
        let (keys, vectors) = (self.keys.slice(keys.indices.clone()), &mut room[..heads * columns]);
        let query =
            |row| self.queries.slice(queries.indices.start + row..queries.indices.start + row + 1);
        if self.bias.depends_on() == DependsOn::Key {
            self.bias.encode_row(&query(0), &keys, vectors);
            return self.put(vectors, scores, |_| 0);
        }
        let axis = Axis(scores.ndim() - 2);
        for row in 0..rows {
            self.bias.encode_row(&query(row), &keys, vectors);
            self.put(vectors, scores.slice_axis_mut(axis, (row..row + 1).into()), |_| 0);
        }
    }

    /// Writes or adds to row i of each head the part of the head's vector that begins at
    /// `start(i)`; four rows at a time, see [`add_streams`].
    fn put(
        &self,
        vectors: &[A],
        mut scores: ArrayViewMutD<'_, A>,
        start: impl Fn(usize) -> usize + Copy,
    ) {
        if scores.ndim() > 3 {
            return scores.outer_iter_mut().for_each(|scores| self.put(vectors, scores, start));
        }
        let Ok(mut scores) = scores.into_dimensionality::<Ix3>() else { return };
        let (heads, rows, columns) = scores.dim();
        let len = vectors.len() / heads;
        let mut four: [(&mut [A], &[A]); 4] = Default::default();
        let mut filled = 0;
        for (row, scores) in scores.lanes_mut(Axis(2)).into_iter().enumerate() {
            let start = row / rows * len + start(row % rows);
            let bias = &vectors[start..start + columns];
            let mut scores = scores;
            match (scores.as_slice_mut().is_some(), self.put) {
                (true, Put::Add) => {
                    four[filled] = (scores.into_slice().unwrap_or_default(), bias);
                    filled += 1;
                    if filled == 4 {
                        add_streams(core::mem::take(&mut four));
                        filled = 0;
                    }
                }
                (_, put) => scores.iter_mut().zip(bias).for_each(|(score, bias)| match put {
                    Put::Write => *score = *bias,
                    Put::Add => *score = *score + *bias,
                }),
            }
        }
        if filled > 0 {
            add_streams(four);
        }
    }
}
