//! Position vectors that are added to embeddings, as a module.

use core::fmt;
use std::sync::Arc;

use candle_core::{
    CpuStorage, CustomOp1, D, DType, Device, InplaceOp1, Layout, Module, Result, Shape, Tensor,
    WithDType,
};
use positional_encodings::{
    Element, Error, PositionalEncoding, Positions, add_positions_at, embed_with_positions_at,
};

use crate::convert::to_tensor;
use crate::element::{EveryElement, for_each_element};
use crate::error::{unsupported, untracked, wrap};
use crate::memory::{view, view_mut};

/// The name of the operation, in errors.
const NAME: &str = "position vectors";

/// A module that adds position vectors to embeddings (…, len, dim): [`PositionVectors`] by formula,
/// [`LearnedPositions`](crate::LearnedPositions) from a table.
pub trait AddPositions {
    /// Returns `xs` (…, len, dim) plus the vectors of the given positions: a list that all
    /// sequences share, or ids (batch, len).
    ///
    /// # Errors
    ///
    /// An error if the width or the number of positions does not fit, or if a position cannot be
    /// encoded.
    fn add_at(&self, xs: &Tensor, positions: &Positions<'_>) -> Result<Tensor>;
}

/// A [`PositionalEncoding`] as a module: it adds the vectors of positions 0..len, or of given
/// positions, to embeddings (…, len, dim).
///
/// Values are exact, and rounded once to the type of the tensor. On the CPU the sum is one pass
/// over the tensor. On other devices the vectors are computed on the CPU, uploaded and added there:
/// a model that needs the same vectors again can keep the result of [`vectors`](Self::vectors).
///
/// The gradient with respect to the embeddings passes through.
///
/// ```
/// use candle_core::{DType, Device, Module, Tensor};
/// use positional_encodings::Sinusoidal;
/// use positional_encodings_candle::PositionVectors;
///
/// let positions = PositionVectors::new(Sinusoidal::new(2)?);
/// let words = Tensor::zeros((1, 3, 2), DType::F64, &Device::Cpu)?;
/// let input = positions.forward(&words)?;
/// assert_eq!(input.to_vec3::<f64>()?[0][2], [2_f64.sin(), 2_f64.cos()]);
/// let step = positions.forward_at(&words.narrow(1, 0, 1)?, 4095..4096)?;
/// assert_eq!(step.to_vec3::<f64>()?[0][0], [4095_f64.sin(), 4095_f64.cos()]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct PositionVectors<E: ?Sized> {
    encoding: Arc<E>,
}

impl<E: ?Sized> Clone for PositionVectors<E> {
    fn clone(&self) -> Self {
        Self { encoding: Arc::clone(&self.encoding) }
    }
}

impl<E: fmt::Debug + ?Sized> fmt::Debug for PositionVectors<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PositionVectors").field(&&*self.encoding).finish()
    }
}

impl<E: EveryElement + 'static> PositionVectors<E> {
    /// Makes a module from an encoding.
    pub fn new(encoding: E) -> Self {
        Self { encoding: Arc::new(encoding) }
    }

    /// Returns the encoding.
    pub fn encoding(&self) -> &E {
        &self.encoding
    }

    /// Returns `xs` (…, len, dim) plus the vectors of the given positions.
    ///
    /// # Errors
    ///
    /// The errors of [`embed_with_positions_at`], and an error for element types other than floats
    /// of 16, 32 or 64 bits.
    pub fn forward_at<'p>(
        &self,
        xs: &Tensor,
        positions: impl Into<Positions<'p>>,
    ) -> Result<Tensor> {
        self.add_at(xs, &positions.into())
    }

    /// Adds the vectors of the given positions in place, on the CPU only; clones and views of the
    /// tensor change with it.
    ///
    /// # Errors
    ///
    /// The errors of [`forward_at`](Self::forward_at), and an error for a tensor in a gradient
    /// graph, on another device, or with repeated elements; the tensor is then unchanged.
    pub fn add_inplace<'p>(&self, xs: &Tensor, positions: impl Into<Positions<'p>>) -> Result<()> {
        untracked(xs, NAME)?;
        let positions = positions.into().into_owned().map_err(wrap)?;
        // candle takes a tensor without elements for one with repeated elements.
        if xs.elem_count() == 0 {
            return self.add_at(xs, &positions).map(drop);
        }
        xs.inplace_op1(&Adding { encoding: Arc::clone(&self.encoding), positions })
    }

    /// Returns the vectors of the given positions on a device, (len, dim), or (batch, len, dim)
    /// where sequences have their own positions.
    ///
    /// # Errors
    ///
    /// The errors of [`PositionalEncoding::encode`] and of the device, and an error for types other
    /// than floats of 16, 32 or 64 bits.
    ///
    /// ```
    /// use candle_core::{DType, Device};
    /// use positional_encodings::Sinusoidal;
    /// use positional_encodings_candle::PositionVectors;
    ///
    /// let positions = PositionVectors::new(Sinusoidal::new(8)?);
    /// let table = positions.vectors(0..512, DType::BF16, &Device::Cpu)?;
    /// assert_eq!((table.dims(), table.dtype()), (&[512, 8][..], DType::BF16));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn vectors<'p>(
        &self,
        positions: impl Into<Positions<'p>>,
        dtype: DType,
        device: &Device,
    ) -> Result<Tensor> {
        let (encoding, positions) = (&*self.encoding, positions.into());
        match dtype {
            DType::F32 => vectors::<f32>(encoding, &positions, device),
            DType::F64 => vectors::<f64>(encoding, &positions, device),
            DType::F16 => vectors::<half::f16>(encoding, &positions, device),
            DType::BF16 => vectors::<half::bf16>(encoding, &positions, device),
            other => unsupported(other, NAME),
        }
    }
}

