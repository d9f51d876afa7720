//! Query temperatures that grow with the logarithm of the position.

use crate::error::{Error, at_least_one, check_parameter};
use crate::positions::Positions;

/// A factor of each query that depends on its position p: either 1 + scale · ln(1 + ⌊(p +
/// offset)/floor⌋), which is 1 as long as p + offset is below `floor`, or ln(p + 1)/ln(L), but at
/// least 1.
///
/// Llama 4 applies the first formula in its layers without positions (`attn_temperature_tuning`),
/// Ministral 3 applies it in all layers (`llama_4_scaling_beta`); the first Qwen applies the second
/// formula in all layers (`use_logn_attn`). With feature `serde` a config has the constructor and
/// its arguments, `{"llama4": {"scale": 0.1, "floor": 8192}}`.
///
/// ```
/// use positional_encodings::rotary::QueryTemperature;
///
/// let llama4 = QueryTemperature::llama4(0.1, 8192.0)?;
/// assert_eq!(llama4.factors(&[0, 8190])?, [1.0, 1.0]);
/// assert_eq!(llama4.factors(&[8191])?, [1.0 + 0.1 * 2_f64.ln()]);
/// # Ok::<(), positional_encodings::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "Written", into = "Written"))]
pub struct QueryTemperature {
    scale: f64,
    floor: f64,
    growth: Growth,
}

/// How the factor grows with the position.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Growth {
    /// In steps of `floor` positions; the first step is shorter by this offset.
    Steps(f64),
    /// With the logarithm of the position.
    Logarithm,
}

/// A [`QueryTemperature`] as configs write it: a constructor and its arguments.
#[cfg(feature = "serde")]
#[derive(serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Written {
    Llama4 { scale: f64, floor: f64 },
    Ministral3 { beta: f64, original_len: usize },
    Logn { original_len: usize },
}

#[cfg(feature = "serde")]
impl From<QueryTemperature> for Written {
    fn from(QueryTemperature { scale, floor, growth }: QueryTemperature) -> Self {
        match growth {
            // The floor is a length, as a double.
            Growth::Logarithm => Self::Logn { original_len: floor as usize },
            Growth::Steps(0.0) => Self::Ministral3 { beta: scale, original_len: floor as usize },
            Growth::Steps(_) => Self::Llama4 { scale, floor },
        }
    }
}

#[cfg(feature = "serde")]
impl TryFrom<Written> for QueryTemperature {
    type Error = Error;

    fn try_from(written: Written) -> Result<Self, Error> {
        match written {
            Written::Llama4 { scale, floor } => Self::llama4(scale, floor),
            Written::Ministral3 { beta, original_len } => Self::ministral3(beta, original_len),
            Written::Logn { original_len } => Self::logn(original_len),
        }
    }
}

impl QueryTemperature {
    /// Makes Llama 4's temperature, with offset 1. Llama 4's defaults are `attn_scale` 0.1 and
    /// `floor_scale` 8192.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidParameter`] for a scale that is not finite or a floor below 1.
    pub fn llama4(scale: f64, floor: f64) -> Result<Self, Error> {
        Self::new(scale, floor, 1.0)
    }

    /// Makes Ministral 3's temperature, with scale `beta`, offset 0, and the original length as the
    /// floor.
    ///
    /// # Errors
    ///
    /// The errors of [`llama4`](Self::llama4).
    ///
    /// ```
    /// use positional_encodings::rotary::QueryTemperature;
    ///
    /// let temperature = QueryTemperature::ministral3(0.1, 16_384)?;
    /// assert_eq!(temperature.factors(16_383..16_385)?, [1.0, 1.0 + 0.1 * 2_f64.ln()]);
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn ministral3(beta: f64, original_len: usize) -> Result<Self, Error> {
        Self::new(beta, original_len as f64, 0.0)
    }

    /// Makes the first Qwen's temperature: ln(p + 1)/ln(L) beyond the L = `original_len` positions
    /// that the model was trained on (`use_logn_attn`, with L its `seq_length`).
    ///
    /// # Errors
    ///
    /// [`Error::InvalidParameter`] for an original length below 2.
    ///
    /// ```
    /// use positional_encodings::rotary::QueryTemperature;
    ///
    /// let temperature = QueryTemperature::logn(2048)?;
    /// assert_eq!(temperature.factors(&[0, 2047, 4_194_303])?, [1.0, 1.0, 2.0]);
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn logn(original_len: usize) -> Result<Self, Error> {
        let floor = original_len as f64;
        check_parameter("original length", floor, original_len >= 2, "at least 2")?;
        Ok(Self { scale: 1.0, floor, growth: Growth::Logarithm })
    }

    fn new(scale: f64, floor: f64, offset: f64) -> Result<Self, Error> {
        check_parameter("scale", scale, scale.is_finite(), "finite")?;
        at_least_one("floor", floor)?;
        Ok(Self { scale, floor, growth: Growth::Steps(offset) })
    }

    /// Returns the factor of each position, row after row. Negative positions have the factor of
    /// position 0.
    ///
    /// # Errors
    ///
    /// [`Error::NonFinitePosition`], [`Error::PositionTooLarge`]; [`Error::AxesMismatch`] for
    /// positions on several axes; [`Error::TooLarge`] where the factors do not fit into memory.
    ///
    /// ```
    /// use ndarray::{Array4, Axis};
    /// use positional_encodings::rotary::QueryTemperature;
    ///
    /// let mut q = Array4::<f32>::ones((1, 40, 2, 128)); // (batch, heads, positions, dim)
    /// let factors = QueryTemperature::llama4(0.1, 8192.0)?.factors(8190..8192)?;
    /// for (mut q, factor) in q.axis_iter_mut(Axis(2)).zip(factors) {
    ///     q *= factor as f32;
    /// }
    /// assert_eq!([q[[0, 0, 0, 0]], q[[0, 0, 1, 0]]], [1.0, 1.0 + 0.1 * 2_f32.ln()]);
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn factors<'p>(&self, positions: impl Into<Positions<'p>>) -> Result<Vec<f64>, Error> {
        let positions = positions.into();
        positions.check_axes(1)?;
        let (mut factors, rows) = (Vec::new(), positions.count());
        factors.try_reserve_exact(rows).map_err(|_| Error::TooLarge { rows, dim: 1 })?;
        positions.check_finite()?;
        let factor = |position: f64| match self.growth {
            Growth::Steps(offset) => {
                let turns = libm::floor((position + offset) / self.floor);
                1.0 + self.scale * libm::log1p(turns)
            }
            Growth::Logarithm => (libm::log(position + 1.0) / libm::log(self.floor)).max(1.0),
        };
        factors.extend(positions.iter().map(|position| factor(position.to_f64().max(0.0))));
        Ok(factors)
    }
}
