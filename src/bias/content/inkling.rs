//! Inkling's relative logits.

use ndarray::{Array2, Axis};

use super::{Beyond, Order, RelativeBias, Side, Span};
use crate::element::Element;
use crate::error::Error;

/// Inkling's relative logits (transformers' models `inkling` and `inkling2`): (rᵢ · P)\[i − j\] for
/// distances 0 … extent − 1, and 0 for others.
///
/// r (…, heads, queries, rank), another projection of the tokens, is passed instead of queries; P
/// is a learned matrix (rank, extent) that all heads share. Of the products rᵢ · P, only those that
/// the keys of a query read are computed.
///
/// ```
/// use ndarray::{Array2, Array3, array};
/// use positional_encodings::Positions;
/// use positional_encodings::bias::{ContentBias, RelativeLogits};
///
/// let p = array![[1.0_f32, 2.0, 3.0]]; // rank 1, extent 3
/// let inkling = RelativeLogits::inkling(p.reversed_axes(), 1)?;
/// let (r, none) = (array![[[10.0]]], Array3::zeros((0, 0, 0)));
/// let (query, keys) = (Positions::from(4..5), Positions::from(0..6));
/// let mut scores = Array3::zeros((1, 1, 6));
/// inkling.add_to(r.view(), none.view(), &query, &keys, scores.view_mut())?;
/// assert_eq!(scores, array![[[0.0, 0.0, 30.0, 20.0, 10.0, 0.0]]]);
/// # Ok::<(), positional_encodings::Error>(())
/// ```
pub type RelativeLogits<A> = RelativeBias<A, Span>;

impl<A: Element> RelativeLogits<A> {
    /// Makes the bias from the transposed matrix Pᵀ (extent, rank).
    ///
    /// # Errors
    ///
    /// The errors of [`Span::new`] and [`RelativeBias::new`].
    pub fn inkling(rows: Array2<A>, heads: usize) -> Result<Self, Error> {
        let span = Span::new(0, rows.nrows(), Order::QueryMinusKey, Beyond::Nothing)?;
        Self::new(span, heads, [(Side::Queries, rows.insert_axis(Axis(0)))])
    }
}
