//! Impossible calls return candle's error with this crate's message, and nothing is written.

use candle_core::{DType, Device, Module, Result, Tensor};
use positional_encodings::{Pairing, Positions, Sinusoidal};
use positional_encodings_candle::{
    LearnedPositions, PositionVectors, Rope, TokenEmbedding, to_array, to_positions,
};

use crate::{assert_error, assert_same, rotary, tensor};

#[test]
fn shapes_that_do_not_fit() -> Result<()> {
    let rope = Rope::new(rotary(8, Pairing::Halves));
    let list = rope.at(0..5)?;
    let batch = rope.at(&ndarray::array![[0, 1, 2], [1, 2, 3]])?;
    for (plan, shape, message) in [
        (&list, &[8][..], "axes"),
        (&list, &[], "axes"),
        (&list, &[2, 5, 7], "8"),
        (&list, &[2, 4, 8], "positions"),
        (&list, &[5, 2, 8], "positions"),
        (&list, &[0, 4, 8], "positions"),
        (&batch, &[3, 8], "axes"),
        (&batch, &[3, 1, 3, 8], "sequences on the first axis"),
        (&batch, &[2, 1, 4, 8], "positions"),
    ] {
        let q = tensor(shape, DType::F32)?;
        assert_error(plan.only().rope(&q), message);
        let before = q.copy()?;
        assert_error(plan.only().rope_inplace(&q), message);
        assert_same(&q, &before);
    }
    assert_error(list.only().rope_thd(&tensor(&[5, 8], DType::F32)?), "axes");
    assert_error(list.only().rope_thd(&tensor(&[1, 4, 5, 8], DType::F32)?), "positions");
    assert_error(list.only().rope_thd_inplace(&tensor(&[4, 5, 8], DType::F32)?), "positions");
    Ok(())
}

/// Packed tokens have no axis of sequences. With as many heads as sequences, and sequences as long
/// as the packed tokens, each head would be rotated as a sequence.
#[test]
fn rows_of_positions_and_packed_tokens() -> Result<()> {
    let plan = Rope::new(rotary(8, Pairing::Halves)).at(&ndarray::array![[0, 1], [5, 7]])?;
    let packed = tensor(&[2, 2, 8], DType::F32)?;
    let before = packed.copy()?;
    assert_error(plan.only().rope_thd(&packed), "3 axes where at least 4");
    assert_error(plan.only().rope_thd_inplace(&packed), "3 axes where at least 4");
    assert_same(&packed, &before);
    assert!(plan.only().rope_thd(&packed.unsqueeze(2)?).is_ok()); // a batch of one head
    Ok(())
}

#[test]
fn element_types_without_rotation() -> Result<()> {
    let plan = Rope::new(rotary(8, Pairing::Halves)).at(0..5)?;
    let positions = PositionVectors::new(Sinusoidal::new(8).unwrap());
    for dtype in [DType::U8, DType::U32, DType::I16, DType::I32, DType::I64, DType::F8E4M3] {
        let q = Tensor::zeros((5, 8), dtype, &Device::Cpu)?;
        assert_error(plan.only().rope(&q), "unsupported dtype");
        assert_error(plan.only().rope_inplace(&q), "unsupported dtype");
        assert_error(positions.forward_at(&q, 0..5), "unsupported dtype");
        assert_error(positions.add_inplace(&q, 0..5), "unsupported dtype");
        assert_error(positions.vectors(0..5, dtype, &Device::Cpu), "unsupported dtype");
    }
    Ok(())
}

#[test]
fn positions_that_cannot_be() {
    let rope = Rope::new(rotary(8, Pairing::Halves));
    assert_error(rope.at(&[f64::NAN]), "finite");
    assert_error(rope.at(&[i64::MAX]), "position");
    assert_error(rope.at(0..usize::MAX), "");
    assert_error(rope.at(0..1 << 60), "");
    assert_error(rope.at(Positions::grid(&[2, 2]).unwrap()), "ax");
    let dynamic = r#"{"model_type": "llama", "head_dim": 64, "max_position_embeddings": 2048,
        "rope_scaling": {"type": "dynamic", "factor": 2.0}}"#;
    assert_error(Rope::from_json(dynamic).unwrap().at(0..1 << 60), "");
}

/// Empty lists of positions give empty results, and a wrong number of positions is still an error.
#[test]
fn no_positions() -> Result<()> {
    let plan = Rope::new(rotary(8, Pairing::Halves)).at(7..7)?;
    let q = tensor(&[2, 0, 8], DType::BF16)?;
    assert_eq!(plan.only().rope(&q)?.dims(), [2, 0, 8]);
    plan.only().rope_inplace(&q)?;
    let positions = PositionVectors::new(Sinusoidal::new(8).unwrap());
    assert_eq!(positions.forward_at(&q, 7..7)?.dims(), [2, 0, 8]);
    positions.add_inplace(&q, 7..7)?;
    assert_error(positions.add_inplace(&q, 7..8), "positions");
    Ok(())
}

