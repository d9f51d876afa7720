//! Fields that could be ignored: each is followed, or gives an error that names it.

use positional_encodings::config::{ModelRotary, RotarySpec};
use positional_encodings::scaling::Scaling;
use positional_encodings::{Error, Pairing, config::ConfigProblem, rotary::Sections};
use serde_json::{Value, json};

fn with(mut config: Value, changes: &Value) -> Value {
    for (name, value) in changes.as_object().unwrap() {
        config[name] = value.clone();
    }
    config
}

fn llama(changes: &Value) -> Value {
    let plain = json!({"model_type": "llama", "hidden_size": 4096, "num_attention_heads": 32, "num_hidden_layers": 4,
        "max_position_embeddings": 8192});
    with(plain, changes)
}

fn read(config: &Value) -> Result<ModelRotary, Error> {
    ModelRotary::from_json(&config.to_string())
}

fn only(config: &Value) -> RotarySpec {
    read(config).unwrap().only().unwrap().clone()
}

fn contradicts(other: &str) -> ConfigProblem {
    ConfigProblem::Contradicts { other: other.into() }
}

#[track_caller]
fn refused(found: Result<ModelRotary, Error>, field: &str, problem: ConfigProblem) {
    assert_eq!(found, Err(Error::Config { field: field.into(), problem }));
}

/// Unknown types may have DeepSeek-V3's heads under another name.
#[test]
fn latent_heads_are_known_by_their_fields() {
    // moonshotai/Kimi-K2-Instruct, with an unknown type
    let kimi = json!({"model_type": "unheard_of", "hidden_size": 7168, "num_attention_heads": 64, "num_hidden_layers": 61,
        "kv_lora_rank": 512, "q_lora_rank": 1536, "qk_nope_head_dim": 128, "qk_rope_head_dim": 64, "v_head_dim": 128,
        "max_position_embeddings": 131072, "rope_theta": 50000.0, "rope_scaling": {"beta_fast": 1.0, "beta_slow": 1.0,
            "factor": 32.0, "mscale": 1.0, "mscale_all_dim": 1.0, "original_max_position_embeddings": 4096, "type": "yarn"}});
    let given =
        |config: &Value, pairing| ModelRotary::from_json_with_pairing(&config.to_string(), pairing);
    let spec = given(&kimi, Pairing::Interleaved).unwrap().only().unwrap().clone();
    assert_eq!(
        (spec.dim, spec.head_dim, spec.on_last_features, spec.attention_factor),
        (64, 192, true, 1.0)
    );
    // (0.1 ln 32 + 1)², by mpmath
    assert!((spec.softmax_factor - 1.8132604340394956).abs() < 1e-15, "{}", spec.softmax_factor);
    let mut deepseek = kimi.clone();
    deepseek["model_type"] = "deepseek_v3".into();
    assert_eq!(only(&deepseek), spec);
    // transformers saves the rotated part as head_dim, and a fraction of 1 or that of both parts.
    for changes in [
        json!({"head_dim": 64}),
        json!({"partial_rotary_factor": 1.0}),
        json!({"partial_rotary_factor": 64.0 / 192.0}),
    ] {
        assert_eq!(only(&with(deepseek.clone(), &changes)), spec, "{changes}");
    }
    for name in ["qk_nope_head_dim", "qk_rope_head_dim"] {
        let less = with(kimi.clone(), &json!({name: null}));
        refused(given(&less, Pairing::Interleaved), name, ConfigProblem::Missing);
    }
    for (changes, field, other) in [
        (json!({"partial_rotary_factor": 0.5}), "qk_rope_head_dim", "partial_rotary_factor"),
        (json!({"rotary_dim": 32}), "rotary_dim", "qk_rope_head_dim"),
        (json!({"rope_interleave": false}), "rope_interleave", "the pairing given"),
    ] {
        refused(
            given(&with(kimi.clone(), &changes), Pairing::Interleaved),
            field,
            contradicts(other),
        );
    }
    let halves = with(kimi, &json!({"rope_interleave": false}));
    assert_eq!(given(&halves, Pairing::Halves).unwrap().only().unwrap().pairing, Pairing::Halves);
    refused(
        read(&llama(&json!({"rope_interleave": true}))),
        "rope_interleave",
        contradicts("model_type"),
    );
}

