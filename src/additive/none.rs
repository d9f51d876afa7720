//! The encoding that adds nothing, for ablations.

use core::fmt;

use ndarray::ArrayViewMut2;

use super::PositionalEncoding;
use crate::element::Element;
use crate::error::Error;
use crate::positions::Positions;

/// An encoding that adds nothing, for models without positions and for ablations (NoPE; Kazemnejad
/// et al. 2023, *The impact of positional encoding on length generalization in transformers*, arXiv
/// 2305.19466).
///
/// PE(p) = 0 for every finite position p, so words + positions are the words, bit for bit: an
/// experiment can change its encoding and nothing else. Shapes and positions are checked as for any
/// encoding.
///
/// ```
/// use ndarray::array;
/// use positional_encodings::{NoPositions, embed_with_positions};
///
/// let words = array![[1.0_f32, -0.0], [2.0, 3.0]];
/// let input = embed_with_positions(&words, &NoPositions::new(2)?)?;
/// assert_eq!(input, words);
/// assert!(input[[0, 1]].is_sign_negative());
/// # Ok::<(), positional_encodings::Error>(())
/// ```
#[doc(alias = "NoPE")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct NoPositions {
    dim: usize,
}

/// Shows the encoding as a caption: `no positions, dim 512`.
impl fmt::Display for NoPositions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no positions, dim {}", self.dim)
    }
}

impl NoPositions {
    /// Makes an encoding of the given width.
    ///
    /// # Errors
    ///
    /// [`Error::ZeroDim`].
    pub fn new(dim: usize) -> Result<Self, Error> {
        if dim == 0 { Err(Error::ZeroDim) } else { Ok(Self { dim }) }
    }

    /// Returns the width of a position vector.
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// Returns `None`: any position will do.
    pub fn max_len(&self) -> Option<usize> {
        None
    }
}

impl<A: Element> PositionalEncoding<A> for NoPositions {
    fn dim(&self) -> usize {
        self.dim
    }

    fn max_len(&self) -> Option<usize> {
        None
    }

    fn encode_into(
        &self,
        positions: &Positions<'_>,
        mut out: ArrayViewMut2<'_, A>,
    ) -> Result<(), Error> {
        self.check_shape(positions, &out)?;
        PositionalEncoding::<A>::check(self, positions)?;
        // -0.0 + x is x for every x, while 0.0 + -0.0 is 0.0.
        out.fill(-A::zero());
        Ok(())
    }

    fn add_to(
        &self,
        positions: &Positions<'_>,
        embeddings: ArrayViewMut2<'_, A>,
    ) -> Result<(), Error> {
        self.check_shape(positions, &embeddings)?;
        PositionalEncoding::<A>::check(self, positions)
    }
}
