//! The laws that every attention bias from queries and keys must obey.

use ndarray::{Array3, ArrayView3, ArrayViewMut3, Axis, Slice};

use super::bias::same;
use super::{Violation, ok};
use crate::bias::ContentBias;
use crate::element::Element;
use crate::error::Error;
use crate::positions::Positions;

/// Checks a bias that reads queries or keys as the crate's own are checked, at positions that the
/// bias can encode, with at least one query and one key.
///
/// - A score has the same bits alone, in a block of queries (and of keys, where the bias is
///   [of pairs](ContentBias::is_of_pairs)), in a decode step, in strided views of all arrays.
/// - A score of −∞ stays −∞, and all others are finite.
/// - Wrong shapes, positions on other axes and NaN are errors that leave the scores unchanged.
///
/// # Errors
///
/// The first law that is violated.
///
/// ```
/// use ndarray::Array2;
/// use positional_encodings::{Positions, bias::ShawBias, testing};
///
/// let shaw = ShawBias::shaw(Array2::<f32>::ones((9, 4)), 2)?;
/// testing::check_content_bias_laws(&shaw, &Positions::from(3..9), &Positions::from(0..9))?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn check_content_bias_laws<A: Element>(
    bias: &dyn ContentBias<A>,
    queries: &Positions<'_>,
    keys: &Positions<'_>,
) -> Result<(), Violation> {
    let (heads, rows, columns) = (bias.heads(), queries.count(), keys.count());
    if heads == 0 || rows == 0 || columns == 0 {
        let law = "a bias has at least one head, and is checked at one or more positions";
        let detail = format!("{heads} heads, queries {queries:?}, keys {keys:?}");
        return Err(Violation { law, detail });
    }
    let [width_q, width_k] = bias.widths().map(|width| width.unwrap_or(0));
    let values = |shape, by: usize| {
        Array3::from_shape_fn(shape, |(h, i, j)| {
            A::from_f64(((h * 37 + i * 11 + j * 5) * by % 41) as f64 / 32.0 - 0.6)
        })
    };
    let mut scores = values((heads, rows, columns), 3);
    for (_, score) in scores.indexed_iter_mut().filter(|((h, i, j), _)| (h + i + 2 * j) % 5 == 0) {
        *score = A::from_f64(f64::NEG_INFINITY);
    }
    let (q, k) = (values((heads, rows, width_q), 7), values((heads, columns, width_k), 13));
    let case = Case { bias, queries: &queries.flat(), keys: &keys.flat(), q, k, scores };
    let whole = case.added("a bias knows the positions that it is given")?;
    case.what_is_hidden_stays_hidden(&whole)?;
    case.scores_do_not_depend_on_their_company(&whole)?;
    case.any_view_is_added_to(&whole)?;
    case.bad_input_is_refused()
}

#[derive(Clone)]
struct Case<'a, A> {
    bias: &'a dyn ContentBias<A>,
    queries: &'a Positions<'a>,
    keys: &'a Positions<'a>,
    q: Array3<A>,
    k: Array3<A>,
    scores: Array3<A>,
}

