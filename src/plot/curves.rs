//! Pictures of curves.

use plotters::element::{Drawable, PathElement, PointCollection, Text};
use plotters::prelude::{ChartBuilder, RGBColor};
use plotters::series::DashedLineSeries;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, ShapeStyle};
use plotters_backend::{BackendCoord, DrawingBackend, DrawingErrorKind};

use super::colors::{LOOKS, Look, Sign, look};
use super::frame::{Area, Chart, Drawn, Labels, text_style};
use super::lettering;
use super::scale::Scale;
use crate::arrays::check_finite;
use crate::error::{Error, check_parameter};

/// The number of sections of a long curve; in each, the lowest and the highest point are drawn.
const STRETCHES: usize = 400;
/// The number of markers on a curve.
const SIGNS: usize = 8;

/// A curve: its name in the legend, and its points.
///
/// Of a long curve, the lowest and the highest point of each of 400 sections are kept, so that no
/// peak is lost.
///
/// ```
/// use positional_encodings::plot::{Curve, Picture};
///
/// let cosine: Vec<f64> = (0..1_000_000).map(|i| (f64::from(i) / 1e5).cos()).collect();
/// let curve = Curve::by_index("cosine", &cosine)?;
/// assert!(Picture::by_distance(vec![curve])?.to_svg()?.len() < 20_000);
/// # Ok::<(), positional_encodings::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Curve {
    pub(crate) name: String,
    pub(crate) points: Vec<(f64, f64)>,
}

impl Curve {
    /// Makes a curve through the points (x\[i\], y\[i\]), in this order.
    ///
    /// # Errors
    ///
    /// [`Error::LengthMismatch`] where `x` and `y` differ in length; [`Error::InvalidParameter`]
    /// where there is no point, or for a value that is not finite.
    pub fn new(name: &str, x: &[f64], y: &[f64]) -> Result<Self, Error> {
        if x.len() != y.len() {
            let (expected, found) = (x.len(), y.len());
            return Err(Error::LengthMismatch { what: "points of a curve", expected, found });
        }
        check_finite(x.iter().chain(y))?;
        Self::sampled(name, x.len(), |i| (x[i], y[i]))
    }

    /// Makes a curve through the points (i, y\[i\]).
    ///
    /// # Errors
    ///
    /// [`Error::InvalidParameter`] without points, or for a value that is not finite.
    pub fn by_index(name: &str, y: &[f64]) -> Result<Self, Error> {
        check_finite(y)?;
        Self::sampled(name, y.len(), |i| (i as f64, y[i]))
    }

    fn sampled(name: &str, len: usize, at: impl Fn(usize) -> (f64, f64)) -> Result<Self, Error> {
        check_parameter("number of points of a curve", len as f64, len > 0, "at least 1")?;
        let mut points = Vec::new();
        if len <= 2 * STRETCHES {
            points.extend((0..len).map(at));
        } else {
            let mut start = 0;
            for stretch in 1..=STRETCHES {
                // In u128, since len · 400 need not fit.
                let end = (len as u128 * stretch as u128 / STRETCHES as u128) as usize;
                let by_height = |a: &usize, b: &usize| at(*a).1.total_cmp(&at(*b).1);
                let low = (start..end).min_by(by_height).unwrap_or(start);
                let high = (start..end).max_by(by_height).unwrap_or(start);
                points.extend([low.min(high), low.max(high)].map(&at));
                start = end;
            }
            points[0] = at(0);
            points.push(at(len - 1));
        }
        Ok(Self { name: name.to_string(), points })
    }

    /// Turns each point (x, y) into a level step from x to x + 1.
    pub(crate) fn stairs(mut self) -> Self {
        self.points = self.points.iter().flat_map(|&(x, y)| [(x, y), (x + 1.0, y)]).collect();
        self
    }
}

/// Curves on common axes.
#[derive(Clone, Debug)]
pub(crate) struct Curves {
    pub(crate) curves: Vec<Curve>,
    pub(crate) x: Scale,
    pub(crate) y: Scale,
}

