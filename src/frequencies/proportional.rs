//! Proportional rotation: the slowest pairs are not rotated.

use super::{Frequencies, Step};
use crate::error::{Error, check_parameter};
use crate::exact::Wide;

impl Frequencies {
    /// Keeps the first ⌊fraction · pairs⌋ frequencies and sets the others to zero (Gemma 4's global
    /// layers; Barbero et al. 2024, *Round and round we go!*, arXiv 2410.06205; transformers'
    /// `proportional`).
    ///
    /// A proportional rotation differs from a partial one. In a partial rotation the exponents are
    /// divided by the number of rotated features. Here they are divided by dim, and with
    /// [`Pairing::Halves`](crate::Pairing::Halves) the pairs span the whole head.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidParameter`] unless 0 < fraction ≤ 1.
    ///
    /// ```
    /// use positional_encodings::Frequencies;
    ///
    /// let gemma4 = Frequencies::geometric(256, 1e6)?.proportional(0.25)?.to_radians();
    /// assert!((gemma4[1] - 0.8976871324).abs() < 1e-10);
    /// assert!((gemma4[31] - 0.0352269465).abs() < 1e-10);
    /// assert_eq!(gemma4[32..], [0.0; 96]);
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn proportional(self, fraction: f64) -> Result<Self, Error> {
        let is_met = fraction > 0.0 && fraction <= 1.0;
        check_parameter("fraction", fraction, is_met, "above 0 and at most 1")?;
        let kept = (fraction * self.len() as f64) as usize;
        let keep = |pair, frequency| if pair < kept { frequency } else { Wide::ZERO };
        self.map(Step::Proportional { fraction }, keep)
    }
}
