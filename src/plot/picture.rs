//! The picture: its contents, its labels and its output.

use core::ops::Range;
use std::path::Path;

use ndarray::{ArrayView2, ArrayView3, Axis};
use plotters::drawing::IntoDrawingArea;
use plotters::element::Text;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::curves::{Curve, Curves};
use super::frame::{Drawn, Labels, text_style};
use super::heat::{Heat, PANELS, Panel};
use super::marks::{Mark, Recorder};
use super::{lettering, png, svg};
use crate::error::{Error, FileError, FileProblem, at, check_parameter, positive};
use crate::files::replace;

/// A picture, to be saved as SVG or PNG.
///
/// Constructors fail where there is nothing to draw: for empty arrays, NaN and infinities, and
/// lengths that differ.
#[derive(Clone, Debug)]
pub struct Picture {
    content: Content,
    title: String,
    labels: Labels,
    size: (u32, u32),
}

#[derive(Clone, Debug)]
enum Content {
    Heat(Heat),
    Curves(Curves),
}

impl Picture {
    /// Draws position vectors (len, dim): a row for each position, a column for each feature.
    ///
    /// # Errors
    ///
    /// [`Error::EmptyGrid`]; [`Error::InvalidParameter`] for a value that is not finite.
    pub fn heat_map(values: ArrayView2<'_, f64>) -> Result<Self, Error> {
        let heat = Heat::new(vec![Panel::new("", values)?], "value");
        Ok(Self::new(Content::Heat(heat), "feature", "position"))
    }

    /// Draws the similarities of positions: a square matrix (len, len).
    ///
    /// # Errors
    ///
    /// [`Error::LengthMismatch`] for a matrix that is not square, and the errors of
    /// [`heat_map`](Self::heat_map).
    pub fn similarity(values: ArrayView2<'_, f64>) -> Result<Self, Error> {
        let (expected, found) = values.dim();
        if expected != found {
            let what = "columns of a similarity matrix";
            return Err(Error::LengthMismatch { what, expected, found });
        }
        let heat = Heat::new(vec![Panel::new("", values)?], "similarity");
        Ok(Self::new(Content::Heat(heat), "position", "position").with_size(560, 480))
    }

    /// Draws a bias (heads, buckets): a row for each head, a column for each bucket or distance.
    ///
    /// # Errors
    ///
    /// The errors of [`heat_map`](Self::heat_map).
    pub fn bias(values: ArrayView2<'_, f64>) -> Result<Self, Error> {
        let heat = Heat::new(vec![Panel::new("", values)?], "bias");
        Ok(Self::new(Content::Heat(heat), "bucket", "head").with_size(720, 320))
    }

    /// Draws a small matrix for each of some positions on a grid, (grids, rows, columns): for
    /// example the similarity of all points of the grid to this position. All matrices have the
    /// same colour scale. Of more than 36 matrices, 36 are drawn.
    ///
    /// # Errors
    ///
    /// [`Error::LengthMismatch`] unless there are as many names as matrices, and the errors of
    /// [`heat_map`](Self::heat_map).
    pub fn grids(values: ArrayView3<'_, f64>, names: &[&str]) -> Result<Self, Error> {
        let (expected, found) = (values.len_of(Axis(0)), names.len());
        if expected != found {
            return Err(Error::LengthMismatch { what: "names of grids", expected, found });
        }
        if expected == 0 {
            return Err(Error::EmptyGrid { rows: 0, columns: values.len_of(Axis(2)) });
        }
        let drawn = expected.min(PANELS);
        let panels: Result<Vec<Panel>, Error> = (0..drawn)
            .map(|i| i * expected / drawn)
            .map(|i| Panel::new(names[i], values.index_axis(Axis(0), i)))
            .collect();
        let heat = Heat::new(panels?, "value");
        Ok(Self::new(Content::Heat(heat), "column", "row").with_size(620, 560))
    }

    /// Draws curves by distance: similarity, a rotary kernel, a bias.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidParameter`] unless there are 1 to 12 curves.
    pub fn by_distance(curves: Vec<Curve>) -> Result<Self, Error> {
        let curves = Curves::new(curves, false, false)?;
        Ok(Self::new(Content::Curves(curves), "distance, in positions", "value"))
    }

    /// Draws the wavelength of each pair of features as a staircase, and the context length as a
    /// line: pairs above this line do not finish a turn within the context.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidParameter`] without wavelengths, or where a wavelength or `len` is not
    /// positive and finite.
    pub fn wavelengths(wavelengths: &[f64], len: f64) -> Result<Self, Error> {
        Self::staircases(&[("wavelength", wavelengths)], len)
    }

    /// Draws the wavelengths of all pairs before and after context scaling, and the context length.
    ///
    /// # Errors
    ///
    /// [`Error::LengthMismatch`] unless there are as many before as after, and the errors of
    /// [`wavelengths`](Self::wavelengths).
    pub fn scaling(before: &[f64], after: &[f64], len: f64) -> Result<Self, Error> {
        let (expected, found) = (before.len(), after.len());
        if expected != found {
            return Err(Error::LengthMismatch { what: "pairs after scaling", expected, found });
        }
        Self::staircases(&[("before scaling", before), ("after scaling", after)], len)
    }

    fn staircases(stairs: &[(&str, &[f64])], len: f64) -> Result<Self, Error> {
        let values = stairs.iter().flat_map(|(_, values)| *values).chain([&len]);
        for &value in values {
            positive("wavelength", value)?;
        }
        let mut curves = Vec::new();
        let mut pairs = 0;
        for (name, values) in stairs {
            curves.push(Curve::by_index(name, values)?.stairs());
            pairs = values.len();
        }
        curves.push(Curve::new("length", &[0.0, pairs as f64], &[len, len])?);
        let curves = Curves::new(curves, false, true)?;
        Ok(Self::new(Content::Curves(curves), "pair of features", "wavelength, in positions"))
    }

