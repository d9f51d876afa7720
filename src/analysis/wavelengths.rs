//! Wavelengths: how often each pair turns.

use core::f64::consts::TAU;

use crate::error::{Error, check_parameter};

/// The turns of one pair of features.
///
/// A pair that does not finish a turn within the training length has seen only a part of its
/// angles; beyond that length it has angles that were never trained (Peng et al. 2023, *YaRN*,
/// arXiv 2309.00071).
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct PairTurns {
    /// The index of the pair.
    pub pair: usize,
    /// The frequency in radians per position.
    pub frequency: f64,
    /// The number of positions in which the pair turns once, 2π/|frequency|; infinite for a pair of
    /// frequency zero.
    pub wavelength: f64,
    /// The number of turns of the pair within the length.
    pub turns: f64,
}

impl PairTurns {
    /// Returns true if the pair turns at least once within the length.
    pub fn finishes_a_turn(&self) -> bool {
        self.turns >= 1.0
    }
}

/// A pair before and after a context scaling.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Rescaled {
    /// The pair before scaling, within the training length.
    pub before: PairTurns,
    /// The pair after scaling, within the length of use.
    pub after: PairTurns,
    /// The frequency after divided by the frequency before; 1 where both are 0.
    pub ratio: f64,
}

/// Returns the wavelength of each pair and its turns within `len` positions. Frequencies are in
/// radians per position: [`Frequencies::to_radians`](crate::Frequencies::to_radians),
/// [`Rotary::frequencies`](crate::Rotary::frequencies), or a model's own `inv_freq`.
///
/// # Errors
///
/// [`Error::ZeroDim`] without pairs, [`Error::InvalidParameter`] for a length of 0,
/// [`Error::InvalidFrequency`] for a frequency that is not finite.
///
/// ```
/// use positional_encodings::{Frequencies, analysis::wavelengths};
///
/// let pairs = wavelengths(&Frequencies::geometric(512, 10_000.0)?.to_radians(), 1000)?;
/// assert!((pairs[255].wavelength - 60611.477).abs() < 1e-3);
/// assert_eq!(pairs.iter().filter(|pair| !pair.finishes_a_turn()).count(), 115);
/// # Ok::<(), positional_encodings::Error>(())
/// ```
pub fn wavelengths(frequencies: &[f64], len: usize) -> Result<Vec<PairTurns>, Error> {
    if frequencies.is_empty() {
        return Err(Error::ZeroDim);
    }
    check_parameter("length", len as f64, len > 0, "at least 1")?;
    let turns_of = |(pair, &frequency): (usize, &f64)| match frequency.is_finite() {
        true => {
            let turns = frequency.abs() / TAU * len as f64;
            Ok(PairTurns { pair, frequency, wavelength: TAU / frequency.abs(), turns })
        }
        false => Err(Error::InvalidFrequency { pair, frequency }),
    };
    frequencies.iter().enumerate().map(turns_of).collect()
}

/// Returns each pair before a context scaling, within the training length, and after it, within the
/// longer one, given (frequencies, length) of both.
///
/// # Errors
///
/// The errors of [`wavelengths`], and [`Error::LengthMismatch`] where the numbers of pairs differ.
///
/// ```
/// use positional_encodings::{Frequencies, analysis, scaling::Yarn};
///
/// let trained = Frequencies::geometric(128, 1e6)?;
/// let yarn = trained.clone().yarn(&Yarn::new(4.0, 32_768))?;
/// let pairs = analysis::rescaled((&trained.to_radians(), 32_768), (&yarn.to_radians(), 131_072))?;
/// assert_eq!((pairs[23].ratio, pairs[40].ratio), (1.0, 0.25)); // kept, interpolated
/// // The pairs that never finished a turn turn no further in the longer context.
/// let unfinished = |pair: &&analysis::Rescaled| !pair.before.finishes_a_turn();
/// assert_eq!(pairs.iter().filter(unfinished).count(), 24);
/// assert!(pairs.iter().filter(unfinished).all(|pair| !pair.after.finishes_a_turn()));
/// # Ok::<(), positional_encodings::Error>(())
/// ```
pub fn rescaled(before: (&[f64], usize), after: (&[f64], usize)) -> Result<Vec<Rescaled>, Error> {
    let (expected, found) = (before.0.len(), after.0.len());
    if found != expected {
        return Err(Error::LengthMismatch { what: "pairs", expected, found });
    }
    let (before, after) = (wavelengths(before.0, before.1)?, wavelengths(after.0, after.1)?);
    let both = |(before, after): (PairTurns, PairTurns)| {
        let is_same = before.frequency == after.frequency;
        let ratio = if is_same { 1.0 } else { after.frequency / before.frequency };
        Rescaled { before, after, ratio }
    };
    Ok(before.into_iter().zip(after).map(both).collect())
}
