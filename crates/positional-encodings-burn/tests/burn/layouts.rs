//! Every layout gives the same result as its contiguous copy.

use burn::tensor::{DType, Device, Tensor, TensorData, s};
use positional_encodings::rotary::{AxialOrder, Sections};
use positional_encodings::{Pairing, Positions, Rotary};
use positional_encodings_burn::{Rope, to_array, to_tensor};

use crate::{DTYPES, PAIRINGS, assert_same, ropes, rotary, tensor, values};

/// Returns the same elements in memory of their own.
fn copy<const D: usize>(tensor: &Tensor<D>) -> Tensor<D> {
    let data = TensorData::new(values(tensor), tensor.dims());
    Tensor::from_data(data, (&Device::flex(), tensor.dtype()))
}

/// Views of a larger tensor, of shape (2, 3, 5, 8): with an offset, gaps and other strides.
fn views(dtype: DType) -> [Tensor<4>; 4] {
    let large = tensor([4, 7, 11, 24], dtype);
    [
        large.slice(s![1..3, 2..5, 3..8, 8..16]),
        tensor([2, 5, 3, 8], dtype).swap_dims(1, 2),
        tensor([8, 5, 3, 2], dtype).permute([3, 2, 1, 0]), // features apart
        tensor([1, 3, 1, 8], dtype).expand([2, 3, 5, 8]),
    ]
}

#[test]
fn views_of_every_type() {
    for (pairing, dtype) in PAIRINGS.into_iter().flat_map(|p| DTYPES.map(|d| (p, d))) {
        for rope in ropes(&rotary(8, pairing)) {
            for view in views(dtype) {
                let before = copy(&view);
                let expected = rope.forward(before.clone(), 2..7);
                assert_same(&rope.forward(view.clone(), 2..7), &expected);
                assert_same(&view, &before);
                assert_same(&rope.forward(view, 2..7), &expected);
            }
        }
    }
}

/// Shared tensors are copied: clones, and the rest of a view's memory, stay unchanged.
#[test]
fn nobody_sees_that_a_call_works_in_place() {
    let [rope, _] = ropes(&rotary(8, Pairing::Interleaved));
    let large = tensor([4, 9, 24], DType::F32);
    let before = copy(&large);
    let (clone, view) = (large.clone(), large.clone().slice(s![1..3, 2..5, 8..16]));
    let rotated = rope.forward(view, 1..4);
    assert_same(&rope.forward(large.slice(s![1..3, 2..5, 8..16]), 1..4), &rotated);
    assert_same(&clone, &before);
}

#[test]
fn the_only_handle_is_rotated_where_it_lies() {
    let [rope, _] = ropes(&rotary(8, Pairing::Halves));
    let address = |tensor: Tensor<3>| {
        let data = tensor.into_data();
        (data.as_slice::<f32>().unwrap().as_ptr() as usize, data)
    };
    let (place, data) = address(tensor([4, 3, 8], DType::F32));
    let again = Tensor::from_data(data, (&Device::flex(), DType::F32));
    assert_eq!(address(rope.forward(again, 0..3)).0, place, "it was copied");
}

#[test]
fn positions_before_heads_and_packed() {
    fn check<const D: usize>(rope: &Rope, shape: [usize; D], dtype: DType, at: Positions<'_>) {
        let q = tensor(shape, dtype);
        let plan = rope.at(at);
        let heads_first = plan.only().forward(q.clone().swap_dims(D - 3, D - 2));
        let rotated = plan.only().forward_positions_first(q);
        assert_same(&rotated, &heads_first.swap_dims(D - 3, D - 2));
    }
    for (pairing, dtype) in PAIRINGS.into_iter().flat_map(|p| DTYPES.map(|d| (p, d))) {
        for rope in ropes(&rotary(8, pairing)) {
            check(&rope, [2, 5, 3, 8], dtype, (0..5).into());
            check(&rope, [5, 3, 10], dtype, (&[0, 1, 0, 1, 2]).into()); // packed, and wider
            check(&rope, [2, 2, 5, 3, 8], dtype, (&[9, 8, 7, 6, 5]).into());
            check(&rope, [5, 1, 8], dtype, (0..5).into());
            let rows = ndarray::array![[0, 1, 2], [7, 5, 3]];
            check(&rope, [2, 3, 4, 8], dtype, (&rows).into());
            check(&rope, [2, 2, 3, 4, 8], dtype, (&rows).into());
        }
    }
}

