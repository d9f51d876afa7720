//! The plan of a rotation: cosines and sines at given positions.

use std::sync::Arc;

use fearless_simd::Level;
use ndarray::{ArrayView2, Axis};

use super::pairing::{Features, Pairing};
use crate::element::Element;
use crate::error::Error;
use crate::frequencies::scaling::Regime;
use crate::positions::Positions;

/// A rotation of queries or keys at given positions. [`Rotary::at`](crate::Rotary::at) makes it,
/// and the caller can apply it to any number of arrays.
///
/// Each pair of features (x, y) becomes (x·cos θ − y·sin θ, y·cos θ + x·sin θ), with the cosines
/// and sines of exact angles rounded once. `T` is the type of the angles and of the arithmetic:
/// `Rotation<f32>` rotates arrays of `f32`, and of `f16` and `bf16`, whose elements are widened and
/// the results rounded once; `Rotation<f64>` rotates arrays of `f64`. Making a rotation costs about
/// as much as filling its table; cloning one costs nothing.
///
/// | the rotated array is | call | for plain slices |
/// |---|---|---|
/// | the array itself | [`apply`](Self::apply) | [`apply_slice`](Self::apply_slice) |
/// | another existing array | [`apply_into`](Self::apply_into) | [`apply_slice_into`](Self::apply_slice_into) |
/// | a new array | [`applied`](Self::applied) | |
///
/// Arrays are (…, positions, width). Where the positions are on another axis, pass a view with
/// [`permuted_axes`](ndarray::ArrayBase::permuted_axes). With feature `rayon` long arrays are
/// rotated on all cores, with the same bits.
///
/// ```
/// use ndarray::Array4;
/// use positional_encodings::{Frequencies, Pairing, Rotary};
///
/// let rotary = Rotary::new(Frequencies::geometric(64, 10_000.0)?, Pairing::Halves);
/// let rotation = rotary.at(0..5)?;
/// let mut q = Array4::<f32>::ones((2, 8, 5, 64)); // (batch, heads, positions, dim)
/// let mut k = Array4::<f32>::ones((2, 2, 5, 64));
/// rotation.apply(q.view_mut())?;
/// rotation.apply(k.view_mut())?;
/// assert_eq!(q[[1, 7, 3, 0]], 3_f32.cos() - 3_f32.sin());
/// # Ok::<(), positional_encodings::Error>(())
/// ```
#[derive(Clone)]
pub struct Rotation<T> {
    /// For each row of positions and each position, all cosines, then all sines.
    pub(super) angles: Arc<Vec<T>>,
    pub(super) rows: AngleRows,
    /// The number of positions in a row.
    pub(super) len: usize,
    pub(super) features: Features,
    /// Whether to rotate by the negated angles.
    pub(super) back: bool,
    pub(super) level: Level,
    pub(super) regime: Regime,
    /// Whether the rotation changes the length of a pair.
    pub(super) scaled: bool,
}

/// The axis along which angles change, besides that of positions.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum AngleRows {
    /// None: all leading axes share the positions.
    Shared,
    /// The first axis: each sequence of a batch has its own angles.
    Batch(usize),
    /// The axis before the positions: each head has its own angles.
    Heads(usize),
    /// None, and not even the positions: one rotation for all rows.
    Everywhere,
}

impl AngleRows {
    /// Returns `Batch` where the positions of sequences differ.
    pub(super) fn of(positions: &Positions<'_>) -> Self {
        match positions.rows() {
            Some(rows) if rows != 1 => Self::Batch(rows),
            _ => Self::Shared,
        }
    }
}

/// Two rotations are equal if they change every array in the same way, bit for bit, and have the
/// same regime. The instruction set does not matter.
impl<T: PartialEq> PartialEq for Rotation<T> {
    fn eq(&self, other: &Self) -> bool {
        (self.rows, self.len, self.features, self.back, self.regime, self.scaled)
            == (other.rows, other.len, other.features, other.back, other.regime, other.scaled)
            && (Arc::ptr_eq(&self.angles, &other.angles) || self.angles == other.angles)
    }
}

