//! Biases from tables with a row for each distance, by which queries and keys are multiplied.

use core::fmt;

use ndarray::{Array2, Array3, ArrayView1, ArrayView2, ArrayView3, ArrayViewMut1, ArrayViewMut2};

use super::{ContentBias, Head, TableRule};
use crate::arrays::{check_finite, check_len, check_width, dot, row_major};
use crate::bias::{check_heads, distance::CHUNK, table::read_rows};
use crate::element::Element;
use crate::error::{Error, check_parameter};
use crate::positions::Positions;

/// The side of attention, queries or keys, that is multiplied by a table of relative rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Side {
    /// The query (content to position).
    Queries,
    /// The key (position to content).
    Keys,
    /// The query and the key, both by the same row.
    Both,
}

/// A table of rows by which queries or keys are multiplied.
#[derive(Clone, PartialEq)]
pub(crate) struct RelativeRows<A> {
    pub(crate) side: Side,
    /// The rows, shape (heads, entries, dim), or (1, entries, dim) where heads share them; in
    /// row-major order.
    pub(crate) rows: Array3<A>,
}

impl<A> fmt::Debug for RelativeRows<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {:?}", self.side, self.rows.dim())
    }
}

/// A bias from the products of queries and keys with rows of learned tables. For the query qᵢ and
/// the key kⱼ, a [`TableRule`] selects the row row(i, j), and the bias is
///
/// factor · ((qᵢ + v) · Q\[row\] + kⱼ · K\[row\] + u · kⱼ)
///
/// One of the tables Q and K may be missing, or both may be the same; u and v are Transformer-XL's
/// biases of a head, and 0 unless given. Sums are taken in f64, added to the score, and rounded
/// once. An index of [`entries`](TableRule::entries) or more stands for a row of zeros.
///
/// [`ShawBias`](super::ShawBias), [`TransformerXlBias`](super::TransformerXlBias),
/// [`DisentangledBias`](super::DisentangledBias) and [`RelativeLogits`](super::RelativeLogits) are
/// such biases.
///
/// ```
/// use ndarray::array;
/// use positional_encodings::Positions;
/// use positional_encodings::bias::{ContentBias, RelativeBias, Side, Span};
///
/// let table = array![[[1.0_f64, 0.0], [0.0, 1.0], [3.0, 0.0]]]; // (1 for all heads, entries, dim)
/// let bias = RelativeBias::new(Span::clipped(1), 1, [(Side::Queries, table)])?;
/// let (q, k) = (array![[[10.0, 20.0]]], array![[[0.0, 0.0], [0.0, 0.0], [0.0, 0.0]]]);
/// let mut scores = array![[[0.5, 0.5, 0.5]]];
/// let (query, keys) = (Positions::from(&[5]), Positions::from(&[9, 5, 2])); // distances −4, 0, 3
/// bias.add_to(q.view(), k.view(), &query, &keys, scores.view_mut())?;
/// assert_eq!(scores, array![[[10.5, 20.5, 30.5]]]);
/// # Ok::<(), positional_encodings::Error>(())
/// ```
#[derive(Clone, PartialEq)]
pub struct RelativeBias<A, R> {
    pub(crate) rule: R,
    pub(crate) heads: usize,
    pub(crate) tables: Vec<RelativeRows<A>>,
    /// The biases u and v, shape (heads, dim).
    pub(crate) biases: Option<[Array2<A>; 2]>,
    pub(crate) factor: f64,
}

impl<A, R: fmt::Debug> fmt::Debug for RelativeBias<A, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let biases = self.biases.as_ref().map(|[u, _]| u.dim());
        f.debug_struct("RelativeBias")
            .field("rule", &self.rule)
            .field("heads", &self.heads)
            .field("tables", &self.tables)
            .field("biases", &biases)
            .field("factor", &self.factor)
            .finish()
    }
}

impl<A: Element, R: TableRule> RelativeBias<A, R> {
    /// Makes the bias from tables (heads, entries, dim), or (1, entries, dim) for all heads, with
    /// the factor 1.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidParameter`] for no heads or more than 65,536, for a value that is not
    /// finite, or for several tables of one side; [`Error::ZeroDim`] without a table or a feature;
    /// [`Error::LengthMismatch`] where a table has another number of heads or entries.
    pub fn new(
        rule: R,
        heads: usize,
        tables: impl IntoIterator<Item = (Side, Array3<A>)>,
    ) -> Result<Self, Error> {
        check_heads(heads)?;
        let entries = rule.entries();
        let tables = tables.into_iter().take(3);
        let tables = tables.map(|(side, rows)| RelativeRows::new(side, rows, heads, entries));
        let tables: Vec<_> = tables.collect::<Result<_, Error>>()?;
        let uses = |side| tables.iter().filter(|table| table.reads(side)).count();
        let most = uses(Side::Queries).max(uses(Side::Keys));
        if most == 0 {
            return Err(Error::ZeroDim);
        }
        let needs = "at most 1 for queries and 1 for keys";
        check_parameter("number of tables", most as f64, most == 1, needs)?;
        Ok(Self { rule, heads, tables, biases: None, factor: 1.0 })
    }

