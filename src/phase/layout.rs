//! The columns of a row for the sine and the cosine of each pair.

use core::fmt;
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
///     Ok(Sinusoidal::new(4)?
///         .with_layout(layout)
///         .encode(&Positions::from(0..1))?
///         .into_raw_vec_and_offset()
///         .0)
/// };
/// assert_eq!(row(FeatureLayout::Interleaved)?, [0.0, 1.0, 0.0, 1.0]);
/// assert_eq!(row(FeatureLayout::SinCosHalves)?, [0.0, 0.0, 1.0, 1.0]);
/// assert_eq!(row(FeatureLayout::CosSinHalves)?, [1.0, 1.0, 0.0, 0.0]);
/// # Ok::<(), positional_encodings::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum FeatureLayout {
    /// The two members of a pair next to each other, sine first.
    #[default]
    Interleaved,
    /// All sines, then all cosines.
    SinCosHalves,
    /// All cosines, then all sines.
    CosSinHalves,
}

impl fmt::Display for FeatureLayout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Interleaved => "interleaved",
            Self::SinCosHalves => "sines then cosines",
            Self::CosSinHalves => "cosines then sines",
        })
    }
}

/// The columns of a row: the members of the pairs, then zeros.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Columns {
    pub(crate) layout: FeatureLayout,
    pub(crate) pairs: usize,
    /// Whether the last pair lacks its second member.
    pub(crate) last_is_single: bool,
    /// The number of all columns, including those of zeros.
    pub(crate) dim: usize,
}

impl Columns {
    /// Returns the number of columns that belong to pairs.
    pub(crate) fn used(&self) -> usize {
        2 * self.pairs - usize::from(self.last_is_single)
    }

    /// Returns the columns of some pairs, and their places in a row of `width` pairs that begins
    /// with the first of them.
    pub(super) fn of_pairs(
        &self,
        pairs: Range<usize>,
        width: usize,
    ) -> impl Iterator<Item = (Range<usize>, usize)> + use<> {
        let (used, end) = (self.used(), pairs.end.min(self.pairs));
        let spans = match self.layout {
            FeatureLayout::Interleaved => [(2 * pairs.start..(2 * end).min(used), 0), (0..0, 0)],
            _ => [
                (pairs.start..end, 0),
                (self.pairs + pairs.start..(self.pairs + end).min(used), width),
            ],
        };
        spans.into_iter().filter(|(columns, _)| !columns.is_empty())
    }

    /// Returns the pair of a column, and whether the column is its sine.
    pub(super) fn pair_of(&self, column: usize) -> (usize, bool) {
        match self.layout {
            FeatureLayout::Interleaved => (column / 2, column.is_multiple_of(2)),
            layout => (
                column % self.pairs,
                (column < self.pairs) == (layout == FeatureLayout::SinCosHalves),
            ),
        }
    }

    /// Returns the parts of a row for some pairs.
    pub(super) fn parts<'r, A>(&self, row: &'r mut [A], pairs: Range<usize>) -> Parts<'r, A> {
        parts(self.layout, self.pairs, row, pairs)
    }

    /// Returns true if all pairs have both members, and fill whole groups of `width` pairs.
    pub(super) fn are_whole(&self, width: usize) -> bool {
        !self.last_is_single && self.pairs.is_multiple_of(width)
    }
}

/// Returns the parts of a row for some of its pairs.
pub(super) fn parts<A>(
    layout: FeatureLayout,
    all: usize,
    row: &mut [A],
    pairs: Range<usize>,
) -> Parts<'_, A> {
    if layout == FeatureLayout::Interleaved {
        return Parts(&mut row[2 * pairs.start..2 * pairs.end], &mut []);
    }
    let (first, second) = row.split_at_mut(all);
    let (first, second) = (&mut first[pairs.clone()], &mut second[pairs]);
    if layout == FeatureLayout::SinCosHalves { Parts(first, second) } else { Parts(second, first) }
}

/// The parts of a row for some pairs: one slice for sines and one for cosines, or both in the first
/// slice if they alternate.
pub(super) struct Parts<'a, A>(pub(super) &'a mut [A], pub(super) &'a mut [A]);

/// The place of a vector of pairs: sines and cosines, or the first half and the second.
pub(super) type Slot<'a, A> = (&'a mut [A], &'a mut [A]);
