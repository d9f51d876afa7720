//! Geometric progressions of frequencies, from one radian per position down to nearly, or exactly,
//! 1/base.

use core::fmt;

use super::{Frequencies, Step, pairs_of, progression};
use crate::error::Error;
use crate::exact::Wide;

/// The convention for an odd dim. Systems disagree, so it must be chosen.
///
/// | convention | dim 7, base b | systems |
/// |---|---|---|
/// | `DropLast` | exponents 2i/7 for 4 pairs, the last without its second member | keras-hub (interleaved); Marian, Pegasus, RoFormer (halves: ceil(dim/2) sines first) |
/// | `DropLastOfEven` | exponents 2i/8 for 4 pairs, the last without its second member | `positional-encodings` (Python) |
/// | `ZeroColumn` | exponents 2i/6 for 3 pairs, then a column of zeros | diffusion timesteps. tensor2tensor, fairseq and MusicGen have the column, too, after other frequencies: [`Frequencies::geometric_inclusive`] of dim − 1, then [`Sinusoidal::padded_to`](crate::Sinusoidal::padded_to) |
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum OddDim {
    /// The paper's formula taken literally: the exponents are divided by dim itself, and the last
    /// pair lacks its second member.
    DropLast,
    /// The encoding of dim + 1 without its last feature.
    DropLastOfEven,
    /// The encoding of dim − 1, then a column of zeros.
    ZeroColumn,
}

impl fmt::Display for OddDim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::DropLast => "last member dropped",
            Self::DropLastOfEven => "last member of dim + 1 dropped",
            Self::ZeroColumn => "column of zeros",
        })
    }
}

impl Frequencies {
    /// Makes wᵢ = base^(−2i/dim), i < dim/2 (Vaswani et al. 2017, with base 10000).
    ///
    /// The base may be any positive finite number. With base 1 all pairs rotate by one radian per
    /// position; below 1 the later pairs rotate faster.
    ///
    /// # Errors
    ///
    /// [`Error::ZeroDim`], [`Error::OddDim`] (see [`geometric_odd`](Self::geometric_odd)),
    /// [`Error::InvalidBase`], [`Error::InvalidFrequency`] for a base so small that frequencies
    /// pass 2⁶³ turns, [`Error::TooLarge`].
    ///
    /// ```
    /// use positional_encodings::Frequencies;
    ///
    /// let frequencies = Frequencies::geometric(128, 500_000.0)?.to_radians();
    /// assert_eq!(frequencies[32], 500_000_f64.sqrt().recip());
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn geometric(dim: usize, base: f64) -> Result<Self, Error> {
        let pairs = pairs_of(dim)?;
        let ratio = checked_base(base)?.inverse_root(pairs as u64);
        progression(Wide::ONE, ratio, pairs, Step::Geometric { dim, base })
    }

    /// Makes the frequencies of an odd `dim` by a named convention; for an even dim they are those
    /// of [`geometric`](Self::geometric).
    ///
    /// With [`OddDim::ZeroColumn`] there are (dim − 1)/2 pairs, otherwise (dim + 1)/2, the last of
    /// which lacks its second member in the encoding. [`Sinusoidal::odd`](crate::Sinusoidal::odd)
    /// makes the whole encoding.
    ///
    /// # Errors
    ///
    /// The errors of [`geometric`](Self::geometric) except [`Error::OddDim`]; [`Error::ZeroDim`]
    /// also for dim 1 with a zero column, which leaves no pair.
    ///
    /// ```
    /// use positional_encodings::{Frequencies, OddDim};
    ///
    /// let by = |odd| Frequencies::geometric_odd(3, 1000.0, odd).map(|f| f.to_radians());
    /// assert_eq!(by(OddDim::DropLast)?, [1.0, 0.01]); // 1000^(-2/3)
    /// assert_eq!(by(OddDim::DropLastOfEven)?, [1.0, 1000_f64.sqrt().recip()]); // 1000^(-2/4)
    /// assert_eq!(by(OddDim::ZeroColumn)?, [1.0]);
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn geometric_odd(dim: usize, base: f64, convention: OddDim) -> Result<Self, Error> {
        match convention {
            _ if dim.is_multiple_of(2) => Self::geometric(dim, base),
            OddDim::ZeroColumn => Self::geometric(dim - 1, base),
            OddDim::DropLastOfEven => Self::geometric(dim.saturating_add(1), base),
            OddDim::DropLast => {
                let wide = checked_base(base)?;
                let ratio = wide.mul(wide).inverse_root(dim as u64);
                let step = Step::GeometricOdd { dim, base, odd: convention };
                progression(Wide::ONE, ratio, dim / 2 + 1, step)
            }
        }
    }

    /// Makes wᵢ = base^(−i/(dim/2 − 1)), i < dim/2, which includes both ends, 1 and 1/base
    /// (tensor2tensor, fairseq, M2M-100, Whisper). At dim 2, where those systems divide by zero,
    /// the frequency is 1.
    ///
    /// # Errors
    ///
    /// The errors of [`geometric`](Self::geometric).
    ///
    /// ```
    /// use positional_encodings::Frequencies;
    ///
    /// assert_eq!(
    ///     Frequencies::geometric_inclusive(6, 10_000.0)?.to_radians(),
    ///     [1.0, 0.01, 0.0001]
    /// );
    /// assert_eq!(Frequencies::geometric_inclusive(2, 10_000.0)?.to_radians(), [1.0]);
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn geometric_inclusive(dim: usize, base: f64) -> Result<Self, Error> {
        let step = Step::GeometricInclusive { dim, base };
        inclusive(pairs_of(dim)?, Wide::ONE, checked_base(base)?, step)
    }

