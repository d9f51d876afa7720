//! The frequencies at which pairs of features rotate.

pub(crate) mod dynamic_ntk;
mod geometric;
mod given;
mod harmonic;
mod linear;
mod llama3;
mod longrope;
mod ntk;
mod proportional;
mod regime;
pub mod scaling;
mod steps;
mod yarn;

pub use geometric::OddDim;

use crate::error::{Error, check_parameter};
use crate::exact::Wide;
use crate::phase::Waves;
use regime::Regime;
use steps::Step;

/// The frequencies wᵢ of the pairs, in radians per position: pair i at position p has the angle p ·
/// wᵢ.
///
/// Frequencies are stored to 250 bits, so that phases are exact at any position. Sinusoids and
/// rotations use the same type.
///
/// | constructor | wᵢ | systems |
/// |---|---|---|
/// | [`geometric`](Self::geometric) | base^(−2i/dim) | the paper, nearly every rotary model |
/// | [`geometric_odd`](Self::geometric_odd) | the geometric progression for odd dims, by a named convention | keras-hub, Marian, `positional-encodings` (Python) |
/// | [`geometric_inclusive`](Self::geometric_inclusive) | base^(−i/(dim/2 − 1)) | tensor2tensor, fairseq, Whisper |
/// | [`geometric_shifted`](Self::geometric_shifted) | base^(−i/(dim/2 − shift)) | diffusion timesteps |
/// | [`timescales`](Self::timescales) | 1/shortest … 1/longest, both included | tensor2tensor, MLX |
/// | [`harmonic`](Self::harmonic) | 2π(i + 1)/period | Fourier series of a period |
/// | [`from_radians`](Self::from_radians) | as given | learned or published lists |
///
/// For contexts longer than the training length, rotary models change their frequencies. Each
/// change is a pure function:
///
/// | method | what changes | systems |
/// |---|---|---|
/// | [`linear`](Self::linear) | all wᵢ / factor | position interpolation; Gemma 3's global layers |
/// | [`ntk`](Self::ntk) | the base grows | NTK-aware, static |
/// | [`dynamic_ntk`](Self::dynamic_ntk) | the base grows with the sequence length | early Qwen, InternLM |
/// | [`yarn`](Self::yarn) | slow pairs are interpolated, fast ones kept, a ramp between | DeepSeek, Qwen, gpt-oss |
/// | [`longrope`](Self::longrope) | a divisor for each pair, from a short or a long list | Phi-3, Phi-4-mini, MiniCPM |
/// | [`llama3`](Self::llama3) | as YaRN, by wavelength | Llama 3.1, 3.2, 3.3 |
/// | [`proportional`](Self::proportional) | the slowest pairs are not rotated | Gemma 4's global layers |
///
/// The frequencies carry two more values that result from a change: the
/// [`attention_factor`](Self::attention_factor) of YaRN and LongRoPE, by which
/// [`Rotary`](crate::Rotary) multiplies cosines and sines, and the [`regime`](Self::regime) of
/// changes that depend on the length.
///
/// Two `Frequencies` are equal if their values, attention factors and regimes are, however they
/// were made. `Debug` and `Display` show the calls that made them. With feature `serde` they are
/// serialised as these calls, which is exact: a list with one object for each call, first a
/// constructor, then changes.
///
/// ```
/// use positional_encodings::{Frequencies, scaling::Yarn};
///
/// let frequencies = Frequencies::geometric(4, 10_000.0)?;
/// assert_eq!(frequencies.to_radians(), [1.0, 0.01]);
/// assert_eq!(frequencies.len(), 2);
/// let qwen3 = Frequencies::geometric(128, 1e6)?.linear(2.0)?;
/// assert_eq!(qwen3.to_string(), "geometric(128, 1000000).linear(2)");
/// # #[cfg(feature = "serde")] {
/// let text = r#"[{"geometric": {"dim": 128, "base": 1e6}}, {"linear": {"factor": 2.0}}]"#;
/// assert_eq!(serde_json::from_str::<Frequencies>(text).unwrap(), qwen3);
/// # }
/// # Ok::<(), positional_encodings::Error>(())
/// ```
#[derive(Clone)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(into = "Vec<Step>", try_from = "Vec<Step>"))]
pub struct Frequencies {
    radians: Vec<Wide>,
    attention_factor: f64,
    regime: Regime,
    /// The calls that made these frequencies, for `Debug`, `Display` and `serde`.
    steps: Vec<Step>,
}

