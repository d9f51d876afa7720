//! Learned tables: a rule says which row a query and a key read.

use ndarray::{Array2, ArrayView2};

use super::distance::PAGE;
use super::{AttentionBias, DependsOn, check_positions, check_row, check_some_heads};
use crate::add::{Put, put_one};
use crate::arrays::{check_finite, check_len, row_major};
use crate::element::Element;
use crate::error::Error;
use crate::positions::Positions;

/// The rule by which a query and a key read a row of a table: T5's buckets, the places in a window.
///
/// The table may be one of your own, and so may the rule: AlphaFold's clipped distances are three
/// lines.
///
/// ```
/// use ndarray::array;
/// use positional_encodings::bias::{DependsOn, TableBias, TableRule};
/// use positional_encodings::{AttentionBias, Positions};
///
/// /// The distance, clipped to ±1.
/// struct Clipped;
///
/// impl TableRule for Clipped {
///     fn entries(&self) -> usize {
///         3
///     }
///     fn rows(&self, query: &Positions<'_>, keys: &Positions<'_>, rows: &mut [usize]) {
///         let query = query.iter().next().map_or(0.0, |position| position.to_f64());
///         for (row, key) in rows.iter_mut().zip(keys.iter()) {
///             *row = ((query - key.to_f64()).clamp(-1.0, 1.0) + 1.0) as usize;
///         }
///     }
///     fn depends_on(&self) -> DependsOn {
///         DependsOn::Distance
///     }
/// }
/// let bias = TableBias::new(array![[10.0_f32], [20.0], [30.0]], Clipped)?; // (entries, heads)
/// let row = bias.encode(&Positions::from(1..2), &Positions::from(0..4))?;
/// assert_eq!(row, array![[[30.0, 20.0, 10.0, 10.0]]]);
/// # Ok::<(), positional_encodings::Error>(())
/// ```
pub trait TableRule: Send + Sync {
    /// The number of rows of the table.
    fn entries(&self) -> usize;

    /// Writes the row that the one query at `query` reads for each key; rows from
    /// [`entries`](Self::entries) on read nothing, and give 0.
    fn rows(&self, query: &Positions<'_>, keys: &Positions<'_>, rows: &mut [usize]);

    /// As [`AttentionBias::axes`].
    fn axes(&self) -> [usize; 2] {
        [1, 1]
    }

    /// As [`AttentionBias::depends_on`].
    fn depends_on(&self) -> DependsOn {
        DependsOn::Pair
    }

    /// As [`AttentionBias::check`].
    ///
    /// # Errors
    ///
    /// Refuses positions that the rule does not know.
    fn check(&self, queries: &Positions<'_>, keys: &Positions<'_>) -> Result<(), Error> {
        check_positions(self.axes(), queries, keys)
    }
}

/// A bias from a learned table (entries, heads), of which a rule picks the rows.
#[derive(Clone, Debug, PartialEq)]
pub struct TableBias<A, R> {
    /// In row-major order.
    pub(crate) table: Array2<A>,
    pub(crate) rule: R,
}

impl<A: Element, R: TableRule> TableBias<A, R> {
    /// Takes the table (entries, heads) and its rule.
    ///
    /// # Errors
    ///
    /// [`Error::LengthMismatch`] where it has not as many rows as the rule has entries,
    /// [`Error::InvalidParameter`] without a head or with a value that is not finite.
    pub fn new(table: Array2<A>, rule: R) -> Result<Self, Error> {
        check_len("rows of the table", rule.entries(), table.nrows())?;
        check_some_heads(table.ncols())?;
        check_finite(&table)?;
        Ok(Self { table: row_major(table), rule })
    }

    /// The table, shape (entries, heads).
    pub fn table(&self) -> ArrayView2<'_, A> {
        self.table.view()
    }

    /// The rule.
    pub fn rule(&self) -> &R {
        &self.rule
    }

    /// The value of a head in a row; 0 past the table.
    #[inline]
    pub(crate) fn value(&self, row: usize, head: usize) -> A {
        let table = self.table.as_slice().unwrap_or_default();
        table.get(row.wrapping_mul(self.table.ncols()) + head).copied().unwrap_or(A::zero())
    }

    fn put_row(&self, query: &Positions<'_>, keys: &Positions<'_>, out: &mut [A], put: Put) {
        read_rows::<PAGE>(&self.rule, query, keys, |start, rows| {
            // Far keys of T5 are many that read one row: where each run of them ends.
            let mut ends = [0_u16; PAGE];
            let runs = rows.chunk_by(|a, b| a == b).zip(&mut ends);
            let mut end = 0;
            let runs = runs.map(|(run, own)| {
                end += run.len() as u16;
                *own = end;
            });
            let count = runs.count();
            for (head, out) in out.chunks_exact_mut(keys.len().max(1)).enumerate() {
                let (out, mut at) = (&mut out[start..], 0);
                for end in ends[..count].iter().map(|end| usize::from(*end)) {
                    put_one(&mut out[at..end], self.value(rows[at], head), put);
                    at = end;
                }
            }
        });
    }
}

/// Calls `visit` with the rows that some keys after the other read, at most so many at a time, and
/// where the first of them stands.
pub(crate) fn read_rows<const MOST: usize>(
    rule: &impl TableRule,
    query: &Positions<'_>,
    keys: &Positions<'_>,
    mut visit: impl FnMut(usize, &[usize]),
) {
    let mut rows = [0; MOST];
    for start in (0..keys.len()).step_by(MOST) {
        let keys = keys.slice(start..start + MOST);
        let rows = &mut rows[..keys.len()];
        rule.rows(query, &keys, rows);
        visit(start, rows);
    }
}

impl<A: Element, R: TableRule> AttentionBias<A> for TableBias<A, R> {
    fn heads(&self) -> usize {
        self.table.ncols()
    }

    fn encode_row(&self, query: &Positions<'_>, keys: &Positions<'_>, out: &mut [A]) {
        self.put_row(query, keys, out, Put::Write);
    }

    fn add_row(
        &self,
        query: &Positions<'_>,
        keys: &Positions<'_>,
        scores: &mut [A],
    ) -> Result<(), Error> {
        check_row(self.table.ncols(), query, keys, scores)?;
        self.put_row(query, keys, scores, Put::Add);
        Ok(())
    }

    fn axes(&self) -> [usize; 2] {
        self.rule.axes()
    }

    fn depends_on(&self) -> DependsOn {
        self.rule.depends_on()
    }

    fn check(&self, queries: &Positions<'_>, keys: &Positions<'_>) -> Result<(), Error> {
        self.rule.check(queries, keys)
    }
}
