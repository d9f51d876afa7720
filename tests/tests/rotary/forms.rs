//! Rare forms of configs: the place of the language model, the base of each layer, and numbers as
//! Python writes them.

use positional_encodings::config::{ConfigProblem, ModelRotary, RotarySpec};
use positional_encodings::rotary::{AxialOrder, Sections};
use positional_encodings::scaling::{DynamicNtk, Scaling, Yarn};
use positional_encodings::{Error, Pairing, Positions};
use serde_json::{Value, json};

fn read(config: &Value) -> Result<ModelRotary, Error> {
    ModelRotary::from_json(&config.to_string())
}

fn layer(model: &ModelRotary, index: usize) -> Option<&RotarySpec> {
    model.layer(index).unwrap()
}

fn base(model: &ModelRotary, index: usize) -> Option<f64> {
    layer(model, index).map(|spec| spec.base)
}

/// The sizes of LLaVA-1.5's language model are the defaults of its class: the file leaves them out.
#[test]
fn language_models_within() {
    let llava = json!({"model_type": "llava", "text_config": {"model_type": "llama",
        "max_position_embeddings": 4096, "rms_norm_eps": 1e-5}, "vision_config": {"hidden_size": 1024}});
    let model = read(&llava).unwrap();
    let spec = model.only().unwrap();
    assert_eq!((spec.dim, spec.base, model.layer_count()), (128, 1e4, Some(32)));
    // Without a type, the class of the whole model determines it.
    let untyped = json!({"model_type": "llava", "text_config": {}});
    assert_eq!(read(&untyped).unwrap(), model);
    let mistral3 =
        json!({"model_type": "mistral3", "text_config": {"head_dim": 128, "rope_theta": 1e9}});
    assert_eq!(read(&mistral3).unwrap().only().unwrap().base, 1e9);
    for (part, model_type) in
        [("llm_config", "internvl_chat"), ("language_config", "deepseek_vl_v2")]
    {
        let config = json!({"model_type": model_type, part: {"model_type": "qwen2", "hidden_size": 896,
            "num_attention_heads": 14, "rope_theta": 1e6}});
        let spec = read(&config).unwrap().only().unwrap().clone();
        assert_eq!((spec.dim, spec.base), (64, 1e6));
    }
    let omni = json!({"model_type": "qwen2_5_omni", "thinker_config": {"text_config": {
        "hidden_size": 3584, "num_attention_heads": 28, "rope_scaling": {"type": "default",
        "mrope_section": [16, 24, 24]}, "rope_theta": 1e6}}, "talker_config": {"hidden_size": 896,
        "head_dim": 64, "rope_theta": 1e6, "rope_scaling": {"type": "default", "mrope_section": [16, 16, 0]}}});
    let thinker = read(&omni).unwrap();
    assert_eq!(thinker.only().unwrap().sections, Some((vec![16, 24, 24], Sections::Chunked)));
    let talker = ModelRotary::from_json_part(&omni.to_string(), "talker_config").unwrap();
    assert_eq!(talker.only().unwrap().sections, Some((vec![16, 16, 0], Sections::Chunked)));
    let same =
        ModelRotary::from_json_part(&omni.to_string(), "thinker_config.text_config").unwrap();
    assert_eq!(same, thinker);
}

#[test]
fn parts_that_are_not_there() {
    let message = |result: Result<ModelRotary, Error>| result.unwrap_err().to_string();
    let whole =
        r#"{"model_type": "qwen2_vl", "vision_config": {"embed_dim": 1280}, "text_config": 3}"#;
    let part = |name| message(ModelRotary::from_json_part(whole, name));
    assert_eq!(part("audio_config"), "config field audio_config is missing");
    assert_eq!(part("vision_config.audio"), "config field vision_config.audio is missing");
    assert_eq!(part("text_config"), "config field text_config must be an object");
    assert_eq!(part(""), "config field  is missing");
    let untyped = read(&json!({"text_config": {"head_dim": 64}}));
    assert_eq!(message(untyped), "config field text_config.model_type is missing");
    let parts = message(read(&json!({"model_type": "t5gemma", "decoder": {}})));
    assert!(parts.contains("from_json_part"), "{parts}");
    let music = message(read(&json!({"model_type": "musicflamingo", "text_config": {}})));
    assert!(music.contains("seconds"), "{music}");
    let text = r#"{"model_type": "musicflamingo", "text_config": {"model_type": "qwen2"}}"#;
    assert_eq!(ModelRotary::from_json_part(text, "text_config").unwrap().only().unwrap().dim, 128);
}

