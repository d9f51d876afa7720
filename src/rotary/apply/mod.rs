//! The implementation of [`Rotation::apply`] and its variants.
//!
//! ```text
//! apply, apply_into, applied     do the shapes fit? how far do the angles advance on each axis?
//!     │ threads.rs               long work: halves of the array, on all cores
//!     ▼
//! memory.rs                      where the rows are: strides through memory without gaps,
//!     │                          or parts of the array that have none
//!     ▼
//! rows.rs                        in which order: together the heads that share angles
//!     │ Kernel::launch_within    with which instructions
//!     ▼
//! kernel.rs                      rows that share angles: (x, y) → (x·cos − y·sin, y·cos + x·sin)
//! ```
//!
//! Only the first level is generic over the dimension, and so compiled in the crates that call it.
//! Only the kernel is compiled for each instruction set.

mod axes;
mod kernel;
mod memory;
mod rows;
mod threads;

use ndarray::{Array, ArrayView, ArrayViewD, ArrayViewMut, ArrayViewMutD, Dimension, IxDyn};

use crate::arrays::zeros;
use crate::element::{AnyElement, Element};
use crate::error::Error;
use crate::rotary::rotation::{AngleRows, Rotation};
pub(super) use axes::AngleSteps;
use memory::{OfSlices, RotateSlices, Views, Walk};
use rows::SharedAngles;
use threads::{OfViews, RotateViews};

impl<T: Element<Angle = T>> Rotation<T> {
    /// Rotates an array (…, positions, width) in place, in any memory layout.
    ///
    /// The first [`dim`](Self::dim) features are rotated (or the last, see
    /// [`Rotary::on_last_features`](crate::Rotary::on_last_features)), the others are left alone.
    /// Leading axes share the positions; where positions were given as (batch, len), the first axis
    /// is the batch, and each sequence has its own positions. Where the positions are on another
    /// axis, pass a view with [`permuted_axes`](ndarray::ArrayBase::permuted_axes), which costs
    /// nothing.
    ///
    /// # Errors
    ///
    /// [`Error::TooFewAxes`], [`Error::TooNarrow`], [`Error::LengthMismatch`]; the array is then
    /// unchanged.
    ///
    /// ```
    /// use ndarray::Array4;
    /// use positional_encodings::{Frequencies, Pairing, Rotary};
    ///
    /// let rotation = Rotary::new(Frequencies::geometric(8, 10_000.0)?, Pairing::Halves).at(0..5)?;
    /// let mut q = Array4::<f32>::ones((2, 5, 4, 8)); // (batch, positions, heads, dim)
    /// rotation.apply(q.view_mut().permuted_axes([0, 2, 1, 3]))?;
    /// assert_eq!(q[[1, 3, 2, 0]], 3_f32.cos() - 3_f32.sin());
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn apply<A: Element<Angle = T>, D: Dimension>(
        &self,
        view: ArrayViewMut<'_, A, D>,
    ) -> Result<(), Error> {
        let steps = self.angle_steps(view.shape())?;
        self.rotate(Views { source: None, target: view }, steps);
        Ok(())
    }

    /// Writes the rotated `x` (…, positions, width) to `out`, an array of the same shape, with the
    /// bits that [`apply`](Self::apply) gives to a copy. Features that are not rotated are copied.
    ///
    /// # Errors
    ///
    /// The errors of [`apply`](Self::apply), and [`Error::LengthMismatch`] where the shapes differ;
    /// `out` is then unchanged.
    ///
    /// ```
    /// use ndarray::Array4;
    /// use positional_encodings::{Frequencies, Pairing, Rotary};
    ///
    /// let rotation =
    ///     Rotary::new(Frequencies::geometric(64, 10_000.0)?, Pairing::Halves).at(4..5)?;
    /// let k = Array4::<f32>::ones((1, 2, 1, 64)); // a new key (batch, heads, positions, dim),
    /// let mut cache = Array4::zeros((1, 2, 1024, 64)); // and where it goes
    /// rotation.apply_into(k.view(), cache.slice_mut(ndarray::s![.., .., 4..5, ..]))?;
    /// assert_eq!(cache[[0, 1, 4, 0]], 4_f32.cos() - 4_f32.sin());
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn apply_into<A: Element<Angle = T>, D: Dimension>(
        &self,
        x: ArrayView<'_, A, D>,
        mut out: ArrayViewMut<'_, A, D>,
    ) -> Result<(), Error> {
        if x.ndim() != out.ndim() {
            let (expected, found) = (x.ndim(), out.ndim());
            return Err(Error::LengthMismatch { what: "axes of the output", expected, found });
        }
        let mut lengths = x.shape().iter().zip(out.shape());
        if let Some((&expected, &found)) = lengths.find(|(expected, found)| expected != found) {
            let what = "indices on an axis of the output";
            return Err(Error::LengthMismatch { what, expected, found });
        }
        let steps = self.angle_steps(x.shape())?;
        self.rotate(Views { source: Some(x.view()), target: out.view_mut() }, steps);
        Ok(())
    }

