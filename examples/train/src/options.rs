//! The options of the command line.

use std::path::PathBuf;

use crate::Result;
use crate::encodings::Encoding;
use crate::tasks::{Sources, TASKS, Variant};
use crate::transformer::Shape;

/// The help.
pub const HELP: &str = "\
train TASK [options]: trains a small model with each encoding, and compares them

tasks: classification, translation, dates, generation

  --quick             a few encodings, one seed, few steps: under three minutes on two cores
  --encodings A,B     those instead of the task's list; `lstm/A` is the LSTM (classification only)
  --seeds N           the number of seeds (3)
  --steps N           the number of steps
  --width N           the width of the model (64)
  --heads N           the number of heads (4)
  --layers N          the number of layers (2)
  --jobs N            trainings at the same time (the number of cores)
  --text FILE         a text with a sentence on each line, instead of Debian's bible-kjv-text
  --catalogues FOLDER German message catalogues (.mo), instead of those of Debian's packages
  --out FOLDER        where results go (train-results/TASK)

An interrupted run goes on when the same command is given again.";

/// The options of the command line.
#[derive(Clone, Debug)]
pub struct Options {
    /// The task.
    pub task: String,
    /// The variants to train.
    pub variants: Vec<Variant>,
    /// The number of seeds.
    pub seeds: u64,
    /// The number of steps.
    pub steps: usize,
    /// The size of the model.
    pub shape: Shape,
    /// The number of simultaneous trainings.
    pub jobs: usize,
    /// The data.
    pub sources: Sources,
    /// The folder of the results.
    pub out: PathBuf,
}

impl Options {
    /// Reads arguments; returns `None` for a request of help.
    ///
    /// # Errors
    ///
    /// A message that says which argument is wrong, and which are possible.
    pub fn read(arguments: impl IntoIterator<Item = String>) -> Result<Option<Self>> {
        let mut arguments = arguments.into_iter().peekable();
        let Some(task) = arguments.next() else { return Ok(None) };
        if ["--help", "-h"].contains(&task.as_str()) {
            return Ok(None);
        }
        if !TASKS.contains(&task.as_str()) {
            return Err(format!("unknown task {task:?}: there are {}", TASKS.join(", ")).into());
        }
        let mut rest: Vec<String> = arguments.collect();
        if rest.iter().any(|argument| ["--help", "-h"].contains(&argument.as_str())) {
            return Ok(None);
        }
        let quick = rest.iter().any(|argument| argument == "--quick");
        rest.retain(|argument| argument != "--quick");
        let mut options = Self::of(&task, quick)?;
        for pair in rest.chunks(2) {
            let [name, value] = pair else {
                return Err(format!("{} is without a value; see --help", pair[0]).into());
            };
            options.set(name, value)?;
        }
        Ok(Some(options))
    }

    /// Returns the default options of a task.
    fn of(task: &str, quick: bool) -> Result<Self> {
        let names: Vec<&str> = match (quick, task) {
            (true, "classification") => vec!["none", "sinusoidal", "learned"],
            (true, _) => vec!["nope", "sinusoidal", "rotary", "alibi"],
            (false, _) => Encoding::ALL.iter().map(|(name, _)| *name).collect(),
        };
        let mut variants = names.into_iter().map(Variant::named).collect::<Result<Vec<_>>>()?;
        if task == "generation" {
            // A decoder without positions has a mask in any case, so only one name is used.
            variants.retain(|variant| variant.encoding != Encoding::None);
        }
        if task == "classification" && !quick {
            for name in ["lstm/none", "lstm/sinusoidal", "lstm/learned", "lstm/concatenated"] {
                variants.push(Variant::named(name)?);
            }
        }
        let steps = match (task, quick) {
            ("classification", true) => 500,
            (_, true) => 400,
            // A full run takes less than an hour on two cores: docs/training.md has the times.
            ("translation", false) => 800,
            (_, false) => 1500,
        };
        Ok(Self {
            task: task.to_string(),
            variants,
            seeds: if quick { 1 } else { 3 },
            steps,
            shape: Shape { dim: 64, heads: 4, layers: 2 },
            jobs: std::thread::available_parallelism().map_or(1, usize::from),
            sources: Sources { quick, ..Sources::default() },
            out: PathBuf::from("train-results").join(task),
        })
    }

    fn set(&mut self, name: &str, value: &str) -> Result<()> {
        let number = || -> Result<usize> {
            let parsed: Option<usize> = value.parse().ok().filter(|number| *number > 0);
            let what = "must be a whole number of at least 1 and at most 1000000000";
            let small = parsed.filter(|number| *number <= 1_000_000_000);
            small.ok_or_else(|| format!("{name} {what}, not {value:?}").into())
        };
        match name {
            "--encodings" => {
                let names = value.split(',').map(str::trim);
                self.variants = names.map(Variant::named).collect::<Result<_>>()?;
            }
            "--seeds" => self.seeds = number()? as u64,
            "--steps" => self.steps = number()?,
            "--width" => self.shape.dim = number()?,
            "--heads" => self.shape.heads = number()?,
            "--layers" => self.shape.layers = number()?,
            "--jobs" => self.jobs = number()?.min(64),
            "--text" => self.sources.text = Some(value.into()),
            "--catalogues" => self.sources.catalogues = Some(value.into()),
            "--out" => self.out = value.into(),
            _ => return Err(format!("unknown option {name:?}; see --help").into()),
        }
        Ok(())
    }
}
