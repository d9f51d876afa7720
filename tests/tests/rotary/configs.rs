//! Configs of real models, and the result that each must give. Comments name the model whose
//! config.json was shortened, and the class of transformers (4.57 and 5.23) that has the missing
//! fields.

use positional_encodings::config::{ModelRotary, RopeRatio, RotarySpec};
use positional_encodings::scaling::{Llama3, Regime, Scaling};
use positional_encodings::{Pairing, rotary::Sections};
use serde_json::{Value, json};

fn model(config: Value) -> ModelRotary {
    ModelRotary::from_json(&config.to_string()).unwrap()
}

fn only(config: Value) -> RotarySpec {
    model(config).only().unwrap().clone()
}

#[track_caller]
fn near(found: f64, expected: f64) {
    assert!((found - expected).abs() <= 4e-9 * expected.abs(), "{found} instead of {expected}");
}

/// Asserts the dim, head width, base and pairing of a config without scaling.
#[track_caller]
fn plain(config: Value, dim: usize, head_dim: usize, base: f64, pairing: Pairing) {
    let spec = only(config);
    assert_eq!((spec.dim, spec.head_dim, spec.base, spec.pairing), (dim, head_dim, base, pairing));
    assert_eq!(
        (&spec.scaling, spec.attention_factor, spec.on_last_features),
        (&Scaling::None, 1.0, false)
    );
    let rotary = spec.rotary(100).unwrap();
    assert_eq!((rotary.dim(), rotary.regime()), (dim, Regime::Fixed));
    near(rotary.frequencies()[dim / 2 - 1], base.powf(-((dim - 2) as f64) / dim as f64));
}

