//! Remaking a plan and applying it take no memory from the heap.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use ndarray::{Array4, Axis};
use positional_encodings::{Frequencies, Pairing, Rotary};

struct Counting;

thread_local! {
    static COUNT: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: everything is passed on to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.with(|count| count.set(count.get() + 1));
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[test]
fn a_decode_step_allocates_nothing() {
    let rotary = Rotary::new(Frequencies::geometric(128, 500_000.0).unwrap(), Pairing::Halves);
    let mut q = Array4::<f32>::ones((1, 32, 1, 128));
    let mut swapped = Array4::<f32>::ones((2, 1, 32, 128));
    let mut rotation = rotary.at(0..1).unwrap();
    let before = COUNT.with(Cell::get);
    for position in 1..100 {
        rotary.at_into(position..position + 1, &mut rotation).unwrap();
        rotation.apply(q.view_mut()).unwrap();
        rotation.inverse().apply(q.view_mut()).unwrap();
        rotation.apply_along(Axis(1), swapped.view_mut()).unwrap();
    }
    assert_eq!(COUNT.with(Cell::get) - before, 0);
}
