//! Blocks of rows that stay in cache.

use core::ops::Range;

use ndarray::{ArrayView2, ArrayViewMut2};

use crate::element::Element;
use crate::error::Error;
use crate::phase::BLOCK;
use crate::positions::{Position, Positions};

/// The bytes of a cache line.
const LINE: usize = 64;

/// Returns an index near the middle at which to cut the positions, or `None` for fewer than two.
pub(crate) fn middle(positions: &Positions<'_>) -> Option<usize> {
    let middle = positions.len() / 2;
    let rows = 1 << middle.checked_ilog2()?.min(BLOCK.ilog2());
    Some(block_end(positions, middle - rows, rows))
}

/// Returns consecutive blocks of at most `rows` positions; `rows` is a power of two.
pub(crate) fn blocks(positions: &Positions<'_>, rows: usize) -> impl Iterator<Item = Range<usize>> {
    let mut end = 0;
    core::iter::from_fn(move || {
        let start = end;
        end = block_end(positions, start, rows);
        (start < end).then_some(start..end)
    })
}

/// Returns the end of the block of at most `rows` positions that begins at `start`. A block of
/// consecutive positions ends where a block of the kernels, or an aligned part of one, ends: so no
/// anchor is computed twice, and no group of eight rows is split.
fn block_end(positions: &Positions<'_>, start: usize, rows: usize) -> usize {
    let end = start.saturating_add(rows);
    match (positions.get(start), positions.get(end - 1)) {
        (Some(Position::Integer(first)), Some(Position::Integer(last)))
            if last.wrapping_sub(first) == rows as i64 - 1 =>
        {
            end - first.rem_euclid(rows as i64) as usize
        }
        _ => end.min(positions.len()),
    }
}

/// Returns how many rows take about `bytes` bytes, as a power of two for [`blocks`].
pub(crate) fn rows_in<A>(bytes: usize, dim: usize) -> usize {
    1 << (bytes / (size_of::<A>() * dim).max(1)).max(1).ilog2().min(BLOCK.ilog2())
}

/// The bytes of stack that [`in_blocks`] uses for long work: a longer block needs fewer anchors and
/// makes longer runs of memory.
pub(crate) const STACK_BYTES: usize = 1 << 18;
/// The bytes of stack that [`in_blocks`] uses for a few rows, which should not wait until a long
/// block is initialised.
const FEW_BYTES: usize = 1 << 14;

/// Has `encode` fill blocks of rows, and calls `visit` with the first index and the rows of each.
///
/// Blocks are on the stack. A row that is wider than a block, more than 32,768 elements, or 65,536
/// of at most 32 bits, is on the heap.
pub(crate) fn in_blocks<A: Element>(
    positions: &Positions<'_>,
    dim: usize,
    encode: impl FnMut(&Positions<'_>, ArrayViewMut2<'_, A>) -> Result<(), Error>,
    visit: impl FnMut(usize, ArrayView2<'_, A>) -> Result<(), Error>,
) -> Result<(), Error> {
    const fn elements(bytes: usize, size: usize) -> usize {
        (bytes + LINE) / size
    }
    if positions.is_empty() {
        return Ok(());
    }
    let few = positions.len().saturating_mul(dim) <= FEW_BYTES / size_of::<f64>();
    match (size_of::<A>(), few) {
        (_, true) => on_stack::<A, { elements(FEW_BYTES, 8) }>(positions, dim, encode, visit),
        (8, _) => on_stack::<A, { elements(STACK_BYTES, 8) }>(positions, dim, encode, visit),
        _ => on_stack::<A, { elements(STACK_BYTES, 4) }>(positions, dim, encode, visit),
    }
}

/// Encodes in a buffer on the stack. It is never inlined, so that a short block does not use the
/// stack of a long one.
#[inline(never)]
fn on_stack<A: Element, const LEN: usize>(
    positions: &Positions<'_>,
    dim: usize,
    encode: impl FnMut(&Positions<'_>, ArrayViewMut2<'_, A>) -> Result<(), Error>,
    visit: impl FnMut(usize, ArrayView2<'_, A>) -> Result<(), Error>,
) -> Result<(), Error> {
    through(&mut [A::zero(); LEN], positions, dim, encode, visit)
}

fn through<A: Element>(
    stack: &mut [A],
    positions: &Positions<'_>,
    dim: usize,
    mut encode: impl FnMut(&Positions<'_>, ArrayViewMut2<'_, A>) -> Result<(), Error>,
    mut visit: impl FnMut(usize, ArrayView2<'_, A>) -> Result<(), Error>,
) -> Result<(), Error> {
    let line = LINE / size_of::<A>();
    // A vector that straddles two cache lines costs twice as much.
    let start = stack.as_ptr().align_offset(LINE).min(line);
    let mut heap = Vec::new();
    let room = if dim > stack.len() - line {
        heap.try_reserve_exact(dim).map_err(|_| Error::TooLarge { rows: 1, dim })?;
        heap.resize(dim, A::zero());
        &mut heap[..]
    } else {
        &mut stack[start..]
    };
    for block in blocks(positions, rows_in::<A>(size_of_val(room), dim)) {
        let part = &mut room[..block.len() * dim];
        // `part` has exactly this many elements.
        if let Ok(mut vectors) = ArrayViewMut2::from_shape((block.len(), dim), part) {
            encode(&positions.slice(block.clone()), vectors.view_mut())?;
            visit(block.start, vectors.view())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn consecutive_positions_are_cut_where_the_kernels_blocks_start() {
        let starts: Vec<_> =
            blocks(&Positions::from(100..300), 64).map(|block| 100 + block.start).collect();
        assert_eq!(starts, [100, 128, 192, 256]);
        let quarters: Vec<_> = blocks(&Positions::from(3..40), 16).collect();
        assert_eq!(quarters, [0..13, 13..29, 29..37]);
        assert_eq!(middle(&Positions::from(5..1005)).map(|middle| (5 + middle) % BLOCK), Some(0));
    }

    #[test]
    fn blocks_cover_all_positions() {
        let shuffled: Vec<i64> =
            (0..1000).map(|i| if i % 300 < 150 { i } else { i * 379 % 1000 }).collect();
        for positions in [
            Positions::from(&shuffled),
            Positions::from(7..8),
            Positions::from(0..0),
            Positions::from(1..130),
        ] {
            for rows in [1, 4, 64] {
                let mut end = 0;
                for block in blocks(&positions, rows) {
                    assert!(block.start == end && (1..=rows).contains(&block.len()));
                    end = block.end;
                }
                assert_eq!(end, positions.len());
            }
            let middle = middle(&positions);
            assert!(
                middle.map_or(positions.len() < 2, |at| 0 < at && at < positions.len()),
                "{middle:?}"
            );
        }
    }
}
