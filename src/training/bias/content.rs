//! Gradients of biases that read queries and keys.

use ndarray::{Array2, ArrayView2, ArrayView3, ArrayViewMut2, ArrayViewMut3, Axis, Zip};

use super::add;
use crate::arrays::check_finite;
use crate::bias::{
    ContentBias, DecomposedBias, Head, RelativeBias, Side, TableRule, check_content,
};
use crate::element::Element;
use crate::error::Error;
use crate::positions::Positions;
use crate::training::{Parameter, Trainable, check_values, copy_values};

/// The arrays to which the gradients of a [`ContentBias`] are added.
#[derive(Debug)]
pub struct ContentGradient<'g, A> {
    /// The gradient with respect to the queries, shape (heads, queries, dim); unchanged if the bias
    /// does not read them.
    pub q: ArrayViewMut3<'g, A>,
    /// The gradient with respect to the keys, shape (heads, keys, dim); unchanged if the bias does
    /// not read them.
    pub k: ArrayViewMut3<'g, A>,
    /// The gradient with respect to the parameters, one element for each value.
    pub parameters: &'g mut [A],
}

/// The sums of [`ContentGradient`] for one head.
#[derive(Debug)]
pub struct HeadGradient<'g> {
    /// The gradient with respect to the queries, shape (queries, dim).
    pub q: ArrayViewMut2<'g, f64>,
    /// The gradient with respect to the keys, shape (keys, dim).
    pub k: ArrayViewMut2<'g, f64>,
    /// The gradient with respect to the parameters of all heads.
    pub parameters: &'g mut [f64],
}

/// A bias that passes gradients back to its parameters, and to the queries and keys that it reads.
///
/// ```
/// use ndarray::{Array3, array};
/// use positional_encodings::Positions;
/// use positional_encodings::bias::RelativeLogits;
/// use positional_encodings::training::{ContentGradient, DifferentiableContentBias};
///
/// let inkling = RelativeLogits::inkling(array![[2.0], [3.0]], 1)?; // distances 0 and 1
/// let (r, none) = (array![[[5.0], [7.0]]], Array3::zeros((0, 0, 0)));
/// let (positions, upstream) = (Positions::from(0..2), array![[[1.0, 0.0], [10.0, 100.0]]]);
/// let (mut by_r, mut by_none, mut by_table) = (Array3::zeros((1, 2, 1)), none.clone(), [0.0; 2]);
/// let (q, k, parameters) = (by_r.view_mut(), by_none.view_mut(), &mut by_table[..]);
/// let gradient = ContentGradient { q, k, parameters };
/// inkling.backward(r.view(), none.view(), &positions, &positions, upstream.view(), gradient)?;
/// assert_eq!(by_table, [5.0 + 700.0, 70.0]);
/// assert_eq!(by_r, array![[[2.0], [230.0]]]);
/// # Ok::<(), positional_encodings::Error>(())
/// ```
pub trait DifferentiableContentBias<A: Element>: ContentBias<A> + Trainable<A> {
    /// Adds to `gradient` the gradients of one head, given `upstream` (queries, keys), the gradient
    /// with respect to its scores.
    fn backward_head(
        &self,
        head: &Head<'_, A>,
        upstream: ArrayView2<'_, A>,
        gradient: &mut HeadGradient<'_>,
    );

