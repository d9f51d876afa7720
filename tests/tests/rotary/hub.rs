//! Model types whose code stands beside their files: read in vLLM 0.33, SGLang 0.5.23, mlx-lm 0.32.

use positional_encodings::config::{ModelRotary, RotarySpec};
use positional_encodings::scaling::Scaling;
use positional_encodings::{Error, Pairing};
use serde_json::{Value, json};

fn read(config: &Value) -> Result<ModelRotary, Error> {
    ModelRotary::from_json(&config.to_string())
}

#[track_caller]
fn only(config: &Value) -> RotarySpec {
    read(config).unwrap().only().unwrap().clone()
}

/// The width, rotated features, base and pairing of released configs.
#[test]
fn released_configs() {
    let (halves, pairs) = (Pairing::Halves, Pairing::Interleaved);
    for (config, expected) in [
        // inclusionAI's Ling-lite-1.5 and Ling-mini-2.0 have one type.
        (
            json!({"model_type": "bailing_moe", "hidden_size": 2048, "num_attention_heads": 16,
                "num_hidden_layers": 28, "max_position_embeddings": 32768, "rope_scaling": null,
                "rope_theta": 600000}),
            (128, 128, 6e5, halves),
        ),
        (
            json!({"model_type": "bailing_moe", "head_dim": 128, "hidden_size": 2048,
                "num_attention_heads": 16, "num_hidden_layers": 20, "partial_rotary_factor": 0.5,
                "rotary_dim": 64, "rope_scaling": null, "rope_theta": 600000}),
            (128, 64, 6e5, halves),
        ),
        (
            json!({"model_type": "phi-msft", "n_embd": 2048, "n_head": 32, "n_layer": 24,
                "n_positions": 2048, "rotary_dim": 32}),
            (64, 32, 1e4, halves),
        ),
        (
            json!({"model_type": "llada", "d_model": 4096, "n_heads": 32, "n_layers": 32, "rope": true,
                "rope_theta": 500000.0, "alibi": false}),
            (128, 128, 5e5, halves),
        ),
        (
            json!({"model_type": "openelm", "head_dim": 64, "model_dim": 1280,
                "num_transformer_layers": 16, "rope_freq_constant": 10000, "rope_max_length": 4096}),
            (64, 64, 1e4, halves),
        ),
        (
            json!({"model_type": "neobert", "hidden_size": 768, "num_attention_heads": 12,
                "num_hidden_layers": 28, "max_length": 4096, "rope": true}),
            (64, 64, 1e4, pairs),
        ),
        // jinaai's jina-embeddings-v3
        (
            json!({"model_type": "xlm-roberta", "hidden_size": 1024, "num_attention_heads": 16,
                "num_hidden_layers": 24, "position_embedding_type": "rotary",
                "rotary_emb_base": 20000.0}),
            (64, 64, 2e4, halves),
        ),
        (
            json!({"model_type": "step3_vl", "text_config": {"hidden_size": 7168, "head_dim": 256,
                "num_attention_heads": 64, "num_hidden_layers": 61, "rope_theta": 500000}}),
            (256, 256, 5e5, halves),
        ),
        (
            json!({"model_type": "stablelm_epoch", "hidden_size": 2560, "num_attention_heads": 32,
                "num_hidden_layers": 32, "rope_pct": 0.25, "rope_theta": 10000}),
            (80, 20, 1e4, halves),
        ),
    ] {
        let spec = only(&config);
        let found = (spec.head_dim, spec.dim, spec.base, spec.pairing);
        assert_eq!(found, expected, "{config}");
    }
}

/// moonshotai's Kimi-K2-Instruct, whose class is DeepSeek-V3's, and Kimi Linear, without positions.
#[test]
fn kimi() {
    let mut config = json!({"model_type": "kimi_k2", "hidden_size": 7168, "kv_lora_rank": 512,
        "max_position_embeddings": 131072, "num_attention_heads": 64, "num_hidden_layers": 61,
        "qk_nope_head_dim": 128, "qk_rope_head_dim": 64, "rope_theta": 50000.0, "rope_scaling": {
            "beta_fast": 1.0, "beta_slow": 1.0, "factor": 32.0, "mscale": 1.0,
            "mscale_all_dim": 1.0, "original_max_position_embeddings": 4096, "type": "yarn"}});
    let k2 = only(&config);
    assert_eq!((k2.dim, k2.head_dim, k2.pairing), (64, 192, Pairing::Interleaved));
    assert!(k2.on_last_features && matches!(k2.scaling, Scaling::Yarn(_)));
    config["model_type"] = "deepseek_v3".into();
    assert_eq!(only(&config), k2);
    let linear = json!({"model_type": "kimi_linear", "hidden_size": 2304, "kv_lora_rank": 512,
        "mla_use_nope": true, "num_attention_heads": 32, "num_hidden_layers": 27,
        "qk_nope_head_dim": 128, "qk_rope_head_dim": 64, "rope_theta": 10000.0});
    let none = Err(Error::NotOneRotation { types: 0 });
    assert_eq!(read(&linear).unwrap().only().map(|_| ()), none);
}

