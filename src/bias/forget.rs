//! Forget gates: each token reduces the weights of the tokens before it.

use core::fmt;

use ndarray::{Array2, Axis};

use super::distance::{CHUNK, put_values};
use super::{AttentionBias, check_positions, check_some_heads};
use crate::additive::check_table;
use crate::arrays::check_finite;
use crate::element::Element;
use crate::error::Error;
use crate::positions::{Position, Positions};

/// The forget gates of FoX (Lin et al. 2025, *Forgetting transformer*), also x-transformers'
/// `DataDependentAlibi`: bias\[h, i, j\] = Fₕᵢ − Fₕⱼ, where Fₕₜ is the sum of ln σ(f) over the
/// gates of head h up to token t.
///
/// Gates are computed from tokens, so each sequence has its own, shape (heads, len); positions are
/// whole numbers in 0..len. For a key after the query the difference is positive, and a causal mask
/// hides it.
///
/// ```
/// use ndarray::{Array3, array};
/// use positional_encodings::{AttentionBias, Positions, bias::Forget};
///
/// let gates = array![[-0.5_f32, -1.0, -0.25]]; // ln σ of each token, (heads, len)
/// let forget = Forget::from_log_gates(gates)?;
/// let bias: Array3<f32> = forget.encode(&Positions::from(2..3), &Positions::from(0..3))?;
/// assert_eq!(bias, array![[[-1.25, -0.25, 0.0]]]);
/// # Ok::<(), positional_encodings::Error>(())
/// ```
#[derive(Clone, PartialEq)]
pub struct Forget {
    /// The sums F, shape (heads, len).
    pub(crate) sums: Array2<f64>,
}

impl fmt::Debug for Forget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Forget").field("sums", &self.sums.dim()).finish()
    }
}

impl Forget {
    /// Makes the bias from logarithms of gates, ln σ(f), shape (heads, len), which are summed in
    /// f64.
    ///
    /// # Errors
    ///
    /// The errors of [`from_sums`](Self::from_sums).
    pub fn from_log_gates<A: Element>(gates: Array2<A>) -> Result<Self, Error> {
        let mut sums = gates.mapv(Element::to_f64);
        sums.accumulate_axis_inplace(Axis(1), |before, sum| *sum += before);
        Self::from_sums(sums)
    }

    /// Makes the bias from the sums F, shape (heads, len).
    ///
    /// # Errors
    ///
    /// [`Error::InvalidParameter`] without a head, or for a value that is not finite.
    pub fn from_sums<A: Element>(sums: Array2<A>) -> Result<Self, Error> {
        check_some_heads(sums.nrows())?;
        check_finite(&sums)?;
        Ok(Self { sums: sums.mapv(Element::to_f64) })
    }
}

/// Returns the column of a checked position.
pub(crate) fn column(position: Option<Position>) -> usize {
    position.map_or(0, |position| position.to_f64() as usize)
}

impl<A: Element> AttentionBias<A> for Forget {
    fn heads(&self) -> usize {
        self.sums.nrows()
    }

    fn encode_row(&self, query: &Positions<'_>, keys: &Positions<'_>, out: &mut [A]) {
        let query = column(query.get(0));
        let sum = |head, column| self.sums.get((head, column)).copied().unwrap_or(0.0);
        for start in (0..keys.len()).step_by(CHUNK) {
            let count = CHUNK.min(keys.len() - start);
            let columns: [usize; CHUNK] = core::array::from_fn(|i| column(keys.get(start + i)));
            put_values(out, [self.sums.nrows(), keys.len()], (start, count), |head, i| {
                sum(head, query) - sum(head, columns[i])
            });
        }
    }

    /// Checks that positions are whole numbers in 0..len.
    fn check(&self, queries: &Positions<'_>, keys: &Positions<'_>) -> Result<(), Error> {
        check_positions([1, 1], queries, keys)?;
        [queries, keys].into_iter().try_for_each(|positions| {
            positions.extent(None)?;
            check_table(positions, 0, self.sums.ncols())
        })
    }
}
