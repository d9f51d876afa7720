//! Rotations of models, layer by layer.

use candle_core::quantized::gguf_file::{self, Value};
use candle_core::{DType, Device, Result};
use positional_encodings::{Frequencies, Pairing, Rotary, config::ModelRotary};
use positional_encodings_candle::Rope;

use crate::{assert_same, tensor};

const DYNAMIC: &str = r#"{"model_type": "llama", "head_dim": 64, "num_hidden_layers": 2,
    "max_position_embeddings": 32, "rope_scaling": {"type": "dynamic", "factor": 2.0}}"#;

#[test]
fn layers_of_several_types() -> Result<()> {
    let gemma3 = r#"{"model_type": "gemma3_text", "head_dim": 64, "num_hidden_layers": 6}"#;
    let rope = Rope::from_json(gemma3)?;
    let plan = rope.at(100..104)?;
    let q = tensor(&[1, 2, 4, 64], DType::F32)?;
    for layer in 0..6 {
        let base = if layer == 5 { 1e6 } else { 1e4 };
        let by_hand = Rotary::new(Frequencies::geometric(64, base).unwrap(), Pairing::Halves);
        let expected = Rope::new(by_hand).at(100..104)?.only().rope(&q)?;
        assert_same(&plan.layer(layer).rope(&q)?, &expected);
    }
    let local = plan.layer_type("sliding_attention").rope(&q)?;
    assert_same(&local, &plan.layer(0).rope(&q)?);
    Ok(())
}

#[test]
fn layers_without_positions() -> Result<()> {
    let smollm3 = r#"{"model_type": "smollm3", "head_dim": 64, "num_hidden_layers": 8}"#;
    let rope = Rope::from_json(smollm3)?;
    let plan = rope.at(0..4)?;
    let q = tensor(&[1, 2, 4, 64], DType::BF16)?;
    assert!(rope.rotary(3)?.is_none() && plan.layer(3).tables(&Device::Cpu)?.is_none());
    assert_same(&plan.layer(3).rope(&q)?, &q);
    let before = q.copy()?;
    plan.layer(3).rope_inplace(&q)?;
    assert_same(&q, &before);
    plan.layer(2).rope_inplace(&q)?;
    assert!(q.ne(&before)?.sum_all()?.to_scalar::<u8>()? > 0);
    Ok(())
}

/// The base grows with the length of the whole sequence, cache included.
#[test]
fn what_depends_on_the_length() -> Result<()> {
    let (rope, model) = (Rope::from_json(DYNAMIC)?, ModelRotary::from_json(DYNAMIC).unwrap());
    let q = tensor(&[1, 2, 1, 64], DType::F32)?;
    for past in [0, 31, 32, 100] {
        let rotaries = model.rotaries(past + 1).unwrap();
        let expected = Rope::new(rotaries.layer(0).unwrap().unwrap().clone());
        let expected = expected.at(past..past + 1)?.only().rope(&q)?;
        assert_same(&rope.at(past..past + 1)?.layer(0).rope(&q)?, &expected);
        assert_eq!(rope.fits(past + 1), past < 32);
    }
    Ok(())
}

/// A model with equal layers and an unknown number of them has any layer.
#[test]
fn nobody_says_how_many_layers() -> Result<()> {
    let config = r#"{"model_type": "mine", "head_dim": 64, "rope_theta": 1e6}"#;
    let model = ModelRotary::from_json_with_pairing(config, Pairing::Halves).unwrap();
    assert_eq!(model.layer_count(), None);
    let rope = Rope::from_model(model)?;
    let q = tensor(&[1, 2, 1, 64], DType::F32)?;
    let plan = rope.at(9..10)?;
    assert_same(&plan.layer(1000).rope(&q)?, &plan.only().rope(&q)?);
    Ok(())
}

#[test]
fn a_config_from_a_file() -> Result<()> {
    let path = std::env::temp_dir().join(format!("rope-{}.json", std::process::id()));
    std::fs::write(&path, DYNAMIC)?;
    let rope = Rope::from_config(&path);
    std::fs::write(&path, "{}")?;
    let error = Rope::from_config(&path).unwrap_err().to_string();
    std::fs::remove_file(&path)?;
    assert_eq!(rope?.rotary(1)?.unwrap().dim(), 64);
    assert!(error.contains("model_type") && error.contains(".json"), "{error}");
    Ok(())
}

/// A model and its plan may be shared among threads.
#[test]
fn threads_share_a_plan() -> Result<()> {
    let rope = Rope::from_json(DYNAMIC)?;
    let plan = rope.at(0..3)?;
    let q = tensor(&[1, 2, 3, 64], DType::F64)?;
    let expected = plan.layer(0).rope(&q)?;
    std::thread::scope(|scope| {
        for layer in 0..2 {
            let (plan, q, expected) = (&plan, &q, &expected);
            scope.spawn(move || assert_same(&plan.layer(layer).rope(q).unwrap(), expected));
        }
    });
    Ok(())
}

/// Metadata of a GGUF file, as candle writes it: its llama pairs neighbours.
#[test]
fn a_gguf_file() -> Result<()> {
    let number = |number| Value::U32(number);
    let metadata = [
        ("general.architecture", Value::String("llama".into())),
        ("llama.block_count", number(2)),
        ("llama.context_length", number(2048)),
        ("llama.embedding_length", number(256)),
        ("llama.attention.head_count", number(4)),
        ("llama.rope.dimension_count", number(64)),
        ("llama.rope.freq_base", Value::F32(500_000.0)),
    ];
    let metadata: Vec<(&str, &Value)> = metadata.iter().map(|(key, value)| (*key, value)).collect();
    let path = std::env::temp_dir().join(format!("rope-{}.gguf", std::process::id()));
    gguf_file::write(&mut std::fs::File::create(&path)?, &metadata, &[])?;
    let rope = Rope::from_gguf(&path);
    std::fs::remove_file(&path)?;
    let by_hand = Rotary::new(Frequencies::geometric(64, 500_000.0).unwrap(), Pairing::Interleaved);
    let q = tensor(&[1, 4, 3, 64], DType::F32)?;
    let expected = Rope::new(by_hand).at(7..10)?.only().rope(&q)?;
    assert_same(&rope?.at(7..10)?.layer(1).rope(&q)?, &expected);
    Ok(())
}
