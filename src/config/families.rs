//! What a config does not say: the conventions of each model family, and the defaults of its config class.

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
}

/// How the types of layers are laid out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Layers {
    /// All the same, unless the config lists types.
    Same,
    /// Every n-th layer is global, the last of each n; local layers have a base of their own.
    LastOfEach { every: usize, local_base: f64 },
    /// Every n-th layer is global, the first of each n (ModernBERT).
    FirstOfEach { every: usize, local_base: f64 },
    /// Every n-th layer has no positions.
    NoneInEach { every: usize },
    /// Sliding layers have positions, full ones have none (Cohere 2).
    SlidingOnly { every: usize },
}

const HALVES: Family =
    Family { pairing: Pairing::Halves, base: Some(10_000.0), fraction: 1.0, head_dim: None, layers: Layers::Same };
const NEIGHBOURS: Family = Family { pairing: Pairing::Interleaved, ..HALVES };

/// The family of transformers' `model_type`.
pub(super) fn of_model_type(name: &str) -> Option<Family> {
    let base = |base| Family { base: Some(base), ..HALVES };
    let part = |fraction| Family { fraction, ..HALVES };
    let gemma = Family { head_dim: Some(256), ..HALVES };
    Some(match name {
        "llama" | "mistral" | "ministral" | "ministral3" | "qwen2" | "qwen2_moe" | "qwen3" | "qwen3_moe" | "phi3"
        | "olmo" | "olmoe" | "falcon" | "starcoder2" | "granite" | "granitemoe" | "exaone4" | "arcee" | "aimv2" => {
            HALVES
        }
        "olmo2" | "olmo3" => base(500_000.0),
        "mixtral" | "qwen2_vl" | "qwen2_vl_text" | "qwen2_5_vl" | "qwen2_5_vl_text" => base(1e6),
        "qwen3_vl" | "qwen3_vl_text" | "qwen3_vl_moe_text" => base(5e6),
        "gpt_oss" => Family { head_dim: Some(64), ..base(150_000.0) },
        "gemma" | "gemma2" => gemma,
        "gemma3" | "gemma3_text" => {
            Family { base: Some(1e6), layers: Layers::LastOfEach { every: 6, local_base: 1e4 }, ..gemma }
        }
        "gemma4" | "gemma4_text" => Family { base: None, ..gemma },
        "phi" | "nemotron" => part(0.5),
        "persimmon" => Family { base: Some(25_000.0), ..part(0.5) },
        "stablelm" | "gpt_neox" => part(0.25),
        "gptj" | "codegen" => Family { fraction: 0.25, ..NEIGHBOURS },
        "cohere" | "helium" | "ernie4_5" | "ernie4_5_moe" => NEIGHBOURS,
        "cohere2" => Family { layers: Layers::SlidingOnly { every: 4 }, ..NEIGHBOURS },
        "glm" | "glm4" => Family { fraction: 0.5, head_dim: Some(128), ..NEIGHBOURS },
        "deepseek_v2" | "deepseek_v3" => NEIGHBOURS,
        "llama4" | "llama4_text" => {
            Family { base: Some(500_000.0), head_dim: Some(128), layers: Layers::NoneInEach { every: 4 }, ..NEIGHBOURS }
        }
        "smollm3" => Family { layers: Layers::NoneInEach { every: 4 }, ..base(2e6) },
        "modernbert" => Family { layers: Layers::FirstOfEach { every: 3, local_base: 1e4 }, ..base(160_000.0) },
        _ => return None,
    })
}

/// The pairing of a GGUF architecture, and how it divides pairs among axes: llama.cpp's `llama_model_rope_type`.
pub(super) fn of_architecture(name: &str) -> Option<Pairing> {
    match name {
        "llama" | "llama4" | "deci" | "baichuan" | "starcoder" | "internlm2" | "minicpm" | "xverse" | "command-r"
        | "cohere2" | "olmo" | "arctic" | "deepseek" | "deepseek2" | "chatglm" | "glm4" | "granite" | "granitemoe"
        | "chameleon" | "smollm3" | "ernie4_5" | "mistral3" => Some(Pairing::Interleaved),
        "falcon" | "grok" | "dbrx" | "stablelm" | "qwen" | "qwen2" | "qwen2moe" | "qwen3" | "qwen3moe" | "olmo2"
        | "olmoe" | "phi2" | "phi3" | "phimoe" | "gemma" | "gemma2" | "gemma3" | "starcoder2" | "openelm"
        | "gptneox" | "codeshell" | "orion" | "nemotron" | "exaone" | "minicpm3" | "gpt-oss" | "qwen2vl"
        | "qwen3vl" => Some(Pairing::Halves),
        _ => None,
    }
}
