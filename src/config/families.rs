//! What a config does not say: the conventions of each model family, and the defaults of its config
//! class.

use crate::Pairing;

/// The conventions of a family of models.
#[derive(Clone, Copy, Debug)]
pub(super) struct Family {
    pub(super) pairing: Pairing,
    /// Base where the config has none; `None` where it must have one.
    pub(super) base: Option<f64>,
    /// The part of the head that is rotated where the config does not say.
    pub(super) fraction: f64,
    /// Width of a head where the config does not say and it is not hidden size over heads.
    pub(super) head_dim: Option<usize>,
    pub(super) layers: Layers,
    /// Rope parameters where the config has none, as JSON, for classes whose own are not plain.
    pub(super) parameters: Option<&'static str>,
}

/// How the types of layers are laid out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Layers {
    /// All the same, unless the config lists types.
    Same,
    /// Every n-th layer is global, the last of each n; local layers are not scaled, and have a base
    /// of their own or the same.
    LastOfEach { every: usize, local_base: Option<f64> },
    /// Every n-th layer is global, the first of each n (ModernBERT).
    FirstOfEach { every: usize, local_base: Option<f64> },
    /// Every n-th layer has no positions.
    NoneInEach { every: usize },
    /// Sliding layers have positions, full ones have none (Cohere 2, EXAONE 4).
    SlidingOnly { every: usize },
    /// Every n-th layer is a full one, the others are linear attention, without positions
    /// (Qwen3-Next, Qwen3.5).
    LinearBetween { every: usize },
}

impl Layers {
    /// The base of local layers where it is one of their own.
    pub(super) fn local_base(self) -> Option<f64> {
        match self {
            Self::LastOfEach { local_base, .. } | Self::FirstOfEach { local_base, .. } => {
                local_base
            }
            _ => None,
        }
    }
}

const HALVES: Family = Family {
    pairing: Pairing::Halves,
    base: Some(10_000.0),
    fraction: 1.0,
    head_dim: None,
    layers: Layers::Same,
    parameters: None,
};
const NEIGHBOURS: Family = Family { pairing: Pairing::Interleaved, ..HALVES };

const GPT_OSS: &str = r#"{"rope_type": "yarn", "factor": 32.0, "beta_fast": 32.0, "beta_slow": 1.0, "truncate": false,
    "original_max_position_embeddings": 4096}"#;
const APERTUS: &str = r#"{"rope_type": "llama3", "factor": 8.0, "original_max_position_embeddings": 8192,
    "low_freq_factor": 1.0, "high_freq_factor": 4.0}"#;
const MINISTRAL3: &str = r#"{"rope_type": "yarn", "rope_theta": 1000000.0, "factor": 16.0,
    "original_max_position_embeddings": 16384, "beta_fast": 32.0, "beta_slow": 1.0, "mscale": 1.0, "mscale_all_dim": 1.0,
    "llama_4_scaling_beta": 0.1}"#;
const GEMMA4: &str = r#"{"sliding_attention": {"rope_type": "default", "rope_theta": 10000.0},
    "full_attention": {"rope_type": "proportional", "partial_rotary_factor": 0.25, "rope_theta": 1000000.0}}"#;

