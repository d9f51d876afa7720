//! The encodings by name: where each enters a transformer, and its type in `positional-encodings`.

use candle_core::{D, Device, Tensor};
use ndarray::{Array1, Array2};
use positional_encodings_candle::positional_encodings::bias::AlibiForm;
use positional_encodings_candle::positional_encodings::training::{
    Activation, Differentiable, DifferentiableBias, DistanceNetwork, Layers, LearnedFrequencies,
    Linear, PositionNetwork, Spacing,
};
use positional_encodings_candle::positional_encodings::{
    Alibi, Frequencies, Init, Learned, NoPositions, Pairing, Rotary, Sinusoidal, T5Bias,
};
use positional_encodings_candle::{Rope, RopePlan, bias_tensor};
use rand::Rng;
use rand_distr::{Distribution, Normal};

use crate::Result;
use crate::learning::{Bias, Learning, Vectors};
use crate::parameters::Scope;

/// The standard deviation of new tables, of words and of positions: about that of a sinusoid, so
/// that they have similar magnitudes.
pub const TABLE_STD: f64 = 0.5;

/// A way to tell a model where its tokens are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// No positions: an encoder without a mask sees a bag of words.
    None,
    /// No positions, but each token attends only to those before it (NoPE).
    Nope,
    /// sin, cos of p / 10000^(2i/dim), added: the first formula of the article on which this crate
    /// was founded.
    Sinusoidal,
    /// sin, cos of p in every pair, added: the article's worked example.
    Radian,
    /// sin, cos of πpk/n for k = 1..=n, then zeros, added: the article's code.
    Harmonics,
    /// sin, cos of 2πp/max_len, then zeros, added: the article's periodic formula.
    Circle,
    /// The sinusoid beside the words instead of added to them: the article's dimension expansion.
    Concatenated,
    /// A table, added.
    Learned,
    /// A sinusoid whose frequencies are learned, added.
    Frequencies,
    /// Two linear layers on a sinusoid, added.
    Network,
    /// Queries and keys rotated.
    Rotary,
    /// A slope of the distance on the scores.
    Alibi,
    /// A table of distances on the scores.
    T5,
    /// A network of the distance on the scores.
    DistanceNetwork,
}

/// The size for which an encoding is made.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    /// The width of the model.
    pub dim: usize,
    /// The number of heads.
    pub heads: usize,
    /// The number of positions in training.
    pub max_len: usize,
    /// Whether tokens attend only to those before them.
    pub causal: bool,
}

impl Encoding {
    /// All encodings, by their names.
    pub const ALL: [(&'static str, Encoding); 14] = [
        ("none", Encoding::None),
        ("nope", Encoding::Nope),
        ("sinusoidal", Encoding::Sinusoidal),
        ("radian", Encoding::Radian),
        ("harmonics", Encoding::Harmonics),
        ("circle", Encoding::Circle),
        ("concatenated", Encoding::Concatenated),
        ("learned", Encoding::Learned),
        ("frequencies", Encoding::Frequencies),
        ("network", Encoding::Network),
        ("rotary", Encoding::Rotary),
        ("alibi", Encoding::Alibi),
        ("t5", Encoding::T5),
        ("distance-network", Encoding::DistanceNetwork),
    ];

    /// Finds an encoding.
    ///
    /// # Errors
    ///
    /// A message that lists all names.
    pub fn named(name: &str) -> Result<Self> {
        let found = Self::ALL.iter().find(|(known, _)| *known == name);
        found.map(|(_, encoding)| *encoding).ok_or_else(|| {
            let names: Vec<&str> = Self::ALL.iter().map(|(name, _)| *name).collect();
            format!("unknown encoding {name:?}: there are {}", names.join(", ")).into()
        })
    }

    /// The name.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, encoding)| *encoding == self).map_or("", |(name, _)| name)
    }

    /// Returns whether a token of an encoder attends only to those before it.
    pub fn masks(self) -> bool {
        self == Self::Nope
    }