/// The pairs of a vision tower that rotate by rows, and those that rotate by columns.
#[test]
fn vision_towers() {
    for (model_type, head_dim, order, pairing) in [
        ("qwen2_vl_vision", 80, AxialOrder::Qwen2Vl, Pairing::Halves),
        ("gemma4_vision", 64, AxialOrder::Gemma4, Pairing::Halves),
        ("llama4_vision_model", 48, AxialOrder::Llama4, Pairing::Interleaved),
        ("sam3_vit_model", 64, AxialOrder::Llama4, Pairing::Interleaved),
        ("kimi_k25_vision", 72, AxialOrder::KimiK25, Pairing::Halves),
        ("step3p5_vision", 96, AxialOrder::Step3, Pairing::Halves),
        ("pixtral", 64, AxialOrder::Pixtral, Pairing::Halves),
    ] {
        let model = read(&json!({"model_type": model_type})).unwrap();
        let spec = model.only().unwrap();
        assert_eq!((spec.head_dim, spec.grid), (head_dim, Some(order)), "{model_type}");
        let rotary = spec.rotary(0).unwrap();
        assert_eq!((rotary.dim(), rotary.axes(), rotary.pairing()), (head_dim, 2, pairing));
        // A scaling beside a grid, which only a spec of one's own can have, changes nothing.
        let mut scaled = spec.clone();
        scaled.scaling = Scaling::DynamicNtk(DynamicNtk { factor: 2.0, original_len: 8 });
        assert_eq!(scaled.regime(100), scaled.rotary(100).unwrap().regime());
    }
    // modeling_kimi_k25.py: w₀ h₀ w₁ h₁ …; modeling_step3p7.py: all of w, then all of h
    let turned = |model_type: &str| {
        let config = json!({"model_type": model_type, "hidden_size": 8, "num_attention_heads": 1});
        let rotary = read(&config).unwrap().only().unwrap().rotary(0).unwrap();
        assert_eq!(rotary.frequencies().iter().filter(|&&w| w == 1.0).count(), 2);
        let at = rotary.at::<f64>(Positions::from_axes([&[1], &[0]]).unwrap()).unwrap();
        at.cos_sin(0).unwrap()[1].iter().map(|sin| *sin != 0.0).collect::<Vec<_>>()
    };
    assert_eq!(turned("kimi_k25_vision"), [false, true, false, true]);
    assert_eq!(turned("step3p5_vision"), [false, false, true, true]);
    assert_eq!(turned("qwen3_vl_vision"), [true, true, false, false]);
}

/// modeling_ernie4_5_vl_moe.py: pair k < 44 turns with height where k is even and with width where
/// odd, the last 20 with time; every pair keeps its frequency.
#[test]
fn space_in_the_fast_pairs() {
    let config = json!({"model_type": "ernie4_5_vl_moe_text", "hidden_size": 2560,
        "num_attention_heads": 20, "rope_parameters": {"mrope_section": [22, 22, 20], "rope_theta": 5e5}});
    let model = read(&config).unwrap();
    let spec = model.only().unwrap();
    assert_eq!((spec.pairing, spec.dim), (Pairing::Interleaved, 128));
    let rotary = spec.rotary(0).unwrap();
    let mut plain = spec.clone();
    plain.sections = None;
    let plain = plain.rotary(0).unwrap();
    assert_eq!(rotary.frequencies(), plain.frequencies());
    let positions = Positions::from_axes([&[3], &[5], &[7]]).unwrap();
    let found = rotary.at::<f64>(positions).unwrap();
    let [time, height, width] = [3, 5, 7].map(|position| plain.at::<f64>(&[position]).unwrap());
    for pair in 0..64 {
        let of = [&height, &width, &time][if pair < 44 { pair % 2 } else { 2 }];
        assert_eq!(found.cos_sin(0).unwrap()[1][pair], of.cos_sin(0).unwrap()[1][pair], "{pair}");
    }
}