    /// Adds to `gradient` the gradients of a loss, given `upstream` (heads, queries, keys), its
    /// gradient with respect to the scores. Sums are taken in f64 and rounded once.
    ///
    /// # Errors
    ///
    /// The errors of [`add_to`](ContentBias::add_to), also for the shapes of the gradients;
    /// `gradient` is then unchanged.
    fn backward(
        &self,
        q: ArrayView3<'_, A>,
        k: ArrayView3<'_, A>,
        queries: &Positions<'_>,
        keys: &Positions<'_>,
        upstream: ArrayView3<'_, A>,
        gradient: ContentGradient<'_, A>,
    ) -> Result<(), Error> {
        let (queries, keys) = (&queries.flat(), &keys.flat());
        let ContentGradient { q: mut by_q, k: mut by_k, parameters } = gradient;
        let shape = upstream.shape();
        check_content(&self, shape, [q.shape(), k.shape()], queries, keys)?;
        check_content(&self, shape, [by_q.shape(), by_k.shape()], queries, keys)?;
        check_values(self.parameter_count(), parameters.len())?;
        let mut of_parameters = vec![0.0; parameters.len()];
        for (index, upstream) in upstream.outer_iter().enumerate() {
            let [width_q, width_k] = self.widths();
            let part = |content: &ArrayView3<'_, A>, width: Option<usize>| match width {
                Some(_) => content.index_axis(Axis(0), index).to_owned(),
                None => Array2::from_elem((0, 0), A::zero()),
            };
            let (q, k) = (part(&q, width_q), part(&k, width_k));
            let (mut of_q, mut of_k) = (Array2::zeros(q.dim()), Array2::zeros(k.dim()));
            let head = Head { index, q: q.view(), k: k.view(), queries, keys };
            let (q, k) = (of_q.view_mut(), of_k.view_mut());
            let mut sums = HeadGradient { q, k, parameters: &mut of_parameters };
            self.backward_head(&head, upstream, &mut sums);
            for (to, sums, width) in [(&mut by_q, &of_q, width_q), (&mut by_k, &of_k, width_k)] {
                if width.is_some() {
                    let to = to.index_axis_mut(Axis(0), index);
                    Zip::from(to).and(sums).for_each(|to, sum| *to = *to + A::from_f64(*sum));
                }
            }
        }
        add(parameters, &of_parameters);
        Ok(())
    }
}

impl<A: Element, B: DifferentiableContentBias<A> + ?Sized> DifferentiableContentBias<A> for Box<B> {
    fn backward_head(
        &self,
        head: &Head<'_, A>,
        upstream: ArrayView2<'_, A>,
        gradient: &mut HeadGradient<'_>,
    ) {
        (**self).backward_head(head, upstream, gradient);
    }

    fn backward(
        &self,
        q: ArrayView3<'_, A>,
        k: ArrayView3<'_, A>,
        queries: &Positions<'_>,
        keys: &Positions<'_>,
        upstream: ArrayView3<'_, A>,
        gradient: ContentGradient<'_, A>,
    ) -> Result<(), Error> {
        (**self).backward(q, k, queries, keys, upstream, gradient)
    }
}

impl<A: Element, R: TableRule> Trainable<A> for RelativeBias<A, R> {
    fn parameters(&self) -> Vec<Parameter> {
        let tables = self.tables.iter().map(|table| {
            let name = match table.side {
                Side::Queries => "query_rows",
                Side::Keys => "key_rows",
                Side::Both => "rows",
            };
            Parameter::new(name, table.rows.shape(), false)
        });
        let biases = self.biases.iter().flatten().zip(["u", "v"]);
        let biases = biases.map(|(bias, name)| Parameter::new(name, bias.shape(), false));
        tables.chain(biases).collect()
    }

    fn values_into(&self, values: &mut [A]) -> Result<(), Error> {
        let tables = self.tables.iter().flat_map(|table| &table.rows);
        let own = tables.chain(self.biases.iter().flatten().flatten());
        copy_values(self.parameter_count(), own.copied(), values)
    }

    fn set_values(&mut self, values: &[A]) -> Result<(), Error> {
        check_values(self.parameter_count(), values.len())?;
        check_finite(values)?;
        let tables = self.tables.iter_mut().flat_map(|table| &mut table.rows);
        let own = tables.chain(self.biases.iter_mut().flatten().flatten());
        own.zip(values).for_each(|(own, value)| *own = *value);
        Ok(())
    }
}

impl<A: Element, R: TableRule> DifferentiableContentBias<A> for RelativeBias<A, R> {
    fn backward_head(
        &self,
        head: &Head<'_, A>,
        upstream: ArrayView2<'_, A>,
        gradient: &mut HeadGradient<'_>,
    ) {
        for (query, upstream) in upstream.outer_iter().enumerate() {
            let upstream: Vec<f64> = upstream.iter().map(|g| g.to_f64() * self.factor).collect();
            self.backward_row(head, query, &upstream, gradient);
        }
    }
}

