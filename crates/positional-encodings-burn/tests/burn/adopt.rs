//! The facts and the code in `docs/adopt.md` about burn's own modules.

use burn::tensor::{DType, Device, Tensor, s};
use burn_nn::{PositionalEncodingConfig, RotaryEncodingConfig};
use positional_encodings::Pairing;
use positional_encodings_burn::RopeConfig;

use crate::{assert_panics, assert_same, ropes, rotary, tensor, values};

/// burn's angles in f32 change the cosines of a window at position 10⁶.
#[test]
fn angles_in_f32_drift() {
    let (start, len, dim) = (1_000_000, 16, 128);
    let mut theirs = RotaryEncodingConfig::new(len, dim).init(&Device::flex());
    theirs.shift(start);
    let theirs = theirs.freq_complex.slice(s![.., 0..;2, 0]).reshape([1, len, dim / 2]);
    let [ours, _] = ropes(&rotary(dim, Pairing::Interleaved));
    let [exact, _] = ours.at(start..start + len).only().tables().unwrap();
    let error: f32 = (theirs - exact).abs().max().into_scalar();
    assert!((0.055..0.065).contains(&error), "{error}");
}

/// With one row of its table left, burn's rotation uses it for all tokens.
#[test]
fn the_last_row_is_for_all() {
    let theirs = RotaryEncodingConfig::new(8, 4).init(&Device::flex());
    let q = tensor([1, 3, 4], DType::F32);
    let past_the_end = theirs.apply(q.clone(), 7);
    let each = (0..3).map(|token| theirs.apply(q.clone().narrow(1, token, 1), 7)).collect();
    assert_same(&past_the_end, &Tensor::cat(each, 1));
    let [ours, _] = ropes(&rotary(4, Pairing::Interleaved));
    let at_seven = values(&ours.forward(q.clone(), &[7, 7, 7]));
    assert!(values(&past_the_end).iter().zip(&at_seven).all(|(a, b)| (a - b).abs() < 1e-5));
    assert_ne!(values(&ours.forward(q, 7..10)), at_seven);
}

/// burn's rotation rotates all features or none, and its sinusoid needs a base above its length.
#[test]
fn what_it_refuses() {
    let theirs = RotaryEncodingConfig::new(8, 4).init(&Device::flex());
    assert_panics(|| theirs.forward(tensor([1, 3, 6], DType::F32)), "axis 2 expected 4, got 6");
    let long = PositionalEncodingConfig::new(4).with_max_sequence_size(10_001);
    assert_panics(|| long.init(&Device::flex()), "max_timescale must be greater");
}

/// The code of the document.
#[test]
fn instead_of_rotary_encoding() -> Result<(), positional_encodings::Error> {
    let device = Device::flex();
    let config = r#"{"model_type": "phi", "hidden_size": 2560, "num_attention_heads": 32,
        "partial_rotary_factor": 0.4}"#;

    let rope = RopeConfig::from_json(config)?.init(&device);
    let q = Tensor::<4>::ones([1, 32, 1, 80], &device);
    let q = rope.forward(q, 1_000_000..1_000_001);

    assert_eq!(q.dims(), [1, 32, 1, 80]);
    assert_eq!(rope.rotary(0)?.unwrap().dim(), 32);
    Ok(())
}
