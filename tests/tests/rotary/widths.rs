//! Widths, lengths and sections that a config has, and those that its class has instead.

use ndarray::Array2;
use positional_encodings::config::{ConfigProblem, ModelRotary, RotarySpec};
use positional_encodings::rotary::Sections;
use positional_encodings::scaling::{DynamicNtk, Scaling};
use positional_encodings::{Error, Pairing};
use serde_json::{Value, json};

fn read(config: &Value) -> Result<ModelRotary, Error> {
    ModelRotary::from_json(&config.to_string())
}

fn only(config: Value) -> RotarySpec {
    read(&config).unwrap().only().unwrap().clone()
}

#[track_caller]
fn refused(found: Result<ModelRotary, Error>, field: &str) -> ConfigProblem {
    match found {
        Err(Error::Config { field: found, problem }) if found == field => problem,
        other => panic!("{field}: {other:?}"),
    }
}

/// Llama's class has a width of 4096, 32 heads and 2048 positions: each is used where the config
/// lacks it, and never in place of what it has.
#[test]
fn what_the_class_adds() {
    let head_dim = |mut config: Value| {
        config["model_type"] = "llama".into();
        only(config).head_dim
    };
    assert_eq!(head_dim(json!({})), 128);
    assert_eq!(head_dim(json!({"hidden_size": 2048})), 64);
    assert_eq!(head_dim(json!({"num_attention_heads": 16})), 256);
    assert_eq!(head_dim(json!({"hidden_size": 512, "num_attention_heads": 16})), 32);
    assert_eq!(head_dim(json!({"hidden_size": null, "num_attention_heads": null})), 128);
    let original_len = |dict: Value| {
        let spec = only(json!({"model_type": "llama", "rope_parameters": dict}));
        let Scaling::DynamicNtk(DynamicNtk { original_len, .. }) = spec.scaling else {
            panic!("{:?}", spec.scaling)
        };
        original_len
    };
    assert_eq!(original_len(json!({"rope_type": "dynamic", "factor": 2.0})), 2048);
    let own = json!({"rope_type": "dynamic", "factor": 2.0, "max_position_embeddings": 8192});
    assert_eq!(original_len(own), 8192);
    // RecurrentGemma's class has no number of positions.
    let untold = json!({"model_type": "recurrent_gemma",
        "rope_parameters": {"rope_type": "dynamic", "factor": 2.0}});
    assert_eq!(refused(read(&untold), "max_position_embeddings"), ConfigProblem::Missing);
}

/// A composite config with the fields of its text part has the defaults of that part; a class that
/// is not known has none.
#[test]
fn what_the_class_of_the_text_adds() {
    let model = read(&json!({"model_type": "qwen2_5_vl"})).unwrap();
    assert_eq!((model.only().unwrap().head_dim, model.layer_count()), (128, Some(80)));
    let aria = json!({"model_type": "aria", "rope_theta": 1e4}).to_string();
    let given = ModelRotary::from_json_with_pairing(&aria, Pairing::Halves);
    assert_eq!(refused(given, "hidden_size"), ConfigProblem::Missing);
}

/// The rotated part of heads that are not latent has the same name as that of latent heads.
#[test]
fn parts_of_heads() {
    let config = json!({"model_type": "deepseek_v4", "num_hidden_layers": 1,
        "qk_rope_head_dim": 128});
    let model = read(&config).unwrap();
    let spec = model.layer(0).unwrap().unwrap();
    assert_eq!((spec.dim, spec.head_dim, spec.on_last_features), (128, 512, true));
    // A rotated part that is stated twice must be stated alike.
    let twice = json!({"model_type": "deepseek_v3", "rotary_dim": 64,
        "partial_rotary_factor": 1.0});
    let other = "partial_rotary_factor".to_string();
    assert_eq!(refused(read(&twice), "rotary_dim"), ConfigProblem::Contradicts { other });
}

