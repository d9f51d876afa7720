//! Model types of sound and speech, one row each.

use super::super::family::{Family, HALVES, NEIGHBOURS, not_read};
use super::super::fields::{Name, field};

pub(super) const MODELS: &[(&str, Family)] = &[
    ("csm", HALVES.base(500_000.0).sizes(2048, 32, 16, 2048)),
    ("csm_depth_decoder_model", HALVES.base(500_000.0).sizes(1024, 8, 4, 33)),
    ("dia_decoder", HALVES.sizes(2048, 16, 18, 3072)),
    ("dia_encoder", HALVES.head_dim(128).sizes(1024, 16, 12, 1024)),
    ("dots3_note_audio_encoder", NEIGHBOURS.part(0.5).sizes(1280, 20, 32, 6000)),
    ("glmasr_encoder", HALVES.part(0.5).sizes(1280, 20, 32, 1500)),
    ("gradium_phonon_tts", HALVES.sizes(768, 12, 6, 8192)),
    (
        "higgs_audio_v2",
        HALVES.base(500_000.0).head_dim(128).parameters(HIGGS_AUDIO2).sizes(3072, 24, 28, 2048),
    ),
    ("kyutai_speech_to_text", HALVES.needs_base().sizes(2048, 32, 48, 750)),
    ("lasr_encoder", HALVES.sizes(512, 8, 17, 10000)),
    ("mimi", HALVES.sizes(512, 8, 8, 8000)),
    ("mimi_decoder", HALVES.head_dim(64).sizes(512, 8, 8, 8000)),
    ("mimi_encoder", HALVES.head_dim(64).sizes(512, 8, 8, 8000)),
    ("moonshine", NEIGHBOURS.part(0.9).even_parts().renamed(MOONSHINE).sizes(288, 8, 6, 512)),
    ("moonshine_streaming", NEIGHBOURS.part(0.8).even_parts().sizes(320, 8, 6, 4096)),
    ("moshi", HALVES.sizes(4096, 32, 32, 3000)),
    (
        "musicflamingo",
        not_read(
            "its parameters rotate audio features by time in seconds, not by position: read its text_config with from_json_part",
        ),
    ),
    ("nemotron3_5_transcribe_asr_audio", HALVES.part(0.5).sizes(1280, 10, 32, 5000)),
    ("nemotron3_5_transcribe_word_timestamp", HALVES.part(0.5).sizes(1280, 16, 2, 5000)),
    ("nemotron3_diarization_audio", HALVES.sizes(512, 8, 31, 5000)),
    ("neucodec", HALVES.sizes(1024, 16, 12, 4096)),
    ("pe_audio_encoder", NEIGHBOURS.base(20_000.0).sizes(1792, 14, 6, 10000)),
    ("pe_audio_video_encoder", NEIGHBOURS.base(20_000.0).sizes(1792, 14, 6, 10000)),
    ("pocket_tts", HALVES.sizes(1024, 16, 6, 8192)),
    ("pocket_tts_audio_tokenizer", HALVES.sizes(512, 8, 2, 8000)),
    ("pocket_tts_audio_tokenizer_decoder", HALVES.head_dim(64).sizes(512, 8, 2, 8000)),
    ("pocket_tts_audio_tokenizer_encoder", HALVES.head_dim(64).sizes(512, 8, 2, 8000)),
    ("qwen2_5_omni_dit", HALVES.sizes(1024, 16, 22, 32768)),
    (
        "qwen2_5_omni_talker",
        HALVES.base(1e6).head_dim(128).chunked(&[16, 24, 24]).sizes(3584, 28, 28, 32768),
    ),
    ("qwen3_omni_moe_talker_code_predictor", HALVES.head_dim(128).sizes(1024, 16, 5, 32768)),
    ("qwen3_omni_moe_talker_text", HALVES.interleaved(&[24, 20, 20]).sizes(1024, 16, 20, 32768)),
    ("voxtral_realtime_encoder", HALVES.head_dim(64).sizes(1280, 32, 32, 1500)),
    ("voxtral_realtime_text", HALVES.needs_base().sizes(4096, 32, 32, 131072)),
    ("xcodec2", HALVES.sizes(1024, 16, 12, 4096)),
];

const HIGGS_AUDIO2: &str = r#"{"rope_type": "llama3", "factor": 32.0, "low_freq_factor": 0.125,
    "high_freq_factor": 0.5, "original_max_position_embeddings": 1024}"#;

const MOONSHINE: &[(&str, Name)] = &[
    ("decoder_num_attention_heads", field::NUM_ATTENTION_HEADS),
    ("decoder_num_hidden_layers", field::NUM_HIDDEN_LAYERS),
];
