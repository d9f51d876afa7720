//! What a model calls: positions added to a batch, and lookups of token ids.

use std::hint::black_box;

use criterion::Criterion;
use ndarray::{Array2, Array3, ArrayView2};
use positional_encodings::{PositionalEncoding, Sinusoidal, TokenEmbedding, add_positions};

use crate::beside::{Beside, add_row, group, paper, random, sets};

pub const DIM: usize = 1024;
pub const VOCABULARY: usize = 32_000;
/// Of the batch: sequences, positions, features.
pub const SHAPE: (usize, usize, usize) = (8, 1024, DIM);
pub const VALUES: usize = SHAPE.0 * SHAPE.1 * SHAPE.2;

pub fn all(criterion: &mut Criterion) {
    additions(criterion);
    lookups(criterion);
}

fn additions(criterion: &mut Criterion) {
    let mut group = group::<f32>(criterion, "add in place to (8, 1024, 1024), f32", VALUES);
    let (mut words, row) = (Array3::<f32>::zeros(SHAPE), [0.5_f32; DIM]);
    let floor = |words: &mut Array3<f32>| add_row(words.as_slice_mut().unwrap(), black_box(&row));
    let mut beside = Beside::new(&mut group, "add a cached row", &mut words, floor);
    for (set, encoding) in sets(&paper(DIM)) {
        beside.row(set, |words| add_positions(words.view_mut(), &encoding).unwrap());
    }
}

/// Token ids (batch, len) from the whole vocabulary.
pub fn tokens() -> Array2<usize> {
    let ids: Vec<_> = random(SHAPE.0 * SHAPE.1, VOCABULARY as u64).map(|id| id as usize).collect();
    Array2::from_shape_vec((SHAPE.0, SHAPE.1), ids).unwrap()
}

/// The floor of a lookup.
pub fn gather(table: ArrayView2<'_, f32>, ids: &[usize], out: &mut [f32]) {
    for (out, &id) in out.chunks_exact_mut(DIM).zip(ids) {
        out.copy_from_slice(table.row(id).as_slice().unwrap());
    }
}

/// A vocabulary, its words scaled.
pub fn vocabulary() -> TokenEmbedding<f32, Sinusoidal> {
    let table = Array2::from_elem((VOCABULARY, DIM), 0.25);
    TokenEmbedding::new(table, paper(DIM)).unwrap().with_scale(32.0).unwrap()
}

/// A row of a lookup.
pub fn lookup<E: PositionalEncoding<f32>>(
    embedding: &TokenEmbedding<f32, E>,
    ids: &Array2<usize>,
    out: &mut Array3<f32>,
) {
    embedding.lookup(black_box(ids)).embed_into(out.view_mut()).unwrap();
}

fn lookups(criterion: &mut Criterion) {
    let mut group = group::<f32>(criterion, "lookup x 32 + position, ids (8, 1024), f32", VALUES);
    // Floor and lookups read the same table.
    struct Buffers {
        embedding: Option<TokenEmbedding<f32, Sinusoidal>>,
        out: Array3<f32>,
    }
    let ids = tokens();
    let floor = |Buffers { embedding, out }: &mut Buffers| {
        let words = embedding.as_ref().unwrap().words();
        gather(words, black_box(ids.as_slice().unwrap()), out.as_slice_mut().unwrap());
    };
    let row =
        |Buffers { embedding, out }: &mut Buffers| lookup(embedding.as_ref().unwrap(), &ids, out);
    let mut buffers = Buffers { embedding: Some(vocabulary()), out: Array3::zeros(SHAPE) };
    let mut beside = Beside::new(&mut group, "gather the rows", &mut buffers, floor);
    for (set, encoding) in sets(&paper(DIM)) {
        let embedding = &mut beside.buffer.embedding;
        *embedding = embedding.take().map(|embedding| embedding.with_positions(encoding).unwrap());
        beside.row(set, row);
    }
    let embedding = &mut beside.buffer.embedding;
    *embedding =
        embedding.take().map(|embedding| embedding.with_segments(Array2::zeros((2, DIM))).unwrap());
    beside.row("best, and a segment", row);
}
