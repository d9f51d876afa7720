//! Every architecture of GGUF that is known, one row each: what llama.cpp has in its code and a
//! file does not say.
//!
//! A row has the columns in which an architecture differs from [`PAIRS`] or [`HALVES`] (llama.cpp's
//! NORM and NEOX, `llama_model_rope_type`). A new architecture is a row here and a line in
//! `tests/rotary/gguf.rs`.

use super::family::{Layers, Temperature, WithoutWindow};
use crate::rotary::{Pairing, Sections};

/// What is known of an architecture.
#[derive(Clone, Copy, Debug)]
pub(super) struct Architecture {
    /// Which features make a pair.
    pub(super) pairing: Pairing,
    /// Which layers slide or have no positions, where the file does not list them.
    pub(super) layers: Layers,
    /// The files that `layers` holds for; in others all layers are the same.
    pub(super) layered: Layered,
    /// Whether the last features of a head are rotated.
    pub(super) on_last_features: bool,
    /// The files that have LongRoPE's tensors without saying so.
    pub(super) longrope: Untold,
    /// Whether the ends of YaRN's ramp are rounded; no key says it.
    pub(super) truncates: bool,
    /// What a file's attention factors mean.
    pub(super) attention: Attention,
    /// What `yarn_log_multiplier` means.
    pub(super) multiplier: Multiplier,
    /// Whether a file must have a base for its local layers.
    pub(super) needs_local_base: bool,
    /// The temperature of queries.
    pub(super) temperature: Tempered,
    /// How pairs are divided among axes.
    pub(super) sections: Sections,
}

/// The files in which layers differ.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Layered {
    Always,
    /// Those with a window that is not 0.
    WithWindow,
    /// All but those with a window of 0.
    UnlessWindowIsZero,
    /// Those with this many blocks.
    WithBlocks(usize),
}

/// The files that have LongRoPE's tensors without saying so.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Untold {
    Never,
    /// Those with an attention factor.
    WithFactor,
    Always,
}

/// What a file's `yarn_attn_factor` and `attn_factor` mean beside YaRN.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Attention {
    /// The first is the whole factor, the second multiplies.
    Whole,
    /// Either multiplies.
    Multiplies,
    /// Either is the whole factor.
    WholeByEitherName,
}

/// What a file's `yarn_log_multiplier` means.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Multiplier {
    /// `mscale_all_dim`, beside an `mscale` of 1.
    MscaleAllDim,
    /// A tenth of `mscale_all_dim`, for the softmax scale alone; the file must have it.
    TenthForSoftmax,
}

/// Where the temperature of queries is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Tempered {
    Not,
    /// In the code, for the layers without positions.
    ByCode(Temperature),
    /// In the file, where it is not 0.
    ByFile,
}

/// The row of an architecture.
pub(super) fn of_architecture(name: &str) -> Option<Architecture> {
    ARCHITECTURES.iter().find(|(known, _)| *known == name).map(|(_, row)| *row)
}

const PAIRS: Architecture = Architecture {
    pairing: Pairing::Interleaved,
    layers: Layers::SAME,
    layered: Layered::Always,
    on_last_features: false,
    longrope: Untold::Never,
    truncates: true,
    attention: Attention::Whole,
    multiplier: Multiplier::MscaleAllDim,
    needs_local_base: false,
    temperature: Tempered::Not,
    sections: Sections::Chunked,
};
const HALVES: Architecture = Architecture { pairing: Pairing::Halves, ..PAIRS };

const ARCHITECTURES: &[(&str, Architecture)] = &[
    ("arcee", PAIRS),
    ("arctic", PAIRS),
    ("baichuan", PAIRS),
    ("chameleon", PAIRS),
    ("chatglm", PAIRS),
    ("codeshell", HALVES),
    ("cohere2", PAIRS.layers(SLIDING_ONLY, Layered::Always)),
    ("command-r", PAIRS),
    ("dbrx", HALVES),
    ("deci", PAIRS),
    ("deepseek", PAIRS),
    ("deepseek2", DEEPSEEK2),
    ("ernie4_5", PAIRS),
    ("ernie4_5-moe", PAIRS),
    ("exaone", HALVES),
    // The 32B; others have full attention and positions everywhere.
    ("exaone4", HALVES.layers(SLIDING_ONLY, Layered::WithBlocks(64))),
    ("falcon", HALVES),
    ("gemma", HALVES),
    ("gemma2", HALVES),
    ("gemma3", HALVES.layers(Layers::full_after_sliding(6, Some(1e4)), Layered::WithWindow)),
    ("gemma4", Architecture { needs_local_base: true, ..HALVES }),
    ("glm4", PAIRS),
    ("gpt-oss", Architecture { truncates: false, ..HALVES }),
    ("gptneox", HALVES),
    ("granite", PAIRS),
    ("granitemoe", PAIRS),
    // The converter writes both factors, which llama.cpp multiplies.
    ("grok", Architecture { attention: Attention::Multiplies, ..HALVES }),
    ("internlm2", PAIRS),
    ("llama", PAIRS),
    ("llama4", LLAMA4),
    ("minicpm", PAIRS),
    ("minicpm3", MINICPM3),
    ("mistral3", Architecture { temperature: Tempered::ByFile, ..PAIRS }),
    ("nemotron", HALVES),
    ("olmo", PAIRS),
    ("olmo2", OLMO2),
    ("olmoe", HALVES),
    ("openelm", HALVES),
    ("orion", HALVES),
    ("phi2", HALVES),
    ("phi3", Architecture { longrope: Untold::WithFactor, ..HALVES }),
    ("phimoe", Architecture { longrope: Untold::WithFactor, ..HALVES }),
    ("qwen", HALVES),
    ("qwen2", HALVES),
    ("qwen2moe", HALVES),
    ("qwen2vl", HALVES),
    ("qwen3", HALVES),
    ("qwen3moe", HALVES),
    ("qwen3vl", Architecture { sections: Sections::Interleaved, ..HALVES }),
    ("smollm3", PAIRS.layers(Layers::none_in_each(4), Layered::Always)),
    ("stablelm", HALVES),
    ("starcoder", PAIRS),
    ("starcoder2", HALVES),
    ("xverse", PAIRS),
];

const SLIDING_ONLY: Layers = Layers::sliding_only(4, WithoutWindow::Same);
const DEEPSEEK2: Architecture = Architecture {
    on_last_features: true,
    multiplier: Multiplier::TenthForSoftmax,
    temperature: Tempered::ByFile,
    ..PAIRS
};
const LLAMA4: Architecture = Architecture {
    temperature: Tempered::ByCode(Temperature { scale: 0.1, floor: 8192.0 }),
    ..PAIRS.layers(Layers::none_in_each(4), Layered::UnlessWindowIsZero)
};
const MINICPM3: Architecture =
    Architecture { on_last_features: true, longrope: Untold::Always, ..HALVES };
// OLMo 3 has this name, too: it slides, and its factor was once written under the other name.
const OLMO2: Architecture = Architecture {
    attention: Attention::WholeByEitherName,
    ..HALVES.layers(Layers::full_after_sliding(4, None), Layered::WithWindow)
};

impl Architecture {
    const fn layers(self, layers: Layers, layered: Layered) -> Self {
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
