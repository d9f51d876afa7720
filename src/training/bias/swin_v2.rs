//! Swin V2: the table of a window from a network of log-spaced offsets.

use ndarray::{Array2, ArrayView3};

use super::{DifferentiableBias, add, backward_rows};
use crate::arrays::room;
use crate::bias::{AttentionBias, TableRule, Window, WindowBias, check_scores};
use crate::element::Element;
use crate::error::Error;
use crate::positions::Positions;
use crate::training::{Layers, Parameter, Trainable, check_values};

/// Swin V2's bias (Liu et al. 2021, *Swin transformer V2*): 16 · σ of a network of the offset (dy,
/// dx), where each offset d enters as ± log₂(1 + |8 · d / (W − 1)|) / 3, with W the side of the
/// window that the network was trained with.
///
/// The network, 2 → 512 → heads with ReLU in the models, is evaluated once for each offset, and its
/// outputs are rounded once to a table. The same network gives tables for other windows.
///
/// ```
/// use ndarray::{Array2, array};
/// use positional_encodings::training::{Activation, Layers, Linear, SwinV2Bias};
/// use positional_encodings::{AttentionBias, Positions};
///
/// let layers = Layers::new([Linear::new(array![[0.0_f32, 0.0]])?], Activation::Relu)?;
/// let bias = SwinV2Bias::new(layers, [8, 8], [8, 8])?;
/// let patches = Positions::grid(&[8, 8])?;
/// assert_eq!(bias.encode(&patches, &patches)?[[0, 3, 60]], 8.0); // 16 · σ(0)
/// # Ok::<(), positional_encodings::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct SwinV2Bias<A> {
    layers: Layers<A>,
    trained: [usize; 2],
    /// The table of the outputs for all offsets.
    bias: WindowBias<A>,
}

impl<A: Element> SwinV2Bias<A> {
    /// Makes the bias from layers with two inputs and one output for each head, the window (height,
    /// width), and the window they were trained with (`pretrained_window_size`; where a config says
    /// 0, `window` itself).
    ///
    /// # Errors
    ///
    /// [`Error::WidthMismatch`] unless the layers have two inputs, [`Error::EmptyGrid`],
    /// [`Error::TooLarge`].
    pub fn new(layers: Layers<A>, window: [usize; 2], trained: [usize; 2]) -> Result<Self, Error> {
        if layers.inputs() != 2 {
            return Err(Error::WidthMismatch { expected: 2, found: layers.inputs() });
        }
        let [rows, columns] = trained;
        if rows == 0 || columns == 0 {
            return Err(Error::EmptyGrid { rows, columns });
        }
        let offsets = Window::new(window)?.entries();
        room::<f64>(offsets, layers.outputs().max(2))?;
        let squashed = squashed(&layers.forward(features(window, trained)));
        let bias = WindowBias::swin(squashed.mapv(A::from_f64), window)?;
        Ok(Self { layers, trained, bias })
    }

    /// Returns the layers.
    pub fn layers(&self) -> &Layers<A> {
        &self.layers
    }

    /// Returns the bias with the table that the layers give.
    pub fn table(&self) -> &WindowBias<A> {
        &self.bias
    }
}

/// Returns 16 · σ of each value.
fn squashed(values: &Array2<f64>) -> Array2<f64> {
    values.mapv(|value| 16.0 / (1.0 + libm::exp(-value)))
}

/// Returns the log-spaced offsets of a window, in the order of its table.
fn features(window: [usize; 2], trained: [usize; 2]) -> Array2<f64> {
    let sides = window.map(|len| 2 * len - 1);
    Array2::from_shape_fn((sides[0] * sides[1], 2), |(entry, axis)| {
        let place = if axis == 0 { entry / sides[1] } else { entry % sides[1] };
        let offset = place as f64 - (window[axis] - 1) as f64;
        // A side of 1 has no offset other than 0.
        spaced(8.0 * offset / (trained[axis] - 1).max(1) as f64)
    })
}

/// Returns ± log₂(1 + |x|) / log₂ 8, with the sign of x.
pub(super) fn spaced(x: f64) -> f64 {
    (libm::log1p(x.abs()) / (3.0 * core::f64::consts::LN_2)).copysign(x)
}

impl<A: Element> AttentionBias<A> for SwinV2Bias<A> {
    fn heads(&self) -> usize {
        self.bias.heads()
    }

    fn encode_row(&self, query: &Positions<'_>, keys: &Positions<'_>, out: &mut [A]) {
        self.bias.encode_row(query, keys, out);
    }

    fn axes(&self) -> [usize; 2] {
        [2, 2]
    }

    fn check(&self, queries: &Positions<'_>, keys: &Positions<'_>) -> Result<(), Error> {
        self.bias.check(queries, keys)
    }
}

impl<A: Element> Trainable<A> for SwinV2Bias<A> {
    fn parameters(&self) -> Vec<Parameter> {
        self.layers.parameters("layers.")
    }

    fn values_into(&self, values: &mut [A]) -> Result<(), Error> {
        check_values(self.layers.len(), values.len())?;
        self.layers.values_into(values);
        Ok(())
    }

    fn set_values(&mut self, values: &[A]) -> Result<(), Error> {
        let mut layers = self.layers.clone();
        layers.set_values(values)?;
        *self = Self::new(layers, self.bias.rule().size(), self.trained)?;
        Ok(())
    }
}

impl<A: Element> SwinV2Bias<A> {
    /// Adds the gradient with respect to the layers, given the gradient with respect to their
    /// table, entry by entry.
    fn backward_table(&self, table: Vec<f64>, gradient: &mut [f64]) {
        let features = features(self.bias.rule().size(), self.trained);
        let squashed = squashed(&self.layers.forward(features.clone()));
        let Ok(mut upstream) = Array2::from_shape_vec(squashed.dim(), table) else { return };
        upstream
            .zip_mut_with(&squashed, |upstream, value| *upstream *= value * (1.0 - value / 16.0));
        self.layers.backward(features, upstream, gradient);
    }
}

impl<A: Element> DifferentiableBias<A> for SwinV2Bias<A> {
    fn backward_row(
        &self,
        query: &Positions<'_>,
        keys: &Positions<'_>,
        upstream: &[f64],
        gradient: &mut [f64],
    ) {
        let mut table = vec![0.0; self.bias.table().len()];
        self.bias.backward_row(query, keys, upstream, &mut table);
        self.backward_table(table, gradient);
    }

    /// Evaluates the layers once, not for each query.
    fn backward(
        &self,
        queries: &Positions<'_>,
        keys: &Positions<'_>,
        upstream: ArrayView3<'_, A>,
        gradient: &mut [A],
    ) -> Result<(), Error> {
        let (queries, keys) = (&queries.flat(), &keys.flat());
        check_scores(self, upstream.shape(), queries, keys)?;
        check_values(self.layers.len(), gradient.len())?;
        let mut table = vec![0.0; self.bias.table().len()];
        backward_rows(self, queries, keys, upstream, |query, keys, upstream| {
            self.bias.backward_row(query, keys, upstream, &mut table);
        });
        let mut sums = vec![0.0; gradient.len()];
        self.backward_table(table, &mut sums);
        add(gradient, &sums);
        Ok(())
    }
}
