//! Writes marks as SVG: consecutive marks of one style share a path.

use core::fmt::Write;

use super::lettering::FAMILY;
use super::marks::{Mark, Rgb, Text};

/// Returns the text of an SVG file.
pub(crate) fn write(title: &str, (width, height): (u32, u32), marks: &[Mark]) -> String {
    let title = escaped(title);
    let mut svg = format!(
        "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {width} {height}' width='{width}' \
         height='{height}' font-family='{FAMILY}' role='img'>\n<title>{title}</title>\n\
         <rect width='{width}' height='{height}' fill='#fff'/>\n"
    );
    for group in marks.chunk_by(|a, b| style(a).is_some() && style(a) == style(b)) {
        match (style(&group[0]), &group[0]) {
            (_, Mark::Text(text)) => write_text(&mut svg, text),
            (Some(style), _) => {
                let _ = write!(svg, "<path {style} d='"); // writing to a String cannot fail
                group.iter().for_each(|mark| write_shape(&mut svg, mark));
                svg.push_str("'/>\n");
            }
            _ => {}
        }
    }
    svg + "</svg>\n"
}

/// Returns the attributes of a path; `None` for a text.
fn style(mark: &Mark) -> Option<String> {
    match mark {
        Mark::Line { color, width, .. } => Some(format!(
            "fill='none' stroke='{}' stroke-width='{width}' stroke-linejoin='round'",
            hex(*color)
        )),
        Mark::Rectangle { color, .. } => {
            Some(format!("fill='{}' shape-rendering='crispEdges'", hex(*color)))
        }
        Mark::Area { color, .. } | Mark::Circle { color, .. } => {
            Some(format!("fill='{}'", hex(*color)))
        }
        Mark::Text(_) => None,
    }
}

fn write_shape(svg: &mut String, mark: &Mark) {
    let _ = match mark {
        Mark::Line { points, .. } => return write_points(svg, points),
        Mark::Area { points, .. } => {
            write_points(svg, points);
            svg.write_char('z')
        }
        Mark::Rectangle { from, to, .. } => {
            write!(svg, "M{} {}H{}V{}H{}z", from.0, from.1, to.0, to.1, from.0)
        }
        Mark::Circle { center: (x, y), radius: r, .. } => {
            write!(
                svg,
                "M{} {y}a{r} {r} 0 1 0 {} 0a{r} {r} 0 1 0 -{} 0z",
                x - *r as i32,
                2 * r,
                2 * r
            )
        }
        Mark::Text(_) => Ok(()),
    };
}

fn write_points(svg: &mut String, points: &[(i32, i32)]) {
    for (i, (x, y)) in points.iter().enumerate() {
        let _ = write!(svg, "{}{x} {y}", if i == 0 { 'M' } else { 'L' });
    }
}

fn write_text(svg: &mut String, text: &Text) {
    let Text { at: (x, y), size, down, .. } = text;
    let anchor = match text.before {
        0.0 => "start",
        1.0 => "end",
        _ => "middle",
    };
    let turned =
        if text.upwards { format!(" transform='rotate(-90 {x} {y})'") } else { String::new() };
    let _ = writeln!(
        svg,
        "<text x='{x}' y='{:.1}' font-size='{size}' text-anchor='{anchor}' fill='{}'{turned}>{}</text>",
        f64::from(*y) + down,
        hex(text.color),
        escaped(&text.text)
    );
}

fn hex((red, green, blue): Rgb) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}

/// Escapes a text for XML, without characters that XML does not allow.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push(' '),
            c => out.push(c),
        }
    }
    out
}
