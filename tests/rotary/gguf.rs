//! GGUF metadata, as llama.cpp reads them (llama_model_base::load_hparams and llama_model_rope_type).

use positional_encodings::config::{Metadata, RotarySpec, Scaling};
use positional_encodings::{ConfigProblem, Error, Pairing, Sections};

#[track_caller]
fn near(found: f64, expected: f64) {
    assert!((found - expected).abs() <= 4e-9 * expected.abs(), "{found} instead of {expected}");
}

#[test]
fn gguf() {
    let qwen3: Vec<(String, Metadata)> = vec![
        ("general.architecture".into(), "qwen3".into()),
        ("qwen3.embedding_length".into(), 4096_u32.into()),
        ("qwen3.attention.head_count".into(), 32_u32.into()),
        ("qwen3.attention.key_length".into(), 128_u32.into()),
        ("qwen3.rope.freq_base".into(), 1e6_f32.into()),
        ("qwen3.rope.scaling.type".into(), "yarn".into()),
        ("qwen3.rope.scaling.factor".into(), 4_f32.into()),
        ("qwen3.rope.scaling.original_context_length".into(), 32768_u32.into()),
        ("tokenizer.ggml.tokens".into(), Metadata::Numbers(vec![])),
    ];
    let spec = RotarySpec::from_gguf(qwen3.clone()).unwrap();
    assert_eq!((spec.dim, spec.pairing), (128, Pairing::Halves));
    near(spec.attention_factor, 1.138629436);
    for (key, value, problem) in [
        ("qwen3.rope.scaling.type", Metadata::from("yarm"), ConfigProblem::Unknown { found: "yarm".into() }),
        ("qwen3.rope.freq_base", Metadata::from("big"), ConfigProblem::NotA { expected: "a number" }),
    ] {
        let mut wrong = qwen3.clone();
        wrong.iter_mut().filter(|(name, _)| name == key).for_each(|pair| pair.1 = value.clone());
        assert_eq!(RotarySpec::from_gguf(wrong), Err(Error::Config { field: key.into(), problem }));
    }
    let mut mrope = vec![
        ("general.architecture".to_string(), Metadata::from("qwen2vl")),
        ("qwen2vl.rope.dimension_count".into(), 128.into()),
        ("qwen2vl.rope.dimension_sections".into(), Metadata::Numbers(vec![16.0, 24.0, 24.0, 0.0])),
    ];
    assert_eq!(RotarySpec::from_gguf(mrope.clone()).unwrap().sections, Some((vec![16, 24, 24], Sections::Chunked)));
    mrope[2].1 = Metadata::Numbers(vec![16.0, 24.0, 25.0, 0.0]);
    assert!(RotarySpec::from_gguf(mrope).is_err());
    assert!(RotarySpec::from_gguf([("general.architecture", Metadata::from("mamba"))]).is_err());
    assert!(RotarySpec::from_gguf::<String>([]).is_err());
    // Llama 3's scaling comes as a tensor.
    let llama = [("general.architecture", Metadata::from("llama")), ("llama.rope.dimension_count", 4.into())];
    let mut spec = RotarySpec::from_gguf(llama).unwrap();
    spec.divisors = Some(vec![1.0, 8.0]);
    assert_eq!(spec.rotary(1).unwrap().frequencies(), [1.0, 0.00125]);
}

/// convert_hf_to_gguf.py writes 0.1 · mscale_all_dim; deepseek2.cpp multiplies the softmax scale by it and keeps cosines and
/// sines as they are.
#[test]
fn deepseek_scales_the_softmax() {
    let key = |name: &str| format!("deepseek2.{name}");
    let spec = RotarySpec::from_gguf([
        ("general.architecture".to_string(), Metadata::from("deepseek2")),
        (key("attention.key_length"), 192.into()),
        (key("rope.dimension_count"), 64.into()),
        (key("rope.scaling.type"), "yarn".into()),
        (key("rope.scaling.factor"), 40_f32.into()),
        (key("rope.scaling.original_context_length"), 4096.into()),
        (key("rope.scaling.yarn_log_multiplier"), 0.1_f64.into()),
    ])
    .unwrap();
    near(spec.attention_factor, 1.0);
    near(spec.softmax_factor, 1.8738542070926265);
    assert!(spec.on_last_features && spec.pairing == Pairing::Interleaved);
}

#[test]
fn a_factor_without_a_type_is_linear() {
    let of = |key: &str, factor: f64| {
        let architecture = ("general.architecture".to_string(), Metadata::from("llama"));
        let dim = ("llama.rope.dimension_count".to_string(), 64.into());
        RotarySpec::from_gguf([architecture, dim, (format!("llama.{key}"), factor.into())]).map(|spec| spec.scaling)
    };
    for key in ["rope.scaling.factor", "rope.scale_linear"] {
        assert_eq!(of(key, 4.0), Ok(Scaling::Linear { factor: 4.0 }));
        assert_eq!(of(key, 0.0), Ok(Scaling::None));
    }
}
