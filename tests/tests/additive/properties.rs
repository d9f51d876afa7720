//! Laws for all inputs, tested on random ones.

use ndarray::{Array, Array1, Array2, Array3, ArrayD, ArrayView2, Axis, IxDyn, Slice};
use positional_encodings::{
    Element, FeatureLayout, Frequencies, Learned, OddDim, PositionalEncoding, Positions,
    Sinusoidal, TokenEmbedding, add_positions_at, concat_positions_at, embed_with_positions,
    embed_with_positions_at, ids, testing::InstructionSet,
};
use proptest::prelude::*;

const LAST: i64 = (1 << 53) - 1;

fn config() -> ProptestConfig {
    // No files of failed cases next to the sources; a failure prints its input.
    ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() }
}

fn base() -> impl Strategy<Value = f64> {
    prop_oneof![Just(1e4), Just(5e5), 1.0..1e8_f64, 1e-3..1.0_f64]
}

fn frequencies() -> impl Strategy<Value = Frequencies> {
    let pairs = 1..48_usize;
    prop_oneof![
        (pairs.clone(), base())
            .prop_map(|(pairs, base)| Frequencies::geometric(2 * pairs, base).unwrap()),
        (pairs.clone(), base()).prop_map(|(pairs, base)| Frequencies::geometric_inclusive(
            2 * pairs,
            base
        )
        .unwrap()),
        (pairs, 0.5..1e5_f64)
            .prop_map(|(pairs, period)| Frequencies::harmonic(2 * pairs, period).unwrap()),
        prop::collection::vec(-7.0..7.0_f64, 1..40)
            .prop_map(|list| Frequencies::from_radians(list).unwrap()),
    ]
}

fn layout() -> impl Strategy<Value = FeatureLayout> {
    prop_oneof![
        Just(FeatureLayout::Interleaved),
        Just(FeatureLayout::SinCosHalves),
        Just(FeatureLayout::CosSinHalves)
    ]
}

/// Any encoding by formula: layouts, odd dims, columns of zeros, padding, amplitudes.
fn sinusoidal() -> impl Strategy<Value = Sinusoidal> {
    let amplitude = prop_oneof![Just(1.0), -3.0..3.0_f64];
    (frequencies(), layout(), any::<bool>(), 0..3_usize, prop::option::of(-5..40_i64), amplitude)
        .prop_map(|(frequencies, layout, drop_last, zeros, padding, amplitude)| {
            let mut encoding = Sinusoidal::from_frequencies(frequencies).with_layout(layout);
            if drop_last {
                encoding = encoding.drop_last();
            }
            let dim = encoding.dim() + zeros;
            encoding = encoding.padded_to(dim).unwrap().with_amplitude(amplitude).unwrap();
            match padding {
                Some(position) => encoding.with_zero_position(position),
                None => encoding,
            }
        })
}

/// Positions of all magnitudes.
fn position() -> impl Strategy<Value = i64> {
    (0..=53_u32, any::<i64>()).prop_map(|(bits, any)| (any % (1_i64 << bits)).clamp(-LAST, LAST))
}

fn ids_list(len: impl Into<prop::collection::SizeRange>) -> impl Strategy<Value = Vec<i64>> {
    // Runs of consecutive ids with jumps between them.
    prop::collection::vec((position(), prop::bool::weighted(0.2)), len).prop_map(|list| {
        let mut previous = 0;
        let next = |(jump, jumps): (i64, bool)| {
            previous = if jumps { jump } else { previous + 1 };
            previous
        };
        list.into_iter().map(next).collect()
    })
}

fn encode<A: Element>(encoding: &Sinusoidal, positions: Positions<'_>) -> Array2<A> {
    encoding.encode(&positions).unwrap()
}

fn bits<'a, A: Element>(values: impl IntoIterator<Item = &'a A>) -> Vec<u64> {
    values.into_iter().map(|value| value.to_f64().to_bits()).collect()
}

