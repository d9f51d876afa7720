//! Sines and cosines of angles that are sums over axes: Σₖ xₖ · wₖⱼ + φⱼ.
//!
//! The exact phase of such an angle is a sum of exact phases, which wraps as they do: [`exact`]
//! adds 128 bits of each. This is the definition; [`points`](super::points) computes the values of
//! many points.
//!
//! [`exact`]: Projection::exact

use super::amplitude::Amplitude;
use super::arithmetic::Arithmetic;
use super::definition::sin_cos;
use super::fixed::{self, Fixed, GROUP, Line};
use crate::exact::Wide;
use crate::positions::Position;

/// Frequencies of pairs on several axes, and a phase for each.
#[derive(Clone, Debug)]
pub(crate) struct Projection {
    pairs: usize,
    pub(super) amplitude: Amplitude,
    pub(super) axes: usize,
    /// The frequencies: for each group of pairs, one axis after the other.
    pub(super) fixed: Vec<Fixed>,
    /// The largest magnitude of a frequency on each axis, in turns per unit.
    pub(super) most: Vec<f64>,
    /// The phases as 128 bits of a turn, and as quarter turns and radians.
    phases: Vec<u128>,
    pub(super) offsets: Vec<Line>,
    radians: Vec<f64>,
}

impl Projection {
    /// Makes a projection from the frequencies of all pairs on each axis, and their phases, in
    /// radians. The caller has checked that each is below 2⁶³ turns, and that all lists have the
    /// same length.
    pub(crate) fn new(axes: &[Vec<Wide>], phases: &[Wide], amplitude: Amplitude) -> Self {
        let turns = |phase: &Wide| phase.mul(Wide::TURNS_PER_RADIAN);
        let phase = |phase: &Wide| {
            let [_, low, high, _] = turns(phase).to_fixed().unwrap_or_default();
            u128::from(high) << 64 | u128::from(low)
        };
        let offset = |phase: &Wide| {
            let turns = turns(phase).to_f64();
            4.0 * (turns - libm::round(turns))
        };
        let groups: Vec<Vec<Fixed>> = axes.iter().map(|axis| fixed::groups(axis)).collect();
        let of_group = |group: usize| groups.iter().map(move |axis| axis[group].clone());
        let largest = |axis: &Vec<Wide>| {
            axis.iter().map(|wide| turns(wide).to_f64().abs()).fold(0.0, f64::max)
        };
        Self {
            pairs: phases.len(),
            amplitude,
            axes: axes.len(),
            fixed: (0..phases.len().div_ceil(GROUP)).flat_map(of_group).collect(),
            most: axes.iter().map(largest).collect(),
            phases: phases.iter().map(phase).collect(),
            // The padding of the last group is not small, and so always certain.
            offsets: lines(phases.iter().map(offset), 0.5),
            radians: phases.iter().map(|phase| phase.to_f64()).collect(),
        }
    }

    pub(crate) fn with_amplitude(self, amplitude: Amplitude) -> Self {
        Self { amplitude, ..self }
    }

    pub(crate) fn amplitude(&self) -> f64 {
        self.amplitude.value()
    }

    pub(crate) fn pairs(&self) -> usize {
        self.pairs
    }

    /// Returns sine and cosine of a pair from the exact phase.
    pub(crate) fn exact<T: Arithmetic>(&self, pair: usize, point: &[Position]) -> [f64; 2] {
        let (group, lane) = (pair / GROUP, pair % GROUP);
        let (mut phase, mut terms, mut angle) = (self.phases[pair], 0, self.radians[pair]);
        for (fixed, &position) in self.fixed[self.axes * group..][..self.axes].iter().zip(point) {
            phase = phase.wrapping_add(fixed.phase(lane, position));
            let term = fixed.radians.0[lane] * position.to_f64();
            angle += term;
            terms += usize::from(term != 0.0);
        }
        // For several terms, the sum of doubles is less accurate than the phase; a single small
        // term is more accurate.
        let only = terms + usize::from(self.radians[pair] != 0.0) < 2;
        let angle = if only { angle } else { f64::INFINITY };
        let value = sin_cos::<T>(phase, angle).scaled(self.amplitude).rounded();
        [value.sin, value.cos]
    }
}

/// Returns the numbers in whole groups of pairs, padded with `filler`.
fn lines(numbers: impl ExactSizeIterator<Item = f64>, filler: f64) -> Vec<Line> {
    let mut lines = vec![Line([filler; 8]); numbers.len().div_ceil(GROUP) * (GROUP / 8)];
    let flat = lines.iter_mut().flat_map(|line| &mut line.0);
    flat.zip(numbers).for_each(|(place, number)| *place = number);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_that_cancel_leave_all_their_bits() {
        let axes = [vec![Wide::ONE], vec![Wide::ONE.neg()]];
        let projection = Projection::new(&axes, &[Wide::ZERO], Amplitude::ONE);
        let tiny = 2_f64.powi(-40);
        let point = [Position::Real(1000.0 + tiny), Position::Integer(1000)];
        assert_eq!(projection.exact::<f64>(0, &point), [tiny, 1.0]);
    }
}
