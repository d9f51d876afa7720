//! The plan: cosines and sines at given positions, ready to be applied.

use std::sync::Arc;

#[cfg(feature = "rayon")]
use ndarray::IxDyn;
use ndarray::{ArrayViewMut, Axis, Dimension};

use super::Pairing;
use super::into::last_but_one;
use super::rows::Views;
#[cfg(feature = "rayon")]
use super::walk::STREAMS;
use super::walk::{FEW, Turner};
use crate::{Element, Error, Positions, Regime};

/// A rotation of queries or keys at given positions: made by [`Rotary::at`](crate::Rotary::at),
/// held by the caller, applied to as many arrays as there are.
///
/// Each pair of features (x, y) becomes (x·cos θ − y·sin θ, y·cos θ + x·sin θ), with the cosines
/// and sines of exact angles rounded once. 16-bit elements are widened to f32 for it, and rounded
/// once. A rotation made anew for each forward pass costs about as much as filling its table;
/// cloning one costs nothing.
///
/// | the rotated array is | call | with the positions on another axis than the last but one |
/// |---|---|---|
/// | the array itself | [`apply`](Self::apply) | [`apply_along`](Self::apply_along) |
/// | another one that is there | [`apply_into`](Self::apply_into) | [`apply_into_along`](Self::apply_into_along) |
/// | a new one | [`applied`](Self::applied) | [`applied_along`](Self::applied_along) |
///
/// ```
/// use ndarray::Array4;
/// use positional_encodings::{Frequencies, Pairing, Rotary};
///
/// let rotary = Rotary::new(Frequencies::geometric(64, 10_000.0)?, Pairing::Halves);
/// let rotation = rotary.at::<f32>(0..5)?;
/// let (mut q, mut k) = (Array4::ones((2, 8, 5, 64)), Array4::ones((2, 2, 5, 64))); // (batch, heads, positions, dim)
/// rotation.apply(q.view_mut())?;
/// rotation.apply(k.view_mut())?;
/// assert_eq!(q[[1, 7, 3, 0]], 3_f32.cos() - 3_f32.sin());
/// # Ok::<(), positional_encodings::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Rotation<A: Element> {
    /// For each row of positions and each position, all cosines and then all sines.
    pub(super) angles: Arc<Vec<A::Angle>>,
    pub(super) rows: Rows,
    /// Positions in a row.
    pub(super) len: usize,
    pub(super) turner: Turner,
    pub(super) regime: Regime,
    /// Whether lengths change.
    pub(super) scaled: bool,
}

/// What has angles of its own, apart from positions.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Rows {
    /// Nothing: all leading axes share the positions.
    Shared,
    /// Every sequence of a batch, along the first axis.
    Batch(usize),
    /// Every head, along the last axis that is neither positions nor features.
    Heads(usize),
    /// Not even positions: one rotation for all.
    Everywhere,
}

impl Rows {
    /// Sequences have angles of their own where their positions differ.
    pub(super) fn of(positions: &Positions<'_>) -> Self {
        match positions.rows() {
            Some(rows) if rows != 1 => Self::Batch(rows),
            _ => Self::Shared,
        }
    }
}

impl<A: Element> Rotation<A> {
    /// Rotates an array (…, positions, width) in place, in whatever order it lies in memory.
    ///
    /// The first [`dim`](Self::dim) features are rotated (or the last, see
    /// [`Rotary::on_last_features`](crate::Rotary::on_last_features)), the others left alone.
    /// Leading axes share the positions; where positions were given as (batch, len), the first axis
    /// is the batch and has rows of its own.
    ///
    /// # Errors
    ///
    /// [`Error::TooFewAxes`], [`Error::TooNarrow`], [`Error::LengthMismatch`]; then the array is as
    /// it was.
    ///
    /// ```
    /// use ndarray::{ArrayViewMut2, array};
    /// use positional_encodings::{Frequencies, Pairing, Rotary};
    ///
    /// // A plain slice, two positions of three features, two of which turn: the second position by 90 degrees.
    /// let rotary = Rotary::new(Frequencies::harmonic(2, 4.0)?, Pairing::Halves);
    /// let mut data = [1.0, 2.0, 3.0, 1.0, 2.0, 3.0];
    /// rotary.at::<f64>(0..2)?.apply(ArrayViewMut2::from_shape((2, 3), &mut data).unwrap())?;
    /// assert_eq!(data, [1.0, 2.0, 3.0, -2.0, 1.0, 3.0]);
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn apply<D: Dimension>(&self, view: ArrayViewMut<'_, A, D>) -> Result<(), Error> {
        self.apply_along(last_but_one(view.ndim()), view)
    }

