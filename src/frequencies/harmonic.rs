//! Harmonics of a period: whole multiples of one frequency.

use super::{Frequencies, Step, allocate, pairs_of};
use crate::error::Error;
use crate::exact::Wide;

impl Frequencies {
    /// Makes wᵢ = 2π(i + 1)/period, i < dim/2: pair i makes i + 1 turns in one `period` of
    /// positions.
    ///
    /// With period = max_len and dim 2 this is \[sin(2πp/max_len), cos(2πp/max_len)\]; with dim =
    /// 2n and period = 2n it is sin(πpk/n), cos(πpk/n) for k = 1..=n. At a whole number of turns a
    /// sine is within position · 2⁻¹⁸⁹ of zero, and exactly zero where the period is a power of
    /// two.
    ///
    /// # Errors
    ///
    /// [`Error::ZeroDim`], [`Error::OddDim`], [`Error::TooLarge`]; [`Error::InvalidTimescales`]
    /// unless the period is positive and finite; [`Error::InvalidFrequency`] for periods below dim
    /// · 2⁻⁶⁴.
    ///
    /// ```
    /// use positional_encodings::{Frequencies, PositionalEncoding, Positions, Sinusoidal};
    ///
    /// let circle = Sinusoidal::from_frequencies(Frequencies::harmonic(2, 8.0)?);
    /// let quarter: ndarray::Array2<f64> = circle.encode(&Positions::from(2..3))?;
    /// assert_eq!(quarter.as_slice(), Some(&[1.0, 0.0][..]));
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn harmonic(dim: usize, period: f64) -> Result<Self, Error> {
        let pairs = pairs_of(dim)?;
        if !(period > 0.0 && period.is_finite()) {
            return Err(Error::InvalidTimescales { shortest: period, longest: period });
        }
        let fundamental = Wide::TAU.mul(Wide::from_f64(period).inverse_root(1));
        let mut radians = allocate(pairs)?;
        radians.extend((1..=pairs as u64).map(|k| fundamental.mul(Wide::from_u64(k))));
        Self::new(radians, Step::Harmonic { dim, period })
    }
}
