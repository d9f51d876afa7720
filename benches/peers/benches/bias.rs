//! Biases made and added to scores (1, 32, 1024, 1024), and to those of a decode step.

use criterion::Criterion;
use ndarray::Array4;
use peers::Memory;
use peers::check::Angles::F32;
use peers::work::{HEADS, SCORES, bucket_table, scores};
use peers::{candle, ours};
use positional_encodings::{AttentionBias, Positions};

use crate::contest::Contest;

pub fn run(c: &mut Criterion, memory: Memory) {
    of_shape(c, SCORES[0], memory);
    if memory == Memory::New {
        of_shape(c, SCORES[1], Memory::Little);
    }
}

fn of_shape(c: &mut Criterion, [queries, keys]: [usize; 2], memory: Memory) {
    let table = bucket_table();
    let table = candle::tensor(table.as_slice().unwrap(), table.dim()).unwrap();
    let alone = || candle::t5_bias(&table, queries, keys).unwrap();
    one(c, "T5", [queries, keys], memory, &ours::t5(), &(0..keys).into(), &alone);
    let from_last: Vec<i64> = (1 - keys as i64..1).collect();
    let alone = || candle::alibi(keys).unwrap();
    one(c, "ALiBi", [queries, keys], memory, &ours::alibi(), &(&from_last).into(), &alone);
}

fn one(
    c: &mut Criterion,
    name: &str,
    [queries, keys]: [usize; 2],
    memory: Memory,
    bias: &dyn AttentionBias<f32>,
    positions: &Positions<'_>,
    by_candle: &dyn Fn() -> candle_core::Tensor,
) {
    let before = scores([queries, keys]);
    let add = |scores: &mut Array4<f32>| ours::add_bias(scores, bias, positions);
    let added = || ours::with_bias(&before, bias, positions);
    let work = format!("{name} made and added to ({HEADS}, {queries}, {keys})");
    let mut contest = Contest::new(c, &work, memory, None, values(&added()));
    contest.floors();
    contest.in_place("this crate", F32, values, before.clone(), add).allocating(
        "this crate",
        F32,
        values,
        added,
    );
    let shape = (1, HEADS, queries, keys);
    let scores = candle::tensor(before.as_slice().unwrap(), shape).unwrap();
    contest.allocating(
        "candle",
        F32,
        |sum| candle::values(sum).unwrap(),
        || scores.broadcast_add(&by_candle()).unwrap(),
    );
}

fn values(scores: &Array4<f32>) -> Vec<f32> {
    scores.as_slice().unwrap().to_vec()
}
