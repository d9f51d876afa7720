//! The variables of a model, by name, with values from a seed.

use std::cell::RefCell;
use std::collections::BTreeMap;

use candle_core::{DType, Device, Result, Shape, Tensor, Var};
use rand::SeedableRng;
use rand::rngs::SmallRng;
use rand_distr::{Distribution, Normal};

/// The values that a variable starts with.
pub enum Start {
    /// N(0, std²)
    Normal(f64),
    /// One value for all.
    Constant(f64),
    /// Given values.
    Values(Vec<f32>),
}

/// The variables of a model in the order of their names.
///
/// candle's own generator of random numbers cannot be seeded on the CPU, so values are drawn here,
/// for each variable from the seed and its name: adding a layer does not change the values of
/// another.
pub struct Parameters {
    variables: RefCell<BTreeMap<String, Parameter>>,
    seed: u64,
}

/// A variable, and whether weight decay applies to it.
#[derive(Clone)]
pub struct Parameter {
    /// The variable.
    pub var: Var,
    /// Whether weight decay applies.
    pub decays: bool,
}

impl Parameters {
    /// Makes an empty list.
    pub fn new(seed: u64) -> Self {
        Self { variables: RefCell::default(), seed }
    }

    /// Returns the scope of names without a prefix.
    pub fn root(&self) -> Scope<'_> {
        Scope { all: self, prefix: String::new() }
    }

    /// Returns all variables with their names, in the order of the names.
    pub fn all(&self) -> Vec<(String, Parameter)> {
        let variables = self.variables.borrow();
        variables.iter().map(|(name, parameter)| (name.clone(), parameter.clone())).collect()
    }

    /// The number of values in all variables.
    pub fn count(&self) -> usize {
        self.variables.borrow().values().map(|parameter| parameter.var.elem_count()).sum()
    }
}

/// A prefix of names.
pub struct Scope<'a> {
    all: &'a Parameters,
    prefix: String,
}

impl<'a> Scope<'a> {
    /// Returns the scope of a name within this one.
    pub fn at(&self, name: &str) -> Scope<'a> {
        Scope { all: self.all, prefix: format!("{}{name}.", self.prefix) }
    }

    /// Returns a generator of random numbers for the seed and the name.
    pub fn rng(&self, name: &str) -> SmallRng {
        // FNV-1a: the same on every machine and in every version of Rust.
        let mix = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        let name = self.prefix.bytes().chain(name.bytes());
        SmallRng::seed_from_u64(name.fold(0xcbf2_9ce4_8422_2325 ^ self.all.seed, mix))
    }

    /// Makes a variable.
    ///
    /// # Errors
    ///
    /// An error where the name is taken, or where the values do not fill the shape.
    pub fn get(
        &self,
        name: &str,
        shape: impl Into<Shape>,
        start: Start,
        decays: bool,
    ) -> Result<Tensor> {
        let shape = shape.into();
        let values = match start {
            Start::Constant(value) => vec![value as f32; shape.elem_count()],
            Start::Values(values) => values,
            Start::Normal(std) => {
                let normal = Normal::new(0.0, std).map_err(candle_core::Error::wrap)?;
                let mut rng = self.rng(name);
                (0..shape.elem_count()).map(|_| normal.sample(&mut rng) as f32).collect()
            }
        };
        let var = Var::from_tensor(&Tensor::from_vec(values, shape, &Device::Cpu)?)?;
        debug_assert_eq!(var.dtype(), DType::F32);
        let tensor = var.as_tensor().clone();
        let name = format!("{}{name}", self.prefix);
        if self.all.variables.borrow_mut().insert(name.clone(), Parameter { var, decays }).is_some()
        {
            candle_core::bail!("two variables are named {name}")
        }
        Ok(tensor)
    }

    /// Makes a weight (outputs, inputs) with Glorot's initialisation, N(0, 2 / (inputs + outputs)).
    ///
    /// # Errors
    ///
    /// The errors of [`get`](Self::get).
    pub fn weight(&self, name: &str, [outputs, inputs]: [usize; 2]) -> Result<Tensor> {
        let std = (2.0 / (inputs + outputs) as f64).sqrt();
        self.get(name, (outputs, inputs), Start::Normal(std), true)
    }
}
