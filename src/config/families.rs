//! Every model type that is known, one row each: what a config does not say, because its class
//! does.
//!
//! A row has the columns in which a model differs from [`HALVES`] or [`NEIGHBOURS`]; what a column
//! means stands in [`Family`]. Numbers are those of the config classes of transformers 4.57 and
//! 5.23; where the two disagree on a base, the config must have it. A new model is a row here and a
//! line in `tests/rotary/families.rs`.

use super::family::{Family, HALVES, Layers, NEIGHBOURS, WithoutWindow};

/// The family of transformers' `model_type`.
pub(super) fn of_model_type(name: &str) -> Option<Family> {
    MODELS.iter().find(|(known, _)| *known == name).map(|(_, family)| *family)
}

const MODELS: &[(&str, Family)] = &[
    ("apertus", HALVES.base(12e6).parameters(APERTUS)),
    ("arcee", HALVES),
    // modeling_chatglm.py beside the models; ChatGLM2 and later
    ("chatglm", NEIGHBOURS.part(0.5)),
    ("codegen", NEIGHBOURS.rotary_dim(64)),
    ("cohere", NEIGHBOURS.needs_base()), // 10000 in transformers 4, 500000 in 5
    ("cohere2", NEIGHBOURS.layers(Layers::sliding_only(4, WithoutWindow::Refused))),
    ("deepseek_v2", NEIGHBOURS.latent(128, 64)),
    ("deepseek_v3", NEIGHBOURS.latent(128, 64)),
    ("ernie4_5", NEIGHBOURS.base(500_000.0).head_dim(128)),
    ("ernie4_5_moe", NEIGHBOURS.base(500_000.0)),
    ("exaone4", HALVES.layers(Layers::sliding_only(4, WithoutWindow::AllRotate))),
    ("falcon", HALVES),
    ("gemma", HALVES.head_dim(256)),
    ("gemma2", HALVES.head_dim(256)),
    ("gemma3", GEMMA3),
    ("gemma3_text", GEMMA3),
    ("gemma4", GEMMA4),
    ("gemma4_text", GEMMA4),
    ("glm", NEIGHBOURS.part(0.5).head_dim(128)),
    ("glm4", NEIGHBOURS.part(0.5).head_dim(128)),
    ("glm4_moe", HALVES.part(0.5)),
    ("gpt_neox", HALVES.part(0.25)),
    ("gpt_oss", HALVES.base(150_000.0).head_dim(64).parameters(GPT_OSS)),
    ("gptj", NEIGHBOURS.rotary_dim(64)),
    ("granite", HALVES),
    ("granitemoe", HALVES),
    ("helium", NEIGHBOURS.base(100_000.0).head_dim(128)),
    ("llama", HALVES),
    ("llama4", LLAMA4),
    ("llama4_text", LLAMA4),
    ("ministral", HALVES),
    ("ministral3", HALVES.needs_base().head_dim(128).parameters(MINISTRAL3)),
    ("mistral", HALVES),
    ("mixtral", HALVES.base(1e6)),
    ("modernbert", MODERNBERT),
    ("nemotron", HALVES.part(0.5)),
    ("olmo", HALVES),
    ("olmo2", HALVES),
    // 10000 in transformers 4, 500000 in 5; only full layers are scaled.
    ("olmo3", HALVES.needs_base().layers(Layers::full_after_sliding(4, None))),
    ("olmoe", HALVES),
    // 25000 in transformers 4, 10000 in 5
    ("persimmon", HALVES.needs_base().part(0.5).even_parts()),
    ("phi", HALVES.part(0.5).even_parts()),
    ("phi3", HALVES),
    ("phimoe", HALVES.base(1e6)),
    ("qwen2", HALVES),
    ("qwen2_5_vl", HALVES.base(1e6).chunked(&[16, 24, 24])),
    ("qwen2_5_vl_text", HALVES.base(1e6).chunked(&[16, 24, 24])),
    ("qwen2_moe", HALVES),
    ("qwen2_vl", HALVES.base(1e6).chunked(&[16, 24, 24])),
    ("qwen2_vl_text", HALVES.base(1e6).chunked(&[16, 24, 24])),
    ("qwen3", HALVES.head_dim(128)),
    ("qwen3_5", QWEN3_5),
    ("qwen3_5_moe", QWEN3_5),
    ("qwen3_5_moe_text", QWEN3_5),
    ("qwen3_5_text", QWEN3_5),
    ("qwen3_moe", HALVES),
    ("qwen3_next", HALVES.part(0.25).head_dim(256).layers(Layers::linear_between(4))),
    // 5000000 in transformers 4, 500000 in 5
    ("qwen3_vl", HALVES.needs_base().head_dim(128).interleaved(&[24, 20, 20])),
    ("qwen3_vl_moe", HALVES.needs_base().interleaved(&[24, 20, 20])),
    ("qwen3_vl_moe_text", HALVES.needs_base().interleaved(&[24, 20, 20])),
    ("qwen3_vl_text", HALVES.needs_base().head_dim(128).interleaved(&[24, 20, 20])),
    ("seed_oss", HALVES.head_dim(128)),
    ("smollm3", HALVES.base(2e6).layers(Layers::none_in_each(4))),
    ("stablelm", HALVES.part(0.25).even_parts()),
    ("starcoder2", HALVES),
];

const GEMMA3: Family =
    HALVES.base(1e6).head_dim(256).layers(Layers::full_after_sliding(6, Some(1e4)));
const GEMMA4: Family = HALVES
    .needs_base()
    .head_dim(256)
    .full_head_dim(512)
    .layers(Layers::full_after_sliding(6, None))
    .ends_full()
    .parameters(GEMMA4_PARAMETERS);
const LLAMA4: Family = NEIGHBOURS
    .base(500_000.0)
    .head_dim(128)
    .layers(Layers::none_in_each(4))
    .temperature(0.1, 8192.0);
// BERT's type of positions is in ModernBERT's configs.
const MODERNBERT: Family =
    HALVES.base(160_000.0).layers(Layers::full_before_sliding(3, 1e4)).unread_type("absolute");
const QWEN3_5: Family =
    HALVES.part(0.25).head_dim(256).layers(Layers::linear_between(4)).interleaved(&[11, 11, 10]);

const APERTUS: &str = r#"{"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0,
    "high_freq_factor": 4.0, "original_max_position_embeddings": 8192}"#;
const GEMMA4_PARAMETERS: &str = r#"{
    "sliding_attention": {"rope_type": "default", "rope_theta": 10000.0},
    "full_attention": {"rope_type": "proportional", "partial_rotary_factor": 0.25,
        "rope_theta": 1000000.0}}"#;
const GPT_OSS: &str = r#"{"rope_type": "yarn", "factor": 32.0, "beta_fast": 32.0, "beta_slow": 1.0,
    "truncate": false, "original_max_position_embeddings": 4096}"#;
const MINISTRAL3: &str = r#"{"rope_type": "yarn", "rope_theta": 1000000.0, "factor": 16.0,
    "original_max_position_embeddings": 16384, "beta_fast": 32.0, "beta_slow": 1.0,
    "mscale": 1.0, "mscale_all_dim": 1.0, "llama_4_scaling_beta": 0.1}"#;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_in_order_and_there_once() {
        assert!(MODELS.windows(2).all(|rows| rows[0].0 < rows[1].0));
    }
}
