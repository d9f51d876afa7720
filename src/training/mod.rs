//! Parameters, their gradients, and encodings that exist only to be trained.
//!
//! [`Trainable`] gives an optimiser access to parameters, and [`Differentiable`] passes gradients
//! back. A gradient is one flat slice in the order of the parameters; the gradient of a single
//! table may also be an array of its shape or [`TouchedRows`] (see [`GradientRows`]).

mod axes;
mod batch;
mod bias;
mod fixed;
mod frequencies;
mod frozen;
mod grid;
mod layers;
mod learned;
mod linear;
mod network;
mod projection;
mod rows;
mod scaled;
mod time2vec;

pub use batch::{backward_positions, backward_positions_at};
pub use bias::{
    BoxBias, ContentGradient, CopeGradient, DifferentiableBias, DifferentiableContentBias,
    DistanceNetwork, Fire, HeadGradient, Spacing, SwinV2Bias, backward_bias,
};
pub use frequencies::LearnedFrequencies;
pub use frozen::Frozen;
pub use layers::Layers;
pub use linear::{Activation, Linear};
pub use network::PositionNetwork;
pub use projection::LearnedProjection;
pub(crate) use rows::scatter;
pub use rows::{GradientRows, TouchedRows};
pub use scaled::Scaled;

use core::fmt;

use ndarray::ArrayView2;

use crate::additive::PositionalEncoding;
use crate::arrays::check_len;
use crate::element::Element;
use crate::error::Error;
use crate::positions::Positions;

/// The description of a learned tensor for an optimiser.
///
/// ```
/// use positional_encodings::{Init, Learned, training::Trainable};
/// use rand::SeedableRng;
///
/// let rng = &mut rand::rngs::SmallRng::seed_from_u64(1);
/// let learned = Learned::<f32>::init(512, 64, Init::Normal { std: 0.02 }, rng)?;
/// let table = &learned.parameters()[0];
/// assert_eq!(
///     (table.name.as_str(), &table.shape[..], table.decays),
///     ("table", &[512, 64][..], false)
/// );
/// assert_eq!(table.to_string(), "table [512, 64]");
/// # Ok::<(), positional_encodings::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Parameter {
    /// The name of the tensor; names of parameters of an inner encoding are prefixed with
    /// `encoding.`.
    pub name: String,
    /// The shape of the tensor; its values are in row-major order.
    pub shape: Vec<usize>,
    /// Whether weight decay applies. It applies to the matrices of a network, and not to position
    /// tables, amplitudes, frequencies and biases (timm's and Swin's `no_weight_decay`).
    pub decays: bool,
}

impl Parameter {
    /// Makes the description of a tensor.
    pub fn new(name: impl Into<String>, shape: impl Into<Vec<usize>>, decays: bool) -> Self {
        Self { name: name.into(), shape: shape.into(), decays }
    }

    /// Returns the number of values in the tensor; `usize::MAX` if it overflows.
    #[allow(clippy::len_without_is_empty)] // a tensor, not a collection
    pub fn len(&self) -> usize {
        // A tensor with an empty axis is empty, however long its other axes are.
        match self.shape.contains(&0) {
            true => 0,
            false => self.shape.iter().fold(1, |len, axis| len.saturating_mul(*axis)),
        }
    }

    /// Returns the description with `encoding.` before the name, for an encoding within another.
    pub fn nested(self) -> Self {
        Self { name: format!("encoding.{}", self.name), ..self }
    }
}

impl fmt::Display for Parameter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:?}", self.name, self.shape)
    }
}

/// An encoding, or a whole [`TokenEmbedding`](crate::TokenEmbedding), with parameters.
///
/// All parameters form one flat list of values, in the order of [`parameters`](Self::parameters),
/// each in row-major order. So an optimiser is a loop over two slices, whatever is trained. The
/// list of a wrapper is its own values, then those of the encoding within. The list of an encoding
/// without parameters, such as [`Sinusoidal`](crate::Sinusoidal), is empty.
///
/// | trained | parameters |
/// |---|---|
/// | [`Learned`](crate::Learned) | `table` (rows, dim) |
/// | [`LearnedFrequencies`] | `frequencies` (pairs) |
/// | [`LearnedProjection`] | `projection` (axes, pairs) |
/// | [`LearnedGrid`](crate::LearnedGrid) | `table` (sizes…, dim) |
/// | [`Axes`](crate::Axes) | those of its encodings, after `axis_0.` and so on |
/// | [`Time2Vec`](crate::space::Time2Vec) | `frequencies` (dim), `phases` (dim) |
/// | [`Scaled`] | `scale` (), and those of what it scales |
/// | [`PositionNetwork`] | weights and biases of two linear layers, and those of the encoding within |
/// | [`TokenEmbedding`](crate::TokenEmbedding) | `words` (vocabulary, dim), `segments` (segments, dim) if there are any, and those of its positions |
/// | [`Sinusoidal`](crate::Sinusoidal), [`Fourier`](crate::Fourier) and all other formulas, [`Frozen`] | none |
pub trait Trainable<A: Element> {
    /// Lists the learned tensors, in the order of the values.
    fn parameters(&self) -> Vec<Parameter>;

    /// Writes the values of all parameters to `values`.
    ///
    /// # Errors
    ///
    /// [`Error::LengthMismatch`] unless `values` has exactly
    /// [`parameter_count`](Self::parameter_count) elements.
    fn values_into(&self, values: &mut [A]) -> Result<(), Error>;

