//! Rotations by tables of cosines and sines and burn's operations: on every backend, with the
//! gradients that autodiff derives.

use burn::tensor::{DType, FloatDType, Tensor};
use positional_encodings::{Pairing, Rotary};

use super::order::Order;

/// A rotation by tables whose shape fits the tensor.
pub(super) struct Tabled<'a> {
    /// Cosines and sines, each (rows, positions, pairs); there is one row where sequences share
    /// their positions.
    pub(super) cos_sin: [Tensor<3>; 2],
    pub(super) rotary: &'a Rotary,
    pub(super) order: Order,
}

impl Tabled<'_> {
    pub(super) fn rotated<const D: usize>(self, x: Tensor<D>) -> Tensor<D> {
        let (dtype, dims) = (x.dtype(), x.dims());
        let width = dims[D - 1];
        let features = self.rotary.rotated_features(width);
        let (Some(features), false) = (features, dims.contains(&0)) else { return x };
        // Arithmetic in 16 bits would round each product.
        let x = x.cast(if dtype == DType::F64 { FloatDType::F64 } else { FloatDType::F32 });
        let part = |from, to| x.clone().narrow(D - 1, from, to - from);
        let mut parts = vec![self.part(part(features.start, features.end))];
        if features.start > 0 {
            parts.insert(0, part(0, features.start));
        }
        if features.end < width {
            parts.push(part(features.end, width));
        }
        let rotated = if parts.len() == 1 { parts.remove(0) } else { Tensor::cat(parts, D - 1) };
        rotated.cast(FloatDType::from(dtype))
    }

    /// Rotates features that are all paired: (x, y) → (x·cos − y·sin, y·cos + x·sin).
    ///
    /// All layouts are reshaped to seven axes: (rows, sequences of a row, positions, heads, blocks,
    /// 2, pairs), or (…, pairs, 2) for neighbours.
    fn part<const D: usize>(self, x: Tensor<D>) -> Tensor<D> {
        let dims = x.dims();
        let (positions, heads) = match self.order {
            Order::HeadsFirst => (dims[D - 2], 1),
            Order::PositionsFirst => (dims[D - 3], dims[D - 2]),
        };
        let blocks = self.rotary.paired_blocks();
        let pairs = dims[D - 1] / blocks / 2;
        let rows = self.cos_sin[0].dims()[0];
        let sequences = dims.iter().product::<usize>() / (rows * positions * heads * dims[D - 1]);
        let neighbours = self.rotary.pairing() == Pairing::Interleaved;
        let last = |two| if neighbours { [pairs, two] } else { [two, pairs] };
        let (axis, [a, b], [one, two]) = (if neighbours { 6 } else { 5 }, last(2), last(1));

        let x_y: Tensor<7> = x.reshape([rows, sequences, positions, heads, blocks, a, b]);
        let [x, y] = [0, 1].map(|index| x_y.clone().narrow(axis, index, 1));
        let table = |table: Tensor<3>| table.reshape([rows, 1, positions, 1, blocks, one, two]);
        let [cos, sin] = self.cos_sin.map(table);
        let first = x.clone() * cos.clone() - y.clone() * sin.clone();
        let second = y * cos + x * sin;
        Tensor::cat(vec![first, second], axis).reshape(dims)
    }
}
