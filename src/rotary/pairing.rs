//! The pairing: which two features are rotated together.

use core::ops::Range;

use ndarray::{Array, ArrayBase, Axis, Data, RemoveAxis};

use crate::arrays::copied;
use crate::error::Error;

/// The two features of a query or key that are rotated together.
///
/// With r rotated features:
///
/// | pairing | pair i | systems |
/// |---|---|---|
/// | `Halves` | (xᵢ, xᵢ₊ᵣ/₂) | GPT-NeoX; Llama, Mistral, Qwen, Gemma, Phi, gpt-oss in transformers; GGUF's NEOX; flash-attention's default; keras-hub |
/// | `Interleaved` | (x₂ᵢ, x₂ᵢ₊₁) | RoFormer, GPT-J, Meta's own Llama, GLM, Cohere, DeepSeek, ERNIE 4.5; GGUF's NORM; torchtune, burn, rotary-embedding-torch |
///
/// Attention scores are the same with both, provided that queries and keys share the pairing *and*
/// the projections were trained with it. [`convert_projection`](Self::convert_projection) moves
/// projections from one to the other.
///
/// ```
/// use ndarray::array;
/// use positional_encodings::{Frequencies, Pairing, Rotary};
///
/// // Both pairs are rotated by 90 degrees.
/// let quarter = Frequencies::from_radians([0.25, 0.25])?.full_turns()?;
/// for (pairing, rotated) in [
///     (Pairing::Halves, array![[-3.0, -4.0, 1.0, 2.0]]),
///     (Pairing::Interleaved, array![[-2.0, 1.0, -4.0, 3.0]]),
/// ] {
///     let mut x = array![[1.0, 2.0, 3.0, 4.0]];
///     Rotary::new(quarter.clone(), pairing).at::<f64>(1..2)?.apply(x.view_mut())?;
///     assert_eq!(x, rotated);
/// }
/// # Ok::<(), positional_encodings::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Pairing {
    /// A feature of the first half and its counterpart in the second (`rotate_half`).
    Halves,
    /// Two neighbouring features (`rotate_every_two`).
    Interleaved,
}

impl Pairing {
    /// Converts the weights (heads · head_dim, …), or the bias (heads · head_dim), of a query or
    /// key projection trained with this pairing: the rows are put in the order of the pairing `to`.
    /// The first `rotary_dim` rows of each head move.
    ///
    /// Checkpoints of one model differ: Meta's Llama is interleaved, transformers' port of it has
    /// halves (`convert_llama_weights_to_hf`), and its GGUF files are interleaved again.
    ///
    /// # Errors
    ///
    /// [`Error::TooFewAxes`]; [`Error::LengthMismatch`] where the heads do not divide the rows;
    /// [`Error::ZeroDim`] without heads or rotated rows; [`Error::OddDim`]; [`Error::TooNarrow`]
    /// where a head has fewer rows than are rotated; [`Error::TooLarge`].
    ///
    /// ```
    /// use ndarray::array;
    /// use positional_encodings::Pairing::{Halves, Interleaved};
    ///
    /// let bias = array![0, 1, 2, 3, 10, 11, 12, 13]; // two heads of four rows
    /// let halves = Interleaved.convert_projection(&bias, 2, 4, Halves)?;
    /// assert_eq!(halves, array![0, 2, 1, 3, 10, 12, 11, 13]);
    /// assert_eq!(Halves.convert_projection(&halves, 2, 4, Interleaved)?, bias);
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn convert_projection<A: Clone, S: Data<Elem = A>, D: RemoveAxis>(
        self,
        weights: &ArrayBase<S, D>,
        heads: usize,
        rotary_dim: usize,
        to: Self,
    ) -> Result<Array<A, D>, Error> {
        let Some(&rows) = weights.shape().first() else {
            return Err(Error::TooFewAxes { expected: 1, found: 0 });
        };
        if heads == 0 {
            return Err(Error::ZeroDim);
        }
        if !rows.is_multiple_of(heads) {
            let expected = rows.next_multiple_of(heads);
            return Err(Error::LengthMismatch { what: "rows of heads", expected, found: rows });
        }
        let head_dim = rows / heads;
        let source = self.order(head_dim, rotary_dim, to)?;
        let source = |row: usize| row / head_dim * head_dim + source(row % head_dim);
        let mut converted = copied(weights)?;
        for (row, mut slot) in converted.axis_iter_mut(Axis(0)).enumerate() {
            slot.assign(&weights.index_axis(Axis(0), source(row)));
        }
        Ok(converted)
    }

