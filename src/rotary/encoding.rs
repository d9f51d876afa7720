//! The rotary encoding: frequencies, a pairing, and the features that are rotated.

use core::ops::Range;
use std::sync::Arc;

use fearless_simd::Level;
use ndarray::ArrayViewMut2;

use super::pairing::{Features, Pairing};
use super::recipe::{self, Precision};
use super::rotation::{AngleRows, Rotation, unique};
use crate::element::Element;
use crate::error::Error;
use crate::frequencies::Frequencies;
use crate::frequencies::scaling::Regime;
use crate::phase::{Amplitude, Columns, FeatureLayout, Waves};
use crate::positions::Positions;
use crate::simd::InstructionSet;

/// Rotates each pair of features by an angle that grows with position (Su et al. 2021, *RoFormer:
/// enhanced transformer with rotary position embedding*, arXiv 2104.09864).
///
/// The pair (x, y) of frequency wᵢ at position p becomes (x·cos(p·wᵢ) − y·sin(p·wᵢ), y·cos(p·wᵢ) +
/// x·sin(p·wᵢ)). Scores of rotated queries and keys then depend on positions only through their
/// difference.
///
/// A `Rotary` is immutable and has no maximal length: [`at`](Self::at) makes the [`Rotation`] for
/// given positions, a plan that the caller holds and applies to queries and keys in any layout.
/// Angles are exact: cosines and sines are those of the formula, rounded once, at position 3 as at
/// position 2⁵³ − 1.
///
/// ```
/// use ndarray::Array4;
/// use positional_encodings::{Frequencies, Pairing, Rotary, scaling::Llama3};
///
/// // Llama 3.1 in transformers
/// let scaling = Llama3 {
///     factor: 8.0,
///     low_freq_factor: 1.0,
///     high_freq_factor: 4.0,
///     original_len: 8192,
/// };
/// let frequencies = Frequencies::geometric(128, 500_000.0)?.llama3(scaling)?;
/// let rotary = Rotary::new(frequencies, Pairing::Halves);
///
/// let mut k = Array4::<f32>::ones((1, 8, 10, 128)); // (batch, heads, positions, dim)
/// rotary.at(0..10)?.apply(k.view_mut())?;
///
/// // A decode step: the plan is recomputed in place, without allocation.
/// let mut q = Array4::<f32>::ones((1, 32, 1, 128));
/// let mut step = rotary.at(10..11)?;
/// step.apply(q.view_mut())?;
/// rotary.at_into(11..12, &mut step)?;
/// assert_eq!(q[[0, 5, 0, 0]], 10_f32.cos() - 10_f32.sin()); // (1, 1) rotated by 10 radians
/// # Ok::<(), positional_encodings::Error>(())
/// ```
#[derive(Clone)]
pub struct Rotary {
    pub(super) parts: Vec<Part>,
    pub(super) features: Features,
    pub(super) level: Level,
    /// The number of axes of a position.
    pub(super) axes: usize,
    /// Whether positions on one axis may stand for all axes.
    pub(super) shared: bool,
    pub(super) attention_factor: f64,
    pub(super) precision: Precision,
    pub(super) regime: Regime,
}

/// The pairs that are rotated by the positions on one axis.
#[derive(Clone)]
pub(super) struct Part {
    pub(super) axis: usize,
    pub(super) frequencies: Frequencies,
    waves: Waves,
    /// The indices of the pairs in the whole rotation, in the order of the frequencies.
    pub(super) targets: Vec<usize>,
}

impl PartialEq for Part {
    fn eq(&self, other: &Self) -> bool {
        (self.axis, &self.frequencies, &self.targets)
            == (other.axis, &other.frequencies, &other.targets)
    }
}

/// Two encodings are equal if they give the same rotations. The instruction set does not matter.
impl PartialEq for Rotary {
    fn eq(&self, other: &Self) -> bool {
        (&self.parts, self.features, self.axes, self.shared)
            == (&other.parts, other.features, other.axes, other.shared)
            && (self.attention_factor, self.precision, self.regime)
                == (other.attention_factor, other.precision, other.regime)
    }
}

