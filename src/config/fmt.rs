//! What a config says of rotations, in a line or two.

use core::fmt;

use super::model::ModelRotary;
use super::rotaries::{Held, LayerRotaries};
use super::spec::RotarySpec;
use crate::frequencies::scaling::{Regime, Scaling};
use crate::short::Short;

/// Shows the rotation as a caption, such as `dim 64 of 80, base 10000, halves, linear(8)`.
impl fmt::Display for RotarySpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { dim, head_dim, base, pairing, scaling, .. } = self;
        write!(f, "dim {dim} of {head_dim}, base {base}, {pairing}")?;
        if *scaling != Scaling::None {
            write!(f, ", {scaling}")?;
        }
        if let Some((sections, order)) = &self.sections {
            write!(f, ", {order:?} {}", Short(sections))?;
        }
        self.grid.map_or(Ok(()), |order| write!(f, ", {order:?}"))
    }
}

impl fmt::Debug for RotarySpec {
    /// Omits fields that change nothing: factors of 1, and what is `None`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("RotarySpec");
        shown.field("dim", &self.dim);
        if self.frequency_dim != self.dim {
            shown.field("frequency_dim", &self.frequency_dim);
        }
        shown.field("head_dim", &self.head_dim).field("base", &self.base);
        if self.scaling != Scaling::None {
            shown.field("scaling", &format_args!("{}", self.scaling));
        }
        for (name, factor) in [
            ("attention_factor", self.attention_factor),
            ("short_attention_factor", self.short_attention_factor),
            ("softmax_factor", self.softmax_factor),
        ] {
            if factor != 1.0 {
                shown.field(name, &factor);
            }
        }
        shown.field("pairing", &self.pairing);
        if self.on_last_features {
            shown.field("on_last_features", &true);
        }
        if let Some((sections, order)) = &self.sections {
            shown.field("sections", &(Short(sections), order));
        }
        if let Some(grid) = &self.grid {
            shown.field("grid", grid);
        }
        if let Some(divisors) = &self.divisors {
            shown.field("divisors", &Short(divisors));
        }
        shown.finish_non_exhaustive()
    }
}

/// The types of layers: each of up to two, and the number of the others.
struct Kinds<'a, T>(&'a [(String, Option<T>)]);

impl<T: fmt::Display> fmt::Debug for Kinds<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_map();
        for (name, kind) in self.0.iter().take(2) {
            match kind {
                Some(kind) => shown.entry(name, &format_args!("{kind}")),
                None => shown.entry(name, &format_args!("no positions")),
            };
        }
        match self.0.len() {
            0..=2 => shown.finish(),
            many => shown.entry(&format_args!("…"), &format_args!("{} more", many - 2)).finish(),
        }
    }
}

impl fmt::Debug for ModelRotary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ModelRotary")
            .field("types", &Kinds(&self.types))
            .field("layers", &self.layers.len())
            .field("temperature", &self.temperature)
            .finish()
    }
}

impl fmt::Display for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.rotary.regime() {
            Regime::Fixed => self.spec.fmt(f),
            regime => write!(f, "{}, {regime:?}", self.spec),
        }
    }
}

impl fmt::Debug for LayerRotaries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LayerRotaries")
            .field("types", &Kinds(&self.types))
            .field("layers", &self.layers.len())
            .finish()
    }
}
