//! Golden-Gate RoPE: frequencies for any number of axes, in directions that fill the sphere evenly.

use ndarray::Array3;

use super::{MixedRotary, Pairing};
use crate::arrays::zeros;
use crate::error::{Error, check_parameter};

impl MixedRotary {
    /// Makes Golden-Gate RoPE (Xiong 2025, *On N-dimensional rotary positional embeddings*): pair k
    /// of a head is rotated by ωₖ · (u · position). The directions u follow a low-discrepancy
    /// sequence, and the magnitudes ωₖ run from `slowest` to `fastest` on a logarithmic scale,
    /// after `still` pairs of each head that are not rotated.
    ///
    /// The i-th of all heads · pairs pairs, counted from 1, has the direction u = erf⁻¹(2z − 1)
    /// normalised to length 1, with zⱼ = frac(i·φ^(−j)) for j = 1 … axes, where φ is the root of
    /// x = (1 + x)^(1/(axes + 1)).
    ///
    /// # Errors
    ///
    /// [`Error::ZeroDim`] without heads, pairs or axes; [`Error::InvalidTimescales`] unless
    /// 0 < slowest ≤ fastest; [`Error::InvalidParameter`] for more still pairs than there are;
    /// [`Error::TooLarge`].
    ///
    /// ```
    /// use positional_encodings::{Pairing, rotary::MixedRotary};
    ///
    /// let mixed = MixedRotary::golden_gate([2, 6, 32], 0.2..=20.0, 4, Pairing::Halves)?;
    /// let frequencies = mixed.frequencies(); // (axes, heads, pairs)
    /// assert_eq!(frequencies[[0, 0, 3]], 0.0); // still
    /// let fastest = frequencies[[0, 5, 31]].hypot(frequencies[[1, 5, 31]]);
    /// assert!((fastest - 20.0).abs() < 1e-12);
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn golden_gate(
        [axes, heads, pairs]: [usize; 3],
        magnitudes: core::ops::RangeInclusive<f64>,
        still: usize,
        pairing: Pairing,
    ) -> Result<Self, Error> {
        let (slowest, fastest) = magnitudes.into_inner();
        if axes == 0 || heads == 0 || pairs == 0 {
            return Err(Error::ZeroDim);
        }
        if !(slowest > 0.0 && slowest <= fastest && fastest.is_finite()) {
            return Err(Error::InvalidTimescales { shortest: slowest, longest: fastest });
        }
        let needs = "at most the number of pairs";
        check_parameter("number of still pairs", still as f64, still <= pairs, needs)?;
        let rows = axes.saturating_mul(heads);
        let shape = (axes, heads, pairs);
        let mut frequencies: Array3<f64> = zeros::<f64>(rows, pairs)?
            .into_shape_with_order(shape)
            .map_err(|_| Error::TooLarge { rows, dim: pairs })?;
        let steps = (pairs - still).saturating_sub(1).max(1) as f64;
        let growth = libm::log(fastest / slowest) / steps;
        let turns = golden(axes);
        for head in 0..heads {
            for pair in still..pairs {
                let direction = direction((head * pairs + pair + 1) as f64, &turns);
                let magnitude = slowest * libm::exp(growth * (pair - still) as f64);
                for (axis, part) in direction.into_iter().enumerate() {
                    frequencies[[axis, head, pair]] = magnitude * part;
                }
            }
        }
        Self::new(frequencies, pairing)
    }
}

/// Returns φ^(−1) … φ^(−axes), where φ is the root of x = (1 + x)^(1/(axes + 1)).
fn golden(axes: usize) -> Vec<f64> {
    let exponent = 1.0 / (axes as f64 + 1.0);
    let phi = (0..64).fold(2.0, |x, _| libm::pow(1.0 + x, exponent));
    (1..=axes).map(|j| libm::pow(phi, -(j as f64))).collect()
}

/// Returns direction number `index`, counted from 1.
fn direction(index: f64, turns: &[f64]) -> Vec<f64> {
    let part = |turn: &f64| {
        let share = index * turn;
        inverse_erf(2.0 * (share - libm::floor(share)) - 1.0)
    };
    let parts: Vec<f64> = turns.iter().map(part).collect();
    let length = libm::sqrt(parts.iter().map(|part| part * part).sum());
    match length > 0.0 {
        true => parts.into_iter().map(|part| part / length).collect(),
        false => parts,
    }
}

/// Returns the inverse of the error function at `y`, between −1 and 1.
fn inverse_erf(y: f64) -> f64 {
    // Values at the ends stay finite.
    let y = y.clamp(-1.0 + f64::EPSILON, 1.0 - f64::EPSILON);
    let log = libm::log(1.0 - y * y);
    let a = 2.0 / (core::f64::consts::PI * 0.147) + log / 2.0;
    let first = libm::copysign(libm::sqrt(libm::sqrt(a * a - log / 0.147) - a), y);
    // Each of Halley's steps triples the number of correct digits, starting from two.
    (0..4).fold(first, |x, _| {
        let slope = 2.0 / libm::sqrt(core::f64::consts::PI) * libm::exp(-x * x);
        let step = (libm::erf(x) - y) / slope;
        x - step / (1.0 + x * step)
    })
}