impl PartialEq for Frequencies {
    fn eq(&self, other: &Self) -> bool {
        self.radians == other.radians
            && self.attention_factor == other.attention_factor
            && self.regime == other.regime
    }
}

impl Frequencies {
    /// Makes frequencies from the values of a constructor, with a check.
    fn new(radians: Vec<Wide>, step: Step) -> Result<Self, Error> {
        if radians.is_empty() {
            return Err(Error::ZeroDim);
        }
        let steps = vec![step];
        Self { radians, attention_factor: 1.0, regime: Regime::Fixed, steps }.checked()
    }

    /// Checks that each frequency can become a phase.
    fn checked(self) -> Result<Self, Error> {
        for (pair, frequency) in self.radians.iter().enumerate() {
            if frequency.mul(Wide::TURNS_PER_RADIAN).to_fixed().is_none() {
                return Err(Error::InvalidFrequency { pair, frequency: frequency.to_f64() });
            }
        }
        Ok(self)
    }

    /// Replaces each frequency by a function of its pair and value; attention factor and regime
    /// stay.
    fn map(mut self, step: Step, change: impl Fn(usize, Wide) -> Wide) -> Result<Self, Error> {
        for (pair, frequency) in self.radians.iter_mut().enumerate() {
            *frequency = change(pair, *frequency);
        }
        self.steps.push(step);
        self.checked()
    }

    /// Multiplies the attention factor by the factor of a scaling.
    fn times_attention_factor(mut self, factor: f64) -> Result<Self, Error> {
        self.attention_factor = checked_attention_factor(self.attention_factor * factor)?;
        Ok(self)
    }

    /// Returns the number of pairs.
    #[allow(clippy::len_without_is_empty)] // never empty
    pub fn len(&self) -> usize {
        self.radians.len()
    }

    /// Returns the frequencies in radians per position, each rounded once to f64.
    pub fn to_radians(&self) -> Vec<f64> {
        self.radians.iter().map(|frequency| frequency.to_f64()).collect()
    }

    /// Returns the factor by which [`Rotary`](crate::Rotary) multiplies cosines and sines: 1,
    /// except after [`yarn`](Self::yarn), [`longrope`](Self::longrope) and
    /// [`with_attention_factor`](Self::with_attention_factor).
    pub fn attention_factor(&self) -> f64 {
        self.attention_factor
    }

    /// Returns the sequence lengths that these frequencies are made for:
    /// [`Regime::Fixed`](scaling::Regime::Fixed), except after [`longrope`](Self::longrope),
    /// [`dynamic_ntk`](Self::dynamic_ntk) and [`stepped_ntk`](Self::stepped_ntk).
    pub fn regime(&self) -> Regime {
        self.regime
    }

    /// Replaces the attention factor, whatever earlier scalings set it to; later scalings multiply
    /// it.
    ///
    /// A rotation multiplies cosines and sines by the attention factor, so that attention scores
    /// grow by its square. It applies to attention alone: [`Sinusoidal`](crate::Sinusoidal) does
    /// **not** multiply by it (its own factor is `with_amplitude`).
    ///
    /// # Errors
    ///
    /// [`Error::InvalidParameter`] unless the factor is from 2⁻⁶⁴ to 2⁶⁴.
    ///
    /// ```
    /// use positional_encodings::{Frequencies, Pairing, Rotary, scaling::Yarn};
    ///
    /// let yarn = Frequencies::geometric(128, 1e6)?.yarn(&Yarn::new(4.0, 32768))?;
    /// assert!((yarn.attention_factor() - 1.138629436).abs() < 1e-9);
    /// // transformers' `attention_factor: 1.0` beside YaRN
    /// let rotary = Rotary::new(yarn.with_attention_factor(1.0)?, Pairing::Halves);
    /// assert_eq!(rotary.attention_factor(), 1.0);
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn with_attention_factor(mut self, factor: f64) -> Result<Self, Error> {
        // A config sets the factor always, and the calls that are shown are those that matter.
        if checked_attention_factor(factor)? != self.attention_factor {
            self.attention_factor = factor;
            self.steps.push(Step::WithAttentionFactor(factor));
        }
        Ok(self)
    }

