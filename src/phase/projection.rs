//! Sines and cosines of angles that are sums over axes: Σₖ xₖ · wₖⱼ + φⱼ.
//!
//! The exact phase of such an angle is a sum of exact phases, and wraps like them: [`exact`] adds
//! 128 bits of each. That is the definition. For 32 bits or less there is a faster way, with
//! vectors of doubles: a product of two parts of 26 bits is exact, and so is what it has beyond
//! whole circles; the sum is right to 2⁻⁵⁰, and values that this leaves in doubt come from the
//! definition.
//!
//! [`exact`]: Projection::exact

use fearless_simd::prelude::*;
use fearless_simd::{Level, Simd};

use super::amplitude::Amplitude;
use super::fixed::{self, Fixed, GROUP, Line};
use super::plain::at;
use super::reals::Two;
use super::sincos::{in_quarter, sincos};
use super::target::Target;
use crate::frequencies::wide::Wide;
use crate::positions::Position;
use crate::simd::{Kernel, launch};

/// A double to which this is added is rounded to an integer, whose last bits are then its own.
const ROUND: f64 = 1.5 * (1_u64 << 52) as f64;
/// Veltkamp's: a double times this leaves its upper 26 bits.
const SPLIT: f64 = ((1 << 27) + 1) as f64;
/// Circles up to which the fast way is right.
const MOST_TURNS: f64 = (1 << 24) as f64;
/// Pairs that are computed together, on the stack.
pub(crate) const CHUNK: usize = 8 * GROUP;

/// The coordinates of a point, one for each axis.
pub(crate) type Point<'a> = &'a [Position];

/// The sines and cosines of some pairs.
pub(crate) struct Values {
    pub(crate) sin: [f64; CHUNK],
    pub(crate) cos: [f64; CHUNK],
}

impl Values {
    pub(crate) const ZERO: Self = Self { sin: [0.0; CHUNK], cos: [0.0; CHUNK] };
}

/// Frequencies of pairs on several axes, and a phase for each.
#[derive(Clone, Debug)]
pub(crate) struct Projection {
    pairs: usize,
    amplitude: Amplitude,
    axes: Vec<Column>,
    /// The phases, as 128 bits of a circle, and as circles and radians.
    phases: Vec<u128>,
    offsets: Vec<Line>,
    radians: Vec<f64>,
}

/// The frequencies on one axis.
#[derive(Clone, Debug)]
struct Column {
    fixed: Vec<Fixed>,
    /// Circles per unit, in 26, 26 and the following bits.
    parts: [Vec<Line>; 3],
    /// Whether the first 26 bits of each are all.
    is_short: bool,
    /// The largest of them in magnitude.
    most: f64,
}

