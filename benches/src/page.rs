//! Writes docs/speed.md, and the lines of the README that come from it, from what `cargo bench -p
//! benches` measured.
//!
//! `cargo run -p benches`

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};
use std::{env, fs, process};

use positional_encodings::InstructionSet;
use serde_json::Value;

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

const HEAD: &str = "# Speed

Written by `cargo run -p benches` after `cargo bench -p benches`.

A *floor* is what touching the same memory costs. It is measured in the same run, on the same
buffer, before and after each row, and *part* is the speed of the row as a part of the floor's: 1 is
the speed of memory. Times are medians; *±* says how far from it half of the samples were, where
that is more than a twentieth: then the machine was not quiet. One thread does it all unless the row
says otherwise. [limits.md] says what bounds the parts that are small.

[limits.md]: limits.md
";
/// What of this stands in the README: the group, the row, and what to call it.
const README: [(&str, &str, &str); 5] = [
    ("table 8192 x 1024, f32", "interleaved", "a table 8192 × 1024, f32"),
    ("add in place to (8, 1024, 1024), f32", "", "positions added in place to (8, 1024, 1024)"),
    ("a new array (8, 1024, 1024), f32", "", "the same into a new array"),
    ("lookup x 32 + position, ids (8, 1024), f32", "", "ids (8, 1024) looked up, scaled, added to"),
    ("rotation of (1, 32, 2048, 128), f32", "halves", "queries (1, 32, 2048, 128) rotated"),
];
const START: &str = "<!-- written by `cargo run -p benches` -->\n";
const END: &str = "<!-- end -->";
/// Rows that are so much older than the newest are not of the same run.
const ONE_RUN: Duration = Duration::from_secs(3600);

/// What criterion measured of one row.
struct Row {
    group: String,
    name: String,
    /// The median.
    nanoseconds: f64,
    /// The median distance from it, as a part of it.
    unrest: f64,
    bytes: Option<f64>,
    time: SystemTime,
}

fn main() -> Outcome<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let target = env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    let rows = read(&target.join("criterion"))?;
    let Some(last) = rows.last() else {
        return Err("nothing was measured: run `cargo bench -p benches` first".into());
    };
    let machine = machine(last.time);

    let mut page = format!("{HEAD}\n{machine}\n");
    for group in rows.chunk_by(|a, b| a.group == b.group) {
        table(&mut page, group)?;
    }
    fs::write(root.join("docs/speed.md"), page)?;

    let readme = fs::read_to_string(root.join("README.md"))?;
    let (before, rest) = readme.split_once(START).ok_or("README.md has no mark to write at")?;
    let (_, after) = rest.split_once(END).ok_or("README.md has no end mark")?;
    let lines = lines(&rows, &machine)?;
    fs::write(root.join("README.md"), format!("{before}{START}{lines}{END}{after}"))?;
    print!("{lines}");
    Ok(())
}

/// The rows of the last run, in the order in which they were measured.
fn read(folder: &Path) -> Outcome<Vec<Row>> {
    let mut rows = Vec::new();
    for group in folders(folder) {
        rows.extend(folders(&group).iter().filter_map(|folder| row(&folder.join("new"))));
    }
    rows.sort_by_key(|row| row.time);
    let newest = rows.last().map_or(SystemTime::UNIX_EPOCH, |row| row.time);
    rows.retain(|row| row.time + ONE_RUN > newest);
    Ok(rows)
}

fn folders(of: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(of).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).filter(|path| path.is_dir()).collect()
}

fn row(folder: &Path) -> Option<Row> {
    let json = |name| serde_json::from_slice::<Value>(&fs::read(folder.join(name)).ok()?).ok();
    let (about, times) = (json("benchmark.json")?, json("estimates.json")?);
    let text = |key: &str| Some(about.get(key)?.as_str()?.to_string());
    let estimate = |kind: &str| times.get(kind)?.get("point_estimate")?.as_f64();
    let nanoseconds = estimate("median")?;
    Some(Row {
        group: text("group_id")?,
        name: text("function_id")?,
        nanoseconds,
        unrest: estimate("median_abs_dev")? / nanoseconds,
        bytes: about.get("throughput").and_then(|of| of.get("Bytes")).and_then(Value::as_f64),
        time: fs::metadata(folder.join("estimates.json")).ok()?.modified().ok()?,
    })
}