    /// Returns whether the encoding has vectors only for the positions of training.
    pub fn is_table(self) -> bool {
        self == Self::Learned
    }

    /// Returns whether the encoding enters at the embeddings, as a model without attention needs.
    pub fn is_of_embeddings(self) -> bool {
        !matches!(self, Self::Rotary | Self::Alibi | Self::T5 | Self::DistanceNetwork | Self::Nope)
    }

    /// Makes the positions of a model, with their parameters.
    ///
    /// # Errors
    ///
    /// An error where no encoding of this size exists, such as rotations for heads of odd width.
    pub fn build(self, size: Size, scope: &Scope<'_>) -> Result<Positional> {
        let learning = |vectors| Learning::new(Vectors(vectors), scope);
        Ok(match self {
            Self::None | Self::Nope => Positional::Nothing,
            Self::Concatenated => {
                Positional::Beside(learning(Box::new(Sinusoidal::new(beside(size.dim))?))?)
            }
            Self::Rotary => Positional::Rotated(Rope::new(rotary(size)?)),
            Self::Alibi => {
                let form = if size.causal { AlibiForm::Causal } else { AlibiForm::Symmetric };
                Positional::Sloped(Alibi::new(size.heads)?.with_form(form))
            }
            Self::T5 | Self::DistanceNetwork => {
                Positional::Biased(Learning::new(Bias(self.bias(size, scope)?), scope)?)
            }
            _ => Positional::Added(learning(self.vectors(size, scope)?)?),
        })
    }

    /// Makes the encoding that is added to embeddings.
    ///
    /// # Errors
    ///
    /// The errors of its constructor.
    pub fn vectors(self, size: Size, scope: &Scope<'_>) -> Result<Box<dyn Differentiable<f32>>> {
        let Size { dim, max_len, .. } = size;
        let mut rng = scope.rng("positions");
        Ok(match self {
            Self::Sinusoidal => Box::new(Sinusoidal::new(dim)?),
            Self::Radian => {
                Box::new(Sinusoidal::from_frequencies(Frequencies::geometric(dim, 1.0)?))
            }
            Self::Harmonics => {
                // Harmonics in three quarters of the width, and zeros in the rest.
                let harmonics = dim / 8 * 3;
                let frequencies = Frequencies::harmonic(2 * harmonics, 2.0 * harmonics as f64)?;
                Box::new(Sinusoidal::from_frequencies(frequencies).padded_to(dim)?)
            }
            Self::Circle => {
                let circle = Frequencies::harmonic(2, max_len as f64)?;
                Box::new(Sinusoidal::from_frequencies(circle).padded_to(dim)?)
            }
            Self::Learned => {
                let init = Init::Normal { std: TABLE_STD };
                Box::new(Learned::<f32>::init(max_len, dim, init, &mut rng)?)
            }
            Self::Frequencies => Box::new(LearnedFrequencies::new(Sinusoidal::new(dim)?)),
            Self::Network => {
                let [first, second] = [(); 2].map(|()| linear(dim, dim, &mut rng));
                let inner = Sinusoidal::new(dim)?;
                Box::new(PositionNetwork::new(inner, first?, Activation::Gelu, second?)?)
            }
            _ => Box::new(NoPositions::new(dim)?),
        })
    }

    /// Makes the learned bias.
    ///
    /// # Errors
    ///
    /// The errors of its constructor.
    pub fn bias(self, size: Size, scope: &Scope<'_>) -> Result<Box<dyn DifferentiableBias<f32>>> {
        let Size { heads, causal, .. } = size;
        let mut rng = scope.rng("positions");
        if self == Self::DistanceNetwork {
            let layers = [linear(1, 32, &mut rng)?, linear(32, heads, &mut rng)?];
            let layers = Layers::new(layers, Activation::Silu)?;
            return Ok(Box::new(DistanceNetwork::new(layers, Spacing::Log)?));
        }
        let (table, max_distance) = (Array2::zeros((32, heads)), 128);
        Ok(Box::new(match causal {
            true => T5Bias::causal(table, max_distance)?,
            false => T5Bias::bidirectional(table, max_distance)?,
        }))
    }
}

