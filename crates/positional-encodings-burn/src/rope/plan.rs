//! The plan of one forward pass, and its application in a layer.

use burn::tensor::{Device, Tensor};
use positional_encodings::{Error, Positions};

use super::layers::{Layers, Which};
use super::order::Order;
use super::planned::Planned;
use crate::refuse::expect;

/// Cosines and sines at the positions of one forward pass, for all layers, made by
/// [`Rope::at`](super::Rope::at).
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use positional_encodings_burn::RopeConfig;
///
/// // Layers of two types, one of them without positions
/// let config = r#"{"model_type": "smollm3", "head_dim": 64, "num_hidden_layers": 8}"#;
/// let device = Device::default();
/// let rope = RopeConfig::from_json(config)?.init(&device);
/// let plan = rope.at(10..11);
/// let q = Tensor::<4>::ones([1, 4, 1, 64], &device);
/// let moved = |layer| -> f32 {
///     (plan.layer(layer).forward(q.clone()) - q.clone()).abs().sum().into_scalar()
/// };
/// assert!(moved(2) > 1.0 && moved(3) == 0.0);
/// # Ok::<(), positional_encodings::Error>(())
/// ```
#[derive(Debug)]
pub struct RopePlan {
    layers: Layers,
    /// The rotation of each type of layer.
    planned: Vec<Option<Planned>>,
}

impl RopePlan {
    pub(super) fn new(
        layers: Layers,
        positions: &Positions<'static>,
        device: &Device,
    ) -> Result<Self, Error> {
        let planned = layers.types().into_iter().map(|(_, rotary)| {
            rotary.map(|rotary| Planned::new(rotary, positions, device)).transpose()
        });
        let planned = planned.collect::<Result<_, _>>()?;
        Ok(Self { layers, planned })
    }

    /// Returns the rotation of a layer, counted from 0. If there is no such layer, the methods of
    /// the result panic.
    pub fn layer(&self, index: usize) -> LayerRope<'_> {
        LayerRope { plan: self, which: Which::Layer(index) }
    }

    /// Returns the rotation of a type of layer, such as `"sliding_attention"` or
    /// `"full_attention"`.
    pub fn layer_type<'p>(&'p self, name: &'p str) -> LayerRope<'p> {
        LayerRope { plan: self, which: Which::Type(name) }
    }

    /// Returns the rotation of a model whose layers all share it.
    pub fn only(&self) -> LayerRope<'_> {
        LayerRope { plan: self, which: Which::Only }
    }
}

/// The rotation of one layer at the positions of a plan, made by [`RopePlan::layer`]. It is a small
/// value that can be passed to the layer.
///
/// Elements are f32, f64, f16 or bf16; arithmetic is in f32, or in f64 for f64, with one rounding
/// to the element type. A head may be wider than its rotated features. In a layer without positions
/// nothing changes.
///
/// | tensor on | path |
/// |---|---|
/// | flex, burn's CPU backend | this crate's kernel, on all cores: in the tensor's own memory if no other handle shares it and it has no gaps, otherwise in a copy |
/// | flex, on a device with autodiff | cosines and sines as constants, and burn's operations |
/// | every other backend | exact cosines and sines, computed on the CPU and uploaded once per plan when the first layer needs them, and burn's operations |
///
/// # Gradients
///
/// Autodiff derives gradients from burn's operations: they are rotated by the negated angles. The
/// tables are constants.
#[derive(Clone, Copy, Debug)]
pub struct LayerRope<'p> {
    plan: &'p RopePlan,
    which: Which<'p>,
}

