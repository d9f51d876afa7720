//! The number of dimensions that a table uses.

use nalgebra::DMatrix;
use ndarray::ArrayView2;

use super::{centred, check_table};
use crate::element::Element;
use crate::error::Error;

/// The variances of a table along its principal axes.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Spectrum {
    /// The variance along each axis, the largest first: min(positions, dim) of them, with the mean
    /// row subtracted. Values below about 10⁻¹⁵ of the largest are rounding errors.
    pub variances: Vec<f64>,
}

impl Spectrum {
    /// Computes the variances along the principal axes of a table (positions, dim): the eigenvalues
    /// of its covariance, or of the products of its rows where there are fewer rows than features.
    ///
    /// # Errors
    ///
    /// [`Error::ZeroDim`], [`Error::TooFewRows`] for fewer than two rows,
    /// [`Error::ValueOutOfRange`], [`Error::TooLarge`].
    ///
    /// ```
    /// use ndarray::array;
    /// use positional_encodings::analysis::Spectrum;
    ///
    /// // Points on a line have one dimension, wherever it lies.
    /// let line = Spectrum::of(array![[1.0, 5.0, 0.0], [1.0, 5.0, 3.0], [1.0, 5.0, 6.0]].view())?;
    /// assert_eq!((line.variances[0], line.components_for(0.99)), (6.0, 1));
    /// assert!((line.effective_rank() - 1.0).abs() < 1e-9);
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn of<A: Element>(table: ArrayView2<'_, A>) -> Result<Self, Error> {
        check_table(table, 2)?;
        let rows = centred(table)?;
        let (len, dim) = rows.dim();
        let size = len.min(dim);
        crate::arrays::room::<f64>(size, size.saturating_mul(2))?;
        let products = if dim <= len { rows.t().dot(&rows) } else { rows.dot(&rows.t()) };
        let products = DMatrix::from_iterator(size, size, products.iter().map(|v| v / len as f64));
        let mut variances: Vec<f64> = products.symmetric_eigenvalues().iter().copied().collect();
        variances.iter_mut().for_each(|variance| *variance = variance.max(0.0));
        variances.sort_unstable_by(|a, b| b.total_cmp(a));
        Ok(Self { variances })
    }

    /// Returns the effective rank (Roy and Vetterli 2007): e^(−Σ pᵢ·ln pᵢ) for the fractions pᵢ of
    /// the variance, which is the number of equal variances with the same entropy. It is 0 if
    /// nothing varies.
    pub fn effective_rank(&self) -> f64 {
        let shares = self.shares().filter(|&share| share > 0.0);
        let entropies: Vec<f64> = shares.map(|share| -share * libm::log(share)).collect();
        if entropies.is_empty() { 0.0 } else { libm::exp(entropies.iter().sum()) }
    }

    /// Returns the number of components that hold this fraction of the variance, such as 0.95; all
    /// of them for a fraction of 1 or more.
    pub fn components_for(&self, share: f64) -> usize {
        let mut held = 0.0;
        let holds = |part: f64| {
            held += part;
            held >= share
        };
        self.shares().map(holds).position(|enough| enough).map_or(self.variances.len(), |at| at + 1)
    }

    /// Returns the fraction of each variance in the sum; empty if nothing varies.
    fn shares(&self) -> impl Iterator<Item = f64> + '_ {
        let all: f64 = self.variances.iter().sum();
        self.variances.iter().filter(move |_| all > 0.0).map(move |variance| variance / all)
    }
}