    /// Multiplies each frequency by a finite `factor`, which has the effect of multiplying
    /// positions.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidFactor`] where the factor is not finite, [`Error::InvalidFrequency`] where a
    /// product is too large.
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
        let wide = Wide::from_f64(factor);
        self.map(Step::Scaled { factor }, |_, frequency| frequency.mul(wide))
    }

    /// Reads the frequencies as turns per position: multiplies each by exactly 2π (MLX's
    /// `full_turns`, NeRF).
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
        self.map(Step::FullTurns, |_, frequency| frequency.mul(Wide::TAU))
    }

    /// Returns the number of bytes on the heap.
    pub(crate) fn memory(&self) -> usize {
        size_of_val(&*self.radians) + self.steps.iter().map(Step::memory).sum::<usize>()
    }

    /// Returns the frequencies of some pairs, in the order given.
    pub(crate) fn select(&self, pairs: &[usize]) -> Result<Self, Error> {
        let mut radians = allocate(pairs.len())?;
        radians.extend(pairs.iter().filter_map(|&pair| self.radians.get(pair).copied()));
        if radians.is_empty() {
            return Err(Error::ZeroDim);
        }
        let steps = self.steps.iter().cloned().chain([Step::Select(pairs.to_vec())]).collect();
        Ok(Self { radians, steps, ..*self })
    }

    pub(crate) fn as_wide(&self) -> &[Wide] {
        &self.radians
    }
}

/// Returns the number of pairs in an even `dim`.
fn pairs_of(dim: usize) -> Result<usize, Error> {
    match dim {
        0 => Err(Error::ZeroDim),
        dim if dim % 2 == 1 => Err(Error::OddDim { dim }),
        dim => Ok(dim / 2),
    }
}

/// Returns `count` terms first · ratioⁱ.
fn progression(first: Wide, ratio: Wide, count: usize, step: Step) -> Result<Frequencies, Error> {
    let mut radians = allocate(count)?;
    radians.extend(core::iter::successors(Some(first), |term| Some(term.mul(ratio))).take(count));
    Frequencies::new(radians, step)
}

/// Returns an empty list with room for `pairs` frequencies, or an error where there is no such
/// room.
fn allocate(pairs: usize) -> Result<Vec<Wide>, Error> {
    room_for(1, pairs)?;
    let mut radians = Vec::new();
    let too_large = |_| Error::TooLarge { rows: 1, dim: pairs.saturating_mul(2) };
    radians.try_reserve_exact(pairs).map_err(too_large)?;
    Ok(radians)
}

/// Checks that `lists` lists of frequencies, and encodings of them, fit into memory.
///
/// Making an encoding from frequencies cannot fail, and would abort where memory is short. So
/// frequencies are an error where there is no room for an encoding of them
/// (`tests/tests/allocation/memory.rs` makes encodings of all sizes in 64 MiB).
pub(crate) fn room_for(lists: usize, pairs: usize) -> Result<(), Error> {
    let own = pairs.saturating_mul(size_of::<Wide>());
    let size = lists.saturating_mul(own.saturating_add(Waves::room_for(pairs)));
    let too_large = |_| Error::TooLarge { rows: lists, dim: pairs.saturating_mul(2) };
    Vec::<u8>::new().try_reserve_exact(size).map_err(too_large)
}

/// Checks an attention factor, which must be from 2⁻⁶⁴ to 2⁶⁴.
fn checked_attention_factor(factor: f64) -> Result<f64, Error> {
    const LARGEST: f64 = (1_u128 << 64) as f64;
    let is_met = (1.0 / LARGEST..=LARGEST).contains(&factor);
    check_parameter("attention factor", factor, is_met, "from 2⁻⁶⁴ to 2⁶⁴")?;
    Ok(factor)
}

/// Returns a context length, which must not be zero.
fn length(name: &'static str, len: usize) -> Result<Wide, Error> {
    check_parameter(name, len as f64, len > 0, "at least 1")?;
    Ok(Wide::from_u64(len as u64))
}
