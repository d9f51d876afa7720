//! Rotated queries and keys, compared with other systems.

use ndarray::{Array2, Array3, ArrayD, ArrayViewMut, Axis, Dimension, Ix2, Ix3, Ix4, s};
use positional_encodings::scaling::Yarn;
use positional_encodings::{Frequencies, Pairing, Positions, Rotary};

use crate::golden::{Golden, close};

pub fn plain(dim: usize, base: f64, pairing: Pairing) -> Rotary {
    Rotary::new(Frequencies::geometric(dim, base).unwrap(), pairing)
}

/// The tolerance of the golden README for a cosine, times values below 4: the systems have angles
/// in f32, which are at most the position.
fn f32_angles(positions: &Positions<'_>) -> impl Fn(&ndarray::IxDyn) -> f64 {
    let furthest = positions.iter().map(|position| position.to_f64().abs()).fold(0.0, f64::max);
    move |_| 4.0 * (1e-6 + 3e-7 * furthest)
}

/// Returns an array whose positions are moved from the given axis to the last but one.
pub fn positions_on<T, D: Dimension>(
    axis: usize,
    mut array: ArrayViewMut<'_, T, D>,
) -> ArrayViewMut<'_, T, D> {
    array.swap_axes(axis, array.ndim() - 2);
    array
}

#[track_caller]
fn check(
    golden: &Golden,
    rotary: &Rotary,
    input: &str,
    output: &str,
    positions: &Positions<'_>,
    axis: usize,
) {
    let mut x = golden.f32(input);
    rotary.at(positions).unwrap().apply(positions_on(axis, x.view_mut())).unwrap();
    close(output, &x, &golden.f32(output), f32_angles(positions));
}

#[test]
pub fn transformers() {
    let golden = Golden::open("c2_rope_apply");
    let ids: Array2<f64> = golden.tensor("llama/positions").into_dimensionality().unwrap();
    let ids = Positions::from(&ids);
    for (case, rotary) in [
        ("llama", plain(16, 1e4, Pairing::Halves)),
        ("cohere_interleaved", plain(16, 1e4, Pairing::Interleaved)),
        ("glm_partial_interleaved", plain(8, 1e4, Pairing::Interleaved)),
        ("gpt_neox_partial", plain(4, 1e4, Pairing::Halves)),
    ] {
        for x in ["q", "k"] {
            check(&golden, &rotary, &format!("llama/{x}"), &format!("{case}/{x}_out"), &ids, 2);
        }
    }
    let halves = plain(16, 1e4, Pairing::Halves);
    check(&golden, &halves, "llama_bshd/q", "llama_bshd/q_out", &ids, 1);
    let interleaved = plain(16, 1e4, Pairing::Interleaved);
    check(&golden, &interleaved, "llama4_complex/q", "llama4_complex/q_out", &ids, 1);
    let gptj: Array2<f64> = golden.tensor("gptj_partial/positions").into_dimensionality().unwrap();
    let gptj = Positions::from(&gptj);
    check(
        &golden,
        &plain(8, 1e4, Pairing::Interleaved),
        "gptj_partial/q",
        "gptj_partial/q_out",
        &gptj,
        1,
    );
}

/// transformers rounds cosines, sines, products and sums to the type (Cohere: only the first two
/// and the result); here only the result is rounded, so the results differ by a few units of the
/// type.
#[test]
#[cfg(feature = "half")]
pub fn transformers_in_half_precision() {
    rounded::<half::bf16>("llama_bf16", "llama_bf16", Pairing::Halves, 0.05);
    rounded::<half::bf16>("cohere_bf16", "llama", Pairing::Interleaved, 0.05);
    rounded::<half::f16>("llama_f16", "llama_f16", Pairing::Halves, 0.05 / 8.0);
}

#[cfg(feature = "half")]
fn rounded<T: positional_encodings::Element>(
    case: &str,
    input: &str,
    pairing: Pairing,
    bound: f64,
) {
    let golden = Golden::open("c2_rope_apply");
    let ids: Array2<f64> = golden.tensor("llama/positions").into_dimensionality().unwrap();
    let rotation = plain(16, 1e4, pairing).at::<T::Angle>(&ids).unwrap();
    for x in ["q", "k"].into_iter().filter(|x| golden.has(&format!("{case}/{x}_out"))) {
        let mut rotated = golden.tensor(&format!("{input}/{x}")).mapv(T::from_f64);
        rotation.apply(rotated.view_mut()).unwrap();
        let found = rotated.mapv(|value| value.to_f64() as f32);
        close(case, &found, &golden.f32(&format!("{case}/{x}_out")), |_| bound);
    }
}

