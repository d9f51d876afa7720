//! The lists of all names that are read in configs: what each field means, and where it may stand.

use core::fmt;
use core::ops::Deref;

use field::FIELDS;

/// The name of a field or key. Only this module can make one, so no code reads a name that its lists
/// lack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Name(&'static str);

impl Deref for Name {
    type Target = str;

    fn deref(&self) -> &str {
        self.0
    }
}

impl AsRef<str> for Name {
    fn as_ref(&self) -> &str {
        self.0
    }
}

impl PartialEq<Name> for str {
    fn eq(&self, name: &Name) -> bool {
        self == name.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// Where a field may occur.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Place {
    /// In a dictionary of rope parameters.
    Dict,
    /// In the config. At the root of a composite config it must agree with `text_config`.
    Root,
    /// In either of these.
    Either,
    /// In the config; at the root of a composite config it may have any value.
    RootUnchecked,
    /// In a dictionary, or as for [`RootUnchecked`](Self::RootUnchecked).
    EitherUnchecked,
    /// As for [`RootUnchecked`](Self::RootUnchecked), in the config of a known class only.
    Known,
}

/// The role of a field. Fields with different names and one role mean the same.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Role {
    /// A dictionary of rope parameters.
    Parameters,
    /// A part that contains the language model.
    Text,
    /// The type of a rotation.
    Kind,
    /// The base of all layers, or of those with full attention.
    MainBase,
    /// The base of local layers.
    LocalBase,
    /// The rotated fraction of the head.
    Part,
    /// A parameter of the scalings named.
    Of(&'static [&'static str]),
    /// Whether pairs are neighbours.
    Neighbours,
    /// Whether sections are interleaved.
    InterleavedSections,
    /// The width of a head.
    HeadDim,
    /// The width of a model.
    Width,
    /// The number of query heads.
    Heads,
    /// The number of layers.
    LayerCount,
    /// A sequence length.
    Length,
    /// The type of each layer.
    LayerList,
    /// The numbers of pairs of the axes.
    Sections,
    /// Any other field about rotations.
    Other,
}

/// Makes a constant of each name.
macro_rules! names {
    ($($constant:ident = $name:literal;)*) => {
        $(pub(crate) const $constant: Name = Name($name);)*
    };
}

/// Makes a constant of each name, and a list of all.
macro_rules! list {
    ($list:ident: $row:ty; $($constant:ident = $name:literal $(, $place:expr, $role:expr)?;)*) => {
        names! { $($constant = $name;)* }
        pub(in crate::config) const $list: &[$row] = &[$(($constant $(, $place, $role)?)),*];
    };
}

/// The fields of a `config.json`. A constant has the name of its field.
pub(crate) mod field {
    use super::Place::{Dict, Either, EitherUnchecked, Known, Root, RootUnchecked};
    use super::Role::*;
    use super::{Name, Place, Role};

