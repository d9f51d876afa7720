//! The errors of values, measured against references of 80 digits and more.
//!
//! `tests/golden/e1…` and `e2…` come with the other golden files; `tools/truth.py` makes
//! `tests/truth/`. Run with `--nocapture` to see the figures.

use std::collections::BTreeMap;

use crate::common::Tensors;
use ndarray::Array2;
use positional_encodings::{
    Element, Error, Frequencies, PositionalEncoding, Positions, Sinusoidal,
};

/// A true value: the nearest f64, and the remainder.
#[derive(Clone, Copy)]
struct Truth {
    nearest: f64,
    rest: f64,
}

impl Truth {
    /// Returns `value` − truth. The first difference is exact where `value` is close.
    fn error(self, value: f64) -> f64 {
        (value - self.nearest) - self.rest
    }

    /// Returns the distance between neighbours at this magnitude in a format with `bits` bits.
    fn ulp(self, bits: i32) -> f64 {
        let exponent = (self.nearest.abs().to_bits() >> 52) as i32 - 1023;
        2_f64.powi(exponent - bits + 1)
    }
}

/// The largest errors of a format.
#[derive(Default)]
struct Worst {
    values: usize,
    ulp_above: f64,
    ulp_below: f64,
    absolute_below: f64,
}

impl Worst {
    fn see(&mut self, value: f64, truth: Truth, bits: i32, threshold: f64) {
        self.values += 1;
        let error = truth.error(value).abs();
        let ulps = if truth.nearest == 0.0 && error == 0.0 { 0.0 } else { error / truth.ulp(bits) };
        if truth.nearest.abs() >= threshold {
            self.ulp_above = self.ulp_above.max(ulps);
        } else {
            self.ulp_below = self.ulp_below.max(ulps);
            self.absolute_below = self.absolute_below.max(error);
        }
    }

    fn see_f32(&mut self, value: f32, truth: Truth) {
        self.see(f64::from(value), truth, 24, 2_f64.powi(-20));
    }

    fn see_f64(&mut self, value: f64, truth: Truth) {
        self.see(value, truth, 53, 2_f64.powi(-14));
    }

    fn report(&self, name: &str) {
        println!(
            "{name}: {} values, {:.6} ulp, {:.6} ulp below the threshold, where the error is 2^{:.2}",
            self.values,
            self.ulp_above,
            self.ulp_below,
            self.absolute_below.log2()
        );
    }

    #[track_caller]
    fn check_f32(&self) {
        self.report("f32");
        assert!(self.ulp_above <= 0.501, "{} ulp where |value| >= 2^-20", self.ulp_above);
        assert!(self.ulp_below <= 1.0, "{} ulp where |value| < 2^-20", self.ulp_below);
    }

    #[track_caller]
    fn check_f64(&self) {
        self.report("f64");
        assert!(self.ulp_above <= 0.505, "{} ulp where |value| >= 2^-14", self.ulp_above);
        assert!(self.absolute_below <= 2_f64.powi(-62), "2^{} off", self.absolute_below.log2());
    }
}

fn encoding(kind: u8, dim: i32, base: f64) -> Result<Sinusoidal, Error> {
    let dim = usize::try_from(dim).unwrap();
    let frequencies = if kind == 0 {
        Frequencies::geometric(dim, base)
    } else {
        Frequencies::geometric_inclusive(dim, base)
    };
    frequencies.map(Sinusoidal::from_frequencies)
}

fn rows<A: Element>(encoding: &Sinusoidal, positions: &[f64]) -> Array2<A> {
    encoding.encode(&Positions::from(positions)).unwrap()
}

