//! Real configs with a change: the result is an error that names a field, or a possible model.

use positional_encodings::Error;
use positional_encodings::config::ModelRotary;
use proptest::prelude::*;
use serde_json::{Value, json};

/// Configs of several families, reduced to the fields that are read and a few that are not.
fn real_configs() -> Vec<Value> {
    vec![
        json!({"model_type": "llama", "hidden_size": 4096, "num_attention_heads": 32, "num_hidden_layers": 32,
            "rope_theta": 500000.0, "max_position_embeddings": 131072, "vocab_size": 128256,
            "rope_scaling": {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
                "original_max_position_embeddings": 8192}}),
        json!({"model_type": "qwen3", "hidden_size": 4096, "num_attention_heads": 32, "head_dim": 128,
            "num_hidden_layers": 36, "rope_theta": 1000000, "max_position_embeddings": 40960, "rms_norm_eps": 1e-6,
            "rope_scaling": {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 32768}}),
        json!({"model_type": "qwen2_vl", "hidden_size": 3584, "num_attention_heads": 28, "num_hidden_layers": 28,
            "rope_theta": 1000000.0, "rope_scaling": {"type": "mrope", "mrope_section": [16, 24, 24]}}),
        json!({"model_type": "gemma4", "text_config": {"model_type": "gemma4_text", "head_dim": 256, "global_head_dim": 512,
            "num_hidden_layers": 2, "layer_types": ["sliding_attention", "full_attention"], "rope_parameters": {
                "full_attention": {"partial_rotary_factor": 0.25, "rope_theta": 1000000.0, "rope_type": "proportional"},
                "sliding_attention": {"rope_theta": 10000.0, "rope_type": "default"}}}}),
        json!({"model_type": "deepseek_v3", "num_hidden_layers": 61, "qk_nope_head_dim": 128, "qk_rope_head_dim": 64,
            "rope_theta": 10000, "max_position_embeddings": 163840, "rope_scaling": {"beta_fast": 32, "beta_slow": 1,
                "factor": 40, "mscale": 1.0, "mscale_all_dim": 1.0, "original_max_position_embeddings": 4096, "type": "yarn"}}),
        json!({"model_type": "phi3", "hidden_size": 64, "num_attention_heads": 8, "num_hidden_layers": 2,
            "max_position_embeddings": 131072, "original_max_position_embeddings": 4096,
            "rope_scaling": {"type": "su", "short_factor": [1.0, 1.1, 1.2, 1.3], "long_factor": [1.0, 2.0, 3.0, 4.0]}}),
        json!({"model_type": "smollm3", "hidden_size": 2048, "num_attention_heads": 16, "num_hidden_layers": 4,
            "rope_theta": 5000000.0, "no_rope_layers": [1, 1, 1, 0], "use_cache": false}),
        json!({"model_type": "modernbert", "hidden_size": 768, "num_attention_heads": 12, "num_hidden_layers": 22,
            "global_attn_every_n_layers": 3, "global_rope_theta": 160000.0, "local_rope_theta": 10000.0}),
        json!({"model_type": "qwen3_next", "head_dim": 256, "num_hidden_layers": 4, "full_attention_interval": 2,
            "partial_rotary_factor": 0.25, "rope_theta": 10000000}),
        json!({"model_type": "gpt_neox", "hidden_size": 528, "num_attention_heads": 8, "num_hidden_layers": 2,
            "rotary_pct": 0.5, "rotary_emb_base": 10000}),
    ]
}

/// Returns JSON pointers to all values that are not lists or objects.
fn leaves(value: &Value, path: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(object) => {
            object.iter().for_each(|(name, value)| leaves(value, &format!("{path}/{name}"), found))
        }
        Value::Array(list) => list
            .iter()
            .enumerate()
            .for_each(|(i, value)| leaves(value, &format!("{path}/{i}"), found)),
        _ => found.push(path.to_string()),
    }
}

