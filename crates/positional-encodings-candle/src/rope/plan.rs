//! The plan of one forward pass, and its application in a layer.

use std::sync::Arc;

use candle_core::{Device, Result, Tensor};

use super::layers::Layers;
use super::op::Order;
use super::planned::Planned;
use crate::error::wrap;

/// Cosines and sines at the positions of one forward pass, for all layers, made by
/// [`Rope::at`](super::Rope::at).
///
/// On a GPU the tables are uploaded once, when the first layer needs them.
///
/// ```
/// use candle_core::{DType, Device, Tensor};
/// use positional_encodings_candle::Rope;
///
/// // Layers of two types, one of them without positions
/// let rope = Rope::from_json(r#"{"model_type": "smollm3", "head_dim": 64, "num_hidden_layers": 8}"#)?;
/// let plan = rope.at(10..11)?;
/// let q = Tensor::ones((1, 4, 1, 64), DType::F32, &Device::Cpu)?;
/// let moved = |layer| -> candle_core::Result<f32> {
///     (plan.layer(layer).rope(&q)? - &q)?.abs()?.sum_all()?.to_scalar()
/// };
/// assert!(moved(2)? > 1.0 && moved(3)? == 0.0);
/// # Ok::<(), candle_core::Error>(())
/// ```
#[derive(Debug)]
pub struct RopePlan {
    layers: Arc<Layers>,
    /// The rotation of each type of layer.
    rotations: Vec<Option<Planned>>,
}

impl RopePlan {
    pub(super) fn new(layers: Arc<Layers>, rotations: Vec<Option<Planned>>) -> Self {
        Self { layers, rotations }
    }

    /// Returns the rotation of a layer, counted from 0. If there is no such layer, the methods of
    /// the result return an error.
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
/// | the tensor is | rotated copy | in place |
/// |---|---|---|
/// | (batch, heads, positions, dim), (…, positions, dim) | [`rope`](Self::rope) | [`rope_inplace`](Self::rope_inplace) |
/// | (batch, positions, heads, dim), packed (tokens, heads, dim) | [`rope_thd`](Self::rope_thd) | [`rope_thd_inplace`](Self::rope_thd_inplace) |
///
/// Elements are f32, f64, f16 or bf16; arithmetic is in f32, or in f64 for f64, with one rounding
/// to the element type. A head may be wider than its rotated features. In a layer without positions
/// nothing changes: a contiguous tensor is returned as a clone, which shares its memory.
///
/// | tensor on | path |
/// |---|---|
/// | the CPU | this crate's kernel, in the tensor's memory: views with offsets and strides are not copied; on all cores |
/// | CUDA, Metal | exact cosines and sines, computed on the CPU and uploaded once per plan, and candle-nn's fused op in f32 (f64 in f64) |
///
/// # Gradients
///
/// [`rope`](Self::rope) and [`rope_thd`](Self::rope_thd) have a gradient, the rotation by the
/// negated angles, on every device. candle-nn's own `rope`, `rope_i` and `rope_thd` have none, and
/// `backward` does not report it.
///
/// # In place
///
/// A clone of a candle tensor, a view, and the result of [`Tensor::detach`] share its memory, so an
/// operation in place changes them all. Use it on tensors that have just been computed. A gradient
/// graph keeps clones, too: after `y = w * x` the gradient of `w` is computed from `x`, and nothing
/// reports that `x` has been rotated since.
#[derive(Clone, Copy, Debug)]
pub struct LayerRope<'p> {
    plan: &'p RopePlan,
    which: Which<'p>,
}

#[derive(Clone, Copy, Debug)]
enum Which<'p> {
    Layer(usize),
    Type(&'p str),
    Only,
}

