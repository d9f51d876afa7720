//! Position vectors that are added to embeddings, as a module.

use core::fmt;
use std::sync::Arc;

use burn::module::{Content, Module, ModuleDisplay, ModuleDisplayDefault};
use burn::tensor::{DType, Device, Tensor, TensorData};
use positional_encodings::{Error, PositionalEncoding, Positions, add_positions_at};

use crate::element::{EveryElement, StoredFloat, for_each_float};
use crate::host::{change, is_host};
use crate::refuse::{expect, same};

/// The name of the operation, in messages.
const NAME: &str = "position vectors";

/// A module that adds position vectors to embeddings (…, len, dim): [`PositionVectors`] by formula,
/// [`LearnedPositions`](crate::LearnedPositions) from a table.
pub trait AddPositions: Module {
    /// Returns the number of features.
    fn dim(&self) -> usize;

    /// Returns `x` (…, len, dim) plus the vectors of the given positions: a list that all sequences
    /// share, or ids (batch, len).
    ///
    /// # Panics
    ///
    /// Panics if the width or the number of positions does not fit, or if a position cannot be
    /// encoded.
    fn add_at<const D: usize>(&self, x: Tensor<D>, positions: &Positions<'_>) -> Tensor<D>;
}

/// A [`PositionalEncoding`] as a module without parameters: it adds the vectors of positions
/// 0..len, or of given positions, to embeddings (…, len, dim).
///
/// Values are exact, and rounded once to the type of the tensor. On flex, burn's CPU backend, the
/// sum is one pass over the tensor's own memory if no other handle shares it. On other backends,
/// and on devices with autodiff, the vectors are computed on the CPU, uploaded and added there: a
/// model that needs the same vectors again can keep the result of [`vectors`](Self::vectors).
///
/// The gradient with respect to the embeddings passes through.
///
/// ```
/// use burn::tensor::{DType, Device, Tensor, s};
/// use positional_encodings::Sinusoidal;
/// use positional_encodings_burn::PositionVectors;
///
/// let positions = PositionVectors::new(Sinusoidal::new(2)?);
/// let words = Tensor::<3>::zeros([1, 3, 2], (&Device::default(), DType::F64));
/// let input = positions.forward(words.clone());
/// let last = input.slice(s![0, 2, ..]).into_data();
/// assert_eq!(last.as_slice::<f64>().unwrap(), [2_f64.sin(), 2_f64.cos()]);
///
/// let step = positions.forward_at(words.slice(s![.., 0..1, ..]), 4095..4096).into_data();
/// assert_eq!(step.as_slice::<f64>().unwrap(), [4095_f64.sin(), 4095_f64.cos()]);
/// # Ok::<(), positional_encodings::Error>(())
/// ```
pub struct PositionVectors<E: ?Sized> {
    encoding: Arc<E>,
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

    /// Returns `x` (…, len, dim) plus the vectors of positions 0..len.
    ///
    /// # Panics
    ///
    /// Panics where [`forward_at`](Self::forward_at) does.
    #[track_caller]
    pub fn forward<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        let len = len_of(&x.dims());
        self.forward_at(x, 0..len)
    }

    /// Returns `x` (…, len, dim) plus the vectors of the given positions.
    ///
    /// # Panics
    ///
    /// Panics if `x` has fewer than two axes, another width than the encoding, or does not fit the
    /// positions or their rows; if a position is not finite; or for element types other than floats
    /// of 16, 32 or 64 bits.
    #[track_caller]
    pub fn forward_at<'p, const D: usize>(
        &self,
        x: Tensor<D>,
        positions: impl Into<Positions<'p>>,
    ) -> Tensor<D> {
        self.add(x, &positions.into())
    }

    /// Returns the vectors of the given positions on a device in an element type: (rows · len,
    /// dim), one sequence after the other.
    ///
    /// # Panics
    ///
    /// Panics if a position is not finite, if there is not enough memory, or for types other than
    /// floats of 16, 32 or 64 bits.
    ///
    /// ```
    /// use burn::tensor::{DType, Device};
    /// use positional_encodings::Sinusoidal;
    /// use positional_encodings_burn::PositionVectors;
    ///
    /// let positions = PositionVectors::new(Sinusoidal::new(8)?);
    /// let table = positions.vectors(0..512, DType::BF16, &Device::default());
    /// assert_eq!((table.dims(), table.dtype()), ([512, 8], DType::BF16));
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    #[track_caller]
    pub fn vectors<'p>(
        &self,
        positions: impl Into<Positions<'p>>,
        dtype: DType,
        device: &Device,
    ) -> Tensor<2> {
        let (encoding, positions) = (&*self.encoding, positions.into());
        for_each_float!(dtype, NAME, A => vectors::<A>(encoding, &positions, device))
    }

    #[track_caller]
    fn add<const D: usize>(&self, x: Tensor<D>, positions: &Positions<'_>) -> Tensor<D> {
        let (encoding, device) = (&*self.encoding, x.device());
        if is_host(&device) {
            return for_each_float!(x.dtype(), NAME, A => {
                change::<A, D>(x, |x| add_positions_at(x, encoding, positions))
            });
        }
        expect(check(&x.dims(), PositionalEncoding::<f32>::dim(encoding), positions));
        let vectors = self.vectors(positions, x.dtype(), &device.inner());
        add_rows(x, vectors, positions)
    }
}

