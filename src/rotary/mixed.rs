//! RoPE-Mixed: rotations by a sum over axes, with frequencies for each head.

use core::fmt;

use std::sync::Arc;

use ndarray::{Array3, ArrayView, Axis, Dimension};
use rand::Rng;

use super::encoding::Rotary;
use super::learned::reals;
use super::pairing::Pairing;
use super::rotation::{AngleRows, Rotation, unique};
use crate::arrays::zeros;
use crate::element::Element;
use crate::error::Error;
use crate::frequencies::{Frequencies, room_for};
use crate::positions::Positions;

/// RoPE-Mixed (Heo et al. 2024, *Rotary position embedding for vision transformer*, arXiv
/// 2403.13298): pair i of head h is rotated by Σ over axes of coordinate · frequency\[axis, h,
/// i\], with learned frequencies.
///
/// The angle on each axis is exact; the sum is taken by angle addition in f64.
///
/// ```
/// use ndarray::{Array3, Array4};
/// use positional_encodings::{Pairing, Positions, rotary::MixedRotary};
///
/// let frequencies = Array3::from_elem((2, 4, 8), 0.1); // (axes, heads, pairs)
/// let mixed = MixedRotary::new(frequencies, Pairing::Interleaved)?;
/// let patches = mixed.at(Positions::grid(&[3, 3])?)?;
/// let mut q = Array4::<f32>::ones((1, 4, 9, 16)); // (batch, heads, patches, dim)
/// patches.apply(q.view_mut())?;
/// assert_eq!(q[[0, 3, 8, 0]], 0.4_f32.cos() - 0.4_f32.sin()); // the last patch is at (2, 2)
/// # Ok::<(), positional_encodings::Error>(())
/// ```
#[derive(Clone, PartialEq)]
pub struct MixedRotary {
    /// For each head, a rotation of each axis.
    heads: Vec<Vec<Rotary>>,
    pairs: usize,
    pairing: Pairing,
    frequencies: Array3<f64>,
}

impl fmt::Debug for MixedRotary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MixedRotary")
            .field("frequencies", &self.frequencies.dim())
            .field("pairing", &self.pairing)
            .finish()
    }
}

impl MixedRotary {
    /// Makes the encoding from frequencies in radians per step, shape (axes, heads, pairs), the
    /// axes in the order of the coordinates. In rope-vit and timm x, the column, comes first: give
    /// (column, row) as coordinates, or swap the axes.
    ///
    /// # Errors
    ///
    /// [`Error::ZeroDim`] for an empty array, [`Error::InvalidFrequency`], [`Error::TooLarge`].
    pub fn new(frequencies: Array3<f64>, pairing: Pairing) -> Result<Self, Error> {
        let (axes, heads, pairs) = frequencies.dim();
        if axes == 0 || heads == 0 {
            return Err(Error::ZeroDim);
        }
        room_for(axes.saturating_mul(heads), pairs)?;
        let one = |head: usize, axis: usize| {
            let radians =
                frequencies.index_axis(Axis(0), axis).index_axis_move(Axis(0), head).to_vec();
            Frequencies::from_radians(radians).map(|frequencies| Rotary::new(frequencies, pairing))
        };
        let of_head = |head| (0..axes).map(|axis| one(head, axis)).collect::<Result<Vec<_>, _>>();
        let heads = (0..heads).map(of_head).collect::<Result<Vec<_>, _>>()?;
        Ok(Self { heads, pairs, pairing, frequencies })
    }

    /// Makes the paper's initial frequencies for two axes: magnitudes base^(−4i/dim), i < dim/4, in
    /// two perpendicular directions, turned by a random angle for each head (rope-vit and timm use
    /// base 10 and neighbours).
    ///
    /// # Errors
    ///
    /// [`Error::ZeroDim`], [`Error::OddDim`], [`Error::InvalidBase`], [`Error::TooLarge`];
    /// [`Error::InvalidParameter`] where 4 does not divide the dim.
    ///
    /// ```
    /// use positional_encodings::{Pairing, rotary::MixedRotary};
    /// use rand::SeedableRng;
    ///
    /// let mut rng = rand::rngs::SmallRng::seed_from_u64(7);
    /// let mixed = MixedRotary::init(6, 64, 10.0, Pairing::Interleaved, &mut rng)?;
    /// assert_eq!(mixed.frequencies().dim(), (2, 6, 32));
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn init<R: Rng + ?Sized>(
        heads: usize,
        dim: usize,
        base: f64,
        pairing: Pairing,
        rng: &mut R,
    ) -> Result<Self, Error> {
        Rotary::axial_2d(dim, base, super::AxialOrder::Qwen2Vl)?;
        let magnitudes = Frequencies::geometric(dim / 2, base)?.to_radians();
        let quarter = dim / 4;
        let too_large = Error::TooLarge { rows: heads, dim };
        let mut frequencies = zeros::<f64>(heads.saturating_mul(2), dim / 2)?
            .into_shape_with_order((2, heads, dim / 2))
            .map_err(|_| too_large)?;
        for head in 0..heads {
            let turn =
                (rng.next_u64() >> 11) as f64 / (1_u64 << 53) as f64 * core::f64::consts::TAU;
            for pair in 0..dim / 2 {
                let angle = turn + if pair < quarter { 0.0 } else { core::f64::consts::FRAC_PI_2 };
                let magnitude = magnitudes[pair % quarter];
                frequencies[[0, head, pair]] = magnitude * libm::cos(angle);
                frequencies[[1, head, pair]] = magnitude * libm::sin(angle);
            }
        }
        Self::new(frequencies, pairing)
    }