    /// Sets the factor by which the bias is multiplied, for example 1/√dim if the scores are
    /// already divided by √dim.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidFactor`] for a factor that is not finite.
    pub fn with_factor(self, factor: f64) -> Result<Self, Error> {
        match factor.is_finite() {
            true => Ok(Self { factor, ..self }),
            false => Err(Error::InvalidFactor { factor }),
        }
    }

    /// Sets the biases of each head, both of shape (heads, dim): u, by which keys are multiplied,
    /// and v, which is added to queries.
    ///
    /// # Errors
    ///
    /// [`Error::LengthMismatch`] and [`Error::WidthMismatch`] where a shape differs,
    /// [`Error::InvalidParameter`] for a value that is not finite.
    pub fn with_biases(self, u: Array2<A>, v: Array2<A>) -> Result<Self, Error> {
        let dim = self.tables.first().map_or(0, |table| table.rows.dim().2);
        for bias in [&u, &v] {
            check_len("heads", self.heads, bias.nrows())?;
            check_width(dim, bias.ncols())?;
            check_finite(bias)?;
        }
        Ok(Self { biases: Some([u, v].map(row_major)), ..self })
    }

    /// Returns the rule that selects rows.
    pub fn rule(&self) -> &R {
        &self.rule
    }

    /// Returns the tables, each with the side that is multiplied by it.
    pub fn tables(&self) -> impl Iterator<Item = (Side, ArrayView3<'_, A>)> {
        self.tables.iter().map(|table| (table.side, table.rows.view()))
    }

    /// Calls `visit` with the index of each key and the row that the query and this key read.
    pub(crate) fn for_each_row(
        &self,
        query: &Positions<'_>,
        keys: &Positions<'_>,
        mut visit: impl FnMut(usize, usize),
    ) {
        read_rows::<CHUNK>(&self.rule, query, keys, |start, rows| {
            (start..).zip(rows).for_each(|(key, row)| visit(key, *row));
        });
    }

    /// Returns the bias u (`which` 0) or v (1) of a head.
    pub(crate) fn bias(&self, which: usize, head: usize) -> Option<&[A]> {
        self.biases.as_ref().and_then(|biases| biases[which].row(head).to_slice())
    }

    /// Returns q + v of a head.
    pub(crate) fn shifted(&self, q: ArrayView1<'_, A>, head: usize) -> Vec<f64> {
        let mut shifted: Vec<f64> = q.iter().map(|q| q.to_f64()).collect();
        let v = self.bias(1, head).unwrap_or_default();
        shifted.iter_mut().zip(v).for_each(|(q, v)| *q += v.to_f64());
        shifted
    }

    /// Adds the products of one query with the tables to `sums`, without the factor and u.
    pub(super) fn add_sums(
        &self,
        head: &Head<'_, A>,
        query: usize,
        logits: &mut Vec<f64>,
        sums: &mut [f64],
    ) {
        let at = &head.queries.slice(query..query + 1);
        for table in &self.tables {
            if table.reads(Side::Queries) {
                let q = self.shifted(head.q.row(query), head.index);
                // Many keys read the same row, so its product is kept.
                logits.clear();
                logits.resize(table.rows.dim().1, f64::NAN);
                self.for_each_row(at, head.keys, |key, row| {
                    let Some(logit) = logits.get_mut(row) else { return };
                    if logit.is_nan() {
                        *logit = dot(table.row(head.index, row), &q);
                    }
                    sums[key] += *logit;
                });
            }
            if table.reads(Side::Keys) {
                self.for_each_row(at, head.keys, |key, row| {
                    let k = head.k.row(key).to_slice().unwrap_or_default();
                    sums[key] += dot(table.row(head.index, row), k);
                });
            }
        }
    }
}

