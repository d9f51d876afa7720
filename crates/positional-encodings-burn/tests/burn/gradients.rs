//! Gradients exist and are right.

use burn::tensor::{DType, Device, Tensor};
use positional_encodings::{Alibi, Frequencies, Pairing, Rotary, Sinusoidal};
use positional_encodings_burn::{LayerRope, PositionVectors, RopeConfig, add_bias};

use crate::{DTYPES, PAIRINGS, assert_same, rotary, tensor, values};

/// A loss whose gradient differs from feature to feature: Σ wᵢ·yᵢ + yᵢ²/2.
fn loss<const D: usize>(y: Tensor<D>) -> Tensor<1> {
    let weights = tensor(y.dims(), y.dtype()) * 1.5 + 0.25;
    (y.clone() * weights + y.square() * 0.5).sum()
}

fn gradient<const D: usize>(x: Tensor<D>, f: impl Fn(Tensor<D>) -> Tensor<D>) -> Tensor<D> {
    let x = x.autodiff().require_grad();
    let gradients = loss(f(x.clone())).backward();
    x.grad(&gradients).expect("a gradient")
}

#[test]
fn finite_differences() {
    type Apply = fn(LayerRope<'_>, Tensor<4>) -> Tensor<4>;
    let calls: [Apply; 2] = [|by, x| by.forward(x), |by, x| by.forward_positions_first(x)];
    for (pairing, call) in PAIRINGS.into_iter().flat_map(|p| calls.map(|c| (p, c))) {
        // A part of the features, with an attention factor
        let frequencies = Frequencies::geometric(4, 100.0).unwrap();
        let frequencies = frequencies.with_attention_factor(1.25).unwrap();
        let rope = RopeConfig::new(Rotary::new(frequencies, pairing)).init(&Device::flex());
        let plan = rope.at(5..8);
        let x = tensor([1, 3, 3, 6], DType::F64);
        let gradient = values(&gradient(x.clone(), |x| call(plan.only(), x)));
        let at = values(&x);
        for index in 0..at.len() {
            let moved = |by: f64| -> f64 {
                let mut at = at.clone();
                at[index] += by;
                let data = burn::tensor::TensorData::new(at, [1, 3, 3, 6]);
                let x = Tensor::from_data(data, (&Device::flex(), DType::F64));
                loss(call(plan.only(), x)).into_scalar()
            };
            let slope = (moved(1e-5) - moved(-1e-5)) / 2e-5;
            assert!((slope - gradient[index]).abs() < 1e-8, "{slope} {}", gradient[index]);
        }
    }
}

/// The gradient of a weighted sum is the weights, rotated back, to the last bit.
#[test]
fn the_rotation_back() {
    for (pairing, dtype) in PAIRINGS.into_iter().flat_map(|p| DTYPES.map(|d| (p, d))) {
        let rope = RopeConfig::new(rotary(16, pairing)).init(&Device::flex());
        let x = tensor([2, 3, 7, 16], dtype).autodiff().require_grad();
        let upstream = tensor([2, 3, 7, 16], dtype);
        let loss = (rope.forward(x.clone(), 4..11) * upstream.clone()).sum();
        let gradient = x.grad(&loss.backward()).unwrap();
        let back: Vec<i64> = (4..11).map(|position| -position).collect();
        assert_same(&gradient, &rope.forward(upstream, &back));
    }
}

#[test]
fn views_and_packed_tokens() {
    for dtype in DTYPES {
        let rope = RopeConfig::new(rotary(8, Pairing::Halves)).init(&Device::flex().autodiff());
        let turned = gradient(tensor([2, 5, 3, 8], dtype), |x| {
            rope.forward(x.swap_dims(1, 2), 1..6).swap_dims(1, 2)
        });
        let first =
            gradient(tensor([2, 5, 3, 8], dtype), |x| rope.forward_positions_first(x, 1..6));
        assert_same(&turned, &first);
    }
}

#[test]
fn vectors_and_biases_let_it_through() {
    let upstream = tensor([2, 3, 8], DType::F32);
    let passes = |y: &dyn Fn(Tensor<3>) -> Tensor<3>| {
        let x = tensor([2, 3, 8], DType::F32).autodiff().require_grad();
        let loss = (y(x.clone()) * upstream.clone()).sum();
        assert_same(&x.grad(&loss.backward()).unwrap(), &upstream);
    };
    let positions = PositionVectors::new(Sinusoidal::new(8).unwrap());
    passes(&|x| positions.forward_at(x, 4..7));
    let alibi = Alibi::new(2).unwrap();
    passes(&|x| add_bias::<f32, _, 3>(x, &alibi, 5..8, 0..8));
}
