//! The parts of composite configs, and their types where a file does not give them.
//!
//! A part of a transformers config may leave out its `model_type`, since the class of the whole
//! knows it. The rows are the defaults of those classes in transformers 5.24, for parts that
//! rotate.

use serde_json::{Map, Value};

use super::json::Fields;
use crate::error::Error;

/// The fields that contain the language model in a composite config.
const TEXT: [&str; 5] =
    ["text_config", "llm_config", "language_config", "thinker_config", "vlm_config"];

/// A part of a config: its path and its type.
pub(super) struct Part<'a> {
    pub(super) path: String,
    pub(super) object: &'a Map<String, Value>,
    pub(super) kind: Option<&'a str>,
}

impl<'a> Part<'a> {
    /// Returns the whole config as a part.
    pub(super) fn whole(object: &'a Map<String, Value>) -> Result<Self, Error> {
        let kind = Fields::new("", object).text("model_type")?;
        Ok(Self { path: String::new(), object, kind })
    }

    /// Returns a part of this part.
    pub(super) fn part(&self, name: &str) -> Result<Option<Self>, Error> {
        let fields = Fields::new(&self.path, self.object);
        if fields.object(name)?.is_none() {
            return Ok(None);
        }
        let Some(Value::Object(object)) = self.object.get(name) else { return Ok(None) };
        let path = fields.path(name);
        Fields::new(&path, object).text("model_type")?;
        let own = object.get("model_type").and_then(Value::as_str);
        // Some classes write an empty type.
        let kind = own.filter(|own| !own.is_empty()).or(type_of(self.kind.unwrap_or(""), name));
        Ok(Some(Self { path, object, kind }))
    }

    /// Returns the parts on the path to the one that describes the language model, which is the
    /// last; empty if this is it.
    pub(super) fn to_text(&self) -> Result<Vec<Self>, Error> {
        let mut way: Vec<Self> = Vec::new();
        // Known configs are nested at most three levels deep.
        for _ in 0..3 {
            let last = way.last().unwrap_or(self);
            let mut found = None;
            for name in TEXT {
                if found.is_none() {
                    found = last.part(name)?;
                }
            }
            match found {
                Some(part) => way.push(part),
                None => break,
            }
        }
        Ok(way)
    }
}

/// Returns the type of a part of a composite type.
fn type_of(whole: &str, part: &str) -> Option<&'static str> {
    PARTS.iter().find(|(root, name, _)| (*root, *name) == (whole, part)).map(|(.., kind)| *kind)
}

/// Returns the type of the language model of a composite type, if that is a part.
pub(super) fn text_type(whole: &str) -> Option<&'static str> {
    type_of(whole, "text_config")
}

/// Returns true if a type has parts that rotate.
pub(super) fn has_parts(whole: &str) -> bool {
    PARTS.iter().any(|(root, ..)| *root == whole)
}

