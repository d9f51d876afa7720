//! Rotations beside an in-place `x *= c` sweep and a `fill` of the same bytes, in one run: the ratios count.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use ndarray::{Array4, Axis};
use positional_encodings::{Frequencies, Pairing, Rotary};
use std::hint::black_box;

const PAIRINGS: [(&str, Pairing); 2] = [("halves", Pairing::Halves), ("interleaved", Pairing::Interleaved)];

fn rotary(pairing: Pairing) -> Rotary {
    Rotary::new(Frequencies::geometric(128, 500_000.0).unwrap(), pairing)
}

/// The floor: every value read, multiplied and written.
fn sweep(values: &mut [f32]) {
    let factor = black_box(1.0);
    values.iter_mut().for_each(|value| *value *= factor);
}

fn long(c: &mut Criterion) {
    let mut q = Array4::<f32>::ones((1, 32, 2048, 128));
    let mut group = c.benchmark_group("apply (1, 32, 2048, 128)");
    group.throughput(Throughput::Bytes(4 * q.len() as u64)).sample_size(30);
    group.bench_function("sweep", |b| b.iter(|| sweep(q.as_slice_mut().unwrap())));
    for (name, pairing) in PAIRINGS {
        let rotation = rotary(pairing).at::<f32>(0..2048).unwrap();
        group.bench_function(BenchmarkId::new("apply", name), |b| b.iter(|| rotation.apply(q.view_mut()).unwrap()));
        let mut heads_inside = Array4::<f32>::ones((1, 2048, 32, 128));
        group.bench_function(BenchmarkId::new("apply, heads inside", name), |b| {
            b.iter(|| rotation.apply_along(Axis(1), heads_inside.view_mut()).unwrap());
        });
        #[cfg(feature = "rayon")]
        group.bench_function(BenchmarkId::new("apply on all threads", name), |b| {
            b.iter(|| rotation.apply_parallel(q.view_mut()).unwrap());
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

fn decode(c: &mut Criterion) {
    let mut q = Array4::<f32>::ones((1, 32, 1, 128));
    let mut group = c.benchmark_group("decode step (1, 32, 1, 128)");
    group.bench_function("sweep", |b| b.iter(|| sweep(black_box(q.as_slice_mut().unwrap()))));
    for (name, pairing) in PAIRINGS {
        let rotary = rotary(pairing);
        let mut rotation = rotary.at::<f32>(4095..4096).unwrap();
        group.bench_function(BenchmarkId::new("apply", name), |b| b.iter(|| rotation.apply(q.view_mut()).unwrap()));
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
    let rotary = rotary(Pairing::Halves);
    let mut rotation = rotary.at::<f32>(0..8192).unwrap();
    let mut same = vec![0_f32; 8192 * 128];
    let mut group = c.benchmark_group("plan of 8192 positions, 64 pairs");
    group.throughput(Throughput::Bytes(4 * same.len() as u64)).sample_size(50);
    group.bench_function("fill", |b| b.iter(|| black_box(&mut same).fill(black_box(1.0))));
    group.bench_function("plan", |b| b.iter(|| rotary.at_into(0..8192, &mut rotation).unwrap()));
    group.finish();
}

criterion_group!(benches, long, decode, plan);
criterion_main!(benches);
