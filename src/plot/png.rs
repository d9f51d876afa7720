//! Writes marks as a PNG file: rasterised with antialiasing at twice the size of the SVG, and
//! compressed.

use ab_glyph_rasterizer::{Point, Rasterizer, point};
use miniz_oxide::deflate::compress_to_vec_zlib;

use super::lettering::{Pen, outline, width};
use super::marks::{Mark, Rgb, Text};
use crate::error::Error;

/// The pixels of the file for each pixel of the picture, in each direction.
const SCALE: f32 = 2.0;

/// Returns the bytes of a PNG file (RGB, 8 bits, filter "none").
pub(crate) fn encode(size: (u32, u32), marks: &[Mark]) -> Result<Vec<u8>, Error> {
    let mut sheet = Sheet::new(size)?;
    marks.iter().for_each(|mark| sheet.draw(mark));
    let mut lines = Vec::new();
    for row in sheet.pixels.chunks_exact(sheet.width * 3) {
        lines.push(0);
        lines.extend_from_slice(row);
    }
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    let mut header = Vec::new();
    header.extend((sheet.width as u32).to_be_bytes());
    header.extend((sheet.height as u32).to_be_bytes());
    header.extend([8, 2, 0, 0, 0]);
    chunk(&mut file, b"IHDR", &header);
    chunk(&mut file, b"IDAT", &compress_to_vec_zlib(&lines, 6));
    chunk(&mut file, b"IEND", &[]);
    Ok(file)
}

fn chunk(file: &mut Vec<u8>, kind: &[u8; 4], data: &[u8]) {
    file.extend((data.len() as u32).to_be_bytes());
    let checked = file.len();
    file.extend(kind);
    file.extend(data);
    let crc = crc32(&file[checked..]);
    file.extend(crc.to_be_bytes());
}

/// Returns the checksum of PNG (ISO 3309), computed bit by bit.
fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32, byte: &u8| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 * (crc & 1)))
    };
    !bytes.iter().fold(!0, step)
}

/// The pixels of the picture, initially white.
struct Sheet {
    width: usize,
    height: usize,
    pixels: Vec<u8>,
}

impl Sheet {
    fn new((width, height): (u32, u32)) -> Result<Self, Error> {
        let scaled = |size: u32| size as usize * SCALE as usize;
        let (width, height) = (scaled(width), scaled(height));
        let mut pixels = Vec::new();
        let too_large = Error::TooLarge { rows: height, dim: width };
        pixels.try_reserve_exact(width * height * 3).map_err(|_| too_large)?;
        pixels.resize(width * height * 3, 255);
        Ok(Self { width, height, pixels })
    }

    fn draw(&mut self, mark: &Mark) {
        let scaled = |&(x, y): &(i32, i32)| point(x as f32 * SCALE, y as f32 * SCALE);
        match mark {
            Mark::Rectangle { from, to, color } => {
                self.rectangle(scaled(from), scaled(to), *color);
            }
            Mark::Area { points, color } => {
                let points: Vec<Point> = points.iter().map(scaled).collect();
                self.fill(*color, |ink| ink.polygon(&points));
            }
            Mark::Circle { center, radius, color } => {
                let (center, radius) = (scaled(center), *radius as f32 * SCALE);
                self.fill(*color, |ink| ink.circle(center, radius));
            }
            Mark::Line { points, color, width } => {
                let points: Vec<Point> = points.iter().map(scaled).collect();
                let half = *width as f32 * SCALE / 2.0;
                self.fill(*color, |ink| ink.stroke(&points, half));
            }
            Mark::Text(text) => self.fill(text.color, |ink| {
                outline(&text.text, &mut Lettered { text, ink, width: width(&text.text, 1.0) });
            }),
        }
    }

    fn rectangle(&mut self, from: Point, to: Point, color: Rgb) {
        let within = |value: f32, limit: usize| (value.max(0.0) as usize).min(limit);
        let (left, right) = (within(from.x, self.width), within(to.x, self.width));
        for y in within(from.y, self.height)..within(to.y, self.height) {
            let row = &mut self.pixels[y * self.width * 3..][..self.width * 3];
            let row = row.get_mut(left * 3..right * 3).unwrap_or_default();
            row.chunks_exact_mut(3)
                .for_each(|pixel| pixel.copy_from_slice(&[color.0, color.1, color.2]));
        }
    }

