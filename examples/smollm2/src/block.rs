//! One layer: attention, whose queries and keys are rotated, and a gated network.

use candle_core::quantized::QMatMul;
use candle_core::{Module, Result, Tensor};
use candle_nn::RmsNorm;
use candle_nn::kv_cache::KvCache;
use candle_nn::ops::silu;

use crate::attention::attention;
use crate::model::{Shape, norm};
use crate::recipe::Turn;
use crate::session::Profile;

/// The weights of a layer.
pub struct Block {
    shape: Shape,
    index: usize,
    attention_norm: RmsNorm,
    query: QMatMul,
    key: QMatMul,
    value: QMatMul,
    output: QMatMul,
    mlp_norm: RmsNorm,
    gate: QMatMul,
    up: QMatMul,
    down: QMatMul,
}

impl Block {
    pub(crate) fn new(
        shape: &Shape,
        index: usize,
        tensor: &mut impl FnMut(&str) -> Result<QMatMul>,
    ) -> Result<Self> {
        let mut weight = |name: &str| tensor(&format!("blk.{index}.{name}.weight"));
        let attention_norm = norm(shape, weight("attn_norm")?)?;
        let mlp_norm = norm(shape, weight("ffn_norm")?)?;
        Ok(Self {
            shape: *shape,
            index,
            attention_norm,
            query: weight("attn_q")?,
            key: weight("attn_k")?,
            value: weight("attn_v")?,
            output: weight("attn_output")?,
            mlp_norm,
            gate: weight("ffn_gate")?,
            up: weight("ffn_up")?,
            down: weight("ffn_down")?,
        })
    }

    /// Returns the next vectors (1, tokens, dim), and stores keys and values of the tokens in the
    /// cache.
    ///
    /// # Errors
    ///
    /// The errors of candle and of the rotation.
    pub fn forward(
        &self,
        xs: &Tensor,
        turn: &Turn,
        cache: &mut KvCache,
        profile: &mut Profile,
    ) -> Result<Tensor> {
        let normed = self.attention_norm.forward(xs)?;
        let heads = |matrix: &QMatMul, heads: usize| {
            let split = (1, xs.dim(1)?, heads, self.shape.head_dim);
            matrix.forward(&normed)?.reshape(split)?.transpose(1, 2)?.contiguous()
        };
        let Shape { heads: queries, kv_heads, .. } = self.shape;
        let (q, k) = (heads(&self.query, queries)?, heads(&self.key, kv_heads)?);
        let v = heads(&self.value, kv_heads)?;
        let rotate = || Result::Ok((turn.rotate(self.index, q)?, turn.rotate(self.index, k)?));
        let (q, k) = profile.positions.time(rotate)?;
        let mixed = profile.attention.time(|| self.attend(&q, &k, &v, cache))?;
        let xs = (xs + self.output.forward(&mixed)?)?;
        let normed = self.mlp_norm.forward(&xs)?;
        let gated = (silu(&self.gate.forward(&normed)?)? * self.up.forward(&normed)?)?;
        xs + self.down.forward(&gated)?
    }

    /// Returns the attention (1, tokens, dim) to the tokens themselves and to those of the cache.
    fn attend(&self, q: &Tensor, k: &Tensor, v: &Tensor, cache: &mut KvCache) -> Result<Tensor> {
        let (k, v) = cache.append(k, v)?;
        let mixed = attention(&q.squeeze(0)?, &k.squeeze(0)?, &v.squeeze(0)?)?;
        mixed.flatten_from(1)?.unsqueeze(0)
    }
}
