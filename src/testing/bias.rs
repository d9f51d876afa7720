//! The laws that every attention bias must obey.

use ndarray::{Array3, ArrayView2, ArrayView3, ArrayViewMut3, Axis, Slice};

use super::{Violation, nan, ok, same_bits};
use crate::bias::{AttentionBias, DependsOn};
use crate::element::Element;
use crate::positions::{Position, Positions};

/// Checks an attention bias as the crate's own biases are checked, at positions that the bias can
/// encode, with at least one query and one key.
///
/// - A value has the same bits alone, in a block, in a decode step, in a strided view.
/// - Where the bias claims to depend on the distance or the key alone, it does.
/// - `encode_into` writes every element, whatever was there; `add_to` equals `encode` and an
///   addition, to the bit, and −∞ stays −∞.
/// - Wrong shapes, positions on other axes, NaN and infinities are errors that leave the scores
///   unchanged.
/// - Empty positions are accepted.
///
/// # Errors
///
/// The first law that is violated.
///
/// ```
/// use positional_encodings::{Alibi, Positions, testing};
///
/// let positions = Positions::from(0..20);
/// testing::check_bias_laws::<f32>(&Alibi::new(12)?, &positions, &positions)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn check_bias_laws<A: Element>(
    bias: &dyn AttentionBias<A>,
    queries: &Positions<'_>,
    keys: &Positions<'_>,
) -> Result<(), Violation> {
    let case = Case { bias, queries: &queries.flat(), keys: &keys.flat() };
    if bias.heads() == 0 || queries.is_empty() || keys.is_empty() {
        let law = "a bias has at least one head, and is checked at one or more positions";
        let detail = format!("{} heads, queries {queries:?}, keys {keys:?}", bias.heads());
        return Err(Violation { law, detail });
    }
    let whole = case.encode("a bias encodes the positions that it is given")?;
    case.values_do_not_depend_on_their_company(&whole)?;
    case.values_depend_on_what_they_should(&whole)?;
    case.any_view_is_written_and_added_to(&whole)?;
    case.bad_input_is_refused()?;
    case.no_positions_are_no_work()
}

struct Case<'a, A> {
    bias: &'a dyn AttentionBias<A>,
    queries: &'a Positions<'a>,
    keys: &'a Positions<'a>,
}

