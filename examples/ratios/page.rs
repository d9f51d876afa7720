//! The tables as Markdown.

use std::fmt::Write;

use crate::machine;
use crate::results::{Group, Results, Row};
use crate::targets::{self, Target};

/// Groups of the sweep begin like this.
const SWEEP: &str = "sweep ";
const LOOPS: &str = "loops: table 8192 x 1024, f32";
/// Groups that show how cost grows, and what to look for in them.
const GROWTH: [(&str, &str); 4] = [
    (
        "lengths, dim 1024, f32",
        "A long sequence costs the same per element at any length, odd ones too. The first rows cost more: few of them are computed one by one, and more pay for an anchor that many can share. They begin at position 1024.",
    ),
    (
        "dims, a million values, f32",
        "So do wider vectors. Rows are made of 16 pairs at a time: those narrower than that cost as much as 32 features, and what is left of a group goes by way of the stack.",
    ),
    (
        "places, 1024 x 1024, f32",
        "Rows may be anywhere. Rows whose features are apart go through blocks of contiguous ones, a second pass, which is slow where columns are what is contiguous.",
    ),
    (
        "writes without arithmetic, 8192 x 1024, f32",
        "What memory allows the kernel, which writes eight rows side by side: see [limits.md](limits.md).",
    ),
];

/// The table of the README: for each work that has a target the best instruction set, and the
/// slower of two layouts.
pub fn short(results: &Results) -> String {
    let mut text = format!(
        "{}\n\n| work | time | floor | part of the floor's speed |\n|---|---|---|---|\n",
        machine::line(results.measured)
    );
    let mut rows: Vec<(&Group, &Row)> = Vec::new();
    let is_of_another_set = |row: &Row| row.name.contains("AVX2") && machine::best_set() != "AVX2";
    for (group, row, _) in targets::rows(results).filter(|(_, row, _)| !is_of_another_set(row)) {
        if row.name.contains("baseline") && machine::best_set() != "baseline" {
            continue;
        }
        match rows.iter_mut().find(|(of, _)| of.name == group.name) {
            Some((_, slowest)) if slowest.nanoseconds < row.nanoseconds => *slowest = row,
            Some(_) => {}
            None => rows.push((group, row)),
        }
    }
    for (group, row) in rows {
        let (floor, part) = (floor(group, row), part(group, row));
        // Of rows with a floor the best instruction set and the slower layout are here, which is
        // said above the table.
        let name = if floor.is_empty() {
            format!("{}: {}", group.name, row.name)
        } else {
            group.name.clone()
        };
        writeln!(text, "| {} | {} | {floor} | {part} |", title(&name), time(row)).ok();
    }
    if let Some(loops) = results.group(LOOPS) {
        let time = |name: &str| {
            Some(loops.rows.iter().find(|row| row.name.starts_with(name))?.nanoseconds)
        };
        if let (Some(own), Some(naive), Some(hoisted)) =
            (time("this"), time("powf"), time("frequencies"))
        {
            let (naive, hoisted) = (naive / own, hoisted / own);
            writeln!(text, "\nA loop of `powf`, `sin` and `cos` takes {naive:.0} × as long for the table 8192 × 1024, one with hoisted frequencies {hoisted:.1} ×.").ok();
        }
    }
    text
}

/// Each row that has a target.
pub fn targets(results: &Results) -> String {
    let mut text = String::from(
        "| work | row | time | floor | part | target | reached |\n|---|---|---|---|---|---|---|\n",
    );
    for (group, row, target) in targets::rows(results) {
        let goal = match target {
            Target::Part(part) => format!("{part:.2}"),
            Target::Time(most) => format!("under {}", readable(most)),
        };
        let reached = if target.is_reached(group, row) { "yes" } else { "**no**" };
        let (name, time, floor, part) =
            (title(&group.name), time(row), floor(group, row), part(group, row));
        writeln!(
            text,
            "| {name} | {} | {time} | {floor} | {part} | {goal} | {reached} |",
            row.name
        )
        .ok();
    }
    for (group, row) in targets::unmeasured(results) {
        writeln!(text, "| {} | {row} | not measured | | | | |", title(group)).ok();
    }
    text
}

