//! Positions that are not a range: what any ids cost, and that runs inside them cost what a range
//! costs.

use std::hint::black_box;

use criterion::Criterion;
use ndarray::{Array2, Array3};
use positional_encodings::{Positions, add_positions_at, ids};

use crate::beside::{Beside, add_row, encode, fill, group, paper, random, sets};
use crate::words::{DIM, SHAPE, VALUES};

const ROWS: usize = 8192;

pub fn all(criterion: &mut Criterion) {
    far(criterion);
    near(criterion);
    of_a_batch(criterion);
}

fn far(criterion: &mut Criterion) {
    let mut group =
        group::<f32>(criterion, "8192 random positions below 2^31 x 1024, f32", ROWS * DIM);
    let ids: Vec<i64> = random(ROWS, 1 << 31).map(|id| id as i64).collect();
    let mut out = Array2::<f32>::zeros((ROWS, DIM));
    let mut beside = Beside::new(&mut group, "fill", &mut out, fill);
    for (set, encoding) in sets(&paper(DIM)) {
        beside.row(set, |out| encode(&encoding, &Positions::from(&ids), out.view_mut()));
    }
}

/// Documents of about `mean` tokens, one after the other.
fn documents(mean: u64) -> Vec<usize> {
    let lengths: Vec<_> = random(ROWS, 2 * mean).map(|length| 1 + length as usize).collect();
    let mut ids = ids::packed(&lengths).unwrap();
    ids.truncate(ROWS);
    ids
}

fn near(criterion: &mut Criterion) {
    let mut group = group::<f32>(criterion, "8192 ids x 1024, f32", ROWS * DIM);
    let consecutive: Vec<usize> = (0..ROWS).collect();
    let backwards: Vec<i64> = (0..ROWS as i64).rev().collect();
    let shuffled: Vec<usize> = (0..ROWS).map(|i| i * 4099 % ROWS).collect();
    let (long, short) = (documents(500), documents(20));
    let quarters: Vec<f64> = (0..ROWS).map(|i| i as f64 * 0.25).collect();
    let lists = [
        ("the range 0..8192", Positions::from(0..ROWS)),
        ("the same as ids", Positions::from(&consecutive)),
        ("packed documents of about 500", Positions::from(&long)),
        ("packed documents of about 20", Positions::from(&short)),
        ("backwards", Positions::from(&backwards)),
        ("shuffled", Positions::from(&shuffled)),
        ("reals, a quarter apart", Positions::from(&quarters)),
    ];
    let (encoding, mut out) = (paper(DIM), Array2::<f32>::zeros((ROWS, DIM)));
    let mut beside = Beside::new(&mut group, "fill", &mut out, fill);
    for (name, positions) in &lists {
        beside.row(name, |out| encode(&encoding, positions, out.view_mut()));
    }
}

/// A row of ids for each sequence, as padded and packed batches have them.
fn of_a_batch(criterion: &mut Criterion) {
    let mut group = group::<f32>(criterion, "add in place at ids (8, 1024), f32", VALUES);
    let mask = Array2::from_shape_fn((8, 1024), |(b, i)| i64::from(i >= 100 * b));
    let padded = ids::from_mask(&mask, 0).unwrap();
    let packed = Array2::from_shape_vec((8, 1024), documents(500)).unwrap();
    let shuffled = Array2::from_shape_fn((8, 1024), |(b, i)| (i * 389 + b) % 1024);
    let batches = [
        ("0..1024 for all", Positions::from(0..1024)),
        ("left-padded", Positions::from(&padded)),
        ("packed documents", Positions::from(&packed)),
        ("shuffled", Positions::from(&shuffled)),
    ];
    let (mut words, row, encoding) = (Array3::<f32>::zeros(SHAPE), [0.5_f32; DIM], paper(DIM));
    let floor = |words: &mut Array3<f32>| add_row(words.as_slice_mut().unwrap(), black_box(&row));
    let mut beside = Beside::new(&mut group, "add a cached row", &mut words, floor);
    for (name, positions) in &batches {
        beside.row(name, |words| {
            add_positions_at(words.view_mut(), &encoding, black_box(positions)).unwrap()
        });
    }
}
