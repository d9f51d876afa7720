//! The order in which rows are rotated: heads share the angles of a position.

use core::ops::Range;

use fearless_simd::Level;

use super::axes::Axis;
use super::kernel::{Block, Pieces};
use crate::element::{Element, Lanes};
use crate::rotary::pairing::Features;

/// The number of heads at one position that are rotated together where each head is in a different
/// region of memory: the processor prefetches this many streams easily.
pub(super) const STREAMS: usize = 4;
/// The bytes of angles that are applied to all heads before the next angles are read.
const BLOCK_BYTES: usize = 1 << 20;
/// The number of positions in a step where several passes go over the same angles.
const REPEATED: usize = 16;

/// The angles and the pairing, shared by all rows.
#[derive(Clone, Copy)]
pub(super) struct SharedAngles<'a, A: Element> {
    /// The cosines and then the sines of each position.
    pub(super) angles: &'a [A::Angle],
    pub(super) features: Features,
    /// Whether to rotate by the negated angles.
    pub(super) back: bool,
    pub(super) level: Level,
}

/// Rows of `width` features, for heads at positions.
pub(super) struct Rows<'m, 'a, A> {
    pub(super) pieces: Pieces<'m, 'a, A>,
    /// The offsets of the first row in the target, in the source and in the angles.
    pub(super) first: [isize; 3],
    /// The axis along which angles stay the same.
    pub(super) heads: Axis,
    /// The axis along which angles change.
    pub(super) positions: Axis,
    pub(super) width: usize,
}

impl<A: Lanes> Rows<'_, '_, A> {
    pub(super) fn rotate(&mut self, shared: SharedAngles<'_, A>) {
        let (heads, positions) = (self.heads.len, self.positions.len);
        let rotated = shared.features.rotated(self.width);
        let copies = rotated.len() < self.width && self.pieces.has_source();
        // All heads of a position at once if they are adjacent in memory or in separate pieces;
        // otherwise a few heads, at as many positions as keep their angles in cache until the next
        // heads come.
        let is_inside = positions == 1 || self.heads.step[0] < self.positions.step[0];
        let (together, mut stretch) = if is_inside || !self.pieces.own.is_empty() {
            (heads, positions)
        } else {
            let row = 2 * shared.features.pairs * size_of::<A::Angle>();
            (STREAMS, (BLOCK_BYTES / row).max(8))
        };
        if copies || shared.features.blocks > 1 {
            // Rows that are read several times stay in cache.
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
                self.rotate_part(shared, group, start..end, rotated.start);
            }
            start = end;
        }
    }

    /// Rotates the rows of some heads at some positions.
    fn rotate_part(
        &mut self,
        shared: SharedAngles<'_, A>,
        heads: Range<usize>,
        positions: Range<usize>,
        start: usize,
    ) {
        let at = self.place(heads.start, positions.start);
        let Features { pairs: to_sines, pairing, blocks, .. } = shared.features;
        let pairs = if blocks == 1 { to_sines } else { to_sines / blocks };
        for block in 0..blocks {
            let feature = (start + 2 * block * pairs) as isize;
            let mut block = Block {
                pieces: self.pieces.from(heads.start + positions.start),
                first: [at[0] + feature, at[1] + feature, at[2] + (block * pairs) as isize],
                heads: Axis { len: heads.len(), ..self.heads },
                positions: Axis { len: positions.len(), ..self.positions },
                angles: shared.angles,
                to_sines,
                pairs,
                back: shared.back,
            };
            block.rotate(pairing, shared.level);
        }
    }

    /// Returns the offsets of a row in the target, in the source and in the angles.
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
