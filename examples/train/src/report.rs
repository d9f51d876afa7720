//! Results of all trainings as a table, as JSON, and as plots.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::Result;
use crate::metrics::mean_and_spread;
use crate::plot::{Line, plot};
use crate::run::{Outcome, write};
use crate::tasks::Axes;

/// All outcomes of a task.
#[derive(Debug, Serialize, Deserialize)]
pub struct Report {
    /// The task.
    pub task: String,
    /// The description of the data.
    pub data: String,
    /// The settings.
    pub settings: String,
    /// One outcome for each variant and seed.
    pub outcomes: Vec<Outcome>,
}

/// A measure of a variant over its seeds.
#[derive(Debug, Serialize)]
pub struct Summary {
    /// The mean.
    pub mean: f64,
    /// The standard deviation.
    pub spread: f64,
}

/// A summary of all seeds of a variant.
#[derive(Debug, Serialize)]
struct Short<'a> {
    variant: &'a str,
    seeds: usize,
    parameters: usize,
    measures: BTreeMap<&'a str, Option<Summary>>,
    by_length: Vec<(f64, f64)>,
    by_position: Vec<(f64, f64)>,
}

impl Report {
    /// The variants, in the order of their outcomes.
    pub fn variants(&self) -> Vec<&str> {
        let mut variants: Vec<&str> = Vec::new();
        for outcome in &self.outcomes {
            if !variants.contains(&outcome.variant.as_str()) {
                variants.push(&outcome.variant);
            }
        }
        variants
    }

    fn of<'a>(&'a self, variant: &'a str) -> impl Iterator<Item = &'a Outcome> {
        self.outcomes.iter().filter(move |outcome| outcome.variant == variant)
    }

    /// A measure of a variant; `None` where it has none.
    pub fn summary(&self, variant: &str, measure: &str) -> Option<Summary> {
        let value = |outcome: &Outcome| {
            let found = outcome.scores.measures.iter().find(|(name, _)| name == measure);
            found.and_then(|(_, value)| *value)
        };
        let values: Vec<f64> = self.of(variant).filter_map(value).collect();
        let (mean, spread) = mean_and_spread(&values);
        (!values.is_empty()).then_some(Summary { mean, spread })
    }

    /// A table in Markdown: variants and measures, mean ± standard deviation over the seeds.
    pub fn table(&self) -> String {
        let measures = self.measures();
        let mut table = format!("| encoding | {} | seeds |\n", measures.join(" | "));
        table += &format!("|---|{}---|\n", "---|".repeat(measures.len()));
        for variant in self.variants() {
            let cell = |measure: &&str| match self.summary(variant, measure) {
                Some(Summary { mean, spread }) => format!("{mean:.3} ± {spread:.3}"),
                None => "no vectors".to_string(),
            };
            let cells: Vec<String> = measures.iter().map(cell).collect();
            let seeds = self.of(variant).count();
            table += &format!("| {variant} | {} | {seeds} |\n", cells.join(" | "));
        }
        table
    }

    /// The names of the measures.
    fn measures(&self) -> Vec<&str> {
        let measures = self.outcomes.first().map(|first| &first.scores.measures);
        measures.into_iter().flatten().map(|(name, _)| name.as_str()).collect()
    }

    /// Means and spreads of all variants as JSON, without the curves of single trainings.
    fn short(&self) -> Result<String> {
        let length = self.lines(|outcome| &outcome.scores.by_length);
        let position = self.lines(|outcome| &outcome.scores.by_position);
        let measures = self.measures();
        let curves = length.into_iter().zip(position);
        let variants: Vec<Short> = (self.variants().into_iter().zip(curves))
            .map(|(variant, (length, position))| Short {
                variant,
                seeds: self.of(variant).count(),
                parameters: self.of(variant).next().map_or(0, |outcome| outcome.parameters),
                measures: measures
                    .iter()
                    .map(|name| (*name, self.summary(variant, name)))
                    .collect(),
                by_length: length.points,
                by_position: position.points,
            })
            .collect();
        Ok(serde_json::to_string(&serde_json::json!({
            "task": self.task, "data": self.data, "settings": self.settings, "variants": variants,
        }))?)
    }

    /// Returns the outputs of the first seed of each variant.
    pub fn samples(&self) -> String {
        let mut text = String::new();
        for variant in self.variants() {
            for sample in self.of(variant).take(1).flat_map(|outcome| &outcome.scores.samples) {
                text += &format!("- {variant}: {sample}\n");
            }
        }
        text
    }

    /// The mean over seeds of a curve of each variant.
    fn lines(&self, curve: impl Fn(&Outcome) -> &[(f64, f64)]) -> Vec<Line> {
        let line = |variant: &str| {
            let curves: Vec<&[(f64, f64)]> = self.of(variant).map(&curve).collect();
            let points = curves.first().map_or(&[][..], |first| first);
            let mean = |(index, (x, _)): (usize, &(f64, f64))| {
                let values: Vec<f64> =
                    curves.iter().filter_map(|curve| curve.get(index).map(|(_, y)| *y)).collect();
                (*x, mean_and_spread(&values).0)
            };
            let points = points.iter().enumerate().map(mean).collect();
            Line { name: variant.to_string(), points }
        };
        self.variants().into_iter().map(line).collect()
    }

    /// Writes results.json, summary.json, table.md and three plots to a folder.
    ///
    /// # Errors
    ///
    /// The errors of the file system.
    pub fn write(&self, folder: &Path, axes: &Axes) -> Result<()> {
        write(&folder.join("results.json"), serde_json::to_string(self)?.as_bytes())?;
        write(&folder.join("summary.json"), self.short()?.as_bytes())?;
        let text = format!(
            "# {}\n\n{}\n\n{}\n\n{}\n{}",
            self.task,
            self.data,
            self.settings,
            self.table(),
            self.samples()
        );
        write(&folder.join("table.md"), text.as_bytes())?;
        let losses = self.lines(|outcome| &outcome.losses);
        let length = self.lines(|outcome| &outcome.scores.by_length);
        let position = self.lines(|outcome| &outcome.scores.by_position);
        let pictures = [
            ("loss.svg", "loss", ("step", "loss in training"), losses),
            ("length.svg", axes.by_length, (axes.length, axes.by_length), length),
            ("position.svg", axes.by_position, (axes.position, axes.by_position), position),
        ];
        for (file, what, names, lines) in pictures {
            let title = format!("{}: {what}", self.task);
            write(&folder.join(file), plot(&title, names, &lines)?.as_bytes())?;
        }
        Ok(())
    }
}