impl<E: EveryElement + 'static> AddPositions for PositionVectors<E> {
    fn add_at(&self, xs: &Tensor, positions: &Positions<'_>) -> Result<Tensor> {
        if xs.device().is_cpu() {
            let positions = Positions::from(positions).into_owned().map_err(wrap)?;
            return xs.apply_op1(Adding { encoding: Arc::clone(&self.encoding), positions });
        }
        let dim = PositionalEncoding::<f32>::dim(&*self.encoding);
        check(xs.dims(), dim, positions).map_err(wrap)?;
        add_rows(xs, &self.vectors(positions, xs.dtype(), xs.device())?)
    }
}

impl<E: EveryElement + 'static> Module for PositionVectors<E> {
    fn forward(&self, xs: &Tensor) -> Result<Tensor> {
        let found = xs.rank();
        if found < 2 {
            return Err(wrap(Error::TooFewAxes { expected: 2, found }));
        }
        self.forward_at(xs, 0..xs.dim(D::Minus2)?)
    }
}

/// Checks that the vectors of the positions can be added to a tensor of this shape.
pub(crate) fn check(
    shape: &[usize],
    dim: usize,
    positions: &Positions<'_>,
) -> core::result::Result<(), Error> {
    let &[ref leading @ .., len, width] = shape else {
        return Err(Error::TooFewAxes { expected: 2, found: shape.len() });
    };
    if positions.len() != len {
        let (expected, found) = (len, positions.len());
        return Err(Error::LengthMismatch { what: "positions", expected, found });
    }
    let sequences = leading.iter().product();
    match positions.rows() {
        Some(found) if found != sequences && found != 1 => {
            let (what, expected) = ("rows of positions", sequences);
            Err(Error::LengthMismatch { what, expected, found })
        }
        _ if width != dim => Err(Error::WidthMismatch { expected: dim, found: width }),
        _ => Ok(()),
    }
}

/// Returns the sum of a tensor and the vectors (len, dim), or the vectors of each sequence, which
/// fit it.
pub(crate) fn add_rows(xs: &Tensor, vectors: &Tensor) -> Result<Tensor> {
    match vectors.rank() {
        2 => xs.broadcast_add(vectors),
        _ => xs + vectors.reshape(xs.shape())?,
    }
}

fn vectors<A: Element + WithDType>(
    encoding: &dyn PositionalEncoding<A>,
    positions: &Positions<'_>,
    device: &Device,
) -> Result<Tensor> {
    match positions.rows() {
        Some(rows) if rows != 1 => {
            to_tensor(encoding.encode_batch(positions).map_err(wrap)?, device)
        }
        _ => to_tensor(encoding.encode(positions).map_err(wrap)?, device),
    }
}

/// The sum as a candle operation.
struct Adding<E: ?Sized> {
    encoding: Arc<E>,
    positions: Positions<'static>,
}

impl<E: EveryElement> CustomOp1 for Adding<E> {
    fn name(&self) -> &'static str {
        NAME
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (encoding, positions) = (&*self.encoding, &self.positions);
        let sum = for_each_element!(storage, NAME, x => sum(encoding, positions, x, layout))?;
        Ok((sum, layout.shape().clone()))
    }

    fn bwd(&self, _: &Tensor, _: &Tensor, upstream: &Tensor) -> Result<Option<Tensor>> {
        Ok(Some(upstream.clone()))
    }
}

impl<E: EveryElement> InplaceOp1 for Adding<E> {
    fn name(&self) -> &'static str {
        NAME
    }

    fn cpu_fwd(&self, storage: &mut CpuStorage, layout: &Layout) -> Result<()> {
        let (encoding, positions) = (&*self.encoding, &self.positions);
        for_each_element!(storage, NAME, x => {
            add_positions_at(view_mut(x, layout)?, encoding, positions).map_err(wrap)
        })
    }
}

fn sum<A: Element + WithDType, E: PositionalEncoding<A>>(
    encoding: &E,
    positions: &Positions<'_>,
    words: &[A],
    layout: &Layout,
) -> Result<CpuStorage> {
    let sum = embed_with_positions_at(&view(words, layout)?, encoding, positions).map_err(wrap)?;
    // The sum is a new array in row-major order.
    Ok(A::to_cpu_storage_owned(sum.into_raw_vec_and_offset().0))
}
