//! Grids, masks, projections and timesteps, beside `fill` of the same memory and plain loops.

use std::hint::black_box;

use benches::{Group, fill, run};
use criterion::Criterion;
use ndarray::{Array2, Array3, ArrayViewMut3};
use positional_encodings::{
    Axes, Fourier, PositionalEncoding, Positions, Sinusoidal, Timestep, add_positions_to_grid,
    ids::MaskCounts,
};

fn main() {
    run(&[grids, images, masks, random_features, timesteps]);
}

fn beside_fill<'c>(
    criterion: &'c mut Criterion,
    name: &str,
    (rows, dim): (usize, usize),
) -> Group<'c, Array2<f32>, impl FnMut(&mut Array2<f32>)> {
    let floor = |out: &mut Array2<f32>| fill(out.as_slice_mut().unwrap(), 0.5);
    Group::new(criterion, name, 4 * rows * dim, Array2::zeros((rows, dim)), ("fill", floor))
}

fn encode(encoding: &dyn PositionalEncoding<f32>, at: &Positions<'_>, out: &mut Array2<f32>) {
    encoding.encode_into(black_box(at), out.view_mut()).unwrap();
}

/// A grid, beside a table with the same number of rows.
fn grids(criterion: &mut Criterion) {
    let (side, dim) = (64, 1024);
    let mut group = beside_fill(criterion, "grid 64 x 64 x 1024, f32", (side * side, dim));
    let grid = Positions::grid(&[side, side]).unwrap();
    let table = Sinusoidal::new(dim).unwrap();
    group.row("a table of 4096 rows", |out| encode(&table, &Positions::from(0..side * side), out));
    let mae = Axes::mae(dim).unwrap();
    group.row("mae", |out| encode(&mae, &grid, out));
    let timm = Axes::timm(dim, 1e4).unwrap();
    group.row("timm", |out| encode(&timm, &grid, out));
    let loftr = Axes::loftr(dim).unwrap();
    group.row("loftr", |out| encode(&loftr, &grid, out));
    let video = Axes::v_jepa(dim).unwrap();
    let frames = Positions::grid(&[16, 16, 16]).unwrap();
    group.row("v-jepa, 16 x 16 x 16", |out| encode(&video, &frames, out));
    let scaled = grid.map(|_, c| c * 0.37).unwrap();
    group.row("mae, coordinates scaled", |out| encode(&mae, &scaled, out));
}

/// A batch of images in place.
fn images(criterion: &mut Criterion) {
    let (batch, side, dim) = (8, 32, 768);
    let rows = batch * side * side;
    let mut group = beside_fill(criterion, "add to images 8 x 32 x 32 x 768, f32", (rows, dim));
    let mae = Axes::mae(dim).unwrap();
    group.row("mae", |out| {
        let images = out.view_mut().into_shape_with_order((batch, side, side, dim)).unwrap();
        add_positions_to_grid(images, &mae).unwrap();
    });
}

/// DETR's masks, three quarters of each image kept.
fn masks(criterion: &mut Criterion) {
    let (batch, side, dim) = (8, 128, 256);
    let mask = Array3::from_shape_fn((batch, side, side), |(i, y, x)| {
        y < side - 8 * i && x < side - 4 * i
    });
    let rows = batch * side * side;
    let mut group = beside_fill(criterion, "masks 8 x 128 x 128 x 256, f32", (rows, dim));
    let detr = Axes::detr(dim, 1e4).unwrap();
    group.row("detr, positions and vectors", |out| {
        let at = Positions::from_masks(black_box(&mask), MaskCounts::NORMALIZED).unwrap();
        encode(&detr, &at, out);
    });
    group.row("the plain loop", |out| {
        let shape = (batch, side * side, dim);
        plain_detr(&mask, out.view_mut().into_shape_with_order(shape).unwrap());
    });
}

/// The usual loop for [`masks`], in f32.
fn plain_detr(masks: &Array3<bool>, mut out: ArrayViewMut3<'_, f32>) {
    let (_, height, width) = masks.dim();
    let features = out.shape()[2] / 2;
    let divisors: Vec<f32> =
        (0..features).map(|i| 10_000_f32.powf((i / 2 * 2) as f32 / features as f32)).collect();
    let count = |cells: usize| cells as f32;
    for (mask, mut out) in masks.outer_iter().zip(out.outer_iter_mut()) {
        for (y, x) in (0..height).flat_map(|y| (0..width).map(move |x| (y, x))) {
            let kept = |pixel: &&bool| **pixel;
            let of = |upto: usize, all: usize| {
                count(upto) / (count(all) + 1e-6) * core::f32::consts::TAU
            };
            let (column, row) = (mask.column(x), mask.row(y));
            let place = [
                of(
                    column.iter().take(y + 1).filter(kept).count(),
                    column.iter().filter(kept).count(),
                ),
                of(row.iter().take(x + 1).filter(kept).count(), row.iter().filter(kept).count()),
            ];
            let mut vector = out.row_mut(y * width + x);
            for (half, place) in place.into_iter().enumerate() {
                for (i, divisor) in divisors.iter().enumerate() {
                    let angle = place / divisor;
                    let value = if i % 2 == 0 { angle.sin() } else { angle.cos() };
                    vector[half * features + i] = value;
                }
            }
        }
    }
}

/// Random Fourier features of points.
fn random_features(criterion: &mut Criterion) {
    let (count, pairs) = (65_536, 64);
    let number = |i: usize| ((i * 7919 + 13) % 10_007) as f64 / 5003.5 - 1.0;
    let matrix = Array2::from_shape_fn((2, pairs), |(k, j)| 10.0 * number(k * pairs + j));
    let points = Array2::from_shape_fn((count, 2), |(i, k)| number(3 * i + k) as f32);
    let fourier = Fourier::new(&matrix).unwrap();
    let name = "random Fourier features, 65536 x 128, f32";
    let mut group = beside_fill(criterion, name, (count, 2 * pairs));
    group.row("exact", |out| encode(&fourier, &Positions::from_points(&points).unwrap(), out));
    let narrow = matrix.mapv(|b| b as f32);
    group.row("the plain loop", |out| {
        for (point, mut row) in points.rows().into_iter().zip(out.rows_mut()) {
            for j in 0..pairs {
                let turns = point[0] * narrow[[0, j]] + point[1] * narrow[[1, j]];
                let angle = core::f32::consts::TAU * turns;
                (row[j], row[pairs + j]) = (angle.sin(), angle.cos());
            }
        }
    });
}

fn timesteps(criterion: &mut Criterion) {
    let (count, dim) = (256, 320);
    let mut group = beside_fill(criterion, "256 timesteps x 320, f32", (count, dim));
    let encoding = Timestep::flipped(dim).encoding().unwrap();
    let times: Vec<f64> = (0..count).map(|i| i as f64 * 3.897).collect();
    group.row("stable diffusion", |out| encode(&encoding, &Positions::from(&times), out));
}