/// The helper of DeepSeek-V3 reads neighbours and returns halves.
#[test]
pub fn deepseek_reorders() {
    let golden = Golden::open("c2_rope_apply");
    let ids: Array2<f64> = golden.tensor("llama/positions").into_dimensionality().unwrap();
    let order: Vec<usize> = (0..16).map(|i| if i < 8 { 2 * i } else { 2 * (i - 8) + 1 }).collect();
    for name in ["q", "k"] {
        let mut x: ArrayD<f32> = golden.f32(&format!("llama/{name}"));
        plain(16, 1e4, Pairing::Interleaved).at(&ids).unwrap().apply(x.view_mut()).unwrap();
        let expected = golden.f32(&format!("deepseek_v3_interleave/{name}_out"));
        close(
            "deepseek",
            &x.select(Axis(3), &order),
            &expected,
            f32_angles(&Positions::from(&ids)),
        );
    }
}

#[test]
pub fn other_systems() {
    let golden = Golden::open("c2_rope_apply");
    let from = |start: usize| Positions::from(start..start + 5);
    let (halves, pairs) = (Pairing::Halves, Pairing::Interleaved);
    let scaled = |factor: f64| {
        let frequencies = Frequencies::geometric(8, 1e4).unwrap().scaled(factor).unwrap();
        Rotary::new(frequencies, halves)
    };
    let yarn = Yarn::new(4.0, 2048);
    let keras_yarn =
        Rotary::new(Frequencies::geometric(16, 1e4).unwrap().yarn(&yarn).unwrap(), halves);
    let keras_scaled =
        Rotary::new(Frequencies::geometric(16, 5000.0).unwrap().linear(2.0).unwrap(), halves);
    let ntk = Rotary::new(Frequencies::geometric(16, 1e4).unwrap().ntk(4.0).unwrap(), pairs);
    let interpolated =
        Rotary::new(Frequencies::geometric(8, 1e4).unwrap().linear(2.0).unwrap(), pairs);
    for (rotary, input, output, start, axis) in [
        (plain(16, 1e4, halves), "equinox/x", "equinox/out", 0, 0),
        (plain(16, 1e4, halves), "keras_hub_plain/x", "keras_hub_plain/out", 0, 1),
        (keras_scaled, "keras_hub_scaled/x", "keras_hub_scaled/out", 13, 1),
        (keras_yarn, "keras_hub_yarn/x", "keras_hub_yarn/out", 3, 1),
        (plain(16, 1e4, halves), "llama/q", "mlx_half/q_out", 0, 2),
        (scaled(0.25), "llama/q", "mlx_partial_scaled/q_out", 100, 2),
        (plain(16, 500.0, pairs), "llama/q", "mlx_traditional/q_out", 11, 2),
        (plain(10, 1e4, pairs), "llama/q", "mlx_traditional_partial/q_out", 3, 2),
        (plain(16, 1e4, pairs), "torchtune/x", "torchtune/out_default_positions", 0, 1),
        (plain(16, 1e4, pairs), "llama/q", "x_transformers_plain/q_out", 0, 2),
        (plain(16, 1e4, pairs), "llama/k", "x_transformers_plain/k_out", 0, 2),
        (ntk.clone(), "llama/q", "x_transformers_ntk/q_out", 0, 2),
        (ntk, "llama/k", "x_transformers_ntk/k_out", 0, 2),
        (interpolated.clone(), "llama/q", "x_transformers_partial_interp/q_out", 0, 2),
        (interpolated, "llama/k", "x_transformers_partial_interp/k_out", 0, 2),
    ] {
        check(&golden, &rotary, input, output, &from(start), axis);
    }
    let ids: Array2<f64> = golden.tensor("torchtune/input_pos").into_dimensionality().unwrap();
    check(
        &golden,
        &plain(16, 1e4, pairs),
        "torchtune/x",
        "torchtune/out",
        &Positions::from(&ids),
        1,
    );
}

