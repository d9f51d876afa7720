//! Rotation on the CPU, with the kernel of `positional-encodings` in the tensor's own memory.

use candle_core::backend::BackendStorage;
use candle_core::{CpuStorage, CustomOp1, InplaceOp1, Layout, Result, Shape, Tensor};
use ndarray::{ArrayBase, ArrayViewMutD, IxDyn, RawData};
use positional_encodings::{Element, Rotation};

use crate::error::{unsupported, wrap};
use crate::memory::{view, view_mut, zeros};

/// The name of the operation, in errors.
pub(super) const NAME: &str = "rope";

/// The axis of the positions in a tensor.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Order {
    /// The layout (…, heads, positions, dim).
    HeadsFirst,
    /// The layout (…, positions, heads, dim).
    PositionsFirst,
}

/// Angles in the precision in which elements of a type are rotated.
#[derive(Clone, Debug)]
pub(super) enum Angles {
    Single(Rotation<f32>),
    Double(Rotation<f64>),
}

/// The rotation of a tensor as a candle operation.
#[derive(Clone, Debug)]
pub(super) struct RotateOp {
    pub(super) angles: Angles,
    pub(super) order: Order,
}

impl CustomOp1 for RotateOp {
    fn name(&self) -> &'static str {
        NAME
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let order = self.order;
        let rotated = match (storage, &self.angles) {
            (CpuStorage::F32(x), Angles::Single(by)) => {
                CpuStorage::F32(copy(x, layout, by, order)?)
            }
            (CpuStorage::F16(x), Angles::Single(by)) => {
                CpuStorage::F16(copy(x, layout, by, order)?)
            }
            (CpuStorage::BF16(x), Angles::Single(by)) => {
                CpuStorage::BF16(copy(x, layout, by, order)?)
            }
            (CpuStorage::F64(x), Angles::Double(by)) => {
                CpuStorage::F64(copy(x, layout, by, order)?)
            }
            (other, _) => return unsupported(other.dtype(), NAME),
        };
        Ok((rotated, layout.shape().clone()))
    }

    fn bwd(&self, _: &Tensor, _: &Tensor, upstream: &Tensor) -> Result<Option<Tensor>> {
        let angles = match &self.angles {
            Angles::Single(rotation) => Angles::Single(rotation.gradient()),
            Angles::Double(rotation) => Angles::Double(rotation.gradient()),
        };
        upstream.apply_op1(Self { angles, order: self.order }).map(Some)
    }
}

impl InplaceOp1 for RotateOp {
    fn name(&self) -> &'static str {
        NAME
    }

    fn cpu_fwd(&self, storage: &mut CpuStorage, layout: &Layout) -> Result<()> {
        let order = self.order;
        match (storage, &self.angles) {
            (CpuStorage::F32(x), Angles::Single(by)) => in_place(x, layout, by, order),
            (CpuStorage::F16(x), Angles::Single(by)) => in_place(x, layout, by, order),
            (CpuStorage::BF16(x), Angles::Single(by)) => in_place(x, layout, by, order),
            (CpuStorage::F64(x), Angles::Double(by)) => in_place(x, layout, by, order),
            (other, _) => unsupported(other.dtype(), NAME),
        }
    }
}

fn in_place<A: Element>(
    elements: &mut [A],
    layout: &Layout,
    by: &Rotation<A::Angle>,
    order: Order,
) -> Result<()> {
    by.apply(positions_last(view_mut(elements, layout)?, order)).map_err(wrap)
}

fn copy<A: Element>(
    elements: &[A],
    layout: &Layout,
    by: &Rotation<A::Angle>,
    order: Order,
) -> Result<Vec<A>> {
    let x = view(elements, layout)?;
    let mut rotated = zeros(x.len())?;
    let out = ArrayViewMutD::from_shape(x.raw_dim(), &mut rotated).map_err(wrap)?;
    by.apply_into(positions_last(x, order), positions_last(out, order)).map_err(wrap)?;
    Ok(rotated)
}

/// Returns the array with the axis of the positions before that of the features.
fn positions_last<S: RawData>(mut x: ArrayBase<S, IxDyn>, order: Order) -> ArrayBase<S, IxDyn> {
    if let (Order::PositionsFirst, axes @ 3..) = (order, x.ndim()) {
        x.swap_axes(axes - 3, axes - 2);
    }
    x
}
