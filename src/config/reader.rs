//! Reads one rotation from the fields of a `config.json`.

use serde_json::{Map, Value};

use super::family::{Family, SLIDING};
use super::fields::{Name, Role, field, is_of_dict, named, of_scalings, rope_type};
use super::json::Fields;
use super::spec::{RopeRatio, RotarySpec};
use crate::error::{ConfigProblem, Error};
use crate::frequencies::scaling::Scaling;
use crate::rotary::{Pairing, Sections};

/// A limit above the layers and features of any model, against malformed configs.
pub(super) const LIMIT: usize = 1 << 16;

/// A limit above the number of axes of any model.
pub(super) const MOST_SECTIONS: usize = 8;

/// A config, and its family.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a> {
    pub(super) fields: Fields<'a>,
    pub(super) family: Family,
    /// Whether the caller gave the pairing, for an unknown family.
    pub(super) is_given: bool,
    /// The meaning of `rope_ratio`, if the caller gave it.
    pub(super) ratio: Option<RopeRatio>,
}

/// A dictionary of rope parameters, and its path.
pub(super) type RopeDict<'a> = (String, &'a Map<String, Value>);

/// Returns the dictionary of rope parameters by either of its names, and its path.
pub(super) fn rope_dict<'a>(fields: &Fields<'a>) -> Result<Option<RopeDict<'a>>, Error> {
    let dict = fields.of_role(Role::Parameters, Fields::object)?;
    Ok(dict.zip(fields.name_of(Role::Parameters)).map(|(dict, name)| (fields.path(name), dict)))
}

