//! Position vectors, learned tables and token embeddings equal those on arrays.

use candle_core::{DType, Device, IndexOp, Module, Result, Tensor};
use candle_nn::{Optimizer, SGD, VarBuilder, VarMap};
use positional_encodings::{Learned, Sinusoidal, embed_with_positions_at};
use positional_encodings_candle::{
    LearnedPositions, PositionVectors, TokenEmbedding, to_array, to_tensor,
};

use crate::{DTYPES, assert_same, tensor, values};

fn sinusoidal(dim: usize) -> PositionVectors<Sinusoidal> {
    PositionVectors::new(Sinusoidal::new(dim).unwrap())
}

#[test]
fn sums_are_those_of_the_arrays() -> Result<()> {
    let ids = ndarray::array![[0_i64, 5, 9], [4095, 4096, 4097]];
    let words = tensor(&[2, 3, 10], DType::F32)?;
    let array = to_array::<f32>(&words)?;
    let encoding = Sinusoidal::new(10).unwrap();
    let expected = embed_with_positions_at(&array, &encoding, &ids).unwrap();
    let sum = sinusoidal(10).forward_at(&words, &ids)?;
    assert_eq!(to_array::<f32>(&sum)?, expected);
    sinusoidal(10).add_inplace(&words, &ids)?;
    assert_same(&words, &sum);
    Ok(())
}

/// Addition of vectors on a device by candle gives the same bits.
#[test]
fn in_one_pass_and_in_two() -> Result<()> {
    for dtype in DTYPES {
        let large = tensor(&[4, 9, 20], dtype)?;
        let views = [large.i((1..3, 2..5, 4..14))?, tensor(&[2, 10, 3], dtype)?.transpose(1, 2)?];
        for words in views {
            let vectors = sinusoidal(10).vectors(7..10, dtype, &Device::Cpu)?;
            let expected = words.broadcast_add(&vectors)?;
            assert_same(&sinusoidal(10).forward_at(&words, 7..10)?, &expected);
            sinusoidal(10).add_inplace(&words, 7..10)?;
            assert_same(&words, &expected);
        }
    }
    let batch = sinusoidal(10).vectors(&ndarray::array![[1], [2]], DType::F64, &Device::Cpu)?;
    assert_eq!(batch.dims(), [2, 1, 10]);
    let words = tensor(&[5, 10], DType::F64)?;
    assert_same(&sinusoidal(10).forward(&words)?, &sinusoidal(10).forward_at(&words, 0..5)?);
    Ok(())
}

#[test]
fn a_learned_table_is_looked_up() -> Result<()> {
    let table = to_array::<f32>(&tensor(&[9, 4], DType::F32)?)?.into_dimensionality().unwrap();
    let learned = Learned::from_table(table).unwrap().with_offset(2).unwrap();
    let (positions, _) = LearnedPositions::from_learned(&learned, &Device::Cpu)?;
    assert_eq!(positions.max_len(), 7);
    let ids = ndarray::array![[0_i64, 6, -2], [1, 1, 3]];
    for shape in [&[2, 3, 4][..], &[2, 1, 3, 4], &[1, 2, 3, 4]] {
        let words = tensor(shape, DType::F32)?;
        let expected = embed_with_positions_at(&to_array::<f32>(&words)?, &learned, &ids).unwrap();
        assert_eq!(to_array::<f32>(&positions.forward_at(&words, &ids)?)?, expected);
    }
    let words = tensor(&[2, 3, 4], DType::F32)?;
    let shared = embed_with_positions_at(&to_array::<f32>(&words)?, &learned, 0..3).unwrap();
    assert_eq!(to_array::<f32>(&positions.forward(&words)?)?, shared);
    assert_eq!(positions.to_learned::<f32>()?, learned);
    Ok(())
}

/// Each use of a row adds to its gradient, and unused rows do not change.
#[test]
fn an_optimiser_trains_it() -> Result<()> {
    let vars = VarMap::new();
    let vb = VarBuilder::from_varmap(&vars, DType::F64, &Device::Cpu);
    let positions = LearnedPositions::load(4, 2, vb)?;
    let before = positions.table().copy()?;
    let words = Tensor::zeros((1, 3, 2), DType::F64, &Device::Cpu)?;
    let loss = positions.forward_at(&words, &[0, 2, 2])?.sum_all()?;
    SGD::new(vars.all_vars(), 0.25)?.backward_step(&loss)?;
    let moved = values(&(before - positions.table())?)?;
    let expected = [0.25, 0.25, 0.0, 0.0, 0.5, 0.5, 0.0, 0.0];
    assert!(moved.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-15), "{moved:?}");
    Ok(())
}

#[test]
fn tokens_and_segments() -> Result<()> {
    let [words, segments] = [10, 2].map(|rows| tensor(&[rows, 6], DType::F32).unwrap());
    let array = |table: &Tensor| to_array::<f32>(table).unwrap().into_dimensionality().unwrap();
    let sinusoid = Sinusoidal::new(6).unwrap();
    let ours = positional_encodings::TokenEmbedding::new(array(&words), sinusoid.clone()).unwrap();
    let ours = ours.with_segments(array(&segments)).unwrap().with_scale(6_f64.sqrt()).unwrap();
    let embedding = TokenEmbedding::new(words, PositionVectors::new(sinusoid))?;
    let embedding = embedding.with_segments(segments)?.with_scale(6_f64.sqrt())?;

    let (ids, kinds) = (ndarray::array![[1_u32, 9, 0]], ndarray::array![[0_u32, 1, 1]]);
    let tensors = [&ids, &kinds].map(|ids| to_tensor(ids, &Device::Cpu).unwrap());
    let expected = ours.lookup(&ids).with_segments(&kinds).at(5..8).embed().unwrap();
    let sum = embedding.forward_at(&tensors[0], Some(&tensors[1]), 5..8)?;
    assert_eq!(to_array::<f32>(&sum)?, expected.into_dyn());
    let expected = ours.embed(&ids).unwrap();
    assert_eq!(to_array::<f32>(&embedding.forward(&tensors[0])?)?, expected.into_dyn());
    Ok(())
}