/// HunYuan's alpha: base · alpha^(d/(d − 2)), whatever other fields there are.
#[test]
fn alpha_is_static() {
    let scaling = json!({"alpha": 1000.0, "beta_fast": 32, "beta_slow": 1, "factor": 1.0,
        "mscale": 1.0, "mscale_all_dim": 1.0, "type": "dynamic"});
    let config = |model_type: &str, scaling: &Value| {
        json!({"model_type": model_type, "head_dim": 128,
        "rope_theta": 1e4, "rope_scaling": scaling})
    };
    let model = read(&config("hunyuan_v1_dense", &scaling)).unwrap();
    let spec = model.only().unwrap();
    assert_eq!((&spec.scaling, spec.attention_factor), (&Scaling::Ntk { factor: 1000.0 }, 1.0));
    let base = 1e4 * 1000_f64.powf(128.0 / 126.0);
    for len in [1, 1 << 20] {
        let slowest = spec.rotary(len).unwrap().frequencies()[63];
        assert!((slowest * base.powf(126.0 / 128.0) - 1.0).abs() < 1e-12);
    }
    let mut vision = scaling.clone();
    vision["type"] = "xdrope".into();
    vision["xdrope_section"] = json!([16, 16, 16, 16]);
    let vision = read(&config("hunyuan_vl_text", &vision)).unwrap();
    assert_eq!(vision.only().unwrap().sections, Some((vec![16; 4], Sections::Chunked)));
    // Other types have no alpha.
    let error = read(&config("llama", &scaling)).unwrap_err();
    assert_eq!(error.to_string(), "config field rope_scaling.alpha: \"alpha\" is not known");
}

/// configuration_deepseek_v4.py: plain layers with `rope_theta`; compressed layers with a base of
/// their own and YaRN, whose attention factor is 1.
#[test]
fn compressed_layers() {
    let config = json!({"model_type": "deepseek_v4", "head_dim": 512, "qk_rope_head_dim": 64,
        "num_hidden_layers": 4, "rope_theta": 10000, "compress_rope_theta": 160000,
        "compress_ratios": [0, 4, 128, 0, 0], "num_nextn_predict_layers": 1,
        "rope_scaling": {"type": "yarn", "factor": 16, "beta_fast": 32, "beta_slow": 1,
            "original_max_position_embeddings": 65536}});
    let model = read(&config).unwrap();
    let bases = [0, 1, 2, 3].map(|index| base(&model, index).unwrap());
    assert_eq!(bases, [1e4, 1.6e5, 1.6e5, 1e4]);
    let [main, compress] = [0, 1].map(|index| layer(&model, index).unwrap());
    assert_eq!((main.dim, main.head_dim, main.on_last_features), (64, 512, true));
    assert_eq!((&main.scaling, main.pairing), (&Scaling::None, Pairing::Interleaved));
    assert_eq!(compress.scaling, Scaling::Yarn(Yarn::new(16.0, 65_536)));
    assert_eq!(compress.attention_factor, 1.0);
    let wide = json!({"model_type": "deepseek_v4", "compress_rope_theta": 0});
    assert!(
        matches!(read(&wide), Err(Error::Config { field, .. }) if field == "compress_rope_theta")
    );
}

