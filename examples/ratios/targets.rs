//! What the crate sets out to reach.

use crate::results::{Group, Results, Row};

#[derive(Clone, Copy, Debug)]
pub enum Target {
    /// Of the floor's speed, at least.
    Part(f64),
    /// In nanoseconds, at most.
    Time(f64),
}

use Target::{Part, Time};

/// Group, how the names of its rows end, and what they should reach.
const TARGETS: [(&str, &str, Target); 24] = [
    ("table 8192 x 1024, f32", "AVX-512", Part(0.8)),
    ("table 8192 x 1024, f32", "AVX2", Part(0.65)),
    ("table 8192 x 1024, f32", "baseline", Part(0.5)),
    ("table 512 x 768, f32", "AVX-512", Part(0.3)),
    ("table 512 x 768, f32", "AVX2", Part(0.3)),
    ("table 8192 x 1024, f64", "AVX-512", Part(0.25)),
    ("table 8192 x 1024, f64", "AVX2", Part(0.25)),
    ("table 8192 x 1024, bf16", "AVX-512", Part(0.5)),
    ("table 8192 x 1024, bf16", "AVX2", Part(0.5)),
    ("add in place to (8, 1024, 1024), f32", "AVX-512", Part(0.9)),
    ("add in place to (8, 1024, 1024), f32", "AVX2", Part(0.9)),
    ("lookup x 32 + position, ids (8, 1024), f32", "AVX-512", Part(0.85)),
    ("lookup x 32 + position, ids (8, 1024), f32", "AVX2", Part(0.85)),
    ("8192 random positions below 2^31 x 1024, f32", "AVX-512", Part(0.2)),
    ("8192 random positions below 2^31 x 1024, f32", "AVX2", Part(0.2)),
    ("table 8192 x 1024, f32, two threads", "", Part(0.75)),
    ("a decode step, dim 1024, f32", "one row added", Time(2_000.0)),
    ("construct Sinusoidal", "dim 1024", Time(100_000.0)),
    ("apply (1, 32, 2048, 128)", "apply, halves", Part(0.85)),
    ("apply (1, 32, 2048, 128)", "apply, interleaved", Part(0.85)),
    ("decode step (1, 32, 1, 128)", "apply, halves", Part(1.0 / 3.0)),
    ("decode step (1, 32, 1, 128)", "apply, interleaved", Part(1.0 / 3.0)),
    ("decode step (1, 32, 1, 128)", "plan, halves", Time(500.0)),
    ("plan of 8192 positions, 64 pairs", "plan", Part(0.6)),
];

/// What a row should reach.
pub fn of(group: &str, row: &str) -> Option<Target> {
    TARGETS
        .iter()
        .find(|(of, end, _)| *of == group && row.ends_with(end))
        .map(|(.., target)| *target)
}

impl Target {
    pub fn is_reached(self, group: &Group, row: &Row) -> bool {
        match self {
            Part(part) => group.ratio(row).is_some_and(|ratio| ratio >= part),
            Time(most) => row.nanoseconds <= most,
        }
    }
}

/// The rows that have a target, in the order above.
pub fn rows(results: &Results) -> impl Iterator<Item = (&Group, &Row, Target)> {
    let mut names: Vec<_> = TARGETS.iter().map(|(group, ..)| *group).collect();
    names.dedup();
    let groups = names.into_iter().filter_map(|name| results.group(name));
    groups.flat_map(|group| {
        group.rows.iter().filter_map(move |row| Some((group, row, of(&group.name, &row.name)?)))
    })
}

/// Targets of which nothing is known: the group, and how the names of the rows end.
pub fn unmeasured(results: &Results) -> impl Iterator<Item = (&'static str, &'static str)> {
    let is_measured = |name: &str, end: &str| {
        results
            .group(name)
            .is_some_and(|group| group.rows.iter().any(|row| row.name.ends_with(end)))
    };
    TARGETS
        .iter()
        .map(|(group, end, _)| (*group, *end))
        .filter(move |(group, end)| !is_measured(group, end))
}
