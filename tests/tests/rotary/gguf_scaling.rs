//! GGUF metadata of sections, attention factors and keys that are left out.

use positional_encodings::config::{Metadata, ModelRotary, RotarySpec};
use positional_encodings::scaling::{Scaling, Yarn};
use positional_encodings::{Error, Pairing, config::ConfigProblem};

#[track_caller]
fn near(found: f64, expected: f64) {
    assert!((found - expected).abs() <= 4e-9 * expected.abs(), "{found} instead of {expected}");
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

/// llama_model_rope_type: MROPE and IMROPE pair halves; glm.py permutes the projections of GLM-4.1V
/// for it.
#[test]
fn sections_pair_halves() {
    let of = |architecture: &str, sections: &[f64]| {
        let mut keys =
            vec![("attention.key_length", 128.into()), ("rope.dimension_count", 64.into())];
        if !sections.is_empty() {
            keys.push(("rope.dimension_sections", Metadata::Numbers(sections.to_vec())));
        }
        let read = model(architecture, &keys).unwrap();
        let spec = read.only().unwrap();
        (spec.pairing, spec.sections.clone().map(|(sections, _)| sections))
    };
    assert_eq!(of("glm4", &[]), (Pairing::Interleaved, None));
    assert_eq!(of("glm4", &[8.0, 12.0, 12.0, 0.0]), (Pairing::Halves, Some(vec![8, 12, 12])));
    assert_eq!(of("qwen2vl", &[32.0, 0.0, 0.0, 0.0]), (Pairing::Halves, Some(vec![32, 0, 0])));
}

/// base.py writes a config's attention_factor, which is the whole factor, as yarn_attn_factor;
/// olmo.py once wrote it as attn_factor. Grok-2's is multiplied, as attn_factor is elsewhere.
#[test]
fn the_factor_of_yarn_is_not_applied_twice() {
    let factor = |architecture: &str, key: &str, value: f64| {
        let keys = [
            ("attention.key_length", 128.into()),
            ("rope.scaling.type", "yarn".into()),
            ("rope.scaling.factor", 8.into()),
            ("rope.scaling.original_context_length", 8192.into()),
            (key, value.into()),
        ];
        RotarySpec::from_gguf(named(architecture, &keys)).map(|spec| spec.attention_factor)
    };
    let (whole, other) = ("rope.scaling.yarn_attn_factor", "rope.scaling.attn_factor");
    let yarn = 0.1 * 8_f64.ln() + 1.0;
    for (architecture, key, value, expected) in [
        ("qwen3", whole, 1.0, 1.0),
        ("olmo2", whole, yarn, yarn),
        ("olmo2", other, yarn, yarn),
        ("qwen3", other, 1.5, 1.5 * yarn),
        ("grok", whole, 1.0, yarn),
        ("grok", other, 1.5, 1.5 * yarn),
    ] {
        near(factor(architecture, key, value).unwrap(), expected);
    }
    for key in [whole, other] {
        assert!(factor("qwen3", key, -1.0).is_err() && factor("grok", key, 0.0).is_err());
    }
}

/// modeling_gpt_oss.py: the ramp is not rounded; no key says so.
#[test]
fn gpt_oss_is_as_its_config() {
    // ggml-org/gpt-oss-20b-GGUF
    let keys = [
        ("attention.key_length", 64.into()),
        ("rope.freq_base", 150_000.into()),
        ("rope.scaling.type", "yarn".into()),
        ("rope.scaling.factor", 32.into()),
        ("rope.scaling.original_context_length", 4096.into()),
    ];
    let read = model("gpt-oss", &keys).unwrap();
    let config = ModelRotary::from_json(r#"{"model_type": "gpt_oss"}"#).unwrap();
    let of = |model: &ModelRotary| model.only().unwrap().rotary(1).unwrap().frequencies();
    assert_eq!(of(&read), of(&config));
    near(of(&read)[8], 0.0508132748);
}

/// Keys that a file may leave out (the width of heads, the original length, the dims of sliding
/// layers), and keys about YaRN's ramp.
#[test]
fn keys_that_are_left_out() {
    let widths = [("embedding_length", 4544.into()), ("attention.head_count", 71.into())];
    // tiiuae/falcon-7b
    let falcon = model("falcon", &widths).unwrap().only().unwrap().clone();
    assert_eq!((falcon.dim, falcon.head_dim), (64, 64));
    let mut yarn = vec![
        ("attention.key_length", 128.into()),
        ("context_length", 32768.into()),
        ("rope.scaling.type", "yarn".into()),
        ("rope.scaling.factor", 4.into()),
    ];
    let scaling =
        |keys: &[(&str, Metadata)]| model("qwen3", keys).unwrap().only().unwrap().scaling.clone();
    assert_eq!(scaling(&yarn), Scaling::Yarn(Yarn::new(4.0, 32768)));
    yarn.push(("rope.scaling.yarn_beta_fast", 64.into()));
    yarn.push(("rope.scaling.yarn_beta_slow", 2.into()));
    assert_eq!(
        scaling(&yarn),
        Scaling::Yarn(Yarn { beta_fast: 64.0, beta_slow: 2.0, ..Yarn::new(4.0, 32768) })
    );
    let gemma4 = [
        ("block_count", 2.into()),
        ("attention.key_length", 512.into()),
        ("attention.key_length_swa", 256.into()),
        ("attention.sliding_window_pattern", Metadata::Numbers(vec![1.0, 0.0])),
        ("rope.freq_base", 1e6.into()),
        ("rope.freq_base_swa", 1e4.into()),
    ];
    let read = model("gemma4", &gemma4).unwrap();
    assert_eq!([0, 1].map(|layer| read.layer(layer).unwrap().unwrap().dim), [256, 512]);
}

#[track_caller]
fn refused(architecture: &str, keys: &[(&str, Metadata)], field: &str) -> ConfigProblem {
    match model(architecture, keys) {
        Err(Error::Config { field: found, problem }) => {
            assert_eq!(found, format!("{architecture}.{field}"));
            problem
        }
        other => panic!("{field}: {other:?}"),
    }
}

/// Where divisors are only assumed, a scaling in the file takes their place; a file that has both
/// is not read by its metadata alone.
#[test]
fn divisors_and_a_scaling() {
    let mut keys = vec![
        ("attention.key_length", 64.into()),
        ("rope.scaling.type", "linear".into()),
        ("rope.scaling.factor", 8.into()),
    ];
    let scaling = model("apertus", &keys).unwrap().only().unwrap().scaling.clone();
    assert_eq!(scaling, Scaling::Linear { factor: 8.0 });
    let divisors = "rope_freqs.weight";
    keys.push((divisors, true.into()));
    let problem = refused("apertus", &keys, divisors);
    assert!(matches!(problem, ConfigProblem::Unsupported { .. }), "{problem:?}");
    let without = [("attention.key_length", 64.into()), (divisors, false.into())];
    assert_eq!(model("apertus", &without).unwrap().only().unwrap().scaling, Scaling::None);
}

/// A negative factor of YaRN's ramp is not set; 0 would leave the ramp out.
#[test]
fn the_mix_of_the_ramp() {
    let keys = |mix: f64| {
        [
            ("attention.key_length", 128.into()),
            ("rope.scaling.type", "yarn".into()),
            ("rope.scaling.factor", 8.into()),
            ("rope.scaling.original_context_length", 8192.into()),
            ("rope.scaling.yarn_ext_factor", mix.into()),
        ]
    };
    assert_eq!(model("qwen3", &keys(-1.0)).unwrap(), model("qwen3", &keys(1.0)).unwrap());
    refused("qwen3", &keys(0.0), "rope.scaling.yarn_ext_factor");
}

/// The scale of the softmax must be a number, too.
#[test]
fn a_softmax_without_a_scale() {
    let name = "rope.scaling.yarn_log_multiplier";
    let keys = [
        ("attention.key_length", 192.into()),
        ("rope.dimension_count", 64.into()),
        ("rope.scaling.type", "yarn".into()),
        ("rope.scaling.factor", 40.into()),
        ("rope.scaling.original_context_length", 4096.into()),
        (name, 1e308.into()),
    ];
    let expected = "a number that gives a finite scale";
    assert_eq!(refused("deepseek2", &keys, name), ConfigProblem::NotA { expected });
}

/// The key at fault is named: that of the rotated part, or that of the head.
#[test]
fn widths_and_sections_beyond_their_limits() {
    let limit = ConfigProblem::NotA { expected: "at most 65536" };
    let (head, part) = ("attention.key_length", "rope.dimension_count");
    let wide = [(head, 65_538.into()), (part, 65_538.into())];
    assert_eq!(refused("qwen3", &wide[..1], head), limit);
    assert_eq!(refused("qwen3", &wide, part), limit);
    let sections = |count: usize| {
        let mut list = vec![1.0; count];
        list[0] = 65.0 - count as f64;
        [(head, 128.into()), ("rope.dimension_sections", Metadata::Numbers(list))]
    };
    let read = model("qwen2vl", &sections(8)).unwrap();
    assert_eq!(read.only().unwrap().sections.as_ref().unwrap().0.len(), 8);
    let expected = "a list of at most 8 sections";
    let problem = refused("qwen2vl", &sections(9), "rope.dimension_sections");
    assert_eq!(problem, ConfigProblem::NotA { expected });
    let heads = [("embedding_length", 4096.into()), ("attention.head_count", 0.into())];
    assert_eq!(refused("qwen3", &heads, part), ConfigProblem::Missing);
}
