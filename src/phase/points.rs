//! Sines and cosines of a projection, eight points at a time.
//!
//! For 32 bits or less there is a fast path, with vectors of doubles: the fraction of a turn of
//! each term is correct to 2⁻⁵², their sum to 2⁻⁵⁰, and values that are not certain are computed by
//! the definition. Rows of f32 that have sines and cosines apart and fill whole groups of pairs are
//! written directly, in three quarters of the time that they take by way of the stack.

use core::marker::PhantomData;

use fearless_simd::prelude::*;
use fearless_simd::{Level, Simd};
use ndarray::{ArrayViewMut2, Axis};

use super::arithmetic::Arithmetic;
use super::fixed::{GROUP, MOST_TURNS, Split};
use super::layout::{Columns, FeatureLayout, Parts};
use super::projection::Projection;
use super::sincos::{in_quarter, reduced_quarters, sincos_short};
use crate::element::{AnyElement, Element, OfElement};
use crate::positions::{PerAxis, Position, Positions};
use crate::simd::Kernel;

/// The number of points that are computed together.
const POINTS: usize = 8;
/// The number of pairs that are computed together, on the stack.
pub(crate) const CHUNK: usize = 8 * GROUP;

/// The coordinates of a point, one for each axis.
pub(crate) type Point<'a> = &'a [f64];

/// The sines and cosines of some pairs.
#[derive(Clone, Copy)]
pub(crate) struct Values {
    pub(crate) sin: [f64; CHUNK],
    pub(crate) cos: [f64; CHUNK],
}

impl Projection {
    /// Calls `visit` with the index and the coordinates of each point, and with the sines and
    /// cosines of some pairs at a time, whose first index is passed as well. A point may have more
    /// axes than the projection.
    ///
    /// The positions have been checked. For 64-bit elements values are within 0.51 ulp, otherwise
    /// correct to 33 bits.
    pub(crate) fn each<A>(
        &self,
        positions: &Positions<'_>,
        mut visit: impl FnMut(usize, Point<'_>, usize, &Values),
    ) {
        let mut points = Points::new(self, positions, size_of::<A>() < size_of::<f64>());
        let mut values = [Values { sin: [0.0; CHUNK], cos: [0.0; CHUNK] }; POINTS];
        let mut point = PerAxis::new(0.0, positions.axes());
        while points.advance() {
            for first in (0..self.pairs()).step_by(CHUNK) {
                points.chunk(first, &mut values);
                for (i, values) in values[..points.len].iter().enumerate() {
                    point.set(points.splits.iter().map(|axis| axis[i].whole));
                    visit(points.first + i, &point, first, values);
                }
            }
        }
    }

    /// Writes the rows of checked points and returns true, or returns `false` for rows that are not
    /// written directly: their elements are not f32, their columns are not adjacent, sines and
    /// cosines alternate, or the pairs do not fill whole groups.
    pub(crate) fn write_rows<A: Element>(
        &self,
        positions: &Positions<'_>,
        columns: &Columns,
        rows: ArrayViewMut2<'_, A>,
    ) -> bool {
        match A::any::<RowsOf<'_>>(rows) {
            AnyElement::F32(rows) => self.write_narrow(positions, columns, rows),
            _ => false,
        }
    }

    /// Does the work of [`write_rows`](Self::write_rows). It is not generic, so that its kernel is
    /// compiled in this crate, once.
    fn write_narrow(
        &self,
        positions: &Positions<'_>,
        columns: &Columns,
        mut rows: ArrayViewMut2<'_, f32>,
    ) -> bool {
        let are_halves = columns.layout != FeatureLayout::Interleaved;
        if !(rows.strides()[1] == 1 && are_halves && columns.are_whole(GROUP)) {
            return false;
        }
        let mut points = Points::new(self, positions, true);
        for mut rows in rows.axis_chunks_iter_mut(Axis(0), POINTS) {
            points.advance();
            let mut rows = rows.rows_mut().into_iter().filter_map(|row| row.into_slice());
            let out = core::array::from_fn(|_| match rows.next() {
                Some(row) => columns.parts(row, 0..self.pairs()),
                None => Parts(&mut [], &mut []),
            });
            points.write::<f32>(0, out);
        }
        true
    }
}

struct RowsOf<'r>(PhantomData<&'r ()>);

impl<'r> OfElement for RowsOf<'r> {
    type Of<A: Element> = ArrayViewMut2<'r, A>;
}

/// Reads the points of a list, eight at a time, and computes their values.
struct Points<'p> {
    projection: &'p Projection,
    positions: &'p Positions<'p>,
    first: usize,
    len: usize,
    /// The coordinates of all these points on each axis.
    splits: PerAxis<[Split; POINTS]>,
    /// The coordinates of one point as they were given.
    given: PerAxis<Position>,
    /// Whether the elements have 32 bits or less.
    are_narrow: bool,
    /// Whether a point takes the fast path. This depends on the point alone, and so do its bits.
    are_fast: [bool; POINTS],
}

