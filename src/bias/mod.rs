//! Attention biases: numbers that are added to the attention scores, one for each head, query and
//! key.
//!
//! ```
//! use ndarray::Array4;
//! use positional_encodings::{Alibi, add_bias};
//!
//! let mut scores = Array4::<f32>::zeros((2, 12, 1, 4096)); // (batch, heads, queries, keys)
//! add_bias(scores.view_mut(), &Alibi::new(12)?, 4095..4096, 0..4096)?; // a decode step
//! assert_eq!(scores[[1, 0, 0, 4093]], -0.5 * 2.0);
//! # Ok::<(), positional_encodings::Error>(())
//! ```
//!
//! | method | here | learned |
//! |---|---|---|
//! | ALiBi (Press et al. 2021): BLOOM, MPT, Falcon, Baichuan | [`Alibi`] | slopes, if wanted |
//! | T5's buckets (Raffel et al. 2019): T5, UMT5, LongT5, MPNet | [`T5Bias`] | table |
//! | several axes, each with buckets: LayoutLMv2, LayoutLMv3 | [`AxesBias`] | tables |
//! | windows of images: Swin (Liu et al. 2021), BEiT | [`WindowBias`] | table |
//! | windows with log-spaced coordinates: Swin V2 | [`SwinV2Bias`](crate::training::SwinV2Bias) | network |
//! | boxes and pixels: SAM 3 | [`BoxBias`](crate::training::BoxBias) | networks |
//! | KERPLE (Chi et al. 2022), both kernels | [`Kerple`] | r₁ and r₂ |
//! | FIRE (Li et al. 2023) | [`Fire`](crate::training::Fire) | network, c and L |
//! | a network of the distance: x-transformers' `DynamicPositionBias` | [`DistanceNetwork`](crate::training::DistanceNetwork) | network |
//! | Sandwich (Chi et al. 2022) | [`Sandwich`] | |
//! | forget gates: FoX (Lin et al. 2025), `DataDependentAlibi` | [`Forget`] | gates |
//! | clipped distances of residues: AlphaFold | [`ClippedBias`], [`ResidueBias`] | table |
//! | your own table | [`TableBias`] with a [`TableRule`] | table |
//!
//! Biases that read queries or keys, such as Shaw's, Transformer-XL's, DeBERTa's and SAM's, are
//! [`ContentBias`]es, and [`add_content_bias`] adds them.
//!
//! A *distance* is a relative position with its sign: the position of the query minus that of the
//! key, unless a method says otherwise.
//!
//! A bias depends only on the positions of queries and keys, so a cache of keys, a padded batch and
//! packed documents need nothing but their positions. Biases of this crate are finite, so a score
//! that a mask has set to −∞ stays −∞. Gradients are given by
//! [`DifferentiableBias`](crate::training::DifferentiableBias).

mod alibi;
mod axes;
mod content;
pub(crate) mod distance;
mod forget;
mod kerple;
mod sandwich;
mod t5;
pub(crate) mod table;
mod walk;
mod window;

pub use alibi::{Alibi, AlibiForm};
pub use axes::AxesBias;
pub use content::{
    Beyond, ClippedBias, ContentBias, Cope, DecomposedBias, DisentangledBias, Head, LogBuckets,
    Order, RelativeBias, RelativeLogits, RelativeValues, ResidueBias, Residues, ShawBias, Side,
    Span, TransformerXlBias, add_content_bias, split_heads,
};
pub(crate) use content::{check_content, sigmoid};
pub use forget::Forget;
pub(crate) use forget::column;
pub use kerple::Kerple;
pub use sandwich::Sandwich;
pub use t5::{Buckets, T5Bias};
pub use table::{TableBias, TableRule};
pub use window::{Window, WindowBias};

use ndarray::{Array3, ArrayViewMut, ArrayViewMut3, Dimension};

use crate::add::Put;
use crate::arrays::{check_len, room};
use crate::element::Element;
use crate::error::{Error, check_parameter};
use crate::forward::forward;
use crate::positions::Positions;

