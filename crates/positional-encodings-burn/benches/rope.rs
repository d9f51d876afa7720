//! Queries (1, 32, 2048, 128) rotated on flex: this crate on burn's tensors, burn's
//! `RotaryEncoding`, and this crate on ndarray. All angles are precomputed.
//!
//! burn's tensors use one thread, so run this crate on one, too: `RAYON_NUM_THREADS=1`.

use std::hint::black_box;

use burn::tensor::{DType, Device, Tensor};
use burn_nn::RotaryEncodingConfig;
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use ndarray::Array4;
use positional_encodings::{Frequencies, Pairing, Rotary};
use positional_encodings_burn::RopeConfig;

const SHAPE: [usize; 4] = [1, 32, 2048, 128];

fn rotary(pairing: Pairing) -> Rotary {
    Rotary::new(Frequencies::geometric(SHAPE[3], 10_000.0).unwrap(), pairing)
}

/// One tensor is rotated repeatedly, which changes neither its norm nor the time.
fn ours(c: &mut Criterion, name: &str, dtype: DType, pairing: Pairing) {
    let mut group = c.benchmark_group(name);
    let device = Device::flex();
    let plan = RopeConfig::new(rotary(pairing)).init(&device).at(0..SHAPE[2]);
    let mut held = Some(Tensor::<4>::ones(SHAPE, (&device, dtype)));
    group.bench_function("the only handle", |b| {
        b.iter(|| held = held.take().map(|q| plan.only().forward(q)));
    });
    let q = held.unwrap();
    group.bench_function("a clone", |b| b.iter(|| black_box(plan.only().forward(q.clone()))));

    let device = device.autodiff();
    let plan = RopeConfig::new(rotary(pairing)).init(&device).at(0..SHAPE[2]);
    let q = q.autodiff();
    group.bench_function("by burn's operations (autodiff)", |b| {
        b.iter(|| black_box(plan.only().forward(q.clone())));
    });
    group.finish();
}

/// burn's rotation, and this crate's without burn.
fn others(c: &mut Criterion) {
    let mut group = c.benchmark_group("neighbours, f32");
    let device = Device::flex();
    let burn = RotaryEncodingConfig::new(SHAPE[2], SHAPE[3]).init(&device);
    group.bench_function("burn's RotaryEncoding", |b| {
        let q = || Tensor::<4>::ones(SHAPE, &device);
        b.iter_batched(q, |q| black_box(burn.apply(q, 0)), BatchSize::LargeInput);
    });
    let mut q = Array4::<f32>::ones(SHAPE);
    let rotation = rotary(Pairing::Interleaved).at(0..SHAPE[2]).unwrap();
    group.bench_function("ndarray, in place", |b| {
        b.iter(|| rotation.apply(q.view_mut()).unwrap());
    });
    group.finish();
}

fn all(c: &mut Criterion) {
    ours(c, "neighbours, f32", DType::F32, Pairing::Interleaved);
    others(c);
    ours(c, "halves, f32", DType::F32, Pairing::Halves);
    ours(c, "halves, bf16", DType::BF16, Pairing::Halves);
}

criterion_group!(benches, all);
criterion_main!(benches);