    /// Draws errors by position, on two logarithmic axes; errors of 0 are at the lower edge.
    ///
    /// # Errors
    ///
    /// The errors of [`by_distance`](Self::by_distance), and [`Error::InvalidParameter`] for a
    /// position that is not positive.
    pub fn precision(curves: Vec<Curve>) -> Result<Self, Error> {
        let mut positions = curves.iter().flat_map(|curve| &curve.points).map(|point| point.0);
        if let Some(value) = positions.find(|position| *position <= 0.0) {
            let (name, needs) = ("position", "positive on a logarithmic axis");
            return Err(Error::InvalidParameter { name, value, needs });
        }
        let curves = Curves::new(curves, true, true)?;
        Ok(Self::new(Content::Curves(curves), "position", "largest error"))
    }

    fn new(content: Content, x: &str, y: &str) -> Self {
        let labels = Labels { x: x.to_string(), y: y.to_string() };
        Self { content, title: String::new(), labels, size: (720, 420) }
    }

    /// Adds a title above the picture. A long title is set in a smaller size.
    #[must_use]
    pub fn with_title(mut self, title: &str) -> Self {
        self.title = title.to_string();
        self
    }

    /// Sets the names of the axes, units included.
    #[must_use]
    pub fn with_axes(mut self, x: &str, y: &str) -> Self {
        self.labels = Labels { x: x.to_string(), y: y.to_string() };
        self
    }

    /// Sets the name of the colour scale; curves have their own names.
    #[must_use]
    pub fn with_values(mut self, name: &str) -> Self {
        if let Content::Heat(heat) = &mut self.content {
            heat.values = name.to_string();
        }
        self
    }

    /// Sets the ranges by which columns, along x, and rows, along y, are labelled: with rows
    /// 4096..8192 the last is 8191. Curves keep their coordinates.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidParameter`] for an edge that is not finite, and where a range is empty.
    pub fn with_ranges(mut self, x: Range<f64>, y: Range<f64>) -> Result<Self, Error> {
        for Range { start, end } in [&x, &y] {
            let is_met = start < end && (end - start).is_finite();
            check_parameter("end of a range", *end, is_met, "finite and larger than the start")?;
        }
        if let Content::Heat(heat) = &mut self.content {
            for panel in &mut heat.panels {
                *panel = panel.clone().with_ranges(y.clone(), x.clone());
            }
        }
        Ok(self)
    }

    /// Sets the size in pixels of the SVG; a PNG has twice as many in each direction. Sizes are
    /// clamped to at least 240 × 180 and at most 4096 × 4096.
    #[must_use]
    pub fn with_size(mut self, width: u32, height: u32) -> Self {
        self.size = (width.clamp(240, 4096), height.clamp(180, 4096));
        self
    }

    /// Returns the text of an SVG file.
    ///
    /// # Errors
    ///
    /// None are known. An error of the plotting crate becomes [`Error::InvalidParameter`].
    pub fn to_svg(&self) -> Result<String, Error> {
        Ok(svg::write(&self.title, self.size, &self.marks()?))
    }

    /// Returns the bytes of a PNG file, which has twice as many pixels as the SVG in each
    /// direction.
    ///
    /// # Errors
    ///
    /// [`Error::TooLarge`] where there is not enough memory, and the errors of
    /// [`to_svg`](Self::to_svg).
    pub fn to_png(&self) -> Result<Vec<u8>, Error> {
        png::encode(self.size, &self.marks()?)
    }

    /// Writes the picture to a file, as SVG or PNG by its extension.
    ///
    /// The file appears whole or not at all: an existing file is replaced once the new one is
    /// complete.
    ///
    /// # Errors
    ///
    /// [`FileProblem::NoPictureFormat`] for other extensions; [`FileProblem::Io`];
    /// [`FileProblem::Table`] with the error of [`to_png`](Self::to_png).
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), FileError> {
        let path = path.as_ref();
        self.write(path).map_err(at(path))
    }

    fn write(&self, path: &Path) -> Result<(), FileProblem> {
        let extension = path.extension().unwrap_or_default().to_ascii_lowercase();
        let bytes = match extension.to_str() {
            Some("svg") => self.to_svg()?.into_bytes(),
            Some("png") => self.to_png()?,
            _ => return Err(FileProblem::NoPictureFormat),
        };
        Ok(replace(path, &[&bytes])?)
    }

    /// Returns everything that is drawn, in pixels.
    pub(crate) fn marks(&self) -> Result<Vec<Mark>, Error> {
        let mut marks = Vec::new();
        self.draw(&mut marks).map_err(|_| {
            let (value, needs) = (f64::from(self.size.0), "a size that can be drawn");
            Error::InvalidParameter { name: "size", value, needs }
        })?;
        Ok(marks)
    }

    fn draw(&self, marks: &mut Vec<Mark>) -> Drawn {
        let mut area = Recorder { size: self.size, marks }.into_drawing_area();
        if !self.title.is_empty() {
            let (head, rest) = area.split_vertically(30);
            let room = f64::from(self.size.0) - 16.0;
            let size = (room / lettering::width(&self.title, 1.0)).min(16.0);
            let style = text_style(size).pos(Pos::new(HPos::Center, VPos::Center));
            let middle = (self.size.0 as i32 / 2, 18);
            head.draw(&Text::new(self.title.clone(), middle, style))?;
            area = rest;
        }
        match &self.content {
            Content::Heat(heat) => heat.draw(&area, &self.labels),
            Content::Curves(curves) => curves.draw(&area, &self.labels),
        }
    }
}
