//! The gradient of words plus positions, for arrays with leading axes.

use ndarray::{ArrayBase, Data, Dimension};

use super::{Differentiable, check_values};
use crate::additive::check_words;
use crate::arrays::for_each_matrix;
use crate::element::Element;
use crate::error::Error;
use crate::positions::Positions;

/// Adds to `gradient` the gradient of a loss with respect to the encoding's parameters, as
/// [`embed_with_positions`](crate::embed_with_positions) passes it back. `upstream`, shape (…, len,
/// dim), is the gradient with respect to the result of that function, and also the gradient with
/// respect to the words.
///
/// # Errors
///
/// The errors of [`embed_with_positions`](crate::embed_with_positions), and
/// [`Error::LengthMismatch`] unless `gradient` has one element for each parameter value; it is then
/// unchanged.
///
/// ```
/// use ndarray::array;
/// use positional_encodings::{Learned, training::backward_positions};
///
/// let learned = Learned::from_table(array![[0.0_f32], [0.0], [0.0]])?;
/// let upstream = array![[[1.0], [2.0]], [[10.0], [20.0]]]; // (batch, len, dim)
/// let mut gradient = [0.0; 3];
/// backward_positions(&upstream, &learned, &mut gradient)?;
/// assert_eq!(gradient, [11.0, 22.0, 0.0]);
/// # Ok::<(), positional_encodings::Error>(())
/// ```
pub fn backward_positions<A, S, D, E>(
    upstream: &ArrayBase<S, D>,
    encoding: &E,
    gradient: &mut [A],
) -> Result<(), Error>
where
    A: Element,
    S: Data<Elem = A>,
    D: Dimension,
    E: Differentiable<A> + ?Sized,
{
    let [.., len, _] = *upstream.shape() else {
        return Err(Error::TooFewAxes { expected: 2, found: upstream.ndim() });
    };
    backward_positions_at(upstream, encoding, 0..len, gradient)
}

/// Adds to `gradient` what [`embed_with_positions_at`](crate::embed_with_positions_at) passes back
/// for the given positions: a list that all sequences share, or ids (batch, len).
///
/// # Errors
///
/// The errors of [`embed_with_positions_at`](crate::embed_with_positions_at) and
/// [`backward_positions`].
///
/// ```
/// use ndarray::array;
/// use positional_encodings::{Learned, training::backward_positions_at};
///
/// let learned = Learned::from_table(array![[0.0_f32], [0.0], [0.0]])?;
/// let mut gradient = [0.0; 3];
/// backward_positions_at(
///     &array![[[1.0], [2.0]], [[10.0], [20.0]]],
///     &learned,
///     &array![[0_i64, 2], [2, 2]],
///     &mut gradient,
/// )?;
/// assert_eq!(gradient, [1.0, 0.0, 32.0]);
/// # Ok::<(), positional_encodings::Error>(())
/// ```
pub fn backward_positions_at<'p, A, S, D, E>(
    upstream: &ArrayBase<S, D>,
    encoding: &E,
    positions: impl Into<Positions<'p>>,
    gradient: &mut [A],
) -> Result<(), Error>
where
    A: Element,
    S: Data<Elem = A>,
    D: Dimension,
    E: Differentiable<A> + ?Sized,
{
    let positions = positions.into();
    check_words(upstream.shape(), encoding, &positions)?;
    check_values(encoding.parameter_count(), gradient.len())?;
    let mut sequence = 0;
    for_each_matrix(upstream.view().into_dyn(), &mut |upstream| {
        let added = encoding.backward(&positions.row(sequence), upstream, gradient);
        sequence += 1;
        added
    })
}
