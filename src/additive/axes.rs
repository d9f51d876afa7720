//! Encodings of several axes, joined from one encoding for each.

mod parts;
mod repeat;

use core::fmt;
use core::marker::PhantomData;

use ndarray::ArrayViewMut2;

use super::{PositionalEncoding, Sinusoidal};
use crate::element::Element;
use crate::error::Error;
use crate::positions::Positions;
use crate::threads;
use parts::Parts;
use repeat::Place;

/// An encoding of points on several axes, such as the patches of an image, joined from an encoding
/// for each axis.
///
/// [`concat`](Self::concat) places the features side by side, PE(p) = \[e₀(p₀) | e₁(p₁) | …\];
/// [`sum`](Self::sum) adds them, PE(p) = e₀(p₀) + e₁(p₁) + …. Here eₖ encodes the coordinate on
/// axis k. Positions have shape (points, axes), as [`Positions::grid`], [`Positions::from_points`]
/// and [`Positions::from_masks`] make them; vectors have shape (points, dim). Encodings of
/// different types can be joined as `Box<dyn PositionalEncoding<_>>`. An encoding that has several
/// axes itself takes as many of the axes, in order.
///
/// Constructors are named after the systems whose features they compute: [`mae`](Axes::mae),
/// [`timm`](Axes::timm), [`detr`](Axes::detr), [`loftr`](Axes::loftr), [`v_jepa`](Axes::v_jepa),
/// [`tensor2tensor`](Axes::tensor2tensor), [`python`](Axes::python) and others.
///
/// Where coordinates repeat, as in a grid, the features of an axis are computed once and then
/// copied within the output, which takes no further memory.
///
/// ```
/// use ndarray::{Array2, Array3};
/// use positional_encodings::{Axes, PositionalEncoding, Positions, Sinusoidal};
///
/// let grid = Axes::concat([Sinusoidal::new(8)?, Sinusoidal::new(4)?])?; // rows, columns
/// let vectors: Array2<f32> = grid.encode(&Positions::grid(&[3, 5])?)?;
/// assert_eq!(vectors.dim(), (15, 12));
/// let second_row: Array2<f32> = Sinusoidal::new(8)?.encode(&Positions::from(1..2))?;
/// assert_eq!(vectors.slice(ndarray::s![5..6, ..8]), second_row);
/// # Ok::<(), positional_encodings::Error>(())
/// ```
#[derive(Clone)]
pub struct Axes<A, E> {
    parts: Parts<E>,
    element: PhantomData<fn() -> A>,
}

impl<A: Element, E: PositionalEncoding<A>> Axes<A, E> {
    /// Makes an encoding that places the features of the axes side by side.
    ///
    /// # Errors
    ///
    /// [`Error::ZeroDim`] without an encoding; [`Error::TooLarge`] where the sum of the widths
    /// overflows.
    ///
    /// ```
    /// use ndarray::array;
    /// use positional_encodings::{Axes, Learned, PositionalEncoding, Positions};
    ///
    /// let rows = Learned::from_table(array![[1.0_f32], [2.0]])?;
    /// let columns = Learned::from_table(array![[10.0], [20.0]])?;
    /// let grid = Axes::concat([rows, columns])?;
    /// let vectors = grid.encode(&Positions::grid(&[2, 2])?)?;
    /// assert_eq!(vectors, array![[1.0, 10.0], [1.0, 20.0], [2.0, 10.0], [2.0, 20.0]]);
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn concat(encodings: impl IntoIterator<Item = E>) -> Result<Self, Error> {
        let parts = Parts::new::<A>(encodings)?.side_by_side()?;
        Ok(Self { parts, element: PhantomData })
    }

