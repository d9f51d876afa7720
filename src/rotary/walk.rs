//! The way through an array of any layout, so that it is touched once and the angles stay in cache.

use fearless_simd::Level;
use ndarray::{ArrayViewMut3, ArrayViewMutD, Axis, Ix3};

use super::kernel::Sheet;
use super::{Pairing, Turn};
use crate::phase::level::launch;

/// Axes before the features for which no list has to be allocated.
pub(super) const FEW: usize = 8;
/// Rows of one position that are turned together where each lies in a stretch of memory of its own: so many streams the
/// processor fetches ahead without effort.
pub(super) const STREAMS: usize = 4;
/// Bytes of angles that are walked across the heads before the next ones are fetched.
const BLOCK_BYTES: usize = 1 << 20;

/// How each row of features is turned.
#[derive(Clone, Copy, Debug)]
pub struct Turner {
    pub(super) pairs: usize,
    pub(super) pairing: Pairing,
    /// Parts of the rotated features that are paired on their own.
    pub(super) blocks: usize,
    /// Whether the last features of a row are turned instead of the first.
    pub(super) last: bool,
    pub(super) back: bool,
    pub(super) level: Level,
}

impl Turner {
    /// Turns all rows of `view`, whose last axis are the features; along axis i the angles advance by `steps[i]`.
    pub(super) fn turn_view<A: Turn>(&self, mut view: ArrayViewMutD<'_, A>, steps: &[usize], angles: &[A::Angle]) {
        if view.is_empty() || self.pairs == 0 {
            return;
        }
        let axes = |view: &ArrayViewMutD<'_, A>, shared: bool| {
            let long = (0..steps.len()).filter(|&axis| view.len_of(Axis(axis)) > 1 && (steps[axis] == 0) == shared);
            long.min_by_key(|&axis| view.strides()[axis].unsigned_abs())
        };
        let heads = axes(&view, true);
        if let Some(heads) = heads {
            for axis in (0..steps.len()).rev().filter(|&axis| axis != heads && steps[axis] == 0) {
                view.merge_axes(Axis(axis), Axis(heads));
            }
        }
        let line = axes(&view, false);
        let others =
            (0..steps.len()).filter(|&axis| view.len_of(Axis(axis)) > 1 && Some(axis) != heads && Some(axis) != line);
        match others.max_by_key(|&axis| view.strides()[axis].unsigned_abs()) {
            Some(outer) => {
                for (i, part) in view.axis_chunks_iter_mut(Axis(outer), 1).enumerate() {
                    self.turn_view(part, steps, &angles[i * steps[outer]..]);
                }
            }
            None => {
                let step = line.map_or(0, |line| steps[line]);
                if let Some(view) = three_axes(view, heads, line) {
                    self.turn_sheet(view, step, angles);
                }
            }
        }
    }

    /// Which of the rotated features make a pair.
    pub(super) fn features(&self, pair: usize) -> [usize; 2] {
        match self.pairing {
            Pairing::Interleaved => [2 * pair, 2 * pair + 1],
            Pairing::Halves => {
                let in_block = self.pairs / self.blocks;
                let first = pair / in_block * 2 * in_block + pair % in_block;
                [first, first + in_block]
            }
        }
    }

    /// Turns rows (heads, positions, features).
    fn turn_sheet<A: Turn>(&self, mut rows: ArrayViewMut3<'_, A>, step: usize, angles: &[A::Angle]) {
        if rows.strides()[2] != 1 && rows.len_of(Axis(2)) > 1 {
            return self.turn_apart(rows, step, angles);
        }
        let [heads, positions] = [0, 1].map(|axis| (rows.len_of(Axis(axis)), rows.strides()[axis].unsigned_abs()));
        let heads_inside = heads.0 > 1 && heads.1 < positions.1;
        let blocks = if self.pairing == Pairing::Halves { self.blocks } else { 1 };
        let start = if self.last { rows.len_of(Axis(2)) - 2 * self.pairs } else { 0 };
        let (together, block) = if heads_inside {
            (heads.0, positions.0)
        } else {
            (STREAMS, (BLOCK_BYTES / size_of::<A::Angle>() / (2 * self.pairs)).max(8))
        };
        for (i, rows) in rows.axis_chunks_iter_mut(Axis(1), block).enumerate() {
            let (pairing, back, pairs) = (self.pairing, self.back, self.pairs / blocks);
            let angles = &angles[i * block * step..];
            launch(self.level, Sheet { rows, together, angles, step, start, pairing, blocks, pairs, back });
        }
    }

    /// Turns rows whose features lie apart in memory.
    fn turn_apart<A: Turn>(&self, mut rows: ArrayViewMut3<'_, A>, step: usize, angles: &[A::Angle]) {
        let start = if self.last { rows.len_of(Axis(2)) - 2 * self.pairs } else { 0 };
        for (position, mut heads) in rows.axis_iter_mut(Axis(1)).enumerate() {
            let (cos, sin) = angles[position * step..][..2 * self.pairs].split_at(self.pairs);
            for mut row in heads.axis_iter_mut(Axis(0)) {
                for (pair, (&cos, &sin)) in cos.iter().zip(sin).enumerate() {
                    let [x, y] = self.features(pair).map(|feature| start + feature);
                    [row[x], row[y]] = A::turn_pair([row[x], row[y]], cos, if self.back { -sin } else { sin });
                }
            }
        }
    }
}

/// The axes of heads, positions, and features, the first two of one step where there are none. All others have one step.
fn three_axes<A>(
    mut view: ArrayViewMutD<'_, A>,
    heads: Option<usize>,
    line: Option<usize>,
) -> Option<ArrayViewMut3<'_, A>> {
    while view.ndim() < 3 {
        view.insert_axis_inplace(Axis(view.ndim() - 1));
    }
    let mut of_one_step = (0..view.ndim() - 1).filter(|&axis| Some(axis) != heads && Some(axis) != line);
    let (mut heads, mut line) = (heads.or_else(|| of_one_step.next())?, line.or_else(|| of_one_step.next())?);
    for axis in of_one_step.rev() {
        view.index_axis_inplace(Axis(axis), 0);
        heads -= usize::from(heads > axis);
        line -= usize::from(line > axis);
    }
    if heads > line {
        view.swap_axes(0, 1);
    }
    view.into_dimensionality::<Ix3>().ok()
}