/// Checks a model: it is complete and finite, and all its rotations can be made.
fn is_plausible(model: &ModelRotary) {
    for (name, spec) in model.types() {
        let Some(spec) = spec else { continue };
        assert!(
            spec.dim % 2 == 0
                && (1..=spec.head_dim).contains(&spec.dim)
                && spec.head_dim <= 1 << 17,
            "{name} {spec:?}"
        );
        assert!(spec.base > 0.0 && spec.base.is_finite(), "{spec:?}");
        for factor in [spec.attention_factor, spec.short_attention_factor, spec.softmax_factor] {
            assert!(factor > 0.0 && factor.is_finite(), "{spec:?}");
        }
        for len in [0, 1, 4096, 1 << 40] {
            let rotary = spec.rotary(len).unwrap();
            assert_eq!(rotary.dim(), spec.dim);
            assert!(rotary.frequencies().iter().all(|w| w.is_finite() && *w >= 0.0), "{spec:?}");
        }
    }
    assert!(model.layer(1 << 16).is_err());
}

/// Names that no rotation depends on.
const OTHERS: [&str; 3] = ["vocab_size", "rms_norm_eps", "use_cache"];

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 1000, ..ProptestConfig::default() })]

    /// One value is replaced by a value of another type, or by a very different number.
    #[test]
    fn one_wrong_value(which in 0_usize..10, at in any::<prop::sample::Index>(), with in 0_usize..20) {
        let wrong = [json!("NaN"), json!("4"), json!([]), json!({}), json!([4]), json!({"factor": 4}), json!(true),
            json!(null), json!(-1), json!(0), json!(0.5), json!(3), json!(63), json!(1e-308), json!(1e308), json!(-1e308),
            json!(1_u64 << 60), json!(u64::MAX), json!(65536), json!(9_007_199_254_740_993_u64)];
        let real = real_configs().swap_remove(which);
        let mut paths = Vec::new();
        leaves(&real, "", &mut paths);
        let path = at.get(&paths);
        let mut config = real.clone();
        *config.pointer_mut(path).unwrap() = wrong[with].clone();
        let before = ModelRotary::from_json(&real.to_string()).unwrap();
        match ModelRotary::from_json(&config.to_string()) {
            Ok(model) => {
                is_plausible(&model);
                if OTHERS.iter().any(|name| path.ends_with(name)) {
                    prop_assert_eq!(model, before);
                } else {
                    // Strings, lists and objects are never read as another type; the model type
                    // around a text_config may be any string.
                    let wraps = path == "/model_type" && real.get("text_config").is_some();
                    prop_assert!(with >= 6 || wraps && with < 2, "{} {}", path, config);
                }
            }
            Err(Error::Config { field, .. }) => {
                prop_assert!(!field.is_empty());
                prop_assert!(!OTHERS.iter().any(|name| path.ends_with(name)));
            }
            Err(other) => prop_assert!(false, "{other}"),
        }
    }

    /// A misspelt name inside the rope parameters is always an error.
    #[test]
    fn one_wrong_name(which in 0_usize..6, at in any::<prop::sample::Index>(), letter in "[a-z_]") {
        let mut config = real_configs().swap_remove(which);
        let root = if which == 3 { &mut config["text_config"]["rope_parameters"]["full_attention"] } else { &mut config["rope_scaling"] };
        let dict = root.as_object_mut().unwrap();
        let name = at.get(&dict.keys().cloned().collect::<Vec<_>>()).clone();
        let value = dict.remove(&name).unwrap();
        dict.insert(format!("{name}{letter}"), value);
        let error = ModelRotary::from_json(&config.to_string());
        prop_assert!(matches!(error, Err(Error::Config { .. })), "{}", config);
    }

    /// Bytes are removed, added or changed.
    #[test]
    fn wrong_bytes(which in 0_usize..10, edits in prop::collection::vec((any::<prop::sample::Index>(), 0_u8..3, 32_u8..127), 1..6)) {
        let mut text = real_configs().swap_remove(which).to_string().into_bytes();
        for (at, kind, byte) in edits {
            let at = at.index(text.len());
            match kind {
                0 => text[at] = byte,
                1 => text.insert(at, byte),
                _ => drop(text.remove(at)),
            }
        }
        match ModelRotary::from_json(&String::from_utf8(text).unwrap()) {
            Ok(model) => is_plausible(&model),
            Err(error) => prop_assert!(matches!(error, Error::Config { .. }), "{}", error),
        }
    }
}
