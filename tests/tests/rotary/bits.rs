//! Every instruction set, every layout and threads give the bits of the formula.

use ndarray::{Array3, Axis, s};
use positional_encodings::{Element, Pairing, Rotation, testing::InstructionSet};

use crate::apply::plain;

fn bits<T: Element>(values: &ndarray::Array4<T>) -> Vec<u64> {
    values.iter().map(|value| value.to_f64().to_bits()).collect()
}

/// Every row by the formula, a pair at a time, in the arithmetic of the angles and rounded once.
fn expected<T: Element>(
    q: &ndarray::Array4<T>,
    rotation: &Rotation<T::Angle>,
    back: bool,
    last: bool,
) -> ndarray::Array4<T> {
    let (dim, mut turned) = (rotation.dim(), q.clone());
    let start = if last { q.dim().3 - dim } else { 0 };
    let wide = |value: T| T::Angle::from_f64(value.to_f64());
    let round = |value: T::Angle| T::from_f64(value.to_f64());
    for (position, mut rows) in turned.axis_iter_mut(Axis(2)).enumerate() {
        let [cos, sin] = rotation.cos_sin(position).unwrap();
        for mut row in rows.rows_mut() {
            for (pair, (&cos, &sin)) in cos.iter().zip(sin).enumerate() {
                let [i, j] = match rotation.pairing() {
                    Pairing::Halves => [start + pair, start + pair + dim / 2],
                    _ => [start + 2 * pair, start + 2 * pair + 1],
                };
                let (x, y, sin) = (wide(row[i]), wide(row[j]), if back { -sin } else { sin });
                (row[i], row[j]) = (round(x * cos - y * sin), round(y * cos + x * sin));
            }
        }
    }
    turned
}

fn same_bits<T: Element>(pairs: usize, pairing: Pairing, last: bool, set: InstructionSet) {
    let mut rotary = plain(2 * pairs, 1e4, pairing).with_instruction_set(set).unwrap();
    if last {
        rotary = rotary.on_last_features();
    }
    let rotation = rotary.at::<T::Angle>(1000..1003).unwrap();
    let width = 2 * pairs + pairs % 3;
    // Six heads: a group of four, and two.
    let q = ndarray::Array4::from_shape_fn((1, 6, 3, width), |(_, h, p, d)| {
        let value = ((h * 31 + p * 17 + d * 7) as f64).sin();
        T::from_f64(if d % 11 == 3 { -0.0 } else { value * 2_f64.powi(d as i32 % 60 - 50) })
    });
    for (rotation, back) in [(rotation.clone(), false), (rotation.gradient(), true)] {
        let expected = expected(&q, &rotation, back, last);
        let same = |found: &ndarray::Array4<T>, layout: &str| {
            assert_eq!(
                bits(found),
                bits(&expected),
                "{pairs} pairs, {pairing:?}, {}, {layout}",
                set.name()
            );
        };
        let mut standard = q.clone();
        rotation.apply(standard.view_mut()).unwrap();
        same(&standard, "heads outside");
        let mut inside = q.view().permuted_axes([0, 2, 1, 3]).as_standard_layout().into_owned();
        rotation.apply(inside.view_mut().permuted_axes([0, 2, 1, 3])).unwrap();
        same(&inside.permuted_axes([0, 2, 1, 3]).as_standard_layout().into_owned(), "heads inside");
        // With gaps between heads, positions and features, and in reverse
        let one = T::one();
        let mut holes = ndarray::Array4::from_elem((1, 12, 7, 3 * width + 1), one);
        for slice in [s![.., ..;2, 1..;2, 1..width + 1], s![.., ..;-2, 1..;-2, ..2 * width;2]] {
            holes.fill(one);
            let mut view = holes.slice_mut(slice);
            view.assign(&q);
            rotation.apply(view.view_mut()).unwrap();
            same(&view.to_owned(), "with holes");
            view.fill(one);
            assert!(holes.iter().all(|&value| value == one), "written outside of the view");
        }
    }
}

/// Whole vectors, tiles of vectors, remainders, and fewer pairs than the lanes of a vector.
#[test]
fn instruction_sets_give_the_formula() {
    for set in InstructionSet::available() {
        for pairs in (1..=40).chain([47, 64, 65, 71, 96, 100, 127, 130, 256]) {
            for (pairing, last) in [(Pairing::Halves, false), (Pairing::Interleaved, true)] {
                same_bits::<f32>(pairs, pairing, last, set);
                same_bits::<f64>(pairs, pairing, last, set);
                #[cfg(feature = "half")]
                same_bits::<half::f16>(pairs, pairing, last, set);
                #[cfg(feature = "half")]
                same_bits::<half::bf16>(pairs, pairing, last, set);
            }
        }
    }
}

/// Many rows, divided among threads, and angles in more than one block.
#[test]
fn long_arrays_are_made_of_short_ones() {
    let rotary = plain(64, 1e4, Pairing::Interleaved);
    let rotation = rotary.at::<f32>(0..5000).unwrap();
    let q = Array3::from_shape_fn((7, 5000, 64), |(h, p, d)| ((h * 7 + p * 3 + d) as f32).sin());
    let mut expected = q.clone();
    for (i, mut rows) in expected.axis_chunks_iter_mut(Axis(1), 1).enumerate() {
        rotary.at(i..i + 1).unwrap().apply(rows.view_mut()).unwrap();
    }
    let mut found = q.clone();
    rotation.apply(found.view_mut()).unwrap();
    assert_eq!(found, expected);
}

/// A rotation by 0 keeps every finite number of a 16-bit type, and other numbers stay not finite.
#[cfg(feature = "half")]
#[test]
fn sixteen_bits_survive() {
    for set in InstructionSet::available() {
        let rotation = |pairing| plain(64, 1e4, pairing).with_instruction_set(set).unwrap();
        for pairing in [Pairing::Halves, Pairing::Interleaved] {
            let mut all = ndarray::Array2::from_shape_fn((1024, 64), |(i, j)| {
                half::bf16::from_bits((64 * i + j) as u16)
            });
            all.mapv_inplace(|x| if x.is_finite() { x } else { half::bf16::ZERO });
            let before = all.clone();
            rotation(pairing).at(0..1).unwrap().apply(all.view_mut().insert_axis(Axis(1))).unwrap();
            assert_eq!(all, before);
            let mut all = ndarray::Array2::from_shape_fn((1024, 64), |(i, j)| {
                half::f16::from_bits((64 * i + j) as u16)
            });
            all.mapv_inplace(|x| if x.is_finite() { x } else { half::f16::ZERO });
            let before = all.clone();
            rotation(pairing).at(0..1).unwrap().apply(all.view_mut().insert_axis(Axis(1))).unwrap();
            assert_eq!(all, before);
            let mut special = ndarray::Array2::from_elem((1, 64), half::f16::INFINITY);
            special.fill(half::f16::NAN);
            rotation(pairing).at(0..1).unwrap().apply(special.view_mut()).unwrap();
            assert!(special.iter().all(|x| x.is_nan()));
            let mut large = ndarray::Array2::from_elem((1, 64), half::f16::MAX);
            rotation(pairing).at(4..5).unwrap().apply(large.view_mut()).unwrap();
            assert!(large.iter().any(|x| x.is_infinite()), "too large is infinite");
        }
    }
}
