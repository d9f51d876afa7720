//! Positions (row, column) in padded images, from their masks.

use ndarray::{Array2, Array3, ArrayBase, Axis, Data, Ix1, Ix2, Ix3};

use super::Positions;
use super::list::with_room;
use crate::error::{Error, check_parameter};

/// The rule by which DETR and its descendants make positions from counts of pixels along a mask.
///
/// The count c of a pixel on an axis is the number of pixels up to and including it that the mask
/// keeps. It begins at 1, and padding keeps the last count. The position is
///
/// - c + offset without a scale;
/// - (c + offset) / (last + 1e-6) · scale with one, where `last` is the count of the last pixel of
///   that row or column.
///
/// | system | counts |
/// |---|---|
/// | DETR in transformers by default | [`PLAIN`](Self::PLAIN) |
/// | DETR, Conditional DETR, Mask2Former, SAM 2 as they are used | [`NORMALIZED`](Self::NORMALIZED) |
/// | Deformable DETR | [`CENTRED`](Self::CENTRED) |
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(deny_unknown_fields))]
pub struct MaskCounts {
    /// The number added to each count: −0.5 gives the middle of a pixel.
    pub offset: f64,
    /// The length of a whole row or column: 2π in all known systems. `None` leaves the counts
    /// unscaled.
    pub scale: Option<f64>,
}

impl MaskCounts {
    /// The counts themselves: 1, 2, 3, …
    pub const PLAIN: Self = Self { offset: 0.0, scale: None };
    /// Positions from 0 (excluded) to 2π.
    pub const NORMALIZED: Self = Self { offset: 0.0, scale: Some(core::f64::consts::TAU) };
    /// Positions from 0 to 2π, at the middle of each pixel.
    pub const CENTRED: Self = Self { offset: -0.5, scale: Some(core::f64::consts::TAU) };

    fn of(self, count: usize, last: usize) -> f64 {
        const EPSILON: f64 = 1e-6;
        match self.scale {
            None => count as f64 + self.offset,
            Some(scale) => (count as f64 + self.offset) / (last as f64 + EPSILON) * scale,
        }
    }

    fn check(self) -> Result<Self, Error> {
        for (name, value) in [("offset", self.offset), ("scale", self.scale.unwrap_or(1.0))] {
            check_parameter(name, value, value.is_finite(), "finite")?;
        }
        Ok(self)
    }
}

impl Positions<'_> {
    /// Returns the positions (row, column) of a batch of padded images, shape (batch, height ·
    /// width), from masks (batch, height, width) of `bool` or of numbers that are false, or zero,
    /// at padding.
    ///
    /// Padding has the positions of the reference implementation: the last count of its row or
    /// column, or zero where there is none.
    ///
    /// # Errors
    ///
    /// [`Error::EmptyGrid`] for masks without a pixel; [`Error::InvalidParameter`] for a scale or
    /// an offset that is not finite; [`Error::TooLarge`].
    ///
    /// ```
    /// use ndarray::array;
    /// use positional_encodings::{Positions, ids::MaskCounts};
    ///
    /// let mask = array![[[1, 1, 0], [1, 1, 0]]];
    /// let pixels = Positions::from_masks(&mask, MaskCounts::PLAIN)?;
    /// assert_eq!(pixels.axis(0), Some(Positions::from(&array![[1, 1, 0, 2, 2, 0]])));
    /// assert_eq!(pixels.axis(1), Some(Positions::from(&array![[1, 2, 2, 1, 2, 2]])));
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn from_masks<T: Copy + Default + PartialEq, S: Data<Elem = T>>(
        masks: &ArrayBase<S, Ix3>,
        counts: MaskCounts,
    ) -> Result<Positions<'static>, Error> {
        let (batch, rows, columns) = masks.dim();
        if rows == 0 || columns == 0 {
            return Err(Error::EmptyGrid { rows, columns });
        }
        let counts = counts.check()?;
        let [mut ys, mut xs] = [with_room(masks.len(), 2)?, with_room(masks.len(), 2)?];
        let [mut down, mut last] = [with_room(columns, 2)?, with_room(columns, 2)?];
        let kept = |pixel: T| usize::from(pixel != T::default());
        for mask in masks.axis_iter(Axis(0)) {
            let all = |column: ArrayBase<_, _>| count_of(column, kept);
            last.clear();
            last.extend(mask.columns().into_iter().map(all));
            down.clear();
            down.resize(columns, 0);
            for row in mask.rows() {
                let (end, mut across) = (count_of(row, kept), 0);
                for ((&pixel, down), &last) in row.iter().zip(&mut down).zip(&last) {
                    (*down, across) = (*down + kept(pixel), across + kept(pixel));
                    ys.push(counts.of(*down, last));
                    xs.push(counts.of(across, end));
                }
            }
        }
        let shape = (batch, rows * columns);
        let axis = |reals| Array2::from_shape_vec(shape, reals);
        let too_large = |_| Error::TooLarge { rows: batch, dim: 2 };
        Positions::from_axes([axis(ys).map_err(too_large)?, axis(xs).map_err(too_large)?])
    }

    /// Returns the positions of images of different sizes from their masks (height, width), each
    /// padded at the bottom and on the right to the largest: [`from_masks`](Self::from_masks) of
    /// [`padded_masks`].
    ///
    /// # Errors
    ///
    /// The errors of [`from_masks`](Self::from_masks).
    ///
    /// ```
    /// use ndarray::Array2;
    /// use positional_encodings::{Positions, ids::MaskCounts};
    ///
    /// let masks = [(2, 3), (4, 1)].map(|size| Array2::from_elem(size, true));
    /// let pixels = Positions::from_masks_of_sizes(&masks, MaskCounts::NORMALIZED)?;
    /// assert_eq!((pixels.rows(), pixels.len()), (Some(2), 4 * 3));
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn from_masks_of_sizes<T: Copy + Default + PartialEq, S: Data<Elem = T>>(
        masks: &[ArrayBase<S, Ix2>],
        counts: MaskCounts,
    ) -> Result<Positions<'static>, Error> {
        Self::from_masks(&padded_masks(masks)?, counts)
    }
}