    list! { FIELDS: (Name, Place, Role);
        MODEL_TYPE = "model_type", RootUnchecked, Other;
        TEXT_CONFIG = "text_config", RootUnchecked, Text;
        LLM_CONFIG = "llm_config", RootUnchecked, Text;
        LANGUAGE_CONFIG = "language_config", RootUnchecked, Text;
        THINKER_CONFIG = "thinker_config", RootUnchecked, Text;
        VLM_CONFIG = "vlm_config", RootUnchecked, Text;
        ROPE_PARAMETERS = "rope_parameters", Root, Parameters;
        ROPE_SCALING = "rope_scaling", Root, Parameters;
        ROPE_TYPE = "rope_type", Dict, Kind;
        TYPE = "type", Dict, Kind;
        ROPE_THETA = "rope_theta", Either, MainBase;
        ROTARY_EMB_BASE = "rotary_emb_base", Root, MainBase;
        GLOBAL_ROPE_THETA = "global_rope_theta", Root, MainBase;
        ROPE_LOCAL_BASE_FREQ = "rope_local_base_freq", Root, LocalBase;
        LOCAL_ROPE_THETA = "local_rope_theta", Root, LocalBase;
        SWA_ROPE_THETA = "swa_rope_theta", Root, LocalBase;
        ROPE_LOCAL_THETA = "rope_local_theta", Root, LocalBase;
        ROPE_RATIO = "rope_ratio", Root, Other;
        COMPRESS_ROPE_THETA = "compress_rope_theta", Known, Other;
        PARTIAL_ROTARY_FACTOR = "partial_rotary_factor", Either, Part;
        PARTIAL_ROTARY_FACTORS = "partial_rotary_factors", Root, Other;
        ROTARY_PCT = "rotary_pct", Root, Part;
        ROPE_PCT = "rope_pct", Root, Part;
        ROTARY_EMB_FRACTION = "rotary_emb_fraction", Root, Part;
        ROTARY_DIM = "rotary_dim", Root, Other;
        QK_NOPE_HEAD_DIM = "qk_nope_head_dim", Root, Other;
        QK_ROPE_HEAD_DIM = "qk_rope_head_dim", Root, Other;
        KV_LORA_RANK = "kv_lora_rank", RootUnchecked, Other;
        HEAD_DIM = "head_dim", RootUnchecked, HeadDim;
        KV_CHANNELS = "kv_channels", RootUnchecked, HeadDim;
        SWA_HEAD_DIM = "swa_head_dim", RootUnchecked, Other;
        GLOBAL_HEAD_DIM = "global_head_dim", RootUnchecked, Other;
        PER_LAYER_CONFIG = "per_layer_config", RootUnchecked, Other;
        HIDDEN_SIZE = "hidden_size", RootUnchecked, Width;
        N_EMBD = "n_embd", RootUnchecked, Width;
        NUM_ATTENTION_HEADS = "num_attention_heads", RootUnchecked, Heads;
        N_HEAD = "n_head", RootUnchecked, Heads;
        ROPE_INTERLEAVE = "rope_interleave", Root, Neighbours;
        ROTARY_EMB_INTERLEAVED = "rotary_emb_interleaved", RootUnchecked, Neighbours;
        FACTOR = "factor", Dict,
            Of(&["linear", "dynamic", "ntk", "yarn", "longrope", "llama3", "proportional"]);
        ATTENTION_FACTOR = "attention_factor", Dict, Of(&["yarn", "longrope"]);
        ATTN_FACTOR = "attn_factor", Dict, Of(&[]);
        BETA_FAST = "beta_fast", Dict, Of(&["yarn"]);
        BETA_SLOW = "beta_slow", Dict, Of(&["yarn"]);
        MSCALE = "mscale", Dict, Of(&["yarn"]);
        MSCALE_ALL_DIM = "mscale_all_dim", Dict, Of(&["yarn"]);
        TRUNCATE = "truncate", Dict, Of(&["yarn"]);
        ALPHA = "alpha", Dict, Of(&["dynamic"]);
        SHORT_FACTOR = "short_factor", Dict, Of(&["longrope"]);
        LONG_FACTOR = "long_factor", Dict, Of(&["longrope"]);
        SHORT_MSCALE = "short_mscale", Dict, Of(&["longrope"]);
        LONG_MSCALE = "long_mscale", Dict, Of(&["longrope"]);
        LOW_FREQ_FACTOR = "low_freq_factor", Dict, Of(&["llama3"]);
        HIGH_FREQ_FACTOR = "high_freq_factor", Dict, Of(&["llama3"]);
        ORIGINAL_MAX_POSITION_EMBEDDINGS = "original_max_position_embeddings", Either, Length;
        MAX_POSITION_EMBEDDINGS = "max_position_embeddings", EitherUnchecked, Length;
        MROPE_SECTION = "mrope_section", Dict, Sections;
        XDROPE_SECTION = "xdrope_section", Dict, Sections;
        MROPE_INTERLEAVED = "mrope_interleaved", Dict, InterleavedSections;
        INTERLEAVED = "interleaved", Dict, InterleavedSections;
        LLAMA_4_SCALING_BETA = "llama_4_scaling_beta", Dict, Other;
        ATTN_TEMPERATURE_TUNING = "attn_temperature_tuning", RootUnchecked, Other;
        ATTN_SCALE = "attn_scale", RootUnchecked, Other;
        FLOOR_SCALE = "floor_scale", RootUnchecked, Other;
        FINETUNED = "finetuned", Dict, Other;
        NUM_HIDDEN_LAYERS = "num_hidden_layers", RootUnchecked, LayerCount;
        N_LAYER = "n_layer", RootUnchecked, LayerCount;
        NUM_LAYERS = "num_layers", RootUnchecked, LayerCount;
        LAYER_TYPES = "layer_types", Root, LayerList;
        LAYER_ROPE_THETA = "layer_rope_theta", Root, LayerList;
        NO_ROPE_LAYERS = "no_rope_layers", Root, LayerList;
        HYBRID_LAYER_PATTERN = "hybrid_layer_pattern", Root, LayerList;
        ATTN_TYPE_LIST = "attn_type_list", RootUnchecked, Other;
        COMPRESS_RATIOS = "compress_ratios", RootUnchecked, Other;
        NUM_NEXTN_PREDICT_LAYERS = "num_nextn_predict_layers", RootUnchecked, Other;
        NO_ROPE_LAYER_INTERVAL = "no_rope_layer_interval", Known, Other;
        FULL_ATTENTION_INTERVAL = "full_attention_interval", RootUnchecked, Other;
        GLOBAL_ATTN_EVERY_N_LAYERS = "global_attn_every_n_layers", RootUnchecked, Other;
        SLIDING_WINDOW_PATTERN = "sliding_window_pattern", RootUnchecked, Other;
        SLIDING_WINDOW = "sliding_window", RootUnchecked, Other;
        POSITION_EMBEDDING_TYPE = "position_embedding_type", Root, Other;
        ALIBI = "alibi", Root, Other;
        USE_ALIBI = "use_alibi", Root, Other;
        MLA_USE_NOPE = "mla_use_nope", RootUnchecked, Other;
        POSITION_ENCODING_2D = "position_encoding_2d", RootUnchecked, Other;
        USE_MEM_ROPE = "use_mem_rope", Root, Other;
        USE_MLA = "use_mla", Root, Other;
        USE_DYNAMIC_NTK = "use_dynamic_ntk", Root, Other;
        USE_LOGN_ATTN = "use_logn_attn", Root, Other;
        SEQ_LENGTH = "seq_length", RootUnchecked, Other;
        ROTARY_SCALING_FACTOR = "rotary_scaling_factor", Known, Other;
        MAX_TRAINED_POSITIONS = "max_trained_positions", RootUnchecked, Other;
        ORIGINAL_ROPE = "original_rope", RootUnchecked, Other;
        USE_MROPE = "use_mrope", RootUnchecked, Other; // says only whether there are sections
    }

