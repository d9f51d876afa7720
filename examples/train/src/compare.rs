//! All trainings of a task, several at the same time.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::options::Options;
use crate::report::Report;
use crate::run::{Job, Outcome, check_room};
use crate::tasks::{self, Task};
use crate::{Error, Result};

/// Trains all variants of the options, writes the results and returns them. Returns `None` if it
/// was stopped; then there are checkpoints, and results of the finished trainings.
///
/// # Errors
///
/// Before any training, an error where there are no data or no room, or where an encoding is not
/// possible in this size.
pub fn compare(options: &Options, stop: &AtomicBool) -> Result<Option<Report>> {
    let task = tasks::named(&options.task, &options.sources)?;
    let jobs = jobs(options, &task.describe());
    let mut largest = 0;
    for job in jobs.iter().filter(|job| job.seed == 0) {
        largest = largest.max(job.check(&*task)?);
    }
    std::fs::create_dir_all(&options.out)
        .map_err(|error| format!("{}: {error}", options.out.display()))?;
    // One checkpoint for each training at the same time, its successor, and the results.
    check_room(&options.out.join("room.tmp"), (largest + 1_000_000) * 2 * options.jobs as u64)?;
    eprintln!("{}: {}", options.task, task.describe());
    let outcomes = run_all(&jobs, options, &*task, stop)?;
    let complete = outcomes.iter().all(Option::is_some);
    let outcomes: Vec<Outcome> = outcomes.into_iter().flatten().collect();
    let (task_name, data) = (options.task.clone(), task.describe());
    let report = Report { task: task_name, data, settings: settings(options), outcomes };
    // The finished trainings of a run that was stopped.
    if !report.outcomes.is_empty() {
        report.write(&options.out, &task.axes())?;
    }
    Ok(complete.then_some(report))
}

/// Returns all settings of a result, except the variant and the seed.
fn settings(options: &Options) -> String {
    let shape = options.shape;
    format!(
        "{} steps, width {}, {} heads, {} layers{}",
        options.steps,
        shape.dim,
        shape.heads,
        shape.layers,
        if options.sources.quick { ", quick" } else { "" }
    )
}

fn jobs(options: &Options, data: &str) -> Vec<Job> {
    let settings = format!("{}: {}; {data}", options.task, settings(options));
    let of_seed = |seed| {
        options.variants.iter().map({
            let settings = settings.clone();
            move |variant| Job {
                variant: *variant,
                seed,
                shape: options.shape,
                steps: options.steps,
                folder: options.out.clone(),
                settings: settings.clone(),
            }
        })
    };
    // Seed by seed, so that a run that is stopped early has results of every encoding.
    (0..options.seeds).flat_map(of_seed).collect()
}

/// Runs jobs on threads of their own.
fn run_all(
    jobs: &[Job],
    options: &Options,
    task: &dyn Task,
    stop: &AtomicBool,
) -> Result<Vec<Option<Outcome>>> {
    let bars = Bars::new(jobs.len() * options.steps);
    let (next, failed) = (AtomicUsize::new(0), Mutex::new(None::<Error>));
    // Results of an earlier run are kept, whatever stops this one.
    let outcomes: Vec<Mutex<Option<Outcome>>> =
        jobs.iter().map(|job| Mutex::new(job.finished())).collect();
    let work = || -> Result<()> {
        while let Some(index) =
            Some(next.fetch_add(1, Ordering::Relaxed)).filter(|i| *i < jobs.len())
        {
            if stop.load(Ordering::Relaxed) {
                break;
            }
            let known = lock(&outcomes[index]).take();
            *lock(&outcomes[index]) = match known {
                Some(outcome) => bars.skip(&jobs[index], outcome),
                None => bars.show(&jobs[index], task, stop)?,
            };
        }
        Ok(())
    };
    std::thread::scope(|scope| {
        for _ in 0..options.jobs.min(jobs.len()) {
            scope.spawn(|| {
                if let Err(error) = work() {
                    // The others stop with a checkpoint.
                    stop.store(true, Ordering::Relaxed);
                    lock(&failed).get_or_insert(error);
                }
            });
        }
    });
    bars.all.finish_and_clear();
    match lock(&failed).take() {
        Some(error) => Err(error),
        None => Ok(outcomes.into_iter().map(|outcome| lock(&outcome).take()).collect()),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The progress bars: one for all trainings, one for each running training.
struct Bars {
    bars: MultiProgress,
    all: ProgressBar,
}

impl Bars {
    fn new(steps: usize) -> Self {
        let bars = MultiProgress::with_draw_target(ProgressDrawTarget::stderr_with_hz(4));
        let all = bars.add(ProgressBar::new(steps as u64));
        all.set_style(style("all trainings {wide_bar} {percent}% {eta} left"));
        Self { bars, all }
    }

    /// Skips a job that an earlier run has finished.
    fn skip(&self, job: &Job, outcome: Outcome) -> Option<Outcome> {
        self.all.inc(job.steps as u64);
        self.say(&format!("{}: there already", job.name()));
        Some(outcome)
    }

    /// Runs one job with its own bar, and prints the result in a line.
    fn show(&self, job: &Job, task: &dyn Task, stop: &AtomicBool) -> Result<Option<Outcome>> {
        let name = job.name();
        let bar = self.bars.add(ProgressBar::new(job.steps as u64));
        bar.set_style(style("{prefix:28} {wide_bar} {pos}/{len} {msg}, {eta} left"));
        bar.set_prefix(name.clone());
        let outcome = job.run(task, stop, &bar);
        self.all.inc(bar.position());
        self.bars.remove(&bar);
        if let Ok(outcome) = &outcome {
            self.say(&format!("{name}: {}", told(outcome.as_ref(), bar.position())));
        }
        outcome
    }

    /// Writes a line above the bars, or on standard error where there are none.
    fn say(&self, line: &str) {
        if self.bars.is_hidden() || self.bars.println(line).is_err() {
            eprintln!("{line}");
        }
    }
}

fn told(outcome: Option<&Outcome>, steps: u64) -> String {
    let Some(outcome) = outcome else { return format!("stopped after {steps} steps") };
    let measure = |(name, value): &(String, Option<f64>)| match value {
        Some(value) => format!("{name} {value:.3}"),
        None => format!("{name}: no vectors"),
    };
    let measures: Vec<String> = outcome.scores.measures.iter().map(measure).collect();
    format!("{} ({:.0} s)", measures.join("; "), outcome.seconds)
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}