impl<'p> Points<'p> {
    fn new(projection: &'p Projection, positions: &'p Positions<'p>, are_narrow: bool) -> Self {
        let splits = PerAxis::new([Split::ZERO; POINTS], positions.axes());
        let given = PerAxis::new(Position::Integer(0), positions.axes());
        let (first, len) = (0, 0);
        let are_fast = [false; POINTS];
        Self { projection, positions, first, len, splits, given, are_narrow, are_fast }
    }

    /// Reads the next points, and returns true if there are any.
    fn advance(&mut self) -> bool {
        self.first += self.len;
        self.len = POINTS.min(self.positions.count() - self.first);
        for (axis, splits) in self.splits.iter_mut().enumerate() {
            let mut reals = [0.0; POINTS];
            self.positions.read(axis, self.first, &mut reals[..self.len]);
            *splits = reals.map(Split::new);
        }
        if self.are_narrow {
            self.are_fast = self.are_near();
        }
        self.len > 0
    }

    /// Returns which points have angles so small, and coordinates so exact, that products of
    /// doubles are accurate.
    fn are_near(&self) -> [bool; POINTS] {
        let mut turns = [0.0; POINTS];
        for (most, splits) in self.projection.most.iter().zip(self.splits.iter()) {
            for (turns, split) in turns.iter_mut().zip(splits) {
                *turns += if split.is_exact() { most * split.whole.abs() } else { f64::INFINITY };
            }
        }
        turns.map(|turns| turns < MOST_TURNS)
    }

    /// Computes the values of the pairs from `first` on. It is not generic, so that its kernel is
    /// compiled in this crate, once.
    fn chunk(&mut self, first: usize, values: &mut [Values; POINTS]) {
        self.write::<f64>(first, values.each_mut().map(|Values { sin, cos }| Parts(sin, cos)));
    }

    /// Writes the values of the pairs from `first` on to the parts of a row for each point.
    fn write<T: Arithmetic + Element>(&mut self, first: usize, mut out: [Parts<'_, T>; POINTS]) {
        let out = &mut out[..self.len];
        let mut in_doubt = [true; POINTS];
        if self.are_fast.contains(&true) {
            let (projection, splits) = (self.projection, &self.splits[..self.projection.axes]);
            let (out, in_doubt) = (&mut *out, &mut in_doubt);
            Near { projection, splits, first, out, in_doubt }.launch(Level::new());
        }
        for (i, parts) in out.iter_mut().enumerate() {
            if in_doubt[i] || !self.are_fast[i] {
                self.given.set(self.positions.coordinates(self.first + i));
                self.settle(self.are_fast[i], first, parts);
            }
        }
    }

    /// Replaces values that are not certain, or all values of a point that has not taken the fast
    /// path, by values of the definition.
    #[inline(never)]
    fn settle<T: Element>(&self, is_fast: bool, first: usize, parts: &mut Parts<'_, T>) {
        let least = self.projection.amplitude.small;
        // Values are rounded to f32 before they are compared, so that f64 values on the stack are
        // replaced in the same cases as f32 values in a row.
        let is_sure = |value: T| is_fast && f64::from(value.to_f64() as f32).abs() >= least;
        let pairs = first..self.projection.pairs();
        for (pair, (sin, cos)) in pairs.zip(parts.0.iter_mut().zip(parts.1.iter_mut())) {
            if !(is_sure(*sin) && is_sure(*cos)) {
                let exact = match self.are_narrow {
                    true => self.projection.exact::<f32>(pair, &self.given),
                    false => self.projection.exact::<f64>(pair, &self.given),
                };
                [*sin, *cos] = exact.map(T::from_f64);
            }
        }
    }
}

/// The fast path, in vectors of doubles.
struct Near<'a, 'o, T> {
    projection: &'a Projection,
    /// The coordinates of all points on each axis.
    splits: &'a [[Split; POINTS]],
    /// The first pair.
    first: usize,
    out: &'a mut [Parts<'o, T>],
    /// Whether a value of a point is so small that it may be wrong.
    in_doubt: &'a mut [bool; POINTS],
}

impl<T: Arithmetic> Kernel for Near<'_, '_, T> {
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        for (i, (out, in_doubt)) in self.out.iter_mut().zip(self.in_doubt).enumerate() {
            let point = self.splits.iter().map(|axis| axis[i]);
            *in_doubt = near(simd, self.projection, point, self.first, out);
        }
    }
}

