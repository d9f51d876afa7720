//! The vectors of 8192 positions, 1024 wide.

use criterion::Criterion;
use ndarray::Array2;
use peers::Memory;
use peers::check::Angles::{F32, F64};
use peers::work::{DIM, Places, ROWS};
use peers::{burn, candle, loops, ours};
use positional_encodings::{FeatureLayout, Pairing, PositionalEncoding, Positions};

use crate::contest::Contest;

pub fn run(c: &mut Criterion, memory: Memory) {
    interleaved(c, memory);
    halves(c, memory);
}

fn interleaved(c: &mut Criterion, kind: Memory) {
    let mut contest = contest(
        c,
        kind,
        "table 8192 x 1024, interleaved",
        FeatureLayout::Interleaved,
        Pairing::Interleaved,
    );
    contest
        .in_place("loop of powf, sin, cos", F32, Vec::clone, zeros(), |out| {
            loops::table_naive(out, DIM)
        })
        .in_place("loop, hoisted frequencies", F32, Vec::clone, zeros(), |out| {
            loops::table_hoisted(out, DIM)
        })
        .allocating("burn", F32, |encoding| burn::values(&encoding.sinusoids), burn::table);
}

fn halves(c: &mut Criterion, kind: Memory) {
    let mut contest =
        contest(c, kind, "table 8192 x 1024, halves", FeatureLayout::SinCosHalves, Pairing::Halves);
    contest
        .in_place("loop, hoisted frequencies", F32, Vec::clone, zeros(), |out| {
            loops::table_hoisted_halves(out, DIM)
        })
        .allocating(
            "candle",
            F32,
            |table| candle::values(table).unwrap(),
            || candle::table(ROWS, DIM).unwrap(),
        );
}

fn zeros() -> Vec<f32> {
    vec![0.0; ROWS * DIM]
}

/// Returns a contest in which this crate has been timed.
fn contest<'c>(
    c: &'c mut Criterion,
    kind: Memory,
    work: &str,
    layout: FeatureLayout,
    pairing: Pairing,
) -> Contest<'c> {
    let places = Places { first: 0, len: ROWS, dim: DIM, pairing };
    let (encoding, positions) = (ours::sinusoid(DIM, layout), Positions::from(0..ROWS));
    let encode = || -> Array2<f32> { encoding.encode(&positions).unwrap() };
    let mut contest = Contest::new(c, work, kind, places, values(&encode()));
    contest.floors();
    contest
        .in_place("this crate", F64, values, Array2::zeros((ROWS, DIM)), |out| {
            encoding.encode_into(&positions, out.view_mut()).unwrap();
        })
        .allocating("this crate", F64, values, encode);
    contest
}

fn values(table: &Array2<f32>) -> Vec<f32> {
    table.as_slice().unwrap().to_vec()
}