/// A base and a rotated part for each layer, as in older files of Step 3.5, with the layers that
/// predict further tokens at the end; only full layers are scaled.
#[test]
fn lists_of_bases_and_parts() {
    let scaling = json!({"rope_type": "llama3", "factor": 2.0, "low_freq_factor": 1.0,
        "high_freq_factor": 32.0, "original_max_position_embeddings": 131072});
    let types = ["full_attention", "sliding_attention", "sliding_attention", "full_attention"];
    let config = |bases: Value, parts: Value| {
        json!({"model_type": "step3p5", "head_dim": 128,
        "num_hidden_layers": 3, "num_nextn_predict_layers": 1, "layer_types": types,
        "rope_theta": bases, "partial_rotary_factors": parts, "rope_scaling": scaling})
    };
    let model = read(&config(json!([5e6, 1e4, 1e4, 5e6]), json!([0.5, 1.0, 1.0, 0.5]))).unwrap();
    assert_eq!(model.layer_count(), Some(3));
    let [full, sliding] = [0, 1].map(|index| layer(&model, index).unwrap());
    assert_eq!((full.dim, full.base, sliding.dim, sliding.base), (64, 5e6, 128, 1e4));
    assert_eq!((&sliding.scaling, full.scaling == Scaling::None), (&Scaling::None, false));
    assert_eq!(model.layer_type("full_attention").unwrap(), Some(full));
    for bases in [json!([5e6]), json!([5e6, 1e4, "1e4"]), json!([5e6, -1e4, 1e4])] {
        assert!(read(&config(bases, Value::Null)).is_err());
    }
    let uneven = json!({"model_type": "llama", "head_dim": 64, "num_hidden_layers": 2,
        "rope_theta": [1e4, 0.0], "partial_rotary_factor": [0.5, 0.5]});
    let uneven = read(&uneven).unwrap();
    assert_eq!([0, 1].map(|index| base(&uneven, index)), [Some(1e4), None]);
    assert_eq!(layer(&uneven, 0).unwrap().dim, 32);
}

/// Types of layers with any name, including types without positions.
#[test]
fn layers_by_any_name() {
    let lfm2 = json!({"model_type": "lfm2", "hidden_size": 2048, "num_attention_heads": 32,
        "layer_types": ["conv", "conv", "full_attention"]});
    let lfm2 = read(&lfm2).unwrap();
    assert_eq!([0, 1, 2].map(|index| base(&lfm2, index)), [None, None, Some(1e6)]);
    let beam = json!({"model_type": "beam", "head_dim": 128, "layer_types": ["full_attention", "sliding_attention"],
        "rope_parameters": {"full_attention": null, "sliding_attention": {"rope_theta": 1e4}}});
    let beam = read(&beam).unwrap();
    assert_eq!([0, 1].map(|index| base(&beam, index)), [None, Some(1e4)]);
    let granite = |kind: Value| {
        let config = json!({"model_type": "granitemoehybrid", "hidden_size": 1536, "num_attention_heads": 12,
            "layer_types": ["mamba", "attention"], "position_embedding_type": kind});
        let model = read(&config).unwrap();
        [0, 1].map(|index| base(&model, index))
    };
    assert_eq!(granite(json!("rope")), [None, Some(1e4)]);
    assert_eq!((granite(json!("nope")), granite(Value::Null)), ([None; 2], [None; 2]));
    let typo = json!({"model_type": "lfm3", "layer_types": ["conv", "ful_attention"]});
    let error = read(&typo).unwrap_err();
    assert_eq!(error.to_string(), "config field layer_types: \"ful_attention\" is not known");
}

