//! Operations that candle has without gradients, or only as a dozen smaller ones.

use core::marker::PhantomData;

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor};
use positional_encodings_candle::with_array;

/// Softmax of the last axis, with its gradient.
///
/// # Errors
///
/// An error for elements other than f32.
pub fn softmax(xs: &Tensor) -> Result<Tensor> {
    xs.contiguous()?.apply_op1(RowWise::<Softmax>::new())
}

/// (x − mean) / deviation of the last axis, with its gradient: a layer norm without weights, since
/// what follows it is a linear layer, which has weights.
///
/// # Errors
///
/// An error for elements other than f32.
pub fn normalise(xs: &Tensor) -> Result<Tensor> {
    xs.contiguous()?.apply_op1(RowWise::<Normalise>::new())
}

/// A function of each row, and its gradient for the row, given the row's result.
trait RowFunction: Send + Sync + 'static {
    const NAME: &'static str;
    fn forward(row: &[f32], out: &mut [f32]);
    fn backward(row: &[f32], result: &[f32], upstream: &[f32], out: &mut [f32]);
}

struct RowWise<F>(PhantomData<F>);

impl<F> RowWise<F> {
    fn new() -> Self {
        Self(PhantomData)
    }
}

/// Returns the elements of a contiguous tensor on the CPU.
fn elements<'a>(storage: &'a CpuStorage, layout: &Layout, name: &str) -> Result<&'a [f32]> {
    let all = storage.as_slice::<f32>()?;
    match layout.contiguous_offsets() {
        Some((start, end)) => Ok(&all[start..end]),
        None => candle_core::bail!("{name}: the tensor is not contiguous"),
    }
}

impl<F: RowFunction> CustomOp1 for RowWise<F> {
    fn name(&self) -> &'static str {
        F::NAME
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let xs = elements(storage, layout, F::NAME)?;
        let width = layout.dims().last().copied().unwrap_or(1).max(1);
        let mut out = vec![0.0; xs.len()];
        xs.chunks(width).zip(out.chunks_mut(width)).for_each(|(row, out)| F::forward(row, out));
        Ok((CpuStorage::F32(out), layout.shape().clone()))
    }

    fn bwd(&self, xs: &Tensor, result: &Tensor, upstream: &Tensor) -> Result<Option<Tensor>> {
        let upstream = upstream.contiguous()?;
        let width = xs.dims().last().copied().unwrap_or(1).max(1);
        let mut out = vec![0.0; xs.elem_count()];
        with_rows(xs, |x| {
            with_rows(result, |y| {
                with_rows(&upstream, |dy| {
                    let rows = x.chunks(width).zip(y.chunks(width)).zip(dy.chunks(width));
                    for (((x, y), dy), out) in rows.zip(out.chunks_mut(width)) {
                        F::backward(x, y, dy, out);
                    }
                })
            })
        })???;
        Ok(Some(Tensor::from_vec(out, xs.shape(), xs.device())?))
    }
}

/// Passes the elements of a contiguous tensor to `read`.
fn with_rows<R>(tensor: &Tensor, read: impl FnOnce(&[f32]) -> R) -> Result<R> {
    with_array::<f32, _>(tensor, |array| match array.as_slice() {
        Some(slice) => Ok(read(slice)),
        None => candle_core::bail!("a tensor of {:?} is not contiguous", array.shape()),
    })?
}

struct Softmax;

impl RowFunction for Softmax {
    const NAME: &'static str = "softmax";

    fn forward(row: &[f32], out: &mut [f32]) {
        let largest = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let mut sum = 0.0;
        for (out, x) in out.iter_mut().zip(row) {
            *out = (x - largest).exp();
            sum += *out;
        }
        out.iter_mut().for_each(|out| *out /= sum);
    }

    fn backward(_: &[f32], result: &[f32], upstream: &[f32], out: &mut [f32]) {
        let mean: f32 = result.iter().zip(upstream).map(|(y, dy)| y * dy).sum();
        for ((out, y), dy) in out.iter_mut().zip(result).zip(upstream) {
            *out = y * (dy - mean);
        }
    }
}

struct Normalise;

impl Normalise {
    /// The inverse of the deviation of a row.
    fn inverse(row: &[f32]) -> (f32, f32) {
        let len = row.len().max(1) as f32;
        let mean = row.iter().sum::<f32>() / len;
        let variance = row.iter().map(|x| (x - mean) * (x - mean)).sum::<f32>() / len;
        (mean, 1.0 / (variance + 1e-5).sqrt())
    }
}

impl RowFunction for Normalise {
    const NAME: &'static str = "layer norm";

    fn forward(row: &[f32], out: &mut [f32]) {
        let (mean, inverse) = Self::inverse(row);
        out.iter_mut().zip(row).for_each(|(out, x)| *out = (x - mean) * inverse);
    }

    fn backward(row: &[f32], result: &[f32], upstream: &[f32], out: &mut [f32]) {
        let (_, inverse) = Self::inverse(row);
        let len = row.len().max(1) as f32;
        let mean = upstream.iter().sum::<f32>() / len;
        let along = result.iter().zip(upstream).map(|(y, dy)| y * dy).sum::<f32>() / len;
        for ((out, y), dy) in out.iter_mut().zip(result).zip(upstream) {
            *out = inverse * (dy - mean - y * along);
        }
    }
}