/// The arguments that a bias depends on. Where they repeat, the bias is computed once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DependsOn {
    /// The positions of the query and of the key.
    Pair,
    /// The distance alone: the bias of consecutive positions is a Toeplitz matrix.
    Distance,
    /// The position of the key alone: all queries have the same row.
    Key,
}

/// An attention bias: a number for each head, query and key, which is added to their attention
/// score.
///
/// Two methods are required: [`heads`](Self::heads) and [`encode_row`](Self::encode_row). The
/// provided ones call them. The trait is object-safe, and `&T`, `Box<T>` and `Arc<T>` forward it.
///
/// ```
/// use positional_encodings::{AttentionBias, Positions};
///
/// /// One head, which attends to neighbours.
/// struct Neighbours;
///
/// impl AttentionBias<f32> for Neighbours {
///     fn heads(&self) -> usize {
///         1
///     }
///     fn encode_row(&self, query: &Positions<'_>, keys: &Positions<'_>, row: &mut [f32]) {
///         let query = query.iter().next().map_or(0.0, |position| position.to_f64());
///         for (bias, key) in row.iter_mut().zip(keys.iter()) {
///             *bias = if (query - key.to_f64()).abs() <= 1.0 { 1.0 } else { 0.0 };
///         }
///     }
/// }
/// let bias = Neighbours.encode(&Positions::from(0..2), &Positions::from(0..3))?;
/// assert_eq!(bias, ndarray::array![[[1.0, 1.0, 0.0], [1.0, 1.0, 1.0]]]);
/// # Ok::<(), positional_encodings::Error>(())
/// ```
///
/// [`testing::check_bias_laws`](crate::testing::check_bias_laws) tests implementations outside this
/// crate as it does those of this crate.
pub trait AttentionBias<A: Element>: Send + Sync {
    /// Returns the number of heads, at least 1.
    fn heads(&self) -> usize;

    /// Writes the bias of the one query at `query` for all `keys` to `out`, heads · keys values:
    /// `keys.len()` values of the first head, then those of the next.
    ///
    /// `query` and `keys` are lists of positions that [`check`](Self::check) accepts. If the bias
    /// [depends on](Self::depends_on) the distance alone, they may be other positions at the same
    /// distances. Values must be finite or −∞.
    fn encode_row(&self, query: &Positions<'_>, keys: &Positions<'_>, out: &mut [A]);

    /// Adds the bias of the one query at `query` to `scores`, heads · keys values in the order of
    /// [`encode_row`](Self::encode_row): a decode step. The provided method computes the row in
    /// blocks and adds these.
    ///
    /// # Errors
    ///
    /// [`Error::LengthMismatch`] unless there is one query and a score for each head and key;
    /// [`Error::TooLarge`] if one value for each head does not fit into memory.
    fn add_row(
        &self,
        query: &Positions<'_>,
        keys: &Positions<'_>,
        scores: &mut [A],
    ) -> Result<(), Error> {
        walk::add_row(&self, query, keys, scores)
    }

    /// Returns the numbers of axes of the positions of queries and of keys; 1 and 1 by default.
    fn axes(&self) -> [usize; 2] {
        [1, 1]
    }

    /// Returns the arguments that the bias depends on; [`DependsOn::Pair`] by default.
    fn depends_on(&self) -> DependsOn {
        DependsOn::Pair
    }

    /// Checks that the bias is defined for each of these queries with each of these keys. The
    /// provided method checks that the positions have the right number of axes and are finite.
    ///
    /// # Errors
    ///
    /// [`Error::AxesMismatch`], [`Error::NonFinitePosition`], [`Error::PositionTooLarge`], and the
    /// errors of the bias for positions outside its domain.
    fn check(&self, queries: &Positions<'_>, keys: &Positions<'_>) -> Result<(), Error> {
        check_positions(self.axes(), queries, keys)
    }