#[test]
fn models_without_scaling() {
    let (halves, pairs) = (Pairing::Halves, Pairing::Interleaved);
    // meta-llama/Llama-2-7b-hf, without rope_theta; LlamaConfig: 10000
    let llama2 = json!({"model_type": "llama", "hidden_size": 4096, "num_attention_heads": 32, "num_hidden_layers": 32,
        "max_position_embeddings": 4096, "rope_scaling": null});
    plain(llama2, 128, 128, 1e4, halves);
    // mistralai/Mistral-7B-v0.3; MistralConfig
    let mistral = json!({"model_type": "mistral", "hidden_size": 4096, "num_attention_heads": 32, "num_key_value_heads": 8,
        "num_hidden_layers": 32, "rope_theta": 1000000.0, "sliding_window": null, "max_position_embeddings": 32768});
    plain(mistral, 128, 128, 1e6, halves);
    // mistralai/Mixtral-8x7B-v0.1; MixtralConfig: 1000000
    let mixtral = json!({"model_type": "mixtral", "hidden_size": 4096, "num_attention_heads": 32, "num_hidden_layers": 32,
        "rope_theta": 1000000.0, "max_position_embeddings": 32768});
    plain(mixtral, 128, 128, 1e6, halves);
    // Qwen/Qwen2-7B; Qwen2Config
    let qwen2 = json!({"model_type": "qwen2", "hidden_size": 3584, "num_attention_heads": 28, "num_hidden_layers": 28,
        "rope_theta": 1000000.0, "max_position_embeddings": 131072, "use_sliding_window": false});
    plain(qwen2, 128, 128, 1e6, halves);
    // Qwen/Qwen2.5-7B-Instruct-1M. transformers does not implement its dual chunks, which belong to
    // attention: vLLM gives queries and keys positions within chunks, and the frequencies follow
    // rope_theta.
    let qwen25_1m = json!({"model_type": "qwen2", "hidden_size": 3584, "num_attention_heads": 28, "num_hidden_layers": 28,
        "rope_theta": 10000000.0, "max_position_embeddings": 1010000,
        "dual_chunk_attention_config": {"chunk_size": 262144, "local_size": 8192, "original_max_position_embeddings": 262144}});
    plain(qwen25_1m, 128, 128, 1e7, halves);
    // google/gemma-2-9b; Gemma2Config: heads of 256
    let gemma2 = json!({"model_type": "gemma2", "hidden_size": 3584, "num_attention_heads": 16, "head_dim": 256,
        "num_hidden_layers": 42, "rope_theta": 10000.0, "max_position_embeddings": 8192, "sliding_window": 4096});
    plain(gemma2, 256, 256, 1e4, halves);
    // microsoft/phi-4; Phi3Config
    let phi4 = json!({"model_type": "phi3", "hidden_size": 5120, "num_attention_heads": 40, "num_hidden_layers": 40,
        "rope_theta": 250000, "rope_scaling": null, "original_max_position_embeddings": 16384,
        "max_position_embeddings": 16384, "partial_rotary_factor": 1.0});
    plain(phi4, 128, 128, 250_000.0, halves);
    // EleutherAI/gpt-neox-20b; GPTNeoXConfig: rotary_emb_base, rotary_pct
    let neox = json!({"model_type": "gpt_neox", "hidden_size": 6144, "num_attention_heads": 64, "num_hidden_layers": 44,
        "rotary_emb_base": 10000, "rotary_pct": 0.25, "max_position_embeddings": 2048});
    plain(neox, 24, 96, 1e4, halves);
    // EleutherAI/gpt-j-6b; modeling_gptj.py: neighbours, base 10000
    let gptj = json!({"model_type": "gptj", "n_embd": 4096, "n_head": 16, "n_layer": 28, "rotary_dim": 64, "n_positions": 2048});
    plain(gptj, 64, 256, 1e4, pairs);
    // stabilityai/stablelm-2-1_6b; StableLmConfig
    let stablelm = json!({"model_type": "stablelm", "hidden_size": 2048, "num_attention_heads": 32, "num_hidden_layers": 24,
        "partial_rotary_factor": 0.25, "rope_theta": 10000, "max_position_embeddings": 4096});
    plain(stablelm, 16, 64, 1e4, halves);
    // tiiuae/falcon-7b; FalconConfig
    let falcon = json!({"model_type": "falcon", "hidden_size": 4544, "num_attention_heads": 71, "num_hidden_layers": 32,
        "alibi": false});
    plain(falcon, 64, 64, 1e4, halves);
    // CohereForAI/c4ai-command-r-v01; modeling_cohere.py: neighbours
    let cohere = json!({"model_type": "cohere", "hidden_size": 8192, "num_attention_heads": 64, "num_hidden_layers": 40,
        "rope_theta": 8000000.0, "max_position_embeddings": 8192});
    plain(cohere, 128, 128, 8e6, pairs);
    // zai-org/GLM-4-9B-0414; Glm4Config: half of a head of 128, modeling_glm4.py: neighbours
    let glm4 = json!({"model_type": "glm4", "hidden_size": 4096, "num_attention_heads": 32, "head_dim": 128,
        "num_hidden_layers": 40, "partial_rotary_factor": 0.5, "rope_theta": 10000.0, "max_position_embeddings": 32768});
    plain(glm4, 64, 128, 1e4, pairs);
    // zai-org/glm-4-9b-chat, with the code beside it: modeling_chatglm.py
    let mut chatglm = json!({"model_type": "chatglm", "hidden_size": 4096, "num_attention_heads": 32, "kv_channels": 128,
        "num_layers": 40, "original_rope": true, "rope_ratio": 500, "seq_length": 131072});
    let text = chatglm.to_string();
    let glm4 = ModelRotary::from_json_with_rope_ratio(&text, RopeRatio::MultipliesBase).unwrap();
    assert_eq!((glm4.only().unwrap().base, glm4.only().unwrap().pairing), (5e6, pairs));
    // zai-org/chatglm3-6b has no rope_ratio.
    chatglm.as_object_mut().unwrap().remove("rope_ratio");
    plain(chatglm, 64, 128, 1e4, pairs);
}

/// Fractions of the head are rounded down: 64.128 of MiMo-V2-Flash's 192
/// (configuration_mimo_v2_flash.py), 32.4 of Moonshine's 36.
#[test]
fn parts_of_a_head_are_whole_features() {
    for (head_dim, factor, dim) in [(192, 0.334, 64), (36, 0.9, 32), (80, 0.4, 32), (128, 0.75, 96)]
    {
        let config =
            json!({"head_dim": head_dim, "partial_rotary_factor": factor, "rope_theta": 1e4})
                .to_string();
        let model = ModelRotary::from_json_with_pairing(&config, Pairing::Halves).unwrap();
        assert_eq!(model.only().unwrap().dim, dim, "{factor} of {head_dim}");
    }
}

