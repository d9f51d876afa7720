//! Pictures of matrices: cells whose colours are values.

use core::ops::Range;

use ndarray::{Array2, ArrayView2};
use plotters::coord::Shift;
use plotters::drawing::DrawingArea;
use plotters::element::{PathElement, Rectangle, Text};
use plotters::prelude::{BLACK, ChartBuilder, RGBColor};
use plotters::style::Color;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::colors::{STEPS, shade};
use super::frame::{Area, Drawn, Labels, text_style};
use super::marks::Recorder;
use super::scale::Scale;
use crate::arrays::check_finite;
use crate::error::Error;

/// The maximal number of rows, columns and panels; more are sampled.
const CELLS: usize = 160;
pub(crate) const PANELS: usize = 36;

/// Panels on one colour scale, and the name of this scale.
#[derive(Clone, Debug)]
pub(crate) struct Heat {
    pub(crate) panels: Vec<Panel>,
    pub(crate) values: String,
    pub(crate) scale: Scale,
}

/// A sampled matrix, with the ranges of its axes.
#[derive(Clone, Debug)]
pub(crate) struct Panel {
    pub(crate) name: String,
    pub(crate) cells: Array2<f64>,
    /// The number of rows and columns before sampling.
    pub(crate) dim: (usize, usize),
    pub(crate) rows: Range<f64>,
    pub(crate) columns: Range<f64>,
}

impl Panel {
    pub(crate) fn new(name: &str, values: ArrayView2<'_, f64>) -> Result<Self, Error> {
        let (rows, columns) = values.dim();
        if values.is_empty() {
            return Err(Error::EmptyGrid { rows, columns });
        }
        check_finite(values)?;
        let at = |i: usize, of: usize| if of > CELLS { i * of / CELLS } else { i };
        let cells =
            Array2::from_shape_fn((rows.min(CELLS), columns.min(CELLS)), |(row, column)| {
                values[[at(row, rows), at(column, columns)]]
            });
        let dim = (rows, columns);
        let (rows, columns) = (0.0..rows as f64, 0.0..columns as f64);
        let panel = Self { name: name.to_string(), cells, dim, rows: 0.0..1.0, columns: 0.0..1.0 };
        Ok(panel.with_ranges(rows, columns))
    }

    /// The axes: columns to the right, rows down.
    fn scales(&self) -> [Scale; 2] {
        let (rows, columns) = self.dim;
        let down = Scale::of_cells(&self.rows, rows).reversed();
        [Scale::of_cells(&self.columns, columns), down]
    }

    /// Sets the ranges by which rows and columns are labelled. A number is at the middle of its
    /// cell, so axes begin half a cell earlier.
    pub(crate) fn with_ranges(mut self, rows: Range<f64>, columns: Range<f64>) -> Self {
        let moved = |range: Range<f64>, count: usize| {
            let half = (range.end - range.start) / count as f64 / 2.0;
            range.start - half..range.end - half
        };
        (self.rows, self.columns) = (moved(rows, self.dim.0), moved(columns, self.dim.1));
        self
    }
}

impl Heat {
    /// Makes a heat map. The colours span from the smallest to the largest value; with values of
    /// both signs, zero is in the middle.
    pub(crate) fn new(panels: Vec<Panel>, values: &str) -> Self {
        let all = || panels.iter().flat_map(|panel| panel.cells.iter().copied());
        let (low, high) = all()
            .fold((f64::MAX, f64::MIN), |(low, high), value| (low.min(value), high.max(value)));
        let largest = high.max(-low);
        let range = match low < 0.0 && high > 0.0 {
            true => -largest..largest,
            false if low < high => low..high,
            false => low - 0.5_f64.max(low.abs() * 0.01)..high + 0.5_f64.max(high.abs() * 0.01),
        };
        let limit = |value: f64| value.clamp(-f64::MAX / 4.0, f64::MAX / 4.0);
        let (from, to) = (limit(range.start), limit(range.end));
        let scale = Scale { from, to, logarithmic: false, least: 0.0 };
        Self { panels, values: values.to_string(), scale }
    }

    pub(crate) fn draw(&self, area: &Area<'_>, labels: &Labels) -> Drawn {
        let (width, _) = area.dim_in_pixel();
        let (left, right) = area.split_horizontally(width as i32 - 84);
        self.draw_colors(&right)?;
        if let [panel] = self.panels.as_slice() {
            return self.draw_panel(panel, &left, labels);
        }
        let left = labels.draw_around(&left.margin(6, 0, 0, 0))?;
        let (width, height) = left.dim_in_pixel();
        let count = self.panels.len();
        let columns = (1..=count)
            .max_by(|a, b| {
                side(*a, count, width, height).total_cmp(&side(*b, count, width, height))
            })
            .unwrap_or(1);
        let parts = left.split_evenly((count.div_ceil(columns), columns));
        self.panels.iter().zip(&parts).try_for_each(|(panel, part)| self.draw_small(panel, part))
    }

