//! One training: steps, checkpoints, and a result.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use candle_core::{Device, Tensor, safetensors};
use candle_nn::Optimizer;
use indicatif::ProgressBar;
use rand::SeedableRng;
use rand::rngs::SmallRng;
use serde::{Deserialize, Serialize};

use crate::Result;
use crate::optimiser::AdamW;
use crate::parameters::Parameters;
use crate::tasks::{Scores, Task, Variant};
use crate::transformer::Shape;

/// The largest learning rate.
const RATE: f64 = 4e-3;

/// The interval of checkpoints.
const EVERY: Duration = Duration::from_secs(20);

/// One training.
#[derive(Clone, Debug)]
pub struct Job {
    /// The variant that is trained.
    pub variant: Variant,
    /// The seed.
    pub seed: u64,
    /// The size of the model.
    pub shape: Shape,
    /// The number of steps.
    pub steps: usize,
    /// The folder of checkpoints and results.
    pub folder: PathBuf,
    /// All settings of the result: a checkpoint of other settings is not used.
    pub settings: String,
}

/// The outcome of a training.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Outcome {
    /// The name of the variant.
    pub variant: String,
    /// The seed.
    pub seed: u64,
    /// All settings of the result.
    pub settings: String,
    /// The number of learned values.
    pub parameters: usize,
    /// The seconds that it took, without those before an interruption.
    pub seconds: f64,
    /// The mean loss of each hundredth of the steps.
    pub losses: Vec<(f64, f64)>,
    /// The measures of the model.
    pub scores: Scores,
}

impl Job {
    fn file(&self, extension: &str) -> PathBuf {
        let name = self.variant.name().replace('/', "-");
        self.folder.join(format!("{name}-{}.{extension}", self.seed))
    }

    /// The name of the variant and the seed.
    pub fn name(&self) -> String {
        format!("{}, seed {}", self.variant.name(), self.seed)
    }

    /// The outcome of an earlier run with the same settings.
    pub fn finished(&self) -> Option<Outcome> {
        let text = std::fs::read_to_string(self.file("json")).ok()?;
        let outcome: Outcome = serde_json::from_str(&text).ok()?;
        (outcome.settings == self.settings).then_some(outcome)
    }

    /// Makes the model without training it, and returns the size of a checkpoint in bytes, so that
    /// impossible models fail before any training.
    ///
    /// # Errors
    ///
    /// The errors of the model.
    pub fn check(&self, task: &dyn Task) -> Result<u64> {
        let parameters = Parameters::new(self.seed);
        let model = task.model(self.variant, self.shape, &parameters.root());
        model.map_err(|error| format!("{}: {error}", self.variant.name()))?;
        Ok(parameters.count() as u64 * 12 + 4096)
    }

    /// Trains, from a checkpoint if there is one. Returns `None` if it was stopped; then there is a
    /// checkpoint.
    ///
    /// # Errors
    ///
    /// The errors of the model, and of writing files.
    pub fn run(
        &self,
        task: &dyn Task,
        stop: &AtomicBool,
        bar: &ProgressBar,
    ) -> Result<Option<Outcome>> {
        let parameters = Parameters::new(self.seed);
        let model = task.model(self.variant, self.shape, &parameters.root())?;
        let mut optimiser = AdamW::of(&parameters)?;
        let mut losses = self.resume(&mut optimiser);
        bar.set_position(optimiser.steps() as u64);
        bar.reset_eta();
        let (start, mut saved) = (Instant::now(), Instant::now());
        while optimiser.steps() < self.steps {
            if stop.load(Ordering::Relaxed) {
                self.save(&optimiser, &losses)?;
                return Ok(None);
            }
            if saved.elapsed() > EVERY {
                self.save(&optimiser, &losses)?;
                saved = Instant::now();
            }
            let step = optimiser.steps();
            optimiser.set_learning_rate(self.rate(step));
            // Seed and step decide the batch, so a resumed run sees the same batches.
            let mut rng = SmallRng::seed_from_u64((self.seed << 32) + step as u64);
            let loss = model.loss(&mut rng)?;
            optimiser.backward_step(&loss)?;
            losses.push(loss.to_scalar::<f32>()?);
            bar.inc(1);
            if step.is_multiple_of(10) {
                bar.set_message(format!("loss {:.3}", recent(&losses)));
            }
        }
        bar.set_message("testing");
        let outcome = Outcome {
            variant: self.variant.name(),
            seed: self.seed,
            settings: self.settings.clone(),
            parameters: parameters.count(),
            seconds: start.elapsed().as_secs_f64(),
            losses: hundredths(&losses),
            scores: model.test()?,
        };
        write(&self.file("json"), serde_json::to_string(&outcome)?.as_bytes())?;
        let _ = std::fs::remove_file(self.file("safetensors"));
        Ok(Some(outcome))
    }

