//! Contextual position encoding (CoPE).

use ndarray::{Array2, Array3, ArrayViewMut2, Axis};

use super::{ContentBias, Head, RelativeRows, Side};
use crate::arrays::dot;
use crate::bias::check_heads;
use crate::element::Element;
use crate::error::Error;

/// CoPE (Golovneva et al. 2024, *Contextual position encoding*): a position is the sum of the gates
/// between a query and a key, and the query is multiplied by a learned vector of that position.
///
/// With gates gᵢⱼ = σ(scoreᵢⱼ) and pᵢⱼ = Σ gᵢₜ over the keys t from j to the last one, at most
/// positions − 1, the bias is qᵢ · e\[pᵢⱼ\], interpolated linearly between the whole positions
/// below and above pᵢⱼ. The table e has the shape (positions, dim).
///
/// The scores must be those of all keys, with the mask applied: a score of −∞ has a gate of 0, so
/// with a causal mask the sum ends at the query's own key. Positions come from the gates, so
/// of the positions that a call passes, only their number matters.
///
/// ```
/// use ndarray::{Array3, array};
/// use positional_encodings::Positions;
/// use positional_encodings::bias::{ContentBias, Cope};
///
/// let cope = Cope::new(array![[0.0_f64], [1.0], [5.0]], 1)?; // e of positions 0, 1, 2
/// let (q, k) = (array![[[10.0]]], Array3::zeros((0, 0, 0)));
/// let mut scores = array![[[0.0, 0.0, 0.0, f64::NEG_INFINITY]]]; // gates of one half
/// let (query, keys) = (Positions::from(2..3), Positions::from(0..4));
/// cope.add_to(q.view(), k.view(), &query, &keys, scores.view_mut())?;
/// assert_eq!(scores, array![[[30.0, 10.0, 5.0, f64::NEG_INFINITY]]]); // positions 1½, 1, ½
/// # Ok::<(), positional_encodings::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Cope<A> {
    heads: usize,
    pub(crate) rows: RelativeRows<A>,
}

impl<A: Element> Cope<A> {
    /// Makes CoPE from a table (positions, dim) that all heads share.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidParameter`] for no heads or more than 65,536, or for a value that is not
    /// finite; [`Error::ZeroDim`] without a position or a feature.
    pub fn new(table: Array2<A>, heads: usize) -> Result<Self, Error> {
        Self::with_tables(table.insert_axis(Axis(0)), heads)
    }

    /// Makes CoPE from tables (heads, positions, dim), one for each head.
    ///
    /// # Errors
    ///
    /// The errors of [`new`](Self::new), and [`Error::LengthMismatch`] unless there are as many
    /// tables as heads, or one.
    pub fn with_tables(tables: Array3<A>, heads: usize) -> Result<Self, Error> {
        check_heads(heads)?;
        let positions = tables.dim().1;
        if positions == 0 {
            return Err(Error::ZeroDim);
        }
        Ok(Self { heads, rows: RelativeRows::new(Side::Queries, tables, heads, positions)? })
    }

    /// Splits a position into the whole position below it and the fraction above that. A position
    /// past the last counts as the last, and so does NaN: a score that is NaN stays NaN.
    pub(crate) fn place(&self, position: f64) -> (usize, f64) {
        let at = f64::min(position, (self.positions() - 1) as f64);
        (at.floor() as usize, at - at.floor())
    }

    /// Returns the number of positions that have a vector.
    pub fn positions(&self) -> usize {
        self.rows.rows.dim().1
    }
}

impl<A: Element> ContentBias<A> for Cope<A> {
    fn heads(&self) -> usize {
        self.heads
    }

    fn widths(&self) -> [Option<usize>; 2] {
        [Some(self.rows.rows.dim().2), None]
    }

    fn add_head(&self, head: &Head<'_, A>, mut scores: ArrayViewMut2<'_, A>) {
        let last = self.positions() - 1;
        let mut logits = vec![f64::NAN; self.positions()];
        for (mut scores, q) in scores.outer_iter_mut().zip(head.q.rows()) {
            let q: Vec<f64> = q.iter().map(|q| q.to_f64()).collect();
            logits.fill(f64::NAN);
            let mut logit = |position: usize| {
                if logits[position].is_nan() {
                    logits[position] = dot(self.rows.row(head.index, position), &q);
                }
                logits[position]
            };
            let mut position = 0.0;
            for score in scores.iter_mut().rev() {
                position += sigmoid(score.to_f64());
                let (below, part) = self.place(position);
                let (low, high) = (logit(below), logit((below + 1).min(last)));
                let added = if part > 0.0 { low + part * (high - low) } else { low };
                *score = A::from_f64(score.to_f64() + added);
            }
        }
    }

    fn is_of_pairs(&self) -> bool {
        false
    }
}

/// Returns the gate of a score, σ(x).
pub(crate) fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + libm::exp(-x))
}
