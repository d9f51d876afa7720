//! Defaults of model classes for missing fields. Every number is from the configuration_*.py of
//! transformers 4.57 or 5.23.

use positional_encodings::config::{ModelRotary, RotarySpec};
use positional_encodings::scaling::{Llama3, Regime, Scaling, Yarn};
use positional_encodings::{Error, Pairing, config::ConfigProblem, rotary::Sections};
use serde_json::{Value, json};

fn read(config: &Value) -> Result<ModelRotary, Error> {
    ModelRotary::from_json(&config.to_string())
}

/// Returns a config with little more than a name.
fn bare(name: &str) -> Value {
    json!({"model_type": name, "hidden_size": 2048, "num_attention_heads": 32, "num_hidden_layers": 8,
        "max_position_embeddings": 4096})
}

#[test]
fn class_defaults() {
    let (halves, pairs) = (Pairing::Halves, Pairing::Interleaved);
    for (name, dim, head_dim, base, pairing) in [
        ("llama", 64, 64, 1e4, halves),
        ("mistral", 64, 64, 1e4, halves),
        ("ministral", 64, 64, 1e4, halves),
        ("mixtral", 64, 64, 1e6, halves),
        ("phimoe", 64, 64, 1e6, halves),
        ("seed_oss", 128, 128, 1e4, halves),
        ("glm4_moe", 32, 64, 1e4, halves),
        ("qwen2", 64, 64, 1e4, halves),
        ("qwen2_moe", 64, 64, 1e4, halves),
        ("qwen3", 128, 128, 1e4, halves),
        ("qwen3_moe", 64, 64, 1e4, halves),
        ("phi3", 64, 64, 1e4, halves),
        ("phi", 32, 64, 1e4, halves),
        ("nemotron", 32, 64, 1e4, halves),
        ("stablelm", 16, 64, 1e4, halves),
        ("gpt_neox", 16, 64, 1e4, halves),
        ("gptj", 64, 64, 1e4, pairs),
        ("codegen", 64, 64, 1e4, pairs),
        ("falcon", 64, 64, 1e4, halves),
        ("starcoder2", 64, 64, 1e4, halves),
        ("granite", 64, 64, 1e4, halves),
        ("granitemoe", 64, 64, 1e4, halves),
        ("arcee", 64, 64, 1e4, halves),
        ("baichuan", 64, 64, 1e4, halves),
        ("olmo", 64, 64, 1e4, halves),
        ("olmo2", 64, 64, 1e4, halves),
        ("olmoe", 64, 64, 1e4, halves),
        ("gemma", 256, 256, 1e4, halves),
        ("gemma2", 256, 256, 1e4, halves),
        ("helium", 128, 128, 1e5, pairs),
        ("ernie4_5", 128, 128, 5e5, pairs),
        ("ernie4_5_moe", 64, 64, 5e5, pairs),
        ("glm", 64, 128, 1e4, pairs),
        ("glm4", 64, 128, 1e4, pairs),
        ("deepseek_v2", 64, 192, 1e4, pairs),
        ("deepseek_v3", 64, 192, 1e4, pairs),
    ] {
        let model = read(&bare(name)).unwrap();
        let spec = model.only().unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(
            (spec.dim, spec.head_dim, spec.base, spec.pairing),
            (dim, head_dim, base, pairing),
            "{name}"
        );
        assert_eq!((&spec.scaling, spec.attention_factor), (&Scaling::None, 1.0), "{name}");
        assert_eq!((0..9).filter(|&layer| model.layer(layer).is_ok()).count(), 8, "{name}");
    }
}

/// modeling_afmoe.py rotates in sliding layers, modeling_nemotron_h.py in none; a pairing from the
/// caller does not change that.
#[test]
fn layers_without_positions_are_known_by_the_type() {
    let listed = json!({"model_type": "afmoe", "head_dim": 128, "num_hidden_layers": 4, "rope_theta": 1e4,
        "layer_types": ["sliding_attention", "sliding_attention", "sliding_attention", "full_attention"]});
    let counted = json!({"model_type": "afmoe", "num_hidden_layers": 4});
    for config in [listed, counted] {
        let model = read(&config).unwrap();
        let rotates = |layer: usize| model.layer(layer).unwrap().is_some();
        assert_eq!([0, 1, 2, 3].map(rotates), [true, true, true, false]);
        let given = |pairing| ModelRotary::from_json_with_pairing(&config.to_string(), pairing);
        assert_eq!(given(Pairing::Halves).as_ref(), Ok(&model));
        let problem = ConfigProblem::Contradicts { other: "the pairing given".into() };
        let error = Error::Config { field: "model_type".into(), problem };
        assert_eq!(given(Pairing::Interleaved), Err(error));
    }
    let nemotron_h = read(&json!({"model_type": "nemotron_h", "num_hidden_layers": 2})).unwrap();
    assert_eq!([0, 1].map(|layer| nemotron_h.layer(layer)), [Ok(None), Ok(None)]);
    // The list of layers is required where the class has one of its own.
    let untold = read(&json!({"model_type": "flint", "num_hidden_layers": 4}));
    let problem = ConfigProblem::Missing;
    assert_eq!(untold, Err(Error::Config { field: "layer_types".into(), problem }));
}

