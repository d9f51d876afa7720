//! NTK-aware interpolation: the base grows.

use super::{Frequencies, Step};
use crate::error::{Error, at_least_one};
use crate::exact::Wide;

impl Frequencies {
    /// Scales the base: base → base · factor^(dim/(dim − 2)), so that the slowest pair is
    /// interpolated by `factor` and the fastest not at all (bloc97 2023, *NTK-aware scaled RoPE*;
    /// `theta_rescale_factor` in rotary-embedding-torch).
    ///
    /// For n = dim/2 pairs this is wᵢ → wᵢ · factor^(−i/(n − 1)), for which the base need not be
    /// known. With one pair, where the formula divides by zero, nothing changes.
    ///
    /// Other systems use the name for other formulas: diffusers' `ntk_factor` multiplies the base
    /// itself, which is `geometric(dim, base * ntk_factor)` (and `linear_factor` is
    /// [`linear`](Self::linear)); GTE's encoders use base · factor, and divide all frequencies by
    /// factor^(2/dim).
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
        let wide = Wide::from_f64(at_least_one("factor", factor)?);
        self.stretched(wide, Step::Ntk { factor })
    }

    /// Multiplies each frequency wᵢ by factor^(−i/(n − 1)).
    pub(super) fn stretched(mut self, factor: Wide, step: Step) -> Result<Self, Error> {
        let steps = self.len() as u64 - 1;
        let ratio = if steps == 0 { Wide::ONE } else { factor.inverse_root(steps) };
        let powers = core::iter::successors(Some(Wide::ONE), |power| Some(power.mul(ratio)));
        for (frequency, power) in self.radians.iter_mut().zip(powers) {
            *frequency = frequency.mul(power);
        }
        self.steps.push(step);
        self.checked()
    }
}
