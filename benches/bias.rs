//! Biases added to scores (heads, queries, keys), beside the in-place addition of a cached row to
//! the same memory; and biases that read queries or keys.

use benches::{Group, run};
use criterion::Criterion;
use ndarray::{Array2, Array3};
use positional_encodings::bias::{
    ContentBias, DisentangledBias, LogBuckets, ShawBias, TransformerXlBias,
};
use positional_encodings::{Alibi, AttentionBias, Element, Positions, T5Bias, add_bias};

const HEADS: usize = 32;
/// The heads of biases that read queries or keys.
const CONTENT_HEADS: usize = 12;
/// The size of a head.
const DIM: usize = 64;
/// The number of Shaw's rows for distances of each sign.
const REACH: usize = 64;

fn main() {
    run(&[long, decode_step, long_content, content_decode_step]);
}

fn long(criterion: &mut Criterion) {
    of_shape::<f32>(criterion, "f32", 1024, 1024);
    of_shape::<half::bf16>(criterion, "bf16", 1024, 1024);
}

fn decode_step(criterion: &mut Criterion) {
    of_shape::<f32>(criterion, "f32", 1, 4096);
    of_shape::<half::bf16>(criterion, "bf16", 1, 4096);
}

fn long_content(criterion: &mut Criterion) {
    of_content(criterion, 256, 256);
}

fn content_decode_step(criterion: &mut Criterion) {
    of_content(criterion, 1, 4096);
}

fn of_shape<A: Element>(criterion: &mut Criterion, element: &str, queries: usize, keys: usize) {
    let name = format!("bias added to ({HEADS}, {queries}, {keys}), {element}");
    let scores = Array3::<A>::ones((HEADS, queries, keys));
    let row: Vec<A> = (0..keys).map(|key| A::from_f64(1.0 / (key + 1) as f64)).collect();
    let floor = |scores: &mut Array3<A>| {
        for scores in scores.as_slice_mut().unwrap().chunks_exact_mut(keys) {
            scores.iter_mut().zip(&row).for_each(|(score, bias)| *score = *score + *bias);
        }
    };
    let bytes = scores.len() * size_of::<A>();
    let table = Array2::from_shape_fn((32, HEADS), |(i, j)| A::from_f64((i * 7 + j) as f64 / 1e3));
    let at = keys - queries..keys;
    let alibi = Alibi::new(HEADS).unwrap();
    let biases: [(&str, Box<dyn AttentionBias<A>>); 2] =
        [("ALiBi", Box::new(alibi)), ("T5", Box::new(T5Bias::causal(table, 128).unwrap()))];
    let mut group = Group::new(criterion, &name, bytes, scores, ("a cached row, added", floor));
    for (name, bias) in biases {
        group.row(name, |scores| add_bias(scores.view_mut(), &bias, at.clone(), 0..keys).unwrap());
    }
}

fn value(i: usize) -> f32 {
    (i * 7919 % 1009) as f32 / 504.5 - 1.0
}

fn rows(heads: usize, entries: usize) -> Array3<f32> {
    Array3::from_shape_fn((heads, entries, DIM), |(h, i, j)| value((h * entries + i) * DIM + j))
}

/// Adds biases that read queries or keys, beside a plain loop over the rows of Shaw's table.
fn of_content(criterion: &mut Criterion, queries: usize, keys: usize) {
    let name = format!("bias of content ({CONTENT_HEADS}, {queries}, {keys}), dim {DIM}, f32");
    let (q, k) = (rows(CONTENT_HEADS, queries), rows(CONTENT_HEADS, keys));
    let table = rows(1, 2 * REACH + 1);
    let scores = Array3::<f32>::ones((CONTENT_HEADS, queries, keys));
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
    let shaw =
        ShawBias::shaw(table.index_axis(ndarray::Axis(0), 0).to_owned(), CONTENT_HEADS).unwrap();
    let none = || Array2::zeros((CONTENT_HEADS, DIM));
    // Distances query − key of all queries and keys.
    let (first, distances) = (1 - queries as i64, queries + keys - 1);
    let xl =
        TransformerXlBias::transformer_xl(rows(CONTENT_HEADS, distances), first, none(), none());
    let buckets = LogBuckets::new(256, 512).unwrap();
    let tables = || Some(rows(CONTENT_HEADS, 512));
    let deberta = DisentangledBias::disentangled(buckets, CONTENT_HEADS, tables(), tables());
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