    /// Makes an encoding that adds the vectors of the axes, in their order.
    ///
    /// # Errors
    ///
    /// [`Error::ZeroDim`] without an encoding, [`Error::WidthMismatch`] where their widths differ.
    ///
    /// ```
    /// use ndarray::array;
    /// use positional_encodings::{Axes, Learned, PositionalEncoding, Positions};
    ///
    /// let rows = Learned::from_table(array![[1.0_f32], [2.0]])?;
    /// let columns = Learned::from_table(array![[10.0], [20.0]])?;
    /// let grid = Axes::sum([&rows, &columns])?;
    /// let vectors = grid.encode(&Positions::grid(&[2, 2])?)?;
    /// assert_eq!(vectors, array![[11.0], [21.0], [12.0], [22.0]]);
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn sum(encodings: impl IntoIterator<Item = E>) -> Result<Self, Error> {
        let parts = Parts::new::<A>(encodings)?.on_top_of_each_other()?;
        Ok(Self { parts, element: PhantomData })
    }

    /// Sets which axes the encodings read; the entries of `axes` go to the encodings in order.
    /// `&[1, 0]` puts the features of the column first. An axis may be read more than once.
    ///
    /// # Errors
    ///
    /// [`Error::LengthMismatch`] unless `axes` has one entry for each axis of each encoding;
    /// [`Error::NoSuchAxis`] where an axis below the largest one is not read by any encoding.
    ///
    /// ```
    /// use ndarray::{Array2, array};
    /// use positional_encodings::{Axes, Learned, PositionalEncoding, Positions};
    ///
    /// // LayoutLM: x0, y0, x1, y1, height, width from tables x, y, h, w
    /// let [x, y, h, w] = [1.0_f32, 10.0, 100.0, 1000.0].map(|unit| {
    ///     Learned::from_table(Array2::from_shape_fn((8, 1), |(i, _)| i as f32 * unit))
    /// });
    /// let (x, y, h, w) = (x?, y?, h?, w?);
    /// let boxes = Positions::boxes(&array![[1, 2, 4, 7]])?; // x0, y0, x1, y1, width, height
    /// let layout = Axes::sum([&x, &y, &x, &y, &h, &w])?.reading(&[0, 1, 2, 3, 5, 4])?;
    /// assert_eq!(layout.encode(&boxes)?, array![[1.0 + 20.0 + 4.0 + 70.0 + 500.0 + 3000.0]]);
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn reading(mut self, axes: &[usize]) -> Result<Self, Error> {
        self.parts.read(axes)?;
        Ok(self)
    }

    /// Interleaves the features of the encodings instead of placing them side by side: `chunk`
    /// columns of the first, `chunk` of the second, and so on, then the next `chunk` of the first.
    /// LoFTR alternates two columns of each; timm puts all sines before all cosines.
    ///
    /// # Errors
    ///
    /// [`Error::WidthMismatch`] where the encodings differ in width, or are summed;
    /// [`Error::InvalidParameter`] where `chunk` does not divide the width.
    ///
    /// ```
    /// use ndarray::array;
    /// use positional_encodings::{Axes, Learned, PositionalEncoding, Positions};
    ///
    /// let [rows, columns] = [1.0_f32, 5.0].map(|a| Learned::from_table(array![[a, a + 1.0]]));
    /// let interleaved = Axes::concat([rows?, columns?])?.interleaved(1)?;
    /// assert_eq!(interleaved.encode(&Positions::grid(&[1, 1])?)?, array![[1.0, 5.0, 2.0, 6.0]]);
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn interleaved(mut self, chunk: usize) -> Result<Self, Error> {
        self.parts.interleave(chunk)?;
        Ok(self)
    }

