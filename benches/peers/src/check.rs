//! Checks that two results are of the same task.

use crate::work::Places;

/// The precision of angles, position × frequency.
#[derive(Clone, Copy)]
pub enum Angles {
    F32,
    /// f64, or exact.
    F64,
}

impl Angles {
    /// Returns the tolerance of a value, in units of the largest input.
    ///
    /// In f32, ln(frequency) is made with three roundings at most, which exp turns into relative
    /// errors of the frequency; exp and the product with the position round again: (3 |ln
    /// frequency| + 3) · 2⁻²⁴ of the angle. Sine, cosine and the operations on them round a few
    /// more times, by 2⁻²⁴ each, for any angle.
    fn error(self, position: usize, frequency: f64) -> f64 {
        let unit = 2_f64.powi(-24);
        let angle = match self {
            Self::F32 => position as f64 * frequency * (3.0 * frequency.ln().abs() + 3.0) * unit,
            Self::F64 => 0.0,
        };
        angle + 4.0 * unit
    }
}

/// Checks that two results differ by no more than the errors of their angles.
///
/// # Panics
///
/// Panics where `found` is further from `expected` than its angles explain. A rotation has two
/// inputs, hence the 2.
pub fn assert_same(who: &str, angles: Angles, places: Places, found: &[f32], expected: &[f32]) {
    assert_eq!(found.len(), expected.len(), "{who}: the number of values");
    for (i, (found, expected)) in found.iter().zip(expected).enumerate() {
        let (position, frequency) = places.of(i);
        let (off, allowed) =
            (f64::from((found - expected).abs()), 2.0 * angles.error(position, frequency));
        assert!(
            off <= allowed,
            "{who}: {found} at {i}, position {position}, not {expected}: off by {off:e} > {allowed:e}"
        );
    }
}

/// Checks that two results differ by no more than their roundings.
///
/// # Panics
///
/// Panics where `found` is further from `expected` than a few roundings of f32 explain.
pub fn assert_close(who: &str, found: &[f32], expected: &[f32]) {
    assert_eq!(found.len(), expected.len(), "{who}: the number of values");
    for (i, (found, expected)) in found.iter().zip(expected).enumerate() {
        let allowed = 8.0 * f32::EPSILON * expected.abs().max(1.0);
        assert!((found - expected).abs() <= allowed, "{who}: {found} at {i}, not {expected}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{loops, ours, work};
    use ndarray::Array2;
    use positional_encodings::{FeatureLayout, Pairing, PositionalEncoding, Positions};

    const PLACES: Places = Places { first: 0, len: 512, dim: 64, pairing: Pairing::Interleaved };

    fn table(first: usize) -> Vec<f32> {
        let table: Array2<f32> = ours::sinusoid(64, FeatureLayout::Interleaved)
            .encode(&Positions::from(first..first + 512))
            .unwrap();
        table.into_raw_vec_and_offset().0
    }

    #[test]
    fn f32_angles_pass() {
        let mut loops = vec![0.0; 512 * 64];
        loops::table_hoisted(&mut loops, 64);
        assert_same("loop", Angles::F32, PLACES, &loops, &table(0));
    }

    #[test]
    #[should_panic(expected = "off by")]
    fn f32_angles_are_seen() {
        let mut loops = vec![0.0; work::ROWS * 64];
        loops::table_hoisted(&mut loops, 64);
        let exact: Array2<f32> = ours::sinusoid(64, FeatureLayout::Interleaved)
            .encode(&Positions::from(0..work::ROWS))
            .unwrap();
        let places = Places { len: work::ROWS, ..PLACES };
        assert_same("loop", Angles::F64, places, &loops, exact.as_slice().unwrap());
    }

    #[test]
    #[should_panic(expected = "off by")]
    fn another_position_fails() {
        assert_same("shifted", Angles::F32, PLACES, &table(1), &table(0));
    }
}
