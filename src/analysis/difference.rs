//! Differences between two tables, and errors of tables and rotations.

use ndarray::{ArrayView1, ArrayView2};

use super::{check_same_shape, check_table};
use crate::element::Element;
use crate::error::Error;
use crate::rotary::Rotation;

/// The difference of two tables of the same shape, value by value.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Difference {
    /// The largest difference of two values.
    pub largest: f64,
    /// The row of the largest difference.
    pub row: usize,
    /// The column of the largest difference.
    pub column: usize,
    /// The root of the mean square of all differences.
    pub rms: f64,
}

impl Difference {
    /// Compares two tables (positions, dim).
    ///
    /// # Errors
    ///
    /// [`Error::WidthMismatch`], [`Error::LengthMismatch`] where shapes differ; [`Error::ZeroDim`],
    /// [`Error::TooFewRows`] without rows, [`Error::ValueOutOfRange`].
    ///
    /// ```
    /// use ndarray::array;
    /// use positional_encodings::analysis::Difference;
    ///
    /// let (a, b) = (array![[1.0, 2.0], [3.0, 4.0]], array![[1.0, 2.0], [3.5, 4.0]]);
    /// let difference = Difference::of(a.view(), b.view())?;
    /// assert_eq!(difference, Difference { largest: 0.5, row: 1, column: 0, rms: 0.25 });
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn of<A: Element, B: Element>(
        a: ArrayView2<'_, A>,
        b: ArrayView2<'_, B>,
    ) -> Result<Self, Error> {
        check_same_shape(a, b)?;
        check_table(a, 1)?;
        check_table(b, 1)?;
        Ok(Self::between(a, b, |column| column))
    }

    /// Compares checked tables with the same number of rows; column j of the first is compared with
    /// column `order(j)` of the second.
    pub(super) fn between<A: Element, B: Element>(
        a: ArrayView2<'_, A>,
        b: ArrayView2<'_, B>,
        order: impl Fn(usize) -> usize,
    ) -> Self {
        let order: Vec<usize> = (0..a.ncols()).map(order).collect();
        let mut difference = Self { largest: 0.0, row: 0, column: 0, rms: 0.0 };
        let mut squares = 0.0;
        for (row, (a, b)) in a.outer_iter().zip(b.outer_iter()).enumerate() {
            for (column, (value, &other)) in a.iter().zip(&order).enumerate() {
                let apart = (value.to_f64() - b[other].to_f64()).abs();
                squares += apart * apart;
                if apart > difference.largest {
                    difference = Self { largest: apart, row, column, rms: 0.0 };
                }
            }
        }
        difference.rms = (squares / a.len() as f64).sqrt();
        difference
    }
}

/// Returns the largest error of each row of a table (positions, dim) against a correct table: its
/// precision by position.
///
/// # Errors
///
/// The errors of [`Difference::of`].
///
/// ```
/// use ndarray::Array2;
/// use positional_encodings::{PositionalEncoding, Positions, Sinusoidal, analysis::largest_errors};
///
/// let encoding = Sinusoidal::new(64)?;
/// let truth: Array2<f64> = encoding.encode(&Positions::from(100_000..100_004))?;
/// // The usual recipe: an angle in f32.
/// let usual = Array2::from_shape_fn(truth.dim(), |(row, column)| {
///     let frequency = 10_000_f32.powf(-((column / 2 * 2) as f32) / 64.0);
///     let angle = (100_000 + row) as f32 * frequency;
///     if column % 2 == 0 { angle.sin() } else { angle.cos() }
/// });
/// let errors = largest_errors(usual.view(), truth.view())?;
/// assert!(errors.iter().all(|&error| 1e-4 < error && error < 1e-1));
/// # Ok::<(), positional_encodings::Error>(())
/// ```
pub fn largest_errors<A: Element, B: Element>(
    table: ArrayView2<'_, A>,
    truth: ArrayView2<'_, B>,
) -> Result<Vec<f64>, Error> {
    check_same_shape(table, truth)?;
    check_table(table, 1)?;
    check_table(truth, 1)?;
    Ok(table.outer_iter().zip(truth.outer_iter()).map(largest_error).collect())
}

/// Returns the largest error of cosines and sines at each position of a rotation against a correct
/// one: for example of [`Precision::Float32Recipe`](crate::rotary::Precision::Float32Recipe), or of
/// tables from a checkpoint or another library.
///
/// # Errors
///
/// The errors of [`Difference::of`].
///
/// ```
/// use positional_encodings::analysis::rotation_errors;
/// use positional_encodings::{Frequencies, Pairing, Rotary, rotary::Precision};
///
/// let exact = Rotary::new(Frequencies::geometric(128, 10_000.0)?, Pairing::Halves);
/// let usual = exact.clone().with_precision(Precision::Float32Recipe);
/// let (positions, truth) = ([10, 1_000_000], exact.at::<f64>(&[10, 1_000_000])?);
/// let errors = rotation_errors(&usual.at::<f32>(&positions)?, &truth)?;
/// assert!(errors[0] < 1e-6 && errors[1] > 1e-3);
/// assert!(rotation_errors(&exact.at::<f32>(&positions)?, &truth)?[1] < 3e-8); // half a unit
/// # Ok::<(), positional_encodings::Error>(())
/// ```
pub fn rotation_errors<T: Element<Angle = T>, U: Element<Angle = U>>(
    rotation: &Rotation<T>,
    truth: &Rotation<U>,
) -> Result<Vec<f64>, Error> {
    let ((cos, sin), (true_cos, true_sin)) = (rotation.tables(), truth.tables());
    let mut errors = largest_errors(cos, true_cos)?;
    for (error, of_sine) in errors.iter_mut().zip(largest_errors(sin, true_sin)?) {
        *error = error.max(of_sine);
    }
    Ok(errors)
}

fn largest_error<A: Element, B: Element>((a, b): (ArrayView1<'_, A>, ArrayView1<'_, B>)) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a.to_f64() - b.to_f64()).abs()).fold(0.0, f64::max)
}
