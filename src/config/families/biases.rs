//! The list of all models that add something to their attention scores: a row for each type.

use super::super::fields::{Name, field};
use super::BAICHUAN_13B;

/// A row: what is known about a model type.
pub(in crate::config) struct Row {
    /// The model types that the row is for.
    types: &'static [&'static str],
    /// The object of the config that is read, if it is not the config itself.
    pub(in crate::config) part: Option<Name>,
    /// The names of the field with the number of heads, and its default.
    pub(in crate::config) heads: (&'static [Name], usize),
    pub(in crate::config) kind: Kind,
}

/// The bias that is added.
#[derive(Clone, Copy)]
pub(in crate::config) enum Kind {
    /// ALiBi, if the flag `alibi` of the config, or of an object in it, is set.
    Alibi { part: Option<Name>, default: bool, slopes: Slopes },
    /// ALiBi in models of this many layers; others rotate.
    AlibiOfLayers(usize),
    /// A table by buckets of the distance. Some models read neither the number of buckets nor the
    /// greatest distance from their config.
    Bucketed { decoder: bool, shared: bool, reads: [bool; 2] },
    /// Tables by buckets of text and of boxes, if flags are set, and whether the tables are
    /// divided.
    Layout { divided: bool },
    /// Windows, with tables or with a network that was trained with other windows.
    Windows { trained: bool },
    /// The image as one window, if flags are set.
    ImageWindow,
    /// The bias of `position_embedding_type`, with this many positions.
    Typed { positions: usize },
    /// The bias of `position_embeddings_type`, in a model of this width.
    Speech { default: &'static str, width: usize },
    /// Disentangled attention, if a flag is set.
    Disentangled,
    /// The bias of Transformer-XL. The width of a head is a field, or the width of the model
    /// divided by the number of heads.
    TransformerXl { dim: Option<usize>, clamp: Option<usize> },
    /// The decomposed bias of rows and columns.
    Decomposed,
    /// No bias: vectors are added to the words, or the model is recurrent.
    Nothing,
}

/// How slopes become a bias.
#[derive(Clone, Copy)]
pub(in crate::config) enum Slopes {
    /// The slope times the position of the key.
    Keys,
    /// ALiBi rounded to bf16.
    Rounded,
    /// Distances, with an `alibi_bias_max`.
    Max,
}

const ATTENTION_HEADS: &[Name] = &[field::NUM_ATTENTION_HEADS];

/// An encoder and a decoder, each of which has one table for all its layers.
const BUCKETED: Kind = Kind::Bucketed { decoder: true, shared: true, reads: [true; 2] };

/// Models that add tables or sinusoids to the words, or to the patches of an image.
#[rustfmt::skip]
const ADDED: &[&str] = &[
    "bart", "biogpt", "blenderbot", "blenderbot-small", "clip_text_model", "clip_vision_model",
    "ctrl", "deit", "distilbert", "dpr", "flaubert", "fsmt", "git", "gpt2", "gpt_bigcode",
    "gpt_neo", "imagegpt", "led", "longformer", "m2m_100", "marian", "mbart", "mvp", "nllb-moe",
    "openai-gpt", "opt", "pegasus", "plbart", "prophetnet", "siglip_text_model",
    "siglip_vision_model", "speech_to_text", "squeezebert", "tapas", "trocr", "videomae", "vilt",
    "vit", "vit_mae", "whisper", "xglm", "xlm",
];
const RECURRENT: &[&str] = &["falcon_mamba", "mamba", "mamba2", "rwkv", "xlstm"];

const fn row(types: &'static [&'static str], heads: (&'static [Name], usize), kind: Kind) -> Row {
    Row { types, part: None, heads, kind }
}

/// Defaults are those of the classes of transformers 5.24; for types and fields that it lacks,
/// those of 4.46.
const ROWS: &[Row] = &[
    row(ADDED, (&[], 1), Kind::Nothing),
    row(RECURRENT, (&[], 1), Kind::Nothing),
    row(
        &["bloom"],
        (&[field::N_HEAD, field::NUM_ATTENTION_HEADS], 8),
        Kind::Alibi { part: None, default: true, slopes: Slopes::Keys },
    ),
    row(
        &["falcon"],
        (&[field::NUM_ATTENTION_HEADS, field::N_HEAD], 71),
        Kind::Alibi { part: None, default: false, slopes: Slopes::Rounded },
    ),
    row(
        &["mpt"],
        (&[field::N_HEADS, field::NUM_ATTENTION_HEADS], 16),
        Kind::Alibi { part: Some(field::ATTN_CONFIG), default: true, slopes: Slopes::Max },
    ),
    // Both versions of the 13B model, from the modeling_baichuan.py published with it.
    row(&["baichuan"], (ATTENTION_HEADS, 40), Kind::AlibiOfLayers(BAICHUAN_13B)),
    row(&["t5", "longt5", "pop2piano"], (&[field::NUM_HEADS], 8), BUCKETED),
    row(&["mt5"], (&[field::NUM_HEADS], 6), BUCKETED),
    row(&["switch_transformers"], (&[field::NUM_HEADS], 12), BUCKETED),
    row(
        &["umt5"],
        (&[field::NUM_HEADS], 6),
        Kind::Bucketed { decoder: true, shared: false, reads: [true; 2] },
    ),
    row(
        &["mpnet"],
        (ATTENTION_HEADS, 12),
        Kind::Bucketed { decoder: false, shared: true, reads: [true, false] },
    ),
    row(&["layoutlmv2"], (ATTENTION_HEADS, 12), Kind::Layout { divided: false }),
    row(&["layoutlmv3"], (ATTENTION_HEADS, 12), Kind::Layout { divided: true }),
    row(&["swin", "donut-swin", "maskformer-swin"], (&[], 1), Kind::Windows { trained: false }),
    row(&["swinv2"], (&[], 1), Kind::Windows { trained: true }),
    row(&["beit", "data2vec-vision"], (ATTENTION_HEADS, 12), Kind::ImageWindow),
    row(&["deberta"], (ATTENTION_HEADS, 12), Kind::Disentangled),
    row(&["deberta-v2"], (ATTENTION_HEADS, 24), Kind::Disentangled),
    row(
        &[
            "bert",
            "camembert",
            "data2vec-text",
            "ernie",
            "layoutlm",
            "lilt",
            "markuplm",
            "roberta",
            "roberta-prelayernorm",
            "roc_bert",
            "xlm-roberta",
            "xmod",
        ],
        (ATTENTION_HEADS, 12),
        Kind::Typed { positions: 512 },
    ),
    row(&["electra"], (ATTENTION_HEADS, 4), Kind::Typed { positions: 512 }),
    row(
        &["bert-generation", "megatron-bert"],
        (ATTENTION_HEADS, 16),
        Kind::Typed { positions: 512 },
    ),
    row(&["albert"], (ATTENTION_HEADS, 64), Kind::Typed { positions: 512 }),
    row(&["xlm-roberta-xl"], (ATTENTION_HEADS, 32), Kind::Typed { positions: 514 }),
    row(&["esm"], (ATTENTION_HEADS, 12), Kind::Typed { positions: 1026 }),
    row(
        &["wav2vec2-conformer"],
        (ATTENTION_HEADS, 12),
        Kind::Speech { default: "relative", width: 768 },
    ),
    row(
        &["wav2vec2-bert"],
        (ATTENTION_HEADS, 16),
        Kind::Speech { default: "relative_key", width: 1024 },
    ),
    row(
        &["seamless_m4t"],
        (&[field::SPEECH_ENCODER_ATTENTION_HEADS], 16),
        Kind::Speech { default: "relative", width: 1024 },
    ),
    row(
        &["seamless_m4t_v2"],
        (&[field::SPEECH_ENCODER_ATTENTION_HEADS], 16),
        Kind::Speech { default: "relative_key", width: 1024 },
    ),
    row(&["xlnet"], (&[field::N_HEAD], 16), Kind::TransformerXl { dim: None, clamp: None }),
    row(
        &["transfo-xl"],
        (&[field::N_HEAD], 16),
        Kind::TransformerXl { dim: Some(64), clamp: Some(1000) },
    ),
    Row {
        part: Some(field::VISION_CONFIG),
        ..row(&["sam", "sam_hq"], (ATTENTION_HEADS, 12), Kind::Decomposed)
    },
    row(&["sam_vision_model", "sam_hq_vision_model"], (ATTENTION_HEADS, 12), Kind::Decomposed),
];

/// Returns the row of the type of that name.
pub(in crate::config) fn row_of(model_type: &str) -> Option<&'static Row> {
    ROWS.iter().find(|row| row.types.contains(&model_type))
}

#[cfg(test)]
mod tests {
    #[test]
    fn types_are_there_once() {
        let types: Vec<_> = super::ROWS.iter().flat_map(|row| row.types).collect();
        for (index, name) in types.iter().enumerate() {
            assert!(!types[..index].contains(name), "{name}");
        }
    }
}