    // Biases read these, too.
    names! {
        NUM_HEADS = "num_heads";
        N_HEADS = "n_heads";
        SPEECH_ENCODER_ATTENTION_HEADS = "speech_encoder_attention_heads";
        D_MODEL = "d_model";
        D_HEAD = "d_head";
        RELATIVE_ATTENTION_NUM_BUCKETS = "relative_attention_num_buckets";
        RELATIVE_ATTENTION_MAX_DISTANCE = "relative_attention_max_distance";
        HAS_RELATIVE_ATTENTION_BIAS = "has_relative_attention_bias";
        REL_POS_BINS = "rel_pos_bins";
        MAX_REL_POS = "max_rel_pos";
        HAS_SPATIAL_ATTENTION_BIAS = "has_spatial_attention_bias";
        REL_2D_POS_BINS = "rel_2d_pos_bins";
        MAX_REL_2D_POS = "max_rel_2d_pos";
        USE_RELATIVE_POSITION_BIAS = "use_relative_position_bias";
        USE_SHARED_RELATIVE_POSITION_BIAS = "use_shared_relative_position_bias";
        IMAGE_SIZE = "image_size";
        PATCH_SIZE = "patch_size";
        WINDOW_SIZE = "window_size";
        PRETRAINED_WINDOW_SIZES = "pretrained_window_sizes";
        USE_REL_POS = "use_rel_pos";
        GLOBAL_ATTN_INDEXES = "global_attn_indexes";
        ALIBI_BIAS_MAX = "alibi_bias_max";
        ATTN_CONFIG = "attn_config";
        VISION_CONFIG = "vision_config";
        POSITION_EMBEDDINGS_TYPE = "position_embeddings_type";
        LEFT_MAX_POSITION_EMBEDDINGS = "left_max_position_embeddings";
        RIGHT_MAX_POSITION_EMBEDDINGS = "right_max_position_embeddings";
        CLAMP_LEN = "clamp_len";
        RELATIVE_ATTENTION = "relative_attention";
        POS_ATT_TYPE = "pos_att_type";
        MAX_RELATIVE_POSITIONS = "max_relative_positions";
        POSITION_BUCKETS = "position_buckets";
        SHARE_ATT_KEY = "share_att_key";
    }

    // The timesteps of diffusers.
    names! {
        CLASS_NAME = "_class_name";
        BLOCK_OUT_CHANNELS = "block_out_channels";
        FREQ_DIM = "freq_dim";
        ATTENTION_HEAD_DIM = "attention_head_dim";
        TIME_EMBEDDING_TYPE = "time_embedding_type";
        FLIP_SIN_TO_COS = "flip_sin_to_cos";
        FREQ_SHIFT = "freq_shift";
    }
}

/// The keys of GGUF metadata, without the name of the architecture, and the names of tensors. A
/// constant has the name of its key, without `rope.` and `attention.`.
pub(crate) mod key {
    use super::Name;

