//! mip-NeRF's integrated encoding.

use core::fmt;

use ndarray::ArrayViewMut2;

use super::nerf::powers_of_two;
use super::{Fourier, PositionalEncoding};
use crate::element::Element;
use crate::error::Error;
use crate::frequencies::Frequencies;
use crate::positions::Positions;
use crate::short::Short;
use crate::threads;

/// The expected Fourier features of a point whose coordinates are known with a variance (Barron et
/// al. 2021, *Mip-NeRF*, arXiv 2103.13415): fast waves fade where the variance is large.
///
/// Positions have 2n axes: the means μ of n coordinates, then their variances σ², which must not be
/// negative. PE = \[sin(f·μ) · exp(−½·v·σ²) | cos(f·μ) · exp(−½·v·σ²)\], in each half one
/// coordinate after the other. In the paper ([`new`](Self::new)) f = 2ᵏ and v = 4ᵏ; in nerfstudio
/// ([`nerfstudio`](Self::nerfstudio)) f = 2π·2^e and v = 4^e, which leaves out the factor (2π)².
///
/// ```
/// use ndarray::{Array2, array};
/// use positional_encodings::{PositionalEncoding, Positions, space::MipNerf};
///
/// let mip = MipNerf::new(1, 1)?;
/// let points = array![[0.5, 0.0], [0.5, 2.0]]; // (mean, variance)
/// let features: Array2<f64> = mip.encode(&Positions::from_points(&points)?)?;
/// assert_eq!(features[[0, 0]], 0.5_f64.sin());
/// assert!((features[[1, 0]] - 0.5_f64.sin() * (-1_f64).exp()).abs() < 1e-15);
/// # Ok::<(), positional_encodings::Error>(())
/// ```
#[derive(Clone, PartialEq)]
pub struct MipNerf {
    waves: Fourier,
    axes: usize,
    /// The factor v of each band.
    widths: Vec<f64>,
}

impl fmt::Debug for MipNerf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MipNerf")
            .field("waves", &self.waves)
            .field("widths", &Short(&self.widths))
            .finish()
    }
}

impl MipNerf {
    /// Makes the encoding of the paper: frequencies 2ᵏ, k < `bands`, of each of `axes` coordinates.
    ///
    /// # Errors
    ///
    /// The errors of [`Fourier::nerf`].
    pub fn new(axes: usize, bands: usize) -> Result<Self, Error> {
        let powers = powers_of_two(bands, 1.0)?;
        let widths = powers.iter().map(|power| power * power).collect();
        let waves = Fourier::bands_in_radians(axes, &Frequencies::from_radians(powers)?)?;
        Ok(Self { waves, axes, widths })
    }

    /// Makes nerfstudio's `NeRFEncoding` with covariances: the bands of [`Fourier::nerfstudio`].
    ///
    /// # Errors
    ///
    /// The errors of [`Fourier::nerfstudio`].
    ///
    /// ```
    /// use positional_encodings::{PositionalEncoding, space::MipNerf};
    ///
    /// let mip = MipNerf::nerfstudio(3, 4, (0.0, 3.0))?;
    /// assert_eq!((PositionalEncoding::<f32>::axes(&mip), mip.dim()), (6, 24));
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn nerfstudio(axes: usize, bands: usize, exponents: (f64, f64)) -> Result<Self, Error> {
        let waves = Fourier::nerfstudio(axes, bands, exponents)?;
        let turns = waves.turns();
        let widths = turns.row(0).iter().take(bands).map(|turns| turns * turns).collect();
        Ok(Self { waves, axes, widths })
    }

    /// Returns the width of a position vector.
    pub fn dim(&self) -> usize {
        self.waves.dim()
    }
}

impl<A: Element> PositionalEncoding<A> for MipNerf {
    fn dim(&self) -> usize {
        self.dim()
    }

    fn max_len(&self) -> Option<usize> {
        None
    }

    fn axes(&self) -> usize {
        2 * self.axes
    }

    /// Checks the positions, and that no variance is negative.
    fn check(&self, positions: &Positions<'_>) -> Result<(), Error> {
        positions.check_axes(2 * self.axes)?;
        positions.check_finite()?;
        for variances in (self.axes..2 * self.axes).filter_map(|axis| positions.axis(axis)) {
            let negative = |(_, variance): &(usize, f64)| *variance < 0.0;
            let mut all = variances.iter().map(|variance| variance.to_f64()).enumerate();
            if let Some((index, position)) = all.find(negative) {
                let (low, high) = (0.0, f64::INFINITY);
                return Err(Error::OutsideRange { index, position, low, high });
            }
        }
        Ok(())
    }

    fn encode_into(
        &self,
        positions: &Positions<'_>,
        out: ArrayViewMut2<'_, A>,
    ) -> Result<(), Error> {
        self.check_shape(positions, &out)?;
        PositionalEncoding::<A>::check(self, positions)?;
        let (bands, pairs) = (self.widths.len(), self.waves.pairs());
        threads::rows(positions, out, &|positions, mut out| {
            let waves = self.waves.projection();
            waves.each::<A>(positions, |index, point, first, values| {
                let mut row = out.row_mut(index);
                let waves = values.sin.iter().zip(&values.cos);
                for (pair, (sin, cos)) in (first..pairs).zip(waves) {
                    let variance = point[self.axes + pair / bands];
                    let faded = libm::exp(-0.5 * self.widths[pair % bands] * variance);
                    row[pair] = A::from_f64(sin * faded);
                    row[pairs + pair] = A::from_f64(cos * faded);
                }
            });
            Ok(())
        })
    }
}
