//! GGUF metadata, as llama.cpp reads them (llama_model_base::load_hparams and
//! llama_model_rope_type).

use positional_encodings::config::{Metadata, ModelRotary, RotarySpec};
use positional_encodings::scaling::{LongRope, Regime, Scaling};
use positional_encodings::{Error, Pairing, config::ConfigProblem, rotary::Sections};

#[track_caller]
fn near(found: f64, expected: f64) {
    assert!((found - expected).abs() <= 4e-9 * expected.abs(), "{found} instead of {expected}");
}

#[test]
fn gguf() {
    let qwen3: Vec<(String, Metadata)> = vec![
        ("general.architecture".into(), "qwen3".into()),
        ("qwen3.embedding_length".into(), 4096_u32.into()),
        ("qwen3.attention.head_count".into(), 32_u32.into()),
        ("qwen3.attention.key_length".into(), 128_u32.into()),
        ("qwen3.rope.freq_base".into(), 1e6_f32.into()),
        ("qwen3.rope.scaling.type".into(), "yarn".into()),
        ("qwen3.rope.scaling.factor".into(), 4_f32.into()),
        ("qwen3.rope.scaling.original_context_length".into(), 32768_u32.into()),
        ("tokenizer.ggml.tokens".into(), Metadata::Numbers(vec![])),
    ];
    let spec = RotarySpec::from_gguf(qwen3.clone()).unwrap();
    assert_eq!((spec.dim, spec.pairing), (128, Pairing::Halves));
    near(spec.attention_factor, 1.138629436);
    for (key, value, problem) in [
        (
            "qwen3.rope.scaling.type",
            Metadata::from("yarm"),
            ConfigProblem::Unknown { found: "yarm".into() },
        ),
        (
            "qwen3.rope.freq_base",
            Metadata::from("big"),
            ConfigProblem::NotA { expected: "a number" },
        ),
    ] {
        let mut wrong = qwen3.clone();
        wrong.iter_mut().filter(|(name, _)| name == key).for_each(|pair| pair.1 = value.clone());
        assert_eq!(RotarySpec::from_gguf(wrong), Err(Error::Config { field: key.into(), problem }));
    }
    let mut mrope = vec![
        ("general.architecture".to_string(), Metadata::from("qwen2vl")),
        ("qwen2vl.rope.dimension_count".into(), 128.into()),
        ("qwen2vl.rope.dimension_sections".into(), Metadata::Numbers(vec![16.0, 24.0, 24.0, 0.0])),
    ];
    assert_eq!(
        RotarySpec::from_gguf(mrope.clone()).unwrap().sections,
        Some((vec![16, 24, 24], Sections::Chunked))
    );
    mrope[2].1 = Metadata::Numbers(vec![16.0, 24.0, 25.0, 0.0]);
    assert!(RotarySpec::from_gguf(mrope).is_err());
    assert!(RotarySpec::from_gguf([("general.architecture", Metadata::from("mamba"))]).is_err());
    assert!(RotarySpec::from_gguf::<String>([]).is_err());
    // Llama 3's scaling comes as a tensor.
    let llama = [
        ("general.architecture", Metadata::from("llama")),
        ("llama.rope.dimension_count", 4.into()),
    ];
    let mut spec = RotarySpec::from_gguf(llama).unwrap();
    spec.divisors = Some(vec![1.0, 8.0]);
    assert_eq!(spec.rotary(1).unwrap().frequencies(), [1.0, 0.00125]);
}

/// convert_hf_to_gguf.py writes 0.1 · mscale_all_dim; deepseek2.cpp multiplies the softmax scale by
/// it and keeps cosines and sines as they are.
#[test]
fn deepseek_scales_the_softmax() {
    let key = |name: &str| format!("deepseek2.{name}");
    let spec = RotarySpec::from_gguf([
        ("general.architecture".to_string(), Metadata::from("deepseek2")),
        (key("attention.key_length"), 192.into()),
        (key("rope.dimension_count"), 64.into()),
        (key("rope.scaling.type"), "yarn".into()),
        (key("rope.scaling.factor"), 40_f32.into()),
        (key("rope.scaling.original_context_length"), 4096.into()),
        (key("rope.scaling.yarn_log_multiplier"), 0.1_f64.into()),
    ])
    .unwrap();
    near(spec.attention_factor, 1.0);
    near(spec.softmax_factor, 1.8738542070926265);
    let mut keys = vec![
        ("attention.key_length", 192.into()),
        ("rope.dimension_count", 64.into()),
        ("rope.scaling.type", "yarn".into()),
        ("rope.scaling.factor", 40.into()),
        ("rope.scaling.original_context_length", 4096.into()),
    ];
    let missing = model("deepseek2", &keys);
    let field = "deepseek2.rope.scaling.yarn_log_multiplier".to_string();
    assert_eq!(missing, Err(Error::Config { field, problem: ConfigProblem::Missing }));
    // A factor of the file multiplies both.
    keys.extend([
        ("rope.scaling.yarn_log_multiplier", 0.1.into()),
        ("rope.scaling.attn_factor", 0.5.into()),
    ]);
    let scaled = model("deepseek2", &keys).unwrap();
    near(scaled.only().unwrap().attention_factor, 0.5);
    near(scaled.only().unwrap().softmax_factor, 0.25 * 1.8738542070926265);
    assert!(spec.on_last_features && spec.pairing == Pairing::Interleaved);
}