    /// Replaces the values of all parameters.
    ///
    /// # Errors
    ///
    /// [`Error::LengthMismatch`], and an error where a parameter cannot take a value; all values
    /// are then unchanged.
    fn set_values(&mut self, values: &[A]) -> Result<(), Error>;

    /// Returns the number of values in all parameters.
    fn parameter_count(&self) -> usize {
        self.parameters().iter().fold(0, |count, own| count.saturating_add(own.len()))
    }

    /// Returns the values of all parameters.
    fn values(&self) -> Vec<A> {
        let mut values = vec![A::zero(); self.parameter_count()];
        // The length is correct by construction; an inconsistent implementation leaves zeros.
        let _ = self.values_into(&mut values);
        values
    }
}

/// An encoding that passes gradients back to its parameters.
///
/// ```
/// use ndarray::{Array2, array};
/// use positional_encodings::training::{Differentiable, Trainable};
/// use positional_encodings::{Learned, PositionalEncoding, Positions};
///
/// // Gradient descent on Σ (PE − target)² / 2, whose gradient is PE − target.
/// let mut learned = Learned::from_table(Array2::<f64>::zeros((2, 2)))?;
/// let (positions, target) = (Positions::from(0..2), array![[1.0, 2.0], [3.0, 4.0]]);
/// for _ in 0..60 {
///     let upstream = learned.encode(&positions)? - &target;
///     let mut gradient = vec![0.0; learned.parameter_count()];
///     learned.backward(&positions, upstream.view(), &mut gradient)?;
///     let values: Vec<f64> = learned
///         .values()
///         .iter()
///         .zip(&gradient)
///         .map(|(value, slope)| value - 0.5 * slope)
///         .collect();
///     learned.set_values(&values)?;
/// }
/// assert!((learned.table().to_owned() - target).iter().all(|error| error.abs() < 1e-12));
/// # Ok::<(), positional_encodings::Error>(())
/// ```
pub trait Differentiable<A: Element>: PositionalEncoding<A> + Trainable<A> {
    /// Adds to `gradient` the gradient of a loss, given `upstream` (positions, dim), its gradient
    /// with respect to the vectors of `positions`.
    ///
    /// gradient\[k\] += Σᵢⱼ upstream\[i, j\] · ∂PE(positionᵢ)ⱼ/∂valueₖ. Contributions of repeated
    /// positions accumulate in their order.
    ///
    /// # Errors
    ///
    /// [`Error::WidthMismatch`], [`Error::LengthMismatch`], and the errors of encoding the
    /// positions; `gradient` is then unchanged.
    fn backward(
        &self,
        positions: &Positions<'_>,
        upstream: ArrayView2<'_, A>,
        gradient: &mut [A],
    ) -> Result<(), Error>;
}

impl<A: Element, E: Trainable<A> + ?Sized> Trainable<A> for Box<E> {
    fn parameters(&self) -> Vec<Parameter> {
        (**self).parameters()
    }

    fn values_into(&self, values: &mut [A]) -> Result<(), Error> {
        (**self).values_into(values)
    }

    fn set_values(&mut self, values: &[A]) -> Result<(), Error> {
        (**self).set_values(values)
    }

    fn parameter_count(&self) -> usize {
        (**self).parameter_count()
    }

    fn values(&self) -> Vec<A> {
        (**self).values()
    }
}

impl<A: Element, E: Differentiable<A> + ?Sized> Differentiable<A> for Box<E> {
    fn backward(
        &self,
        positions: &Positions<'_>,
        upstream: ArrayView2<'_, A>,
        gradient: &mut [A],
    ) -> Result<(), Error> {
        (**self).backward(positions, upstream, gradient)
    }
}

/// Checks the length of a list of parameter values.
pub(crate) fn check_values(expected: usize, found: usize) -> Result<(), Error> {
    check_len("parameter values", expected, found)
}

/// Copies an encoding's own `count` values to the output, in order.
pub(crate) fn copy_values<A>(
    count: usize,
    own: impl IntoIterator<Item = A>,
    values: &mut [A],
) -> Result<(), Error> {
    check_values(count, values.len())?;
    values.iter_mut().zip(own).for_each(|(value, own)| *value = own);
    Ok(())
}

/// Checks that a `backward` can be done, before anything is written.
pub(crate) fn check_backward<A: Element, E: PositionalEncoding<A> + ?Sized>(
    encoding: &E,
    positions: &Positions<'_>,
    upstream: &ArrayView2<'_, A>,
    parameters: usize,
    gradient: usize,
) -> Result<(), Error> {
    check_upstream(positions, encoding.dim(), upstream)?;
    check_values(parameters, gradient)?;
    encoding.check(positions)
}

/// Checks that `upstream` has the shape (positions, dim).
pub(crate) fn check_upstream<A>(
    positions: &Positions<'_>,
    dim: usize,
    upstream: &ArrayView2<'_, A>,
) -> Result<(), Error> {
    if upstream.ncols() != dim {
        return Err(Error::WidthMismatch { expected: dim, found: upstream.ncols() });
    }
    if upstream.nrows() != positions.count() {
        let what = "rows of the upstream gradient";
        return Err(Error::LengthMismatch {
            what,
            expected: positions.count(),
            found: upstream.nrows(),
        });
    }
    Ok(())
}
