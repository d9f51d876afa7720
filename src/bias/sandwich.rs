//! Sandwich: inner products of sinusoidal position vectors, scaled for each head.

use ndarray::Array2;

use super::distance::{Distances, distances, put_values};
use super::{AttentionBias, DependsOn, check_heads, check_positions};
use crate::additive::{PositionalEncoding, Sinusoidal};
use crate::element::Element;
use crate::error::Error;
use crate::frequencies::Frequencies;
use crate::phase::FeatureLayout;
use crate::positions::Positions;

/// Sandwich (Chi et al. 2022, *Dissecting transformer length extrapolation via the lens of
/// receptive field analysis*): the inner product of two sinusoidal vectors, divided by 8h/n for
/// head h of n, counted from 1.
///
/// bias\[h, i, j\] = Σₖ cos((i − j) · wₖ) / (8h/n), and each cosine is correctly rounded, at any
/// distance. NeMo counts k from 1: use [`with_frequencies`](Self::with_frequencies). It also
/// subtracts dim/2 from each sum, which does not change the weights after a softmax.
///
/// ```
/// use positional_encodings::{AttentionBias, Positions, bias::Sandwich};
///
/// let sandwich = Sandwich::new(8, 128)?; // heads, dim
/// let bias = sandwich.encode(&Positions::from(5..6), &Positions::from(5..6))?;
/// assert_eq!((bias[[0, 0, 0]], bias[[7, 0, 0]]), (64.0_f32, 8.0)); // 64 cosines of 0
/// # Ok::<(), positional_encodings::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Sandwich {
    heads: usize,
    cosines: Sinusoidal,
}

impl Sandwich {
    /// Makes the bias with the paper's dim/2 frequencies, 10000^(−2k/dim), k = 0…dim/2 − 1. The
    /// paper uses dim 128.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidParameter`] for no heads or more than 65,536, and the errors of
    /// [`Frequencies::geometric`].
    pub fn new(heads: usize, dim: usize) -> Result<Self, Error> {
        Self::with_frequencies(heads, Frequencies::geometric(dim, 10_000.0)?)
    }

    /// Makes the bias with a cosine for each of these frequencies.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidParameter`] for no heads or more than 65,536.
    ///
    /// ```
    /// use positional_encodings::{AttentionBias, Frequencies, Positions, bias::Sandwich};
    ///
    /// // NeMo's frequencies for dim 8: 10000^(−2k/8), k = 1…4.
    /// let frequencies = Frequencies::from_radians([1e-1, 1e-2, 1e-3, 1e-4])?;
    /// let sandwich = Sandwich::with_frequencies(2, frequencies)?;
    /// let bias = sandwich.encode(&Positions::from(5..6), &Positions::from(5..6))?;
    /// assert_eq!((bias[[0, 0, 0]], bias[[1, 0, 0]]), (1.0_f32, 0.5)); // 4 / (8h/2)
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn with_frequencies(heads: usize, frequencies: Frequencies) -> Result<Self, Error> {
        check_heads(heads)?;
        let cosines = Sinusoidal::from_frequencies(frequencies);
        Ok(Self { heads, cosines: cosines.with_layout(FeatureLayout::CosSinHalves) })
    }
}

impl<A: Element> AttentionBias<A> for Sandwich {
    fn heads(&self) -> usize {
        self.heads
    }

    fn encode_row(&self, query: &Positions<'_>, keys: &Positions<'_>, out: &mut [A]) {
        let pairs = self.cosines.dim() / 2;
        distances(query, keys, |start, Distances { values, .. }| {
            let rows: Result<Array2<f64>, _> = self.cosines.encode(&Positions::from(&*values));
            // Distances of checked positions can be encoded.
            let Ok(rows) = rows else { return };
            let sums: Vec<f64> =
                rows.outer_iter().map(|row| row.iter().take(pairs).sum()).collect();
            put_values(out, [self.heads, keys.len()], (start, sums.len()), |head, i| {
                sums[i] * self.heads as f64 / (8 * (head + 1)) as f64
            });
        });
    }

    fn depends_on(&self) -> DependsOn {
        DependsOn::Distance
    }

    /// Checks that positions are within ±2⁶¹, so that distances can be encoded as positions.
    fn check(&self, queries: &Positions<'_>, keys: &Positions<'_>) -> Result<(), Error> {
        check_positions([1, 1], queries, keys)?;
        let mut ends = queries.ends().chain(keys.ends());
        let far = ends.find(|(_, position)| position.to_f64().abs() > 2_f64.powi(61));
        far.map_or(Ok(()), |(index, position)| {
            Err(Error::PositionTooLarge { index, position: position.to_f64() })
        })
    }
}
