//! Training of attention biases: their gradients, and biases that are networks.

mod boxes;
mod content;
mod cope;
mod distance_network;
mod fire;
mod formulas;
mod swin_v2;

pub use boxes::BoxBias;
pub use content::{ContentGradient, DifferentiableContentBias, HeadGradient};
pub use cope::CopeGradient;
pub use distance_network::{DistanceNetwork, Spacing};
pub use fire::Fire;
pub use swin_v2::SwinV2Bias;

use ndarray::{Array2, ArrayBase, ArrayView3, ArrayViewD, Axis, Data, Dimension, Ix3};

use super::{Trainable, check_values};
use crate::bias::{AttentionBias, DependsOn, check_scores, distance::last_distance};
use crate::element::Element;
use crate::error::Error;
use crate::positions::Positions;

/// An attention bias that passes gradients back to its parameters.
///
/// ```
/// use ndarray::{Array2, array};
/// use positional_encodings::training::{DifferentiableBias, Trainable};
/// use positional_encodings::{Positions, T5Bias};
///
/// let t5 = T5Bias::causal(Array2::<f32>::zeros((4, 1)), 8)?;
/// let (positions, upstream) = (Positions::from(0..2), array![[[1.0, 10.0], [100.0, 1000.0]]]);
/// let mut gradient = [0.0; 4];
/// t5.backward(&positions, &positions, upstream.view(), &mut gradient)?;
/// assert_eq!(gradient, [1011.0, 100.0, 0.0, 0.0]); // by buckets: distances 0 and less, 1, …
/// # Ok::<(), positional_encodings::Error>(())
/// ```
pub trait DifferentiableBias<A: Element>: AttentionBias<A> + Trainable<A> {
    /// Adds to `gradient`, one element for each parameter value, the gradient of one query and its
    /// keys, given `upstream`, the gradient with respect to their bias in the order of
    /// [`encode_row`](AttentionBias::encode_row).
    fn backward_row(
        &self,
        query: &Positions<'_>,
        keys: &Positions<'_>,
        upstream: &[f64],
        gradient: &mut [f64],
    );

    /// Adds to `gradient` the gradient of a loss, given `upstream` (heads, queries, keys), its
    /// gradient with respect to the scores or, which is the same, to the bias.
    ///
    /// Sums are taken in f64 and rounded once.
    ///
    /// # Errors
    ///
    /// [`Error::LengthMismatch`], and the errors of [`check`](AttentionBias::check); `gradient` is
    /// then unchanged.
    fn backward(
        &self,
        queries: &Positions<'_>,
        keys: &Positions<'_>,
        upstream: ArrayView3<'_, A>,
        gradient: &mut [A],
    ) -> Result<(), Error> {
        let (queries, keys) = (&queries.flat(), &keys.flat());
        check_scores(&self, upstream.shape(), queries, keys)?;
        check_values(self.parameter_count(), gradient.len())?;
        let mut sums = vec![0.0; gradient.len()];
        backward_rows(&self, queries, keys, upstream, |query, keys, upstream| {
            self.backward_row(query, keys, upstream, &mut sums);
        });
        add(gradient, &sums);
        Ok(())
    }
}

impl<A: Element, B: DifferentiableBias<A> + ?Sized> DifferentiableBias<A> for Box<B> {
    fn backward_row(
        &self,
        query: &Positions<'_>,
        keys: &Positions<'_>,
        upstream: &[f64],
        gradient: &mut [f64],
    ) {
        (**self).backward_row(query, keys, upstream, gradient);
    }

    fn backward(
        &self,
        queries: &Positions<'_>,
        keys: &Positions<'_>,
        upstream: ArrayView3<'_, A>,
        gradient: &mut [A],
    ) -> Result<(), Error> {
        (**self).backward(queries, keys, upstream, gradient)
    }
}