#[test]
pub fn onnx() {
    let golden = Golden::open("c2_rope_apply");
    for (case, rotary) in [
        ("onnx_full", plain(16, 1e4, Pairing::Halves)),
        ("onnx_interleaved_partial", plain(8, 1e4, Pairing::Interleaved)),
        ("onnx_three_d", plain(16, 1e4, Pairing::Halves)),
    ] {
        let ids: Array2<f64> =
            golden.tensor(&format!("{case}/position_ids")).into_dimensionality().unwrap();
        let mut x = golden.f32(&format!("{case}/input"));
        let rotation = rotary.at(&ids).unwrap();
        let expected = golden.f32(&format!("{case}/output"));
        if x.ndim() == 3 {
            // (batch, positions, heads · dim) is (batch, positions, heads, dim)
            let mut heads = x.clone().into_shape_with_order((2, 5, 2, 16)).unwrap();
            rotation.apply(positions_on(1, heads.view_mut())).unwrap();
            x = heads.into_shape_with_order((2, 5, 32)).unwrap().into_dyn();
        } else {
            rotation.apply(x.view_mut()).unwrap();
        }
        close(case, &x, &expected, f32_angles(&Positions::from(&ids)));
    }
}

#[test]
pub fn rotary_embedding_torch() {
    let golden = Golden::open("c3_rope_multi_axis");
    let frequencies = |dim, base| Frequencies::geometric(dim, base).unwrap();
    for (case, frequencies, start) in [
        ("rotary_torch_lang", frequencies(16, 1e4), 0),
        ("rotary_torch_interp", frequencies(8, 1e4).linear(2.0).unwrap(), 0),
        ("rotary_torch_ntk", frequencies(16, 1e4).ntk(4.0).unwrap(), 0),
        ("rotary_torch_partial_offset", frequencies(8, 1000.0), 5),
    ] {
        let rotary = Rotary::new(frequencies, Pairing::Interleaved);
        check(
            &golden,
            &rotary,
            &format!("{case}/q"),
            &format!("{case}/q_out"),
            &(start..start + 6).into(),
            2,
        );
    }
    // A single query is at the end of the cached keys.
    let rotary = plain(16, 1e4, Pairing::Interleaved);
    let case = "rotary_torch_cached_keys";
    check(&golden, &rotary, &format!("{case}/q_last"), &format!("{case}/q_out"), &(5..6).into(), 2);
    check(&golden, &rotary, &format!("{case}/k"), &format!("{case}/k_out"), &(0..6).into(), 2);
}

/// Any layout gives the same bits as the standard one.
#[test]
fn layouts() {
    for (pairing, last) in
        [(Pairing::Halves, false), (Pairing::Interleaved, true), (Pairing::Halves, true)]
    {
        let mut rotary = plain(20, 1e4, pairing);
        if last {
            rotary = rotary.on_last_features();
        }
        let rotation = rotary.at::<f32>(3..103).unwrap();
        let q = ndarray::Array4::from_shape_fn((2, 3, 100, 24), |(a, b, c, d)| {
            ((a + 3 * b + 7 * c + d) as f32).sin()
        });
        let mut expected = q.clone();
        for (i, mut row) in expected.axis_iter_mut(Axis(2)).enumerate() {
            let one = rotary.at::<f32>(i + 3..i + 4).unwrap();
            one.apply(row.view_mut().insert_axis(Axis(2))).unwrap();
        }
        let mut standard = q.clone();
        rotation.apply(standard.view_mut()).unwrap();
        assert_eq!(standard, expected);
        for order in
            [[0, 2, 1, 3], [2, 0, 1, 3], [1, 0, 2, 3], [3, 2, 1, 0], [0, 1, 3, 2], [2, 3, 0, 1]]
        {
            // The axes are in another order in memory.
            let mut memory = q.view().permuted_axes(order).as_standard_layout().into_owned();
            let mut back = [0; 4];
            order.iter().enumerate().for_each(|(i, &axis)| back[axis] = i);
            rotation.apply(memory.view_mut().permuted_axes(back)).unwrap();
            assert_eq!(memory.view().permuted_axes(back), expected, "{order:?}");
        }
        for axis in 0..4 {
            let mut reversed = q.clone();
            reversed.invert_axis(Axis(axis));
            let mut again = reversed.as_standard_layout().into_owned();
            again.invert_axis(Axis(axis));
            assert_eq!(again, q);
            rotation.apply(again.view_mut()).unwrap();
            assert_eq!(again, expected, "axis {axis} backwards");
        }
        // Queries, keys and values in one buffer: (batch, positions, 3, heads, dim)
        let mut fused = ndarray::Array5::<f32>::zeros((2, 100, 3, 3, 24));
        let mut part = fused.index_axis_mut(Axis(2), 1);
        part.assign(&q.view().permuted_axes([0, 2, 1, 3]));
        rotation.apply(positions_on(1, part.view_mut())).unwrap();
        assert_eq!(fused.index_axis(Axis(2), 1), expected.view().permuted_axes([0, 2, 1, 3]));
        assert!(
            fused
                .index_axis(Axis(2), 0)
                .iter()
                .chain(fused.index_axis(Axis(2), 2))
                .all(|&x| x == 0.0)
        );
        // A large number of axes
        let mut many = q
            .clone()
            .into_shape_with_order((1, 2, 1, 1, 3, 1, 1, 1, 1, 100, 24).to_vec_shape())
            .unwrap();
        rotation.apply(many.view_mut()).unwrap();
        assert_eq!(many.iter().collect::<Vec<_>>(), expected.iter().collect::<Vec<_>>());
    }
}

