//! V-JEPA 2's position encoding, which is not a rotation.

use core::fmt;

use ndarray::{ArrayViewMut, Dimension};

use crate::element::Element;
use crate::error::Error;
use crate::frequencies::Frequencies;
use crate::positions::Positions;

/// The position encoding that V-JEPA 2 was trained with (Assran et al. 2025, arXiv 2506.09985). The
/// lists of cosines and sines are tiled as for halves, while the pairs are neighbours, so that the
/// two features of a pair are rotated by different angles. The result is neither orthogonal nor a
/// function of the difference of positions, but released models need it.
///
/// With d features in a head, D = 2·⌊⌊d/3⌋/2⌋ for each of frame, row and column, n = D/2 and ωₖ =
/// 10000^(−k/n): among the D features of an axis, x₂ᵢ becomes x₂ᵢ·cos(p·ω₍₂ᵢ mod n₎) −
/// x₂ᵢ₊₁·sin(p·ω₍₂ᵢ mod n₎) and x₂ᵢ₊₁ becomes x₂ᵢ₊₁·cos(p·ω₍₂ᵢ₊₁ mod n₎) + x₂ᵢ·sin(p·ω₍₂ᵢ₊₁ mod
/// n₎). The remaining features are not changed.
///
/// ```
/// use ndarray::Array3;
/// use positional_encodings::{Positions, rotary::VJepa2};
///
/// let vjepa2 = VJepa2::new(64)?; // D = 20, and four features are not changed
/// let mut q = Array3::<f32>::ones((16, 2 * 4 * 4, 64)); // (heads, patches, dim)
/// vjepa2.apply(q.view_mut(), Positions::grid(&[2, 4, 4])?)?;
/// assert_eq!(q[[0, 31, 63]], 1.0);
/// # Ok::<(), positional_encodings::Error>(())
/// ```
#[derive(Clone, PartialEq)]
pub struct VJepa2 {
    dim: usize,
    /// The frequencies of an axis.
    frequencies: Vec<f64>,
}

impl fmt::Debug for VJepa2 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VJepa2").field("dim", &self.dim).finish_non_exhaustive()
    }
}

impl VJepa2 {
    /// Makes the encoding for heads of `dim` features.
    ///
    /// # Errors
    ///
    /// [`Error::DimTooSmall`] for fewer than 6 features.
    pub fn new(dim: usize) -> Result<Self, Error> {
        let own = 2 * (dim / 3 / 2);
        if own == 0 {
            return Err(Error::DimTooSmall { dim, needed: 6 });
        }
        Ok(Self { dim, frequencies: Frequencies::geometric(own, 10_000.0)?.to_radians() })
    }

    /// Applies the encoding to queries or keys of shape (…, positions, dim) in place. Positions
    /// have three axes, frame, row and column, and all sequences share them.
    ///
    /// # Errors
    ///
    /// [`Error::AxesMismatch`]; [`Error::TooFewAxes`]; [`Error::WidthMismatch`] for another dim;
    /// [`Error::LengthMismatch`] unless there is one position for each row of a sequence;
    /// [`Error::NonFinitePosition`]; [`Error::PositionTooLarge`].
    pub fn apply<'p, A: Element, D: Dimension>(
        &self,
        mut x: ArrayViewMut<'_, A, D>,
        positions: impl Into<Positions<'p>>,
    ) -> Result<(), Error> {
        let positions = positions.into();
        positions.check_axes(3)?;
        positions.check_finite()?;
        let &[.., len, dim] = x.shape() else {
            return Err(Error::TooFewAxes { expected: 2, found: x.ndim() });
        };
        if dim != self.dim {
            return Err(Error::WidthMismatch { expected: self.dim, found: dim });
        }
        if len != positions.count() {
            let (what, expected) = ("positions", len);
            return Err(Error::LengthMismatch { what, expected, found: positions.count() });
        }
        let last = ndarray::Axis(x.ndim() - 1);
        for (index, mut row) in x.lanes_mut(last).into_iter().enumerate() {
            let point = positions.point(index % len.max(1)).unwrap_or_default();
            for (axis, position) in point.into_iter().enumerate() {
                self.change(&mut row, axis, position.to_f64());
            }
        }
        Ok(())
    }

    /// Applies the encoding to the features of one axis.
    fn change<A: Element>(
        &self,
        row: &mut ndarray::ArrayViewMut1<'_, A>,
        axis: usize,
        position: f64,
    ) {
        let n = self.frequencies.len();
        for pair in 0..n {
            let [first, second] = [0, 1].map(|member| axis * 2 * n + 2 * pair + member);
            let [a, b] = [first, second].map(|feature| row[feature].to_f64());
            let [one, other] =
                [0, 1].map(|member| position * self.frequencies[(2 * pair + member) % n]);
            row[first] = A::from_f64(a * libm::cos(one) - b * libm::sin(one));
            row[second] = A::from_f64(b * libm::cos(other) + a * libm::sin(other));
        }
    }
}
