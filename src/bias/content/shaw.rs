//! Relative keys and values: a learned vector for each clipped distance.

use ndarray::{Array2, Array3, ArrayView3, ArrayViewMut3, Axis};

use super::relative::put;
use super::{Beyond, Order, RelativeBias, Side, Span, TableRule};
use crate::arrays::{check_len, check_width, zeros};
use crate::bias::check_shape;
use crate::element::Element;
use crate::error::Error;
use crate::positions::Positions;

/// Relative keys (Shaw et al. 2018, *Self-attention with relative position representations*):
/// qᵢ · a\[distance\] / √dim, where the table a (distances, dim) is learned and all heads share it.
///
/// | system | constructor | distances |
/// |---|---|---|
/// | Shaw et al. | [`shaw`](ShawBias::shaw) | key − query, clipped to ±k |
/// | Wav2Vec2-BERT (`left_max_position_embeddings`, `right_…`) | [`clipped`](ShawBias::clipped) | key − query, clipped to −left … right |
/// | BERT, ESM with `relative_key` | [`relative_key`](ShawBias::relative_key) | query − key, less than `max_position_embeddings` |
/// | BERT, ESM with `relative_key_query` | [`relative_key_query`](ShawBias::relative_key_query) | as `relative_key`; keys are multiplied by the table, too |
///
/// ```
/// use ndarray::{Array2, Array3};
/// use positional_encodings::Positions;
/// use positional_encodings::bias::{ContentBias, ShawBias};
///
/// // max_position_embeddings 3: rows of distances −2 … 2.
/// let table = Array2::from_shape_fn((5, 4), |(row, _)| row as f32);
/// let bert = ShawBias::relative_key(table, 1)?;
/// let (q, k) = (Array3::ones((1, 3, 4)), Array3::ones((1, 3, 4)));
/// let positions = Positions::from(0..3);
/// let mut scores = Array3::zeros((1, 3, 3));
/// bert.add_to(q.view(), k.view(), &positions, &positions, scores.view_mut())?;
/// assert_eq!(scores[[0, 2, 0]], 4.0 * 4.0 / 2.0); // 4 features, row 4, √4
/// # Ok::<(), positional_encodings::Error>(())
/// ```
pub type ShawBias<A> = RelativeBias<A, Span>;

impl<A: Element> ShawBias<A> {
    /// Makes the bias from a table (2k + 1, dim) for distances key − query, clipped to −k … k.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidParameter`] for a table with an even number of rows, and the errors of
    /// [`RelativeBias::new`].
    pub fn shaw(table: Array2<A>, heads: usize) -> Result<Self, Error> {
        let left = Span::symmetric(table.nrows())?.first().unsigned_abs();
        Self::clipped(table, left as usize, heads)
    }

    /// Makes the bias from a table (left + 1 + right, dim) for distances key − query, clipped to
    /// −left … right.
    ///
    /// # Errors
    ///
    /// The errors of [`Span::new`] and [`RelativeBias::new`].
    pub fn clipped(table: Array2<A>, left: usize, heads: usize) -> Result<Self, Error> {
        let first = -((left as u64).min(1 << 53) as i64);
        let span = Span::new(first, table.nrows(), Order::KeyMinusQuery, Beyond::Clip)?;
        Self::divided(span, heads, Side::Queries, table)
    }

    /// Makes the bias from BERT's `distance_embedding.weight`, shape
    /// (2 · `max_position_embeddings` − 1, dim).
    ///
    /// # Errors
    ///
    /// The errors of [`shaw`](Self::shaw).
    pub fn relative_key(table: Array2<A>, heads: usize) -> Result<Self, Error> {
        Self::divided(Span::symmetric(table.nrows())?, heads, Side::Queries, table)
    }

    /// Makes the bias from the table of [`relative_key`](Self::relative_key), by which keys are
    /// multiplied as well.
    ///
    /// # Errors
    ///
    /// The errors of [`shaw`](Self::shaw).
    pub fn relative_key_query(table: Array2<A>, heads: usize) -> Result<Self, Error> {
        Self::divided(Span::symmetric(table.nrows())?, heads, Side::Both, table)
    }

