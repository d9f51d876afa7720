//! One rotation at the positions of a plan, on every device.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use candle_core::{DType, Device, Result, Tensor};
use ndarray::ArrayView2;
use positional_encodings::{Element, Error, Positions, Rotary, Rotation};

use super::device;
use super::op::{Angles, NAME, Order, RotateOp};
use crate::error::{unsupported, untracked, wrap};

/// A rotation at the positions of a plan. The angles in f32 are computed at once, everything else
/// when first needed.
#[derive(Debug)]
pub(super) struct Planned {
    rotary: Arc<Rotary>,
    positions: Positions<'static>,
    single: Rotation<f32>,
    double: OnceLock<Rotation<f64>>,
    tables: Mutex<Vec<Tables>>,
}

/// Cosines and sines on a device.
#[derive(Clone, Debug)]
struct Tables {
    device: Device,
    dtype: DType,
    cos_sin: [Tensor; 2],
}

impl Planned {
    pub(super) fn new(rotary: &Arc<Rotary>, positions: &Positions<'static>) -> Result<Self> {
        Ok(Self {
            rotary: Arc::clone(rotary),
            positions: positions.clone(),
            single: rotary.at(positions).map_err(wrap)?,
            double: OnceLock::new(),
            tables: Mutex::default(),
        })
    }

    /// Returns the number of sequences with their own positions.
    pub(super) fn rows(&self) -> Option<usize> {
        self.positions.rows().filter(|&rows| rows != 1)
    }

    pub(super) fn rotated(&self, xs: &Tensor, order: Order) -> Result<Tensor> {
        let angles = self.angles(xs.dtype())?;
        self.check(xs.dims(), order).map_err(wrap)?;
        match xs.device() {
            Device::Cpu => xs.apply_op1(RotateOp { angles, order }),
            _ => self.rotated_on_device(xs, order),
        }
    }

    pub(super) fn rotate(&self, xs: &Tensor, order: Order) -> Result<()> {
        let angles = self.angles(xs.dtype())?;
        self.check(xs.dims(), order).map_err(wrap)?;
        untracked(xs, NAME)?;
        match xs.device() {
            // candle takes a tensor without elements for one with repeated elements.
            _ if xs.elem_count() == 0 => Ok(()),
            Device::Cpu => xs.inplace_op1(&RotateOp { angles, order }),
            _ => xs.slice_set(&self.rotated_on_device(xs, order)?, 0, 0),
        }
    }

    fn rotated_on_device(&self, xs: &Tensor, order: Order) -> Result<Tensor> {
        let tables = self.tables(device::precision(xs.dtype()), xs.device())?;
        device::rotated(tables, &self.rotary, xs, order)
    }

    /// Checks that a tensor of this shape can be rotated.
    fn check(&self, shape: &[usize], order: Order) -> core::result::Result<(), Error> {
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

    /// Returns the angles by which elements of a type are rotated.
    fn angles(&self, dtype: DType) -> Result<Angles> {
        match dtype {
            DType::F32 | DType::F16 | DType::BF16 => Ok(Angles::Single(self.single.clone())),
            DType::F64 => Ok(Angles::Double(self.double()?.clone())),
            other => unsupported(other, NAME),
        }
    }

    fn double(&self) -> Result<&Rotation<f64>> {
        if let Some(double) = self.double.get() {
            return Ok(double);
        }
        let made = self.rotary.at(&self.positions).map_err(wrap)?;
        Ok(self.double.get_or_init(|| made))
    }

    /// Returns cosines and sines on a device, each (positions, pairs) or (batch, positions, pairs);
    /// they are uploaded once.
    pub(super) fn tables(&self, dtype: DType, device: &Device) -> Result<[Tensor; 2]> {
        // The locked data are consistent after every step, so a poisoned lock can be used.
        let mut held = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
        let known = |known: &&Tables| known.dtype == dtype && known.device.same_device(device);
        if let Some(known) = held.iter().find(known) {
            return Ok(known.cos_sin.clone());
        }
        let cos_sin = match dtype {
            DType::F64 => self.upload(self.double()?, device)?,
            _ => self.upload(&self.single, device)?,
        };
        held.push(Tables { device: device.clone(), dtype, cos_sin: cos_sin.clone() });
        Ok(cos_sin)
    }

    fn upload<T>(&self, rotation: &Rotation<T>, device: &Device) -> Result<[Tensor; 2]>
    where
        T: Element<Angle = T> + candle_core::WithDType,
    {
        let upload = |table: ArrayView2<'_, T>| {
            let values: Vec<T> = table.iter().copied().collect();
            let (len, pairs) = (self.positions.len(), table.ncols());
            match self.rows() {
                Some(rows) => Tensor::from_vec(values, (rows, len, pairs), device),
                None => Tensor::from_vec(values, (len, pairs), device),
            }
        };
        let (cos, sin) = rotation.tables();
        Ok([upload(cos)?, upload(sin)?])
    }
}

