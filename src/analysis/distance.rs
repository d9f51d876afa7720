//! How a matrix of pairs of positions depends on their distance.

use ndarray::{ArrayView1, ArrayView2};

use super::check_table;
use super::similarity::{Measure, measured, upper_blocks};
use crate::element::Element;
use crate::error::Error;

/// The values of a matrix (queries, keys) by the distance key − query: their mean and their spread.
///
/// The spread at a distance is the standard deviation of the values on that diagonal. If it is 0
/// everywhere, the matrix depends on the distance alone: it is a Toeplitz matrix.
///
/// ```
/// use ndarray::array;
/// use positional_encodings::analysis::ByDistance;
///
/// let scores = array![[1.0, 0.0, 4.0], [2.0, 3.0, 2.0]];
/// let by_distance = ByDistance::of_matrix(scores.view())?;
/// assert_eq!((by_distance.first, &*by_distance.pairs), (-1, &[1, 2, 2, 1][..]));
/// assert_eq!(by_distance.mean, [2.0, 2.0, 1.0, 4.0]);
/// assert_eq!(by_distance.spread, [0.0, 1.0, 1.0, 0.0]);
/// # Ok::<(), positional_encodings::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ByDistance {
    /// The distance of the first element of each list: 0 for a table.
    pub first: i64,
    /// The mean at each distance.
    pub mean: Vec<f64>,
    /// The standard deviation at each distance.
    pub spread: Vec<f64>,
    /// The number of pairs of positions at each distance.
    pub pairs: Vec<usize>,
}

impl ByDistance {
    /// Measures the similarity of the rows of a table (positions, dim) at each distance, from 0 on.
    ///
    /// Products are computed in blocks, in `A`'s type of arithmetic: the matrix (positions,
    /// positions) is never in memory.
    ///
    /// # Errors
    ///
    /// [`Error::ZeroDim`], [`Error::TooFewRows`] without rows, [`Error::ValueOutOfRange`],
    /// [`Error::TooLarge`].
    ///
    /// ```
    /// use ndarray::Array2;
    /// use positional_encodings::analysis::{ByDistance, Measure};
    /// use positional_encodings::{PositionalEncoding, Positions, Sinusoidal};
    ///
    /// let table: Array2<f64> = Sinusoidal::new(512)?.encode(&Positions::from(0..600))?;
    /// let similar = ByDistance::of_table(table.view(), Measure::Cosine)?;
    /// assert!((similar.mean[8] - 0.722520).abs() < 1e-6); // the mean of cos(8·wᵢ)
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn of_table<A: Element>(table: ArrayView2<'_, A>, measure: Measure) -> Result<Self, Error> {
        check_table(table, 1)?;
        let rows = measured::<A, A::Angle>(table, measure)?;
        // The values of the first row are close to all others at their distance, so that squares of
        // the differences do not cancel.
        let near = rows.dot(&rows.row(0)).mapv(|value| value.to_f64());
        let mut sums = vec![[0.0; 2]; rows.nrows()];
        upper_blocks(rows.view(), |row, column, block| {
            for (index, values) in block.outer_iter().enumerate() {
                let below = (row + index).saturating_sub(column).min(values.len());
                let Some(values) = values.to_slice().map(|values| &values[below..]) else {
                    continue;
                };
                let start = (column + below).saturating_sub(row + index);
                let lists = sums[start..].iter_mut().zip(near.iter().skip(start));
                for (([sum, squares], near), value) in lists.zip(values) {
                    let value = value.to_f64() - near;
                    *sum += value;
                    *squares += value * value;
                }
            }
        })?;
        let pairs = (1..=rows.nrows()).rev().collect();
        Ok(Self::of_sums(0, near.iter().copied().zip(sums), pairs))
    }

    /// Makes the statistics of a matrix (queries, keys), such as one head of a bias or of
    /// attention.
    ///
    /// # Errors
    ///
    /// [`Error::ZeroDim`], [`Error::TooFewRows`], [`Error::ValueOutOfRange`]: from a bias with −∞
    /// pass only the finite part.
    pub fn of_matrix<A: Element>(matrix: ArrayView2<'_, A>) -> Result<Self, Error> {
        check_table(matrix, 1)?;
        let (rows, columns) = matrix.dim();
        // The first value on each diagonal, from the lower left corner on.
        let near = |at: usize| matrix[[(rows - 1).saturating_sub(at), at.saturating_sub(rows - 1)]];
        let near: Vec<f64> = (0..rows + columns - 1).map(|at| near(at).to_f64()).collect();
        let mut sums = vec![[0.0; 2]; near.len()];
        let mut pairs = vec![0; near.len()];
        for ((row, column), value) in matrix.indexed_iter() {
            let at = rows - 1 - row + column;
            let value = value.to_f64() - near[at];
            pairs[at] += 1;
            sums[at] = [sums[at][0] + value, sums[at][1] + value * value];
        }
        Ok(Self::of_sums(1 - rows as i64, near.into_iter().zip(sums), pairs))
    }