    /// Returns the rotated `x` (…, positions, width) as a new array in row-major order, with the
    /// bits of [`apply`](Self::apply).
    ///
    /// Where memory can be reused, [`apply`](Self::apply) and [`apply_into`](Self::apply_into) are
    /// faster: allocating new memory often takes longer than the rotation.
    ///
    /// # Errors
    ///
    /// The errors of [`apply`](Self::apply); [`Error::TooLarge`] where there is not enough memory.
    ///
    /// ```
    /// use ndarray::array;
    /// use positional_encodings::{Frequencies, Pairing, Rotary};
    ///
    /// // Two rows of three features, two of which are a pair; position 1 rotates it by 90 degrees.
    /// let rotation = Rotary::new(Frequencies::harmonic(2, 4.0)?, Pairing::Halves).at(0..2)?;
    /// let x = array![[1.0, 2.0, 3.0], [1.0, 2.0, 3.0]];
    /// assert_eq!(rotation.applied(x.view())?, array![[1.0, 2.0, 3.0], [-2.0, 1.0, 3.0]]);
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn applied<A: Element<Angle = T>, D: Dimension>(
        &self,
        x: ArrayView<'_, A, D>,
    ) -> Result<Array<A, D>, Error> {
        let steps = self.angle_steps(x.shape())?;
        let dim = x.shape().last().copied().unwrap_or_default();
        let rows = x.len() / dim.max(1);
        // Zeroed memory costs little; building the array from parts is slower by half and more.
        let out = zeros(rows, dim)?.into_shape_with_order(x.raw_dim());
        let mut out = out.map_err(|_| Error::TooLarge { rows, dim })?;
        self.rotate(Views { source: Some(x.view()), target: out.view_mut() }, steps);
        Ok(out)
    }

    /// Rotates a slice that holds an array (…, positions, width) of the given shape in row-major
    /// order, as [`apply`](Self::apply) does.
    ///
    /// # Errors
    ///
    /// The errors of [`apply`](Self::apply); [`Error::LengthMismatch`] where the number of elements
    /// of the shape is not that of the slice.
    ///
    /// ```
    /// use positional_encodings::{Frequencies, Pairing, Rotary};
    ///
    /// let rotation = Rotary::new(Frequencies::harmonic(2, 4.0)?, Pairing::Halves).at(0..2)?;
    /// let mut data = [1.0, 2.0, 3.0, 1.0, 2.0, 3.0]; // two positions of three features
    /// rotation.apply_slice(&mut data, &[2, 3])?;
    /// assert_eq!(data, [1.0, 2.0, 3.0, -2.0, 1.0, 3.0]);
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn apply_slice<A: Element<Angle = T>>(
        &self,
        data: &mut [A],
        shape: &[usize],
    ) -> Result<(), Error> {
        check_len(data.len(), shape)?;
        let view = ArrayViewMutD::from_shape(IxDyn(shape), data);
        self.apply(view.map_err(|_| Error::TooLarge { rows: 1, dim: usize::MAX })?)
    }

    /// Writes the rotated slice `x` to the slice `out`, both arrays of the given shape in row-major
    /// order, as [`apply_into`](Self::apply_into) does.
    ///
    /// # Errors
    ///
    /// The errors of [`apply_slice`](Self::apply_slice).
    ///
    /// ```
    /// use positional_encodings::{Frequencies, Pairing, Rotary};
    ///
    /// let rotation = Rotary::new(Frequencies::harmonic(2, 4.0)?, Pairing::Halves).at(1..2)?;
    /// let mut out = [0.0; 2];
    /// rotation.apply_slice_into(&[1.0, 2.0], &mut out, &[1, 2])?;
    /// assert_eq!(out, [-2.0, 1.0]);
    /// assert!(rotation.apply_slice_into(&[1.0, 2.0], &mut out, &[2, 2]).is_err());
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn apply_slice_into<A: Element<Angle = T>>(
        &self,
        x: &[A],
        out: &mut [A],
        shape: &[usize],
    ) -> Result<(), Error> {
        check_len(x.len(), shape)?;
        check_len(out.len(), shape)?;
        let too_large = |_| Error::TooLarge { rows: 1, dim: usize::MAX };
        let x = ArrayViewD::from_shape(IxDyn(shape), x).map_err(too_large)?;
        self.apply_into(x, ArrayViewMutD::from_shape(IxDyn(shape), out).map_err(too_large)?)
    }

