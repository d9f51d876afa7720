//! Curves as SVG.

use plotters::prelude::*;

use crate::Result;

/// A curve with its name.
pub struct Line {
    /// The name.
    pub name: String,
    /// The points, from left to right.
    pub points: Vec<(f64, f64)>,
}

/// Draws curves with a legend, and returns the SVG.
///
/// # Errors
///
/// The errors of plotters.
pub fn plot(title: &str, (x, y): (&str, &str), lines: &[Line]) -> Result<String> {
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, (900, 520)).into_drawing_area();
        area.fill(&WHITE)?;
        let all = || lines.iter().flat_map(|line| &line.points);
        let mut chart = ChartBuilder::on(&area)
            .caption(title, ("sans-serif", 18))
            .margin(12)
            .margin_right(170)
            .x_label_area_size(40)
            .y_label_area_size(56)
            .build_cartesian_2d(range(all().map(|(x, _)| *x)), range(all().map(|(_, y)| *y)))?;
        chart.configure_mesh().x_desc(x).y_desc(y).light_line_style(WHITE).draw()?;
        for (index, line) in lines.iter().enumerate() {
            let colour = colour(index, lines.len());
            let style = ShapeStyle::from(&colour).stroke_width(2);
            chart.draw_series(LineSeries::new(line.points.iter().copied(), style))?;
            // The legend is beside the plot, in the order of the lines.
            let top = 44 + 20 * index as i32;
            area.draw(&PathElement::new([(742, top), (764, top)], style))?;
            area.draw(&Text::new(line.name.clone(), (770, top - 6), ("sans-serif", 13)))?;
        }
        area.present()?;
    }
    Ok(svg)
}

/// Returns the range of the finite numbers, never empty.
fn range(values: impl Iterator<Item = f64>) -> core::ops::Range<f64> {
    let values = values.filter(|value| value.is_finite());
    let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
        (low.min(value), high.max(value))
    });
    match high - low {
        width if width > 0.0 => low - 0.02 * width..high + 0.02 * width,
        _ if low.is_finite() => low - 0.5..low + 0.5,
        _ => 0.0..1.0,
    }
}

/// Colours around the circle, light and dark in turn.
fn colour(index: usize, of: usize) -> HSLColor {
    let light = [0.35, 0.5][index % 2];
    HSLColor(index as f64 / of.max(1) as f64, 0.75, light)
}