/// Computes the values of a point, and returns true if one is so small that it may be wrong.
#[inline(always)]
fn near<S: Simd, T: Arithmetic>(
    simd: S,
    projection: &Projection,
    point: impl Iterator<Item = Split> + Clone,
    first: usize,
    out: &mut Parts<'_, T>,
) -> bool {
    /// A sine or a cosine of a larger remainder is not small.
    const SMALL: f64 = 1.0 / (1 << 14) as f64;
    let Projection { amplitude, axes, .. } = *projection;
    let (width, amplitude) = (2 * S::f64s::LEN, amplitude.value);
    let mut least = S::f64s::splat(simd, f64::INFINITY);
    let groups = projection.fixed[axes * (first / GROUP)..].chunks_exact(axes);
    let offsets = projection.offsets[first / 8..].chunks_exact(GROUP / 8);
    let (sines, cosines) = (out.0.chunks_exact_mut(GROUP), out.1.chunks_exact_mut(GROUP));
    for (((fixed, offsets), sines), cosines) in groups.zip(offsets).zip(sines).zip(cosines) {
        for at in (0..GROUP).step_by(width) {
            let mut angle = <f32 as Arithmetic>::load(simd, offsets, at);
            for (fixed, coordinate) in fixed.iter().zip(point.clone()) {
                angle = angle + fixed.quarters(simd, coordinate, at);
            }
            let (x, quarter) = reduced_quarters::<S>(angle);
            least = least.min(x.0.abs()).min(x.1.abs());
            let [sin, cos] = sincos_short(x);
            let [sin, cos] = in_quarter(simd, quarter, sin, cos);
            T::write::<S>(T::round::<S>(sin * amplitude), &mut sines[at..at + width]);
            T::write::<S>(T::round::<S>(cos * amplitude), &mut cosines[at..at + width]);
        }
    }
    let mut lanes = [f64::INFINITY; 8];
    least.store_slice(&mut lanes[..S::f64s::LEN]);
    lanes.iter().any(|value| *value < SMALL)
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;

    use super::*;
    use crate::exact::Wide;
    use crate::phase::Amplitude;
    use crate::simd::InstructionSet;

    /// Compares the fast path with the definition, at points near and far, with terms that cancel.
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
                let points = Array2::from_shape_fn((POINTS + 3, 3), |(i, k)| number(k, i));
                let points = Positions::from_points(&points).unwrap();
                projection.each::<f32>(&points, |_, point, first, values| {
                    let point = &[point[0], point[1], point[2]].map(Position::from);
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
        let splits = [1234.567, -3.0].map(|coordinate| [Split::new(coordinate); POINTS]);
        let values = InstructionSet::available().map(|set| {
            let (mut sin, mut cos) = ([0.0; 48], [0.0; 48]);
            let out = &mut [Parts(&mut sin, &mut cos)];
            let (projection, splits, in_doubt) = (&projection, &splits, &mut [false; POINTS]);
            Near { projection, splits, first: 0, out, in_doubt }.launch(set.level().unwrap());
            [&sin[..37], &cos[..37]].concat()
        });
        let all: Vec<Vec<f64>> = values.collect();
        assert!(all.windows(2).all(|pair| pair[0] == pair[1]));
    }

    /// Checks sines at angles just beside half a turn, which the fast path rounds up and the
    /// definition down.
    #[test]
    fn far_neighbours_change_no_bits() {
        for (x, turns) in [
            (4.474_100_373_681_817, 2.346_838_161_674_915_7),
            (10.664_991_854_004_557, 2.390_999_284_586_529),
            (21.945_878_434_710_16, 1.617_615_257_766_077_2),
        ] {
            let axis = vec![Wide::TAU.mul(Wide::from_f64(turns))];
            let projection = Projection::new(&[axis], &[Wide::ZERO], Amplitude::ONE);
            let sine = |positions: &[f64]| {
                let mut first = f64::NAN;
                projection.each::<f32>(&Positions::from(positions), |index, _, _, values| {
                    first = if index == 0 { values.sin[0] } else { first };
                });
                first as f32
            };
            assert_eq!(sine(&[x]), sine(&[x, 1e9]), "{x}");
        }
    }

    #[test]
    fn terms_that_cancel_are_settled() {
        let axes = [vec![Wide::ONE; GROUP], vec![Wide::ONE.neg(); GROUP]];
        let projection = Projection::new(&axes, &[Wide::ZERO; GROUP], Amplitude::ONE);
        let angles = [0.25, 2_f64.powi(-40), -1.0];
        let points = Array2::from_shape_fn((3, 2), |(i, axis)| [1000.0 + angles[i], 1000.0][axis]);
        let points = Positions::from_points(&points).unwrap();
        projection.each::<f32>(&points, |index, _, _, values| {
            assert_eq!(values.sin[0] as f32, angles[index].sin() as f32);
        });
        let (layout, pairs, last_is_single) = (FeatureLayout::CosSinHalves, GROUP, false);
        let columns = Columns { layout, pairs, last_is_single, dim: 2 * GROUP };
        let mut rows = Array2::<f32>::zeros((3, 2 * GROUP));
        assert!(projection.write_rows(&points, &columns, rows.view_mut()));
        for (row, angle) in rows.rows().into_iter().zip(angles) {
            assert_eq!([row[0], row[GROUP]], [angle.cos() as f32, angle.sin() as f32]);
        }
    }
}
