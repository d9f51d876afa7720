//! A small transformer: layers of attention and a network, for encoders and decoders.

use candle_core::{D, IndexOp, Tensor};
use candle_nn::{Linear, Module};

use crate::Result;
use crate::encodings::{Encoding, Plan, Positional, Size, TABLE_STD};
use crate::ops::{normalise, softmax};
use crate::parameters::{Scope, Start};

/// The size of a model.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// The width.
    pub dim: usize,
    /// The number of heads.
    pub heads: usize,
    /// The number of layers.
    pub layers: usize,
}

/// The words of a model with their positions.
pub struct Embedding {
    words: Tensor,
    positional: Positional,
}

impl Embedding {
    /// Makes a table of words, N(0, ½²).
    ///
    /// # Errors
    ///
    /// The errors of [`Encoding::build`].
    pub fn new(
        vocabulary: usize,
        encoding: Encoding,
        size: Size,
        scope: &Scope<'_>,
    ) -> Result<Self> {
        let positional = encoding.build(size, scope)?;
        let width = positional.width_of_words(size.dim);
        let words = scope.get("words", (vocabulary, width), Start::Normal(TABLE_STD), false)?;
        Ok(Self { words, positional })
    }

    /// Embeds ids (batch, len), as (batch, len, dim).
    ///
    /// # Errors
    ///
    /// An error where there is no such id or position.
    pub fn forward(&self, ids: &Tensor) -> candle_core::Result<Tensor> {
        let (batch, len) = ids.dims2()?;
        let words = self.words.index_select(&ids.flatten_all()?, 0)?;
        self.positional.embed(&words.reshape((batch, len, ()))?)
    }

    /// The positions.
    pub fn positional(&self) -> &Positional {
        &self.positional
    }
}

/// Layers on an embedding: an encoder, a decoder, or a decoder with attention to an encoder's
/// output.
pub struct Transformer {
    embedding: Embedding,
    layers: Vec<Layer>,
    causal: bool,
}

impl Transformer {
    /// Makes a model of `vocabulary` tokens.
    ///
    /// # Errors
    ///
    /// An error where the width is not a multiple of the heads; the errors of [`Encoding::build`].
    pub fn new(
        vocabulary: usize,
        encoding: Encoding,
        shape: Shape,
        of: Kind,
        scope: &Scope<'_>,
    ) -> Result<Self> {
        let Shape { dim, heads, layers } = shape;
        if heads == 0 || dim == 0 || !dim.is_multiple_of(heads) {
            return Err(format!("a width of {dim} cannot be split into {heads} heads").into());
        }
        let causal = of.decodes || encoding.masks();
        let size = Size { dim, heads, max_len: of.max_len, causal };
        let embedding = Embedding::new(vocabulary, encoding, size, scope)?;
        let layer = |index| Layer::new(shape, of.crosses, &scope.at(&format!("{index}")));
        let layers = (0..layers).map(layer).collect::<candle_core::Result<_>>()?;
        Ok(Self { embedding, layers, causal })
    }

    /// Returns the output (batch, len, dim) for ids (batch, len) and an encoder's output, if any.
    ///
    /// # Errors
    ///
    /// An error where there is no such id or position.
    pub fn forward(&self, ids: &Tensor, memory: Option<&Tensor>) -> candle_core::Result<Tensor> {
        let plan = self.embedding.positional().plan(ids.dim(1)?, self.causal)?;
        let mut x = self.embedding.forward(ids)?;
        for layer in &self.layers {
            x = layer.forward(&x, memory, &plan)?;
        }
        normalise(&x)
    }
}

/// The use of a transformer.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    /// The number of positions in training.
    pub max_len: usize,
    /// Whether each token attends only to those before it, with any encoding.
    pub decodes: bool,
    /// Whether it attends to an encoder's output.
    pub crosses: bool,
}

struct Layer {
    own: Attention,
    cross: Option<Attention>,
    wide: Linear,
    narrow: Linear,
}

impl Layer {
    fn new(shape: Shape, crosses: bool, scope: &Scope<'_>) -> candle_core::Result<Self> {
        let Shape { dim, heads, .. } = shape;
        let cross = match crosses {
            true => Some(Attention::new(dim, heads, &scope.at("cross"))?),
            false => None,
        };
        Ok(Self {
            own: Attention::new(dim, heads, &scope.at("own"))?,
            cross,
            wide: Linear::new(scope.weight("wide", [4 * dim, dim])?, None),
            narrow: Linear::new(scope.weight("narrow", [dim, 4 * dim])?, None),
        })
    }

    fn forward(
        &self,
        x: &Tensor,
        memory: Option<&Tensor>,
        plan: &Plan,
    ) -> candle_core::Result<Tensor> {
        let normal = normalise(x)?;
        let mut x = (x + self.own.forward(&normal, &normal, plan)?)?;
        if let (Some(cross), Some(memory)) = (&self.cross, memory) {
            // Two sequences have no relative order, so this attention has no positions.
            let plain = Plan { rope: None, bias: None };
            x = (&x + cross.forward(&normalise(&x)?, memory, &plain)?)?;
        }
        let hidden = self.wide.forward(&normalise(&x)?)?.relu()?;
        &x + self.narrow.forward(&hidden)?
    }
}

/// Attention of several heads.
struct Attention {
    query: Linear,
    key_value: Linear,
    out: Linear,
    heads: usize,
}

impl Attention {
    fn new(dim: usize, heads: usize, scope: &Scope<'_>) -> candle_core::Result<Self> {
        Ok(Self {
            query: Linear::new(scope.weight("query", [dim, dim])?, None),
            key_value: Linear::new(scope.weight("key_value", [2 * dim, dim])?, None),
            out: Linear::new(scope.weight("out", [dim, dim])?, None),
            heads,
        })
    }

    fn forward(&self, x: &Tensor, memory: &Tensor, plan: &Plan) -> candle_core::Result<Tensor> {
        let (batch, len, dim) = x.dims3()?;
        let (keys, width) = (memory.dim(1)?, dim / self.heads);
        let mut q = self.query.forward(x)?.reshape((batch, len, self.heads, width))?;
        q = (q * (width as f64).powf(-0.5))?.transpose(1, 2)?.contiguous()?;
        let both = self.key_value.forward(memory)?;
        // (2, batch, heads, keys, width)
        let both = both.reshape((batch, keys, 2, self.heads, width))?.permute((2, 0, 3, 1, 4))?;
        let (mut k, v) = (both.i(0)?.contiguous()?, both.i(1)?.contiguous()?);
        if let Some(rope) = &plan.rope {
            (q, k) = (rope.only().rope(&q)?, rope.only().rope(&k)?);
        }
        let mut scores = q.matmul(&k.transpose(2, 3)?)?;
        if let Some(bias) = &plan.bias {
            scores = scores.broadcast_add(bias)?;
        }
        let mixed = softmax(&scores)?.matmul(&v)?.transpose(1, 2)?;
        self.out.forward(&mixed.reshape((batch, len, dim))?)
    }
}

/// Returns the mean over positions, (batch, len, dim) to (batch, dim).
///
/// # Errors
///
/// The errors of candle.
pub fn mean(x: &Tensor) -> candle_core::Result<Tensor> {
    x.mean(D::Minus2)
}
