//! Long work on all cores, with feature `rayon`.
//!
//! A row depends on its position alone, so the bits do not depend on how the work is cut.

use ndarray::{ArrayViewMut2, ArrayViewMutD, Axis};

use crate::arrays::without_unit_axes;
use crate::blocks::middle;
use crate::element::Element;
use crate::error::Error;
use crate::positions::Positions;

/// Does both pieces of work, and returns the first error.
#[cfg(feature = "rayon")]
pub(crate) fn join(
    first: impl FnOnce() -> Result<(), Error> + Send,
    second: impl FnOnce() -> Result<(), Error> + Send,
) -> Result<(), Error> {
    let (first, second) = rayon::join(first, second);
    first.and(second)
}

/// Does both pieces of work, and returns the first error.
#[cfg(not(feature = "rayon"))]
pub(crate) fn join(
    first: impl FnOnce() -> Result<(), Error>,
    second: impl FnOnce() -> Result<(), Error>,
) -> Result<(), Error> {
    first().and_then(|()| second())
}

/// Returns the size of the pieces, in bytes, into which work on `bytes` bytes is cut, or `None`
/// where one thread does it all.
#[cfg(feature = "rayon")]
pub(crate) fn piece(bytes: usize) -> Option<usize> {
    // Waking a thread takes some ten microseconds, in which one thread writes a few hundred KiB.
    const LEAST: usize = 1 << 20;
    // Several pieces let an idle thread take over from one that was held up. With more pieces,
    // sequences would share fewer of the position vectors that are computed once.
    const OF_EACH_THREAD: usize = 8;
    if bytes <= LEAST {
        // Decided before asking for the number of threads, for which rayon may start its pool.
        return None;
    }
    match threads() {
        1 => None,
        threads => Some((bytes / (OF_EACH_THREAD * threads)).max(LEAST)),
    }
}

/// Returns `None`: one thread does it all.
#[cfg(not(feature = "rayon"))]
pub(crate) fn piece(_: usize) -> Option<usize> {
    None
}

/// Returns the number of threads of the pool that this thread belongs to, or of rayon's global
/// pool. It is 1 where that pool cannot be made: there rayon itself would panic.
#[cfg(feature = "rayon")]
fn threads() -> usize {
    use core::error::Error;
    use std::sync::OnceLock;

    static HAS_POOL: OnceLock<bool> = OnceLock::new();
    let make = || match rayon::ThreadPoolBuilder::new().build_global() {
        Ok(()) => true,
        // An error without a source means that there is a pool already.
        Err(error) => error.source().is_none(),
    };
    let has_pool = rayon::current_thread_index().is_some()
        || !cfg!(target_family = "wasm") && *HAS_POOL.get_or_init(make);
    if has_pool { rayon::current_num_threads() } else { 1 }
}

/// Calls `work` with all positions and their rows, or, where there are many, with pieces of both on
/// all cores.
pub(crate) fn rows<A: Element>(
    positions: &Positions<'_>,
    out: ArrayViewMut2<'_, A>,
    work: &(impl Fn(&Positions<'_>, ArrayViewMut2<'_, A>) -> Result<(), Error> + Sync),
) -> Result<(), Error> {
    if out.is_empty() {
        return Ok(());
    }
    match piece(out.len() * size_of::<A>()) {
        Some(piece) => rows_in_pieces(piece, &positions.flat(), out, work),
        None => work(&positions.flat(), out),
    }
}

fn rows_in_pieces<A: Element>(
    piece: usize,
    positions: &Positions<'_>,
    out: ArrayViewMut2<'_, A>,
    work: &(impl Fn(&Positions<'_>, ArrayViewMut2<'_, A>) -> Result<(), Error> + Sync),
) -> Result<(), Error> {
    let Some(middle) = middle(positions).filter(|_| out.len() * size_of::<A>() > piece) else {
        return work(positions, out);
    };
    let (low, high) = out.split_at(Axis(0), middle);
    let (first, second) = (positions.slice(0..middle), positions.slice(middle..positions.len()));
    join(|| rows_in_pieces(piece, &first, low, work), || rows_in_pieces(piece, &second, high, work))
}

/// Returns the axis along which to cut a part of an array and the index at which to cut it, or
/// `None` for a part that stays whole. The arguments are the shape of the part, its first indices
/// as in [`parts`], and whether the part is long enough to be shared with another thread.
pub(crate) type CutAt<'a, const N: usize> =
    &'a (dyn Fn(&[usize], [usize; N], bool) -> Option<(usize, usize)> + Sync);

/// Does the work for a part of an array, which begins at the given indices, as in [`parts`].
pub(crate) type Work<'a, A, const N: usize> =
    &'a (dyn Fn(ArrayViewMutD<'_, A>, [usize; N]) -> Result<(), Error> + Sync);

/// Calls `work` with parts of an array, on all cores, and with their first indices: the index of
/// the sequence, counted over all leading axes, and one on each of the last N − 1 axes.
pub(crate) fn parts<A: Element, const N: usize>(
    out: ArrayViewMutD<'_, A>,
    cut: CutAt<'_, N>,
    work: Work<'_, A, N>,
) -> Result<(), Error> {
    if out.is_empty() {
        return Ok(());
    }
    let piece = piece(out.len() * size_of::<A>()).unwrap_or(usize::MAX);
    part(piece, out, [0; N], cut, work)
}

/// Does the work for the part that begins at `first`. A part of more than `piece` bytes is shared
/// between threads if it can be cut.
fn part<A: Element, const N: usize>(
    piece: usize,
    out: ArrayViewMutD<'_, A>,
    first: [usize; N],
    cut: CutAt<'_, N>,
    work: Work<'_, A, N>,
) -> Result<(), Error> {
    let out = without_unit_axes(out, N - 1);
    let is_long = out.len() * size_of::<A>() > piece;
    let Some((axis, middle)) = cut(out.shape(), first, is_long) else { return work(out, first) };
    let leading = out.ndim() - (N - 1);
    let mut next = first;
    let below: usize = out.shape()[..leading].iter().skip(axis + 1).product();
    next[(axis + 1).saturating_sub(leading)] += middle * below;
    let (low, high) = out.split_at(Axis(axis), middle);
    let [low, high] = [(low, first), (high, next)]
        .map(|(half, first)| move || part(piece, half, first, cut, work));
    if is_long { join(low, high) } else { low().and_then(|()| high()) }
}