/// docs/speed.md
pub fn long(results: &Results) -> String {
    let mut text = String::from(HEAD);
    for (what, which) in machine::describe(results.measured) {
        writeln!(text, "| {what} | {which} |").ok();
    }
    write!(text, "\n## Targets\n\n{TARGETS}\n\n{}", targets(results)).ok();
    text += "\n## How cost grows\n";
    for (name, what) in GROWTH {
        if let Some(group) = results.group(name) {
            write!(text, "\n### {}\n\n{what}\n\n{}", title(name), table(group)).ok();
        }
    }
    text += "\n## Everything else\n";
    let is_growth = |group: &&Group| GROWTH.iter().any(|(name, _)| *name == group.name);
    for group in
        results.groups.iter().filter(|group| !group.name.starts_with(SWEEP) && !is_growth(group))
    {
        write!(text, "\n### {}\n\n{}", title(&group.name), table(group)).ok();
    }
    text
}

/// All rows of a group.
fn table(group: &Group) -> String {
    let floors: Vec<_> = group.rows.iter().map(|row| floor(group, row)).collect();
    let is_one_floor = floors.windows(2).all(|pair| pair[0] == pair[1]);
    let is_some = |of: fn(&Row) -> bool| group.rows.iter().any(of);
    let columns: Vec<_> = [
        ("per element", is_some(|row| row.elements.is_some())),
        ("GB/s", is_some(|row| row.bytes.is_some())),
        ("floor", !is_one_floor),
        ("part", floors.iter().any(|floor| !floor.is_empty())),
    ]
    .into_iter()
    .filter_map(|(name, is_there)| is_there.then_some(name))
    .collect();
    let mut text = match floors.first() {
        Some(floor) if is_one_floor && !floor.is_empty() => format!("Floor: {floor}.\n\n"),
        _ => String::new(),
    };
    write!(
        text,
        "| row | time |{}\n|---|---|",
        columns.iter().map(|name| format!(" {name} |")).collect::<String>()
    )
    .ok();
    text += &"---|".repeat(columns.len());
    text.push('\n');
    for (row, floor) in group.rows.iter().zip(&floors) {
        write!(text, "| {} | {} |", title(&row.name), time(row)).ok();
        for name in &columns {
            let cell = match *name {
                "per element" => row.elements.map(|elements| readable(row.nanoseconds / elements)),
                "GB/s" => row.bytes.map(|bytes| format!("{:.1}", bytes / row.nanoseconds)),
                "floor" => Some(floor.clone()),
                _ => Some(part(group, row)),
            };
            write!(text, " {} |", cell.unwrap_or_default()).ok();
        }
        text.push('\n');
    }
    text
}

/// The floor of a row and its time; both times where those before and after were not the same.
fn floor(group: &Group, row: &Row) -> String {
    let Some(floor) = group.floor(row) else { return String::new() };
    let name = &floor.name;
    if floor.slowest > 1.05 * floor.fastest {
        return format!("{name}, {} to {}", readable(floor.fastest), readable(floor.slowest));
    }
    format!("{name}, {}", readable(floor.nanoseconds()))
}

/// The speed of a row as a part of its floor's, where it has one.
fn part(group: &Group, row: &Row) -> String {
    group.ratio(row).map_or(String::new(), |part| format!("{part:.2}"))
}

/// docs/sweep.md: a table for each element type and row, lengths down and dims across.
pub fn sweep(results: &Results) -> Option<String> {
    let mut tables: Vec<(String, Vec<Cell>)> = Vec::new();
    for group in &results.groups {
        let Some((shape, rest)) =
            group.name.strip_prefix(SWEEP).and_then(|name| name.split_once(", "))
        else {
            continue;
        };
        let Some((len, dim)) =
            shape.split_once(" x ").and_then(|(a, b)| Some((a.parse().ok()?, b.parse().ok()?)))
        else {
            continue;
        };
        for row in &group.rows {
            let (Some(part), Some(elements)) = (group.ratio(row), row.elements) else { continue };
            let (title, cell) = (
                format!("{rest}, {}", row.name),
                Cell { len, dim, part, each: row.nanoseconds / elements },
            );
            match tables.iter_mut().find(|(name, _)| *name == title) {
                Some((_, cells)) => cells.push(cell),
                None => tables.push((title, vec![cell])),
            }
        }
    }
    if tables.is_empty() {
        return None;
    }
    let mut text = String::from(SWEEP_HEAD);
    for (what, which) in machine::describe(results.measured) {
        writeln!(text, "| {what} | {which} |").ok();
    }
    for (title, cells) in tables {
        write!(text, "\n## {title}\n\n{}", matrix(&cells)).ok();
    }
    Some(text)
}