    /// Makes the rotation at the given coordinates, for arrays (…, heads, positions, dim), or (…,
    /// positions, heads, dim) as a view with [`permuted_axes`](ndarray::ArrayBase::permuted_axes).
    ///
    /// # Errors
    ///
    /// The errors of [`Rotary::at`]; [`Error::LengthMismatch`] for a batch whose rows differ.
    pub fn at<'p, T: Element<Angle = T>>(
        &self,
        positions: impl Into<Positions<'p>>,
    ) -> Result<Rotation<T>, Error> {
        let coordinates = positions.into();
        self.check(&coordinates)?;
        let (len, dim) = (coordinates.len(), 2 * self.pairs);
        let mut angles: Arc<Vec<T>> = Arc::new(Vec::new());
        let all = unique(&mut angles, len.saturating_mul(self.heads.len()), dim)?;
        let empty = || zeros(len, dim).map(|angles| angles.into_raw_vec_and_offset().0);
        let (mut sum, mut of_axis) = (empty()?, empty()?);
        for (head, out) in self.heads.iter().zip(all.chunks_exact_mut((len * dim).max(1))) {
            for (axis, rotary) in head.iter().enumerate() {
                let positions = coordinates.axis(axis).ok_or(Error::ZeroDim)?;
                let angles = if axis == 0 { &mut sum } else { &mut of_axis };
                rotary.fill(&positions, angles);
                if axis > 0 {
                    add_angles(&mut sum, &of_axis, self.pairs);
                }
            }
            out.iter_mut().zip(&sum).for_each(|(out, &value)| *out = T::from_f64(value));
        }
        Ok(self.rotation(angles, len))
    }

    /// Makes the rotation from given angles at `len` positions.
    fn rotation<T>(&self, angles: Arc<Vec<T>>, len: usize) -> Rotation<T> {
        let Rotary { features, level, regime, .. } = self.heads[0][0];
        let rows = AngleRows::Heads(self.heads.len());
        Rotation { angles, rows, len, features, back: false, level, regime, scaled: false }
    }

    fn check(&self, positions: &Positions<'_>) -> Result<(), Error> {
        positions.check_axes(self.frequencies.dim().0)?;
        match positions.rows() {
            Some(found) if found != 1 => {
                Err(Error::LengthMismatch { what: "rows of positions", expected: 1, found })
            }
            _ => positions.check_finite(),
        }
    }

    /// Returns the gradient of a loss with respect to the frequencies, shape (axes, heads, pairs);
    /// see [`Rotary::frequency_gradient`].
    ///
    /// # Errors
    ///
    /// The errors of [`at`](Self::at) and of [`Rotation::apply`].
    ///
    /// ```
    /// use ndarray::{Array3, Array4};
    /// use positional_encodings::{Pairing, Positions, rotary::MixedRotary};
    ///
    /// // One head of one pair; loss = the first feature of (1, 0) rotated by 2x + 3y: its
    /// // derivatives are −2 sin and −3 sin.
    /// let frequencies = Array3::from_shape_vec((2, 1, 1), vec![0.1, 0.2]).unwrap();
    /// let mixed = MixedRotary::new(frequencies, Pairing::Halves)?;
    /// let at = Positions::from_axes([&[2], &[3]])?;
    /// let mut x = Array4::from_shape_vec((1, 1, 1, 2), vec![1.0, 0.0]).unwrap();
    /// let upstream = x.clone();
    /// mixed.at(&at)?.apply(x.view_mut())?;
    /// let gradient = mixed.frequency_gradient(&at, x.view(), upstream.view())?;
    /// assert!((gradient[[0, 0, 0]] + 2.0 * 0.8_f64.sin()).abs() < 1e-15);
    /// assert!((gradient[[1, 0, 0]] + 3.0 * 0.8_f64.sin()).abs() < 1e-15);
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn frequency_gradient<'p, A: Element, D: Dimension>(
        &self,
        positions: impl Into<Positions<'p>>,
        rotated: ArrayView<'_, A, D>,
        upstream: ArrayView<'_, A, D>,
    ) -> Result<Array3<f64>, Error> {
        let coordinates = positions.into();
        self.check(&coordinates)?;
        let (len, axes) = (coordinates.len(), self.frequencies.dim().0);
        let shape: Rotation<A::Angle> = self.rotation(Arc::new(Vec::new()), len);
        let mut gradient = Array3::zeros(self.frequencies.raw_dim());
        shape.check_angles(&rotated, &upstream)?;
        if rotated.is_empty() {
            return Ok(gradient);
        }
        let reals = reals(&coordinates, axes)?;
        shape.for_each_angle(rotated, upstream, |row, pair, value| {
            for (axis, reals) in reals.iter().enumerate() {
                gradient[[axis, row / len, pair]] += reals[row % len] * value;
            }
        })?;
        Ok(gradient)
    }

    /// Returns the frequencies, shape (axes, heads, pairs).
    pub fn frequencies(&self) -> &Array3<f64> {
        &self.frequencies
    }

    /// Returns the features that make a pair.
    pub fn pairing(&self) -> Pairing {
        self.pairing
    }
}

/// Adds the angles of `more` to those of `sum`, both given as rows of cosines and sines.
fn add_angles(sum: &mut [f64], more: &[f64], pairs: usize) {
    for (sum, more) in sum.chunks_exact_mut(2 * pairs).zip(more.chunks_exact(2 * pairs)) {
        let (cos, sin) = sum.split_at_mut(pairs);
        for ((cos, sin), (c, s)) in
            cos.iter_mut().zip(sin).zip(more[..pairs].iter().zip(&more[pairs..]))
        {
            (*cos, *sin) = (*cos * c - *sin * s, *sin * c + *cos * s);
        }
    }
}
