//! Rotations beside an in-place `x *= c` sweep and a `fill` of the same bytes, in one run: the
//! ratios count.

use criterion::measurement::WallTime;
use criterion::{
    BenchmarkGroup, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main,
};
use ndarray::{Array4, Axis};
use positional_encodings::{Element, Frequencies, InstructionSet, Pairing, Rotary};
use std::hint::black_box;
use std::time::Duration;

const PAIRINGS: [(&str, Pairing); 2] =
    [("halves", Pairing::Halves), ("interleaved", Pairing::Interleaved)];

fn rotary(dim: usize, pairing: Pairing) -> Rotary {
    Rotary::new(Frequencies::geometric(dim, 500_000.0).unwrap(), pairing)
}

/// The floor: every value read, multiplied and written.
fn sweep(values: &mut [f32]) {
    let factor = black_box(1.0);
    values.iter_mut().for_each(|value| *value *= factor);
}

/// The floor of what goes from one array to another.
fn copy(from: &Array4<f32>, to: &mut Array4<f32>) {
    to.as_slice_mut().unwrap().copy_from_slice(from.as_slice().unwrap());
}

/// The floor of so many bytes.
fn floor(group: &mut BenchmarkGroup<'_, WallTime>, name: &str, bytes: usize) {
    let mut values = vec![1_f32; bytes / 4];
    group.bench_function(name, |b| b.iter(|| sweep(black_box(&mut values))));
}

fn long(c: &mut Criterion) {
    let mut q = Array4::<f32>::ones((1, 32, 2048, 128));
    let mut group = c.benchmark_group("apply (1, 32, 2048, 128)");
    group.throughput(Throughput::Bytes(4 * q.len() as u64)).sample_size(30);
    group.bench_function("sweep", |b| b.iter(|| sweep(q.as_slice_mut().unwrap())));
    let mut out = q.clone();
    group.bench_function("copy", |b| b.iter(|| copy(&q, &mut out)));
    for (i, (name, pairing)) in PAIRINGS.into_iter().enumerate() {
        let rotation = rotary(128, pairing).at::<f32>(0..2048).unwrap();
        group.bench_function(BenchmarkId::new("apply", name), |b| {
            b.iter(|| rotation.apply(q.view_mut()).unwrap())
        });
        group.bench_function(format!("sweep, {}", i + 2), |b| {
            b.iter(|| sweep(q.as_slice_mut().unwrap()))
        });
        group.bench_function(BenchmarkId::new("apply into", name), |b| {
            b.iter(|| rotation.apply_into(q.view(), out.view_mut()).unwrap());
        });
    }
    #[cfg(feature = "rayon")]
    group.bench_function("sweep on all threads", |b| {
        use rayon::prelude::*;
        b.iter(|| q.as_slice_mut().unwrap().par_chunks_mut(1 << 15).for_each(sweep));
    });
    group.bench_function("sweep again", |b| b.iter(|| sweep(q.as_slice_mut().unwrap())));
    group.finish();
}

/// (batch, positions, heads, dim), and packed (tokens, heads, dim), which is the same in memory.
fn heads_inside(c: &mut Criterion) {
    let mut q = Array4::<f32>::ones((1, 2048, 32, 128));
    let mut group = c.benchmark_group("apply (1, 2048, 32, 128)");
    group.throughput(Throughput::Bytes(4 * q.len() as u64)).sample_size(30);
    group.bench_function("sweep", |b| b.iter(|| sweep(q.as_slice_mut().unwrap())));
    for (name, pairing) in PAIRINGS {
        let rotation = rotary(128, pairing).at::<f32>(0..2048).unwrap();
        group.bench_function(BenchmarkId::new("apply", name), |b| {
            b.iter(|| rotation.apply(q.view_mut().permuted_axes([0, 2, 1, 3])).unwrap());
        });
        group.bench_function(BenchmarkId::new("apply, packed", name), |b| {
            b.iter(|| {
                let packed = q.index_axis_mut(Axis(0), 0);
                rotation.apply(packed.permuted_axes([1, 0, 2])).unwrap()
            });
        });
    }
    group.finish();
}

