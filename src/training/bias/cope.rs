//! Gradients of contextual positions (CoPE).

use ndarray::{Array3, ArrayView1, ArrayView3, ArrayViewMut1, ArrayViewMut3, Axis, Zip};

use super::add;
use super::content::multiply;
use crate::arrays::{check_finite, dot};
use crate::bias::{ContentBias, Cope, check_content, sigmoid};
use crate::element::Element;
use crate::error::Error;
use crate::positions::Positions;
use crate::training::{Parameter, Trainable, check_values, copy_values};

/// The arrays to which the gradients of [`Cope`] are added.
#[derive(Debug)]
pub struct CopeGradient<'g, A> {
    /// The gradient with respect to the queries, shape (heads, queries, dim).
    pub q: ArrayViewMut3<'g, A>,
    /// The gradient with respect to the scores before the bias, shape (heads, queries, keys): the
    /// upstream gradient, and the part that the gates pass back.
    pub scores: ArrayViewMut3<'g, A>,
    /// The gradient with respect to the parameters, one element for each value.
    pub parameters: &'g mut [A],
}

impl<A: Element> Trainable<A> for Cope<A> {
    fn parameters(&self) -> Vec<Parameter> {
        vec![Parameter::new("rows", self.rows.rows.shape(), false)]
    }

    fn values_into(&self, values: &mut [A]) -> Result<(), Error> {
        copy_values(self.rows.rows.len(), self.rows.rows.iter().copied(), values)
    }

    fn set_values(&mut self, values: &[A]) -> Result<(), Error> {
        check_values(self.rows.rows.len(), values.len())?;
        check_finite(values)?;
        self.rows.rows.iter_mut().zip(values).for_each(|(own, value)| *own = *value);
        Ok(())
    }
}

impl<A: Element> Cope<A> {
    /// Adds to `gradient` the gradients of a loss, given the queries (heads, queries, dim), the
    /// `scores` (heads, queries, keys) before the bias, and `upstream`, the gradient of the loss
    /// with respect to the scores after it. Sums are taken in f64 and rounded once.
    ///
    /// # Errors
    ///
    /// [`Error::LengthMismatch`] and [`Error::WidthMismatch`]; `gradient` is then unchanged.
    ///
    /// ```
    /// use ndarray::{Array3, array};
    /// use positional_encodings::bias::Cope;
    /// use positional_encodings::training::CopeGradient;
    ///
    /// let cope = Cope::new(array![[0.0_f64], [1.0]], 1)?;
    /// let (q, scores, upstream) = (array![[[10.0]]], array![[[0.0]]], array![[[1.0]]]);
    /// let (mut by_q, mut by_scores, mut by_rows) =
    ///     (q.clone(), Array3::zeros((1, 1, 1)), [0.0; 2]);
    /// let (q_to, to) = (by_q.view_mut(), by_scores.view_mut());
    /// let gradient = CopeGradient { q: q_to, scores: to, parameters: &mut by_rows };
    /// cope.backward(q.view(), scores.view(), upstream.view(), gradient)?;
    /// assert_eq!(by_rows, [5.0, 5.0]); // position ½
    /// assert_eq!(by_scores[[0, 0, 0]], 1.0 + 10.0 * 0.25); // σ′(0) = ¼
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn backward(
        &self,
        q: ArrayView3<'_, A>,
        scores: ArrayView3<'_, A>,
        upstream: ArrayView3<'_, A>,
        gradient: CopeGradient<'_, A>,
    ) -> Result<(), Error> {
        let CopeGradient { q: mut by_q, scores: mut by_scores, parameters } = gradient;
        let (_, queries, keys) = scores.dim();
        let [queries, keys] = [queries, keys].map(|len| Positions::from(0..len));
        for (q, scores) in [(q.shape(), scores.shape()), (by_q.shape(), upstream.shape())] {
            check_content(&self, scores, [q, &[]], &queries, &keys)?;
        }
        check_content(&self, by_scores.shape(), [q.shape(), &[]], &queries, &keys)?;
        check_values(self.parameter_count(), parameters.len())?;
        let mut sums = vec![0.0; parameters.len()];
        let mut of_q = Array3::<f64>::zeros(q.dim());
        for (head, query) in ndarray::indices((self.heads(), queries.len())) {
            fn row<'v, A>(array: &'v ArrayView3<'_, A>, at: [usize; 2]) -> ArrayView1<'v, A> {
                array.index_axis(Axis(0), at[0]).index_axis_move(Axis(0), at[1])
            }
            let at = [head, query];
            let part = [row(&scores, at), row(&upstream, at)];
            let of_q = of_q.index_axis_mut(Axis(0), head).index_axis_move(Axis(0), query);
            let to = by_scores.index_axis_mut(Axis(0), head).index_axis_move(Axis(0), query);
            self.backward_row(head, row(&q, at), part, &mut sums, (of_q, to));
        }
        Zip::from(&mut by_q).and(&of_q).for_each(|to, sum| *to = *to + A::from_f64(*sum));
        add(parameters, &sums);
        Ok(())
    }

    /// Passes the gradient of one query of a head back to the vectors, to the query and to its
    /// scores.
    fn backward_row(
        &self,
        head: usize,
        q: ArrayView1<'_, A>,
        [scores, upstream]: [ArrayView1<'_, A>; 2],
        sums: &mut [f64],
        (mut of_q, to): (ArrayViewMut1<'_, f64>, ArrayViewMut1<'_, A>),
    ) {
        let last = self.positions() - 1;
        let q: Vec<f64> = q.iter().map(|q| q.to_f64()).collect();
        let mut slopes = vec![0.0; scores.len()];
        let mut position = 0.0;
        for (key, slope) in slopes.iter_mut().enumerate().rev() {
            position += sigmoid(scores[key].to_f64());
            let upstream = upstream[key].to_f64();
            let (below, part) = self.place(position);
            let above = (below + 1).min(last);
            for (row, share) in [(below, 1.0 - part), (above, part)] {
                let Some(place) = self.rows.place(head, row) else { continue };
                multiply(upstream * share, &q, &mut sums[place..place + q.len()]);
                multiply(upstream * share, self.rows.row(head, row), of_q.iter_mut());
            }
            let [low, high] = [below, above].map(|row| dot(self.rows.row(head, row), &q));
            *slope = upstream * (high - low);
        }
        // A gate changes the positions of all keys up to its own.
        let mut sum = 0.0;
        let own = scores.iter().zip(&upstream).zip(&slopes);
        for (to, ((score, upstream), slope)) in to.into_iter().zip(own) {
            sum += slope;
            let gate = sigmoid(score.to_f64());
            let passed = upstream.to_f64() + sum * gate * (1.0 - gate);
            *to = *to + A::from_f64(passed);
        }
    }
}
