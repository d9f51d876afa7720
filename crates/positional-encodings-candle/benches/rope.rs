//! Queries (1, 32, 2048, 128) rotated: this crate on candle's tensors, candle-nn, and this crate on
//! ndarray. Angles are ready everywhere.

use std::hint::black_box;

use candle_core::{DType, Device, Tensor};
use candle_nn::rotary_emb::{rope, rope_i};
use criterion::{Criterion, criterion_group, criterion_main};
use ndarray::Array4;
use positional_encodings::{Frequencies, Pairing, Rotary};
use positional_encodings_candle::Rope;

const SHAPE: (usize, usize, usize, usize) = (1, 32, 2048, 128);

fn rotary(pairing: Pairing) -> Rotary {
    Rotary::new(Frequencies::geometric(SHAPE.3, 500_000.0).unwrap(), pairing)
}

/// One tensor is rotated again and again, which changes neither its length nor its time.
fn ours(c: &mut Criterion, name: &str, dtype: DType, pairing: Pairing) {
    let mut group = c.benchmark_group(name);
    let q = Tensor::ones(SHAPE, dtype, &Device::Cpu).unwrap();
    let rotary = rotary(pairing);
    let plan = Rope::new(rotary.clone()).at(0..SHAPE.2).unwrap();
    let fused = if pairing == Pairing::Halves { rope } else { rope_i };
    let (cos, sin) = plan.only().tables(&Device::Cpu).unwrap().unwrap();
    let (cos, sin) = (cos.to_dtype(dtype).unwrap(), sin.to_dtype(dtype).unwrap());
    group.bench_function("in place", |b| b.iter(|| plan.only().rope_inplace(&q).unwrap()));
    group.bench_function("copy", |b| b.iter(|| black_box(plan.only().rope(&q).unwrap())));
    group.bench_function("candle-nn", |b| b.iter(|| black_box(fused(&q, &cos, &sin).unwrap())));
    if dtype == DType::F32 {
        let mut q = Array4::<f32>::ones(SHAPE);
        let rotation = rotary.at(0..SHAPE.2).unwrap();
        let apply = |q: &mut Array4<f32>| rotation.apply(q.view_mut()).unwrap();
        group.bench_function("ndarray, in place", |b| b.iter(|| apply(&mut q)));
    }
    group.finish();
}

fn all(c: &mut Criterion) {
    ours(c, "halves, f32", DType::F32, Pairing::Halves);
    ours(c, "neighbours, f32", DType::F32, Pairing::Interleaved);
    ours(c, "halves, bf16", DType::BF16, Pairing::Halves);
    ours(c, "neighbours, bf16", DType::BF16, Pairing::Interleaved);
}

criterion_group!(benches, all);
criterion_main!(benches);