impl Projection {
    /// The frequencies of all pairs on each axis, and their phases, in radians. The caller has
    /// checked that each makes less than 2⁶³ circles, and that there are as many of all.
    pub(crate) fn new(axes: &[Vec<Wide>], phases: &[Wide], amplitude: Amplitude) -> Self {
        let turns = |phase: &Wide| phase.mul(Wide::TURNS_PER_RADIAN);
        let phase = |phase: &Wide| {
            let [_, low, high, _] = turns(phase).to_fixed().unwrap_or_default();
            u128::from(high) << 64 | u128::from(low)
        };
        let offset = |phase: &Wide| {
            let turns = turns(phase).to_f64();
            turns - libm::round(turns)
        };
        Self {
            pairs: phases.len(),
            amplitude,
            axes: axes.iter().map(|frequencies| Column::new(frequencies)).collect(),
            phases: phases.iter().map(phase).collect(),
            // What fills the last group up is not small, and never in doubt.
            offsets: lines(phases.iter().map(offset), 0.125),
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

    /// Sines and cosines of pairs from `first` on, a multiple of the chunk, at a point whose
    /// coordinates were checked. For elements of 64 bits they are within 0.51 ulp, else right to 40
    /// bits.
    pub(crate) fn values<A>(&self, point: Point<'_>, first: usize, out: &mut Values) {
        let pairs = first..self.pairs.min(first + CHUNK);
        let is_narrow = size_of::<A>() < size_of::<f64>();
        let is_fast = is_narrow && self.is_near(point);
        let mut is_in_doubt = true;
        if is_fast {
            let in_doubt = &mut is_in_doubt;
            launch(Level::new(), Near { projection: self, point, first, out, in_doubt });
        }
        if !is_in_doubt {
            return;
        }
        let is_sure = |value: f64| value.abs() >= self.amplitude.small;
        for ((pair, sin), cos) in pairs.zip(&mut out.sin).zip(&mut out.cos) {
            if !(is_fast && is_sure(*sin) && is_sure(*cos)) {
                [*sin, *cos] = match is_narrow {
                    true => self.exact::<f32>(pair, point),
                    false => self.exact::<f64>(pair, point),
                };
            }
        }
    }

    /// Whether the fast way is right at this point.
    fn is_near(&self, point: Point<'_>) -> bool {
        let whole = |position: &Position| match *position {
            Position::Integer(position) => position.unsigned_abs() <= 1 << 53,
            Position::Real(_) => true,
        };
        let reach =
            |(column, position): (&Column, &Position)| column.most * position.to_f64().abs();
        point.iter().all(whole) && self.axes.iter().zip(point).map(reach).sum::<f64>() < MOST_TURNS
    }

    /// Sine and cosine of a pair from the phase itself.
    pub(crate) fn exact<T: Target>(&self, pair: usize, point: Point<'_>) -> [f64; 2] {
        let (group, lane) = (pair / GROUP, pair % GROUP);
        let (mut phase, mut terms, mut angle) = (self.phases[pair], 0, self.radians[pair]);
        for (column, &position) in self.axes.iter().zip(point) {
            let fixed = &column.fixed[group];
            phase = phase.wrapping_add(fixed.phase(lane, position));
            let term = fixed.radians.0[lane] * position.to_f64();
            angle += term;
            terms += usize::from(term != 0.0);
        }
        // Of several terms the sum of doubles knows less than the phase, and of one it knows more.
        let only = terms + usize::from(self.radians[pair] != 0.0) < 2;
        let angle = if only { angle } else { f64::INFINITY };
        let value = at::<T>(phase, angle).scaled(self.amplitude).rounded();
        [value.sin, value.cos]
    }
}

impl Column {
    fn new(frequencies: &[Wide]) -> Self {
        let turns: Vec<Wide> =
            frequencies.iter().map(|frequency| frequency.mul(Wide::TURNS_PER_RADIAN)).collect();
        let part = |take: fn(Wide) -> f64| lines(turns.iter().map(|&turns| take(turns)), 0.0);
        let most = turns.iter().map(|turns| turns.to_f64().abs()).fold(0.0, f64::max);
        let parts = [part(|turns| split(turns)[0]), part(|turns| split(turns)[1]), {
            part(|turns| split(turns)[2])
        }];
        let is_zero = |part: &Vec<Line>| part.iter().all(|line| line.0 == [0.0; 8]);
        let is_short = parts[1..].iter().all(is_zero);
        Self { fixed: fixed::groups(frequencies), parts, is_short, most }
    }
}

/// 26 bits, the next 26 bits, and the rest.
fn split(turns: Wide) -> [f64; 3] {
    let short = |rest: Wide| upper(rest.to_f64());
    let high = short(turns);
    let rest = turns.sub(Wide::from_f64(high));
    let middle = short(rest);
    [high, middle, rest.sub(Wide::from_f64(middle)).to_f64()]
}

/// The upper 26 bits of a double. Of one near the end of its range nothing would be left; that is
/// not used.
fn upper(x: f64) -> f64 {
    let product = x * SPLIT;
    let high = product - (product - x);
    if high.is_finite() { high } else { x }
}

/// Numbers in whole groups of pairs, which others fill up.
fn lines(numbers: impl ExactSizeIterator<Item = f64>, filler: f64) -> Vec<Line> {
    let mut lines = vec![Line([filler; 8]); numbers.len().div_ceil(GROUP) * (GROUP / 8)];
    let flat = lines.iter_mut().flat_map(|line| &mut line.0);
    flat.zip(numbers).for_each(|(place, number)| *place = number);
    lines
}

/// The fast way.
struct Near<'a> {
    projection: &'a Projection,
    point: Point<'a>,
    first: usize,
    out: &'a mut Values,
    /// Whether a value is so small that it may be wrong.
    in_doubt: &'a mut bool,
}

impl Kernel for Near<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { projection, point, first, out, in_doubt } = self;
        let mut least = S::f64s::splat(simd, f64::INFINITY);
        let width = 2 * S::f64s::LEN;
        let end = projection.pairs.min(first + CHUNK) - first;
        let load = |lines: &[Line], at: usize| {
            Two(Line::load(simd, lines, at), Line::load(simd, lines, at + S::f64s::LEN))
        };
        for start in (0..end).step_by(width) {
            let mut turns: Two<S::f64s> = load(&projection.offsets, first + start);
            for (column, position) in projection.axes.iter().zip(point) {
                let x = position.to_f64();
                let x_high = upper(x);
                let x_low = x - x_high;
                let [high, middle, low] = &column.parts;
                let high = load(high, first + start);
                let exact = high * x_high;
                let part = exact - ((exact + ROUND) - ROUND);
                turns = turns + part;
                // Of numbers of 32 bits nothing is left.
                if !(column.is_short && x_low == 0.0) {
                    let middle = load(middle, first + start);
                    let rest = (high * x_low + middle * x_high)
                        + (middle * x_low + load(low, first + start) * x);
                    turns = turns + rest;
                }
            }
            let biased = turns * 4.0 + ROUND;
            let angle = (turns - (biased - ROUND) * 0.25) * core::f64::consts::TAU;
            let quarter = Two(biased.0.bitcast(), biased.1.bitcast());
            let zero = S::f64s::splat(simd, 0.0);
            let [sin, cos] = sincos(angle, Two(zero, zero));
            let [sin, cos] = in_quarter(simd, quarter, sin, cos);
            let amplitude = projection.amplitude.value;
            for (values, out) in [(sin, &mut out.sin), (cos, &mut out.cos)] {
                let Two(low, high) = values * amplitude;
                least = least.min(low.abs()).min(high.abs());
                low.store_slice(&mut out[start..start + S::f64s::LEN]);
                high.store_slice(&mut out[start + S::f64s::LEN..start + width]);
            }
        }
        let mut lanes = [f64::INFINITY; 8];
        least.store_slice(&mut lanes[..S::f64s::LEN]);
        *in_doubt = lanes.iter().any(|value| *value < projection.amplitude.small);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simd::InstructionSet;

