//! Tables: position vectors alone, written to an array that is there.

use criterion::{Criterion, SamplingMode};
use ndarray::Array2;
use positional_encodings::{Element, FeatureLayout, Positions};

use crate::beside::{Beside, FIRST, encode, fill, group, paper, sets};

pub const LAYOUTS: [(&str, FeatureLayout); 2] =
    [("interleaved", FeatureLayout::Interleaved), ("halves", FeatureLayout::SinCosHalves)];

pub fn all(criterion: &mut Criterion) {
    table::<f32>(criterion, "table 8192 x 1024, f32", 8192, 1024);
    table::<f32>(criterion, "table 512 x 768, f32", 512, 768);
    table::<f64>(criterion, "table 8192 x 1024, f64", 8192, 1024);
    #[cfg(feature = "half")]
    table::<half::bf16>(criterion, "table 8192 x 1024, bf16", 8192, 1024);
    #[cfg(feature = "half")]
    table::<half::f16>(criterion, "table 8192 x 1024, f16", 8192, 1024);
    loops(criterion);
}

/// A table in each layout, with each instruction set, beside `fill`.
pub fn table<A: Element>(criterion: &mut Criterion, name: &str, rows: usize, dim: usize) {
    let mut group = group::<A>(criterion, name, rows * dim);
    let mut out = Array2::<A>::zeros((rows, dim));
    let mut beside = Beside::new(&mut group, "fill", &mut out, fill);
    let positions = Positions::from(FIRST..FIRST + rows);
    for (name, layout) in LAYOUTS {
        for (set, encoding) in sets(&paper(dim).with_layout(layout)) {
            beside.row(&format!("{name}, {set}"), |out| {
                encode(&encoding, &positions, out.view_mut())
            });
        }
    }
}

/// The loops that people write.
fn loops(criterion: &mut Criterion) {
    const DIM: usize = 1024;
    let mut group = group::<f32>(criterion, "loops: table 8192 x 1024, f32", 8192 * DIM);
    let mut out = Array2::<f32>::zeros((8192, DIM));
    group.sample_size(10).sampling_mode(SamplingMode::Flat);
    let (encoding, positions) = (paper(DIM), Positions::from(0..8192));
    group
        .bench_function("this crate", |b| b.iter(|| encode(&encoding, &positions, out.view_mut())));
    group.bench_function("frequencies hoisted", |b| {
        b.iter(|| {
            let frequencies: Vec<f32> =
                (0..DIM / 2).map(|i| 10_000_f32.powf(-2.0 * i as f32 / DIM as f32)).collect();
            for (position, mut row) in out.rows_mut().into_iter().enumerate() {
                for (i, frequency) in frequencies.iter().enumerate() {
                    let angle = position as f32 * frequency;
                    (row[2 * i], row[2 * i + 1]) = (angle.sin(), angle.cos());
                }
            }
        });
    });
    group.bench_function("powf, sin, cos of each value", |b| {
        b.iter(|| {
            for ((position, i), value) in out.indexed_iter_mut() {
                let angle = position as f32 / 10_000_f32.powf((i / 2 * 2) as f32 / DIM as f32);
                *value = if i % 2 == 0 { angle.sin() } else { angle.cos() };
            }
        });
    });
}
