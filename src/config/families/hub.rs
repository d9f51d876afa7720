//! Model types whose code is on the hub, with the models, and not in transformers: one row each.
//!
//! The rows were read in the code of vLLM 0.33, SGLang 0.5.23, mlx-lm 0.32 and llama.cpp, which serve
//! these models, since the classes themselves cannot be called here. The default sizes and bases of
//! such a class are not known, so a config must give them, unless a row says otherwise.

use super::super::family::{FULL, Family, HALVES, LINEAR, LISTED, Layers, NEIGHBOURS};
use super::super::fields::{Name, field};

pub(super) const MODELS: &[(&str, Family)] = &[
    ("Dream", HALVES),
    ("Klear", HALVES.needs_base()),
    ("PanguEmbedded", HALVES.needs_base()),
    ("RefinedWeb", HALVES),
    ("RefinedWebModel", HALVES),
    ("TeleFLM", HALVES),
    ("Yi", HALVES),
    ("afm7", HALVES.base(50_000.0)),
    ("aquila", HALVES),
    ("arctic", HALVES),
    ("baichuan_m1", HALVES.needs_base()),
    ("bailing_moe", HALVES),
    ("bailing_moe_linear", HALVES.base(600_000.0)),
    ("bailing_moe_v2", HALVES.part(0.5)),
    ("codeshell", HALVES),
    ("deci", HALVES),
    ("deepseek", HALVES),
    ("dots_ocr", HALVES.needs_base()),
    ("dots_vlm", NEIGHBOURS.latent(128, 64)),
    ("hf_olmo", HALVES.renamed(OLMO)),
    ("hunyuan", HALVES.static_alpha()),
    ("internlmxcomposer2", HALVES),
    ("iquestloopcoder", HALVES.base(500_000.0).head_dim(128)),
    ("kimi_k2", NEIGHBOURS.latent(128, 64)),
    // Latent attention without positions, and linear attention.
    ("kimi_linear", HALVES.layers(Layers::NONE)),
    ("llada", HALVES.renamed(OLMO)),
    ("llada2_moe", HALVES.base(600_000.0)),
    ("llava_llama", HALVES),
    ("llava_mistral", HALVES),
    ("llava_qwen", HALVES),
    ("longcat_flash_ngram", NEIGHBOURS.base(1e7).latent(128, 64)),
    ("mimo", HALVES.needs_base()),
    ("minicpm", HALVES),
    ("minicpmo", HALVES.needs_base()),
    ("minicpmv", HALVES),
    ("minimax_m1", MINIMAX),
    ("minimax_text_01", MINIMAX),
    ("molmo", HALVES.needs_base()),
    ("nanbeige", HALVES.base(50_000.0)),
    ("nemotron-nas", HALVES),
    ("neobert", NEIGHBOURS),
    // The type of GTE's encoders, such as gte-large-en-v1.5 and gte-multilingual-base
    ("new", HALVES.needs_base().has_ntk()),
    ("openelm", HALVES.renamed(OPENELM)),
    ("orion", HALVES),
    ("phi-msft", PHI),
    ("phi3_v", HALVES),
    ("phi3small", HALVES.base(1e6).renamed(&[("rope_embedding_base", field::ROPE_THETA)])),
    ("phi4mm", HALVES),
    ("phixtral", PHI),
    ("plamo", HALVES.head_dim(128)),
    ("plamo3", PLAMO3),
    ("sdar", HALVES.needs_base().head_dim(128)),
    ("sdar_moe", HALVES.needs_base().head_dim(128)),
    ("skywork", HALVES),
    ("solar", HALVES),
    ("spark2_5", SPARK2_5),
    ("stablelm_epoch", HALVES.part(0.25)),
    ("step3_text", HALVES.base(500_000.0).head_dim(256)),
    ("telechat3", HALVES.needs_base()),
    // Jina's third embedding model uses the type of a model without rotations.
    ("xlm-roberta", HALVES.rotates_if_typed()),
    ("xverse", HALVES),
    ("youtu_llm", NEIGHBOURS.base(1_600_000.0).latent(128, 64)),
];

/// One in eight layers has softmax attention, and rotates.
const MINIMAX: Family = HALVES
    .base(1e7)
    .head_dim(128)
    .layers(Layers::linear_between(LISTED))
    .coded(field::ATTN_TYPE_LIST, &[LINEAR, FULL]);
const PHI: Family = HALVES.rotary_dim(32);
const PLAMO3: Family =
    HALVES.base(1e6).head_dim(128).layers(Layers::full_after_sliding(8, Some(1e4)));
const SPARK2_5: Family = HALVES
    .head_dim(256)
    .layers(Layers::full_after_sliding(4, Some(1e4)))
    .parameters(SPARK2_5_PARAMETERS);

const OLMO: &[(&str, Name)] = &[
    ("d_model", field::HIDDEN_SIZE),
    ("n_heads", field::NUM_ATTENTION_HEADS),
    ("n_layers", field::N_LAYER),
];
const OPENELM: &[(&str, Name)] = &[
    ("rope_freq_constant", field::ROPE_THETA),
    ("num_transformer_layers", field::NUM_HIDDEN_LAYERS),
];

const SPARK2_5_PARAMETERS: &str = r#"{
    "full_attention": {"rope_type": "default", "rope_theta": 5000000.0,
        "partial_rotary_factor": 0.25},
    "sliding_attention": {"rope_type": "default", "rope_theta": 10000.0,
        "partial_rotary_factor": 1.0}}"#;