/// A base for each layer, 0 where it has no positions.
#[test]
fn bases_of_single_layers() {
    let with = |list: Value| {
        read(&json!({"model_type": "granite_swa", "hidden_size": 2048,
        "num_attention_heads": 32, "num_hidden_layers": 4, "layer_rope_theta": list}))
    };
    let bases = |list: Value| {
        let model = with(list).unwrap();
        let base = |layer| model.layer(layer).unwrap().map(|spec: &RotarySpec| spec.base);
        ([0, 1, 2, 3].map(base), model.types().count())
    };
    let (near, far) = (Some(1e4), Some(5e5));
    assert_eq!(bases(json!([1e4, 1e4, 1e4, 1e4])), ([near; 4], 1));
    assert_eq!(bases(json!([1e4, 0, 1e4, 0])), ([near, None, near, None], 2));
    assert_eq!(bases(json!([1e4, 0, 5e5, 1e4])), ([near, None, far, near], 3));
    assert_eq!(bases(json!([0, 0, 0, 0])), ([None; 4], 1));
    let two = with(json!([1e4, 5e5, 1e4, 5e5])).unwrap();
    assert_eq!(two.layer_type("rope_theta 500000").unwrap().unwrap().base, 5e5);
    for list in [json!([1e4, -1, 1e4, 1e4]), json!([1e4]), json!(["1e4", 0, 0, 0]), json!(1e4)] {
        assert!(with(list).is_err());
    }
}

/// transformers 4 and 5 have different bases for these types.
#[test]
fn bases_that_versions_disagree_on_must_be_given() {
    for name in ["cohere", "olmo3", "persimmon", "qwen3_vl", "qwen3_vl_moe"] {
        let missing = Error::Config { field: "rope_theta".into(), problem: ConfigProblem::Missing };
        assert_eq!(read(&bare(name)), Err(missing), "{name}");
        let mut given = bare(name);
        given["rope_theta"] = 5e5.into();
        if name.starts_with("qwen") {
            given["head_dim"] = 128.into();
        }
        assert_eq!(read(&given).unwrap().layer(0).unwrap().unwrap().base, 5e5, "{name}");
    }
}

/// GptOssConfig and Ministral3Config have a scaling by default.
#[test]
fn classes_that_scale() {
    let gpt_oss = read(&bare("gpt_oss")).unwrap();
    let spec = gpt_oss.only().unwrap();
    let yarn = Yarn { truncate: false, ..Yarn::new(32.0, 4096) };
    assert_eq!((spec.dim, spec.base, &spec.scaling), (64, 150_000.0, &Scaling::Yarn(yarn)));
    let mut plain = bare("gpt_oss");
    plain["rope_parameters"] = json!({"rope_type": "default"});
    assert_eq!(read(&plain).unwrap().only().unwrap().scaling, Scaling::None);
    let apertus = read(&bare("apertus")).unwrap();
    let llama3 =
        Llama3 { factor: 8.0, low_freq_factor: 1.0, high_freq_factor: 4.0, original_len: 8192 };
    assert_eq!(
        (apertus.only().unwrap().base, &apertus.only().unwrap().scaling),
        (12e6, &Scaling::Llama3(llama3))
    );
    let ministral3 = read(&bare("ministral3")).unwrap();
    let spec = ministral3.only().unwrap();
    let yarn = Yarn { mscale: 1.0, mscale_all_dim: 1.0, ..Yarn::new(16.0, 16384) };
    assert_eq!((spec.dim, spec.base, &spec.scaling), (128, 1e6, &Scaling::Yarn(yarn)));
    assert!(ministral3.query_temperature().is_some());
}

/// modeling_olmo3.py has a plain rotation for sliding layers and the scaled one of the config for
/// full layers.
#[test]
fn olmo3_scales_full_layers_only() {
    // allenai/Olmo-3-7B-Think
    let mut config = bare("olmo3");
    config["rope_theta"] = 500_000.into();
    config["rope_scaling"] = json!({"rope_type": "yarn", "factor": 8.0, "original_max_position_embeddings": 8192,
        "attention_factor": 1.2079441541679836, "beta_fast": 32.0, "beta_slow": 1.0});
    let v4 = read(&config).unwrap();
    for layer in 0..8 {
        let spec = v4.layer(layer).unwrap().unwrap();
        assert_eq!(spec.base, 5e5);
        assert_eq!(spec.scaling != Scaling::None, layer % 4 == 3, "{layer}");
    }
    let mut full = config["rope_scaling"].clone();
    full["rope_theta"] = 500_000.into();
    config.as_object_mut().unwrap().remove("rope_scaling");
    config["rope_parameters"] = json!({"full_attention": full, "sliding_attention": null});
    let v5 = read(&config).unwrap();
    (0..8).for_each(|layer| assert_eq!(v4.layer(layer), v5.layer(layer), "{layer}"));
}

