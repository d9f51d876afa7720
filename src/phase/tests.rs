//! Checks that every path gives the bits that `plain` defines, for every element type, layout and
//! instruction set.

use ndarray::{Array2, Axis};

use super::elements::RowElement;
use super::fixed::GROUP;
use super::plain::value;
use super::{Amplitude, Columns, FeatureLayout, Waves};
use crate::element::Element;
use crate::frequencies::wide::Wide;
use crate::positions::Positions;
use crate::simd::InstructionSet;

/// Returns the row that `plain` defines.
fn defined<A: RowElement>(
    waves: &Waves,
    columns: &Columns,
    positions: &Positions<'_>,
) -> Array2<A> {
    Array2::from_shape_fn((positions.len(), columns.dim), |(row, column)| {
        if column >= columns.used() {
            return A::zero();
        }
        let (pair, is_sine) = columns.pair_of(column);
        let (fixed, at) = (&waves.fixed[pair / GROUP], pair % GROUP);
        let position = positions.get(row).unwrap();
        let value = value::<A::Target>(fixed, at, position, waves.amplitude);
        let own = super::plain::own(fixed, at, position, waves.amplitude);
        let [value, own] = [value, own].map(|value| if is_sine { value.sin } else { value.cos });
        // By way of f32 for 16-bit elements.
        let rounded = A::Target::from_f64(value);
        let is_between = A::is_between(rounded);
        A::from_f64(if is_between { own } else { rounded.to_f64() })
    })
}

fn check<A: RowElement>(waves: &Waves, columns: &Columns, positions: &Positions<'_>) {
    let expected = defined::<A>(waves, columns, positions);
    let shape = (positions.len(), columns.dim);
    let bits = |array: &Array2<A>| array.mapv(|value| value.to_f64().to_bits());
    let mut flat = Array2::from_elem(shape, A::one());
    waves.rows(positions, columns, flat.view_mut());
    for ((index, found), expected) in bits(&flat).indexed_iter().zip(&bits(&expected)) {
        let (found, expected) = (f64::from_bits(*found), f64::from_bits(*expected));
        let position = positions.get(index.0);
        assert_eq!(
            found.to_bits(),
            expected.to_bits(),
            "{found:e} {expected:e} {index:?} {position:?}"
        );
    }
    // Rows with gaps between them, and features with gaps between them.
    let mut wide = Array2::from_elem((shape.0, shape.1 + 3), A::one());
    let mut apart = wide.slice_axis_mut(Axis(1), (1..=shape.1).into());
    waves.rows(positions, columns, apart.view_mut());
    assert_eq!(bits(&apart.to_owned()), bits(&expected));
    let mut transposed = Array2::from_elem((shape.1, shape.0), A::one());
    waves.rows(positions, columns, transposed.view_mut().reversed_axes());
    assert_eq!(bits(&transposed.reversed_axes().as_standard_layout().to_owned()), bits(&expected));
}

fn check_all<A: RowElement>() {
    let ids = [5_i64, 5, 5, -3, 1 << 40, (1 << 40) + 1, -(1 << 61), 0, 0, 77, 300, 301, 302];
    let reals = [0.5, -2.25, 1e-300, 3e15 + 0.5, 17.0, 18.0, 19.0, 20.0];
    let lists = [
        Positions::from(0..300),
        Positions::from(125..131),
        Positions::from(4000..4022),
        Positions::from((1 << 53) - 9..1 << 53),
        Positions::from(&ids),
        Positions::from(&reals),
        Positions::from(vec![-130_i64, -129, -128, -127, -8, -7, -6, -5, -4, -3, -2, -1, 0, 1]),
    ];
    let layouts =
        [FeatureLayout::Interleaved, FeatureLayout::SinCosHalves, FeatureLayout::CosSinHalves];
    for (pairs, ratio) in [(1, 1.0), (16, 0.5), (37, 0.8), (288, 0.97)] {
        let frequency = |i| Wide::from_f64(if i % 7 == 6 { 0.0 } else { f64::powi(ratio, i) });
        let frequencies: Vec<Wide> = (0..pairs as i32).map(frequency).collect();
        for amplitude in [1.0, -1.75, 1e-3, 0.0] {
            let amplitude = Amplitude::new(amplitude).unwrap();
            for set in InstructionSet::available() {
                let waves = Waves::new(&frequencies, amplitude).with_level(set.level().unwrap());
                for (layout, (last_is_single, zeros)) in
                    layouts.into_iter().zip([(false, 0), (true, 2), (false, 1)])
                {
                    let dim = 2 * pairs - usize::from(last_is_single) + zeros;
                    let columns = Columns { layout, pairs, last_is_single, dim };
                    lists.iter().for_each(|list| check::<A>(&waves, &columns, list));
                }
            }
        }
    }
}

#[test]
fn every_path_gives_the_defined_bits() {
    check_all::<f32>();
    check_all::<f64>();
}

/// Checks runs that are cut into longer chunks of pairs, and the remainders at both ends of the run
/// and of the chunks.
#[test]
fn long_runs_give_the_defined_bits() {
    fn check_long<A: RowElement>() {
        let frequency = |i| Wide::from_f64(f64::powi(0.98, i));
        let (pairs, last_is_single) = (528, false);
        let frequencies: Vec<Wide> = (0..pairs as i32).map(frequency).collect();
        for layout in [FeatureLayout::Interleaved, FeatureLayout::CosSinHalves] {
            let columns = Columns { layout, pairs, last_is_single, dim: 2 * pairs };
            let waves = Waves::new(&frequencies, Amplitude::ONE);
            check::<A>(&waves, &columns, &Positions::from(125..125 + 1030));
        }
    }
    check_long::<f32>();
    check_long::<f64>();
}

#[cfg(feature = "half")]
#[test]
fn every_path_gives_the_defined_bits_of_16() {
    check_all::<half::f16>();
    check_all::<half::bf16>();
}