    fn draw_panel(&self, panel: &Panel, area: &Area<'_>, labels: &Labels) -> Drawn {
        let [x, y] = panel.scales();
        let mut builder = ChartBuilder::on(area);
        builder.margin(8).x_label_area_size(42).y_label_area_size(64);
        let mut chart = builder.build_cartesian_2d(x, y)?;
        chart.draw_series(self.cells(panel))?;
        labels.draw(&mut chart, x, y, false)
    }

    /// Draws one of many panels: its name and its cells.
    fn draw_small(&self, panel: &Panel, area: &Area<'_>) -> Drawn {
        let [x, y] = panel.scales();
        let (width, height) = area.dim_in_pixel();
        let (rows, columns) = panel.cells.dim();
        let cell =
            ((width as f64 - 8.0) / columns as f64).min((height as f64 - 22.0) / rows as f64);
        let (across, down) = ((cell * columns as f64) as i32, (cell * rows as f64) as i32);
        let (left, top) = ((width as i32 - across) / 2, 16);
        let style = text_style(11.0).pos(Pos::new(HPos::Center, VPos::Top));
        area.draw(&Text::new(panel.name.clone(), (width as i32 / 2, 3), style))?;
        let inner: DrawingArea<Recorder<'_>, Shift> =
            area.clone().shrink((left, top), (across.max(1), down.max(1)));
        let mut chart = ChartBuilder::on(&inner).build_cartesian_2d(x, y)?;
        chart.draw_series(self.cells(panel))?;
        Ok(())
    }

    /// Returns runs of equal cells, one colour after another.
    fn cells<'a>(&'a self, panel: &'a Panel) -> impl Iterator<Item = Rectangle<(f64, f64)>> + 'a {
        let (rows, columns) = panel.cells.dim();
        let edge = |range: &Range<f64>, i: usize, of: usize| {
            range.start + (range.end - range.start) * (i as f64 / of as f64)
        };
        let mut stretches = Vec::new();
        for (row, cells) in panel.cells.rows().into_iter().enumerate() {
            let steps: Vec<usize> = cells
                .iter()
                .map(|value| (self.scale.share(*value) * STEPS as f64) as usize)
                .collect();
            let mut column = 0;
            for stretch in steps.chunk_by(|a, b| a == b) {
                stretches.push((stretch[0].min(STEPS - 1), row, column, column + stretch.len()));
                column += stretch.len();
            }
        }
        stretches.sort_unstable();
        stretches.into_iter().map(move |(step, row, from, to)| {
            let (red, green, blue) = shade(step);
            let corners = [
                (edge(&panel.columns, from, columns), edge(&panel.rows, row, rows)),
                (edge(&panel.columns, to, columns), edge(&panel.rows, row + 1, rows)),
            ];
            Rectangle::new(corners, RGBColor(red, green, blue).filled())
        })
    }

    /// Draws the colour scale with its numbers.
    fn draw_colors(&self, area: &Area<'_>) -> Drawn {
        let (_, height) = area.dim_in_pixel();
        let (top, bottom) = (34, height as i32 - 50);
        let y = |share: f64| bottom - (share * f64::from(bottom - top)).round() as i32;
        for step in 0..STEPS {
            let (red, green, blue) = shade(step);
            let share = |step: usize| step as f64 / STEPS as f64;
            let corners = [(4, y(share(step + 1))), (20, y(share(step)))];
            area.draw(&Rectangle::new(corners, RGBColor(red, green, blue).filled()))?;
        }
        for value in self.scale.ticks(6) {
            let y = y(self.scale.share(value));
            area.draw(&PathElement::new([(20, y), (24, y)], BLACK))?;
            let style = text_style(12.0).pos(Pos::new(HPos::Left, VPos::Center));
            area.draw(&Text::new(self.scale.label(value), (27, y), style))?;
        }
        let style = text_style(12.0).pos(Pos::new(HPos::Left, VPos::Top));
        area.draw(&Text::new(self.values.clone(), (4, 12), style))?;
        Ok(())
    }
}

/// Returns the side of square panels: `count` panels in `columns` columns.
fn side(columns: usize, count: usize, width: u32, height: u32) -> f64 {
    let rows = count.div_ceil(columns);
    (f64::from(width) / columns as f64 - 8.0).min(f64::from(height) / rows as f64 - 22.0)
}