/// transformers reads only the text part; some versions saved the same fields beside it.
#[test]
fn the_root_says_what_its_text_part_says() {
    let text = json!({"model_type": "qwen2_5_vl_text", "hidden_size": 3584, "num_attention_heads": 28, "num_hidden_layers": 28,
        "rope_theta": 1000000.0, "rope_scaling": {"mrope_section": [16, 24, 24], "rope_type": "default", "type": "default"}});
    let config =
        |changes: &Value| with(json!({"model_type": "qwen2_5_vl", "text_config": text}), changes);
    let plain = read(&config(&json!({}))).unwrap();
    for same in [
        json!({"rope_theta": 1000000}),
        json!({"rope_scaling": {"mrope_section": [16, 24, 24], "type": "mrope"}}),
        json!({"rope_parameters": {"mrope_section": [16, 24, 24], "rope_type": "default", "rope_theta": 1e6, "factor": null}}),
        json!({"rope_scaling": null, "rope_theta": null}),
    ] {
        assert_eq!(read(&config(&same)).as_ref(), Ok(&plain), "{same}");
    }
    for (name, other) in [
        ("rope_theta", json!(10000.0)),
        (
            "rope_scaling",
            json!({"rope_type": "yarn", "factor": 4.0, "mrope_section": [16, 24, 24]}),
        ),
        ("rope_scaling", json!({"mrope_section": [24, 20, 20], "type": "mrope"})),
        ("rope_parameters", json!({"rope_theta": 1e6})),
    ] {
        refused(read(&config(&json!({name: other}))), name, contradicts("text_config"));
    }
    let missing = || ConfigProblem::NotA { expected: "inside text_config" };
    for (name, value) in [
        ("partial_rotary_factor", json!(0.5)),
        ("original_max_position_embeddings", json!(4096)),
        ("no_rope_layers", json!([1])),
        ("rope_local_base_freq", json!(1e4)),
        ("layer_types", json!(["full_attention"])),
        ("alibi", json!(true)),
    ] {
        refused(read(&config(&json!({name: value}))), name, missing());
    }
    let llama4 = json!({"model_type": "llama4", "rope_scaling": {"rope_type": "llama3"}, "rope_theta": 1e4,
        "text_config": {"model_type": "llama4_text"}});
    refused(read(&llama4), "rope_scaling", missing());
    // A base inside the text part's dictionary
    let nested = json!({"rope_theta": 2e6, "text_config": {"model_type": "llama", "head_dim": 64, "rope_parameters": {"rope_theta": 2e6}}});
    assert_eq!(only(&nested).base, 2e6);
}

#[test]
fn either_name_of_interleaved_sections() {
    let sections = |changes: Value| {
        let dict = with(json!({"rope_type": "default", "mrope_section": [24, 20, 20]}), &changes);
        read(&llama(&json!({"rope_scaling": dict})))
            .map(|model| model.only().unwrap().sections.clone().unwrap().1)
    };
    // Qwen/Qwen3-Omni-30B-A3B-Instruct has the first.
    assert_eq!(sections(json!({"interleaved": true})), Ok(Sections::Interleaved));
    assert_eq!(
        sections(json!({"mrope_interleaved": true, "interleaved": true})),
        Ok(Sections::Interleaved)
    );
    assert_eq!(sections(json!({"interleaved": false})), Ok(Sections::Chunked));
    let error = sections(json!({"mrope_interleaved": false, "interleaved": true})).unwrap_err();
    assert_eq!(
        error.to_string(),
        "config field rope_scaling.interleaved contradicts mrope_interleaved"
    );
    for name in ["interleaved", "mrope_interleaved"] {
        let alone = read(&llama(&json!({"rope_parameters": {name: true}})));
        refused(alone, "rope_parameters.mrope_section", ConfigProblem::Missing);
    }
}

