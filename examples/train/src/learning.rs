//! Learned encodings as operations of candle: `positional-encodings` computes their values and
//! gradients within candle's forward and backward passes.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use candle_core::{CpuStorage, CustomOp1, Device, Layout, Result, Shape, Tensor};
use ndarray::{Array1, Array2, Array3, Ix2, Ix3};
use positional_encodings_candle::positional_encodings::training::{
    Differentiable, DifferentiableBias, Trainable,
};
use positional_encodings_candle::positional_encodings::{Error, Positions};
use positional_encodings_candle::{to_array, to_tensor};

use crate::parameters::{Scope, Start};

/// An encoding of `positional-encodings` with parameters, which gives numbers for positions:
/// vectors (len, dim), or a bias (heads, len, len).
pub trait Learns: Trainable<f32> + Send {
    /// Returns the numbers and their shape.
    ///
    /// # Errors
    ///
    /// The errors of the encoding.
    fn values_at(&self, positions: &Positions<'_>) -> core::result::Result<Numbers, Error>;

    /// Adds the gradient for the parameters to `gradient`.
    ///
    /// # Errors
    ///
    /// The errors of the encoding, and candle's.
    fn backward_at(
        &self,
        positions: &Positions<'_>,
        upstream: &Tensor,
        gradient: &mut [f32],
    ) -> Result<()>;
}

/// Numbers and their shape.
pub type Numbers = (Vec<f32>, Vec<usize>);

/// Position vectors by any formula.
pub struct Vectors(pub Box<dyn Differentiable<f32>>);

/// A bias by any formula.
pub struct Bias(pub Box<dyn DifferentiableBias<f32>>);

macro_rules! trainable {
    ($($name:ident),*) => {$(
        impl Trainable<f32> for $name {
            fn parameters(
                &self,
            ) -> Vec<positional_encodings_candle::positional_encodings::training::Parameter> {
                self.0.parameters()
            }

            fn values_into(&self, values: &mut [f32]) -> core::result::Result<(), Error> {
                self.0.values_into(values)
            }

            fn set_values(&mut self, values: &[f32]) -> core::result::Result<(), Error> {
                self.0.set_values(values)
            }
        }
    )*};
}

trainable!(Vectors, Bias);

impl Learns for Vectors {
    fn values_at(&self, positions: &Positions<'_>) -> core::result::Result<Numbers, Error> {
        let rows: Array2<f32> = self.0.encode(positions)?;
        let shape = rows.shape().to_vec();
        Ok((rows.into_iter().collect(), shape))
    }

    fn backward_at(
        &self,
        positions: &Positions<'_>,
        upstream: &Tensor,
        gradient: &mut [f32],
    ) -> Result<()> {
        let upstream = to_array::<f32>(upstream)?.into_dimensionality::<Ix2>().map_err(wrap)?;
        self.0.backward(positions, upstream.view(), gradient).map_err(wrap)
    }
}

impl Learns for Bias {
    fn values_at(&self, positions: &Positions<'_>) -> core::result::Result<Numbers, Error> {
        let bias: Array3<f32> = self.0.encode(positions, positions)?;
        let shape = bias.shape().to_vec();
        Ok((bias.into_iter().collect(), shape))
    }

    fn backward_at(
        &self,
        positions: &Positions<'_>,
        upstream: &Tensor,
        gradient: &mut [f32],
    ) -> Result<()> {
        let upstream = to_array::<f32>(upstream)?.into_dimensionality::<Ix3>().map_err(wrap)?;
        self.0.backward(positions, positions, upstream.view(), gradient).map_err(wrap)
    }
}

/// A learned encoding or bias in a model, with its parameters as one variable of candle.
pub struct Learning {
    inner: Arc<Mutex<dyn Learns>>,
    /// All parameters as one vector, if there are any.
    values: Option<Tensor>,
}

impl Learning {
    /// Makes a variable of the parameters.
    ///
    /// # Errors
    ///
    /// The errors of [`Scope::get`].
    pub fn new(learns: impl Learns + 'static, scope: &Scope<'_>) -> Result<Self> {
        let values = learns.values();
        // Tables and amplitudes have no weight decay; the variable decays only if all parameters
        // do.
        let decays = learns.parameters().iter().all(|parameter| parameter.decays);
        let values = match values.len() {
            0 => None,
            len => Some(scope.get("positions", len, Start::Values(values), decays)?),
        };
        Ok(Self { inner: Arc::new(Mutex::new(learns)), values })
    }

    /// Returns the numbers at positions 0..len, from which candle's backward pass reaches the
    /// variable.
    ///
    /// # Errors
    ///
    /// An error where the encoding has no such position.
    pub fn at(&self, len: usize) -> Result<Tensor> {
        if let Some(values) = &self.values {
            return values.apply_op1(Operation { inner: Arc::clone(&self.inner), len });
        }
        // Nothing is learned, so there is no gradient.
        let (numbers, shape) =
            lock(&self.inner).values_at(&Positions::from(0..len)).map_err(wrap)?;
        Tensor::from_vec(numbers, shape, &Device::Cpu)
    }
}

struct Operation {
    inner: Arc<Mutex<dyn Learns>>,
    len: usize,
}

impl CustomOp1 for Operation {
    fn name(&self) -> &'static str {
        "learned positions"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let all = storage.as_slice::<f32>()?;
        let Some((start, end)) = layout.contiguous_offsets() else {
            candle_core::bail!("{}: the parameters are not contiguous", self.name())
        };
        let mut inner = lock(&self.inner);
        inner.set_values(&all[start..end]).map_err(wrap)?;
        let (numbers, shape) = inner.values_at(&Positions::from(0..self.len)).map_err(wrap)?;
        Ok((CpuStorage::F32(numbers), Shape::from(shape)))
    }

    fn bwd(&self, values: &Tensor, _: &Tensor, upstream: &Tensor) -> Result<Option<Tensor>> {
        let values: Vec<f32> = values.to_vec1()?;
        let mut inner = lock(&self.inner);
        inner.set_values(&values).map_err(wrap)?;
        let mut gradient = vec![0.0; values.len()];
        inner.backward_at(&Positions::from(0..self.len), upstream, &mut gradient)?;
        to_tensor(Array1::from(gradient), &Device::Cpu).map(Some)
    }
}

fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Converts an error of `positional-encodings` to one of candle.
pub fn wrap(error: impl std::error::Error + Send + Sync + 'static) -> candle_core::Error {
    candle_core::Error::wrap(error)
}
