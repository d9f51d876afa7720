//! Long work on all cores, with feature `rayon`.
//!
//! A row depends on its position alone, so the bits do not depend on how the work is cut.

use ndarray::{ArrayViewMut2, Axis};

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
