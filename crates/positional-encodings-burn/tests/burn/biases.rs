//! Biases equal those on arrays, as tensors and added to scores.

use burn::tensor::{DType, Device, Tensor, s};
use half::bf16;
use positional_encodings::{Alibi, AttentionBias, T5Bias, add_bias as add_to_array};
use positional_encodings_burn::{add_bias, bias_tensor, to_array};

use crate::{assert_panics, assert_same, tensor};

#[test]
fn as_a_tensor_and_added() {
    let alibi = Alibi::new(4).unwrap();
    let scores = tensor([2, 4, 3, 7], DType::BF16);
    let bias = bias_tensor::<bf16, _>(&alibi, 4..7, 0..7, &Device::flex());
    let expected = scores.clone() + bias.clone().unsqueeze();
    for scores in [scores.clone(), scores.autodiff()] {
        assert_same(&add_bias::<bf16, _, 4>(scores, &alibi, 4..7, 0..7), &expected);
    }
    let array = alibi.encode(&(4..7).into(), &(0..7).into()).unwrap();
    assert_eq!(to_array::<bf16, 3>(bias), array);
}

/// Sequences with their own positions, and scores that are a view.
#[test]
fn a_table_and_rows_of_a_batch() {
    let table = ndarray::Array2::from_shape_fn((32, 2), |(i, j)| (10 * i + j) as f64);
    let t5 = T5Bias::bidirectional(table, 128).unwrap();
    let positions = ndarray::array![[0, 1, 2], [0, 0, 1]];
    let view = tensor([2, 3, 3, 4], DType::F64).slice(s![.., 1..3, .., 1..4]);
    let mut expected = to_array::<f64, 4>(view.clone());
    add_to_array(expected.view_mut(), &t5, &positions, &positions).unwrap();
    for scores in [view.clone(), view.autodiff()] {
        let sum = add_bias::<f64, _, 4>(scores, &t5, &positions, &positions);
        assert_eq!(to_array::<f64, 4>(sum), expected);
    }
}

#[test]
fn what_does_not_fit() {
    let alibi = Alibi::new(4).unwrap();
    let scores = tensor([2, 4, 3, 7], DType::F32);
    let before = tensor([2, 4, 3, 7], DType::F32);
    for at in [scores.clone(), scores.clone().autodiff()] {
        let add = |alibi: &Alibi, keys| add_bias::<f32, _, 4>(at.clone(), alibi, 4..7, keys);
        assert_panics(|| add(&alibi, 0..6), "keys");
        assert_panics(|| add(&Alibi::new(3).unwrap(), 0..7), "heads");
        assert_panics(|| add_bias::<f64, _, 4>(at.clone(), &alibi, 4..7, 0..7), "F64");
        let nan = &[f64::NAN; 3];
        assert_panics(|| add_bias::<f32, _, 4>(at.clone(), &alibi, nan, 0..7), "finite");
        let flat: Tensor<2> = at.clone().reshape([24, 7]);
        assert_panics(|| add_bias::<f32, _, 2>(flat, &alibi, 4..7, 0..7), "axes");
    }
    let huge = || bias_tensor::<f32, _>(&alibi, 0..1 << 40, 0..1 << 40, &Device::flex());
    assert_panics(huge, "1099511627776");
    assert_same(&scores, &before);
}
