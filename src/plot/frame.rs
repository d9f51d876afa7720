//! Parts shared by all pictures: the areas of the plotting crate, fonts, and axes with their names.

use core::convert::Infallible;

use plotters::chart::ChartContext;
use plotters::coord::Shift;
use plotters::drawing::{DrawingArea, DrawingAreaErrorKind};
use plotters::element::Text;
use plotters::prelude::{BLACK, Cartesian2d, RGBColor, TRANSPARENT};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{FontTransform, IntoFont, TextStyle};

use super::marks::Recorder;
use super::scale::Scale;

pub(crate) type Area<'a> = DrawingArea<Recorder<'a>, Shift>;
pub(crate) type Chart<'a, 'b> = ChartContext<'b, Recorder<'a>, Cartesian2d<Scale, Scale>>;
/// The result of the plotting crate. Our own backend cannot fail.
pub(crate) type Drawn = Result<(), DrawingAreaErrorKind<Infallible>>;

/// Returns the text style of a size, in black.
pub(crate) fn text_style(size: f64) -> TextStyle<'static> {
    ("sans-serif", size).into_font().color(&BLACK)
}

/// The names of the axes.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Labels {
    pub(crate) x: String,
    pub(crate) y: String,
}

impl Labels {
    /// Draws the axes with round numbers, and grid lines at these numbers if asked for.
    pub(crate) fn draw(&self, chart: &mut Chart<'_, '_>, x: Scale, y: Scale, lines: bool) -> Drawn {
        let grey = RGBColor(221, 221, 221);
        let (x_label, y_label) = (|value: &f64| x.label(*value), |value: &f64| y.label(*value));
        let (width, height) = chart.plotting_area().dim_in_pixel();
        let mut mesh = chart.configure_mesh();
        if !lines {
            mesh.disable_mesh();
        }
        mesh.bold_line_style(grey)
            .light_line_style(TRANSPARENT)
            .axis_style(RGBColor(102, 102, 102))
            .x_labels((width as usize / 62).clamp(2, 9))
            .y_labels((height as usize / 36).clamp(2, 9))
            .x_label_formatter(&x_label)
            .y_label_formatter(&y_label)
            .label_style(text_style(12.0))
            .axis_desc_style(text_style(13.0))
            .x_desc(self.x.as_str())
            .y_desc(self.y.as_str())
            .draw()
    }

    /// Draws the names beside an area of several panels, and returns the rest of the area.
    pub(crate) fn draw_around<'a>(
        &self,
        area: &Area<'a>,
    ) -> Result<Area<'a>, DrawingAreaErrorKind<Infallible>> {
        let (upper, lower) = area.split_vertically(area.dim_in_pixel().1 as i32 - 26);
        let (side, rest) = upper.split_horizontally(26);
        let (width, height) = rest.dim_in_pixel();
        let style = text_style(13.0).pos(Pos::new(HPos::Center, VPos::Center));
        lower.draw(&Text::new(self.x.clone(), (26 + width as i32 / 2, 12), style.clone()))?;
        let upwards = style.transform(FontTransform::Rotate270);
        side.draw(&Text::new(self.y.clone(), (14, height as i32 / 2), upwards))?;
        Ok(rest)
    }
}
