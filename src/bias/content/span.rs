//! A rule with one row for each distance of a span.

use super::TableRule;
use crate::bias::distance::rows_of_distances;
use crate::bias::{DependsOn, check_positions};
use crate::error::{Error, check_parameter};
use crate::positions::Positions;

/// The treatment of distances for which a [`Span`] has no row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Beyond {
    /// The distance is clipped, so the first or last row is read: Shaw, Wav2Vec2-BERT, AlphaFold.
    Clip,
    /// No row is read, and the value is 0: Inkling.
    Nothing,
    /// The call is an error, [`Error::PositionOutsideTable`]: BERT, Transformer-XL, SAM.
    Refuse,
}

/// The sign convention of distances.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Order {
    /// The distance is query − key, as in BERT, Transformer-XL, DeBERTa, SAM.
    QueryMinusKey,
    /// The distance is key − query, as in Shaw et al. and Wav2Vec2-BERT.
    KeyMinusQuery,
}

/// The rule of a table with a row for each distance of a span: distance d reads row d − first. A
/// distance that is not a whole number is rounded down.
///
/// ```
/// use positional_encodings::bias::{Beyond, Order, Span, TableRule};
///
/// let span = Span::new(-3, 6, Order::KeyMinusQuery, Beyond::Clip)?; // left 3, right 2
/// let mut rows = [0; 4];
/// span.rows(&(5..6).into(), &(&[0, 4, 5, 99]).into(), &mut rows);
/// assert_eq!(rows, [0, 2, 3, 5]);
/// # Ok::<(), positional_encodings::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "Written", into = "Written"))]
pub struct Span {
    first: i64,
    len: usize,
    order: Order,
    beyond: Beyond,
}

/// A [`Span`] as configs write it: the arguments of [`Span::new`].
#[cfg(feature = "serde")]
#[derive(serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    first: i64,
    len: usize,
    order: Order,
    beyond: Beyond,
}

#[cfg(feature = "serde")]
impl From<Span> for Written {
    fn from(Span { first, len, order, beyond }: Span) -> Self {
        Self { first, len, order, beyond }
    }
}

#[cfg(feature = "serde")]
impl TryFrom<Written> for Span {
    type Error = Error;

    fn try_from(Written { first, len, order, beyond }: Written) -> Result<Self, Error> {
        Self::new(first, len, order, beyond)
    }
}

impl Span {
    /// Makes the span of distances `first` … `first + len − 1`.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidParameter`] for a `len` of 0 or above 2³², or a `first` outside ±2⁵².
    pub fn new(first: i64, len: usize, order: Order, beyond: Beyond) -> Result<Self, Error> {
        let is_met = (1..=1 << 32).contains(&(len as u64));
        check_parameter("number of distances", len as f64, is_met, "a number from 1 to 2^32")?;
        let is_met = first.unsigned_abs() <= 1 << 52;
        check_parameter("first distance", first as f64, is_met, "within ±2^52")?;
        Ok(Self { first, len, order, beyond })
    }

    /// Makes the span of distances query − key, clipped to −`radius` … `radius`. A radius above 2³⁰
    /// counts as 2³⁰.
    pub fn clipped(radius: usize) -> Self {
        let radius = radius.min(1 << 30);
        let (len, order) = (2 * radius + 1, Order::QueryMinusKey);
        Self { first: -(radius as i64), len, order, beyond: Beyond::Clip }
    }

    /// Makes the symmetric span of distances query − key of a table with this number of rows; other
    /// distances are an error.
    pub(crate) fn symmetric(rows: usize) -> Result<Self, Error> {
        let is_met = rows % 2 == 1 && rows as u64 <= 1 << 32;
        check_parameter("number of rows", rows as f64, is_met, "an odd number up to 2^32")?;
        Self::new(-(rows as i64 / 2), rows, Order::QueryMinusKey, Beyond::Refuse)
    }

    /// Returns the first distance.
    pub fn first(&self) -> i64 {
        self.first
    }

    /// Returns the distance query − key with the sign convention of this span.
    fn signed(&self, distance: f64) -> f64 {
        if self.order == Order::QueryMinusKey { distance } else { -distance }
    }

    /// Returns the row of a distance query − key; an index past the table if there is none.
    fn row(&self, distance: f64) -> usize {
        let row = (self.signed(distance) - self.first as f64).floor();
        let last = (self.len - 1) as f64;
        match self.beyond {
            Beyond::Clip => row.clamp(0.0, last) as usize,
            _ if (0.0..=last).contains(&row) => row as usize,
            _ => usize::MAX,
        }
    }

    /// Checks that there is a row for all queries and keys within these least and greatest
    /// positions.
    pub(crate) fn check_bounds(&self, query: [f64; 2], key: [f64; 2]) -> Result<(), Error> {
        let farthest = [query[0] - key[1], query[1] - key[0]];
        match farthest.into_iter().find(|distance| self.row(*distance) == usize::MAX) {
            Some(distance) => {
                let (position, first, len) = (self.signed(distance), self.first, self.len);
                Err(Error::PositionOutsideTable { position, first, len })
            }
            None => Ok(()),
        }
    }
}

impl TableRule for Span {
    fn entries(&self) -> usize {
        self.len
    }

    fn rows(&self, query: &Positions<'_>, keys: &Positions<'_>, rows: &mut [usize]) {
        rows_of_distances(query, keys, rows, |distance| self.row(distance));
    }

    fn depends_on(&self) -> DependsOn {
        DependsOn::Distance
    }

    fn check(&self, queries: &Positions<'_>, keys: &Positions<'_>) -> Result<(), Error> {
        check_positions([1, 1], queries, keys)?;
        let bounds = |positions: &Positions<'_>| {
            let ends = positions.ends().map(|(_, position)| position.to_f64());
            ends.fold(None, |bounds, at| {
                let [least, greatest] = bounds.unwrap_or([at; 2]);
                Some([at.min(least), at.max(greatest)])
            })
        };
        match bounds(queries).zip(bounds(keys)) {
            Some((query, key)) if self.beyond == Beyond::Refuse => self.check_bounds(query, key),
            _ => Ok(()),
        }
    }
}
