//! The calls that made frequencies, which `Debug`, `Display` and `serde` show.

use core::fmt;

use super::Frequencies;
#[cfg(feature = "serde")]
use super::dynamic_ntk::DynamicNtk;
use super::geometric::OddDim;
use super::llama3::Llama3;
use super::longrope::LongRope;
use super::yarn::Yarn;
#[cfg(feature = "serde")]
use crate::error::Error;
use crate::short::Short;

/// A call: the first is a constructor, the others are changes.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case", deny_unknown_fields))]
pub(super) enum Step {
    Geometric {
        dim: usize,
        base: f64,
    },
    GeometricOdd {
        dim: usize,
        base: f64,
        odd: OddDim,
    },
    GeometricInclusive {
        dim: usize,
        base: f64,
    },
    GeometricShifted {
        dim: usize,
        base: f64,
        shift: f64,
    },
    Timescales {
        dim: usize,
        shortest: f64,
        longest: f64,
    },
    Harmonic {
        dim: usize,
        period: f64,
    },
    FromRadians(Vec<f64>),
    Scaled {
        factor: f64,
    },
    FullTurns,
    Select(Vec<usize>),
    Linear {
        factor: f64,
    },
    Ntk {
        factor: f64,
    },
    DynamicNtk {
        factor: f64,
        original_len: usize,
        total_len: usize,
    },
    SteppedNtk {
        original_len: usize,
        total_len: usize,
    },
    Yarn(Yarn),
    #[cfg_attr(feature = "serde", serde(rename = "longrope"))]
    LongRope {
        parameters: LongRope,
        total_len: usize,
    },
    Llama3(Llama3),
    Proportional {
        fraction: f64,
    },
    Divided(Vec<f64>),
    TimesExponentials(Vec<f64>),
    #[cfg_attr(feature = "serde", serde(rename = "attention_factor"))]
    WithAttentionFactor(f64),
}

impl Step {
    /// Returns the number of bytes on the heap, including the step itself.
    pub(super) fn memory(&self) -> usize {
        let lists = match self {
            Self::FromRadians(list) | Self::Divided(list) | Self::TimesExponentials(list) => {
                size_of_val(&**list)
            }
            Self::Select(pairs) => size_of_val(&**pairs),
            Self::LongRope { parameters: LongRope { short, long, .. }, .. } => {
                size_of_val(&**short) + size_of_val(&**long)
            }
            _ => 0,
        };
        size_of::<Self>() + lists
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Geometric { dim, base } => write!(f, "geometric({dim}, {base})"),
            Self::GeometricOdd { dim, base, odd } => {
                write!(f, "geometric_odd({dim}, {base}, {odd:?})")
            }
            Self::GeometricInclusive { dim, base } => {
                write!(f, "geometric_inclusive({dim}, {base})")
            }
            Self::GeometricShifted { dim, base, shift } => {
                write!(f, "geometric_shifted({dim}, {base}, {shift})")
            }
            Self::Timescales { dim, shortest, longest } => {
                write!(f, "timescales({dim}, {shortest}..={longest})")
            }
            Self::Harmonic { dim, period } => write!(f, "harmonic({dim}, {period})"),
            Self::FromRadians(list) => write!(f, "from_radians({})", Short(list)),
            Self::Scaled { factor } => write!(f, "scaled({factor})"),
            Self::FullTurns => write!(f, "full_turns()"),
            Self::Select(pairs) => write!(f, "select({} pairs)", pairs.len()),
            Self::Linear { factor } => write!(f, "linear({factor})"),
            Self::Ntk { factor } => write!(f, "ntk({factor})"),
            Self::DynamicNtk { factor, original_len, total_len } => {
                write!(f, "dynamic_ntk({factor}, {original_len}, at {total_len})")
            }
            Self::SteppedNtk { original_len, total_len } => {
                write!(f, "stepped_ntk({original_len}, at {total_len})")
            }
            Self::Yarn(Yarn { factor, original_len, beta_fast, beta_slow, truncate, .. }) => {
                write!(f, "yarn({factor}, {original_len}, {beta_fast}, {beta_slow}, {truncate})")
            }
            Self::LongRope { parameters, total_len } => {
                let LongRope { short, original_len, factor, .. } = parameters;
                write!(f, "longrope({factor}, {original_len}, {}, at {total_len})", Short(short))
            }
            Self::Llama3(Llama3 { factor, low_freq_factor, high_freq_factor, original_len }) => {
                write!(f, "llama3({factor}, {low_freq_factor}, {high_freq_factor}, {original_len})")
            }
            Self::Proportional { fraction } => write!(f, "proportional({fraction})"),
            Self::Divided(list) => write!(f, "divided({})", Short(list)),
            Self::TimesExponentials(list) => write!(f, "times_exponentials({})", Short(list)),
            Self::WithAttentionFactor(factor) => write!(f, "with_attention_factor({factor})"),
        }
    }
}

