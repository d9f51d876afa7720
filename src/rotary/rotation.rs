//! The plan: cosines and sines at given positions, ready to be applied.

use core::fmt;
use std::sync::Arc;

use fearless_simd::Level;
use ndarray::{ArrayView2, Axis};

use super::pairing::{Features, Pairing};
use crate::element::Element;
use crate::error::Error;
use crate::frequencies::scaling::Regime;
use crate::positions::Positions;

/// A rotation of queries or keys at given positions: made by [`Rotary::at`](crate::Rotary::at),
/// held by the caller, applied to as many arrays as there are.
///
/// Each pair of features (x, y) becomes (x·cos θ − y·sin θ, y·cos θ + x·sin θ), with the cosines
/// and sines of exact angles rounded once. `T` is the type of the angles and of the arithmetic:
/// `Rotation<f32>` rotates arrays of `f32`, and of `f16` and `bf16`, which are widened for it and
/// rounded once; `Rotation<f64>` rotates arrays of `f64`. A rotation made anew for each forward
/// pass costs about as much as filling its table; cloning one costs nothing.
///
/// | the rotated array is | call | for plain slices |
/// |---|---|---|
/// | the array itself | [`apply`](Self::apply) | [`apply_slice`](Self::apply_slice) |
/// | another one that is there | [`apply_into`](Self::apply_into) | [`apply_slice_into`](Self::apply_slice_into) |
/// | a new one | [`applied`](Self::applied) | |
///
/// Arrays are (…, positions, width). Where the positions are on another axis, a view with
/// [`permuted_axes`](ndarray::ArrayBase::permuted_axes) has them there. With feature `rayon` long
/// arrays are rotated on all cores, with the same bits.
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
    /// For each row of positions and each position, all cosines and then all sines.
    pub(super) angles: Arc<Vec<T>>,
    pub(super) rows: AngleRows,
    /// Positions in a row.
    pub(super) len: usize,
    pub(super) features: Features,
    /// Whether to rotate by the negated angles.
    pub(super) back: bool,
    pub(super) level: Level,
    pub(super) regime: Regime,
    /// Whether lengths change.
    pub(super) scaled: bool,
}

/// The axes along which angles change, besides that of positions.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum AngleRows {
    /// Nothing: all leading axes share the positions.
    Shared,
    /// Every sequence of a batch, along the first axis.
    Batch(usize),
    /// Every head, along the axis before the positions.
    Heads(usize),
    /// Not even positions: one rotation for all.
    Everywhere,
}

impl AngleRows {
    /// Sequences have angles of their own where their positions differ.
    pub(super) fn of(positions: &Positions<'_>) -> Self {
        match positions.rows() {
            Some(rows) if rows != 1 => Self::Batch(rows),
            _ => Self::Shared,
        }
    }
}

impl<T> fmt::Debug for Rotation<T> {
    /// Says what it rotates; the angles are [`tables`](Self::tables).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { features, rows, len, back, regime, .. } = self;
        f.debug_struct("Rotation")
            .field("dim", &(2 * features.pairs))
            .field("pairing", &features.pairing)
            .field("rows", rows)
            .field("positions", len)
            .field("back", back)
            .field("regime", regime)
            .finish_non_exhaustive()
    }
}

/// Two rotations are equal if they do the same to every array, bit for bit, and have the same
/// regime. The instruction set does not matter.
impl<T: PartialEq> PartialEq for Rotation<T> {
    fn eq(&self, other: &Self) -> bool {
        (self.rows, self.len, self.features, self.back, self.regime, self.scaled)
            == (other.rows, other.len, other.features, other.back, other.regime, other.scaled)
            && (Arc::ptr_eq(&self.angles, &other.angles) || self.angles == other.angles)
    }
}

impl<T: Element<Angle = T>> Rotation<T> {
    /// Makes a rotation of given cosines and sines, both (positions, pairs).
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

    /// Returns the cosines and the sines, each (positions, pairs), the attention factor included:
    /// what other tensor libraries and kernels want. Where sequences or heads have rows of their
    /// own, these follow each other. A [`gradient`](Self::gradient) has the tables of the rotation
    /// that it belongs to: its sines are subtracted where the others are added.
    ///
    /// ```
    /// use ndarray::array;
    /// use positional_encodings::{Frequencies, Pairing, Rotary};
    ///
    /// let rotation = Rotary::new(Frequencies::harmonic(4, 8.0)?, Pairing::Halves).at::<f64>(0..3)?;
    /// let (cos, sin) = rotation.tables();
    /// assert_eq!(cos.row(2), array![0.0, -1.0]); // 90 degrees, and 180
    /// assert_eq!(sin.row(2), array![1.0, 0.0]);
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn tables(&self) -> (ArrayView2<'_, T>, ArrayView2<'_, T>) {
        let (dim, pairs) = (self.dim(), self.features.pairs);
        let rows = self.angles.len() / dim.max(1);
        // The shape is that of the angles.
        let both = ArrayView2::from_shape((rows, dim), &self.angles[..rows * dim]);
        both.map_or_else(
            |_| (ArrayView2::from(&[[]; 0]), ArrayView2::from(&[[]; 0])),
            |both| both.split_at(Axis(1), pairs),
        )
    }

    /// The rotation back: applied after this one, it restores what was, to rounding.
    ///
    /// Without an attention factor it is also the [gradient](Self::gradient), and shares this one's
    /// table.
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

    /// The transposed map: what takes a gradient with respect to rotated features to that with
    /// respect to the features before. With an attention factor a it is the rotation back times a.
    pub fn gradient(&self) -> Self {
        Self { back: !self.back, ..self.clone() }
    }

    /// Number of features that are rotated.
    pub fn dim(&self) -> usize {
        2 * self.features.pairs
    }

    /// Number of positions, or `None` where the rotation is the same at all.
    pub fn positions(&self) -> Option<usize> {
        (self.rows != AngleRows::Everywhere).then_some(self.len)
    }

    /// The features that make a pair.
    pub fn pairing(&self) -> Pairing {
        self.features.pairing
    }

    /// Returns the length that the frequencies were made for: a cache of keys wants to be tagged
    /// with it.
    pub fn regime(&self) -> Regime {
        self.regime
    }

    /// \[cosines, sines\] of pair after pair at a position, the attention factor included. Where
    /// sequences or heads have rows of their own, positions are counted on from row to row.
    ///
    /// ```
    /// use positional_encodings::{Frequencies, Pairing, Rotary};
    ///
    /// let rotation = Rotary::new(Frequencies::harmonic(4, 8.0)?, Pairing::Halves).at::<f64>(0..3)?;
    /// assert_eq!(rotation.cos_sin(2), Some([&[0.0, -1.0][..], &[1.0, 0.0][..]])); // 90 degrees, and 180
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn cos_sin(&self, index: usize) -> Option<[&[T]; 2]> {
        let dim = self.dim();
        let (cos, sin) =
            self.angles.get(index.checked_mul(dim)?..)?.get(..dim)?.split_at(self.features.pairs);
        Some([cos, sin])
    }

    /// The two features of each pair in a row of `width`.
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

    /// A rotation by the given angles, rounded once.
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

/// Cosines and sines over the square of their length.
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

/// The list of angles with room for `rows` of `dim`, shared with no other rotation.
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
