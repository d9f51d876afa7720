//! Transformer-XL's relative scores.

use ndarray::{Array2, Array3};

use super::{Beyond, Order, RelativeBias, Side, Span};
use crate::element::Element;
use crate::error::Error;

/// Transformer-XL's scores (Dai et al. 2019): (u · kⱼ + (qᵢ + v) · r\[i − j\]) / √dim, beside
/// qᵢ · kⱼ / √dim.
///
/// The rows r of each head are what its projection makes of the sinusoid of a distance, or learned.
/// Each score reads its row: nothing is shifted, and a cache of keys needs no more than positions.
///
/// | system | u, v | sinusoid | rows come |
/// |---|---|---|---|
/// | Transformer-XL | `r_w_bias`, `r_r_bias`; `r_net` projects | sines, then cosines | farthest first: reverse them |
/// | XLNet | the same; `r` projects | the same | farthest first |
/// | Conformer: Wav2Vec2-Conformer, Parakeet | `pos_bias_u`, `pos_bias_v`; `linear_pos` projects | sine and cosine in turn | farthest first |
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
    /// Takes the projected rows (heads, distances, dim) of distances query − key from `first` on,
    /// and the biases u and v, shape (heads, dim). Other distances are refused.
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