impl Reader<'_> {
    /// Returns the rotation that `dict` describes, for the layers named `kind` if there are several
    /// types.
    pub(super) fn spec(
        &self,
        dict: Option<Fields<'_>>,
        kind: Option<&str>,
    ) -> Result<RotarySpec, Error> {
        let empty = Map::new();
        let dict = dict.unwrap_or(Fields::new(&field::ROPE_PARAMETERS, &empty));
        if let Some(name) = dict.names().find(|name| !is_of_dict(name)) {
            return Err(dict.unknown(name, name));
        }
        let rope_type = self.rope_type(&dict)?;
        let alpha = self.alpha(&dict, rope_type)?;
        if alpha.is_none() {
            unused(&dict, rope_type)?;
        }
        let stated = self.part(&dict, kind)?;
        let dims = self.dims(rope_type, stated, kind)?;
        let mut spec = RotarySpec {
            dim: dims.dim,
            frequency_dim: dims.frequency_dim,
            head_dim: dims.head_dim,
            base: self.base(&dict, kind)?,
            scaling: Scaling::None,
            attention_factor: 1.0,
            short_attention_factor: 1.0,
            softmax_factor: 1.0,
            pairing: self.pairing()?,
            on_last_features: self.is_latent() || self.family.last,
            sections: self.sections(&dict, dims.dim / 2)?,
            grid: self.family.grid,
            divisors: None,
        };
        match alpha {
            Some(factor) => spec.scaling = Scaling::Ntk { factor },
            None => self.scale(&mut spec, &dict, rope_type, stated.unwrap_or(self.family.part))?,
        }
        self.scale_beside(&mut spec)?;
        try_out(&spec, &dict)?;
        Ok(spec)
    }

    /// Returns the rotation of local layers: another base, and no scaling unless the family scales
    /// local layers, too.
    pub(super) fn local(&self, main: &RotarySpec, base: f64) -> Result<RotarySpec, Error> {
        if self.fields.count(field::SWA_HEAD_DIM)?.is_some_and(|head_dim| head_dim != main.head_dim)
        {
            let other = "head_dim: only heads of one width are supported";
            return Err(self.fields.contradicts(field::SWA_HEAD_DIM, other));
        }
        let name = self.fields.name_of(Role::LocalBase).unwrap_or(field::ROPE_THETA);
        let scaled = RotarySpec { base: self.checked_base(name, base)?, ..main.clone() };
        let spec = match self.family.layers.local() {
            Some(local) if local.scaled => scaled,
            _ => RotarySpec {
                scaling: Scaling::None,
                attention_factor: 1.0,
                short_attention_factor: 1.0,
                softmax_factor: 1.0,
                ..scaled
            },
        };
        let path = self.fields.path(name);
        try_out(&spec, &Fields::new(&path, &Map::new()))?;
        Ok(spec)
    }

    /// Returns the type by either of its names, with aliases resolved.
    fn rope_type(&self, dict: &Fields<'_>) -> Result<&'static str, Error> {
        let read = |fields: &Fields<'_>, name: Name| -> Result<Option<&'static str>, Error> {
            let Some(found) = fields.text(name)? else { return Ok(None) };
            let known = rope_type(found).filter(|kind| *kind != "ntk" || self.family.has_ntk);
            known.ok_or_else(|| fields.unknown(name, found)).map(Some)
        };
        match dict.of_role(Role::Kind, read)? {
            Some(rope_type) => Ok(rope_type),
            // Parameters without a type would be ignored.
            None if scales(dict) => Err(dict.error(field::ROPE_TYPE, ConfigProblem::Missing)),
            None => Ok("default"),
        }
    }

    /// Returns the pairing of the family or the caller. `rope_interleave` changes it for latent
    /// heads, and otherwise must agree.
    pub(super) fn pairing(&self) -> Result<Pairing, Error> {
        let own = self.family.pairing;
        let said = match self.fields.of_role(Role::Neighbours, Fields::flag)? {
            Some(true) => Pairing::Interleaved,
            Some(false) => Pairing::Halves,
            None => own,
        };
        if said == own || self.is_latent() && !self.is_given {
            return Ok(said);
        }
        let name = self.fields.name_of(Role::Neighbours).unwrap_or(field::ROPE_INTERLEAVE);
        Err(self.fields.contradicts(name, self.source_of_pairing()))
    }

    /// Returns the source of the pairing, for errors about a field that contradicts it.
    pub(super) fn source_of_pairing(&self) -> &'static str {
        if self.is_given { "the pairing given" } else { &field::MODEL_TYPE }
    }

    /// Checks that a dictionary agrees with the field beside it; nested dictionaries may differ.
    fn agree(
        &self,
        dict: &Fields<'_>,
        name: Name,
        kind: Option<&str>,
        outer: Option<f64>,
    ) -> Result<Option<f64>, Error> {
        match (dict.number(name)?, outer) {
            (Some(inner), Some(outer)) if kind.is_none() && inner != outer => {
                Err(dict.contradicts(name, &format!("{name} outside of it")))
            }
            (inner, outer) => Ok(inner.or(outer)),
        }
    }

    /// Returns the rotated fraction of the head, if the config gives it as a fraction.
    fn part(&self, dict: &Fields<'_>, kind: Option<&str>) -> Result<Option<f64>, Error> {
        let name = field::PARTIAL_ROTARY_FACTOR;
        let outer = self.fields.of_role(Role::Part, Fields::number)?;
        let part = self.agree(dict, name, kind, outer)?;
        if part.is_none_or(|part| part > 0.0 && part <= 1.0) {
            Ok(part)
        } else {
            Err(dict.not_a(name, "above 0 and at most 1"))
        }
    }

    /// Reads a static scaling of the base: `alpha`, beside which a type "dynamic" and its
    /// parameters have no effect.
    fn alpha(&self, dict: &Fields<'_>, rope_type: &str) -> Result<Option<f64>, Error> {
        let name = field::ALPHA;
        let alpha = dict.number(name)?.filter(|&alpha| alpha != 0.0);
        match alpha {
            Some(_) if !self.family.static_alpha => Err(dict.unknown(name, &name)),
            Some(_) if rope_type != "dynamic" => Ok(None), // `unused` returns the error
            alpha => Ok(alpha),
        }
    }

    fn base(&self, dict: &Fields<'_>, kind: Option<&str>) -> Result<f64, Error> {
        let local = self.family.layers.local().and_then(|local| local.base);
        let (role, default) = match local.filter(|_| kind == Some(SLIDING)) {
            Some(base) => (Role::LocalBase, Some(base)),
            None => (Role::MainBase, self.family.base),
        };
        let outer = self.fields.of_role(role, Fields::number)?;
        let found = self.agree(dict, field::ROPE_THETA, kind, outer)?.or(default);
        let base = self.fields.need(field::ROPE_THETA, found)?;
        let multiplies = self.ratio == Some(RopeRatio::MultipliesBase);
        let ratio = self.rope_ratio()?.filter(|_| multiplies).unwrap_or(1.0);
        self.checked_base(field::ROPE_THETA, base * ratio)
    }

    pub(super) fn checked_base(&self, name: Name, base: f64) -> Result<f64, Error> {
        if base > 0.0 && base.is_finite() {
            Ok(base)
        } else {
            Err(self.fields.invalid(name, Error::InvalidBase { base }))
        }
    }

    fn sections(
        &self,
        dict: &Fields<'_>,
        pairs: usize,
    ) -> Result<Option<(Vec<usize>, Sections)>, Error> {
        let name = dict.name_of(Role::Sections).unwrap_or(field::MROPE_SECTION);
        let own = self.family.sections;
        let said = dict.of_role(Role::InterleavedSections, Fields::flag)?;
        let order = match said {
            Some(true) => Sections::Interleaved,
            Some(false) => Sections::Chunked,
            None => own.map_or(Sections::Chunked, |(_, order)| order),
        };
        if self.is_given && said.is_none() && dict.get(name).is_some() {
            let reason = "models order their pairs in three ways: mrope_interleaved must say whether \
                this one interleaves them";
            return Err(dict.not_read(name, reason));
        }
        match (dict.of_role(Role::Sections, Fields::counts)?, own) {
            (Some(sections), _) if sections.len() > MOST_SECTIONS => {
                Err(dict.not_a(name, "a list of at most 8 sections"))
            }
            (Some(sections), _) => Ok(Some((sections, order))),
            (None, Some((sections, order))) => {
                Ok(own_sections(sections, order, pairs).map(|sections| (sections, order)))
            }
            (None, None) if order == Sections::Interleaved => {
                Err(dict.error(name, ConfigProblem::Missing))
            }
            (None, None) => Ok(None),
        }
    }

    /// Returns the base of local layers, if there are such layers.
    pub(super) fn local_base(&self, main: &RotarySpec) -> Result<Option<f64>, Error> {
        let stated = self.fields.of_role(Role::LocalBase, Fields::number)?;
        let Some(local) = self.family.layers.local() else { return Ok(stated) };
        let is_null = named(Role::LocalBase).any(|name| self.fields.is_null(name));
        if local.null_is_main && is_null {
            return Ok(Some(main.base));
        }
        Ok(Some(stated.or(local.base).unwrap_or(main.base)))
    }
}

