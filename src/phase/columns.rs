//! Where the sine and the cosine of each pair stand in a row.

use core::ops::Range;

/// The order of the features of a row.
///
/// With pairs (sin θᵢ, cos θᵢ), i < dim/2:
///
/// | layout | row | systems |
/// |---|---|---|
/// | `Interleaved` | sin θ₀, cos θ₀, sin θ₁, cos θ₁, … | the paper, the PyTorch tutorial, diffusers' transformer, XLM, keras-hub, burn, `positional-encodings` (Python), SpeechT5 |
/// | `SinCosHalves` | sin θ₀, sin θ₁, …, cos θ₀, cos θ₁, … | tensor2tensor, fairseq, Whisper, Marian, Pegasus, RoFormer, XLNet, Transformer-XL, CTRL, MLX |
/// | `CosSinHalves` | cos θ₀, cos θ₁, …, sin θ₀, sin θ₁, … | MusicGen, MLX with `cos_first`, guided diffusion, DiT, Stable Diffusion timesteps |
///
/// ```
/// use positional_encodings::{FeatureLayout, PositionalEncoding, Positions, Sinusoidal};
///
/// let row = |layout| -> Result<Vec<f64>, positional_encodings::Error> {
///     Ok(Sinusoidal::new(4)?.with_layout(layout).encode(&Positions::from(0..1))?.into_raw_vec_and_offset().0)
/// };
/// assert_eq!(row(FeatureLayout::Interleaved)?, [0.0, 1.0, 0.0, 1.0]);
/// assert_eq!(row(FeatureLayout::SinCosHalves)?, [0.0, 0.0, 1.0, 1.0]);
/// assert_eq!(row(FeatureLayout::CosSinHalves)?, [1.0, 1.0, 0.0, 0.0]);
/// # Ok::<(), positional_encodings::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FeatureLayout {
    /// The two members of a pair side by side, sine first.
    #[default]
    Interleaved,
    /// All sines, then all cosines.
    SinCosHalves,
    /// All cosines, then all sines.
    CosSinHalves,
}

/// The columns of a row: the members of the pairs, then zeros.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Columns {
    pub(crate) layout: FeatureLayout,
    pub(crate) pairs: usize,
    /// Whether the last pair lacks its second member.
    pub(crate) last_is_single: bool,
    /// All columns, those of zeros included.
    pub(crate) dim: usize,
}

impl Columns {
    /// How many columns belong to pairs.
    pub(crate) fn used(&self) -> usize {
        2 * self.pairs - usize::from(self.last_is_single)
    }

    /// The columns of `row` for the sines and the cosines of some pairs; the interleaved layout has
    /// both in the first slice. Pairs past the last have none.
    #[inline(always)]
    pub(crate) fn of_pairs<'r, A>(
        &self,
        row: &'r mut [A],
        pairs: Range<usize>,
    ) -> [&'r mut [A]; 2] {
        let row = &mut row[..self.used()];
        if self.layout == FeatureLayout::Interleaved {
            let end = (2 * pairs.end).min(row.len());
            return [&mut row[(2 * pairs.start).min(end)..end], &mut []];
        }
        let (firsts, seconds) = row.split_at_mut(self.pairs);
        let part = |members: &'r mut [A]| {
            let end = pairs.end.min(members.len());
            &mut members[pairs.start.min(end)..end]
        };
        let [firsts, seconds] = [part(firsts), part(seconds)];
        if self.layout == FeatureLayout::CosSinHalves {
            [seconds, firsts]
        } else {
            [firsts, seconds]
        }
    }

    /// How many whole groups of `width` pairs a chunk has, both members of all its pairs present.
    pub(crate) fn whole_groups(&self, chunk: Range<usize>, width: usize) -> usize {
        let pairs = self.pairs - usize::from(self.last_is_single);
        pairs.clamp(chunk.start, chunk.end).saturating_sub(chunk.start) / width
    }
}
