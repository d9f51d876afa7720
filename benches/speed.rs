//! What encodings cost, beside what touching the same memory costs in the same run.
//!
//! `cargo bench --bench speed` takes about two minutes; `FULL=1 cargo bench --bench speed` adds a sweep over dims, lengths,
//! element types and instruction sets. Then `cargo run --release --example ratios` prints each time as a part of its floor.

use std::hint::black_box;
use std::time::Duration;

use criterion::measurement::WallTime;
use criterion::{BatchSize, BenchmarkGroup, Criterion, criterion_group, criterion_main};
use ndarray::{Array1, Array2, Array3};
use positional_encodings::{
    Element, InstructionSet, Layout, PositionalEncoding, Positions, Sinusoidal, TokenEmbedding, add_positions,
};

const ROWS: usize = 8192;
const DIM: usize = 1024;

fn paper(dim: usize) -> Sinusoidal {
    Sinusoidal::new(dim).unwrap()
}

fn sets(encoding: &Sinusoidal) -> impl Iterator<Item = (&'static str, Sinusoidal)> {
    InstructionSet::available().map(|set| (set.name(), encoding.clone().with_instruction_set(set).unwrap()))
}

fn random(count: usize, below: u64) -> impl Iterator<Item = u64> {
    (1..=count as u64).map(move |i| (i.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20) % below)
}

/// The floor of a table: the same bytes, filled with a constant.
fn fill<A: Element>(group: &mut BenchmarkGroup<'_, WallTime>, out: &mut Array2<A>) {
    let value = A::from_f64(0.5);
    group.bench_function("floor: fill", |b| b.iter(|| out.as_slice_mut().unwrap().fill(black_box(value))));
}

fn encode<A: Element>(
    group: &mut BenchmarkGroup<'_, WallTime>,
    name: &str,
    encoding: &Sinusoidal,
    positions: &Positions<'_>,
    out: &mut Array2<A>,
) {
    group.bench_function(name, |b| b.iter(|| encoding.encode_into(black_box(positions), out.view_mut()).unwrap()));
}

fn table_of<A: Element>(c: &mut Criterion, name: &str, rows: usize, dim: usize) {
    let mut group = c.benchmark_group(name);
    let mut out = Array2::<A>::zeros((rows, dim));
    fill(&mut group, &mut out);
    for layout in [Layout::Interleaved, Layout::SinCosHalves] {
        for (set, encoding) in sets(&paper(dim).with_layout(layout)) {
            encode(&mut group, &format!("{layout:?}, {set}"), &encoding, &Positions::from(0..rows), &mut out);
        }
    }
}

fn tables(c: &mut Criterion) {
    table_of::<f32>(c, "table 8192 x 1024, f32", ROWS, DIM);
    table_of::<f32>(c, "table 512 x 768, f32", 512, 768);
    table_of::<f64>(c, "table 8192 x 1024, f64", ROWS, DIM);
    #[cfg(feature = "half")]
    table_of::<half::bf16>(c, "table 8192 x 1024, bf16", ROWS, DIM);
}

/// The loops that people write.
fn handwritten(c: &mut Criterion) {
    let mut group = c.benchmark_group("table 8192 x 1024, f32, beside loops");
    let mut out = Array2::<f32>::zeros((ROWS, DIM));
    encode(&mut group, "floor: this crate", &paper(DIM), &Positions::from(0..ROWS), &mut out);
    group.bench_function("loop with hoisted frequencies", |b| {
        b.iter(|| {
            let frequencies: Vec<f32> = (0..DIM / 2).map(|i| 10_000_f32.powf(-2.0 * i as f32 / DIM as f32)).collect();
            for (position, mut row) in out.rows_mut().into_iter().enumerate() {
                for (i, frequency) in frequencies.iter().enumerate() {
                    let angle = position as f32 * frequency;
                    (row[2 * i], row[2 * i + 1]) = (angle.sin(), angle.cos());
                }
            }
        });
    });
    group.bench_function("loop of powf, sin, cos", |b| {
        b.iter(|| {
            for ((position, i), value) in out.indexed_iter_mut() {
                let angle = position as f32 / 10_000_f32.powf((i / 2 * 2) as f32 / DIM as f32);
                *value = if i % 2 == 0 { angle.sin() } else { angle.cos() };
            }
        });
    });
}

