//! Answers and the catalogue as JSON: numbers are written so that they can be read back to the bit.

use std::fmt::Write;

use super::{Answer, Content, Figure, Knob, Method, PARTS, Refusal, Text};

/// Parts, methods and knobs, for the page.
pub fn catalogue() -> String {
    let parts = PARTS.iter().map(|(title, groups)| {
        let methods = groups.iter().copied().flatten().map(method);
        format!("{{\"title\":{},\"methods\":{}}}", both(*title), list(methods))
    });
    list(parts)
}

/// An answer, or {"error": …}.
pub fn answer(answer: &Result<Answer, Refusal>) -> String {
    match answer {
        Err(refusal) => format!("{{\"error\":{}}}", quoted(refusal)),
        Ok(Answer { figures, facts }) => {
            let facts =
                facts.iter().map(|(name, value)| format!("[{},{}]", both(*name), number(*value)));
            format!(
                "{{\"figures\":{},\"facts\":{}}}",
                list(figures.iter().map(figure)),
                list(facts)
            )
        }
    }
}

fn method(method: &Method) -> String {
    let Method { id, name, about, formula, when, knobs, .. } = method;
    format!(
        "{{\"id\":{},\"name\":{},\"about\":{},\"formula\":{},\"when\":{},\"knobs\":{}}}",
        quoted(id),
        both(*name),
        both(*about),
        quoted(formula),
        both(*when),
        list(knobs.iter().map(knob))
    )
}

fn knob(knob: &Knob) -> String {
    let values = list(knob.values.iter().map(|value| quoted(value)));
    let (name, label) = (quoted(knob.name), both(knob.label));
    format!("{{\"name\":{name},\"label\":{label},\"values\":{values},\"start\":{}}}", knob.start)
}

fn figure(figure: &Figure) -> String {
    let (kind, fields) = match &figure.content {
        Content::Heat(cells) => ("heat", format!("\"rows\":{}", rows(cells.rows().into_iter()))),
        Content::Grids(names, grids) => {
            let grids = grids.outer_iter().map(|grid| rows(grid.rows().into_iter()));
            let names = list(names.iter().map(|name| quoted(name)));
            ("grids", format!("\"names\":{names},\"grids\":{}", list(grids)))
        }
        Content::Curves { curves, logarithmic, stairs } => {
            let curves = curves.iter().map(|(name, x, y)| {
                format!("{{\"name\":{},\"x\":{},\"y\":{}}}", quoted(name), numbers(x), numbers(y))
            });
            let curves = list(curves);
            ("curves", format!("\"curves\":{curves},\"log\":{logarithmic},\"stairs\":{stairs}"))
        }
    };
    format!(
        "{{\"kind\":\"{kind}\",\"title\":{},\"x\":{},\"y\":{},{fields}}}",
        both(figure.title),
        both(figure.x),
        both(figure.y)
    )
}

fn rows<'a>(rows: impl Iterator<Item = ndarray::ArrayView1<'a, f64>>) -> String {
    list(rows.map(|row| numbers(row.iter())))
}

fn numbers<'a>(values: impl IntoIterator<Item = &'a f64>) -> String {
    let mut text = String::from("[");
    for (i, value) in values.into_iter().enumerate() {
        let _ = write!(text, "{}{}", if i == 0 { "" } else { "," }, number(*value));
    }
    text + "]"
}

/// JSON has no infinities and no NaN.
fn number(value: f64) -> String {
    if value.is_finite() { format!("{value:e}") } else { "null".to_string() }
}

fn both(text: Text) -> String {
    format!("[{},{}]", quoted(text.en), quoted(text.zh))
}

fn list(items: impl Iterator<Item = String>) -> String {
    format!("[{}]", items.collect::<Vec<_>>().join(","))
}

fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            c if c < ' ' => drop(write!(out, "\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out + "\""
}
