//! One task for several contenders, each checked before it is timed.

use std::hint::black_box;

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, BenchmarkId, Criterion, Throughput};
use peers::Memory;
use peers::check::{Angles, assert_close, assert_same};
use peers::loops::sweep;
use peers::work::Places;

pub struct Contest<'c> {
    group: BenchmarkGroup<'c, WallTime>,
    memory: Memory,
    places: Option<Places>,
    expected: Vec<f32>,
}

impl<'c> Contest<'c> {
    /// Makes a contest: `expected` is the result that all must compute; without places, no angles
    /// are involved.
    pub fn new(
        criterion: &'c mut Criterion,
        work: &str,
        memory: Memory,
        places: impl Into<Option<Places>>,
        expected: Vec<f32>,
    ) -> Self {
        let mut group = criterion.benchmark_group(work);
        group.throughput(Throughput::Bytes(4 * expected.len() as u64));
        Self { group, memory, places: places.into(), expected }
    }

    /// Times the floors: the cost of touching the same number of bytes.
    pub fn floors(&mut self) {
        let source = self.expected.clone();
        let mut out = source.clone();
        self.time("floor: fill", Memory::InPlace, || black_box(&mut out).fill(black_box(0.5)));
        self.time("floor: copy", Memory::InPlace, || out.copy_from_slice(black_box(&source)));
        self.time("floor: sweep x *= c", Memory::InPlace, || sweep(black_box(&mut out)));
        self.time("floor: fill", self.memory, || vec![black_box(0.5_f32); source.len()]);
        self.time("floor: copy", self.memory, || black_box(&source).to_vec());
    }

    /// Times a contender that makes a new output in each call.
    pub fn allocating<T>(
        &mut self,
        who: &str,
        angles: Angles,
        values: impl Fn(&T) -> Vec<f32>,
        mut run: impl FnMut() -> T,
    ) -> &mut Self {
        self.check(who, angles, &values(&run()));
        self.time(who, self.memory, run);
        self
    }

    /// Times a contender that works in given memory.
    pub fn in_place<T>(
        &mut self,
        who: &str,
        angles: Angles,
        values: impl Fn(&T) -> Vec<f32>,
        mut memory: T,
        mut run: impl FnMut(&mut T),
    ) -> &mut Self {
        run(&mut memory);
        self.check(who, angles, &values(&memory));
        self.time(who, Memory::InPlace, || run(black_box(&mut memory)));
        self
    }

    fn check(&self, who: &str, angles: Angles, found: &[f32]) {
        match self.places {
            Some(places) => assert_same(who, angles, places, found, &self.expected),
            None => assert_close(who, found, &self.expected),
        }
    }

    /// Times work in place only once, since the kind of new memory makes no difference to it.
    fn time<T>(&mut self, who: &str, memory: Memory, mut run: impl FnMut() -> T) {
        if memory == Memory::InPlace && self.memory == Memory::Kept {
            return;
        }
        self.group.bench_function(BenchmarkId::new(who, memory.name()), |b| b.iter(&mut run));
    }
}