    /// Writes the bias to `out` (heads, queries, keys), overwriting its values, for example one
    /// block at a time for fused attention. With up to 16,384 heads this method allocates nothing
    /// itself.
    ///
    /// # Errors
    ///
    /// [`Error::LengthMismatch`] where the shape of `out` differs, and the errors of
    /// [`check`](Self::check); `out` is then unchanged.
    fn encode_into(
        &self,
        queries: &Positions<'_>,
        keys: &Positions<'_>,
        out: ArrayViewMut3<'_, A>,
    ) -> Result<(), Error> {
        walk::put(&self, &queries.flat(), &keys.flat(), out.into_dyn(), Put::Write)
    }

    /// Returns the bias as a new array (heads, queries, keys).
    ///
    /// # Errors
    ///
    /// The errors of [`check`](Self::check), and [`Error::TooLarge`].
    fn encode(&self, queries: &Positions<'_>, keys: &Positions<'_>) -> Result<Array3<A>, Error> {
        let (heads, rows, columns) = (self.heads(), queries.count(), keys.count());
        let len = room::<A>(heads.saturating_mul(rows), columns)?;
        self.check(queries, keys)?;
        let too_large = |_| Error::TooLarge { rows, dim: columns };
        let out = Array3::from_shape_vec((heads, rows, columns), vec![A::zero(); len]);
        let mut out = out.map_err(too_large)?;
        self.encode_into(queries, keys, out.view_mut())?;
        Ok(out)
    }

    /// Adds the bias to `scores` (heads, queries, keys). The sums equal `scores` plus the array of
    /// [`encode`](Self::encode).
    ///
    /// # Errors
    ///
    /// The errors of [`encode_into`](Self::encode_into); `scores` is then unchanged.
    fn add_to(
        &self,
        queries: &Positions<'_>,
        keys: &Positions<'_>,
        scores: ArrayViewMut3<'_, A>,
    ) -> Result<(), Error> {
        walk::put(&self, &queries.flat(), &keys.flat(), scores.into_dyn(), Put::Add)
    }
}

