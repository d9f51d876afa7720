//! This crate.

use ndarray::Array4;
use positional_encodings::bias::AlibiForm;
use positional_encodings::{
    Alibi, AttentionBias, FeatureLayout, Frequencies, Pairing, Positions, Rotary, Rotation,
    Sinusoidal, T5Bias, TokenEmbedding,
};

use crate::work::{BASE, DIM, FARTHEST, HEAD_DIM, HEADS, SCALE, bucket_table, vocabulary};

pub fn sinusoid(dim: usize, layout: FeatureLayout) -> Sinusoidal {
    Sinusoidal::new(dim).expect("an even dim").with_layout(layout)
}

pub fn rotary(pairing: Pairing) -> Rotary {
    Rotary::new(Frequencies::geometric(HEAD_DIM, BASE).expect("an even dim"), pairing)
}

pub fn rotation(pairing: Pairing, positions: std::ops::Range<usize>) -> Rotation<f32> {
    rotary(pairing).at(positions).expect("positions that are small")
}

pub fn embedding() -> TokenEmbedding<f32, Sinusoidal> {
    let positions = sinusoid(DIM, FeatureLayout::Interleaved);
    let embedding = TokenEmbedding::new(vocabulary(), positions).expect("the same dim");
    embedding.with_scale(f64::from(SCALE)).expect("a finite scale")
}

pub fn t5() -> T5Bias<f32> {
    T5Bias::bidirectional(bucket_table(), FARTHEST).expect("an even number of buckets")
}

/// MPT's bias, which all queries share.
pub fn alibi() -> Alibi {
    Alibi::new(HEADS).expect("some heads").with_form(AlibiForm::Keys)
}

/// Adds a bias to scores (1, heads, queries, keys): the queries are at the last positions.
pub fn add_bias(
    scores: &mut Array4<f32>,
    bias: &dyn AttentionBias<f32>,
    positions: &Positions<'_>,
) {
    let (keys, queries) = (positions.len(), scores.dim().2);
    let last = positions.slice(keys - queries..keys);
    positional_encodings::add_bias(scores.view_mut(), bias, &last, positions)
        .expect("positions of the scores");
}

/// Returns the sum of scores and a bias, in new memory.
pub fn with_bias(
    scores: &Array4<f32>,
    bias: &dyn AttentionBias<f32>,
    positions: &Positions<'_>,
) -> Array4<f32> {
    let mut sum = scores.clone();
    add_bias(&mut sum, bias, positions);
    sum
}
