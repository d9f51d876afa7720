//! Biases that depend on content: they read queries or keys as well as positions.
//!
//! ```
//! use ndarray::{Array2, Array4};
//! use positional_encodings::bias::{ShawBias, add_content_bias};
//!
//! let table = Array2::<f32>::ones((9, 64)); // rows of distances −4 … 4
//! let shaw = ShawBias::shaw(table, 12)?;
//! // (batch, heads, len, dim)
//! let (q, k) = (Array4::ones((2, 12, 5, 64)), Array4::ones((2, 12, 5, 64)));
//! let mut scores = Array4::zeros((2, 12, 5, 5));
//! add_content_bias(scores.view_mut(), &shaw, q.view(), k.view(), 0..5, 0..5)?;
//! assert_eq!(scores[[1, 11, 4, 0]], 64.0 / 8.0);
//! # Ok::<(), positional_encodings::Error>(())
//! ```
//!
//! | method | here | reads |
//! |---|---|---|
//! | relative keys (Shaw et al. 2018): BERT's `relative_key`, `relative_key_query`, ESM | [`ShawBias`], and for values [`RelativeValues`] | queries, keys |
//! | Transformer-XL (Dai et al. 2019): XLNet, Conformer | [`TransformerXlBias`] | queries, keys |
//! | disentangled attention (He et al. 2020): DeBERTa | [`DisentangledBias`] | queries, keys |
//! | decomposed along rows and columns: MViT V2, SAM | [`DecomposedBias`] | queries |
//! | relative logits: Inkling | [`RelativeLogits`] | a projection instead of queries |
//! | CoPE (Golovneva et al. 2024) | [`Cope`] | queries, scores |
//! | your own rule and tables | [`RelativeBias`] with a [`TableRule`] | |
//!
//! Rows are selected by distance for each query, so no matrix is shifted and no index of pairs is
//! kept. AlphaFold's clipped distances read neither queries nor keys: see
//! [`ClippedBias`](super::ClippedBias).

mod alphafold;
mod cope;
mod deberta;
mod decomposed;
mod inkling;
mod relative;
mod shaw;
mod span;
mod transformer_xl;
mod walk;

pub use alphafold::{ClippedBias, ResidueBias, Residues};
pub use cope::Cope;
pub(crate) use cope::sigmoid;
pub use deberta::{DisentangledBias, LogBuckets};
pub use decomposed::DecomposedBias;
pub use inkling::RelativeLogits;
pub use relative::{RelativeBias, Side, split_heads};
pub use shaw::{RelativeValues, ShawBias};
pub use span::{Beyond, Order, Span};
pub use transformer_xl::TransformerXlBias;

use relative::RelativeRows;
pub(crate) use walk::check_content;

use ndarray::Dimension;
use ndarray::{ArrayView, ArrayView2, ArrayView3, ArrayViewMut, ArrayViewMut2, ArrayViewMut3};

use super::{TableRule, check_positions};
use crate::element::Element;
use crate::error::Error;
use crate::forward::forward;
use crate::positions::Positions;

/// The queries and keys of one head, and their positions.
#[derive(Clone)]
pub struct Head<'a, A> {
    /// The index of the head, from 0.
    pub index: usize,
    /// The queries, shape (queries, dim); empty where the bias does not read them.
    pub q: ArrayView2<'a, A>,
    /// The keys, shape (keys, dim); empty where the bias does not read them.
    pub k: ArrayView2<'a, A>,
    /// The positions of the queries.
    pub queries: &'a Positions<'a>,
    /// The positions of the keys.
    pub keys: &'a Positions<'a>,
}

impl<A> Head<'_, A> {
    /// Borrows the head: views of ndarray 0.16 do not shorten their lifetimes by themselves.
    pub(crate) fn borrowed(&self) -> Head<'_, A> {
        let Self { index, q, k, queries, keys } = self;
        Head { index: *index, q: q.view(), k: k.view(), queries, keys }
    }
}

/// A bias of the attention scores that depends on queries or keys as well as on their positions.
///
/// Three methods are required: [`heads`](Self::heads), [`widths`](Self::widths) and
/// [`add_head`](Self::add_head). The trait is object-safe.
///
/// ```
/// use ndarray::{ArrayViewMut2, array};
/// use positional_encodings::Positions;
/// use positional_encodings::bias::{ContentBias, Head};
///
/// /// The first feature of a query is the distance to which it attends.
/// struct Lookback;
///
/// impl ContentBias<f32> for Lookback {
///     fn heads(&self) -> usize {
///         1
///     }
///     fn widths(&self) -> [Option<usize>; 2] {
///         [Some(1), None]
///     }
///     fn add_head(&self, head: &Head<'_, f32>, mut scores: ArrayViewMut2<'_, f32>) {
///         for ((query, key), score) in scores.indexed_iter_mut() {
///             let [at, of] = [head.queries.get(query), head.keys.get(key)];
///             let distance = at.zip(of).map_or(0.0, |(at, of)| at.to_f64() - of.to_f64()) as f32;
///             *score -= (distance - head.q[[query, 0]]).abs();
///         }
///     }
/// }
/// let (mut scores, q, k) = (array![[[0.0, 0.0]]], array![[[1.0]]], array![[[]]]);
/// let (query, keys) = (Positions::from(1..2), Positions::from(0..2));
/// Lookback.add_to(q.view(), k.view(), &query, &keys, scores.view_mut())?;
/// assert_eq!(scores, array![[[0.0, -1.0]]]);
/// # Ok::<(), positional_encodings::Error>(())
/// ```
///
/// [`testing::check_content_bias_laws`](crate::testing::check_content_bias_laws) tests
/// implementations outside this crate as it does those of this crate.
pub trait ContentBias<A: Element>: Send + Sync {
    /// Returns the number of heads, at least 1.
    fn heads(&self) -> usize;

