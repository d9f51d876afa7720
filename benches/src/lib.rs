//! Benchmarks of calls and of their floors: the cost of touching the same memory, in the same run.
//!
//! ```text
//! cargo bench -p benches                  # three minutes
//! cargo bench -p benches -- rotation      # benches with this word in their names
//! cargo run -p benches                    # writes docs/speed.md and the lines of the README
//! ```
//!
//! Each bench measures one part of the crate. Rows are compared with the row of their group whose
//! name begins with *floor*: it is measured before and after each of them, on the same buffer,
//! since a shared machine changes its speed from one second to the next.

use std::hint::black_box;
use std::time::Duration;
use std::{env, process};

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, Throughput};
use positional_encodings::{Sinusoidal, testing::InstructionSet};

/// Rows that share a floor.
pub struct Group<'c, B, F> {
    group: BenchmarkGroup<'c, WallTime>,
    floor: (&'static str, F),
    buffer: B,
    floors: usize,
}

impl<'c, B, F: FnMut(&mut B)> Group<'c, B, F> {
    /// Makes a group of rows that each touch the given number of bytes of `buffer`, and measures
    /// their floor.
    pub fn new(
        criterion: &'c mut Criterion,
        name: &str,
        bytes: usize,
        buffer: B,
        floor: (&'static str, F),
    ) -> Self {
        let mut group = criterion.benchmark_group(name);
        group.throughput(Throughput::Bytes(bytes as u64));
        let mut group = Self { group, floor, buffer, floors: 0 };
        group.measure_floor();
        group
    }

    /// Measures `work`, and the floor again.
    pub fn row(&mut self, name: &str, mut work: impl FnMut(&mut B)) -> &mut Self {
        self.group.bench_function(name, |b| b.iter(|| work(black_box(&mut self.buffer))));
        self.measure_floor();
        self
    }

    fn measure_floor(&mut self) {
        self.floors += 1;
        let (name, floor) = &mut self.floor;
        self.group.bench_function(format!("floor: {name}, {}", self.floors), |b| {
            b.iter(|| floor(black_box(&mut self.buffer)));
        });
    }
}

/// Runs `benches` on one thread: long calls use the threads of the pool in which they are made.
pub fn run(benches: &[fn(&mut Criterion)]) {
    keep_memory();
    pool(1).install(|| {
        let mut criterion = criterion();
        benches.iter().for_each(|bench| bench(&mut criterion));
        criterion.final_summary();
    });
}

/// Returns a pool of the given number of threads.
pub fn pool(threads: usize) -> rayon::ThreadPool {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads")
}

fn criterion() -> Criterion {
    Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(60))
        .measurement_time(Duration::from_millis(300))
        // Only medians are shown, and many resamples of their distribution would take longer than
        // the work.
        .nresamples(2000)
        .without_plots()
        .configure_from_args()
}

/// Restarts the process with an allocator that reuses freed memory, which glibc does not do for
/// large arrays by default: fresh memory costs more than the work.
fn keep_memory() {
    const KEY: &str = "GLIBC_TUNABLES";
    if env::var_os(KEY).is_some() {
        return;
    }
    let kept = "glibc.malloc.mmap_threshold=4294967296:glibc.malloc.trim_threshold=4294967296";
    let this = env::current_exe().expect("the path of this program");
    let status = process::Command::new(this).args(env::args_os().skip(1)).env(KEY, kept).status();
    process::exit(status.ok().and_then(|status| status.code()).unwrap_or(1));
}

/// Returns the encoding with each instruction set of this machine.
pub fn on_each_set(encoding: &Sinusoidal) -> Vec<(&'static str, Sinusoidal)> {
    let set = |set| encoding.clone().with_instruction_set(set).expect("a set of this machine");
    InstructionSet::available().map(|name| (name.name(), set(name))).collect()
}

/// Returns irregular numbers below `below`, the same in every run.
pub fn random(count: usize, below: usize) -> Vec<usize> {
    let mixed = |i: usize| (i as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20;
    (1..=count).map(|i| mixed(i) as usize % below).collect()
}

/// Writes a constant.
pub fn fill<A: Copy>(out: &mut [A], value: A) {
    out.fill(black_box(value));
}
