//! The list of all field names: what each means, and where it may occur in a config.

use Place::{Dict, Either, EitherUnchecked, Root, RootUnchecked};
use Role::*;

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
    /// In a dictionary, or as for [`RootUnchecked`].
    EitherUnchecked,
}

/// The role of a field. Fields with different names and one role mean the same.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Role {
    /// A dictionary of rope parameters.
    Parameters,
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

const FIELDS: &[(&str, Place, Role)] = &[
    ("rope_parameters", Root, Parameters),
    ("rope_scaling", Root, Parameters),
    ("rope_type", Dict, Kind),
    ("type", Dict, Kind),
    ("rope_theta", Either, MainBase),
    ("rotary_emb_base", Root, MainBase),
    ("global_rope_theta", Root, MainBase),
    ("rope_local_base_freq", Root, LocalBase),
    ("local_rope_theta", Root, LocalBase),
    ("swa_rope_theta", Root, LocalBase),
    ("rope_local_theta", Root, LocalBase),
    ("rope_ratio", Root, Other),
    ("partial_rotary_factor", Either, Part),
    ("partial_rotary_factors", Root, Other),
    ("rotary_pct", Root, Part),
    ("rope_pct", Root, Part),
    ("rotary_emb_fraction", Root, Part),
    ("rotary_dim", Root, Other),
    ("qk_nope_head_dim", Root, Other),
    ("qk_rope_head_dim", Root, Other),
    ("head_dim", RootUnchecked, HeadDim),
    ("kv_channels", RootUnchecked, HeadDim),
    ("hidden_size", RootUnchecked, Width),
    ("n_embd", RootUnchecked, Width),
    ("num_attention_heads", RootUnchecked, Heads),
    ("n_head", RootUnchecked, Heads),
    ("rope_interleave", Root, Neighbours),
    ("rotary_emb_interleaved", RootUnchecked, Neighbours),
    (
        "factor",
        Dict,
        Of(&["linear", "dynamic", "ntk", "yarn", "longrope", "llama3", "proportional"]),
    ),
    ("attention_factor", Dict, Of(&["yarn", "longrope"])),
    ("attn_factor", Dict, Of(&[])),
    ("beta_fast", Dict, Of(&["yarn"])),
    ("beta_slow", Dict, Of(&["yarn"])),
    ("mscale", Dict, Of(&["yarn"])),
    ("mscale_all_dim", Dict, Of(&["yarn"])),
    ("truncate", Dict, Of(&["yarn"])),
    ("alpha", Dict, Of(&["dynamic"])),
    ("short_factor", Dict, Of(&["longrope"])),
    ("long_factor", Dict, Of(&["longrope"])),
    ("short_mscale", Dict, Of(&["longrope"])),
    ("long_mscale", Dict, Of(&["longrope"])),
    ("low_freq_factor", Dict, Of(&["llama3"])),
    ("high_freq_factor", Dict, Of(&["llama3"])),
    ("original_max_position_embeddings", Either, Length),
    ("max_position_embeddings", EitherUnchecked, Length),
    ("mrope_section", Dict, Sections),
    ("xdrope_section", Dict, Sections),
    ("mrope_interleaved", Dict, InterleavedSections),
    ("interleaved", Dict, InterleavedSections),
    ("llama_4_scaling_beta", Dict, Other),
    ("finetuned", Dict, Other),
    ("num_hidden_layers", RootUnchecked, LayerCount),
    ("n_layer", RootUnchecked, LayerCount),
    ("num_layers", RootUnchecked, LayerCount),
    ("layer_types", Root, LayerList),
    ("layer_rope_theta", Root, LayerList),
    ("no_rope_layers", Root, LayerList),
    ("hybrid_layer_pattern", Root, LayerList),
    ("position_embedding_type", Root, Other),
    ("alibi", Root, Other),
    ("use_alibi", Root, Other),
    ("use_mem_rope", Root, Other),
    ("use_mla", Root, Other),
    ("use_dynamic_ntk", Root, Other),
    ("use_logn_attn", Root, Other),
    ("seq_length", RootUnchecked, Other),
    ("original_rope", RootUnchecked, Other),
    ("use_mrope", RootUnchecked, Other), // says only whether there are sections
];

impl Place {
    fn is_in_dict(self) -> bool {
        matches!(self, Dict | Either | EitherUnchecked)
    }
}

/// Returns the names of a role.
pub(super) fn named(role: Role) -> impl Iterator<Item = &'static str> {
    FIELDS.iter().filter(move |(.., found)| *found == role).map(|(name, ..)| *name)
}

/// Returns true if a dictionary of rope parameters may have this name. Other names are typing
/// errors, or not known here.
pub(super) fn is_of_dict(name: &str) -> bool {
    FIELDS.iter().any(|(known, place, _)| *known == name && place.is_in_dict())
}

/// Returns true if a config may have this name outside of a dictionary.
pub(super) fn is_of_config(name: &str) -> bool {
    FIELDS.iter().any(|(known, place, _)| *known == name && *place != Dict)
}

/// Returns the names that must agree at the root of a composite config and in its `text_config`.
pub(super) fn of_text() -> impl Iterator<Item = &'static str> {
    FIELDS.iter().filter(|(_, place, _)| matches!(place, Root | Either)).map(|(name, ..)| *name)
}

/// Returns the parameters of scalings, and the types that use them.
pub(super) fn of_scalings() -> impl Iterator<Item = (&'static str, &'static [&'static str])> {
    FIELDS.iter().filter_map(|(name, _, role)| match role {
        Of(types) => Some((*name, *types)),
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
    use super::FIELDS;

    #[test]
    fn names_are_there_once() {
        for (index, (name, ..)) in FIELDS.iter().enumerate() {
            assert!(FIELDS[..index].iter().all(|(other, ..)| other != name), "{name}");
        }
    }
}
