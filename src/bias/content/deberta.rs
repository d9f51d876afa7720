//! DeBERTa's disentangled attention.

use core::fmt;

use ndarray::Array3;

use super::{RelativeBias, Side, TableRule};
use crate::bias::distance::rows_of_distances;
use crate::bias::{DependsOn, check_whole};
use crate::element::Element;
use crate::error::{Error, check_parameter};
use crate::exact::log_step_beyond;
use crate::positions::Positions;

/// DeBERTa's disentangled attention (He et al. 2020, *DeBERTa: decoding-enhanced BERT with
/// disentangled attention*): (qᵢ · K\[δ(i − j)\] + kⱼ · Q\[δ(i − j)\]) / √(dim · parts).
///
/// The terms are `c2p` and `p2c`; `pos_att_type` of a config says which of them a model has. The
/// other part of the scores is qᵢ · kⱼ / √(dim · parts), and parts counts all of them, 2 or 3.
///
/// K and Q, shape (heads, 2 · span, dim), are the embeddings of positions after the projections of
/// keys and queries (or, with `share_att_key` false, after `pos_key_proj` and `pos_query_proj`),
/// see [`split_heads`](super::split_heads). δ gives the bucket of a distance, see [`LogBuckets`].
/// No index of pairs is kept.
///
/// ```
/// use ndarray::Array3;
/// use positional_encodings::Positions;
/// use positional_encodings::bias::{ContentBias, DisentangledBias, LogBuckets};
///
/// // DeBERTa-v3: position_buckets 256, max_relative_positions 512, c2p and p2c.
/// let table = || Some(Array3::<f32>::ones((12, 512, 64)));
/// let deberta = DisentangledBias::disentangled(LogBuckets::new(256, 512)?, 12, table(), table())?;
/// let (q, k) = (Array3::ones((12, 7, 64)), Array3::ones((12, 7, 64)));
/// let (positions, mut scores) = (Positions::from(0..7), Array3::zeros((12, 7, 7)));
/// deberta.add_to(q.view(), k.view(), &positions, &positions, scores.view_mut())?;
/// assert_eq!(scores[[11, 0, 6]], (128.0 / (64.0_f64 * 3.0).sqrt()) as f32);
/// # Ok::<(), positional_encodings::Error>(())
/// ```
pub type DisentangledBias<A> = RelativeBias<A, LogBuckets>;

impl<A: Element> DisentangledBias<A> {
    /// Makes the bias from the projected tables (heads, 2 · span, dim): queries are multiplied by
    /// the table for `c2p`, keys by that for `p2c`. The factor is 1/√(dim · (1 + tables)).
    ///
    /// # Errors
    ///
    /// The errors of [`RelativeBias::new`].
    pub fn disentangled(
        buckets: LogBuckets,
        heads: usize,
        c2p: Option<Array3<A>>,
        p2c: Option<Array3<A>>,
    ) -> Result<Self, Error> {
        let parts = [(Side::Queries, c2p), (Side::Keys, p2c)];
        let tables = parts.into_iter().filter_map(|(side, table)| Some((side, table?)));
        let bias = Self::new(buckets, heads, tables)?;
        let dim = bias.tables().next().map_or(1, |(_, table)| table.dim().2);
        let parts = 1 + bias.tables().count();
        bias.with_factor(1.0 / libm::sqrt(dim as f64 * parts as f64))
    }
}

/// DeBERTa's buckets δ(r) of a distance r = query − key (transformers' `make_log_bucket_position`),
/// clipped to −span … span − 1.
///
/// Without buckets δ(r) = r. With b of them, span is b, δ(r) has the sign of r, and |δ(r)| is |r|
/// up to mid = b/2, and mid + ⌈ln(|r|/mid) / ln((max − 1)/mid) · (mid − 1)⌉ beyond. Where buckets
/// begin is computed once, in whole numbers where doubles cannot decide, so no rounding error
/// changes a bucket. With feature `serde` a config has `{"buckets": 256, "max_distance": 512}`, or
/// `max_distance` alone.
///
/// ```
/// use positional_encodings::bias::LogBuckets;
///
/// let buckets = LogBuckets::new(256, 512)?;
/// let found = [127, 129, 130, 200, 300, 511].map(|r| buckets.bucket(r));
/// assert_eq!(found, [127, 129, 130, 169, 207, 255]);
/// assert_eq!([-200, -512, 9999].map(|r| buckets.bucket(r)), [-169, -256, 255]);
/// # Ok::<(), positional_encodings::Error>(())
/// ```
#[derive(Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "Written", into = "Written"))]
pub struct LogBuckets {
    span: usize,
    max_distance: usize,
    /// The largest |r| that has its own bucket.
    mid: f64,
    /// The smallest |r| of each bucket after it; none without buckets.
    starts: Vec<f64>,
}

