//! This crate.

use positional_encodings::bias::AlibiForm;
use positional_encodings::{
    Alibi, FeatureLayout, Frequencies, Pairing, Rotary, Rotation, Sinusoidal, T5Bias,
    TokenEmbedding,
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

/// MPT's: all queries share it.
pub fn alibi() -> Alibi {
    Alibi::new(HEADS).expect("some heads").with_form(AlibiForm::Keys)
}
