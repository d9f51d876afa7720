//! AdamW whose moments can be saved.

use std::collections::HashMap;

use candle_core::backprop::GradStore;
use candle_core::{Device, Result, Tensor, Var};
use candle_nn::Optimizer;

use crate::parameters::Parameters;

/// The largest norm of a gradient: a longer one is scaled down to it.
const LONGEST: f64 = 1.0;

const WEIGHT_DECAY: f64 = 0.01;

/// AdamW (Loshchilov and Hutter 2019) with gradient clipping.
///
/// candle-nn's AdamW does not expose its moments, so a run resumed from a checkpoint would differ.
pub struct AdamW {
    slots: Vec<Slot>,
    step: usize,
    rate: f64,
}

struct Slot {
    name: String,
    var: Var,
    decays: bool,
    values: Vec<f32>,
    first: Vec<f32>,
    second: Vec<f32>,
}

impl AdamW {
    /// Makes an optimiser for all parameters.
    ///
    /// # Errors
    ///
    /// An error where a parameter has elements other than f32.
    pub fn of(parameters: &Parameters) -> Result<Self> {
        let mut optimiser = Self { slots: Vec::new(), step: 0, rate: 0.0 };
        for (name, parameter) in parameters.all() {
            optimiser.push(name, parameter.var, parameter.decays)?;
        }
        Ok(optimiser)
    }

    fn push(&mut self, name: String, var: Var, decays: bool) -> Result<()> {
        let values: Vec<f32> = var.flatten_all()?.to_vec1()?;
        let zeros = vec![0.0; values.len()];
        self.slots.push(Slot { name, var, decays, values, first: zeros.clone(), second: zeros });
        Ok(())
    }

    /// The number of steps taken.
    pub fn steps(&self) -> usize {
        self.step
    }

    /// Returns all values and moments, for a checkpoint.
    ///
    /// # Errors
    ///
    /// The errors of candle.
    pub fn state(&self) -> Result<HashMap<String, Tensor>> {
        let mut state = HashMap::new();
        for slot in &self.slots {
            let lists = [("", &slot.values), ("first.", &slot.first), ("second.", &slot.second)];
            for (prefix, values) in lists {
                let tensor = Tensor::from_slice(values, slot.var.shape(), &Device::Cpu)?;
                state.insert(format!("{prefix}{}", slot.name), tensor);
            }
        }
        state.insert("step".into(), Tensor::new(&[self.step as u32], &Device::Cpu)?);
        Ok(state)
    }

    /// Restores a state.
    ///
    /// # Errors
    ///
    /// An error where a tensor is missing or has another size; variables are then unchanged.
    pub fn restore(&mut self, state: &HashMap<String, Tensor>) -> Result<()> {
        let read = |name: &str, len: usize| -> Result<Vec<f32>> {
            let Some(tensor) = state.get(name) else { candle_core::bail!("no tensor {name}") };
            let values: Vec<f32> = tensor.flatten_all()?.to_vec1()?;
            if values.len() != len {
                candle_core::bail!("{name} has {} values, not {len}", values.len())
            }
            Ok(values)
        };
        let Some(step) = state.get("step") else { candle_core::bail!("no tensor step") };
        let step = step.flatten_all()?.to_vec1::<u32>()?.first().copied().unwrap_or(0);
        let mut lists = Vec::new();
        for slot in &self.slots {
            let of = |prefix: &str| read(&format!("{prefix}{}", slot.name), slot.values.len());
            lists.push([of("")?, of("first.")?, of("second.")?]);
        }
        for (slot, [values, first, second]) in self.slots.iter_mut().zip(lists) {
            slot.var.set(&Tensor::from_slice(&values, slot.var.shape(), &Device::Cpu)?)?;
            (slot.values, slot.first, slot.second) = (values, first, second);
        }
        self.step = step as usize;
        Ok(())
    }
}

impl Slot {
    /// Takes one step of this parameter, with the gradient times `scale`.
    fn update(&mut self, gradient: &[f32], scale: f64, step: usize, rate: f64) -> Result<()> {
        const BETAS: [f32; 2] = [0.9, 0.98];
        let corrections = BETAS.map(|beta| 1.0 - f64::from(beta).powi(step.min(1 << 30) as i32));
        let decay = if self.decays { (rate * WEIGHT_DECAY) as f32 } else { 0.0 };
        let rate = (rate / corrections[0]) as f32;
        let (scale, correction) = (scale as f32, (1.0 / corrections[1]) as f32);
        let moments = self.first.iter_mut().zip(&mut self.second);
        for ((value, (first, second)), slope) in self.values.iter_mut().zip(moments).zip(gradient) {
            let slope = slope * scale;
            *first += (1.0 - BETAS[0]) * (slope - *first);
            *second += (1.0 - BETAS[1]) * (slope * slope - *second);
            *value -= decay * *value + rate * *first / ((*second * correction).sqrt() + 1e-8);
        }
        self.var.set(&Tensor::from_slice(&self.values, self.var.shape(), &Device::Cpu)?)
    }
}

impl Optimizer for AdamW {
    type Config = f64;

    fn new(vars: Vec<Var>, rate: f64) -> Result<Self> {
        let mut optimiser = Self { slots: Vec::new(), step: 0, rate };
        for (index, var) in vars.into_iter().enumerate() {
            optimiser.push(format!("{index}"), var, true)?;
        }
        Ok(optimiser)
    }

    fn step(&mut self, gradients: &GradStore) -> Result<()> {
        let lists = self.slots.iter().map(|slot| match gradients.get(&slot.var) {
            Some(gradient) => gradient.flatten_all()?.to_vec1::<f32>().map(Some),
            None => Ok(None),
        });
        let lists: Vec<Option<Vec<f32>>> = lists.collect::<Result<_>>()?;
        let square = |slope: &f32| f64::from(*slope) * f64::from(*slope);
        let norm = lists.iter().flatten().flatten().map(square).sum::<f64>().sqrt();
        if !norm.is_finite() {
            candle_core::bail!("the gradient is not finite at step {}", self.step + 1)
        }
        self.step += 1;
        for (slot, gradient) in self.slots.iter_mut().zip(lists) {
            if let Some(gradient) = gradient {
                slot.update(&gradient, (LONGEST / norm).min(1.0), self.step, self.rate)?;
            }
        }
        Ok(())
    }

    fn learning_rate(&self) -> f64 {
        self.rate
    }

    fn set_learning_rate(&mut self, rate: f64) {
        self.rate = rate;
    }
}
