//! Rare fields, each in a config that it changes.

use positional_encodings::config::{ModelRotary, RopeRatio, RotarySpec};
use positional_encodings::scaling::{DynamicNtk, Scaling};
use positional_encodings::{Error, Pairing, config::ConfigProblem};
use serde_json::{Value, json};

/// Returns the model of a small config with `fields`.
#[track_caller]
fn with(model_type: &str, fields: Value) -> ModelRotary {
    let mut config = json!({"model_type": model_type, "hidden_size": 4096, "num_attention_heads": 32, "num_hidden_layers": 8});
    config.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    ModelRotary::from_json(&config.to_string()).unwrap()
}

#[track_caller]
fn only(fields: Value) -> RotarySpec {
    with("llama", fields).only().unwrap().clone()
}

/// ChatGLM3 multiplies the base by `rope_ratio`, ChatGLM2 divides positions by it: the caller
/// chooses.
#[test]
fn rope_ratio() {
    let of = |ratio: f64, scaling: Value, choice| {
        let config = json!({"model_type": "chatglm", "kv_channels": 128, "rope_ratio": ratio,
            "rope_theta": 20_000.0, "rope_scaling": scaling});
        let model = ModelRotary::from_json_with_rope_ratio(&config.to_string(), choice)?;
        model.only().cloned()
    };
    let (base, positions) = (RopeRatio::MultipliesBase, RopeRatio::DividesPositions);
    assert_eq!(of(2.5, Value::Null, base).unwrap().base, 5e4);
    let divided = of(2.5, Value::Null, positions).unwrap();
    assert_eq!((divided.base, &divided.scaling), (2e4, &Scaling::Linear { factor: 2.5 }));
    for (ratio, choice) in [(0.0, base), (0.0, positions), (-1.0, base), (-1.0, positions)] {
        let problem = ConfigProblem::NotA { expected: "positive" };
        let error = Error::Config { field: "rope_ratio".into(), problem };
        assert_eq!(of(ratio, Value::Null, choice), Err(error), "{ratio} {choice:?}");
    }
    // A second scaling is an error.
    let linear = json!({"type": "linear", "factor": 2.0});
    let problem = ConfigProblem::Contradicts { other: "the scaling of the parameters".into() };
    let error = Error::Config { field: "rope_ratio".into(), problem };
    assert_eq!(of(2.0, linear, positions), Err(error));
    assert_eq!(only(json!({"rope_ratio": 1})), only(json!({})));
    let error = ModelRotary::from_json(r#"{"model_type": "llama", "rope_ratio": 2}"#).unwrap_err();
    assert!(error.to_string().contains("choose with from_json_with_rope_ratio"), "{error}");
}

/// modeling_qwen.py of the first Qwen: α = 2^⌈log₂(len/seq_length) + 1⌉ − 1, and queries times
/// log_seq_length(position).
#[test]
fn fields_of_the_first_qwen() {
    let config = json!({"model_type": "qwen", "hidden_size": 4096, "num_attention_heads": 32,
        "num_hidden_layers": 32, "kv_channels": 128, "rotary_pct": 1.0, "rotary_emb_base": 10000,
        "seq_length": 8192, "max_position_embeddings": 8192, "use_dynamic_ntk": true,
        "use_logn_attn": true});
    let model = ModelRotary::from_json(&config.to_string()).unwrap();
    let spec = model.only().unwrap();
    let slowest = |len| *spec.rotary(len).unwrap().frequencies().last().unwrap();
    let plain = 1e4_f64.powf(-126.0 / 128.0);
    for (len, alpha) in [(1, 1.0), (8192, 1.0), (8193, 3.0), (16_000, 3.0), (16_385, 7.0)] {
        let expected = plain / alpha;
        assert!((slowest(len) / expected - 1.0).abs() < 1e-12, "{len}: {}", slowest(len));
        assert_eq!(spec.regime(len), spec.rotary(len).unwrap().regime());
    }
    assert!((slowest(16_000) - 3.8493e-5).abs() < 1e-9);
    let held = model.rotaries(9000).unwrap();
    assert!(held.fit(16_384) && !held.fit(16_385) && !held.fit(8192));
    let temperature = model.query_temperature().unwrap();
    let factors = temperature.factors(&[0, 8191, 16_383]).unwrap();
    assert_eq!(factors, [1.0, 1.0, 16_384_f64.ln() / 8192_f64.ln()]);
    // Without the original length, its start is unknown.
    let untold = json!({"model_type": "qwen", "kv_channels": 128, "use_dynamic_ntk": true});
    let error = ModelRotary::from_json(&untold.to_string()).unwrap_err();
    assert_eq!(error.to_string(), "config field seq_length is missing");
    // An unknown class does not ignore it either.
    let unknown = json!({"model_type": "unheard_of", "head_dim": 64, "rope_theta": 1e4,
        "seq_length": 2048, "use_dynamic_ntk": true});
    let given = ModelRotary::from_json_with_pairing(&unknown.to_string(), Pairing::Halves).unwrap();
    assert_eq!(given.only().unwrap().scaling, Scaling::SteppedNtk { original_len: 2048 });
}

/// modeling_hf_nomic_bert.py: dynamic NTK beyond `max_trained_positions`.
#[test]
fn rotary_scaling_factor() {
    let config = |factor: Value| {
        json!({"model_type": "nomic_bert", "n_embd": 768, "n_head": 12, "n_layer": 12,
        "rotary_emb_base": 1000, "rotary_emb_fraction": 1.0, "rotary_emb_interleaved": false,
        "rotary_scaling_factor": factor, "max_trained_positions": 2048})
        .to_string()
    };
    let plain = ModelRotary::from_json(&config(Value::Null)).unwrap();
    assert_eq!(plain.only().unwrap().scaling, Scaling::None);
    let scaled = ModelRotary::from_json(&config(json!(2))).unwrap();
    let spec = scaled.only().unwrap();
    let dynamic = DynamicNtk { factor: 2.0, original_len: 2048 };
    assert_eq!((spec.base, &spec.scaling), (1000.0, &Scaling::DynamicNtk(dynamic)));
    // At four times the length: base · (2 · 4 − 1)^(64/62)
    let base = 1000.0 * 7_f64.powf(64.0 / 62.0);
    let slowest = spec.rotary(8192).unwrap().frequencies()[31];
    assert!((slowest * base.powf(62.0 / 64.0) - 1.0).abs() < 1e-12);
    assert_eq!(
        spec.rotary(2048).unwrap().frequencies(),
        plain.only().unwrap().rotary(1).unwrap().frequencies()
    );
}

/// The name of head_dim in ChatGLM and in the first Qwen.
#[test]
fn kv_channels() {
    let spec = only(json!({"kv_channels": 64}));
    assert_eq!((spec.dim, spec.head_dim), (64, 64));
    assert_eq!(only(json!({})).head_dim, 128);
    let half = only(json!({"kv_channels": 64, "partial_rotary_factor": 0.5}));
    assert_eq!((half.dim, half.head_dim), (32, 64));
}

/// Returns the factor of the query at position 29, which Llama 4 counts as 30, if there is a
/// temperature.
fn factor(fields: Value) -> Option<f64> {
    let temperature = with("llama4_text", fields).query_temperature()?;
    Some(temperature.factors(29..30).unwrap()[0])
}

#[test]
fn attn_temperature_tuning() {
    for (tuning, is_tuned) in
        [(json!(true), true), (json!(4), true), (json!(false), false), (json!(0), false)]
    {
        let found = factor(json!({"floor_scale": 10, "attn_temperature_tuning": tuning}));
        assert_eq!(found, is_tuned.then_some(1.0 + 0.1 * 4_f64.ln()), "{tuning}");
    }
    assert!(with("llama", json!({"attn_temperature_tuning": true})).query_temperature().is_none());
}

#[test]
fn attn_scale_and_floor_scale() {
    assert_eq!(factor(json!({})), Some(1.0));
    assert_eq!(factor(json!({"floor_scale": 15})), Some(1.0 + 0.1 * 3_f64.ln()));
    assert_eq!(
        factor(json!({"floor_scale": 30.0, "attn_scale": 0.5})),
        Some(1.0 + 0.5 * 2_f64.ln())
    );
    assert_eq!(factor(json!({"floor_scale": 30, "attn_scale": 0})), Some(1.0));
}

/// An odd number of rotated features stays in the exponents with all scalings that do not depend on
/// it.
#[test]
fn scaled_odd_parts() {
    let scaled = |scaling: Value| {
        only(json!({"head_dim": 66, "partial_rotary_factor": 0.5, "rope_scaling": scaling}))
    };
    let llama3 = json!({"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
        "original_max_position_embeddings": 8192});
    let longrope = json!({"rope_type": "longrope", "factor": 8.0, "short_factor": vec![1.0; 17], "long_factor": vec![1.0; 17],
        "original_max_position_embeddings": 8192});
    for scaling in [json!({"rope_type": "linear", "factor": 4.0}), llama3, longrope] {
        let spec = scaled(scaling.clone());
        assert_eq!((spec.dim, spec.frequency_dim), (34, 33), "{scaling}");
    }
}

/// transformers divides the nonzero frequencies of Gemma 4.
#[test]
fn factor_of_proportional() {
    let spec = only(json!({"head_dim": 8, "partial_rotary_factor": 0.5,
        "rope_parameters": {"rope_type": "proportional", "factor": 4.0}}));
    assert_eq!(spec.rotary(1).unwrap().frequencies(), [0.25, 0.025, 0.0, 0.0]);
}

/// Only latent heads have DeepSeek's softmax scale.
#[test]
fn mscale_all_dim_without_latent_heads() {
    let yarn = json!({"rope_type": "yarn", "factor": 16.0, "original_max_position_embeddings": 16384, "mscale": 1.0,
        "mscale_all_dim": 1.0});
    assert_eq!(only(json!({"rope_parameters": yarn})).softmax_factor, 1.0);
    let latent =
        only(json!({"rope_parameters": yarn, "qk_nope_head_dim": 128, "qk_rope_head_dim": 64}));
    assert!((latent.softmax_factor - (0.1 * 16_f64.ln() + 1.0).powi(2)).abs() < 1e-15);
}

/// If one of Phi-3.5-MoE's two factors is given, the other follows the formula.
#[test]
fn one_mscale() {
    let factors = |name: &str| {
        let mut scaling = json!({"rope_type": "longrope", "factor": 32.0, "short_factor": vec![1.0; 64],
            "long_factor": vec![1.0; 64], "original_max_position_embeddings": 4096});
        scaling[name] = 1.5.into();
        let spec = only(json!({"rope_scaling": scaling}));
        [spec.short_attention_factor, spec.attention_factor]
    };
    let formula = 1.1902380714238083;
    assert_eq!((factors("short_mscale"), factors("long_mscale")), ([1.5, formula], [formula, 1.5]));
}

/// XiaomiMiMo/MiMo-V2-Flash: the base of sliding layers, and which they are.
#[test]
fn swa_rope_theta_and_hybrid_layer_pattern() {
    let with_heads = |pattern: Value, swa_head_dim: usize| {
        let config = json!({"model_type": "mimo_v2_flash", "hidden_size": 4096, "num_attention_heads": 64, "head_dim": 192,
            "num_hidden_layers": 4, "partial_rotary_factor": 0.334, "rope_theta": 5_000_000, "swa_rope_theta": 10_000,
            "swa_head_dim": swa_head_dim, "hybrid_layer_pattern": pattern});
        ModelRotary::from_json_with_pairing(&config.to_string(), Pairing::Halves)
    };
    let read = |pattern| with_heads(pattern, 192);
    let model = read(json!([0, 1, 1, 0])).unwrap();
    let specs = [0, 1, 2, 3].map(|layer| model.layer(layer).unwrap().unwrap());
    assert_eq!(
        specs.map(|spec| (spec.dim, spec.base)),
        [(64, 5e6), (64, 1e4), (64, 1e4), (64, 5e6)]
    );
    let error = |field: &str, problem| Err(Error::Config { field: field.into(), problem });
    let other = "head_dim: only heads of one width are supported".to_string();
    assert_eq!(
        with_heads(json!([0, 1, 1, 0]), 128),
        error("swa_head_dim", ConfigProblem::Contradicts { other })
    );
    // Two bases, and no field that says which layers they are for
    assert_eq!(read(Value::Null), error("layer_types", ConfigProblem::Missing));
    let expected = "a list of 0 and 1";
    assert_eq!(
        read(json!([0, 1, 2, 0])),
        error("hybrid_layer_pattern", ConfigProblem::NotA { expected })
    );
    let other = "the list of layers".to_string();
    assert_eq!(
        read(json!([0, 1])),
        error("num_hidden_layers", ConfigProblem::Contradicts { other })
    );
}

/// Names of the rotated part in StableLM's first configs and in NomicBERT's.
#[test]
fn rope_pct_and_rotary_emb_fraction() {
    for name in ["rope_pct", "rotary_emb_fraction"] {
        assert_eq!(only(json!({name: 0.25})).dim, 32, "{name}");
        let config =
            json!({"head_dim": 64, "rope_theta": 1e4, "partial_rotary_factor": 0.5, name: 0.25})
                .to_string();
        let problem = ConfigProblem::Contradicts { other: "partial_rotary_factor".into() };
        let error = ModelRotary::from_json_with_pairing(&config, Pairing::Halves);
        assert_eq!(error, Err(Error::Config { field: name.into(), problem }));
    }
}