/// A rotation made from a config turns the first features of a head, or the last ones of a latent
/// head.
#[test]
fn features_that_turn() {
    for (config, turned) in [
        (json!({"model_type": "llama", "head_dim": 8, "partial_rotary_factor": 0.5}), 0..4),
        (json!({"model_type": "deepseek_v3", "qk_nope_head_dim": 4, "qk_rope_head_dim": 4}), 4..8),
    ] {
        let mut head = Array2::<f32>::ones((1, 8));
        let rotation = only(config.clone()).rotary(2).unwrap().at(1..2).unwrap();
        rotation.apply(head.view_mut()).unwrap();
        for (feature, value) in head.iter().enumerate() {
            assert_eq!(*value != 1.0, turned.contains(&feature), "{config} {feature}");
        }
    }
}

/// Exponents may lack the last feature of an odd number, and no other.
#[test]
fn features_in_the_exponents() {
    let mut spec = only(json!({"model_type": "llama", "head_dim": 64}));
    for (dim, frequency_dim) in [(33, 32), (64, 62), (62, 64)] {
        (spec.dim, spec.frequency_dim) = (dim, frequency_dim);
        let what = "features in the exponents";
        let error = Error::LengthMismatch { what, expected: dim, found: frequency_dim };
        assert_eq!(spec.rotary(1).unwrap_err(), error);
    }
    (spec.dim, spec.frequency_dim) = (34, 33);
    assert_eq!(spec.rotary(1).unwrap().frequencies().len(), 17);
}

/// The order and the numbers of pairs that classes divide among axes by themselves.
#[test]
fn sections_of_classes() {
    // NeoMME's pairs are dealt in turn, to two axes.
    let model = read(&json!({"model_type": "neomme", "num_hidden_layers": 2,
        "layer_types": ["sliding_attention", "full_attention"]}));
    let model = model.unwrap();
    let sections = |layer: usize| model.layer(layer).unwrap().unwrap().sections.clone();
    assert_eq!(sections(0), Some((vec![16, 16], Sections::InTurn)));
    assert_eq!(sections(1), Some((vec![4, 4], Sections::InTurn)));
    // Qwen 3.5's heights take every third pair, of which there must be eleven.
    let sections = |head_dim: usize| {
        let config = json!({"model_type": "qwen3_5_text", "head_dim": head_dim});
        let model = read(&config).unwrap();
        model.layer_type("full_attention").unwrap().unwrap().sections.clone()
    };
    assert_eq!(sections(256), Some((vec![11, 11, 10], Sections::Interleaved)));
    assert_eq!(sections(248), Some((vec![10, 11, 10], Sections::Interleaved)));
    assert_eq!(sections(240), None);
    let most = json!({"model_type": "llama", "head_dim": 128,
        "rope_parameters": {"mrope_section": vec![8; 8]}});
    assert_eq!(only(most).sections, Some((vec![8; 8], Sections::Chunked)));
}

/// Fields of a config that cannot be followed, with what they should be.
#[test]
fn what_is_asked_for() {
    for (name, value, expected) in
        [("position_encoding_2d", true, "false"), ("original_rope", false, "true")]
    {
        let config = json!({"model_type": "chatglm", name: value});
        assert_eq!(refused(read(&config), name), ConfigProblem::NotA { expected });
    }
    let alpha = json!({"model_type": "hunyuan_v1_dense", "head_dim": 128,
        "rope_scaling": {"type": "linear", "factor": 2.0, "alpha": 1000.0}});
    let other = "the type linear".to_string();
    assert_eq!(refused(read(&alpha), "rope_scaling.alpha"), ConfigProblem::Contradicts { other });
    let grown = json!({"model_type": "deepseek_v3", "max_position_embeddings": 163840,
        "rope_scaling": {"type": "yarn", "factor": null, "original_max_position_embeddings": 0}});
    assert_eq!(refused(read(&grown), "rope_scaling.factor"), ConfigProblem::Missing);
}
