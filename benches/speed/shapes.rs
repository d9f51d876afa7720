//! That cost grows as it should: by the element, with no cliff at odd lengths, small dims or in unaligned or strided memory.

use std::hint::black_box;
use std::time::Duration;

use criterion::Criterion;
use ndarray::{Array2, ArrayViewMut2, Axis, Slice};
use positional_encodings::{OddDim, Positions, Sinusoidal};

use crate::beside::{FIRST, Group, beside, encode, fill, group, paper};

const DIM: usize = 1024;

pub fn all(criterion: &mut Criterion) {
    lengths(criterion);
    dims(criterion);
    places(criterion);
}

/// There are many of these rows, and each is there to be like the others.
fn quick(mut group: Group<'_>) -> Group<'_> {
    group.warm_up_time(Duration::from_millis(50)).measurement_time(Duration::from_millis(200)).sample_size(12);
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
    group.bench_function(format!("floor: fill of {name}"), |b| b.iter(|| fill(black_box(&mut out))));
    encode(&mut group, &name, &encoding, &Positions::from(FIRST..FIRST + len), out.view_mut());
}

fn places(criterion: &mut Criterion) {
    const LEN: usize = 1024;
    let mut group = quick(group::<f32>(criterion, "places, 1024 x 1024, f32", LEN * DIM));
    // Room for every view below.
    let mut room = vec![0.0_f32; 2 * LEN * (DIM + 3) + 64];
    let aligned = room.as_ptr().align_offset(64);
    let floor = |room: &mut [f32]| room[aligned..aligned + LEN * DIM].fill(0.5);
    beside(&mut group, "fill", &mut room[..], floor, |group, room| {
        let mut row = |name: &str, mut out: ArrayViewMut2<'_, f32>| {
            encode(group, name, &paper(DIM), &Positions::from(0..LEN), out.view_mut());
        };
        for (name, offset) in [("aligned to 64 bytes", 0), ("aligned to 16 bytes", 4), ("one element further", 1)] {
            let part = &mut room[aligned + offset..][..LEN * DIM];
            row(name, ArrayViewMut2::from_shape((LEN, DIM), part).unwrap());
        }
        let wide = &mut room[aligned..][..LEN * (DIM + 3)];
        let mut wide = ArrayViewMut2::from_shape((LEN, DIM + 3), wide).unwrap();
        row("rows 1027 apart", wide.slice_axis_mut(Axis(1), (3..).into()));
        let double = &mut room[aligned..][..2 * LEN * DIM];
        let mut tall = ArrayViewMut2::from_shape((2 * LEN, DIM), &mut *double).unwrap();
        row("every second row", tall.slice_axis_mut(Axis(0), Slice::new(0, None, 2)));
        let mut wide = ArrayViewMut2::from_shape((LEN, 2 * DIM), double).unwrap();
        row("every second feature", wide.slice_axis_mut(Axis(1), Slice::new(0, None, 2)));
        let square = ArrayViewMut2::from_shape((DIM, LEN), &mut room[aligned..][..LEN * DIM]).unwrap();
        row("column-major", square.reversed_axes());
    });
}
