//! How well a linear map reads positions from a table.

use nalgebra::DMatrix;
use ndarray::{Array2, ArrayView2, Axis, Slice};

use super::{check_table, converted, rows_of};
use crate::arrays::{room, zeros};
use crate::element::Element;
use crate::error::{Error, positive};

/// The errors of a linear map that reads positions from vectors that it was not fitted to.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct PositionProbe {
    /// The fraction of the variance of positions that the map explains: 1 if it reads them all.
    pub r_squared: f64,
    /// The mean error of the map, in positions.
    pub mean_error: f64,
    /// The largest error of the map, in positions.
    pub largest_error: f64,
}

/// Fits position = w·vector + b to the even rows of a table (positions, dim) by ridge regression,
/// and measures its errors on the odd rows.
///
/// `ridge` is the penalty of squared weights in units of the mean variance of a feature: 10⁻⁶
/// hardly penalises, 1 strongly. It must be positive, since features may be linearly dependent.
///
/// # Errors
///
/// [`Error::InvalidParameter`] unless `ridge` is positive and finite; [`Error::ZeroDim`],
/// [`Error::TooFewRows`] for fewer than four rows, [`Error::ValueOutOfRange`], [`Error::TooLarge`].
///
/// ```
/// use ndarray::Array2;
/// use positional_encodings::{PositionalEncoding, Positions, Sinusoidal, analysis::probe_position};
///
/// let table: Array2<f64> = Sinusoidal::new(64)?.encode(&Positions::from(0..512))?;
/// assert!(probe_position(table.view(), 1e-6)?.mean_error < 1.0);
/// # Ok::<(), positional_encodings::Error>(())
/// ```
pub fn probe_position<A: Element>(
    table: ArrayView2<'_, A>,
    ridge: f64,
) -> Result<PositionProbe, Error> {
    positive("ridge", ridge)?;
    check_table(table, 4)?;
    let rows: Array2<f64> = converted(table)?;
    let positions = Array2::from_shape_fn((table.nrows(), 1), |(row, _)| row as f64);
    let (errors, r_squared) = held_out(rows.view(), positions.view(), ridge)?;
    let absolute = errors.iter().map(|error| error.abs());
    let mean_error = absolute.clone().sum::<f64>() / errors.len() as f64;
    Ok(PositionProbe { r_squared, mean_error, largest_error: absolute.fold(0.0, f64::max) })
}

/// Fits vector(p + shift) = M·vector(p) + b to the even rows of a table (positions, dim) by ridge
/// regression, and returns the fraction of the variance of the odd rows that it explains: 1 for
/// sinusoids, for which M is a rotation of each pair (Vaswani et al. 2017, section 3.5).
///
/// # Errors
///
/// The errors of [`probe_position`]; [`Error::TooFewRows`] for fewer than `shift` + 4 rows.
///
/// ```
/// use ndarray::Array2;
/// use positional_encodings::{PositionalEncoding, Positions, Sinusoidal, analysis::probe_shift};
///
/// let table: Array2<f64> = Sinusoidal::new(32)?.encode(&Positions::from(0..512))?;
/// assert!(probe_shift(table.view(), 17, 1e-12)? > 0.999999);
/// # Ok::<(), positional_encodings::Error>(())
/// ```
pub fn probe_shift<A: Element>(
    table: ArrayView2<'_, A>,
    shift: usize,
    ridge: f64,
) -> Result<f64, Error> {
    positive("ridge", ridge)?;
    check_table(table, shift.saturating_add(4))?;
    let rows: Array2<f64> = converted(table)?;
    let end = rows.nrows() - shift;
    Ok(held_out(rows_of(rows.view(), 0..end), rows_of(rows.view(), shift..shift + end), ridge)?.1)
}

/// Fits even rows and predicts odd ones: returns the errors, and the fraction of the variance that
/// is explained.
fn held_out(
    inputs: ArrayView2<'_, f64>,
    targets: ArrayView2<'_, f64>,
    ridge: f64,
) -> Result<(Array2<f64>, f64), Error> {
    let rows = |of: ArrayView2<'_, f64>, first| {
        of.slice_axis(Axis(0), Slice::new(first, None, 2)).to_owned()
    };
    let (mut fitted, mut held) = (rows(inputs, 0), rows(inputs, 1));
    let (mut wanted, mut errors) = (rows(targets, 0), rows(targets, 1));
    // With the means subtracted, no constant has to be fitted.
    if let (Some(input), Some(target)) = (fitted.mean_axis(Axis(0)), wanted.mean_axis(Axis(0))) {
        fitted -= &input;
        held -= &input;
        wanted -= &target;
        errors -= &target;
    }
    let squares = |values: &Array2<f64>| values.iter().map(|value| value * value).sum::<f64>();
    let all = squares(&errors);
    errors -= &held.dot(&ridge_weights(&fitted, &wanted, ridge)?);
    let left = squares(&errors);
    // Constant targets are explained by their mean.
    let r_squared = if all > 0.0 { 1.0 - left / all } else { 1.0 };
    Ok((errors, r_squared))
}

/// Returns the weights W (features, targets) that minimise ‖X·W − Y‖² + λ‖W‖².
fn ridge_weights(x: &Array2<f64>, y: &Array2<f64>, ridge: f64) -> Result<Array2<f64>, Error> {
    let (len, dim) = x.dim();
    // (XᵀX + λ)⁻¹·Xᵀ = Xᵀ·(XXᵀ + λ)⁻¹: the smaller system is solved.
    let is_tall = dim <= len;
    let size = len.min(dim);
    room::<f64>(size, size.saturating_mul(3))?;
    let mut products = if is_tall { x.t().dot(x) } else { x.dot(&x.t()) };
    let power = products.diag().sum() / dim as f64;
    if power == 0.0 {
        return zeros(dim, y.ncols());
    }
    products.diag_mut().mapv_inplace(|value| value + ridge * power);
    let right = if is_tall { x.t().dot(y) } else { y.to_owned() };
    let matrix = |array: &Array2<f64>| {
        DMatrix::from_row_iterator(array.nrows(), array.ncols(), array.iter().copied())
    };
    let needs = "larger: these rows are linearly dependent";
    let singular = Error::InvalidParameter { name: "ridge", value: ridge, needs };
    let solved = matrix(&products).cholesky().ok_or(singular)?.solve(&matrix(&right));
    let weights = Array2::from_shape_fn(right.dim(), |(row, column)| solved[(row, column)]);
    Ok(if is_tall { weights } else { x.t().dot(&weights) })
}