/// The converter writes Ministral 3's mscale_all_dim unchanged; llama-context.cpp divides by its
/// factor, as transformers does.
#[test]
fn ministral3_does_not_scale_scores() {
    let keys = |multiplier: f64| {
        [
            ("block_count", 2.into()),
            ("attention.key_length", 128.into()),
            ("rope.freq_base", 1e6.into()),
            ("rope.scaling.type", "yarn".into()),
            ("rope.scaling.factor", 16.into()),
            ("rope.scaling.original_context_length", 16384.into()),
            ("rope.scaling.yarn_log_multiplier", multiplier.into()),
        ]
    };
    let factor = |multiplier| {
        model("mistral3", &keys(multiplier)).map(|read| read.only().unwrap().attention_factor)
    };
    near(factor(1.0).unwrap(), 1.0);
    near(factor(0.0).unwrap(), 0.1 * 16_f64.ln() + 1.0);
    assert!(factor(-1e9).is_err());
    // Values that llama.cpp would mix in another way, and unknown values
    for (key, value) in [
        ("rope.scaling.yarn_ext_factor", 0.5),
        ("rope.scaling.alpha", 1000.0),
        ("rope.freq_bas", 1e6),
    ] {
        let mut other = keys(1.0).to_vec();
        other.push((key, value.into()));
        let error = model("mistral3", &other).unwrap_err();
        assert!(
            matches!(&error, Error::Config { field, .. } if *field == format!("mistral3.{key}")),
            "{error}"
        );
    }
}

#[test]
fn a_factor_without_a_type_is_linear() {
    let of = |key: &str, factor: f64| {
        let architecture = ("general.architecture".to_string(), Metadata::from("llama"));
        let dim = ("llama.rope.dimension_count".to_string(), 64.into());
        RotarySpec::from_gguf([architecture, dim, (format!("llama.{key}"), factor.into())])
            .map(|spec| spec.scaling)
    };
    for key in ["rope.scaling.factor", "rope.scale_linear"] {
        assert_eq!(of(key, 4.0), Ok(Scaling::Linear { factor: 4.0 }));
        assert_eq!(of(key, 0.0), Ok(Scaling::None));
    }
}

/// phi3.cpp takes the factors from tensors: without them there is no rotation, rather than a plain
/// one.
#[test]
fn longrope_needs_its_tensors() {
    let keys = [
        ("block_count", 2.into()),
        ("attention.key_length", 8.into()),
        ("rope.scaling.type", "longrope".into()),
        ("rope.scaling.attn_factor", 1.19_f64.into()),
        ("rope.scaling.original_context_length", 4096.into()),
    ];
    let read = model("phi3", &keys).unwrap();
    let spec = read.only().unwrap();
    assert_eq!((&spec.scaling, spec.attention_factor), (&Scaling::LongRopeTensors, 1.19));
    let missing =
        Error::Config { field: "rope_factors_long.weight".into(), problem: ConfigProblem::Missing };
    assert_eq!(spec.rotary(1).unwrap_err(), missing);
    let (short, long) = (vec![1.0; 4], vec![2.0, 4.0, 8.0, 16.0]);
    let mut one = spec.clone();
    one.divisors = Some(long.clone());
    let rotary = one.rotary(1).unwrap();
    assert_eq!(
        (rotary.frequencies()[0], rotary.attention_factor(), rotary.regime()),
        (0.5, 1.19, Regime::Fixed)
    );
    one.divisors = Some(vec![1.0; 3]);
    assert!(one.rotary(1).is_err());
    let mut both = spec.clone();
    both.scaling = Scaling::LongRope(LongRope { short, long, original_len: 4096, factor: 32.0 });
    let first = |len| both.rotary(len).map(|rotary| (rotary.frequencies()[0], rotary.regime()));
    assert_eq!([first(4096), first(4097)], [Ok((1.0, Regime::Short)), Ok((0.5, Regime::Long))]);
    // Faults in other keys are still found.
    let mut wrong = keys.to_vec();
    wrong.push(("rope.freq_base", (-1).into()));
    assert!(model("phi3", &wrong).is_err());
}

