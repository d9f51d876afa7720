//! Writes docs/speed.md, and the lines of the README that come from it, from the measurements of
//! `cargo bench -p benches`.
//!
//! `cargo run -p benches`

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};
use std::{env, fs, process};

use positional_encodings::testing::InstructionSet;
use serde_json::Value;

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

const HEAD: &str = "# Speed

Written by `cargo run -p benches` after `cargo bench -p benches`.

A *floor* is the cost of touching the same memory, or of the simple loop that is named. It is
measured in the same run on the same buffer, before and after each row; *× floor* is the speed of
the row as a multiple of the floor's. Times are medians; *±* is the median absolute deviation, given
where it exceeds 5%: the machine was then not idle. Calls use one thread unless their title says
otherwise. [limits.md] explains what bounds the slow rows.

[limits.md]: limits.md
";
/// The rows that the README shows: the group, the row, and its name in the README.
const README: [(&str, &str, &str); 5] = [
    ("table 8192 x 1024, f32", "interleaved", "a table 8192 × 1024, f32"),
    ("add in place to (8, 1024, 1024), f32", "", "positions added in place to (8, 1024, 1024)"),
    ("a new array (8, 1024, 1024), f32", "", "positions added into a new array (8, 1024, 1024)"),
    (
        "lookup x 32 + position, ids (8, 1024), f32",
        "",
        "ids (8, 1024) looked up and scaled, positions added",
    ),
    ("rotation of (1, 32, 2048, 128), f32", "halves", "queries (1, 32, 2048, 128) rotated"),
];
const START: &str = "<!-- written by `cargo run -p benches` -->\n";
const END: &str = "<!-- end -->";
/// Rows that are older than the newest by this much are from another run.
const ONE_RUN: Duration = Duration::from_secs(3600);

/// The measurements of one row by criterion.
struct Row {
    group: String,
    name: String,
    /// The median.
    nanoseconds: f64,
    /// The median absolute deviation, as a fraction of the median.
    deviation: f64,
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
    let (before, rest) = readme.split_once(START).ok_or("README.md has no start mark")?;
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
        deviation: estimate("median_abs_dev")? / nanoseconds,
        bytes: about.get("throughput").and_then(|of| of.get("Bytes")).and_then(Value::as_f64),
        time: fs::metadata(folder.join("estimates.json")).ok()?.modified().ok()?,
    })
}

impl Row {
    /// The name of the floor that this row measures: `fill` for "floor: fill, 2".
    fn floor(&self) -> Option<&str> {
        Some(self.name.strip_prefix("floor: ")?.rsplit_once(", ")?.0)
    }

    /// The time of the row, with its deviation where the machine was not idle.
    fn time(&self) -> String {
        let spread = format!(" ± {:.0}%", 100.0 * self.deviation);
        readable(self.nanoseconds) + if self.deviation > 0.05 { &spread } else { "" }
    }
}

/// The speed of a row as a multiple of that of its floor, measured before and after it.
fn relative(group: &[Row], at: usize) -> Option<f64> {
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
    writeln!(page, "| row | time | GB/s | × floor |\n|---|---|---|---|")?;
    for (at, row) in group.iter().enumerate().filter(|(_, row)| row.floor().is_none()) {
        let speed =
            row.bytes.map_or(String::new(), |bytes| format!("{:.1}", bytes / row.nanoseconds));
        let relative = relative(group, at).map_or(String::new(), |speed| format!("{speed:.2}"));
        writeln!(page, "| {} | {} | {speed} | {relative} |", title(&row.name), row.time())?;
    }
    Ok(())
}

/// The lines of the README: each call with the best instruction set.
fn lines(rows: &[Row], machine: &str) -> Outcome<String> {
    let mut text =
        format!("{machine}\n\n| work | time | speed relative to the floor |\n|---|---|---|\n");
    for (group, name, what) in README {
        let group = rows.chunk_by(|a, b| a.group == b.group).find(|rows| rows[0].group == group);
        let group = group.ok_or_else(|| format!("{what}: not measured"))?;
        let is_it = |row: &Row| row.floor().is_none() && row.name.starts_with(name);
        let at = group.iter().rposition(is_it).ok_or_else(|| format!("{what}: no row"))?;
        let (speed, floor) = (relative(group, at), group.iter().find_map(Row::floor));
        let (speed, floor) = (speed.unwrap_or(f64::NAN), floor.unwrap_or_default());
        writeln!(text, "| {what} | {} | {speed:.2} (floor: {floor}) |", group[at].time())?;
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

/// The machine and the date of the measurements.
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
