//! Biases from learned tables, of which a rule selects a row for each query and key.

use core::fmt;

use ndarray::{Array2, ArrayView2};

use super::distance::PAGE;
use super::{AttentionBias, DependsOn, check_positions, check_row, check_some_heads};
use crate::add::{Put, put_one};
use crate::arrays::{check_finite, check_len, row_major};
use crate::element::Element;
use crate::error::Error;
use crate::positions::Positions;

/// A rule that selects the row of a table for a query and a key, for example T5's
/// [`Buckets`](super::Buckets) or the offsets within a [`Window`](super::Window).
///
/// You can write your own rule; clipped distances, for example, take three lines.
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
    /// Returns the number of rows that the table must have.
    fn entries(&self) -> usize;

    /// Writes to `rows`, for each key, the index of the row that the one query at `query` reads. An
    /// index of [`entries`](Self::entries) or more reads no row and gives 0.
    fn rows(&self, query: &Positions<'_>, keys: &Positions<'_>, rows: &mut [usize]);

    /// Returns the numbers of axes of positions, see [`AttentionBias::axes`].
    fn axes(&self) -> [usize; 2] {
        [1, 1]
    }

    /// Returns the arguments that the row depends on, see [`AttentionBias::depends_on`].
    fn depends_on(&self) -> DependsOn {
        DependsOn::Pair
    }

    /// Checks that the rule is defined for each of these queries with each of these keys, see
    /// [`AttentionBias::check`].
    ///
    /// # Errors
    ///
    /// The errors of [`AttentionBias::check`].
    fn check(&self, queries: &Positions<'_>, keys: &Positions<'_>) -> Result<(), Error> {
        check_positions(self.axes(), queries, keys)
    }
}

/// A bias from a learned table (entries, heads): bias\[h, i, j\] = table\[row(i, j), h\], where a
/// [`TableRule`] selects the row. [`T5Bias`](super::T5Bias), [`WindowBias`](super::WindowBias) and
/// [`ClippedBias`](super::ClippedBias) are such biases; [`TableRule`] has an example.
#[derive(Clone, PartialEq)]
pub struct TableBias<A, R> {
    /// The table, in row-major order.
    pub(crate) table: Array2<A>,
    pub(crate) rule: R,
}

impl<A, R: fmt::Debug> fmt::Debug for TableBias<A, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TableBias")
            .field("table", &self.table.dim())
            .field("rule", &self.rule)
            .finish()
    }
}

impl<A: Element, R: TableRule> TableBias<A, R> {
    /// Makes the bias from a table (entries, heads) and the rule that selects its rows.
    ///
    /// # Errors
    ///
    /// [`Error::LengthMismatch`] unless the table has one row for each
    /// [entry](TableRule::entries) of the rule, [`Error::InvalidParameter`] without a head or for a
    /// value that is not finite.
    pub fn new(table: Array2<A>, rule: R) -> Result<Self, Error> {
        check_len("rows of the table", rule.entries(), table.nrows())?;
        check_some_heads(table.ncols())?;
        check_finite(&table)?;
        Ok(Self { table: row_major(table), rule })
    }

    /// Returns the table, shape (entries, heads).
    pub fn table(&self) -> ArrayView2<'_, A> {
        self.table.view()
    }

    /// Returns the rule that selects rows.
    pub fn rule(&self) -> &R {
        &self.rule
    }

    /// Returns the index of the first value of a row; `None` if there is no such row.
    #[inline]
    pub(crate) fn place(&self, row: usize) -> Option<usize> {
        (row < self.table.nrows()).then(|| row * self.table.ncols())
    }

    /// Returns the value of a head in a row; 0 if there is no such row.
    #[inline]
    pub(crate) fn value(&self, row: usize, head: usize) -> A {
        let table = self.table.as_slice().unwrap_or_default();
        let value = self.place(row).and_then(|place| table.get(place + head));
        value.copied().unwrap_or(A::zero())
    }

    fn put_row(&self, query: &Positions<'_>, keys: &Positions<'_>, out: &mut [A], put: Put) {
        read_rows::<PAGE>(&self.rule, query, keys, |start, rows| {
            // The ends of runs of keys that read the same row: T5's far keys make long runs.
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

/// Calls `visit` with the index of the first key of each block of at most `MOST` keys, and the rows
/// that these keys read.
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