impl Curves {
    /// Chooses axes that contain all curves.
    pub(crate) fn new(curves: Vec<Curve>, log_x: bool, log_y: bool) -> Result<Self, Error> {
        let is_met = (1..=LOOKS).contains(&curves.len());
        let needs = "from 1 to 12, so that they can be told apart";
        check_parameter("number of curves", curves.len() as f64, is_met, needs)?;
        let points = || curves.iter().flat_map(|curve| &curve.points);
        let (x, y) = (points().map(|point| point.0), points().map(|point| point.1));
        let (mut x, y) = (Scale::around(x, log_x), Scale::around(y, log_y));
        if !log_x {
            // A curve begins at the left edge.
            let ends = points().fold((f64::MAX, f64::MIN), |(a, b), at| (a.min(at.0), b.max(at.0)));
            if ends.0 < ends.1 {
                (x.from, x.to) = (ends.0.max(x.from), ends.1.min(x.to));
            }
        }
        Ok(Self { curves, x, y })
    }

    pub(crate) fn draw(&self, area: &Area<'_>, labels: &Labels) -> Drawn {
        let (width, _) = area.dim_in_pixel();
        let longest = self.curves.iter().map(|curve| lettering::width(&curve.name, 12.0));
        let legend = longest.fold(0.0, f64::max) as i32 + 56;
        let (left, right) = area.split_horizontally(width as i32 - legend.min(width as i32 / 2));
        let mut builder = ChartBuilder::on(&left);
        builder.margin(8).margin_right(14).x_label_area_size(42).y_label_area_size(70);
        let mut chart = builder.build_cartesian_2d(self.x, self.y)?;
        labels.draw(&mut chart, self.x, self.y, true)?;
        for (i, curve) in self.curves.iter().enumerate() {
            draw_curve(&mut chart, curve, i)?;
            draw_legend(&right, curve, i)?;
        }
        Ok(())
    }
}

fn draw_curve(chart: &mut Chart<'_, '_>, curve: &Curve, i: usize) -> Drawn {
    let look = look(i);
    let style = stroke(look);
    let points = || curve.points.iter().copied();
    if let Some((on, off)) = look.dashes {
        chart.draw_series(DashedLineSeries::new(points(), on, off, style))?;
    } else {
        chart.draw_series([PathElement::new(points().collect::<Vec<_>>(), style)])?;
    }
    // Markers of different curves are at different places.
    let every = curve.points.len().div_ceil(SIGNS);
    let signs = points().skip(i * every / LOOKS).step_by(every);
    chart.draw_series(signs.map(|at| Stamp { at, look }))?;
    Ok(())
}

fn draw_legend(area: &Area<'_>, curve: &Curve, i: usize) -> Drawn {
    let (look, y) = (look(i), 24 + 20 * i as i32);
    let style = stroke(look);
    let (on, off) = look.dashes.unwrap_or((32, 1));
    for from in (0..32).step_by((on + off) as usize) {
        let to = (from + on as i32).min(32);
        area.draw(&PathElement::new([(from, y), (to, y)], style))?;
    }
    area.draw(&Stamp { at: (16, y), look })?;
    let style = text_style(12.0).pos(Pos::new(HPos::Left, VPos::Center));
    area.draw(&Text::new(curve.name.clone(), (40, y), style))
}

fn stroke(look: Look) -> ShapeStyle {
    let (red, green, blue) = look.color;
    RGBColor(red, green, blue).stroke_width(2)
}

/// A filled marker of about 8 pixels at a point.
struct Stamp<C> {
    at: C,
    look: Look,
}

impl<'a, C: 'a> PointCollection<'a, C> for &'a Stamp<C> {
    type Point = &'a C;
    type IntoIter = core::iter::Once<&'a C>;

    fn point_iter(self) -> Self::IntoIter {
        core::iter::once(&self.at)
    }
}

impl<C, B: DrawingBackend> Drawable<B> for Stamp<C> {
    fn draw<I: Iterator<Item = BackendCoord>>(
        &self,
        points: I,
        backend: &mut B,
        _: (u32, u32),
    ) -> Result<(), DrawingErrorKind<B::ErrorType>> {
        let (red, green, blue) = self.look.color;
        let style = RGBColor(red, green, blue).filled();
        for (x, y) in points {
            let corners: &[BackendCoord] = match self.look.sign {
                Sign::Circle => &[],
                Sign::Square => &[(-4, -4), (4, -4), (4, 4), (-4, 4)],
                Sign::Triangle => &[(0, -5), (5, 4), (-5, 4)],
                Sign::Diamond => &[(0, -6), (6, 0), (0, 6), (-6, 0)],
            };
            if corners.is_empty() {
                backend.draw_circle((x, y), 4, &style, true)?;
            } else {
                backend.fill_polygon(corners.iter().map(|(dx, dy)| (x + dx, y + dy)), &style)?;
            }
        }
        Ok(())
    }
}
