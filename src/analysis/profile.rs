//! The distribution of a rotary score over distances, in closed form.

use nalgebra::Complex;

use super::kernel::check_products;
use crate::error::{Error, check_parameter};
use crate::frequencies::Frequencies;
use crate::positions::Positions;
use crate::rotary::{Pairing, Rotary, Rotation};

/// The distribution of a rotary score over all distances within a window, for one query and key, or
/// for one query and the difference of two keys (arXiv 2605.15514, 2609.39929; PyPI's
/// `rope-profiler`).
///
/// With cᵢ the [products](super::pair_products) of the pairs and N distances from 0 on,
///
/// - M(w) = (1/N)·Σ e^(iwΔ) = e^(i(N−1)w/2)·sin(Nw/2) / (N·sin(w/2)),
/// - mean = Re Σ cᵢ·M(wᵢ),
/// - variance = ½·Re Σᵢⱼ \[cᵢ·(M(wᵢ − wⱼ) − MᵢM̄ⱼ)·c̄ⱼ + cᵢ·(M(wᵢ + wⱼ) − MᵢMⱼ)·cⱼ\].
///
/// The closed forms need no loop over distances, and phases are exact, so that for them a window of
/// 2⁵² costs as much as a window of two. Only the sensitivity takes a loop.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct RotaryProfile {
    /// The mean score.
    pub mean: f64,
    /// The variance of the score.
    pub variance: f64,
    /// The probability that a score has another sign than at distance 0, if scores are normally
    /// distributed: ½·erfc(sign·mean/√(2·variance)). For the difference of two keys this is how
    /// often distance makes the query prefer the other key; ½ means that the preference is lost. It
    /// is ½ where the score at distance 0 is 0.
    pub reversal: f64,
    /// The mean absolute change of the score from one distance to the next, divided by ‖c‖: how
    /// well it tells positions apart. Of more than 2²⁰ distances, 2²⁰ evenly spaced ones are used.
    pub sensitivity: f64,
}

impl RotaryProfile {
    /// Computes the profile from the products of query and key within a window of `len` distances.
    /// The profile includes the square of the attention factor.
    ///
    /// # Errors
    ///
    /// [`Error::LengthMismatch`] unless there is one product for each pair;
    /// [`Error::ValueOutOfRange`]; [`Error::InvalidParameter`] unless `len` is from 2 to 2⁵².
    ///
    /// ```
    /// use positional_encodings::{Frequencies, analysis::RotaryProfile};
    ///
    /// let frequencies = Frequencies::geometric(8, 10_000.0)?;
    /// let products = [[1.0, 0.0], [0.5, -0.25], [-0.3, 0.1], [0.0, 0.2]];
    /// let profile = RotaryProfile::of(&frequencies, &products, 128)?;
    /// assert!((profile.mean + 0.2722409613).abs() < 1e-9);
    /// assert!((profile.reversal - 0.6299607).abs() < 1e-7);
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn of(frequencies: &Frequencies, products: &[[f64; 2]], len: usize) -> Result<Self, Error> {
        const LONGEST: u64 = 1 << 52;
        let (expected, found) = (frequencies.len(), products.len());
        if found != expected {
            return Err(Error::LengthMismatch { what: "products", expected, found });
        }
        check_products(products)?;
        let is_met = (2..=LONGEST).contains(&(len as u64));
        check_parameter("window", len as f64, is_met, "from 2 to 2^52")?;
        let square = frequencies.attention_factor() * frequencies.attention_factor();
        let products: Vec<Complex<f64>> =
            products.iter().map(|&[re, im]| Complex::new(re, im) * square).collect();
        let plain = frequencies.clone().with_attention_factor(1.0)?;
        let rotary = Rotary::new(plain, Pairing::Halves);
        let waves = Wave::all(&rotary, len)?;
        let (mean, variance) = moments(&waves, &products, len);
        let reference = products.iter().map(|c| c.re).sum::<f64>();
        let oriented = if reference < 0.0 { -mean } else { mean };
        let reversal = match variance > 0.0 && reference != 0.0 {
            true => 0.5 * libm::erfc(oriented / (2.0 * variance).sqrt()),
            false if reference == 0.0 => 0.5,
            false => f64::from(u8::from(oriented < 0.0)),
        };
        let sensitivity = sensitivity(&rotary, &waves, &products, len)?;
        Ok(Self { mean, variance, reversal, sensitivity })
    }
}