trait ToVecShape {
    fn to_vec_shape(self) -> Vec<usize>;
}

impl ToVecShape for (usize, usize, usize, usize, usize, usize, usize, usize, usize, usize, usize) {
    fn to_vec_shape(self) -> Vec<usize> {
        let (a, b, c, d, e, f, g, h, i, j, k) = self;
        vec![a, b, c, d, e, f, g, h, i, j, k]
    }
}

#[test]
fn rows_of_a_batch() {
    let rotary = plain(16, 1e4, Pairing::Halves);
    let ids = ndarray::array![[0_i64, 0, 1, 2], [5, 6, 7, 8], [9, 9, 9, 9]];
    let q = ndarray::Array4::<f64>::from_shape_fn((3, 2, 4, 16), |(a, b, c, d)| {
        ((a * 5 + b * 3 + c + d) as f64).cos()
    });
    let mut whole = q.clone();
    rotary.at(&ids).unwrap().apply(whole.view_mut()).unwrap();
    for (row, ids) in ids.outer_iter().enumerate() {
        let mut alone = q.index_axis(Axis(0), row).to_owned();
        rotary.at(ids).unwrap().apply(alone.view_mut()).unwrap();
        assert_eq!(whole.index_axis(Axis(0), row), alone);
    }
    let mut swapped = q.view().permuted_axes([0, 2, 1, 3]).as_standard_layout().into_owned();
    rotary.at(&ids).unwrap().apply(positions_on(1, swapped.view_mut())).unwrap();
    assert_eq!(swapped, whole.view().permuted_axes([0, 2, 1, 3]));
    // A decode step of sequences at different positions
    let mut step = q.slice_axis(Axis(2), (0..1).into()).to_owned();
    rotary.at(&ndarray::array![[3], [70], [9]]).unwrap().apply(step.view_mut()).unwrap();
    let mut second = q.slice_axis(Axis(2), (0..1).into()).index_axis(Axis(0), 1).to_owned();
    rotary.at(70..71).unwrap().apply(second.view_mut()).unwrap();
    assert_eq!(step.index_axis(Axis(0), 1), second);
}

