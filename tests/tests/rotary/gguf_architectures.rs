//! Every architecture of llama.cpp's list (LLM_ARCH_NAMES of November 2026, as in llama-cpp-python
//! 0.3.36; gguf 0.19 has 126 of them): its pairing, or what it has instead of a rotation.

use positional_encodings::config::{ConfigProblem, Metadata, ModelRotary, RotarySpec};
use positional_encodings::scaling::Scaling;
use positional_encodings::{Error, Pairing};

/// Architectures that do not rotate (llama_model_rope_type; bert, clip and starcoder add a table).
const STILL: &str = "clip gpt2 mpt refact bert jina-bert-v2 bloom starcoder rwkv6 rwkv6qwen2 rwkv7 \
    arwkv7 mamba mamba2 jamba t5 t5encoder jais nemotron_h nemotron_h_moe wavtokenizer-dec kimi-linear \
    kimi-k3 glm5-next";
/// Architectures with NORM, pairs of neighbours.
const PAIRS: &str = "llama llama4 deci baichuan gptj internlm2 minicpm xverse command-r cohere2 olmo \
    arctic deepseek deepseek2 glm-dsa mistral3 mistral4 plm chatglm glm4 granite granitemoe \
    granitehybrid chameleon bailingmoe neo-bert smollm3 arcee ernie4_5 ernie4_5-moe llada llama-embed \
    maincoder bailingmoe3 cohere2moe deepseek32 deepseek4 dots3note eagle3 granite_swa graniteswitch \
    hy_v4 muse-glimmer nanbeige pockettts";
/// Architectures with NEOX or with sections; deepseek2.cpp uses NEOX for deepseek2-ocr, unlike the
/// list.
const HALVES: &str = "falcon grok gptneox nomic-bert nomic-bert-moe jina-bert-v3 modern-bert eurobert \
    stablelm qwen qwen2 qwen2moe qwen2vl qwen3 qwen3moe qwen3next qwen3vl qwen3vlmoe qwen35 qwen35moe \
    phi2 phi3 phimoe plamo plamo2 plamo3 codeshell orion minicpm3 gemma gemma2 gemma3 gemma3n gemma4 \
    gemma-embedding starcoder2 dbrx olmo2 olmoe openelm bitnet jais2 nemotron exaone exaone4 \
    exaone-moe falcon-h1 dots1 bailingmoe2 hunyuan-moe hunyuan-dense hunyuan_vl gpt-oss lfm2 lfm2moe \
    dream smallthinker llada-moe seed_oss grovemoe apertus minimax-m2 cogvlm rnd1 pangu-embedded \
    paddleocr mimo2 step35 afmoe glm4moe deepseek2-ocr dflash gemma4-assistant hrm_text hy_v3 laguna \
    maple mellum minimax-01 minimax-m3 qwen3tts qwen4exp spark2_5 talkie";
/// Architectures that rotate the last features of a head (ggml_rope_set_offset, or parts of latent
/// heads).
const LAST: &str =
    "deepseek2 deepseek32 deepseek4 glm-dsa mistral4 plm minicpm3 bailingmoe3 dots3note hy_v4";

fn keys(name: &str, more: &[(&str, Metadata)]) -> Vec<(String, Metadata)> {
    let key = |(key, value): &(&str, Metadata)| (format!("{name}.{key}"), value.clone());
    let own = [
        ("attention.key_length", Metadata::from(64)),
        ("rope.dimension_count", 64.into()),
        ("rope.freq_base", 1e4.into()),
        ("rope.freq_base_swa", 1e4.into()),
        ("block_count", 4.into()),
        ("attention.sliding_window", 512.into()),
        ("attention.sliding_window_pattern", Metadata::Numbers(vec![1.0, 1.0, 1.0, 0.0])),
        // A key that only DeepSeek-V4 reads
        ("attention.compress_rope_freq_base", 160_000.into()),
        ("attention.compress_ratios", Metadata::Numbers(vec![0.0, 4.0, 128.0, 4.0])),
    ];
    let name = ("general.architecture".to_string(), Metadata::from(name));
    [vec![name], own.iter().chain(more).map(key).collect()].concat()
}