fn dot(a: &Array2<f64>, b: &Array2<f64>) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// Words with different values.
fn words(shape: &[usize]) -> ArrayD<f32> {
    let mut n = 0_u32;
    ArrayD::from_shape_simple_fn(shape, || {
        n = n.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (n >> 8) as f32 / (1 << 24) as f32 - 0.5
    })
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn the_square_of_a_row_is_half_the_dim(frequencies in frequencies(), layout in layout(), p in position()) {
        let encoding = Sinusoidal::from_frequencies(frequencies).with_layout(layout);
        let row = encode(&encoding, Positions::from(&[p]));
        let half = encoding.dim() as f64 / 2.0;
        prop_assert!((dot(&row, &row) - half).abs() <= 1e-15 * half * 2.0, "{}", dot(&row, &row) - half);
    }

    #[test]
    fn the_product_of_rows_depends_on_their_distance(
        frequencies in frequencies(), layout in layout(), p in position(), q in position(), shift in position(),
    ) {
        let (p, q, shift) = (p / 2, q / 2, shift / 2);
        let pairs = frequencies.len();
        let encoding = Sinusoidal::from_frequencies(frequencies).with_layout(layout);
        let row = |p: i64| encode::<f64>(&encoding, Positions::from(&[p]));
        let product = dot(&row(p), &row(q));
        let tolerance = 1e-15 * 4.0 * pairs as f64;
        prop_assert!((product - dot(&row(p + shift), &row(q + shift))).abs() <= tolerance);
        // The product is the sum of the cosines at the distance.
        let distance = encode::<f64>(&encoding.with_layout(FeatureLayout::CosSinHalves), Positions::from(&[p - q]));
        prop_assert!((product - distance.iter().take(pairs).sum::<f64>()).abs() <= tolerance);
    }

    #[test]
    fn a_shift_is_one_block_rotation(frequencies in frequencies(), list in ids_list(1..20), k in position()) {
        let list: Vec<i64> = list.iter().map(|p| p / 2).collect();
        let shifted: Vec<i64> = list.iter().map(|p| p + k / 2).collect();
        let encoding = Sinusoidal::from_frequencies(frequencies);
        let rotation = encode::<f64>(&encoding, Positions::from(&[k / 2]));
        let (before, after) = (encode::<f64>(&encoding, Positions::from(&list)), encode::<f64>(&encoding, Positions::from(&shifted)));
        for (before, after) in before.rows().into_iter().zip(after.rows()) {
            for i in (0..before.len()).step_by(2) {
                let (sin, cos) = (rotation[[0, i]], rotation[[0, i + 1]]);
                prop_assert!((after[i] - (before[i] * cos + before[i + 1] * sin)).abs() <= 8e-16);
                prop_assert!((after[i + 1] - (before[i + 1] * cos - before[i] * sin)).abs() <= 8e-16);
            }
        }
    }

    #[test]
    fn a_range_is_its_ids_and_its_reals(encoding in sinusoidal(), start in 0..=LAST - 200, small in any::<bool>(), len in 0..200_usize) {
        let start = if small { start % 300 } else { start } as usize;
        let range = start..start + len;
        let ids: Vec<i64> = range.clone().map(|p| p as i64).collect();
        let reals: Vec<f64> = range.clone().map(|p| p as f64).collect();
        let whole = encode::<f32>(&encoding, Positions::from(range.clone()));
        prop_assert_eq!(bits(&whole), bits(&encode::<f32>(&encoding, Positions::from(&ids))));
        prop_assert_eq!(bits(&whole), bits(&encode::<f32>(&encoding, Positions::from(&reals))));
        prop_assert_eq!(bits(&whole), bits(&encode::<f32>(&encoding, Positions::from(range.collect::<Vec<usize>>()))));
    }

    #[test]
    fn the_whole_is_one_at_a_time(encoding in sinusoidal(), list in ids_list(0..80)) {
        let (single, double) = (encode::<f32>(&encoding, Positions::from(&list)), encode::<f64>(&encoding, Positions::from(&list)));
        for (i, &p) in list.iter().enumerate() {
            prop_assert_eq!(bits(single.row(i)), bits(&encode::<f32>(&encoding, Positions::from(&[p]))));
            prop_assert_eq!(bits(double.row(i)), bits(&encode::<f64>(&encoding, Positions::from(&[p]))));
        }
    }

    #[test]
    fn a_sine_is_odd_and_a_cosine_even(frequencies in frequencies(), p in position()) {
        let pairs = frequencies.len();
        let encoding = Sinusoidal::from_frequencies(frequencies).with_layout(FeatureLayout::SinCosHalves);
        let (plus, minus) = (encode::<f32>(&encoding, Positions::from(&[p])), encode::<f32>(&encoding, Positions::from(&[-p])));
        for i in 0..pairs {
            prop_assert_eq!(plus[[0, i]], -minus[[0, i]]);
            prop_assert_eq!(plus[[0, pairs + i]], minus[[0, pairs + i]]);
        }
    }

    #[test]
    fn adding_is_encoding_and_an_addition(
        encoding in sinusoidal(), list in ids_list(1..70), steps in (1..3_isize, 1..3_isize), signs in any::<(bool, bool)>(), transposed in any::<bool>(),
    ) {
        let (rows, dim) = (list.len(), encoding.dim());
        let large = words(&[rows * steps.0 as usize, dim * steps.1 as usize]).into_dimensionality::<ndarray::Ix2>().unwrap();
        // Any stride, positive or negative, along rows or columns.
        let mut large = if transposed { large.t().as_standard_layout().into_owned().reversed_axes() } else { large };
        let before = large.clone();
        let sign = |negative, step: isize| Slice::new(0, None, if negative { -step } else { step });
        let mut view = large.view_mut();
        view.slice_axis_inplace(Axis(0), sign(signs.0, steps.0));
        view.slice_axis_inplace(Axis(1), sign(signs.1, steps.1));
        let mut expected = view.to_owned();
        expected += &encode::<f32>(&encoding, Positions::from(&list));
        encoding.add_to(&Positions::from(&list), view.view_mut()).unwrap();
        prop_assert_eq!(bits(&view), bits(&expected));
        encoding.encode_into(&Positions::from(&list), view.view_mut()).unwrap();
        prop_assert_eq!(bits(&view), bits(&encode::<f32>(&encoding, Positions::from(&list))));
        // Elements between the strides are unchanged.
        let touched = |at: usize, step: isize, negative: bool, len: usize| {
            (if negative { len - 1 - at } else { at }) % step as usize == 0
        };
        for ((i, j), value) in large.indexed_iter() {
            if !touched(i, steps.0, signs.0, large.nrows()) || !touched(j, steps.1, signs.1, large.ncols()) {
                prop_assert_eq!(value.to_bits(), before[[i, j]].to_bits());
            }
        }
    }

    #[test]
    fn every_instruction_set_gives_the_same_bits(encoding in sinusoidal(), list in ids_list(1..100), reals in prop::collection::vec(-1e9..1e9_f64, 0..20)) {
        let single = encode::<f32>(&encoding, Positions::from(&list));
        let double = encode::<f64>(&encoding, Positions::from(&reals));
        for set in InstructionSet::available() {
            let forced = encoding.clone().with_instruction_set(set).unwrap();
            prop_assert_eq!(bits(&single), bits(&encode::<f32>(&forced, Positions::from(&list))));
            prop_assert_eq!(bits(&double), bits(&encode::<f64>(&forced, Positions::from(&reals))));
        }
    }

    #[test]
    fn layouts_are_permutations(frequencies in frequencies(), list in ids_list(1..70)) {
        let pairs = frequencies.len();
        let by = |layout| encode::<f32>(&Sinusoidal::from_frequencies(frequencies.clone()).with_layout(layout), Positions::from(&list));
        let (interleaved, halves, cosines_first) = (by(FeatureLayout::Interleaved), by(FeatureLayout::SinCosHalves), by(FeatureLayout::CosSinHalves));
        for i in 0..pairs {
            for (column, member) in [(2 * i, i), (2 * i + 1, pairs + i)] {
                prop_assert_eq!(bits(interleaved.column(column)), bits(halves.column(member)));
                prop_assert_eq!(bits(halves.column(member)), bits(cosines_first.column((member + pairs) % (2 * pairs))));
            }
        }
    }

    #[test]
    fn odd_dims_keep_their_conventions(half in 1..40_usize, list in ids_list(1..40)) {
        let dim = 2 * half + 1;
        let odd = |convention| encode::<f32>(&Sinusoidal::odd(dim, convention).unwrap(), Positions::from(&list));
        let even = |dim| encode::<f32>(&Sinusoidal::new(dim).unwrap(), Positions::from(&list));
        let dropped = odd(OddDim::DropLastOfEven);
        prop_assert_eq!(bits(&dropped), bits(even(dim + 1).slice_axis(Axis(1), (..dim).into())));
        let padded = odd(OddDim::ZeroColumn);
        prop_assert_eq!(bits(padded.slice_axis(Axis(1), (..dim - 1).into())), bits(&even(dim - 1)));
        prop_assert!(padded.column(dim - 1).iter().all(|value| value.to_bits() == 0));
        // Every second pair of dim is a pair of 2·dim with base².
        let literal = encode::<f64>(&Sinusoidal::odd(dim, OddDim::DropLast).unwrap(), Positions::from(&[1]));
        for j in 0..dim {
            let angle = 10_000_f64.powf(-((j / 2 * 2) as f64) / dim as f64);
            let expected = if j % 2 == 0 { angle.sin() } else { angle.cos() };
            prop_assert!((literal[[0, j]] - expected).abs() < 1e-14);
        }
    }

    #[test]
    fn padding_is_zero_and_nothing_else_changes(frequencies in frequencies(), list in prop::collection::vec(0..6_i64, 1..80), padding in 0..6_i64) {
        let plain = Sinusoidal::from_frequencies(frequencies);
        let found = encode::<f32>(&plain.clone().with_zero_position(padding), Positions::from(&list));
        let mut expected = encode::<f32>(&plain, Positions::from(&list));
        for (&p, mut row) in list.iter().zip(expected.rows_mut()) {
            if p == padding {
                row.fill(0.0);
            }
        }
        prop_assert_eq!(bits(&found), bits(&expected));
    }

    #[test]
    fn embedding_any_leading_axes(leading in prop::collection::vec(0..4_usize, 0..4), len in 0..9_usize, half in 1..6_usize, permutation in 0..24_usize, differing in any::<bool>(), ids in ids_list(64 * 9)) {
        let encoding = Sinusoidal::new(2 * half).unwrap();
        let shape = [&leading[..], &[len, 2 * half]].concat();
        // Stored with its axes in another order, so that the view is not contiguous.
        let mut order: Vec<usize> = (0..shape.len()).collect();
        for i in 0..order.len() {
            let swap = (permutation / (i + 1)) % order.len();
            order.swap(i, swap);
        }
        let mut inverse = vec![0; order.len()];
        order.iter().enumerate().for_each(|(i, &axis)| inverse[axis] = i);
        let stored: Vec<usize> = order.iter().map(|&axis| shape[axis]).collect();
        let view = words(&stored).permuted_axes(IxDyn(&inverse));
        prop_assert_eq!(view.shape(), &shape[..]);

        let sequences: usize = leading.iter().product();
        let table = Array2::from_shape_vec((sequences, len), ids[..sequences * len].to_vec()).unwrap();
        let rows = |sequence: usize| -> Array2<f32> {
            if differing { encode(&encoding, Positions::from(table.row(sequence))) } else { encode(&encoding, Positions::from(0..len)) }
        };
        let mut expected = Vec::new();
        let flat = view.as_standard_layout().into_owned().into_shape_with_order((sequences * len, 2 * half)).unwrap();
        for sequence in 0..sequences {
            let words: ArrayView2<'_, f32> = flat.slice_axis(Axis(0), (sequence * len..(sequence + 1) * len).into());
            expected.extend(bits(&(&words + &rows(sequence))));
        }
        let found = if differing { embed_with_positions_at(&view, &encoding, &table) } else { embed_with_positions(&view, &encoding) };
        prop_assert_eq!(bits(found.unwrap().iter()), expected.clone());
        let mut in_place = view.clone();
        if differing {
            add_positions_at(in_place.view_mut(), &encoding, &table).unwrap();
        } else {
            add_positions_at(in_place.view_mut(), &encoding, 0..len).unwrap();
        }
        prop_assert_eq!(bits(in_place.iter()), expected);

        let next = if differing { concat_positions_at(&view, &encoding, &table) } else { concat_positions_at(&view, &encoding, 0..len) }.unwrap();
        let axis = Axis(shape.len() - 1);
        prop_assert_eq!(bits(next.slice_axis(axis, (..2 * half).into()).iter()), bits(view.iter()));
        let vectors: Vec<u64> = (0..sequences).flat_map(|sequence| bits(&rows(sequence))).collect();
        prop_assert_eq!(bits(next.slice_axis(axis, (2 * half..).into()).iter()), vectors);
    }

    #[test]
    fn token_embedding_is_a_loop(
        batch in 0..4_usize, len in 0..30_usize, half in 1..5_usize, seed in any::<u32>(), segmented in any::<bool>(), scale in prop::option::of(0.5..30.0_f64), differing in any::<bool>(),
    ) {
        let dim = 2 * half;
        let pick = |i: usize, j: usize, n: usize| (seed as usize).wrapping_add(i * 31 + j * 17 + i * j) % n;
        let tokens = Array2::from_shape_fn((batch, len), |(i, j)| pick(i, j, 11) as i32);
        let kinds = Array2::from_shape_fn((batch, len), |(i, j)| pick(j, i, 2) as i32);
        let at = Array2::from_shape_fn((batch, len), |(i, j)| pick(i + 1, j, 40) as i64);
        let table = |rows| words(&[rows, dim]).into_dimensionality::<ndarray::Ix2>().unwrap();
        let (vocabulary, segments) = (table(11), table(2) * 3.0);
        let learned = Learned::from_table(table(40) * 0.1).unwrap();

        let mut embedding = TokenEmbedding::new(vocabulary.clone(), &learned).unwrap();
        if let Some(scale) = scale {
            embedding = embedding.with_scale(scale).unwrap();
        }
        if segmented {
            embedding = embedding.with_segments(segments.clone()).unwrap();
        }
        let mut lookup = embedding.lookup(&tokens);
        if segmented {
            lookup = lookup.with_segments(&kinds);
        }
        if differing {
            lookup = lookup.at(&at);
        }
        let found = lookup.embed().unwrap();

        let expected = Array3::from_shape_fn((batch, len, dim), |(i, j, k)| {
            let mut sum = vocabulary[[tokens[[i, j]] as usize, k]];
            if let Some(scale) = scale {
                sum *= scale as f32;
            }
            if segmented {
                sum += segments[[kinds[[i, j]] as usize, k]];
            }
            sum + learned.table()[[if differing { at[[i, j]] as usize } else { j }, k]]
        });
        prop_assert_eq!(bits(&found), bits(&expected));
    }

    #[test]
    fn a_table_interpolates(rows in 1..12_usize, dim in 1..9_usize, offset in 0..3_usize, at in prop::collection::vec(0.0..1.0_f64, 1..30)) {
        let offset = offset.min(rows - 1);
        let table = Array2::from_shape_fn((rows, dim), |(i, j)| ((i * 7 + j * 3) % 5) as f64 - 2.0);
        let learned = Learned::from_table(table.clone()).unwrap().with_offset(offset).unwrap();
        let reals: Vec<f64> = at.iter().map(|at| at * (rows - 1) as f64 - offset as f64).collect();
        let found: Array2<f64> = learned.encode(&Positions::from(&reals)).unwrap();
        for (found, real) in found.rows().into_iter().zip(&reals) {
            let row = real + offset as f64;
            let (below, t) = ((row.floor() as usize).min(rows - 1), row.fract());
            for (j, found) in found.iter().enumerate() {
                let expected = table[[below, j]] * (1.0 - t) + table[[(below + 1).min(rows - 1), j]] * t;
                prop_assert!((found - expected).abs() <= 1e-15 * 4.0, "{} {} at {}", found, expected, real);
            }
        }
    }

    #[test]
    fn id_builders_are_their_formulas(rows in 0..5_usize, len in 0..12_usize, seed in any::<u64>(), pad in -3..3_i64, past in 0..9_usize) {
        let tokens = Array2::from_shape_fn((rows, len), |(i, j)| (seed >> ((7 * i + j) % 61) & 3) as i64);
        let mask = tokens.mapv(|token| u8::from(token != 1));
        let kept = |i: usize, j: usize| (0..=j).filter(|&j| mask[[i, j]] == 1).count() as i64;
        let from_mask = Array2::from_shape_fn((rows, len), |(i, j)| if mask[[i, j]] == 1 { kept(i, j) - 1 } else { pad });
        prop_assert_eq!(ids::from_mask(&mask, pad).unwrap(), from_mask);
        let aware = Array2::from_shape_fn((rows, len), |(i, j)| 1 + (kept(i, j) + past as i64) * i64::from(mask[[i, j]]));
        prop_assert_eq!(ids::padding_aware(&tokens, 1, past).unwrap(), aware);

        let lengths: Vec<usize> = tokens.iter().map(|&token| token as usize).collect();
        let mut packed = Vec::new();
        let mut offsets = vec![0];
        for &length in &lengths {
            for id in 0..length {
                packed.push(id);
            }
            offsets.push(offsets[offsets.len() - 1] + length as i32);
        }
        prop_assert_eq!(ids::packed(&lengths), Ok(packed.clone()));
        prop_assert_eq!(ids::packed_from_offsets(&offsets).unwrap(), packed);
        let nested: Vec<Vec<i64>> = tokens.outer_iter().map(|row| row.to_vec()).collect();
        prop_assert_eq!(ids::batch(&nested).unwrap(), if rows == 0 { Array2::zeros((0, 0)) } else { tokens });
    }

    #[test]
    fn positions_are_the_list_they_came_from(list in ids_list(0..40), from in 0..50_usize, to in 0..50_usize) {
        let reals: Vec<f64> = list.iter().map(|&p| p as f64).collect();
        let strided = Array1::from_iter(list.iter().flat_map(|&p| [p, -1]));
        let strided = strided.slice_axis(Axis(0), Slice::new(0, None, 2));
        for positions in [Positions::from(&list), Positions::from(list.clone()), Positions::from(&reals), Positions::from(strided)] {
            prop_assert_eq!(positions.iter().map(|p| p.to_f64()).collect::<Vec<_>>(), reals.clone());
            let part: Vec<f64> = positions.slice(from..to).iter().map(|p| p.to_f64()).collect();
            let expected: Vec<f64> = reals.iter().copied().skip(from).take(to.saturating_sub(from)).collect();
            prop_assert_eq!(part, expected);
        }
    }

    #[test]
    fn nothing_panics(
        numbers in prop::collection::vec(prop::num::f64::ANY, 0..6), integers in prop::collection::vec(any::<i64>(), 0..6), dim in 0..40_usize,
        a in prop::num::f64::ANY, b in prop::num::f64::ANY, range in any::<(usize, usize)>(), shape in (0..4_usize, 0..12_usize), odd in any::<bool>(),
    ) {
        let convention = if odd { OddDim::DropLast } else { OddDim::ZeroColumn };
        let lists = [
            Frequencies::geometric(dim, a),
            Frequencies::geometric_inclusive(dim, a),
            Frequencies::geometric_odd(dim, a, convention),
            Frequencies::timescales(dim, a..=b),
            Frequencies::harmonic(dim, a),
            Frequencies::from_radians(numbers.iter().copied()),
            Frequencies::geometric(dim, 1e4).and_then(|f| f.scaled(b)),
            Frequencies::geometric(dim, 1e4).and_then(|f| f.scaled(b)).and_then(Frequencies::full_turns),
        ];
        for frequencies in lists.into_iter().flatten() {
            let encoding = Sinusoidal::from_frequencies(frequencies).with_zero_position(integers.first().copied().unwrap_or(3));
            let encoding = encoding.clone().with_amplitude(b).unwrap_or(encoding);
            let encoding = encoding.clone().padded_to(shape.1).unwrap_or(encoding);
            for positions in [Positions::from(&numbers), Positions::from(&integers), Positions::from(range.0..range.0.saturating_add(range.1 % 70))] {
                let any_shape: Result<Array2<f32>, _> = encoding.encode(&positions);
                if let Ok(rows) = any_shape {
                    prop_assert!(!b.is_finite() || rows.iter().all(|value| !value.is_nan()));
                }
                let mut out = Array2::<f64>::zeros(shape);
                let _ = encoding.encode_into(&positions, out.view_mut());
                let _ = encoding.add_to(&positions, out.view_mut());
                let _ = embed_with_positions_at(&out, &encoding, &positions);
                let _ = concat_positions_at(&out, &encoding, &positions);
            }
        }
        let learned = Learned::from_table(Array::from_elem((shape.0, dim.max(1)), 1_f32)).unwrap();
        let learned = learned.clone().with_offset(range.0 % 5).unwrap_or(learned);
        for positions in [Positions::from(&numbers), Positions::from(&integers), Positions::from(range.0..range.1)] {
            let _ = learned.encode(&positions);
        }
        let _ = ids::packed_from_offsets(&integers.iter().map(|n| n % 1000).collect::<Vec<_>>());
        let _ = ids::padding_aware(&Array2::from_elem(shape, a as i64), i64::MAX, range.0).unwrap();
        let _ = ids::from_mask(&Array2::from_elem(shape, 1_u8), i64::MIN).unwrap();
    }
}
