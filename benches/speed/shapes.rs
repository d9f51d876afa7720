//! That cost grows as it should: by the element, with no cliff at odd lengths, small dims or in
//! unaligned or strided memory.

use std::hint::black_box;
use std::time::Duration;

use criterion::Criterion;
use ndarray::{Array2, ArrayViewMut2, Axis, Slice};
use positional_encodings::{OddDim, Positions, Sinusoidal};

use crate::beside::{Beside, FIRST, Group, encode, fill, group, paper};

const DIM: usize = 1024;
const LEN: usize = 1024;

pub fn all(criterion: &mut Criterion) {
    lengths(criterion);
    dims(criterion);
    places(criterion);
}

/// There are many of these rows, and each is there to be like the others.
fn quick(mut group: Group<'_>) -> Group<'_> {
    group
        .warm_up_time(Duration::from_millis(50))
        .measurement_time(Duration::from_millis(200))
        .sample_size(12);
    group
}

fn lengths(criterion: &mut Criterion) {
    for len in [1, 2, 3, 4, 5, 31, 64, 127, 128, 1000, 1023, 1024, 8192] {
        shape(criterion, "lengths, dim 1024, f32", len, paper(DIM));
    }
}

fn dims(criterion: &mut Criterion) {
    const VALUES: usize = 1 << 20;
    for dim in [2, 6, 10, 64, 66, 128, 768, 1022, 1024, 1026, 4096] {
        shape(criterion, "dims, a million values, f32", VALUES / dim, paper(dim));
    }
    for dim in [127, 1023] {
        let encoding = Sinusoidal::odd(dim, OddDim::DropLast).unwrap();
        shape(criterion, "dims, a million values, f32", VALUES / dim, encoding);
    }
}

/// A row with a floor of its own.
fn shape(criterion: &mut Criterion, name: &str, len: usize, encoding: Sinusoidal) {
    let dim = encoding.dim();
    let mut group = quick(group::<f32>(criterion, name, len * dim));
    let mut out = Array2::<f32>::zeros((len, dim));
    let name = format!("{len} x {dim}");
    group
        .bench_function(format!("floor: fill of {name}"), |b| b.iter(|| fill(black_box(&mut out))));
    let positions = Positions::from(FIRST..FIRST + len);
    group.bench_function(&name, |b| b.iter(|| encode(&encoding, &positions, out.view_mut())));
}

fn places(criterion: &mut Criterion) {
    let mut group = quick(group::<f32>(criterion, "places, 1024 x 1024, f32", LEN * DIM));
    // Room for every view below.
    let mut room = vec![0.0_f32; 2 * LEN * (DIM + 3) + 64];
    let aligned = room.as_ptr().align_offset(64);
    let floor = |room: &mut [f32]| room[..LEN * DIM].fill(black_box(0.5));
    let mut beside = Beside::new(&mut group, "fill", &mut room[aligned..], floor);
    let (encoding, positions) = (paper(DIM), Positions::from(FIRST..FIRST + LEN));
    let mut row = |name: &str, view: fn(&mut [f32]) -> ArrayViewMut2<'_, f32>| {
        beside.row(name, |room| encode(&encoding, &positions, view(room)));
    };
    row("aligned to 64 bytes", |room| rows(room, DIM));
    row("aligned to 16 bytes", |room| rows(&mut room[4..], DIM));
    row("one element further", |room| rows(&mut room[1..], DIM));
    row("rows 1027 apart", |room| rows(room, DIM + 3).slice_axis_move(Axis(1), (3..).into()));
    row("every second row", |room| {
        rows(&mut room[..2 * LEN * DIM], 2 * DIM).slice_axis_move(Axis(1), (..DIM).into())
    });
    row("every second feature", |room| {
        rows(room, 2 * DIM).slice_axis_move(Axis(1), Slice::new(0, None, 2))
    });
    row("column-major", |room| rows(room, DIM).reversed_axes());
}

/// The first rows in a room.
fn rows(room: &mut [f32], dim: usize) -> ArrayViewMut2<'_, f32> {
    ArrayViewMut2::from_shape((LEN, dim), &mut room[..LEN * dim]).unwrap()
}