#[test]
fn a_scaling_that_is_none() {
    let keys = [
        ("block_count", 2.into()),
        ("attention.key_length", 8.into()),
        ("rope.scaling.type", "none".into()),
        ("rope.scaling.factor", 4.into()),
    ];
    let read = model("llama", &keys).unwrap();
    assert_eq!(read.only().unwrap().scaling, Scaling::None);
    assert_eq!(read.only().unwrap().rotary(1).unwrap().frequencies()[1], 0.1);
}

/// Returns all keys as in a file.
fn named(architecture: &str, keys: &[(&str, Metadata)]) -> Vec<(String, Metadata)> {
    let architecture_key = ("general.architecture".to_string(), Metadata::from(architecture));
    let keys = keys.iter().map(|(key, value)| (format!("{architecture}.{key}"), value.clone()));
    std::iter::once(architecture_key).chain(keys).collect()
}

fn model(architecture: &str, keys: &[(&str, Metadata)]) -> Result<ModelRotary, Error> {
    ModelRotary::from_gguf(named(architecture, keys))
}

/// Returns the base of each layer, if it has one.
fn bases(model: &ModelRotary) -> Vec<Option<f64>> {
    (0..)
        .map_while(|layer| model.layer(layer).ok())
        .map(|spec| spec.map(|spec| spec.base))
        .collect()
}

/// gemma3.cpp, gemma4.cpp, olmo2.cpp: sliding layers are not scaled and have a base of their own.
#[test]
fn layers_with_rotations_of_their_own() {
    let gemma3 = [
        ("block_count", 8.into()),
        ("attention.key_length", 256.into()),
        ("attention.sliding_window", 1024.into()),
        ("rope.freq_base", 1e6.into()),
        ("rope.scaling.type", "linear".into()),
        ("rope.scaling.factor", 8.into()),
    ];
    let read = model("gemma3", &gemma3).unwrap();
    let (local, global) = (Some(1e4), Some(1e6));
    assert_eq!(bases(&read), [local, local, local, local, local, global, local, local]);
    assert_eq!(read.layer(5).unwrap().unwrap().rotary(1).unwrap().frequencies()[0], 0.125);
    assert_eq!(read.layer(4).unwrap().unwrap().rotary(1).unwrap().frequencies()[0], 1.0);
    // Without a window all layers are alike; a pattern in the file takes precedence.
    let all = model("gemma3", &[gemma3[0].clone(), gemma3[1].clone(), gemma3[3].clone()]).unwrap();
    assert_eq!(bases(&all), [global; 8]);
    let mut every_second = gemma3.to_vec();
    every_second.push(("attention.sliding_window_pattern", 2.into()));
    assert_eq!(
        bases(&model("gemma3", &every_second).unwrap())[..4],
        [local, global, local, global]
    );

    let mut gemma4 = vec![
        ("block_count", 3.into()),
        ("attention.key_length", 512.into()),
        ("attention.key_length_swa", 256.into()),
        ("attention.sliding_window", 512.into()),
        ("attention.sliding_window_pattern", Metadata::Numbers(vec![1.0, 1.0, 0.0])),
        ("rope.dimension_count", 512.into()),
        ("rope.dimension_count_swa", 256.into()),
        ("rope.freq_base", 1e6.into()),
        ("rope.freq_base_swa", 1e4.into()),
    ];
    let read = model("gemma4", &gemma4).unwrap();
    assert_eq!(bases(&read), [local, local, global]);
    let dims = |layer| read.layer(layer).unwrap().map(|spec| (spec.dim, spec.head_dim));
    assert_eq!([dims(0), dims(2)], [Some((256, 256)), Some((512, 512))]);
    let key = "attention.sliding_window_pattern";
    let mut wrong = gemma4.clone();
    wrong.retain(|(name, _)| *name != key);
    let field = format!("gemma4.{key}");
    let missing = Error::Config { field, problem: ConfigProblem::Missing };
    assert_eq!(model("gemma4", &wrong), Err(missing));
    gemma4[4].1 = Metadata::Numbers(vec![1.0, 0.0]);
    let problem = ConfigProblem::Contradicts { other: "block_count".into() };
    let field = "gemma4.attention.sliding_window_pattern".into();
    assert_eq!(model("gemma4", &gemma4), Err(Error::Config { field, problem }));

    // Olmo 3: YaRN in every fourth layer
    let olmo3 = model(
        "olmo2",
        &[
            ("block_count", 8.into()),
            ("attention.key_length", 128.into()),
            ("attention.sliding_window", 4096.into()),
            ("rope.freq_base", 5e5.into()),
            ("rope.scaling.type", "yarn".into()),
            ("rope.scaling.factor", 8.into()),
            ("rope.scaling.original_context_length", 8192.into()),
        ],
    )
    .unwrap();
    for layer in 0..8 {
        let spec = olmo3.layer(layer).unwrap().unwrap();
        assert_eq!(spec.scaling == Scaling::None, layer % 4 != 3, "{layer}");
        assert_eq!(spec.attention_factor == 1.0, layer % 4 != 3, "{layer}");
    }
}

