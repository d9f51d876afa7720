//! A linear layer, and activations.

use core::f64::consts::{FRAC_1_SQRT_2, FRAC_2_SQRT_PI, SQRT_2};
use core::fmt;

use ndarray::{Array1, Array2, ArrayView1, ArrayView2};

use super::Parameter;
use crate::arrays::dot;
use crate::bias::sigmoid;
use crate::element::Element;
use crate::error::Error;

/// A linear layer: y = W · x + b, W of shape (outputs, inputs) as torch stores it, b optional.
///
/// ```
/// use ndarray::array;
/// use positional_encodings::training::Linear;
///
/// let linear = Linear::new(array![[1.0_f32, 2.0, 3.0]])?.with_bias(array![0.5])?;
/// assert_eq!((linear.inputs(), linear.outputs()), (3, 1));
/// # Ok::<(), positional_encodings::Error>(())
/// ```
#[derive(Clone, PartialEq)]
pub struct Linear<A> {
    pub(super) weight: Array2<A>,
    bias: Option<Array1<A>>,
}

impl<A: Element> Linear<A> {
    /// Makes a layer without a bias from its weights (outputs, inputs).
    ///
    /// # Errors
    ///
    /// [`Error::ZeroDim`] without inputs or outputs.
    pub fn new(weight: Array2<A>) -> Result<Self, Error> {
        if weight.is_empty() {
            return Err(Error::ZeroDim);
        }
        let weight = if weight.is_standard_layout() {
            weight
        } else {
            weight.as_standard_layout().into_owned()
        };
        Ok(Self { weight, bias: None })
    }

    /// Adds a bias, one value for each output.
    ///
    /// # Errors
    ///
    /// [`Error::LengthMismatch`].
    pub fn with_bias(self, bias: Array1<A>) -> Result<Self, Error> {
        if bias.len() != self.outputs() {
            return Err(Error::LengthMismatch {
                what: "bias values",
                expected: self.outputs(),
                found: bias.len(),
            });
        }
        Ok(Self { bias: Some(bias), ..self })
    }

    /// Returns the number of inputs.
    pub fn inputs(&self) -> usize {
        self.weight.ncols()
    }

    /// Returns the number of outputs.
    pub fn outputs(&self) -> usize {
        self.weight.nrows()
    }

    /// Returns the weights, shape (outputs, inputs).
    pub fn weight(&self) -> ArrayView2<'_, A> {
        self.weight.view()
    }

    /// Returns the bias, if there is one.
    pub fn bias(&self) -> Option<ArrayView1<'_, A>> {
        self.bias.as_ref().map(|bias| bias.view())
    }

    /// The number of values of weights and bias.
    pub(super) fn len(&self) -> usize {
        self.weight.len() + self.bias.as_ref().map_or(0, Array1::len)
    }

    pub(super) fn parameters(&self, name: &str) -> impl Iterator<Item = Parameter> {
        let weight = Parameter::new(format!("{name}.weight"), self.weight.shape(), true);
        let bias = self
            .bias
            .as_ref()
            .map(|bias| Parameter::new(format!("{name}.bias"), bias.shape(), false));
        core::iter::once(weight).chain(bias)
    }

    pub(super) fn values_into(&self, values: &mut [A]) {
        let own = self.weight.iter().chain(self.bias.iter().flatten());
        values.iter_mut().zip(own).for_each(|(value, own)| *value = *own);
    }

    pub(super) fn set_values(&mut self, values: &[A]) {
        let own = self.weight.iter_mut().chain(self.bias.iter_mut().flatten());
        own.zip(values).for_each(|(own, value)| *own = *value);
    }

    /// Maps rows of x (rows, inputs) to rows of y (rows, outputs).
    pub(super) fn forward(&self, x: &Array2<f64>) -> Array2<f64> {
        // This many rows of x stay in cache while the weights are read.
        const BLOCK: usize = 16;
        let mut y = Array2::zeros((x.nrows(), self.outputs()));
        for start in (0..x.nrows()).step_by(BLOCK) {
            for (output, weights) in self.weight.rows().into_iter().enumerate() {
                let bias = self.bias.as_ref().map_or(0.0, |bias| bias[output].to_f64());
                let weights = weights.to_slice().unwrap_or_default();
                for row in start..(start + BLOCK).min(x.nrows()) {
                    let x = x.row(row).to_slice().unwrap_or_default();
                    y[[row, output]] = dot(weights, x) + bias;
                }
            }
        }
        y
    }

    /// Returns the gradient with respect to x, given the gradient with respect to y.
    pub(super) fn backward_input(&self, upstream: &Array2<f64>) -> Array2<f64> {
        let mut slopes = Array2::zeros((upstream.nrows(), self.inputs()));
        for (upstream, mut slopes) in upstream.rows().into_iter().zip(slopes.rows_mut()) {
            for (upstream, weights) in upstream.iter().zip(self.weight.rows()) {
                slopes.zip_mut_with(&weights, |slope, weight| *slope += upstream * weight.to_f64());
            }
        }
        slopes
    }

    /// Adds the gradients with respect to the weights and the bias; each is summed in f64 and
    /// rounded once.
    pub(super) fn backward<G: Element>(
        &self,
        x: &Array2<f64>,
        upstream: &Array2<f64>,
        gradient: &mut [G],
    ) {
        let (weights, biases) = gradient.split_at_mut(self.weight.len());
        let mut sums = vec![0.0; self.inputs()];
        for (weights, upstream) in weights.chunks_exact_mut(self.inputs()).zip(upstream.columns()) {
            sums.fill(0.0);
            for (upstream, x) in upstream.iter().zip(x.rows()) {
                sums.iter_mut().zip(x).for_each(|(sum, x)| *sum += upstream * x);
            }
            weights
                .iter_mut()
                .zip(&sums)
                .for_each(|(weight, sum)| *weight = *weight + G::from_f64(*sum));
        }
        for (bias, upstream) in biases.iter_mut().zip(upstream.columns()) {
            *bias = *bias + G::from_f64(upstream.iter().sum());
        }
    }
}