impl Row {
    /// The name of a floor: "floor: fill, 2" is `fill`.
    fn floor(&self) -> Option<&str> {
        Some(self.name.strip_prefix("floor: ")?.rsplit_once(", ")?.0)
    }

    /// The time of the row, and where the machine was not quiet, how much that wavered.
    fn time(&self) -> String {
        let wavered = format!(" ± {:.0}%", 100.0 * self.unrest);
        readable(self.nanoseconds) + if self.unrest > 0.05 { &wavered } else { "" }
    }
}

/// The speed of a row as a part of that of its floor, measured before and after it.
fn part(group: &[Row], at: usize) -> Option<f64> {
    let is_floor = |row: &&Row| row.floor().is_some();
    let before = group[..at].iter().rev().find(is_floor)?;
    let after = group[at..].iter().find(is_floor).unwrap_or(before);
    Some((before.nanoseconds + after.nanoseconds) / 2.0 / group[at].nanoseconds)
}

fn table(page: &mut String, group: &[Row]) -> Outcome<()> {
    let floors: Vec<_> = group.iter().filter(|row| row.floor().is_some()).collect();
    write!(page, "\n## {}\n\n", title(&group[0].group))?;
    if let Some(name) = floors.first().and_then(|floor| floor.floor()) {
        let times = || floors.iter().map(|floor| floor.nanoseconds);
        let (least, most) = (times().fold(f64::MAX, f64::min), times().fold(0.0, f64::max));
        writeln!(page, "Floor: {name}, {} to {}.\n", readable(least), readable(most))?;
    }
    writeln!(page, "| row | time | GB/s | part |\n|---|---|---|---|")?;
    for (at, row) in group.iter().enumerate().filter(|(_, row)| row.floor().is_none()) {
        let speed =
            row.bytes.map_or(String::new(), |bytes| format!("{:.1}", bytes / row.nanoseconds));
        let part = part(group, at).map_or(String::new(), |part| format!("{part:.2}"));
        writeln!(page, "| {} | {} | {speed} | {part} |", title(&row.name), row.time())?;
    }
    Ok(())
}

/// The lines of the README: of each work, the best instruction set.
fn lines(rows: &[Row], machine: &str) -> Outcome<String> {
    let mut text =
        format!("{machine}\n\n| work | time | part of the floor's speed |\n|---|---|---|\n");
    for (group, name, what) in README {
        let group = rows.chunk_by(|a, b| a.group == b.group).find(|rows| rows[0].group == group);
        let group = group.ok_or_else(|| format!("{what}: not measured"))?;
        let is_it = |row: &Row| row.floor().is_none() && row.name.starts_with(name);
        let at = group.iter().rposition(is_it).ok_or_else(|| format!("{what}: no row"))?;
        let (part, floor) = (part(group, at), group.iter().find_map(Row::floor));
        let (part, floor) = (part.unwrap_or(f64::NAN), floor.unwrap_or_default());
        writeln!(text, "| {what} | {} | {part:.2} of: {floor} |", group[at].time())?;
    }
    Ok(text)
}

fn title(name: &str) -> String {
    name.replace(" x ", " × ")
}

fn readable(nanoseconds: f64) -> String {
    let (value, unit) = match nanoseconds {
        ..1e3 => (nanoseconds, "ns"),
        ..1e6 => (nanoseconds / 1e3, "µs"),
        _ => (nanoseconds / 1e6, "ms"),
    };
    let digits = if value < 10.0 { 2 } else { usize::from(value < 100.0) };
    format!("{value:.digits$} {unit}")
}

/// What it was measured on, and when.
fn machine(time: SystemTime) -> String {
    let says = |program: &str, arguments: &[&str]| {
        let output = process::Command::new(program).args(arguments).output().ok()?;
        Some(String::from_utf8_lossy(&output.stdout).trim().to_string())
    };
    let seconds = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
    let date = says("date", &["-u", "+%F", "-d", &format!("@{seconds}")]).unwrap_or_default();
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let cpu = cpu.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let cpu = cpu.map_or(env::consts::ARCH, |(_, name)| name);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let set = InstructionSet::available().last().map_or("", InstructionSet::name);
    let compiler = says("rustc", &["--version"]).unwrap_or_default();
    let compiler = compiler.split(" (").next().unwrap_or_default();
    format!("Medians of one run on {date}: {cpu}, {cores} cores, {set}, {compiler}.")
}
