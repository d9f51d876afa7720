//! Configs that are wrong, by accident or on purpose: typed errors that name the field.

use positional_encodings::config::ModelRotary;
use positional_encodings::{ConfigProblem, Error};
use serde_json::{Value, json};

fn base_config() -> Value {
    json!({"model_type": "llama", "hidden_size": 4096, "num_attention_heads": 32, "num_hidden_layers": 2,
        "max_position_embeddings": 8192})
}

#[track_caller]
fn refused(changes: Value) -> (String, ConfigProblem) {
    let mut config = base_config();
    for (name, value) in changes.as_object().unwrap() {
        config[name] = value.clone();
    }
    match ModelRotary::from_json(&config.to_string()) {
        Err(Error::Config { field, problem }) => (field, problem),
        other => panic!("{other:?}"),
    }
}

#[test]
fn wrong_configs_name_the_field() {
    use ConfigProblem::{Contradicts, Missing, NotA, Unknown};
    let unknown = |found: &str| Unknown { found: found.into() };
    for (changes, field, problem) in [
        (json!({"rope_scaling": {"rope_type": "yarm", "factor": 2.0}}), "rope_scaling.rope_type", unknown("yarm")),
        (json!({"rope_scaling": {"factor": 2.0}}), "rope_scaling.rope_type", Missing),
        (json!({"rope_scaling": {"rope_type": "linear"}}), "rope_scaling.factor", Missing),
        (
            json!({"rope_scaling": {"type": "yarn", "rope_type": "linear", "factor": 2.0}}),
            "rope_scaling.type",
            Contradicts { other: "rope_type".into() },
        ),
        (
            json!({"rope_scaling": {"rope_type": "linear", "factor": "2"}}),
            "rope_scaling.factor",
            NotA { expected: "a number" },
        ),
        (json!({"rope_scaling": "linear"}), "rope_scaling", NotA { expected: "an object" }),
        (
            json!({"rope_scaling": {"rope_type": "yarn", "factor": 2.0, "betafast": 32}}),
            "rope_scaling.betafast",
            unknown("betafast"),
        ),
        (
            json!({"rope_theta": 1e4, "rope_parameters": {"rope_type": "default", "rope_theta": 1e6}}),
            "rope_parameters.rope_theta",
            Contradicts { other: "rope_theta outside of it".into() },
        ),
        (
            json!({"rope_scaling": {"rope_type": "linear", "factor": 2.0}, "rope_parameters": {"rope_type": "default"}}),
            "rope_scaling",
            Contradicts { other: "rope_parameters".into() },
        ),
        (
            json!({"rope_scaling": {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0}}),
            "rope_scaling.original_max_position_embeddings",
            Missing,
        ),
        (json!({"model_type": "lama"}), "model_type", unknown("lama")),
        (json!({"model_type": null}), "model_type", Missing),
        (json!({"num_attention_heads": 31}), "num_attention_heads", NotA { expected: "a divisor of hidden_size" }),
        (json!({"num_attention_heads": 0}), "num_attention_heads", NotA { expected: "a divisor of hidden_size" }),
        (json!({"hidden_size": -1}), "hidden_size", NotA { expected: "a whole number" }),
        (json!({"head_dim": 1e15}), "head_dim", NotA { expected: "at most 65536" }),
        (json!({"num_hidden_layers": 1e12}), "num_hidden_layers", NotA { expected: "at most 65536" }),
        (
            json!({"head_dim": 63}),
            "partial_rotary_factor",
            NotA { expected: "a part of the head with an even number of features" },
        ),
        // 33 of 66 features
        (
            json!({"head_dim": 66, "partial_rotary_factor": 0.5}),
            "partial_rotary_factor",
            NotA { expected: "a part of the head with an even number of features" },
        ),
        (
            json!({"rotary_dim": 33}),
            "rotary_dim",
            NotA { expected: "a part of the head with an even number of features" },
        ),
        (
            json!({"partial_rotary_factor": 0.0}),
            "rope_parameters.partial_rotary_factor",
            NotA { expected: "above 0 and at most 1" },
        ),
        (
            json!({"rope_parameters": {"full_attention": {"rope_type": "default"}, "rope_theta": 1e4}}),
            "rope_parameters.rope_theta",
            NotA { expected: "an object or null" },
        ),
        (
            json!({"layer_types": ["full_attention", "new"], "rope_parameters": {"full_attention": {}}}),
            "layer_types",
            unknown("new"),
        ),
        (
            json!({"layer_types": ["full_attention"]}),
            "num_hidden_layers",
            Contradicts { other: "the list of layers".into() },
        ),
    ] {
        assert_eq!(refused(changes.clone()), (field.to_string(), problem), "{changes}");
    }
    let (field, problem) = refused(json!({"rope_scaling": {"rope_type": "linear", "factor": 0.5}}));
    assert_eq!(field, "rope_scaling");
    assert!(matches!(problem, ConfigProblem::Invalid(error) if matches!(*error, Error::InvalidParameter { .. })));
    let (field, _) =
        refused(json!({"rope_scaling": {"rope_type": "longrope", "short_factor": [1.0], "long_factor": [1.0],
        "original_max_position_embeddings": 4096}}));
    assert_eq!(field, "rope_scaling");
    let (field, _) = refused(json!({"rope_theta": -1.0}));
    assert_eq!(field, "rope_theta");
}

#[test]
fn texts_that_are_no_config() {
    for text in ["", "{", "[]", "null", "{\"model_type\": \"llama\"", "{\"text_config\": 3}", &"[".repeat(100_000)] {
        assert!(matches!(ModelRotary::from_json(text), Err(Error::Config { .. })), "{text:.20}");
    }
    // Truncated anywhere, a config is an error and never a panic.
    let whole = base_config().to_string();
    (0..whole.len()).for_each(|end| assert!(ModelRotary::from_json(&whole[..end]).is_err()));
}