    /// The fast way and the definition, at points near and far, with terms that cancel.
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
                let point = [0, 1, 2].map(|i| Position::from((random(i + 77) - 0.5) * scale));
                let mut values = Values::ZERO;
                for first in (0..pairs).step_by(CHUNK) {
                    projection.values::<f32>(&point, first, &mut values);
                    for pair in first..pairs.min(first + CHUNK) {
                        let expected = projection.exact::<f64>(pair, &point);
                        let found = [values.sin[pair - first], values.cos[pair - first]];
                        for (found, expected) in found.into_iter().zip(expected) {
                            let off = (found - expected).abs();
                            assert!(off <= expected.abs() * 2_f64.powi(-33), "{found} {expected}");
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn all_instruction_sets_agree() {
        let axes =
            [0.7, -12.25].map(|w| (1..38).map(|k| Wide::from_f64(w / f64::from(k))).collect());
        let phases: Vec<Wide> = (0..37).map(|k| Wide::from_f64(f64::from(k) * 0.37)).collect();
        let projection = Projection::new(&axes, &phases, Amplitude::new(0.7).unwrap());
        let point = [Position::Real(1234.567), Position::Integer(-3)];
        let values = InstructionSet::available().map(|set| {
            let mut out = Values::ZERO;
            let (projection, point, in_doubt) = (&projection, &point, &mut false);
            let near = Near { projection, point, first: 0, out: &mut out, in_doubt };
            launch(set.level().unwrap(), near);
            [&out.sin[..37], &out.cos[..37]].concat()
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
        let mut values = Values::ZERO;
        projection.values::<f32>(&point, 0, &mut values);
        assert_eq!(values.sin[0] as f32, tiny as f32);
    }
}
