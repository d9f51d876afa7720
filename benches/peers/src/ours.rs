//! This crate.

use positional_encodings::{
    FeatureLayout, Frequencies, Pairing, Rotary, Rotation, Sinusoidal, TokenEmbedding,
};

use crate::work::{BASE, DIM, HEAD_DIM, SCALE, vocabulary};

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
