//! Every model type that is known, one row each: what a config does not say, because its class
//! does.
//!
//! A row has the columns in which a model differs from [`HALVES`] or [`NEIGHBOURS`]; what a column
//! means stands in [`Family`]. Numbers are those of the config classes of transformers 4.57,
//! 5.23 and 5.24; where versions disagree on a base, the config must have it. A new model is a row
//! here and a line in `tests/rotary/families.rs`.

use super::family::{Family, HALVES, LISTED, Layers, NEIGHBOURS, WithoutWindow};

/// The family of transformers' `model_type`.
pub(super) fn of_model_type(name: &str) -> Option<Family> {
    MODELS.iter().find(|(known, _)| *known == name).map(|(_, family)| *family)
}

const MODELS: &[(&str, Family)] = &[
    ("afmoe", HALVES.head_dim(128).layers(AFMOE_LAYERS)),
    ("apertus", HALVES.base(12e6).parameters(APERTUS)),
    ("apertus1p5_text", HALVES.base(12e6).parameters(APERTUS)),
    ("arcee", HALVES),
    ("aria_text", HALVES),
    ("axk1", NEIGHBOURS.latent(128, 64)),
    ("axk2", NEIGHBOURS.latent(64, 32)),
    ("beam", HALVES.head_dim(128).layers(Layers::sliding_only(6, WithoutWindow::Same))),
    ("bitnet", HALVES.base(500_000.0)),
    ("blt_global_transformer", NEIGHBOURS.base(500_000.0)),
    ("blt_local_decoder", NEIGHBOURS.base(500_000.0)),
    ("blt_local_encoder", NEIGHBOURS.base(500_000.0)),
    ("blt_patcher", NEIGHBOURS),
    ("chameleon", HALVES),
    // modeling_chatglm.py beside the models; ChatGLM2 and later
    ("chatglm", NEIGHBOURS.part(0.5)),
    ("codegen", NEIGHBOURS.rotary_dim(64)),
    ("cohere", NEIGHBOURS.needs_base()), // 10000 in transformers 4, 500000 in 5
    ("cohere2", NEIGHBOURS.layers(Layers::sliding_only(4, WithoutWindow::Refused))),
    ("cohere2_moe", NEIGHBOURS.layers(Layers::sliding_only(4, WithoutWindow::Refused))),
    ("csm", HALVES.base(500_000.0)),
    ("cwm", HALVES.base(1e6).head_dim(128).parameters(CWM)),
    ("deepseek_ocr2_text", HALVES),
    ("deepseek_v2", NEIGHBOURS.latent(128, 64)),
    ("deepseek_v3", NEIGHBOURS.latent(128, 64)),
    ("deepseek_v32", NEIGHBOURS.latent(128, 64)),
    ("dia_decoder", HALVES),
    ("dia_encoder", HALVES.head_dim(128)),
    ("diffllama", HALVES),
    ("diffusion_gemma_text", GEMMA4),
    ("doge", HALVES),
    ("dots1", HALVES),
    ("dots3_note_audio_encoder", NEIGHBOURS.part(0.5)),
    ("embedding_gemma2_text", GEMMA4.parameters(EMBEDDING_GEMMA2)),
    ("emu3_text_model", HALVES.base(1e6)),
    ("ernie4_5", NEIGHBOURS.base(500_000.0).head_dim(128)),
    ("ernie4_5_moe", NEIGHBOURS.base(500_000.0)),
    ("esmc", HALVES),
    ("eurobert", HALVES),
    ("evolla", HALVES.base(500_000.0)),
    ("exaone4", HALVES.layers(Layers::sliding_only(4, WithoutWindow::AllRotate))),
    ("exaone_moe", HALVES.layers(Layers::sliding_only(4, WithoutWindow::AllRotate))),
    ("falcon", HALVES),
    ("falcon_h1", HALVES.needs_base()),
    ("flex_olmo", HALVES.base(500_000.0)),
    ("flint", HALVES.head_dim(128).layers(Layers::sliding_only(LISTED, WithoutWindow::Same))),
    ("gemma", HALVES.head_dim(256)),
    ("gemma2", HALVES.head_dim(256)),
    ("gemma3", GEMMA3),
    ("gemma3_text", GEMMA3),
    (
        "gemma3n_text",
        HALVES.base(1e6).head_dim(256).layers(Layers::full_after_sliding(5, Some(1e4))),
    ),
    ("gemma4", GEMMA4),
    ("gemma4_text", GEMMA4),
    ("gemma4_unified_text", GEMMA4),
    ("glm", NEIGHBOURS.part(0.5).head_dim(128)),
    ("glm4", NEIGHBOURS.part(0.5).head_dim(128)),
    ("glm4_moe", HALVES.part(0.5)),
    ("glm4_moe_lite", NEIGHBOURS.latent(192, 64)),
    ("glm_moe_dsa", NEIGHBOURS.latent(192, 64)),
    ("glmasr_encoder", HALVES.part(0.5)),
    ("gpt_neox", HALVES.part(0.25)),
    ("gpt_neox_japanese", HALVES),
    ("gpt_oss", HALVES.base(150_000.0).head_dim(64).parameters(GPT_OSS)),
    ("gptj", NEIGHBOURS.rotary_dim(64)),
    ("gradium_phonon_tts", HALVES),
    ("granite", HALVES),
    ("granite_docling_text", HALVES),
    ("granite_swa", HALVES),
    ("granitemoe", HALVES),
    ("granitemoe_swa", HALVES),
    ("granitemoeshared", HALVES),
    ("gte", HALVES.base(160_000.0)),
    ("helium", NEIGHBOURS.base(100_000.0).head_dim(128)),
    ("higgs_audio_v2", HALVES.base(500_000.0).head_dim(128).parameters(HIGGS_AUDIO2)),
    ("hrm_text", HALVES),
    ("hunyuan_v1_dense", HALVES),
    ("hunyuan_v1_moe", HALVES),
    ("hy_v3", HALVES.base(11_158_840.0).head_dim(128)),
    ("hyperclovax", HALVES),
    ("idefics", HALVES),
    ("jais2", HALVES),
    ("jetmoe", HALVES.head_dim(128)),
    ("jina_embeddings_v3", HALVES.base(20_000.0)),
    ("kolibri1", HALVES.head_dim(128).layers(Layers::sliding_only(5, WithoutWindow::Same))),
    ("kyutai_speech_to_text", HALVES.needs_base()),
    ("laguna", HALVES.head_dim(128).parameters(LAGUNA)),
    ("lasr_encoder", HALVES),
    ("llama", HALVES),
    ("llama4", LLAMA4),
    ("llama4_text", LLAMA4),
    ("longcat_flash", NEIGHBOURS.base(1e7).latent(128, 64)),
    ("mellum", MELLUM),
    ("mimi", HALVES),
    ("mimo_v2_flash", MIMO2),
    ("minicpm3", HALVES.latent(64, 32)),
    ("minimax", HALVES.base(1e6).layers(Layers::linear_between(LISTED))),
    ("minimax_m2", HALVES.base(5e6).head_dim(128)),
    ("ministral", HALVES),
    ("ministral3", HALVES.needs_base().head_dim(128).parameters(MINISTRAL3)),
    ("mistral", HALVES),
    ("mixtral", HALVES.base(1e6)),
    ("modernbert", MODERNBERT),
    ("modernbert-decoder", MODERNBERT),
    ("molmo2_text", HALVES),
    ("moshi", HALVES),
    ("muse_glimmer_assistant", HALVES.base(500_000.0).head_dim(128)),
    (
        "muse_glimmer_text",
        HALVES.head_dim(128).layers(Layers::sliding_only(4, WithoutWindow::Same)),
    ),
    (
        "muse_spark_text",
        HALVES.base(500_000.0).layers(Layers::sliding_only(LISTED, WithoutWindow::Same)),
    ),
    ("nanochat", HALVES),
    ("nemotron", HALVES.part(0.5)),
    ("nemotron3_5_transcribe_asr_audio", HALVES.part(0.5)),
    ("nemotron_h", HALVES.layers(Layers::NONE)),
    ("neucodec", HALVES),
    ("olmo", HALVES),
    ("olmo2", HALVES),
    // 10000 in transformers 4, 500000 in 5; only full layers are scaled.
    ("olmo3", HALVES.needs_base().layers(Layers::full_after_sliding(4, None))),
    ("olmo_hybrid", HALVES.layers(Layers::linear_between(4))),
    ("olmoe", HALVES),
    ("openai_privacy_filter", NEIGHBOURS.base(150_000.0).head_dim(64).parameters(GPT_OSS)),
    ("pe_audio_encoder", NEIGHBOURS.base(20_000.0)),
    ("pe_audio_video_encoder", NEIGHBOURS.base(20_000.0)),
    ("pe_video_encoder", NEIGHBOURS.base(20_000.0)),
    // 25000 in transformers 4, 10000 in 5
    ("persimmon", HALVES.needs_base().part(0.5).even_parts()),
    ("phi", HALVES.part(0.5).even_parts()),
    ("phi3", HALVES),
    ("phi4_multimodal", HALVES),
    ("phimoe", HALVES.base(1e6)),
    ("pocket_tts", HALVES),
    ("pocket_tts_audio_tokenizer", HALVES),
    ("qwen2", HALVES),
    ("qwen2_5_omni_dit", HALVES),
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
    ("qwen3_omni_moe_talker_code_predictor", HALVES.head_dim(128)),
    // 5000000 in transformers 4, 500000 in 5
    ("qwen3_vl", HALVES.needs_base().head_dim(128).interleaved(&[24, 20, 20])),
    ("qwen3_vl_moe", HALVES.needs_base().interleaved(&[24, 20, 20])),
    ("qwen3_vl_moe_text", HALVES.needs_base().interleaved(&[24, 20, 20])),
    ("qwen3_vl_text", HALVES.needs_base().head_dim(128).interleaved(&[24, 20, 20])),
    ("seed_oss", HALVES.head_dim(128)),
    ("smollm3", HALVES.base(2e6).layers(Layers::none_in_each(4))),
    ("solar_open", HALVES.base(1e6).head_dim(128)),
    ("stablelm", HALVES.part(0.25).even_parts()),
    ("starcoder2", HALVES),
    ("t5_gemma_module", HALVES.head_dim(256)),
    ("t5gemma2_decoder", GEMMA3),
    ("t5gemma2_text", GEMMA3),
    ("timesfm2_5", HALVES),
    ("ultrabert", HALVES.base(2_560_000.0).layers(Layers::full_after_sliding(3, Some(1e4)))),
    ("vaultgemma", HALVES.head_dim(256)),
    ("voxtral_realtime_encoder", HALVES.head_dim(64)),
    ("voxtral_realtime_text", HALVES.needs_base()),
    ("xcodec2", HALVES),
    ("youtu", NEIGHBOURS.latent(128, 64)),
];