impl<T: Element<Angle = T>> Rotation<T> {
    /// Makes a rotation from given cosines and sines, both (positions, pairs).
    ///
    /// # Errors
    ///
    /// [`Error::LengthMismatch`] where the shapes differ, [`Error::ZeroDim`] without pairs,
    /// [`Error::TooLarge`] where there is not enough memory.
    ///
    /// ```
    /// use ndarray::array;
    /// use positional_encodings::{Pairing, Rotation};
    ///
    /// let (cos, sin) = (array![[1.0], [0.0]], array![[0.0], [1.0]]); // 0 and 90 degrees
    /// let rotation = Rotation::from_cos_sin(cos.view(), sin.view(), Pairing::Interleaved)?;
    /// let mut x = array![[1.0, 2.0], [1.0, 2.0]];
    /// rotation.apply(x.view_mut())?;
    /// assert_eq!(x, array![[1.0, 2.0], [-2.0, 1.0]]);
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn from_cos_sin(
        cos: ArrayView2<'_, T>,
        sin: ArrayView2<'_, T>,
        pairing: Pairing,
    ) -> Result<Self, Error> {
        let (len, pairs) = cos.dim();
        if len != sin.nrows() {
            let (what, found) = ("rows of sines", sin.nrows());
            return Err(Error::LengthMismatch { what, expected: len, found });
        }
        if pairs != sin.ncols() {
            let (what, found) = ("sines in a row", sin.ncols());
            return Err(Error::LengthMismatch { what, expected: pairs, found });
        }
        if pairs == 0 {
            return Err(Error::ZeroDim);
        }
        let mut angles = Arc::new(Vec::new());
        let rows = unique(&mut angles, len, pairs.saturating_mul(2))?.chunks_exact_mut(2 * pairs);
        for ((row, cos), sin) in rows.zip(cos.rows()).zip(sin.rows()) {
            row.iter_mut().zip(cos.into_iter().chain(sin)).for_each(|(to, &value)| *to = value);
        }
        let features = Features { pairs, pairing, blocks: 1, last: false };
        Ok(Self {
            angles,
            rows: AngleRows::Shared,
            len,
            features,
            back: false,
            level: Level::new(),
            regime: Regime::Fixed,
            scaled: true,
        })
    }

    /// Returns the cosines and the sines, each (positions, pairs), with the attention factor
    /// included, for other tensor libraries and kernels. Rows of sequences or heads follow each
    /// other. A [`gradient`](Self::gradient) returns the tables of the rotation it was made from;
    /// its sines are to be negated.
    ///
    /// ```
    /// use ndarray::array;
    /// use positional_encodings::{Frequencies, Pairing, Rotary};
    ///
    /// let rotation =
    ///     Rotary::new(Frequencies::harmonic(4, 8.0)?, Pairing::Halves).at::<f64>(0..3)?;
    /// let (cos, sin) = rotation.tables();
    /// assert_eq!(cos.row(2), array![0.0, -1.0]); // 90 degrees, and 180
    /// assert_eq!(sin.row(2), array![1.0, 0.0]);
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn tables(&self) -> (ArrayView2<'_, T>, ArrayView2<'_, T>) {
        let (dim, pairs) = (self.dim(), self.features.pairs);
        let rows = self.angles.len() / dim.max(1);
        // The angles have exactly this many elements.
        let both = ArrayView2::from_shape((rows, dim), &self.angles[..rows * dim]);
        both.map_or_else(
            |_| (ArrayView2::from(&[[]; 0]), ArrayView2::from(&[[]; 0])),
            |both| both.split_at(Axis(1), pairs),
        )
    }

    /// Returns the inverse rotation: applied after this one, it restores the array, up to rounding.
    ///
    /// Without an attention factor it is also the [gradient](Self::gradient), and shares the table
    /// of this rotation.
    ///
    /// ```
    /// use ndarray::array;
    /// use positional_encodings::{Frequencies, Pairing, Rotary};
    ///
    /// let rotation = Rotary::new(Frequencies::harmonic(2, 4.0)?, Pairing::Halves).at(1..2)?;
    /// let mut x = array![[1.0, 2.0]];
    /// rotation.apply(x.view_mut())?;
    /// assert_eq!(x, array![[-2.0, 1.0]]);
    /// rotation.inverse().apply(x.view_mut())?;
    /// assert_eq!(x, array![[1.0, 2.0]]);
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn inverse(&self) -> Self {
        let mut inverse = self.gradient();
        if self.scaled {
            inverse.angles = Arc::new(divided_by_squares(&self.angles, self.features.pairs));
        }
        inverse
    }

    /// Returns the transposed map, which takes the gradient with respect to rotated features to the
    /// gradient with respect to the features before rotation. With an attention factor a it is the
    /// rotation by the negated angles times a.
    pub fn gradient(&self) -> Self {
        Self { back: !self.back, ..self.clone() }
    }

