//! Biases added to scores (heads, queries, keys), beside the in-place addition of a cached row to
//! the same memory.

use benches::{Group, run};
use criterion::Criterion;
use ndarray::{Array2, Array3};
use positional_encodings::{Alibi, AttentionBias, Element, T5Bias, add_bias};

const HEADS: usize = 32;

fn main() {
    run(&[long, decode_step]);
}

fn long(criterion: &mut Criterion) {
    of_shape::<f32>(criterion, "f32", 1024, 1024);
    of_shape::<half::bf16>(criterion, "bf16", 1024, 1024);
}

fn decode_step(criterion: &mut Criterion) {
    of_shape::<f32>(criterion, "f32", 1, 4096);
    of_shape::<half::bf16>(criterion, "bf16", 1, 4096);
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
