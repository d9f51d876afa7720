//! Sinusoids of quantities within a known range, as in Aurora.

use core::ops::RangeInclusive;

use ndarray::ArrayViewMut2;

use super::{PositionalEncoding, Sinusoidal};
use crate::element::Element;
use crate::error::Error;
use crate::frequencies::Frequencies;
use crate::phase::FeatureLayout;
use crate::positions::Positions;

/// Sines and cosines of a quantity at wavelengths between its smallest and its largest value
/// (Aurora; Bodnar et al. 2024, *A foundation model for the Earth system*, arXiv 2405.13063).
///
/// PE(x) = \[sin(2π·x/λ) | cos(2π·x/λ)\] with dim/2 wavelengths λ in geometric progression, both
/// ends included. A magnitude below the shortest or above the longest wavelength would be ambiguous
/// and is an error; zero is allowed.
///
/// | Aurora's | range |
/// |---|---|
/// | latitudes and longitudes, degrees | `0.01..=720.0` |
/// | lead time, hours | `1.0 / 60.0..=504.0` |
/// | pressure levels, hPa | `0.01..=1e5` |
/// | absolute time, hours | `1.0..=8766.0`, [`Wavelengths::unchecked`] |
///
/// ```
/// use ndarray::Array2;
/// use positional_encodings::{Error, PositionalEncoding, Positions, space::Wavelengths};
///
/// let levels = Wavelengths::new(4, 0.01..=1e5)?;
/// let features: Array2<f64> = levels.encode(&Positions::from(&[25_000.0]))?;
/// assert_eq!(features[[0, 1]], 1.0); // a quarter of the longest wave
/// let error = PositionalEncoding::<f32>::encode(&levels, &Positions::from(&[2e5])).unwrap_err();
/// assert_eq!(error, Error::OutsideRange { index: 0, position: 2e5, low: 0.01, high: 1e5 });
/// # Ok::<(), Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Wavelengths {
    sinusoidal: Sinusoidal,
    range: RangeInclusive<f64>,
}

impl Wavelengths {
    /// Makes an encoding of an even `dim` for magnitudes within `range`, whose ends are the
    /// shortest and the longest wavelength.
    ///
    /// # Errors
    ///
    /// [`Error::ZeroDim`], [`Error::OddDim`], [`Error::TooLarge`]; [`Error::InvalidTimescales`]
    /// unless 0 < shortest ≤ longest < ∞; [`Error::InvalidFrequency`] for a shortest wavelength
    /// below 2⁻⁶³.
    pub fn new(dim: usize, range: RangeInclusive<f64>) -> Result<Self, Error> {
        Ok(Self { sinusoidal: Self::unchecked(dim, range.clone())?, range })
    }

    /// Makes the same sinusoid without a check of the magnitude, as for Aurora's absolute time.
    ///
    /// # Errors
    ///
    /// The errors of [`new`](Self::new).
    ///
    /// ```
    /// use positional_encodings::space::Wavelengths;
    /// assert_eq!(Wavelengths::unchecked(512, 1.0..=8766.0)?.dim(), 512);
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn unchecked(dim: usize, range: RangeInclusive<f64>) -> Result<Sinusoidal, Error> {
        let frequencies = Frequencies::timescales(dim, range)?.full_turns()?;
        let sinusoidal = Sinusoidal::from_frequencies(frequencies);
        Ok(sinusoidal.with_layout(FeatureLayout::SinCosHalves))
    }

    /// Returns the magnitudes that can be encoded, besides zero.
    pub fn range(&self) -> &RangeInclusive<f64> {
        &self.range
    }

    /// Returns the sinusoid, which accepts any magnitude.
    pub fn sinusoidal(&self) -> &Sinusoidal {
        &self.sinusoidal
    }

    /// Returns the width of a position vector.
    pub fn dim(&self) -> usize {
        self.sinusoidal.dim()
    }
}

impl<A: Element> PositionalEncoding<A> for Wavelengths {
    fn dim(&self) -> usize {
        self.dim()
    }

    fn max_len(&self) -> Option<usize> {
        None
    }

    fn check(&self, positions: &Positions<'_>) -> Result<(), Error> {
        positions.check_axes(1)?;
        positions.check_finite()?;
        let (low, high) = (*self.range.start(), *self.range.end());
        let mut all = positions.iter().map(|position| position.to_f64()).enumerate();
        let is_outside = |x: f64| x != 0.0 && !(low..=high).contains(&x.abs());
        match all.find(|(_, position)| is_outside(*position)) {
            Some((index, position)) => Err(Error::OutsideRange { index, position, low, high }),
            None => Ok(()),
        }
    }

    fn encode_into(
        &self,
        positions: &Positions<'_>,
        out: ArrayViewMut2<'_, A>,
    ) -> Result<(), Error> {
        self.check_shape(positions, &out)?;
        PositionalEncoding::<A>::check(self, positions)?;
        self.sinusoidal.encode_into(positions, out)
    }
}
