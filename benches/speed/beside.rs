//! Work beside its floor.

use std::hint::black_box;

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, Throughput};
use ndarray::{Array2, ArrayViewMut2};
use positional_encodings::{Element, InstructionSet, PositionalEncoding, Positions, Sinusoidal};

/// Where tables begin: the row of position 0 takes no arithmetic, and a table of one row should not
/// be that one.
pub const FIRST: usize = 1024;

pub type Group<'c> = BenchmarkGroup<'c, WallTime>;

/// A group of rows that each make so many elements of type `A`.
pub fn group<'c, A>(criterion: &'c mut Criterion, name: &str, elements: usize) -> Group<'c> {
    let mut group = criterion.benchmark_group(name);
    let bytes = (elements * size_of::<A>()) as u64;
    group.throughput(Throughput::ElementsAndBytes { elements: elements as u64, bytes });
    group
}

/// Rows beside their floor, which is measured before and after each of them on the same buffer:
/// others use the same memory, and its speed is not the same for long.
pub struct Beside<'g, 'c, B: ?Sized, F> {
    group: &'g mut Group<'c>,
    name: &'g str,
    pub buffer: &'g mut B,
    floor: F,
    floors: usize,
}

impl<'g, 'c, B: ?Sized, F: Fn(&mut B)> Beside<'g, 'c, B, F> {
    pub fn new(group: &'g mut Group<'c>, name: &'g str, buffer: &'g mut B, floor: F) -> Self {
        let mut beside = Self { group, name, buffer, floor, floors: 0 };
        beside.floor();
        beside
    }

    pub fn row(&mut self, name: &str, mut work: impl FnMut(&mut B)) {
        self.group.bench_function(name, |b| b.iter(|| work(black_box(&mut *self.buffer))));
        self.floor();
    }

    fn floor(&mut self) {
        self.floors += 1;
        let name = format!("floor: {}, {}", self.name, self.floors);
        self.group.bench_function(name, |b| b.iter(|| (self.floor)(black_box(&mut *self.buffer))));
    }
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

/// What most rows do.
pub fn encode<A: Element>(
    encoding: &dyn PositionalEncoding<A>,
    positions: &Positions<'_>,
    out: ArrayViewMut2<'_, A>,
) {
    encoding.encode_into(black_box(positions), out).unwrap();
}

pub fn paper(dim: usize) -> Sinusoidal {
    Sinusoidal::new(dim).unwrap()
}

/// The encoding with each instruction set of this machine.
pub fn sets(encoding: &Sinusoidal) -> impl Iterator<Item = (&'static str, Sinusoidal)> {
    InstructionSet::available()
        .map(|set| (set.name(), encoding.clone().with_instruction_set(set).unwrap()))
}

/// Numbers from 0 to below `below` in no order, the same in every run.
pub fn random(count: usize, below: u64) -> impl Iterator<Item = u64> {
    (1..=count as u64).map(move |i| (i.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20) % below)
}