    /// Makes the bias of a table that all heads share, divided by √dim.
    fn divided(span: Span, heads: usize, side: Side, table: Array2<A>) -> Result<Self, Error> {
        let factor = 1.0 / libm::sqrt(table.ncols().max(1) as f64);
        Self::new(span, heads, [(side, table.insert_axis(Axis(0)))])?.with_factor(factor)
    }
}

/// Relative values (Shaw et al. 2018, *Self-attention with relative position representations*):
/// Σⱼ weightᵢⱼ · b\[distance\], which is added to the output of attention.
///
/// ```
/// use ndarray::{Array2, Array3, array};
/// use positional_encodings::Positions;
/// use positional_encodings::bias::{RelativeValues, Span};
///
/// let table = array![[[1.0, 0.0], [10.0, 0.0], [100.0, 1.0]]]; // distances −1, 0, 1
/// let values = RelativeValues::new(Span::clipped(1), 1, table)?;
/// let weights = array![[[0.25, 0.5, 0.25]]]; // (heads, queries, keys)
/// let mut out = Array3::zeros((1, 1, 2)); // (heads, queries, dim)
/// values.add_to(weights.view(), &Positions::from(2..3), &Positions::from(0..3), out.view_mut())?;
/// assert_eq!(out, array![[[0.25 * 100.0 + 0.5 * 100.0 + 0.25 * 10.0, 0.75]]]);
/// # Ok::<(), positional_encodings::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct RelativeValues<A, R> {
    /// The rule and the table, in the form of a bias.
    own: RelativeBias<A, R>,
}

impl<A: Element, R: TableRule> RelativeValues<A, R> {
    /// Makes relative values from a rule and a table (heads, entries, dim), or (1, entries, dim)
    /// for all heads.
    ///
    /// # Errors
    ///
    /// The errors of [`RelativeBias::new`].
    pub fn new(rule: R, heads: usize, table: Array3<A>) -> Result<Self, Error> {
        Ok(Self { own: RelativeBias::new(rule, heads, [(Side::Queries, table)])? })
    }

    /// Adds to `out` (heads, queries, dim) the rows that each query reads, weighted by its
    /// attention `weights` (heads, queries, keys). Weights of the same row are summed first; sums
    /// are taken in f64 and rounded once.
    ///
    /// # Errors
    ///
    /// [`Error::LengthMismatch`], [`Error::WidthMismatch`], and the errors of [`TableRule::check`];
    /// `out` is then unchanged.
    pub fn add_to(
        &self,
        weights: ArrayView3<'_, A>,
        queries: &Positions<'_>,
        keys: &Positions<'_>,
        mut out: ArrayViewMut3<'_, A>,
    ) -> Result<(), Error> {
        let (queries, keys) = (&queries.flat(), &keys.flat());
        let RelativeBias { rule, heads, tables, .. } = &self.own;
        check_shape(*heads, weights.shape(), queries, keys, &|queries, keys| {
            rule.check(queries, keys)
        })?;
        let ((own_heads, rows, width), (_, entries, dim)) = (out.dim(), tables[0].rows.dim());
        check_len("heads", *heads, own_heads)?;
        check_len("queries", queries.len(), rows)?;
        check_width(dim, width)?;
        if out.is_empty() {
            return Ok(());
        }
        let (mut of_rows, mut sums) = (vec![0.0; entries], zeros::<f64>(1, dim)?);
        for (head, (mut out, weights)) in out.outer_iter_mut().zip(weights.outer_iter()).enumerate()
        {
            let rows = out.outer_iter_mut().zip(weights.outer_iter());
            for (query, (out, weights)) in rows.enumerate() {
                of_rows.fill(0.0);
                sums.fill(0.0);
                let at = &queries.slice(query..query + 1);
                self.own.for_each_row(at, keys, |key, row| {
                    if let Some(sum) = of_rows.get_mut(row) {
                        *sum += weights[key].to_f64();
                    }
                });
                for (row, weight) in of_rows.iter().enumerate().filter(|of| *of.1 != 0.0) {
                    let values = sums.iter_mut().zip(tables[0].row(head, row));
                    values.for_each(|(sum, b)| *sum += weight * b.to_f64());
                }
                put(out, sums.as_slice().unwrap_or_default(), 1.0);
            }
        }
        Ok(())
    }
}
