//! The findings, compared with plain loops on tables of all shapes.

use std::collections::HashMap;

use ndarray::{Array2, ArrayView2};
use positional_encodings::analysis::{
    self, ByDistance, Difference, Measure, RotaryProfile, Spectrum, Untrained,
};
use positional_encodings::{Frequencies, Pairing, Rotary, Sinusoidal};
use proptest::prelude::*;

use crate::{assert_close, random_table, table};

fn dot(table: ArrayView2<'_, f64>, a: usize, b: usize) -> f64 {
    table.row(a).iter().zip(table.row(b)).map(|(a, b)| a * b).sum()
}

/// Returns the mean and the spread of each diagonal of a matrix, from the lower left corner on, and
/// the residual by its definition: the norm of the matrix without the means over its norm.
fn by_diagonal(matrix: &Array2<f64>) -> (Vec<[f64; 2]>, f64) {
    let (rows, columns) = matrix.dim();
    let mut diagonals = vec![Vec::new(); rows + columns - 1];
    for ((row, column), &value) in matrix.indexed_iter() {
        diagonals[rows - 1 - row + column].push(value);
    }
    let (mut left, mut all) = (0.0, 0.0);
    let of = |values: &Vec<f64>| {
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        let outside: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        left += outside;
        all += values.iter().map(|value| value * value).sum::<f64>();
        [mean, (outside / values.len() as f64).sqrt()]
    };
    let figures = diagonals.iter().map(of).collect();
    (figures, if all > 0.0 { (left / all).sqrt() } else { 0.0 })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Blocks of products make up the matrix, also at lengths close to that of a block.
    #[test]
    fn blocks_are_the_whole_matrix(
        rows in 1_usize..700,
        dim in 1_usize..20,
        seed: u64,
        cosine: bool,
    ) {
        let table = random_table(rows, dim, seed);
        let measure = if cosine { Measure::Cosine } else { Measure::Dot };
        let matrix = analysis::similarity(table.view(), measure).unwrap();
        for (row, column) in [(0, rows - 1), (rows / 2, rows / 3), (rows - 1, rows - 1)] {
            let length = |row| dot(table.view(), row, row).sqrt();
            let norm = if cosine { length(row) * length(column) } else { 1.0 };
            let expected = dot(table.view(), row, column) / norm;
            prop_assert!((matrix[[row, column]] - expected).abs() < 1e-12);
        }
        let (expected, residual) = by_diagonal(&matrix);
        let whole = ByDistance::of_matrix(matrix.view()).unwrap();
        let half = ByDistance::of_table(table.view(), measure).unwrap();
        prop_assert_eq!(whole.first, 1 - rows as i64);
        for (index, [mean, spread]) in expected.into_iter().enumerate() {
            prop_assert!((whole.mean[index] - mean).abs() < 1e-10);
            prop_assert!((whole.spread[index] - spread).abs() < 1e-7);
            let distance = index as i64 + whole.first;
            prop_assert_eq!(whole.at(distance), Some(whole.mean[index]));
            let own = half.at(distance.abs()).unwrap();
            prop_assert!((own - mean).abs() < 1e-10, "{} {} {}", distance, own, mean);
        }
        prop_assert!((whole.toeplitz_residual() - residual).abs() < 1e-7);
        prop_assert!((half.toeplitz_residual() - residual).abs() < 1e-7);
        prop_assert_eq!(whole.first_asymmetry(1e-9), None);
    }

    #[test]
    fn the_first_rise_is_the_nearest(
        values in prop::collection::vec(-2_i8..3, 1..12),
        first in -8_i64..1,
    ) {
        let values: Vec<f64> = values.into_iter().map(f64::from).collect();
        let curve = ByDistance::of_curve(first, ndarray::aview1(&values)).unwrap();
        let at = |distance: i64| usize::try_from(distance - first).ok().and_then(|i| values.get(i));
        let mut rises = Vec::new();
        let mut steps = 0;
        for distance in (1..40).flat_map(|distance| [distance, -distance]) {
            if let (Some(far), Some(near)) = (at(distance), at(distance - distance.signum())) {
                steps += 1;
                if far > near { rises.push(distance) }
            }
        }
        prop_assert_eq!(curve.first_rise(0.0), rises.first().copied());
        // Curves on one side of 0 have all their steps there.
        if steps == values.len() - 1 {
            let share = if steps == 0 { 1.0 } else { 1.0 - rises.len() as f64 / steps as f64 };
            prop_assert!((curve.monotone_share() - share).abs() < 1e-12);
        }
    }

    #[test]
    fn the_nearest_pair_and_the_collisions(
        rows in 2_usize..160,
        dim in 1_usize..6,
        seed: u64,
        coarse: bool,
    ) {
        let mut table = random_table(rows, dim, seed);
        if coarse {
            table.mapv_inplace(|value| (value * 2.0).round() / 2.0);
        }
        let nearest = analysis::nearest_pair(table.view()).unwrap();
        let apart = |a: usize, b: usize| {
            let both = table.row(a).into_iter().zip(table.row(b));
            both.map(|(a, b)| (a - b) * (a - b)).sum::<f64>().sqrt()
        };
        let pairs = (0..rows).flat_map(|b| (0..b).map(move |a| (a, b)));
        let least = pairs.map(|(a, b)| apart(a, b)).fold(f64::INFINITY, f64::min);
        prop_assert_eq!(nearest.distance, least);
        prop_assert_eq!(apart(nearest.positions[0], nearest.positions[1]), least);
        let mut known: HashMap<Vec<u32>, Vec<usize>> = HashMap::new();
        for (row, values) in table.outer_iter().enumerate() {
            let key = values.iter().map(|value| (*value as f32 + 0.0).to_bits()).collect();
            known.entry(key).or_default().push(row);
        }
        let mut expected: Vec<_> = known.into_values().filter(|group| group.len() > 1).collect();
        expected.sort();
        prop_assert_eq!(analysis::collisions::<f64, f32>(table.view()).unwrap(), expected);
    }

    /// Scores of rotated queries and keys equal those from the products of their pairs.
    #[test]
    fn products_give_the_scores(seed: u64, halves: bool, last: bool, start in 0_usize..100_000) {
        let pairing = if halves { Pairing::Halves } else { Pairing::Interleaved };
        let mut rotary = Rotary::new(Frequencies::geometric(8, 100.0).unwrap(), pairing);
        if last { rotary = rotary.on_last_features() }
        let both = random_table(2, 12, seed);
        let rotation = rotary.at::<f64>(start..start + 30).unwrap();
        let products = analysis::pair_products(both.row(0), both.row(1), &rotation).unwrap();
        let kernel = analysis::rotary_kernel(&rotation, &products).unwrap();
        let rotated = |row: usize| {
            let mut rows = Array2::from_shape_fn((30, 12), |(_, column)| both[[row, column]]);
            rotation.apply(rows.view_mut()).unwrap();
            rows
        };
        let (queries, keys) = (rotated(0), rotated(1));
        let features = rotary.rotated_features(12).unwrap();
        let still = (0..12).filter(|i| !features.contains(i));
        let still: f64 = still.map(|i| both[[0, i]] * both[[1, i]]).sum();
        for (distance, score) in kernel.iter().enumerate() {
            let expected = queries.row(distance).dot(&keys.row(0));
            prop_assert!((score + still - expected).abs() < 1e-12);
        }
    }

    /// The moments in closed form equal those of all distances, one by one, for slow, fast and
    /// equal waves and for waves that make a whole number of turns.
    #[test]
    fn moments_are_those_of_all_distances(
        len in 2_usize..600,
        exponents in prop::collection::vec(-12.0_f64..1.0, 1..6),
        seed: u64,
        whole in 0_u8..4,
    ) {
        let mut radians: Vec<f64> = exponents.iter().map(|e| 10_f64.powf(*e)).collect();
        match whole {
            0 => radians.push(0.0),
            1 => radians.push(radians[0]),
            2 => radians.push(-radians[0]),
            _ => {}
        }
        let products: Vec<[f64; 2]> =
            random_table(radians.len(), 2, seed).outer_iter().map(|row| [row[0], row[1]]).collect();
        let frequencies = Frequencies::from_radians(radians.iter().copied()).unwrap();
        let profile = RotaryProfile::of(&frequencies, &products, len).unwrap();
        let rotary = Rotary::new(frequencies, Pairing::Halves);
        let rotation = rotary.at::<f64>(0..len).unwrap();
        let scores = analysis::rotary_kernel(&rotation, &products).unwrap();
        let mean = scores.iter().sum::<f64>() / len as f64;
        let variance = scores.iter().map(|score| (score - mean).powi(2)).sum::<f64>() / len as f64;
        prop_assert!((profile.mean - mean).abs() < 1e-10, "{} {mean}", profile.mean);
        prop_assert!((profile.variance - variance).abs() < 1e-9, "{} {variance}", profile.variance);
        let changes: f64 = scores.windows(2).map(|pair| (pair[1] - pair[0]).abs()).sum();
        let norm = products.iter().flatten().map(|part| part * part).sum::<f64>().sqrt();
        let sensitivity = changes / (len - 1) as f64 / norm;
        prop_assert!((profile.sensitivity - sensitivity).abs() < 1e-11);
        prop_assert!((0.0..=1.0).contains(&profile.reversal));
    }

    /// The eigenvalues sum to the variance of all values, whichever side is shorter.
    #[test]
    fn variances_sum_to_the_whole(rows in 2_usize..40, dim in 1_usize..40, seed: u64) {
        let table = random_table(rows, dim, seed);
        let spectrum = Spectrum::of(table.view()).unwrap();
        let column = |column: ndarray::ArrayView1<'_, f64>| {
            let mean = column.sum() / rows as f64;
            column.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / rows as f64
        };
        let all: f64 = table.columns().into_iter().map(column).sum();
        prop_assert!((spectrum.variances.iter().sum::<f64>() - all).abs() < 1e-10);
        prop_assert!(spectrum.variances.is_sorted_by(|a, b| a >= b));
        let rank = spectrum.effective_rank();
        prop_assert!(rank > 0.99 && rank <= rows.min(dim) as f64 + 1e-9);
        prop_assert_eq!(spectrum.components_for(2.0), rows.min(dim));
    }

    #[test]
    fn differences(rows in 1_usize..30, dim in 1_usize..10, seed: u64) {
        let (a, b) = (random_table(rows, dim, seed), random_table(rows, dim, seed.wrapping_add(1)));
        let difference = Difference::of(a.view(), b.view()).unwrap();
        let apart = (&a - &b).mapv(f64::abs);
        prop_assert_eq!(difference.largest, apart.iter().copied().fold(0.0, f64::max));
        prop_assert_eq!(apart[[difference.row, difference.column]], difference.largest);
        let squares: f64 = apart.iter().map(|value| value * value).sum();
        let rms = (squares / apart.len() as f64).sqrt();
        prop_assert!((difference.rms - rms).abs() < 1e-14);
        let errors = analysis::largest_errors(a.view(), b.view()).unwrap();
        for (error, row) in errors.iter().zip(apart.outer_iter()) {
            prop_assert_eq!(*error, row.iter().copied().fold(0.0, f64::max));
        }
    }
}