/// A frequency, or the sum or difference of two, with its exact phases.
#[derive(Clone, Copy)]
struct Wave {
    frequency: f64,
    /// e^(iw/2).
    half: Complex<f64>,
    /// e^(i(N−1)w/2).
    middle: Complex<f64>,
    /// e^(iNw/2).
    end: Complex<f64>,
}

impl Wave {
    /// Returns the waves of all pairs for a window of `len` distances.
    fn all(rotary: &Rotary, len: usize) -> Result<Vec<Self>, Error> {
        let halves = [1, len - 1, len].map(|twice| twice as f64 / 2.0);
        let rotation: Rotation<f64> = rotary.at(&halves)?;
        let (cos, sin) = rotation.tables();
        let at = |row: usize, pair: usize| Complex::new(cos[[row, pair]], sin[[row, pair]]);
        let wave = |(pair, frequency)| Self {
            frequency,
            half: at(0, pair),
            middle: at(1, pair),
            end: at(2, pair),
        };
        Ok(rotary.frequencies().into_iter().enumerate().map(wave).collect())
    }

    fn plus(&self, other: &Self) -> Self {
        Self {
            frequency: self.frequency + other.frequency,
            half: self.half * other.half,
            middle: self.middle * other.middle,
            end: self.end * other.end,
        }
    }

    fn back(&self) -> Self {
        let [half, middle, end] = [self.half, self.middle, self.end].map(|phase| phase.conj());
        Self { frequency: -self.frequency, half, middle, end }
    }

    /// Returns the mean of e^(iwΔ) over `len` distances.
    fn mean(&self, len: usize) -> Complex<f64> {
        let (len, half) = (len as f64, self.frequency / 2.0);
        // For slow waves the phases have lost bits that the frequency still has.
        let end = if (len * half).abs() < 1.0 { libm::sin(len * half) } else { self.end.im };
        let start = if half.abs() < 0.25 { libm::sin(half) } else { self.half.im };
        // A frequency of zero, or of a whole number of turns per position.
        if start.abs() < 1e-300 || half.abs() >= 0.25 && start.abs() < 1e-14 {
            return Complex::new(1.0, 0.0);
        }
        self.middle * (end / (len * start))
    }
}

/// Returns the mean and the variance of the score.
fn moments(waves: &[Wave], products: &[Complex<f64>], len: usize) -> (f64, f64) {
    let means: Vec<Complex<f64>> = waves.iter().map(|wave| wave.mean(len)).collect();
    let mean = products.iter().zip(&means).map(|(c, m)| (c * m).re).sum();
    let mut variance = 0.0;
    for (i, (a, c)) in waves.iter().zip(products).enumerate() {
        for (j, (b, d)) in waves.iter().zip(products).enumerate() {
            let minus = a.plus(&b.back()).mean(len) - means[i] * means[j].conj();
            let plus = a.plus(b).mean(len) - means[i] * means[j];
            variance += 0.5 * (c * minus * d.conj() + c * plus * d).re;
        }
    }
    (mean, variance.max(0.0))
}

/// Returns the mean of |Re Σ cᵢ(e^(iwᵢ) − 1)·e^(iwᵢΔ)| over the distances, divided by ‖c‖.
fn sensitivity(
    rotary: &Rotary,
    waves: &[Wave],
    products: &[Complex<f64>],
    len: usize,
) -> Result<f64, Error> {
    const MOST: usize = 1 << 20;
    const BLOCK: usize = 1 << 10;
    let norm = products.iter().map(|c| c.norm_sqr()).sum::<f64>().sqrt();
    if norm == 0.0 {
        return Ok(0.0);
    }
    // e^(iw) − 1 = 2i·sin(w/2)·e^(iw/2) does not cancel.
    let step = |wave: &Wave| wave.half * Complex::new(0.0, 2.0 * wave.half.im);
    let steps: Vec<Complex<f64>> = products.iter().zip(waves).map(|(c, w)| c * step(w)).collect();
    let count = (len - 1).min(MOST);
    let stride = (len - 1) / count;
    let mut sum = 0.0;
    let mut rotation = rotary.at::<f64>(0..0)?;
    for start in (0..count).step_by(BLOCK) {
        let distances: Vec<usize> =
            (start..count.min(start + BLOCK)).map(|index| index * stride).collect();
        rotary.at_into(Positions::from(&distances), &mut rotation)?;
        let (cos, sin) = rotation.tables();
        for (cos, sin) in cos.outer_iter().zip(sin.outer_iter()) {
            let phases = cos.iter().zip(sin).zip(&steps);
            sum += phases.map(|((c, s), step)| step.re * c - step.im * s).sum::<f64>().abs();
        }
    }
    Ok(sum / count as f64 / norm)
}
