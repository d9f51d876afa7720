//! Long work in parts: on all cores with feature `rayon`, and through blocks of rows that stay in
//! cache.
//!
//! A row depends on its position alone, so no cut changes a bit.

use core::ops::Range;

use ndarray::{ArrayView1, ArrayView2, ArrayViewMut2, Axis};

use crate::phase::{BLOCK, LINE, Picked, Sequence, Sums, line_start};
use crate::{Element, Error, InstructionSet, Position, Positions};

/// Both pieces of work, and the first error.
#[cfg(feature = "rayon")]
pub(crate) fn join(
    first: impl FnOnce() -> Result<(), Error> + Send,
    second: impl FnOnce() -> Result<(), Error> + Send,
) -> Result<(), Error> {
    let (first, second) = rayon::join(first, second);
    first.and(second)
}

/// Both pieces of work, and the first error.
#[cfg(not(feature = "rayon"))]
pub(crate) fn join(
    first: impl FnOnce() -> Result<(), Error>,
    second: impl FnOnce() -> Result<(), Error>,
) -> Result<(), Error> {
    first().and_then(|()| second())
}

/// How long the pieces of work on so many bytes are: what is no longer is not cut for another
/// thread.
#[cfg(feature = "rayon")]
pub(crate) fn piece(bytes: usize) -> usize {
    // Waking a thread takes some ten microseconds, in which one thread writes a few hundred KiB.
    const LEAST: usize = 1 << 20;
    // So that a thread that is done can take over from one that was held up. More would make
    // sequences that share their positions share them less.
    const OF_EACH_THREAD: usize = 8;
    match rayon::current_num_threads() {
        1 => usize::MAX,
        threads => (bytes / (OF_EACH_THREAD * threads)).max(LEAST),
    }
}

/// How long the pieces of work on so many bytes are: there is one thread.
#[cfg(not(feature = "rayon"))]
pub(crate) fn piece(_: usize) -> usize {
    usize::MAX
}

/// Calls `work` with all positions and their rows: with pieces of them, on all cores, where they
/// are many.
pub(crate) fn rows<A: Element>(
    positions: &Positions<'_>,
    out: ArrayViewMut2<'_, A>,
    work: &(impl Fn(&Positions<'_>, ArrayViewMut2<'_, A>) -> Result<(), Error> + Sync),
) -> Result<(), Error> {
    rows_in_pieces(piece(out.len() * size_of::<A>()), &positions.flat(), out, work)
}

fn rows_in_pieces<A: Element>(
    piece: usize,
    positions: &Positions<'_>,
    out: ArrayViewMut2<'_, A>,
    work: &(impl Fn(&Positions<'_>, ArrayViewMut2<'_, A>) -> Result<(), Error> + Sync),
) -> Result<(), Error> {
    let Some(cut) = cut(positions).filter(|_| out.len() * size_of::<A>() > piece) else {
        return work(positions, out);
    };
    let (low, high) = out.split_at(Axis(0), cut);
    let (first, second) = (positions.slice(0..cut), positions.slice(cut..positions.len()));
    join(|| rows_in_pieces(piece, &first, low, work), || rows_in_pieces(piece, &second, high, work))
}

/// Where to halve a list of positions.
pub(crate) fn cut(positions: &Positions<'_>) -> Option<usize> {
    let middle = positions.len() / 2;
    let rows = 1 << middle.checked_ilog2()?.min(BLOCK.ilog2());
    Some(block_end(positions, middle - rows, rows))
}

/// Consecutive blocks of at most `rows` positions, `rows` a power of two.
pub(crate) fn blocks(positions: &Positions<'_>, rows: usize) -> impl Iterator<Item = Range<usize>> {
    let mut end = 0;
    core::iter::from_fn(move || {
        let start = end;
        end = block_end(positions, start, rows);
        (start < end).then_some(start..end)
    })
}

/// The end of the block of at most `rows` positions from `start` on. Where they are consecutive it
/// ends together with one of the kernels' blocks or with a part of it, so that anchors are not
/// computed twice and no eight rows are torn apart.
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

/// So many rows that they take about as many bytes, a power of two for [`blocks`].
pub(crate) fn rows_in<A>(bytes: usize, dim: usize) -> usize {
    1 << (bytes / (size_of::<A>() * dim).max(1)).max(1).ilog2().min(BLOCK.ilog2())
}

/// What [`through_stack`] takes of it for long work: the longer a block, the fewer anchors, and the
/// longer the runs of memory.
pub(crate) const STACK_BYTES: usize = 1 << 18;
/// What it takes for a few rows, which should not wait for a long block to be made ready.
const FEW_BYTES: usize = 1 << 14;

