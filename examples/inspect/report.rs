//! Findings as tables, in text and in JSON.

use std::fmt::Write;

use serde_json::{Map, Value, json};

/// All findings about a subject.
pub struct Report {
    pub subject: String,
    pub sections: Vec<Section>,
}

/// One table.
pub struct Section {
    pub name: String,
    pub columns: Vec<&'static str>,
    pub rows: Vec<Vec<Cell>>,
}

pub enum Cell {
    Text(String),
    Count(i64),
    Number(f64),
    /// No number; the text says why: "beyond 512".
    None(String),
}

impl From<usize> for Cell {
    fn from(count: usize) -> Self {
        Self::Count(count as i64)
    }
}

impl From<f64> for Cell {
    fn from(number: f64) -> Self {
        Self::Number(number)
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Text(text.to_string())
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl Section {
    pub fn new(name: impl Into<String>, columns: &[&'static str]) -> Self {
        Self { name: name.into(), columns: columns.to_vec(), rows: Vec::new() }
    }

    pub fn row(&mut self, cells: impl IntoIterator<Item = Cell>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// Makes a row of a table of figures: a name, a value, a unit.
    pub fn figure(&mut self, what: &str, value: impl Into<Cell>, unit: &str) {
        self.row([what.into(), value.into(), unit.into()]);
    }
}

impl Cell {
    fn to_text(&self) -> String {
        match self {
            Self::Text(text) | Self::None(text) => text.clone(),
            Self::Count(count) => count.to_string(),
            Self::Number(number) if *number == 0.0 => "0".to_string(),
            Self::Number(number) if (1e-3..1e6).contains(&number.abs()) => {
                let digits = (5 - number.abs().log10().floor() as i32).clamp(0, 6) as usize;
                format!("{number:.digits$}")
            }
            Self::Number(number) => format!("{number:.2e}"),
        }
    }

    fn to_json(&self) -> Value {
        match self {
            Self::Text(text) => json!(text),
            Self::Count(count) => json!(count),
            Self::Number(number) => json!(number),
            Self::None(_) => Value::Null,
        }
    }

    fn is_text(&self) -> bool {
        matches!(self, Self::Text(_))
    }
}

impl Report {
    /// Returns tables with aligned columns, texts to the left, numbers to the right. Of a long
    /// table some rows are shown.
    pub fn to_text(&self) -> String {
        let mut text = format!("{}\n", self.subject);
        for section in &self.sections {
            section.write(&mut text);
        }
        text
    }

    /// Returns an object with a list for each table, which has an object for each row.
    pub fn to_json(&self) -> Value {
        let mut object = Map::new();
        object.insert("subject".to_string(), json!(self.subject));
        for section in &self.sections {
            let row = |cells: &Vec<Cell>| {
                let pairs = section.columns.iter().zip(cells);
                Value::Object(
                    pairs.map(|(name, cell)| (name.to_string(), cell.to_json())).collect(),
                )
            };
            object.insert(section.name.clone(), section.rows.iter().map(row).collect());
        }
        Value::Object(object)
    }
}

impl Section {
    fn write(&self, text: &mut String) {
        const SHOWN: usize = 20;
        let step = self.rows.len().div_ceil(SHOWN).max(1);
        let every =
            if step > 1 { format!(" (one row in {step}; --json has all)") } else { String::new() };
        let _ = writeln!(text, "\n{}{every}", self.name);
        let shown: Vec<&Vec<Cell>> = self.rows.iter().step_by(step).collect();
        let mut lines = vec![self.columns.iter().map(|name| name.to_string()).collect::<Vec<_>>()];
        lines.extend(shown.iter().map(|row| row.iter().map(Cell::to_text).collect()));
        let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max();
        let widths: Vec<usize> = (0..self.columns.len()).filter_map(width).collect();
        let is_text = |column: usize| shown.iter().any(|row| row[column].is_text());
        let left: Vec<bool> = (0..self.columns.len()).map(is_text).collect();
        for line in &lines {
            let mut out = String::from("  ");
            for ((cell, &width), &left) in line.iter().zip(&widths).zip(&left) {
                let _ = if left {
                    write!(out, "{cell:<width$}  ")
                } else {
                    write!(out, "{cell:>width$}  ")
                };
            }
            let _ = writeln!(text, "{}", out.trim_end());
        }
    }
}

/// Distances to show: 0, 1, 2, 4, … below `len`, and the last.
pub fn distances(len: usize) -> Vec<usize> {
    let mut distances: Vec<usize> = (0..usize::BITS).map(|power| 1 << power).collect();
    distances.insert(0, 0);
    distances.retain(|&distance| distance < len);
    if distances.last().is_some_and(|&last| last + 1 < len) {
        distances.push(len - 1);
    }
    distances
}
