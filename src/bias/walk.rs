//! The traversal of scores (…, heads, queries, keys), on all cores: rows of the bias are computed
//! in a block on the stack, and written or added to all sequences that share their positions.
//!
//! If the bias depends on the distance alone and positions are consecutive, all rows of a tile are
//! slices of one vector per head, with rows + columns − 1 values instead of rows × columns.

use core::ops::Range;

use ndarray::{ArrayViewMut3, ArrayViewMutD, Axis, Ix3};

use super::distance::last_distance;
use super::{AttentionBias, DependsOn, check_row, check_scores};
use crate::add::{Put, add_streams};
use crate::arrays::room;
use crate::element::Element;
use crate::error::Error;
use crate::positions::{Positions, Run};
use crate::threads::{Work, parts};

/// The condition for cutting scores along an axis.
#[derive(Clone, Copy)]
pub(super) enum Cut {
    Always,
    /// Scores are cut if they have enough work for another thread.
    Long,
    Never,
}

/// Calls `work` with parts of scores (…, heads, queries, keys), on all cores. `cuts` says when the
/// axes of sequences, heads, queries and keys are cut.
pub(super) fn in_parts<A: Element>(
    scores: ArrayViewMutD<'_, A>,
    cuts: [Cut; 4],
    work: Work<'_, A, 4>,
) -> Result<(), Error> {
    let cut = |shape: &[usize], _: [usize; 4], is_long: bool| {
        let is_cut = |&axis: &usize| match cuts[(axis + 4).saturating_sub(shape.len())] {
            Cut::Always => shape[axis] > 1,
            Cut::Long => shape[axis] > 1 && is_long,
            Cut::Never => false,
        };
        (0..shape.len()).find(is_cut).map(|axis| (axis, shape[axis] / 2))
    };
    parts(scores, &cut, work)
}

/// Writes or adds the bias to scores (…, heads, queries, keys).
pub(super) fn put<A: Element>(
    bias: &dyn AttentionBias<A>,
    queries: &Positions<'_>,
    keys: &Positions<'_>,
    scores: ArrayViewMutD<'_, A>,
    put: Put,
) -> Result<(), Error> {
    check_scores(bias, scores.shape(), queries, keys)?;
    let are_shared = queries.are_shared() && keys.are_shared();
    let sequences = if are_shared { Cut::Long } else { Cut::Always };
    let cuts = [sequences, Cut::Never, Cut::Long, Cut::Long];
    in_parts(scores, cuts, &|mut scores, [sequence, _, query, key]| {
        let [.., rows, columns] = *scores.shape() else { return Ok(()) };
        let queries = &queries.row(sequence);
        let queries = &queries.slice(query..query + rows);
        let keys = &keys.row(sequence);
        let keys = &keys.slice(key..key + columns);
        if let (1, Put::Add, Some(row)) = (rows, put, scores.as_slice_mut())
            && row.len() == bias.heads() * columns
        {
            return bias.add_row(queries, keys, row);
        }
        Tiles { bias, queries, keys, put }.of_size(scores)
    })
}

/// Adds the bias of one query, computed in blocks.
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

/// The bias of sequences that share lists of positions, computed tile by tile.
struct Tiles<'a, A> {
    bias: &'a dyn AttentionBias<A>,
    queries: &'a Positions<'a>,
    keys: &'a Positions<'a>,
    put: Put,
}