    /// Has `draw` collect outlines, and fills what is within them.
    fn fill(&mut self, color: Rgb, draw: impl FnOnce(&mut Ink)) {
        let mut ink = Ink { lines: Vec::new() };
        draw(&mut ink);
        let Some((left, top, width, height)) = ink.extent(self.width, self.height) else { return };
        let mut raster = Rasterizer::new(width, height);
        let moved = |at: Point| point(at.x - left as f32, at.y - top as f32);
        ink.lines.iter().for_each(|(from, to)| raster.draw_line(moved(*from), moved(*to)));
        raster.for_each_pixel_2d(|x, y, share| {
            let (x, y) = (x as usize + left, y as usize + top);
            let pixel = &mut self.pixels[(y * self.width + x) * 3..][..3];
            for (value, color) in pixel.iter_mut().zip([color.0, color.1, color.2]) {
                let old = f32::from(*value);
                *value = (old + (f32::from(color) - old) * share.min(1.0)).round() as u8;
            }
        });
    }
}

/// Outlines of a filled shape, made of straight segments. Overlapping outlines have the same
/// direction.
struct Ink {
    lines: Vec<(Point, Point)>,
}

impl Ink {
    /// Returns the extent within the sheet: left, top, width and height. The rasteriser cuts off
    /// what is left or right of the sheet.
    fn extent(&mut self, width: usize, height: usize) -> Option<(usize, usize, usize, usize)> {
        for (from, to) in &mut self.lines {
            for at in [from, to] {
                *at = point(at.x.clamp(0.0, width as f32), at.y.clamp(0.0, height as f32));
            }
        }
        let ends = || self.lines.iter().flat_map(|(from, to)| [from, to]);
        let low = |of: fn(&Point) -> f32| ends().map(of).fold(f32::INFINITY, f32::min).floor();
        let high = |of: fn(&Point) -> f32| ends().map(of).fold(0.0, f32::max).ceil();
        if self.lines.is_empty() {
            return None;
        }
        let (left, top) = (low(|at| at.x) as usize, low(|at| at.y) as usize);
        let (right, bottom) = (high(|at| at.x) as usize, high(|at| at.y) as usize);
        (right > left && bottom > top).then(|| (left, top, right - left, bottom - top))
    }

    fn polygon(&mut self, points: &[Point]) {
        let next = points.iter().skip(1).chain(points.first());
        self.lines.extend(points.iter().copied().zip(next.copied()));
    }

    fn circle(&mut self, center: Point, radius: f32) {
        let corners: Vec<Point> = (0..16)
            .map(|i| {
                let (sin, cos) = (i as f32 * core::f32::consts::PI / 8.0).sin_cos();
                point(center.x + radius * cos, center.y + radius * sin)
            })
            .collect();
        self.polygon(&corners);
    }

    /// Adds a line through the points, `half` wide on either side, with round corners.
    fn stroke(&mut self, points: &[Point], half: f32) {
        for pair in points.windows(2) {
            let (from, to) = (pair[0], pair[1]);
            let along = to - from;
            let len = along.x.hypot(along.y);
            if len == 0.0 {
                continue;
            }
            let side = point(-along.y * half / len, along.x * half / len);
            self.polygon(&[from - side, to - side, to + side, from + side]);
        }
        if half > SCALE / 2.0 {
            points.iter().skip(1).rev().skip(1).for_each(|corner| self.circle(*corner, half));
        }
    }
}

/// Draws a text: moves outlines of size 1 to its place, scaled and turned.
struct Lettered<'a> {
    text: &'a Text,
    ink: &'a mut Ink,
    width: f64,
}

impl Lettered<'_> {
    fn place(&self, (x, y): (f32, f32)) -> Point {
        let text = self.text;
        let right = (f64::from(x) - text.before * self.width) * text.size;
        let down = text.down - f64::from(y) * text.size;
        let (dx, dy) = if text.upwards { (down, -right) } else { (right, down) };
        let at = (f64::from(text.at.0) + dx, f64::from(text.at.1) + dy);
        point(at.0 as f32 * SCALE, at.1 as f32 * SCALE)
    }
}

impl Pen for Lettered<'_> {
    fn line(&mut self, from: (f32, f32), to: (f32, f32)) {
        self.ink.lines.push((self.place(from), self.place(to)));
    }

    fn curve(&mut self, from: (f32, f32), over: (f32, f32), to: (f32, f32)) {
        let between =
            |a: (f32, f32), b: (f32, f32), t: f32| (a.0 + (b.0 - a.0) * t, a.1 + (b.1 - a.1) * t);
        let mut last = from;
        for step in 1..=4 {
            let t = step as f32 / 4.0;
            let next = between(between(from, over, t), between(over, to, t), t);
            self.line(last, next);
            last = next;
        }
    }
}
