//! Which layers of a GGUF file have sliding windows, and which have no positions.

use super::super::fields::{Name, key};
use serde_json::Value;

use super::super::families::architectures::{TemperatureSource, WhereLayersDiffer};
use super::super::family::{ALL, COMPRESS, FULL, Layers, MAIN, NO_ROPE, ROPE, Rotation, SLIDING};
use super::super::model::ModelRotary;
use super::super::reader::{LIMIT, try_out};
use super::super::spec::{RotarySpec, Types};
use super::Model;
use crate::error::Error;
use crate::frequencies::scaling::Scaling;
use crate::rotary::QueryTemperature;

impl Model {
    /// Returns the rotation of each layer.
    pub(super) fn layers(&self) -> Result<ModelRotary, Error> {
        let fields = self.fields();
        let count = fields.count(key::BLOCK_COUNT)?.unwrap_or(0);
        if count > LIMIT {
            return Err(fields.not_a(key::BLOCK_COUNT, "at most 65536"));
        }
        if self.still()?.is_some() {
            let types = vec![(ALL.to_string(), None)];
            return Ok(ModelRotary { types, layers: vec![0; count], temperature: None });
        }
        let full = self.spec()?;
        let differ = self.layers_differ()?;
        let (types, layers) = if self.row.compresses {
            self.compressed(full, count)?
        } else if !differ || self.row.layers.every == 1 {
            match self.local(full.clone())? {
                local if RotarySpec { scaling: full.scaling.clone(), ..local.clone() } == full => {
                    (vec![(ALL.to_string(), Some(full))], vec![0; count])
                }
                local => (pair(full, local), self.sliding(count, None)?),
            }
        } else {
            self.special_layers(full, count)?
        };
        let (types, layers) = without(types, layers, self.still_layers(count)?);
        Ok(ModelRotary { types, layers, temperature: self.temperature(differ)? })
    }

    /// Returns for each layer whether it has no positions, or no attention at all, where the file
    /// or the row lists such layers.
    fn still_layers(&self, count: usize) -> Result<Option<Vec<bool>>, Error> {
        let fields = self.fields();
        for (name, still) in [(key::RECURRENT_LAYERS, 1), (key::ROPE_PATTERN, 0)] {
            if let Some(Value::Array(_)) = fields.get(name) {
                let list = self.list_of_layers(name, count)?;
                return Ok(Some(list.into_iter().map(|found| found == still).collect()));
            }
        }
        if let Some(every) = self.row.attention_in_each {
            let name = key::FULL_ATTENTION_INTERVAL;
            let every = fields.count(name)?.unwrap_or(every);
            if every == 0 {
                return Err(fields.not_a(name, "a whole number from 1"));
            }
            // The last layers, which predict further tokens, have attention.
            let further = fields.count(key::NEXTN_PREDICT_LAYERS)?.unwrap_or(0);
            let own = count.saturating_sub(further);
            let still = |layer: usize| layer < own && !(layer + 1).is_multiple_of(every);
            return Ok(Some((0..count).map(still).collect()));
        }
        let name = key::HEAD_COUNT_KV;
        match fields.get(name) {
            Some(Value::Array(_)) if count > 0 => {
                let list = self.list_of_layers(name, count)?;
                Ok(Some(list.into_iter().map(|heads| heads == 0).collect()))
            }
            _ => Ok(None),
        }
    }

    /// Reads a list with a number for each layer.
    fn list_of_layers(&self, name: Name, count: usize) -> Result<Vec<usize>, Error> {
        let fields = self.fields();
        let list = fields.need(name, fields.counts(name)?)?;
        if list.len() == count {
            Ok(list)
        } else {
            Err(fields.contradicts(name, &key::BLOCK_COUNT))
        }
    }

    /// Returns the types for layers that compress, with their own base and the scaling without its
    /// attention factor, and for plain layers.
    fn compressed(&self, spec: RotarySpec, count: usize) -> Result<(Types, Vec<usize>), Error> {
        let (fields, name) = (self.fields(), key::COMPRESS_ROPE_FREQ_BASE);
        let base = fields.need(name, fields.number(name)?)?;
        let scaling = self.scaling()?.0;
        let compress = RotarySpec { base, scaling, ..spec.clone() };
        try_out(&compress, &fields)?;
        let types = [(COMPRESS, compress), (MAIN, spec)];
        let types = types.map(|(name, spec)| (name.to_string(), Some(spec))).into();
        let name = key::COMPRESS_RATIOS;
        let mut ratios = fields.need(name, fields.counts(name)?)?;
        if ratios.len() < count {
            return Err(fields.contradicts(name, &key::BLOCK_COUNT));
        }
        ratios.truncate(count);
        Ok((types, ratios.into_iter().map(|ratio| usize::from(ratio == 0)).collect()))
    }

    /// Returns true if the layers of this file differ as the row says.
    fn layers_differ(&self) -> Result<bool, Error> {
        let fields = self.fields();
        let window = fields.number(key::SLIDING_WINDOW)?;
        Ok(match self.row.layered {
            WhereLayersDiffer::Always => true,
            WhereLayersDiffer::WithWindow => window.is_some_and(|window| window != 0.0),
            WhereLayersDiffer::UnlessWindowIsZero => window != Some(0.0),
            WhereLayersDiffer::WithBlocks(blocks) => {
                fields.count(key::BLOCK_COUNT)? == Some(blocks)
            }
        })
    }