impl Part {
    pub(super) fn new(axis: usize, frequencies: Frequencies, targets: Vec<usize>) -> Self {
        debug_assert_eq!(frequencies.len(), targets.len());
        Self {
            axis,
            waves: Waves::new(frequencies.as_wide(), Amplitude::ONE),
            frequencies,
            targets,
        }
    }
}

impl Rotary {
    /// Makes a rotary encoding with the given frequencies; dim is twice their number. Cosines and
    /// sines are multiplied by the attention factor of the frequencies, so that attention scores
    /// grow by its square.
    ///
    /// ```
    /// use positional_encodings::{Frequencies, Pairing, Rotary, scaling::{Regime, Yarn}};
    ///
    /// let yarn = Frequencies::geometric(128, 1e6)?.yarn(&Yarn::new(4.0, 32768))?;
    /// let qwen3 = Rotary::new(yarn, Pairing::Halves);
    /// assert_eq!(qwen3.at::<f32>(0..1)?.cos_sin(0).unwrap()[0][0], 1.138629436);
    ///
    /// let rotary = Rotary::new(Frequencies::geometric(4, 10_000.0)?, Pairing::Halves);
    /// assert_eq!((rotary.dim(), rotary.pairing(), rotary.axes()), (4, Pairing::Halves, 1));
    /// assert_eq!(
    ///     (rotary.frequencies(), rotary.attention_factor(), rotary.regime()),
    ///     (vec![1.0, 0.01], 1.0, Regime::Fixed)
    /// );
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn new(frequencies: Frequencies, pairing: Pairing) -> Self {
        let targets = (0..frequencies.len()).collect();
        Self::from_parts(vec![Part::new(0, frequencies, targets)], pairing, 1)
    }

    pub(super) fn from_parts(parts: Vec<Part>, pairing: Pairing, axes: usize) -> Self {
        let pairs = parts.iter().map(|part| part.targets.len()).sum();
        // All axes share one attention factor, and at most one axis depends on the length.
        let attention_factor =
            parts.first().map_or(1.0, |part| part.frequencies.attention_factor());
        let mut regimes = parts.iter().map(|part| part.frequencies.regime());
        let regime = regimes.find(|&regime| regime != Regime::Fixed).unwrap_or_default();
        let mut rotary = Self {
            parts,
            features: Features { pairs, pairing, blocks: 1, last: false },
            level: Level::new(),
            axes,
            shared: axes == 1,
            attention_factor,
            precision: Precision::Exact,
            regime,
        };
        if attention_factor != 1.0 {
            rotary.renew();
        }
        rotary
    }

    /// Rotates the last features of a row instead of the first: DeepSeek's heads are \[NoPE |
    /// RoPE\].
    ///
    /// ```
    /// use ndarray::array;
    /// use positional_encodings::{Frequencies, Pairing, Rotary};
    ///
    /// let rotary = Rotary::new(Frequencies::harmonic(2, 4.0)?, Pairing::Interleaved)
    ///     .on_last_features();
    /// let mut x = array![[7.0, 8.0, 1.0, 2.0]];
    /// rotary.at::<f64>(1..2)?.apply(x.view_mut())?;
    /// assert_eq!(x, array![[7.0, 8.0, -2.0, 1.0]]);
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn on_last_features(mut self) -> Self {
        self.features.last = true;
        self
    }

    /// Passes the attention factor and the instruction set on to the parts.
    pub(super) fn renew(&mut self) {
        let amplitude = Amplitude::new(self.attention_factor).unwrap_or(Amplitude::ONE);
        for part in &mut self.parts {
            part.waves = part.waves.clone().with_amplitude(amplitude).with_level(self.level);
        }
    }

