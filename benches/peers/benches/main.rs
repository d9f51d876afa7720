//! This crate beside burn, candle, scirs2-neural and loops, on one thread. `cargo bench`, then `cargo run --release --bin table`.

use std::time::Duration;

use criterion::Criterion;

mod add;
mod contest;
mod rotary;
mod table;

fn main() {
    peers::one_thread();
    let mut criterion = Criterion::default()
        .sample_size(15)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_millis(800))
        .configure_from_args()
        .without_plots();
    table::run(&mut criterion);
    add::run(&mut criterion);
    rotary::run(&mut criterion);
    criterion.final_summary();
}
