//! Positions added to word vectors (8, 1024, 1024). All but this crate have a precomputed table.

use criterion::Criterion;
use ndarray::{Array2, Array3};
use peers::Memory;
use peers::check::Angles::{F32, F64};
use peers::work::{BATCH, DIM, LEN, Places, words};
use peers::{burn, candle, loops, ours};
use positional_encodings::{
    FeatureLayout, Pairing, PositionalEncoding, Positions, add_positions, embed_with_positions,
};

use crate::contest::Contest;

pub fn run(c: &mut Criterion, memory: Memory) {
    let places = Places { first: 0, len: LEN, dim: DIM, pairing: Pairing::Interleaved };
    let encoding = ours::sinusoid(DIM, FeatureLayout::Interleaved);
    let words = words();
    let mut contest = Contest::new(
        c,
        "add to (8, 1024, 1024)",
        memory,
        places,
        values(&embed_with_positions(&words, &encoding).unwrap()),
    );
    contest.floors();
    contest
        .in_place("this crate", F64, values, words.clone(), |words| {
            add_positions(words.view_mut(), &encoding).unwrap();
        })
        .allocating("this crate", F64, values, || embed_with_positions(&words, &encoding).unwrap());
    by_hand(&mut contest, &words);
    by_burn(&mut contest, &words);
    by_candle(&mut contest, &words);
}

fn values(words: &Array3<f32>) -> Vec<f32> {
    words.as_slice().unwrap().to_vec()
}

fn by_hand(contest: &mut Contest<'_>, words: &Array3<f32>) {
    let encoding = ours::sinusoid(DIM, FeatureLayout::Interleaved);
    let table: Array2<f32> = encoding.encode(&Positions::from(0..LEN)).unwrap();
    contest
        .in_place("loop, table ready", F64, values, words.clone(), |words| {
            loops::add(words.as_slice_mut().unwrap(), table.as_slice().unwrap());
        })
        .allocating("ndarray's words + table", F64, values, || words + &table);
}

fn by_burn(contest: &mut Contest<'_>, words: &Array3<f32>) {
    let encoding = burn::table();
    let words = burn::tensor(words.as_slice().unwrap(), [BATCH, LEN, DIM]);
    // burn adds in place if the tensor has no other handle. The tensor is copied for that, since a
    // clone shares its memory.
    let alone = burn::tensor(&burn::values(&words), [BATCH, LEN, DIM]);
    contest
        .in_place(
            "burn",
            F32,
            |words| burn::values(words.as_ref().unwrap()),
            Some(alone),
            |words| {
                *words = words.take().map(|words| encoding.forward(words));
            },
        )
        .allocating("burn", F32, burn::values, || encoding.forward(words.clone()));
}

fn by_candle(contest: &mut Contest<'_>, words: &Array3<f32>) {
    // candle's own table has another layout, which makes no difference to an addition.
    let encoding = ours::sinusoid(DIM, FeatureLayout::Interleaved);
    let table: Array2<f32> = encoding.encode(&Positions::from(0..LEN)).unwrap();
    let table = candle::tensor(table.as_slice().unwrap(), (LEN, DIM)).unwrap();
    let words = candle::tensor(words.as_slice().unwrap(), (BATCH, LEN, DIM)).unwrap();
    contest.allocating(
        "candle",
        F64,
        |sum| candle::values(sum).unwrap(),
        || words.broadcast_add(&table).unwrap(),
    );
}