impl LayerRope<'_> {
    /// Returns the rotated tensor (…, heads, positions, dim).
    ///
    /// # Panics
    ///
    /// Panics if the tensor has fewer than two axes, fewer features than are rotated, or another
    /// number of positions or sequences than the plan; if it is quantised or on another device than
    /// the module; or if there is no such layer.
    ///
    /// ```
    /// use burn::tensor::{Device, Tensor};
    /// use positional_encodings::{Frequencies, Pairing, Rotary};
    /// use positional_encodings_burn::RopeConfig;
    ///
    /// let device = Device::default().autodiff();
    /// let quarter = Frequencies::harmonic(2, 4.0)?; // a quarter of a turn for each position
    /// let rope = RopeConfig::new(Rotary::new(quarter, Pairing::Halves)).init(&device);
    /// let x = Tensor::<2>::from_data([[1.0, 2.0]], &device).require_grad();
    /// let y = rope.at(1..2).only().forward(x.clone());
    /// assert_eq!(y.to_data().as_slice::<f32>().unwrap(), [-2.0, 1.0]);
    ///
    /// // The gradient of 3·y₀ + 5·y₁ is (3, 5) rotated back.
    /// let loss = (y * Tensor::from_data([[3.0, 5.0]], &device)).sum();
    /// let gradient = x.grad(&loss.backward()).unwrap().into_data();
    /// assert_eq!(gradient.as_slice::<f32>().unwrap(), [5.0, -3.0]);
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    #[track_caller]
    pub fn forward<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        self.rotated(x, Order::HeadsFirst)
    }

    /// Returns the rotated tensor (…, positions, heads, dim): a batch in the layout of the
    /// projections, or packed tokens of several sequences (tokens, heads, dim), with the position
    /// of each token in the plan.
    ///
    /// # Panics
    ///
    /// Panics where [`forward`](Self::forward) does, and if the tensor has fewer than three axes,
    /// or than four if sequences have their own positions: packed tokens have no axis of sequences.
    ///
    /// ```
    /// use burn::tensor::{Device, Tensor};
    /// use positional_encodings::{Frequencies, Pairing, Rotary};
    /// use positional_encodings_burn::RopeConfig;
    ///
    /// let device = Device::default();
    /// let quarter = Frequencies::harmonic(2, 4.0)?;
    /// let rope = RopeConfig::new(Rotary::new(quarter, Pairing::Interleaved)).init(&device);
    /// let packed = Tensor::<3>::from_data([[[1.0, 2.0]], [[3.0, 4.0]], [[1.0, 2.0]]], &device);
    /// let plan = rope.at(&[0, 1, 0]); // two sequences, of 2 and 1
    /// let rotated = plan.only().forward_positions_first(packed).into_data();
    /// assert_eq!(rotated.as_slice::<f32>().unwrap(), [1.0, 2.0, -4.0, 3.0, 1.0, 2.0]);
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    #[track_caller]
    pub fn forward_positions_first<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        self.rotated(x, Order::PositionsFirst)
    }

    /// Returns the cosines and the sines on the module's device, each (rows, positions, pairs), in
    /// f32 with the attention factor included, for your own kernels. There is one row where
    /// sequences share their positions. The result is `None` for a layer without positions.
    ///
    /// # Panics
    ///
    /// Panics if there is no such layer.
    ///
    /// ```
    /// use burn::tensor::Device;
    /// use positional_encodings::{Frequencies, Pairing, Rotary};
    /// use positional_encodings_burn::RopeConfig;
    ///
    /// let rotary = Rotary::new(Frequencies::geometric(64, 10_000.0)?, Pairing::Halves);
    /// let plan = RopeConfig::new(rotary).init(&Device::default()).at(0..5);
    /// let [cos, sin] = plan.only().tables().unwrap();
    /// assert_eq!((cos.dims(), sin.dims()), ([1, 5, 32], [1, 5, 32]));
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    #[track_caller]
    pub fn tables(&self) -> Option<[Tensor<3>; 2]> {
        self.planned().map(Planned::tables)
    }

    #[track_caller]
    fn rotated<const D: usize>(&self, x: Tensor<D>, order: Order) -> Tensor<D> {
        match self.planned() {
            Some(planned) => planned.rotated(x, order),
            None => x,
        }
    }

    /// Returns `None` for a layer without positions.
    #[track_caller]
    fn planned(&self) -> Option<&Planned> {
        let index = expect(self.plan.layers.index(self.which))?;
        self.plan.planned.get(index)?.as_ref()
    }
}