    /// Sets how angles are computed; the default is exact.
    ///
    /// ```
    /// use positional_encodings::{Frequencies, Pairing, Rotary, rotary::Precision};
    ///
    /// let exact = Rotary::new(Frequencies::from_radians([0.1])?, Pairing::Halves);
    /// let recipe = exact.clone().with_precision(Precision::Float32Recipe);
    /// assert_eq!(
    ///     recipe.at::<f32>(10_000..10_001)?.cos_sin(0).unwrap()[0],
    ///     [((1e4_f32 * 10_f32.recip()) as f64).cos() as f32]
    /// );
    /// assert_eq!(
    ///     exact.at::<f32>(10_000..10_001)?.cos_sin(0).unwrap()[0],
    ///     [1000_f64.cos() as f32]
    /// );
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn with_precision(mut self, precision: Precision) -> Self {
        self.precision = precision;
        self
    }

    /// Sets the instruction set, for tests and benchmarks: the bits are the same with each.
    ///
    /// # Errors
    ///
    /// [`Error::UnavailableInstructionSet`] where this machine does not have the instruction set.
    ///
    /// ```
    /// use positional_encodings::{Frequencies, Pairing, Rotary, testing::InstructionSet};
    ///
    /// let rotary = Rotary::new(Frequencies::geometric(128, 10_000.0)?, Pairing::Halves);
    /// for set in InstructionSet::available() {
    ///     let other = rotary.clone().with_instruction_set(set)?;
    ///     assert_eq!(other.at::<f32>(7..8)?.cos_sin(0), rotary.at::<f32>(7..8)?.cos_sin(0));
    /// }
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn with_instruction_set(mut self, set: InstructionSet) -> Result<Self, Error> {
        self.level = set.level()?;
        self.renew();
        Ok(self)
    }