/// The family of transformers' `model_type`. Numbers are those of the config classes of
/// transformers 4.57 and 5.23; where the two disagree on a base, the config must have it.
pub(super) fn of_model_type(name: &str) -> Option<Family> {
    let base = |base| Family { base: Some(base), ..HALVES };
    let part = |fraction| Family { fraction, ..HALVES };
    let gemma = Family { head_dim: Some(256), ..HALVES };
    let interleaved = |base| Family { base: Some(base), ..NEIGHBOURS };
    Some(match name {
        "llama" | "mistral" | "ministral" | "qwen2" | "qwen2_moe" | "qwen3_moe" | "phi3"
        | "olmo" | "olmo2" | "olmoe" | "falcon" | "starcoder2" | "granite" | "granitemoe"
        | "arcee" => HALVES,
        "qwen3" | "seed_oss" => Family { head_dim: Some(128), ..HALVES },
        "qwen3_next" | "qwen3_5" | "qwen3_5_text" | "qwen3_5_moe" | "qwen3_5_moe_text" => {
            Family { head_dim: Some(256), layers: Layers::LinearBetween { every: 4 }, ..part(0.25) }
        }
        "ministral3" => {
            Family { base: None, head_dim: Some(128), parameters: Some(MINISTRAL3), ..HALVES }
        }
        // 10000 in transformers 4, 500000 in 5; only full layers are scaled.
        "olmo3" => Family {
            base: None,
            layers: Layers::LastOfEach { every: 4, local_base: None },
            ..HALVES
        },
        "exaone4" => Family { layers: Layers::SlidingOnly { every: 4 }, ..HALVES },
        "mixtral" | "phimoe" | "qwen2_vl" | "qwen2_vl_text" | "qwen2_5_vl" | "qwen2_5_vl_text" => {
            base(1e6)
        }
        // 5000000 in transformers 4, 500000 in 5
        "qwen3_vl" | "qwen3_vl_text" => Family { base: None, head_dim: Some(128), ..HALVES },
        "qwen3_vl_moe" | "qwen3_vl_moe_text" => Family { base: None, ..HALVES },
        "gpt_oss" => Family { head_dim: Some(64), parameters: Some(GPT_OSS), ..base(150_000.0) },
        "apertus" => Family { parameters: Some(APERTUS), ..base(12e6) },
        "gemma" | "gemma2" => gemma,
        "gemma3" | "gemma3_text" => Family {
            base: Some(1e6),
            layers: Layers::LastOfEach { every: 6, local_base: Some(1e4) },
            ..gemma
        },
        "gemma4" | "gemma4_text" => Family {
            base: None,
            layers: Layers::LastOfEach { every: 6, local_base: None },
            parameters: Some(GEMMA4),
            ..gemma
        },
        "phi" | "nemotron" | "glm4_moe" => part(0.5),
        // 25000 in transformers 4, 10000 in 5
        "persimmon" => Family { base: None, ..part(0.5) },
        "stablelm" | "gpt_neox" => part(0.25),
        "gptj" | "codegen" => Family { fraction: 0.25, ..NEIGHBOURS },
        // 10000 in transformers 4, 500000 in 5
        "cohere" => Family { base: None, ..NEIGHBOURS },
        "helium" => Family { head_dim: Some(128), ..interleaved(100_000.0) },
        "ernie4_5" => Family { head_dim: Some(128), ..interleaved(500_000.0) },
        "ernie4_5_moe" => interleaved(500_000.0),
        "cohere2" => Family { layers: Layers::SlidingOnly { every: 4 }, ..NEIGHBOURS },
        "glm" | "glm4" => Family { fraction: 0.5, head_dim: Some(128), ..NEIGHBOURS },
        // modeling_chatglm.py beside the models; ChatGLM2 and later
        "chatglm" => Family { fraction: 0.5, ..NEIGHBOURS },
        "deepseek_v2" | "deepseek_v3" => NEIGHBOURS,
        "llama4" | "llama4_text" => Family {
            head_dim: Some(128),
            layers: Layers::NoneInEach { every: 4 },
            ..interleaved(500_000.0)
        },
        "smollm3" => Family { layers: Layers::NoneInEach { every: 4 }, ..base(2e6) },
        "modernbert" => Family {
            layers: Layers::FirstOfEach { every: 3, local_base: Some(1e4) },
            ..base(160_000.0)
        },
        _ => return None,
    })
}

/// The pairing of a GGUF architecture, and how it divides pairs among axes: llama.cpp's
/// `llama_model_rope_type`.
pub(super) fn of_architecture(name: &str) -> Option<Pairing> {
    match name {
        "llama" | "llama4" | "deci" | "baichuan" | "starcoder" | "internlm2" | "minicpm"
        | "xverse" | "command-r" | "cohere2" | "olmo" | "arctic" | "deepseek" | "deepseek2"
        | "chatglm" | "glm4" | "granite" | "granitemoe" | "chameleon" | "smollm3" | "ernie4_5"
        | "ernie4_5-moe" | "mistral3" | "arcee" => Some(Pairing::Interleaved),
        "falcon" | "grok" | "dbrx" | "stablelm" | "qwen" | "qwen2" | "qwen2moe" | "qwen3"
        | "qwen3moe" | "olmo2" | "olmoe" | "phi2" | "phi3" | "phimoe" | "gemma" | "gemma2"
        | "gemma3" | "gemma4" | "starcoder2" | "openelm" | "gptneox" | "codeshell" | "orion"
        | "nemotron" | "exaone" | "exaone4" | "minicpm3" | "gpt-oss" | "qwen2vl" | "qwen3vl" => {
            Some(Pairing::Halves)
        }
        _ => None,
    }
}
