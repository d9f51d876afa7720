//! Frequency scalings as data.

use crate::error::ConfigProblem;
use crate::{DynamicNtk, Error, Frequencies, Llama3, LongRope, Regime, Yarn};

/// How a config changes its frequencies for longer contexts.
///
/// ```
/// use positional_encodings::config::{ModelRotary, Scaling};
///
/// let config = r#"{"model_type": "llama", "head_dim": 128, "rope_scaling": {"type": "linear", "factor": 4.0}}"#;
/// assert_eq!(ModelRotary::from_json(config)?.only().unwrap().scaling, Scaling::Linear { factor: 4.0 });
/// # Ok::<(), positional_encodings::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Scaling {
    /// Not at all.
    None,
    /// [`Frequencies::linear`].
    Linear {
        /// By how much positions are squeezed.
        factor: f64,
    },
    /// [`Frequencies::dynamic_ntk`].
    DynamicNtk(DynamicNtk),
    /// [`Frequencies::yarn`].
    Yarn(Yarn),
    /// [`Frequencies::longrope`].
    LongRope(LongRope),
    /// LongRoPE whose factors are tensors of a GGUF file, `rope_factors_short.weight` and
    /// `rope_factors_long.weight`, which metadata do not have. Until they are there,
    /// [`RotarySpec::rotary`](super::RotarySpec::rotary) is an error: put both into
    /// [`LongRope`](Self::LongRope), or the one wanted into
    /// [`RotarySpec::divisors`](super::RotarySpec::divisors).
    LongRopeTensors,
    /// [`Frequencies::llama3`].
    Llama3(Llama3),
    /// [`Frequencies::proportional`], then [`Frequencies::linear`].
    Proportional {
        /// The part of the pairs that turns.
        fraction: f64,
        /// By how much positions are squeezed.
        factor: f64,
    },
}

impl Scaling {
    /// The scaled frequencies for a sequence of `total_len` positions, and the regime they are in.
    ///
    /// # Errors
    ///
    /// Those of the scaling's own method; [`Error::Config`] for
    /// [`LongRopeTensors`](Self::LongRopeTensors).
    ///
    /// ```
    /// use positional_encodings::{Frequencies, config::Scaling};
    ///
    /// let (scaled, _) = Scaling::Linear { factor: 8.0 }.apply(Frequencies::geometric(4, 10_000.0)?, 0)?;
    /// assert_eq!(scaled.to_radians(), [0.125, 0.00125]);
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn apply(
        &self,
        frequencies: Frequencies,
        total_len: usize,
    ) -> Result<(Frequencies, Regime), Error> {
        let fixed = |frequencies| (frequencies, Regime::Fixed);
        match self {
            Self::None => Ok(fixed(frequencies)),
            Self::Linear { factor } => frequencies.linear(*factor).map(fixed),
            Self::DynamicNtk(parameters) => frequencies.dynamic_ntk(*parameters, total_len),
            Self::Yarn(parameters) => frequencies.yarn(parameters).map(fixed),
            Self::LongRope(parameters) => frequencies.longrope(parameters, total_len),
            Self::LongRopeTensors => {
                let field = "rope_factors_long.weight".to_string();
                Err(Error::Config { field, problem: ConfigProblem::Missing })
            }
            Self::Llama3(parameters) => frequencies.llama3(*parameters).map(fixed),
            Self::Proportional { fraction, factor } => {
                frequencies.proportional(*fraction)?.linear(*factor).map(fixed)
            }
        }
    }
}