/// Returns masks (height, width) of different sizes as one array (batch, height, width), padded
/// with zeros, or false, at the bottom and on the right.
///
/// # Errors
///
/// [`Error::TooLarge`].
///
/// ```
/// use ndarray::array;
/// use positional_encodings::ids;
///
/// let masks = [array![[1, 1]], array![[1], [1]]];
/// let batch = ids::padded_masks(&masks)?;
/// assert_eq!(batch, array![[[1, 1], [0, 0]], [[1, 0], [1, 0]]]);
/// # Ok::<(), positional_encodings::Error>(())
/// ```
pub fn padded_masks<T: Copy + Default, S: Data<Elem = T>>(
    masks: &[ArrayBase<S, Ix2>],
) -> Result<Array3<T>, Error> {
    let most = |size: fn(&ArrayBase<S, Ix2>) -> usize| masks.iter().map(size).max().unwrap_or(0);
    let (rows, columns) = (most(|mask| mask.nrows()), most(|mask| mask.ncols()));
    let too_large = || Error::TooLarge { rows: masks.len().saturating_mul(rows), dim: columns };
    let count = rows.checked_mul(columns).and_then(|pixels| pixels.checked_mul(masks.len()));
    let mut all = with_room(count.ok_or_else(too_large)?, 1).map_err(|_| too_large())?;
    for mask in masks {
        for row in 0..rows {
            let pixel = |column| mask.get((row, column)).copied().unwrap_or_default();
            all.extend((0..columns).map(pixel));
        }
    }
    Array3::from_shape_vec((masks.len(), rows, columns), all).map_err(|_| too_large())
}

fn count_of<T: Copy, S: Data<Elem = T>>(
    line: ArrayBase<S, Ix1>,
    kept: impl Fn(T) -> usize,
) -> usize {
    line.iter().map(|&pixel| kept(pixel)).sum()
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn masks_that_cannot_be() {
        for (rows, columns) in [(0, 3), (3, 0), (0, 0)] {
            let none = Array3::<bool>::default((2, rows, columns));
            let error = Positions::from_masks(&none, MaskCounts::PLAIN).unwrap_err();
            assert_eq!(error, Error::EmptyGrid { rows, columns });
        }
        let no_masks: [Array2<bool>; 0] = [];
        let counts = MaskCounts::NORMALIZED;
        let error = Positions::from_masks_of_sizes(&no_masks, counts).unwrap_err();
        assert_eq!(error, Error::EmptyGrid { rows: 0, columns: 0 });
        let mask = array![[[true]]];
        for bad in [f64::NAN, f64::INFINITY] {
            let scale = MaskCounts { scale: Some(bad), ..MaskCounts::PLAIN };
            let offset = MaskCounts { offset: bad, ..MaskCounts::PLAIN };
            assert!(Positions::from_masks(&mask, scale).is_err());
            assert!(Positions::from_masks(&mask, offset).is_err());
        }
        let huge = mask.broadcast((1 << 30, 1 << 20, 1 << 12)).unwrap();
        let error = Positions::from_masks(&huge, counts).unwrap_err();
        assert!(matches!(error, Error::TooLarge { .. }), "{error}");
    }

    #[test]
    fn a_mask_that_keeps_nothing_has_zeros() {
        let mask = Array3::<u8>::zeros((1, 2, 2));
        let pixels = Positions::from_masks(&mask, MaskCounts::NORMALIZED).unwrap();
        assert_eq!(pixels.to_array().unwrap(), Array2::<f64>::zeros((4, 2)));
    }
}