#[test]
fn layers_that_are_not() -> Result<()> {
    let config = |layers| format!(r#"{{"model_type": "gemma3_text", "head_dim": 8{layers}}}"#);
    let q = tensor(&[1, 2, 1, 8], DType::F32)?;
    let plan = Rope::from_json(&config(r#", "num_hidden_layers": 6"#))?.at(0..1)?;
    assert!(plan.layer(5).rope(&q).is_ok());
    assert_error(plan.layer(6).rope(&q), "6");
    assert_error(plan.layer(6).rope_inplace(&q), "6");
    assert_error(plan.layer(6).tables(&Device::Cpu), "6");
    assert_error(plan.layer_type("chunked_attention").rope(&q), "chunked_attention");
    assert_error(plan.only().rope(&q), "2");
    Ok(())
}

#[test]
fn files_that_cannot_be_read() {
    assert_error(Rope::from_config("no/such/config.json"), "no/such/config.json");
    assert_error(Rope::from_gguf("no/such/model.gguf"), "no/such/model.gguf");
    assert_error(Rope::from_json("{"), "");
    assert_error(Rope::from_json(r#"{"model_type": "qwen9"}"#), "qwen9");
}

#[test]
fn tables_without_a_row() -> Result<()> {
    let positions = LearnedPositions::new(tensor(&[4, 3], DType::F32)?)?;
    let words = tensor(&[2, 2, 3], DType::F32)?;
    assert_error(positions.forward_at(&words, 3..5), "position 4 is outside a table of 4 rows");
    assert_error(positions.forward_at(&words, &[0, -1]), "-1");
    assert_error(positions.forward_at(&words, &[0.0, 0.5]), "0.5");
    assert_error(positions.forward_at(&words, 0..3), "positions");
    assert_error(positions.forward(&tensor(&[2, 5, 3], DType::F32)?), "outside a table of 4 rows");
    assert_error(positions.forward_at(&words.to_dtype(DType::BF16)?, 0..2), "dtype mismatch");
    assert_error(positions.forward_at(&words, 0..usize::MAX), "");
    assert_error(positions.vectors(0..usize::MAX), "outside");
    assert_error(positions.forward_at(&tensor(&[2, 4], DType::F32)?, 0..2), "3");
    assert_error(positions.forward_at(&tensor(&[3], DType::F32)?, 0..1), "axes");
    let rows = ndarray::array![[0, 1], [1, 2], [2, 3]];
    assert_error(positions.forward_at(&words, &rows), "rows of positions");
    assert_error(positions.forward_at(&tensor(&[2, 3], DType::F32)?, &rows), "rows of positions");
    assert_error(LearnedPositions::new(tensor(&[4], DType::F32)?), "rank");
    assert_error(LearnedPositions::new(tensor(&[4, 0], DType::F32)?), "");
    assert_error(positions.clone().with_offset(5), "5");
    let embedding = TokenEmbedding::new(tensor(&[10, 3], DType::F32)?, positions)?;
    let ids = Tensor::new(&[1_u32, 10], &Device::Cpu)?;
    assert_error(embedding.forward_at(&ids, None, 0..2), "10");
    let ids = Tensor::new(&[1_u32, 9], &Device::Cpu)?;
    assert_error(embedding.forward_at(&ids, Some(&ids), 0..2), "segments");
    assert_error(embedding.forward_at(&ids.to_dtype(DType::F32)?, None, 0..2), "");
    assert_error(embedding.forward_at(&ids, None, 3..5), "position 4 is outside a table of 4 rows");
    assert_error(embedding.clone().with_segments(tensor(&[2, 4], DType::F32)?), "4");
    assert_error(embedding.with_scale(f64::NAN), "NaN");
    Ok(())
}

#[test]
fn arrays_and_ids_of_other_types() -> Result<()> {
    let ids = Tensor::zeros((2, 3), DType::U32, &Device::Cpu)?;
    assert_error(to_array::<f32>(&ids), "F32");
    assert_error(to_positions(&ids.unsqueeze(0)?.unsqueeze(0)?), "[1, 1, 2, 3]");
    assert_error(to_positions(&Tensor::new(1_u32, &Device::Cpu)?), "[]");
    assert_error(to_positions(&Tensor::zeros((0, 2, 3), DType::U32, &Device::Cpu)?), "[0, 2, 3]");
    Ok(())
}
