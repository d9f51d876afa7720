//! Rows for a span of distances, one for each.

use super::TableRule;
use crate::bias::distance::rows_of_distances;
use crate::bias::{DependsOn, check_positions};
use crate::error::{Error, check_parameter};
use crate::positions::Positions;

/// The rule for distances that a [`Span`] has no row for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Beyond {
    /// The nearest row is read: Shaw, Wav2Vec2-BERT, AlphaFold.
    Clip,
    /// Nothing is read, and gives 0: Inkling.
    Nothing,
    /// The call is refused: BERT, Transformer-XL, SAM.
    Refuse,
}

/// The sign of distances.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Order {
    /// query − key, as in the index of a row of BERT, Transformer-XL, DeBERTa, SAM.
    QueryMinusKey,
    /// key − query, as in Shaw et al. and Wav2Vec2-BERT.
    KeyMinusQuery,
}

/// A row for each distance of a span, from the first one on. Distances of real positions read the
/// row below.
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
pub struct Span {
    first: i64,
    len: usize,
    order: Order,
    beyond: Beyond,
}

impl Span {
    /// Distances `first` … `first + len − 1`.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidParameter`] for no distance or more than 2³², or a first one beyond ±2⁵².
    pub fn new(first: i64, len: usize, order: Order, beyond: Beyond) -> Result<Self, Error> {
        let is_met = (1..=1 << 32).contains(&(len as u64));
        check_parameter("number of distances", len as f64, is_met, "a number from 1 to 2^32")?;
        let is_met = first.unsigned_abs() <= 1 << 52;
        check_parameter("first distance", first as f64, is_met, "within ±2^52")?;
        Ok(Self { first, len, order, beyond })
    }

    /// Distances query − key of −`radius` … `radius`, and farther ones as these; the radius counts
    /// as 2³⁰ where it is greater.
    pub fn clipped(radius: usize) -> Self {
        let radius = radius.min(1 << 30);
        let (len, order) = (2 * radius + 1, Order::QueryMinusKey);
        Self { first: -(radius as i64), len, order, beyond: Beyond::Clip }
    }

    /// Distances query − key, as many of either sign, of a table of so many rows; others are
    /// refused.
    pub(crate) fn symmetric(rows: usize) -> Result<Self, Error> {
        let is_met = rows % 2 == 1 && rows as u64 <= 1 << 32;
        check_parameter("rows of the table", rows as f64, is_met, "an odd number up to 2^32")?;
        Self::new(-(rows as i64 / 2), rows, Order::QueryMinusKey, Beyond::Refuse)
    }

    /// The first distance.
    pub fn first(&self) -> i64 {
        self.first
    }

    /// The distance query − key with the sign that it has in this span.
    fn signed(&self, distance: f64) -> f64 {
        if self.order == Order::QueryMinusKey { distance } else { -distance }
    }

    /// The row of a distance query − key, past the last one where there is none.
    fn row(&self, distance: f64) -> usize {
        let row = (self.signed(distance) - self.first as f64).floor();
        let last = (self.len - 1) as f64;
        match self.beyond {
            Beyond::Clip => row.clamp(0.0, last) as usize,
            _ if (0.0..=last).contains(&row) => row as usize,
            _ => usize::MAX,
        }
    }

    /// Whether there is a row for queries and keys that have these least and greatest positions.
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
