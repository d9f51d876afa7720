//! Laws of every rotation.

use ndarray::{Array1, Array2, Axis};
use positional_encodings::{Element, Frequencies, Pairing, Rotary, testing::InstructionSet};
use proptest::prelude::*;

fn rotary(pairs: usize, base: f64, pairing: Pairing) -> Rotary {
    Rotary::new(Frequencies::geometric(2 * pairs, base).unwrap(), pairing)
}

fn rotated(rotary: &Rotary, x: &Array1<f64>, position: i64) -> Array1<f64> {
    let mut x = x.clone().insert_axis(Axis(0));
    rotary.at(&[position]).unwrap().apply(x.view_mut()).unwrap();
    x.remove_axis(Axis(0))
}

fn pairings() -> impl Strategy<Value = Pairing> {
    prop_oneof![Just(Pairing::Halves), Just(Pairing::Interleaved)]
}

fn vector(len: usize) -> impl Strategy<Value = Array1<f64>> {
    prop::collection::vec(-2.0..2.0, len).prop_map(Array1::from)
}

fn largest(a: &Array1<f64>, b: &Array1<f64>) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn norms_are_kept(pairing in pairings(), x in vector(22), p in -(1_i64 << 60)..1 << 60) {
        let rotary = rotary(10, 1e4, pairing);
        let y = rotated(&rotary, &x, p);
        prop_assert!((x.dot(&x) - y.dot(&y)).abs() < 1e-13);
    }

    #[test]
    fn scores_depend_on_the_difference(
        pairing in pairings(), q in vector(16), k in vector(16), p in 0_i64..1 << 53, difference in -5000_i64..5000,
    ) {
        let rotary = rotary(8, 5e5, pairing);
        let score = |a, b| rotated(&rotary, &q, a).dot(&rotated(&rotary, &k, b));
        prop_assert!((score(p, p - difference) - score(difference, 0)).abs() < 1e-13);
    }

    #[test]
    fn apply_then_inverse_is_the_identity(
        pairing in pairings(), x in vector(16), p in 0_i64..1 << 53, factor in 0.5..2.0,
    ) {
        let frequencies = Frequencies::geometric(14, 1e4).unwrap().with_attention_factor(factor).unwrap();
        let rotary = Rotary::new(frequencies, pairing);
        let rotation = rotary.at::<f64>(&[p]).unwrap();
        let mut y = x.clone().insert_axis(Axis(0));
        rotation.apply(y.view_mut()).unwrap();
        rotation.inverse().apply(y.view_mut()).unwrap();
        prop_assert!(largest(&y.remove_axis(Axis(0)), &x) < 1e-14);
    }

    #[test]
    fn rotations_add_up(pairing in pairings(), x in vector(16), a in -(1_i64 << 52)..1 << 52, b in -(1_i64 << 52)..1 << 52) {
        let rotary = rotary(8, 1e4, pairing);
        let twice = rotated(&rotary, &rotated(&rotary, &x, a), b);
        prop_assert!(largest(&twice, &rotated(&rotary, &x, a + b)) < 1e-14);
        let mut shifted = rotated(&rotary, &x, a).insert_axis(Axis(0));
        rotary.shift(b).unwrap().apply(shifted.view_mut()).unwrap();
        prop_assert!(largest(&shifted.remove_axis(Axis(0)), &twice) == 0.0);
    }

    #[test]
    fn pairings_agree_under_the_permutation(x in vector(16), p in 0_i64..1 << 53) {
        let order: Vec<usize> = (0..16).map(|i| i / 2 + i % 2 * 8).collect();
        let halves = rotated(&rotary(8, 1e4, Pairing::Halves), &x, p);
        let neighbours = rotated(&rotary(8, 1e4, Pairing::Interleaved), &x.select(Axis(0), &order), p);
        prop_assert_eq!(halves.select(Axis(0), &order), neighbours);
    }

    #[test]
    fn the_gradient_is_the_transposed_map(pairing in pairings(), x in vector(16), y in vector(16), p in 0_i64..1 << 40) {
        let frequencies = Frequencies::geometric(16, 1e4).unwrap().with_attention_factor(1.3).unwrap();
        let rotary = Rotary::new(frequencies, pairing);
        let rotation = rotary.at::<f64>(&[p]).unwrap();
        let mut back = y.clone().insert_axis(Axis(0));
        rotation.gradient().apply(back.view_mut()).unwrap();
        prop_assert!((rotated(&rotary, &x, p).dot(&y) - x.dot(&back.remove_axis(Axis(0)))).abs() < 1e-13);
    }
}

