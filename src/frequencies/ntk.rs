//! NTK-aware interpolation: the base grows.

use super::{Frequencies, checked_factor};
use crate::Error;
use crate::phase::wide::Wide;

impl Frequencies {
    /// base → base · factor^(dim/(dim − 2)), so that the slowest pair is interpolated by `factor`
    /// and the fastest not at all (bloc97 2023, *NTK-aware scaled RoPE*; `theta_rescale_factor` in
    /// rotary-embedding-torch).
    ///
    /// wᵢ → wᵢ · factor^(−i/(n − 1)) for n = dim/2 pairs: a product of two progressions, which is
    /// why no base need be given. With one pair, where the formula divides by zero, nothing
    /// changes.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidParameter`] for a factor below 1 or not finite.
    ///
    /// ```
    /// use positional_encodings::Frequencies;
    ///
    /// let stretched = Frequencies::geometric(128, 10_000.0)?.ntk(4.0)?;
    /// let other_base = Frequencies::geometric(128, 40889.94243248622)?;
    /// assert!((stretched.to_radians()[1] / other_base.to_radians()[1] - 1.0).abs() < 1e-15);
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn ntk(self, factor: f64) -> Result<Self, Error> {
        self.stretched(checked_factor(factor)?)
    }

    /// wᵢ · factor^(−i/(n − 1))
    pub(super) fn stretched(self, factor: Wide) -> Result<Self, Error> {
        let steps = self.radians.len() as u64 - 1;
        if steps == 0 {
            return Ok(self);
        }
        let ratio = factor.inverse_root(steps);
        let powers = core::iter::successors(Some(Wide::ONE), |power| Some(power.mul(ratio)));
        Self::new(
            self.radians
                .iter()
                .zip(powers)
                .map(|(frequency, power)| frequency.mul(power))
                .collect(),
        )
    }
}
