//! The rotation of each layer of a model.

use positional_encodings::Error;
use positional_encodings::config::ModelRotary;

/// The types of a model's layers by index, in the order of [`ModelRotary::types`].
#[derive(Clone, Debug, Default)]
pub(super) struct Layers {
    /// The model, which gives the error for a missing layer; `None` if all layers are the same.
    model: Option<ModelRotary>,
    /// The type of each layer; empty if the config does not give their number.
    of: Vec<usize>,
}

impl Layers {
    pub(super) fn new(model: ModelRotary) -> Result<Self, Error> {
        let count = model.layer_count().unwrap_or(0);
        let mut of = Vec::with_capacity(count);
        for index in 0..count {
            let spec = model.layer(index)?.map(core::ptr::from_ref);
            let same = |(_, other): (&str, Option<_>)| other.map(core::ptr::from_ref) == spec;
            of.push(model.types().position(same).unwrap_or_default());
        }
        Ok(Self { model: Some(model), of })
    }

    pub(super) fn model(&self) -> Option<&ModelRotary> {
        self.model.as_ref()
    }

    /// Returns the type of a layer. Where all layers are the same and their number is not known,
    /// every index is valid.
    pub(super) fn layer(&self, index: usize) -> Result<usize, Error> {
        let Some(model) = &self.model else { return Ok(0) };
        if self.of.is_empty() && model.types().count() == 1 {
            return Ok(0);
        }
        model.layer(index)?;
        Ok(self.of.get(index).copied().unwrap_or_default())
    }

    /// Returns the type of that name.
    pub(super) fn named(&self, name: &str) -> Result<usize, Error> {
        let Some(model) = &self.model else { return Ok(0) };
        model.layer_type(name)?;
        Ok(model.types().position(|(known, _)| known == name).unwrap_or_default())
    }

    /// Returns the only type.
    pub(super) fn only(&self) -> Result<usize, Error> {
        if let Some(model) = &self.model {
            model.only()?;
        }
        Ok(0)
    }
}