/// Shows the calls that made the frequencies, such as `geometric(128, 500000).llama3(8, 1, 4,
/// 8192)`.
impl fmt::Display for Frequencies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, step) in self.steps.iter().enumerate() {
            write!(f, "{}{step}", if index == 0 { "" } else { "." })?;
        }
        Ok(())
    }
}

impl fmt::Debug for Frequencies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Frequencies")
            .field("pairs", &self.len())
            .field("made_by", &format_args!("{self}"))
            .field("attention_factor", &self.attention_factor)
            .field("regime", &self.regime)
            .finish()
    }
}

#[cfg(feature = "serde")]
impl From<Frequencies> for Vec<Step> {
    fn from(frequencies: Frequencies) -> Self {
        frequencies.steps
    }
}

#[cfg(feature = "serde")]
impl TryFrom<Vec<Step>> for Frequencies {
    type Error = Error;

    fn try_from(steps: Vec<Step>) -> Result<Self, Error> {
        let mut steps = steps.into_iter();
        let first = steps.next().ok_or(Error::ZeroDim)?.make()?;
        steps.try_fold(first, |frequencies, step| step.change(frequencies))
    }
}

#[cfg(feature = "serde")]
impl Step {
    /// Makes the frequencies of a constructor.
    fn make(self) -> Result<Frequencies, Error> {
        match self {
            Self::Geometric { dim, base } => Frequencies::geometric(dim, base),
            Self::GeometricOdd { dim, base, odd } => Frequencies::geometric_odd(dim, base, odd),
            Self::GeometricInclusive { dim, base } => Frequencies::geometric_inclusive(dim, base),
            Self::GeometricShifted { dim, base, shift } => {
                Frequencies::geometric_shifted(dim, base, shift)
            }
            Self::Timescales { dim, shortest, longest } => {
                Frequencies::timescales(dim, shortest..=longest)
            }
            Self::Harmonic { dim, period } => Frequencies::harmonic(dim, period),
            Self::FromRadians(radians) => Frequencies::from_radians(radians),
            change => Err(change.misplaced()),
        }
    }

    /// Applies this call to `before`.
    fn change(self, before: Frequencies) -> Result<Frequencies, Error> {
        match self {
            Self::Scaled { factor } => before.scaled(factor),
            Self::FullTurns => before.full_turns(),
            Self::Select(pairs) => before.select(&pairs),
            Self::Linear { factor } => before.linear(factor),
            Self::Ntk { factor } => before.ntk(factor),
            Self::DynamicNtk { factor, original_len, total_len } => {
                before.dynamic_ntk(DynamicNtk { factor, original_len }, total_len)
            }
            Self::SteppedNtk { original_len, total_len } => {
                before.stepped_ntk(original_len, total_len)
            }
            Self::Yarn(yarn) => before.yarn(&yarn),
            Self::LongRope { parameters, total_len } => before.longrope(&parameters, total_len),
            Self::Llama3(parameters) => before.llama3(parameters),
            Self::Proportional { fraction } => before.proportional(fraction),
            Self::Divided(divisors) => before.divided(&divisors),
            Self::TimesExponentials(exponents) => before.times_exponentials(&exponents),
            Self::WithAttentionFactor(factor) => before.with_attention_factor(factor),
            constructor => Err(constructor.misplaced()),
        }
    }

    /// Returns the error for a change without a constructor before it, or a constructor after
    /// another call.
    fn misplaced(&self) -> Error {
        use crate::error::ConfigProblem::NotA;
        let expected = "in order: a constructor first, then changes";
        Error::Config { field: self.to_string(), problem: NotA { expected } }
    }
}
