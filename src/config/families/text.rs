//! Model types of text, sound and proteins, one row each.

use super::super::family::{
    BAICHUAN_13B, COMPRESS, Family, HALVES, LISTED, Layers, MAIN, NEIGHBOURS, SLIDING,
    WithoutWindow, not_read,
};
use crate::rotary::Sections;

pub(super) const MODELS: &[(&str, Family)] = &[
    ("afmoe", HALVES.head_dim(128).layers(AFMOE_LAYERS)),
    ("apertus", HALVES.base(12e6).parameters(APERTUS)),
    ("apertus1p5_text", HALVES.base(12e6).parameters(APERTUS)),
    ("arcee", HALVES),
    ("aria_text", HALVES),
    ("axk1", NEIGHBOURS.latent(128, 64)),
    ("axk2", NEIGHBOURS.latent(64, 32)),
    // From the modeling_baichuan.py published with the models
    ("baichuan", HALVES.still_at(BAICHUAN_13B)),
    ("bailing_hybrid", NEIGHBOURS.base(6e6).latent(128, 64)),
    ("bamba", HALVES.part(0.5)),
    ("beam", HALVES.head_dim(128).layers(Layers::sliding_only(6, WithoutWindow::Same))),
    ("bitnet", HALVES.base(500_000.0)),
    (
        "blt",
        not_read(
            "its patcher, encoder, decoder and global transformer have configs and rotations of their own: read one of them with from_json_part",
        ),
    ),
    ("blt_global_transformer", NEIGHBOURS.base(500_000.0)),
    ("blt_local_decoder", NEIGHBOURS.base(500_000.0)),
    ("blt_local_encoder", NEIGHBOURS.base(500_000.0)),
    ("blt_patcher", NEIGHBOURS),
    ("chameleon", HALVES),
    // From the modeling_chatglm.py published with the models; ChatGLM2 and later
    ("chatglm", NEIGHBOURS.part(0.5)),
    ("codegen", NEIGHBOURS.rotary_dim(64)),
    ("cohere", NEIGHBOURS.needs_base()), // base 10000 in transformers 4, 500000 in 5
    ("cohere2", NEIGHBOURS.layers(Layers::sliding_only(4, WithoutWindow::Refused))),
    ("cohere2_moe", NEIGHBOURS.layers(Layers::sliding_only(4, WithoutWindow::Refused))),
    ("cosmos3_edge_text", HALVES.base(1e8).head_dim(128).interleaved(&[24, 20, 20])),
    ("csm", HALVES.base(500_000.0)),
    ("csm_depth_decoder_model", HALVES.base(500_000.0)),
    ("cwm", HALVES.base(1e6).head_dim(128).parameters(CWM)),
    ("dbrx", HALVES.renamed(DBRX)),
    ("deepseek_ocr2_encoder", HALVES),
    ("deepseek_ocr2_text", HALVES),
    ("deepseek_v2", NEIGHBOURS.latent(128, 64)),
    ("deepseek_v3", NEIGHBOURS.latent(128, 64)),
    ("deepseek_v32", NEIGHBOURS.latent(128, 64)),
    ("deepseek_v4", DEEPSEEK_V4),
    ("dia_decoder", HALVES),
    ("dia_encoder", HALVES.head_dim(128)),
    ("diffllama", HALVES),
    ("diffusion_gemma_text", GEMMA4),
    ("doge", HALVES),
    (
        "dory",
        HALVES
            .head_dim(256)
            .layers(Layers::full_after_sliding(LISTED, Some(1e4)))
            .base(1e7)
            .parameters(DORY)
            .still(&["mlp"]),
    ),
    ("dots1", HALVES),
    ("dots3_note_audio_encoder", NEIGHBOURS.part(0.5)),
    ("dots3_note_text", DOTS3),
    ("embedding_gemma2_text", GEMMA4.parameters(EMBEDDING_GEMMA2)),
    ("emu3_text_model", HALVES.base(1e6)),
    ("ernie4_5", NEIGHBOURS.base(500_000.0).head_dim(128)),
    ("ernie4_5_moe", NEIGHBOURS.base(500_000.0)),
    // The type in the published configs, before transformers had the class
    ("ernie4_5_moe_vl", ERNIE4_5_VL),
    ("ernie4_5_vl_moe", ERNIE4_5_VL),
    ("ernie4_5_vl_moe_text", ERNIE4_5_VL),
    ("esm", HALVES.rotates_if_typed()),
    ("esmc", HALVES),
    ("eurobert", HALVES),
    ("evolla", HALVES.base(500_000.0)),
    ("exaone", HALVES.base(500_000.0)),
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
    ("glm4_moe", HALVES.part(0.5).uneven_heads()),
    ("glm4_moe_lite", NEIGHBOURS.latent(192, 64)),
    ("glm4v_moe_text", NEIGHBOURS.part(0.5).chunked(&[8, 12, 12]).uneven_heads()),
    ("glm4v_text", NEIGHBOURS.chunked(&[8, 12, 12])),
    ("glm_image_text", HALVES.chunked(&[8, 12, 12])),
    ("glm_moe_dsa", NEIGHBOURS.latent(192, 64)),
    ("glm_ocr_text", NEIGHBOURS.chunked(&[8, 12, 12])),
    ("glmasr_encoder", HALVES.part(0.5)),
    ("gpt_neox", HALVES.part(0.25)),
    ("gpt_neox_japanese", HALVES),
    ("gpt_oss", HALVES.base(150_000.0).head_dim(64).parameters(GPT_OSS)),
    ("gptj", NEIGHBOURS.rotary_dim(64)),
    ("gradium_phonon_tts", HALVES),
    ("granite", HALVES),
    ("granite4_vision_text", HALVES),
    ("granite_docling_text", HALVES),
    ("granite_swa", HALVES),
    ("granitemoe", HALVES),
    ("granitemoe_swa", HALVES),
    ("granitemoehybrid", HALVES.rotates_if_typed().still(&["linear_attention", "mamba"])),
    ("granitemoeshared", HALVES),
    ("gte", HALVES.base(160_000.0)),
    ("helium", NEIGHBOURS.base(100_000.0).head_dim(128)),
    ("higgs_audio_v2", HALVES.base(500_000.0).head_dim(128).parameters(HIGGS_AUDIO2)),
    ("hrm_text", HALVES),
    ("hunyuan_v1_dense", HALVES.static_alpha()),
    ("hunyuan_v1_moe", HALVES.static_alpha()),
    ("hunyuan_vl_text", HALVES.static_alpha().renamed(&[("attention_head_dim", "head_dim")])),
    ("hy_v3", HALVES.base(11_158_840.0).head_dim(128)),
    ("hy_v4", HALVES.latent(192, 64)),
    ("hy_v4_vl_text", NEIGHBOURS.latent(192, 64).interleaved(&[12, 10, 10])),
    ("hyperclovax", HALVES),
    ("idefics", HALVES),
    ("internlm", HALVES),
    ("internlm2", HALVES),
    ("internlm3", HALVES.head_dim(128)),
    ("iquestcoder", HALVES.head_dim(128)),
    ("jais2", HALVES),
    ("jetmoe", HALVES.head_dim(128)),
    ("jina_embeddings_v3", HALVES.base(20_000.0)),
    ("kolibri1", HALVES.head_dim(128).layers(Layers::sliding_only(5, WithoutWindow::Same))),
    ("kyutai_speech_to_text", HALVES.needs_base()),
    ("laguna", HALVES.head_dim(128).parameters(LAGUNA)),
    ("lara_mini", HALVES.head_dim(128).still(&["linear_attention", "full_attention"])),
    ("lasr_encoder", HALVES),
    ("lfm2", HALVES.base(1e6).still(&["conv"])),
    ("lfm2_moe", HALVES.base(1e6).still(&["conv"])),
    (
        "lfm3",
        HALVES
            .base(1e6)
            .head_dim(128)
            .layers(Layers::full_after_sliding(LISTED, Some(1e4)))
            .parameters(LFM3)
            .still(&["conv"]),
    ),
    ("llama", HALVES),
    ("llama4", LLAMA4),
    ("llama4_text", LLAMA4),
    ("longcat_flash", NEIGHBOURS.base(1e7).latent(128, 64)),
    ("mellum", MELLUM),
    ("mimi", HALVES),
    ("mimi_decoder", HALVES.head_dim(64)),
    ("mimi_encoder", HALVES.head_dim(64)),
    ("mimo_v2_flash", MIMO2),
    ("minicpm3", HALVES.latent(64, 32)),
    ("minimax", HALVES.base(1e6).layers(Layers::linear_between(LISTED))),
    ("minimax_m2", HALVES.base(5e6).head_dim(128)),
    ("minimax_m3_vl_text", HALVES.base(5e6).head_dim(128).unread(&["rotary_dim"])),
    ("ministral", HALVES),
    ("ministral3", HALVES.needs_base().head_dim(128).parameters(MINISTRAL3)),
    ("mistral", HALVES),
    ("mistral4", MISTRAL4),
    ("mistral_large4_text", MISTRAL_LARGE4),
    ("mixtral", HALVES.base(1e6)),
    ("mllama_text_model", HALVES.base(500_000.0)),
    ("modernbert", MODERNBERT),
    ("modernbert-decoder", MODERNBERT),
    ("molmo2_text", HALVES),
    ("moonshine", NEIGHBOURS.part(0.9).even_parts().renamed(MOONSHINE)),
    ("moonshine_streaming", NEIGHBOURS.part(0.8).even_parts()),
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
    (
        "musicflamingo",
        not_read(
            "its parameters rotate audio features by time in seconds, not by position: read its text_config with from_json_part",
        ),
    ),
    ("nanochat", HALVES),
    ("nemotron", HALVES.part(0.5)),
    ("nemotron3_5_transcribe_asr_audio", HALVES.part(0.5)),
    ("nemotron3_5_transcribe_word_timestamp", HALVES.part(0.5)),
    ("nemotron3_diarization_audio", HALVES),
    ("nemotron_h", HALVES.layers(Layers::NONE)),
    ("neomme", NEOMME),
    ("neucodec", HALVES),
    ("nomic_bert", HALVES.base(1000.0)),
    ("olmo", HALVES),
    ("olmo2", HALVES),
    // Base 10000 in transformers 4, 500000 in 5; only full-attention layers are scaled.
    ("olmo3", HALVES.needs_base().layers(Layers::full_after_sliding(4, None))),
    ("olmo_hybrid", HALVES.layers(Layers::linear_between(4))),
    ("olmoe", HALVES),
    ("openai_privacy_filter", NEIGHBOURS.base(150_000.0).head_dim(64).parameters(GPT_OSS)),
    ("paddleocr_vl_text", HALVES.base(500_000.0).head_dim(128).chunked(&[16, 24, 24])),
    ("pe_audio_encoder", NEIGHBOURS.base(20_000.0)),
    ("pe_audio_video_encoder", NEIGHBOURS.base(20_000.0)),
    ("pe_video_encoder", NEIGHBOURS.base(20_000.0)),
    // Base 25000 in transformers 4, 10000 in 5
    ("persimmon", HALVES.needs_base().part(0.5).even_parts()),
    ("phi", HALVES.part(0.5).even_parts()),
    ("phi3", HALVES),
    ("phi4_multimodal", HALVES),
    ("phimoe", HALVES.base(1e6)),
    ("pocket_tts", HALVES),
    ("pocket_tts_audio_tokenizer", HALVES),
    ("pocket_tts_audio_tokenizer_decoder", HALVES.head_dim(64)),
    ("pocket_tts_audio_tokenizer_encoder", HALVES.head_dim(64)),
    // From the modeling_qwen.py published with the first Qwen
    ("qwen", HALVES),
    ("qwen2", HALVES),
    ("qwen2_5_omni_dit", HALVES),
    ("qwen2_5_omni_talker", HALVES.base(1e6).head_dim(128).chunked(&[16, 24, 24])),
    ("qwen2_5_omni_text", HALVES.base(1e6).chunked(&[16, 24, 24])),
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
    ("qwen3_omni_moe_talker_text", HALVES.interleaved(&[24, 20, 20])),
    ("qwen3_omni_moe_text", HALVES.base(1e6).interleaved(&[24, 20, 20]).uneven_heads()),
    // Base 5000000 in transformers 4, 500000 in 5
    ("qwen3_vl", HALVES.needs_base().head_dim(128).interleaved(&[24, 20, 20])),
    ("qwen3_vl_moe", HALVES.needs_base().interleaved(&[24, 20, 20])),
    ("qwen3_vl_moe_text", HALVES.needs_base().interleaved(&[24, 20, 20])),
    ("qwen3_vl_text", HALVES.needs_base().head_dim(128).interleaved(&[24, 20, 20])),
    (
        "qwen4_exp_text",
        HALVES.head_dim(256).interleaved(&[11, 11, 10]).still(&["linear_attention"]),
    ),
    ("recurrent_gemma", HALVES.part(0.5).head_dim(256)),
    ("sarvam_mla", NEIGHBOURS.latent(128, 64)),
    ("sarvam_moe", HALVES.base(8e6).head_dim(64)),
    ("seed_oss", HALVES.head_dim(128)),
    ("smollm3", HALVES.base(2e6).layers(Layers::none_in_each(4))),
    ("solar_open", HALVES.base(1e6).head_dim(128)),
    ("stablelm", HALVES.part(0.25).even_parts()),
    ("starcoder2", HALVES),
    ("step3p5", HALVES.head_dim(128).layers(Layers::full_after_sliding(LISTED, None))),
    ("t5_gemma_module", HALVES.head_dim(256)),
    ("t5gemma2_decoder", GEMMA3),
    ("t5gemma2_text", GEMMA3),
    ("timesfm2_5", HALVES),
    ("ultrabert", HALVES.base(2_560_000.0).layers(Layers::full_after_sliding(3, Some(1e4)))),
    ("unlimited_ocr_text", HALVES.head_dim(128)),
    ("vaultgemma", HALVES.head_dim(256)),
    ("voxtral_realtime_encoder", HALVES.head_dim(64)),
    ("voxtral_realtime_text", HALVES.needs_base()),
    ("xcodec2", HALVES),
    ("youtu", NEIGHBOURS.latent(128, 64)),
    (
        "zamba2",
        HALVES
            .rotates_if("use_mem_rope")
            .unread(&["kv_channels"])
            .renamed(&[("attention_head_dim", "head_dim")]),
    ),
    ("zaya", HALVES.base(5e6).head_dim(128).part(0.5).parameters(ZAYA)),
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
// ModernBERT's configs contain BERT's type of positions.
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

const DBRX: &[(&str, &str)] = &[
    ("d_model", "hidden_size"),
    ("n_heads", "num_attention_heads"),
    ("n_layers", "num_hidden_layers"),
    ("max_seq_len", "max_position_embeddings"),
    ("attn_config.rope_theta", "rope_theta"),
];
const MOONSHINE: &[(&str, &str)] = &[
    ("decoder_num_attention_heads", "num_attention_heads"),
    ("decoder_num_hidden_layers", "num_hidden_layers"),
];
const DEEPSEEK_V4: Family = Family {
    last: true,
    compressed_base: Some(160_000.0),
    labels: &[
        (SLIDING, MAIN),
        ("compressed_sparse_attention", COMPRESS),
        ("heavily_compressed_attention", COMPRESS),
    ],
    ..NEIGHBOURS.part(0.125).head_dim(512)
};
const DOTS3: Family = NEIGHBOURS
    .base(80_000_000.0)
    .latent(128, 64)
    .layers(Layers::full_after_sliding(LISTED, Some(50_000.0)))
    .parameters(DOTS3_PARAMETERS);
const ERNIE4_5_VL: Family =
    NEIGHBOURS.base(500_000.0).sections(&[22, 22, 20], Sections::SpaceThenTime);
const MISTRAL4: Family = NEIGHBOURS.latent(64, 64).parameters(MISTRAL4_PARAMETERS);
const MISTRAL_LARGE4: Family =
    NEIGHBOURS.latent(64, 64).layers(Layers::none_in_each(4)).parameters(MISTRAL_LARGE4_PARAMETERS);
const NEOMME: Family =
    HALVES.head_dim(64).sections(&[], Sections::InTurn).parameters(NEOMME_PARAMETERS);

const DORY: &str = r#"{
    "sliding_attention": {"rope_type": "default", "rope_theta": 10000.0},
    "full_attention": {"rope_type": "default", "rope_theta": 10000000.0}}"#;
