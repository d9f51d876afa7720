//! Model types of text and proteins, one row each.

use super::super::family::{
    COMPRESS, Family, HALVES, LISTED, Layers, MAIN, NEIGHBOURS, SLIDING, WithoutWindow, not_read,
};
use super::super::fields::{Name, field};
use super::BAICHUAN_13B;
use crate::rotary::Sections;

pub(super) const MODELS: &[(&str, Family)] = &[
    ("afmoe", HALVES.head_dim(128).layers(AFMOE_LAYERS).sizes(2048, 16, 32, 16384)),
    ("apertus", HALVES.base(12e6).parameters(APERTUS).sizes(4096, 32, 32, 65536)),
    ("apertus1p5_text", HALVES.base(12e6).parameters(APERTUS).sizes(4096, 32, 32, 65536)),
    ("arcee", HALVES.sizes(2560, 32, 32, 4096)),
    ("aria_text", HALVES.sizes(4096, 32, 32, 2048)),
    ("axk1", NEIGHBOURS.latent(128, 64).sizes(7168, 64, 61, 32768)),
    ("axk2", NEIGHBOURS.latent(64, 32).sizes(2048, 32, 48, 131072)),
    // From the modeling_baichuan.py published with the models
    ("baichuan", HALVES.still_at(BAICHUAN_13B)),
    ("bailing_hybrid", NEIGHBOURS.base(6e6).latent(128, 64).sizes(2560, 32, 42, 262144)),
    ("bamba", HALVES.part(0.5).sizes(4096, 32, 32, 262144)),
    (
        "beam",
        HALVES
            .head_dim(128)
            .layers(Layers::sliding_only(6, WithoutWindow::Same))
            .sizes(5120, 48, 52, 8192),
    ),
    ("bitnet", HALVES.base(500_000.0).sizes(2560, 20, 30, 2048)),
    (
        "blt",
        not_read(
            "its patcher, encoder, decoder and global transformer have configs and rotations of their own: read one of them with from_json_part",
        ),
    ),
    ("blt_global_transformer", NEIGHBOURS.base(500_000.0).sizes(2048, 16, 25, 4096)),
    ("blt_local_decoder", NEIGHBOURS.base(500_000.0).sizes(1024, 16, 9, 24576)),
    ("blt_local_encoder", NEIGHBOURS.base(500_000.0).sizes(1024, 16, 1, 24576)),
    ("blt_patcher", NEIGHBOURS.sizes(768, 12, 14, 8192)),
    ("chameleon", HALVES.sizes(4096, 32, 32, 4096)),
    // From the modeling_chatglm.py published with the models; ChatGLM2 and later
    ("chatglm", NEIGHBOURS.part(0.5).ratio(CHATGLM)),
    ("codegen", NEIGHBOURS.rotary_dim(64).sizes(4096, 16, 28, 2048)),
    ("cohere", NEIGHBOURS.needs_base().sizes(8192, 64, 40, 8192)), // base 10000 in transformers 4, 500000 in 5
    (
        "cohere2",
        NEIGHBOURS
            .layers(Layers::sliding_only(4, WithoutWindow::Refused))
            .sizes(8192, 64, 40, 8192),
    ),
    (
        "cohere2_moe",
        NEIGHBOURS
            .layers(Layers::sliding_only(4, WithoutWindow::Refused))
            .sizes(8192, 64, 40, 8192),
    ),
    (
        "cosmos3_edge_text",
        HALVES.base(1e8).head_dim(128).interleaved(&[24, 20, 20]).sizes(2048, 16, 28, 131072),
    ),
    ("cwm", HALVES.base(1e6).head_dim(128).parameters(CWM).sizes(6144, 48, 64, 131072)),
    ("dbrx", HALVES.renamed(DBRX).sizes(2048, 16, 24, 2048)),
    ("deepseek_ocr2_encoder", HALVES.sizes(4096, 32, 32, 32768)),
    ("deepseek_ocr2_text", HALVES.sizes(4096, 32, 32, 2048)),
    ("deepseek_v2", NEIGHBOURS.latent(128, 64).sizes(4096, 32, 32, 2048)),
    ("deepseek_v3", NEIGHBOURS.latent(128, 64).sizes(7168, 128, 61, 4096)),
    ("deepseek_v32", NEIGHBOURS.latent(128, 64).sizes(7168, 128, 61, 163840)),
    ("deepseek_v4", DEEPSEEK_V4.sizes(4096, 64, 43, 1048576)),
    ("diffllama", HALVES.sizes(2048, 32, 16, 2048)),
    ("diffusion_gemma_text", GEMMA4.sizes(2304, 8, 30, 131072)),
    ("doge", HALVES.sizes(1024, 8, 32, 2048)),
    (
        "dory",
        HALVES
            .head_dim(256)
            .layers(Layers::full_after_sliding(LISTED, Some(1e4)))
            .base(1e7)
            .parameters(DORY)
            .still(&["mlp"])
            .sizes(2560, 16, 36, 8192),
    ),
    ("dots1", HALVES.sizes(4608, 32, 62, 2048)),
    ("dots3_note_text", DOTS3.sizes(5120, 0, 46, 524288)),
    ("embedding_gemma2_text", GEMMA4.parameters(EMBEDDING_GEMMA2).sizes(512, 4, 24, 262144)),
    ("emu3_text_model", HALVES.base(1e6).sizes(4096, 32, 32, 9216)),
    ("ernie4_5", NEIGHBOURS.base(500_000.0).head_dim(128).sizes(1024, 16, 18, 131072)),
    ("ernie4_5_moe", NEIGHBOURS.base(500_000.0).sizes(2560, 20, 28, 131072)),
    // The type in the published configs, before transformers had the class
    ("ernie4_5_moe_vl", ERNIE4_5_VL),
    ("ernie4_5_vl_moe", ERNIE4_5_VL),
    ("ernie4_5_vl_moe_text", ERNIE4_5_VL.sizes(2560, 20, 28, 131072)),
    ("esm", HALVES.rotates_if_typed()),
    ("esmc", HALVES.sizes(2560, 40, 80, 2048)),
    ("eurobert", HALVES.sizes(768, 12, 12, 8192)),
    ("evolla", HALVES.base(500_000.0).sizes(4096, 32, 32, 8192)),
    ("exaone", HALVES.base(500_000.0).sizes(4096, 32, 32, 4096)),
    (
        "exaone4",
        HALVES.layers(Layers::sliding_only(4, WithoutWindow::AllRotate)).sizes(4096, 32, 32, 2048),
    ),
    (
        "exaone_moe",
        HALVES.layers(Layers::sliding_only(4, WithoutWindow::AllRotate)).sizes(4096, 32, 32, 2048),
    ),
    ("falcon", HALVES.sizes(4544, 71, 32, 2048)),
    ("falcon_h1", HALVES.needs_base().sizes(4096, 32, 32, 8192)),
    ("flex_olmo", HALVES.base(500_000.0).sizes(4096, 32, 32, 4096)),
    (
        "flint",
        HALVES
            .head_dim(128)
            .layers(Layers::sliding_only(LISTED, WithoutWindow::Same))
            .sizes(2048, 32, 49, 262144),
    ),
    ("gemma", HALVES.head_dim(256).sizes(3072, 16, 28, 8192)),
    ("gemma2", HALVES.head_dim(256).sizes(2304, 8, 26, 8192)),
    ("gemma3", GEMMA3),
    ("gemma3_text", GEMMA3.sizes(2304, 8, 26, 131072)),
    (
        "gemma3n_text",
        HALVES
            .base(1e6)
            .head_dim(256)
            .layers(Layers::full_after_sliding(5, Some(1e4)))
            .sizes(2048, 8, 35, 32768),
    ),
    ("gemma4", GEMMA4),
    ("gemma4_text", GEMMA4.sizes(2304, 8, 30, 131072)),
    ("gemma4_unified_text", GEMMA4.sizes(2304, 8, 30, 262144)),
    ("glm", NEIGHBOURS.part(0.5).head_dim(128).sizes(4096, 32, 40, 131072)),
    ("glm4", NEIGHBOURS.part(0.5).head_dim(128).sizes(4096, 32, 40, 131072)),
    ("glm4_moe", HALVES.part(0.5).uneven_heads().sizes(4096, 96, 46, 131072)),
    ("glm4_moe_lite", NEIGHBOURS.latent(192, 64).sizes(2048, 20, 47, 202752)),
    (
        "glm4v_moe_text",
        NEIGHBOURS.part(0.5).chunked(&[8, 12, 12]).uneven_heads().sizes(4096, 96, 46, 65536),
    ),
    ("glm4v_text", NEIGHBOURS.chunked(&[8, 12, 12]).sizes(4096, 32, 40, 32768)),
    ("glm_image_text", HALVES.chunked(&[8, 12, 12]).sizes(4096, 32, 40, 131072)),
    ("glm_moe_dsa", NEIGHBOURS.latent(192, 64).sizes(6144, 64, 78, 202752)),
    ("glm_ocr_text", NEIGHBOURS.chunked(&[8, 12, 12]).sizes(1024, 16, 16, 131072)),
    ("gpt_neox", HALVES.part(0.25).sizes(6144, 64, 44, 2048)),
    ("gpt_neox_japanese", HALVES.sizes(2560, 32, 32, 2048)),
    (
        "gpt_oss",
        HALVES.base(150_000.0).head_dim(64).parameters(GPT_OSS).sizes(2880, 64, 36, 131072),
    ),
    ("gptj", NEIGHBOURS.rotary_dim(64).sizes(4096, 16, 28, 2048)),
    ("granite", HALVES.sizes(4096, 32, 32, 2048)),
    ("granite4_vision_text", HALVES.sizes(4096, 32, 32, 2048)),
    ("granite_docling_text", HALVES.sizes(1024, 16, 28, 32768)),
    ("granite_swa", HALVES.sizes(2560, 20, 24, 8192)),
    ("granitemoe", HALVES.sizes(4096, 32, 32, 2048)),
    ("granitemoe_swa", HALVES.sizes(4096, 32, 32, 2048)),
    (
        "granitemoehybrid",
        HALVES.rotates_if_typed().still(&["linear_attention", "mamba"]).sizes(4096, 32, 32, 2048),
    ),
    ("granitemoeshared", HALVES.sizes(4096, 32, 32, 2048)),
    ("gte", HALVES.base(160_000.0).sizes(768, 12, 12, 8192)),
    ("helium", NEIGHBOURS.base(100_000.0).head_dim(128).sizes(2560, 20, 24, 4096)),
    ("hrm_text", HALVES.sizes(1536, 12, 128, 2048)),
    ("hunyuan_v1_dense", HALVES.static_alpha().sizes(4096, 32, 32, 2048)),
    ("hunyuan_v1_moe", HALVES.static_alpha().sizes(4096, 32, 32, 2048)),
    (
        "hunyuan_vl_text",
        HALVES
            .static_alpha()
            .renamed(&[("attention_head_dim", field::HEAD_DIM)])
            .sizes(4096, 32, 32, 2048),
    ),
    ("hy_v3", HALVES.base(11_158_840.0).head_dim(128).sizes(4096, 64, 80, 131072)),
    ("hy_v4", HALVES.latent(192, 64).sizes(2816, 32, 34, 262144)),
    (
        "hy_v4_vl_text",
        NEIGHBOURS.latent(192, 64).interleaved(&[12, 10, 10]).sizes(6144, 64, 78, 262144),
    ),
    ("hyperclovax", HALVES.sizes(4096, 32, 32, 2048)),
    ("idefics", HALVES.sizes(4096, 32, 32, 2048)),
    ("internlm", HALVES),
    ("internlm2", HALVES),
    ("internlm3", HALVES.head_dim(128).sizes(4096, 32, 48, 32768)),
    ("iquestcoder", HALVES.head_dim(128).sizes(5120, 40, 80, 131072)),
    ("jais2", HALVES.sizes(3328, 26, 32, 8192)),
    ("jetmoe", HALVES.head_dim(128).sizes(2048, 32, 12, 4096)),
    ("jina_embeddings_v3", HALVES.base(20_000.0).sizes(1024, 16, 24, 8194)),
    (
        "kolibri1",
        HALVES
            .head_dim(128)
            .layers(Layers::sliding_only(5, WithoutWindow::Same))
            .sizes(2560, 48, 50, 262144),
    ),
    ("laguna", HALVES.head_dim(128).parameters(LAGUNA).sizes(2048, 48, 40, 131072)),
    (
        "lara_mini",
        HALVES
            .head_dim(128)
            .still(&["linear_attention", "full_attention"])
            .sizes(1024, 16, 34, 131072),
    ),
    ("lfm2", HALVES.base(1e6).still(&["conv"]).sizes(2560, 32, 32, 128000)),
    ("lfm2_moe", HALVES.base(1e6).still(&["conv"]).sizes(2048, 32, 32, 128000)),
    (
        "lfm3",
        HALVES
            .base(1e6)
            .head_dim(128)
            .layers(Layers::full_after_sliding(LISTED, Some(1e4)))
            .parameters(LFM3)
            .still(&["conv"])
            .sizes(2048, 16, 24, 128000),
    ),
    ("llama", HALVES.sizes(4096, 32, 32, 2048)),
    ("llama4", LLAMA4),
    ("llama4_text", LLAMA4.sizes(5120, 40, 48, 131072)),
    ("longcat_flash", NEIGHBOURS.base(1e7).latent(128, 64).sizes(6144, 64, 56, 131072)),
    ("mellum", MELLUM.sizes(2304, 32, 28, 131072)),
    ("mimo_v2_flash", MIMO2.sizes(4096, 64, 48, 131072)),
    ("minicpm3", HALVES.latent(64, 32).sizes(2560, 40, 62, 32768)),
    (
        "minimax",
        HALVES.base(1e6).layers(Layers::linear_between(LISTED)).sizes(4096, 32, 32, 131072),
    ),
    ("minimax_m2", HALVES.base(5e6).head_dim(128).sizes(3072, 48, 62, 196608)),
    (
        "minimax_m3_vl_text",
        HALVES.base(5e6).head_dim(128).unread(&[field::ROTARY_DIM]).sizes(6144, 64, 60, 524288),
    ),
    ("ministral", HALVES.sizes(4096, 32, 32, 131072)),
    (
        "ministral3",
        HALVES.needs_base().head_dim(128).parameters(MINISTRAL3).sizes(4096, 32, 34, 262144),
    ),
    ("mistral", HALVES.sizes(4096, 32, 32, 131072)),
    ("mistral4", MISTRAL4.sizes(4096, 32, 36, 1048576)),
    ("mistral_large4_text", MISTRAL_LARGE4.sizes(6144, 64, 72, 1048576)),
    ("mixtral", HALVES.base(1e6).sizes(4096, 32, 32, 131072)),
    ("mllama_text_model", HALVES.base(500_000.0).sizes(4096, 32, 40, 131072)),
    ("modernbert", MODERNBERT.sizes(768, 12, 22, 8192)),
    ("modernbert-decoder", MODERNBERT.sizes(768, 12, 22, 8192)),
    ("molmo2_text", HALVES.sizes(4096, 32, 36, 36864)),
    ("muse_glimmer_assistant", HALVES.base(500_000.0).head_dim(128).sizes(6656, 32, 5, 131072)),
    (
        "muse_glimmer_text",
        HALVES
            .head_dim(128)
            .layers(Layers::sliding_only(4, WithoutWindow::Same))
            .sizes(6656, 32, 52, 131072),
    ),
    (
        "muse_spark_text",
        HALVES
            .base(500_000.0)
            .layers(Layers::sliding_only(LISTED, WithoutWindow::Same))
            .sizes(8192, 128, 62, 1048576),
    ),
    ("nanochat", HALVES.sizes(768, 6, 12, 2048)),
    ("nemotron", HALVES.part(0.5).sizes(6144, 48, 32, 4096)),
    ("nemotron_h", HALVES.layers(Layers::NONE).sizes(4096, 32, 4, 4096)),
    ("neomme", NEOMME.sizes(1024, 16, 17, 16384)),
    ("nomic_bert", HALVES.base(1000.0).sizes(768, 12, 12, 2048)),
    ("olmo", HALVES.sizes(4096, 32, 32, 2048)),
    ("olmo2", HALVES.sizes(4096, 32, 32, 2048)),
    // Base 10000 in transformers 4, 500000 in 5; only full-attention layers are scaled.
    (
        "olmo3",
        HALVES.needs_base().layers(Layers::full_after_sliding(4, None)).sizes(4096, 32, 32, 2048),
    ),
    ("olmo_hybrid", HALVES.layers(Layers::linear_between(4)).sizes(3840, 30, 32, 65536)),
    ("olmoe", HALVES.sizes(2048, 16, 16, 4096)),
    (
        "openai_privacy_filter",
        NEIGHBOURS.base(150_000.0).head_dim(64).parameters(GPT_OSS).sizes(640, 14, 8, 131072),
    ),
    (
        "paddleocr_vl_text",
        HALVES.base(500_000.0).head_dim(128).chunked(&[16, 24, 24]).sizes(1024, 16, 18, 131072),
    ),
    ("pe_video_encoder", NEIGHBOURS.base(20_000.0).sizes(1792, 14, 6, 10000)),
    // Base 25000 in transformers 4, 10000 in 5
    ("persimmon", HALVES.needs_base().part(0.5).even_parts().sizes(4096, 64, 36, 16384)),
    ("phi", HALVES.part(0.5).even_parts().sizes(2048, 32, 24, 2048)),
    ("phi3", HALVES.sizes(3072, 32, 32, 4096)),
    ("phi4_multimodal", HALVES.sizes(3072, 32, 32, 131072)),
    ("phimoe", HALVES.base(1e6).sizes(4096, 32, 32, 131072)),
    // From the modeling_qwen.py published with the first Qwen
    ("qwen", HALVES),
    ("qwen2", HALVES.sizes(4096, 32, 32, 32768)),
    ("qwen2_5_omni_text", HALVES.base(1e6).chunked(&[16, 24, 24]).sizes(3584, 28, 28, 32768)),
    ("qwen2_5_vl", HALVES.base(1e6).chunked(&[16, 24, 24])),
    ("qwen2_5_vl_text", HALVES.base(1e6).chunked(&[16, 24, 24]).sizes(8192, 64, 80, 32768)),
    ("qwen2_moe", HALVES.sizes(2048, 16, 24, 32768)),
    ("qwen2_vl", HALVES.base(1e6).chunked(&[16, 24, 24])),
    ("qwen2_vl_text", HALVES.base(1e6).chunked(&[16, 24, 24]).sizes(8192, 64, 80, 32768)),
    ("qwen3", HALVES.head_dim(128).sizes(4096, 32, 32, 32768)),
    ("qwen3_5", QWEN3_5),
    ("qwen3_5_moe", QWEN3_5),
    ("qwen3_5_moe_text", QWEN3_5.sizes(2048, 16, 40, 32768)),
    ("qwen3_5_text", QWEN3_5.sizes(4096, 16, 32, 32768)),
    ("qwen3_moe", HALVES.sizes(2048, 32, 24, 32768)),
    (
        "qwen3_next",
        HALVES
            .part(0.25)
            .head_dim(256)
            .layers(Layers::linear_between(4))
            .sizes(2048, 16, 48, 32768),
    ),
    (
        "qwen3_omni_moe_text",
        HALVES.base(1e6).interleaved(&[24, 20, 20]).uneven_heads().sizes(2048, 28, 28, 32768),
    ),
    // Base 5000000 in transformers 4, 500000 in 5
    ("qwen3_vl", HALVES.needs_base().head_dim(128).interleaved(&[24, 20, 20])),
    ("qwen3_vl_moe", HALVES.needs_base().interleaved(&[24, 20, 20])),
    (
        "qwen3_vl_moe_text",
        HALVES.needs_base().interleaved(&[24, 20, 20]).sizes(2048, 16, 24, 128000),
    ),
    (
        "qwen3_vl_text",
        HALVES.needs_base().head_dim(128).interleaved(&[24, 20, 20]).sizes(4096, 32, 32, 128000),
    ),
    (
        "qwen4_exp_text",
        HALVES
            .head_dim(256)
            .interleaved(&[11, 11, 10])
            .still(&["linear_attention"])
            .sizes(2048, 16, 40, 32768),
    ),
    ("recurrent_gemma", HALVES.part(0.5).head_dim(256).sizes(2560, 10, 26, 0)),
    ("sarvam_mla", NEIGHBOURS.latent(128, 64).sizes(4096, 64, 32, 4096)),
    ("sarvam_moe", HALVES.base(8e6).head_dim(64).sizes(4096, 64, 19, 131072)),
    ("seed_oss", HALVES.head_dim(128).sizes(4096, 80, 64, 524288)),
    ("smollm3", HALVES.base(2e6).layers(Layers::none_in_each(4)).sizes(2048, 16, 36, 32768)),
    ("solar_open", HALVES.base(1e6).head_dim(128).sizes(4096, 64, 48, 131072)),
    ("stablelm", HALVES.part(0.25).even_parts().sizes(2560, 32, 32, 4096)),
    ("starcoder2", HALVES.sizes(3072, 24, 30, 4096)),
    (
        "step3p5",
        HALVES
            .head_dim(128)
            .layers(Layers::full_after_sliding(LISTED, None))
            .sizes(4096, 64, 45, 128000),
    ),
    ("t5_gemma_module", HALVES.head_dim(256).sizes(2304, 8, 26, 8192)),
    ("t5gemma2_decoder", GEMMA3.sizes(2304, 8, 26, 131072)),
    ("t5gemma2_text", GEMMA3.sizes(2304, 8, 26, 131072)),
    ("timesfm2_5", HALVES.sizes(1280, 16, 20, 16384)),
    (
        "ultrabert",
        HALVES
            .base(2_560_000.0)
            .layers(Layers::full_after_sliding(3, Some(1e4)))
            .sizes(4096, 32, 32, 32768),
    ),
    ("unlimited_ocr_text", HALVES.head_dim(128).sizes(1280, 10, 12, 32768)),
    ("vaultgemma", HALVES.head_dim(256).sizes(2304, 8, 26, 8192)),
    ("youtu", NEIGHBOURS.latent(128, 64).sizes(2048, 16, 32, 131072)),
    (
        "zamba2",
        HALVES
            .rotates_if(field::USE_MEM_ROPE)
            .unread(&[field::KV_CHANNELS])
            .renamed(&[("attention_head_dim", field::HEAD_DIM)])
            .sizes(2560, 32, 54, 4096),
    ),
    ("zaya", HALVES.base(5e6).head_dim(128).part(0.5).parameters(ZAYA).sizes(2048, 8, 40, 131072)),
];