/// Ridge regression with almost no penalty is least squares: a plane is recovered, whichever side
/// of the table is longer.
#[test]
fn probes_find_what_is_linear() {
    let mut rows = random_table(60, 90, 3) * 1e-3;
    for (row, mut values) in rows.outer_iter_mut().enumerate() {
        values[17] += 5.0 + 0.5 * row as f64;
    }
    let probe = analysis::probe_position(rows.view(), 1e-9).unwrap();
    assert!(probe.r_squared > 0.9999 && probe.largest_error < 0.2, "{probe:?}");
    let tall = rows.slice(ndarray::s![.., 10..20]);
    let probe = analysis::probe_position(tall, 1e-9).unwrap();
    assert!(probe.r_squared > 0.9999999 && probe.largest_error < 0.02, "{probe:?}");
    // A constant table has no positions to read, and the identity shifts it.
    let constant = Array2::from_elem((20, 3), 4.0);
    assert!(analysis::probe_position(constant.view(), 1e-6).unwrap().r_squared <= 0.0);
    assert_eq!(analysis::probe_shift(constant.view(), 2, 1e-6).unwrap(), 1.0);
}

/// Untrained rows past the end are found, and trained ones are not.
#[test]
fn untrained_rows_are_found() {
    let mut rows = table(&Sinusoidal::new(384).unwrap(), 200);
    let random = random_table(200, 384, 11);
    rows.slice_mut(ndarray::s![150..180, ..]).assign(&random.slice(ndarray::s![150..180, ..]));
    rows.slice_mut(ndarray::s![190..195, ..]).fill(0.0);
    let copied = rows.row(195).to_owned();
    rows.row_mut(196).assign(&copied);
    let found: HashMap<usize, Untrained> = analysis::untrained_rows(rows.view())
        .unwrap()
        .into_iter()
        .map(|found| (found.row, found.reason))
        .collect();
    for row in 0..200 {
        let expected = match row {
            150..180 => Some(Untrained::Unrelated),
            190..=194 => Some(Untrained::Zero),
            196 => Some(Untrained::Copy),
            _ => None,
        };
        assert_eq!(found.get(&row).copied(), expected, "row {row}");
    }
    assert!(analysis::untrained_rows(random.view()).unwrap().len() > 190);
    assert_eq!(analysis::untrained_rows(random_table(9, 8, 1).view()).unwrap(), []);
    assert_close(analysis::RowNorms::of(rows.view()).unwrap().norms[192], 0.0, 0.0);
}

/// All distances of 8192 positions of 1024 features, on one thread: 33 million products in blocks.
#[test]
#[ignore = "a time on a quiet machine, with --release"]
fn long_tables_take_less_than_a_second() {
    let table = random_table(8192, 1024, 2).mapv(|value| value as f32);
    let start = std::time::Instant::now();
    let similar = ByDistance::of_table(table.view(), Measure::Cosine).unwrap();
    let time = start.elapsed();
    println!("{time:?}");
    assert_close(similar.mean[0], 1.0, 1e-6);
    assert!(time.as_secs_f64() < 1.0, "{time:?}");
}
