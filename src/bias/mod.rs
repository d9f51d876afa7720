//! Numbers that are added to the attention scores: one for a head, a query and a key.
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
//! | ALiBi (Press et al. 2021): BLOOM, MPT, Falcon, Baichuan | [`Alibi`] | slopes, if they are to be |
//! | T5's buckets: T5, UMT5, LongT5, MPNet | [`T5Bias`] | table |
//! | several axes, each with buckets: LayoutLMv2, LayoutLMv3 | [`AxesBias`] | tables |
//! | windows of images: Swin, BEiT | [`WindowBias`] | table |
//! | windows with log-spaced coordinates: Swin V2 | [`SwinV2Bias`](crate::training::SwinV2Bias) | network |
//! | boxes and pixels: SAM 3 | [`BoxBias`](crate::training::BoxBias) | networks |
//! | KERPLE (Chi et al. 2022), both kernels | [`Kerple`] | its parameters |
//! | FIRE (Li et al. 2023) | [`Fire`](crate::training::Fire) | network, c and L |
//! | a network of the distance: x-transformers' `DynamicPositionBias` | [`DistanceNetwork`](crate::training::DistanceNetwork) | network |
//! | Sandwich (Chi et al. 2022) | [`Sandwich`] | |
//! | forget gates: FoX (Lin et al. 2025), `DataDependentAlibi` | [`Forget`] | gates |
//! | clipped distances of residues: AlphaFold | [`ClippedBias`], [`ResidueBias`] | table |
//! | a table of your own | [`TableBias`] with a [`TableRule`] | table |
//!
//! What reads queries or keys, as Shaw's, Transformer-XL's, DeBERTa's and SAM's biases do, is a
//! [`ContentBias`], which [`add_content_bias`] adds.
//!
//! Positions say where queries and keys stand, so a cache of keys, a padded batch and packed
//! documents are positions and nothing else. A bias is finite, so what a mask has set to −∞ stays
//! −∞. Gradients are those of [`DifferentiableBias`](crate::training::DifferentiableBias).

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

use std::sync::Arc;

use ndarray::{Array3, ArrayViewMut, ArrayViewMut3, Dimension};

use crate::add::Put;
use crate::arrays::{check_len, room};
use crate::element::Element;
use crate::error::{Error, check_parameter};
use crate::positions::Positions;

/// The argument that a bias depends on: where it repeats itself, the bias is computed once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DependsOn {
    /// The query and the key.
    Pair,
    /// The distance alone: the bias of consecutive positions is a Toeplitz matrix.
    Distance,
    /// The key alone: all queries have the same row.
    Key,
}

/// A number for each head, query and key, which is added to their attention score.
///
/// Two methods make a bias: [`heads`](Self::heads) and [`encode_row`](Self::encode_row). The others
/// stand on them. It is object-safe, and `&T`, `Box<T>` and `Arc<T>` forward it.
///
/// ```
/// use positional_encodings::{AttentionBias, Positions};
///
/// /// One head, which looks at neighbours.
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
/// Implementations outside this crate can run the laws that its own must obey:
/// [`testing::check_bias_laws`](crate::testing::check_bias_laws).
pub trait AttentionBias<A: Element>: Send + Sync {
    /// The number of heads, at least 1.
    fn heads(&self) -> usize;

    /// Writes the bias of the one query at `query` for all `keys`: first that of the first head,
    /// `keys.len()` values, then that of the next, to `out` of heads · keys values.
    ///
    /// Both are lists, and [`check`](Self::check) has found nothing wrong with them; where the bias
    /// [depends on](Self::depends_on) the distance alone, they may be other positions at the same
    /// distances. Values must be finite or −∞.
    fn encode_row(&self, query: &Positions<'_>, keys: &Positions<'_>, out: &mut [A]);

    /// Adds the bias of the one query at `query` to `scores`, heads · keys values in the order of
    /// [`encode_row`](Self::encode_row): a decode step. As provided the row is made in pieces, which
    /// are added.
    ///
    /// # Errors
    ///
    /// [`Error::LengthMismatch`] where there are not one query and so many scores;
    /// [`Error::TooLarge`] for more than 65,536 heads that have no room.
    fn add_row(
        &self,
        query: &Positions<'_>,
        keys: &Positions<'_>,
        scores: &mut [A],
    ) -> Result<(), Error> {
        walk::add_row(&self, query, keys, scores)
    }

    /// The number of axes that positions of queries and of keys have: 1 and 1 as provided.
    fn axes(&self) -> [usize; 2] {
        [1, 1]
    }

    /// Returns the argument that the bias depends on: [`DependsOn::Pair`] as provided.
    fn depends_on(&self) -> DependsOn {
        DependsOn::Pair
    }

    /// Whether there is a bias for each of these queries and each of these keys. As provided, that
    /// is whether they have as many axes as they should and are finite.
    ///
    /// # Errors
    ///
    /// [`Error::AxesMismatch`], [`Error::NonFinitePosition`], [`Error::PositionTooLarge`], and what
    /// a bias says of positions that it does not know.
    fn check(&self, queries: &Positions<'_>, keys: &Positions<'_>) -> Result<(), Error> {
        check_positions(self.axes(), queries, keys)
    }

