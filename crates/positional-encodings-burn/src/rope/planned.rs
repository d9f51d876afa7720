//! One rotation at the positions of a plan.

use std::sync::OnceLock;

use burn::tensor::{DType, Device, Float, Tensor, TensorData};
use ndarray::{ArrayBase, IxDyn, RawData};
use positional_encodings::{Element, Error, Positions, Rotary, Rotation};

use super::order::Order;
use super::tabled::Tabled;
use crate::element::{Stored, StoredFloat};
use crate::host::{change, is_host};
use crate::refuse::{expect, same, same_device, unsupported};

/// The name of the operation, in messages.
const NAME: &str = "rope";

/// A rotation at the positions of a plan. The angles in f32 are computed at once, everything else
/// when first needed.
#[derive(Debug)]
pub(super) struct Planned {
    rotary: Rotary,
    positions: Positions<'static>,
    device: Device,
    single: Rotation<f32>,
    double: OnceLock<Rotation<f64>>,
    /// Cosines and sines on the device, in f32 and in f64.
    tables: [OnceLock<[Tensor<3>; 2]>; 2],
}

impl Planned {
    pub(super) fn new(
        rotary: &Rotary,
        positions: &Positions<'static>,
        device: &Device,
    ) -> Result<Self, Error> {
        Ok(Self {
            rotary: rotary.clone(),
            positions: positions.clone(),
            device: device.clone(),
            single: rotary.at(positions)?,
            double: OnceLock::new(),
            tables: Default::default(),
        })
    }

    /// Returns the number of sequences with their own positions.
    fn rows(&self) -> Option<usize> {
        self.positions.rows().filter(|&rows| rows != 1)
    }

    #[track_caller]
    pub(super) fn rotated<const D: usize>(&self, x: Tensor<D>, order: Order) -> Tensor<D> {
        same_device(&self.device, &x.device(), NAME);
        expect(self.check(&x.dims(), order));
        if is_host(&x.device()) {
            return self.rotated_on_host(x, order);
        }
        self.rotated_by_operations(x, order)
    }

    /// Rotates on the CPU backend, with the kernel of `positional-encodings` in the tensor's own
    /// memory.
    fn rotated_on_host<const D: usize>(&self, x: Tensor<D>, order: Order) -> Tensor<D> {
        match x.dtype() {
            DType::F32 => apply::<f32, D>(&self.single, x, order),
            DType::F16 => apply::<half::f16, D>(&self.single, x, order),
            DType::BF16 => apply::<half::bf16, D>(&self.single, x, order),
            DType::F64 => apply::<f64, D>(self.double(), x, order),
            other => unsupported(other, NAME),
        }
    }

    /// Rotates on any backend, with tables as constants and burn's operations.
    fn rotated_by_operations<const D: usize>(&self, x: Tensor<D>, order: Order) -> Tensor<D> {
        let cos_sin = match x.dtype() {
            DType::F64 => self.tables[1].get_or_init(|| self.upload(self.double())).clone(),
            DType::F32 | DType::F16 | DType::BF16 | DType::Flex32 => self.tables(),
            other => unsupported(other, NAME),
        };
        Tabled { cos_sin, rotary: &self.rotary, order }.rotated(x)
    }

    /// Checks that a tensor of this shape can be rotated.
    fn check(&self, shape: &[usize], order: Order) -> Result<(), Error> {
        // Rows of positions need an axis of sequences, which packed tokens do not have.
        let axes = match (order, self.rows()) {
            (Order::HeadsFirst, None) => 2,
            (Order::HeadsFirst, Some(_)) | (Order::PositionsFirst, None) => 3,
            (Order::PositionsFirst, Some(_)) => 4,
        };
        let found = shape.len();
        if found < axes {
            return Err(Error::TooFewAxes { expected: axes, found });
        }
        let (needed, width) = (self.rotary.dim(), shape[found - 1]);
        if width < needed {
            return Err(Error::TooNarrow { needed, found: width });
        }
        let axis = found - if order == Order::HeadsFirst { 2 } else { 3 };
        same("positions", self.positions.len(), shape[axis])?;
        self.rows().map_or(Ok(()), |rows| same("sequences on the first axis", rows, shape[0]))
    }

    fn double(&self) -> &Rotation<f64> {
        // The angles in f32 succeeded, and these take only twice the memory.
        self.double.get_or_init(|| expect(self.rotary.at(&self.positions)))
    }

    /// Returns cosines and sines in f32, each (rows, positions, pairs).
    pub(super) fn tables(&self) -> [Tensor<3>; 2] {
        self.tables[0].get_or_init(|| self.upload(&self.single)).clone()
    }

    fn upload<T: Element<Angle = T> + Stored<Kind = Float>>(
        &self,
        rotation: &Rotation<T>,
    ) -> [Tensor<3>; 2] {
        let (cos, sin) = rotation.tables();
        [cos, sin].map(|table| {
            let values: Vec<T> = table.iter().copied().collect();
            let shape = [self.rows().unwrap_or(1), self.positions.len(), table.ncols()];
            Tensor::from_data(TensorData::new(values, shape), (&self.device, T::dtype()))
        })
    }
}

fn apply<A: StoredFloat, const D: usize>(
    rotation: &Rotation<A::Angle>,
    x: Tensor<D>,
    order: Order,
) -> Tensor<D> {
    change::<A, D>(x, |x| rotation.apply(positions_last(x, order)))
}

/// Returns the array with the axis of the positions before that of the features.
fn positions_last<S: RawData>(mut x: ArrayBase<S, IxDyn>, order: Order) -> ArrayBase<S, IxDyn> {
    if let (Order::PositionsFirst, axes @ 3..) = (order, x.ndim()) {
        x.swap_axes(axes - 3, axes - 2);
    }
    x
}
