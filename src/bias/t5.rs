//! T5's buckets: one for each small distance, and logarithmically wider ones for larger distances.

use core::fmt;

use ndarray::Array2;

use super::distance::{first_of_falling, rows_of_distances};
use super::{DependsOn, TableBias, TableRule, check_whole};
use crate::element::Element;
use crate::error::{Error, check_parameter};
use crate::exact::log_step;
use crate::positions::Positions;

/// T5's bias (Raffel et al. 2019, *Exploring the limits of transfer learning with a unified
/// text-to-text transformer*): bias\[h, i, j\] = table\[bucket(j − i), h\], where the table
/// (buckets, heads) is learned. T5, UMT5 (a table for each layer), LongT5, Switch, Pop2Piano and
/// MPNet use it.
///
/// x-transformers multiplies the bias by √(width of a head): multiply the table once.
///
/// ```
/// use ndarray::Array2;
/// use positional_encodings::{AttentionBias, Positions, T5Bias};
///
/// // A table (32, heads) whose values are the indices of their rows.
/// let table = Array2::from_shape_fn((32, 1), |(bucket, _)| bucket as f32);
/// let encoder = T5Bias::bidirectional(table, 128)?;
/// let bias = encoder.encode(&Positions::from(&[20]), &Positions::from(&[0, 13, 20, 21, 84]))?;
/// assert_eq!(bias, ndarray::array![[[10.0, 7.0, 0.0, 17.0, 30.0]]]);
/// # Ok::<(), positional_encodings::Error>(())
/// ```
pub type T5Bias<A> = TableBias<A, Buckets>;

/// T5's buckets of the distance r = key − query (`_relative_position_bucket` of transformers' T5).
///
/// With n buckets for a direction, each |r| below e = ⌊n/2⌋ has its own bucket, and larger ones are
/// in bucket e + ⌊ln(|r|/e) / ln(max/e) · (n − e)⌋, at most n − 1. Where buckets begin is computed
/// once, in whole numbers where doubles cannot decide, so no rounding error changes a bucket. With
/// feature `serde` a config has the constructor and its arguments, `{"causal": {"buckets": 32,
/// "max_distance": 128}}`.
#[derive(Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "Written", into = "Written"))]
pub struct Buckets {
    /// The number of buckets for a direction.
    each: usize,
    directions: usize,
    max_distance: usize,
    /// The smallest |r| of each bucket from the second on.
    starts: Vec<f64>,
}

impl fmt::Debug for Buckets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Buckets")
            .field("buckets", &self.entries())
            .field("directions", &self.directions)
            .field("max_distance", &self.max_distance)
            .finish()
    }
}

/// [`Buckets`] as configs write them: a constructor and its arguments.
#[cfg(feature = "serde")]
#[derive(serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Written {
    Bidirectional { buckets: usize, max_distance: usize },
    Causal { buckets: usize, max_distance: usize },
}

#[cfg(feature = "serde")]
impl From<Buckets> for Written {
    fn from(own: Buckets) -> Self {
        let (buckets, max_distance) = (own.entries(), own.max_distance);
        match own.directions {
            1 => Self::Causal { buckets, max_distance },
            _ => Self::Bidirectional { buckets, max_distance },
        }
    }
}

#[cfg(feature = "serde")]
impl TryFrom<Written> for Buckets {
    type Error = Error;

    fn try_from(written: Written) -> Result<Self, Error> {
        match written {
            Written::Bidirectional { buckets, max_distance } => {
                Self::bidirectional(buckets, max_distance)
            }
            Written::Causal { buckets, max_distance } => Self::causal(buckets, max_distance),
        }
    }
}

/// Shows the bias as a caption: `T5 bias, 8 heads, 32 buckets up to distance 128, both ways`.
impl<A> fmt::Display for T5Bias<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (heads, Buckets { directions, max_distance, .. }) = (self.table.ncols(), &self.rule);
        let buckets = self.table.nrows();
        write!(f, "T5 bias, {heads} heads, {buckets} buckets up to distance {max_distance}, ")?;
        f.write_str(if *directions == 2 { "both ways" } else { "causal" })
    }
}

impl<A: Element> T5Bias<A> {
    /// Makes the bias of an encoder (also of MPNet) from a table (buckets, heads), whose second
    /// half is for keys after the query.
    ///
    /// # Errors
    ///
    /// The errors of [`Buckets::bidirectional`] and [`TableBias::new`].
    pub fn bidirectional(table: Array2<A>, max_distance: usize) -> Result<Self, Error> {
        let buckets = Buckets::bidirectional(table.nrows(), max_distance)?;
        Self::new(table, buckets)
    }

