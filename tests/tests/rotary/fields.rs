//! Fields that few models have, each where it changes what is read.

use positional_encodings::config::{ModelRotary, RotarySpec};
use positional_encodings::{Error, Pairing, config::ConfigProblem};
use serde_json::{Value, json};

/// The model that a small config with `fields` describes.
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

/// ChatGLM multiplies the base by it.
#[test]
fn rope_ratio() {
    assert_eq!(only(json!({"rope_ratio": 500})).base, 5e6);
    assert_eq!(only(json!({"rope_ratio": 2.5, "rope_theta": 20_000.0})).base, 5e4);
    assert_eq!(only(json!({"rope_ratio": 1})), only(json!({})));
}

/// ChatGLM's and Qwen's first name of head_dim.
#[test]
fn kv_channels() {
    let spec = only(json!({"kv_channels": 64}));
    assert_eq!((spec.dim, spec.head_dim), (64, 64));
    assert_eq!(only(json!({})).head_dim, 128);
    let half = only(json!({"kv_channels": 64, "partial_rotary_factor": 0.5}));
    assert_eq!((half.dim, half.head_dim), (32, 64));
}

/// The factor of the query at 29, which Llama 4 counts as 30, where there is a temperature.
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

/// An odd part of the head keeps its number in the exponents, under all scalings that do not count
/// features.
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

/// transformers divides Gemma 4's frequencies that turn.
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

/// One of Phi-3.5-MoE's two factors alone leaves the other as the formula has it.
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
    let other = "head_dim: heads of one width are read".to_string();
    assert_eq!(
        with_heads(json!([0, 1, 1, 0]), 128),
        error("swa_head_dim", ConfigProblem::Contradicts { other })
    );
    // Two bases, and nothing that says where
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