    /// Returns the number of rotated features.
    pub fn dim(&self) -> usize {
        2 * self.features.pairs
    }

    /// Returns the number of positions, or `None` for a rotation that is the same at all positions.
    pub fn positions(&self) -> Option<usize> {
        (self.rows != AngleRows::Everywhere).then_some(self.len)
    }

    /// Returns the features that make a pair.
    pub fn pairing(&self) -> Pairing {
        self.features.pairing
    }

    /// Returns the sequence lengths that the frequencies are made for. Tag a cache of keys with it.
    pub fn regime(&self) -> Regime {
        self.regime
    }

    /// Returns \[cosines, sines\] of all pairs at a position, with the attention factor included.
    /// Where sequences or heads have their own rows, positions are numbered row after row. The
    /// result is `None` past the last position.
    ///
    /// ```
    /// use positional_encodings::{Frequencies, Pairing, Rotary};
    ///
    /// let rotary = Rotary::new(Frequencies::harmonic(4, 8.0)?, Pairing::Halves);
    /// let rotation = rotary.at::<f64>(0..3)?;
    /// // 90 degrees, and 180
    /// assert_eq!(rotation.cos_sin(2), Some([&[0.0, -1.0][..], &[1.0, 0.0][..]]));
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn cos_sin(&self, index: usize) -> Option<[&[T]; 2]> {
        let dim = self.dim();
        let (cos, sin) =
            self.angles.get(index.checked_mul(dim)?..)?.get(..dim)?.split_at(self.features.pairs);
        Some([cos, sin])
    }

    /// Returns the two features of each pair in a row of `width`.
    #[cfg(feature = "analysis")]
    pub(crate) fn feature_pairs(&self, width: usize) -> Result<Vec<[usize; 2]>, Error> {
        let needed = self.dim();
        if width < needed {
            return Err(Error::TooNarrow { needed, found: width });
        }
        let start = self.features.rotated(width).start;
        let of_pair = |pair| self.features.of_pair(pair).map(|feature| start + feature);
        Ok((0..self.features.pairs).map(of_pair).collect())
    }

    /// Makes a rotation by the given angles, rounded once.
    pub(super) fn from_exact(
        exact: &Rotation<f64>,
        angles: impl Iterator<Item = f64>,
        scaled: bool,
    ) -> Result<Self, Error> {
        let mut rounded: Arc<Vec<T>> = Arc::new(Vec::new());
        let dim = 2 * exact.features.pairs;
        let room = unique(&mut rounded, exact.angles.len() / dim.max(1), dim)?;
        room.iter_mut().zip(angles).for_each(|(out, angle)| *out = T::from_f64(angle));
        Ok(Self {
            angles: rounded,
            rows: exact.rows,
            len: exact.len,
            features: exact.features,
            back: exact.back,
            level: exact.level,
            regime: exact.regime,
            scaled,
        })
    }
}

/// Returns cosines and sines divided by the square of their length.
fn divided_by_squares<T: Element>(angles: &[T], pairs: usize) -> Vec<T> {
    let mut divided = angles.to_vec();
    for row in divided.chunks_exact_mut(2 * pairs) {
        let (cos, sin) = row.split_at_mut(pairs);
        for (cos, sin) in cos.iter_mut().zip(sin) {
            let (c, s) = (cos.to_f64(), sin.to_f64());
            let square = c * c + s * s;
            (*cos, *sin) = (T::from_f64(c / square), T::from_f64(s / square));
        }
    }
    divided
}

/// Returns the list of angles with room for `rows` of `dim`, shared with no other rotation.
pub(super) fn unique<T: Element>(
    angles: &mut Arc<Vec<T>>,
    rows: usize,
    dim: usize,
) -> Result<&mut [T], Error> {
    let too_large = Error::TooLarge { rows, dim };
    let Some(size) =
        rows.checked_mul(dim).filter(|&size| size <= isize::MAX as usize / size_of::<T>())
    else {
        return Err(too_large);
    };
    if Arc::get_mut(angles).is_none_or(|angles| angles.capacity() < size) {
        let mut fresh = Vec::new();
        fresh.try_reserve_exact(size).map_err(|_| too_large.clone())?;
        *angles = Arc::new(fresh);
    }
    let angles = Arc::get_mut(angles).ok_or(too_large)?;
    angles.resize(size, T::zero());
    Ok(angles)
}