    /// Returns the learning rate of a step: it grows over the first steps and falls along a cosine
    /// to a tenth.
    fn rate(&self, step: usize) -> f64 {
        let warm = (step + 1) as f64 / (self.steps as f64 / 10.0).clamp(1.0, 100.0);
        let share = step as f64 / self.steps.max(1) as f64;
        let cosine = 0.55 + 0.45 * (core::f64::consts::PI * share).cos();
        RATE * warm.min(1.0) * cosine
    }

    /// Restores a checkpoint of the same settings, and returns the losses so far.
    fn resume(&self, optimiser: &mut AdamW) -> Vec<f32> {
        let Ok(state) = safetensors::load(self.file("safetensors"), &Device::Cpu) else {
            return Vec::new();
        };
        let settings = state.get("settings").and_then(|bytes| bytes.to_vec1::<u8>().ok());
        let losses = state.get("losses").and_then(|losses| losses.to_vec1::<f32>().ok());
        match (settings, losses) {
            (Some(settings), Some(losses))
                if settings == self.settings.as_bytes() && optimiser.restore(&state).is_ok() =>
            {
                losses
            }
            _ => Vec::new(),
        }
    }

    fn save(&self, optimiser: &AdamW, losses: &[f32]) -> Result<()> {
        if optimiser.steps() == 0 {
            return Ok(());
        }
        let mut state: HashMap<String, Tensor> = optimiser.state()?;
        let settings = self.settings.as_bytes();
        state.insert("settings".into(), Tensor::new(settings, &Device::Cpu)?);
        state.insert("losses".into(), Tensor::new(losses, &Device::Cpu)?);
        let file = self.file("safetensors");
        let partial = file.with_extension("partial");
        safetensors::save(&state, &partial)
            .map_err(|error| format!("{}: {error}", partial.display()))?;
        Ok(std::fs::rename(&partial, &file)
            .map_err(|error| format!("{}: {error}", file.display()))?)
    }
}

/// Writes a file whole or not at all.
///
/// # Errors
///
/// The errors of the file system, with the name of the file.
pub fn write(file: &Path, bytes: &[u8]) -> Result<()> {
    let partial = file.with_extension("partial");
    std::fs::write(&partial, bytes).map_err(|error| format!("{}: {error}", partial.display()))?;
    Ok(std::fs::rename(&partial, file).map_err(|error| format!("{}: {error}", file.display()))?)
}

/// Checks that there is room for `bytes` in a file, by writing and removing it.
///
/// # Errors
///
/// The error of the file system, with the name of the file and the number of bytes.
pub fn check_room(file: &Path, bytes: u64) -> Result<()> {
    let result = std::fs::File::create(file).and_then(|mut file| {
        std::io::copy(&mut std::io::Read::take(std::io::repeat(0), bytes), &mut file)?;
        file.sync_all()
    });
    // A device is not removed.
    if file.is_file() {
        let _ = std::fs::remove_file(file);
    }
    result.map_err(|error| {
        let million = bytes.div_ceil(1_000_000);
        format!("{}: {error}; a run needs {million} MB there", file.display()).into()
    })
}

fn recent(losses: &[f32]) -> f32 {
    let last = &losses[losses.len().saturating_sub(20)..];
    last.iter().sum::<f32>() / last.len().max(1) as f32
}

/// Returns the mean of each hundredth of a list, with the step at its end.
fn hundredths(losses: &[f32]) -> Vec<(f64, f64)> {
    let group = losses.len().div_ceil(100).max(1);
    let mean = |group: &[f32]| group.iter().map(|loss| f64::from(*loss)).sum::<f64>();
    let ends = losses.chunks(group).enumerate();
    ends.map(|(index, chunk)| {
        let end = index * group + chunk.len();
        // Four digits are enough for a picture.
        (end as f64, (mean(chunk) / chunk.len() as f64 * 1e4).round() / 1e4)
    })
    .collect()
}
