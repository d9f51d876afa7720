//! The widths of heads, and the number of features that are rotated.

use super::family::FULL;
use super::fields::field::{QK_NOPE_HEAD_DIM as NOPE, QK_ROPE_HEAD_DIM as ROPE};
use super::fields::{Name, Role, field};
use super::json::Fields;
use super::reader::{LIMIT, Reader};
use crate::error::Error;

/// The widths of a [`RotarySpec`](super::spec::RotarySpec).
pub(super) struct Dims {
    pub(super) dim: usize,
    pub(super) frequency_dim: usize,
    pub(super) head_dim: usize,
}

impl Reader<'_> {
    /// Returns the widths of a rotation; `stated` is the rotated fraction that the config gives.
    pub(super) fn dims(
        &self,
        rope_type: &str,
        stated: Option<f64>,
        kind: Option<&str>,
    ) -> Result<Dims, Error> {
        let head_dim = self.head_dim(kind)?;
        let latent = self.is_latent();
        let own = if self.family.last { ROPE } else { field::ROTARY_DIM };
        let given = self.fields.count(own)?;
        let frequency_dim = match given.or(self.family.rotary_dim) {
            Some(dim) => dim,
            None if latent => self.latent_part(ROPE)?,
            None if rope_type == "proportional" => head_dim,
            None => (head_dim as f64 * stated.unwrap_or(self.family.part)) as usize,
        };
        // transformers rounds an odd number of features up. It cannot where the class reads the
        // fraction again, or where a scaling depends on the number of features.
        let rounds = given.is_none()
            && !latent
            && self.family.rounds_odd_parts
            && matches!(rope_type, "default" | "linear" | "llama3" | "longrope");
        let dim = if rounds { frequency_dim.next_multiple_of(2) } else { frequency_dim };
        if dim > head_dim || dim == 0 || !dim.is_multiple_of(2) {
            let name = match given {
                Some(_) => own,
                None if latent => ROPE,
                None => field::PARTIAL_ROTARY_FACTOR,
            };
            let expected = "such that a positive, even number of the head's features rotates";
            return Err(self.fields.not_a(name, expected));
        }
        if latent && dim != self.latent_part(ROPE)? {
            return Err(self.fields.contradicts(field::ROTARY_DIM, &ROPE));
        }
        // In transformers, some latent heads count their rotated part as the whole, and others take
        // a fraction of the `head_dim` that the config gives.
        let stated_heads = self.fields.count(field::HEAD_DIM)?;
        let is_part = |part: f64| {
            (head_dim as f64 * part - dim as f64).abs() <= 1.0
                || latent && given.is_none() && part == 1.0
                || latent && stated_heads.is_some_and(|heads| heads as f64 * part == dim as f64)
        };
        if let (Some(part), true) = (stated, latent || given.is_some())
            && !is_part(part)
        {
            let name = if given.is_some() { own } else { ROPE };
            return Err(self.fields.contradicts(name, &field::PARTIAL_ROTARY_FACTOR));
        }
        Ok(Dims { dim, frequency_dim, head_dim })
    }

    /// Returns true if heads are \[NoPE | RoPE\], as in multi-head latent attention: by their
    /// fields, whatever the model's name.
    pub(super) fn is_latent(&self) -> bool {
        if self.family.last || self.fields.flag(field::USE_MLA) == Ok(Some(false)) {
            return false;
        }
        let names = [ROPE, NOPE, field::KV_LORA_RANK];
        self.family.latent.is_some() || names.iter().any(|name| self.fields.get(*name).is_some())
    }

    /// Returns the width of a part of a latent head, rotated or not.
    fn latent_part(&self, name: Name) -> Result<usize, Error> {
        let own = self.family.latent.map(|own| if name == NOPE { own.nope } else { own.rope });
        self.fields.need(name, self.fields.count(name)?.or(own))
    }

    /// Returns the width of the part that is not rotated in layers of a type.
    fn nope_part(&self, kind: Option<&str>) -> Result<usize, Error> {
        match self.listed(NOPE, kind)? {
            Some(width) => Ok(width),
            None => self.latent_part(NOPE),
        }
    }

    fn head_dim(&self, kind: Option<&str>) -> Result<usize, Error> {
        let fields = &self.fields;
        if self.is_latent() {
            let nope = limited(fields, NOPE, self.nope_part(kind)?)?;
            return Ok(nope + limited(fields, ROPE, self.latent_part(ROPE)?)?);
        }
        if let Some(head_dim) = self.wide_head_dim(kind)? {
            return Ok(head_dim);
        }
        let stated = fields.of_role(Role::HeadDim, Fields::count)?;
        // A null stands for a share of the model's width, not for the default of the class.
        let own = self.family.head_dim.filter(|_| !fields.is_null(field::HEAD_DIM));
        if let Some(head_dim) = stated.or(own) {
            return limited(fields, field::HEAD_DIM, head_dim);
        }
        let width = fields.of_role(Role::Width, Fields::count)?;
        let width = fields.need(field::HIDDEN_SIZE, width)?;
        let heads = fields.of_role(Role::Heads, Fields::count)?;
        let heads = fields.need(field::NUM_ATTENTION_HEADS, heads)?;
        if heads == 0 || !width.is_multiple_of(heads) && !self.family.uneven_heads {
            return Err(fields.not_a(field::NUM_ATTENTION_HEADS, "a divisor of hidden_size"));
        }
        limited(fields, field::HIDDEN_SIZE, width / heads)
    }

    /// Returns the width of heads in full-attention layers, where they have their own.
    fn wide_head_dim(&self, kind: Option<&str>) -> Result<Option<usize>, Error> {
        let (fields, listed) = (&self.fields, self.listed(field::HEAD_DIM, None)?);
        let Some(own) = self.family.full_head_dim else {
            return match listed {
                None => Ok(None),
                Some(_) => {
                    let expected =
                        "without head_dim: only heads of one width are supported for this type";
                    Err(fields.not_a(field::PER_LAYER_CONFIG, expected))
                }
            };
        };
        if kind != Some(FULL) {
            return Ok(None);
        }
        match listed {
            Some(head_dim) => limited(fields, field::PER_LAYER_CONFIG, head_dim).map(Some),
            // Written by transformers 5.23 and later: a missing entry is as in all layers.
            None if fields.names().any(|name| *name == field::PER_LAYER_CONFIG) => Ok(None),
            None => {
                let head_dim = fields.count(field::GLOBAL_HEAD_DIM)?.unwrap_or(own);
                limited(fields, field::GLOBAL_HEAD_DIM, head_dim).map(Some)
            }
        }
    }

    /// Returns the width under `name` that `per_layer_config` gives to some layers, of the given
    /// type if types are listed.
    fn listed(&self, name: Name, kind: Option<&str>) -> Result<Option<usize>, Error> {
        let list = field::PER_LAYER_CONFIG;
        let Some(layers) = self.fields.object(list)? else { return Ok(None) };
        let path = self.fields.path(list);
        let types = kind.and(self.fields.texts(field::LAYER_TYPES)?).unwrap_or_default();
        let is_other = |layer: &str| {
            let own = layer.parse().ok().and_then(|layer: usize| types.get(layer));
            own.is_some_and(|own| Some(*own) != kind)
        };
        let mut found = None;
        for (layer, value) in layers {
            if is_other(layer) {
                continue;
            }
            let layer_path = format!("{path}.{layer}");
            let empty = serde_json::Map::new();
            let object = value.as_object();
            let fields = Fields::new(&layer_path, object.unwrap_or(&empty));
            if object.is_none() {
                return Err(fields.not_a("", "an object"));
            }
            let width = fields.count(name)?;
            if found.is_some() && width.is_some() && found != width {
                return Err(fields.not_a("", "of the same width as the other listed layers"));
            }
            found = found.or(width);
        }
        Ok(found)
    }
}

fn limited(fields: &Fields<'_>, name: Name, head_dim: usize) -> Result<usize, Error> {
    if head_dim <= LIMIT { Ok(head_dim) } else { Err(fields.not_a(name, "at most 65536")) }
}
