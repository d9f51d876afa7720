//! Queries (1, 32, 2048, 128) rotated, and one decode step of them. All angles are precomputed.

use std::ops::Range;

use candle_nn::rotary_emb::{rope, rope_i};
use criterion::Criterion;
use ndarray::Array4;
use peers::Memory;
use peers::check::Angles::{F32, F64};
use peers::loops::Tables;
use peers::work::{HEAD_DIM, HEADS, POSITIONS, Places, STEP, queries};
use peers::{burn, candle, ours};
use positional_encodings::Pairing;

use crate::contest::Contest;

const LONG: Range<usize> = 0..POSITIONS;
const DECODE: Range<usize> = STEP..STEP + 1;

pub fn run(c: &mut Criterion, memory: Memory) {
    halves(c, "rotary (1, 32, 2048, 128), halves", memory, LONG);
    interleaved(c, "rotary (1, 32, 2048, 128), interleaved", memory, LONG);
    if memory == Memory::New {
        halves(c, "decode step (1, 32, 1, 128), halves", Memory::Little, DECODE);
        interleaved(c, "decode step (1, 32, 1, 128), interleaved", Memory::Little, DECODE);
    }
}

fn halves(c: &mut Criterion, work: &str, memory: Memory, positions: Range<usize>) {
    let q = queries(positions.len());
    let mut contest = contest(c, work, memory, Pairing::Halves, &positions);
    let tables = Tables::new(positions.clone(), HEAD_DIM);
    contest.in_place("loop", F32, values, q.clone(), |q| {
        tables.rotate_halves(q.as_slice_mut().unwrap())
    });
    by_candle(&mut contest, rope, &positions);
}

fn interleaved(c: &mut Criterion, work: &str, memory: Memory, positions: Range<usize>) {
    let q = queries(positions.len());
    let mut contest = contest(c, work, memory, Pairing::Interleaved, &positions);
    let tables = Tables::new(positions.clone(), HEAD_DIM);
    contest.in_place("loop", F32, values, q.clone(), |q| {
        tables.rotate_interleaved(q.as_slice_mut().unwrap())
    });
    by_candle(&mut contest, rope_i, &positions);
    by_burn(&mut contest, &positions);
}

/// Returns a contest in which this crate has been timed.
fn contest<'c>(
    c: &'c mut Criterion,
    work: &str,
    memory: Memory,
    pairing: Pairing,
    positions: &Range<usize>,
) -> Contest<'c> {
    let places = Places { first: positions.start, len: positions.len(), dim: HEAD_DIM, pairing };
    let (rotation, q) = (ours::rotation(pairing, positions.clone()), queries(positions.len()));
    let rotated = || rotation.applied(q.view()).unwrap();
    let mut contest = Contest::new(c, work, memory, places, values(&rotated()));
    contest.floors();
    contest
        .in_place("this crate", F64, values, q.clone(), |q| rotation.apply(q.view_mut()).unwrap())
        .allocating("this crate", F64, values, rotated);
    contest
}

fn values(q: &Array4<f32>) -> Vec<f32> {
    q.as_slice().unwrap().to_vec()
}

type Rope = fn(
    &candle_core::Tensor,
    &candle_core::Tensor,
    &candle_core::Tensor,
) -> candle_core::Result<candle_core::Tensor>;

fn by_candle(contest: &mut Contest<'_>, rope: Rope, positions: &Range<usize>) {
    let [sin, cos] = candle::sin_cos(positions.end, HEAD_DIM)
        .unwrap()
        .map(|table| table.narrow(0, positions.start, positions.len()).unwrap());
    let q = queries(positions.len());
    let q = candle::tensor(q.as_slice().unwrap(), (1, HEADS, positions.len(), HEAD_DIM)).unwrap();
    contest.allocating(
        "candle",
        F32,
        |q| candle::values(q).unwrap(),
        || rope(&q, &cos, &sin).unwrap(),
    );
}

fn by_burn(contest: &mut Contest<'_>, positions: &Range<usize>) {
    let rotary = burn::rotary(positions.end);
    let q = burn::tensor(
        queries(positions.len()).as_slice().unwrap(),
        [1, HEADS, positions.len(), HEAD_DIM],
    );
    contest.allocating("burn", F32, burn::values, || rotary.apply(q.clone(), positions.start));
}
