//! Biases that read queries or keys, added to scores (heads, queries, keys), beside a plain loop over
//! the rows of Shaw's table in f32.

use benches::{Group, run};
use criterion::Criterion;
use ndarray::{Array2, Array3};
use positional_encodings::Positions;
use positional_encodings::bias::{
    ContentBias, DisentangledBias, LogBuckets, ShawBias, TransformerXlBias,
};

const HEADS: usize = 12;
const DIM: usize = 64;
/// The number of Shaw's rows for distances of each sign.
const REACH: usize = 64;

fn main() {
    run(&[long, decode_step]);
}

fn long(criterion: &mut Criterion) {
    of_shape(criterion, 256, 256);
}

fn decode_step(criterion: &mut Criterion) {
    of_shape(criterion, 1, 4096);
}

fn value(i: usize) -> f32 {
    (i * 7919 % 1009) as f32 / 504.5 - 1.0
}

fn rows(heads: usize, entries: usize) -> Array3<f32> {
    Array3::from_shape_fn((heads, entries, DIM), |(h, i, j)| value((h * entries + i) * DIM + j))
}

fn of_shape(criterion: &mut Criterion, queries: usize, keys: usize) {
    let name = format!("bias of content ({HEADS}, {queries}, {keys}), dim {DIM}, f32");
    let (q, k) = (rows(HEADS, queries), rows(HEADS, keys));
    let table = rows(1, 2 * REACH + 1);
    let scores = Array3::<f32>::ones((HEADS, queries, keys));
    let bytes = scores.len() * size_of::<f32>();
    let at = |query: usize, key: usize| {
        let distance = key as isize - (keys - queries + query) as isize;
        (distance.clamp(-(REACH as isize), REACH as isize) + REACH as isize) as usize
    };
    let floor = |scores: &mut Array3<f32>| {
        for ((head, query, key), score) in scores.indexed_iter_mut() {
            let (q, row) = (q.slice(ndarray::s![head, query, ..]), at(query, key));
            *score += q.dot(&table.slice(ndarray::s![0, row, ..])) / (DIM as f32).sqrt();
        }
    };
    let shaw = ShawBias::shaw(table.index_axis(ndarray::Axis(0), 0).to_owned(), HEADS).unwrap();
    let none = || Array2::zeros((HEADS, DIM));
    // Distances query − key of all queries and keys.
    let (first, distances) = (1 - queries as i64, queries + keys - 1);
    let xl = TransformerXlBias::transformer_xl(rows(HEADS, distances), first, none(), none());
    let buckets = LogBuckets::new(256, 512).unwrap();
    let tables = || Some(rows(HEADS, 512));
    let deberta = DisentangledBias::disentangled(buckets, HEADS, tables(), tables());
    let biases: [(&str, Box<dyn ContentBias<f32>>); 3] = [
        ("Shaw", Box::new(shaw)),
        ("Transformer-XL", Box::new(xl.unwrap())),
        ("DeBERTa", Box::new(deberta.unwrap())),
    ];
    let (of_queries, of_keys) = (Positions::from(keys - queries..keys), Positions::from(0..keys));
    let mut group = Group::new(criterion, &name, bytes, scores, ("Shaw, a plain loop", floor));
    for (name, bias) in biases {
        group.row(name, |scores| {
            bias.add_to(q.view(), k.view(), &of_queries, &of_keys, scores.view_mut()).unwrap();
        });
    }
}