    /// Returns the widths of queries and of keys; `None` where the bias does not read them.
    fn widths(&self) -> [Option<usize>; 2];

    /// Adds the bias of one head to its `scores` (queries, keys).
    ///
    /// Shapes have been checked, and [`check`](Self::check) accepts the positions. The bias of
    /// finite queries and keys must be finite.
    fn add_head(&self, head: &Head<'_, A>, scores: ArrayViewMut2<'_, A>);

    /// Returns the numbers of axes of the positions of queries and of keys; 1 and 1 by default.
    fn axes(&self) -> [usize; 2] {
        [1, 1]
    }

    /// Returns whether the bias depends on its own query and key alone, so that keys may be given
    /// in blocks; true by default.
    fn is_of_pairs(&self) -> bool {
        true
    }

    /// Checks that the bias is defined for each of these queries with each of these keys, see
    /// [`AttentionBias::check`](super::AttentionBias::check).
    ///
    /// # Errors
    ///
    /// The errors of [`AttentionBias::check`](super::AttentionBias::check).
    fn check(&self, queries: &Positions<'_>, keys: &Positions<'_>) -> Result<(), Error> {
        check_positions(self.axes(), queries, keys)
    }

    /// Adds the bias to `scores` (heads, queries, keys), given queries `q` (heads, queries, dim)
    /// and keys `k` (heads, keys, dim). An array that the bias does not read may have any shape.
    ///
    /// # Errors
    ///
    /// [`Error::LengthMismatch`] and [`Error::WidthMismatch`] where shapes differ, and the errors
    /// of [`check`](Self::check); `scores` is then unchanged.
    fn add_to(
        &self,
        q: ArrayView3<'_, A>,
        k: ArrayView3<'_, A>,
        queries: &Positions<'_>,
        keys: &Positions<'_>,
        scores: ArrayViewMut3<'_, A>,
    ) -> Result<(), Error> {
        let contents = [q.view().into_dyn(), k.view().into_dyn()];
        walk::add(&self, contents, &queries.flat(), &keys.flat(), scores.into_dyn())
    }
}

forward!(ContentBias {
    fn heads(&self) -> usize;
    fn widths(&self) -> [Option<usize>; 2];
    fn add_head(&self, head: &Head<'_, A>, scores: ArrayViewMut2<'_, A>);
    fn axes(&self) -> [usize; 2];
    fn is_of_pairs(&self) -> bool;
    fn check(&self, queries: &Positions<'_>, keys: &Positions<'_>) -> Result<(), Error>;
    fn add_to(&self, q: ArrayView3<'_, A>, k: ArrayView3<'_, A>, queries: &Positions<'_>,
        keys: &Positions<'_>, scores: ArrayViewMut3<'_, A>) -> Result<(), Error>;
});

/// Adds the bias of queries `q` (…, heads, queries, dim) at `queries` and keys `k` (…, heads, keys,
/// dim) at `keys` to `scores` (…, heads, queries, keys) in place.
///
/// All sequences of a batch share the positions, or each has its own row of positions, as with
/// [`add_bias`](super::add_bias). An array that the bias does not read may have axes of any length.
/// With feature `rayon`, long calls use all cores.
///
/// # Errors
///
/// [`Error::TooFewAxes`], [`Error::LengthMismatch`] and [`Error::WidthMismatch`] where shapes or
/// positions differ, and the errors of [`ContentBias::check`]; `scores` is then unchanged.
///
/// ```
/// use ndarray::{Array2, Array4};
/// use positional_encodings::bias::{RelativeLogits, add_content_bias};
///
/// // A decode step: the projected query, and no keys, which this bias does not read.
/// let inkling = RelativeLogits::inkling(Array2::<f32>::ones((512, 16)), 8)?;
/// let (r, none) = (Array4::ones((1, 8, 1, 16)), Array4::zeros((0, 0, 0, 0)));
/// let mut scores = Array4::zeros((1, 8, 1, 1000));
/// let (query, keys) = (999..1000, 0..1000);
/// add_content_bias(scores.view_mut(), &inkling, r.view(), none.view(), query, keys)?;
/// assert_eq!((scores[[0, 7, 0, 999]], scores[[0, 7, 0, 487]]), (16.0, 0.0));
/// # Ok::<(), positional_encodings::Error>(())
/// ```
pub fn add_content_bias<'q, 'k, A, D, B>(
    scores: ArrayViewMut<'_, A, D>,
    bias: &B,
    q: ArrayView<'_, A, D>,
    k: ArrayView<'_, A, D>,
    queries: impl Into<Positions<'q>>,
    keys: impl Into<Positions<'k>>,
) -> Result<(), Error>
where
    A: Element,
    D: Dimension,
    B: ContentBias<A> + ?Sized,
{
    let contents = [q.view().into_dyn(), k.view().into_dyn()];
    walk::add(&bias, contents, &queries.into(), &keys.into(), scores.into_dyn())
}
