//! Draws the picture of the README: position vectors as a heat map.
//!
//! `cargo run --release --example picture > docs/sinusoid.svg`

use std::fmt::Write;

use ndarray::Array2;
use positional_encodings::{FeatureLayout, PositionalEncoding, Positions, Sinusoidal};

/// The number of colours on each side of white.
const STEPS: i32 = 8;
const CELL: usize = 6;
const LEFT: usize = 76;
const TOP: usize = 30;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (len, dim) = (128, 64);
    let encoding = Sinusoidal::new(dim)?.with_layout(FeatureLayout::SinCosHalves);
    let rows: Array2<f32> = encoding.encode(&Positions::from(0..len))?;

    let (width, height) = (LEFT + len * CELL + 16, TOP + dim * CELL + 44);
    let mut svg = format!(
        "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {width} {height}' width='{width}' height='{height}' \
         font-family='sans-serif' font-size='13' fill='#808080'>\n\
         <title>Sines and cosines of positions 0 to {} at {} frequencies</title>\n",
        len - 1,
        dim / 2
    );
    let middle = LEFT + len * CELL / 2;
    text(&mut svg, middle, 18, "middle", "position")?;
    for position in (0..len).step_by(16) {
        text(
            &mut svg,
            LEFT + position * CELL + CELL / 2,
            TOP + dim * CELL + 16,
            "middle",
            &position.to_string(),
        )?;
    }
    for (name, first) in [("sin", 0), ("cos", dim / 2)] {
        let y = TOP + first * CELL;
        text(&mut svg, LEFT - 8, y + 12, "end", &format!("{name}, fast"))?;
        text(&mut svg, LEFT - 8, y + dim / 2 * CELL - 4, "end", "slow")?;
    }

    // One path for each colour, with a stroke for each run of cells of that colour.
    writeln!(
        svg,
        "<g transform='translate({LEFT} {TOP}) scale({CELL})' shape-rendering='crispEdges'>"
    )?;
    for step in -STEPS..=STEPS {
        write!(svg, "<path stroke='{}' d='", colour(step))?;
        for (y, feature) in rows.columns().into_iter().enumerate() {
            let steps: Vec<i32> =
                feature.iter().map(|value| (value * STEPS as f32).round() as i32).collect();
            let mut x = 0;
            for stretch in steps.chunk_by(|a, b| a == b) {
                if stretch[0] == step {
                    write!(svg, "M{x} {y}.5h{}", stretch.len())?;
                }
                x += stretch.len();
            }
        }
        writeln!(svg, "'/>")?;
    }
    writeln!(svg, "</g>")?;

    let y = height - 18;
    text(&mut svg, middle - 100, y + 11, "end", "-1")?;
    for (i, step) in (-STEPS..=STEPS).enumerate() {
        writeln!(
            svg,
            "<rect x='{}' y='{y}' width='11' height='14' fill='{}'/>",
            middle - 93 + i * 11,
            colour(step)
        )?;
    }
    text(&mut svg, middle + 102, y + 11, "start", "1")?;
    println!("{svg}</svg>");
    Ok(())
}

fn text(svg: &mut String, x: usize, y: usize, anchor: &str, text: &str) -> std::fmt::Result {
    writeln!(svg, "<text x='{x}' y='{y}' text-anchor='{anchor}'>{text}</text>")
}

/// Returns a colour from blue over white to orange.
fn colour(step: i32) -> String {
    let end = if step < 0 { [31, 95, 168] } else { [216, 104, 11] };
    let [r, g, b] = end.map(|end| 247 + (end - 247) * step.abs() / STEPS);
    format!("#{r:02x}{g:02x}{b:02x}")
}