impl fmt::Debug for LogBuckets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogBuckets")
            .field("buckets", &self.buckets())
            .field("max_distance", &self.max_distance)
            .finish()
    }
}

/// [`LogBuckets`] as configs write them; without buckets they are [plain](LogBuckets::plain).
#[cfg(feature = "serde")]
#[derive(serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    buckets: Option<usize>,
    max_distance: usize,
}

#[cfg(feature = "serde")]
impl From<LogBuckets> for Written {
    fn from(own: LogBuckets) -> Self {
        Self { buckets: own.buckets(), max_distance: own.max_distance }
    }
}

#[cfg(feature = "serde")]
impl TryFrom<Written> for LogBuckets {
    type Error = Error;

    fn try_from(Written { buckets, max_distance }: Written) -> Result<Self, Error> {
        match buckets {
            Some(buckets) => Self::new(buckets, max_distance),
            None => Self::plain(max_distance),
        }
    }
}

impl LogBuckets {
    /// Makes the buckets from `position_buckets` and `max_relative_positions` of a config; if the
    /// latter is −1, pass `max_position_embeddings`.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidParameter`] for a number of buckets that is odd or outside 4…65,536, or a
    /// `max_distance` below half of that number plus 2 or above 2⁵².
    pub fn new(buckets: usize, max_distance: usize) -> Result<Self, Error> {
        let (is_met, needs) = (buckets.is_multiple_of(2), "an even number from 4 to 65,536");
        let is_met = is_met && (4..=1 << 16).contains(&buckets);
        check_parameter("number of buckets", buckets as f64, is_met, needs)?;
        let (mid, max) = (buckets as u64 / 2, max_distance as u64);
        let is_met = (mid + 2..=1 << 52).contains(&max);
        let needs = "a number from 2 + half the number of buckets to 2^52";
        check_parameter("max_distance", max as f64, is_met, needs)?;
        let first = core::iter::once(mid + 1);
        let far = (1..mid).map(|k| log_step_beyond(mid, max - 1, k, mid - 1));
        let starts = first.chain(far).map(|start| start as f64).collect();
        Ok(Self { span: buckets, max_distance, mid: mid as f64, starts })
    }

    /// Makes the rule of models without buckets (`position_buckets` −1): δ(r) = r, and span is
    /// `max_distance`.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidParameter`] for a `max_distance` of 0 or above 2³¹.
    pub fn plain(max_distance: usize) -> Result<Self, Error> {
        let is_met = (1..=1 << 31).contains(&(max_distance as u64));
        check_parameter("max_distance", max_distance as f64, is_met, "a number from 1 to 2^31")?;
        Ok(Self { span: max_distance, max_distance, mid: f64::INFINITY, starts: Vec::new() })
    }

    /// Returns the number of buckets for each sign; `None` without buckets.
    fn buckets(&self) -> Option<usize> {
        (!self.starts.is_empty()).then_some(self.span)
    }

    /// Returns the bucket δ of a distance query − key.
    pub fn bucket(&self, distance: i64) -> i64 {
        self.row(distance as f64) as i64 - self.span as i64
    }

    fn row(&self, distance: f64) -> usize {
        let size = distance.abs();
        let size = match size > self.mid {
            true => self.mid + self.starts.partition_point(|start| *start <= size) as f64,
            false => size,
        };
        let span = self.span as f64;
        ((if distance < 0.0 { -size } else { size }).clamp(-span, span - 1.0) + span) as usize
    }
}

impl TableRule for LogBuckets {
    fn entries(&self) -> usize {
        2 * self.span
    }

    fn rows(&self, query: &Positions<'_>, keys: &Positions<'_>, rows: &mut [usize]) {
        rows_of_distances(query, keys, rows, |distance| self.row(distance));
    }

    fn depends_on(&self) -> DependsOn {
        DependsOn::Distance
    }

    /// Checks that positions are whole numbers.
    fn check(&self, queries: &Positions<'_>, keys: &Positions<'_>) -> Result<(), Error> {
        check_whole(queries, keys)
    }
}