    list! { KEYS: Name;
        GENERAL_ARCHITECTURE = "general.architecture";
        BLOCK_COUNT = "block_count";
        CONTEXT_LENGTH = "context_length";
        EMBEDDING_LENGTH = "embedding_length";
        FULL_ATTENTION_INTERVAL = "full_attention_interval";
        LEADING_DENSE_BLOCK_COUNT = "leading_dense_block_count";
        NEXTN_PREDICT_LAYERS = "nextn_predict_layers";
        COMPRESS_RATIOS = "attention.compress_ratios";
        COMPRESS_ROPE_FREQ_BASE = "attention.compress_rope_freq_base";
        HEAD_COUNT = "attention.head_count";
        HEAD_COUNT_KV = "attention.head_count_kv";
        KEY_LENGTH = "attention.key_length";
        KEY_LENGTH_MLA = "attention.key_length_mla";
        KEY_LENGTH_SWA = "attention.key_length_swa";
        RECURRENT_LAYERS = "attention.recurrent_layers";
        ROPE_PATTERN = "attention.rope_pattern";
        SLIDING_WINDOW = "attention.sliding_window";
        SLIDING_WINDOW_PATTERN = "attention.sliding_window_pattern";
        TEMPERATURE_SCALE = "attention.temperature_scale";
        DIMENSION_COUNT = "rope.dimension_count";
        DIMENSION_COUNT_SWA = "rope.dimension_count_swa";
        DIMENSION_SECTIONS = "rope.dimension_sections";
        FREQ_BASE = "rope.freq_base";
        FREQ_BASE_SWA = "rope.freq_base_swa";
        SCALE_LINEAR = "rope.scale_linear";
        SCALING_ALPHA = "rope.scaling.alpha";
        SCALING_ATTN_FACTOR = "rope.scaling.attn_factor";
        SCALING_FACTOR = "rope.scaling.factor";
        SCALING_FINETUNED = "rope.scaling.finetuned";
        SCALING_ORIGINAL_CONTEXT_LENGTH = "rope.scaling.original_context_length";
        SCALING_TYPE = "rope.scaling.type";
        SCALING_YARN_ATTN_FACTOR = "rope.scaling.yarn_attn_factor";
        SCALING_YARN_BETA_FAST = "rope.scaling.yarn_beta_fast";
        SCALING_YARN_BETA_SLOW = "rope.scaling.yarn_beta_slow";
        SCALING_YARN_EXT_FACTOR = "rope.scaling.yarn_ext_factor";
        SCALING_YARN_LOG_MULTIPLIER = "rope.scaling.yarn_log_multiplier";
        ROPE_FACTORS_LONG = "rope_factors_long.weight";
        ROPE_FACTORS_SHORT = "rope_factors_short.weight";
        ROPE_FREQS = "rope_freqs.weight";
    }
}

impl Place {
    fn is_in_dict(self) -> bool {
        matches!(self, Self::Dict | Self::Either | Self::EitherUnchecked)
    }

    fn is_in_any_config(self) -> bool {
        !matches!(self, Self::Dict | Self::Known)
    }

    fn must_agree(self) -> bool {
        matches!(self, Self::Root | Self::Either)
    }
}

/// Returns the names of a role.
pub(super) fn named(role: Role) -> impl Iterator<Item = Name> {
    FIELDS.iter().filter(move |(.., found)| *found == role).map(|(name, ..)| *name)
}

/// Returns true if a dictionary of rope parameters may have this name. Other names are typing
/// errors, or not known here.
pub(super) fn is_of_dict(name: &str) -> bool {
    FIELDS.iter().any(|(known, place, _)| *name == *known && place.is_in_dict())
}

/// Returns true if a config of an unknown class may have this name outside of a dictionary.
pub(super) fn is_of_config(name: &str) -> bool {
    FIELDS.iter().any(|(known, place, _)| *name == *known && place.is_in_any_config())
}

/// Returns the names that must agree at the root of a composite config and in its `text_config`.
pub(super) fn of_text() -> impl Iterator<Item = Name> {
    FIELDS.iter().filter(|(_, place, _)| place.must_agree()).map(|(name, ..)| *name)
}

/// Returns the parameters of scalings, and the types that use them.
pub(super) fn of_scalings() -> impl Iterator<Item = (Name, &'static [&'static str])> {
    FIELDS.iter().filter_map(|(name, _, role)| match role {
        Role::Of(types) => Some((*name, *types)),
        _ => None,
    })
}

/// Returns the type of a rotation, with aliases resolved.
pub(super) fn rope_type(name: &str) -> Option<&'static str> {
    match name {
        "default" | "mrope" | "axial" => Some("default"),
        "linear" => Some("linear"),
        "dynamic" | "xdrope" => Some("dynamic"),
        "ntk" => Some("ntk"),
        "yarn" => Some("yarn"),
        "longrope" | "su" => Some("longrope"),
        "llama3" => Some("llama3"),
        "proportional" => Some("proportional"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{field, key};

    #[test]
    fn names_are_there_once() {
        let fields: Vec<_> = field::FIELDS.iter().map(|(name, ..)| *name).collect();
        for names in [&fields[..], key::KEYS] {
            for (index, name) in names.iter().enumerate() {
                assert!(!names[..index].contains(name), "{name}");
            }
        }
    }
}
