//! Scalings, and other factors in a config.

use serde_json::Value;

use super::fields::field::{
    MAX_POSITION_EMBEDDINGS as MAXIMAL, ORIGINAL_MAX_POSITION_EMBEDDINGS as ORIGINAL,
};
use super::fields::{Name, field};
use super::json::Fields;
use super::reader::{Reader, RopeDict};
use super::spec::{RopeRatio, RotarySpec};
use crate::error::Error;
use crate::frequencies::scaling::{DynamicNtk, Llama3, LongRope, Scaling, Yarn};
use crate::rotary::QueryTemperature;

impl Reader<'_> {
    /// Sets the scaling of `spec` that `dict` describes, with its factors.
    pub(super) fn scale(
        &self,
        spec: &mut RotarySpec,
        dict: &Fields<'_>,
        rope_type: &str,
        part: f64,
    ) -> Result<(), Error> {
        let needed = |name| dict.need(name, dict.number(name)?);
        let mut attention = 1.0;
        spec.scaling = match rope_type {
            "linear" => Scaling::Linear { factor: needed(field::FACTOR)? },
            "dynamic" => {
                let original_len = self.dynamic_start(dict)?;
                Scaling::DynamicNtk(DynamicNtk { factor: needed(field::FACTOR)?, original_len })
            }
            "ntk" => {
                let factor = needed(field::FACTOR)?;
                spec.base = self.checked_base(field::FACTOR, spec.base * factor)?;
                Scaling::Linear { factor: libm::pow(factor, 2.0 / spec.frequency_dim as f64) }
            }
            "yarn" => {
                let yarn = self.yarn(dict, self.factor(dict)?)?;
                attention = yarn.default_attention_factor();
                if spec.on_last_features {
                    spec.softmax_factor = softmax_factor(&yarn, dict)?;
                }
                Scaling::Yarn(yarn)
            }
            "llama3" => Scaling::Llama3(Llama3 {
                factor: needed(field::FACTOR)?,
                low_freq_factor: needed(field::LOW_FREQ_FACTOR)?,
                high_freq_factor: needed(field::HIGH_FREQ_FACTOR)?,
                original_len: self.original_len(dict)?,
            }),
            "longrope" => {
                let longrope = self.longrope(dict)?;
                attention = longrope.default_attention_factor();
                Scaling::LongRope(longrope)
            }
            "proportional" => {
                let factor = dict.number(field::FACTOR)?.unwrap_or(1.0);
                Scaling::Proportional { fraction: part, factor }
            }
            _ => Scaling::None,
        };
        let attention = dict.number(field::ATTENTION_FACTOR)?.unwrap_or(attention);
        spec.attention_factor = dict.number(field::LONG_MSCALE)?.unwrap_or(attention);
        spec.short_attention_factor = dict.number(field::SHORT_MSCALE)?.unwrap_or(attention);
        Ok(())
    }

    /// Sets what fields beside the parameters change in `spec`.
    pub(super) fn scale_beside(&self, spec: &mut RotarySpec) -> Result<(), Error> {
        let fields = &self.fields;
        let len = |name| fields.need(name, fields.count(name)?);
        let stepped = fields.flag(field::USE_DYNAMIC_NTK)? == Some(true);
        let divides = self.ratio == Some(RopeRatio::DividesPositions);
        let grows = fields.number(field::ROTARY_SCALING_FACTOR)?;
        let beside = match (self.rope_ratio()?.filter(|_| divides), grows) {
            (Some(factor), _) => Some((field::ROPE_RATIO, Scaling::Linear { factor })),
            (None, _) if stepped => {
                let original_len = len(field::SEQ_LENGTH)?;
                Some((field::USE_DYNAMIC_NTK, Scaling::SteppedNtk { original_len }))
            }
            (None, Some(factor)) => {
                let original_len = len(field::MAX_TRAINED_POSITIONS)?;
                let scaling = Scaling::DynamicNtk(DynamicNtk { factor, original_len });
                Some((field::ROTARY_SCALING_FACTOR, scaling))
            }
            (None, None) => None,
        };
        match beside {
            Some((name, _)) if spec.scaling != Scaling::None => {
                Err(fields.contradicts(name, "the scaling of the parameters"))
            }
            Some((_, scaling)) => {
                spec.scaling = scaling;
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// Returns a `rope_ratio` that is not 1 and whose meaning the caller gave.
    pub(super) fn rope_ratio(&self) -> Result<Option<f64>, Error> {
        let name = field::ROPE_RATIO;
        let ratio = self.fields.number(name)?.filter(|&ratio| ratio != 1.0);
        match (ratio, self.ratio) {
            (Some(_), None) => Err(self.fields.not_read(name, self.family.ratio)),
            (Some(ratio), _) if !(ratio > 0.0 && ratio.is_finite()) => {
                Err(self.fields.not_a(name, "positive"))
            }
            (ratio, _) => Ok(ratio),
        }
    }

    /// Returns the factor of a scaling; a null stands for the ratio of the lengths.
    fn factor(&self, dict: &Fields<'_>) -> Result<f64, Error> {
        let name = field::FACTOR;
        let grown = match self.len(dict, MAXIMAL)? {
            Some(longest) if dict.is_null(name) => {
                let original = self.original_len(dict)?;
                (original > 0).then(|| longest as f64 / original as f64)
            }
            _ => None,
        };
        dict.need(name, dict.number(name)?.or(grown))
    }

    fn yarn(&self, dict: &Fields<'_>, factor: f64) -> Result<Yarn, Error> {
        let plain = Yarn::new(factor, self.original_len(dict)?);
        Ok(Yarn {
            beta_fast: dict.number(field::BETA_FAST)?.unwrap_or(plain.beta_fast),
            beta_slow: dict.number(field::BETA_SLOW)?.unwrap_or(plain.beta_slow),
            truncate: dict.flag(field::TRUNCATE)?.unwrap_or(plain.truncate),
            mscale: dict.number(field::MSCALE)?.unwrap_or(plain.mscale),
            mscale_all_dim: dict.number(field::MSCALE_ALL_DIM)?.unwrap_or(plain.mscale_all_dim),
            ..plain
        })
    }

    fn longrope(&self, dict: &Fields<'_>) -> Result<LongRope, Error> {
        let list = |name| dict.need(name, dict.numbers(name)?);
        let original_len = self.original_len(dict)?;
        if original_len == 0 {
            return Err(dict.not_a(ORIGINAL, "at least 1"));
        }
        let (short, long) = (list(field::SHORT_FACTOR)?, list(field::LONG_FACTOR)?);
        let grown = self.len(dict, MAXIMAL)?.map(|len| len as f64 / original_len as f64);
        let factor = self.fields.need(MAXIMAL, dict.number(field::FACTOR)?.or(grown))?;
        Ok(LongRope { short, long, original_len, factor })
    }

    /// Returns the training length: from the dictionary, from the field beside it, or the maximal
    /// length.
    fn original_len(&self, dict: &Fields<'_>) -> Result<usize, Error> {
        let found = match self.len(dict, ORIGINAL)? {
            None => self.len(dict, MAXIMAL)?,
            found => found,
        };
        dict.need(ORIGINAL, found)
    }

    /// Returns a length in the dictionary or beside it.
    fn len(&self, dict: &Fields<'_>, name: Name) -> Result<Option<usize>, Error> {
        match (dict.count(name)?, self.fields.count(name)?) {
            (Some(inner), Some(outer)) if inner != outer => {
                Err(dict.contradicts(name, &format!("{name} outside of it")))
            }
            (inner, outer) => Ok(inner.or(outer)),
        }
    }

    /// Returns the length at which dynamic NTK begins: the maximal length, as in transformers. An
    /// original length that differs is an error, since other libraries begin there.
    fn dynamic_start(&self, dict: &Fields<'_>) -> Result<usize, Error> {
        let start = self.fields.need(MAXIMAL, self.len(dict, MAXIMAL)?)?;
        if self.len(dict, ORIGINAL)?.is_some_and(|original| original != start) {
            let fields = if dict.get(ORIGINAL).is_some() { dict } else { &self.fields };
            return Err(fields.contradicts(ORIGINAL, &MAXIMAL));
        }
        Ok(start)
    }

    /// Returns the query temperature: that of the family, or the one in the parameters.
    pub(super) fn temperature(
        &self,
        dict: Option<&RopeDict<'_>>,
    ) -> Result<Option<QueryTemperature>, Error> {
        let fields = &self.fields;
        if let Some(own) = self.family.temperature {
            // The first published configs have 4 instead of true.
            let name = field::ATTN_TEMPERATURE_TUNING;
            let is_tuned = match fields.get(name) {
                Some(Value::Number(_)) => fields.number(name)? != Some(0.0),
                _ => fields.flag(name)?.unwrap_or(true),
            };
            let scale = fields.number(field::ATTN_SCALE)?.unwrap_or(own.scale);
            let floor = fields.number(field::FLOOR_SCALE)?.unwrap_or(own.floor);
            let temperature = QueryTemperature::llama4(scale, floor)
                .map_err(|error| fields.invalid(field::FLOOR_SCALE, error))?;
            return Ok(is_tuned.then_some(temperature));
        }
        if fields.flag(field::USE_LOGN_ATTN)? == Some(true) {
            let original = fields.need(field::SEQ_LENGTH, fields.count(field::SEQ_LENGTH)?)?;
            let temperature = QueryTemperature::logn(original);
            return temperature.map(Some).map_err(|error| fields.invalid(field::SEQ_LENGTH, error));
        }
        let Some((path, dict)) = dict else { return Ok(None) };
        let (dict, name) = (Fields::new(path, dict), field::LLAMA_4_SCALING_BETA);
        let Some(beta) = dict.number(name)? else { return Ok(None) };
        QueryTemperature::ministral3(beta, self.original_len(&dict)?)
            .map(Some)
            .map_err(|error| fields.invalid(name, error))
    }
}

/// Returns the factor of the softmax scale from `mscale_all_dim`.
fn softmax_factor(yarn: &Yarn, dict: &Fields<'_>) -> Result<f64, Error> {
    let factor = yarn.softmax_factor();
    if factor > 0.0 && factor.is_finite() {
        Ok(factor)
    } else {
        Err(dict.not_a(field::MSCALE_ALL_DIM, "a number that gives a finite scale"))
    }
}
