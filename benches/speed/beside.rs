//! Work beside its floor.

use std::hint::black_box;

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, Throughput};
use ndarray::{Array2, ArrayViewMut2};
use positional_encodings::{Element, InstructionSet, PositionalEncoding, Positions, Sinusoidal};

/// Where tables begin: the row of position 0 takes no arithmetic, and a table of one row should not be that one.
pub const FIRST: usize = 1024;

pub type Group<'c> = BenchmarkGroup<'c, WallTime>;

/// A group of rows that each make so many elements of type `A`.
pub fn group<'c, A>(criterion: &'c mut Criterion, name: &str, elements: usize) -> Group<'c> {
    let mut group = criterion.benchmark_group(name);
    let bytes = (elements * size_of::<A>()) as u64;
    group.throughput(Throughput::ElementsAndBytes { elements: elements as u64, bytes });
    group
}

/// Measures `floor`, what `works` adds, and `floor` again, all on the same buffer.
pub fn beside<B: ?Sized>(
    group: &mut Group<'_>,
    name: &str,
    buffer: &mut B,
    floor: impl Fn(&mut B),
    works: impl FnOnce(&mut Group<'_>, &mut B),
) {
    group.bench_function(format!("floor: {name}"), |b| b.iter(|| floor(black_box(buffer))));
    works(group, buffer);
    group.bench_function(format!("floor: {name}, after"), |b| b.iter(|| floor(black_box(buffer))));
}

/// The floor of what is only written.
pub fn fill<A: Element>(out: &mut Array2<A>) {
    let value = black_box(A::from_f64(0.5));
    out.as_slice_mut().unwrap().fill(value);
}

/// The floor of what is added to: the same row to all, while it is in cache.
pub fn add_row<A: Element>(words: &mut [A], row: &[A]) {
    for words in words.chunks_exact_mut(row.len()) {
        words.iter_mut().zip(row).for_each(|(word, value)| *word = *word + *value);
    }
}

/// A row of `encode_into`.
pub fn encode<A: Element>(
    group: &mut Group<'_>,
    name: &str,
    encoding: &dyn PositionalEncoding<A>,
    positions: &Positions<'_>,
    mut out: ArrayViewMut2<'_, A>,
) {
    group.bench_function(name, |b| b.iter(|| encoding.encode_into(black_box(positions), out.view_mut()).unwrap()));
}

pub fn paper(dim: usize) -> Sinusoidal {
    Sinusoidal::new(dim).unwrap()
}

/// The encoding with each instruction set of this machine.
pub fn sets(encoding: &Sinusoidal) -> impl Iterator<Item = (&'static str, Sinusoidal)> {
    InstructionSet::available().map(|set| (set.name(), encoding.clone().with_instruction_set(set).unwrap()))
}

/// Numbers from 0 to below `below` in no order, the same in every run.
pub fn random(count: usize, below: u64) -> impl Iterator<Item = u64> {
    (1..=count as u64).map(move |i| (i.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20) % below)
}