#[derive(Clone, Copy)]
struct Cell {
    len: usize,
    dim: usize,
    part: f64,
    each: f64,
}

fn matrix(cells: &[Cell]) -> String {
    let numbers = |of: fn(&Cell) -> usize| {
        let mut numbers: Vec<_> = cells.iter().map(of).collect();
        numbers.sort_unstable();
        numbers.dedup();
        numbers
    };
    let (lengths, dims) = (numbers(|cell| cell.len), numbers(|cell| cell.dim));
    let mut text = "| length |".to_string();
    dims.iter().for_each(|dim| text += &format!(" dim {dim} |"));
    text += &format!("\n|---|{}\n", "---|".repeat(dims.len()));
    for len in lengths {
        write!(text, "| {len} |").ok();
        for &dim in &dims {
            let cell = cells.iter().find(|cell| (cell.len, cell.dim) == (len, dim));
            let cell = cell
                .map_or("–".into(), |cell| format!("{} ({:.2})", readable(cell.each), cell.part));
            write!(text, " {cell} |").ok();
        }
        text.push('\n');
    }
    text
}

/// A row's time, and how far from it half of the samples were where that is much.
fn time(row: &Row) -> String {
    let time = readable(row.nanoseconds);
    if row.unrest > 0.05 { format!("{time} ± {:.0}%", 100.0 * row.unrest) } else { time }
}

/// Three digits of a time in nanoseconds.
fn readable(nanoseconds: f64) -> String {
    let (value, unit) = match nanoseconds {
        t if t < 1e3 => (t, "ns"),
        t if t < 1e6 => (t / 1e3, "µs"),
        t if t < 1e9 => (t / 1e6, "ms"),
        t => (t / 1e9, "s"),
    };
    let digits = if value < 10.0 { 2 } else { usize::from(value < 100.0) };
    format!("{value:.digits$} {unit}")
}

/// A name as a reader wants it, with signs that a shell does without.
fn title(name: &str) -> String {
    let of_rotations = ["apply (", "decode step (", "plan of "];
    let topic =
        if of_rotations.iter().any(|start| name.starts_with(start)) { "rotation: " } else { "" };
    format!("{topic}{}", name.replace(" x ", " × ").replace("2^31", "2³¹"))
}

const HEAD: &str = "# Speed

Written by `cargo run --release --example ratios` after `cargo bench --features half,rayon`; `tools/speed.sh` does both.

A *floor* is what touching the same memory costs: it is measured in the same run on the same buffer, before and after each row
that stands beside it, and *part* is the speed of a row as a part of the floor's, 1 being the speed of memory. Where the two
measurements of a floor differ by more than a twentieth both are shown, and the part is that of their mean. Times are medians; *±* says how
far from it half of the samples were, where that is more than a twentieth: then the machine was not quiet. One thread does it all unless
the row says otherwise, in arrays that exist: fresh memory costs more than the work.

## The machine

| | |
|---|---|
";

const TARGETS: &str = "What the crate sets out to reach, and what it reaches here.";

const SWEEP_HEAD: &str = "# Speed: all dims by all lengths

Written by `cargo run --release --example ratios` after `FULL=1 cargo bench --features half,rayon --bench speed`. Each cell is the time
per element, and in brackets the speed as a part of that of `fill` on the same buffer. Tables of more than 2 GiB are left out (–).
A table that grows in length or in dim should keep its time per element, but for the step from cache to memory, which `fill` takes too.

| | |
|---|---|
";