    /// Writes the bias to `out` (heads, queries, keys), whatever stood there: a block of it for
    /// fused attention, which asks again and again. Up to 65,536 heads nothing is allocated.
    ///
    /// # Errors
    ///
    /// [`Error::LengthMismatch`] where the shape is another one, and the errors of
    /// [`check`](Self::check); then `out` is as it was.
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

    /// Adds the bias to `scores` (heads, queries, keys). The sums are those of
    /// [`encode`](Self::encode) and an addition.
    ///
    /// # Errors
    ///
    /// The errors of [`encode_into`](Self::encode_into); then `scores` is as it was.
    fn add_to(
        &self,
        queries: &Positions<'_>,
        keys: &Positions<'_>,
        scores: ArrayViewMut3<'_, A>,
    ) -> Result<(), Error> {
        walk::put(&self, &queries.flat(), &keys.flat(), scores.into_dyn(), Put::Add)
    }
}

macro_rules! forward {
    ($pointer:ty) => {
        impl<A: Element, B: AttentionBias<A> + ?Sized> AttentionBias<A> for $pointer {
            fn heads(&self) -> usize {
                (**self).heads()
            }

            fn encode_row(&self, query: &Positions<'_>, keys: &Positions<'_>, out: &mut [A]) {
                (**self).encode_row(query, keys, out);
            }

            fn add_row(
                &self,
                query: &Positions<'_>,
                keys: &Positions<'_>,
                scores: &mut [A],
            ) -> Result<(), Error> {
                (**self).add_row(query, keys, scores)
            }

            fn axes(&self) -> [usize; 2] {
                (**self).axes()
            }

            fn depends_on(&self) -> DependsOn {
                (**self).depends_on()
            }

            fn check(&self, queries: &Positions<'_>, keys: &Positions<'_>) -> Result<(), Error> {
                (**self).check(queries, keys)
            }

            fn encode_into(
                &self,
                queries: &Positions<'_>,
                keys: &Positions<'_>,
                out: ArrayViewMut3<'_, A>,
            ) -> Result<(), Error> {
                (**self).encode_into(queries, keys, out)
            }

            fn add_to(
                &self,
                queries: &Positions<'_>,
                keys: &Positions<'_>,
                scores: ArrayViewMut3<'_, A>,
            ) -> Result<(), Error> {
                (**self).add_to(queries, keys, scores)
            }
        }
    };
}

forward!(&B);
forward!(Box<B>);
forward!(Arc<B>);

/// Adds the bias of keys at `keys` for queries at `queries` to `scores` (…, heads, queries, keys)
/// in place.
///
/// Leading axes share the positions, or have a row of them each: positions (batch, len) for scores
/// (batch, heads, len, len), with any number of leading axes whose product is the number of rows.
/// Nothing is allocated for scores of four axes; what is needed of the bias is made on the stack,
/// for which a thread needs 512 KiB. With feature `rayon` long work is done on all cores.
///
/// # Errors
///
/// [`Error::TooFewAxes`], [`Error::LengthMismatch`] where heads, positions or rows of them are not as
/// many as the scores ask for, and the errors of [`AttentionBias::check`]; then `scores` is as it
/// was.
///
/// ```
/// use ndarray::{Array4, array};
/// use positional_encodings::{Alibi, add_bias};
///
/// // A left-padded batch: the second sequence starts one step later.
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

/// Whether scores of this shape, (…, heads, queries, keys), can be given the bias.
pub(crate) fn check_scores<A: Element>(
    bias: &dyn AttentionBias<A>,
    shape: &[usize],
    queries: &Positions<'_>,
    keys: &Positions<'_>,
) -> Result<(), Error> {
    check_shape(bias.heads(), shape, queries, keys, &|queries, keys| bias.check(queries, keys))
}

/// Whether scores of this shape belong to so many heads and to these positions, of which `check`
/// tells whether those of one sequence go together.
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
    // Sequences of their own are checked one by one: only positions of the same one meet.
    let mut lists = 1;
    for own in [queries.rows(), keys.rows()].into_iter().flatten().filter(|&own| own != 1) {
        check_len("sequences", own, leading.iter().product())?;
        lists = own;
    }
    (0..lists).try_for_each(|list| check(&queries.row(list), &keys.row(list)))
}

/// Whether there are as many scores as one query has.
fn check_row<A>(
    heads: usize,
    query: &Positions<'_>,
    keys: &Positions<'_>,
    scores: &[A],
) -> Result<(), Error> {
    check_len("queries", 1, query.len())?;
    check_len("scores", heads.saturating_mul(keys.len()), scores.len())
}

/// Whether positions have these axes and are finite.
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

/// Whether positions are whole numbers on one axis.
fn check_whole(queries: &Positions<'_>, keys: &Positions<'_>) -> Result<(), Error> {
    check_positions([1, 1], queries, keys)?;
    [queries, keys].into_iter().try_for_each(|positions| positions.extent(None).map(|_| ()))
}

/// Whether positions have so many axes, and `check` finds nothing wrong with any of them.
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

/// Whether there can be so many heads: as many as a formula is computed for.
fn check_heads(heads: usize) -> Result<(), Error> {
    let is_met = (1..=1 << 16).contains(&heads);
    check_parameter("number of heads", heads as f64, is_met, "a number from 1 to 65,536")
}

/// Whether there is a head at all.
fn check_some_heads(heads: usize) -> Result<(), Error> {
    check_parameter("number of heads", heads as f64, heads > 0, "at least 1")
}