#[test]
fn every_architecture() {
    let count = [STILL, PAIRS, HALVES].iter().flat_map(|names| names.split_whitespace()).count();
    assert_eq!(count, 153);
    for name in STILL.split_whitespace() {
        let model = ModelRotary::from_gguf(keys(name, &[])).unwrap();
        assert_eq!(model.only(), Err(Error::NotOneRotation { types: 0 }), "{name}");
        assert_eq!(
            (0..5).filter_map(|layer| model.layer(layer).ok()).collect::<Vec<_>>(),
            [None; 4]
        );
        let error = RotarySpec::from_gguf(keys(name, &[])).unwrap_err();
        assert!(
            matches!(error, Error::Config { problem: ConfigProblem::Unsupported { .. }, .. }),
            "{error}"
        );
    }
    for (names, pairing) in [(PAIRS, Pairing::Interleaved), (HALVES, Pairing::Halves)] {
        for name in names.split_whitespace() {
            let spec = RotarySpec::from_gguf(keys(name, &[])).unwrap();
            let dim = if name == "step35" { 32 } else { 64 };
            assert_eq!((spec.pairing, spec.dim, spec.base), (pairing, dim, 1e4), "{name}");
            let is_last = LAST.split_whitespace().any(|last| last == name);
            assert_eq!(spec.on_last_features, is_last, "{name}");
            assert!(ModelRotary::from_gguf(keys(name, &[])).is_ok(), "{name}");
            let given = |pairing| RotarySpec::from_gguf_with_pairing(keys(name, &[]), pairing);
            assert_eq!(given(pairing), Ok(spec));
            let other =
                [Pairing::Halves, Pairing::Interleaved].into_iter().find(|&other| other != pairing);
            assert!(given(other.unwrap()).is_err(), "{name}");
        }
    }
}

/// baichuan.cpp: the 13B, with 40 blocks, has ALiBi; granite.cpp: `finetuned` switches rotations.
#[test]
fn files_that_do_not_rotate() {
    let blocks = |count: i32| {
        let metadata = keys("baichuan", &[("block_count", count.into())]);
        ModelRotary::from_gguf(metadata).unwrap().layer(0).unwrap().is_some()
    };
    assert_eq!((blocks(32), blocks(40)), (true, false));
    for name in ["granite", "granitemoe", "granitehybrid"] {
        let switched = |on: bool| {
            let metadata = keys(name, &[("rope.scaling.finetuned", on.into())]);
            ModelRotary::from_gguf(metadata).unwrap().layer(0).unwrap().is_some()
        };
        assert_eq!((switched(true), switched(false)), (true, false), "{name}");
    }
}

/// With Llama 3.1's base and context the divisors are in a tensor, and metadata alone give an error
/// when a rotation is made; metadata of Llama 3 and of others do not.
#[test]
fn divisors_that_metadata_lack() {
    let spec = |base: f64, context: i32| {
        let more = [("rope.freq_base", base.into()), ("context_length", context.into())];
        RotarySpec::from_gguf(keys("llama", &more)).unwrap()
    };
    let llama3_1 = spec(500_000.0, 131_072);
    assert_eq!(llama3_1.scaling, Scaling::DivisorsTensor);
    let error = llama3_1.rotary(1).unwrap_err();
    assert_eq!(error.to_string(), "config field rope_freqs.weight is missing");
    let mut with = llama3_1;
    with.divisors = Some(vec![8.0; 32]);
    assert_eq!(with.rotary(1).unwrap().frequencies()[0], 0.125);
    for (base, context) in [(500_000.0, 8192), (1e6, 131_072), (1e4, 131_072)] {
        assert_eq!(spec(base, context).scaling, Scaling::None);
    }
    let untold = keys("llama", &[("rope.freq_base", 500_000.0.into())]);
    assert_eq!(RotarySpec::from_gguf(untold).unwrap().scaling, Scaling::None);
}

/// An architecture that is not in the list rotates as the caller says.
#[test]
fn architectures_that_are_new() {
    for pairing in [Pairing::Halves, Pairing::Interleaved] {
        let spec = RotarySpec::from_gguf_with_pairing(keys("newcomer", &[]), pairing).unwrap();
        assert_eq!((spec.pairing, spec.dim, spec.base), (pairing, 64, 1e4));
        let model = ModelRotary::from_gguf_with_pairing(keys("newcomer", &[]), pairing).unwrap();
        assert_eq!(model.only(), Ok(&spec));
    }
    let problem = ConfigProblem::Unknown { found: "newcomer".into() };
    let error = Error::Config { field: "general.architecture".into(), problem };
    assert_eq!(RotarySpec::from_gguf(keys("newcomer", &[])), Err(error));
}

/// A number of heads for each layer: OpenELM, and layers without attention.
#[test]
fn heads_of_each_layer() {
    let metadata = [
        ("general.architecture", Metadata::from("lfm2")),
        ("lfm2.embedding_length", 2048.into()),
        ("lfm2.attention.head_count", Metadata::Numbers(vec![0.0, 32.0, 32.0])),
    ];
    assert_eq!(RotarySpec::from_gguf(metadata).unwrap().head_dim, 64);
}
