//! ALiBi's values, compared with the exact product in integers.

use std::cmp::Ordering;

use positional_encodings::bias::AlibiForm;
use positional_encodings::{Alibi, AttentionBias, Element, Positions};

/// Returns a finite value as whole · 2^exponent.
fn parts(value: f64) -> (i128, i32) {
    let bits = value.abs().to_bits();
    let (field, fraction) = ((bits >> 52) as i32, (bits & ((1 << 52) - 1)) as i128);
    let (mut whole, mut exponent) =
        if field == 0 { (fraction, -1074) } else { (fraction | 1 << 52, field - 1075) };
    while whole != 0 && whole % 2 == 0 {
        (whole, exponent) = (whole / 2, exponent + 1);
    }
    (whole, exponent)
}

/// Returns whether the square of a value is above that of distance · 2^(−halves/2).
fn is_above(value: f64, distance: i128, halves: i32) -> Option<bool> {
    let (whole, exponent) = parts(value);
    // whole² · 2^(2 · exponent) against distance² · 2^(−halves)
    let shift = 2 * exponent + halves;
    let (left, right) = (whole * whole, distance * distance);
    let [left, right] =
        if shift >= 0 { [(left, shift), (right, 0)] } else { [(left, 0), (right, -shift)] };
    // A side that does not fit into 128 bits is the greater one.
    let shifted = |(number, shift): (i128, i32)| {
        if number.leading_zeros() as i32 > shift + 1 { number << shift } else { i128::MAX }
    };
    match shifted(left).cmp(&shifted(right)) {
        Ordering::Equal => None,
        order => Some(order == Ordering::Greater),
    }
}

/// Returns the neighbours of a value in this type, by bisection in f64 on both sides.
fn check<A: Element>(next: impl Fn(A, i64) -> f64) {
    // Heads after the eighth have the slopes 2^(−1/2), 2^(−3/2), …, those before them whole powers.
    let alibi = Alibi::new(12).unwrap().with_form(AlibiForm::Symmetric);
    let halves = [2, 4, 6, 8, 10, 12, 14, 16, 1, 3, 5, 7];
    let distances: Vec<i64> =
        (1..700).chain(4096..4200).chain((1..60).map(|i| i * i * 4099 + 1)).collect();
    let bias = alibi.encode(&Positions::from(0..1), &Positions::from(&distances)).unwrap();
    let mut ties = 0;
    for ((head, _, column), value) in bias.indexed_iter() {
        let value: A = *value;
        let magnitude = -value.to_f64();
        assert!(magnitude > 0.0);
        if magnitude == f64::INFINITY {
            // Beyond f16's largest number and half of its last place.
            assert!(
                distances[column] as f64 >= 65_520.0,
                "head {head}, distance {}",
                distances[column]
            );
            continue;
        }
        let (below, above) = (next(value, -1), next(value, 1));
        let distance = i128::from(distances[column]);
        for (neighbour, beyond) in [(below, true), (above, false)] {
            let middle = (magnitude + neighbour) / 2.0;
            if !neighbour.is_finite() || parts(middle).0 > 1 << 53 {
                continue;
            }
            match is_above(middle, distance, halves[head]) {
                Some(above) => {
                    assert_eq!(above, !beyond, "head {head}, distance {distance}: {value:?}")
                }
                // Ties go to the even one.
                None => ties += 1,
            }
        }
    }
    assert!(
        ties > 0 || size_of::<A>() == 4,
        "products of powers of two lie between numbers of 16 bits"
    );
}

#[test]
fn products_are_rounded_once() {
    check::<f32>(|value, by| f64::from(f32::from_bits((value.abs().to_bits() as i64 + by) as u32)));
    #[cfg(feature = "half")]
    {
        use half::{bf16, f16};
        let next = |bits: u16, by: i64| ((bits & 0x7fff) as i64 + by) as u16;
        check::<bf16>(|value, by| bf16::from_bits(next(value.to_bits(), by)).to_f64());
        check::<f16>(|value, by| f16::from_bits(next(value.to_bits(), by)).to_f64());
    }
}

/// Each value depends on its own slope and distance: it has the same bits as one distance at a time
/// in f64, and slopes that are powers of two are rounded through integers.
#[test]
fn powers_of_two_are_exact() {
    let alibi = Alibi::new(8).unwrap();
    let distances = [0_i64, 1, 255, 256, 257, 4095, 65_537, 16_777_217, (1 << 53) + 1, -(1 << 61)];
    let bias = alibi.encode(&Positions::from(0..1), &Positions::from(&distances)).unwrap();
    for ((head, _, column), value) in bias.indexed_iter() {
        let value: f32 = *value;
        // i64 to f32 is rounded once.
        let expected = distances[column] as f32 / (2 << head) as f32;
        assert_eq!(value, expected, "head {head}, distance {}", distances[column]);
    }
}

/// f64 holds the product of a short slope; beyond f16 there is −∞ on one side and the largest
/// number on the other, so that no −∞ of a mask becomes a NaN.
#[test]
fn what_is_too_large_makes_no_nan() {
    let alibi = Alibi::from_slopes(&[1e30]).unwrap();
    let (near, far) = (Positions::from(0..1), Positions::from(&[1_i64 << 61]));
    let after: ndarray::Array3<f32> = alibi.encode(&near, &far).unwrap();
    let before: ndarray::Array3<f32> = alibi.encode(&far, &near).unwrap();
    assert_eq!((after[[0, 0, 0]], before[[0, 0, 0]]), (f32::MAX, f32::NEG_INFINITY));
    let exact: ndarray::Array3<f64> = alibi.encode(&near, &far).unwrap();
    assert_eq!(exact[[0, 0, 0]], 1e30 * (1_u64 << 61) as f64);
    #[cfg(feature = "half")]
    {
        let alibi = Alibi::new(1).unwrap();
        let after: ndarray::Array3<half::f16> = alibi.encode(&near, &far).unwrap();
        assert_eq!(after[[0, 0, 0]], half::f16::MAX);
    }
}

/// At real times the distance is that of the times, and what is lost in their difference counts
/// where the product is rounded: 1 + 2⁻²⁴ lies between two numbers, and a little more is nearer to
/// the upper one.
#[test]
fn real_times_are_subtracted_exactly() {
    let of = |slope: f64, query: f64, key: f64| {
        let alibi = Alibi::from_slopes(&[slope]).unwrap();
        let (query, key) = (Positions::from(vec![query]), Positions::from(vec![key]));
        let bias: ndarray::Array3<f32> = alibi.encode(&query, &key).unwrap();
        bias[[0, 0, 0]]
    };
    assert_eq!((of(1.0, 0.5, 0.25), of(1.0, 0.5, 2.0)), (-0.25, 1.5));
    let (slope, little) = (1.0 + 2_f64.powi(-24), 2_f64.powi(-60));
    assert_eq!((of(slope, 0.0, 1.0), of(slope, -little, 1.0)), (1.0, 1.0 + f32::EPSILON));
    assert_eq!(of(slope, little, 1.0), 1.0);
    assert_eq!(of(slope, 1.0, -little), -1.0 - f32::EPSILON);
}