    /// Returns the types of layers of the row, and the type of each layer.
    fn special_layers(&self, full: RotarySpec, count: usize) -> Result<(Types, Vec<usize>), Error> {
        let row = &self.row.layers;
        if let Rotation::Local(local) = row.others.rotation {
            let base = local.base.unwrap_or(full.base);
            let local = self.local(RotarySpec { base, ..unscaled(full.clone()) })?;
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

    /// Returns the rotation of layers with sliding windows: `spec` with the values of the keys that
    /// end in `_swa`.
    fn local(&self, spec: RotarySpec) -> Result<RotarySpec, Error> {
        let fields = self.fields();
        let head_name = key::KEY_LENGTH_SWA;
        let given = fields.count(head_name)?;
        let head_dim = given.unwrap_or(spec.head_dim);
        let dim = match fields.count(key::DIMENSION_COUNT_SWA)? {
            Some(_) => self.dim(key::DIMENSION_COUNT_SWA, (head_name, head_dim))?,
            None if head_dim > LIMIT => return Err(fields.not_a(head_name, "at most 65536")),
            None if given.is_some() => head_dim,
            None if self.row.halves_full => 2 * spec.dim,
            None => spec.dim,
        };
        let own = fields.number(key::FREQ_BASE_SWA)?.or(self.row.local_base);
        let base = own.unwrap_or(spec.base);
        let spec = RotarySpec { dim, frequency_dim: dim, head_dim, base, ..spec };
        // The tensor, and the scaling where the code gives local layers a base, are for
        // full-attention layers.
        let is_plain = self.row.local_base.is_some() || spec.scaling == Scaling::DivisorsTensor;
        let local = if is_plain { unscaled(spec) } else { spec };
        try_out(&local, &fields)?;
        Ok(local)
    }

    /// Returns, for each layer, 1 if it has a sliding window and 0 for full attention: as the keys
    /// list them, or with the first or last of each n full.
    fn sliding(&self, count: usize, row: Option<&Layers>) -> Result<Vec<usize>, Error> {
        let (fields, name) = (self.fields(), key::SLIDING_WINDOW_PATTERN);
        let mut sliding: Vec<usize> = if let Some(Value::Array(_)) = fields.get(name) {
            let list = self.list_of_layers(name, count)?;
            list.into_iter().map(|sliding| usize::from(sliding != 0)).collect()
        } else {
            let every = fields.need(name, fields.count(name)?.or(row.map(|row| row.every)))?;
            if every == 0 {
                return Err(fields.not_a(name, "a whole number from 1, or a list"));
            }
            let first = usize::from(row.is_none_or(|row| !row.first));
            (first..first + count).map(|place| usize::from(!place.is_multiple_of(every))).collect()
        };
        if self.row.dense_layers_rotate {
            let dense = fields.count(key::LEADING_DENSE_BLOCK_COUNT)?.unwrap_or(0);
            sliding.iter_mut().take(dense).for_each(|layer| *layer = 1);
        }
        Ok(sliding)
    }

    /// Returns the query temperature, from code for layers without positions, or from the file.
    fn temperature(&self, differ: bool) -> Result<Option<QueryTemperature>, Error> {
        let (fields, name) = (self.fields(), key::TEMPERATURE_SCALE);
        match self.row.temperature {
            TemperatureSource::ByCode(own) if differ => {
                QueryTemperature::llama4(own.scale, own.floor).map(Some)
            }
            TemperatureSource::ByFile => {
                let Some(scale) = fields.number(name)?.filter(|&scale| scale != 0.0) else {
                    return Ok(None);
                };
                let original = key::SCALING_ORIGINAL_CONTEXT_LENGTH;
                let original = fields.need(original, fields.count(original)?)?;
                QueryTemperature::ministral3(scale, original)
                    .map(Some)
                    .map_err(|error| fields.invalid(name, error))
            }
            _ => Ok(None),
        }
    }
}

/// Returns the rotation without its scaling.
fn unscaled(spec: RotarySpec) -> RotarySpec {
    RotarySpec {
        scaling: Scaling::None,
        attention_factor: 1.0,
        short_attention_factor: 1.0,
        ..spec
    }
}

/// Adds a type for layers without positions, if there are any.
fn without(
    mut types: Types,
    mut layers: Vec<usize>,
    still: Option<Vec<bool>>,
) -> (Types, Vec<usize>) {
    let still = still.unwrap_or_default();
    if !still.contains(&true) {
        return (types, layers);
    }
    if let [(name, _)] = &mut types[..] {
        *name = ROPE.to_string();
    }
    let none = types.iter().position(|(_, spec)| spec.is_none()).unwrap_or(types.len());
    if none == types.len() {
        types.push((NO_ROPE.to_string(), None));
    }
    layers.iter_mut().zip(still).filter(|(_, still)| *still).for_each(|(layer, _)| *layer = none);
    (types, layers)
}

/// Returns the types for full attention and for sliding windows.
fn pair(full: RotarySpec, sliding: RotarySpec) -> Types {
    [(FULL, full), (SLIDING, sliding)].map(|(name, spec)| (name.to_string(), Some(spec))).into()
}
