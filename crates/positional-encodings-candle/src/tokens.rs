//! From token ids to the input of an encoder: word row × scale + segment row + position vector.

use candle_core::{D, Module, Result, Tensor};
use candle_nn::{Init, VarBuilder};
use positional_encodings::{Error, Positions};

use crate::error::wrap;
use crate::vectors::AddPositions;

/// The embedding layer of a transformer: a word table, an encoding of positions, and optionally
/// segments; word row × scale, segment row and position vector are summed in this order, as in
/// BERT.
///
/// Tables are tensors, from a checkpoint or from trainable variables.
///
/// ```
/// use candle_core::{DType, Device, Module, Tensor};
/// use candle_nn::{VarBuilder, VarMap};
/// use positional_encodings_candle::{LearnedPositions, TokenEmbedding};
///
/// let vars = VarMap::new(); // or VarBuilder::from_mmaped_safetensors: a checkpoint's
/// let vb = VarBuilder::from_varmap(&vars, DType::F32, &Device::Cpu).pp("bert.embeddings");
/// let positions = LearnedPositions::load(512, 64, vb.pp("position_embeddings"))?;
/// let bert = TokenEmbedding::load(1000, 64, vb.pp("word_embeddings"), positions)?
///     .load_segments(2, vb.pp("token_type_embeddings"))?;
///
/// let ids = Tensor::new(&[[101_u32, 7, 102]], &Device::Cpu)?; // (batch, len)
/// assert_eq!(bert.forward(&ids)?.dims(), [1, 3, 64]);
/// assert_eq!(vars.all_vars().len(), 3);
/// # Ok::<(), candle_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct TokenEmbedding<P> {
    words: Tensor,
    segments: Option<Tensor>,
    scale: Option<f64>,
    positions: P,
}

impl<P: AddPositions> TokenEmbedding<P> {
    /// Makes the layer from a word table (vocabulary, dim) and an encoding of the same dim.
    ///
    /// # Errors
    ///
    /// An error unless the table has two axes.
    pub fn new(words: Tensor, positions: P) -> Result<Self> {
        words.dims2()?;
        Ok(Self { words, segments: None, scale: None, positions })
    }

    /// Reads the word table `weight` (vocabulary, dim) of a model, or, if the builder makes
    /// variables, makes a new one with values from N(0, 0.02²).
    ///
    /// # Errors
    ///
    /// The errors of [`VarBuilder::get_with_hints`].
    pub fn load(vocabulary: usize, dim: usize, vb: VarBuilder<'_>, positions: P) -> Result<Self> {
        Self::new(vb.get_with_hints((vocabulary, dim), "weight", NEW)?, positions)
    }

    /// Adds a segment (token type) table (segments, dim). Where a lookup has no segment ids, all
    /// tokens are in segment 0.
    ///
    /// # Errors
    ///
    /// An error if its width differs from that of the words.
    pub fn with_segments(mut self, segments: Tensor) -> Result<Self> {
        let (expected, found) = (self.words.dims2()?.1, segments.dims2()?.1);
        if expected != found {
            return Err(wrap(Error::WidthMismatch { expected, found }));
        }
        self.segments = Some(segments);
        Ok(self)
    }

    /// Reads the segment table `weight` of a model: see [`load`](Self::load).
    ///
    /// # Errors
    ///
    /// The errors of [`VarBuilder::get_with_hints`].
    pub fn load_segments(self, segments: usize, vb: VarBuilder<'_>) -> Result<Self> {
        let dim = self.words.dims2()?.1;
        self.with_segments(vb.get_with_hints((segments, dim), "weight", NEW)?)
    }

    /// Multiplies word rows by `scale`: √dim in the paper, Marian and BART with `scale_embedding`.
    ///
    /// # Errors
    ///
    /// An error if the scale is not finite.
    pub fn with_scale(mut self, scale: f64) -> Result<Self> {
        if !scale.is_finite() {
            return Err(wrap(Error::InvalidFactor { factor: scale }));
        }
        self.scale = Some(scale);
        Ok(self)
    }

    /// Returns the word table (vocabulary, dim), which many models also use for their output.
    pub fn words(&self) -> &Tensor {
        &self.words
    }

    /// Returns the encoding of positions.
    pub fn positions(&self) -> &P {
        &self.positions
    }

    /// Returns the input for `ids` (…, len), segment ids of the same shape, and the given
    /// positions.
    ///
    /// # Errors
    ///
    /// An error if an id has no row, if shapes differ, if tensors are on different devices, and for
    /// segments without a table.
    ///
    /// ```
    /// use candle_core::{Device, Tensor};
    /// use positional_encodings::NoPositions;
    /// use positional_encodings_candle::{PositionVectors, TokenEmbedding};
    ///
    /// let table = |values: &[f32]| Tensor::from_slice(values, (values.len(), 1), &Device::Cpu);
    /// let none = PositionVectors::new(NoPositions::new(1)?);
    /// let embedding = TokenEmbedding::new(table(&[1.0, 2.0])?, none)?.with_segments(table(&[10.0, 20.0])?)?;
    /// let ids = Tensor::new(&[1_u32, 0], &Device::Cpu)?;
    /// let input = embedding.forward_at(&ids, Some(&ids), 5..7)?;
    /// assert_eq!(input.to_vec2::<f32>()?, [[22.0], [11.0]]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn forward_at<'p>(
        &self,
        ids: &Tensor,
        segments: Option<&Tensor>,
        positions: impl Into<Positions<'p>>,
    ) -> Result<Tensor> {
        let mut sum = rows(&self.words, ids)?;
        if let Some(scale) = self.scale {
            sum = (sum * scale)?;
        }
        sum = match (&self.segments, segments) {
            (Some(table), Some(segments)) => (sum + rows(table, segments)?)?,
            (Some(table), None) => sum.broadcast_add(&table.narrow(0, 0, 1)?)?,
            (None, Some(_)) => candle_core::bail!("segments were given, but there is no table"),
            (None, None) => sum,
        };
        self.positions.add_at(&sum, &positions.into())
    }
}

/// The initial values of a new table, as in BERT and GPT-2.
const NEW: Init = Init::Randn { mean: 0.0, stdev: 0.02 };

/// Returns the rows of a table, one for each id.
fn rows(table: &Tensor, ids: &Tensor) -> Result<Tensor> {
    let mut shape = ids.dims().to_vec();
    shape.push(table.dim(D::Minus1)?);
    table.index_select(&ids.flatten_all()?, 0)?.reshape(shape)
}

impl<P: AddPositions> Module for TokenEmbedding<P> {
    fn forward(&self, ids: &Tensor) -> Result<Tensor> {
        match *ids.dims() {
            [.., len] => self.forward_at(ids, None, 0..len),
            [] => Err(wrap(Error::TooFewAxes { expected: 1, found: 0 })),
        }
    }
}