#[test]
fn parameters_of_a_scaling_want_its_type() {
    for name in [
        "factor",
        "attention_factor",
        "beta_fast",
        "beta_slow",
        "mscale",
        "mscale_all_dim",
        "short_mscale",
        "long_mscale",
        "low_freq_factor",
        "high_freq_factor",
    ] {
        let typeless = llama(&json!({"rope_parameters": {"rope_theta": 1e6, name: 4.0}}));
        refused(read(&typeless), "rope_parameters.rope_type", ConfigProblem::Missing);
        // A name that another type has
        for kind in ["default", "mrope", "linear", "dynamic", "yarn", "llama3"] {
            let used = match kind {
                "default" | "mrope" => &[][..],
                "linear" | "dynamic" => &["factor"],
                "yarn" => &[
                    "factor",
                    "attention_factor",
                    "beta_fast",
                    "beta_slow",
                    "mscale",
                    "mscale_all_dim",
                ],
                _ => &["factor", "low_freq_factor", "high_freq_factor"],
            };
            let dict = json!({"type": kind, name: 4.0});
            let error =
                read(&llama(&json!({"rope_scaling": dict}))).err().map(|error| error.to_string());
            let shown = if kind == "mrope" { "default" } else { kind };
            let expected = format!("config field rope_scaling.{name} contradicts the type {shown}");
            assert_eq!(
                error.as_ref() == Some(&expected),
                !used.contains(&name),
                "{kind} {name} {error:?}"
            );
        }
    }
    for dict in
        [json!({"rope_theta": 1e6, "partial_rotary_factor": 0.5}), json!({"rope_theta": 1e6})]
    {
        assert_eq!(only(&llama(&json!({"rope_parameters": dict}))).scaling, Scaling::None);
    }
    // Values without effect: factors of 1, nulls, and the original length
    let extras = json!({"type": "default", "factor": 1.0, "attention_factor": 1.0, "beta_fast": null,
        "original_max_position_embeddings": 4096});
    assert_eq!(only(&llama(&json!({"rope_scaling": extras}))), only(&llama(&json!({}))));
}

/// transformers starts dynamic NTK at max_position_embeddings, and takes LongRoPE's factor from it.
#[test]
fn lengths_that_contradict() {
    let lengths = |kind: &str, inner: Value, outer: Value| {
        let dict = with(json!({"rope_type": kind, "factor": 2.0}), &inner);
        read(&with(llama(&json!({"rope_scaling": dict})), &outer))
    };
    let name = "original_max_position_embeddings";
    let same = lengths("dynamic", json!({name: 8192, "max_position_embeddings": 8192}), json!({}));
    assert_eq!(same, lengths("dynamic", json!({}), json!({})));
    let maximal = "max_position_embeddings";
    refused(
        lengths("dynamic", json!({name: 4096}), json!({})),
        &format!("rope_scaling.{name}"),
        contradicts(maximal),
    );
    refused(lengths("dynamic", json!({}), json!({name: 4096})), name, contradicts(maximal));
    let outside = contradicts("max_position_embeddings outside of it");
    let field = "rope_scaling.max_position_embeddings";
    refused(lengths("dynamic", json!({maximal: 4096}), json!({})), field, outside.clone());
    refused(lengths("yarn", json!({maximal: 4096}), json!({})), field, outside.clone());
    let lists = json!({"short_factor": vec![1.0; 64], "long_factor": vec![2.0; 64], name: 4096, maximal: 4096, "factor": null});
    refused(lengths("longrope", lists, json!({})), field, outside);
}

#[test]
fn a_rotary_dim_is_the_part_of_the_head() {
    let dim = |changes: Value| only(&llama(&changes)).dim;
    // MiniMaxAI/MiniMax-M2 has both.
    assert_eq!(dim(json!({"rotary_dim": 64, "partial_rotary_factor": 0.5})), 64);
    assert_eq!(dim(json!({"rotary_dim": 64})), 64);
    // 33 of 66 features, rounded up
    assert_eq!(dim(json!({"head_dim": 66, "rotary_dim": 34, "rotary_pct": 0.5})), 34);
    for changes in [
        json!({"rotary_dim": 32, "partial_rotary_factor": 0.5}),
        json!({"rotary_dim": 64, "rotary_pct": 1.0}),
        json!({"rotary_dim": 64, "rope_parameters": {"rope_theta": 1e4, "partial_rotary_factor": 0.25}}),
    ] {
        refused(read(&llama(&changes)), "rotary_dim", contradicts("partial_rotary_factor"));
    }
}

