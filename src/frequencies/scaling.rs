//! Scalings of frequencies for contexts longer than the training length: the parameters of each,
//! and any of them as data.
//!
//! The scalings themselves are methods of [`Frequencies`](crate::Frequencies).

use core::fmt;

pub use super::dynamic_ntk::DynamicNtk;
pub use super::llama3::Llama3;
pub use super::longrope::LongRope;
pub use super::regime::Regime;
pub use super::yarn::Yarn;

use super::{Frequencies, Step};
use crate::error::{ConfigProblem, Error};
use crate::short::Short;

/// A scaling of frequencies as data, as configs have it.
///
/// ```
/// use positional_encodings::{Frequencies, scaling::{Scaling, Yarn}};
///
/// let plain = Frequencies::geometric(64, 10_000.0)?;
/// let scaling = Scaling::Yarn(Yarn::new(4.0, 4096));
/// assert_eq!(scaling.apply(plain.clone(), 0)?, plain.yarn(&Yarn::new(4.0, 4096))?);
/// # #[cfg(feature = "serde")] {
/// let text = r#"{"yarn": {"factor": 4.0, "original_len": 4096}}"#;
/// assert_eq!(serde_json::from_str::<Scaling>(text).unwrap(), scaling);
/// # }
/// # Ok::<(), positional_encodings::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case", deny_unknown_fields))]
#[non_exhaustive]
pub enum Scaling {
    /// No change.
    None,
    /// [`Frequencies::linear`].
    Linear {
        /// The factor by which positions are compressed.
        factor: f64,
    },
    /// [`Frequencies::ntk`].
    Ntk {
        /// The factor by which the slowest pair is interpolated.
        factor: f64,
    },
    /// [`Frequencies::dynamic_ntk`].
    DynamicNtk(DynamicNtk),
    /// [`Frequencies::stepped_ntk`].
    SteppedNtk {
        /// The length that the model was trained on.
        original_len: usize,
    },
    /// [`Frequencies::yarn`].
    Yarn(Yarn),
    /// [`Frequencies::longrope`].
    #[cfg_attr(feature = "serde", serde(rename = "longrope"))]
    LongRope(LongRope),
    /// LongRoPE with factors in tensors of a GGUF file, `rope_factors_short.weight` and
    /// `rope_factors_long.weight`, which are not part of the metadata. Until they are read,
    /// [`apply`](Self::apply) is an error: put both lists into [`LongRope`](Self::LongRope), or the
    /// list to use into `RotarySpec::divisors`.
    #[cfg_attr(feature = "serde", serde(rename = "longrope_tensors"))]
    LongRopeTensors,
    /// Divisors in the tensor `rope_freqs.weight` of a GGUF file, which is not part of the
    /// metadata: Llama 3's scaling, or the pairs that Gemma 4 does not rotate. Until the divisors
    /// are in `RotarySpec::divisors`, [`apply`](Self::apply) is an error.
    DivisorsTensor,
    /// [`Frequencies::llama3`].
    Llama3(Llama3),
    /// [`Frequencies::proportional`], then [`Frequencies::linear`].
    Proportional {
        /// The fraction of the pairs that are rotated.
        fraction: f64,
        /// The factor by which positions are compressed.
        factor: f64,
    },
}

impl Scaling {
    /// Scales `frequencies` for a sequence of `total_len` positions; the result carries the
    /// attention factor and the regime.
    ///
    /// # Errors
    ///
    /// The errors of the scaling's own method; [`Error::Config`] for
    /// [`LongRopeTensors`](Self::LongRopeTensors) and [`DivisorsTensor`](Self::DivisorsTensor).
    ///
    /// ```
    /// use positional_encodings::{Frequencies, scaling::Scaling};
    ///
    /// let plain = Frequencies::geometric(4, 10_000.0)?;
    /// let scaled = Scaling::Linear { factor: 8.0 }.apply(plain, 0)?;
    /// assert_eq!(scaled.to_radians(), [0.125, 0.00125]);
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn apply(&self, frequencies: Frequencies, total_len: usize) -> Result<Frequencies, Error> {
        match self {
            Self::None => Ok(frequencies),
            Self::Linear { factor } => frequencies.linear(*factor),
            Self::Ntk { factor } => frequencies.ntk(*factor),
            Self::DynamicNtk(parameters) => frequencies.dynamic_ntk(*parameters, total_len),
            Self::SteppedNtk { original_len } => frequencies.stepped_ntk(*original_len, total_len),
            Self::Yarn(parameters) => frequencies.yarn(parameters),
            Self::LongRope(parameters) => frequencies.longrope(parameters, total_len),
            Self::LongRopeTensors => {
                let field = "rope_factors_long.weight".to_string();
                Err(Error::Config { field, problem: ConfigProblem::Missing })
            }
            Self::DivisorsTensor => {
                let field = "rope_freqs.weight".to_string();
                Err(Error::Config { field, problem: ConfigProblem::Missing })
            }
            Self::Llama3(parameters) => frequencies.llama3(*parameters),
            Self::Proportional { fraction, factor } => {
                frequencies.proportional(*fraction)?.linear(*factor)
            }
        }
    }
}

/// Shows the scaling as [`Frequencies`] show it, such as `llama3(8, 1, 4, 8192)`.
impl fmt::Display for Scaling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("none"),
            Self::Linear { factor } => write!(f, "linear({factor})"),
            Self::Ntk { factor } => write!(f, "ntk({factor})"),
            Self::DynamicNtk(DynamicNtk { factor, original_len }) => {
                write!(f, "dynamic_ntk({factor}, {original_len})")
            }
            Self::SteppedNtk { original_len } => write!(f, "stepped_ntk({original_len})"),
            Self::Yarn(yarn) => Step::Yarn(*yarn).fmt(f),
            Self::LongRope(LongRope { short, original_len, factor, .. }) => {
                write!(f, "longrope({factor}, {original_len}, {})", Short(short))
            }
            Self::LongRopeTensors => f.write_str("longrope tensors"),
            Self::DivisorsTensor => f.write_str("divisors tensor"),
            Self::Llama3(llama3) => Step::Llama3(*llama3).fmt(f),
            Self::Proportional { fraction, factor } => {
                write!(f, "proportional({fraction}).linear({factor})")
            }
        }
    }
}
