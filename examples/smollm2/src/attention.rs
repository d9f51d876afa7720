//! Attention of queries to their own tokens and to earlier ones.

use candle_core::{Device, Result, Tensor};
use candle_nn::ops::softmax_last_dim;

use crate::softmax::CausalSoftmax;

/// The bytes of the scores that are in memory at a time. The system's allocator keeps a tensor of
/// this size for the next one, and asks the system for new pages for a larger one.
const BYTES: usize = 32 << 20;

/// Returns the attention (queries, heads, dim) of queries (heads, queries, dim), which are the last
/// tokens, to keys and values (heads of keys, keys, dim).
pub(crate) fn attention(q: &Tensor, k: &Tensor, v: &Tensor) -> Result<Tensor> {
    let (heads, queries, dim) = q.dims3()?;
    let q = (q / (dim as f64).sqrt())?;
    let at_a_time = BYTES / (size_of::<f32>() * heads * k.dim(1)?);
    if queries <= at_a_time { whole(&q, k, v) } else { in_blocks(&q, k, v, at_a_time.max(1)) }
}

/// Computes the attention of all queries at a time by candle's operations, with the bits of
/// candle's own model.
fn whole(q: &Tensor, k: &Tensor, v: &Tensor) -> Result<Tensor> {
    let (queries, keys) = (q.dim(1)?, k.dim(1)?);
    let scores = scores(q, k)?;
    if queries > 1 {
        let own = scores.narrow(2, keys - queries, queries)?;
        scores.slice_set(&own.broadcast_add(&future(queries)?)?, 2, keys - queries)?;
    }
    mixed(&softmax_last_dim(&scores)?, v)
}

/// Computes the attention of some queries at a time. Their scores turn into shares in place.
fn in_blocks(q: &Tensor, k: &Tensor, v: &Tensor, at_a_time: usize) -> Result<Tensor> {
    let (queries, keys) = (q.dim(1)?, k.dim(1)?);
    let block = |start: usize| {
        let count = at_a_time.min(queries - start);
        let seen = keys - queries + start + count;
        let scores = scores(&q.narrow(1, start, count)?, &k.narrow(1, 0, seen)?)?;
        scores.inplace_op1(&CausalSoftmax)?;
        mixed(&scores, &v.narrow(1, 0, seen)?)
    };
    let blocks = (0..queries).step_by(at_a_time).map(block).collect::<Result<Vec<_>>>()?;
    Tensor::cat(&blocks, 0)
}

/// Returns scores (heads, queries, keys). Heads that share keys are stacked along rows, so that
/// keys are not repeated.
fn scores(q: &Tensor, k: &Tensor) -> Result<Tensor> {
    let (heads, queries, dim) = q.dims3()?;
    let (kv_heads, keys, _) = k.dims3()?;
    q.reshape((kv_heads, (), dim))?.matmul(&k.t()?)?.reshape((heads, queries, keys))
}

/// Returns the mean values (queries, heads, dim) by shares (heads, queries, keys).
fn mixed(shares: &Tensor, v: &Tensor) -> Result<Tensor> {
    let (heads, queries, keys) = shares.dims3()?;
    let (kv_heads, _, dim) = v.dims3()?;
    let mixed = shares.reshape((kv_heads, (), keys))?.matmul(v)?;
    mixed.reshape((heads, queries, dim))?.transpose(0, 1)
}

/// Returns a mask (len, len) with −∞ for later tokens.
fn future(len: usize) -> Result<Tensor> {
    let seen = |at: usize| if at % len > at / len { f32::NEG_INFINITY } else { 0.0 };
    Tensor::from_iter((0..len * len).map(seen), &Device::Cpu)?.reshape((len, len))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_give_the_whole() -> Result<()> {
        let random =
            |heads: usize, tokens| Tensor::randn(0_f32, 2.0, (heads, tokens, 8), &Device::Cpu);
        let (q, k, v) = (random(6, 7)?, random(2, 19)?, random(2, 19)?);
        let expected = whole(&q, &k, &v)?;
        for at_a_time in [1, 3, 7] {
            let found = in_blocks(&q, &k, &v, at_a_time)?;
            let change = (&found - &expected)?.abs()?.max_all()?.to_scalar::<f32>()?;
            assert!(change < 1e-5, "{change}");
        }
        Ok(())
    }
}
