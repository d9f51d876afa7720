//! The rotations of all layers, made once and kept.

use super::model::{ModelRotary, type_named, type_of};
use super::spec::RotarySpec;
use crate::element::Element;
use crate::error::Error;
use crate::positions::Positions;
use crate::rotary::{Rotary, Rotation};

/// The rotations of a model's layers, one [`Rotary`] for each type of layer, made by
/// [`ModelRotary::rotaries`](super::ModelRotary::rotaries).
///
/// ```
/// use positional_encodings::config::ModelRotary;
///
/// let config = r#"{"model_type": "llama", "head_dim": 64, "num_hidden_layers": 2,
///     "max_position_embeddings": 2048, "rope_scaling": {"type": "dynamic", "factor": 2.0}}"#;
/// let model = ModelRotary::from_json(config)?;
/// let mut rotaries = model.rotaries(100)?;
/// for total_len in [100, 101, 2049] {
///     if !rotaries.fit(total_len) {
///         rotaries = model.rotaries(total_len)?; // and cached keys must be recomputed
///     }
///     let rotary = rotaries.layer(1)?.expect("all layers have positions");
///     rotary.at::<f32>(total_len - 1..total_len)?;
/// }
/// # Ok::<(), positional_encodings::Error>(())
/// ```
#[derive(Clone, PartialEq)]
pub struct LayerRotaries {
    pub(super) types: Vec<(String, Option<Held>)>,
    /// The type of each layer.
    pub(super) layers: Vec<usize>,
}

/// A rotation, and the spec that it was made from.
#[derive(Clone, PartialEq)]
pub(super) struct Held {
    pub(super) rotary: Rotary,
    pub(super) spec: RotarySpec,
}

impl ModelRotary {
    /// Makes the rotations of all types of layers for sequences of `total_len` positions, cache
    /// included. Keep the result and get the rotation of each layer from it.
    ///
    /// # Errors
    ///
    /// The errors of [`RotarySpec::rotary`].
    ///
    /// ```
    /// use ndarray::Array4;
    /// use positional_encodings::config::ModelRotary;
    ///
    /// let smollm3 = r#"{"model_type": "smollm3", "head_dim": 64, "num_hidden_layers": 8}"#;
    /// let model = ModelRotary::from_json(smollm3)?;
    /// let rotaries = model.rotaries(128)?;
    /// let mut rotated = 0;
    /// for layer in 0..8 {
    ///     let mut q = Array4::<f32>::ones((1, 2, 10, 64)); // (batch, heads, positions, dim)
    ///     let Some(rotary) = rotaries.layer(layer)? else { continue }; // no positions
    ///     rotary.at(0..10)?.apply(q.view_mut())?;
    ///     rotated += 1;
    /// }
    /// assert_eq!(rotated, 6);
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn rotaries(&self, total_len: usize) -> Result<LayerRotaries, Error> {
        LayerRotaries::new(self, total_len)
    }
}

impl LayerRotaries {
    fn new(model: &ModelRotary, total_len: usize) -> Result<Self, Error> {
        let mut types = Vec::new();
        for (name, spec) in model.types() {
            let held = |spec: &RotarySpec| {
                Ok(Held { rotary: spec.rotary(total_len)?, spec: spec.clone() })
            };
            types.push((name.to_string(), spec.map(held).transpose()?));
        }
        Ok(Self { types, layers: model.layers.clone() })
    }

    /// Makes the rotations of all types of layers at the given positions, for one step of all
    /// layers.
    ///
    /// # Errors
    ///
    /// The errors of [`Rotary::at`].
    ///
    /// ```
    /// use ndarray::Array3;
    /// use positional_encodings::config::ModelRotary;
    ///
    /// let smollm3 = r#"{"model_type": "smollm3", "head_dim": 64, "num_hidden_layers": 8}"#;
    /// let rotaries = ModelRotary::from_json(smollm3)?.rotaries(128)?;
    /// let step = rotaries.at::<f32>(127..128)?;
    /// for layer in 0..8 {
    ///     let mut q = Array3::<f32>::ones((2, 1, 64)); // (heads, positions, dim)
    ///     if let Some(rotation) = step.layer(layer)? {
    ///         rotation.apply(q.view_mut())?;
    ///     }
    /// }
    /// assert!(step.layer(0)?.is_some() && step.layer(3)?.is_none());
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn at<'p, T: Element<Angle = T>>(
        &self,
        positions: impl Into<Positions<'p>>,
    ) -> Result<LayerRotations<T>, Error> {
        let positions = positions.into();
        let mut types = Vec::new();
        for (name, rotary) in self.types() {
            let rotation = rotary.map(|rotary| rotary.at(positions.borrowed())).transpose()?;
            types.push((name.to_string(), rotation));
        }
        Ok(LayerRotations { types, layers: self.layers.clone() })
    }

    /// Returns the rotation of a layer, counted from 0; `None` where the layer has no positions.
    ///
    /// # Errors
    ///
    /// [`Error::NoSuchLayer`]; [`Error::Config`] where the config does not say how many layers
    /// there are.
    pub fn layer(&self, index: usize) -> Result<Option<&Rotary>, Error> {
        Ok(rotary_of(&self.types[type_of(&self.layers, index)?].1))
    }

    /// Returns the rotation of a type of layer; `None` where the type has no positions.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] where there is no such type.
    pub fn layer_type(&self, name: &str) -> Result<Option<&Rotary>, Error> {
        Ok(rotary_of(&self.types[type_named(&self.types, name)?].1))
    }

    /// Returns the types of layers with their rotations.
    pub fn types(&self) -> impl Iterator<Item = (&str, Option<&Rotary>)> {
        self.types.iter().map(|(name, held)| (name.as_str(), rotary_of(held)))
    }

    /// Returns true if these rotations also apply to sequences of `total_len` positions: always,
    /// except with LongRoPE and dynamic NTK.
    pub fn fit(&self, total_len: usize) -> bool {
        let fits = |held: &Held| held.rotary.regime() == held.spec.regime(total_len);
        self.types.iter().filter_map(|(_, held)| held.as_ref()).all(fits)
    }
}

fn rotary_of(held: &Option<Held>) -> Option<&Rotary> {
    held.as_ref().map(|held| &held.rotary)
}

/// The rotations of a model's layers at some positions, one [`Rotation`] for each type of layer,
/// made by [`LayerRotaries::at`].
#[derive(Clone, Debug, PartialEq)]
pub struct LayerRotations<T> {
    types: Vec<(String, Option<Rotation<T>>)>,
    /// The type of each layer.
    layers: Vec<usize>,
}

impl<T> LayerRotations<T> {
    /// Returns the rotation of a layer, counted from 0; `None` where the layer has no positions.
    ///
    /// # Errors
    ///
    /// The errors of [`LayerRotaries::layer`].
    pub fn layer(&self, index: usize) -> Result<Option<&Rotation<T>>, Error> {
        Ok(self.types[type_of(&self.layers, index)?].1.as_ref())
    }

    /// Returns the rotation of a type of layer; `None` where the type has no positions.
    ///
    /// # Errors
    ///
    /// The errors of [`LayerRotaries::layer_type`].
    pub fn layer_type(&self, name: &str) -> Result<Option<&Rotation<T>>, Error> {
        Ok(self.types[type_named(&self.types, name)?].1.as_ref())
    }
}
