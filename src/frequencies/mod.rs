//! How fast each pair of features turns.

mod dynamic_ntk;
mod geometric;
mod given;
mod harmonic;
mod linear;
mod llama3;
mod longrope;
mod ntk;
mod proportional;
mod yarn;

pub use dynamic_ntk::DynamicNtk;
pub use geometric::OddDim;
pub use llama3::Llama3;
pub use longrope::{LongRope, Regime};
pub use yarn::Yarn;

use crate::Error;
use crate::phase::wide::Wide;

/// The frequencies wᵢ of the pairs, in radians per position: pair i at position p has the angle p ·
/// wᵢ.
///
/// They are held to 250 bits, so that phases are exact at any position. Sinusoids and rotations
/// share them.
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
/// For contexts longer than a model was trained on, rotary models change them. Each such change is
/// a pure function:
///
/// | method | what changes | systems |
/// |---|---|---|
/// | [`linear`](Self::linear) | all wᵢ / factor | position interpolation; Gemma 3's global layers |
/// | [`ntk`](Self::ntk) | the base grows | NTK-aware, static |
/// | [`dynamic_ntk`](Self::dynamic_ntk) | the base grows with the length asked for | early Qwen, InternLM |
/// | [`yarn`](Self::yarn) | slow pairs are interpolated, fast ones kept, a ramp between | DeepSeek, Qwen, gpt-oss |
/// | [`longrope`](Self::longrope) | a divisor for each pair, from a short or a long list | Phi-3, Phi-4-mini, MiniCPM |
/// | [`llama3`](Self::llama3) | as YaRN, by wavelength | Llama 3.1, 3.2, 3.3 |
/// | [`proportional`](Self::proportional) | the slowest pairs stand still | Gemma 4's global layers |
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
    /// [`Error::InvalidFactor`] where it is not finite, [`Error::InvalidFrequency`] where a product
    /// is too large.
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

    /// Takes each frequency as turns per position: multiplies it by exactly 2π (MLX's `full_turns`,
    /// NeRF).
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

    /// The frequencies of some pairs, in the order given.
    pub(crate) fn select(&self, pairs: &[usize]) -> Result<Self, Error> {
        Self::new(pairs.iter().filter_map(|&pair| self.radians.get(pair).copied()).collect())
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

/// What a pair takes with all that an encoding makes of it: its frequency, five words of `Turns`,
/// and the sines and cosines of five turns in `Waves`, in doubles and in numbers of two.
const BYTES: usize = size_of::<Wide>() + 8 * (5 + 2 * 5 + 2 * 2 * 5);

/// An empty list with room for `pairs` frequencies, or an error where there is no such room.
fn allocate(pairs: usize) -> Result<Vec<Wide>, Error> {
    let mut radians = Vec::new();
    let too_large = |_| Error::TooLarge { rows: 1, dim: pairs.saturating_mul(2) };
    // What is built from them cannot fail, so there must be room for it, too.
    Vec::<u8>::new().try_reserve_exact(pairs.saturating_mul(BYTES)).map_err(too_large)?;
    radians.try_reserve_exact(pairs).map_err(too_large)?;
    Ok(radians)
}

/// The factor of a context extension as an exact number: finite and at least 1, written so that NaN
/// is refused.
fn checked_factor(factor: f64) -> Result<Wide, Error> {
    at_least_one("factor", factor).map(Wide::from_f64)
}

fn at_least_one(name: &'static str, value: f64) -> Result<f64, Error> {
    if value >= 1.0 && value.is_finite() {
        Ok(value)
    } else {
        Err(Error::InvalidParameter { name, value, needs: "finite and at least 1" })
    }
}

fn positive(name: &'static str, value: f64) -> Result<f64, Error> {
    if value > 0.0 && value.is_finite() {
        Ok(value)
    } else {
        Err(Error::InvalidParameter { name, value, needs: "positive and finite" })
    }
}

/// A length of context, which must not be zero.
fn length(name: &'static str, len: usize) -> Result<Wide, Error> {
    match len {
        0 => Err(Error::InvalidParameter { name, value: 0.0, needs: "at least 1" }),
        len => Ok(Wide::from_u64(len as u64)),
    }
}