/// DeepSeek's heads are [NoPE | RoPE]: the last features are rotated as they would be alone, the
/// others keep their bits.
#[test]
fn split_heads() {
    let (nope, rope) = (24, 16);
    for pairing in [Pairing::Interleaved, Pairing::Halves] {
        let rotary = plain(rope, 1e4, pairing);
        let q = ndarray::Array4::from_shape_fn((2, 3, 5, nope + rope), |(a, b, c, d)| {
            ((a + 5 * b + 7 * c + d) as f32).sin()
        });
        let mut alone = q.slice(s![.., .., .., nope..]).to_owned();
        rotary.at(7..12).unwrap().apply(alone.view_mut()).unwrap();
        let mut whole = q.clone();
        rotary.clone().on_last_features().at(7..12).unwrap().apply(whole.view_mut()).unwrap();
        assert_eq!(whole.slice(s![.., .., .., ..nope]), q.slice(s![.., .., .., ..nope]));
        assert_eq!(whole.slice(s![.., .., .., nope..]), alone);
        // The same by a view of that part, also for the first features.
        let mut part = q.clone();
        rotary.at(7..12).unwrap().apply(part.slice_mut(s![.., .., .., nope..])).unwrap();
        assert_eq!(part, whole);
        let mut first = q.clone();
        rotary.at(7..12).unwrap().apply(first.view_mut()).unwrap();
        assert_eq!(first.slice(s![.., .., .., rope..]), q.slice(s![.., .., .., rope..]));
        assert_ne!(first.slice(s![.., .., 1.., ..rope]), q.slice(s![.., .., 1.., ..rope]));
        // The key that all heads share: (batch, positions, rope)
        let mut shared = q.slice(s![.., 0, .., nope..]).to_owned();
        rotary.at(7..12).unwrap().apply(shared.view_mut()).unwrap();
        assert_eq!(shared, alone.index_axis(Axis(1), 0));
    }
}

/// Every second position, head or feature of a larger array; the rest of it keeps its bits.
#[test]
fn views_with_gaps() {
    let rotary = plain(8, 1e4, Pairing::Halves);
    let memory = ndarray::Array4::from_shape_fn((2, 4, 6, 20), |(a, b, c, d)| {
        ((a + 3 * b + 5 * c + d) as f64).cos()
    });
    for steps in
        [[1, 1, 1, 2], [1, 1, 2, 1], [1, 2, 1, 1], [2, 2, 2, 2], [-1, -2, -3, -2], [1, 1, -1, 1]]
    {
        let every =
            |axis: ndarray::AxisDescription| ndarray::Slice::new(0, None, steps[axis.axis.index()]);
        let mut expected = memory.slice_each_axis(every).to_owned();
        let rotation = rotary.at(9..9 + expected.len_of(Axis(2))).unwrap();
        rotation.apply(expected.view_mut()).unwrap();
        let mut found = memory.clone();
        rotation.apply(found.slice_each_axis_mut(every)).unwrap();
        assert_eq!(found.slice_each_axis(every), expected, "{steps:?}");
        found.slice_each_axis_mut(every).assign(&memory.slice_each_axis(every));
        assert_eq!(found, memory, "{steps:?}");
    }
}

/// Rows with gaps between them, of which more are there than are rotated together.
#[test]
fn many_rows_with_gaps() {
    let rotation = plain(8, 1e4, Pairing::Halves).at(9..49).unwrap();
    let memory = Array2::from_shape_fn((40, 12), |(a, b)| ((3 * a + b) as f64).cos());
    let mut expected = memory.slice(s![.., ..8]).to_owned();
    rotation.apply(expected.view_mut()).unwrap();
    let mut found = memory.clone();
    rotation.apply(found.slice_mut(s![.., ..8])).unwrap();
    assert_eq!(found.slice(s![.., ..8]), expected);
    assert_eq!(found.slice(s![.., 8..]), memory.slice(s![.., 8..]));
    assert_eq!(rotation.applied(memory.slice(s![.., ..8])).unwrap(), expected);
}

/// Documents in one row: each is rotated as it would be alone. Ids may be a broadcast view.
#[test]
fn packed_documents() {
    let rotary = plain(8, 1e4, Pairing::Interleaved);
    let q = Array3::from_shape_fn((9, 2, 8), |(a, b, c)| ((a * 5 + b * 3 + c) as f64).sin());
    let mut packed = q.clone();
    let ids = positional_encodings::ids::packed_from_offsets(&[0, 4, 4, 9]).unwrap();
    rotary.at(&ids).unwrap().apply(positions_on(0, packed.view_mut())).unwrap();
    for (start, len) in [(0, 4), (4, 5)] {
        let mut alone = q.slice(s![start..start + len, .., ..]).to_owned();
        rotary.at(0..len).unwrap().apply(positions_on(0, alone.view_mut())).unwrap();
        assert_eq!(packed.slice(s![start..start + len, .., ..]), alone);
    }
    let row = ndarray::array![4_i64, 5, 6];
    let rows = row.broadcast((3, 3)).unwrap();
    let mut batch = q.clone().into_shape_with_order((3, 3, 16)).unwrap();
    let mut expected = batch.clone();
    rotary.at(rows).unwrap().apply(batch.view_mut()).unwrap();
    rotary.at(4..7).unwrap().apply(expected.view_mut()).unwrap();
    assert_eq!(batch, expected);
}