#[test]
fn scores_at_a_far_position() {
    for pairing in [Pairing::Halves, Pairing::Interleaved] {
        let rotary = rotary(64, 1e4, pairing);
        let q = Array1::from_shape_fn(128, |i| (i as f64).sin());
        let k = Array1::from_shape_fn(128, |i| (i as f64 * 0.7).cos());
        let score = |a, b| rotated(&rotary, &q, a).dot(&rotated(&rotary, &k, b));
        assert!((score(1 << 40, (1 << 40) - 5) - score(5, 0)).abs() < 1e-13);
    }
}

/// One position at a time gives the same bits as all at once, also with a plan remade in place.
#[test]
fn whole_is_one_at_a_time() {
    fn check<A: Element>() {
        for pairing in [Pairing::Halves, Pairing::Interleaved] {
            let rotary = rotary(13, 1e4, pairing);
            let x =
                Array2::from_shape_fn((200, 30), |(i, j)| A::from_f64(((i * 7 + j) as f64).sin()));
            let mut whole = x.clone();
            rotary.at(100..300).unwrap().apply(whole.view_mut()).unwrap();
            let mut step = rotary.at(0..1).unwrap();
            for (i, expected) in whole.axis_chunks_iter(Axis(0), 1).enumerate() {
                let mut one = x.slice_axis(Axis(0), (i..i + 1).into()).to_owned();
                rotary.at_into(100 + i..101 + i, &mut step).unwrap();
                step.apply(one.view_mut()).unwrap();
                assert_eq!(one, expected);
            }
        }
    }
    check::<f32>();
    check::<f64>();
    #[cfg(feature = "half")]
    {
        check::<half::f16>();
        check::<half::bf16>();
    }
}

/// 16-bit elements are within one rounding of the rotation in f64.
#[test]
#[cfg(feature = "half")]
fn halves_are_rounded_once() {
    fn check<A: Element>(unit: f64) {
        let rotary = rotary(16, 1e4, Pairing::Halves);
        let x = Array2::from_shape_fn((300, 32), |(i, j)| A::from_f64(((i * 7 + j) as f64).sin()));
        let mut exact = x.mapv(Element::to_f64);
        rotary.at(100_000..100_300).unwrap().apply(exact.view_mut()).unwrap();
        let mut rounded = x.clone();
        rotary.at(100_000..100_300).unwrap().apply(rounded.view_mut()).unwrap();
        for (exact, rounded) in exact.iter().zip(&rounded) {
            let error = (exact - rounded.to_f64()).abs();
            assert!(error <= 0.5 * unit * exact.abs().max(0.5) + 3e-7, "{exact} {rounded:?}");
        }
    }
    check::<half::bf16>(1.0 / 128.0);
    check::<half::f16>(1.0 / 1024.0);
}

/// The bits depend neither on the instruction set nor on the machine.
#[test]
fn determinism() {
    fn hash<A: Element>(rotary: &Rotary) -> u64 {
        let mut x = Array2::from_shape_fn((500, 150), |(i, j)| {
            A::from_f64((i * 31 + j * 7) as f64 % 17.0 - 8.0)
        });
        rotary.at(1_000_000..1_000_500).unwrap().apply(x.view_mut()).unwrap();
        let bits = x.iter().map(|value| value.to_f64().to_bits());
        bits.fold(0xcbf2_9ce4_8422_2325, |hash, bits| {
            (hash ^ bits).wrapping_mul(0x0000_0100_0000_01b3)
        })
    }
    for (pairing, f32_hash, f64_hash) in
        [(Pairing::Halves, F32[0], F64[0]), (Pairing::Interleaved, F32[1], F64[1])]
    {
        let rotary = rotary(73, 5e5, pairing);
        for set in InstructionSet::available() {
            let rotary = rotary.clone().with_instruction_set(set).unwrap();
            assert_eq!(hash::<f32>(&rotary), f32_hash, "{set:?} {pairing:?}");
            assert_eq!(hash::<f64>(&rotary), f64_hash, "{set:?} {pairing:?}");
        }
    }
}

const F32: [u64; 2] = [0xb756_2652_fd2e_8485, 0xd47f_8d6c_fd2e_8485];
const F64: [u64; 2] = [0xf73e_5f66_d46a_0d38, 0x574b_f380_ddaf_0786];

#[test]
#[cfg(feature = "rayon")]
fn threads_change_nothing() {
    let rotary = rotary(64, 1e4, Pairing::Halves);
    let rotation = rotary.at::<f32>(0..300).unwrap();
    let mut one =
        ndarray::Array4::from_shape_fn((2, 3, 300, 128), |(a, b, c, d)| (a + b + c + d) as f32);
    let mut many = one.clone();
    rotation.apply(one.view_mut()).unwrap();
    rayon::ThreadPoolBuilder::new()
        .num_threads(3)
        .build()
        .unwrap()
        .install(|| rotation.apply(many.view_mut()).unwrap());
    assert_eq!(one, many);
}