/// Has `encode` fill blocks of rows on the stack, and calls `visit` with where each begins and with
/// its rows.
///
/// Counted from a line of the cache, rows begin where those of `out` do, so that what is added lies
/// as what it is added to. Rows wider than the block are on the heap: of more than 32,768 elements,
/// or 65,536 of 32 bits or less.
pub(crate) fn through_stack<A: Element, E>(
    positions: &Positions<'_>,
    dim: usize,
    out: *const A,
    encode: impl FnMut(&Positions<'_>, ArrayViewMut2<'_, A>) -> Result<(), E>,
    visit: impl FnMut(usize, ArrayView2<'_, A>) -> Result<(), E>,
) -> Result<(), E> {
    const fn elements(bytes: usize, size: usize) -> usize {
        (bytes + LINE) / size
    }
    let few = positions.len().saturating_mul(dim) <= FEW_BYTES / size_of::<f64>();
    match (size_of::<A>(), few) {
        (_, true) => {
            on_stack::<A, E, { elements(FEW_BYTES, 8) }>(positions, dim, out, encode, visit)
        }
        (8, _) => {
            on_stack::<A, E, { elements(STACK_BYTES, 8) }>(positions, dim, out, encode, visit)
        }
        _ => on_stack::<A, E, { elements(STACK_BYTES, 4) }>(positions, dim, out, encode, visit),
    }
}

/// It stays a call, so that a short block does not take the stack of a long one.
#[inline(never)]
fn on_stack<A: Element, E, const LEN: usize>(
    positions: &Positions<'_>,
    dim: usize,
    out: *const A,
    encode: impl FnMut(&Positions<'_>, ArrayViewMut2<'_, A>) -> Result<(), E>,
    visit: impl FnMut(usize, ArrayView2<'_, A>) -> Result<(), E>,
) -> Result<(), E> {
    through(&mut [A::zero(); LEN], positions, dim, out, encode, visit)
}

fn through<A: Element, E>(
    stack: &mut [A],
    positions: &Positions<'_>,
    dim: usize,
    out: *const A,
    mut encode: impl FnMut(&Positions<'_>, ArrayViewMut2<'_, A>) -> Result<(), E>,
    mut visit: impl FnMut(usize, ArrayView2<'_, A>) -> Result<(), E>,
) -> Result<(), E> {
    let line = LINE / size_of::<A>();
    let (here, there) = (line_start(stack.as_ptr()), line_start(out));
    let mut heap = Vec::new();
    let scratch = if dim > stack.len() - line {
        heap.resize(dim, A::zero());
        &mut heap[..]
    } else {
        &mut stack[(here + line - there) % line..]
    };
    for block in blocks(positions, rows_in::<A>(size_of_val(scratch), dim)) {
        let part = &mut scratch[..block.len() * dim];
        // The shape is that of the part.
        if let Ok(mut vectors) = ArrayViewMut2::from_shape((block.len(), dim), part) {
            encode(&positions.slice(block.clone()), vectors.view_mut())?;
            visit(block.start, vectors.view())?;
        }
    }
    Ok(())
}

/// The same rows of four sequences, the last of which may be missing.
pub(crate) type Four<'a, A> = [Option<ArrayViewMut2<'a, A>>; 4];

/// What is summed beside the vectors, in the rows of each of four sequences.
#[derive(Clone, Copy)]
pub(crate) struct Summands<'a, A> {
    pub(crate) set: InstructionSet,
    /// Nothing where the words are in place.
    pub(crate) words: [Option<Picked<'a, A>>; 4],
    /// What words that are not in place are multiplied with. A product with one changes no bit.
    pub(crate) scale: A,
    pub(crate) segments: [Option<Picked<'a, A>>; 4],
}

impl<A: Element> Summands<'_, A> {
    /// Words in place.
    pub(crate) fn in_place(set: InstructionSet) -> Self {
        Self { set, words: [None; 4], scale: A::one(), segments: [None; 4] }
    }

    /// Writes words × scale + segments + `vectors` to as many rows of each sequence.
    pub(crate) fn write(self, sequences: Four<'_, A>, vectors: ArrayView2<'_, A>) {
        let whole = sequences.iter().flatten().all(|rows| rows.is_standard_layout());
        let (Some(slice), true) = (vectors.to_slice(), whole) else {
            let sequences = sequences.into_iter().enumerate();
            return sequences.for_each(|(n, rows)| {
                rows.into_iter().for_each(|rows| self.write_apart(n, rows, vectors))
            });
        };
        let is_alone = sequences[1].is_none();
        let mut n = 0..;
        let sequences = sequences.map(|rows| {
            let n = n.next()?;
            let (words, segments) = (self.words[n], self.segments[n]);
            Some(Sequence { out: rows?.into_slice()?, words, segments, vectors: slice })
        });
        let (mut sequences, dim) = (sequences.map(Option::unwrap_or_default), vectors.ncols());
        if is_alone {
            // Four rows of it are four streams as well.
            sequences = core::mem::take(&mut sequences[0]).quarters(dim);
        }
        A::add_up(self.set, Sums { sequences, dim, scale: self.scale });
    }

    /// Rows of the `n`-th sequence that are apart in memory, or whose elements are.
    fn write_apart(self, n: usize, mut rows: ArrayViewMut2<'_, A>, vectors: ArrayView2<'_, A>) {
        for (i, mut row) in rows.rows_mut().into_iter().enumerate() {
            let dim = vectors.ncols();
            if let Some(words) = self.words[n] {
                row.zip_mut_with(&ArrayView1::from(words.row(i, dim)), |row, word| {
                    *row = *word * self.scale
                });
            }
            if let Some(segments) = self.segments[n] {
                row.zip_mut_with(&ArrayView1::from(segments.row(i, dim)), |row, segment| {
                    *row = *row + *segment
                });
            }
        }
        rows.zip_mut_with(&vectors, |row, vector| *row = *row + *vector);
    }
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
        assert_eq!(cut(&Positions::from(5..1005)).map(|cut| (5 + cut) % BLOCK), Some(0));
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
            let cut = cut(&positions);
            assert!(
                cut.map_or(positions.len() < 2, |cut| 0 < cut && cut < positions.len()),
                "{cut:?}"
            );
        }
    }
}