/// Returns the sections of a class for a number of pairs; `None` if the class cannot divide them.
fn own_sections(sections: &[usize], order: Sections, pairs: usize) -> Option<Vec<usize>> {
    match (order, sections) {
        // Time has the remaining pairs, whatever its section says.
        (Sections::Interleaved, &[_, heights, widths]) => {
            let times = pairs.checked_sub(heights + widths)?;
            (3 * heights.max(widths) <= pairs + 2).then(|| vec![times, heights, widths])
        }
        (Sections::InTurn, []) => Some(vec![pairs.div_ceil(2), pairs / 2]),
        _ => (sections.iter().sum::<usize>() == pairs).then(|| sections.to_vec()),
    }
}

/// Returns true if there are parameters of a scaling.
fn scales(dict: &Fields<'_>) -> bool {
    of_scalings().any(|(name, _)| dict.get(name).is_some())
}

/// Checks that no parameter belongs to another type, unless it is a factor of 1.
fn unused(dict: &Fields<'_>, rope_type: &str) -> Result<(), Error> {
    let is_one = |name| dict.get(name).and_then(Value::as_f64) == Some(1.0);
    for (name, types) in of_scalings() {
        let neutral = matches!(name, field::FACTOR | field::ATTENTION_FACTOR | field::ATTN_FACTOR)
            && is_one(name);
        if dict.get(name).is_some() && !types.contains(&rope_type) && !neutral {
            return Err(dict.contradicts(name, &format!("the type {rope_type}")));
        }
    }
    Ok(())
}

/// Makes the rotation once as a check: a spec that was read can be applied.
pub(super) fn try_out(spec: &RotarySpec, dict: &Fields<'_>) -> Result<(), Error> {
    // The factors in a tensor are not known yet.
    let filled = RotarySpec { divisors: Some(vec![1.0; spec.dim / 2]), ..spec.clone() };
    let is_tensor = matches!(spec.scaling, Scaling::LongRopeTensors | Scaling::DivisorsTensor);
    let spec = if is_tensor { &filled } else { spec };
    // A short and a long length, since rotations may depend on it.
    const LENGTHS: [usize; 2] = [1, 1 << 31];
    let depends = matches!(
        spec.scaling,
        Scaling::LongRope(_) | Scaling::DynamicNtk(_) | Scaling::SteppedNtk { .. }
    );
    for &len in &LENGTHS[..1 + usize::from(depends)] {
        spec.rotary(len).map_err(|error| dict.invalid("", error))?;
    }
    Ok(())
}