/// Adds to `gradient` the gradient of a loss with respect to the parameters of the bias, given
/// `upstream` (…, heads, queries, keys), its gradient with respect to the scores of
/// [`add_bias`](crate::add_bias).
///
/// # Errors
///
/// The errors of [`add_bias`](crate::add_bias), and [`Error::LengthMismatch`] unless `gradient` has
/// one element for each value; it is then unchanged.
///
/// ```
/// use ndarray::{Array2, Array4};
/// use positional_encodings::{T5Bias, training::backward_bias};
///
/// let t5 = T5Bias::causal(Array2::<f32>::zeros((4, 1)), 8)?;
/// let mut gradient = [0.0; 4];
/// backward_bias(&Array4::ones((5, 1, 2, 2)), &t5, 0..2, 0..2, &mut gradient)?;
/// assert_eq!(gradient, [15.0, 5.0, 0.0, 0.0]);
/// # Ok::<(), positional_encodings::Error>(())
/// ```
pub fn backward_bias<'q, 'k, A, S, D, B>(
    upstream: &ArrayBase<S, D>,
    bias: &B,
    queries: impl Into<Positions<'q>>,
    keys: impl Into<Positions<'k>>,
    gradient: &mut [A],
) -> Result<(), Error>
where
    A: Element,
    S: Data<Elem = A>,
    D: Dimension,
    B: DifferentiableBias<A> + ?Sized,
{
    let (queries, keys) = (queries.into(), keys.into());
    check_scores(&bias, upstream.shape(), &queries, &keys)?;
    check_values(bias.parameter_count(), gradient.len())?;
    let mut sequence = 0;
    for_each_sequence(upstream.view().into_dyn(), &mut |upstream| {
        let (queries, keys) = (queries.row(sequence), keys.row(sequence));
        sequence += 1;
        bias.backward(&queries, &keys, upstream, gradient)
    })
}

fn for_each_sequence<A>(
    array: ArrayViewD<'_, A>,
    visit: &mut impl FnMut(ArrayView3<'_, A>) -> Result<(), Error>,
) -> Result<(), Error> {
    match array.ndim() {
        4.. => array.outer_iter().try_for_each(|array| for_each_sequence(array, visit)),
        _ => array.into_dimensionality::<Ix3>().map_or(Ok(()), visit),
    }
}

/// Calls `visit` with each query, its keys and their upstream gradient in f64. If the bias depends
/// on the distance alone and positions are consecutive, upstream gradients of the same distance are
/// summed first, and one query stands for all.
fn backward_rows<A: Element>(
    bias: &dyn AttentionBias<A>,
    queries: &Positions<'_>,
    keys: &Positions<'_>,
    upstream: ArrayView3<'_, A>,
    mut visit: impl FnMut(&Positions<'_>, &Positions<'_>, &[f64]),
) {
    if upstream.is_empty() {
        return;
    }
    let (rows, columns) = (queries.len(), keys.len());
    let last = last_distance(queries, keys);
    if let (Some(last), DependsOn::Distance, 2..) = (last, bias.depends_on(), rows) {
        let len = rows + columns - 1;
        let mut sums = vec![0.0; bias.heads() * len];
        for (head, sums) in upstream.outer_iter().zip(sums.chunks_exact_mut(len)) {
            for (row, upstream) in head.outer_iter().enumerate() {
                let sums = &mut sums[rows - 1 - row..][..columns];
                sums.iter_mut().zip(upstream).for_each(|(sum, value)| *sum += value.to_f64());
            }
        }
        return visit(&Positions::from(&[last]), &Positions::from(0..len), &sums);
    }
    let mut row_of = vec![0.0; bias.heads() * columns];
    for row in 0..rows {
        let upstream = upstream.index_axis(Axis(1), row);
        row_of.iter_mut().zip(upstream).for_each(|(to, from)| *to = from.to_f64());
        visit(&queries.slice(row..row + 1), keys, &row_of);
    }
}

/// Adds sums to a gradient; each sum is rounded once before.
fn add<A: Element>(gradient: &mut [A], sums: &[f64]) {
    let add = |(to, sum): (&mut A, &f64)| *to = *to + A::from_f64(*sum);
    gradient.iter_mut().zip(sums).for_each(add);
}

/// Returns the upstream gradients of one key, by heads.
fn of_key(upstream: &[f64], keys: usize, key: usize) -> impl Iterator<Item = f64> + '_ {
    upstream.iter().skip(key).step_by(keys.max(1)).copied()
}

/// Returns the upstream gradients (keys, heads) of `count` keys from `start` on.
fn by_key(upstream: &[f64], [heads, keys]: [usize; 2], start: usize, count: usize) -> Array2<f64> {
    Array2::from_shape_fn((count, heads), |(key, head)| {
        upstream.get(head * keys + start + key).copied().unwrap_or(0.0)
    })
}
