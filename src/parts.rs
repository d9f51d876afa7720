//! Long work in parts: on all cores with feature `rayon`, and through blocks of rows that stay in cache.
//!
//! A row depends on its position alone, so no cut changes a bit.

use core::ops::Range;

use ndarray::{ArrayView1, ArrayView2, ArrayViewMut1, ArrayViewMut2, Axis, Zip};

use crate::phase::{BLOCK, Terms};
use crate::{Element, Error, Position, Positions};

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

/// Whether the work on so many bytes is worth another thread.
#[cfg(feature = "rayon")]
pub(crate) fn is_long(bytes: usize) -> bool {
    // Waking a thread takes some ten microseconds, in which one thread writes a few hundred KiB.
    const LONG: usize = 1 << 20;
    bytes > LONG && rayon::current_num_threads() > 1
}

/// Whether the work on so many bytes is worth another thread.
#[cfg(not(feature = "rayon"))]
pub(crate) fn is_long(_: usize) -> bool {
    false
}

/// Calls `work` with all positions and their rows: with parts of them, on all cores, where they are many.
pub(crate) fn rows<A: Element>(
    positions: &Positions<'_>,
    out: ArrayViewMut2<'_, A>,
    work: &(impl Fn(&Positions<'_>, ArrayViewMut2<'_, A>) -> Result<(), Error> + Sync),
) -> Result<(), Error> {
    let Some(cut) = cut(positions).filter(|_| is_long(out.len() * size_of::<A>())) else {
        return work(positions, out);
    };
    let (low, high) = out.split_at(Axis(0), cut);
    join(|| rows(&positions.slice(0..cut), low, work), || rows(&positions.slice(cut..positions.len()), high, work))
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

/// The end of the block of at most `rows` positions from `start` on. Where they are consecutive it ends together with one of
/// the kernels' blocks or with a part of it, so that anchors are not computed twice and no eight rows are torn apart.
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

/// What [`through_stack`] takes of it at most.
pub(crate) const STACK_BYTES: usize = 1 << 16;

/// Has `encode` fill blocks of rows on the stack, and calls `visit` with where each begins and with its rows.
///
/// Rows wider than the block, of more than 8192 elements, are on the heap.
pub(crate) fn through_stack<A: Element, E>(
    positions: &Positions<'_>,
    dim: usize,
    encode: impl FnMut(&Positions<'_>, ArrayViewMut2<'_, A>) -> Result<(), E>,
    visit: impl FnMut(usize, ArrayView2<'_, A>) -> Result<(), E>,
) -> Result<(), E> {
    match size_of::<A>() {
        8 => through(&mut [A::zero(); STACK_BYTES / 8], positions, dim, encode, visit),
        _ => through(&mut [A::zero(); STACK_BYTES / 4], positions, dim, encode, visit),
    }
}

fn through<A: Element, E>(
    stack: &mut [A],
    positions: &Positions<'_>,
    dim: usize,
    mut encode: impl FnMut(&Positions<'_>, ArrayViewMut2<'_, A>) -> Result<(), E>,
    mut visit: impl FnMut(usize, ArrayView2<'_, A>) -> Result<(), E>,
) -> Result<(), E> {
    let mut heap = Vec::new();
    let scratch = if dim > stack.len() {
        heap.resize(dim, A::zero());
        &mut heap[..]
    } else {
        stack
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

/// Adds `vectors` to as many rows of each sequence.
pub(crate) fn add_to_all<A: Element>(mut sequences: Four<'_, A>, vectors: ArrayView2<'_, A>) {
    let slices = sequences.each_mut().map(|rows| rows.as_mut().map(|rows| rows.as_slice_mut()));
    if let (Some(vector), false) = (vectors.as_slice(), slices.iter().any(|slice| matches!(slice, Some(None)))) {
        let terms = |out| Terms { out, vector, ..Terms::default() };
        return A::add_up(slices.map(|slice| slice.flatten().map(terms).unwrap_or_default()), A::one());
    }
    for mut rows in sequences.into_iter().flatten() {
        rows.zip_mut_with(&vectors, |row, vector| *row = *row + *vector);
    }
}

/// Where to find a row, given the number of its sequence, of four, and its own.
pub(crate) type RowOf<'f, 'w, A> = &'f dyn Fn(usize, usize) -> ArrayView1<'w, A>;

/// What is summed in each row.
pub(crate) struct RowSum<'f, 'w, A> {
    pub(crate) word: RowOf<'f, 'w, A>,
    /// What words are multiplied with. A product with one changes no bit.
    pub(crate) scale: A,
    pub(crate) segment: Option<RowOf<'f, 'w, A>>,
}

impl<A: Element> RowSum<'_, '_, A> {
    /// Writes words × scale + segments + vectors to rows of four sequences.
    ///
    /// Four rows are written side by side, for each comes from a place of its own: those of the sequences, or four of one.
    pub(crate) fn write(&self, mut sequences: Four<'_, A>, vectors: ArrayView2<'_, A>) {
        if let [Some(rows), None, ..] = &mut sequences {
            let mut rows = rows.rows_mut().into_iter().enumerate().map(|(i, row)| (0, i, row));
            while let Some(first) = rows.next() {
                self.write_four([Some(first), rows.next(), rows.next(), rows.next()], vectors);
            }
            return;
        }
        for i in 0..vectors.nrows() {
            let [a, b, c, d] = sequences.each_mut();
            let row =
                |sequence, rows: Option<_>| rows.map(|rows: &mut ArrayViewMut2<'_, A>| (sequence, i, rows.row_mut(i)));
            self.write_four([row(0, a.as_mut()), row(1, b.as_mut()), row(2, c.as_mut()), row(3, d.as_mut())], vectors);
        }
    }

    /// Rows with the numbers of their sequences and their own.
    fn write_four(&self, rows: [Option<(usize, usize, ArrayViewMut1<'_, A>)>; 4], vectors: ArrayView2<'_, A>) {
        let terms = rows.map(|row| {
            let (sequence, i, out) = row?;
            let (word, segment) = ((self.word)(sequence, i), self.segment.map(|segment| segment(sequence, i)));
            let vector = vectors.index_axis_move(Axis(0), i);
            let slices = (word.to_slice(), segment.map(|segment| segment.to_slice()), vector.to_slice());
            let ((Some(word_slice), None | Some(Some(_)), Some(vector_slice)), true) =
                (slices, out.as_slice().is_some())
            else {
                self.write_apart(out, word, segment, vector);
                return None;
            };
            let out = out.into_slice()?;
            Some(Terms { out, word: Some(word_slice), segment: slices.1.flatten(), vector: vector_slice })
        });
        A::add_up(terms.map(Option::unwrap_or_default), self.scale);
    }

    /// A row whose elements, or those of what it is the sum of, are apart in memory.
    fn write_apart(
        &self,
        out: ArrayViewMut1<'_, A>,
        word: ArrayView1<'_, A>,
        segment: Option<ArrayView1<'_, A>>,
        vector: ArrayView1<'_, A>,
    ) {
        let rows = Zip::indexed(out).and(word).and(vector);
        rows.for_each(|i, out, word, vector| {
            let word = *word * self.scale;
            *out = segment.map_or(word, |segment| word + segment[i]) + *vector;
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn consecutive_positions_are_cut_where_the_kernels_blocks_start() {
        let starts: Vec<_> = blocks(&Positions::from(100..300), 64).map(|block| 100 + block.start).collect();
        assert_eq!(starts, [100, 128, 192, 256]);
        let quarters: Vec<_> = blocks(&Positions::from(3..40), 16).collect();
        assert_eq!(quarters, [0..13, 13..29, 29..37]);
        assert_eq!(cut(&Positions::from(5..1005)).map(|cut| (5 + cut) % BLOCK), Some(0));
    }

    #[test]
    fn blocks_cover_all_positions() {
        let shuffled: Vec<i64> = (0..1000).map(|i| if i % 300 < 150 { i } else { i * 379 % 1000 }).collect();
        for positions in
            [Positions::from(&shuffled), Positions::from(7..8), Positions::from(0..0), Positions::from(1..130)]
        {
            for rows in [1, 4, 64] {
                let mut end = 0;
                for block in blocks(&positions, rows) {
                    assert!(block.start == end && (1..=rows).contains(&block.len()));
                    end = block.end;
                }
                assert_eq!(end, positions.len());
            }
            let cut = cut(&positions);
            assert!(cut.map_or(positions.len() < 2, |cut| 0 < cut && cut < positions.len()), "{cut:?}");
        }
    }
}