    /// Rotates an array whose positions are on the given axis: `Axis(1)` for (batch, positions,
    /// heads, dim), `Axis(0)` for packed (tokens, heads, dim).
    ///
    /// # Errors
    ///
    /// Those of [`apply`](Self::apply), and [`Error::NoSuchAxis`].
    ///
    /// ```
    /// use ndarray::{Array3, Axis};
    /// use positional_encodings::{Frequencies, Pairing, Rotary, ids};
    ///
    /// // Two documents of 3 and 2 tokens, packed: (tokens, heads, dim)
    /// let rotary = Rotary::new(Frequencies::geometric(8, 10_000.0)?, Pairing::Interleaved);
    /// let mut q = Array3::<f32>::ones((5, 4, 8));
    /// rotary.at(&ids::packed(&[3, 2])?)?.apply_along(Axis(0), q.view_mut())?;
    /// assert_eq!(q[[1, 0, 0]], q[[4, 3, 0]]); // both are at position 1
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn apply_along<D: Dimension>(
        &self,
        positions: Axis,
        view: ArrayViewMut<'_, A, D>,
    ) -> Result<(), Error> {
        self.turn_along(positions, Views { source: None, target: view })
    }

    /// Turns rows whose positions are on the given axis.
    pub(super) fn turn_along<D: Dimension>(
        &self,
        positions: Axis,
        views: Views<'_, A, D>,
    ) -> Result<(), Error> {
        let shape = views.target.raw_dim();
        let (mut few, mut many) = ([0; FEW], Vec::new());
        let steps = self.steps(positions, shape.slice(), &mut few, &mut many)?;
        self.turn(views, steps, &self.angles);
        Ok(())
    }

    /// Turns all rows; along axis i the angles advance by `steps[i]`.
    pub(super) fn turn<D: Dimension>(
        &self,
        mut views: Views<'_, A, D>,
        steps: &[usize],
        angles: &[A::Angle],
    ) {
        let shape = views.target.raw_dim();
        A::turn(&self.turner, views.as_arrays(shape.slice()), steps, angles);
    }

    /// The same on all threads of the current rayon pool, with the same bits.
    ///
    /// # Errors
    ///
    /// Those of [`apply`](Self::apply).
    #[cfg(feature = "rayon")]
    pub fn apply_parallel<D: Dimension>(&self, view: ArrayViewMut<'_, A, D>) -> Result<(), Error> {
        self.apply_along_parallel(last_but_one(view.ndim()), view)
    }

    /// The parallel form of [`apply_along`](Self::apply_along).
    ///
    /// # Errors
    ///
    /// Those of [`apply_along`](Self::apply_along).
    #[cfg(feature = "rayon")]
    pub fn apply_along_parallel<D: Dimension>(
        &self,
        positions: Axis,
        view: ArrayViewMut<'_, A, D>,
    ) -> Result<(), Error> {
        let (mut few, mut many) = ([0; FEW], Vec::new());
        let steps = self.steps(positions, view.shape(), &mut few, &mut many)?;
        let small = (view.len() * size_of::<A>() / (4 * rayon::current_num_threads())).max(1 << 18);
        self.halve(Views { source: None, target: view.into_dyn() }, steps, &self.angles, small);
        Ok(())
    }

    /// Splits the widest axis until there are some parts for each thread, or a part is too small to
    /// be worth one. Heads that are turned together stay together, and their stretches of memory
    /// stay long: a part of whole heads is one.
    #[cfg(feature = "rayon")]
    fn halve(
        &self,
        views: Views<'_, A, IxDyn>,
        steps: &[usize],
        angles: &[A::Angle],
        small: usize,
    ) {
        let view = &views.target;
        let widest = (0..steps.len())
            .filter(|&axis| view.len_of(Axis(axis)) > if steps[axis] == 0 { STREAMS } else { 1 })
            .max_by_key(|&axis| view.strides()[axis].unsigned_abs());
        match widest {
            Some(axis) if view.len() * size_of::<A>() > small => {
                let half = view.len_of(Axis(axis)) / 2;
                let middle = if steps[axis] == 0 { half.next_multiple_of(STREAMS) } else { half };
                let (low, high) = views.split_at(Axis(axis), middle);
                let after = &angles[middle * steps[axis]..];
                rayon::join(
                    || self.halve(low, steps, angles, small),
                    || self.halve(high, steps, after, small),
                );
            }
            _ => self.turn(views, steps, angles),
        }
    }

    /// The rotation back: applied after this one, it restores what was, to rounding.
    ///
    /// Without an attention factor it is also the [gradient](Self::gradient), and shares this one's
    /// table.
    ///
    /// ```
    /// use ndarray::array;
    /// use positional_encodings::{Frequencies, Pairing, Rotary};
    ///
    /// let rotation = Rotary::new(Frequencies::harmonic(2, 4.0)?, Pairing::Halves).at::<f32>(1..2)?;
    /// let mut x = array![[1.0, 2.0]];
    /// rotation.apply(x.view_mut())?;
    /// assert_eq!(x, array![[-2.0, 1.0]]);
    /// rotation.inverse().apply(x.view_mut())?;
    /// assert_eq!(x, array![[1.0, 2.0]]);
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn inverse(&self) -> Self {
        let mut inverse = self.gradient();
        if self.scaled {
            inverse.angles = Arc::new(divided_by_squares(&self.angles, self.turner.pairs));
        }
        inverse
    }

