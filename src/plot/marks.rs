//! The contents of a picture: marks in pixels, recorded from the calls of the plotting crate.

use core::convert::Infallible;

use plotters_backend::text_anchor::{HPos, VPos};
use plotters_backend::{
    BackendColor, BackendCoord, BackendStyle, BackendTextStyle, DrawingBackend, DrawingErrorKind,
    FontTransform,
};

use super::lettering;

/// A colour: red, green and blue.
pub(crate) type Rgb = (u8, u8, u8);
type Done = Result<(), DrawingErrorKind<Infallible>>;

/// A shape or a text in a picture. Coordinates are pixels from the upper left corner.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Mark {
    /// A line through the points.
    Line { points: Vec<BackendCoord>, color: Rgb, width: u32 },
    /// A filled polygon.
    Area { points: Vec<BackendCoord>, color: Rgb },
    /// A filled rectangle, or a run of equal cells of a heat map.
    Rectangle { from: BackendCoord, to: BackendCoord, color: Rgb },
    /// A filled circle.
    Circle { center: BackendCoord, radius: u32, color: Rgb },
    /// A text with its anchor and direction.
    Text(Text),
}

/// A text: its anchor and its style.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Text {
    pub(crate) text: String,
    pub(crate) at: BackendCoord,
    pub(crate) size: f64,
    /// The fraction of the text's width before its anchor: 0, ½ or 1.
    pub(crate) before: f64,
    /// The distance from the anchor down to the baseline.
    pub(crate) down: f64,
    pub(crate) upwards: bool,
    pub(crate) color: Rgb,
}

/// Records the marks that the plotting crate draws.
pub(crate) struct Recorder<'a> {
    pub(crate) size: (u32, u32),
    pub(crate) marks: &'a mut Vec<Mark>,
}

/// Mixes a colour with the white background.
fn mixed(color: BackendColor) -> Option<Rgb> {
    let on_white = |value: u8| 255.0 - (255.0 - f64::from(value)) * color.alpha;
    let (red, green, blue) = color.rgb;
    let rgb = (on_white(red) as u8, on_white(green) as u8, on_white(blue) as u8);
    (color.alpha > 0.0).then_some(rgb)
}

impl Recorder<'_> {
    fn record<S: BackendStyle>(&mut self, style: &S, mark: impl FnOnce(Rgb) -> Mark) -> Done {
        self.marks.extend(mixed(style.color()).map(mark));
        Ok(())
    }
}

impl DrawingBackend for Recorder<'_> {
    type ErrorType = Infallible;

    fn get_size(&self) -> (u32, u32) {
        self.size
    }

    fn ensure_prepared(&mut self) -> Done {
        Ok(())
    }

    fn present(&mut self) -> Done {
        Ok(())
    }

    fn draw_pixel(&mut self, point: BackendCoord, color: BackendColor) -> Done {
        let to = (point.0 + 1, point.1 + 1);
        self.record(&color, |color| Mark::Rectangle { from: point, to, color })
    }

    fn draw_line<S: BackendStyle>(
        &mut self,
        from: BackendCoord,
        to: BackendCoord,
        style: &S,
    ) -> Done {
        self.draw_path([from, to], style)
    }

    fn draw_rect<S: BackendStyle>(
        &mut self,
        from: BackendCoord,
        to: BackendCoord,
        style: &S,
        fill: bool,
    ) -> Done {
        if fill {
            return self.record(style, |color| Mark::Rectangle { from, to, color });
        }
        self.draw_path([from, (to.0, from.1), to, (from.0, to.1), from], style)
    }

    fn draw_path<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(
        &mut self,
        path: I,
        style: &S,
    ) -> Done {
        let mut points: Vec<_> = path.into_iter().collect();
        points.dedup();
        let width = style.stroke_width();
        self.record(style, |color| Mark::Line { points, color, width })
    }

    fn draw_circle<S: BackendStyle>(
        &mut self,
        center: BackendCoord,
        radius: u32,
        style: &S,
        _fill: bool,
    ) -> Done {
        self.record(style, |color| Mark::Circle { center, radius, color })
    }

    fn fill_polygon<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(
        &mut self,
        vertices: I,
        style: &S,
    ) -> Done {
        let points = vertices.into_iter().collect();
        self.record(style, |color| Mark::Area { points, color })
    }

    fn draw_text<S: BackendTextStyle>(&mut self, text: &str, style: &S, at: BackendCoord) -> Done {
        let size = style.size();
        let before = match style.anchor().h_pos {
            HPos::Left => 0.0,
            HPos::Center => 0.5,
            HPos::Right => 1.0,
        };
        let down = match style.anchor().v_pos {
            VPos::Top => lettering::CAPITAL,
            VPos::Center => lettering::CAPITAL / 2.0,
            VPos::Bottom => -lettering::BELOW,
        };
        let upwards = matches!(style.transform(), FontTransform::Rotate270);
        let (text, down) = (text.to_string(), down * size);
        self.record(&style.color(), |color| {
            Mark::Text(Text { text, at, size, before, down, upwards, color })
        })
    }

    fn estimate_text_size<S: BackendTextStyle>(
        &self,
        text: &str,
        style: &S,
    ) -> Result<(u32, u32), DrawingErrorKind<Infallible>> {
        let size = style.size();
        Ok((lettering::width(text, size).ceil() as u32, size.ceil() as u32))
    }
}
