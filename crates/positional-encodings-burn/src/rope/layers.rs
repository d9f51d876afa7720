//! Which rotation each layer of a model has.

use std::sync::Arc;

use positional_encodings::config::{LayerRotaries, ModelRotary};
use positional_encodings::{Error, Rotary};

/// The rotations of a model's types of layers.
#[derive(Clone, Debug)]
pub(super) enum Layers {
    /// All layers share one.
    One(Arc<Rotary>),
    /// A model, which knows the reason where there is no such layer, and its rotations at a length.
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

    /// Whether sequences of so many positions have these rotations.
    pub(super) fn fit(&self, total_len: usize) -> bool {
        match self {
            Self::One(_) => true,
            Self::Model(_, rotaries) => rotaries.fit(total_len),
        }
    }

    /// The rotations of sequences of so many positions.
    pub(super) fn at(&self, total_len: usize) -> Result<Self, Error> {
        match self {
            Self::Model(model, rotaries) if !rotaries.fit(total_len) => {
                Ok(Self::Model(Arc::clone(model), Arc::new(model.rotaries(total_len)?)))
            }
            same => Ok(same.clone()),
        }
    }

    /// All types of layers with their rotations, `None` where a type has no positions.
    pub(super) fn types(&self) -> Vec<(&str, Option<&Rotary>)> {
        match self {
            Self::One(rotary) => vec![("all", Some(rotary))],
            Self::Model(_, rotaries) => rotaries.types().collect(),
        }
    }

    /// The rotation of a layer, `None` where it has no positions.
    pub(super) fn rotary(&self, which: Which<'_>) -> Result<Option<&Rotary>, Error> {
        let (model, rotaries) = match self {
            Self::One(rotary) => return Ok(Some(rotary)),
            Self::Model(model, rotaries) => (model, rotaries),
        };
        let first = || rotaries.types().next().and_then(|(_, rotary)| rotary);
        match which {
            Which::Only => model.only().map(|_| first()),
            // Of layers that are all the same, and of which nobody knows how many there are, there
            // is any.
            Which::Layer(_) if model.layer_count().is_none() && model.types().count() == 1 => {
                Ok(first())
            }
            Which::Layer(index) => rotaries.layer(index),
            Which::Type(name) => rotaries.layer_type(name),
        }
    }

    /// Where in [`types`](Self::types) the rotation of a layer stands.
    pub(super) fn index(&self, which: Which<'_>) -> Result<Option<usize>, Error> {
        let Some(rotary) = self.rotary(which)? else { return Ok(None) };
        let same = |(_, other): &(&str, Option<&Rotary>)| {
            other.is_some_and(|other| core::ptr::eq(other, rotary))
        };
        Ok(self.types().iter().position(same))
    }
}
