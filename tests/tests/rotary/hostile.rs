//! Configs that are wrong, by accident or on purpose, give typed errors that name the field.

use positional_encodings::config::{Metadata, ModelRotary, RotarySpec};
use positional_encodings::{Error, config::ConfigProblem};
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
        (
            json!({"rope_scaling": {"rope_type": "yarm", "factor": 2.0}}),
            "rope_scaling.rope_type",
            unknown("yarm"),
        ),
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
        (json!({"model_type": "lama"}), "model_type", unknown("lama")),
        (json!({"model_type": null}), "model_type", Missing),
        (
            json!({"num_attention_heads": 31}),
            "num_attention_heads",
            NotA { expected: "a divisor of hidden_size" },
        ),
        (
            json!({"num_attention_heads": 0}),
            "num_attention_heads",
            NotA { expected: "a divisor of hidden_size" },
        ),
        (json!({"hidden_size": -1}), "hidden_size", NotA { expected: "a whole number" }),
        (json!({"head_dim": 1e15}), "head_dim", NotA { expected: "at most 65536" }),
        (
            json!({"num_hidden_layers": 1e12}),
            "num_hidden_layers",
            NotA { expected: "at most 65536" },
        ),
        (
            json!({"head_dim": 63}),
            "partial_rotary_factor",
            NotA { expected: "such that a positive, even number of the head's features rotates" },
        ),
        // 33 of 66 features, which StableLM's class cannot rotate and which YaRN counts
        (
            json!({"model_type": "stablelm", "head_dim": 66, "partial_rotary_factor": 0.5}),
            "partial_rotary_factor",
            NotA { expected: "such that a positive, even number of the head's features rotates" },
        ),
        (
            json!({"head_dim": 66, "partial_rotary_factor": 0.5, "rope_scaling": {"rope_type": "yarn", "factor": 2.0}}),
            "partial_rotary_factor",
            NotA { expected: "such that a positive, even number of the head's features rotates" },
        ),
        (
            json!({"rotary_dim": 33}),
            "rotary_dim",
            NotA { expected: "such that a positive, even number of the head's features rotates" },
        ),
        (
            json!({"partial_rotary_factor": 0.0}),
            "rope_parameters.partial_rotary_factor",
            NotA { expected: "above 0 and at most 1" },
        ),
        (
            json!({"rope_parameters": {"full_attention": {"rope_type": "default"}, "rope_theta": 1e4}}),
            "rope_parameters.rope_theta",
            NotA { expected: "inside a type of layers" },
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
    let (field, problem) = refused(json!({"rope_scaling": {"rope_type": "linear", "factor": 0.0}}));
    assert_eq!(field, "rope_scaling");
    assert!(
        matches!(problem, ConfigProblem::Invalid(error) if matches!(*error, Error::InvalidParameter { .. }))
    );
    let (field, _) = refused(
        json!({"rope_scaling": {"rope_type": "longrope", "short_factor": [1.0], "long_factor": [1.0],
        "original_max_position_embeddings": 4096}}),
    );
    assert_eq!(field, "rope_scaling");
    let (field, _) = refused(json!({"rope_theta": -1.0}));
    assert_eq!(field, "rope_theta");
}

#[test]
fn texts_that_are_no_config() {
    for text in [
        "",
        "{",
        "[]",
        "null",
        "{\"model_type\": \"llama\"",
        "{\"text_config\": 3}",
        &"[".repeat(100_000),
    ] {
        assert!(matches!(ModelRotary::from_json(text), Err(Error::Config { .. })), "{text:.20}");
    }
    // A config that is truncated anywhere gives an error and never a panic.
    let whole = base_config().to_string();
    (0..whole.len()).for_each(|end| assert!(ModelRotary::from_json(&whole[..end]).is_err()));
}

