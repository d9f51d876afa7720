//! The columns of the table in [`families`](super::families): what is known about a model family.

use super::fields::{Name, field};
use crate::rotary::{AxialOrder, Pairing, Sections};

/// The conventions of a family of models, and the defaults of its config class.
#[derive(Clone, Copy, Debug)]
pub(super) struct Family {
    /// The pairing.
    pub(super) pairing: Pairing,
    /// The base where the config has none; `None` if the config must have one.
    pub(super) base: Option<f64>,
    /// The fraction of the head that is rotated where the config does not say.
    pub(super) part: f64,
    /// The width of a head where the config does not say and it is not the hidden size divided by
    /// the heads.
    pub(super) head_dim: Option<usize>,
    /// The width of heads in full-attention layers, where they have their own (`global_head_dim`).
    pub(super) full_head_dim: Option<usize>,
    /// The number of rotated features where the config does not say (`rotary_dim`).
    pub(super) rotary_dim: Option<usize>,
    /// The two parts of \[NoPE | RoPE\] heads, where the config does not say.
    pub(super) latent: Option<Latent>,
    /// Whether an odd number of rotated features is rounded up to whole pairs, as in most classes.
    pub(super) rounds_odd_parts: bool,
    pub(super) layers: Layers,
    /// Whether the last layer has full attention, whatever the config says.
    pub(super) ends_full: bool,
    /// How pairs are divided among time, height and width where the config does not say.
    pub(super) sections: Option<(&'static [usize], Sections)>,
    /// The query temperature of layers without positions.
    pub(super) temperature: Option<Temperature>,
    /// Rope parameters, as JSON, where the config has none, for classes whose defaults are not
    /// plain.
    pub(super) parameters: Option<&'static str>,
    /// A value of `position_embedding_type` that configs contain and the class does not read.
    pub(super) unread_type: Option<&'static str>,
    /// The types of layers without positions, by their names in `layer_types`.
    pub(super) still: &'static [&'static str],
    /// The names of types of layers in the rope parameters, where they differ.
    pub(super) labels: &'static [(&'static str, &'static str)],
    /// Fields that configs contain and the class does not read.
    pub(super) unread: &'static [Name],
    /// Fields with other names in this class, as (its name, the usual one); a dot precedes a field
    /// of a part.
    pub(super) renamed: &'static [(&'static str, Name)],
    /// A field that must be true for any layer to rotate.
    pub(super) rotates_if: Option<Name>,
    /// Whether layers rotate only where `position_embedding_type` says so.
    pub(super) rotates_if_typed: bool,
    /// The number of layers of those models of the type that do not rotate, if others do.
    pub(super) still_layers: Option<usize>,
    /// The field that lists the types of layers as numbers from 0, and the names of these types.
    pub(super) coded: Option<(Name, &'static [&'static str])>,
    /// Whether there is a type "ntk": the base is multiplied by the factor, and all frequencies are
    /// divided by factor^(2/dim).
    pub(super) has_ntk: bool,
    /// Whether the last features of a head are rotated, for heads without separate parts.
    pub(super) last: bool,
    /// Whether the width need not be a multiple of the number of heads.
    pub(super) uneven_heads: bool,
    /// Whether `alpha` makes the dynamic scaling static.
    pub(super) static_alpha: bool,
    /// The base of compressed layers, which are the only scaled ones.
    pub(super) compressed_base: Option<f64>,
    /// The order of rows and columns of an image's patches.
    pub(super) grid: Option<AxialOrder>,
    /// Why a `rope_ratio` is refused where the caller does not give its meaning.
    pub(super) ratio: &'static str,
    /// The sizes where the config does not say.
    pub(super) sizes: Option<Sizes>,
    /// Why this crate has no rotation for the class, and what to use instead.
    pub(super) reason: Option<&'static str>,
}

/// The default sizes of a class; 0 stands for none.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sizes {
    pub(super) hidden_size: usize,
    pub(super) heads: usize,
    pub(super) layers: usize,
    pub(super) positions: usize,
}

/// The parts of a head of multi-head latent attention.
#[derive(Clone, Copy, Debug)]
pub(super) struct Latent {
    pub(super) nope: usize,
    pub(super) rope: usize,
}

/// The defaults of `attn_scale` and `floor_scale`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Temperature {
    pub(super) scale: f64,
    pub(super) floor: f64,
}

/// How the types of layers alternate where the config does not list them: one layer in each `every`
/// is special.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Layers {
    /// 1 if all layers are the same, [`LISTED`] if the config must list the types.
    pub(super) every: usize,
    /// The field of a config that overrides this number.
    pub(super) field: Option<Name>,
    /// Whether the special layer is the first of each `every`, or the last.
    pub(super) first: bool,
    pub(super) special: Type,
    pub(super) others: Type,
    /// The meaning of a `sliding_window` of null.
    pub(super) without_window: WithoutWindow,
}

/// A type of layers, by its name in `layer_types`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Type {
    pub(super) name: &'static str,
    pub(super) rotation: Rotation,
}

