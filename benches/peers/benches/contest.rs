//! One work, done by several, each checked before it is timed.

use std::hint::black_box;

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, BenchmarkId, Criterion, Throughput};
use peers::check::{Angles, assert_same};
use peers::loops::sweep;
use peers::work::Places;

/// What allocates its output is compared with what allocates, what works in place with what works in place.
const FRESH: &str = "fresh";
const IN_PLACE: &str = "in place";

pub struct Contest<'c> {
    group: BenchmarkGroup<'c, WallTime>,
    places: Places,
    expected: Vec<f32>,
}

impl<'c> Contest<'c> {
    /// `expected` is what everyone must compute.
    pub fn new(criterion: &'c mut Criterion, work: &str, places: Places, expected: Vec<f32>) -> Self {
        let mut group = criterion.benchmark_group(work);
        group.throughput(Throughput::Bytes(4 * expected.len() as u64));
        Self { group, places, expected }
    }

    /// What touching as many bytes costs.
    pub fn floors(&mut self) {
        let source = self.expected.clone();
        let mut out = source.clone();
        let mut time = |floor: &str, memory: &str, run: &mut dyn FnMut()| {
            self.group.bench_function(BenchmarkId::new(format!("floor: {floor}"), memory), |b| b.iter(&mut *run));
        };
        time("fill", IN_PLACE, &mut || black_box(&mut out).fill(black_box(0.5)));
        time("copy", IN_PLACE, &mut || out.copy_from_slice(black_box(&source)));
        time("sweep x *= c", IN_PLACE, &mut || sweep(black_box(&mut out)));
        time("fill", FRESH, &mut || drop(black_box(vec![black_box(0.5_f32); source.len()])));
        time("copy", FRESH, &mut || drop(black_box(black_box(&source).to_vec())));
    }

    /// A contender that makes a new output with each call.
    pub fn fresh<T>(
        &mut self,
        who: &str,
        angles: Angles,
        values: impl Fn(&T) -> Vec<f32>,
        mut run: impl FnMut() -> T,
    ) -> &mut Self {
        assert_same(who, angles, self.places, &values(&run()), &self.expected);
        self.group.bench_function(BenchmarkId::new(who, FRESH), |b| b.iter(&mut run));
        self
    }

    /// A contender that works on memory that it is given.
    pub fn in_place<T>(
        &mut self,
        who: &str,
        angles: Angles,
        values: impl Fn(&T) -> Vec<f32>,
        mut memory: T,
        mut run: impl FnMut(&mut T),
    ) -> &mut Self {
        run(&mut memory);
        assert_same(who, angles, self.places, &values(&memory), &self.expected);
        self.group.bench_function(BenchmarkId::new(who, IN_PLACE), |b| b.iter(|| run(black_box(&mut memory))));
        self
    }
}
