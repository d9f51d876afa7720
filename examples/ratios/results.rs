//! What criterion left behind.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde_json::Value;

/// Results of a group that are so much older than its newest are not of the same run.
const ONE_GROUP: Duration = Duration::from_secs(10 * 60);
/// Nor are groups that are so much older than the newest.
const ONE_RUN: Duration = Duration::from_secs(3 * 3600);

/// Floors that are called by what they do, without "floor: ".
const BARE_FLOORS: [&str; 3] = ["sweep", "fill", "plain"];

/// One line of the bench.
#[derive(Clone, Debug)]
pub struct Row {
    pub name: String,
    /// The median.
    pub nanoseconds: f64,
    /// The median distance from it, as a part of it: what the machine's other work did to this row.
    pub unrest: f64,
    pub elements: Option<f64>,
    pub bytes: Option<f64>,
    measured: SystemTime,
}

/// Rows that stand beside the same floor.
#[derive(Clone, Debug)]
pub struct Group {
    pub name: String,
    /// Without the floors.
    pub rows: Vec<Row>,
    floors: Vec<Row>,
}

/// The floor of a row: as it was last measured before it and first after it.
#[derive(Clone, Debug)]
pub struct Floor {
    pub name: String,
    pub fastest: f64,
    pub slowest: f64,
}

#[derive(Clone, Debug)]
pub struct Results {
    /// In the order in which they were measured.
    pub groups: Vec<Group>,
    /// How many rows are of older runs.
    pub left_out: usize,
    pub measured: SystemTime,
}

impl Row {
    /// The name is that of a floor, its surroundings taken away: "floor: fill, 2" is `fill`.
    fn floor(&self) -> Option<&str> {
        let name = match self.name.strip_prefix("floor: ") {
            // "floor: fill of 127 x 1024" is that of the row with this name.
            Some(name) => name.split(" of ").next()?,
            None => {
                BARE_FLOORS.iter().any(|bare| self.name.starts_with(bare)).then_some(&*self.name)?
            }
        };
        let number = |(_, last): &(&str, &str)| last.parse::<u32>().is_ok();
        let name = name.rsplit_once(", ").filter(number).map_or(name, |(name, _)| name);
        let name = name.strip_suffix(" again").unwrap_or(name);
        Some(name.strip_suffix(" on all threads").unwrap_or(name))
    }

    fn is_on_all_threads(&self) -> bool {
        self.name.contains("on all threads")
    }
}

impl Floor {
    /// In the middle of what was measured before and after.
    pub fn nanoseconds(&self) -> f64 {
        (self.fastest + self.slowest) / 2.0
    }
}

impl Group {
    /// The floor that a row is compared with.
    pub fn floor(&self, row: &Row) -> Option<Floor> {
        let own = format!("floor: fill of {}", row.name);
        let has_own = self.floors.iter().any(|floor| floor.name == own);
        let is_its = |floor: &&Row| match has_own {
            true => floor.name == own,
            false => floor.is_on_all_threads() == row.is_on_all_threads(),
        };
        // In the order in which they were measured.
        let (before, after): (Vec<_>, Vec<_>) =
            self.floors.iter().filter(is_its).partition(|floor| floor.measured < row.measured);
        let floors = before.last().into_iter().chain(after.first());
        let times = floors.clone().map(|floor| floor.nanoseconds);
        Some(Floor {
            name: floors.clone().next()?.floor()?.to_string(),
            fastest: times.clone().fold(f64::INFINITY, f64::min),
            slowest: times.fold(0.0, f64::max),
        })
    }

    /// The speed of a row as a part of its floor's.
    pub fn ratio(&self, row: &Row) -> Option<f64> {
        Some(self.floor(row)?.nanoseconds() / row.nanoseconds)
    }

    fn newest(&self) -> SystemTime {
        let all = self.rows.iter().chain(&self.floors).map(|row| row.measured);
        all.max().unwrap_or(SystemTime::UNIX_EPOCH)
    }
}

impl Results {
    pub fn read(folder: &Path) -> Self {
        let mut rows: Vec<_> = folders(folder)
            .iter()
            .flat_map(|group| folders(group))
            .filter_map(|f| row(&f))
            .collect();
        // A row with a parameter is one folder deeper.
        let deeper = folders(folder)
            .into_iter()
            .flat_map(|group| folders(&group))
            .flat_map(|name| folders(&name));
        rows.extend(deeper.filter_map(|folder| row(&folder)));
        rows.sort_by_key(|(_, row)| row.measured);
        let count = rows.len();
        let mut groups: Vec<Group> = Vec::new();
        for (name, row) in rows {
            let at = groups.iter().position(|group| group.name == name).unwrap_or_else(|| {
                groups.push(Group { name, rows: Vec::new(), floors: Vec::new() });
                groups.len() - 1
            });
            let group = &mut groups[at];
            if row.floor().is_some() { &mut group.floors } else { &mut group.rows }.push(row);
        }
        let measured = groups.iter().map(Group::newest).max().unwrap_or(SystemTime::UNIX_EPOCH);
        groups.retain(|group| group.newest() + ONE_RUN > measured);
        for group in &mut groups {
            let newest = group.newest();
            group.rows.retain(|row| row.measured + ONE_GROUP > newest);
            group.floors.retain(|row| row.measured + ONE_GROUP > newest);
        }
        let kept: usize = groups.iter().map(|group| group.rows.len() + group.floors.len()).sum();
        Self { groups, left_out: count - kept, measured }
    }

    pub fn group(&self, name: &str) -> Option<&Group> {
        self.groups.iter().find(|group| group.name == name)
    }
}

fn folders(of: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(of).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).filter(|path| path.is_dir()).collect()
}

/// One benchmark, with the name of its group.
fn row(folder: &Path) -> Option<(String, Row)> {
    let path = |name| folder.join("new").join(name);
    let json = |name| serde_json::from_slice::<Value>(&fs::read(path(name)).ok()?).ok();
    let (about, times) = (json("benchmark.json")?, json("estimates.json")?);
    let text = |key: &str| Some(about.get(key)?.as_str()?.to_string());
    let name = match (text("function_id"), text("value_str")) {
        (Some(function), Some(value)) => format!("{function}, {value}"),
        (function, value) => function.or(value)?,
    };
    let throughput = |kind: &str, key: &str| {
        let throughput = about.get("throughput")?;
        throughput
            .get(kind)
            .and_then(Value::as_f64)
            .or_else(|| throughput.get("ElementsAndBytes")?.get(key)?.as_f64())
    };
    let estimate = |kind: &str| times.get(kind)?.get("point_estimate")?.as_f64();
    let nanoseconds = estimate("median")?;
    let row = Row {
        name,
        nanoseconds,
        unrest: estimate("median_abs_dev")? / nanoseconds,
        elements: throughput("Elements", "elements"),
        bytes: throughput("Bytes", "bytes"),
        measured: fs::metadata(path("estimates.json")).ok()?.modified().ok()?,
    };
    Some((text("group_id")?, row))
}