/// How the layers of a type are rotated.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Rotation {
    /// By the main parameters of the config.
    Main,
    /// With the base of local layers.
    Local(Local),
    /// No rotation.
    None,
}

/// The parameters of local layers that differ from the main ones.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Local {
    /// The base where the config has none; `None` stands for the base of the other layers.
    pub(super) base: Option<f64>,
    /// Whether the config's scaling applies to them, too.
    pub(super) scaled: bool,
    /// Whether a base of null stands for the base of the other layers.
    pub(super) null_is_main: bool,
}

/// The meaning of a `sliding_window` of null to a class.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum WithoutWindow {
    /// A null does not affect positions.
    Same,
    /// All layers have full attention, and are rotated.
    AllRotate,
    /// The config is incomplete.
    Refused,
}

/// The value of `every` for which the config must list the types of layers.
pub(super) const LISTED: usize = 0;

/// The names of types of layers.
pub(super) const ALL: &str = "all";
pub(super) const FULL: &str = "full_attention";
pub(super) const SLIDING: &str = "sliding_attention";
pub(super) const LINEAR: &str = "linear_attention";
pub(super) const ROPE: &str = "rope";
pub(super) const NO_ROPE: &str = "no_rope";
pub(super) const MAIN: &str = "main";
pub(super) const COMPRESS: &str = "compress";

const fn typed(name: &'static str, rotation: Rotation) -> Type {
    Type { name, rotation }
}

impl Layers {
    /// All layers are the same, unless the config lists types.
    pub(super) const SAME: Self = Self {
        every: 1,
        field: None,
        first: false,
        special: typed(ALL, Rotation::Main),
        others: typed(ALL, Rotation::Main),
        without_window: WithoutWindow::Same,
    };

    /// No layer has positions.
    pub(super) const NONE: Self = Self {
        special: typed(ALL, Rotation::None),
        others: typed(ALL, Rotation::None),
        ..Self::SAME
    };

    /// The last of each `every` has full attention; the others have sliding windows, without
    /// scaling, and their own base or the same.
    pub(super) const fn full_after_sliding(every: usize, base: Option<f64>) -> Self {
        let local = Local { base, scaled: false, null_is_main: false };
        Self {
            every,
            field: Some(field::SLIDING_WINDOW_PATTERN),
            special: typed(FULL, Rotation::Main),
            others: typed(SLIDING, Rotation::Local(local)),
            ..Self::SAME
        }
    }

    /// The first of each `every` has full attention; the others have sliding windows, with scaling
    /// and their own base.
    pub(super) const fn full_before_sliding(every: usize, base: f64) -> Self {
        let local = Local { base: Some(base), scaled: true, null_is_main: true };
        Self {
            every,
            field: Some(field::GLOBAL_ATTN_EVERY_N_LAYERS),
            first: true,
            special: typed(FULL, Rotation::Main),
            others: typed(SLIDING, Rotation::Local(local)),
            ..Self::SAME
        }
    }

    /// The last of each `every` has no positions.
    pub(super) const fn none_in_each(every: usize) -> Self {
        Self {
            every,
            field: Some(field::NO_ROPE_LAYER_INTERVAL),
            special: typed(NO_ROPE, Rotation::None),
            others: typed(ROPE, Rotation::Main),
            ..Self::SAME
        }
    }

    /// The last of each `every` has full attention without positions; the others have sliding
    /// windows and positions.
    pub(super) const fn sliding_only(every: usize, without_window: WithoutWindow) -> Self {
        Self {
            every,
            field: Some(field::SLIDING_WINDOW_PATTERN),
            special: typed(FULL, Rotation::None),
            others: typed(SLIDING, Rotation::Main),
            without_window,
            ..Self::SAME
        }
    }

    /// The last of each `every` has full attention with positions; the others have linear attention
    /// without.
    pub(super) const fn linear_between(every: usize) -> Self {
        Self {
            every,
            field: Some(field::FULL_ATTENTION_INTERVAL),
            special: typed(FULL, Rotation::Main),
            others: typed(LINEAR, Rotation::None),
            ..Self::SAME
        }
    }

    /// Returns the two types, in the order in which a model lists them.
    pub(super) fn types(&self) -> [Type; 2] {
        if self.special.name == NO_ROPE {
            [self.others, self.special]
        } else {
            [self.special, self.others]
        }
    }

    /// Returns the parameters of local layers, if there are such layers.
    pub(super) fn local(&self) -> Option<Local> {
        match self.others.rotation {
            Rotation::Local(local) => Some(local),
            _ => None,
        }
    }

    /// Returns the type of the layer at `index`, counted from 0, where one in `every` is special.
    pub(super) fn at(&self, index: usize, every: usize) -> Type {
        let place = if self.first { index } else { index + 1 };
        if place.is_multiple_of(every) { self.special } else { self.others }
    }
}

