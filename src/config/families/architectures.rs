//! Every known GGUF architecture, one row each: the facts that llama.cpp has in its code and a file
//! does not state.
//!
//! A row lists the columns in which an architecture differs from [`PAIRS`] or [`HALVES`]
//! (llama.cpp's NORM and NEOX, `llama_model_rope_type`). A new architecture is a row here and a
//! line in `tests/tests/rotary/gguf.rs`.

use super::super::family::{Layers, Temperature, WithoutWindow};
use super::BAICHUAN_13B;
use crate::rotary::{Pairing, Sections};

/// A row: what is known about an architecture.
#[derive(Clone, Copy, Debug)]
pub(in crate::config) struct Architecture {
    /// The pairing.
    pub(in crate::config) pairing: Pairing,
    /// Which layers have sliding windows or no positions, where the file does not list them.
    pub(in crate::config) layers: Layers,
    /// The files to which `layers` applies; in others all layers are the same.
    pub(in crate::config) layered: WhereLayersDiffer,
    /// Whether the last features of a head are rotated.
    pub(in crate::config) on_last_features: bool,
    /// The files that have LongRoPE's tensors although their metadata do not say so.
    pub(in crate::config) longrope: Unstated,
    /// Whether the ends of YaRN's ramp are rounded; no key states it.
    pub(in crate::config) truncates: bool,
    /// The meaning of a file's attention factors.
    pub(in crate::config) attention: Attention,
    /// The meaning of `yarn_log_multiplier`.
    pub(in crate::config) multiplier: Multiplier,
    /// The base of local layers where the file has none; `None` stands for the base of the other
    /// layers.
    pub(in crate::config) local_base: Option<f64>,
    /// Whether full-attention layers rotate half of the features that the file states.
    pub(in crate::config) halves_full: bool,
    /// Every n-th layer has softmax attention, and rotates, where the file does not list them.
    pub(in crate::config) attention_in_each: Option<usize>,
    /// Whether the first layers, which have no experts, rotate whatever their type.
    pub(in crate::config) dense_layers_rotate: bool,
    /// Whether `rope.scaling.alpha`, the factor of static NTK, is read.
    pub(in crate::config) reads_alpha: bool,
    /// Whether compressed layers have their own base and are the only scaled ones.
    pub(in crate::config) compresses: bool,
    /// The temperature of queries.
    pub(in crate::config) temperature: TemperatureSource,
    /// How pairs are divided among axes.
    pub(in crate::config) sections: Sections,
    /// The source of positions in architectures whose layers do not rotate.
    pub(in crate::config) still: Option<&'static str>,
    /// The number of blocks of the files that do not rotate, if others do.
    pub(in crate::config) still_blocks: Option<usize>,
    /// Whether `rope.scaling.finetuned` states whether layers rotate.
    pub(in crate::config) finetuned_rotates: bool,
    /// The files whose frequencies are divided by the tensor `rope_freqs.weight`.
    pub(in crate::config) divided: Divided,
}

/// The files whose frequencies are divided by the tensor `rope_freqs.weight`, as far as metadata
/// tell.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::config) enum Divided {
    Never,
    Always,
    /// Files with this base and a context longer than this.
    Beyond(f64, usize),
}

/// The files in which layers differ from each other.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::config) enum WhereLayersDiffer {
    Always,
    /// Files with a window that is not 0.
    WithWindow,
    /// All files except those with a window of 0.
    UnlessWindowIsZero,
    /// Files with this many blocks.
    WithBlocks(usize),
}

/// The files that have LongRoPE's tensors although their metadata do not say so.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::config) enum Unstated {
    Never,
    /// Files with an attention factor.
    WithFactor,
    Always,
}

/// The meaning of a file's `yarn_attn_factor` and `attn_factor` beside YaRN.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::config) enum Attention {
    /// The first is the whole factor, the second multiplies it.
    Whole,
    /// Either of them multiplies YaRN's factor.
    Multiplies,
    /// Either of them is the whole factor.
    WholeByEitherName,
}

/// The meaning of a file's `yarn_log_multiplier`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::config) enum Multiplier {
    /// `mscale_all_dim`, beside an `mscale` of 1.
    MscaleAllDim,
    /// A tenth of `mscale_all_dim`, for the softmax scale alone; the file must have it.
    TenthForSoftmax,
}