forward!(AttentionBias {
    fn heads(&self) -> usize;
    fn encode_row(&self, query: &Positions<'_>, keys: &Positions<'_>, out: &mut [A]);
    fn add_row(&self, query: &Positions<'_>, keys: &Positions<'_>, scores: &mut [A])
        -> Result<(), Error>;
    fn axes(&self) -> [usize; 2];
    fn depends_on(&self) -> DependsOn;
    fn check(&self, queries: &Positions<'_>, keys: &Positions<'_>) -> Result<(), Error>;
    fn encode_into(&self, queries: &Positions<'_>, keys: &Positions<'_>, out: ArrayViewMut3<'_, A>)
        -> Result<(), Error>;
    fn encode(&self, queries: &Positions<'_>, keys: &Positions<'_>)
        -> Result<Array3<A>, Error>;
    fn add_to(&self, queries: &Positions<'_>, keys: &Positions<'_>, scores: ArrayViewMut3<'_, A>)
        -> Result<(), Error>;
});

/// Adds the bias of queries at `queries` and keys at `keys` to `scores` (…, heads, queries, keys)
/// in place.
///
/// All sequences of a batch share the positions, or each has its own row of positions (batch, len).
/// With several leading axes, the number of rows is the product of their lengths. For scores with
/// four axes nothing is allocated: blocks of the bias are computed on the stack, of which a thread
/// needs 512 KiB. With feature `rayon`, long calls use all cores.
///
/// # Errors
///
/// [`Error::TooFewAxes`], [`Error::LengthMismatch`] where the numbers of heads, positions or rows
/// differ from those of the scores, and the errors of [`AttentionBias::check`]; `scores` is then
/// unchanged.
///
/// ```
/// use ndarray::{Array4, array};
/// use positional_encodings::{Alibi, add_bias};
///
/// // A left-padded batch: the second sequence starts one token later.
/// let positions = array![[0, 1, 2], [0, 0, 1]];
/// let mut scores = Array4::<f64>::zeros((2, 8, 3, 3));
/// add_bias(scores.view_mut(), &Alibi::new(8)?, &positions, &positions)?;
/// assert_eq!((scores[[0, 0, 2, 0]], scores[[1, 0, 2, 0]]), (-0.5 * 2.0, -0.5 * 1.0));
/// # Ok::<(), positional_encodings::Error>(())
/// ```
pub fn add_bias<'q, 'k, A, D, B>(
    scores: ArrayViewMut<'_, A, D>,
    bias: &B,
    queries: impl Into<Positions<'q>>,
    keys: impl Into<Positions<'k>>,
) -> Result<(), Error>
where
    A: Element,
    D: Dimension,
    B: AttentionBias<A> + ?Sized,
{
    walk::put(&bias, &queries.into(), &keys.into(), scores.into_dyn(), Put::Add)
}

/// Checks that scores of this shape, (…, heads, queries, keys), fit the bias and the positions.
pub(crate) fn check_scores<A: Element>(
    bias: &dyn AttentionBias<A>,
    shape: &[usize],
    queries: &Positions<'_>,
    keys: &Positions<'_>,
) -> Result<(), Error> {
    check_shape(bias.heads(), shape, queries, keys, &|queries, keys| bias.check(queries, keys))
}

/// Checks that scores of this shape have this number of heads and fit the positions. `check` checks
/// the positions of one sequence.
fn check_shape(
    heads: usize,
    shape: &[usize],
    queries: &Positions<'_>,
    keys: &Positions<'_>,
    check: &dyn Fn(&Positions<'_>, &Positions<'_>) -> Result<(), Error>,
) -> Result<(), Error> {
    let [leading @ .., found, rows, columns] = shape else {
        return Err(Error::TooFewAxes { expected: 3, found: shape.len() });
    };
    check_len("heads", heads, *found)?;
    check_len("queries", queries.len(), *rows)?;
    check_len("keys", keys.len(), *columns)?;
    // Sequences with their own positions are checked one by one: only positions of the same
    // sequence are combined.
    let mut lists = 1;
    for own in [queries.rows(), keys.rows()].into_iter().flatten().filter(|&own| own != 1) {
        check_len("sequences", own, leading.iter().product())?;
        lists = own;
    }
    (0..lists).try_for_each(|list| check(&queries.row(list), &keys.row(list)))
}

/// Checks that there is one query, and a score for each head and key.
fn check_row<A>(
    heads: usize,
    query: &Positions<'_>,
    keys: &Positions<'_>,
    scores: &[A],
) -> Result<(), Error> {
    check_len("queries", 1, query.len())?;
    check_len("scores", heads.saturating_mul(keys.len()), scores.len())
}

/// Checks that positions of queries and of keys have these numbers of axes and are finite.
fn check_positions(
    axes: [usize; 2],
    queries: &Positions<'_>,
    keys: &Positions<'_>,
) -> Result<(), Error> {
    for (axes, positions) in axes.into_iter().zip([queries, keys]) {
        positions.check_axes(axes)?;
        positions.check_finite()?;
    }
    Ok(())
}

/// Checks that positions are whole numbers on one axis.
fn check_whole(queries: &Positions<'_>, keys: &Positions<'_>) -> Result<(), Error> {
    check_positions([1, 1], queries, keys)?;
    [queries, keys].into_iter().try_for_each(|positions| positions.extent(None).map(|_| ()))
}

/// Checks that positions have this number of axes and that each axis passes `check`.
fn check_axes(
    axes: usize,
    queries: &Positions<'_>,
    keys: &Positions<'_>,
    check: impl Fn(usize, &Positions<'_>, &Positions<'_>) -> Result<(), Error>,
) -> Result<(), Error> {
    check_positions([axes; 2], queries, keys)?;
    let mut on = (0..axes).filter_map(|axis| Some((axis, queries.axis(axis)?, keys.axis(axis)?)));
    on.try_for_each(|(axis, queries, keys)| check(axis, &queries, &keys))
}

/// Checks the number of heads of a formula, whose parameters are computed for each head.
fn check_heads(heads: usize) -> Result<(), Error> {
    let is_met = (1..=1 << 16).contains(&heads);
    check_parameter("number of heads", heads as f64, is_met, "a number from 1 to 65,536")
}

/// Checks that there is at least one head.
fn check_some_heads(heads: usize) -> Result<(), Error> {
    check_parameter("number of heads", heads as f64, heads > 0, "at least 1")
}
