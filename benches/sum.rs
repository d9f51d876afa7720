//! Words and positions: added in place, into a new array, looked up from ids, and back to a
//! table's gradient.

use std::hint::black_box;

use benches::{Group, on_each_set, random, run};
use criterion::Criterion;
use ndarray::{Array2, Array3, ArrayView2, Axis};
use positional_encodings::training::backward_positions_at;
use positional_encodings::{
    Learned, PositionalEncoding, Positions, Sinusoidal, TokenEmbedding, add_positions,
    add_positions_at, embed_with_positions,
};

const DIM: usize = 1024;
/// The batch: sequences, positions, features.
const SHAPE: (usize, usize, usize) = (8, 1024, DIM);
const BYTES: usize = 4 * SHAPE.0 * SHAPE.1 * SHAPE.2;
const VOCABULARY: usize = 32_000;

fn main() {
    run(&[in_place, new_array, lookup, decode_step, gradient]);
}

fn paper() -> Sinusoidal {
    Sinusoidal::new(DIM).unwrap()
}

fn in_place(criterion: &mut Criterion) {
    // Adds the same row to all words while it is in cache.
    let row = [0.5_f32; DIM];
    let floor = |words: &mut Array3<f32>| {
        for words in words.as_slice_mut().unwrap().chunks_exact_mut(DIM) {
            words.iter_mut().zip(black_box(&row)).for_each(|(word, value)| *word += value);
        }
    };
    let (name, words) = ("add in place to (8, 1024, 1024), f32", Array3::zeros(SHAPE));
    let mut group = Group::new(criterion, name, BYTES, words, ("add a cached row", floor));
    for (set, encoding) in on_each_set(&paper()) {
        group.row(set, |words| add_positions(words.view_mut(), &encoding).unwrap());
    }
}

fn new_array(criterion: &mut Criterion) {
    let encoding = paper();
    let table: Array2<f32> = encoding.encode(&Positions::from(0..SHAPE.1)).unwrap();
    let floor = |words: &mut Array3<f32>| drop(black_box(&*words + &table));
    let (name, words) = ("a new array (8, 1024, 1024), f32", Array3::zeros(SHAPE));
    Group::new(criterion, name, BYTES, words, ("words + a precomputed table", floor)).row(
        "embed_with_positions",
        |words| {
            drop(black_box(embed_with_positions(&*words, &encoding).unwrap()));
        },
    );
}

/// Token ids (batch, len) from the whole vocabulary.
fn tokens() -> Array2<usize> {
    let ids = random(SHAPE.0 * SHAPE.1, VOCABULARY);
    Array2::from_shape_vec((SHAPE.0, SHAPE.1), ids).unwrap()
}

fn gather(table: ArrayView2<'_, f32>, ids: &Array2<usize>, out: &mut Array3<f32>) {
    let rows = out.as_slice_mut().unwrap().chunks_exact_mut(DIM);
    for (out, &id) in rows.zip(black_box(ids)) {
        out.copy_from_slice(table.row(id).as_slice().unwrap());
    }
}

fn lookup(criterion: &mut Criterion) {
    let (table, ids) = (Array2::from_elem((VOCABULARY, DIM), 0.25), tokens());
    let embedding = TokenEmbedding::new(table, paper()).unwrap().with_scale(32.0).unwrap();
    let floor = |out: &mut Array3<f32>| gather(embedding.words(), &ids, out);
    let (name, out) = ("lookup x 32 + position, ids (8, 1024), f32", Array3::zeros(SHAPE));
    Group::new(criterion, name, BYTES, out, ("gather the rows", floor)).row("embed_into", |out| {
        embedding.lookup(black_box(&ids)).embed_into(out.view_mut()).unwrap();
    });
}

fn decode_step(criterion: &mut Criterion) {
    let (encoding, mut position) = (paper(), 1000);
    let floor = |row: &mut Array2<f32>| *row += black_box(0.5);
    let (name, row) = ("decode step (1, 1024), f32", Array2::zeros((1, DIM)));
    Group::new(criterion, name, 4 * DIM, row, ("add a constant", floor)).row("add", |row| {
        position += 1;
        add_positions_at(row.view_mut(), &encoding, position..position + 1).unwrap();
    });
}

/// The gradient of a table by ids (8, 1024).
fn gradient(criterion: &mut Criterion) {
    let learned = Learned::from_table(Array2::<f32>::zeros((SHAPE.1, DIM))).unwrap();
    let upstream = Array3::from_shape_fn(SHAPE, |(b, i, j)| (b + i + j) as f32 * 1e-3);
    let ids = tokens().mapv(|id| (id % SHAPE.1) as i64);
    let floor = |gradient: &mut Array2<f32>| {
        for (upstream, ids) in upstream.axis_iter(Axis(0)).zip(ids.rows()) {
            for (upstream, &id) in upstream.rows().into_iter().zip(ids) {
                let mut row = gradient.row_mut(id as usize);
                let sum = row.as_slice_mut().unwrap().iter_mut();
                sum.zip(upstream.as_slice().unwrap()).for_each(|(sum, value)| *sum += value);
            }
        }
    };
    let (name, sum) = ("gradient of a table, ids (8, 1024), f32", Array2::zeros((SHAPE.1, DIM)));
    Group::new(criterion, name, BYTES, sum, ("add slices", floor)).row("backward", |gradient| {
        let gradient = gradient.as_slice_mut().unwrap();
        backward_positions_at(&upstream, &learned, &ids, gradient).unwrap();
    });
}