const DOTS3_PARAMETERS: &str = r#"{
    "sliding_attention": {"rope_type": "default", "rope_theta": 50000.0},
    "indexed_attention": {"rope_type": "default", "rope_theta": 80000000.0}}"#;
const LFM3: &str = r#"{
    "sliding_attention": {"rope_type": "default", "rope_theta": 10000.0},
    "full_attention": {"rope_type": "proportional", "partial_rotary_factor": 0.5,
        "rope_theta": 1000000.0}}"#;
const MISTRAL4_PARAMETERS: &str = r#"{"rope_type": "yarn", "rope_theta": 10000.0, "factor": 128.0,
    "original_max_position_embeddings": 8192, "beta_fast": 32.0, "beta_slow": 1.0,
    "mscale": 1.0, "mscale_all_dim": 1.0, "llama_4_scaling_beta": 0.1}"#;
const MISTRAL_LARGE4_PARAMETERS: &str = r#"{"rope_type": "yarn", "rope_theta": 10000.0,
    "factor": 2048.0, "original_max_position_embeddings": 512, "beta_fast": 32.0,
    "beta_slow": 1.0, "attention_factor": 1.0}"#;
const NEOMME_PARAMETERS: &str = r#"{
    "sliding_attention": {"rope_type": "default", "rope_theta": 10000.0,
        "partial_rotary_factor": 1.0},
    "full_attention": {"rope_type": "default", "rope_theta": 1000000.0,
        "partial_rotary_factor": 0.25}}"#;
const ZAYA: &str = r#"{
    "hybrid": {"rope_type": "default", "rope_theta": 5000000.0, "partial_rotary_factor": 0.5},
    "hybrid_sliding": {"rope_type": "default", "rope_theta": 10000.0,
        "partial_rotary_factor": 0.5}}"#;