/// llama4.cpp and smollm3.cpp: every fourth layer has no positions; cohere2.cpp and exaone4.cpp:
/// only sliding layers have them.
#[test]
fn layers_without_positions() {
    let keys = |count: usize| {
        vec![("block_count", Metadata::Number(count as f64)), ("attention.key_length", 64.into())]
    };
    for (architecture, count) in [("llama4", 8), ("smollm3", 8), ("cohere2", 8), ("exaone4", 64)] {
        let read = model(architecture, &keys(count)).unwrap();
        for layer in 0..count {
            assert_eq!(
                read.layer(layer).unwrap().is_none(),
                layer % 4 == 3,
                "{architecture} {layer}"
            );
        }
        assert!(read.layer(count).is_err());
    }
    assert!(bases(&model("exaone4", &keys(30)).unwrap()).iter().all(Option::is_some));
    // A window of 0: positions everywhere
    let mut everywhere = keys(8);
    everywhere.push(("attention.sliding_window", 0.into()));
    let read = model("llama4", &everywhere).unwrap();
    assert!(bases(&read).iter().all(Option::is_some) && read.query_temperature().is_none());
    let factors =
        |model: ModelRotary| model.query_temperature().unwrap().factors(16383..16384).unwrap();
    assert_eq!(factors(model("llama4", &keys(8)).unwrap()), [1.0 + 0.1 * 3_f64.ln()]);
    let mut ministral3 = keys(2);
    ministral3.push(("attention.temperature_scale", 0.1.into()));
    assert!(model("mistral3", &ministral3).is_err());
    ministral3.push(("rope.scaling.original_context_length", 16384.into()));
    assert_eq!(factors(model("mistral3", &ministral3).unwrap()), [1.0]);
}

#[test]
fn layers_that_are_alike() {
    let keys = [
        ("block_count", 4.into()),
        ("attention.key_length", 64.into()),
        ("rope.freq_base_swa", 150_000.into()),
    ];
    // gpt-oss: windows, but one rotation
    let mut alike = keys.to_vec();
    alike.push(("rope.freq_base", 150_000.into()));
    let read = model("gpt-oss", &alike).unwrap();
    assert_eq!(
        read.only(),
        Ok(&RotarySpec::from_gguf([
            ("general.architecture", Metadata::from("gpt-oss")),
            ("gpt-oss.attention.key_length", 64.into()),
            ("gpt-oss.rope.freq_base", 150_000.into()),
        ])
        .unwrap())
    );
    assert_eq!(bases(&read), [Some(150_000.0); 4]);
    // Two bases, and no key that says which layers they are for
    let problem = ConfigProblem::Missing;
    let field = "gpt-oss.attention.sliding_window_pattern".to_string();
    assert_eq!(model("gpt-oss", &keys), Err(Error::Config { field, problem }));
    for (key, value) in [
        ("block_count", Metadata::from(1e9)),
        ("rope.dimension_count_swa", 128.into()),
        ("rope.dimension_count_swa", 63.into()),
        ("rope.freq_base_swa", (-1).into()),
        ("attention.key_length_swa", 1e9.into()),
        ("attention.sliding_window_pattern", 0.into()),
        ("attention.sliding_window_pattern", "LLLG".into()),
    ] {
        let mut wrong: Vec<(&str, Metadata)> =
            keys.iter().filter(|(name, _)| *name != key).cloned().collect();
        wrong.push((key, value.clone()));
        assert!(matches!(model("gpt-oss", &wrong), Err(Error::Config { .. })), "{key} {value:?}");
    }
}

