//! Fields that few models have, each where it changes what is read.

use positional_encodings::config::{ModelRotary, RotarySpec};
use serde_json::{Value, json};

/// The model that a small config with `fields` describes.
#[track_caller]
fn with(model_type: &str, fields: Value) -> ModelRotary {
    let mut config =
        json!({"model_type": model_type, "hidden_size": 4096, "num_attention_heads": 32, "num_hidden_layers": 8});
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
    Some(temperature.factors(&(29..30).into()).unwrap()[0])
}

#[test]
fn attn_temperature_tuning() {
    for (tuning, is_tuned) in [(json!(true), true), (json!(4), true), (json!(false), false), (json!(0), false)] {
        let found = factor(json!({"floor_scale": 10, "attn_temperature_tuning": tuning}));
        assert_eq!(found, is_tuned.then_some(1.0 + 0.1 * 4_f64.ln()), "{tuning}");
    }
    assert!(with("llama", json!({"attn_temperature_tuning": true})).query_temperature().is_none());
}

#[test]
fn attn_scale_and_floor_scale() {
    assert_eq!(factor(json!({})), Some(1.0));
    assert_eq!(factor(json!({"floor_scale": 15})), Some(1.0 + 0.1 * 3_f64.ln()));
    assert_eq!(factor(json!({"floor_scale": 30.0, "attn_scale": 0.5})), Some(1.0 + 0.5 * 2_f64.ln()));
    assert_eq!(factor(json!({"floor_scale": 30, "attn_scale": 0})), Some(1.0));
}