/// Where the query temperature is defined.
#[derive(Clone, Copy, Debug)]
pub(in crate::config) enum TemperatureSource {
    Not,
    /// In llama.cpp's code, for the layers without positions.
    ByCode(Temperature),
    /// In the file, unless it is 0.
    ByFile,
}

/// Returns the row of an architecture.
pub(in crate::config) fn of_architecture(name: &str) -> Option<Architecture> {
    ARCHITECTURES.iter().find(|(known, _)| *known == name).map(|(_, row)| *row)
}

/// Returns the row of an unknown architecture with a given pairing.
pub(in crate::config) fn given(pairing: Pairing) -> Architecture {
    Architecture { pairing, ..PAIRS }
}

const PAIRS: Architecture = Architecture {
    pairing: Pairing::Interleaved,
    layers: Layers::SAME,
    layered: WhereLayersDiffer::Always,
    on_last_features: false,
    longrope: Unstated::Never,
    truncates: true,
    attention: Attention::Whole,
    multiplier: Multiplier::MscaleAllDim,
    local_base: None,
    halves_full: false,
    attention_in_each: None,
    dense_layers_rotate: false,
    reads_alpha: false,
    compresses: false,
    temperature: TemperatureSource::Not,
    sections: Sections::Chunked,
    still: None,
    still_blocks: None,
    finetuned_rotates: false,
    divided: Divided::Never,
};
const HALVES: Architecture = Architecture { pairing: Pairing::Halves, ..PAIRS };
const RECURRENT: Architecture = still("it is recurrent, or its attention has no positions");
const ALIBI: Architecture = still("ALiBi adds a bias by distance to its scores");
const LEARNED: Architecture = still("its positions are learned: position_embd.weight");

