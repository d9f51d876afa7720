//! Prints what `cargo bench --bench speed` measured as parts of the floors of the same run, as a Markdown table.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// The median of one benchmark in nanoseconds, with the names criterion knows it by.
fn read(folder: &Path) -> Option<(String, String, f64)> {
    let json = |name| serde_json::from_slice::<Value>(&fs::read(folder.join("new").join(name)).ok()?).ok();
    let (names, times) = (json("benchmark.json")?, json("estimates.json")?);
    let name = |key: &str| Some(names.get(key)?.as_str()?.to_string());
    Some((name("group_id")?, name("function_id")?, times["median"]["point_estimate"].as_f64()?))
}

fn folders(of: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(of).into_iter().flatten().flatten();
    let mut folders: Vec<_> = entries.map(|entry| entry.path()).filter(|path| path.is_dir()).collect();
    folders.sort();
    folders
}

fn main() {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or("target".into(), PathBuf::from).join("criterion");
    let mut results: Vec<_> =
        folders(&target).iter().flat_map(|group| folders(group)).filter_map(|f| read(&f)).collect();
    if results.is_empty() {
        eprintln!("nothing measured yet under {}: run `cargo bench --bench speed` first", target.display());
        std::process::exit(1);
    }
    results.sort_by(|a, b| (&a.0, !a.1.starts_with("floor"), &a.1).cmp(&(&b.0, !b.1.starts_with("floor"), &b.1)));
    println!("| work | variant | median | speed, as a part of the floor's |\n|---|---|---|---|");
    for (group, name, time) in &results {
        let floor = results.iter().find(|(g, n, _)| g == group && n.starts_with("floor"));
        let ratio = match floor {
            Some((_, floor, _)) if floor == name => "1".to_string(),
            Some((_, _, floor)) => format!("{:.2}", floor / time),
            None => String::new(),
        };
        println!("| {group} | {name} | {} | {ratio} |", readable(*time));
    }
}

fn readable(nanoseconds: f64) -> String {
    match nanoseconds {
        t if t < 1e3 => format!("{t:.0} ns"),
        t if t < 1e6 => format!("{:.2} µs", t / 1e3),
        t => format!("{:.2} ms", t / 1e6),
    }
}
