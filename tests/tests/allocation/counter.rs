//! Counts the allocations of all threads of the process.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

static CALLS: AtomicUsize = AtomicUsize::new(0);
static HELD: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);
static LIMIT: AtomicUsize = AtomicUsize::new(usize::MAX);

/// The number of bytes by which small allocations, such as a list of three axes or a box, may
/// exceed the limit.
const SMALL: usize = 4096;
const BEYOND: usize = 64 << 10;

/// Returns the result of `allocate`, or null where it would exceed the limit.
fn grow(bytes: usize, allocate: impl FnOnce() -> *mut u8) -> *mut u8 {
    let beyond = if bytes <= SMALL { BEYOND } else { 0 };
    if HELD.load(Relaxed).saturating_add(bytes) > LIMIT.load(Relaxed).saturating_add(beyond) {
        return std::ptr::null_mut();
    }
    CALLS.fetch_add(1, Relaxed);
    PEAK.fetch_max(HELD.fetch_add(bytes, Relaxed) + bytes, Relaxed);
    let pointer = allocate();
    if pointer.is_null() {
        HELD.fetch_sub(bytes, Relaxed);
    }
    pointer
}

// SAFETY: every call is the system's own; the counters have no part in it.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as the caller promises.
        grow(layout.size(), || unsafe { System.alloc(layout) })
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as the caller promises.
        grow(layout.size(), || unsafe { System.alloc_zeroed(layout) })
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size(), Relaxed);
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // The system moves pages, so it holds the larger of the two sizes.
        HELD.fetch_sub(layout.size(), Relaxed);
        // SAFETY: as the caller promises.
        let new = grow(size, || unsafe { System.realloc(pointer, layout, size) });
        if new.is_null() {
            HELD.fetch_add(layout.size(), Relaxed);
        }
        new
    }
}

/// The memory that some work took.
pub struct Taken {
    /// The number of allocations and growing reallocations.
    pub calls: usize,
    /// The largest number of bytes held beyond those held before.
    pub peak: usize,
}

/// Runs `work`, and returns the memory that it took.
pub fn measure<T>(work: impl FnOnce() -> T) -> (Taken, T) {
    let (calls, held) = (CALLS.load(Relaxed), HELD.load(Relaxed));
    PEAK.store(held, Relaxed);
    let result = work();
    (Taken { calls: CALLS.load(Relaxed) - calls, peak: PEAK.load(Relaxed) - held }, result)
}

/// Runs `work` in a process that may hold at most the given number of bytes more than now: larger
/// allocations fail, and code that does not handle the failure aborts.
pub fn limited<T>(bytes: usize, work: impl FnOnce() -> T) -> T {
    LIMIT.store(HELD.load(Relaxed).saturating_add(bytes), Relaxed);
    let result = work();
    LIMIT.store(usize::MAX, Relaxed);
    result
}