const AFMOE_LAYERS: Layers =
    Layers { field: "global_attn_every_n_layers", ..Layers::sliding_only(4, WithoutWindow::Same) };
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
const MELLUM: Family =
    HALVES.base(500_000.0).head_dim(128).layers(Layers::full_after_sliding(LISTED, Some(1e4)));
const MIMO2: Family = HALVES
    .base(5e6)
    .part(0.334)
    .head_dim(192)
    .layers(Layers::full_after_sliding(LISTED, Some(1e4)));
// BERT's type of positions is in ModernBERT's configs.
const MODERNBERT: Family =
    HALVES.base(160_000.0).layers(Layers::full_before_sliding(3, 1e4)).unread_type("absolute");
const QWEN3_5: Family =
    HALVES.part(0.25).head_dim(256).layers(Layers::linear_between(4)).interleaved(&[11, 11, 10]);

const APERTUS: &str = r#"{"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0,
    "high_freq_factor": 4.0, "original_max_position_embeddings": 8192}"#;
const CWM: &str = r#"{"rope_type": "llama3", "factor": 16.0,
    "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 8192}"#;
const EMBEDDING_GEMMA2: &str = r#"{
    "sliding_attention": {"rope_type": "default", "rope_theta": 10000.0},
    "full_attention": {"rope_type": "default", "rope_theta": 1000000.0}}"#;
const GEMMA4_PARAMETERS: &str = r#"{
    "sliding_attention": {"rope_type": "default", "rope_theta": 10000.0},
    "full_attention": {"rope_type": "proportional", "partial_rotary_factor": 0.25,
        "rope_theta": 1000000.0}}"#;
const GPT_OSS: &str = r#"{"rope_type": "yarn", "factor": 32.0, "beta_fast": 32.0, "beta_slow": 1.0,
    "truncate": false, "original_max_position_embeddings": 4096}"#;
const HIGGS_AUDIO2: &str = r#"{"rope_type": "llama3", "factor": 32.0, "low_freq_factor": 0.125,
    "high_freq_factor": 0.5, "original_max_position_embeddings": 1024}"#;
const LAGUNA: &str = r#"{
    "full_attention": {"rope_type": "default", "rope_theta": 500000.0,
        "partial_rotary_factor": 0.5},
    "sliding_attention": {"rope_type": "default", "rope_theta": 10000.0,
        "partial_rotary_factor": 1.0}}"#;
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
