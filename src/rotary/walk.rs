//! The way through an array of any layout, so that it is touched once and the angles stay in cache.

use core::cmp::Reverse;

use fearless_simd::{Level, dispatch, prelude::*};
use ndarray::{ArrayViewMutD, Axis, IxDyn};

use super::Pairing;
use crate::Element;

/// Axes before the features for which no list has to be allocated.
pub(super) const FEW: usize = 8;
/// Bytes of angles that are walked across the heads before the next ones are fetched: as much as a second-level cache holds.
/// Smaller blocks were slower, since each jump to the next head stops the processor's prefetching.
const BLOCK_BYTES: usize = 1 << 20;

/// How each row of features is turned.
#[derive(Clone, Copy, Debug)]
pub(super) struct Turner {
    pub(super) pairs: usize,
    pub(super) pairing: Pairing,
    /// Parts of the rotated features that are paired on their own.
    pub(super) blocks: usize,
    /// Whether the last features of a row are turned instead of the first.
    pub(super) last: bool,
    pub(super) back: bool,
    pub(super) level: Level,
}

/// A loop over an axis: how many steps, and how far each goes in the array and in the angles.
#[derive(Clone, Copy, Debug, Default)]
struct Loop {
    len: usize,
    array: usize,
    angles: usize,
}

impl Turner {
    /// Turns all rows of `view`, whose last axis are the features; along axis i the angles advance by `steps[i]`.
    pub(super) fn turn<A: Element>(&self, view: ArrayViewMutD<'_, A>, steps: &[usize], angles: &[A::Angle]) {
        if view.is_empty() || self.pairs == 0 {
            return;
        }
        dispatch!(self.level, simd => self.turn_view(simd, view, steps, angles));
    }

    #[inline(always)]
    fn turn_view<S: Simd, A: Element>(
        &self,
        simd: S,
        mut view: ArrayViewMutD<'_, A>,
        steps: &[usize],
        angles: &[A::Angle],
    ) {
        if steps.len() <= FEW && is_ascending(&view) {
            let width = view.len_of(Axis(steps.len()));
            let (loops, count) = loops(&view, steps);
            if let Some(flat) = view.as_slice_memory_order_mut() {
                return self.turn_flat(simd, flat, width, &loops[..count], angles);
            }
        }
        simd.vectorize(
            #[inline(always)]
            || self.turn_scattered(simd, view, steps, angles),
        );
    }