/// phi.py writes an attention factor with the factors, and no type:
/// unsloth/Phi-4-mini-instruct-GGUF.
#[test]
fn longrope_of_phi3_has_no_type() {
    let mut keys = vec![
        ("context_length", 131_072.into()),
        ("rope.scaling.original_context_length", 4096.into()),
        ("embedding_length", 3072.into()),
        ("block_count", 32.into()),
        ("attention.head_count", 24.into()),
        ("rope.dimension_count", 96.into()),
        ("rope.freq_base", 10_000.into()),
        ("attention.sliding_window", 262_144.into()),
    ];
    // Phi-3-mini-4k and Phi-4 are not scaled.
    for architecture in ["phi3", "phimoe"] {
        assert_eq!(model(architecture, &keys).unwrap().only().unwrap().scaling, Scaling::None);
    }
    keys.push(("rope.scaling.attn_factor", 1.190238_f32.into()));
    for architecture in ["phi3", "phimoe"] {
        let read = model(architecture, &keys).unwrap();
        let spec = read.only().unwrap();
        assert_eq!((&spec.scaling, spec.dim, spec.head_dim), (&Scaling::LongRopeTensors, 96, 128));
        near(spec.attention_factor, f64::from(1.190238_f32));
        assert!(spec.rotary(1).is_err());
    }
    // The file itself may say that it has no such tensors.
    let mut without = keys.clone();
    without.push(("rope_factors_long.weight", false.into()));
    let spec = model("phi3", &without).unwrap().only().unwrap().clone();
    assert_eq!(spec.scaling, Scaling::None);
    without.push(("rope_factors_long.weight", true.into()));
    without.remove(without.len() - 2);
    let spec = model("phi3", &without).unwrap().only().unwrap().clone();
    assert_eq!(spec.scaling, Scaling::LongRopeTensors);
    // A factor alone, as in other architectures
    let other = model("llama", &keys).unwrap();
    assert_eq!(other.only().unwrap().scaling, Scaling::None);
}

/// deepseek.py: keys are compressed to 512 + 64 features, but a head has 128 + 64; minicpm.py: 64 +
/// 32.
#[test]
fn latent_heads_turn_at_their_end() {
    // unsloth/DeepSeek-V3-0324-GGUF
    let deepseek = [
        ("block_count", 61.into()),
        ("attention.key_length", 576.into()),
        ("attention.value_length", 512.into()),
        ("attention.key_length_mla", 192.into()),
        ("attention.value_length_mla", 128.into()),
        ("rope.dimension_count", 64.into()),
    ];
    // openbmb/MiniCPM3-4B-GGUF; all of its factors are tensors.
    let minicpm3 = [
        ("block_count", 62.into()),
        ("attention.key_length", 96.into()),
        ("rope.dimension_count", 32.into()),
        ("embedding_length", 2560.into()),
        ("attention.head_count", 40.into()),
    ];
    for (architecture, keys, dims, pairing, scaling) in [
        ("deepseek2", &deepseek[..], (64, 192), Pairing::Interleaved, Scaling::None),
        ("minicpm3", &minicpm3[..], (32, 96), Pairing::Halves, Scaling::LongRopeTensors),
    ] {
        let read = model(architecture, keys).unwrap();
        let spec = read.only().unwrap();
        assert_eq!((spec.dim, spec.head_dim), dims, "{architecture}");
        assert_eq!(
            (spec.on_last_features, spec.pairing, &spec.scaling),
            (true, pairing, &scaling),
            "{architecture}"
        );
    }
    // Mistral Large 3: deepseek2.cpp multiplies its queries.
    let mut mistral = deepseek.to_vec();
    mistral.push(("attention.temperature_scale", 0.1.into()));
    assert!(model("deepseek2", &mistral).is_err());
    mistral.push(("rope.scaling.original_context_length", 8192.into()));
    let temperature = model("deepseek2", &mistral).unwrap().query_temperature().unwrap();
    assert_eq!(temperature.factors(8191..8193).unwrap(), [1.0, 1.0 + 0.1 * 2_f64.ln()]);
    assert!(model("deepseek2", &deepseek).unwrap().query_temperature().is_none());
}