impl LayerRope<'_> {
    /// Returns the rotated tensor (…, heads, positions, dim), contiguous.
    ///
    /// # Errors
    ///
    /// An error if the tensor has fewer than two axes, fewer features than are rotated, or another
    /// number of positions or sequences than the plan; for element types other than floats of 16,
    /// 32 or 64 bits; and if there is no such layer.
    ///
    /// ```
    /// use candle_core::{Device, Tensor, Var};
    /// use positional_encodings::{Frequencies, Pairing, Rotary};
    /// use positional_encodings_candle::Rope;
    ///
    /// let rope = Rope::new(Rotary::new(Frequencies::harmonic(2, 4.0)?, Pairing::Halves));
    /// let plan = rope.at(1..2)?; // a quarter of a turn
    /// let x = Var::new(&[[1.0_f32, 2.0]], &Device::Cpu)?;
    /// let y = plan.only().rope(&x)?;
    /// assert_eq!(y.to_vec2::<f32>()?, [[-2.0, 1.0]]);
    ///
    /// // The gradient of 3·y₀ + 5·y₁ is (3, 5) rotated back.
    /// let loss = (y * Tensor::new(&[[3.0_f32, 5.0]], &Device::Cpu)?)?.sum_all()?;
    /// let gradients = loss.backward()?;
    /// assert_eq!(gradients.get(&x).unwrap().to_vec2::<f32>()?, [[5.0, -3.0]]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn rope(&self, xs: &Tensor) -> Result<Tensor> {
        self.rotated(xs, Order::HeadsFirst)
    }

    /// Returns the rotated tensor (…, positions, heads, dim), contiguous: a batch in the layout of
    /// the projections, or packed tokens of several sequences (tokens, heads, dim), with the
    /// position of each token in the plan.
    ///
    /// # Errors
    ///
    /// The errors of [`rope`](Self::rope), and an error for fewer than three axes, or than four if
    /// sequences have their own positions: packed tokens have no axis of sequences.
    ///
    /// ```
    /// use candle_core::{Device, Tensor};
    /// use positional_encodings::{Frequencies, Pairing, Rotary};
    /// use positional_encodings_candle::Rope;
    ///
    /// let rope = Rope::new(Rotary::new(Frequencies::harmonic(2, 4.0)?, Pairing::Interleaved));
    /// let packed = Tensor::new(&[[[1.0_f32, 2.0]], [[3.0, 4.0]], [[1.0, 2.0]]], &Device::Cpu)?;
    /// let rotated = rope.at(&[0, 1, 0])?.only().rope_thd(&packed)?; // two sequences, of 2 and 1
    /// assert_eq!(rotated.to_vec3::<f32>()?, [[[1.0, 2.0]], [[-4.0, 3.0]], [[1.0, 2.0]]]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn rope_thd(&self, xs: &Tensor) -> Result<Tensor> {
        self.rotated(xs, Order::PositionsFirst)
    }

    /// Rotates a tensor (…, heads, positions, dim) in place; its clones and views change with it.
    ///
    /// # Errors
    ///
    /// The errors of [`rope`](Self::rope), and an error for a tensor in a gradient graph, whose
    /// gradient would be wrong ([`Tensor::detach`] returns a tensor outside of the graph with the
    /// same memory); for one with repeated elements, such as a broadcast; and on a GPU for one that
    /// is not contiguous. The tensor is then unchanged.
    ///
    /// ```
    /// use candle_core::{Device, Tensor};
    /// use positional_encodings::{Frequencies, Pairing, Rotary};
    /// use positional_encodings_candle::Rope;
    ///
    /// let rope = Rope::new(Rotary::new(Frequencies::harmonic(2, 4.0)?, Pairing::Halves));
    /// let x = Tensor::new(&[[1.0_f32, 2.0]], &Device::Cpu)?;
    /// let clone = x.clone();
    /// rope.at(1..2)?.only().rope_inplace(&x)?;
    /// assert_eq!(x.to_vec2::<f32>()?, [[-2.0, 1.0]]);
    /// assert_eq!(clone.to_vec2::<f32>()?, [[-2.0, 1.0]]); // the same memory
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn rope_inplace(&self, xs: &Tensor) -> Result<()> {
        self.rotate(xs, Order::HeadsFirst)
    }

    /// Rotates a tensor (…, positions, heads, dim) in place; its clones and views change with it.
    ///
    /// # Errors
    ///
    /// The errors of [`rope_inplace`](Self::rope_inplace) and of [`rope_thd`](Self::rope_thd).
    pub fn rope_thd_inplace(&self, xs: &Tensor) -> Result<()> {
        self.rotate(xs, Order::PositionsFirst)
    }

    /// Returns the cosines and the sines on a device, each (positions, pairs) or (batch, positions,
    /// pairs), in f32 with the attention factor included, for your own kernels. The result is
    /// `None` for a layer without positions.
    ///
    /// # Errors
    ///
    /// An error if there is no such layer, and the errors of the device.
    ///
    /// ```
    /// use candle_core::{DType, Device, Tensor};
    /// use positional_encodings::{Frequencies, Pairing, Rotary};
    /// use positional_encodings_candle::Rope;
    ///
    /// let rope = Rope::new(Rotary::new(Frequencies::geometric(64, 10_000.0)?, Pairing::Halves));
    /// let plan = rope.at(0..5)?;
    /// let (cos, sin) = plan.only().tables(&Device::Cpu)?.unwrap();
    /// let q = Tensor::ones((1, 2, 5, 64), DType::F32, &Device::Cpu)?;
    /// let candle = candle_nn::rotary_emb::rope(&q, &cos, &sin)?;
    /// let ours = plan.only().rope(&q)?;
    /// assert_eq!((candle - ours)?.abs()?.max_all()?.to_scalar::<f32>()?, 0.0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn tables(&self, device: &Device) -> Result<Option<(Tensor, Tensor)>> {
        let Some(planned) = self.planned()? else { return Ok(None) };
        let [cos, sin] = planned.tables(candle_core::DType::F32, device)?;
        Ok(Some((cos, sin)))
    }

    fn rotated(&self, xs: &Tensor, order: Order) -> Result<Tensor> {
        match self.planned()? {
            Some(planned) => planned.rotated(xs, order),
            None => xs.contiguous(),
        }
    }

    fn rotate(&self, xs: &Tensor, order: Order) -> Result<()> {
        match self.planned()? {
            Some(planned) => planned.rotate(xs, order),
            None => Ok(()),
        }
    }

    /// Returns `None` for a layer without positions.
    fn planned(&self) -> Result<Option<&Planned>> {
        let layers = &self.plan.layers;
        let kind = match self.which {
            Which::Layer(index) => layers.layer(index),
            Which::Type(name) => layers.named(name),
            Which::Only => layers.only(),
        };
        Ok(self.plan.rotations.get(kind.map_err(wrap)?).and_then(Option::as_ref))
    }
}