/// modeling_gpt_neox.py: cosines of 1/base^(2i/33), i < 17, so that 34 of the 66 features are
/// rotated.
#[test]
fn odd_parts_of_a_head_are_rounded_up() {
    let spec = only(
        json!({"model_type": "gpt_neox", "hidden_size": 528, "num_attention_heads": 8, "num_hidden_layers": 2,
        "rotary_pct": 0.5, "rotary_emb_base": 10000}),
    );
    assert_eq!((spec.dim, spec.frequency_dim, spec.head_dim), (34, 33, 66));
    let rotary = spec.rotary(1).unwrap();
    assert_eq!(rotary.dim(), 34);
    for (i, frequency) in rotary.frequencies().into_iter().enumerate() {
        near(frequency, 1e4_f64.powf(-2.0 * i as f64 / 33.0));
    }
}

#[test]
fn falcon_with_alibi_does_not_rotate() {
    // tiiuae/falcon-rw-1b
    let falcon_rw =
        model(json!({"model_type": "falcon", "hidden_size": 2048, "num_attention_heads": 32,
        "num_hidden_layers": 24, "alibi": true}));
    assert_eq!(falcon_rw.layer_type("all"), Ok(None));
    assert_eq!(falcon_rw.layer(23), Ok(None));
    assert!(falcon_rw.layer(24).is_err());
}

#[test]
fn llama3() {
    // meta-llama/Llama-3.1-8B, and the same config as saved by transformers 5
    let llama31 = |version: &str| {
        let scaling = json!({"factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
            "original_max_position_embeddings": 8192, "rope_type": "llama3"});
        let mut config = json!({"model_type": "llama", "hidden_size": 4096, "num_attention_heads": 32, "num_hidden_layers": 32,
            "max_position_embeddings": 131072});
        config[version] = scaling;
        if version == "rope_scaling" {
            config["rope_theta"] = 500000.0.into();
        } else {
            config[version]["rope_theta"] = 500000.0.into();
        }
        only(config)
    };
    assert_eq!(llama31("rope_scaling"), llama31("rope_parameters"));
    let frequencies = llama31("rope_scaling").rotary(1).unwrap().frequencies();
    near(frequencies[29] / 5e5_f64.powf(-58.0 / 128.0), 0.8281684118);
    // meta-llama/Llama-3.2-1B
    let llama32 = only(
        json!({"model_type": "llama", "hidden_size": 2048, "num_attention_heads": 32, "head_dim": 64,
        "num_hidden_layers": 16, "rope_theta": 500000.0, "max_position_embeddings": 131072,
        "rope_scaling": {"factor": 32.0, "high_freq_factor": 4.0, "low_freq_factor": 1.0,
            "original_max_position_embeddings": 8192, "rope_type": "llama3"}}),
    );
    let frequencies = llama32.rotary(1).unwrap().frequencies();
    near(frequencies[16] / 5e5_f64.powf(-32.0 / 64.0), 0.3037425238);
}

