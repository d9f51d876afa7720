//! Softmax over the tokens that a query may see, in place.

use candle_core::{CpuStorage, InplaceOp1, Layout, Result, bail};
use rayon::prelude::*;

/// Turns scores (heads, queries, keys), the last queries of as many tokens as there are keys, into
/// shares: those of each query add up to 1, and later tokens have none.
///
/// candle's own softmax fills new memory, wants a mask to be added first, and takes one exponential
/// at a time: with 16,384 keys these were a third of the time of a pass.
pub(crate) struct CausalSoftmax;

impl InplaceOp1 for CausalSoftmax {
    fn name(&self) -> &'static str {
        "causal softmax"
    }

    fn cpu_fwd(&self, storage: &mut CpuStorage, layout: &Layout) -> Result<()> {
        let (_, queries, keys) = layout.shape().dims3()?;
        let (CpuStorage::F32(scores), Some((start, end))) = (storage, layout.contiguous_offsets())
        else {
            bail!("scores must be contiguous and f32")
        };
        let Some(past) = keys.checked_sub(queries) else {
            bail!("{queries} queries have {keys} keys")
        };
        scores[start..end].par_chunks_mut(keys).enumerate().for_each(|(row, scores)| {
            let (seen, later) = scores.split_at_mut(past + row % queries + 1);
            softmax(seen);
            later.fill(0.0);
        });
        Ok(())
    }
}

fn softmax(scores: &mut [f32]) {
    let largest = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    scores.iter_mut().for_each(|score| *score = exp(*score - largest));
    let scale = 1.0 / sum(scores);
    scores.iter_mut().for_each(|score| *score *= scale);
}

/// Returns e^x for x ≤ 0, to 2⁻²², without branches, so that the compiler takes several at a time.
fn exp(x: f32) -> f32 {
    const ROUND: f32 = 1.5 * (1 << 23) as f32; // Numbers of this size have no fraction.
    let x = x.max(-87.0);
    let rounded = x * std::f32::consts::LOG2_E + ROUND;
    let whole = rounded - ROUND;
    let r = x - whole * 0.693_359_4 + whole * 2.121_944_4e-4; // |r| ≤ ln 2 / 2
    let series = [1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0, 1.0];
    let power = series.iter().fold(1.0 / 720.0, |sum, factor| sum * r + factor);
    f32::from_bits(power.to_bits().wrapping_add(rounded.to_bits() << 23))
}

/// Returns the sum of scores, by eight sums that the compiler takes at a time.
fn sum(scores: &[f32]) -> f32 {
    let (blocks, rest) = scores.as_chunks::<8>();
    let sums = blocks.iter().fold([0.0; 8], |sums: [f32; 8], block| {
        std::array::from_fn(|lane| sums[lane] + block[lane])
    });
    sums.iter().chain(rest).sum()
}

#[cfg(test)]
mod tests {
    use candle_core::{D, DType, Device, Tensor};

    use super::*;

    /// Compares with candle's softmax of masked scores in f64.
    #[test]
    fn shares_equal_the_softmax_of_masked_scores() -> Result<()> {
        let (heads, queries, keys) = (2, 5, 23);
        let number = |i: usize| ((i * 7919) % 1013) as f32 / 20.0 - 30.0;
        let scores = Tensor::from_iter((0..heads * queries * keys).map(number), &Device::Cpu)?;
        let scores = scores.reshape((heads, queries, keys))?;
        let hidden =
            |i: usize| if i % keys > keys - queries + i / keys { f64::NEG_INFINITY } else { 0.0 };
        let mask = Tensor::from_iter((0..queries * keys).map(hidden), &Device::Cpu)?;
        let masked = scores.to_dtype(DType::F64)?.broadcast_add(&mask.reshape((queries, keys))?)?;
        let expected = candle_nn::ops::softmax(&masked, D::Minus1)?;
        let expected = expected.flatten_all()?.to_vec1::<f64>()?;
        scores.inplace_op1(&CausalSoftmax)?;
        for (found, expected) in scores.flatten_all()?.to_vec1::<f32>()?.iter().zip(expected) {
            let error = (f64::from(*found) - expected).abs();
            // Differences of scores up to 64 are rounded by as much as 2⁻¹⁹.
            assert!(error <= 3e-6 * expected, "{found} {expected}");
        }
        let too_few_keys = Tensor::zeros((1, 3, 2), DType::F32, &Device::Cpu)?;
        assert!(too_few_keys.inplace_op1(&CausalSoftmax).is_err());
        Ok(())
    }
}