    /// Sets the width of the vectors to `dim`: columns of zeros are added after the features, or
    /// the last columns are cut off.
    ///
    /// # Errors
    ///
    /// [`Error::ZeroDim`]; [`Error::WidthMismatch`] where the encodings are summed and `dim` is
    /// less than their width.
    ///
    /// ```
    /// use positional_encodings::{Axes, PositionalEncoding, Positions, Sinusoidal};
    ///
    /// // Python's positional-encodings with 10 channels in 2 axes: 6 each, of which 2 are cut off.
    /// let cut = Axes::concat([Sinusoidal::new(6)?, Sinusoidal::new(6)?])?.with_dim(10)?;
    /// let vectors: ndarray::Array2<f32> = cut.encode(&Positions::grid(&[3, 3])?)?;
    /// assert_eq!(vectors.dim(), (9, 10));
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn with_dim(mut self, dim: usize) -> Result<Self, Error> {
        self.parts.set_dim(dim)?;
        Ok(self)
    }

    /// Returns the width of a position vector.
    pub fn dim(&self) -> usize {
        self.parts.dim()
    }

    /// Returns the encodings, in the order of their features.
    pub fn encodings(&self) -> impl ExactSizeIterator<Item = &E> {
        self.parts.encodings()
    }

    pub(crate) fn encodings_mut(&mut self) -> impl Iterator<Item = &mut E> {
        self.parts.encodings_mut()
    }

    /// Calls `visit` with each encoding, its index and the positions on its axes.
    pub(crate) fn each(
        &self,
        positions: &Positions<'_>,
        visit: impl FnMut(usize, &E, &Positions<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.parts.each(positions, visit)
    }

    /// Returns which features of an encoding are kept, and the columns they go to.
    pub(crate) fn places(&self, index: usize) -> impl Iterator<Item = Place> {
        self.parts.places(index)
    }
}

impl<A: Element> Axes<A, Sinusoidal> {
    /// Sets the features of each coordinate that equals `position` to zero. MAE has zeros for class
    /// and register tokens: give these position −1, as in
    /// `Positions::concat([Positions::from(&[-1]), grid])`.
    ///
    /// ```
    /// use ndarray::Array2;
    /// use positional_encodings::{Axes, PositionalEncoding, Positions};
    ///
    /// let mae = Axes::mae(16)?.with_zero_position(-1);
    /// let tokens = Positions::concat([Positions::from(&[-1]), Positions::grid(&[14, 14])?])?;
    /// let vectors: Array2<f32> = mae.encode(&tokens)?;
    /// assert_eq!(vectors.dim(), (1 + 14 * 14, 16));
    /// assert!(vectors.row(0).iter().all(|feature| *feature == 0.0));
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn with_zero_position(self, position: i64) -> Self {
        let parts = self.parts.map(|sinusoid| sinusoid.with_zero_position(position));
        Self { parts, element: PhantomData }
    }
}

/// Shows the encoding as a caption: `2 encodings, dims [256, 256], side by side, dim 512`.
impl<A, E> fmt::Display for Axes<A, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.parts, f)
    }
}

impl<A, E> fmt::Debug for Axes<A, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.parts, f)
    }
}

impl<A, E: PartialEq> PartialEq for Axes<A, E> {
    fn eq(&self, other: &Self) -> bool {
        self.parts == other.parts
    }
}

impl<A: Element, E: PositionalEncoding<A>> PositionalEncoding<A> for Axes<A, E> {
    fn dim(&self) -> usize {
        self.dim()
    }

    /// Returns the smallest `max_len` of the encodings.
    fn max_len(&self) -> Option<usize> {
        self.encodings().filter_map(E::max_len).min()
    }

    fn axes(&self) -> usize {
        self.parts.axes()
    }

    fn check(&self, positions: &Positions<'_>) -> Result<(), Error> {
        positions.check_axes(self.parts.axes())?;
        self.parts.each(positions, |_, part, own| part.check(own))
    }

    fn encode_into(
        &self,
        positions: &Positions<'_>,
        out: ArrayViewMut2<'_, A>,
    ) -> Result<(), Error> {
        self.check_shape(positions, &out)?;
        self.check(positions)?;
        threads::rows(positions, out, &|positions, out| self.parts.encode(positions, out))
    }
}
