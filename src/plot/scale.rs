//! An axis: maps values to pixels, and chooses its labels.

use core::ops::Range;

use plotters::coord::ranged1d::{DefaultFormatting, KeyPointHint, Ranged};

/// A linear or logarithmic axis; it is reversed where it begins with its larger end.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Scale {
    pub(crate) from: f64,
    pub(crate) to: f64,
    pub(crate) logarithmic: bool,
    /// The smallest step between ticks: 1 for cells, which are counted.
    pub(crate) least: f64,
}

impl Scale {
    /// Makes an axis that contains all values, with a margin. The bounds of a logarithmic axis are
    /// positive.
    pub(crate) fn around(values: impl Iterator<Item = f64>, logarithmic: bool) -> Self {
        let ends = (f64::INFINITY, f64::NEG_INFINITY);
        let (low, high) = values
            .filter(|value| !logarithmic || *value > 0.0)
            .fold(ends, |(low, high), value| (low.min(value), high.max(value)));
        let (from, to) = match (low <= high, logarithmic) {
            (false, _) => (0.1, 1.0),
            (_, false) if low == 0.0 && high == 0.0 => (-1.0, 1.0),
            (_, true) => {
                (low / (high / low).powf(0.04).max(1.5), high * (high / low).powf(0.04).max(1.5))
            }
            // Halves, since the difference of two finite numbers may overflow.
            _ => {
                let margin = ((high / 2.0 - low / 2.0) * 0.1).max(high.abs() * 1e-9).max(1e-300);
                (low - margin, high + margin)
            }
        };
        let limit = |value: f64| value.clamp(-f64::MAX / 4.0, f64::MAX / 4.0);
        let from = if logarithmic { from.max(1e-300) } else { limit(from) };
        Self { from, to: limit(to), logarithmic, least: 0.0 }
    }

    /// Makes an axis from the edges of `count` cells, or of the range that labels them.
    pub(crate) fn of_cells(range: &Range<f64>, count: usize) -> Self {
        let least = (range.end - range.start) / count as f64;
        Self { from: range.start, to: range.end, logarithmic: false, least }
    }

    pub(crate) fn reversed(self) -> Self {
        Self { from: self.to, to: self.from, ..self }
    }

    /// Returns the place of a value along the axis, from 0 to 1.
    pub(crate) fn share(&self, value: f64) -> f64 {
        let on = |value: f64| if self.logarithmic { value.max(1e-320).ln() } else { value };
        let (from, to, value) = (on(self.from), on(self.to), on(value));
        ((value - from) / (to - from)).clamp(0.0, 1.0)
    }

    /// Returns round numbers within the axis, at most `most`.
    pub(crate) fn ticks(&self, most: usize) -> Vec<f64> {
        let (low, high) = (self.from.min(self.to), self.from.max(self.to));
        let most = most.max(2);
        if self.logarithmic {
            let (first, last) = (low.log10().ceil() as i32, high.log10().floor() as i32);
            let step = ((last - first) / most as i32 + 1).max(1) as usize;
            return (first..=last).step_by(step).map(|power| 10_f64.powi(power)).collect();
        }
        let step = step(((high - low) / most as f64).max(self.least));
        let first = (low / step - 1e-9).ceil();
        (0..=most)
            .map(|i| (first + i as f64) * step)
            .filter(|value| *value <= high + step * 1e-9)
            .collect()
    }

    /// Returns the label of a tick.
    pub(crate) fn label(&self, value: f64) -> String {
        if self.logarithmic {
            return power(value.log10().round() as i32);
        }
        let step = (self.to - self.from).abs() / 10.0;
        if value.abs() < step * 1e-6 {
            return "0".to_string();
        }
        if value.abs() >= 1e7 || step < 1e-6 {
            return format!("{value:.2e}").replace(".00e", "e");
        }
        let digits = (1.0 - step.log10()).ceil().clamp(0.0, 9.0) as usize;
        let text = format!("{value:.digits$}").replace('-', "−");
        match text.contains('.') {
            true => text.trim_end_matches('0').trim_end_matches('.').to_string(),
            false => text,
        }
    }
}

/// Returns the smallest of …, 1, 2, 5, 10, … that is not below `least`.
fn step(least: f64) -> f64 {
    let unit = 10_f64.powf(least.max(1e-300).log10().floor());
    let factor = [1.0, 2.0, 5.0].into_iter().find(|factor| factor * unit >= least * (1.0 - 1e-9));
    factor.unwrap_or(10.0) * unit
}

/// Returns a power of ten in the usual notation.
fn power(exponent: i32) -> String {
    match exponent {
        0..=4 => 10_u32.pow(exponent as u32).to_string(),
        -3..0 => format!("{:.*}", -exponent as usize, 10_f64.powi(exponent)),
        _ => {
            let superscript = |digit: char| match digit {
                '-' => '⁻',
                '1' => '¹',
                '2' => '²',
                '3' => '³',
                digit => char::from_u32('⁰' as u32 + digit as u32 - '0' as u32).unwrap_or(digit),
            };
            format!("10{}", exponent.to_string().chars().map(superscript).collect::<String>())
        }
    }
}

impl Ranged for Scale {
    type FormatOption = DefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, limit: (i32, i32)) -> i32 {
        limit.0 + (self.share(*value) * f64::from(limit.1 - limit.0)).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, hint: Hint) -> Vec<f64> {
        self.ticks(hint.max_num_points())
    }

    fn range(&self) -> Range<f64> {
        self.from..self.to
    }
}
