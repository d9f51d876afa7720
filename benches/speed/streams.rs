//! What memory allows: an array written without any arithmetic, as many rows side by side as the
//! kernel could take.

use std::array;
use std::hint::black_box;

use criterion::Criterion;

use crate::beside::{Beside, group};

pub const DIM: usize = 1024;
pub const LEN: usize = 8192;
/// Elements of a row before it is the next row's turn, as in the kernel.
const STRIPE: usize = 32;

pub fn all(criterion: &mut Criterion) {
    let mut group =
        group::<f32>(criterion, "writes without arithmetic, 8192 x 1024, f32", LEN * DIM);
    let mut out = vec![0.0_f32; LEN * DIM];
    let fill = |out: &mut [f32]| out.fill(black_box(0.5));
    let mut beside = Beside::new(&mut group, "fill", &mut out[..], fill);
    beside.row("1 row after the other", write::<1>);
    beside.row("2 rows side by side", write::<2>);
    beside.row("4 rows side by side", write::<4>);
    beside.row("8 rows side by side", write::<8>);
    beside.row("16 rows side by side", write::<16>);
    beside.row("8 rows, each in two halves", write_halves::<8>);
}

pub fn write<const ROWS: usize>(out: &mut [f32]) {
    let value = black_box(0.5);
    for block in out.chunks_exact_mut(ROWS * DIM) {
        let mut rows = block.chunks_exact_mut(DIM);
        let mut rows: [_; ROWS] =
            array::from_fn(|_| rows.next().unwrap().as_chunks_mut::<STRIPE>().0.iter_mut());
        for _ in 0..DIM / STRIPE {
            for row in &mut rows {
                *row.next().unwrap() = [value; STRIPE];
            }
        }
    }
}

pub fn write_halves<const ROWS: usize>(out: &mut [f32]) {
    const HALF: usize = STRIPE / 2;
    let value = black_box(0.5);
    for block in out.chunks_exact_mut(ROWS * DIM) {
        let mut rows = block.chunks_exact_mut(DIM);
        let mut rows: [_; ROWS] = array::from_fn(|_| {
            let (firsts, seconds) = rows.next().unwrap().split_at_mut(DIM / 2);
            firsts.as_chunks_mut::<HALF>().0.iter_mut().zip(seconds.as_chunks_mut::<HALF>().0)
        });
        for _ in 0..DIM / STRIPE {
            for row in &mut rows {
                let (first, second) = row.next().unwrap();
                (*first, *second) = ([value; HALF], [value; HALF]);
            }
        }
    }
}