impl<A: Element> RelativeRows<A> {
    /// Checks and takes rows for these numbers of heads (or 1) and entries.
    pub(super) fn new(
        side: Side,
        rows: Array3<A>,
        heads: usize,
        entries: usize,
    ) -> Result<Self, Error> {
        let (own, found, dim) = rows.dim();
        if dim == 0 {
            return Err(Error::ZeroDim);
        }
        if own != 1 {
            check_len("heads", heads, own)?;
        }
        check_len("rows of the table", entries, found)?;
        check_finite(&rows)?;
        Ok(Self { side, rows: row_major(rows) })
    }

    /// Returns whether this side is multiplied by the table.
    pub(crate) fn reads(&self, side: Side) -> bool {
        self.side == side || self.side == Side::Both
    }

    /// Returns the index of the first value of a row of a head; `None` if there is no such row.
    pub(crate) fn place(&self, head: usize, row: usize) -> Option<usize> {
        let (heads, entries, dim) = self.rows.dim();
        (row < entries).then(|| ((head % heads) * entries + row) * dim)
    }

    /// Returns a row of a head; empty if there is no such row.
    pub(crate) fn row(&self, head: usize, row: usize) -> &[A] {
        let values = self.rows.as_slice().unwrap_or_default();
        let place = self.place(head, row);
        place.and_then(|place| values.get(place..place + self.rows.dim().2)).unwrap_or_default()
    }
}

/// Adds factor · sums to scores; each result is rounded once.
pub(super) fn put<A: Element>(scores: ArrayViewMut1<'_, A>, sums: &[f64], factor: f64) {
    for (score, sum) in scores.into_iter().zip(sums) {
        *score = A::from_f64(score.to_f64() + factor * sum);
    }
}

impl<A: Element, R: TableRule> ContentBias<A> for RelativeBias<A, R> {
    fn heads(&self) -> usize {
        self.heads
    }

    fn widths(&self) -> [Option<usize>; 2] {
        let of = |side| self.tables.iter().find(|table| table.reads(side));
        let [q, k] = [Side::Queries, Side::Keys].map(|side| of(side).map(|t| t.rows.dim().2));
        let u = self.biases.as_ref().map(|[u, _]| u.ncols());
        [q, k.or(u)]
    }

    fn add_head(&self, head: &Head<'_, A>, mut scores: ArrayViewMut2<'_, A>) {
        let k = head.k.as_standard_layout();
        let head = &Head { k: k.view(), ..head.borrowed() };
        let mut of_keys = vec![0.0; head.keys.len()];
        if let Some(u) = self.bias(0, head.index) {
            let keys = of_keys.iter_mut().zip(head.k.rows());
            keys.for_each(|(sum, k)| *sum = dot(u, k.to_slice().unwrap_or_default()));
        }
        let (mut sums, mut logits) = (of_keys.clone(), Vec::new());
        for (query, scores) in scores.outer_iter_mut().enumerate() {
            sums.copy_from_slice(&of_keys);
            self.add_sums(head, query, &mut logits, &mut sums);
            put(scores, &sums, self.factor);
        }
    }

    fn axes(&self) -> [usize; 2] {
        self.rule.axes()
    }

    fn check(&self, queries: &Positions<'_>, keys: &Positions<'_>) -> Result<(), Error> {
        self.rule.check(queries, keys)
    }
}

/// Returns projected rows (entries, heads · dim) split into heads, shape (heads, entries, dim).
///
/// # Errors
///
/// [`Error::InvalidParameter`] where the number of heads does not divide the width.
///
/// ```
/// use ndarray::array;
/// use positional_encodings::bias::split_heads;
///
/// let rows = split_heads(array![[1, 2, 3, 4], [5, 6, 7, 8]].view(), 2)?;
/// assert_eq!(rows, array![[[1, 2], [5, 6]], [[3, 4], [7, 8]]]);
/// # Ok::<(), positional_encodings::Error>(())
/// ```
pub fn split_heads<A: Clone>(rows: ArrayView2<'_, A>, heads: usize) -> Result<Array3<A>, Error> {
    let (entries, width) = rows.dim();
    let divides = heads > 0 && width.is_multiple_of(heads);
    let split = divides.then(|| {
        let rows = rows.as_standard_layout();
        let split = rows.into_shape_with_order((entries, heads, width / heads)).ok()?;
        Some(split.permuted_axes([1, 0, 2]).as_standard_layout().into_owned())
    });
    let (name, value, needs) = ("number of heads", heads as f64, "a divisor of the width");
    split.flatten().ok_or(Error::InvalidParameter { name, value, needs })
}
