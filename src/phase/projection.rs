//! Sines and cosines of angles that are sums over axes: Σₖ xₖ · wₖⱼ + φⱼ.
//!
//! The exact phase of such an angle is a sum of exact phases, which wraps as they do: [`exact`]
//! adds 128 bits of each. This is the definition. For 32 bits or less there is a faster way, with
//! vectors of doubles: the fraction of a turn of each term is correct to 2⁻⁵², their sum to 2⁻⁵⁰,
//! and values that are not certain are computed by the definition.
//!
//! [`exact`]: Projection::exact

use fearless_simd::prelude::*;
use fearless_simd::{Level, Simd};

use super::amplitude::Amplitude;
use super::fixed::{self, Fixed, GROUP, Line, MOST_TURNS, Split};
use super::plain::at;
use super::sincos::{in_quarter, reduced_quarters, sincos_short};
use super::target::Target;
use crate::frequencies::wide::Wide;
use crate::positions::{Position, Positions};
use crate::simd::{Kernel, launch};

/// The number of pairs that are computed together, on the stack.
pub(crate) const CHUNK: usize = 8 * GROUP;
/// The number of points that are computed together.
const POINTS: usize = 8;
/// The coordinates of points with more axes than this are on the heap, allocated once.
const AXES: usize = 8;

/// The coordinates of a point, one for each axis.
pub(crate) type Point<'a> = &'a [f64];

/// The sines and cosines of some pairs.
#[derive(Clone, Copy)]
pub(crate) struct Values {
    pub(crate) sin: [f64; CHUNK],
    pub(crate) cos: [f64; CHUNK],
    /// Whether a value is so small that it may be wrong.
    is_in_doubt: bool,
}

impl Values {
    const ZERO: Self = Self { sin: [0.0; CHUNK], cos: [0.0; CHUNK], is_in_doubt: true };
}

/// Frequencies of pairs on several axes, and a phase for each.
#[derive(Clone, Debug)]
pub(crate) struct Projection {
    pairs: usize,
    amplitude: Amplitude,
    axes: usize,
    /// The frequencies: for each group of pairs, one axis after the other.
    fixed: Vec<Fixed>,
    /// The largest magnitude of a frequency on each axis, in turns per unit.
    most: Vec<f64>,
    /// The phases as 128 bits of a turn, and as quarter turns and radians.
    phases: Vec<u128>,
    offsets: Vec<Line>,
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