/// Each gives an error that names the field, with any problem.
#[test]
fn values_that_no_model_has() {
    let scaling = |changes: Value| {
        let mut dict =
            json!({"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 4096});
        changes.as_object().unwrap().iter().for_each(|(name, value)| dict[name] = value.clone());
        json!({"rope_scaling": dict})
    };
    let llama3 = json!({"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
        "original_max_position_embeddings": 8192});
    let with = |base: &Value, name: &str, value: Value| {
        let mut dict = base.clone();
        dict[name] = value;
        json!({"rope_parameters": dict})
    };
    let longrope = json!({"rope_type": "longrope", "short_factor": vec![1.0; 64], "long_factor": vec![1.0; 64],
        "original_max_position_embeddings": 4096});
    let many: serde_json::Map<String, Value> =
        (0..1000).map(|i| (format!("type{i}"), json!({}))).collect();
    let huge = [
        json!(1_u64 << 60),
        json!(1e308),
        json!(-1),
        json!(0.5),
        json!("32"),
        json!([32]),
        json!(true),
    ];
    for value in &huge {
        for name in
            ["num_hidden_layers", "hidden_size", "num_attention_heads", "head_dim", "rotary_dim"]
        {
            let (field, _) = refused(json!({name: value}));
            assert_eq!(field, name, "{value}");
        }
    }
    for value in [
        json!("NaN"),
        json!("1e4"),
        json!([1e4]),
        json!({"value": 1e4}),
        json!(false),
        json!(0),
        json!(-1e4),
    ] {
        for name in ["rope_theta", "rotary_emb_base"] {
            let (field, _) = refused(json!({name: value}));
            assert!(field == name || field == "rope_theta", "{field} {value}");
        }
        assert_eq!(
            refused(json!({"rope_parameters": {"rope_theta": value}})).0.split('.').next_back(),
            Some("rope_theta")
        );
    }
    for (changes, field) in [
        (json!({"rope_ratio": "2"}), "rope_ratio"),
        (json!({"partial_rotary_factor": 1e308}), "rope_parameters.partial_rotary_factor"),
        (json!({"partial_rotary_factor": -0.5}), "rope_parameters.partial_rotary_factor"),
        (json!({"partial_rotary_factor": 1e-300}), "partial_rotary_factor"),
        (json!({"partial_rotary_factor": 0.5, "rotary_pct": 0.25}), "rotary_pct"),
        (
            json!({"partial_rotary_factor": 0.5, "rope_parameters": {"partial_rotary_factor": 0.25}}),
            "rope_parameters.partial_rotary_factor",
        ),
        (json!({"rope_theta": 1e4, "rotary_emb_base": 1e5}), "rotary_emb_base"),
        (json!({"rope_scaling": []}), "rope_scaling"),
        (json!({"rope_scaling": {"rope_type": ["yarn"]}}), "rope_scaling.rope_type"),
        (json!({"rope_scaling": {"rope_type": ""}}), "rope_scaling.rope_type"),
        (json!({"rope_scaling": {"rope_type": "YaRN"}}), "rope_scaling.rope_type"),
        (json!({"rope_scaling": {"rope_type": {"type": "yarn"}}}), "rope_scaling.rope_type"),
        (json!({"rope_parameters": many}), "rope_parameters"),
        (
            json!({"rope_parameters": {"full_attention": {"sliding_attention": {}}}}),
            "rope_parameters.full_attention.sliding_attention",
        ),
        (
            json!({"rope_parameters": {"full_attention": {"rope_type": "yarn"}}}),
            "rope_parameters.full_attention.factor",
        ),
        (
            json!({"rope_parameters": {"full_attention": {}, "sliding_attention": 7}}),
            "rope_parameters.sliding_attention",
        ),
        (json!({"rope_parameters": {"full_attention": {}}}), "layer_types"),
        (json!({"text_config": []}), "text_config"),
        (json!({"text_config": {}}), "text_config.model_type"),
        (json!({"text_config": {"model_type": "llama", "head_dim": -2}}), "text_config.head_dim"),
        (scaling(json!({"factor": 1e308, "mscale": 1e308, "mscale_all_dim": 1.0})), "rope_scaling"),
        (scaling(json!({"factor": 0.0})), "rope_scaling"),
        (scaling(json!({"factor": "inf"})), "rope_scaling.factor"),
        (scaling(json!({"beta_fast": -32.0})), "rope_scaling"),
        (scaling(json!({"beta_slow": 0})), "rope_scaling"),
        (scaling(json!({"truncate": "false"})), "rope_scaling.truncate"),
        (scaling(json!({"truncate": 0})), "rope_scaling.truncate"),
        (scaling(json!({"attention_factor": -1.0})), "rope_scaling"),
        (scaling(json!({"attention_factor": "1"})), "rope_scaling.attention_factor"),
        (scaling(json!({"original_max_position_embeddings": 0})), "rope_scaling"),
        (
            scaling(json!({"original_max_position_embeddings": -1})),
            "rope_scaling.original_max_position_embeddings",
        ),
        (
            scaling(json!({"original_max_position_embeddings": 1e300})),
            "rope_scaling.original_max_position_embeddings",
        ),
        (scaling(json!({"beta_fast ": 32})), "rope_scaling.beta_fast "),
        (scaling(json!({"llama_4_scaling_beta": "a"})), "rope_scaling.llama_4_scaling_beta"),
        (with(&llama3, "low_freq_factor", json!(0)), "rope_parameters"),
        (with(&llama3, "high_freq_factor", json!(null)), "rope_parameters.high_freq_factor"),
        (with(&llama3, "original_max_position_embeddings", json!(0)), "rope_parameters"),
        (with(&longrope, "short_factor", json!([])), "rope_parameters"),
        (with(&longrope, "long_factor", json!([1.0, "2"])), "rope_parameters.long_factor"),
        (with(&longrope, "long_factor", json!(vec![0.0; 64])), "rope_parameters"),
        (with(&longrope, "long_factor", json!(vec![-1.0; 64])), "rope_parameters"),
        (
            with(&longrope, "original_max_position_embeddings", json!(0)),
            "rope_parameters.original_max_position_embeddings",
        ),
        (with(&longrope, "original_max_position_embeddings", json!(1)), "rope_parameters"),
        (with(&longrope, "short_mscale", json!("1")), "rope_parameters.short_mscale"),
        (with(&json!({"rope_type": "dynamic"}), "factor", json!(0.5)), "rope_parameters"),
        (with(&json!({}), "mrope_section", json!([16, 24, 25])), "rope_parameters"),
        (with(&json!({}), "mrope_section", json!([1e15, 1e15, 1e15])), "rope_parameters"),
        (with(&json!({}), "mrope_section", json!([16, -24, 72])), "rope_parameters.mrope_section"),
        (with(&json!({}), "mrope_section", json!(64)), "rope_parameters.mrope_section"),
        (
            with(&json!({"mrope_section": [32, 32]}), "mrope_interleaved", json!(true)),
            "rope_parameters",
        ),
        (json!({"no_rope_layers": [1, 0, 1]}), "num_hidden_layers"),
        (json!({"no_rope_layers": ["1", "0"]}), "no_rope_layers"),
        (json!({"no_rope_layers": {"0": 1}}), "no_rope_layers"),
        (json!({"layer_types": "full_attention"}), "layer_types"),
        (json!({"layer_types": [null, null]}), "layer_types"),
        (json!({"alibi": "yes"}), "alibi"),
        (json!({"model_type": ["llama"]}), "model_type"),
        (
            json!({"model_type": "gemma3_text", "sliding_window_pattern": 0}),
            "sliding_window_pattern",
        ),
        (
            json!({"model_type": "exaone4", "sliding_window_pattern": "GLLL"}),
            "sliding_window_pattern",
        ),
        (json!({"model_type": "exaone4", "sliding_window_pattern": ""}), "sliding_window_pattern"),
        (json!({"model_type": "smollm3", "no_rope_layer_interval": 0}), "no_rope_layer_interval"),
        (
            json!({"model_type": "modernbert", "global_attn_every_n_layers": 0}),
            "global_attn_every_n_layers",
        ),
        (json!({"model_type": "modernbert", "local_rope_theta": -1}), "local_rope_theta"),
        (json!({"model_type": "gemma3_text", "rope_local_base_freq": 0}), "rope_local_base_freq"),
        (json!({"model_type": "cohere2", "sliding_window": null}), "sliding_window"),
        (
            json!({"model_type": "llama4_text", "attn_temperature_tuning": "on"}),
            "attn_temperature_tuning",
        ),
        (json!({"model_type": "llama4_text", "floor_scale": 0}), "floor_scale"),
        // zai-org/chatglm-6b
        (json!({"model_type": "chatglm", "position_encoding_2d": true}), "position_encoding_2d"),
        (json!({"model_type": "chatglm", "original_rope": false}), "original_rope"),
        (json!({"model_type": "deepseek_v3", "qk_rope_head_dim": 63}), "qk_rope_head_dim"),
        (json!({"model_type": "deepseek_v3", "qk_nope_head_dim": 1e12}), "qk_nope_head_dim"),
        (json!({"model_type": "deepseek_v3", "rope_interleave": "no"}), "rope_interleave"),
        (
            json!({"model_type": "deepseek_v3", "rope_scaling": {"rope_type": "yarn", "factor": 40.0, "mscale": 1e308,
                "mscale_all_dim": 1e308, "original_max_position_embeddings": 4096}}),
            "rope_scaling.mscale_all_dim",
        ),
        (
            json!({"model_type": "gemma4_text", "rope_parameters": {"rope_type": "default"}}),
            "rope_parameters.full_attention",
        ),
        (json!({"model_type": "gemma4_text", "global_head_dim": 1e9}), "global_head_dim"),
        (
            json!({"model_type": "gemma4_text", "per_layer_config": {"5": 512}}),
            "per_layer_config.5",
        ),
        (
            json!({"model_type": "gemma4_text", "per_layer_config": {"5": {"head_dim": 512}, "6": {"head_dim": 256}}}),
            "per_layer_config.6",
        ),
        (json!({"per_layer_config": {"1": {"head_dim": 64}}}), "per_layer_config"),
    ] {
        let (found, problem) = refused(changes.clone());
        assert_eq!(found, field, "{changes} {problem:?}");
    }
    // The largest factors still give frequencies.
    let mut config = base_config();
    config["rope_parameters"] = json!({"rope_type": "dynamic", "factor": 1e308});
    let model = ModelRotary::from_json(&config.to_string()).unwrap();
    let frequencies = model.only().unwrap().rotary(1 << 40).unwrap().frequencies();
    assert!(
        frequencies[0] == 1.0 && frequencies.windows(2).all(|w| w[1] < w[0] && w[1] >= 0.0),
        "{frequencies:?}"
    );
    // Two original lengths
    let mut config = scaling(json!({}));
    config["original_max_position_embeddings"] = 8192.into();
    let (field, problem) = refused(config);
    assert_eq!(field, "rope_scaling.original_max_position_embeddings");
    assert!(matches!(problem, ConfigProblem::Contradicts { .. }));
    // Numbers that JSON has and f64 has not, and depth
    assert!(matches!(
        ModelRotary::from_json("{\"rope_theta\": 1e999}"),
        Err(Error::Config { problem: ConfigProblem::Syntax { .. }, .. })
    ));
    let deep = format!("{}{}", "{\"text_config\":".repeat(100_000), "}".repeat(100_000));
    assert!(matches!(ModelRotary::from_json(&deep), Err(Error::Config { .. })));
}

#[test]
fn metadata_that_no_file_has() {
    let real: [(&str, Metadata); 8] = [
        ("embedding_length", 4096.into()),
        ("attention.head_count", 32.into()),
        ("attention.key_length", 128.into()),
        ("rope.freq_base", 1e6.into()),
        ("rope.dimension_count", 128.into()),
        ("rope.scaling.type", "yarn".into()),
        ("rope.scaling.factor", 4.0.into()),
        ("rope.scaling.original_context_length", 32768.into()),
    ];
    let read = |name: &str, value: Option<Metadata>| {
        let mut pairs = vec![("general.architecture".to_string(), Metadata::from("qwen3"))];
        pairs.extend(
            real.iter()
                .filter(|(known, _)| *known != name)
                .map(|(key, v)| (format!("qwen3.{key}"), v.clone())),
        );
        pairs.extend(value.map(|value| (format!("qwen3.{name}"), value)));
        RotarySpec::from_gguf(pairs)
    };
    assert!(read("", None).is_ok());
    for (name, value) in [
        ("rope.freq_base", Metadata::Number(f64::NAN)),
        ("rope.freq_base", f64::INFINITY.into()),
        ("rope.freq_base", "1e6".into()),
        ("rope.freq_base", true.into()),
        ("rope.freq_base", Metadata::Numbers(vec![1e6])),
        ("rope.dimension_count", u64::MAX.into()),
        ("rope.dimension_count", (1_u64 << 60).into()),
        ("rope.dimension_count", 100_000.into()),
        ("rope.dimension_count", (-128).into()),
        ("rope.dimension_count", 64.5.into()),
        ("rope.dimension_count", 256.into()),
        ("attention.key_length", f64::NAN.into()),
        ("attention.key_length", "128".into()),
        ("rope.scaling.type", 2.into()),
        ("rope.scaling.type", "Yarn".into()),
        ("rope.scaling.type", "longrope\0".into()),
        ("rope.scaling.factor", f32::NAN.into()),
        ("rope.scaling.factor", "4".into()),
        ("rope.scaling.original_context_length", (-1).into()),
        ("rope.scaling.original_context_length", 1e300.into()),
        ("rope.scaling.yarn_beta_fast", "32".into()),
        ("rope.scaling.attn_factor", f64::NEG_INFINITY.into()),
        ("rope.dimension_sections", 64.into()),
        ("rope.dimension_sections", Metadata::Numbers(vec![24.0, f64::NAN, 20.0])),
        ("rope.dimension_sections", Metadata::Numbers(vec![-24.0, 68.0, 20.0])),
    ] {
        match read(name, Some(value.clone())) {
            Err(Error::Config { field, .. }) => {
                assert_eq!(field, format!("qwen3.{name}"), "{value:?}")
            }
            other => panic!("{name} {value:?}: {other:?}"),
        }
    }
    // An error that is found when the rotation is made names the architecture, and the parameter in
    // its text.
    for (name, value) in [
        ("rope.freq_base", Metadata::from(-1.0)),
        ("rope.freq_base", 0.into()),
        ("rope.dimension_count", 0.into()),
        ("rope.dimension_count", 63.into()),
        ("rope.scaling.factor", (-4.0).into()),
        ("rope.scaling.factor", 0.5.into()),
        ("rope.scaling.original_context_length", 0.into()),
        ("rope.scaling.yarn_beta_fast", (-1.0).into()),
        ("rope.scaling.attn_factor", 0.into()),
        ("rope.dimension_sections", Metadata::Numbers(vec![1e15, 1e15, 1e15])),
        ("rope.dimension_sections", Metadata::Numbers(vec![])),
    ] {
        let error = read(name, Some(value.clone())).unwrap_err();
        assert!(
            matches!(error, Error::Config { problem: ConfigProblem::Invalid(_), .. }),
            "{name} {value:?}: {error}"
        );
    }
    let missing = read("rope.scaling.factor", None).unwrap_err();
    assert_eq!(
        missing,
        Error::Config {
            field: "qwen3.rope.scaling.factor".into(),
            problem: ConfigProblem::Missing
        }
    );
    for value in [Metadata::Number(1.0), Metadata::Flag(true), Metadata::from("")] {
        assert!(RotarySpec::from_gguf([("general.architecture", value)]).is_err());
    }
}

/// Values shared by the root and the text part are compared once, at any depth.
#[test]
fn deep_dictionaries() {
    for depth in [24, 110] {
        let nested = format!("{}1{}", r#"{"a":"#.repeat(depth), "}".repeat(depth));
        for wrong in ["1", "2"] {
            let other = nested.replace('1', wrong);
            let config = format!(
                r#"{{"rope_scaling":{nested},"text_config":{{"model_type":"llama","head_dim":64,
                "rope_scaling":{other}}}}}"#
            );
            let start = std::time::Instant::now();
            assert!(matches!(ModelRotary::from_json(&config), Err(Error::Config { .. })));
            assert!(start.elapsed().as_millis() < 500, "{depth}: {:?}", start.elapsed());
        }
    }
}

/// The number of sections is limited.
#[test]
fn many_sections() {
    let zeros = vec![0_usize; 50_000];
    let start = std::time::Instant::now();
    let (field, problem) =
        refused(json!({"head_dim": 65536, "rope_parameters": {"mrope_section": zeros}}));
    let expected = "a list of at most 8 sections";
    assert_eq!(
        (&*field, problem),
        ("rope_parameters.mrope_section", ConfigProblem::NotA { expected })
    );
    let numbers = Metadata::Numbers((0..50_000).map(|i| f64::from(1 + i % 2)).collect());
    let metadata = [
        ("general.architecture", "qwen2vl".into()),
        ("qwen2vl.rope.dimension_count", 65536.into()),
        ("qwen2vl.rope.dimension_sections", numbers),
    ];
    assert!(matches!(RotarySpec::from_gguf(metadata), Err(Error::Config { .. })));
    assert!(start.elapsed().as_millis() < 500, "{:?}", start.elapsed());
}
