//! Checks that every path gives the bits of the definition, for drawn frequencies, amplitudes,
//! positions and places in memory, for every element type, layout and instruction set.

use ndarray::{Array2, Axis};
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};

use super::definition::value;
use super::fixed::GROUP;
use super::row_element::RowElement;
use super::{Amplitude, Columns, FeatureLayout, Waves};
use crate::exact::Wide;
use crate::positions::Positions;
use crate::simd::InstructionSet;

/// The frequencies and the amplitude of a case, with each instruction set, and its columns.
struct Case {
    waves: Vec<Waves>,
    columns: Columns,
}

impl Case {
    /// Draws a case with `pairs` pairs.
    fn draw(rng: &mut SmallRng, pairs: usize) -> Self {
        let ratio = rng.random_range(0.5..1.0_f64);
        let first = 2_f64.powi(rng.random_range(-20..4)) * rng.random_range(-1.0..1.0);
        let frequency = |i| match i % 7 {
            6 => Wide::ZERO,
            _ => Wide::from_f64(first * f64::powi(ratio, i)),
        };
        let frequencies: Vec<Wide> = (0..pairs as i32).map(frequency).collect();
        let amplitude = match rng.random_range(0..4) {
            0 => 0.0,
            1 => 1.0,
            _ => 2_f64.powi(rng.random_range(-64..63)) * rng.random_range(-2.0..-1.0),
        };
        let waves = Waves::new(&frequencies, Amplitude::new(amplitude).unwrap());
        let sets = InstructionSet::available().map(|set| set.level().unwrap());
        let waves = sets.map(|level| waves.clone().with_level(level)).collect();
        use FeatureLayout::{CosSinHalves, Interleaved, SinCosHalves};
        let layout = [Interleaved, SinCosHalves, CosSinHalves][rng.random_range(0..3)];
        let last_is_single = layout != Interleaved && rng.random_range(0..3) == 0;
        let zeros = [0, 0, 1, 2][rng.random_range(0..4)];
        let dim = 2 * pairs - usize::from(last_is_single) + zeros;
        Self { waves, columns: Columns { layout, pairs, last_is_single, dim } }
    }

    /// Compares the rows at some positions with the definition: contiguous ones, rows with gaps
    /// between them, and features that are apart in memory.
    fn check<A: RowElement>(&self, positions: &Positions<'_>) {
        let shape @ (rows, dim) = (positions.len(), self.columns.dim);
        let bits = |array: &Array2<A>| array.mapv(|value| value.to_f64().to_bits());
        let expected = bits(&self.defined::<A>(positions));
        for waves in &self.waves {
            let is_same = |found: &Array2<A>| {
                for ((index, found), expected) in bits(found).indexed_iter().zip(&expected) {
                    let [found_value, value] = [*found, *expected].map(f64::from_bits);
                    let position = positions.get(index.0);
                    let place = format!("{index:?} at {position:?}: {found_value:e}, {value:e}");
                    assert_eq!(found, expected, "{place}, {:?}, {waves:?}", self.columns);
                }
            };
            let mut flat = Array2::from_elem(shape, A::one());
            waves.rows(positions, &self.columns, flat.view_mut());
            is_same(&flat);
            let mut wide = Array2::from_elem((rows, dim + 3), A::one());
            let mut gaps = wide.slice_axis_mut(Axis(1), (1..=dim).into());
            waves.rows(positions, &self.columns, gaps.view_mut());
            is_same(&gaps.to_owned());
            let mut transposed = Array2::from_elem((dim, rows), A::one());
            waves.rows(positions, &self.columns, transposed.view_mut().reversed_axes());
            is_same(&transposed.reversed_axes());
        }
    }

    fn defined<A: RowElement>(&self, positions: &Positions<'_>) -> Array2<A> {
        let (waves, columns) = (&self.waves[0], self.columns);
        let mut rows = Array2::zeros((positions.len(), columns.dim));
        for (mut row, position) in rows.rows_mut().into_iter().zip(positions.iter()) {
            let pair = |pair| value(waves.pair(pair), position, waves.amplitude);
            let pairs: Vec<[A; 2]> = (0..columns.pairs).map(pair).collect();
            for (column, out) in row.iter_mut().enumerate().take(columns.used()) {
                let (pair, is_sine) = columns.pair_of(column);
                *out = pairs[pair][usize::from(!is_sine)];
            }
        }
        rows
    }
}

/// Draws a list of positions of each kind: runs, near and far, of any length and from any step of a
/// block; the same ones again; single integers; reals.
fn lists(rng: &mut SmallRng) -> Vec<Positions<'static>> {
    let mut start = || {
        let far = 1_i64 << rng.random_range(0..61);
        rng.random_range(-far..=far)
    };
    let starts: [i64; 24] = core::array::from_fn(|_| start());
    let run = |start: i64, len| Positions::from((start..start + len).collect::<Vec<i64>>());
    let mut lists = vec![
        run(-rng.random_range(0..130), rng.random_range(1..300)),
        run(starts[0], rng.random_range(1..300)),
        run(starts[1], rng.random_range(1..20)),
        Positions::from(starts.to_vec()),
    ];
    let mixed = starts.iter().flat_map(|&start| match start.rem_euclid(4) {
        0 => vec![start; 3],
        1 => (start..start + 9).collect(),
        _ => vec![start],
    });
    lists.push(Positions::from(mixed.collect::<Vec<i64>>()));
    let mut real = || match rng.random_range(0..4) {
        0 => f64::from(rng.random_range(-40_i8..40)),
        1 => rng.random_range(-1.0..1.0) * 2_f64.powi(rng.random_range(-1000..0)),
        _ => rng.random_range(-1.0..1.0) * 2_f64.powi(rng.random_range(0..61)),
    };
    lists.push(Positions::from((0..24).map(|_| real()).collect::<Vec<f64>>()));
    lists
}

/// Checks `cases` drawn cases, each with lists of positions of each kind.
fn check<A: RowElement>(cases: u64) {
    for seed in 0..cases {
        let rng = &mut SmallRng::seed_from_u64(seed);
        // Whole groups of pairs are written to their place, others by way of the stack.
        let groups = rng.random_range(0..12);
        let rest = [0, rng.random_range(1..GROUP)][rng.random_range(0..2)];
        let case = Case::draw(rng, (GROUP * groups + rest).max(1));
        lists(rng).iter().for_each(|positions| case.check::<A>(positions));
    }
}

/// Checks runs that are cut into longer chunks of pairs, and the remainders at both ends of the run
/// and of the chunks.
fn check_long<A: RowElement>(seed: u64) {
    let rng = &mut SmallRng::seed_from_u64(seed);
    let case = Case::draw(rng, 528);
    let start = rng.random_range(-2000..2000);
    case.check::<A>(&Positions::from((start..start + 1030).collect::<Vec<i64>>()));
}

#[test]
fn every_path_gives_the_defined_bits() {
    check::<f32>(24);
    check::<f64>(24);
}

#[test]
fn long_runs_give_the_defined_bits() {
    for seed in 0..3 {
        check_long::<f32>(seed);
        check_long::<f64>(seed);
    }
}

#[cfg(feature = "half")]
#[test]
fn every_path_gives_the_defined_bits_of_16() {
    check::<half::f16>(12);
    check::<half::bf16>(12);
    check_long::<half::f16>(3);
    check_long::<half::bf16>(4);
}
