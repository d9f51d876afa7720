//! How much memory the calls that promise something about it take, counted by an allocator.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use ndarray::{Array2, Array3};
use positional_encodings::{Learned, WordVectors, backward_positions_at};

struct Counting;

static CALLS: AtomicUsize = AtomicUsize::new(0);
static HELD: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

fn grow(bytes: usize) {
    CALLS.fetch_add(1, Relaxed);
    PEAK.fetch_max(HELD.fetch_add(bytes, Relaxed) + bytes, Relaxed);
}

// SAFETY: every call is the system's own; the counters have no part in it.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        grow(layout.size());
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size(), Relaxed);
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // The system moves pages; what it holds is the larger of the two.
        HELD.fetch_sub(layout.size(), Relaxed);
        grow(size);
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Calls of the allocator, and the bytes held at most beyond those held before.
fn measure<T>(work: impl FnOnce() -> T) -> (usize, usize, T) {
    let (calls, held) = (CALLS.load(Relaxed), HELD.load(Relaxed));
    PEAK.store(held, Relaxed);
    let result = work();
    (CALLS.load(Relaxed) - calls, PEAK.load(Relaxed) - held, result)
}

/// One test, since the counters are those of the whole process.
#[test]
fn promises_about_memory_are_kept() {
    gradients_are_not_allocated();
    word_vectors_take_their_table_and_little_more();
    #[cfg(feature = "safetensors")]
    checkpoints_take_their_table_and_little_more();
}

fn gradients_are_not_allocated() {
    let learned = Learned::from_table(Array2::<f32>::zeros((64, 32))).unwrap();
    let upstream = Array3::<f32>::ones((4, 64, 32));
    let ids = Array2::from_shape_fn((4, 64), |(b, i)| ((i * 7 + b) % 64) as i64);
    let mut gradient = vec![0.0; 64 * 32];
    let (calls, ..) = measure(|| backward_positions_at(&upstream, &learned, 0..64, &mut gradient).unwrap());
    assert_eq!(calls, 0);
    let (calls, ..) = measure(|| backward_positions_at(&upstream, &learned, &ids, &mut gradient).unwrap());
    assert_eq!(calls, 0);
}

fn word_vectors_take_their_table_and_little_more() {
    let path = std::env::temp_dir().join(format!("positional-encodings-memory-{}.txt", std::process::id()));
    let numbers = " -0.12345".repeat(200);
    let text: String = (0..20_000).map(|word| format!("word{word}{numbers}\n")).collect();
    std::fs::write(&path, text).unwrap();
    let (_, peak, vectors) = measure(|| WordVectors::glove(&path).unwrap());
    std::fs::remove_file(&path).unwrap();
    let table = vectors.table().len() * 4;
    assert!(peak < table + table / 50 + (2 << 20), "{peak} bytes for a table of {table}");
}

#[cfg(feature = "safetensors")]
fn checkpoints_take_their_table_and_little_more() {
    use positional_encodings::Checkpoint;
    let path = std::env::temp_dir().join(format!("positional-encodings-memory-{}.safetensors", std::process::id()));
    let learned = Learned::from_table(Array2::<f32>::ones((4096, 768))).unwrap();
    learned.save(&path, "table").unwrap();
    let (_, peak, read) = measure(|| Checkpoint::open(&path).unwrap().learned_at::<f32>("table").unwrap());
    std::fs::remove_file(&path).unwrap();
    assert_eq!(read, learned);
    assert!(peak < 4096 * 768 * 4 + (1 << 20), "{peak}");
}
