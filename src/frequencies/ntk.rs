//! NTK-aware interpolation: the base grows.

use super::{Frequencies, Step, at_least_one};
use crate::error::Error;
use crate::frequencies::wide::Wide;

impl Frequencies {
    /// base → base · factor^(dim/(dim − 2)), so that the slowest pair is interpolated by `factor`
    /// and the fastest not at all (bloc97 2023, *NTK-aware scaled RoPE*; `theta_rescale_factor` in
    /// rotary-embedding-torch).
    ///
    /// wᵢ → wᵢ · factor^(−i/(n − 1)) for n = dim/2 pairs: a product of two progressions, which is
    /// why no base need be given. It is not diffusers' `ntk_factor`, by which the base itself is
    /// multiplied: that is `geometric(dim, base * ntk_factor)`, and `linear_factor` is
    /// [`linear`](Self::linear). Nor is it what GTE's encoders call NTK: base · factor, and all
    /// frequencies divided by factor^(2/dim). With one pair, where the formula divides by zero,
    /// nothing changes.
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

    /// wᵢ · factor^(−i/(n − 1))
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