/// Returns the number of position features where positions are beside the words.
fn beside(dim: usize) -> usize {
    (dim / 8 * 2).max(2)
}

fn rotary(size: Size) -> Result<Rotary> {
    let width = size.dim / size.heads.max(1);
    let frequencies = Frequencies::geometric(width, 10_000.0)
        .map_err(|error| format!("rotary, heads of {width} features: {error}"))?;
    Ok(Rotary::new(frequencies, Pairing::Halves))
}

/// Makes a linear layer with Glorot's initialisation.
fn linear(inputs: usize, outputs: usize, rng: &mut impl Rng) -> Result<Linear<f32>> {
    let std = (2.0 / (inputs + outputs) as f64).sqrt();
    let normal = Normal::new(0.0, std).map_err(|error| error.to_string())?;
    let weight = Array2::from_shape_fn((outputs, inputs), |_| normal.sample(rng) as f32);
    Ok(Linear::new(weight)?.with_bias(Array1::zeros(outputs))?)
}

/// The positions of a model, by the place where they enter it.
pub enum Positional {
    /// No positions.
    Nothing,
    /// Added to the embeddings.
    Added(Learning),
    /// Beside the embeddings.
    Beside(Learning),
    /// Rotating queries and keys.
    Rotated(Rope),
    /// Slopes on the scores, which are not learned.
    Sloped(Alibi),
    /// A bias on the scores.
    Biased(Learning),
}

impl Positional {
    /// Returns the number of features that are left for the words.
    pub fn width_of_words(&self, dim: usize) -> usize {
        if let Self::Beside(_) = self { dim.saturating_sub(beside(dim)) } else { dim }
    }

    /// Returns words (batch, len, width) with their positions, (batch, len, dim).
    ///
    /// # Errors
    ///
    /// An error where there is no such position.
    pub fn embed(&self, words: &Tensor) -> candle_core::Result<Tensor> {
        let (batch, len, _) = words.dims3()?;
        match self {
            Self::Added(vectors) => words.broadcast_add(&vectors.at(len)?),
            Self::Beside(vectors) => {
                let vectors = vectors.at(len)?;
                let vectors = vectors.broadcast_as((batch, len, vectors.dim(D::Minus1)?))?;
                Tensor::cat(&[words, &vectors], D::Minus1)
            }
            _ => Ok(words.clone()),
        }
    }

    /// Returns the data of the layers for sequences of a length.
    ///
    /// # Errors
    ///
    /// The errors of the encoding.
    pub fn plan(&self, len: usize, causal: bool) -> candle_core::Result<Plan> {
        let rope = match self {
            Self::Rotated(rope) => Some(rope.at(0..len)?),
            _ => None,
        };
        let bias = match self {
            Self::Sloped(alibi) => {
                Some(bias_tensor::<f32, _>(alibi, 0..len, 0..len, &Device::Cpu)?)
            }
            Self::Biased(bias) => Some(bias.at(len)?),
            _ => None,
        };
        let mask = if causal { Some(mask(len)?) } else { None };
        let bias = match (bias, mask) {
            (Some(bias), Some(mask)) => Some(bias.broadcast_add(&mask)?),
            (bias, mask) => bias.or(mask),
        };
        Ok(Plan { rope, bias })
    }
}

/// The data that the layers of a model share in one pass.
pub struct Plan {
    /// The rotation of queries and keys.
    pub rope: Option<RopePlan>,
    /// Bias and mask of the scores, (heads or 1, len, len).
    pub bias: Option<Tensor>,
}

/// Returns a mask (1, len, len) that hides the tokens after each token.
fn mask(len: usize) -> candle_core::Result<Tensor> {
    let hidden = |index: usize| if index % len > index / len { f32::NEG_INFINITY } else { 0.0 };
    Tensor::from_vec((0..len * len).map(hidden).collect(), (1, len, len), &Device::Cpu)
}