impl<A: Element> Case<'_, A> {
    fn encode(&self, law: &'static str) -> Result<Array3<A>, Violation> {
        ok(law, self.bias.encode(self.queries, self.keys))
    }

    fn values_do_not_depend_on_their_company(&self, whole: &Array3<A>) -> Result<(), Violation> {
        const LAW: &str = "a block is a part of the whole, and so is a decode step";
        let (_, rows, columns) = whole.dim();
        let parts = |len: usize| {
            let last = len - 1;
            [0..len, last..len, len / 3..len, 0..len.div_ceil(2), last / 2..last / 2 + 1]
        };
        for row in parts(rows) {
            for column in parts(columns) {
                let (queries, keys) =
                    (self.queries.slice(row.clone()), self.keys.slice(column.clone()));
                let part = Case { queries: &queries, keys: &keys, ..*self }.encode(LAW)?;
                let mut expected = whole.slice_axis(Axis(1), row.clone().into());
                expected.slice_axis_inplace(Axis(2), column.clone().into());
                same(LAW, format!("queries {row:?}, keys {column:?}"), part.view(), expected)?;
            }
        }
        Ok(())
    }

    fn values_depend_on_what_they_should(&self, whole: &Array3<A>) -> Result<(), Violation> {
        const LAW: &str = "a bias depends only on what depends_on returns";
        // Only whole positions are compared: other distances are rounded.
        let at = |of: &Positions<'_>, i| match of.get(i) {
            Some(Position::Integer(position)) => Some(position as f64),
            _ => None,
        };
        let mut seen = std::collections::HashMap::new();
        for ((head, row, column), value) in whole.indexed_iter() {
            let whole = at(self.queries, row).zip(at(self.keys, column));
            let Some((query, key)) = whole else { continue };
            let on = match self.bias.depends_on() {
                DependsOn::Distance => query - key,
                DependsOn::Key => key,
                DependsOn::Pair => return Ok(()),
            };
            let bits = value.to_f64().to_bits();
            if *seen.entry((head, on.to_bits())).or_insert(bits) != bits {
                let detail = format!("head {head}, query {query}, key {key}: {value:?}");
                return Err(Violation { law: LAW, detail });
            }
        }
        Ok(())
    }

    fn any_view_is_written_and_added_to(&self, whole: &Array3<A>) -> Result<(), Violation> {
        const WRITTEN: &str = "encode_into writes every element of any view";
        const ADDED: &str = "add_to is encode and an addition, and minus infinity stays";
        let (heads, rows, columns) = whole.dim();
        let score = |(h, i, j): (usize, usize, usize)| match (h + i + 2 * j) % 5 {
            0 => A::from_f64(f64::NEG_INFINITY),
            other => A::from_f64(other as f64 * 0.37 - 0.5),
        };
        let scores = Array3::from_shape_fn(whole.dim(), score);
        let mut expected = scores.clone();
        expected.zip_mut_with(whole, |score, bias| *score = *score + *bias);
        if whole.iter().chain(&expected).any(|value| value.to_f64().is_nan()) {
            return Err(Violation { law: ADDED, detail: "a sum is not a number".into() });
        }
        let mut plain = Array3::from_elem(whole.dim(), nan::<A>());
        let mut large = Array3::from_elem((heads, 2 * rows, 3 * columns), nan::<A>());
        let mut turned = Array3::from_elem((columns, rows, heads), nan::<A>());
        let mut apart = large.view_mut();
        apart.slice_axis_inplace(Axis(1), Slice::new(0, None, 2));
        apart.slice_axis_inplace(Axis(2), Slice::new(0, None, -3));
        let views = [plain.view_mut(), apart, turned.view_mut().reversed_axes()];
        for (name, mut view) in
            ["a whole array", "a strided view", "columns first"].into_iter().zip(views)
        {
            ok(WRITTEN, self.bias.encode_into(self.queries, self.keys, view.view_mut()))?;
            same(WRITTEN, name.into(), view.view(), whole.view())?;
            view.assign(&scores);
            ok(ADDED, self.bias.add_to(self.queries, self.keys, view.view_mut()))?;
            same(ADDED, name.into(), view.view(), expected.view())?;
        }
        const STEP: &str = "add_row adds what encode_row writes";
        let last = Slice::from(rows - 1..rows);
        let (mut step, query) =
            (scores.slice_axis(Axis(1), last).to_owned(), self.queries.slice(rows - 1..rows));
        ok(STEP, self.bias.add_row(&query, self.keys, step.as_slice_mut().unwrap_or_default()))?;
        same(STEP, "the last query".into(), step.view(), expected.slice_axis(Axis(1), last))
    }

    fn bad_input_is_refused(&self) -> Result<(), Violation> {
        let (heads, rows, columns) = (self.bias.heads(), self.queries.count(), self.keys.count());
        for shape in [
            (heads + 1, rows, columns),
            (heads - 1, rows, columns),
            (heads, rows + 1, columns),
            (heads, rows, columns + 1),
            (heads, rows, columns - 1),
        ] {
            self.refuses(self.queries, self.keys, shape)?;
        }
        let bad = |axes: usize, value: f64, len: usize| {
            let mut list = vec![0.0; len];
            list[len - 1] = value;
            Positions::from_axes(core::iter::repeat_n(list, axes.max(1)))
        };
        for (value, more) in [(f64::NAN, 0), (f64::INFINITY, 0), (f64::NEG_INFINITY, 0), (0.0, 1)] {
            let [of_queries, of_keys] = self.bias.axes().map(|axes| axes + more);
            if let Ok(positions) = bad(of_queries, value, rows) {
                self.refuses(&positions, self.keys, (heads, rows, columns))?;
            }
            if let Ok(positions) = bad(of_keys, value, columns) {
                self.refuses(self.queries, &positions, (heads, rows, columns))?;
            }
        }
        Ok(())
    }

    fn refuses(
        &self,
        queries: &Positions<'_>,
        keys: &Positions<'_>,
        shape: (usize, usize, usize),
    ) -> Result<(), Violation> {
        const LAW: &str = "bad input is an error, and the scores stay as they were";
        type Call<'c, A> = &'c dyn Fn(ArrayViewMut3<'_, A>) -> Result<(), crate::error::Error>;
        let before = Array3::from_elem(shape, A::one());
        let mut after = before.clone();
        let detail = || format!("queries {queries:?}, keys {keys:?}, scores {shape:?}");
        let calls: [Call<'_, A>; 2] =
            [&|scores| self.bias.encode_into(queries, keys, scores), &|scores| {
                self.bias.add_to(queries, keys, scores)
            }];
        for call in calls {
            if call(after.view_mut()).is_ok() {
                return Err(Violation { law: LAW, detail: format!("no error: {}", detail()) });
            }
        }
        same(LAW, detail(), after.view(), before.view())
    }

    fn no_positions_are_no_work(&self) -> Result<(), Violation> {
        const LAW: &str = "no positions give an empty result";
        let (queries, keys) = (self.queries.slice(0..0), self.keys.slice(0..0));
        for (queries, keys) in [(&queries, self.keys), (self.queries, &keys)] {
            let none = Case { queries, keys, ..*self }.encode(LAW)?;
            let expected = (self.bias.heads(), queries.len(), keys.len());
            if none.dim() != expected {
                let detail = format!("shape {:?} instead of {expected:?}", none.dim());
                return Err(Violation { law: LAW, detail });
            }
        }
        Ok(())
    }
}

/// Checks that the values of each head are equal, including the sign of zero.
pub(super) fn same<A: Element>(
    law: &'static str,
    detail: String,
    found: ArrayView3<'_, A>,
    expected: ArrayView3<'_, A>,
) -> Result<(), Violation> {
    let mut heads = found.outer_iter().zip(expected.outer_iter()).enumerate();
    heads.try_for_each(|(head, (found, expected)): (usize, (ArrayView2<'_, A>, _))| {
        same_bits(law, format!("{detail}, head {head}"), found, expected)
    })
}