impl<A: Element> Tiles<'_, A> {
    /// Uses a block on the stack whose size grows with the work, since it is filled with zeros
    /// first.
    fn of_size(&self, scores: ArrayViewMutD<'_, A>) -> Result<(), Error> {
        match (scores.len(), size_of::<A>()) {
            (..=1024, _) => self.on_stack::<1024>(scores),
            (..=0x40_0000, _) => self.on_stack::<0x4000>(scores),
            (_, 8) => self.on_stack::<0x8000>(scores),
            _ => self.on_stack::<0x1_0000>(scores),
        }
    }

    /// Works with a block of `LEN` values. It is not inlined, so that short work does not reserve
    /// the stack of long work.
    #[inline(never)]
    fn on_stack<const LEN: usize>(&self, scores: ArrayViewMutD<'_, A>) -> Result<(), Error> {
        let heads = self.bias.heads();
        match heads <= LEN {
            true => self.through(&mut [A::zero(); LEN], scores),
            false => self.through(&mut vec![A::zero(); room::<A>(heads, 1)?], scores),
        }
        Ok(())
    }

    fn through(&self, room: &mut [A], mut scores: ArrayViewMutD<'_, A>) {
        let most = room.len() / self.bias.heads();
        let rows = Axis(scores.ndim() - 2);
        let mut start = 0;
        while start < self.queries.len() {
            // Long rows are long runs of memory, so rows take most of the block.
            let queries = self.segment(self.queries, start, (most / 4).max(1));
            start = queries.end;
            let most = most + 1 - queries.len();
            let mut start = 0;
            while start < self.keys.len() {
                let keys = self.segment(self.keys, start, most);
                start = keys.end;
                let mut part = scores.slice_axis_mut(rows, queries.clone().into());
                part.slice_axis_inplace(Axis(rows.0 + 1), keys.clone().into());
                let (queries, keys) = (self.queries.slice(queries.clone()), self.keys.slice(keys));
                Tiles { queries: &queries, keys: &keys, ..*self }.tile(room, part);
            }
        }
    }

    /// Returns the range of the next positions, at most `most`: either a consecutive run or
    /// positions in any order.
    fn segment(&self, positions: &Positions<'_>, start: usize, most: usize) -> Range<usize> {
        /// The shortest run that is worth its own vector of distances.
        const LEAST: usize = 16;
        let end = start.saturating_add(most).min(positions.len());
        if self.bias.depends_on() != DependsOn::Distance || positions.axes() != 1 {
            return start..end;
        }
        let rest = positions.slice(start..end);
        let mut len = 0;
        while let Some(run) = rest.run_at(len) {
            match run {
                Run::Integers { len: own, .. } if own >= LEAST.min(rest.len()) => {
                    return start..start + if len == 0 { own } else { len };
                }
                Run::Integers { len: own, .. } | Run::Repeated { len: own, .. } => len += own,
                Run::Real(_) => len += 1,
            }
        }
        start..end
    }

    /// Computes the rows of one tile and writes or adds them to the scores.
    fn tile(&self, room: &mut [A], mut scores: ArrayViewMutD<'_, A>) {
        let Self { bias, queries, keys, .. } = *self;
        let (heads, rows, columns) = (bias.heads(), queries.len(), keys.len());
        let distance = match (bias.depends_on(), rows) {
            (DependsOn::Distance, 2..) => last_distance(queries, keys),
            _ => None,
        };
        if let Some(distance) = distance {
            // The vector of distances begins with the row of the last query.
            let len = rows + columns - 1;
            let vectors = &mut room[..heads * len];
            bias.encode_row(&Positions::from(&[distance]), &Positions::from(0..len), vectors);
            return self.put(vectors, scores, |row| rows - 1 - row);
        }
        let vectors = &mut room[..heads * columns];
        if bias.depends_on() == DependsOn::Key {
            bias.encode_row(&queries.slice(0..1), keys, vectors);
            return self.put(vectors, scores, |_| 0);
        }
        let axis = Axis(scores.ndim() - 2);
        for row in 0..rows {
            bias.encode_row(&queries.slice(row..row + 1), keys, vectors);
            self.put(vectors, scores.slice_axis_mut(axis, (row..row + 1).into()), |_| 0);
        }
    }

    /// Writes or adds, to row i of each head, the part of the head's vector that begins at
    /// `start(i)`. Four rows are added at a time, see [`add_streams`].
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
