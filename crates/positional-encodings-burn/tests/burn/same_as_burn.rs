//! Rotations equal those on arrays, and burn's in its one convention.

use burn::tensor::{DType, Device, Tensor};
use burn_nn::RotaryEncodingConfig;
use half::{bf16, f16};
use positional_encodings::{Element, Pairing, Positions, Rotary};
use positional_encodings_burn::{RopeConfig, Stored, StoredFloat, to_array, to_tensor};

use crate::{DTYPES, PAIRINGS, assert_same, ropes, rotary, tensor};

/// Returns the rotation of an array as a tensor.
fn by_arrays(q: &Tensor<4>, rotary: &Rotary, positions: &Positions<'_>) -> Tensor<4> {
    fn typed<A: StoredFloat>(q: &Tensor<4>, rotary: &Rotary, at: &Positions<'_>) -> Tensor<4>
    where
        A::Angle: Element<Angle = A::Angle> + Stored,
    {
        let mut array = to_array::<A, 4>(q.clone());
        rotary.at::<A::Angle>(at).unwrap().apply(array.view_mut()).unwrap();
        to_tensor(array, &Device::flex())
    }
    match q.dtype() {
        DType::F32 => typed::<f32>(q, rotary, positions),
        DType::F64 => typed::<f64>(q, rotary, positions),
        DType::F16 => typed::<f16>(q, rotary, positions),
        DType::BF16 => typed::<bf16>(q, rotary, positions),
        other => panic!("{other:?}"),
    }
}

/// The kernel and burn's operations give the same bits.
#[test]
fn a_prompt_and_a_decode_step() {
    for (pairing, dtype) in PAIRINGS.into_iter().flat_map(|p| DTYPES.map(|d| (p, d))) {
        for (positions, dim) in [(0..33, 64), (4095..4096, 128), (1 << 40..(1 << 40) + 7, 6)] {
            let q = tensor([2, 3, positions.len(), dim], dtype);
            let rotary = rotary(dim, pairing);
            let expected = by_arrays(&q, &rotary, &Positions::from(positions.clone()));
            for rope in ropes(&rotary) {
                assert_same(&rope.forward(q.clone(), positions.clone()), &expected);
            }
        }
    }
}

#[test]
fn a_row_of_positions_for_each_sequence() {
    let ids = ndarray::array![[0, 0, 1, 2], [0, 1, 2, 3], [7, 1000, -5, 7]];
    for (pairing, dtype) in PAIRINGS.into_iter().flat_map(|p| DTYPES.map(|d| (p, d))) {
        let q = tensor([3, 2, 4, 32], dtype);
        let rotary = rotary(32, pairing);
        let expected = by_arrays(&q, &rotary, &Positions::from(&ids));
        for rope in ropes(&rotary) {
            assert_same(&rope.forward(q.clone(), &ids), &expected);
        }
    }
}

/// burn's angles are in f32, which is accurate at small positions.
#[test]
fn burns_one_convention() {
    let device = Device::flex();
    let theirs = RotaryEncodingConfig::new(64, 32).init(&device);
    let ours = RopeConfig::new(rotary(32, Pairing::Interleaved)).init(&device);
    let q = tensor([2, 3, 16, 32], DType::F32);
    for start in [0, 5, 48] {
        let difference =
            theirs.apply(q.clone(), start) - ours.forward(q.clone(), start..start + 16);
        let largest: f32 = difference.abs().max().into_scalar();
        assert!(largest < 2e-5, "{largest}");
    }
}