/// MiniMax-Text-01 and M1 list their layers as numbers: 1 has softmax attention.
#[test]
fn types_of_layers_as_numbers() {
    let config = |list: Value| {
        json!({"model_type": "minimax_m1", "head_dim": 128, "hidden_size": 6144,
            "num_attention_heads": 64, "num_hidden_layers": 4, "attn_type_list": list,
            "rope_theta": 10000000, "rotary_dim": 64})
    };
    let model = read(&config(json!([0, 0, 0, 1]))).unwrap();
    let dims = [0, 1, 2, 3].map(|layer| model.layer(layer).unwrap().map(|spec| spec.dim));
    assert_eq!(dims, [None, None, None, Some(64)]);
    for list in [json!([0, 0, 0, 2]), json!([0, 1]), json!("0001"), json!(null)] {
        assert!(matches!(read(&config(list.clone())), Err(Error::Config { .. })), "{list}");
    }
}

/// PLaMo 3: the last of each eight layers is a full one, with a base of its own.
#[test]
fn local_bases() {
    let config = json!({"model_type": "plamo3", "num_hidden_layers": 8, "rope_theta": 1000000,
        "rope_local_theta": 20000, "sliding_window_pattern": 8, "head_dim": 128});
    let model = read(&config).unwrap();
    let base = |layer: usize| model.layer(layer).unwrap().unwrap().base;
    assert_eq!([base(0), base(6), base(7)], [2e4, 2e4, 1e6]);
}

/// For an unknown type, the axis of each pair is unknown.
#[test]
fn sections_of_an_unknown_order() {
    let config = |more: Value| {
        let mut config = json!({"model_type": "unheard_of", "head_dim": 128,
            "rope_parameters": {"rope_theta": 1e6, "mrope_section": [16, 24, 24]}});
        let dict = config["rope_parameters"].as_object_mut().unwrap();
        dict.extend(more.as_object().unwrap().clone());
        ModelRotary::from_json_with_pairing(&config.to_string(), Pairing::Halves)
    };
    let error = config(json!({})).unwrap_err();
    assert!(error.to_string().contains("mrope_interleaved"), "{error}");
    for interleaved in [true, false] {
        let model = config(json!({"mrope_interleaved": interleaved})).unwrap();
        assert!(model.only().unwrap().sections.is_some());
    }
}

/// transformers adds an attention factor of 1 to DeepSeek-V4's YaRN, where the file has none.
#[test]
fn factors_of_compressed_layers() {
    let factor = |more: Value| {
        let mut config = json!({"model_type": "deepseek_v4", "num_hidden_layers": 2,
            "compress_ratios": [0, 4], "qk_rope_head_dim": 64, "head_dim": 512, "rope_scaling": {
                "type": "yarn", "factor": 16, "original_max_position_embeddings": 65536}});
        let dict = config["rope_scaling"].as_object_mut().unwrap();
        dict.extend(more.as_object().unwrap().clone());
        read(&config).unwrap().layer(1).unwrap().unwrap().attention_factor
    };
    assert_eq!(factor(json!({})), 1.0);
    assert_eq!(factor(json!({"attention_factor": null})), 0.1 * 16_f64.ln() + 1.0);
    assert_eq!(factor(json!({"attention_factor": 1.25})), 1.25);
}

/// text-embeddings-inference (`RopeScaling::Ntk`): the base times the factor, and all frequencies
/// divided by factor^(2/dim). Alibaba-NLP's gte-large-en-v1.5; no other type has it.
#[test]
fn ntk_of_gte() {
    let mut config = json!({"model_type": "new", "hidden_size": 1024, "num_attention_heads": 16,
        "num_hidden_layers": 24, "max_position_embeddings": 8192, "position_embedding_type": "rope",
        "rope_theta": 500000, "rope_scaling": {"factor": 2.0, "type": "ntk"}});
    let spec = only(&config);
    assert_eq!((spec.base, spec.dim), (1e6, 64));
    let frequencies = spec.rotary(1).unwrap().frequencies();
    for (pair, found) in frequencies.iter().enumerate() {
        let exponent = -2.0 * pair as f64 / 64.0;
        let expected = 1e6_f64.powf(exponent) / 2_f64.powf(2.0 / 64.0);
        assert!((found / expected - 1.0).abs() < 1e-14, "{pair}: {found} instead of {expected}");
    }
    config["rope_scaling"]["factor"] = (-2.0).into();
    assert!(read(&config).is_err());
    config["rope_scaling"] = json!({"type": "ntk"});
    let error = read(&config).unwrap_err();
    assert_eq!(error.to_string(), "config field rope_scaling.factor is missing");
    config["model_type"] = "llama".into();
    config["rope_scaling"] = json!({"factor": 2.0, "type": "ntk"});
    let error = read(&config).unwrap_err();
    assert_eq!(error.to_string(), "config field rope_scaling.type: \"ntk\" is not known");
}