impl<A: Element, R: TableRule> RelativeBias<A, R> {
    /// Passes the gradient of one query back to the tables, to the query and to the keys.
    fn backward_row(
        &self,
        head: &Head<'_, A>,
        query: usize,
        upstream: &[f64],
        gradient: &mut HeadGradient<'_>,
    ) {
        let at = &head.queries.slice(query..query + 1);
        let mut by_query = vec![0.0; head.q.ncols()];
        let mut before = 0;
        for table in &self.tables {
            let (len, dim) = (table.rows.len(), table.rows.dim().2);
            let by_table = &mut gradient.parameters[before..before + len];
            before += len;
            let reads = [Side::Queries, Side::Keys].map(|side| table.reads(side));
            let q = if reads[0] { self.shifted(head.q.row(query), head.index) } else { Vec::new() };
            self.for_each_row(at, head.keys, |key, row| {
                let Some(place) = table.place(head.index, row) else { return };
                let (by_row, row) = (&mut by_table[place..place + dim], table.row(head.index, row));
                if reads[0] {
                    multiply(upstream[key], &q, by_row.iter_mut());
                    multiply(upstream[key], row, &mut by_query);
                }
                if reads[1] {
                    multiply(upstream[key], head.k.row(key), by_row.iter_mut());
                    multiply(upstream[key], row, gradient.k.row_mut(key));
                }
            });
        }
        if !by_query.is_empty() {
            multiply(1.0, &by_query, gradient.q.row_mut(query));
        }
        if let Some((u, _)) = self.bias(0, head.index).zip(self.bias(1, head.index)) {
            let [by_u, by_v] = [0, self.heads].map(|rows| before + (rows + head.index) * u.len());
            multiply(1.0, &by_query, &mut gradient.parameters[by_v..by_v + u.len()]);
            for (key, upstream) in upstream.iter().enumerate() {
                multiply(*upstream, u, gradient.k.row_mut(key));
                multiply(
                    *upstream,
                    head.k.row(key),
                    &mut gradient.parameters[by_u..by_u + u.len()],
                );
            }
        }
    }
}

/// Adds factor · values to the sums.
pub(super) fn multiply<'v, 's, A: Element>(
    factor: f64,
    values: impl IntoIterator<Item = &'v A>,
    sums: impl IntoIterator<Item = &'s mut f64>,
) {
    let pairs = sums.into_iter().zip(values);
    pairs.for_each(|(sum, value)| *sum += factor * value.to_f64());
}

impl<A: Element> Trainable<A> for DecomposedBias<A> {
    fn parameters(&self) -> Vec<Parameter> {
        let named = self.parts.iter().zip(["rows.", "columns."]);
        let of = |(part, name): (&RelativeBias<A, _>, &str)| {
            let own = part.parameters().into_iter();
            own.map(|own| Parameter { name: format!("{name}{}", own.name), ..own })
                .collect::<Vec<_>>()
        };
        named.flat_map(of).collect()
    }

    fn values_into(&self, values: &mut [A]) -> Result<(), Error> {
        check_values(self.parameter_count(), values.len())?;
        let (rows, columns) = values.split_at_mut(self.parts[0].parameter_count());
        self.parts[0].values_into(rows)?;
        self.parts[1].values_into(columns)
    }

    fn set_values(&mut self, values: &[A]) -> Result<(), Error> {
        check_values(self.parameter_count(), values.len())?;
        check_finite(values)?;
        let (rows, columns) = values.split_at(self.parts[0].parameter_count());
        self.parts[0].set_values(rows)?;
        self.parts[1].set_values(columns)
    }
}

impl<A: Element> DifferentiableContentBias<A> for DecomposedBias<A> {
    fn backward_head(
        &self,
        head: &Head<'_, A>,
        upstream: ArrayView2<'_, A>,
        gradient: &mut HeadGradient<'_>,
    ) {
        let (rows, columns) = gradient.parameters.split_at_mut(self.parts[0].parameter_count());
        for (axis, parameters) in [rows, columns].into_iter().enumerate() {
            let on = head.queries.axis(axis).zip(head.keys.axis(axis));
            let Some((queries, keys)) = &on else { return };
            let (q, k) = (gradient.q.view_mut(), gradient.k.view_mut());
            let head = Head { queries, keys, ..head.borrowed() };
            self.parts[axis].backward_head(&head, upstream, &mut HeadGradient { q, k, parameters });
        }
    }
}
