//! xPos: rotations combined with an exponential growth of queries and decay of keys.

use core::fmt;

use super::encoding::Rotary;
use super::learned::reals;
use super::pairing::Pairing;
use super::rotation::Rotation;
use crate::element::Element;
use crate::error::{Error, check_parameter, positive};
use crate::frequencies::Frequencies;
use crate::positions::Positions;

/// xPos (Sun et al. 2022, *A length-extrapolatable transformer*, arXiv 2212.10554; RetNet): rotated
/// queries are multiplied by ζᵢ^(p/B) and keys by ζᵢ^(−p/B), ζᵢ = (2i + 0.4·dim)/(1.4·dim), so that
/// scores decay with distance.
///
/// Positions are absolute: p counts from [`with_origin`](Self::with_origin), 0 by default.
/// torchscale, x-transformers and rotary-embedding-torch subtract half of the sequence length from
/// p, so that cached keys no longer fit once the sequence grows; scores are the same without it.
/// Powers leave the range of the element type at [`reach`](Self::reach): beyond it, move the
/// origin, and recompute all keys of a cache with the new one.
///
/// ```
/// use ndarray::Array3;
/// use positional_encodings::rotary::XPos;
///
/// let xpos = XPos::new(64)?;
/// let (queries, keys) = xpos.at(0..10)?;
/// let (mut q, mut k) = (Array3::<f32>::ones((8, 10, 64)), Array3::<f32>::ones((8, 10, 64)));
/// queries.apply(q.view_mut())?;
/// keys.apply(k.view_mut())?;
/// // Two tokens apart, wherever they are: the same score.
/// let score = |i: usize, j: usize| (0..64).map(|f| q[[0, i, f]] * k[[0, j, f]]).sum::<f32>();
/// assert!((score(9, 7) - score(2, 0)).abs() < 1e-4);
/// # Ok::<(), positional_encodings::Error>(())
/// ```
#[derive(Clone, PartialEq)]
pub struct XPos {
    rotary: Rotary,
    /// The decay ln ζᵢ of each pair.
    decay: Vec<f64>,
    scale_base: f64,
    origin: f64,
}

impl fmt::Debug for XPos {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("XPos")
            .field("rotary", &self.rotary)
            .field("scale_base", &self.scale_base)
            .field("origin", &self.origin)
            .finish_non_exhaustive()
    }
}

impl XPos {
    /// Makes the paper's encoding: base 10000, neighbours, B = 512.
    ///
    /// # Errors
    ///
    /// [`Error::ZeroDim`], [`Error::OddDim`].
    pub fn new(dim: usize) -> Result<Self, Error> {
        let rotary = Rotary::new(Frequencies::geometric(dim, 10_000.0)?, Pairing::Interleaved);
        let zeta = |i| (2.0 * i as f64 + 0.4 * dim as f64) / (1.4 * dim as f64);
        let decay = (0..dim / 2).map(|i| libm::log(zeta(i))).collect();
        Ok(Self { rotary, decay, scale_base: 512.0, origin: 0.0 })
    }

    /// Sets the scale base B.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidParameter`] unless B is positive and finite.
    ///
    /// ```
    /// use positional_encodings::rotary::XPos;
    ///
    /// let (queries, keys) = XPos::new(2)?.with_scale_base(64.0)?.at::<f64>(64..65)?;
    /// // One pair: ζ = 0.4/1.4, and a power of 64/64
    /// let [q, k] =
    ///     [&queries, &keys].map(|rotation| rotation.cos_sin(0).unwrap()[0][0] / 64_f64.cos());
    /// assert!((q - 0.4 / 1.4).abs() < 1e-15 && (k - 1.4 / 0.4).abs() < 1e-14);
    /// assert!(XPos::new(2)?.with_scale_base(0.0).is_err());
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn with_scale_base(self, scale_base: f64) -> Result<Self, Error> {
        Ok(Self { scale_base: positive("scale base", scale_base)?, ..self })
    }

    /// Sets the position at which queries and keys keep their lengths; rotations do not change.
    /// Queries and keys must have the same origin.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidParameter`] unless the origin is finite.
    ///
    /// ```
    /// use positional_encodings::rotary::XPos;
    ///
    /// let xpos = XPos::new(64)?;
    /// assert!(xpos.at::<f32>(1_000_000..1_000_010).is_err()); // beyond f32
    /// let (queries, keys) = xpos.with_origin(1_000_000.0)?.at::<f32>(1_000_000..1_000_010)?;
    /// assert_eq!(queries.cos_sin(0), keys.cos_sin(0)); // at the origin nothing grows
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn with_origin(self, origin: f64) -> Result<Self, Error> {
        check_parameter("origin", origin, origin.is_finite(), "finite")?;
        Ok(Self { origin, ..self })
    }

    /// Returns how far positions may be from the origin for elements of type `E`: beyond this a
    /// power of the fastest decay may overflow. With the paper's B the reach is about 36,000 for
    /// `f32` and 4,200 for `f16`.
    ///
    /// ```
    /// use positional_encodings::rotary::XPos;
    ///
    /// let xpos = XPos::new(64)?;
    /// assert!((35_000.0..37_000.0).contains(&xpos.reach::<f32>()));
    /// let (_, keys) = xpos.at::<f32>(35_000..35_001)?;
    /// assert!(keys.cos_sin(0).unwrap()[0].iter().all(|value| value.is_finite()));
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn reach<E: Element>(&self) -> f64 {
        let is_finite =
            |exponent: &i32| E::from_f64(libm::exp2(f64::from(*exponent))).to_f64().is_finite();
        let bits = (0..1024).take_while(is_finite).last().unwrap_or(0);
        let fastest = self.decay.iter().fold(0.0_f64, |most, decay| most.max(decay.abs()));
        f64::from(bits) * core::f64::consts::LN_2 * self.scale_base / fastest
    }

    /// Makes the rotations of queries and of keys at the given positions.
    ///
    /// # Errors
    ///
    /// The errors of [`Rotary::at`]; [`Error::InvalidParameter`] for a position farther from the
    /// origin than the [`reach`](Self::reach) of `T`. 16-bit elements use angles of `f32`, but have
    /// a shorter reach.
    pub fn at<'p, T: Element<Angle = T>>(
        &self,
        positions: impl Into<Positions<'p>>,
    ) -> Result<(Rotation<T>, Rotation<T>), Error> {
        let positions = positions.into();
        let exact = self.rotary.at::<f64>(&positions)?;
        let reals = &reals(&positions, 1)?[0];
        let reach = self.reach::<T>();
        let distance = |&position: &f64| (position - self.origin).abs();
        if let Some(far) = reals.iter().map(distance).find(|distance| distance > &reach) {
            let name = "distance of a position from the origin of xPos";
            let needs = "at most XPos::reach of the element type: move the origin";
            return Err(Error::InvalidParameter { name, value: far, needs });
        }
        let dim = 2 * self.decay.len();
        let scaled = |sign: f64| {
            let angles = exact.angles.iter().enumerate().map(|(at, value)| {
                let power = sign * (reals[at / dim] - self.origin) / self.scale_base;
                value * libm::exp(self.decay[at % self.decay.len()] * power)
            });
            Rotation::from_exact(&exact, angles, true)
        };
        Ok((scaled(1.0)?, scaled(-1.0)?))
    }
}