    /// Makes the bias of a decoder from a table (buckets, heads). Keys after the query are in
    /// bucket 0; a causal mask hides them.
    ///
    /// # Errors
    ///
    /// The errors of [`Buckets::causal`] and [`TableBias::new`].
    pub fn causal(table: Array2<A>, max_distance: usize) -> Result<Self, Error> {
        let buckets = Buckets::causal(table.nrows(), max_distance)?;
        Self::new(table, buckets)
    }
}

impl Buckets {
    /// Makes an encoder's buckets: one half for keys at or before the query, the other for keys
    /// after it.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidParameter`] for a number of buckets that is odd or outside 4…131,072, or a
    /// `max_distance` below that number or above 2⁵².
    pub fn bidirectional(buckets: usize, max_distance: usize) -> Result<Self, Error> {
        Self::new(buckets, 2, max_distance)
    }

    /// Makes a decoder's buckets, all of them for keys at or before the query.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidParameter`] for a number of buckets that is odd or outside 2…65,536, or a
    /// `max_distance` below that number or above 2⁵².
    pub fn causal(buckets: usize, max_distance: usize) -> Result<Self, Error> {
        Self::new(buckets, 1, max_distance)
    }

    fn new(buckets: usize, directions: usize, max_distance: usize) -> Result<Self, Error> {
        let each = buckets / directions;
        let is_met = buckets.is_multiple_of(2) && (2..=1 << 16).contains(&each);
        let needs = "even, with 2 to 65,536 buckets for each direction";
        check_parameter("number of buckets", buckets as f64, is_met, needs)?;
        let is_met = (buckets as u64..=1 << 52).contains(&(max_distance as u64));
        let needs = "a number from the number of buckets to 2^52";
        check_parameter("max_distance", max_distance as f64, is_met, needs)?;
        let exact = each as u64 / 2;
        let shared = each as u64 - exact;
        let far = (1..shared).map(|k| log_step(exact, max_distance as u64, k, shared));
        let starts = (1..=exact).chain(far).map(|start| start as f64).collect();
        Ok(Self { each, directions, max_distance, starts })
    }

    /// Returns the bucket of a distance key − query.
    ///
    /// ```
    /// use positional_encodings::bias::Buckets;
    ///
    /// let encoder = Buckets::bidirectional(32, 128)?;
    /// assert_eq!([-128, -8, 0, 8, 127].map(|r| encoder.bucket(r)), [15, 8, 0, 24, 31]);
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn bucket(&self, distance: i64) -> usize {
        self.run(-(distance as f64)).0
    }

    /// Returns the bucket of a distance query − key, and the number of distances in it from this
    /// one down.
    fn run(&self, distance: f64) -> (usize, f64) {
        if distance < 0.0 && self.directions == 1 {
            return (0, f64::MAX);
        }
        let bucket = self.starts.partition_point(|start| *start <= distance.abs());
        if distance < 0.0 {
            let end = self.starts.get(bucket);
            return (self.each + bucket, end.map_or(f64::MAX, |end| end + distance));
        }
        let start = bucket.checked_sub(1).map_or(0.0, |before| self.starts[before]);
        (bucket, distance - start + 1.0)
    }
}

impl TableRule for Buckets {
    fn entries(&self) -> usize {
        self.each * self.directions
    }

    fn rows(&self, query: &Positions<'_>, keys: &Positions<'_>, rows: &mut [usize]) {
        let falls = query.get(0).and_then(|query| first_of_falling(query, keys));
        let Some(first) = falls else {
            return rows_of_distances(query, keys, rows, |distance| self.run(distance).0);
        };
        // One bucket at a time, since many keys share the buckets of large distances.
        let len = keys.len().min(rows.len());
        let (mut rest, mut distance) = (&mut rows[..len], first as f64);
        while !rest.is_empty() {
            let (bucket, own) = self.run(distance);
            let own = own.clamp(1.0, rest.len() as f64) as usize;
            let (rows, others) = rest.split_at_mut(own);
            rows.fill(bucket);
            (rest, distance) = (others, distance - own as f64);
        }
    }

    fn depends_on(&self) -> DependsOn {
        DependsOn::Distance
    }

    fn check(&self, queries: &Positions<'_>, keys: &Positions<'_>) -> Result<(), Error> {
        check_whole(queries, keys)
    }
}
