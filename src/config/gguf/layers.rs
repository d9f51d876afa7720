//! Which layers of a GGUF file slide, and which have no positions.

use serde_json::Value;

use super::super::architectures::{Layered, Tempered};
use super::super::family::{ALL, FULL, Layers, Rotation, SLIDING};
use super::super::model::ModelRotary;
use super::super::reader::{LIMIT, try_out};
use super::super::spec::{RotarySpec, Types};
use super::Model;
use crate::error::Error;
use crate::frequencies::scaling::Scaling;
use crate::rotary::QueryTemperature;

impl Model {
    /// The rotation of each layer.
    pub(super) fn layers(&self) -> Result<ModelRotary, Error> {
        let fields = self.fields();
        let count = fields.count("block_count")?.unwrap_or(0);
        if count > LIMIT {
            return Err(fields.not_a("block_count", "at most 65536"));
        }
        if self.still()?.is_some() {
            let types = vec![(ALL.to_string(), None)];
            return Ok(ModelRotary { types, layers: vec![0; count], temperature: None });
        }
        let full = self.spec()?;
        let differ = self.layers_differ()?;
        let (types, layers) = if !differ || self.row.layers.every == 1 {
            match self.local(full.clone())? {
                local if RotarySpec { scaling: full.scaling.clone(), ..local.clone() } == full => {
                    (vec![(ALL.to_string(), Some(full))], vec![0; count])
                }
                local => (pair(full, local), self.sliding(count, None)?),
            }
        } else {
            self.special_layers(full, count)?
        };
        Ok(ModelRotary { types, layers, temperature: self.temperature(differ)? })
    }

    /// Whether the layers of this file differ as the row says.
    fn layers_differ(&self) -> Result<bool, Error> {
        let fields = self.fields();
        let window = fields.number("attention.sliding_window")?;
        Ok(match self.row.layered {
            Layered::Always => true,
            Layered::WithWindow => window.is_some_and(|window| window != 0.0),
            Layered::UnlessWindowIsZero => window != Some(0.0),
            Layered::WithBlocks(blocks) => fields.count("block_count")? == Some(blocks),
        })
    }

    /// The types of layers as the row has them, and the type of each layer.
    fn special_layers(&self, full: RotarySpec, count: usize) -> Result<(Types, Vec<usize>), Error> {
        let row = &self.row.layers;
        if let Rotation::Local(local) = row.others.rotation {
            let unscaled = RotarySpec {
                base: local.base.unwrap_or(full.base),
                scaling: Scaling::None,
                attention_factor: 1.0,
                short_attention_factor: 1.0,
                ..full.clone()
            };
            let local = self.local(unscaled)?;
            return Ok((pair(full, local), self.sliding(count, Some(row))?));
        }
        let types = row.types().map(|kind| {
            let spec = (kind.rotation != Rotation::None).then(|| full.clone());
            (kind.name.to_string(), spec)
        });
        if row.others.name == SLIDING {
            return Ok((types.into(), self.sliding(count, Some(row))?));
        }
        let kind = |index| usize::from(row.at(index, row.every).name == types[1].0);
        let layers = (0..count).map(kind).collect();
        Ok((types.into(), layers))
    }

    /// The rotation of sliding layers: `spec`, but for what the keys that end in `_swa` say.
    fn local(&self, spec: RotarySpec) -> Result<RotarySpec, Error> {
        let fields = self.fields();
        let head_name = "attention.key_length_swa";
        let given = fields.count(head_name)?;
        let head_dim = given.unwrap_or(spec.head_dim);
        let dim = match fields.count("rope.dimension_count_swa")? {
            Some(_) => self.dim("rope.dimension_count_swa", (head_name, head_dim))?,
            None if head_dim > LIMIT => return Err(fields.not_a(head_name, "at most 65536")),
            None if given.is_some() => head_dim,
            None => spec.dim,
        };
        let name = "rope.freq_base_swa";
        let mut base = fields.number(name)?;
        if self.row.needs_local_base {
            base = Some(fields.need(name, base)?);
        }
        let base = base.unwrap_or(spec.base);
        // The tensor is for the full layers.
        let scaling = match spec.scaling {
            Scaling::DivisorsTensor => Scaling::None,
            scaling => scaling,
        };
        let local = RotarySpec { dim, frequency_dim: dim, head_dim, base, scaling, ..spec };
        try_out(&local, &fields)?;
        Ok(local)
    }

    /// For each layer 1 where it is a sliding one and 0 where it is a full one: as the keys list
    /// them, or the last of each n full.
    fn sliding(&self, count: usize, row: Option<&Layers>) -> Result<Vec<usize>, Error> {
        let (fields, name) = (self.fields(), "attention.sliding_window_pattern");
        if let Some(Value::Array(_)) = fields.get(name) {
            let list = fields.need(name, fields.counts(name)?)?;
            if list.len() != count {
                return Err(fields.contradicts(name, "block_count"));
            }
            return Ok(list.into_iter().map(|sliding| usize::from(sliding != 0)).collect());
        }
        let every = fields.need(name, fields.count(name)?.or(row.map(|row| row.every)))?;
        if every == 0 {
            return Err(fields.not_a(name, "a whole number from 1, or a list"));
        }
        Ok((1..=count).map(|layer| usize::from(!layer.is_multiple_of(every))).collect())
    }

    /// The temperature of queries, by code that is for layers without positions or by the file.
    fn temperature(&self, differ: bool) -> Result<Option<QueryTemperature>, Error> {
        let (fields, name) = (self.fields(), "attention.temperature_scale");
        match self.row.temperature {
            Tempered::ByCode(own) if differ => {
                QueryTemperature::llama4(own.scale, own.floor).map(Some)
            }
            Tempered::ByFile => {
                let Some(scale) = fields.number(name)?.filter(|&scale| scale != 0.0) else {
                    return Ok(None);
                };
                let original = "rope.scaling.original_context_length";
                let original = fields.need(original, fields.count(original)?)?;
                QueryTemperature::ministral3(scale, original)
                    .map(Some)
                    .map_err(|error| fields.invalid(name, error))
            }
            _ => Ok(None),
        }
    }
}

/// Full layers and sliding ones.
fn pair(full: RotarySpec, sliding: RotarySpec) -> Types {
    [(FULL, full), (SLIDING, sliding)].map(|(name, spec)| (name.to_string(), Some(spec))).into()
}
