//! A sequence encoded in shards equals the whole sequence bit for bit, wherever it is divided.

use std::ops::Range;

use ndarray::{Array2, Array3, Axis, s};
use positional_encodings::{
    Element, FeatureLayout, Frequencies, Learned, OddDim, PositionalEncoding, Positions,
    Sinusoidal, add_positions_at, training::Scaled,
};
use proptest::prelude::*;

/// Large positions: beyond the integers of f32, beyond 2^40, and up to the largest ids in f64.
const STARTS: [usize; 5] = [0, 29, (1 << 24) - 1000, (1 << 40) + 17, (1 << 53) - 5000];

/// The words to which positions are added.
fn words<A: Element>(len: usize, dim: usize) -> Array2<A> {
    let word =
        |at: usize| A::from_f64((at / dim * 31 % 1009 + at % dim * 7 % 13) as f64 * 0.01 - 5.0);
    Array2::from_shape_vec((len, dim), (0..len * dim).map(word).collect()).unwrap()
}

/// Returns the result of one rank for its shard of the words, whose row 0 is at position `start`.
type Build<A> = fn(
    &dyn PositionalEncoding<A>,
    words: &Array2<A>,
    start: usize,
    rows: Range<usize>,
) -> Array2<A>;

fn encoded<A: Element>(
    encoding: &dyn PositionalEncoding<A>,
    _: &Array2<A>,
    start: usize,
    rows: Range<usize>,
) -> Array2<A> {
    encoding.encode(&Positions::from(start + rows.start..start + rows.end)).unwrap()
}

fn added<A: Element>(
    encoding: &dyn PositionalEncoding<A>,
    words: &Array2<A>,
    start: usize,
    rows: Range<usize>,
) -> Array2<A> {
    let mut sum = words.slice(s![rows.clone(), ..]).to_owned();
    encoding
        .add_to(&Positions::from(start + rows.start..start + rows.end), sum.view_mut())
        .unwrap();
    sum
}

/// Returns the same result by ids, which a rank with several documents uses.
fn added_at_ids<A: Element>(
    encoding: &dyn PositionalEncoding<A>,
    words: &Array2<A>,
    start: usize,
    rows: Range<usize>,
) -> Array2<A> {
    let ids: Vec<usize> = rows.clone().map(|row| start + row).collect();
    let mut sum = words.slice(s![rows, ..]).to_owned();
    encoding.add_to(&Positions::from(&ids), sum.view_mut()).unwrap();
    sum
}

/// Encodes two sequences at once and returns the second.
fn added_in_a_batch<A: Element>(
    encoding: &dyn PositionalEncoding<A>,
    words: &Array2<A>,
    start: usize,
    rows: Range<usize>,
) -> Array2<A> {
    let shard = words.slice(s![rows.clone(), ..]);
    let both = [shard.as_slice().unwrap(); 2].concat();
    let mut batch = Array3::from_shape_vec((2, rows.len(), encoding.dim()), both).unwrap();
    add_positions_at(batch.view_mut(), encoding, start + rows.start..start + rows.end).unwrap();
    batch.index_axis_move(Axis(0), 1)
}

/// Compares bit for bit: no value is NaN, and the signs of zeros count.
fn same_bits<A: Element>(values: &[A], expected: &[A]) -> bool {
    // A loop and not `all`: most of the time is spent here, and tests are not optimised.
    // Conversions of 16-bit values would take most of that time.
    for (value, expected) in values.iter().zip(expected) {
        let signs = || [value, expected].map(|zero| zero.to_f64().is_sign_negative());
        if value != expected || value.is_zero() && signs()[0] != signs()[1] {
            return false;
        }
    }
    values.len() == expected.len()
}

type Boxed<A> = Box<dyn PositionalEncoding<A>>;

fn encodings<A: Element>(dim: usize) -> [Boxed<A>; 4] {
    let sinusoid = Sinusoidal::new(dim).unwrap();
    let inclusive =
        Sinusoidal::from_frequencies(Frequencies::geometric_inclusive(dim, 500_000.0).unwrap());
    let odd = Sinusoidal::odd(dim - 1, OddDim::DropLast).unwrap().with_zero_position(33);
    [
        Box::new(inclusive.with_layout(FeatureLayout::SinCosHalves)),
        Box::new(odd),
        Box::new(Scaled::new(sinusoid.clone(), 0.3).unwrap()),
        Box::new(sinusoid),
    ]
}