    /// Calls `visit` with the index and the coordinates of each point, and with the sines and
    /// cosines of some pairs at a time, whose first index is passed as well. A point may have more
    /// axes than the projection.
    ///
    /// The positions have been checked. For 64-bit elements values are within 0.51 ulp, otherwise
    /// correct to 40 bits.
    pub(crate) fn each<A>(
        &self,
        positions: &Positions<'_>,
        mut visit: impl FnMut(usize, Point<'_>, usize, &Values),
    ) {
        let is_narrow = size_of::<A>() < size_of::<f64>();
        let mut values = [Values::ZERO; POINTS];
        let (mut point, mut given) = (vec![0.0; positions.axes()], Vec::new());
        let mut splits = vec![[Split::ZERO; POINTS]; positions.axes()];
        for index in (0..positions.count()).step_by(POINTS) {
            let points = POINTS.min(positions.count() - index);
            for (axis, splits) in splits.iter_mut().enumerate() {
                let mut reals = [0.0; POINTS];
                positions.read(axis, index, &mut reals[..points]);
                *splits = reals.map(Split::new);
            }
            let is_fast = is_narrow && self.is_near(&splits);
            for first in (0..self.pairs).step_by(CHUNK) {
                if is_fast {
                    let (splits, out) = (&splits[..self.axes], &mut values[..points]);
                    launch(Level::new(), Near { projection: self, splits, first, out });
                }
                for (i, values) in values[..points].iter_mut().enumerate() {
                    if !is_fast || values.is_in_doubt {
                        given.clear();
                        given.extend(positions.coordinates(index + i));
                        self.settle(is_narrow, is_fast, &given, first, values);
                    }
                    let coordinates = splits.iter().map(|splits| splits[i].whole);
                    point.iter_mut().zip(coordinates).for_each(|(out, c)| *out = c);
                    visit(index + i, &point, first, values);
                }
            }
        }
    }

    /// Replaces values that are not certain, or all of them, by those of the definition.
    #[cold]
    fn settle(
        &self,
        is_narrow: bool,
        is_fast: bool,
        point: &[Position],
        first: usize,
        values: &mut Values,
    ) {
        let is_sure = |value: f64| is_fast && value.abs() >= self.amplitude.small;
        let pairs = first..self.pairs.min(first + CHUNK);
        for ((pair, sin), cos) in pairs.zip(&mut values.sin).zip(&mut values.cos) {
            if !(is_sure(*sin) && is_sure(*cos)) {
                [*sin, *cos] = match is_narrow {
                    true => self.exact::<f32>(pair, point),
                    false => self.exact::<f64>(pair, point),
                };
            }
        }
    }

    /// Returns true if the fast way is accurate at some points.
    fn is_near(&self, splits: &[[Split; POINTS]]) -> bool {
        let mut turns = [0.0; POINTS];
        for (most, splits) in self.most.iter().zip(splits) {
            for (turns, split) in turns.iter_mut().zip(splits) {
                // The sum is NaN if the coordinate cannot be told from its neighbours.
                *turns += if split.is_exact() { most * split.whole.abs() } else { f64::NAN };
            }
        }
        turns.iter().all(|turns| *turns < MOST_TURNS)
    }

    /// Returns sine and cosine of a pair from the exact phase.
    pub(crate) fn exact<T: Target>(&self, pair: usize, point: &[Position]) -> [f64; 2] {
        let (group, lane) = (pair / GROUP, pair % GROUP);
        let (mut phase, mut terms, mut angle) = (self.phases[pair], 0, self.radians[pair]);
        for (fixed, &position) in self.fixed[self.axes * group..][..self.axes].iter().zip(point) {
            phase = phase.wrapping_add(fixed.phase(lane, position));
            let term = fixed.radians.0[lane] * position.to_f64();
            angle += term;
            terms += usize::from(term != 0.0);
        }
        // For several terms the sum of doubles is less accurate than the phase, for one it is more
        // accurate.
        let only = terms + usize::from(self.radians[pair] != 0.0) < 2;
        let angle = if only { angle } else { f64::INFINITY };
        let value = at::<T>(phase, angle).scaled(self.amplitude).rounded();
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

/// The fast way, in vectors of doubles.
struct Near<'a> {
    projection: &'a Projection,
    /// The coordinates of all points on each axis.
    splits: &'a [[Split; POINTS]],
    first: usize,
    out: &'a mut [Values],
}

impl Kernel for Near<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { projection, splits, first, out } = self;
        for (i, out) in out.iter_mut().enumerate() {
            projection.near(simd, splits, i, first, out);
        }
    }
}