/// Rotates each row by itself, as a tensor of its own.
#[test]
fn ranks_from_two_on() {
    fn check<const D: usize>(rope: &Rope, shape: [usize; D]) {
        let positions = [3, 1, 4];
        let q = tensor(shape, DType::F64);
        let rows = positions
            .iter()
            .enumerate()
            .map(|(index, position)| rope.forward(q.clone().narrow(D - 2, index, 1), &[*position]));
        assert_same(&rope.forward(q.clone(), &positions), &Tensor::cat(rows.collect(), D - 2));
    }
    for rope in ropes(&rotary(6, Pairing::Halves)) {
        check(&rope, [3, 6]);
        check(&rope, [2, 3, 6]);
        check(&rope, [2, 1, 3, 6]);
        check(&rope, [2, 1, 2, 3, 6]);
    }
}

#[test]
fn a_part_of_the_features() {
    for (rotary, range) in PAIRINGS.into_iter().flat_map(|pairing| {
        let rotary = rotary(8, pairing);
        [(rotary.clone(), 0..8), (rotary.on_last_features(), 12..20)]
    }) {
        for rope in ropes(&rotary) {
            let q = tensor([1, 2, 5, 20], DType::F32);
            let rotated = rope.forward(q.clone(), 10..15);
            let part = |x: &Tensor<4>| x.clone().slice(s![.., .., .., range.clone()]);
            assert_same(&part(&rotated), &rope.forward(part(&q), 10..15));
            let rest = if range.start == 0 { 8..20 } else { 0..12 };
            let rest = |x: &Tensor<4>| x.clone().slice(s![.., .., .., rest.clone()]);
            assert_same(&rest(&rotated), &rest(&q));
        }
    }
}

/// M-RoPE: a token with the same position on all axes is rotated as text.
#[test]
fn coordinates_on_several_axes() {
    let plain = rotary(16, Pairing::Halves);
    let video = plain.clone().with_sections(&[2, 3, 3], Sections::Chunked).unwrap();
    let q = tensor([1, 2, 4, 16], DType::F32);
    for (plain, video) in ropes(&plain).into_iter().zip(ropes(&video)) {
        let text = Positions::from_axes([&[5, 6, 7, 8]; 3]).unwrap();
        assert_same(&video.forward(q.clone(), text), &plain.forward(q.clone(), 5..9));
        let grid = [[0, 0, 0, 0], [0, 0, 1, 1], [0, 1, 0, 1]];
        let grid = Positions::from_axes(grid.each_ref()).unwrap();
        let rotated = video.forward(q.clone(), &grid);
        let token = |x: &Tensor<4>, index| x.clone().narrow(2, index, 1);
        // Nothing is rotated at the origin.
        assert_same(&token(&rotated, 0), &token(&q, 0));
        assert_ne!(values(&token(&rotated, 3)), values(&token(&q, 3)));
    }
}

/// Blocks with their own pairing, as in Gemma 4's vision tower.
#[test]
fn paired_blocks() {
    let rotary = Rotary::axial_2d(16, 100.0, AxialOrder::Gemma4).unwrap();
    let grid = Positions::grid(&[2, 3]).unwrap();
    let q = tensor([1, 2, 6, 16], DType::F64);
    let expected = rotary.at::<f64>(&grid).unwrap().applied(to_array::<f64, 4>(q.clone()).view());
    let expected = to_tensor(expected.unwrap(), &Device::flex());
    for rope in ropes(&rotary) {
        assert_same(&rope.forward(q.clone(), &grid), &expected);
    }
}
