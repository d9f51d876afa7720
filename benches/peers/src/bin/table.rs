//! Prints the measurements of `cargo bench` as a Markdown table: how many times as fast as the
//! others this crate is.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use peers::Memory;
use serde_json::Value;

const OURS: &str = "this crate";
const FLOOR: &str = "floor: ";

struct Result {
    who: String,
    nanoseconds: f64,
    when: SystemTime,
}

/// Contenders by (work, memory): only results with the same memory are compared.
type Results = BTreeMap<(String, String), Vec<Result>>;

fn folders(of: &Path) -> impl Iterator<Item = PathBuf> {
    let entries = fs::read_dir(of).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).filter(|path| path.is_dir())
}

/// Reads one benchmark: the work, the memory, and the median.
fn read(folder: &Path) -> Option<((String, String), Result)> {
    let path = |name| folder.join("new").join(name);
    let json = |name| serde_json::from_slice::<Value>(&fs::read(path(name)).ok()?).ok();
    let (names, times) = (json("benchmark.json")?, json("estimates.json")?);
    let name = |key: &str| Some(names.get(key)?.as_str()?.to_string());
    let nanoseconds = times["median"]["point_estimate"].as_f64()?;
    let when = fs::metadata(path("estimates.json")).and_then(|file| file.modified()).ok()?;
    Some((
        (name("group_id")?, name("value_str")?),
        Result { who: name("function_id")?, nanoseconds, when },
    ))
}

fn results(criterion: &Path) -> Results {
    let mut results = Results::new();
    let functions = folders(criterion).flat_map(|group| folders(&group).collect::<Vec<_>>());
    for (key, result) in functions
        .flat_map(|function| folders(&function).collect::<Vec<_>>())
        .filter_map(|f| read(&f))
    {
        results.entry(key).or_default().push(result);
    }
    for results in results.values_mut() {
        results.sort_by(|a, b| (a.who != OURS, &a.who).cmp(&(b.who != OURS, &b.who)));
    }
    results
}

fn main() {
    let target = std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("target"), PathBuf::from);
    let results = results(&target.join("criterion"));
    let times: Vec<SystemTime> = results.values().flatten().map(|result| result.when).collect();
    let (Some(first), Some(last)) = (times.iter().min(), times.iter().max()) else {
        eprintln!("nothing measured yet under {}: run `cargo bench` first", target.display());
        std::process::exit(1);
    };
    if last.duration_since(*first).is_ok_and(|span| span > Duration::from_secs(3600)) {
        eprintln!(
            "warning: these results are not from one run; delete {} and run again",
            target.join("criterion").display()
        );
    }
    println!(
        "| work | output | this crate | times as fast as | times as fast, here in place | speed relative to floors |"
    );
    println!("|---|---|---|---|---|---|");
    for ((work, memory), contenders) in &results {
        let in_place = results.get(&(work.clone(), Memory::InPlace.name().to_string()));
        let in_place =
            in_place.filter(|_| memory != Memory::InPlace.name()).and_then(|results| ours(results));
        print_row(work, memory, contenders, in_place);
    }
}

/// Returns this crate's time.
fn ours(results: &[Result]) -> Option<f64> {
    results.iter().find(|result| result.who == OURS).map(|result| result.nanoseconds)
}

fn print_row(work: &str, memory: &str, results: &[Result], in_place: Option<f64>) {
    let Some(ours) = ours(results) else {
        return;
    };
    let peers =
        results.iter().filter(|result| result.who != OURS && !result.who.starts_with(FLOOR));
    let beside = |own: f64| {
        listed(peers.clone().map(|peer| format!("{} {}", peer.who, times(peer.nanoseconds / own))))
    };
    let floors = results
        .iter()
        .filter_map(|result| Some((result.who.strip_prefix(FLOOR)?, result.nanoseconds)));
    let floors = listed(floors.map(|(floor, time)| format!("{floor} {:.2}", time / ours)));
    let (same, in_place) = (beside(ours), in_place.map(beside).unwrap_or_default());
    println!("| {work} | {memory} | {} | {same} | {in_place} | {floors} |", readable(ours));
}

fn listed(items: impl Iterator<Item = String>) -> String {
    items.collect::<Vec<_>>().join("; ")
}

fn times(ratio: f64) -> String {
    if ratio < 9.95 { format!("{ratio:.1}") } else { format!("{ratio:.0}") }
}

fn readable(nanoseconds: f64) -> String {
    match nanoseconds {
        t if t < 1e3 => format!("{t:.0} ns"),
        t if t < 1e6 => format!("{:.2} µs", t / 1e3),
        t => format!("{:.2} ms", t / 1e6),
    }
}