#[test]
fn llama4() {
    // meta-llama/Llama-4-Scout-17B-16E; Llama4TextConfig: no_rope_layers [] means that every fourth
    // layer has no rotation
    let scout = model(
        json!({"model_type": "llama4", "text_config": {"model_type": "llama4_text", "hidden_size": 5120,
        "num_attention_heads": 40, "head_dim": 128, "num_hidden_layers": 48, "rope_theta": 500000.0, "no_rope_layers": [],
        "rope_scaling": {"factor": 16.0, "high_freq_factor": 1.0, "low_freq_factor": 1.0,
            "original_max_position_embeddings": 8192, "rope_type": "llama3"}}}),
    );
    assert_eq!(scout.layer(3), Ok(None));
    let rope = scout.layer(0).unwrap().unwrap();
    assert_eq!((rope.dim, rope.base, rope.pairing), (128, 5e5, Pairing::Interleaved));
    let llama3 =
        Llama3 { factor: 16.0, low_freq_factor: 1.0, high_freq_factor: 1.0, original_len: 8192 };
    assert_eq!((&rope.scaling, rope.attention_factor), (&Scaling::Llama3(llama3), 1.0));
    // Two equal factors leave no range between: pair 34 has a wavelength of 6695.1 and is kept,
    // pair 35 has one of 8218.7. By mpmath.
    let frequencies = rope.rotary(1).unwrap().frequencies();
    for (pair, expected) in [
        (0, 1.0),
        (1, 0.8146172338565447),
        (34, 0.0009384738703573802),
        (35, 4.7781061769823415e-5),
        (63, 1.5344629944572555e-7),
    ] {
        assert!(
            (frequencies[pair] / expected - 1.0).abs() < 1e-15,
            "{pair}: {}",
            frequencies[pair]
        );
    }
    assert_eq!((0..48).filter(|&layer| scout.layer(layer) == Ok(None)).count(), 12);
    let temperature = scout.query_temperature().unwrap();
    assert_eq!(temperature.factors(16383..16384).unwrap(), [1.0 + 0.1 * 3_f64.ln()]);
}

#[test]
fn ministral3() {
    // mistralai/Ministral-3-8B; Ministral3Config has these parameters by default
    let ministral = model(
        json!({"model_type": "ministral3", "hidden_size": 4096, "num_attention_heads": 32, "head_dim": 128,
        "num_hidden_layers": 34, "max_position_embeddings": 262144,
        "rope_parameters": {"rope_type": "yarn", "rope_theta": 1000000.0, "factor": 16.0, "beta_fast": 32.0, "beta_slow": 1.0,
            "mscale": 1.0, "mscale_all_dim": 1.0, "original_max_position_embeddings": 16384, "llama_4_scaling_beta": 0.1}}),
    );
    assert_eq!(ministral.only().unwrap().attention_factor, 1.0);
    let temperature = ministral.query_temperature().unwrap();
    assert_eq!(temperature.factors(16383..16385).unwrap(), [1.0, 1.0 + 0.1 * 2_f64.ln()]);
}

#[test]
fn yarn_of_qwen3() {
    // Qwen/Qwen3-8B with the YaRN of its model card
    let qwen3 = only(
        json!({"model_type": "qwen3", "hidden_size": 4096, "num_attention_heads": 32, "head_dim": 128,
        "num_hidden_layers": 36, "rope_theta": 1000000, "max_position_embeddings": 40960,
        "rope_scaling": {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 32768}}),
    );
    near(qwen3.attention_factor, 1.138629436);
    let frequencies = qwen3.rotary(1).unwrap().frequencies();
    assert_eq!(frequencies[23], 1e6_f64.powf(-46.0 / 128.0));
    near(frequencies[40], 1e6_f64.powf(-80.0 / 128.0) / 4.0);
}

#[test]
fn multimodal_qwen() {
    // Qwen/Qwen2-VL-7B-Instruct
    let qwen2_vl =
        only(json!({"model_type": "qwen2_vl", "hidden_size": 3584, "num_attention_heads": 28,
        "num_hidden_layers": 28, "rope_theta": 1000000.0, "max_position_embeddings": 32768,
        "rope_scaling": {"type": "mrope", "mrope_section": [16, 24, 24]}}));
    assert_eq!(qwen2_vl.sections, Some((vec![16, 24, 24], Sections::Chunked)));
    assert_eq!(qwen2_vl.rotary(1).unwrap().axes(), 3);
    // Qwen/Qwen2.5-VL-7B-Instruct with the YaRN of its model card: the attention factor applies to
    // all axes.
    let with_yarn =
        only(json!({"model_type": "qwen2_5_vl", "hidden_size": 3584, "num_attention_heads": 28,
        "num_hidden_layers": 28, "rope_theta": 1000000.0, "max_position_embeddings": 128000,
        "rope_scaling": {"type": "yarn", "mrope_section": [16, 24, 24], "factor": 4,
            "original_max_position_embeddings": 32768}}));
    let text = with_yarn.rotary(1).unwrap().at::<f64>(0..1).unwrap();
    text.cos_sin(0).unwrap()[0].iter().for_each(|&cos| near(cos, 1.138629436));
    // Qwen/Qwen3-VL-8B-Instruct
    let qwen3_vl = only(
        json!({"model_type": "qwen3_vl", "text_config": {"model_type": "qwen3_vl_text", "hidden_size": 4096,
        "num_attention_heads": 32, "head_dim": 128, "num_hidden_layers": 36, "rope_theta": 5000000,
        "max_position_embeddings": 262144,
        "rope_scaling": {"mrope_interleaved": true, "mrope_section": [24, 20, 20], "rope_type": "default"}}}),
    );
    assert_eq!(qwen3_vl.sections, Some((vec![24, 20, 20], Sections::Interleaved)));
    assert_eq!((qwen3_vl.base, qwen3_vl.dim), (5e6, 128));
}