    /// The transposed map: what takes a gradient with respect to rotated features to that with
    /// respect to the features before. With an attention factor a it is the rotation back times a.
    pub fn gradient(&self) -> Self {
        let turner = Turner { back: !self.turner.back, ..self.turner };
        Self { turner, ..self.clone() }
    }

    /// Number of features that are rotated.
    pub fn dim(&self) -> usize {
        2 * self.turner.pairs
    }

    /// Number of positions, or `None` where the rotation is the same at all.
    pub fn positions(&self) -> Option<usize> {
        (self.rows != Rows::Everywhere).then_some(self.len)
    }

    /// Which features make a pair.
    pub fn pairing(&self) -> Pairing {
        self.turner.pairing
    }

    /// What length the frequencies were made for: a cache of keys wants to be tagged with it.
    pub fn regime(&self) -> Regime {
        self.regime
    }

    /// \[cosines, sines\] of pair after pair at a position, the attention factor included. Where
    /// sequences or heads have rows of their own, positions are counted on from row to row.
    ///
    /// ```
    /// use positional_encodings::{Frequencies, Pairing, Rotary};
    ///
    /// let rotation = Rotary::new(Frequencies::harmonic(4, 8.0)?, Pairing::Halves).at::<f64>(0..3)?;
    /// assert_eq!(rotation.cos_sin(2), Some([&[0.0, -1.0][..], &[1.0, 0.0][..]])); // a quarter turn, and a half
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn cos_sin(&self, index: usize) -> Option<[&[A::Angle]; 2]> {
        let dim = self.dim();
        let (cos, sin) =
            self.angles.get(index.checked_mul(dim)?..)?.get(..dim)?.split_at(self.turner.pairs);
        Some([cos, sin])
    }

    /// A rotation by the given angles, rounded once.
    pub(super) fn from_exact(
        exact: &Rotation<f64>,
        angles: impl Iterator<Item = f64>,
        scaled: bool,
    ) -> Self {
        let angles = Arc::new(angles.map(A::Angle::from_f64).collect());
        Self {
            angles,
            rows: exact.rows,
            len: exact.len,
            turner: exact.turner,
            regime: exact.regime,
            scaled,
        }
    }

    /// How far the angles advance along each axis but the last; or why they do not fit.
    pub(super) fn steps<'s>(
        &self,
        positions: Axis,
        shape: &[usize],
        few: &'s mut [usize; FEW],
        many: &'s mut Vec<usize>,
    ) -> Result<&'s [usize], Error> {
        let Some((&width, outer)) = shape.split_last().filter(|(_, outer)| !outer.is_empty())
        else {
            return Err(Error::TooFewAxes { expected: 2, found: shape.len() });
        };
        let dim = self.dim();
        if width < dim {
            return Err(Error::TooNarrow { needed: dim, found: width });
        }
        let Some(&found) = outer.get(positions.0) else {
            return Err(Error::NoSuchAxis { axis: positions.0, axes: outer.len() });
        };
        let steps = if outer.len() > FEW {
            many.resize(outer.len(), 0);
            &mut many[..]
        } else {
            &mut few[..outer.len()]
        };
        if self.rows == Rows::Everywhere {
            return Ok(steps);
        }
        if found != self.len {
            return Err(Error::LengthMismatch { what: "positions", expected: self.len, found });
        }
        steps[positions.0] = dim;
        let (axis, expected, what) = match self.rows {
            Rows::Batch(rows) => (0, rows, "sequences on the first axis"),
            // The axis before the positions, or after them.
            Rows::Heads(heads) if positions.0 + 1 == outer.len() => {
                (outer.len().wrapping_sub(2), heads, "heads")
            }
            Rows::Heads(heads) => (outer.len() - 1, heads, "heads"),
            Rows::Shared | Rows::Everywhere => return Ok(steps),
        };
        match outer.get(axis).filter(|_| axis != positions.0) {
            Some(&found) if found == expected => steps[axis] = self.len * dim,
            Some(&found) => return Err(Error::LengthMismatch { what, expected, found }),
            None => return Err(Error::TooFewAxes { expected: 3, found: shape.len() }),
        }
        Ok(steps)
    }
}

/// Cosines and sines over the square of their length.
fn divided_by_squares<T: Element>(angles: &[T], pairs: usize) -> Vec<T> {
    let mut divided = angles.to_vec();
    for row in divided.chunks_exact_mut(2 * pairs) {
        let (cos, sin) = row.split_at_mut(pairs);
        for (cos, sin) in cos.iter_mut().zip(sin) {
            let (c, s) = (cos.to_f64(), sin.to_f64());
            let square = c * c + s * s;
            (*cos, *sin) = (T::from_f64(c / square), T::from_f64(s / square));
        }
    }
    divided
}
