//! The order in which rows are rotated: heads share the angles of a position.

use core::ops::Range;

use fearless_simd::Level;

use super::axes::Axis;
use super::kernel::{Block, Pieces};
use crate::element::{Element, Lanes};
use crate::rotary::pairing::Features;

/// Heads of one position that are rotated together where each lies in a stretch of memory of its
/// own: so many streams the processor fetches ahead without effort.
pub(super) const STREAMS: usize = 4;
/// Bytes of angles that are walked across the heads before the next ones are fetched.
const BLOCK_BYTES: usize = 1 << 20;
/// Positions that are walked at a time where it takes several walks.
const REPEATED: usize = 16;

/// The angles and the pairing, which all rows share.
#[derive(Clone, Copy)]
pub(super) struct Manner<'a, A: Element> {
    /// Cosines and then sines of each position.
    pub(super) angles: &'a [A::Angle],
    pub(super) features: Features,
    /// Whether to rotate by the negated angles.
    pub(super) back: bool,
    pub(super) level: Level,
}

/// Rows of `width` features of heads at positions.
pub(super) struct Rows<'m, 'a, A> {
    pub(super) pieces: Pieces<'m, 'a, A>,
    /// Where the first row begins in the target, in the source and in the angles.
    pub(super) first: [isize; 3],
    /// The axis along which angles stay the same.
    pub(super) heads: Axis,
    /// The axis along which they do not.
    pub(super) positions: Axis,
    pub(super) width: usize,
}

impl<A: Lanes> Rows<'_, '_, A> {
    pub(super) fn rotate(&mut self, manner: Manner<'_, A>) {
        let (heads, positions) = (self.heads.len, self.positions.len);
        let rotated = manner.features.rotated(self.width);
        let copies = rotated.len() < self.width && self.pieces.has_source();
        // All heads of a position where they follow each other in memory or are in pieces of their
        // own; otherwise few of them, at so many positions that their angles stay in cache until
        // the next heads come.
        let is_inside = positions == 1 || self.heads.step[0] < self.positions.step[0];
        let (together, mut stretch) = if is_inside || !self.pieces.own.is_empty() {
            (heads, positions)
        } else {
            let row = 2 * manner.features.pairs * size_of::<A::Angle>();
            (STREAMS, (BLOCK_BYTES / row).max(8))
        };
        if copies || manner.features.blocks > 1 {
            // What is walked several times stays in cache.
            stretch = stretch.min(REPEATED);
        }
        let mut start = 0;
        while start < positions {
            let (end, mut head) = (positions.min(start.saturating_add(stretch)), 0);
            while head < heads {
                let group = head..heads.min(head.saturating_add(together));
                head = group.end;
                if copies {
                    self.copy_around(group.clone(), start..end, rotated.clone());
                }
                self.rotate_part(manner, group, start..end, rotated.start);
            }
            start = end;
        }
    }

    /// Rotates the rows of some heads at some positions.
    fn rotate_part(
        &mut self,
        manner: Manner<'_, A>,
        heads: Range<usize>,
        positions: Range<usize>,
        start: usize,
    ) {
        let at = self.place(heads.start, positions.start);
        let Features { pairs: to_sines, pairing, blocks, .. } = manner.features;
        let pairs = if blocks == 1 { to_sines } else { to_sines / blocks };
        for block in 0..blocks {
            let feature = (start + 2 * block * pairs) as isize;
            let mut block = Block {
                pieces: self.pieces.from(heads.start + positions.start),
                first: [at[0] + feature, at[1] + feature, at[2] + (block * pairs) as isize],
                heads: Axis { len: heads.len(), ..self.heads },
                positions: Axis { len: positions.len(), ..self.positions },
                angles: manner.angles,
                to_sines,
                pairs,
                back: manner.back,
            };
            block.rotate(pairing, manner.level);
        }
    }

    /// Returns where a row begins in the target, in the source and in the angles.
    fn place(&self, head: usize, position: usize) -> [isize; 3] {
        [0, 1, 2].map(|i| {
            let of_position = self.first[i] + position as isize * self.positions.step[i];
            of_position + head as isize * self.heads.step[i]
        })
    }

    /// Copies the features that are not rotated.
    fn copy_around(&mut self, heads: Range<usize>, positions: Range<usize>, rotated: Range<usize>) {
        for position in positions {
            for head in heads.clone() {
                let [target, source, _] = self.place(head, position).map(|place| place as usize);
                let row = self.pieces.part(position + head, [target, source], self.width);
                let Some(source) = row.source else { continue };
                row.target[..rotated.start].copy_from_slice(&source[..rotated.start]);
                row.target[rotated.end..].copy_from_slice(&source[rotated.end..]);
            }
        }
    }
}
