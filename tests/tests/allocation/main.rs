//! The allocations of calls that promise something about memory, counted by an allocator.
//!
//! The counters are of the whole process, so that work on other threads counts, too. The test
//! harness would allocate on a thread of its own, so this file has a `main` instead.

mod additive;
mod bias;
mod counter;
mod limits;
mod memory;
mod rotary;

fn main() {
    // Checks without threads come first, since the threads of a pool allocate when they start.
    rotary::run();
    bias::run();
    additive::run();
    memory::run();
    limits::run();
}