impl<A: Element> Case<'_, A> {
    fn add_to(&self, scores: ArrayViewMut3<'_, A>) -> Result<(), Error> {
        self.bias.add_to(self.q.view(), self.k.view(), self.queries, self.keys, scores)
    }

    fn added(&self, law: &'static str) -> Result<Array3<A>, Violation> {
        let mut scores = self.scores.clone();
        ok(law, self.add_to(scores.view_mut()))?;
        Ok(scores)
    }

    fn what_is_hidden_stays_hidden(&self, whole: &Array3<A>) -> Result<(), Violation> {
        let law = "minus infinity stays, and all else is finite";
        for ((at, before), after) in self.scores.indexed_iter().zip(whole) {
            let (before, after) = (before.to_f64(), after.to_f64());
            if !(after.is_finite() || after == before) || after.is_finite() != before.is_finite() {
                let detail = format!("{before} becomes {after} at {at:?}");
                return Err(Violation { law, detail });
            }
        }
        Ok(())
    }

    fn scores_do_not_depend_on_their_company(&self, whole: &Array3<A>) -> Result<(), Violation> {
        const LAW: &str = "a block is a part of the whole, and so is a decode step";
        let (_, rows, columns) = whole.dim();
        let parts = |len: usize, all: bool| {
            let last = len - 1;
            let parts =
                [0..len, last..len, len / 3..len, 0..len.div_ceil(2), last / 2..last / 2 + 1];
            parts.into_iter().take(if all { 5 } else { 1 })
        };
        for row in parts(rows, true) {
            for column in parts(columns, self.bias.is_of_pairs()) {
                let part = |array: &Array3<A>, axis, of: &core::ops::Range<usize>| {
                    array.slice_axis(Axis(axis), of.clone().into()).to_owned()
                };
                let (queries, keys) =
                    (self.queries.slice(row.clone()), self.keys.slice(column.clone()));
                let (q, k) = (part(&self.q, 1, &row), part(&self.k, 1, &column));
                let scores = part(&part(&self.scores, 1, &row), 2, &column);
                let case = Case { queries: &queries, keys: &keys, q, k, scores, ..self.clone() };
                let expected = part(&part(whole, 1, &row), 2, &column);
                let detail = format!("queries {row:?}, keys {column:?}");
                same(LAW, detail, case.added(LAW)?.view(), expected.view())?;
            }
        }
        Ok(())
    }

    fn any_view_is_added_to(&self, whole: &Array3<A>) -> Result<(), Violation> {
        const LAW: &str = "any view is read and added to";
        let (heads, rows, columns) = whole.dim();
        // The same values with axes in reverse order, and with gaps.
        let turned = |array: &Array3<A>| array.t().as_standard_layout().into_owned();
        let (q, k) = (turned(&self.q), turned(&self.k));
        let mut large = Array3::from_elem((heads, 2 * rows, 3 * columns), A::one());
        let mut scores = large.view_mut();
        scores.slice_axis_inplace(Axis(1), Slice::new(0, None, 2));
        scores.slice_axis_inplace(Axis(2), Slice::new(0, None, -3));
        scores.assign(&self.scores);
        let done = self.bias.add_to(q.t(), k.t(), self.queries, self.keys, scores.view_mut());
        ok(LAW, done)?;
        same(LAW, "strides".into(), scores.view(), whole.view())
    }

    fn bad_input_is_refused(&self) -> Result<(), Violation> {
        let longer = |array: &Array3<A>, axis: usize| {
            let mut shape = array.raw_dim();
            shape[axis] += 1;
            Array3::from_elem(shape, A::one())
        };
        for axis in 0..3 {
            Case { scores: longer(&self.scores, axis), ..self.clone() }.refuses()?;
            let [reads_q, reads_k] = self.bias.widths().map(|width| width.is_some());
            if reads_q {
                Case { q: longer(&self.q, axis), ..self.clone() }.refuses()?;
            }
            if reads_k {
                Case { k: longer(&self.k, axis), ..self.clone() }.refuses()?;
            }
        }
        for (value, more) in [(f64::NAN, 0), (f64::INFINITY, 0), (0.0, 1)] {
            let [axes, _] = self.bias.axes().map(|axes| axes + more);
            let mut list = vec![0.0; self.queries.len()];
            list[0] = value;
            if let Ok(queries) = Positions::from_axes(core::iter::repeat_n(list, axes)) {
                Case { queries: &queries, ..self.clone() }.refuses()?;
            }
        }
        Ok(())
    }

    fn refuses(&self) -> Result<(), Violation> {
        const LAW: &str = "bad input is an error, and the scores stay as they were";
        let mut scores = self.scores.clone();
        let shapes = [&self.q, &self.k, &scores].map(|array| array.dim());
        let detail = format!("queries {:?}, q, k and scores {shapes:?}", self.queries);
        match self.add_to(scores.view_mut()) {
            Ok(()) => Err(Violation { law: LAW, detail: format!("no error: {detail}") }),
            Err(_) => same(LAW, detail, scores.view(), ArrayView3::from(&self.scores)),
        }
    }
}