fn same(what: &'static str, expected: usize, found: usize) -> core::result::Result<(), Error> {
    if expected == found { Ok(()) } else { Err(Error::LengthMismatch { what, expected, found }) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::{Device, Var};
    use positional_encodings::rotary::AxialOrder;
    use positional_encodings::{Frequencies, Pairing, Positions};
    use std::sync::Arc;

    fn numbers(shape: &[usize], dtype: DType) -> Tensor {
        let count = shape.iter().product::<usize>() as f64;
        let ramp = Tensor::arange(0.0, count, &Device::Cpu).unwrap();
        ramp.sin().unwrap().reshape(shape).unwrap().to_dtype(dtype).unwrap()
    }

    fn same(a: &Tensor, b: &Tensor) {
        assert_eq!((a.dims(), a.dtype()), (b.dims(), b.dtype()));
        let bits = |x: &Tensor| -> Vec<u64> {
            let x = x.to_dtype(DType::F64).unwrap().flatten_all().unwrap();
            x.to_vec1::<f64>().unwrap().into_iter().map(f64::to_bits).collect()
        };
        assert_eq!(bits(a), bits(b));
    }

    /// Returns all kinds of plans: pairings, parts, blocks, rows of a batch.
    fn rotations() -> Vec<Planned> {
        let planned = |rotary: &Rotary, positions: Positions<'static>| {
            Planned::new(&Arc::new(rotary.clone()), &positions).unwrap()
        };
        let frequencies = Frequencies::geometric(8, 100.0).unwrap();
        let scaled = frequencies.clone().with_attention_factor(1.5).unwrap();
        let mut rotations = Vec::new();
        for pairing in [Pairing::Halves, Pairing::Interleaved] {
            let rotary = Rotary::new(frequencies.clone(), pairing);
            rotations.push(planned(&rotary, Positions::from(3..9)));
            rotations.push(planned(&rotary.on_last_features(), Positions::from(3..9)));
            let ids = ndarray::Array2::from_shape_fn((2, 6), |(i, j)| (7 * i + j) as i64);
            rotations.push(planned(&Rotary::new(scaled.clone(), pairing), Positions::from(ids)));
        }
        let gemma4 = Rotary::axial_2d(8, 100.0, AxialOrder::Gemma4).unwrap();
        rotations.push(planned(&gemma4, Positions::grid(&[2, 3]).unwrap()));
        rotations
    }

    /// Checks that tables and candle's op, the path of other devices, give the CPU's values and
    /// gradients.
    #[test]
    fn the_other_path_is_the_same() {
        for planned in rotations() {
            for dtype in [DType::F32, DType::F64, DType::F16, DType::BF16] {
                for (order, shape) in [
                    (Order::HeadsFirst, &[2, 3, 6, 13][..]),
                    (Order::HeadsFirst, &[2, 6, 8]),
                    (Order::PositionsFirst, &[2, 6, 3, 13]),
                    (Order::PositionsFirst, &[2, 2, 6, 3, 8]),
                    (Order::HeadsFirst, &[2, 0, 6, 8]),
                ] {
                    let x = Var::from_tensor(&numbers(shape, dtype)).unwrap();
                    let results =
                        [planned.rotated(&x, order), planned.rotated_on_device(&x, order)];
                    let [ours, theirs] = results.map(Result::unwrap);
                    same(&ours, &theirs);
                    let gradient = |y: Tensor| {
                        let upstream = numbers(shape, dtype).affine(0.5, 0.25).unwrap();
                        let loss = (y * upstream).unwrap().sum_all().unwrap();
                        loss.backward().unwrap().get(&x).unwrap().clone()
                    };
                    same(&gradient(ours), &gradient(theirs));
                }
            }
        }
    }

    #[test]
    fn tables_are_uploaded_once() {
        for planned in rotations() {
            let [cos, sin] = planned.tables(DType::F32, &Device::Cpu).unwrap();
            let again = planned.tables(DType::F32, &Device::Cpu).unwrap();
            assert_eq!([cos.id(), sin.id()], again.map(|table| table.id()));
        }
    }
}
