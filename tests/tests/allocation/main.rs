//! What the calls that promise something about memory ask the heap for, counted by an allocator.
//!
//! The counters are those of the whole process, so that work on other threads counts too. The test
//! harness takes memory on a thread of its own: this file has a `main` instead.

mod additive;
mod bias;
mod counter;
mod limits;
mod memory;
mod rotary;

fn main() {
    // First what takes no threads: those of a pool take memory of their own when they start.
    rotary::run();
    bias::run();
    additive::run();
    memory::run();
    limits::run();
}