const ARCHITECTURES: &[(&str, Architecture)] = &[
    ("afmoe", HALVES.layers(SLIDING_ONLY, WhereLayersDiffer::Always)),
    ("apertus", Architecture { divided: Divided::Always, ..HALVES }),
    ("arcee", PAIRS),
    ("arctic", PAIRS),
    ("arwkv7", RECURRENT),
    ("baichuan", Architecture { still_blocks: Some(BAICHUAN_13B), ..PAIRS }),
    ("bailingmoe", PAIRS),
    ("bailingmoe2", HALVES),
    ("bailingmoe3", Architecture { on_last_features: true, ..PAIRS }),
    ("bert", LEARNED),
    ("bitnet", HALVES),
    ("bloom", ALIBI),
    ("chameleon", PAIRS),
    ("chatglm", PAIRS),
    ("clip", LEARNED),
    ("codeshell", HALVES),
    ("cogvlm", HALVES),
    ("cohere2", PAIRS.layers(SLIDING_ONLY, WhereLayersDiffer::Always)),
    ("cohere2moe", COHERE2_MOE),
    ("command-r", PAIRS),
    ("dbrx", HALVES),
    ("deci", Architecture { divided: LLAMA3, ..PAIRS }),
    ("deepseek", PAIRS),
    ("deepseek2", DEEPSEEK2),
    // Plain heads, unlike deepseek2.
    ("deepseek2-ocr", HALVES),
    ("deepseek32", DEEPSEEK2),
    ("deepseek4", DEEPSEEK4),
    ("dflash", HALVES),
    ("dots1", HALVES),
    ("dots3note", Architecture { on_last_features: true, ..PAIRS }),
    ("dream", HALVES),
    ("eagle3", PAIRS),
    ("ernie4_5", PAIRS),
    ("ernie4_5-moe", PAIRS),
    ("eurobert", HALVES),
    ("exaone", HALVES),
    ("exaone-moe", HALVES.layers(SLIDING_ONLY, WhereLayersDiffer::WithWindow)),
    // The 32B model; others have full attention and positions in every layer.
    ("exaone4", HALVES.layers(SLIDING_ONLY, WhereLayersDiffer::WithBlocks(64))),
    ("falcon", HALVES),
    ("falcon-h1", HALVES),
    ("gemma", HALVES),
    (
        "gemma-embedding",
        HALVES.layers(Layers::full_after_sliding(6, Some(1e4)), WhereLayersDiffer::WithWindow),
    ),
    ("gemma2", HALVES),
    (
        "gemma3",
        HALVES.layers(Layers::full_after_sliding(6, Some(1e4)), WhereLayersDiffer::WithWindow),
    ),
    (
        "gemma3n",
        HALVES.layers(Layers::full_after_sliding(5, Some(1e4)), WhereLayersDiffer::WithWindow),
    ),
    ("gemma4", GEMMA4),
    ("gemma4-assistant", GEMMA4),
    ("glm-dsa", DEEPSEEK2),
    ("glm4", PAIRS),
    ("glm4moe", HALVES),
    ("glm5-next", RECURRENT),
    ("gpt-oss", Architecture { truncates: false, ..HALVES }),
    ("gpt2", LEARNED),
    ("gptj", PAIRS),
    ("gptneox", HALVES),
    ("granite", GRANITE),
    ("granite_swa", PAIRS),
    ("granitehybrid", GRANITE),
    ("granitemoe", GRANITE),
    ("graniteswitch", GRANITE),
    // The converter writes both factors, which llama.cpp multiplies.
    ("grok", Architecture { attention: Attention::Multiplies, ..HALVES }),
    ("grovemoe", HALVES),
    ("hrm_text", HALVES),
    ("hunyuan-dense", HALVES),
    ("hunyuan-moe", HALVES),
    ("hunyuan_vl", Architecture { reads_alpha: true, ..HALVES }),
    ("hy_v3", HALVES),
    ("hy_v4", Architecture { on_last_features: true, ..PAIRS }),
    ("internlm2", PAIRS),
    ("jais", ALIBI),
    ("jais2", HALVES),
    ("jamba", RECURRENT),
    ("jina-bert-v2", ALIBI),
    ("jina-bert-v3", HALVES),
    ("kimi-k3", RECURRENT),
    ("kimi-linear", RECURRENT),
    ("laguna", LAGUNA),
    ("lfm2", HALVES),
    ("lfm2moe", HALVES),
    ("llada", PAIRS),
    ("llada-moe", HALVES),
    ("llama", Architecture { divided: LLAMA3, ..PAIRS }),
    ("llama-embed", Architecture { divided: LLAMA3, ..PAIRS }),
    ("llama4", LLAMA4),
    ("maincoder", PAIRS),
    ("mamba", RECURRENT),
    ("mamba2", RECURRENT),
    ("maple", HALVES.layers(SLIDING_ONLY, WhereLayersDiffer::Always)),
    ("mellum", HALVES.layers(Layers::full_after_sliding(4, None), WhereLayersDiffer::WithWindow)),
    ("mimo2", Architecture { local_base: Some(1e4), ..HALVES }),
    ("minicpm", PAIRS),
    ("minicpm3", MINICPM3),
    ("minimax-01", Architecture { attention_in_each: Some(8), ..HALVES }),
    ("minimax-m2", HALVES),
    ("minimax-m3", HALVES),
    ("mistral3", MISTRAL3),
    ("mistral4", Architecture { on_last_features: true, ..MISTRAL3 }),
    (
        "modern-bert",
        HALVES.layers(Layers::full_before_sliding(3, 1e4), WhereLayersDiffer::WithWindow),
    ),
    ("mpt", ALIBI),
    ("muse-glimmer", PAIRS.layers(SLIDING_ONLY, WhereLayersDiffer::Always)),
    ("nanbeige", PAIRS),
    ("nemotron", HALVES),
    ("nemotron_h", RECURRENT),
    ("nemotron_h_moe", RECURRENT),
    ("neo-bert", PAIRS),
    ("nomic-bert", HALVES),
    ("nomic-bert-moe", HALVES),
    ("olmo", PAIRS),
    ("olmo2", OLMO2),
    ("olmoe", HALVES),
    ("openelm", HALVES),
    ("orion", HALVES),
    ("paddleocr", HALVES),
    ("pangu-embedded", HALVES),
    ("phi2", HALVES),
    ("phi3", Architecture { longrope: Unstated::WithFactor, ..HALVES }),
    ("phimoe", Architecture { longrope: Unstated::WithFactor, ..HALVES }),
    ("plamo", HALVES),
    ("plamo2", HALVES),
    (
        "plamo3",
        HALVES.layers(Layers::full_after_sliding(8, Some(1e4)), WhereLayersDiffer::WithWindow),
    ),
    ("plm", Architecture { on_last_features: true, ..PAIRS }),
    ("pockettts", PAIRS),
    ("qwen", HALVES),
    ("qwen2", HALVES),
    ("qwen2moe", HALVES),
    ("qwen2vl", HALVES),
    ("qwen3", HALVES),
    ("qwen35", HYBRID_INTERLEAVED),
    ("qwen35moe", HYBRID_INTERLEAVED),
    ("qwen3moe", HALVES),
    ("qwen3next", Architecture { attention_in_each: Some(4), ..HALVES }),
    ("qwen3tts", INTERLEAVED),
    ("qwen3vl", INTERLEAVED),
    ("qwen3vlmoe", INTERLEAVED),
    ("qwen4exp", HYBRID_INTERLEAVED),
    ("refact", ALIBI),
    ("rnd1", HALVES),
    ("rwkv6", RECURRENT),
    ("rwkv6qwen2", RECURRENT),
    ("rwkv7", RECURRENT),
    ("seed_oss", HALVES),
    (
        "smallthinker",
        HALVES.layers(
            Layers { first: true, ..Layers::sliding_only(4, WithoutWindow::Same) },
            WhereLayersDiffer::WithWindow,
        ),
    ),
    ("smollm3", PAIRS.layers(Layers::none_in_each(4), WhereLayersDiffer::Always)),
    ("spark2_5", HALVES),
    ("stablelm", HALVES),
    ("starcoder", LEARNED),
    ("starcoder2", HALVES),
    ("step35", STEP35),
    ("t5", still("it adds a learned bias by distance to its scores")),
    ("t5encoder", still("it adds a learned bias by distance to its scores")),
    ("talkie", HALVES),
    ("wavtokenizer-dec", RECURRENT),
    ("xverse", PAIRS),
];

