//! This crate beside burn, candle and loops, on one thread. `cargo bench`, then
//! `cargo run --release --bin table`.

use std::time::Duration;

use criterion::Criterion;
use peers::Memory;

mod add;
mod bias;
mod contest;
mod rotary;
mod table;

fn main() {
    peers::with_memories(compare);
}

fn compare(memory: Memory) {
    let mut criterion = Criterion::default()
        .sample_size(15)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_millis(800))
        .configure_from_args()
        .without_plots();
    table::run(&mut criterion, memory);
    add::run(&mut criterion, memory);
    rotary::run(&mut criterion, memory);
    bias::run(&mut criterion, memory);
    criterion.final_summary();
}
