//! The same calls on the threads of a pool, beside the same floors on the same threads.

use std::hint::black_box;

use criterion::Criterion;
use ndarray::{Array2, Array3};
use positional_encodings::{Positions, add_positions};
use rayon::prelude::*;

use crate::beside::{Beside, FIRST, add_row, encode, group, paper};
use crate::streams::{self, LEN, write, write_halves};
use crate::tables::LAYOUTS;
use crate::words::{DIM, SHAPE, VALUES, gather, lookup, tokens, vocabulary};

/// A pool of so many threads, 0 for as many as there are cores.
pub fn pool(threads: usize) -> rayon::ThreadPool {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap()
}

pub fn all(criterion: &mut Criterion) {
    table(criterion, "table 8192 x 1024, f32, two threads", 8192, 1024);
    additions(criterion);
    lookups(criterion);
    writes(criterion);
}

/// Gives each thread one part of `rows`, each of `dim` values. What is over before a thread wakes
/// is done at once.
fn in_parts(rows: &mut [f32], dim: usize, work: impl Fn(usize, &mut [f32]) + Sync) {
    const SHORT: usize = 1 << 20;
    if size_of_val(rows) <= SHORT {
        return work(0, rows);
    }
    let part = rows.len() / dim / rayon::current_num_threads();
    let part = part.max(1) * dim;
    rows.par_chunks_mut(part).enumerate().for_each(|(i, rows)| work(i * part / dim, rows));
}

pub fn table(criterion: &mut Criterion, name: &str, rows: usize, dim: usize) {
    let mut group = group::<f32>(criterion, name, rows * dim);
    let mut out = Array2::<f32>::zeros((rows, dim));
    let value = black_box(0.5);
    let floor = |out: &mut Array2<f32>| {
        in_parts(out.as_slice_mut().unwrap(), dim, |_, part| part.fill(value))
    };
    let mut beside = Beside::new(&mut group, "fill", &mut out, floor);
    for (name, layout) in LAYOUTS {
        let encoding = paper(dim).with_layout(layout);
        beside.row(name, |out| {
            encode(&encoding, &Positions::from(FIRST..FIRST + rows), out.view_mut())
        });
    }
}

/// As [`streams`](crate::streams), a part for each thread.
fn writes(criterion: &mut Criterion) {
    let mut group = group::<f32>(
        criterion,
        "writes without arithmetic, 8192 x 1024, f32, two threads",
        LEN * streams::DIM,
    );
    let mut out = vec![0.0_f32; LEN * streams::DIM];
    let of_all =
        |out: &mut [f32], write: fn(&mut [f32])| in_parts(out, streams::DIM, |_, part| write(part));
    let fill = |out: &mut [f32]| of_all(out, |part| part.fill(black_box(0.5)));
    let mut beside = Beside::new(&mut group, "fill", &mut out[..], fill);
    beside.row("8 rows side by side", |out| of_all(out, write::<8>));
    beside.row("8 rows, each in two halves", |out| of_all(out, write_halves::<8>));
}

fn additions(criterion: &mut Criterion) {
    let mut group =
        group::<f32>(criterion, "add in place to (8, 1024, 1024), f32, two threads", VALUES);
    let (mut words, row, encoding) = (Array3::<f32>::zeros(SHAPE), [0.5_f32; DIM], paper(DIM));
    let floor = |words: &mut Array3<f32>| {
        in_parts(words.as_slice_mut().unwrap(), DIM, |_, words| add_row(words, black_box(&row)));
    };
    let mut beside = Beside::new(&mut group, "add a cached row", &mut words, floor);
    beside.row("0..1024", |words| add_positions(words.view_mut(), &encoding).unwrap());
}

fn lookups(criterion: &mut Criterion) {
    let mut group =
        group::<f32>(criterion, "lookup x 32 + position, ids (8, 1024), f32, two threads", VALUES);
    let (embedding, ids, mut out) = (vocabulary(), tokens(), Array3::<f32>::zeros(SHAPE));
    let floor = |out: &mut Array3<f32>| {
        let ids = black_box(ids.as_slice().unwrap());
        in_parts(out.as_slice_mut().unwrap(), DIM, |first, out| {
            gather(embedding.words(), &ids[first..], out)
        });
    };
    let mut beside = Beside::new(&mut group, "gather the rows", &mut out, floor);
    beside.row("0..1024", |out| lookup(&embedding, &ids, out));
}