#[test]
fn gemma3() {
    // google/gemma-3-4b-pt leaves heads and bases to its class.
    let v4 = model(
        json!({"model_type": "gemma3", "text_config": {"model_type": "gemma3_text", "hidden_size": 2560,
        "num_hidden_layers": 34, "rope_scaling": {"factor": 8.0, "rope_type": "linear"}, "sliding_window": 1024}}),
    );
    let mut types = vec!["sliding_attention"; 34];
    (5..34).step_by(6).for_each(|layer| types[layer] = "full_attention");
    let v5 = model(
        json!({"model_type": "gemma3_text", "hidden_size": 2560, "head_dim": 256, "num_hidden_layers": 34,
        "layer_types": types, "rope_parameters": {
            "full_attention": {"factor": 8.0, "rope_theta": 1000000.0, "rope_type": "linear"},
            "sliding_attention": {"rope_theta": 10000.0, "rope_type": "default"}}}),
    );
    assert_eq!(v4.layer_type("full_attention"), v5.layer_type("full_attention"));
    assert_eq!(v4.layer_type("sliding_attention"), v5.layer_type("sliding_attention"));
    for layer in 0..34 {
        assert_eq!(v4.layer(layer), v5.layer(layer));
        let base = if (layer + 1) % 6 == 0 { 1e6 } else { 1e4 };
        assert_eq!(v4.layer(layer).unwrap().unwrap().base, base);
    }
    assert_eq!(v4.layer(5).unwrap().unwrap().rotary(1).unwrap().frequencies()[0], 0.125);
    assert_eq!(v4.layer(0).unwrap().unwrap().rotary(1).unwrap().frequencies()[0], 1.0);
}

/// Returns bases, dims and numbers of rotated pairs, of local and of global layers.
#[track_caller]
fn is_gemma4(config: Value, layers: usize, every: usize, head_dim: usize) {
    let gemma4 = model(config);
    for layer in 0..layers {
        let rotary = gemma4.layer(layer).unwrap().unwrap().rotary(1).unwrap();
        let frequencies = rotary.frequencies();
        if (layer + 1) % every == 0 || layer + 1 == layers {
            assert_eq!(rotary.dim(), head_dim, "{layer}");
            let (turning, still) = frequencies.split_at(head_dim / 8);
            near(turning[1], 1e6_f64.powf(-2.0 / head_dim as f64));
            assert!(
                turning.iter().all(|&frequency| frequency > 0.0)
                    && still.iter().all(|&frequency| frequency == 0.0)
            );
        } else {
            assert_eq!(rotary.dim(), 256, "{layer}");
            near(frequencies[127], 1e4_f64.powf(-254.0 / 256.0));
        }
    }
    assert!(gemma4.layer(layers).is_err());
}