/// Sines and cosines at the positions, dims and bases of the golden truth: all are correctly
/// rounded in f32.
#[test]
fn golden_sines_and_cosines() {
    let golden = Tensors::golden("e1_truth_sin_cos");
    let (dims, pairs) = (golden.list::<i32>("truth/d"), golden.list::<i32>("truth/i"));
    let (bases, positions) = (golden.list::<f64>("truth/base"), golden.list::<f64>("truth/pos"));
    let truths = [golden.list::<f64>("truth/sin_f64"), golden.list::<f64>("truth/cos_f64")];
    let rounded = [golden.list::<f32>("truth/sin_f32"), golden.list::<f32>("truth/cos_f32")];
    let (mut single, mut double, mut correct) = (Worst::default(), Worst::default(), 0);
    for ((dim, base), cases) in
        grouped((0..dims.len()).map(|case| ((dims[case], bases[case].to_bits()), case)))
    {
        let encoding = encoding(0, dim, f64::from_bits(base)).unwrap();
        let at: Vec<f64> = cases.iter().map(|&case| positions[case]).collect();
        let (singles, doubles) = (rows::<f32>(&encoding, &at), rows::<f64>(&encoding, &at));
        for (row, &case) in cases.iter().enumerate() {
            for member in [0, 1] {
                let column = 2 * pairs[case] as usize + member;
                // The nearest f64 is the reference here: its own error is up to half an ulp of f64.
                let truth = Truth { nearest: truths[member][case], rest: 0.0 };
                single.see_f32(singles[[row, column]], truth);
                double.see_f64(doubles[[row, column]], truth);
                correct += usize::from(singles[[row, column]] == rounded[member][case]);
            }
        }
    }
    println!("{correct} of {} correctly rounded in f32", single.values);
    assert_eq!(correct, single.values);
    single.check_f32();
    double.check_f64();
}

/// Positions where sines and cosines are smallest, and the last positions, at bases
/// from 100 to 1e8 and dims from 2 to 16384.
#[test]
fn hard_sines_and_cosines() {
    let file = Tensors::open("truth", "hard");
    let (kinds, dims) = (file.list::<u8>("encodings/kind"), file.list::<i32>("encodings/dim"));
    let bases = file.list::<f64>("encodings/base");
    let (encodings, pairs) = (file.list::<u16>("cases/encoding"), file.list::<u16>("cases/pair"));
    let positions = file.list::<f64>("cases/position");
    let nearest = [file.list::<f64>("cases/sin"), file.list::<f64>("cases/cos")];
    let rests = [file.list::<f32>("cases/sin_rest"), file.list::<f32>("cases/cos_rest")];
    let (mut single, mut double) = (Worst::default(), Worst::default());
    for (index, cases) in
        grouped((0..encodings.len()).map(|case| (usize::from(encodings[case]), case)))
    {
        let encoding = encoding(kinds[index], dims[index], bases[index]).unwrap();
        let at: Vec<f64> = cases.iter().map(|&case| positions[case]).collect();
        let (singles, doubles) = (rows::<f32>(&encoding, &at), rows::<f64>(&encoding, &at));
        for (row, &case) in cases.iter().enumerate() {
            for member in [0, 1] {
                let column = 2 * usize::from(pairs[case]) + member;
                let truth =
                    Truth { nearest: nearest[member][case], rest: f64::from(rests[member][case]) };
                single.see_f32(singles[[row, column]], truth);
                double.see_f64(doubles[[row, column]], truth);
            }
        }
    }
    assert!(
        positions.iter().filter(|&&position| position == 9_007_199_254_740_991.0).count() > 100
    );
    assert!(
        nearest[0].iter().filter(|sin| **sin != 0.0 && sin.abs() < 1e-15).count() > 10,
        "the sines are not hard"
    );
    single.check_f32();
    double.check_f64();
}