impl<E: EveryElement + 'static> AddPositions for PositionVectors<E> {
    fn dim(&self) -> usize {
        PositionalEncoding::<f32>::dim(&*self.encoding)
    }

    #[track_caller]
    fn add_at<const D: usize>(&self, x: Tensor<D>, positions: &Positions<'_>) -> Tensor<D> {
        self.add(x, positions)
    }
}

impl<E: ?Sized> Clone for PositionVectors<E> {
    fn clone(&self) -> Self {
        Self { encoding: Arc::clone(&self.encoding) }
    }
}

impl<E: EveryElement + ?Sized> fmt::Debug for PositionVectors<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let dim = PositionalEncoding::<f32>::dim(&*self.encoding);
        f.debug_struct("PositionVectors").field("dim", &dim).finish_non_exhaustive()
    }
}

impl<E: EveryElement + 'static> Module for PositionVectors<E> {
    burn::empty!(module);
}

impl<E: EveryElement + ?Sized> ModuleDisplayDefault for PositionVectors<E> {
    fn content(&self, content: Content) -> Option<Content> {
        content.add("dim", &PositionalEncoding::<f32>::dim(&*self.encoding)).optional()
    }
}

impl<E: EveryElement + ?Sized> ModuleDisplay for PositionVectors<E> {}

/// Returns the number of positions of a tensor (…, len, dim).
#[track_caller]
pub(crate) fn len_of(dims: &[usize]) -> usize {
    match dims {
        &[.., len, _] => len,
        _ => expect(Err(Error::TooFewAxes { expected: 2, found: dims.len() })),
    }
}

/// Checks that the vectors of the positions can be added to a tensor of this shape.
pub(crate) fn check(shape: &[usize], dim: usize, positions: &Positions<'_>) -> Result<(), Error> {
    let &[ref leading @ .., len, width] = shape else {
        return Err(Error::TooFewAxes { expected: 2, found: shape.len() });
    };
    same("positions", len, positions.len())?;
    if let Some(rows) = positions.rows().filter(|&rows| rows != 1) {
        same("rows of positions", leading.iter().product(), rows)?;
    }
    if width != dim {
        return Err(Error::WidthMismatch { expected: dim, found: width });
    }
    Ok(())
}

/// Returns the sum of a tensor and the vectors (rows · len, dim) of positions that fit it.
pub(crate) fn add_rows<const D: usize>(
    x: Tensor<D>,
    vectors: Tensor<2>,
    positions: &Positions<'_>,
) -> Tensor<D> {
    let mut shape = x.dims();
    // burn does not reshape tensors without elements.
    if shape.contains(&0) {
        return x;
    }
    if positions.rows().is_none_or(|rows| rows == 1) {
        shape[..D - 2].fill(1);
    }
    x + vectors.reshape(shape)
}

#[track_caller]
fn vectors<A: StoredFloat>(
    encoding: &dyn PositionalEncoding<A>,
    positions: &Positions<'_>,
    device: &Device,
) -> Tensor<2> {
    let values = match positions.rows() {
        Some(rows) if rows != 1 => {
            expect(encoding.encode_batch(positions)).into_raw_vec_and_offset().0
        }
        _ => expect(encoding.encode(positions)).into_raw_vec_and_offset().0,
    };
    let shape = [positions.count(), encoding.dim()];
    Tensor::from_data(TensorData::new(values, shape), (device, A::dtype()))
}
