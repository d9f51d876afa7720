//! The layers above the embeddings, on candle: this crate is no inference library.

use candle_core::{D, Device, Module, Tensor};
use candle_nn::{LayerNorm, Linear, ops::softmax};
use ndarray::Array2;
use positional_encodings::checkpoint::Checkpoint;

use crate::Result;

const LAYERS: usize = 6;
const HEADS: usize = 12;
const EPSILON: f64 = 1e-12;

/// LayerNorm, six transformer layers, the mean over the tokens, scaled to norm 1.
pub struct Encoder {
    norm: LayerNorm,
    layers: Vec<Layer>,
}

struct Layer {
    query: Linear,
    key: Linear,
    value: Linear,
    attended: Linear,
    attended_norm: LayerNorm,
    wide: Linear,
    narrow: Linear,
    norm: LayerNorm,
}

impl Encoder {
    /// Reads the weights by their names in BERT's checkpoints, one tensor at a time.
    pub fn load(checkpoint: &mut Checkpoint) -> Result<Self> {
        let norm = layer_norm(checkpoint, "embeddings.LayerNorm")?;
        let layers =
            (0..LAYERS).map(|index| Layer::load(checkpoint, &format!("encoder.layer.{index}")));
        let layers = layers.collect::<Result<_>>()?;
        Ok(Self { norm, layers })
    }

    /// Returns the input of the first layer: the sum of the embeddings after its LayerNorm.
    pub fn normalised(&self, sums: &Array2<f32>) -> Result<Tensor> {
        let flat: Vec<f32> = sums.iter().copied().collect();
        Ok(self.norm.forward(&Tensor::from_vec(flat, sums.dim(), &Device::Cpu)?)?)
    }

    /// Returns the vector of one sentence from the sums of its embeddings, shape (tokens, dim).
    pub fn encode(&self, sums: &Array2<f32>) -> Result<Vec<f32>> {
        let tokens = self
            .layers
            .iter()
            .try_fold(self.normalised(sums)?, |tokens, layer| layer.forward(&tokens))?;
        let mean = tokens.mean(0)?;
        let length = mean.sqr()?.sum_all()?.sqrt()?;
        Ok(mean.broadcast_div(&length)?.to_vec1()?)
    }
}

impl Layer {
    fn load(checkpoint: &mut Checkpoint, prefix: &str) -> Result<Self> {
        let mut linear = |name: &str| linear(checkpoint, &format!("{prefix}.{name}"));
        let [query, key, value] = [
            linear("attention.self.query")?,
            linear("attention.self.key")?,
            linear("attention.self.value")?,
        ];
        let (attended, wide, narrow) = (
            linear("attention.output.dense")?,
            linear("intermediate.dense")?,
            linear("output.dense")?,
        );
        let attended_norm =
            layer_norm(checkpoint, &format!("{prefix}.attention.output.LayerNorm"))?;
        let norm = layer_norm(checkpoint, &format!("{prefix}.output.LayerNorm"))?;
        Ok(Self { query, key, value, attended, attended_norm, wide, narrow, norm })
    }

    fn forward(&self, tokens: &Tensor) -> Result<Tensor> {
        let (len, dim) = tokens.dims2()?;
        let heads = |linear: &Linear| {
            linear
                .forward(tokens)?
                .reshape((len, HEADS, dim / HEADS))?
                .transpose(0, 1)?
                .contiguous()
        };
        let (query, key, value) = (heads(&self.query)?, heads(&self.key)?, heads(&self.value)?);
        let scores = (query.matmul(&key.t()?.contiguous()?)? / ((dim / HEADS) as f64).sqrt())?;
        let mixed = softmax(&scores, D::Minus1)?.matmul(&value)?;
        let mixed = mixed.transpose(0, 1)?.contiguous()?.reshape((len, dim))?;
        let attended = self.attended_norm.forward(&(self.attended.forward(&mixed)? + tokens)?)?;
        let wide = self.wide.forward(&attended)?.gelu_erf()?;
        Ok(self.norm.forward(&(self.narrow.forward(&wide)? + attended)?)?)
    }
}

fn linear(checkpoint: &mut Checkpoint, prefix: &str) -> Result<Linear> {
    let linear = checkpoint.linear::<f32>(prefix)?;
    let weight: Vec<f32> = linear.weight().iter().copied().collect();
    let weight = Tensor::from_vec(weight, linear.weight().dim(), &Device::Cpu)?;
    let bias = linear
        .bias()
        .map(|bias| Tensor::from_vec(bias.to_vec(), bias.len(), &Device::Cpu))
        .transpose()?;
    Ok(Linear::new(weight, bias))
}

fn layer_norm(checkpoint: &mut Checkpoint, prefix: &str) -> Result<LayerNorm> {
    let mut list = |name: &str| -> Result<Tensor> {
        let list = checkpoint.vector::<f32>(&format!("{prefix}.{name}"))?;
        Ok(Tensor::from_vec(list.to_vec(), list.len(), &Device::Cpu)?)
    };
    Ok(LayerNorm::new(list("weight")?, list("bias")?, EPSILON))
}
