//! Vision encoders, one row each: a rotation by the rows and columns of patches.

use super::super::family::{Family, HALVES, not_read};
use crate::rotary::AxialOrder;

/// The most common order: rows, then columns, in halves.
const GRID: Family = HALVES.grid(AxialOrder::Qwen2Vl).renamed(QWEN);

/// Names in the configs of Qwen's encoders and their descendants.
const QWEN: &[(&str, &str)] =
    &[("num_heads", "num_attention_heads"), ("depth", "num_hidden_layers")];

/// In Qwen2-VL's encoder, `hidden_size` is the width of the language model.
const QWEN2_VL: &[(&str, &str)] = &[
    ("embed_dim", "hidden_size"),
    ("num_heads", "num_attention_heads"),
    ("depth", "num_hidden_layers"),
];

const MEMORY: Family = not_read(
    "its memory attention rotates by columns, then rows: use Rotary::axial_2d with AxialOrder::Llama4",
);

pub(super) const MODELS: &[(&str, Family)] = &[
    ("cohere_compass_vision", GRID),
    ("dots3_note_vision_encoder", GRID),
    ("edgetam_video", MEMORY),
    (
        "efficientloftr",
        not_read(
            "rows and columns rotate the whole width before it is split into heads: use Rotary::axial_2d over hidden_size, in neighbours",
        ),
    ),
    (
        "eomt_dinov3",
        not_read(
            "coordinates run from -1 to 1, and angles are multiplied by 2π: use Rotary::dinov3 at Positions::dinov3",
        ),
    ),
    ("ernie4_5_vl_moe_vision", GRID),
    ("exaone4_5_vision", GRID),
    ("gemma4_vision", GRID.base(100.0).head_dim(64).grid(AxialOrder::Gemma4)),
    ("glm4v_moe_vision", GRID),
    ("glm4v_vision", GRID),
    ("glm5_next_vision", GRID),
    ("glm_ocr_vision", GRID),
    ("inkling2_vision", GRID.grid(AxialOrder::Llama4)),
    ("kimi_k25_vision", GRID.grid(AxialOrder::KimiK25)),
    ("lfm3_vl_vision", GRID),
    ("llama4_vision_model", GRID.grid(AxialOrder::Llama4)),
    (
        "minimax_m3_vl_vision",
        not_read(
            "three axes have 2·⌊d/6⌋ features each: use Rotary::axial of three Frequencies::geometric, in halves",
        ),
    ),
    ("mlcd_vision_model", GRID),
    ("muse_glimmer_vision", GRID),
    ("muse_spark_vision", GRID),
    ("paddleocr_vl_vision", GRID),
    ("pixtral", GRID.grid(AxialOrder::Pixtral)),
    ("qwen2_5_omni_vision_encoder", GRID),
    ("qwen2_5_vl_vision", GRID),
    ("qwen2_vl_vision", GRID.renamed(QWEN2_VL)),
    ("qwen3_5_moe_vision", GRID),
    ("qwen3_5_vision", GRID),
    ("qwen3_omni_moe_vision_encoder", GRID),
    ("qwen3_vl_moe_vision", GRID),
    ("qwen3_vl_vision", GRID),
    ("qwen4_exp_vision", GRID),
    ("sam2_video", MEMORY),
    ("sam3_tracker_video", MEMORY),
    ("sam3_vit_model", GRID.grid(AxialOrder::Llama4)),
    ("step3p5_vision", GRID.grid(AxialOrder::Step3)),
    ("video_llama_3_vision", GRID),
];