/// modeling_exaone4.py rotates in sliding layers, and in all where there is no window.
#[test]
fn exaone4_rotates_in_sliding_layers() {
    // LGAI-EXAONE/EXAONE-4.0-32B and 1.2B
    let mut config = bare("exaone4");
    config["rope_theta"] = 1_000_000.into();
    config["sliding_window_pattern"] = "LLLG".into();
    config["sliding_window"] = 4096.into();
    let hybrid = read(&config).unwrap();
    (0..8).for_each(|layer| {
        assert_eq!(hybrid.layer(layer).unwrap().is_some(), layer % 4 != 3, "{layer}")
    });
    let mut types = vec!["sliding_attention"; 8];
    (types[3], types[7]) = ("full_attention", "full_attention");
    config["layer_types"] = types.into();
    assert_eq!(read(&config).unwrap(), hybrid);
    config["sliding_window"] = Value::Null;
    config["sliding_window_pattern"] = Value::Null;
    config["layer_types"] = vec!["full_attention"; 8].into();
    let small = read(&config).unwrap();
    (0..8).for_each(|layer| assert!(small.layer(layer).unwrap().is_some()));
}

/// Where its dictionary has no base, each type has the base of transformers 4.
#[test]
fn bases_of_layer_types() {
    for (name, local, global) in [("gemma3_text", 1e4, 1e6), ("modernbert", 1e4, 160_000.0)] {
        let plain = read(&bare(name)).unwrap();
        for parameters in [
            json!({"full_attention": {"rope_type": "default"}, "sliding_attention": {"rope_type": "default"}}),
            json!({"full_attention": {"rope_type": "default"}}),
            json!({"full_attention": {}, "sliding_attention": null}),
        ] {
            let mut nested = bare(name);
            nested["rope_parameters"] = parameters;
            let nested = read(&nested).unwrap();
            (0..8).for_each(|layer| {
                assert_eq!(plain.layer(layer), nested.layer(layer), "{name} {layer}")
            });
        }
        assert_eq!(plain.layer_type("sliding_attention").unwrap().unwrap().base, local);
        assert_eq!(plain.layer_type("full_attention").unwrap().unwrap().base, global);
    }
    // configuration_modernbert.py of transformers 5 gives rope_scaling to both types,
    // configuration_gemma3.py to one.
    for (name, local) in
        [("gemma3_text", Scaling::None), ("modernbert", Scaling::Linear { factor: 2.0 })]
    {
        let mut config = bare(name);
        config["rope_scaling"] = json!({"rope_type": "linear", "factor": 2.0});
        let model = read(&config).unwrap();
        let scaling = |kind| model.layer_type(kind).unwrap().unwrap().scaling.clone();
        assert_eq!(scaling("full_attention"), Scaling::Linear { factor: 2.0 });
        assert_eq!(scaling("sliding_attention"), local);
    }
    // modeling_modernbert.py: null is the base of the global layers.
    let mut config = bare("modernbert");
    config["local_rope_theta"] = Value::Null;
    assert_eq!(
        read(&config).unwrap().layer_type("sliding_attention").unwrap().unwrap().base,
        160_000.0
    );
}

/// modeling_phimoe.py: an attention factor for each list.
#[test]
fn longrope_with_two_attention_factors() {
    // microsoft/Phi-3.5-MoE-instruct, its factors shortened to one
    let mut config = bare("phimoe");
    config["max_position_embeddings"] = 131_072.into();
    config["original_max_position_embeddings"] = 4096.into();
    config["rope_scaling"] = json!({"type": "longrope", "short_factor": vec![1.1; 32], "long_factor": vec![3.0; 32],
        "short_mscale": 1.243163121016122, "long_mscale": 1.243163121016122});
    config["rope_scaling"]["long_mscale"] = 1.5.into();
    let model = read(&config).unwrap();
    for (len, regime, factor) in
        [(4096, Regime::Short, 1.243163121016122), (4097, Regime::Long, 1.5)]
    {
        let rotary = model.only().unwrap().rotary(len).unwrap();
        assert_eq!((rotary.regime(), rotary.attention_factor()), (regime, factor));
    }
}