    /// Makes wᵢ = base^(−i/(dim/2 − shift)), i < dim/2, where `shift` is diffusers'
    /// `downscale_freq_shift`.
    ///
    /// Shift 0 is [`geometric`](Self::geometric), shift 1
    /// [`geometric_inclusive`](Self::geometric_inclusive). At dim 2, w = \[1\].
    ///
    /// # Errors
    ///
    /// [`Error::ZeroDim`], [`Error::OddDim`], [`Error::InvalidBase`], [`Error::InvalidFrequency`],
    /// [`Error::TooLarge`]; [`Error::InvalidParameter`] for a shift that is not finite and, for a
    /// dim above 2, unless dim/2 is at most 2²⁰ and the shift is a multiple of 2⁻²⁰ above −2²⁰ and
    /// below dim/2.
    ///
    /// ```
    /// use positional_encodings::Frequencies;
    ///
    /// let half = Frequencies::geometric_shifted(10, 512.0, 0.5)?.to_radians();
    /// assert_eq!(half, [1.0, 0.25, 0.0625, 1.0 / 64.0, 1.0 / 256.0]); // 512^(−2/9) = 1/4
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn geometric_shifted(dim: usize, base: f64, shift: f64) -> Result<Self, Error> {
        const GRAIN: f64 = (1_u64 << 20) as f64;
        let (pairs, wide) = (pairs_of(dim)?, checked_base(base)?);
        let grains = shift * GRAIN;
        // In multiples of 2⁻²⁰, a root of which is found with bits to spare.
        let denominator = (pairs as f64).min(GRAIN) * GRAIN - grains;
        let is_good = grains.trunc() == grains && shift > -GRAIN && denominator >= 1.0;
        if !shift.is_finite() || pairs > 1 && !(is_good && pairs as f64 <= GRAIN) {
            let needs = "a multiple of 2^-20 above -2^20 and below dim / 2, itself at most 2^20";
            return Err(Error::InvalidParameter { name: "shift", value: shift, needs });
        }
        let ratio = if pairs == 1 {
            Wide::ONE
        } else {
            // base^(−2²⁰/n), with the fraction in lowest terms.
            let n = denominator as u64;
            let common = n.trailing_zeros().min(20);
            wide.inverse_root(n >> common).pow(1 << (20 - common))
        };
        progression(Wide::ONE, ratio, pairs, Step::GeometricShifted { dim, base, shift })
    }

    /// Makes dim/2 frequencies in geometric progression from 1/shortest to 1/longest radians per
    /// position, both included.
    ///
    /// The ends correspond to tensor2tensor's `min_timescale` and `max_timescale`, and to MLX's
    /// `max_freq` = 1/shortest and `min_freq` = 1/longest. (tensor2tensor *multiplies* by
    /// `min_timescale`; where that is not 1, add `.scaled(shortest * shortest)` to match it.) At
    /// dim 2, w = \[1/shortest\].
    ///
    /// # Errors
    ///
    /// [`Error::ZeroDim`], [`Error::OddDim`], [`Error::TooLarge`]; [`Error::InvalidTimescales`]
    /// unless 0 < shortest ≤ longest < ∞; [`Error::InvalidFrequency`] where 1/shortest makes 2⁶³
    /// turns or more per position.
    ///
    /// ```
    /// use positional_encodings::Frequencies;
    ///
    /// assert_eq!(
    ///     Frequencies::timescales(6, 2.0..=512.0)?.to_radians(),
    ///     [0.5, 1.0 / 32.0, 1.0 / 512.0]
    /// );
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn timescales(
        dim: usize,
        timescales: core::ops::RangeInclusive<f64>,
    ) -> Result<Self, Error> {
        let pairs = pairs_of(dim)?;
        let (shortest, longest) = (*timescales.start(), *timescales.end());
        if !(shortest > 0.0 && shortest <= longest && longest.is_finite()) {
            return Err(Error::InvalidTimescales { shortest, longest });
        }
        let first = Wide::from_f64(shortest).inverse_root(1);
        let step = Step::Timescales { dim, shortest, longest };
        inclusive(pairs, first, Wide::from_f64(longest).mul(first), step)
    }
}

/// Returns `pairs` terms in geometric progression from `first` down to first / span.
fn inclusive(pairs: usize, first: Wide, span: Wide, step: Step) -> Result<Frequencies, Error> {
    let steps = pairs as u64 - 1;
    let ratio = if steps == 0 { Wide::ONE } else { span.inverse_root(steps) };
    progression(first, ratio, pairs, step)
}

/// Checks that a base is positive and finite; NaN fails the comparison.
fn checked_base(base: f64) -> Result<Wide, Error> {
    if base > 0.0 && base.is_finite() {
        Ok(Wide::from_f64(base))
    } else {
        Err(Error::InvalidBase { base })
    }
}
