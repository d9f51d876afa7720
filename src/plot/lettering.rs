//! The letters of labels: their widths and outlines, from a font within the crate, so that pictures
//! are the same on machines without fonts.

use std::sync::LazyLock;

use ttf_parser::{Face, GlyphId, OutlineBuilder};

/// The height of capitals, and the depth below the baseline, relative to the font size.
pub(crate) const CAPITAL: f64 = 0.729;
pub(crate) const BELOW: f64 = 0.236;

/// The font families in SVG files: where the first is missing, the second has the same widths.
pub(crate) const FAMILY: &str = "DejaVu Sans,Verdana,sans-serif";

static FACE: LazyLock<Option<Face<'static>>> =
    LazyLock::new(|| Face::parse(include_bytes!("font/labels.ttf"), 0).ok());

/// The width of glyphs that the font lacks, and of all glyphs without a font.
const UNKNOWN: f64 = 0.6;

/// Returns the glyph of a character and its advance, relative to the font size.
fn glyph(face: &Face<'_>, character: char) -> (GlyphId, f64) {
    let glyph = face.glyph_index(character).unwrap_or_default();
    let advance = face.glyph_hor_advance(glyph).map(f64::from);
    (glyph, advance.map_or(UNKNOWN, |advance| advance / f64::from(face.units_per_em())))
}

/// Returns the width of a text in pixels.
pub(crate) fn width(text: &str, size: f64) -> f64 {
    let advance = |c| FACE.as_ref().map_or(UNKNOWN, |face| glyph(face, c).1);
    text.chars().map(advance).sum::<f64>() * size
}

/// Draws the outlines of a text of size 1 from the point (0, 0) to the right; y grows upwards.
pub(crate) fn outline(text: &str, pen: &mut impl Pen) {
    let Some(face) = FACE.as_ref() else { return };
    let scale = 1.0 / f32::from(face.units_per_em());
    let mut x = 0.0;
    for character in text.chars() {
        let (glyph, advance) = glyph(face, character);
        let mut placed = Placed { pen, x: x as f32, scale, start: (0.0, 0.0), last: (0.0, 0.0) };
        face.outline_glyph(glyph, &mut placed);
        x += advance;
    }
}

/// Receives the outlines of glyphs: closed curves of straight and quadratic segments.
pub(crate) trait Pen {
    /// Draws a straight line.
    fn line(&mut self, from: (f32, f32), to: (f32, f32));

    /// Draws a quadratic curve.
    fn curve(&mut self, from: (f32, f32), over: (f32, f32), to: (f32, f32));
}

/// A glyph at its place in the text.
struct Placed<'a, P> {
    pen: &'a mut P,
    x: f32,
    scale: f32,
    start: (f32, f32),
    last: (f32, f32),
}

impl<P> Placed<'_, P> {
    fn at(&self, x: f32, y: f32) -> (f32, f32) {
        (self.x + x * self.scale, y * self.scale)
    }
}

impl<P: Pen> OutlineBuilder for Placed<'_, P> {
    fn move_to(&mut self, x: f32, y: f32) {
        self.start = self.at(x, y);
        self.last = self.start;
    }

    fn line_to(&mut self, x: f32, y: f32) {
        let to = self.at(x, y);
        self.pen.line(self.last, to);
        self.last = to;
    }

    fn quad_to(&mut self, x1: f32, y1: f32, x: f32, y: f32) {
        let (over, to) = (self.at(x1, y1), self.at(x, y));
        self.pen.curve(self.last, over, to);
        self.last = to;
    }

    fn curve_to(&mut self, _: f32, _: f32, _: f32, _: f32, x: f32, y: f32) {
        self.line_to(x, y); // TrueType outlines, as this font's, have no cubic curves
    }

    fn close(&mut self) {
        self.pen.line(self.last, self.start);
        self.last = self.start;
    }
}
