//! Tables and single rows of position vectors, beside `fill` of the same memory.

use std::hint::black_box;

use benches::{Group, fill, on_each_set, pool, random, run};
use criterion::Criterion;
use ndarray::Array2;
use positional_encodings::{Element, FeatureLayout, PositionalEncoding, Positions, Sinusoidal};
use rayon::prelude::*;

const DIM: usize = 1024;
const ROWS: usize = 8192;
/// The first position of tables: none begins at position 0.
const FIRST: usize = 1024;
const LAYOUTS: [(&str, FeatureLayout); 2] =
    [("interleaved", FeatureLayout::Interleaved), ("halves", FeatureLayout::SinCosHalves)];

fn main() {
    run(&[tables, two_threads, random_ids, loops, single_rows, construction]);
}

fn tables(criterion: &mut Criterion) {
    table::<f32>(criterion, "f32", ROWS, DIM);
    table::<f32>(criterion, "f32", 512, 768);
    table::<f64>(criterion, "f64", ROWS, DIM);
    table::<half::bf16>(criterion, "bf16", ROWS, DIM);
    table::<half::f16>(criterion, "f16", ROWS, DIM);
}

/// A table of `rows` × `dim` in each layout, with each instruction set.
fn table<A: Element>(criterion: &mut Criterion, element: &str, rows: usize, dim: usize) {
    let mut group =
        beside_fill::<A>(criterion, &format!("table {rows} x {dim}, {element}"), rows, dim);
    let positions = Positions::from(FIRST..FIRST + rows);
    for (layout, choice) in LAYOUTS {
        for (set, encoding) in on_each_set(&paper(dim).with_layout(choice)) {
            group.row(&format!("{layout}, {set}"), |out| encode(&encoding, &positions, out));
        }
    }
}

fn two_threads(criterion: &mut Criterion) {
    let pool = pool(2);
    let floor = |out: &mut Array2<f32>| {
        let parts = out.as_slice_mut().unwrap().par_chunks_mut(ROWS * DIM / 2);
        pool.install(|| parts.for_each(|part| fill(part, 0.5)));
    };
    let (name, out) = ("table 8192 x 1024, f32, two threads", Array2::zeros((ROWS, DIM)));
    let mut group = Group::new(criterion, name, 4 * ROWS * DIM, out, ("fill", floor));
    let positions = Positions::from(FIRST..FIRST + ROWS);
    for (layout, choice) in LAYOUTS {
        let encoding = paper(DIM).with_layout(choice);
        group.row(layout, |out| pool.install(|| encode(&encoding, &positions, out)));
    }
}

/// Rows without neighbours, each computed by itself.
fn random_ids(criterion: &mut Criterion) {
    let mut group = beside_fill::<f32>(criterion, "8192 random ids x 1024, f32", ROWS, DIM);
    let ids = random(ROWS, 1 << 31);
    for (set, encoding) in on_each_set(&paper(DIM)) {
        group.row(set, |out| encode(&encoding, &Positions::from(&ids), out));
    }
}

/// The usual loops.
fn loops(criterion: &mut Criterion) {
    let angle = |i: usize| 10_000_f32.powf((i / 2 * 2) as f32 / DIM as f32);
    let value = |i: usize, angle: f32| if i.is_multiple_of(2) { angle.sin() } else { angle.cos() };
    beside_fill::<f32>(criterion, "loops: table 8192 x 1024, f32", ROWS, DIM)
        .row("this crate", |out| encode(&paper(DIM), &Positions::from(0..ROWS), out))
        .row("frequencies hoisted", |out| {
            let divisors: Vec<f32> = (0..DIM).map(angle).collect();
            for (position, mut row) in out.rows_mut().into_iter().enumerate() {
                let values = row.iter_mut().zip(&divisors).enumerate();
                values.for_each(|(i, (out, by))| *out = value(i, position as f32 / by));
            }
        })
        .row("powf, sin, cos of each value", |out| {
            let values = out.indexed_iter_mut();
            values.for_each(|((position, i), out)| *out = value(i, position as f32 / angle(i)));
        });
}

fn single_rows(criterion: &mut Criterion) {
    fn row<A: Element>(criterion: &mut Criterion, element: &str) {
        let (encoding, mut position) = (paper(DIM), FIRST);
        let mut group = beside_fill::<A>(criterion, &format!("one row of 1024, {element}"), 1, DIM);
        group.row("the next position", |out| {
            position += 1;
            encode(&encoding, &Positions::from(position..position + 1), out);
        });
    }
    row::<f32>(criterion, "f32");
    row::<f64>(criterion, "f64");
    row::<half::bf16>(criterion, "bf16");
}

fn construction(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("Sinusoidal::new");
    group.bench_function("dim 1024", |b| b.iter(|| paper(black_box(DIM))));
}

fn paper(dim: usize) -> Sinusoidal {
    Sinusoidal::new(dim).unwrap()
}

fn encode<A: Element>(encoding: &Sinusoidal, positions: &Positions<'_>, out: &mut Array2<A>) {
    encoding.encode_into(black_box(positions), out.view_mut()).unwrap();
}

type Fill<A> = fn(&mut Array2<A>);

/// Makes a group of rows whose floor is `fill` of an array (rows, dim).
fn beside_fill<'c, A: Element>(
    criterion: &'c mut Criterion,
    name: &str,
    rows: usize,
    dim: usize,
) -> Group<'c, Array2<A>, Fill<A>> {
    let floor: Fill<A> = |out| fill(out.as_slice_mut().unwrap(), A::from_f64(0.5));
    let bytes = rows * dim * size_of::<A>();
    Group::new(criterion, name, bytes, Array2::zeros((rows, dim)), ("fill", floor))
}