const PARTS: &[(&str, &str, &str)] = &[
    ("apertus1p5", "text_config", "apertus1p5_text"),
    ("aria", "text_config", "aria_text"),
    ("audioflamingo3", "text_config", "qwen2"),
    ("aya_vision", "text_config", "cohere2"),
    ("blt", "decoder_config", "blt_local_decoder"),
    ("blt", "encoder_config", "blt_local_encoder"),
    ("blt", "global_config", "blt_global_transformer"),
    ("blt", "patcher_config", "blt_patcher"),
    ("cohere2_vision", "text_config", "cohere2"),
    ("cohere_compass", "vision_config", "cohere_compass_vision"),
    ("colmodernvbert", "vlm_config", "modernvbert"),
    ("colpali", "vlm_config", "paligemma"),
    ("colqwen2", "vlm_config", "qwen2_vl"),
    ("cosmos3_edge", "text_config", "cosmos3_edge_text"),
    ("cosmos3_omni", "text_config", "qwen3_vl_text"),
    ("cosmos3_omni", "vision_config", "qwen3_vl_vision"),
    ("csm", "codec_config", "mimi"),
    ("csm", "depth_decoder_config", "csm_depth_decoder_model"),
    ("deepseek_ocr2", "text_config", "deepseek_ocr2_text"),
    ("deepseek_ocr2_vision", "encoder_config", "deepseek_ocr2_encoder"),
    ("deepseek_vl", "text_config", "llama"),
    ("deepseek_vl_hybrid", "text_config", "llama"),
    ("deepseek_vl_v2", "language_config", "deepseek_v2"),
    ("dia", "decoder_config", "dia_decoder"),
    ("dia", "encoder_config", "dia_encoder"),
    ("diffusion_gemma", "text_config", "diffusion_gemma_text"),
    ("diffusion_gemma", "vision_config", "gemma4_vision"),
    ("dots3_note", "audio_config", "dots3_note_audio_encoder"),
    ("dots3_note", "text_config", "dots3_note_text"),
    ("dots3_note", "vision_config", "dots3_note_vision_encoder"),
    ("embedding_gemma2", "text_config", "embedding_gemma2_text"),
    ("emu3", "text_config", "emu3_text_model"),
    ("ernie4_5_vl_moe", "text_config", "ernie4_5_vl_moe_text"),
    ("ernie4_5_vl_moe", "vision_config", "ernie4_5_vl_moe_vision"),
    ("esmfold2", "esmc_config", "esmc"),
    ("exaone4_5", "text_config", "exaone4"),
    ("exaone4_5", "vision_config", "exaone4_5_vision"),
    ("fast_vlm", "text_config", "qwen2"),
    ("fun_asr_nano", "text_config", "qwen3"),
    ("fuyu", "text_config", "persimmon"),
    ("gemma3", "text_config", "gemma3_text"),
    ("gemma3n", "text_config", "gemma3n_text"),
    ("gemma4", "text_config", "gemma4_text"),
    ("gemma4_unified", "text_config", "gemma4_unified_text"),
    ("gemma4_unified_assistant", "text_config", "gemma4_unified_text"),
    ("glm46v", "text_config", "glm4v_text"),
    ("glm46v", "vision_config", "glm4v_vision"),
    ("glm4v", "text_config", "glm4v_text"),
    ("glm4v", "vision_config", "glm4v_vision"),
    ("glm4v_moe", "text_config", "glm4v_moe_text"),
    ("glm4v_moe", "vision_config", "glm4v_moe_vision"),
    ("glm5_next", "vision_config", "glm5_next_vision"),
    ("glm_image", "text_config", "glm_image_text"),
    ("glm_ocr", "text_config", "glm_ocr_text"),
    ("glm_ocr", "vision_config", "glm_ocr_vision"),
    ("glmasr", "audio_config", "glmasr_encoder"),
    ("glmasr", "text_config", "llama"),
    ("glmga", "text_config", "glm4v_text"),
    ("glmga", "vision_config", "glm4v_vision"),
    ("got_ocr2", "text_config", "qwen2"),
    ("granite4_vision", "text_config", "granite4_vision_text"),
    ("granite_docling", "text_config", "granite_docling_text"),
    ("granite_speech", "text_config", "granite"),
    ("granite_speech_plus", "text_config", "granite"),
    ("hunyuan_vl", "text_config", "hunyuan_vl_text"),
    ("hy_v4_vl", "text_config", "hy_v4_vl_text"),
    ("hyperclovax_vision_v2", "text_config", "hyperclovax"),
    ("hyperclovax_vision_v2", "vision_config", "qwen2_5_vl_vision"),
    ("idefics2", "text_config", "mistral"),
    ("idefics3", "text_config", "llama"),
    ("inkling2", "vision_config", "inkling2_vision"),
    ("inkling2_loop", "vision_config", "inkling2_vision"),
    ("internvl", "text_config", "qwen2"),
    ("janus", "text_config", "llama"),
    ("jev", "text_config", "qwen3_5_text"),
    ("kimi_k25", "text_config", "deepseek_v3"),
    ("kimi_k25", "vision_config", "kimi_k25_vision"),
    ("kimi_k3", "text_config", "kimi_linear"),
    ("kimi_vl", "text_config", "deepseek_v3"),
    ("kyutai_speech_to_text", "codec_config", "mimi"),
    ("lasr_ctc", "encoder_config", "lasr_encoder"),
    ("lfm2-vl", "text_config", "lfm2"),
    ("lfm2_vl", "text_config", "lfm2"),
    ("lfm3_vl", "text_config", "lfm3"),
    ("lfm3_vl", "vision_config", "lfm3_vl_vision"),
    ("lighton_ocr", "text_config", "qwen3"),
    ("lighton_ocr", "vision_config", "pixtral"),
    ("llama4", "text_config", "llama4_text"),
    ("llama4", "vision_config", "llama4_vision_model"),
    ("llava", "text_config", "llama"),
    ("llava_next", "text_config", "llama"),
    ("llava_next_video", "text_config", "llama"),
    ("llava_onevision", "text_config", "qwen2"),
    ("minicpm_ocr", "text_config", "qwen3_5_text"),
    ("minicpmv4_6", "text_config", "qwen3_5_text"),
    ("minicpmv4_7", "text_config", "qwen3_5_text"),
    ("minimax_m3_vl", "text_config", "minimax_m3_vl_text"),
    ("minimax_m3_vl", "vision_config", "minimax_m3_vl_vision"),
    ("mistral3", "text_config", "mistral"),
    ("mistral3", "vision_config", "pixtral"),
    ("mistral_large4", "text_config", "mistral_large4_text"),
    ("mistral_large4", "vision_config", "pixtral"),
    ("mllama", "text_config", "mllama_text_model"),
    ("modernvbert", "text_config", "modernbert"),
    ("molmo2", "text_config", "molmo2_text"),
    ("moshi", "audio_encoder_config", "mimi"),
    ("moss_transcribe_diarize", "text_config", "qwen3"),
    ("muse_glimmer", "text_config", "muse_glimmer_text"),
    ("muse_glimmer", "vision_config", "muse_glimmer_vision"),
    ("muse_spark", "text_config", "muse_spark_text"),
    ("muse_spark", "vision_config", "muse_spark_vision"),
    ("musicflamingo", "text_config", "qwen2"),
    ("nemo_speechlm", "text_config", "nemotron_h"),
    ("nemo_speechlm", "word_timestamp_config", "nemotron3_5_transcribe_word_timestamp"),
    ("nemotron3_5_transcribe_audio", "asr_config", "nemotron3_5_transcribe_asr_audio"),
    ("nemotron3_diarization", "audio_config", "nemotron3_diarization_audio"),
    ("nemotron_h_omni", "text_config", "nemotron_h"),
    ("omniasr", "text_config", "llama"),
    ("ovis2", "text_config", "qwen2"),
    ("paddleocr_vl", "text_config", "paddleocr_vl_text"),
    ("paddleocr_vl", "vision_config", "paddleocr_vl_vision"),
    ("paligemma", "text_config", "gemma"),
    ("pe_audio", "audio_config", "pe_audio_encoder"),
    ("pe_audio", "text_config", "modernbert"),
    ("pe_audio_video", "audio_video_config", "pe_audio_video_encoder"),
    ("pe_audio_video", "text_config", "modernbert"),
    ("pe_audio_video_encoder", "audio_config", "pe_audio_encoder"),
    ("pe_audio_video_encoder", "video_config", "pe_video_encoder"),
    ("pe_video", "text_config", "modernbert"),
    ("pe_video", "video_config", "pe_video_encoder"),
    ("perception_lm", "text_config", "llama"),
    ("pi0", "dit_config", "gemma"),
    ("pi0", "vlm_config", "paligemma"),
    ("pp_chart2table", "text_config", "qwen2"),
    ("qianfan_ocr", "text_config", "qwen3"),
    ("qwen2_5_omni", "talker_config", "qwen2_5_omni_talker"),
    ("qwen2_5_omni", "thinker_config", "qwen2_5_omni_thinker"),
    ("qwen2_5_omni_thinker", "text_config", "qwen2_5_omni_text"),
    ("qwen2_5_omni_thinker", "vision_config", "qwen2_5_omni_vision_encoder"),
    ("qwen2_5_omni_token2wav", "dit_config", "qwen2_5_omni_dit"),
    ("qwen2_5_vl", "text_config", "qwen2_5_vl_text"),
    ("qwen2_5_vl", "vision_config", "qwen2_5_vl_vision"),
    ("qwen2_audio", "text_config", "qwen2"),
    ("qwen2_vl", "text_config", "qwen2_vl_text"),
    ("qwen2_vl", "vision_config", "qwen2_vl_vision"),
    ("qwen3_5", "text_config", "qwen3_5_text"),
    ("qwen3_5", "vision_config", "qwen3_5_vision"),
    ("qwen3_5_moe", "text_config", "qwen3_5_moe_text"),
    ("qwen3_5_moe", "vision_config", "qwen3_5_moe_vision"),
    ("qwen3_asr", "text_config", "qwen3"),
    ("qwen3_omni_moe", "thinker_config", "qwen3_omni_moe_thinker"),
    ("qwen3_omni_moe_thinker", "text_config", "qwen3_omni_moe_text"),
    ("qwen3_omni_moe_thinker", "vision_config", "qwen3_omni_moe_vision_encoder"),
    ("qwen3_vl", "text_config", "qwen3_vl_text"),
    ("qwen3_vl", "vision_config", "qwen3_vl_vision"),
    ("qwen3_vl_moe", "text_config", "qwen3_vl_moe_text"),
    ("qwen3_vl_moe", "vision_config", "qwen3_vl_moe_vision"),
    ("qwen4_exp", "text_config", "qwen4_exp_text"),
    ("qwen4_exp", "vision_config", "qwen4_exp_vision"),
    ("sam3_video", "tracker_config", "sam3_tracker_video"),
    ("sam3_vision_model", "backbone_config", "sam3_vit_model"),
    ("shieldgemma2", "text_config", "gemma3_text"),
    ("smolvlm", "text_config", "llama"),
    ("step3_vl", "text_config", "step3_text"),
    ("step3p7", "text_config", "step3p5"),
    ("step3p7", "vision_config", "step3p5_vision"),
    ("t5gemma", "decoder", "t5_gemma_module"),
    ("t5gemma", "encoder", "t5_gemma_module"),
    ("t5gemma2", "decoder", "t5gemma2_decoder"),
    ("t5gemma2_encoder", "text_config", "t5gemma2_text"),
    ("ultravbert", "text_config", "ultrabert"),
    ("unlimited_ocr", "text_config", "unlimited_ocr_text"),
    ("vibevoice", "text_config", "qwen2"),
    ("vibevoice_asr", "text_config", "qwen2"),
    ("video_llama_3", "text_config", "qwen2"),
    ("video_llama_3", "vision_config", "video_llama_3_vision"),
    ("video_llava", "text_config", "llama"),
    ("vipllava", "text_config", "llama"),
    ("voxtral", "text_config", "llama"),
    ("voxtral_realtime", "audio_config", "voxtral_realtime_encoder"),
    ("voxtral_realtime", "text_config", "voxtral_realtime_text"),
];

#[cfg(test)]
mod tests {
    use super::PARTS;

    #[test]
    fn rows_are_in_order_and_there_once() {
        let key = |row: &(&'static str, &'static str, &'static str)| (row.0, row.1);
        assert!(PARTS.windows(2).all(|rows| key(&rows[0]) < key(&rows[1])));
    }
}
