//! The usual float32 computation of angles, for comparison with torch digit by digit.

use crate::element::Element;
use crate::frequencies::Frequencies;
use crate::positions::Positions;

/// The computation of angles: exact, or in f32 as in most other libraries.
///
/// ```
/// use positional_encodings::{Frequencies, Pairing, Rotary, rotary::Precision};
///
/// let exact = Rotary::new(Frequencies::geometric(128, 10_000.0)?, Pairing::Halves);
/// let usual = exact.clone().with_precision(Precision::Float32Recipe);
/// let cos = |rotary: &Rotary| {
///     rotary.at::<f32>(1_000_000..1_000_001).map(|at| at.cos_sin(0).unwrap()[0][1])
/// };
/// let error = (cos(&exact)? - cos(&usual)?).abs();
/// assert!(error > 1e-3); // the recipe's angle of 865964 radians is accurate to 1/32 only
/// # Ok::<(), positional_encodings::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Precision {
    /// Cosine and sine of the exact angle, rounded once. Other libraries approximate these values.
    #[default]
    Exact,
    /// Frequencies, positions and their product in f32, cosine and sine of that product, times the
    /// attention factor in f32, as in transformers, timm, torchtune and most other libraries.
    /// Angles are off by about 6·10⁻⁸ times the position, as theirs are.
    ///
    /// Where a frequency equals torch's, cosines and sines are within 2 ulp of torch's. A power in
    /// f32 depends on the machine, so some frequencies computed elsewhere may differ in the last
    /// bit, and so do their angles. For identical frequencies give the model's own `inv_freq` to
    /// [`Frequencies::from_radians`].
    Float32Recipe,
}

/// Writes cosines and sines by the float32 recipe into `angles`, a row of 2 · pairs for each
/// position; frequency i is written to pair `targets[i]`.
pub(super) fn fill<T: Element>(
    frequencies: &Frequencies,
    targets: &[usize],
    factor: f64,
    positions: &Positions<'_>,
    angles: &mut [T],
    pairs: usize,
) {
    // torch computes 1/base^(2i/dim) with two roundings. A frequency that is an f32 already is
    // taken as torch's own.
    let inverse = |w: f64| if f64::from(w as f32) == w { w as f32 } else { 1.0 / (1.0 / w) as f32 };
    let frequencies: Vec<f32> = frequencies.to_radians().into_iter().map(inverse).collect();
    for (position, row) in positions.iter().zip(angles.chunks_exact_mut(2 * pairs)) {
        for (frequency, &target) in frequencies.iter().zip(targets) {
            let angle = f64::from(position.to_f64() as f32 * frequency);
            let [cos, sin] =
                [libm::cos(angle), libm::sin(angle)].map(|value| value as f32 * factor as f32);
            row[target] = T::from_f64(f64::from(cos));
            row[pairs + target] = T::from_f64(f64::from(sin));
        }
    }
}