#[test]
fn gemma4() {
    // google/gemma-4-E2B: 35 layers, every fifth global, with heads of 512; Gemma4TextConfig
    let mut types = vec!["sliding_attention"; 35];
    (4..35).step_by(5).for_each(|layer| types[layer] = "full_attention");
    let parameters = json!({
        "full_attention": {"partial_rotary_factor": 0.25, "rope_theta": 1000000.0, "rope_type": "proportional"},
        "sliding_attention": {"rope_theta": 10000.0, "rope_type": "default"}});
    let mut text = json!({"model_type": "gemma4_text", "hidden_size": 1536, "head_dim": 256, "global_head_dim": 512,
        "num_attention_heads": 8, "num_hidden_layers": 35, "layer_types": types, "rope_parameters": parameters});
    is_gemma4(json!({"model_type": "gemma4", "text_config": text}), 35, 5, 512);
    // Some versions save the fields of a plain model beside the types.
    text["rope_parameters"]["rope_type"] = "default".into();
    text["rope_parameters"]["rope_theta"] = Value::Null;
    is_gemma4(text.clone(), 35, 5, 512);
    // transformers 5.23 saves the wider heads layer by layer.
    text.as_object_mut().unwrap().remove("global_head_dim");
    is_gemma4(text.clone(), 35, 5, 512);
    text["per_layer_config"] =
        (4..35).step_by(5).map(|layer| (format!("{layer:02}"), json!({"head_dim": 384}))).collect();
    is_gemma4(text.clone(), 35, 5, 384);
    text["per_layer_config"] = json!({});
    is_gemma4(text, 35, 5, 256);
    // The default of the class: every sixth layer and the last
    is_gemma4(json!({"model_type": "gemma4_text", "num_hidden_layers": 20}), 20, 6, 512);
}

#[test]
fn longrope_of_phi3() {
    let (short, long) = (vec![1.05; 48], vec![2.5; 48]);
    for kind in ["su", "longrope"] {
        // microsoft/Phi-3-mini-128k-instruct, its factors shortened to one; Phi3Config
        let phi3 = only(
            json!({"model_type": "phi3", "hidden_size": 3072, "num_attention_heads": 32, "num_hidden_layers": 32,
            "rope_theta": 10000.0, "max_position_embeddings": 131072, "original_max_position_embeddings": 4096,
            "rope_scaling": {"type": kind, "short_factor": short, "long_factor": long}}),
        );
        near(phi3.attention_factor, 1.1902380714238083);
        let (at, past) = (phi3.rotary(4096).unwrap(), phi3.rotary(4097).unwrap());
        assert_eq!((at.regime(), past.regime()), (Regime::Short, Regime::Long));
        assert_eq!((at.frequencies()[0], past.frequencies()[0]), (1.0 / 1.05, 0.4));
        assert_eq!(past.at::<f32>(4096..4097).unwrap().regime(), Regime::Long);
    }
}

#[test]
fn latent_attention_of_deepseek() {
    let scaling = |mscale: f64| {
        json!({"beta_fast": 32, "beta_slow": 1, "factor": 40, "mscale": mscale,
        "mscale_all_dim": mscale, "original_max_position_embeddings": 4096, "type": "yarn"})
    };
    // deepseek-ai/DeepSeek-V3 and DeepSeek-V2; modeling_deepseek_v3.py: yarn_apply_mscale
    let config = |name: &str, hidden_size: usize, layers: usize, mscale: f64| {
        json!({"model_type": name, "hidden_size": hidden_size, "num_attention_heads": 128,
        "num_hidden_layers": layers, "qk_nope_head_dim": 128, "qk_rope_head_dim": 64, "rope_theta": 10000,
        "max_position_embeddings": 163840, "rope_scaling": scaling(mscale)})
    };
    let v3 = only(config("deepseek_v3", 7168, 61, 1.0));
    assert_eq!(
        (v3.dim, v3.head_dim, v3.attention_factor, v3.on_last_features),
        (64, 192, 1.0, true)
    );
    assert_eq!(v3.pairing, Pairing::Interleaved);
    near(v3.softmax_factor, 1.8738542070926265);
    let frequencies = v3.rotary(1).unwrap().frequencies();
    near(frequencies[10], 1e4_f64.powf(-20.0 / 64.0));
    near(frequencies[23], 1e4_f64.powf(-46.0 / 64.0) / 40.0);
    let v2 = only(config("deepseek_v2", 5120, 60, 0.707));
    near(v2.softmax_factor, (0.1 * 0.707 * 40_f64.ln() + 1.0).powi(2));
    assert_eq!(v2.attention_factor, 1.0);
}