fn check<A: Element>(
    encoding: &dyn PositionalEncoding<A>,
    start: usize,
    len: usize,
    shardings: &[Vec<usize>],
) {
    let builds: [(&str, Build<A>); 4] = [
        ("encode", encoded),
        ("add_to", added),
        ("add_to at ids", added_at_ids),
        ("in a batch", added_in_a_batch),
    ];
    let words = words(len, encoding.dim());
    for (name, build) in builds {
        let whole = build(encoding, &words, start, 0..len);
        for ends in shardings {
            // Encoded one by one, then placed side by side.
            let mut parts = Vec::new();
            for (first, &end) in [0].iter().chain(ends).zip(ends) {
                parts.extend_from_slice(
                    build(encoding, &words, start, *first..end).as_slice().unwrap(),
                );
            }
            let same = same_bits(&parts, whole.as_slice().unwrap());
            assert!(
                same,
                "{name}, dim {}, from {start}, shards that end at {ends:?}",
                encoding.dim()
            );
        }
    }
}

/// Every place to divide a sequence in two.
fn every_split<A: Element>() {
    const LEN: usize = 150;
    let splits: Vec<_> = (0..=LEN).map(|split| vec![split, LEN]).collect();
    for dim in [6, 66] {
        for (encoding, start) in
            encodings::<A>(dim).iter().flat_map(|encoding| STARTS.map(|start| (encoding, start)))
        {
            check(&**encoding, start, LEN, &splits);
        }
        check(&Learned::from_table(words::<A>(LEN, dim)).unwrap(), 0, LEN, &splits);
    }
}

#[test]
fn every_split_of_a_short_sequence_of_f32() {
    every_split::<f32>();
}

#[test]
fn every_split_of_a_short_sequence_of_f64() {
    every_split::<f64>();
}

#[test]
#[cfg(feature = "half")]
fn every_split_of_a_short_sequence_of_f16() {
    every_split::<half::f16>();
}

#[test]
#[cfg(feature = "half")]
fn every_split_of_a_short_sequence_of_bf16() {
    every_split::<half::bf16>();
}

/// Shards of `size` rows, the last one shorter.
fn blocks(len: usize, size: usize) -> Vec<usize> {
    (size..len).step_by(size).chain([len]).collect()
}

/// The shards of a stream, and those of ranks that share a sequence: n · len / ranks.
#[test]
fn blocks_and_ranks_of_a_long_sequence() {
    const LEN: usize = 4096;
    let ranks = |ranks: usize| (1..=ranks).map(|rank| rank * LEN / ranks).collect();
    let even = [1, 63, 64, 65, 1000].map(|size| blocks(LEN, size));
    let shared = [2, 3, 8, 17].map(ranks);
    let uneven = [vec![1, LEN], vec![LEN - 1, LEN], vec![0, 31, 32, 33, 33, 2048, LEN]];
    let shardings = [&even[..], &shared, &uneven].concat();
    for dim in [66, 128] {
        let sinusoid = Sinusoidal::new(dim).unwrap();
        for start in STARTS {
            check::<f32>(&sinusoid, start, LEN, &shardings);
        }
        check::<f64>(&sinusoid, 1 << 40, LEN, &shardings);
        #[cfg(feature = "half")]
        check::<half::bf16>(&sinusoid, 1 << 40, LEN, &shardings);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_sharding(
        cuts in prop::collection::vec(0..=4096_usize, 0..40),
        dim in prop::sample::select(vec![66, 128]),
        which in 0..4_usize,
        start in prop_oneof![0..100_000_usize, (1_usize << 40)..(1 << 41), (1_usize << 52)..(1 << 53)],
    ) {
        let mut ends = cuts;
        ends.push(4096);
        ends.sort_unstable();
        check::<f32>(&*encodings(dim)[which], start, 4096, std::slice::from_ref(&ends));
        check::<f64>(&*encodings(dim)[which], start, 4096, std::slice::from_ref(&ends));
        #[cfg(feature = "half")]
        check::<half::bf16>(&*encodings(dim)[which], start, 4096, &[ends]);
    }
}
