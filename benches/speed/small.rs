//! Calls that touch little: a decode step, and making an encoding.

use std::hint::black_box;

use criterion::Criterion;
use ndarray::{Array2, Array3, Axis, array};
use positional_encodings::{
    Element, PositionalEncoding, Positions, TokenEmbedding, add_positions_at,
};

use crate::beside::{Group, paper};

pub fn all(criterion: &mut Criterion) {
    steps(criterion);
    types(criterion);
    construction(criterion);
}

fn steps(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("a decode step, dim 1024, f32");
    let (encoding, mut position) = (paper(1024), 1000);
    let mut row = Array2::<f32>::zeros((1, 1024));
    let mut next = || {
        position += 1;
        position..position + 1
    };
    group.bench_function("one row added", |b| {
        b.iter(|| encoding.add_to(&Positions::from(next()), row.view_mut()).unwrap());
    });
    let words = Array2::<f32>::from_elem((1000, 1024), 0.25);
    let embedding = TokenEmbedding::new(words, &encoding).unwrap().with_scale(32.0).unwrap();
    let mut out = row.view_mut().insert_axis(Axis(0));
    group.bench_function("lookup x 32 + position of one token", |b| {
        b.iter(|| {
            embedding.lookup(black_box(&array![[7]])).at(next()).embed_into(out.view_mut()).unwrap()
        });
    });
    let mut batch = Array3::<f32>::zeros((8, 1, 1024));
    group.bench_function("8 sequences, each at its own position", |b| {
        let ids = Array2::from_shape_fn((8, 1), |(b, _)| 1000 + 77 * b);
        b.iter(|| add_positions_at(batch.view_mut(), &encoding, black_box(&ids)).unwrap());
    });
}

/// The rows that take more: of two doubles a value, or rounded once more.
fn types(criterion: &mut Criterion) {
    fn row<A: Element>(group: &mut Group<'_>, name: &str) {
        let (encoding, mut position, mut row) = (paper(1024), 1000, Array2::<A>::zeros((1, 1024)));
        group.bench_function(name, |b| {
            b.iter(|| {
                position += 1;
                encoding
                    .encode_into(&Positions::from(position..position + 1), row.view_mut())
                    .unwrap()
            });
        });
    }
    let mut group = criterion.benchmark_group("one row written, dim 1024");
    row::<f32>(&mut group, "f32");
    row::<f64>(&mut group, "f64");
    #[cfg(feature = "half")]
    row::<half::f16>(&mut group, "f16");
    #[cfg(feature = "half")]
    row::<half::bf16>(&mut group, "bf16");
}

fn construction(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("construct Sinusoidal");
    for dim in [64, 1024, 4096] {
        group.bench_function(format!("dim {dim}"), |b| b.iter(|| paper(black_box(dim))));
    }
}
