//! Biases equal those on arrays, as tensors and in place.

use candle_core::{DType, Device, Result};
use half::{bf16, f16};
use positional_encodings::{Alibi, AttentionBias, T5Bias, add_bias};
use positional_encodings_candle::{Stored, add_bias_inplace, bias_tensor, to_array};

use crate::{assert_error, assert_same, tensor};

#[test]
fn as_a_tensor_and_in_place() -> Result<()> {
    let alibi = Alibi::new(4).unwrap();
    let scores = tensor(&[2, 4, 3, 7], DType::BF16)?;
    let bias = bias_tensor::<bf16, _>(&alibi, 4..7, 0..7, &Device::Cpu)?;
    let expected = scores.broadcast_add(&bias)?;
    add_bias_inplace::<bf16, _>(&scores, &alibi, 4..7, 0..7)?;
    assert_same(&scores, &expected);
    let array = alibi.encode(&(4..7).into(), &(0..7).into()).unwrap();
    assert_eq!(to_array::<bf16>(&bias)?, array.into_dyn());
    Ok(())
}

#[test]
fn every_element_type_and_views() -> Result<()> {
    fn check<A: Stored>() -> Result<()> {
        let alibi = Alibi::new(3).unwrap();
        let large = tensor(&[5, 4, 3, 9], A::DTYPE)?;
        for view in [large.permute((0, 2, 1, 3))?, large.permute((3, 2, 0, 1))?.narrow(3, 1, 3)?] {
            let (queries, keys) = (view.dim(2)?, view.dim(3)?);
            let bias = bias_tensor::<A, _>(&alibi, 0..queries, 0..keys, &Device::Cpu)?;
            let expected = view.broadcast_add(&bias)?;
            add_bias_inplace::<A, _>(&view, &alibi, 0..queries, 0..keys)?;
            assert_same(&view, &expected);
        }
        Ok(())
    }
    check::<f32>()?;
    check::<f64>()?;
    check::<f16>()?;
    check::<bf16>()
}

/// A table has one element type, which is inferred; a view is changed in place.
#[test]
fn a_table_and_rows_of_a_batch() -> Result<()> {
    let table = ndarray::Array2::from_shape_fn((32, 2), |(i, j)| (10 * i + j) as f64);
    let t5 = T5Bias::bidirectional(table, 128).unwrap();
    let positions = ndarray::array![[0, 1, 2], [0, 0, 1]];
    let large = tensor(&[2, 3, 3, 4], DType::F64)?;
    let mut expected = to_array::<f64>(&large.narrow(1, 1, 2)?.narrow(3, 1, 3)?)?;
    add_bias(expected.view_mut(), &t5, &positions, &positions).unwrap();
    let view = large.narrow(1, 1, 2)?.narrow(3, 1, 3)?;
    add_bias_inplace(&view, &t5, &positions, &positions)?;
    assert_eq!(to_array::<f64>(&view)?, expected);
    Ok(())
}

#[test]
fn what_does_not_fit_is_left_alone() -> Result<()> {
    let alibi = Alibi::new(4).unwrap();
    let scores = tensor(&[2, 4, 3, 7], DType::F32)?;
    let before = scores.copy()?;
    assert_error(add_bias_inplace::<f32, _>(&scores, &alibi, 4..7, 0..6), "keys");
    assert_error(add_bias_inplace::<f32, _>(&scores, &Alibi::new(3).unwrap(), 4..7, 0..7), "heads");
    assert_error(add_bias_inplace::<f64, _>(&scores, &alibi, 4..7, 0..7), "a bias of F64");
    assert_error(add_bias_inplace::<f32, _>(&scores, &alibi, &[f64::NAN; 3], 0..7), "finite");
    let wide = tensor(&[1, 4, 3, 7], DType::F32)?.broadcast_as((2, 4, 3, 7))?;
    assert_error(add_bias_inplace::<f32, _>(&wide, &alibi, 4..7, 0..7), "repeated elements");
    let tracked = candle_core::Var::from_tensor(&scores)?;
    assert_error(add_bias_inplace::<f32, _>(&tracked, &alibi, 4..7, 0..7), "gradients");
    let empty = tensor(&[2, 4, 0, 7], DType::F32)?;
    add_bias_inplace::<f32, _>(&empty, &alibi, 4..4, 0..7)?;
    assert_error(add_bias_inplace::<f32, _>(&empty, &alibi, 4..5, 0..7), "queries");
    assert_error(bias_tensor::<f32, _>(&alibi, 0..1 << 40, 0..1 << 40, &Device::Cpu), "");
    assert_same(&scores, &before);
    Ok(())
}