    /// Makes the rotation at the given positions: a list that all sequences share, ids (batch, len)
    /// with a row for each sequence, or positions on several axes. Where axes share their
    /// frequencies ([`with_sections`](Self::with_sections)), positions on one axis stand for all of
    /// them.
    ///
    /// # Errors
    ///
    /// [`Error::NonFinitePosition`], [`Error::PositionTooLarge`], [`Error::TooLarge`];
    /// [`Error::AxesMismatch`] where the positions have another number of axes than the rotation.
    ///
    /// ```
    /// use ndarray::array;
    /// use positional_encodings::{Frequencies, Pairing, Rotary};
    ///
    /// let rotary = Rotary::new(Frequencies::geometric(64, 10_000.0)?, Pairing::Halves);
    /// let prompt = rotary.at::<f32>(0..128)?;
    /// let step = rotary.at::<f32>(4095..4096)?;
    /// let left_padded = rotary.at::<f32>(&array![[0, 0, 1], [0, 1, 2]])?;
    /// assert_eq!(
    ///     (prompt.positions(), step.positions(), left_padded.positions()),
    ///     (Some(128), Some(1), Some(3))
    /// );
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn at<'p, T: Element<Angle = T>>(
        &self,
        positions: impl Into<Positions<'p>>,
    ) -> Result<Rotation<T>, Error> {
        let (angles, rows) = (Arc::new(Vec::new()), AngleRows::Shared);
        let mut rotation = Rotation {
            angles,
            rows,
            len: 0,
            features: self.features,
            back: false,
            level: self.level,
            regime: self.regime,
            scaled: false,
        };
        self.at_into(positions, &mut rotation)?;
        Ok(rotation)
    }

    /// Recomputes `rotation` for other positions in its own memory. Memory is allocated only if
    /// more is needed, or while a clone or an inverse of `rotation` is still held.
    ///
    /// # Errors
    ///
    /// The errors of [`at`](Self::at); `rotation` is then unchanged.
    ///
    /// ```
    /// use positional_encodings::{Frequencies, Pairing, Rotary};
    ///
    /// let rotary = Rotary::new(Frequencies::geometric(128, 10_000.0)?, Pairing::Halves);
    /// let mut step = rotary.at::<f32>(4095..4096)?;
    /// rotary.at_into(4096..4097, &mut step)?; // the next one
    /// assert_eq!(step.cos_sin(0), rotary.at::<f32>(4096..4097)?.cos_sin(0));
    /// assert!(rotary.at_into(&[f64::NAN], &mut step).is_err());
    /// assert_eq!(step.cos_sin(0).unwrap()[0][0], 4096_f64.cos() as f32);
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn at_into<'p, T: Element<Angle = T>>(
        &self,
        positions: impl Into<Positions<'p>>,
        rotation: &mut Rotation<T>,
    ) -> Result<(), Error> {
        let positions = positions.into();
        self.check(&positions)?;
        let angles = unique(&mut rotation.angles, positions.count(), 2 * self.features.pairs)?;
        self.fill(&positions, angles);
        rotation.rows = AngleRows::of(&positions);
        rotation.len = positions.len();
        (rotation.features, rotation.back) = (self.features, false);
        (rotation.level, rotation.regime) = (self.level, self.regime);
        rotation.scaled = self.attention_factor != 1.0;
        Ok(())
    }

    /// Makes the rotation that moves cached keys by `by` positions, wherever they are
    /// (StreamingLLM, a context shift): R(p + by) = R(by) · R(p), up to rounding. The attention
    /// factor that the keys already have is not applied again. Each call rounds: after a hundred
    /// shifts, keys of length 1 in a bf16 cache are off by up to 0.36. For many shifts, keep the
    /// keys before rotation, or shift copies of the original keys by the sum.
    ///
    /// # Errors
    ///
    /// [`Error::PositionTooLarge`].
    ///
    /// ```
    /// use ndarray::Array3;
    /// use positional_encodings::{Frequencies, Pairing, Rotary};
    ///
    /// let rotary = Rotary::new(Frequencies::geometric(8, 10_000.0)?, Pairing::Halves);
    /// let mut keys = Array3::<f64>::ones((2, 5, 8)); // (heads, positions, dim)
    /// rotary.at(100..105)?.apply(keys.view_mut())?;
    /// rotary.shift(-96)?.apply(keys.view_mut())?;
    /// let mut moved = Array3::<f64>::ones((2, 5, 8));
    /// rotary.at(4..9)?.apply(moved.view_mut())?;
    /// assert!(keys.iter().zip(&moved).all(|(a, b)| (a - b).abs() < 1e-15));
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn shift<T: Element<Angle = T>>(&self, by: i64) -> Result<Rotation<T>, Error> {
        let mut plain = self.clone();
        if plain.attention_factor != 1.0 {
            plain.attention_factor = 1.0;
            plain.renew();
        }
        let mut rotation = plain.at_shared(by)?;
        rotation.rows = AngleRows::Everywhere;
        Ok(rotation)
    }

    /// Makes the rotation at one position, on every axis.
    fn at_shared<T: Element<Angle = T>>(&self, position: i64) -> Result<Rotation<T>, Error> {
        Self { shared: true, ..self.clone() }.at(Positions::from(&[position]))
    }

    /// Returns the number of rotated features.
    pub fn dim(&self) -> usize {
        2 * self.features.pairs
    }

    /// Returns which features of a row of `width` are rotated: the first ones, or the last
    /// ([`on_last_features`](Self::on_last_features)); `None` where a row has too few.
    ///
    /// ```
    /// use positional_encodings::{Frequencies, Pairing, Rotary};
    ///
    /// let rotary = Rotary::new(Frequencies::geometric(64, 10_000.0)?, Pairing::Halves);
    /// assert_eq!(
    ///     (rotary.rotated_features(192), rotary.rotated_features(63)),
    ///     (Some(0..64), None)
    /// );
    /// assert_eq!(rotary.on_last_features().rotated_features(192), Some(128..192));
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn rotated_features(&self, width: usize) -> Option<Range<usize>> {
        (width >= self.dim()).then(|| self.features.rotated(width))
    }

    /// Returns which features make a pair, within each of the
    /// [`paired_blocks`](Self::paired_blocks).
    pub fn pairing(&self) -> Pairing {
        self.features.pairing
    }

    /// Returns the number of blocks of the rotated features within which pairs are formed: 1, or 2
    /// with [`AxialOrder::Gemma4`](super::AxialOrder::Gemma4), which pairs the first half of the
    /// features, for rows, and the second, for columns, separately.
    ///
    /// ```
    /// use positional_encodings::{Rotary, rotary::AxialOrder};
    ///
    /// let blocks =
    ///     |order| Rotary::axial_2d(64, 100.0, order).map(|rotary| rotary.paired_blocks());
    /// assert_eq!((blocks(AxialOrder::Gemma4)?, blocks(AxialOrder::Qwen2Vl)?), (2, 1));
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn paired_blocks(&self) -> usize {
        self.features.blocks
    }

    /// Returns the number of axes of a position: 1, except for images and video.
    pub fn axes(&self) -> usize {
        self.axes
    }

    /// Returns the attention factor of the frequencies, by which cosines and sines are multiplied.
    pub fn attention_factor(&self) -> f64 {
        self.attention_factor
    }

    /// Returns the sequence lengths that the frequencies are made for.
    pub fn regime(&self) -> Regime {
        self.regime
    }

    /// Returns the frequency of each pair in radians per position, rounded to f64; with several
    /// axes, per step on the axis of the pair.
    pub fn frequencies(&self) -> Vec<f64> {
        let mut all = vec![0.0; self.features.pairs];
        for part in &self.parts {
            for (frequency, &target) in part.frequencies.to_radians().into_iter().zip(&part.targets)
            {
                all[target] = frequency;
            }
        }
        all
    }

    /// Checks that positions have the axes of this rotation and are finite.
    pub(super) fn check(&self, positions: &Positions<'_>) -> Result<(), Error> {
        if !(self.shared && positions.axes() == 1) {
            positions.check_axes(self.axes)?;
        }
        positions.check_finite()
    }

    /// Writes the cosines and sines of all positions, row after row.
    pub(super) fn fill<T: Element>(&self, positions: &Positions<'_>, angles: &mut [T]) {
        let pairs = self.features.pairs;
        for part in &self.parts {
            let Some(axis) = positions.on_axis(part.axis) else { continue };
            let positions = axis.flat();
            if self.precision == Precision::Float32Recipe {
                let factor = self.attention_factor;
                recipe::fill(&part.frequencies, &part.targets, factor, &positions, angles, pairs);
            } else if self.parts.len() == 1 {
                part.rows(&positions, angles);
            } else {
                part.scatter(&positions, angles, pairs);
            }
        }
    }
}

