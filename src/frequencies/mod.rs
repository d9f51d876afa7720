//! How fast each pair of features turns.

mod geometric;
mod given;
mod harmonic;

pub use geometric::OddDim;

use crate::Error;
use crate::phase::wide::Wide;

/// The frequencies wᵢ of the pairs, in radians per position: pair i at position p has the angle p · wᵢ.
///
/// They are held to 250 bits, so that phases are exact at any position. Sinusoids and rotations share them.
///
/// | constructor | wᵢ | systems |
/// |---|---|---|
/// | [`geometric`](Self::geometric) | base^(−2i/dim) | the paper, nearly every rotary model |
/// | [`geometric_odd`](Self::geometric_odd) | the same for odd dims, by a named convention | keras-hub, Marian, `positional-encodings` (Python) |
/// | [`geometric_inclusive`](Self::geometric_inclusive) | base^(−i/(dim/2 − 1)) | tensor2tensor, fairseq, Whisper |
/// | [`timescales`](Self::timescales) | 1/shortest … 1/longest, both included | tensor2tensor, MLX |
/// | [`harmonic`](Self::harmonic) | 2π(i + 1)/period | Fourier series of a period |
/// | [`from_radians`](Self::from_radians) | as given | learned or published lists |
///
/// ```
/// use positional_encodings::Frequencies;
///
/// let frequencies = Frequencies::geometric(4, 10_000.0)?;
/// assert_eq!(frequencies.to_radians(), [1.0, 0.01]);
/// assert_eq!(frequencies.len(), 2);
/// # Ok::<(), positional_encodings::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Frequencies {
    radians: Vec<Wide>,
}

impl Frequencies {
    /// Checks that each frequency can be turned into a phase.
    fn new(radians: Vec<Wide>) -> Result<Self, Error> {
        if radians.is_empty() {
            return Err(Error::ZeroDim);
        }
        for (pair, frequency) in radians.iter().enumerate() {
            if frequency.mul(Wide::TURNS_PER_RADIAN).to_fixed().is_none() {
                return Err(Error::InvalidFrequency { pair, frequency: frequency.to_f64() });
            }
        }
        Ok(Self { radians })
    }

    /// Number of pairs.
    #[allow(clippy::len_without_is_empty)] // never empty
    pub fn len(&self) -> usize {
        self.radians.len()
    }

    /// The frequencies in radians per position, each rounded once to f64.
    pub fn to_radians(&self) -> Vec<f64> {
        self.radians.iter().map(|frequency| frequency.to_f64()).collect()
    }

    /// Multiplies each frequency by a finite `factor`: position × factor instead of position.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidFactor`] where it is not finite, [`Error::InvalidFrequency`] where a product is too large.
    ///
    /// ```
    /// use positional_encodings::Frequencies;
    ///
    /// let frequencies = Frequencies::geometric(4, 10_000.0)?.scaled(0.5)?;
    /// assert_eq!(frequencies.to_radians(), [0.5, 0.005]);
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn scaled(self, factor: f64) -> Result<Self, Error> {
        if !factor.is_finite() {
            return Err(Error::InvalidFactor { factor });
        }
        let factor = Wide::from_f64(factor);
        Self::new(self.radians.iter().map(|frequency| frequency.mul(factor)).collect())
    }

    /// Takes each frequency as turns per position: multiplies it by exactly 2π (MLX's `full_turns`, NeRF).
    ///
    /// # Errors
    ///
    /// [`Error::InvalidFrequency`] where a product is too large.
    ///
    /// ```
    /// use positional_encodings::Frequencies;
    ///
    /// let frequencies = Frequencies::from_radians([0.25])?.full_turns()?;
    /// assert_eq!(frequencies.to_radians(), [std::f64::consts::FRAC_PI_2]);
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn full_turns(self) -> Result<Self, Error> {
        Self::new(self.radians.iter().map(|frequency| frequency.mul(Wide::TAU)).collect())
    }

    /// Bytes on the heap.
    pub(crate) fn memory(&self) -> usize {
        size_of_val(&*self.radians)
    }

    pub(crate) fn as_wide(&self) -> &[Wide] {
        &self.radians
    }
}

/// Number of pairs in an even `dim`.
fn pairs_of(dim: usize) -> Result<usize, Error> {
    match dim {
        0 => Err(Error::ZeroDim),
        dim if dim % 2 == 1 => Err(Error::OddDim { dim }),
        dim => Ok(dim / 2),
    }
}

/// `count` terms first · ratioⁱ.
fn progression(first: Wide, ratio: Wide, count: usize) -> Result<Frequencies, Error> {
    let mut radians = allocate(count)?;
    radians.extend(core::iter::successors(Some(first), |term| Some(term.mul(ratio))).take(count));
    Frequencies::new(radians)
}

/// An empty list with room for `pairs` frequencies, or an error where there is no such room.
fn allocate(pairs: usize) -> Result<Vec<Wide>, Error> {
    let mut radians = Vec::new();
    let too_large = |_| Error::TooLarge { rows: 1, dim: pairs.saturating_mul(2) };
    // The tables built from them take 33 rows of two doubles for each pair.
    let bytes = pairs.checked_mul(40 * 16).filter(|&bytes| bytes <= isize::MAX as usize / 4);
    bytes.ok_or(Error::TooLarge { rows: 1, dim: pairs.saturating_mul(2) })?;
    radians.try_reserve_exact(pairs).map_err(too_large)?;
    Ok(radians)
}
