//! Linear interpolation of positions.

use super::{Frequencies, checked_factor};
use crate::Error;

impl Frequencies {
    /// wᵢ / factor: positions are squeezed by `factor` ≥ 1 (Chen et al. 2023, *Extending context
    /// window of large language models via positional interpolation*, arXiv 2306.15595;
    /// transformers' `linear`).
    ///
    /// # Errors
    ///
    /// [`Error::InvalidParameter`] for a factor below 1 or not finite.
    ///
    /// ```
    /// use positional_encodings::Frequencies;
    ///
    /// let frequencies = Frequencies::geometric(4, 10_000.0)?.linear(4.0)?;
    /// assert_eq!(frequencies.to_radians(), [0.25, 0.0025]);
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn linear(self, factor: f64) -> Result<Self, Error> {
        let inverse = checked_factor(factor)?.inverse_root(1);
        Self::new(self.radians.iter().map(|frequency| frequency.mul(inverse)).collect())
    }
}
