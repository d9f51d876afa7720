//! The rotation of each layer of a model.

use std::sync::Arc;

use positional_encodings::config::{LayerRotaries, ModelRotary};
use positional_encodings::{Error, Rotary};

/// The rotations of a model's types of layers.
#[derive(Clone, Debug)]
pub(super) enum Layers {
    /// All layers share one rotation.
    One(Arc<Rotary>),
    /// A model, which gives the error for a missing layer, and its rotations at a length.
    Model(Arc<ModelRotary>, Arc<LayerRotaries>),
}

/// A way to name a layer.
#[derive(Clone, Copy, Debug)]
pub(super) enum Which<'a> {
    Layer(usize),
    Type(&'a str),
    Only,
}

impl Layers {
    pub(super) fn of_model(model: ModelRotary) -> Result<Self, Error> {
        let rotaries = model.rotaries(0)?;
        Ok(Self::Model(Arc::new(model), Arc::new(rotaries)))
    }

    /// Returns true if sequences of `total_len` positions have these rotations.
    pub(super) fn fit(&self, total_len: usize) -> bool {
        match self {
            Self::One(_) => true,
            Self::Model(_, rotaries) => rotaries.fit(total_len),
        }
    }

    /// Returns the rotations of sequences of `total_len` positions.
    pub(super) fn at(&self, total_len: usize) -> Result<Self, Error> {
        match self {
            Self::Model(model, rotaries) if !rotaries.fit(total_len) => {
                Ok(Self::Model(Arc::clone(model), Arc::new(model.rotaries(total_len)?)))
            }
            same => Ok(same.clone()),
        }
    }

    /// Returns all types of layers with their rotations, `None` for a type without positions.
    pub(super) fn types(&self) -> Vec<(&str, Option<&Rotary>)> {
        match self {
            Self::One(rotary) => vec![("all", Some(rotary))],
            Self::Model(_, rotaries) => rotaries.types().collect(),
        }
    }

    /// Returns the rotation of a layer, `None` for a layer without positions.
    pub(super) fn rotary(&self, which: Which<'_>) -> Result<Option<&Rotary>, Error> {
        let (model, rotaries) = match self {
            Self::One(rotary) => return Ok(Some(rotary)),
            Self::Model(model, rotaries) => (model, rotaries),
        };
        let first = || rotaries.types().next().and_then(|(_, rotary)| rotary);
        match which {
            Which::Only => model.only().map(|_| first()),
            // Where all layers are the same and their number is not known, every index is valid.
            Which::Layer(_) if model.layer_count().is_none() && model.types().count() == 1 => {
                Ok(first())
            }
            Which::Layer(index) => rotaries.layer(index),
            Which::Type(name) => rotaries.layer_type(name),
        }
    }

    /// Returns the index in [`types`](Self::types) of the rotation of a layer.
    pub(super) fn index(&self, which: Which<'_>) -> Result<Option<usize>, Error> {
        let Some(rotary) = self.rotary(which)? else { return Ok(None) };
        let same = |(_, other): &(&str, Option<&Rotary>)| {
            other.is_some_and(|other| core::ptr::eq(other, rotary))
        };
        Ok(self.types().iter().position(same))
    }
}
