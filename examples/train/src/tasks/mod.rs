//! The tasks: each has data, models that learn from it, and tests on held-out data.

pub mod classification;
pub mod generation;
pub mod pairs;

use std::path::PathBuf;

use candle_core::{Device, Tensor};
use rand::rngs::SmallRng;
use serde::{Deserialize, Serialize};

use crate::Result;
use crate::encodings::Encoding;
use crate::parameters::Scope;
use crate::transformer::Shape;

/// A kind of model with an encoding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Variant {
    /// Whether the model is an LSTM instead of a transformer.
    pub lstm: bool,
    /// The encoding.
    pub encoding: Encoding,
}

impl Variant {
    /// Finds a variant: the name of an encoding, after `lstm/` for the LSTM.
    ///
    /// # Errors
    ///
    /// A message that lists all encodings.
    pub fn named(name: &str) -> Result<Self> {
        let lstm = name.strip_prefix("lstm/");
        Ok(Self { lstm: lstm.is_some(), encoding: Encoding::named(lstm.unwrap_or(name))? })
    }

    /// The name.
    pub fn name(self) -> String {
        format!("{}{}", if self.lstm { "lstm/" } else { "" }, self.encoding.name())
    }
}

/// A task with its data.
pub trait Task: Send + Sync {
    /// Makes a model to be trained, with its variables in `scope`.
    ///
    /// # Errors
    ///
    /// An error where there is no such model.
    fn model<'t>(
        &'t self,
        variant: Variant,
        shape: Shape,
        scope: &Scope<'_>,
    ) -> Result<Box<dyn Model + 't>>;

    /// Describes the data in one line.
    fn describe(&self) -> String;

    /// The names of the plots' axes.
    fn axes(&self) -> Axes;
}

/// The names of the axes of the plots.
pub struct Axes {
    /// The unit of length.
    pub length: &'static str,
    /// The measure by length.
    pub by_length: &'static str,
    /// The unit of position.
    pub position: &'static str,
    /// The measure by position.
    pub by_position: &'static str,
}

/// A model in training.
pub trait Model {
    /// Draws a batch and returns its loss.
    ///
    /// # Errors
    ///
    /// The errors of candle.
    fn loss(&self, rng: &mut SmallRng) -> candle_core::Result<Tensor>;

    /// Measures on held-out data.
    ///
    /// # Errors
    ///
    /// The errors of candle.
    fn test(&self) -> Result<Scores>;
}

/// The measures of a trained model.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Scores {
    /// Each measure with its name; `None` where the encoding has no such positions.
    pub measures: Vec<(String, Option<f64>)>,
    /// A measure by the length of the text.
    pub by_length: Vec<(f64, f64)>,
    /// A measure by the position in the text.
    pub by_position: Vec<(f64, f64)>,
    /// Outputs of the model.
    pub samples: Vec<String>,
}

/// The source of the data, if not packages, and the amount that is used.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// A text with a sentence on each line.
    pub text: Option<PathBuf>,
    /// A folder with message catalogues.
    pub catalogues: Option<PathBuf>,
    /// Whether the run is short.
    pub quick: bool,
}

/// The tasks by their names.
pub const TASKS: [&str; 4] = ["classification", "translation", "dates", "generation"];

/// Finds a task and reads its data.
///
/// # Errors
///
/// A message that lists all tasks; an error where there are no data.
pub fn named(name: &str, sources: &Sources) -> Result<Box<dyn Task>> {
    Ok(match name {
        "classification" => Box::new(classification::Classification::new(sources)?),
        "translation" => Box::new(pairs::Pairs::catalogues(sources)?),
        "dates" => Box::new(pairs::Pairs::dates(sources)),
        "generation" => Box::new(generation::Generation::new(sources)?),
        _ => return Err(format!("unknown task {name:?}: there are {}", TASKS.join(", ")).into()),
    })
}

/// Returns ids (rows, len) as a tensor.
fn ids(rows: &[Vec<u32>]) -> candle_core::Result<Tensor> {
    let len = rows.first().map_or(0, Vec::len);
    Tensor::from_vec(rows.concat(), (rows.len(), len), &Device::Cpu)
}