/// configuration_qwen3_next.py and configuration_qwen3_5.py: a quarter of the head in every fourth
/// layer, linear attention between.
#[test]
fn hybrids_rotate_in_full_layers() {
    // Qwen/Qwen3-Next-80B-A3B-Instruct
    let next =
        read(&json!({"model_type": "qwen3_next", "hidden_size": 2048, "num_attention_heads": 16, "head_dim": 256,
        "num_hidden_layers": 48, "full_attention_interval": 4, "partial_rotary_factor": 0.25, "rope_theta": 10000000}))
        .unwrap();
    (0..48).for_each(|layer| {
        assert_eq!(next.layer(layer).unwrap().is_some(), layer % 4 == 3, "{layer}")
    });
    let spec = next.layer(3).unwrap().unwrap();
    assert_eq!((spec.dim, spec.head_dim, spec.base, &spec.sections), (64, 256, 1e7, &None));
    let mut types = vec!["linear_attention"; 8];
    (types[3], types[7]) = ("full_attention", "full_attention");
    let mut config = bare("qwen3_5_text");
    config["layer_types"] = types.into();
    config["rope_parameters"] = json!({"rope_type": "default", "rope_theta": 10_000_000, "partial_rotary_factor": 0.25,
        "mrope_interleaved": true, "mrope_section": [11, 11, 10]});
    let listed = read(&config).unwrap();
    let spec = listed.layer(7).unwrap().unwrap();
    assert_eq!((spec.dim, &spec.sections), (64, &Some((vec![11, 11, 10], Sections::Interleaved))));
    assert_eq!(listed.layer(6), Ok(None));
    let mut bare = bare("qwen3_5_text");
    bare["rope_theta"] = 10_000_000.into();
    assert_eq!(read(&bare).unwrap(), listed);
}

#[test]
fn sections_of_multimodal_classes() {
    for (name, sections, order) in [
        ("qwen2_vl", [16, 24, 24], Sections::Chunked),
        ("qwen2_5_vl_text", [16, 24, 24], Sections::Chunked),
        ("qwen3_vl_text", [24, 20, 20], Sections::Interleaved),
        ("qwen3_vl_moe_text", [24, 20, 20], Sections::Interleaved),
    ] {
        let mut config = bare(name);
        config["head_dim"] = 128.into();
        config["rope_theta"] = 1e6.into();
        assert_eq!(
            read(&config).unwrap().only().unwrap().sections,
            Some((sections.to_vec(), order)),
            "{name}"
        );
    }
}

/// Qwen3-VL's height and width have every third pair. 58 pairs have room for 20 of each, and 18 are
/// left for time. 57 pairs have no room, and positions have one axis.
#[test]
fn interleaved_sections_find_room_or_not() {
    let of = |head_dim: usize| {
        let mut config = bare("qwen3_vl_text");
        config["head_dim"] = head_dim.into();
        config["rope_theta"] = 1e6.into();
        read(&config).unwrap().only().unwrap().sections.clone()
    };
    assert_eq!(of(116), Some((vec![18, 20, 20], Sections::Interleaved)));
    assert_eq!(of(114), None);
}

/// The factors of microsoft/Phi-4-mini-instruct: three quarters of a head of 128, so that there are
/// 48.
#[test]
fn longrope_of_a_part() {
    let mut config = bare("phi3");
    config["partial_rotary_factor"] = 0.75.into();
    config["hidden_size"] = 3072.into();
    config["num_attention_heads"] = 24.into();
    config["max_position_embeddings"] = 131_072.into();
    config["original_max_position_embeddings"] = 4096.into();
    config["rope_scaling"] =
        json!({"type": "longrope", "short_factor": vec![1.0; 48], "long_factor": vec![2.0; 48]});
    let model = read(&config).unwrap();
    assert_eq!((model.only().unwrap().dim, model.only().unwrap().head_dim), (96, 128));
    // A factor in the config takes precedence over 131072/4096.
    config["rope_scaling"]["factor"] = 8.0.into();
    let factor = read(&config).unwrap().only().unwrap().attention_factor;
    assert!((factor - (1.0 + 8_f64.ln() / 4096_f64.ln()).sqrt()).abs() < 1e-15, "{factor}");
    config["rope_scaling"]["long_factor"] = vec![2.0; 64].into();
    assert!(read(&config).is_err());
}

/// modeling_deepseek_v3.py: rope_interleave chooses between the two helpers.
#[test]
fn latent_attention_in_halves() {
    for (interleave, pairing) in
        [(json!(true), Pairing::Interleaved), (json!(false), Pairing::Halves)]
    {
        let mut config = bare("deepseek_v3");
        config["rope_interleave"] = interleave;
        assert_eq!(read(&config).unwrap().only().unwrap().pairing, pairing);
    }
}
