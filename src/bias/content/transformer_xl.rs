//! Transformer-XL's relative positions.

use ndarray::{Array2, Array3};

use super::{Beyond, Order, RelativeBias, Side, Span};
use crate::element::Element;
use crate::error::Error;

/// Transformer-XL's relative positions (Dai et al. 2019, *Transformer-XL: attentive language models
/// beyond a fixed-length context*): (u · kⱼ + (qᵢ + v) · r\[i − j\]) / √dim, which is added to
/// qᵢ · kⱼ / √dim.
///
/// The rows r of each head are projected sinusoids of the distances, or learned. Each score reads
/// its row, so no matrix is shifted, and a cache of keys needs only its positions.
///
/// | system | u, v | projection | sinusoid | order of rows |
/// |---|---|---|---|---|
/// | Transformer-XL | `r_w_bias`, `r_r_bias` | `r_net` | sines, then cosines | largest distance first: reverse them |
/// | XLNet | `r_w_bias`, `r_r_bias` | `r` | sines, then cosines | largest distance first: reverse them |
/// | Conformer: Wav2Vec2-Conformer, Parakeet | `pos_bias_u`, `pos_bias_v` | `linear_pos` | sine and cosine in turn | largest distance first: reverse them |
///
/// ```
/// use ndarray::{Array2, Array3};
/// use positional_encodings::bias::{ContentBias, TransformerXlBias, split_heads};
/// use positional_encodings::{PositionalEncoding, Positions, Sinusoidal};
///
/// let (heads, len) = (2, 5);
/// let distances = Positions::from((1 - len..len).collect::<Vec<i64>>());
/// let sinusoid: Array2<f32> = Sinusoidal::new(8)?.encode(&distances)?;
/// let projection = Array2::<f32>::eye(8); // linear_pos.weight, (heads · dim, width)
/// let rows = split_heads(sinusoid.dot(&projection.t()).view(), heads)?; // (heads, 9, 4)
/// let (u, v) = (Array2::zeros((heads, 4)), Array2::zeros((heads, 4)));
/// let bias = TransformerXlBias::transformer_xl(rows, 1 - len, u, v)?;
///
/// let (q, k) = (Array3::ones((2, 5, 4)), Array3::ones((2, 5, 4)));
/// let positions = Positions::from(0..5);
/// let mut scores = Array3::zeros((2, 5, 5)); // q · k / √dim, usually
/// bias.add_to(q.view(), k.view(), &positions, &positions, scores.view_mut())?;
/// assert_eq!(scores[[0, 3, 3]], (0.0 + 1.0 + 0.0 + 1.0) / 2.0);
/// # Ok::<(), positional_encodings::Error>(())
/// ```
pub type TransformerXlBias<A> = RelativeBias<A, Span>;

impl<A: Element> TransformerXlBias<A> {
    /// Makes the bias from the projected rows (heads, distances, dim) of distances query − key from
    /// `first` on, and the biases u and v, shape (heads, dim). Other distances are an error,
    /// [`Error::PositionOutsideTable`].
    ///
    /// # Errors
    ///
    /// The errors of [`Span::new`], [`RelativeBias::new`] and [`RelativeBias::with_biases`].
    pub fn transformer_xl(
        rows: Array3<A>,
        first: i64,
        u: Array2<A>,
        v: Array2<A>,
    ) -> Result<Self, Error> {
        let (_, len, dim) = rows.dim();
        let span = Span::new(first, len, Order::QueryMinusKey, Beyond::Refuse)?;
        let bias = Self::new(span, u.nrows(), [(Side::Queries, rows)])?;
        bias.with_biases(u, v)?.with_factor(1.0 / libm::sqrt(dim as f64))
    }
}