const AFMOE_LAYERS: Layers = Layers {
    field: Some(field::GLOBAL_ATTN_EVERY_N_LAYERS),
    ..Layers::sliding_only(4, WithoutWindow::Same)
};
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

const CHATGLM: &str = "ChatGLM2 divides positions by it, ChatGLM3 and GLM-4 multiply the base, and \
    no field tells which: choose with from_json_with_rope_ratio";
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
const LAGUNA: &str = r#"{
    "full_attention": {"rope_type": "default", "rope_theta": 500000.0,
        "partial_rotary_factor": 0.5},
    "sliding_attention": {"rope_type": "default", "rope_theta": 10000.0,
        "partial_rotary_factor": 1.0}}"#;
const MINISTRAL3: &str = r#"{"rope_type": "yarn", "rope_theta": 1000000.0, "factor": 16.0,
    "original_max_position_embeddings": 16384, "beta_fast": 32.0, "beta_slow": 1.0,
    "mscale": 1.0, "mscale_all_dim": 1.0, "llama_4_scaling_beta": 0.1}"#;

const DBRX: &[(&str, Name)] = &[
    ("d_model", field::HIDDEN_SIZE),
    ("n_heads", field::NUM_ATTENTION_HEADS),
    ("n_layers", field::NUM_HIDDEN_LAYERS),
    ("max_seq_len", field::MAX_POSITION_EMBEDDINGS),
    ("attn_config.rope_theta", field::ROPE_THETA),
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