/// Numbers of Python that JSON lacks, in fields that are not read and in fields that are.
#[test]
fn numbers_of_python() {
    let with = |field: &str| {
        format!(
            r#"{{"model_type": "nemotron_h", "note": "a \"NaN\" \\", "notes": ["NaN", "  NaN"],
        "time_step_limit": [0.0, Infinity, -Infinity, NaN], {field}}}"#
        )
    };
    let model = ModelRotary::from_json(&with(r#""num_hidden_layers": 2"#)).unwrap();
    assert_eq!(model.layer_count(), Some(2));
    let llama = |value: &str| {
        format!(r#"{{"model_type": "llama", "head_dim": 64, "rope_theta": {value}}}"#)
    };
    for value in ["Infinity", "-Infinity", "NaN"] {
        let problem = ConfigProblem::NotA { expected: "a number" };
        let error = Error::Config { field: "rope_theta".into(), problem };
        assert_eq!(ModelRotary::from_json(&llama(value)), Err(error), "{value}");
    }
    for broken in ["Infinit", "NaNs", "+Infinity", "- Infinity", "\"NaN"] {
        let error = ModelRotary::from_json(&llama(broken)).unwrap_err();
        let is_syntax =
            matches!(error, Error::Config { problem: ConfigProblem::Syntax { .. }, .. });
        assert!(is_syntax || broken == "NaNs", "{broken}: {error}");
    }
}

/// As in transformers, a null stands for a share of the model's width and not for the default of
/// the class.
#[test]
fn nulls() {
    let qwen3 = |head_dim: Value| {
        let mut config =
            json!({"model_type": "qwen3", "hidden_size": 1024, "num_attention_heads": 16});
        config["head_dim"] = head_dim;
        read(&config).unwrap().only().unwrap().head_dim
    };
    assert_eq!((qwen3(Value::Null), qwen3(json!(128))), (64, 128));
    let absent = json!({"model_type": "qwen3", "hidden_size": 1024, "num_attention_heads": 16});
    assert_eq!(read(&absent).unwrap().only().unwrap().head_dim, 128);
    let yarn = json!({"model_type": "deepseek_v3", "max_position_embeddings": 163840, "rope_scaling":
        {"type": "yarn", "factor": null, "original_max_position_embeddings": 4096}});
    let Scaling::Yarn(yarn) = read(&yarn).unwrap().only().unwrap().scaling.clone() else {
        panic!()
    };
    assert_eq!(yarn.factor, 40.0);
    // Without an original length, the maximal length is used.
    let llama3 = json!({"model_type": "llama", "max_position_embeddings": 8192, "rope_scaling":
        {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0}});
    let Scaling::Llama3(llama3) = read(&llama3).unwrap().only().unwrap().scaling else { panic!() };
    assert_eq!(llama3.original_len, 8192);
}

/// Without multi-head latent attention, DeepSeek-V2's heads are plain ones (DeepSeek-VL2-tiny).
#[test]
fn latent_heads_that_are_none() {
    let config = json!({"model_type": "deepseek_vl_v2", "language_config": {"model_type": "deepseek_v2",
        "hidden_size": 1280, "num_attention_heads": 10, "use_mla": false, "kv_lora_rank": null,
        "qk_nope_head_dim": 0, "qk_rope_head_dim": 0}});
    let model = read(&config).unwrap();
    let spec = model.only().unwrap();
    assert_eq!((spec.dim, spec.head_dim, spec.pairing), (128, 128, Pairing::Halves));
    assert!(!spec.on_last_features);
}

/// Every type of transformers 5.24 with rope parameters is read with its own base, or gives an
/// error that says what its class does.
#[test]
fn all_types() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/golden/transformers_types.tsv");
    let table = std::fs::read_to_string(path).unwrap();
    let (mut read_types, mut reasons) = (0, Vec::new());
    for row in table.lines().skip(1) {
        let cells: Vec<&str> = row.split('\t').collect();
        let parameters: Value = serde_json::from_str(cells[2]).unwrap();
        let mut config = json!({"model_type": cells[0], "rope_parameters": parameters.clone()});
        for (name, cell) in [("head_dim", 3), ("hidden_size", 4), ("num_attention_heads", 5)] {
            if let Ok(number) = cells[cell].parse::<usize>() {
                config[name] = number.into();
            }
        }
        let model = match read(&config) {
            Ok(model) => model,
            Err(Error::Config { problem: ConfigProblem::Unsupported { reason }, .. }) => {
                reasons.push((cells[0].to_string(), reason));
                continue;
            }
            // Some lack only the list of layers; one class has heads of 73 features.
            Err(Error::Config { field, problem: ConfigProblem::Missing })
                if field == "layer_types" =>
            {
                continue;
            }
            Err(_) if cells[0] == "qwen3_omni_moe_text" => continue,
            Err(error) => panic!("{}: {error}", cells[0]),
        };
        let bases = parameters.to_string();
        for (_, spec) in model.types() {
            let base = spec.map_or(0.0, |spec| spec.base);
            let is_own = base == 0.0
                || bases.contains(&format!("\"rope_theta\":{base:?}"))
                || bases.contains(&format!("\"rope_theta\":{base}"));
            assert!(is_own || model.types().count() > 1, "{}: {base} {bases}", cells[0]);
        }
        read_types += 1;
    }
    println!("{read_types} read, {reasons:#?}");
    assert!(read_types > 215 && reasons.len() <= 8, "{read_types} {reasons:#?}");
}
