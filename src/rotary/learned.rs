//! Gradients with respect to learned frequencies.

use std::sync::Arc;

use ndarray::{ArrayView, Axis, Dimension};

use super::apply::AngleSteps;
use super::encoding::Rotary;
use super::rotation::{AngleRows, Rotation};
use crate::element::Element;
use crate::error::Error;
use crate::positions::{Position, Positions};

impl Rotary {
    /// Returns the gradient of a loss with respect to the frequency of each pair, from rotated
    /// queries or keys and the gradient of the loss with respect to them, both (…, positions,
    /// width).
    ///
    /// With (a, b) the rotated pair and (g, h) its upstream gradient, the gradient of the angle is
    /// a·h − b·g. The gradient of a frequency is the sum of this times the position over all rows,
    /// heads and sequences, in f64. For the gradient with respect to the features before the
    /// rotation see [`Rotation::gradient`].
    ///
    /// # Errors
    ///
    /// The errors of [`at`](Self::at) and of [`Rotation::apply`]; [`Error::LengthMismatch`] where
    /// the two arrays differ in shape.
    ///
    /// ```
    /// use ndarray::array;
    /// use positional_encodings::{Frequencies, Pairing, Rotary};
    ///
    /// // loss = the first feature of (1, 0) rotated by an angle of 3w: cos 3w, and its derivative
    /// // is −3 sin 3w.
    /// let rotary = Rotary::new(Frequencies::from_radians([0.5])?, Pairing::Halves);
    /// let mut x = array![[1.0, 0.0]];
    /// rotary.at(3..4)?.apply(x.view_mut())?;
    /// let gradient = rotary.frequency_gradient(3..4, x.view(), array![[1.0, 0.0]].view())?;
    /// assert_eq!(gradient, [-3.0 * 1.5_f64.sin()]);
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn frequency_gradient<'p, A: Element, D: Dimension>(
        &self,
        positions: impl Into<Positions<'p>>,
        rotated: ArrayView<'_, A, D>,
        upstream: ArrayView<'_, A, D>,
    ) -> Result<Vec<f64>, Error> {
        let positions = positions.into();
        self.check(&positions)?;
        let mut axis_of = vec![0; self.features.pairs];
        for part in &self.parts {
            part.targets.iter().for_each(|&target| axis_of[target] = part.axis);
        }
        let mut gradient = vec![0.0; self.features.pairs];
        let shape = Rotation::<A::Angle> {
            angles: Arc::new(Vec::new()),
            rows: AngleRows::of(&positions),
            len: positions.len(),
            features: self.features,
            back: false,
            level: self.level,
            regime: self.regime,
            scaled: false,
        };
        shape.check_angles(&rotated, &upstream)?;
        if rotated.is_empty() {
            return Ok(gradient);
        }
        let reals = reals(&positions, self.axes)?;
        shape.for_each_angle(rotated, upstream, |row, pair, value| {
            gradient[pair] += reals[axis_of[pair]][row] * value
        })?;
        Ok(gradient)
    }
}

/// Returns the positions on each axis as f64, row after row.
pub(super) fn reals(positions: &Positions<'_>, axes: usize) -> Result<Vec<Vec<f64>>, Error> {
    let axis = |axis| {
        let (mut reals, rows) = (Vec::new(), positions.count());
        reals.try_reserve_exact(rows).map_err(|_| Error::TooLarge { rows, dim: axes })?;
        let positions = positions.on_axis(axis);
        reals.extend(positions.iter().flat_map(Positions::iter).map(Position::to_f64));
        Ok(reals)
    };
    (0..axes).map(axis).collect()
}

impl<T: Element<Angle = T>> Rotation<T> {
    /// Checks that the two arrays have the same shape, and that it fits this rotation.
    pub(super) fn check_angles<A, D: Dimension>(
        &self,
        rotated: &ArrayView<'_, A, D>,
        upstream: &ArrayView<'_, A, D>,
    ) -> Result<AngleSteps, Error> {
        let steps = self.angle_steps(rotated.shape())?;
        if rotated.shape() != upstream.shape() {
            let (expected, found) = (rotated.len(), upstream.len());
            let what = "upstream gradients of the rotated shape";
            return Err(Error::LengthMismatch { what, expected, found });
        }
        Ok(steps)
    }

    /// Calls `visit` with the gradient of every angle: the row of angles, the pair and the value.
    pub(super) fn for_each_angle<A: Element, D: Dimension>(
        &self,
        rotated: ArrayView<'_, A, D>,
        upstream: ArrayView<'_, A, D>,
        mut visit: impl FnMut(usize, usize, f64),
    ) -> Result<(), Error> {
        let steps = self.check_angles(&rotated, &upstream)?;
        let (features, dim) = (Axis(rotated.ndim() - 1), self.dim());
        let start = self.features.rotated(rotated.len_of(features)).start;
        let outer = &rotated.shape()[..features.0];
        for ((index, y), g) in
            rotated.lanes(features).into_iter().enumerate().zip(upstream.lanes(features))
        {
            let row = row_of(index, outer, steps) / dim;
            for pair in 0..self.features.pairs {
                let [a, b] = self.features.of_pair(pair).map(|feature| start + feature);
                visit(row, pair, y[a].to_f64() * g[b].to_f64() - y[b].to_f64() * g[a].to_f64());
            }
        }
        Ok(())
    }
}

/// Returns the row of angles of the `index`-th lane in row-major order.
fn row_of(mut index: usize, outer: &[usize], steps: AngleSteps) -> usize {
    let mut at = 0;
    for (axis, &len) in outer.iter().enumerate().rev() {
        at += index % len * steps.along(axis);
        index /= len;
    }
    at
}
