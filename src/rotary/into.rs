//! Rotations from one array into another, which are read and written once.

use ndarray::{Array, ArrayView, ArrayViewMut, Axis, Dimension};

use super::Rotation;
use super::rows::Views;
use super::walk::FEW;
use crate::arrays::zeros;
use crate::{Element, Error};

impl<A: Element> Rotation<A> {
    /// Writes the rotated `x` (…, positions, width) to `out`, an array of the same shape: what
    /// [`apply`](Self::apply) makes of a copy, bit for bit, without the copy. Features that are not
    /// rotated are written as they are.
    ///
    /// # Errors
    ///
    /// Those of [`apply`](Self::apply), and [`Error::LengthMismatch`] where the shapes differ; then
    /// `out` is as it was.
    ///
    /// ```
    /// use ndarray::{Array4, ArrayViewMut4};
    /// use positional_encodings::{Frequencies, Pairing, Rotary};
    ///
    /// let rotation = Rotary::new(Frequencies::geometric(64, 10_000.0)?, Pairing::Halves).at::<f32>(4..5)?;
    /// let k = Array4::ones((1, 2, 1, 64)); // a new key (batch, heads, positions, dim),
    /// let mut cache = Array4::zeros((1, 2, 1024, 64)); // and where it goes
    /// rotation.apply_into(k.view(), cache.slice_mut(ndarray::s![.., .., 4..5, ..]))?;
    /// assert_eq!(cache[[0, 1, 4, 0]], 4_f32.cos() - 4_f32.sin());
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn apply_into<D: Dimension>(
        &self,
        x: ArrayView<'_, A, D>,
        out: ArrayViewMut<'_, A, D>,
    ) -> Result<(), Error> {
        self.apply_into_along(last_but_one(x.ndim()), x, out)
    }

    /// The same with the positions on the given axis, see [`apply_along`](Self::apply_along).
    ///
    /// # Errors
    ///
    /// Those of [`apply_into`](Self::apply_into), and [`Error::NoSuchAxis`].
    pub fn apply_into_along<D: Dimension>(
        &self,
        positions: Axis,
        x: ArrayView<'_, A, D>,
        mut out: ArrayViewMut<'_, A, D>,
    ) -> Result<(), Error> {
        if x.ndim() != out.ndim() {
            return Err(Error::LengthMismatch {
                what: "axes of the output",
                expected: x.ndim(),
                found: out.ndim(),
            });
        }
        if let Some((&expected, &found)) =
            x.shape().iter().zip(out.shape()).find(|(expected, found)| expected != found)
        {
            return Err(Error::LengthMismatch {
                what: "indices on an axis of the output",
                expected,
                found,
            });
        }
        self.turn_along(positions, Views { source: Some(x.view()), target: out.view_mut() })
    }

    /// The rotated `x` (…, positions, width) as a new array in row-major order, with the bits of
    /// [`apply`](Self::apply).
    ///
    /// Where memory can be used again, [`apply`](Self::apply) and [`apply_into`](Self::apply_into)
    /// are faster: to get new memory from the system often takes longer than the rotation.
    ///
    /// # Errors
    ///
    /// Those of [`apply`](Self::apply); [`Error::TooLarge`] where there is not enough memory.
    ///
    /// ```
    /// use ndarray::array;
    /// use positional_encodings::{Frequencies, Pairing, Rotary};
    ///
    /// // Two positions of three features, two of which turn: the second position by 90 degrees.
    /// let rotation = Rotary::new(Frequencies::harmonic(2, 4.0)?, Pairing::Halves).at::<f64>(0..2)?;
    /// let x = array![[1.0, 2.0, 3.0], [1.0, 2.0, 3.0]];
    /// assert_eq!(rotation.applied(x.view())?, array![[1.0, 2.0, 3.0], [-2.0, 1.0, 3.0]]);
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn applied<D: Dimension>(&self, x: ArrayView<'_, A, D>) -> Result<Array<A, D>, Error> {
        self.applied_along(last_but_one(x.ndim()), x)
    }

    /// The same with the positions on the given axis, see [`apply_along`](Self::apply_along).
    ///
    /// # Errors
    ///
    /// Those of [`applied`](Self::applied), and [`Error::NoSuchAxis`].
    pub fn applied_along<D: Dimension>(
        &self,
        positions: Axis,
        x: ArrayView<'_, A, D>,
    ) -> Result<Array<A, D>, Error> {
        let (mut few, mut many) = ([0; FEW], Vec::new());
        let steps = self.steps(positions, x.shape(), &mut few, &mut many)?;
        let dim = x.len_of(Axis(steps.len()));
        let rows = x.len() / dim.max(1);
        // Zeroed memory costs little: what builds an array from parts instead is slower by half and
        // more.
        let out = zeros(rows, dim)?.into_shape_with_order(x.raw_dim());
        let mut out = out.map_err(|_| Error::TooLarge { rows, dim })?;
        self.turn(Views { source: Some(x.view()), target: out.view_mut() }, steps, &self.angles);
        Ok(out)
    }
}

/// The axis of the positions where that of the features follows.
pub(super) fn last_but_one(axes: usize) -> Axis {
    Axis(axes.saturating_sub(2))
}