    /// Converts queries or keys (…, head_dim) of a model with this pairing: the features are put in
    /// the order of the pairing `to`, for example for a cache of keys that another program uses.
    /// The first `rotary_dim` features move. Rotation and conversion commute.
    ///
    /// # Errors
    ///
    /// [`Error::TooFewAxes`]; [`Error::ZeroDim`] without rotated features; [`Error::OddDim`];
    /// [`Error::TooNarrow`] where there are fewer features than are rotated; [`Error::TooLarge`].
    ///
    /// ```
    /// use ndarray::array;
    /// use positional_encodings::Pairing::{Halves, Interleaved};
    ///
    /// let keys = array![[0, 1, 2, 3, 9], [10, 11, 12, 13, 19]]; // (positions, dim)
    /// let halves = Interleaved.convert_features(&keys, 4, Halves)?;
    /// assert_eq!(halves, array![[0, 2, 1, 3, 9], [10, 12, 11, 13, 19]]);
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn convert_features<A: Clone, S: Data<Elem = A>, D: RemoveAxis>(
        self,
        features: &ArrayBase<S, D>,
        rotary_dim: usize,
        to: Self,
    ) -> Result<Array<A, D>, Error> {
        let Some(last) = features.ndim().checked_sub(1).map(Axis) else {
            return Err(Error::TooFewAxes { expected: 1, found: 0 });
        };
        let source = self.order(features.len_of(last), rotary_dim, to)?;
        let mut converted = copied(features)?;
        for (feature, mut slot) in converted.axis_iter_mut(last).enumerate() {
            slot.assign(&features.index_axis(last, source(feature)));
        }
        Ok(converted)
    }

    /// Returns, for each feature of a head in the order of `to`, its index in this order.
    fn order(
        self,
        head_dim: usize,
        rotary_dim: usize,
        to: Self,
    ) -> Result<impl Fn(usize) -> usize, Error> {
        if rotary_dim == 0 {
            return Err(Error::ZeroDim);
        }
        if !rotary_dim.is_multiple_of(2) {
            return Err(Error::OddDim { dim: rotary_dim });
        }
        if head_dim < rotary_dim {
            return Err(Error::TooNarrow { needed: rotary_dim, found: head_dim });
        }
        let half = rotary_dim / 2;
        Ok(move |feature| match (self, to) {
            _ if feature >= rotary_dim => feature,
            (Self::Interleaved, Self::Halves) => feature % half * 2 + feature / half,
            (Self::Halves, Self::Interleaved) => feature / 2 + feature % 2 * half,
            _ => feature,
        })
    }
}

/// Which features of a row are rotated, and how they are paired.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Features {
    pub(crate) pairs: usize,
    pub(crate) pairing: Pairing,
    /// The number of parts of the rotated features that are paired separately.
    pub(crate) blocks: usize,
    /// Whether the last features of a row are rotated instead of the first.
    pub(crate) last: bool,
}

impl Features {
    /// Returns the rotated features of a row of `width`.
    #[inline(always)]
    pub(crate) fn rotated(self, width: usize) -> Range<usize> {
        let start = if self.last { width - 2 * self.pairs } else { 0 };
        start..start + 2 * self.pairs
    }

    /// Returns the two rotated features of a pair.
    pub(crate) fn of_pair(self, pair: usize) -> [usize; 2] {
        match self.pairing {
            Pairing::Interleaved => [2 * pair, 2 * pair + 1],
            Pairing::Halves => {
                let in_block = self.pairs / self.blocks;
                let first = pair / in_block * 2 * in_block + pair % in_block;
                [first, first + in_block]
            }
        }
    }
}
