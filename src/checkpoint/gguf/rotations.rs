//! The rotations of a GGUF file, from its metadata and tensors.

use std::io::{Read, Seek};

use super::Gguf;
use super::header::Value;
use crate::config::{Metadata, ModelRotary, RotarySpec, key};
use crate::error::FileError;
use crate::frequencies::scaling::{LongRope, Scaling};

impl<R: Read + Seek> Gguf<R> {
    /// Returns the metadata of the architecture, as `config::ModelRotary::from_gguf` and
    /// `config::RotarySpec::from_gguf` take them (feature `serde`), followed by the names of
    /// tensors that rotations need. Lists of strings are left out, since no rotation depends on
    /// them.
    ///
    /// ```no_run
    /// use positional_encodings::{checkpoint::Gguf, config::ModelRotary};
    ///
    /// let file = Gguf::open("qwen3-8b.gguf")?;
    /// let model = ModelRotary::from_gguf(file.metadata())?;
    /// let rotary = model.only()?.rotary(4096)?;
    /// # let _ = rotary;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn metadata(&self) -> impl Iterator<Item = (String, Metadata)> {
        let name = key::GENERAL_ARCHITECTURE;
        let prefix = format!("{}.", self.architecture().unwrap_or_default());
        let all = self.header.metadata.iter();
        let own = all.filter(|(key, _)| **key == name || key.starts_with(&prefix));
        let own = own.filter_map(|(key, value)| Some((key.clone(), config_value(value)?)));
        let tensors =
            [key::ROPE_FREQS, key::ROPE_FACTORS_LONG].into_iter().filter(|name| self.has(name));
        let told = tensors.map(|name| (format!("{prefix}{name}"), Metadata::Flag(true)));
        own.chain(told).collect::<Vec<_>>().into_iter()
    }

    fn has(&self, key: &str) -> bool {
        self.keys().any(|known| known == key)
    }
}

impl<R: Read + Seek> Gguf<R> {
    /// Reads the rotations of all layers, from the metadata and from the tensors: the divisors of
    /// Llama 3 and Gemma 4 (`rope_freqs.weight`) and LongRoPE's factors
    /// (`rope_factors_short.weight` and `rope_factors_long.weight`). This method needs feature
    /// `serde`.
    ///
    /// # Errors
    ///
    /// [`FileProblem::Table`](crate::error::FileProblem::Table) with the errors of
    /// [`ModelRotary::from_gguf`]; the errors of [`vector`](Self::vector).
    ///
    /// ```no_run
    /// use positional_encodings::checkpoint::Gguf;
    ///
    /// let model = Gguf::open("llama-3.1-8b.gguf")?.model_rotary()?;
    /// let rotary = model.only()?.rotary(4096)?; // scaled
    /// # let _ = rotary;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn model_rotary(&mut self) -> Result<ModelRotary, FileError> {
        let (divided, long) = (self.has(&key::ROPE_FREQS), self.has(&key::ROPE_FACTORS_LONG));
        let prefix = format!("{}.", self.architecture().unwrap_or_default());
        let divisors = (format!("{prefix}{}", key::ROPE_FREQS), Metadata::Flag(false));
        let factors = (format!("{prefix}{}", key::ROPE_FACTORS_LONG), Metadata::Flag(long));
        let told = [divisors, factors];
        let metadata = self.metadata().chain(told);
        let mut model = ModelRotary::from_gguf(metadata).map_err(|error| self.refuse(error))?;
        let divisors = match divided {
            true => Some(self.vector::<f64>(&key::ROPE_FREQS)?.to_vec()),
            false => None,
        };
        for (name, spec) in model.specs_mut() {
            if spec.scaling == Scaling::LongRopeTensors {
                spec.scaling = Scaling::LongRope(self.longrope()?);
            }
            if name != "sliding_attention" {
                spec.divisors.clone_from(&divisors);
            }
            self.try_out(spec)?;
        }
        Ok(model)
    }

    /// Returns both lists of LongRoPE, and the lengths that choose between them.
    fn longrope(&mut self) -> Result<LongRope, FileError> {
        let mut list = |name| Ok::<_, FileError>(self.vector::<f64>(name)?.to_vec());
        let (short, long) = (list(&key::ROPE_FACTORS_SHORT)?, list(&key::ROPE_FACTORS_LONG)?);
        let prefix = self.architecture().unwrap_or_default();
        let len = |name: &str| self.real(&format!("{prefix}.{name}")).unwrap_or(0.0);
        let longest = len(&key::CONTEXT_LENGTH);
        let original = match len(&key::SCALING_ORIGINAL_CONTEXT_LENGTH) {
            0.0 => longest,
            original => original,
        };
        let factor = if original > 0.0 { longest / original } else { 1.0 };
        Ok(LongRope { short, long, original_len: original as usize, factor })
    }

    /// Makes a rotation once as a check: a spec that was read without error can be applied.
    fn try_out(&self, spec: &RotarySpec) -> Result<(), FileError> {
        for len in [1, 1 << 31] {
            spec.rotary(len).map_err(|error| self.refuse(error))?;
        }
        Ok(())
    }
}

fn config_value(value: &Value) -> Option<Metadata> {
    Some(match value {
        Value::Text(text) => Metadata::from(text.as_str()),
        Value::Flag(flag) => (*flag).into(),
        Value::Number(number) => Metadata::Number(*number),
        list => Metadata::Numbers(list.numbers()?),
    })
}