impl<A> fmt::Debug for Linear<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Linear")
            .field("weight", &self.weight.dim())
            .field("bias", &self.bias.is_some())
            .finish()
    }
}

/// The function between two linear layers.
///
/// The function is computed in f64 by the pure Rust of the `libm` crate, so that its bits are the
/// same on every machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Activation {
    /// max(x, 0)
    Relu,
    /// x · σ(x), also called swish, as in diffusion models.
    Silu,
    /// x · Φ(x), with the error function: torch's default.
    Gelu,
    /// GELU by its tanh approximation: GPT-2's `gelu_new`, JAX's default.
    GeluTanh,
    /// tanh x
    Tanh,
}

impl Activation {
    /// Returns φ(x).
    ///
    /// ```
    /// use positional_encodings::training::Activation;
    ///
    /// assert_eq!(Activation::Relu.value(-3.0), 0.0);
    /// assert!((Activation::Gelu.value(1.0) - 0.841_344_746_068_543).abs() < 1e-15);
    /// ```
    pub fn value(self, x: f64) -> f64 {
        match self {
            Self::Relu => x.max(0.0),
            Self::Silu => x * sigmoid(x),
            Self::Gelu => x * normal_below(x),
            Self::GeluTanh => 0.5 * x * (1.0 + libm::tanh(gelu_argument(x))),
            Self::Tanh => libm::tanh(x),
        }
    }

    /// Returns the derivative φ′(x); that of ReLU at 0 is 0, as in torch.
    ///
    /// ```
    /// use positional_encodings::training::Activation;
    ///
    /// assert_eq!(Activation::Silu.slope(0.0), 0.5);
    /// ```
    pub fn slope(self, x: f64) -> f64 {
        match self {
            Self::Relu => f64::from(u8::from(x > 0.0)),
            Self::Silu => sigmoid(x) * (1.0 + x * (1.0 - sigmoid(x))),
            Self::Gelu => {
                normal_below(x) + x * libm::exp(-0.5 * x * x) * 0.5 * FRAC_2_SQRT_PI * FRAC_1_SQRT_2
            }
            Self::GeluTanh => {
                let tanh = libm::tanh(gelu_argument(x));
                let inner = SQRT_2 * 0.5 * FRAC_2_SQRT_PI * (1.0 + 3.0 * 0.044_715 * x * x);
                0.5 * (1.0 + tanh) + 0.5 * x * (1.0 - tanh * tanh) * inner
            }
            Self::Tanh => 1.0 - libm::tanh(x) * libm::tanh(x),
        }
    }
}

/// Returns Φ(x), the standard normal distribution function.
fn normal_below(x: f64) -> f64 {
    0.5 * (1.0 + libm::erf(x * FRAC_1_SQRT_2))
}

/// Returns √(2/π) · (x + 0.044715 x³).
fn gelu_argument(x: f64) -> f64 {
    SQRT_2 * 0.5 * FRAC_2_SQRT_PI * (x + 0.044_715 * x * x * x)
}
