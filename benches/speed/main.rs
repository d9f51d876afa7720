//! What encodings cost, beside what touching the same memory costs in the same run.
//!
//! ```text
//! cargo bench --features half,rayon --bench speed             # under two minutes
//! FULL=1 cargo bench --features half,rayon --bench speed      # and a sweep of all dims, lengths, layouts, types and instructions
//! cargo run --release --example ratios                        # the table, to docs/speed.md and the README
//! ```
//!
//! Names matter, since the table is made from them: a row whose name begins with *floor* is what
//! the other rows of its group are compared with. It is measured before and after each of them, on
//! the same buffer. Without the feature `rayon` nothing is measured on two threads, without `half`
//! no 16-bit types.

mod beside;
mod ids;
mod learned;
mod shapes;
mod small;
mod streams;
mod sweep;
mod tables;
#[cfg(feature = "rayon")]
mod threads;
mod words;

use std::time::Duration;

use criterion::Criterion;

fn short() -> Criterion {
    Criterion::default()
        .sample_size(15)
        .warm_up_time(Duration::from_millis(60))
        .measurement_time(Duration::from_millis(300))
        // Medians are what the table shows: the many resamples of their distribution would take
        // longer than the work.
        .nresamples(2000)
        .without_plots()
        .configure_from_args()
}

/// With feature `rayon` long calls use the threads of the pool they are made in: of one that has
/// one.
#[cfg(feature = "rayon")]
fn on_one_thread(work: impl FnOnce() + Send) {
    threads::pool(1).install(work);
}

#[cfg(not(feature = "rayon"))]
fn on_one_thread(work: impl FnOnce()) {
    work();
}

fn main() {
    on_one_thread(|| {
        let criterion = &mut short();
        tables::all(criterion);
        words::all(criterion);
        ids::all(criterion);
        learned::all(criterion);
        small::all(criterion);
        shapes::all(criterion);
        streams::all(criterion);
    });
    #[cfg(feature = "rayon")]
    threads::pool(2).install(|| threads::all(&mut short()));
    if std::env::var_os("FULL").is_some() {
        on_one_thread(|| sweep::all(&mut sweep::quick(short())));
        #[cfg(feature = "rayon")]
        threads::pool(0).install(|| sweep::on_all_threads(&mut sweep::quick(short())));
    }
    Criterion::default().configure_from_args().final_summary();
}
