//! Rotations of all layers of a model, made once and held.

use positional_encodings::config::ModelRotary;
use positional_encodings::scaling::Regime;
use positional_encodings::{Error, Pairing, config::ConfigProblem};
use serde_json::{Value, json};

fn read(config: &Value) -> ModelRotary {
    ModelRotary::from_json(&config.to_string()).unwrap()
}

/// Each layer has the rotation of its spec.
#[test]
fn a_held_rotation_is_that_of_the_spec() {
    for config in [
        json!({"model_type": "llama", "head_dim": 64, "num_hidden_layers": 8}),
        json!({"model_type": "gemma3_text", "num_hidden_layers": 8}),
        json!({"model_type": "smollm3", "head_dim": 64, "num_hidden_layers": 8}),
        json!({"model_type": "qwen3_next", "num_hidden_layers": 8}),
        json!({"model_type": "falcon", "head_dim": 64, "alibi": true, "num_hidden_layers": 8}),
    ] {
        let model = read(&config);
        let held = model.rotaries(100).unwrap();
        for layer in 0..8 {
            let (spec, rotary) = (model.layer(layer).unwrap(), held.layer(layer).unwrap());
            assert_eq!(spec.is_some(), rotary.is_some(), "{config} {layer}");
            let (Some(spec), Some(rotary)) = (spec, rotary) else { continue };
            let fresh = spec.rotary(100).unwrap();
            assert_eq!(rotary.frequencies(), fresh.frequencies());
            assert_eq!(rotary.pairing(), fresh.pairing());
        }
        let names = |(name, there): (&str, bool)| (name.to_string(), there);
        let specs: Vec<_> =
            model.types().map(|(name, spec)| names((name, spec.is_some()))).collect();
        let types: Vec<_> =
            held.types().map(|(name, held)| names((name, held.is_some()))).collect();
        assert_eq!(specs, types);
        for (name, there) in types {
            assert_eq!(held.layer_type(&name).unwrap().is_some(), there);
        }
    }
}

/// Layers and types that do not exist are errors.
#[test]
fn layers_that_are_not_there() {
    let known = read(&json!({"model_type": "llama", "head_dim": 64, "num_hidden_layers": 8}));
    let held = known.rotaries(1).unwrap();
    let error = Error::NoSuchLayer { layer: 8, layers: 8 };
    assert_eq!(held.layer(8).unwrap_err(), error);
    assert_eq!(known.layer(8), Err(error.clone()));
    assert_eq!(error.to_string(), "layer 8 is not one of the 8 layers of the model");
    let untold = json!({"model_type": "unheard_of", "head_dim": 64, "rope_theta": 1e4}).to_string();
    let untold = ModelRotary::from_json_with_pairing(&untold, Pairing::Halves).unwrap();
    let missing =
        Error::Config { field: "num_hidden_layers".into(), problem: ConfigProblem::Missing };
    assert_eq!(untold.layer(0), Err(missing.clone()));
    assert_eq!(untold.rotaries(1).unwrap().layer(0).unwrap_err(), missing);
    assert_eq!((untold.layer_count(), known.layer_count()), (None, Some(8)));
    // The rotation can still be found by its type.
    assert!(untold.rotaries(1).unwrap().layer_type("all").unwrap().is_some());
    assert!(held.layer_type("sliding_attention").is_err());
}

#[test]
fn why_there_is_no_only_one() {
    let none = read(&json!({"model_type": "falcon", "head_dim": 64, "alibi": true}));
    let two = read(&json!({"model_type": "gemma3_text"}));
    for (model, message) in [
        (none, "no layer of the model is rotated"),
        (two, "layers of 2 types do not share one rotation: choose by layer"),
    ] {
        assert_eq!(model.only().unwrap_err().to_string(), message);
    }
}