/// The most common family: halves, base 10000, whole heads, all layers the same.
pub(super) const HALVES: Family = Family {
    pairing: Pairing::Halves,
    base: Some(10_000.0),
    part: 1.0,
    head_dim: None,
    full_head_dim: None,
    rotary_dim: None,
    latent: None,
    rounds_odd_parts: true,
    layers: Layers::SAME,
    ends_full: false,
    sections: None,
    temperature: None,
    parameters: None,
    unread_type: None,
    still: &[],
    labels: &[],
    unread: &[],
    renamed: &[],
    rotates_if: None,
    rotates_if_typed: false,
    still_layers: None,
    coded: None,
    has_ntk: false,
    last: false,
    uneven_heads: false,
    static_alpha: false,
    compressed_base: None,
    grid: None,
    ratio: "no field tells whether it divides positions or multiplies the base: choose with \
        from_json_with_rope_ratio",
    sizes: None,
    reason: None,
};

/// A class whose pairs are neighbours.
pub(super) const NEIGHBOURS: Family = Family { pairing: Pairing::Interleaved, ..HALVES };

/// A class without a rotation in this crate, for the given reason.
pub(super) const fn not_read(reason: &'static str) -> Family {
    Family { reason: Some(reason), ..HALVES }
}

/// Setters for columns that differ from [`HALVES`].
impl Family {
    pub(super) const fn base(self, base: f64) -> Self {
        Self { base: Some(base), ..self }
    }

    /// Requires a base in the config, since versions of the class disagree on it.
    pub(super) const fn needs_base(self) -> Self {
        Self { base: None, ..self }
    }

    pub(super) const fn part(self, part: f64) -> Self {
        Self { part, ..self }
    }

    pub(super) const fn head_dim(self, head_dim: usize) -> Self {
        Self { head_dim: Some(head_dim), ..self }
    }

    pub(super) const fn full_head_dim(self, head_dim: usize) -> Self {
        Self { full_head_dim: Some(head_dim), ..self }
    }

    pub(super) const fn rotary_dim(self, dim: usize) -> Self {
        Self { rotary_dim: Some(dim), ..self }
    }

    pub(super) const fn latent(self, nope: usize, rope: usize) -> Self {
        Self { latent: Some(Latent { nope, rope }), ..self }
    }

    /// Makes an odd number of rotated features an error, as in the class.
    pub(super) const fn even_parts(self) -> Self {
        Self { rounds_odd_parts: false, ..self }
    }

    pub(super) const fn layers(self, layers: Layers) -> Self {
        Self { layers, ..self }
    }

    pub(super) const fn ends_full(self) -> Self {
        Self { ends_full: true, ..self }
    }

    pub(super) const fn chunked(self, sections: &'static [usize]) -> Self {
        Self { sections: Some((sections, Sections::Chunked)), ..self }
    }

    pub(super) const fn interleaved(self, sections: &'static [usize]) -> Self {
        Self { sections: Some((sections, Sections::Interleaved)), ..self }
    }

    pub(super) const fn sections(self, sections: &'static [usize], order: Sections) -> Self {
        Self { sections: Some((sections, order)), ..self }
    }

    pub(super) const fn still(self, types: &'static [&'static str]) -> Self {
        Self { still: types, ..self }
    }

    pub(super) const fn unread(self, names: &'static [Name]) -> Self {
        Self { unread: names, ..self }
    }

    pub(super) const fn renamed(self, names: &'static [(&'static str, Name)]) -> Self {
        Self { renamed: names, ..self }
    }

    pub(super) const fn rotates_if(self, name: Name) -> Self {
        Self { rotates_if: Some(name), ..self }
    }

    pub(super) const fn rotates_if_typed(self) -> Self {
        Self { rotates_if_typed: true, ..self }
    }

    pub(super) const fn still_at(self, layers: usize) -> Self {
        Self { still_layers: Some(layers), ..self }
    }

    pub(super) const fn coded(self, field: Name, names: &'static [&'static str]) -> Self {
        Self { coded: Some((field, names)), ..self }
    }

    pub(super) const fn has_ntk(self) -> Self {
        Self { has_ntk: true, ..self }
    }

    pub(super) const fn uneven_heads(self) -> Self {
        Self { uneven_heads: true, ..self }
    }

    pub(super) const fn static_alpha(self) -> Self {
        Self { static_alpha: true, ..self }
    }

    pub(super) const fn grid(self, order: AxialOrder) -> Self {
        Self { grid: Some(order), ..self }
    }

    pub(super) const fn temperature(self, scale: f64, floor: f64) -> Self {
        Self { temperature: Some(Temperature { scale, floor }), ..self }
    }

    pub(super) const fn ratio(self, reason: &'static str) -> Self {
        Self { ratio: reason, ..self }
    }

    pub(super) const fn sizes(
        self,
        hidden_size: usize,
        heads: usize,
        layers: usize,
        positions: usize,
    ) -> Self {
        Self { sizes: Some(Sizes { hidden_size, heads, layers, positions }), ..self }
    }

    pub(super) const fn parameters(self, json: &'static str) -> Self {
        Self { parameters: Some(json), ..self }
    }

    pub(super) const fn unread_type(self, value: &'static str) -> Self {
        Self { unread_type: Some(value), ..self }
    }
}