    /// Rotates all rows of arrays whose shape `steps` was made for.
    fn rotate<A: Element<Angle = T>, D: Dimension>(
        &self,
        mut views: Views<'_, A, D>,
        steps: AngleSteps,
    ) {
        if views.target.is_empty() {
            return;
        }
        let piece = crate::threads::piece(views.target.len() * size_of::<A>());
        let mut walk = Walk::default();
        if piece.is_none()
            && let Some(memory) = views.without_gaps(steps, &mut walk)
        {
            let (walk, shared) = (&walk, self.shared::<A>());
            return run_slices(A::any::<OfSlices<'_>>(RotateSlices { memory, walk, shared }));
        }
        let (views, piece) = (views.reborrow().into_dyn(), piece.unwrap_or(usize::MAX));
        let rotate = RotateViews { views, steps, piece, shared: self.shared::<A>() };
        run_views(A::any::<OfViews<'_>>(rotate));
    }

    fn shared<A: Element<Angle = T>>(&self) -> SharedAngles<'_, A> {
        let (features, back, level) = (self.features, self.back, self.level);
        SharedAngles { angles: &self.angles, features, back, level }
    }

    /// Returns how far the angles advance along each axis of an array of the given shape, or an
    /// error where the shape does not fit.
    pub(super) fn angle_steps(&self, shape: &[usize]) -> Result<AngleSteps, Error> {
        let &[ref outer @ .., found, width] = shape else {
            return Err(Error::TooFewAxes { expected: 2, found: shape.len() });
        };
        let dim = self.dim();
        if width < dim {
            return Err(Error::TooNarrow { needed: dim, found: width });
        }
        if self.rows == AngleRows::Everywhere {
            return Ok(AngleSteps::default());
        }
        let expected = self.len;
        if found != expected {
            return Err(Error::LengthMismatch { what: "positions", expected, found });
        }
        let positions = (outer.len(), dim);
        let (axis, expected, what) = match self.rows {
            AngleRows::Batch(rows) => (0, rows, "sequences on the first axis"),
            AngleRows::Heads(heads) => (outer.len().wrapping_sub(1), heads, "heads"),
            _ => return Ok(AngleSteps { positions, others: (0, 0) }),
        };
        match outer.get(axis) {
            // Where the product overflows, there are no rows.
            Some(&found) if found == expected => {
                Ok(AngleSteps { positions, others: (axis, self.len.wrapping_mul(dim)) })
            }
            Some(&found) => Err(Error::LengthMismatch { what, expected, found }),
            None => Err(Error::TooFewAxes { expected: 3, found: shape.len() }),
        }
    }
}

/// Rotates memory without gaps. It is not generic, so that the kernels are compiled here.
fn run_slices(rotate: AnyElement<OfSlices<'_>>) {
    match rotate {
        AnyElement::F32(rotate) => rotate.run(),
        AnyElement::F64(rotate) => rotate.run(),
        #[cfg(feature = "half")]
        AnyElement::F16(rotate) => rotate.run(),
        #[cfg(feature = "half")]
        AnyElement::Bf16(rotate) => rotate.run(),
    }
}

/// Rotates arrays in any layout.
fn run_views(rotate: AnyElement<OfViews<'_>>) {
    match rotate {
        AnyElement::F32(rotate) => rotate.run(),
        AnyElement::F64(rotate) => rotate.run(),
        #[cfg(feature = "half")]
        AnyElement::F16(rotate) => rotate.run(),
        #[cfg(feature = "half")]
        AnyElement::Bf16(rotate) => rotate.run(),
    }
}

/// Checks that a slice has as many elements as an array of the given shape.
fn check_len(found: usize, shape: &[usize]) -> Result<(), Error> {
    let expected = shape.iter().fold(1_usize, |len, &axis| len.saturating_mul(axis));
    if found != expected {
        return Err(Error::LengthMismatch { what: "elements of the slice", expected, found });
    }
    Ok(())
}
