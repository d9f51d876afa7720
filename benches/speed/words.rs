//! What a model calls: positions added to a batch, and lookups of token ids.

use std::hint::black_box;

use criterion::Criterion;
use ndarray::{Array2, Array3, ArrayView2};
use positional_encodings::{PositionalEncoding, Sinusoidal, TokenEmbedding, add_positions};

use crate::beside::{Group, add_row, beside, group, paper, random, sets};

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
    beside(&mut group, "add a cached row", &mut words, floor, |group, words| {
        for (set, encoding) in sets(&paper(DIM)) {
            group.bench_function(set, |b| b.iter(|| add_positions(words.view_mut(), &encoding).unwrap()));
        }
    });
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
    group: &mut Group<'_>,
    name: &str,
    embedding: &TokenEmbedding<f32, E>,
    ids: &Array2<usize>,
    out: &mut Array3<f32>,
) {
    group.bench_function(name, |b| b.iter(|| embedding.lookup(black_box(ids)).embed_into(out.view_mut()).unwrap()));
}

fn lookups(criterion: &mut Criterion) {
    let mut group = group::<f32>(criterion, "lookup x 32 + position, ids (8, 1024), f32", VALUES);
    // Floor and lookups read the same table.
    let (ids, mut buffers) = (tokens(), (Some(vocabulary()), Array3::<f32>::zeros(SHAPE)));
    type Buffers = (Option<TokenEmbedding<f32, Sinusoidal>>, Array3<f32>);
    let floor = |(embedding, out): &mut Buffers| {
        let words = embedding.as_ref().unwrap().words();
        gather(words, black_box(ids.as_slice().unwrap()), out.as_slice_mut().unwrap());
    };
    beside(&mut group, "gather the rows", &mut buffers, floor, |group, (embedding, out)| {
        for (set, encoding) in sets(&paper(DIM)) {
            let forced = embedding.take().unwrap().with_positions(encoding).unwrap();
            lookup(group, set, embedding.insert(forced), &ids, out);
        }
        let with_segments = embedding.take().unwrap().with_segments(Array2::zeros((2, DIM))).unwrap();
        lookup(group, "best, and a segment", embedding.insert(with_segments), &ids, out);
    });
}
