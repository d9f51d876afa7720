//! Rows of a learned table: a copy, an addition, BERT's sum of three.

use std::hint::black_box;

use criterion::Criterion;
use ndarray::{Array2, Array3};
use positional_encodings::{Learned, Positions, TokenEmbedding, add_positions};

use crate::beside::{Beside, add_row, encode, group};
use crate::words::{DIM, SHAPE, VALUES, VOCABULARY, gather, lookup, tokens};

const ROWS: usize = 8192;

pub fn all(criterion: &mut Criterion) {
    let learned = Learned::from_table(Array2::from_elem((ROWS, DIM), 0.25_f32)).unwrap();
    copies(criterion, &learned);
    additions(criterion, &learned);
    bert(criterion, learned);
}

fn copies(criterion: &mut Criterion, learned: &Learned<f32>) {
    let mut group = group::<f32>(criterion, "learned table 8192 x 1024, f32", ROWS * DIM);
    let mut out = Array2::<f32>::zeros((ROWS, DIM));
    let floor = |out: &mut Array2<f32>| {
        out.as_slice_mut().unwrap().copy_from_slice(black_box(learned.table().as_slice().unwrap()));
    };
    let shuffled: Vec<usize> = (0..ROWS).map(|i| i * 4099 % ROWS).collect();
    let mut beside = Beside::new(&mut group, "copy_from_slice", &mut out, floor);
    beside.row("a range", |out| encode(learned, &Positions::from(0..ROWS), out.view_mut()));
    beside.row("shuffled ids", |out| encode(learned, &Positions::from(&shuffled), out.view_mut()));
}

fn additions(criterion: &mut Criterion, learned: &Learned<f32>) {
    let mut group =
        group::<f32>(criterion, "learned: add in place to (8, 1024, 1024), f32", VALUES);
    let (mut words, row) = (Array3::<f32>::zeros(SHAPE), [0.5_f32; DIM]);
    let floor = |words: &mut Array3<f32>| add_row(words.as_slice_mut().unwrap(), black_box(&row));
    let mut beside = Beside::new(&mut group, "add a cached row", &mut words, floor);
    beside.row("0..1024", |words| add_positions(words.view_mut(), learned).unwrap());
}

fn bert(criterion: &mut Criterion, learned: Learned<f32>) {
    let mut group =
        group::<f32>(criterion, "learned: word + segment + position, ids (8, 1024), f32", VALUES);
    let (table, ids) = (Array2::<f32>::from_elem((VOCABULARY, DIM), 0.25), tokens());
    let bert = TokenEmbedding::new(table, learned)
        .unwrap()
        .with_segments(Array2::zeros((2, DIM)))
        .unwrap();
    let mut out = Array3::<f32>::zeros(SHAPE);
    let floor = |out: &mut Array3<f32>| {
        gather(bert.words(), black_box(ids.as_slice().unwrap()), out.as_slice_mut().unwrap());
    };
    let mut beside = Beside::new(&mut group, "gather the rows", &mut out, floor);
    beside.row("BERT's sum", |out| lookup(&bert, &ids, out));
}