/// Cached keys with YaRN's attention factor move to other positions: StreamingLLM drops the oldest
/// ones, except the sinks.
#[test]
fn cached_keys_that_move() {
    let frequencies = Frequencies::geometric(16, 1e4).unwrap().with_attention_factor(1.2).unwrap();
    let plain = Rotary::new(frequencies, Pairing::Halves);
    let keys = Array3::from_shape_fn((2, 10, 20), |(a, b, c)| ((a * 5 + b * 3 + c) as f64).sin());
    let mut cache = keys.clone();
    plain.at(0..10).unwrap().apply(cache.view_mut()).unwrap();
    let shift = plain.shift::<f64>(-3).unwrap();
    assert_eq!(shift.positions(), None);
    // Positions 7..10 follow the 4 sinks.
    shift.apply(cache.slice_mut(s![.., 7.., ..])).unwrap();
    let mut fresh = keys.slice(s![.., 7.., ..]).to_owned();
    plain.at(4..7).unwrap().apply(fresh.view_mut()).unwrap();
    let difference = &cache.slice(s![.., 7.., ..]) - &fresh;
    assert!(difference.iter().all(|difference| difference.abs() < 1e-15), "{difference}");
    // Back again, in either way
    let mut back = cache.clone();
    shift.inverse().apply(back.slice_mut(s![.., 7.., ..])).unwrap();
    plain.shift::<f64>(3).unwrap().apply(cache.slice_mut(s![.., 7.., ..])).unwrap();
    assert!(back.iter().zip(&cache).all(|(a, b)| (a - b).abs() < 1e-15));
    // Text of a multimodal model moves on all its axes.
    let three =
        plain.with_sections(&[2, 3, 3], positional_encodings::rotary::Sections::Chunked).unwrap();
    let (mut moved, mut there) = (keys.clone(), keys);
    three.at(Positions::grid(&[1, 2, 5]).unwrap()).unwrap().apply(moved.view_mut()).unwrap();
    three.shift(40).unwrap().apply(moved.view_mut()).unwrap();
    three
        .at(Positions::grid(&[1, 2, 5]).unwrap().map(|_, c| c + 40.0).unwrap())
        .unwrap()
        .apply(there.view_mut())
        .unwrap();
    assert!(moved.iter().zip(&there).all(|(a, b)| (a - b).abs() < 1e-15));
}

#[test]
fn nothing_to_rotate() {
    let rotary = plain(8, 1e4, Pairing::Halves);
    for shape in [[0, 2, 3, 8], [2, 0, 3, 8], [2, 2, 0, 8]] {
        let mut none = ndarray::Array4::<f32>::ones(shape);
        rotary.at(0..shape[2]).unwrap().apply(none.view_mut()).unwrap();
        rotary.shift(5).unwrap().apply(none.view_mut()).unwrap();
    }
    let no_rows = Array2::<i64>::zeros((0, 3));
    rotary.at(&no_rows).unwrap().apply(Array3::<f32>::ones((0, 3, 8)).view_mut()).unwrap();
    assert!(rotary.at(&no_rows).unwrap().apply(Array3::<f32>::ones((1, 3, 8)).view_mut()).is_err());
    assert!(rotary.at(0..0).unwrap().apply(Array3::<f32>::ones((1, 3, 8)).view_mut()).is_err());
}

#[test]
fn views_of_each_rank() {
    let rotation = plain(4, 1e4, Pairing::Halves).at::<f32>(0..3).unwrap();
    let mut two = ndarray::Array::<f32, Ix2>::ones((3, 4));
    let mut three = ndarray::Array::<f32, Ix3>::ones((2, 3, 4));
    let mut four = ndarray::Array::<f32, Ix4>::ones((1, 2, 3, 4));
    rotation.apply(two.view_mut()).unwrap();
    rotation.apply(three.view_mut()).unwrap();
    rotation.apply(four.view_mut()).unwrap();
    assert_eq!(three.index_axis(Axis(0), 1), two);
    assert_eq!(four.index_axis(Axis(0), 0), three);
    let mut none = Array3::<f32>::ones((0, 3, 4));
    rotation.apply(none.view_mut()).unwrap();
}