fn of_type<A: Element>(c: &mut Criterion, name: &str) {
    let mut q = Array4::<A>::ones((1, 32, 1024, 128));
    let bytes = size_of::<A>() * q.len();
    let mut group = c.benchmark_group(format!("apply (1, 32, 1024, 128), {name}"));
    group.throughput(Throughput::Bytes(bytes as u64)).sample_size(30);
    floor(&mut group, "sweep", bytes);
    for (name, pairing) in PAIRINGS {
        for set in InstructionSet::available() {
            let rotation = rotary(128, pairing)
                .with_instruction_set(set)
                .unwrap()
                .at::<A::Angle>(0..1024)
                .unwrap();
            group.bench_function(BenchmarkId::new(name, set.name()), |b| {
                b.iter(|| rotation.apply(q.view_mut()).unwrap());
            });
        }
    }
    group.finish();
}

fn types(c: &mut Criterion) {
    of_type::<f32>(c, "f32");
    of_type::<f64>(c, "f64");
    #[cfg(feature = "half")]
    of_type::<half::bf16>(c, "bf16");
    #[cfg(feature = "half")]
    of_type::<half::f16>(c, "f16");
}

/// Heads of other widths, and the first features of wider ones: whole cache lines are moved, so the
/// floor is that of all.
fn widths(c: &mut Criterion) {
    for (dim, width) in [(32, 32), (64, 64), (80, 80), (96, 96), (20, 80), (64, 128)] {
        let mut q = Array4::<f32>::ones((1, 32, 2048, width));
        let mut group = c.benchmark_group(format!("apply {dim} of (1, 32, 2048, {width})"));
        group.throughput(Throughput::Bytes(4 * q.len() as u64)).sample_size(30);
        group.bench_function("sweep", |b| b.iter(|| sweep(q.as_slice_mut().unwrap())));
        for (name, pairing) in PAIRINGS {
            let rotation = rotary(dim, pairing).at::<f32>(0..2048).unwrap();
            group.bench_function(BenchmarkId::new("apply", name), |b| {
                b.iter(|| rotation.apply(q.view_mut()).unwrap())
            });
        }
        group.finish();
    }
}

fn decode(c: &mut Criterion) {
    let mut q = Array4::<f32>::ones((1, 32, 1, 128));
    let mut group = c.benchmark_group("decode step (1, 32, 1, 128)");
    group.bench_function("sweep", |b| b.iter(|| sweep(black_box(q.as_slice_mut().unwrap()))));
    let mut out = q.clone();
    group.bench_function("copy", |b| b.iter(|| copy(black_box(&q), &mut out)));
    group.bench_function("allocated copy", |b| b.iter(|| black_box(&q).clone()));
    for (name, pairing) in PAIRINGS {
        let rotary = rotary(128, pairing);
        let mut rotation = rotary.at::<f32>(4095..4096).unwrap();
        group.bench_function(BenchmarkId::new("apply", name), |b| {
            b.iter(|| rotation.apply(q.view_mut()).unwrap())
        });
        group.bench_function(BenchmarkId::new("apply into", name), |b| {
            b.iter(|| rotation.apply_into(black_box(&q).view(), out.view_mut()).unwrap());
        });
        group.bench_function(BenchmarkId::new("applied", name), |b| {
            b.iter(|| rotation.applied(black_box(&q).view()).unwrap());
        });
        let mut position = 0;
        group.bench_function(BenchmarkId::new("plan", name), |b| {
            b.iter(|| {
                position += 1;
                rotary.at_into(position..position + 1, &mut rotation).unwrap();
            });
        });
    }
    group.finish();
}

fn plan(c: &mut Criterion) {
    let rotary = rotary(128, Pairing::Halves);
    let mut rotation = rotary.at::<f32>(0..8192).unwrap();
    let mut same = vec![0_f32; 8192 * 128];
    let mut group = c.benchmark_group("plan of 8192 positions, 64 pairs");
    group.throughput(Throughput::Bytes(4 * same.len() as u64)).sample_size(50);
    group.bench_function("fill", |b| b.iter(|| black_box(&mut same).fill(black_box(1.0))));
    group.bench_function("plan", |b| b.iter(|| rotary.at_into(0..8192, &mut rotation).unwrap()));
    group.finish();
}

fn short() -> Criterion {
    Criterion::default()
        .warm_up_time(Duration::from_millis(100))
        .measurement_time(Duration::from_millis(500))
        .nresamples(2000)
        .without_plots()
}

criterion_group! {
    name = benches;
    config = short();
    targets = long, heads_inside, types, widths, decode, plan
}
criterion_main!(benches);
