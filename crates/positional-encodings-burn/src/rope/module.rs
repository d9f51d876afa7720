//! The module that a model holds: a rotation for each type of layer.

use burn::module::{Content, DisplaySettings, Module, ModuleDisplay};
use burn::tensor::{Device, Tensor};
use positional_encodings::{Error, Positions, Rotary};

use super::layers::{Layers, Which};
use super::plan::RopePlan;
use crate::place::Place;
use crate::refuse::expect;

/// The rotary embedding of a model as a burn module without parameters, made by
/// [`RopeConfig::init`](crate::RopeConfig::init), for tensors on one device.
///
/// The module has no maximal length. Positions are arguments: a range, ids (len) or (batch, len),
/// or coordinates on several axes for M-RoPE and images; see [`Positions`], and
/// [`to_positions`](crate::to_positions) for ids in a tensor.
///
/// [`forward`](Self::forward) computes cosines and sines in each call; on the CPU this takes little
/// time compared with rotating a prompt. A model of many layers makes a [plan](Self::at) once per
/// step instead.
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use positional_encodings_burn::{Rope, RopeConfig};
///
/// fn step(rope: &Rope, mut q: Tensor<4>, past: usize, layers: usize) -> Tensor<4> {
///     let [_, _, len, _] = q.dims(); // (batch, heads, positions, dim)
///     let plan = rope.at(past..past + len);
///     for layer in 0..layers {
///         q = plan.layer(layer).forward(q); // keys likewise
///     }
///     q
/// }
///
/// let config = r#"{"model_type": "llama", "head_dim": 64, "num_hidden_layers": 2}"#;
/// let device = Device::default();
/// let rope = RopeConfig::from_json(config)?.init(&device);
/// let q = step(&rope, Tensor::ones([1, 8, 5, 64], &device), 4095, 2);
/// assert_eq!(q.dims(), [1, 8, 5, 64]);
/// # Ok::<(), positional_encodings::Error>(())
/// ```
#[derive(Module, Debug)]
#[module(custom_display)]
pub struct Rope {
    device: Place,
    #[module(skip)]
    layers: Layers,
}

impl Rope {
    pub(super) fn new(layers: Layers, device: &Device) -> Self {
        Self { device: Place::new(device), layers }
    }

    /// Returns the rotated tensor (…, heads, positions, dim), for a model whose layers all share
    /// their rotation.
    ///
    /// # Panics
    ///
    /// Panics where [`at`](Self::at) and [`LayerRope::forward`](crate::LayerRope::forward) do, and
    /// if the layers of the model have several rotations.
    ///
    /// ```
    /// use burn::tensor::{Device, Tensor};
    /// use positional_encodings::{Frequencies, Pairing, Rotary};
    /// use positional_encodings_burn::RopeConfig;
    ///
    /// let device = Device::default();
    /// let quarter = Frequencies::harmonic(2, 4.0)?; // a quarter of a turn for each position
    /// let rope = RopeConfig::new(Rotary::new(quarter, Pairing::Halves)).init(&device);
    /// let x = Tensor::<2>::from_data([[1.0, 2.0], [1.0, 2.0]], &device); // (positions, dim)
    /// let rotated = rope.forward(x, 0..2).into_data();
    /// assert_eq!(rotated.as_slice::<f32>().unwrap(), [1.0, 2.0, -2.0, 1.0]);
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    #[track_caller]
    pub fn forward<'p, const D: usize>(
        &self,
        x: Tensor<D>,
        positions: impl Into<Positions<'p>>,
    ) -> Tensor<D> {
        self.at(positions).only().forward(x)
    }

    /// Returns the rotated tensor (…, positions, heads, dim), for a model whose layers all share
    /// their rotation: a batch in the layout of the projections, or packed tokens (tokens, heads,
    /// dim).
    ///
    /// # Panics
    ///
    /// Panics where [`forward`](Self::forward) does.
    #[track_caller]
    pub fn forward_positions_first<'p, const D: usize>(
        &self,
        x: Tensor<D>,
        positions: impl Into<Positions<'p>>,
    ) -> Tensor<D> {
        self.at(positions).only().forward_positions_first(x)
    }

    /// Makes the plan for one forward pass: cosines and sines at the positions of its tokens, for
    /// all layers.
    ///
    /// Where a model's rotation depends on the length (dynamic NTK, LongRoPE), the length is one
    /// more than the largest position, as in transformers. A cache of keys that were rotated for
    /// another length must then be recomputed: see [`fits`](Self::fits).
    ///
    /// # Panics
    ///
    /// Panics if a position is not finite, too far away for an exact angle, or has another number
    /// of coordinates than the rotation has axes, or if there is not enough memory.
    ///
    /// ```
    /// use burn::tensor::{Device, Tensor};
    /// use ndarray::array;
    /// use positional_encodings_burn::RopeConfig;
    ///
    /// let device = Device::default();
    /// let config = RopeConfig::from_json(r#"{"model_type": "qwen2", "head_dim": 64}"#)?;
    /// let rope = config.init(&device);
    /// let left_padded = rope.at(&array![[0, 0, 1], [0, 1, 2]]); // (batch, positions)
    /// let q = Tensor::<4>::zeros([2, 4, 3, 64], &device);
    /// assert_eq!(left_padded.layer(0).forward(q).dims(), [2, 4, 3, 64]);
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    #[track_caller]
    pub fn at<'p>(&self, positions: impl Into<Positions<'p>>) -> RopePlan {
        let positions = positions.into();
        let layers = expect(self.layers.at(positions.total_len()));
        expect(RopePlan::new(layers, &expect(positions.into_owned()), self.device.device()))
    }

    /// Returns the rotation of a layer; `None` for a layer without positions.
    ///
    /// # Errors
    ///
    /// An error if there is no such layer, or if the config does not give the number of layers.
    pub fn rotary(&self, layer: usize) -> Result<Option<&Rotary>, Error> {
        self.layers.rotary(Which::Layer(layer))
    }

    /// Returns true if these rotations also apply to sequences of `total_len` positions, cache
    /// included: always, except with dynamic NTK and LongRoPE.
    ///
    /// ```
    /// use burn::tensor::Device;
    /// use positional_encodings_burn::RopeConfig;
    ///
    /// let config = r#"{"model_type": "llama", "head_dim": 64, "max_position_embeddings": 2048,
    ///     "rope_scaling": {"type": "dynamic", "factor": 2.0}}"#;
    /// let rope = RopeConfig::from_json(config)?.init(&Device::default());
    /// assert!(rope.fits(2048) && !rope.fits(2049));
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn fits(&self, total_len: usize) -> bool {
        self.layers.fit(total_len)
    }
}

impl ModuleDisplay for Rope {
    fn custom_settings(&self) -> Option<DisplaySettings> {
        DisplaySettings::new().with_new_line_after_attribute(false).optional()
    }

    fn custom_content(&self, content: Content) -> Option<Content> {
        let add = |content: Content, (name, rotary): (&str, Option<&Rotary>)| {
            let rotation = match rotary {
                Some(rotary) => format!("{} features, {:?}", rotary.dim(), rotary.pairing()),
                None => "no positions".to_string(),
            };
            content.add(name, &rotation)
        };
        self.layers.types().into_iter().fold(content, add).optional()
    }
}