impl Part {
    /// Writes the rows of this part alone.
    fn rows<T: Element>(&self, positions: &Positions<'_>, angles: &mut [T]) {
        let pairs = self.targets.len();
        let columns = Columns {
            layout: FeatureLayout::CosSinHalves,
            pairs,
            last_is_single: false,
            dim: 2 * pairs,
        };
        if let Ok(view) = ArrayViewMut2::from_shape((positions.len(), 2 * pairs), angles) {
            self.waves.rows(positions, &columns, view);
        }
    }

    /// Writes the values of this part to the rows of the whole rotation.
    fn scatter<T: Element>(&self, positions: &Positions<'_>, angles: &mut [T], pairs: usize) {
        const BLOCK: usize = 64;
        let own = self.targets.len();
        let mut block = vec![T::zero(); 2 * own * BLOCK.min(positions.len())];
        for (index, rows) in angles.chunks_mut(2 * pairs * BLOCK).enumerate() {
            let count = rows.len() / (2 * pairs);
            let block = &mut block[..2 * own * count];
            self.rows(&positions.slice(index * BLOCK..index * BLOCK + count), block);
            for (row, values) in rows.chunks_exact_mut(2 * pairs).zip(block.chunks_exact(2 * own)) {
                for (i, &target) in self.targets.iter().enumerate() {
                    (row[target], row[pairs + target]) = (values[i], values[own + i]);
                }
            }
        }
    }
}
