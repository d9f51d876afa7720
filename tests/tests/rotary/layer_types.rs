//! The types of layers in a config: their names, their order, and which layer has which.

use positional_encodings::config::{ConfigProblem, ModelRotary, RotarySpec};
use positional_encodings::scaling::Scaling;
use positional_encodings::{Error, Pairing};
use serde_json::{Value, json};

fn read(config: &Value) -> Result<ModelRotary, Error> {
    ModelRotary::from_json(&config.to_string())
}

/// Reads a config of a class that is not known.
fn unheard_of(fields: Value) -> Result<ModelRotary, Error> {
    let mut config = json!({"model_type": "unheard_of", "head_dim": 64, "rope_theta": 1e4});
    config.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    ModelRotary::from_json_with_pairing(&config.to_string(), Pairing::Halves)
}

/// Returns the value of `of` for each layer, `None` for layers without positions.
fn each<T>(model: &ModelRotary, of: impl Fn(&RotarySpec) -> T) -> Vec<Option<T>> {
    let count = model.layer_count().unwrap();
    (0..count).map(|layer| model.layer(layer).unwrap().map(&of)).collect()
}

fn bases(model: &ModelRotary) -> Vec<Option<f64>> {
    each(model, |spec| spec.base)
}

fn names(model: &ModelRotary) -> Vec<&str> {
    model.types().map(|(name, _)| name).collect()
}

#[track_caller]
fn refused(found: Result<ModelRotary, Error>, field: &str, problem: ConfigProblem) {
    assert_eq!(found, Err(Error::Config { field: field.into(), problem }));
}

/// Layers without positions come after those with positions, and stay where the class has them if
/// the list of types does not tell them apart.
#[test]
fn rotated_types_come_first() {
    let types = vec!["full_attention"; 4];
    let smollm3 = json!({"model_type": "smollm3", "num_hidden_layers": 4, "layer_types": types});
    let model = read(&smollm3).unwrap();
    assert_eq!(names(&model), ["rope", "no_rope"]);
    assert_eq!(bases(&model), [Some(2e6), Some(2e6), Some(2e6), None]);
    // Layers that both lists leave without positions are of one type.
    let both = json!({"model_type": "lfm2", "num_hidden_layers": 3, "no_rope_layers": [0, 0, 1],
        "layer_types": ["conv", "conv", "full_attention"]});
    assert_eq!(names(&read(&both).unwrap()), ["rope", "no_rope"]);
}

/// A type without parameters does not keep convolutions from being layers without positions.
#[test]
fn convolutions_beside_a_type_without_positions() {
    let config = json!({"model_type": "lfm3", "num_hidden_layers": 3,
        "layer_types": ["conv", "full_attention", "sliding_attention"],
        "rope_parameters": {"full_attention": {"rope_theta": 1e6}, "sliding_attention": null}});
    assert_eq!(bases(&read(&config).unwrap()), [None, Some(1e6), None]);
}

/// DeepSeek-V4's names for its layers, and a config that lists none: all layers are compressed.
#[test]
fn names_of_compressed_layers() {
    let types =
        ["sliding_attention", "compressed_sparse_attention", "heavily_compressed_attention"];
    let listed = json!({"model_type": "deepseek_v4", "num_hidden_layers": 3, "layer_types": types});
    assert_eq!(bases(&read(&listed).unwrap()), [Some(1e4), Some(1.6e5), Some(1.6e5)]);
    let unlisted = json!({"model_type": "deepseek_v4", "num_hidden_layers": 2});
    assert_eq!(bases(&read(&unlisted).unwrap()), [Some(1.6e5); 2]);
}

/// A model that does not rotate needs no list of types.
#[test]
fn layers_that_are_all_still() {
    let config = json!({"model_type": "mellum", "alibi": true, "num_hidden_layers": 2});
    let model = read(&config).unwrap();
    assert_eq!((names(&model), bases(&model)), (vec!["all"], vec![None; 2]));
}

/// A pattern consists of local layers and ends with a global one.
#[test]
fn patterns_in_letters() {
    let every = |pattern: &str| {
        let config = json!({"model_type": "exaone4", "head_dim": 64, "num_hidden_layers": 4,
            "sliding_window": 4096, "sliding_window_pattern": pattern});
        read(&config).map(|model| bases(&model).iter().map(Option::is_some).collect::<Vec<_>>())
    };
    assert_eq!(every("LLLG"), Ok(vec![true, true, true, false]));
    assert_eq!(every("LG"), Ok(vec![true, false, true, false]));
    for wrong in ["LGLG", "LXLG", "LLL"] {
        let error = every(wrong).unwrap_err().to_string();
        assert!(error.starts_with("config field sliding_window_pattern"), "{wrong}: {error}");
    }
}

/// The parameters of a type are an object or null; what belongs inside a type is not ignored beside
/// the types.
#[test]
fn what_stands_beside_types() {
    let beside = |name: &str, value: Value| {
        let mut dict = json!({"full_attention": {"rope_theta": 1e4}});
        dict[name] = value;
        read(&json!({"model_type": "llama", "head_dim": 64, "num_hidden_layers": 1,
            "layer_types": ["full_attention"], "rope_parameters": dict}))
    };
    assert!(beside("rope_type", json!("default")).is_ok());
    let expected = "an object or null";
    let field = "rope_parameters.sliding_attention";
    refused(beside("sliding_attention", json!("default")), field, ConfigProblem::NotA { expected });
    let expected = "inside a type of layers";
    for (name, value) in [("rope_type", json!("linear")), ("rope_theta", json!("default"))] {
        let field = format!("rope_parameters.{name}");
        refused(beside(name, value), &field, ConfigProblem::NotA { expected });
    }
}

