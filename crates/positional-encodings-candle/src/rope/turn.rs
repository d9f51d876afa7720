//! One rotation at the positions of a plan, on every device.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use candle_core::{DType, Device, Result, Tensor};
use ndarray::ArrayView2;
use positional_encodings::{Element, Error, Positions, Rotary, Rotation};

use super::device;
use super::op::{Angles, NAME, Turning};
use crate::error::{unsupported, untracked, wrap};

/// Which axis of a tensor is that of the positions.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Order {
    /// (…, heads, positions, dim)
    HeadsFirst,
    /// (…, positions, heads, dim)
    PositionsFirst,
}

/// A rotation at the positions of a plan. The angles in f32 are made with it, and everything else
/// when it is first asked for.
#[derive(Debug)]
pub(super) struct Turn {
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

impl Turn {
    pub(super) fn new(rotary: &Arc<Rotary>, positions: &Positions<'static>) -> Result<Self> {
        Ok(Self {
            rotary: Arc::clone(rotary),
            positions: positions.clone(),
            single: rotary.at(positions).map_err(wrap)?,
            double: OnceLock::new(),
            tables: Mutex::default(),
        })
    }

    pub(super) fn rotary(&self) -> &Rotary {
        &self.rotary
    }

    /// The number of sequences that have positions of their own.
    pub(super) fn rows(&self) -> Option<usize> {
        self.positions.rows().filter(|&rows| rows != 1)
    }

    pub(super) fn rotated(&self, xs: &Tensor, order: Order) -> Result<Tensor> {
        let angles = self.angles(xs.dtype())?;
        self.check(xs.dims(), order).map_err(wrap)?;
        match xs.device() {
            Device::Cpu => xs.apply_op1(Turning { angles, order }),
            _ => device::rotated(self, xs, order),
        }
    }

    pub(super) fn rotate(&self, xs: &Tensor, order: Order) -> Result<()> {
        let angles = self.angles(xs.dtype())?;
        self.check(xs.dims(), order).map_err(wrap)?;
        untracked(xs, NAME)?;
        match xs.device() {
            // candle holds a tensor without elements for one that repeats them.
            _ if xs.elem_count() == 0 => Ok(()),
            Device::Cpu => xs.inplace_op1(&Turning { angles, order }),
            _ => xs.slice_set(&device::rotated(self, xs, order)?, 0, 0),
        }
    }

    /// Whether a tensor of this shape can be rotated.
    fn check(&self, shape: &[usize], order: Order) -> core::result::Result<(), Error> {
        let axes = match (order, self.rows()) {
            (Order::HeadsFirst, None) => 2,
            _ => 3,
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

    /// The angles that elements of a type are rotated by.
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

    /// Cosines and sines on a device, each (positions, pairs) or (batch, positions, pairs): uploaded
    /// once.
    pub(super) fn tables(&self, dtype: DType, device: &Device) -> Result<[Tensor; 2]> {
        // What is behind the lock is whole after every step.
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
