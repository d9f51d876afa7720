//! Linear interpolation of positions.

use super::{Frequencies, Step};
use crate::error::{Error, positive};
use crate::exact::Wide;

impl Frequencies {
    /// Divides all frequencies by `factor`: wᵢ → wᵢ / factor.
    ///
    /// A factor above 1 compresses positions (Chen et al. 2023, *Extending context window of large
    /// language models via positional interpolation*, arXiv 2306.15595; transformers' `linear`), a
    /// factor below 1 stretches them (keras-hub, diffusers).
    ///
    /// # Errors
    ///
    /// [`Error::InvalidParameter`] unless the factor is positive and finite;
    /// [`Error::InvalidFrequency`] where a quotient is too large.
    ///
    /// ```
    /// use positional_encodings::Frequencies;
    ///
    /// let frequencies = Frequencies::geometric(4, 10_000.0)?.linear(4.0)?;
    /// assert_eq!(frequencies.to_radians(), [0.25, 0.0025]);
    /// assert_eq!(frequencies.linear(0.5)?.to_radians(), [0.5, 0.005]);
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn linear(self, factor: f64) -> Result<Self, Error> {
        let inverse = Wide::from_f64(positive("factor", factor)?).inverse_root(1);
        self.map(Step::Linear { factor }, |_, frequency| frequency.mul(inverse))
    }
}