impl Projection {
    #[inline(always)]
    fn near<S: Simd>(&self, simd: S, splits: &[[Split; POINTS]], i: usize, first: usize, out: &mut Values) {
        /// A sine or a cosine of a larger remainder is not small.
        const SMALL: f64 = 1.0 / (1 << 14) as f64;
        let (width, amplitude) = (2 * S::f64s::LEN, self.amplitude.value);
        let mut least = S::f64s::splat(simd, f64::INFINITY);
        let groups = self.fixed[self.axes * (first / GROUP)..].chunks_exact(self.axes);
        let offsets = self.offsets[first / 8..].chunks_exact(GROUP / 8);
        let (sines, cosines) = (out.sin.chunks_exact_mut(GROUP), out.cos.chunks_exact_mut(GROUP));
        for (((fixed, offsets), sines), cosines) in groups.zip(offsets).zip(sines).zip(cosines) {
            for at in (0..GROUP).step_by(width) {
                let mut angle = <f32 as Target>::load(simd, offsets, at);
                for (fixed, positions) in fixed.iter().zip(splits) {
                    angle = angle + fixed.quarters(simd, positions[i], at);
                }
                let (x, quarter) = reduced_quarters::<S>(angle);
                least = least.min(x.0.abs()).min(x.1.abs());
                let [sin, cos] = sincos_short(x);
                let [sin, cos] = in_quarter(simd, quarter, sin, cos);
                <f64 as Target>::write::<S>(sin * amplitude, &mut sines[at..at + width]);
                <f64 as Target>::write::<S>(cos * amplitude, &mut cosines[at..at + width]);
            }
        }
        let mut lanes = [f64::INFINITY; 8];
        least.store_slice(&mut lanes[..S::f64s::LEN]);
        out.is_in_doubt = lanes.iter().any(|value| *value < SMALL);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simd::InstructionSet;

    /// Compares the fast way with the definition, at points near and far, with terms that cancel.
    #[test]
    fn both_ways_agree() {
        let random = |i: usize| {
            let z = (i as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            ((z ^ (z >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 11) as f64
                / (1_u64 << 53) as f64
        };
        let pairs = 2 * CHUNK + 5;
        let frequencies = |axis: usize| -> Vec<Wide> {
            let of = |i| Wide::from_f64((random(i + 1000 * axis) - 0.5) * 100.0);
            (0..pairs).map(of).collect()
        };
        let phases: Vec<Wide> =
            (0..pairs).map(|i| Wide::from_f64(random(i + 5000) * 20.0 - 10.0)).collect();
        let axes = [frequencies(0), frequencies(1), frequencies(2)];
        for amplitude in [Amplitude::ONE, Amplitude::new(0.3).unwrap()] {
            let projection = Projection::new(&axes, &phases, amplitude);
            for scale in [1e-12, 1e-3, 1.0, 1e4, 1e9, 1e15] {
                let number = |axis, i| (random(77 + 3 * i + axis) - 0.5) * scale;
                let points = ndarray::Array2::from_shape_fn((POINTS + 3, 3), |(i, k)| number(k, i));
                let points = Positions::from_points(&points).unwrap();
                projection.each::<f32>(&points, |_, point, first, values| {
                    for pair in first..pairs.min(first + CHUNK) {
                        let expected = projection.exact::<f64>(pair, point);
                        let found = [values.sin[pair - first], values.cos[pair - first]];
                        for (found, expected) in found.into_iter().zip(expected) {
                            let off = (found - expected).abs();
                            assert!(off <= expected.abs() * 2_f64.powi(-33), "{found} {expected}");
                        }
                    }
                });
            }
        }
    }

    #[test]
    fn all_instruction_sets_agree() {
        let axes =
            [0.7, -12.25].map(|w| (1..38).map(|k| Wide::from_f64(w / f64::from(k))).collect());
        let phases: Vec<Wide> = (0..37).map(|k| Wide::from_f64(f64::from(k) * 0.37)).collect();
        let projection = Projection::new(&axes, &phases, Amplitude::new(0.7).unwrap());
        let points = [1234.567, -3.0].map(Split::new);
        let values = InstructionSet::available().map(|set| {
            let mut out = [Values::ZERO; POINTS];
            let (projection, points) = (&projection, &points);
            let near = Near { projection, points, first: 0, out: &mut out };
            launch(set.level().unwrap(), near);
            [&out[0].sin[..37], &out[0].cos[..37]].concat()
        });
        let all: Vec<Vec<f64>> = values.collect();
        assert!(all.windows(2).all(|pair| pair[0] == pair[1]));
    }

    #[test]
    fn terms_that_cancel_leave_all_their_bits() {
        let axes = [vec![Wide::ONE], vec![Wide::ONE.neg()]];
        let projection = Projection::new(&axes, &[Wide::ZERO], Amplitude::ONE);
        let tiny = 2_f64.powi(-40);
        let point = [Position::Real(1000.0 + tiny), Position::Integer(1000)];
        let [sin, cos] = projection.exact::<f64>(0, &point);
        assert_eq!([sin, cos], [tiny, 1.0]);
        let points = ndarray::array![[1000.0 + tiny, 1000.0]];
        projection.each::<f32>(&Positions::from_points(&points).unwrap(), |_, _, _, values| {
            assert_eq!(values.sin[0] as f32, tiny as f32);
        });
    }
}