/// Held rotations know the lengths for which they are valid.
#[test]
fn lengths_that_fit() {
    let dynamic = read(&json!({"model_type": "llama", "head_dim": 64, "num_hidden_layers": 2,
        "max_position_embeddings": 2048, "rope_scaling": {"type": "dynamic", "factor": 2.0}}));
    let longrope = read(&json!({"model_type": "phi3", "head_dim": 64, "num_hidden_layers": 2,
        "max_position_embeddings": 131072, "original_max_position_embeddings": 4096,
        "rope_scaling": {"type": "longrope", "short_factor": vec![1.0; 32],
            "long_factor": vec![2.0; 32]}}));
    let plain = read(&json!({"model_type": "gemma3_text", "num_hidden_layers": 6}));
    // The length matters to some layers, or to none.
    let some = read(&json!({"model_type": "gemma3_text", "max_position_embeddings": 2048,
        "rope_parameters": {"full_attention": {"rope_type": "dynamic", "factor": 2.0}}}));
    let held = some.rotaries(1).unwrap();
    assert!(held.fit(2048) && !held.fit(2049));
    let none = read(&json!({"model_type": "falcon", "head_dim": 64, "alibi": true}));
    assert!(none.rotaries(1).unwrap().fit(1 << 40));
    for (model, made, fits, does_not, regime) in [
        (&dynamic, 1, &[1, 2048][..], &[2049, 5000][..], Regime::Fixed),
        (&dynamic, 5000, &[5000], &[1, 4999, 5001], Regime::Length(5000)),
        (&longrope, 1, &[1, 4096], &[4097], Regime::Short),
        (&longrope, 4097, &[4097, 100_000], &[4096], Regime::Long),
        (&plain, 1, &[1, 1 << 40], &[], Regime::Fixed),
    ] {
        let held = model.rotaries(made).unwrap();
        assert_eq!(held.layer(1).unwrap().unwrap().regime(), regime);
        assert!(fits.iter().all(|&len| held.fit(len)), "{made} {regime:?}");
        assert!(does_not.iter().all(|&len| !held.fit(len)), "{made} {regime:?}");
        assert_eq!(model.layer(1).unwrap().unwrap().regime(made), regime);
    }
}

/// The rotations of all layers at some positions are those of each layer by itself.
#[test]
fn rotations_of_all_layers_are_made_at_once() {
    let json = r#"{"model_type": "gemma3_text", "head_dim": 64, "num_hidden_layers": 12}"#;
    let rotaries = ModelRotary::from_json(json).unwrap().rotaries(100).unwrap();
    let ids = [7_i64, 3, 90];
    let rotations = rotaries.at::<f32>(&ids).unwrap();
    for layer in 0..12 {
        let alone = rotaries.layer(layer).unwrap().unwrap().at::<f32>(&ids).unwrap();
        assert_eq!(rotations.layer(layer).unwrap(), Some(&alone));
    }
    assert!(rotations.layer(0).unwrap() != rotations.layer(5).unwrap());
    let local = rotations.layer_type("sliding_attention").unwrap();
    assert_eq!(local, rotations.layer(0).unwrap());
    let error = Error::NoSuchLayer { layer: 12, layers: 12 };
    assert_eq!(rotations.layer(12).unwrap_err(), error);
    assert_eq!(rotations.layer_type("no").unwrap_err(), rotaries.layer_type("no").unwrap_err());
    assert!(rotaries.at::<f32>(&[f64::NAN]).is_err());
}

/// Rotations are equal if they are made from the same config for the same length.
#[test]
fn held_rotations_are_compared() {
    let dynamic = json!({"model_type": "llama", "head_dim": 64, "num_hidden_layers": 2,
        "max_position_embeddings": 2048, "rope_scaling": {"type": "dynamic", "factor": 2.0}});
    let made = |total_len| read(&dynamic).rotaries(total_len).unwrap();
    assert_eq!(made(5000), made(5000));
    assert_ne!(made(5000), made(5001));
    let other = read(&json!({"model_type": "llama", "head_dim": 64, "num_hidden_layers": 3}));
    assert_ne!(made(1), other.rotaries(1).unwrap());
}