    /// A block of memory without holes.
    #[inline(always)]
    fn turn_flat<S: Simd, A: Element>(
        &self,
        simd: S,
        flat: &mut [A],
        width: usize,
        loops: &[Loop],
        angles: &[A::Angle],
    ) {
        let start = if self.last { width - 2 * self.pairs } else { 0 };
        let Some((inner, outer)) = loops.split_last() else {
            return self.turn_row(simd, &mut flat[start..], angles);
        };
        // Positions are cut into blocks where other axes lie outside of them.
        let cut = loops.iter().position(|axis| axis.angles == 2 * self.pairs).filter(|&cut| cut > 0);
        let (block, total) = match cut {
            Some(cut) => ((BLOCK_BYTES / size_of::<A::Angle>() / (2 * self.pairs)).max(8), loops[cut].len),
            None => (1, 1),
        };
        for first in (0..total).step_by(block) {
            let of_block = |axis: usize, whole: usize| if cut == Some(axis) { block.min(total - first) } else { whole };
            let (mut at, mut angle) = match cut {
                Some(cut) => (start + first * loops[cut].array, first * loops[cut].angles),
                None => (start, 0),
            };
            let inner_len = of_block(outer.len(), inner.len);
            let mut index = [0; FEW];
            'rows: loop {
                self.turn_line(simd, &mut flat[at..], &angles[angle..], Loop { len: inner_len, ..*inner });
                for (axis, step) in outer.iter().enumerate().rev() {
                    index[axis] += 1;
                    (at, angle) = (at + step.array, angle + step.angles);
                    if index[axis] < of_block(axis, step.len) {
                        continue 'rows;
                    }
                    (at, angle) = (at - index[axis] * step.array, angle - index[axis] * step.angles);
                    index[axis] = 0;
                }
                break;
            }
        }
    }

    /// The rows of the innermost axis.
    #[inline(always)]
    fn turn_line<S: Simd, A: Element>(&self, simd: S, flat: &mut [A], angles: &[A::Angle], line: Loop) {
        for i in 0..line.len {
            self.turn_row(simd, &mut flat[i * line.array..], &angles[i * line.angles..]);
        }
    }

    /// The first 2 · pairs features of `row`, by the cosines and the sines at the front of `angles`.
    #[inline(always)]
    fn turn_row<S: Simd, A: Element>(&self, simd: S, row: &mut [A], angles: &[A::Angle]) {
        let row = &mut row[..2 * self.pairs];
        let (cos, sin) = angles[..2 * self.pairs].split_at(self.pairs);
        match self.pairing {
            Pairing::Interleaved if self.back => A::turn_neighbours::<S, true>(simd, row, cos, sin),
            Pairing::Interleaved => A::turn_neighbours::<S, false>(simd, row, cos, sin),
            Pairing::Halves if self.blocks == 1 => self.turn_block(simd, row, cos, sin),
            Pairing::Halves => {
                let pairs = self.pairs / self.blocks;
                let blocks = row.chunks_exact_mut(2 * pairs).zip(cos.chunks_exact(pairs)).zip(sin.chunks_exact(pairs));
                for ((row, cos), sin) in blocks {
                    self.turn_block(simd, row, cos, sin);
                }
            }
        }
    }

    /// Features whose first half is paired with the second.
    #[inline(always)]
    fn turn_block<S: Simd, A: Element>(&self, simd: S, row: &mut [A], cos: &[A::Angle], sin: &[A::Angle]) {
        let (first, second) = row.split_at_mut(cos.len());
        if self.back {
            A::turn_halves::<S, true>(simd, first, second, cos, sin);
        } else {
            A::turn_halves::<S, false>(simd, first, second, cos, sin);
        }
    }

    /// An array with holes, or with axes that run backwards: its parts, the widest steps outside, until they have none.
    #[inline(never)]
    fn turn_scattered<S: Simd, A: Element>(
        &self,
        simd: S,
        mut view: ArrayViewMutD<'_, A>,
        steps: &[usize],
        angles: &[A::Angle],
    ) {
        let Some(outer) =
            (0..steps.len()).max_by_key(|&axis| (view.len_of(Axis(axis)) > 1, view.strides()[axis].abs()))
        else {
            return match view.as_slice_mut() {
                Some(row) => simd.vectorize(
                    #[inline(always)]
                    || {
                        let start = if self.last { row.len() - 2 * self.pairs } else { 0 };
                        self.turn_row(simd, &mut row[start..], angles);
                    },
                ),
                None => self.turn_apart(view, angles),
            };
        };
        let mut rest = [0; FEW];
        let mut many = Vec::new();
        let rest = without(steps, outer, &mut rest, &mut many);
        for (i, part) in view.axis_iter_mut(Axis(outer)).enumerate() {
            let angles = &angles[i * steps[outer]..];
            simd.vectorize(
                #[inline(always)]
                || self.turn_part(simd, part, rest, angles),
            );
        }
    }

    /// Breaks the circle of functions that inline each other.
    #[inline(never)]
    fn turn_part<S: Simd, A: Element>(
        &self,
        simd: S,
        part: ArrayViewMutD<'_, A>,
        steps: &[usize],
        angles: &[A::Angle],
    ) {
        simd.vectorize(
            #[inline(always)]
            || self.turn_view(simd, part, steps, angles),
        );
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

    /// A row whose features lie apart in memory.
    fn turn_apart<A: Element>(&self, mut row: ArrayViewMutD<'_, A>, angles: &[A::Angle]) {
        let start = if self.last { row.len() - 2 * self.pairs } else { 0 };
        for pair in 0..self.pairs {
            let [x, y] = self.features(pair);
            let at = [IxDyn(&[start + x]), IxDyn(&[start + y])];
            let values = (row[&at[0]], row[&at[1]]);
            let (cos, sin) = (angles[pair], angles[self.pairs + pair]);
            let turned = if self.back {
                A::turn_pair::<true>(values, cos, sin)
            } else {
                A::turn_pair::<false>(values, cos, sin)
            };
            (row[&at[0]], row[&at[1]]) = turned;
        }
    }
}

/// Whether features are neighbours in memory and no axis runs backwards.
fn is_ascending<A>(view: &ArrayViewMutD<'_, A>) -> bool {
    let features = view.ndim() - 1;
    let axes = view.shape().iter().zip(view.strides());
    view.strides()[features] == 1 && axes.into_iter().all(|(&len, &stride)| len < 2 || stride >= 0)
}

/// The loops over all axes but the features that have more than one step, the widest steps first.
fn loops<A>(view: &ArrayViewMutD<'_, A>, steps: &[usize]) -> ([Loop; FEW], usize) {
    let (mut loops, mut count) = ([Loop::default(); FEW], 0);
    for ((&len, &stride), &angles) in view.shape().iter().zip(view.strides()).zip(steps) {
        if len > 1 {
            loops[count] = Loop { len, array: stride.unsigned_abs(), angles };
            count += 1;
        }
    }
    loops[..count].sort_unstable_by_key(|axis| Reverse(axis.array));
    (loops, count)
}

/// The steps of all axes but one.
fn without<'a>(steps: &[usize], axis: usize, few: &'a mut [usize; FEW], many: &'a mut Vec<usize>) -> &'a [usize] {
    let rest = steps.iter().enumerate().filter(|(i, _)| *i != axis).map(|(_, step)| *step);
    if steps.len() > FEW {
        many.extend(rest);
        return many;
    }
    let count = steps.len() - 1;
    few.iter_mut().zip(rest).for_each(|(slot, step)| *slot = step);
    &few[..count]
}