#[test]
fn gpt_oss() {
    // openai/gpt-oss-20b; GptOssConfig
    let gpt_oss = only(
        json!({"model_type": "gpt_oss", "hidden_size": 2880, "num_attention_heads": 64, "head_dim": 64,
        "num_hidden_layers": 24, "rope_theta": 150000, "max_position_embeddings": 131072,
        "layer_types": ["sliding_attention", "full_attention", "sliding_attention", "full_attention", "sliding_attention",
            "full_attention", "sliding_attention", "full_attention", "sliding_attention", "full_attention",
            "sliding_attention", "full_attention", "sliding_attention", "full_attention", "sliding_attention",
            "full_attention", "sliding_attention", "full_attention", "sliding_attention", "full_attention",
            "sliding_attention", "full_attention", "sliding_attention", "full_attention"],
        "rope_scaling": {"beta_fast": 32.0, "beta_slow": 1.0, "factor": 32.0, "original_max_position_embeddings": 4096,
            "rope_type": "yarn", "truncate": false}}),
    );
    near(gpt_oss.attention_factor, 1.3465735902799727);
    near(gpt_oss.rotary(1).unwrap().frequencies()[8], 0.0508132748);
}

#[test]
fn layers_without_positions() {
    // HuggingFaceTB/SmolLM3-3B; SmolLM3Config
    let mut no_rope = vec![1; 36];
    (3..36).step_by(4).for_each(|layer| no_rope[layer] = 0);
    let listed = model(
        json!({"model_type": "smollm3", "hidden_size": 2048, "num_attention_heads": 16,
        "num_hidden_layers": 36, "rope_theta": 5000000.0, "no_rope_layers": no_rope, "no_rope_layer_interval": 4,
        "layer_types": vec!["full_attention"; 36]}),
    );
    let counted =
        model(json!({"model_type": "smollm3", "hidden_size": 2048, "num_attention_heads": 16,
        "num_hidden_layers": 36, "rope_theta": 5000000.0}));
    assert_eq!(listed, counted);
    assert_eq!(listed.layer(3), Ok(None));
    assert_eq!(listed.layer(4).unwrap().unwrap().base, 5e6);
    // CohereForAI/c4ai-command-r7b-12-2024; modeling_cohere2.py rotates in sliding layers only
    let cohere2 = model(
        json!({"model_type": "cohere2", "hidden_size": 4096, "num_attention_heads": 32, "head_dim": 128,
        "num_hidden_layers": 32, "rope_theta": 50000, "rope_scaling": null, "rotary_pct": 1.0, "sliding_window": 4096,
        "sliding_window_pattern": 4, "layer_switch": 4, "order_of_interleaved_layers": "local_attn_first",
        "position_embedding_type": "rope_gptj", "max_position_embeddings": 8192}),
    );
    assert_eq!(cohere2.layer(3), Ok(None));
    assert_eq!(cohere2.layer(2).unwrap().unwrap().pairing, Pairing::Interleaved);
    let nested = model(
        json!({"model_type": "llama", "head_dim": 64, "layer_types": ["full_attention", "sliding_attention"],
        "rope_parameters": {"full_attention": null, "sliding_attention": {"rope_type": "default", "rope_theta": 1e4}}}),
    );
    assert_eq!(nested.layer(0), Ok(None));
    assert_eq!(nested.layer(1).unwrap().unwrap().base, 1e4);
}

#[test]
fn modernbert() {
    // answerdotai/ModernBERT-base; ModernBertConfig
    let base = model(
        json!({"model_type": "modernbert", "hidden_size": 768, "num_attention_heads": 12,
        "num_hidden_layers": 22, "global_attn_every_n_layers": 3, "global_rope_theta": 160000.0,
        "local_rope_theta": 10000.0, "local_attention": 128, "position_embedding_type": "absolute"}),
    );
    for layer in 0..22 {
        let expected = if layer % 3 == 0 { 160_000.0 } else { 10_000.0 };
        assert_eq!(base.layer(layer).unwrap().unwrap().base, expected);
    }
}
