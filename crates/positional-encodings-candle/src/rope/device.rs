//! Rotation on devices other than the CPU: exact tables, and candle's fused op.

use candle_core::backend::BackendStorage;
use candle_core::{
    CpuStorage, CudaStorage, CustomOp2, D, DType, Layout, MetalStorage, Result, Shape, Tensor,
};
use candle_nn::rotary_emb::{rope, rope_i};
use positional_encodings::{Pairing, Rotary};

use super::op::{NAME, Order};

/// Returns the rotated tensor, whose shape has been checked, with tables on its device.
pub(super) fn rotated(
    [cos, sin]: [Tensor; 2],
    rotary: &Rotary,
    xs: &Tensor,
    order: Order,
) -> Result<Tensor> {
    let by = Tabled { cos, sin, parts: Parts::of(rotary, xs.dim(D::Minus1)?), order };
    let value = by.apply(&xs.detach())?;
    if xs.track_op() { xs.apply_op2(&value, Grafted(by)) } else { Ok(value) }
}

/// Returns the type of tables and arithmetic; 16-bit angles would be as inaccurate as those of
/// candle's models.
pub(super) fn precision(dtype: DType) -> DType {
    if dtype == DType::F64 { DType::F64 } else { DType::F32 }
}

/// Which features are rotated, and how they are paired.
#[derive(Clone, Debug)]
struct Parts {
    start: usize,
    /// The number of features in a block that is paired separately, and the number of blocks.
    block: usize,
    blocks: usize,
    pairing: Pairing,
}

impl Parts {
    fn of(rotary: &Rotary, width: usize) -> Self {
        let blocks = rotary.paired_blocks();
        let start = rotary.rotated_features(width).map_or(0, |features| features.start);
        Self { start, block: rotary.dim() / blocks, blocks, pairing: rotary.pairing() }
    }
}

/// A rotation by tables on the device.
#[derive(Clone, Debug)]
struct Tabled {
    /// The cosines, (positions, pairs) or (batch, positions, pairs).
    cos: Tensor,
    sin: Tensor,
    parts: Parts,
    order: Order,
}

impl Tabled {
    fn apply(&self, xs: &Tensor) -> Result<Tensor> {
        if xs.elem_count() == 0 {
            return xs.contiguous();
        }
        let dtype = xs.dtype();
        let xs = xs.to_dtype(self.cos.dtype())?;
        let rotated = match self.order {
            Order::HeadsFirst => self.features(&xs)?,
            Order::PositionsFirst => {
                let axis = xs.rank() - 3;
                self.features(&xs.transpose(axis, axis + 1)?)?.transpose(axis, axis + 1)?
            }
        };
        rotated.to_dtype(dtype)?.contiguous()
    }

    /// Rotates (…, positions, width) part by part.
    fn features(&self, xs: &Tensor) -> Result<Tensor> {
        let Parts { start, block, blocks, .. } = self.parts;
        let (end, width) = (start + block * blocks, xs.dim(D::Minus1)?);
        let mut parts = Vec::new();
        if start > 0 {
            parts.push(xs.narrow(D::Minus1, 0, start)?);
        }
        for index in 0..blocks {
            parts.push(self.block(&xs.narrow(D::Minus1, start + index * block, block)?, index)?);
        }
        if end < width {
            parts.push(xs.narrow(D::Minus1, end, width - end)?);
        }
        if parts.len() == 1 { Ok(parts.remove(0)) } else { Tensor::cat(&parts, D::Minus1) }
    }

    /// Rotates a block of features with candle's op, which takes four axes and no views.
    fn block(&self, xs: &Tensor, index: usize) -> Result<Tensor> {
        let (axes, pairs) = (xs.rank(), self.parts.block / 2);
        let (len, width) = (xs.dim(axes - 2)?, xs.dim(axes - 1)?);
        let batch = if self.cos.rank() == 3 { xs.dim(0)? } else { 1 };
        let four = xs.contiguous()?.reshape((batch, (), len, width))?;
        let table = |table: &Tensor| table.narrow(D::Minus1, index * pairs, pairs)?.contiguous();
        let (cos, sin) = (table(&self.cos)?, table(&self.sin)?);
        let rotated = match self.parts.pairing {
            Pairing::Halves => rope(&four, &cos, &sin)?,
            Pairing::Interleaved => rope_i(&four, &cos, &sin)?,
            other => candle_core::bail!("{NAME}: candle has no op for {other:?}"),
        };
        rotated.reshape(xs.shape())
    }

    fn back(&self) -> Result<Self> {
        Ok(Self { sin: self.sin.neg()?, ..self.clone() })
    }
}

/// The value of one tensor with the gradient of a rotation of another, since candle's fused op
/// drops the gradient.
struct Grafted(Tabled);

impl Grafted {
    fn copy<S: BackendStorage>(value: &S, layout: &Layout) -> Result<(S, Shape)> {
        if layout.contiguous_offsets() != Some((0, layout.shape().elem_count())) {
            candle_core::bail!("{NAME}: the rotated tensor is not contiguous")
        }
        Ok((value.try_clone(layout)?, layout.shape().clone()))
    }
}

impl CustomOp2 for Grafted {
    fn name(&self) -> &'static str {
        NAME
    }

    fn cpu_fwd(
        &self,
        _: &CpuStorage,
        _: &Layout,
        value: &CpuStorage,
        layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        Self::copy(value, layout)
    }

    fn cuda_fwd(
        &self,
        _: &CudaStorage,
        _: &Layout,
        value: &CudaStorage,
        layout: &Layout,
    ) -> Result<(CudaStorage, Shape)> {
        Self::copy(value, layout)
    }

    fn metal_fwd(
        &self,
        _: &MetalStorage,
        _: &Layout,
        value: &MetalStorage,
        layout: &Layout,
    ) -> Result<(MetalStorage, Shape)> {
        Self::copy(value, layout)
    }

    fn bwd(
        &self,
        _: &Tensor,
        _: &Tensor,
        _: &Tensor,
        upstream: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        Ok((Some(self.0.back()?.apply(upstream)?), None))
    }
}