#[test]
fn layers_without_positions_agree_with_their_types() {
    let nested = |full: Value, list: Value| {
        read(&llama(
            &json!({"layer_types": ["full_attention", "sliding_attention", "sliding_attention", "full_attention"],
            "rope_parameters": {"full_attention": full, "sliding_attention": {"rope_theta": 1e4}}, "no_rope_layers": list}),
        ))
    };
    let local = |list: Value| {
        read(&with(llama(&json!({"model_type": "gemma3_text"})), &json!({"no_rope_layers": list})))
    };
    let field = "no_rope_layers";
    let other = || contradicts("the types of layers");
    refused(nested(json!({}), json!([1, 1, 0, 1])), field, other());
    refused(nested(Value::Null, json!([1, 1, 1, 1])), field, other());
    refused(nested(json!({}), json!([1, 1, 1])), field, other());
    refused(local(json!([0, 1, 1, 1])), field, other());
    assert_eq!(nested(Value::Null, json!([0, 1, 1, 0])).unwrap().layer(0), Ok(None));
    assert!(nested(json!({}), json!([])).is_ok() && local(json!([1, 1, 1, 1])).is_ok());
    for list in [json!([1, 2, 1, 1]), json!([1, 0, 65536, 1])] {
        let problem = ConfigProblem::NotA { expected: "a list of 0 and 1" };
        refused(read(&llama(&json!({"no_rope_layers": list}))), field, problem.clone());
        refused(local(list), field, problem);
    }
}

#[test]
fn types_of_positions() {
    let of = |value: &str| read(&llama(&json!({"position_embedding_type": value})));
    for value in ["rope", "rotary"] {
        assert_eq!(of(value), read(&llama(&json!({}))));
    }
    for changes in [
        json!({"position_embedding_type": "nope"}),
        json!({"position_embedding_type": "alibi"}),
        // moonshotai/Kimi-Linear-48B-A3B-Instruct
        json!({"mla_use_nope": true, "kv_lora_rank": 512, "qk_nope_head_dim": 128, "qk_rope_head_dim": 64}),
    ] {
        let model = read(&llama(&changes)).unwrap();
        assert_eq!((model.layer_type("all"), model.layer(3)), (Ok(None), Ok(None)), "{changes}");
    }
    // The names of the pairing, which must be that of the class
    let name = "position_embedding_type";
    assert_eq!(of("rope_gpt_neox"), of("rope"));
    refused(of("rope_gptj"), name, contradicts("model_type"));
    let given = llama(&json!({"model_type": "unheard_of", "rope_theta": 1e4, name: "rope_gptj"}))
        .to_string();
    assert!(ModelRotary::from_json_with_pairing(&given, Pairing::Interleaved).is_ok());
    refused(
        ModelRotary::from_json_with_pairing(&given, Pairing::Halves),
        name,
        contradicts("the pairing given"),
    );
    for value in ["absolute", "relative_key", "learned_absolute", ""] {
        refused(
            of(value),
            "position_embedding_type",
            ConfigProblem::Unknown { found: value.into() },
        );
    }
}

/// An unknown class may use fields of rotations in any way.
#[test]
fn unknown_classes_speak_of_nothing_else() {
    let given = |changes: &Value| {
        let config =
            with(json!({"model_type": "unheard_of", "head_dim": 128, "rope_theta": 1e4}), changes)
                .to_string();
        ModelRotary::from_json_with_pairing(&config, Pairing::Halves)
    };
    for (name, value) in [
        ("attn_rotary_emb", json!(64)), // ibm-ai-platform/Bamba-9B
        ("rotary_scaling_factor", json!(2)),
        ("rotary_emb_scale_base", json!(512)), // nomic-ai/nomic-bert-2048, both where they are not null
        ("rope_type", json!("original")),      // xai-org/grok-2
        ("use_rope", json!(false)),
        ("no_rope_layer_interval", json!(4)),
    ] {
        refused(given(&json!({name: value})), name, ConfigProblem::Unknown { found: name.into() });
        assert_eq!(given(&json!({name: null})), given(&json!({})), "{name}");
    }
    assert_eq!(
        given(&json!({"use_rope": true, "use_mrope": false, "vocab_size": 5})),
        given(&json!({}))
    );
    let listed = given(&json!({"no_rope_layers": [1, 0], "no_rope_layer_interval": 2})).unwrap();
    assert_eq!(listed.layer(1), Ok(None));
    // NomicBERT's name for the pairing
    assert_eq!(given(&json!({"rotary_emb_interleaved": false})), given(&json!({})));
    let name = "rotary_emb_interleaved";
    refused(given(&json!({name: true})), name, contradicts("the pairing given"));
    // Classes of transformers ignore fields of others.
    assert_eq!(read(&llama(&json!({"attn_rotary_emb": 64}))), read(&llama(&json!({}))));
}
