//! A single position: a whole number or a real.

use super::LIMIT;
use crate::error::Error;

/// A position on one axis.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Position {
    /// A whole number, whatever type it was given in.
    Integer(i64),
    /// A number that is not whole or not finite, a whole `f64` beyond ±2⁶², or a `usize` that is
    /// too large for an `i64`.
    Real(f64),
}

impl Position {
    /// Returns the position as f64; integers above 2⁵³ are rounded.
    ///
    /// ```
    /// use positional_encodings::Position;
    /// assert_eq!(Position::Integer(3).to_f64(), 3.0);
    /// ```
    pub fn to_f64(self) -> f64 {
        match self {
            Self::Integer(position) => position as f64,
            Self::Real(position) => position,
        }
    }

    /// Returns the difference from another position as the nearest double and its error.
    pub(crate) fn less(self, other: Self) -> [f64; 2] {
        if let (Self::Integer(a), Self::Integer(b)) = (self, other) {
            let exact = i128::from(a) - i128::from(b);
            let value = exact as f64;
            return [value, (exact - value as i128) as f64];
        }
        // The error of a sum of two doubles is a double (Knuth). A whole number beyond 2⁵³ is
        // rounded first.
        let (a, b) = (self.to_f64(), -other.to_f64());
        let value = a + b;
        let of_b = value - a;
        [value, (a - (value - of_b)) + (b - of_b)]
    }

    /// Checks that the position, which is at `index`, is finite and within ±2⁶².
    pub(super) fn check_finite(self, index: usize) -> Result<(), Error> {
        match self {
            Self::Integer(p) if (-LIMIT..=LIMIT).contains(&p) => Ok(()),
            Self::Real(p) if p.abs() < LIMIT as f64 => Ok(()),
            Self::Real(position) if !position.is_finite() => {
                Err(Error::NonFinitePosition { index, position })
            }
            _ => Err(Error::PositionTooLarge { index, position: self.to_f64() }),
        }
    }
}

impl From<f64> for Position {
    fn from(position: f64) -> Self {
        // The cast saturates, and NaN becomes 0.
        let whole = position as i64;
        if whole as f64 == position && position.abs() <= LIMIT as f64 {
            Self::Integer(whole)
        } else {
            Self::Real(position)
        }
    }
}

impl From<usize> for Position {
    fn from(position: usize) -> Self {
        i64::try_from(position).map_or(Self::Real(position as f64), Self::Integer)
    }
}

impl From<i64> for Position {
    fn from(position: i64) -> Self {
        Self::Integer(position)
    }
}
