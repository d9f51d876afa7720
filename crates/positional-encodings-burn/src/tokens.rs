//! From token ids to the input of an encoder: word row × scale + segment row + position vector.

use burn::config::Config;
use burn::module::{Module, Param};
use burn::tensor::module::embedding;
use burn::tensor::{Device, Int, Tensor};
use positional_encodings::{Error, Positions};

use crate::host::is_host;
use crate::refuse::{expect, new_rows, same, same_device};
use crate::vectors::AddPositions;

/// The configuration of a new embedding layer: a word table, an encoding of positions, and
/// optionally segments.
///
/// ```
/// use burn::tensor::{Device, Int, Tensor};
/// use positional_encodings_burn::{LearnedPositionsConfig, TokenEmbeddingConfig};
///
/// let device = Device::default();
/// let positions = LearnedPositionsConfig::new(512, 64).init(&device);
/// let bert = TokenEmbeddingConfig::new(1000).with_segments(2).init(positions, &device);
///
/// let ids = Tensor::<2, Int>::from_data([[101, 7, 102]], &device); // (batch, len)
/// assert_eq!(bert.forward(ids).dims(), [1, 3, 64]);
/// ```
#[derive(Config, Debug)]
pub struct TokenEmbeddingConfig {
    /// The number of words.
    pub vocabulary: usize,
    /// The number of segments (token types); 0 for none.
    #[config(default = 0)]
    pub segments: usize,
    /// The factor of word rows: √dim in the paper, Marian and BART with `scale_embedding`.
    #[config(default = 1.0)]
    pub scale: f64,
    /// The standard deviation of new rows, which are normally distributed; 0.02 as in BERT and
    /// GPT-2.
    #[config(default = 0.02)]
    pub deviation: f64,
}

impl TokenEmbeddingConfig {
    /// Makes the layer on a device, with new tables of the encoding's dim.
    ///
    /// # Panics
    ///
    /// Panics if the scale is not finite, or the deviation is negative or not finite.
    #[track_caller]
    pub fn init<P: AddPositions>(&self, positions: P, device: &Device) -> TokenEmbedding<P> {
        let values = expect(new_rows(self.deviation));
        let table = |rows| Tensor::random([rows, positions.dim()], values, device);
        let words = table(self.vocabulary);
        let segments = (self.segments > 0).then(|| table(self.segments));
        expect(TokenEmbedding::new(words, segments, self.scale, positions))
    }
}

/// The embedding layer of a transformer: word rows times a scale, plus segment rows, plus position
/// vectors, summed in this order, as in BERT.
///
/// An id without a row panics on flex, burn's CPU backend. On other devices ids are not read, and
/// the result for such an id depends on the backend.
///
/// In a record the tables are called `words` and `segments`.
#[derive(Module, Debug)]
pub struct TokenEmbedding<P: AddPositions> {
    words: Param<Tensor<2>>,
    segments: Option<Param<Tensor<2>>>,
    #[module(skip)]
    scale: f64,
    positions: P,
}

impl<P: AddPositions> TokenEmbedding<P> {
    /// Makes the layer from a word table (vocabulary, dim), a segment table (segments, dim), the
    /// factor of word rows, and an encoding of the same dim. The tables become trainable
    /// parameters.
    ///
    /// # Errors
    ///
    /// [`Error::WidthMismatch`] where a dim differs; [`Error::InvalidFactor`] where the scale is
    /// not finite.
    pub fn new(
        words: Tensor<2>,
        segments: Option<Tensor<2>>,
        scale: f64,
        positions: P,
    ) -> Result<Self, Error> {
        if !scale.is_finite() {
            return Err(Error::InvalidFactor { factor: scale });
        }
        let expected = positions.dim();
        for [_, found] in [&words].into_iter().chain(&segments).map(Tensor::dims) {
            if found != expected {
                return Err(Error::WidthMismatch { expected, found });
            }
        }
        let (words, segments) = (Param::from_tensor(words), segments.map(Param::from_tensor));
        Ok(Self { words, segments, scale, positions })
    }

    /// Returns the word table (vocabulary, dim), which many models also use for their output.
    pub fn words(&self) -> Tensor<2> {
        self.words.val()
    }

    /// Returns the encoding of positions.
    pub fn positions(&self) -> &P {
        &self.positions
    }

    /// Returns the input (batch, len, dim) for `ids` (batch, len) in segment 0 at positions 0..len.
    ///
    /// # Panics
    ///
    /// Panics where [`forward_at`](Self::forward_at) does.
    #[track_caller]
    pub fn forward(&self, ids: Tensor<2, Int>) -> Tensor<3> {
        let [_, len] = ids.dims();
        self.forward_at(ids, None, 0..len)
    }

    /// Returns the input (batch, len, dim) for `ids` (batch, len), segment ids of the same shape,
    /// and the given positions.
    ///
    /// # Panics
    ///
    /// Panics if shapes differ, if tensors are on different devices, or for segments without a
    /// table. On flex it also panics if an id has no row; on other devices ids are not read, and
    /// the result for such an id depends on the backend.
    ///
    /// ```
    /// use burn::tensor::{Device, Int, Tensor};
    /// use positional_encodings::NoPositions;
    /// use positional_encodings_burn::{PositionVectors, TokenEmbedding};
    ///
    /// let device = Device::default();
    /// let words = Tensor::from_data([[1.0], [2.0]], &device);
    /// let segments = Tensor::from_data([[10.0], [20.0]], &device);
    /// let none = PositionVectors::new(NoPositions::new(1)?);
    /// let embedding = TokenEmbedding::new(words, Some(segments), 1.0, none)?;
    /// let ids = Tensor::<2, Int>::from_data([[1, 0]], &device);
    /// let input = embedding.forward_at(ids.clone(), Some(ids), 5..7).into_data();
    /// assert_eq!(input.as_slice::<f32>().unwrap(), [22.0, 11.0]);
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    #[track_caller]
    pub fn forward_at<'p>(
        &self,
        ids: Tensor<2, Int>,
        segments: Option<Tensor<2, Int>>,
        positions: impl Into<Positions<'p>>,
    ) -> Tensor<3> {
        let shape = ids.dims();
        if let Some(segments) = &segments {
            assert!(self.segments.is_some(), "segments were given, but there is no table of them");
            for (what, axis) in [("rows of segments", 0), ("segments", 1)] {
                expect(same(what, shape[axis], segments.dims()[axis]));
            }
        }
        let mut sum = rows("words", &self.words, ids);
        if self.scale != 1.0 {
            sum = sum * self.scale;
        }
        sum = match (&self.segments, segments) {
            (Some(table), Some(segments)) => sum + rows("segments", table, segments),
            (Some(table), None) => sum + table.val().narrow(0, 0, 1).unsqueeze(),
            (None, _) => sum,
        };
        self.positions.add_at(sum, &positions.into())
    }
}

/// Returns the rows of a table, one for each id.
#[track_caller]
fn rows(what: &str, table: &Param<Tensor<2>>, ids: Tensor<2, Int>) -> Tensor<3> {
    let table = table.val();
    same_device(&table.device(), &ids.device(), what);
    let [count, _] = table.dims();
    if is_host(&ids.device().inner()) {
        let ids = expect(ids.clone().try_into_vec_as::<i64>());
        let outside = ids.iter().find(|&&id| usize::try_from(id).map_or(true, |id| id >= count));
        if let Some(id) = outside {
            panic!("id {id} is outside a table of {count} {what}")
        }
    }
    embedding(table, ids)
}