/// Whole rows, more than 1,000,000 values: each row is right if the hash of its bytes is.
fn correctly_rounded_rows<A: Element>(format: &str, bytes: impl Fn(A) -> Vec<u8>) {
    let file = Tensors::open("truth", "rows");
    let (kinds, dims) = (file.list::<u8>("rows/kind"), file.list::<i32>("rows/dim"));
    let (bases, positions) = (file.list::<f64>("rows/base"), file.list::<f64>("rows/position"));
    let hashes = file.list::<u64>(&format!("rows/{format}"));
    let (mut values, mut wrong) = (0, Vec::new());
    for ((kind, dim, base), cases) in grouped(
        (0..dims.len()).map(|case| ((kinds[case], dims[case], bases[case].to_bits()), case)),
    ) {
        let encoding = encoding(kind, dim, f64::from_bits(base)).unwrap();
        let at: Vec<f64> = cases.iter().map(|&case| positions[case]).collect();
        let rows = rows::<A>(&encoding, &at);
        values += rows.len();
        for (row, &case) in rows.outer_iter().zip(&cases) {
            if fnv1a(row.iter().flat_map(|&value| bytes(value))) != hashes[case] {
                wrong.push((kind, dim, bases[case], positions[case]));
            }
        }
    }
    println!(
        "{format}: {} of {} rows with {values} values are not correctly rounded: {wrong:?}",
        wrong.len(),
        dims.len()
    );
    assert!(values >= 1_000_000);
    // A wrong row has at least one wrong value, and with one wrong row in all almost surely exactly
    // one.
    assert!(
        wrong.len() <= values / 1_000_000,
        "{} rows of {values} values are wrong: {wrong:?}",
        wrong.len()
    );
}

#[test]
fn a_million_values_are_correctly_rounded_in_f32() {
    correctly_rounded_rows("f32", |value: f32| value.to_le_bytes().to_vec());
}

#[test]
#[cfg(feature = "half")]
fn a_million_values_are_correctly_rounded_in_f16() {
    correctly_rounded_rows("f16", |value: half::f16| value.to_le_bytes().to_vec());
}

#[test]
#[cfg(feature = "half")]
fn a_million_values_are_correctly_rounded_in_bf16() {
    correctly_rounded_rows("bf16", |value: half::bf16| value.to_le_bytes().to_vec());
}

/// Frequencies are returned correctly rounded.
#[test]
fn frequencies() -> Result<(), Error> {
    let golden = Tensors::golden("e2_truth_frequencies");
    for (name, frequencies) in [
        ("inv_freq_d64_b10000", Frequencies::geometric(64, 1e4)?),
        ("inv_freq_d128_b500000", Frequencies::geometric(128, 5e5)?),
        ("inv_freq_d768_b10000", Frequencies::geometric(768, 1e4)?),
        ("inv_freq_half_minus_one_d128_b10000", Frequencies::geometric_inclusive(128, 1e4)?),
        ("inv_freq_half_minus_one_d384_b10000", Frequencies::geometric_inclusive(384, 1e4)?),
    ] {
        let radians = frequencies.to_radians();
        assert_eq!(radians, golden.list::<f64>(&format!("{name}/f64")), "{name}");
        let singles: Vec<f32> = radians.iter().map(|&frequency| frequency as f32).collect();
        assert_eq!(singles, golden.list::<f32>(&format!("{name}/f32")), "{name}");
    }
    Ok(())
}

/// The measure must be able to fail: the usual code is far off.
#[test]
fn a_naive_loop_is_caught() {
    let truth = Truth { nearest: 9999.99_f64.sin(), rest: 0.0 };
    let mut naive = Worst::default();
    let frequency = 10_000_f32.powf(-0.5);
    naive.see_f32((999_999_f32 * frequency).sin(), truth);
    assert!(naive.ulp_above > 0.501);
    let mut neighbour = Worst::default();
    neighbour.see_f64(truth.nearest.next_up().next_up(), truth);
    assert!(neighbour.ulp_above > 1.0);
    assert_ne!(fnv1a(1_f32.to_le_bytes()), fnv1a(1_f32.next_up().to_le_bytes()));
    // The published test value of FNV-1a.
    assert_eq!(fnv1a(*b"foobar"), 0x8594_4171_f739_67e8);
}

fn fnv1a(bytes: impl IntoIterator<Item = u8>) -> u64 {
    bytes.into_iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
    })
}

fn grouped<K: Ord, V>(items: impl Iterator<Item = (K, V)>) -> BTreeMap<K, Vec<V>> {
    let mut groups = BTreeMap::<K, Vec<V>>::new();
    for (key, value) in items {
        groups.entry(key).or_default().push(value);
    }
    groups
}