fn random_positions(c: &mut Criterion) {
    let mut group = c.benchmark_group("8192 random positions x 1024, f32");
    let mut out = Array2::<f32>::zeros((ROWS, DIM));
    let ids: Vec<i64> = random(ROWS, 1 << 31).map(|id| id as i64).collect();
    fill(&mut group, &mut out);
    for (set, encoding) in sets(&paper(DIM)) {
        encode(&mut group, set, &encoding, &Positions::from(&ids), &mut out);
    }
}

fn additions(c: &mut Criterion) {
    let mut group = c.benchmark_group("add in place to (8, 1024, 1024), f32");
    let mut words = Array3::<f32>::zeros((8, DIM, DIM));
    let row = vec![0.5_f32; DIM];
    group.bench_function("floor: add a cached row in place", |b| {
        b.iter(|| {
            for words in words.as_slice_mut().unwrap().chunks_exact_mut(DIM) {
                words.iter_mut().zip(black_box(&row)).for_each(|(word, value)| *word += value);
            }
        });
    });
    for (set, encoding) in sets(&paper(DIM)) {
        group.bench_function(set, |b| b.iter(|| add_positions(words.view_mut(), &encoding).unwrap()));
    }
}

fn lookups(c: &mut Criterion) {
    let mut group = c.benchmark_group("lookup x 32 + position, ids (8, 1024), f32");
    let table = Array2::<f32>::from_elem((32_000, DIM), 0.25);
    let ids: Array1<usize> = random(ROWS, 32_000).map(|id| id as usize).collect();
    let ids = ids.into_shape_with_order((8, 1024)).unwrap();
    let mut out = Array3::<f32>::zeros((8, DIM, DIM));
    group.bench_function("floor: gather the rows", |b| {
        b.iter(|| {
            for (out, &id) in out.as_slice_mut().unwrap().chunks_exact_mut(DIM).zip(black_box(&ids)) {
                out.copy_from_slice(table.row(id).as_slice().unwrap());
            }
        });
    });
    let embedding = TokenEmbedding::new(table.clone(), paper(DIM)).unwrap().with_scale(32.0).unwrap();
    group.bench_function("this crate", |b| b.iter(|| embedding.lookup(&ids).embed_into(out.view_mut()).unwrap()));
}

fn small(c: &mut Criterion) {
    let mut group = c.benchmark_group("small calls");
    let encoding = paper(DIM);
    let (mut row, mut position) = (Array2::<f32>::zeros((1, DIM)), 1000);
    group.bench_function("a decode step: one row of 1024 added", |b| {
        b.iter(|| {
            position += 1;
            encoding.add_to(&Positions::from(position..position + 1), row.view_mut()).unwrap();
        });
    });
    group.bench_function("construct Sinusoidal of dim 1024", |b| {
        b.iter_batched(|| (), |()| paper(black_box(DIM)), BatchSize::SmallInput);
    });
}

/// How the cost grows: with dim and length it should be linear, without cliffs.
fn sweep(c: &mut Criterion) {
    if std::env::var_os("FULL").is_none() {
        return;
    }
    for dim in [64, 128, 768, 1024, 1026, 4096] {
        for rows in [1, 127, 128, 2048, 8192, 131_072] {
            if rows * dim <= 1 << 27 {
                table_of::<f32>(c, &format!("sweep f32 {rows} x {dim}"), rows, dim);
                table_of::<f64>(c, &format!("sweep f64 {rows} x {dim}"), rows, dim);
            }
        }
    }
}

fn short() -> Criterion {
    Criterion::default()
        .sample_size(15)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_millis(700))
        .without_plots()
}

criterion_group! {
    name = speed;
    config = short();
    targets = tables, handwritten, random_positions, additions, lookups, small, sweep
}
criterion_main!(speed);