    /// Makes the statistics of one value for each distance, from `first` on, such as a rotary
    /// kernel or a bias.
    ///
    /// # Errors
    ///
    /// [`Error::TooFewRows`] without values, [`Error::ValueOutOfRange`].
    ///
    /// ```
    /// use ndarray::arr1;
    /// use positional_encodings::analysis::ByDistance;
    ///
    /// let curve = ByDistance::of_curve(-1, arr1(&[0.5, 1.0, 0.25]).view())?;
    /// assert_eq!((curve.first_rise(0.0), curve.first_asymmetry(0.1)), (None, Some(1)));
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn of_curve(first: i64, values: ArrayView1<'_, f64>) -> Result<Self, Error> {
        check_table(values.insert_axis(ndarray::Axis(1)), 1)?;
        let (mean, len) = (values.to_vec(), values.len());
        Ok(Self { first, mean, spread: vec![0.0; len], pairs: vec![1; len] })
    }

    /// Makes means and spreads from sums of differences from a nearby value, and of their squares.
    fn of_sums(first: i64, sums: impl Iterator<Item = (f64, [f64; 2])>, pairs: Vec<usize>) -> Self {
        let (mut mean, mut spread) = (Vec::new(), Vec::new());
        for ((near, [sum, squares]), &count) in sums.zip(&pairs) {
            let offset = sum / count as f64;
            mean.push(near + offset);
            spread.push((squares / count as f64 - offset * offset).max(0.0).sqrt());
        }
        Self { first, mean, spread, pairs }
    }

    /// Returns how much the matrix depends on more than the distance: ‖S − T‖ / ‖S‖ in the
    /// Frobenius norm, where T is the nearest Toeplitz matrix, which has the mean on each diagonal.
    ///
    /// The residual is 0 for sinusoids, for anything that depends on distances alone, and for a
    /// matrix of zeros; the larger it is, the more the similarity of two positions depends on where
    /// they are. In f32 rounding leaves about 10⁻⁷.
    pub fn toeplitz_residual(&self) -> f64 {
        let (mut outside, mut all) = (0.0, 0.0);
        for (index, (mean, spread)) in self.mean.iter().zip(&self.spread).enumerate() {
            // For a table only half of the symmetric matrix is here.
            let halves = if self.first == 0 && index > 0 { 2.0 } else { 1.0 };
            let weight = halves * self.pairs[index] as f64;
            outside += weight * spread * spread;
            all += weight * (mean * mean + spread * spread);
        }
        if all > 0.0 { (outside / all).sqrt() } else { 0.0 }
    }

    /// Returns the mean at a distance, if there is one.
    pub fn at(&self, distance: i64) -> Option<f64> {
        self.mean.get(usize::try_from(distance.checked_sub(self.first)?).ok()?).copied()
    }

    /// Returns the distance nearest to 0 at which the mean is larger, by more than `tolerance`,
    /// than one step nearer, which is where monotonicity ends; `None` if the mean falls or stays on
    /// both sides of 0.
    pub fn first_rise(&self, tolerance: f64) -> Option<i64> {
        let rises = self.steps().filter(|[near, far]| far.1 > near.1 + tolerance);
        let distances = rises.map(|[_, (distance, _)]| distance);
        distances.min_by_key(|distance| (distance.unsigned_abs(), *distance < 0))
    }

    /// Returns the fraction of steps away from 0 at which the mean falls or stays: 1 if it is
    /// monotone.
    pub fn monotone_share(&self) -> f64 {
        let falls = self.steps().filter(|[near, far]| far.1 <= near.1).count();
        if self.mean.len() < 2 { 1.0 } else { falls as f64 / (self.mean.len() - 1) as f64 }
    }

    /// Returns the smallest distance at which the means ahead and behind differ by more than
    /// `tolerance`, which is where symmetry ends; `None` if there is none, as for every table,
    /// whose similarities are symmetric.
    pub fn first_asymmetry(&self, tolerance: f64) -> Option<i64> {
        let differs = |&(distance, ahead): &(i64, f64)| {
            let behind = distance.checked_neg().and_then(|behind| self.at(behind));
            distance > 0 && behind.is_some_and(|behind| (ahead - behind).abs() > tolerance)
        };
        self.means().find(differs).map(|(distance, _)| distance)
    }

    /// Returns each distance and its mean.
    fn means(&self) -> impl Iterator<Item = (i64, f64)> + '_ {
        let at = |(index, &mean): (usize, &f64)| (self.first.saturating_add(index as i64), mean);
        self.mean.iter().enumerate().map(at)
    }

    /// Returns each distance and its mean, preceded by those one step nearer to 0.
    fn steps(&self) -> impl Iterator<Item = [(i64, f64); 2]> + '_ {
        let away = |(a, b): ((i64, f64), (i64, f64))| if a.0 < 0 { [b, a] } else { [a, b] };
        self.means().zip(self.means().skip(1)).map(away)
    }
}