#[test]
fn as_many_types_as_are_read() {
    let nested = |count: usize| {
        let types: Vec<String> = (0..count).map(|i| format!("type{i}")).collect();
        let dict: Value = types.iter().map(|name| (name.clone(), json!({}))).collect();
        read(&json!({"model_type": "llama", "head_dim": 8, "num_hidden_layers": count,
            "layer_types": types, "rope_parameters": dict}))
    };
    assert_eq!(names(&nested(32).unwrap()).len(), 32);
    let problem = ConfigProblem::NotA { expected: "at most 32 types of layers" };
    refused(nested(33), "rope_parameters", problem);
    // A base that is known already is no further type.
    let expected = "a list of at most 32 bases";
    for name in ["layer_rope_theta", "rope_theta"] {
        let listed = |count: usize| {
            let mut list: Vec<f64> = (0..count).map(|i| 1e4 + i as f64).collect();
            list.push(1e4);
            read(&json!({"model_type": "llama", "head_dim": 8, "num_hidden_layers": count + 1,
                name: list}))
        };
        let model = listed(32).unwrap();
        assert_eq!((names(&model).len(), bases(&model)[32]), (32, Some(1e4)), "{name}");
        refused(listed(33), name, ConfigProblem::NotA { expected });
    }
    let deep = json!({"model_type": "llama", "head_dim": 8, "num_hidden_layers": 65_536});
    assert_eq!(read(&deep).unwrap().layer_count(), Some(65_536));
}

/// Types that a list of bases makes are named by what distinguishes them.
#[test]
fn names_of_listed_bases() {
    for name in ["layer_rope_theta", "rope_theta"] {
        let of = |list: Value| {
            read(&json!({"model_type": "llama", "head_dim": 64,
            "num_hidden_layers": 2, name: list}))
            .unwrap()
        };
        assert_eq!(names(&of(json!([1e4, 1e4]))), ["all"], "{name}");
    }
    let of = |list: Value| unheard_of(json!({"layer_rope_theta": list})).unwrap();
    assert_eq!(names(&of(json!([1e4, 0.0, 1e4]))), ["rope", "no_rope"]);
    assert_eq!(names(&of(json!([1e4, 1e5]))), ["rope_theta 10000", "rope_theta 100000"]);
    let expected = "a list of bases, 0 for layers without positions";
    let negative = unheard_of(json!({"layer_rope_theta": [1e4, -1e4]}));
    refused(negative, "layer_rope_theta", ConfigProblem::NotA { expected });
    // A name in `layer_types` is that of its layers only where they are all alike.
    let types = ["full_attention", "sliding_attention", "sliding_attention"];
    let config = json!({"model_type": "llama", "head_dim": 64, "num_hidden_layers": 3,
        "layer_types": types, "rope_theta": [1e6, 1e4, 1e5],
        "rope_scaling": {"type": "linear", "factor": 2.0}});
    let model = read(&config).unwrap();
    assert_eq!(names(&model)[0], "full_attention");
    assert!(names(&model)[1..].iter().all(|name| name.starts_with("rope_theta")));
    // Where the class has no local layers, sliding layers are scaled like the others.
    let scaled = Some(Scaling::Linear { factor: 2.0 });
    assert_eq!(each(&model, |spec| spec.scaling.clone()), [scaled.clone(), scaled.clone(), scaled]);
}

/// Local layers are not scaled, nor is the softmax of their latent heads.
#[test]
fn local_layers_with_latent_heads() {
    let yarn = json!({"rope_type": "yarn", "factor": 32.0, "mscale": 1.0, "mscale_all_dim": 1.0,
        "original_max_position_embeddings": 4096});
    let model = unheard_of(json!({"num_hidden_layers": 2, "qk_nope_head_dim": 128,
        "qk_rope_head_dim": 64, "swa_rope_theta": 5e4, "rope_scaling": yarn,
        "layer_types": ["full_attention", "sliding_attention"]}));
    let model = model.unwrap();
    assert_eq!(bases(&model), [Some(1e4), Some(5e4)]);
    let factors = each(&model, |spec| spec.softmax_factor);
    assert!(factors[0] > Some(1.8) && factors[1] == Some(1.0), "{factors:?}");
}

/// The width of single layers' latent heads is that of their type.
#[test]
fn latent_heads_of_a_type() {
    let config = json!({"model_type": "dots3_note_text", "num_hidden_layers": 2,
        "layer_types": ["sliding_attention", "indexed_attention"],
        "per_layer_config": {"0": {"qk_nope_head_dim": 192}}});
    let model = read(&config).unwrap();
    assert_eq!(each(&model, |spec| spec.head_dim), [Some(256), Some(192)]);
}

/// A list of types takes precedence over the same list in numbers.
#[test]
fn types_by_name_and_by_number() {
    let of = |types: Value| {
        let config = json!({"model_type": "minimax_text_01", "num_hidden_layers": 2,
            "hidden_size": 256, "num_attention_heads": 2, "attn_type_list": [0, 1],
            "layer_types": types});
        bases(&read(&config).unwrap())
    };
    assert_eq!(of(Value::Null), [None, Some(1e7)]);
    assert_eq!(of(json!(["full_attention", "linear_attention"])), [Some(1e7), None]);
}
