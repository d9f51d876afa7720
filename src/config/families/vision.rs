//! Vision encoders, one row each: a rotation by the rows and columns of patches.

use super::super::family::{Family, HALVES, not_read};
use super::super::fields::{Name, field};
use crate::rotary::AxialOrder;

/// The most common order: rows, then columns, in halves.
const GRID: Family = HALVES.grid(AxialOrder::Qwen2Vl).renamed(QWEN);

/// Names in the configs of Qwen's encoders and their descendants.
const QWEN: &[(&str, Name)] =
    &[("num_heads", field::NUM_ATTENTION_HEADS), ("depth", field::NUM_HIDDEN_LAYERS)];

/// In Qwen2-VL's encoder, `hidden_size` is the width of the language model.
const QWEN2_VL: &[(&str, Name)] = &[
    ("embed_dim", field::HIDDEN_SIZE),
    ("num_heads", field::NUM_ATTENTION_HEADS),
    ("depth", field::NUM_HIDDEN_LAYERS),
];

const MEMORY: Family = not_read(
    "its memory attention rotates by columns, then rows: use Rotary::axial_2d with AxialOrder::Llama4",
);

pub(super) const MODELS: &[(&str, Family)] = &[
    ("cohere_compass_vision", GRID.sizes(1152, 16, 27, 0)),
    ("dots3_note_vision_encoder", GRID.sizes(1536, 24, 42, 0)),
    ("edgetam_video", MEMORY),
    (
        "efficientloftr",
        not_read(
            "rows and columns rotate the whole width before it is split into heads: use Rotary::axial_2d over hidden_size, in neighbours",
        ).sizes(256, 8, 0, 0)),
    (
        "eomt_dinov3",
        not_read(
            "coordinates run from -1 to 1, and angles are multiplied by 2π: use Rotary::dinov3 at Positions::dinov3",
        ).sizes(1024, 16, 24, 0)),
    ("ernie4_5_vl_moe_vision", GRID.sizes(1280, 16, 32, 0)),
    ("exaone4_5_vision", GRID.sizes(3584, 16, 32, 0)),
    ("gemma4_vision", GRID.base(100.0).head_dim(64).grid(AxialOrder::Gemma4).sizes(768, 12, 16, 131072)),
    ("glm4v_moe_vision", GRID.sizes(1536, 12, 24, 0)),
    ("glm4v_vision", GRID.sizes(1536, 12, 24, 0)),
    ("glm5_next_vision", GRID.sizes(1024, 16, 24, 0)),
    ("glm_ocr_vision", GRID.sizes(1024, 16, 24, 0)),
    ("inkling2_vision", GRID.grid(AxialOrder::Llama4).sizes(1024, 16, 23, 0)),
    ("kimi_k25_vision", GRID.grid(AxialOrder::KimiK25).sizes(1152, 16, 27, 0)),
    ("lfm3_vl_vision", GRID.sizes(1024, 16, 14, 0)),
    ("llama4_vision_model", GRID.grid(AxialOrder::Llama4).sizes(768, 16, 34, 0)),
    (
        "minimax_m3_vl_vision",
        not_read(
            "three axes have 2·⌊d/6⌋ features each: use Rotary::axial of three Frequencies::geometric, in halves",
        ).sizes(1280, 16, 32, 0)),
    ("mlcd_vision_model", GRID.sizes(1664, 16, 48, 0)),
    ("muse_glimmer_vision", GRID.sizes(1536, 16, 50, 1024)),
    ("muse_spark_vision", GRID.sizes(1536, 16, 50, 1024)),
    ("paddleocr_vl_vision", GRID.sizes(1152, 16, 27, 0)),
    ("pixtral", GRID.grid(AxialOrder::Pixtral).sizes(1024, 16, 24, 0)),
    ("qwen2_5_omni_vision_encoder", GRID.sizes(3584, 16, 32, 0)),
    ("qwen2_5_vl_vision", GRID.sizes(3584, 16, 32, 0)),
    ("qwen2_vl_vision", GRID.renamed(QWEN2_VL).sizes(1280, 16, 32, 0)),
    ("qwen3_5_moe_vision", GRID.sizes(1152, 16, 27, 0)),
    ("qwen3_5_vision", GRID.sizes(1152, 16, 27, 0)),
    ("qwen3_omni_moe_vision_encoder", GRID.sizes(1152, 16, 27, 0)),
    ("qwen3_vl_moe_vision", GRID.sizes(1152, 16, 27, 0)),
    ("qwen3_vl_vision", GRID.sizes(1152, 16, 27, 0)),
    ("qwen4_exp_vision", GRID.sizes(1152, 16, 27, 0)),
    ("sam2_video", MEMORY),
    ("sam3_tracker_video", MEMORY),
    ("sam3_vit_model", GRID.grid(AxialOrder::Llama4).sizes(1024, 16, 32, 0)),
    ("step3p5_vision", GRID.grid(AxialOrder::Step3).sizes(1536, 16, 47, 2704)),
    ("video_llama_3_vision", GRID.sizes(768, 12, 12, 0)),
];
