//! Calendar features: the hour, the weekday, the season.

use super::Fourier;
use super::fourier::check_size;
use crate::error::{Error, check_parameter};
use crate::exact::Wide;
use crate::phase::FeatureLayout;

/// A period after which the features of a time repeat, such as a day, a week or a year.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(deny_unknown_fields))]
pub struct Cycle {
    /// The length of the cycle, in the unit of the positions.
    pub period: f64,
    /// The position at which the sine is zero and rises: midnight, Monday, the first of January.
    pub phase: f64,
}

impl Cycle {
    /// Makes a cycle that begins at position 0.
    pub fn new(period: f64) -> Self {
        Self { period, phase: 0.0 }
    }

    /// Sets the position at which the cycle begins.
    pub fn from(self, phase: f64) -> Self {
        Self { phase, ..self }
    }
}

impl Fourier {
    /// Makes calendar features: sin(2π·(t − phase)/period) and cos(2π·(t − phase)/period), cycle by
    /// cycle, as forecasting models use them for hours, weekdays and seasons.
    ///
    /// Times and periods are reals in one unit. A period such as 365.2425 days is taken as the
    /// double that it is, and the angle is exact however far away the time is.
    ///
    /// # Errors
    ///
    /// [`Error::ZeroDim`] without a cycle; [`Error::InvalidTimescales`] unless periods are positive
    /// and finite; [`Error::InvalidFrequency`] for a period below 2⁻⁶³; [`Error::InvalidParameter`]
    /// for a phase that is not finite, or 2⁶² periods or more from 0.
    ///
    /// ```
    /// use ndarray::{Array2, array};
    /// use positional_encodings::{Fourier, PositionalEncoding, Positions, space::Cycle};
    ///
    /// // in hours: the day, and the week from Monday 0:00 on, for an epoch on a Thursday
    /// let calendar = Fourier::calendar(&[Cycle::new(24.0), Cycle::new(168.0).from(96.0)])?;
    /// let features: Array2<f64> = calendar.encode(&Positions::from(&[96.0 + 12.0, 6.0]))?;
    /// assert_eq!(features[[0, 1]], -1.0); // noon
    /// assert_eq!(features[[1, 0]], 1.0); // six in the morning
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn calendar(cycles: &[Cycle]) -> Result<Self, Error> {
        const MOST: f64 = (1_u64 << 62) as f64;
        let (axes, pairs) = check_size(1, cycles.len())?;
        for &Cycle { period, phase } in cycles {
            if !(period > 0.0 && period.is_finite()) {
                return Err(Error::InvalidTimescales { shortest: period, longest: period });
            }
            let is_met = (0.0..MOST).contains(&(phase / period).abs());
            check_parameter("phase", phase, is_met, "finite and within 2^62 periods")?;
        }
        let per = |pair: usize| Wide::from_f64(cycles[pair].period).inverse_root(1);
        let features = Self::from_turns(axes, pairs, |_, pair| Ok(per(pair)))?;
        let phase = |pair: usize| Wide::from_f64(-cycles[pair].phase).mul(per(pair));
        let features = features.with_wide_phases((0..pairs).map(phase));
        Ok(features.with_layout(FeatureLayout::Interleaved))
    }
}