const SLIDING_ONLY: Layers = Layers::sliding_only(4, WithoutWindow::Same);
const DEEPSEEK2: Architecture = Architecture {
    on_last_features: true,
    multiplier: Multiplier::TenthForSoftmax,
    temperature: TemperatureSource::ByFile,
    ..PAIRS
};
/// The first of every four layers has full attention.
const COHERE2_MOE: Architecture = Architecture {
    dense_layers_rotate: true,
    ..PAIRS.layers(Layers { first: true, ..SLIDING_ONLY }, WhereLayersDiffer::Always)
};
const DEEPSEEK4: Architecture = Architecture { on_last_features: true, compresses: true, ..PAIRS };
const GEMMA4: Architecture =
    Architecture { local_base: Some(1e4), divided: Divided::Always, ..HALVES };
const HYBRID_INTERLEAVED: Architecture = Architecture { attention_in_each: Some(4), ..INTERLEAVED };
const LAGUNA: Architecture = HALVES.layers(
    Layers { first: true, ..Layers::full_after_sliding(4, None) },
    WhereLayersDiffer::WithWindow,
);
const STEP35: Architecture = Architecture { local_base: Some(1e4), halves_full: true, ..HALVES };
/// Llama 3.1 and its descendants; Llama 3 itself has the same base, and 8192 positions.
const LLAMA3: Divided = Divided::Beyond(500_000.0, 8192);
const GRANITE: Architecture = Architecture { finetuned_rotates: true, ..PAIRS };
const INTERLEAVED: Architecture = Architecture { sections: Sections::Interleaved, ..HALVES };
const MISTRAL3: Architecture = Architecture { temperature: TemperatureSource::ByFile, ..PAIRS };
const LLAMA4: Architecture = Architecture {
    divided: LLAMA3,
    temperature: TemperatureSource::ByCode(Temperature { scale: 0.1, floor: 8192.0 }),
    ..PAIRS.layers(Layers::none_in_each(4), WhereLayersDiffer::UnlessWindowIsZero)
};
const MINICPM3: Architecture =
    Architecture { on_last_features: true, longrope: Unstated::Always, ..HALVES };
// OLMo 3 has the same name: it has sliding windows, and its factor was once written under the other
// name.
const OLMO2: Architecture = Architecture {
    attention: Attention::WholeByEitherName,
    ..HALVES.layers(Layers::full_after_sliding(4, None), WhereLayersDiffer::WithWindow)
};

/// Returns an architecture that does not rotate, with what provides positions instead.
const fn still(reason: &'static str) -> Architecture {
    Architecture { still: Some(reason), ..PAIRS }
}

impl Architecture {
    const fn layers(self, layers: Layers, layered: WhereLayersDiffer) -> Self {
        Self { layers, layered, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::ARCHITECTURES;

    #[test]
    fn rows_are_in_order_and_there_once() {
        assert!(ARCHITECTURES.windows(2).all(|rows| rows[0].0 < rows[1].0));
    }
}
