//! The similarity of the patches of a picture to one of them, with positions added: each recipe for
//! grids gives another pattern.
//!
//! `cargo run --release --example image`, or with `-- FILE.png --patch 16 --at 2,3 --svg out.svg`

use std::error::Error;
use std::fmt::Write as _;
use std::io::{Cursor, Write as _};
use std::process::ExitCode;

use ndarray::{Array2, ArrayView1, Axis, s};
use positional_encodings::{
    Axes, Fourier, PositionalEncoding, Positions, add_positions_to_grid, ids::MaskCounts,
};

/// The width of vectors, which all recipes support.
const DIM: usize = 96;
const HOUSE: &[u8] = include_bytes!("data/house.png");

type Outcome<T> = Result<T, Box<dyn Error>>;

struct Arguments {
    file: Option<String>,
    patch: usize,
    at: Option<(usize, usize)>,
    svg: Option<String>,
}

fn main() -> ExitCode {
    let outcome = arguments(std::env::args().skip(1)).and_then(|arguments| run(&arguments));
    match outcome {
        Ok(text) => {
            // A reader such as `head` may close the pipe.
            let _ = std::io::stdout().write_all(text.as_bytes());
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Returns the text for the terminal.
fn run(arguments: &Arguments) -> Outcome<String> {
    let (name, bytes) = match &arguments.file {
        Some(file) => (file.as_str(), std::fs::read(file).map_err(|e| format!("{file}: {e}"))?),
        None => ("the house that ships with the repository", HOUSE.to_vec()),
    };
    let (patches, [rows, columns]) =
        patches(&bytes, arguments.patch).map_err(|error| format!("{name}: {error}"))?;
    let (row, column) = arguments.at.unwrap_or((rows / 2, columns / 3));
    if row >= rows || column >= columns {
        return Err(format!("there is no patch {row},{column} among {rows} x {columns}").into());
    }
    let mut maps = vec![("the picture alone", similarity(&patches, row * columns + column))];
    for (name, vectors) in recipes(rows, columns)? {
        let with_positions = &patches + &vectors;
        maps.push((name, similarity(&with_positions, row * columns + column)));
    }
    let mut text = format!(
        "{name}: {rows} x {columns} patches of {DIM} features\n\
         similarity to the patch in row {row}, column {column} (@): darker is more alike\n\n"
    );
    for (name, map) in &maps {
        writeln!(text, "{name}")?;
        for (y, line) in map.chunks(columns).enumerate() {
            let shade = |(x, value): (usize, &f32)| match (y, x) == (row, column) {
                true => '@',
                false => [' ', '.', ':', '-', '=', '+', '*', '#', '%'][step(*value, 9)],
            };
            writeln!(text, "  {}", line.iter().enumerate().map(shade).collect::<String>())?;
        }
    }
    if let Some(path) = &arguments.svg {
        let svg = svg(&maps, columns, [row, column])?;
        std::fs::write(path, svg).map_err(|error| format!("{path}: {error}"))?;
        writeln!(text, "\nwritten to {path}")?;
    }
    Ok(text)
}

/// The vectors (patches, dim) of each recipe.
fn recipes(rows: usize, columns: usize) -> Outcome<Vec<(&'static str, Array2<f32>)>> {
    let grid = Positions::grid(&[rows, columns])?;
    let pixels = ndarray::Array3::from_elem((1, rows, columns), true);
    let counted = Positions::from_masks(&pixels, MaskCounts::NORMALIZED)?;
    let from_one = Positions::grid_of(&[1..rows + 1, 1..columns + 1])?;
    let square = Positions::linspace(&[rows, columns], -1.0..=1.0)?;
    Ok(vec![
        ("MAE", in_place(&Axes::mae(DIM)?, rows, columns)?),
        ("timm", in_place(&Axes::timm(DIM, 100.0)?, rows, columns)?),
        ("DETR, normalised", Axes::detr(DIM, 10_000.0)?.encode(&counted)?),
        ("LoFTR", Axes::loftr(DIM)?.encode(&from_one)?),
        ("positional-encodings (Python)", Axes::python(DIM, 2)?.encode(&grid)?),
        ("tensor2tensor", Axes::tensor2tensor(DIM, 2)?.encode(&grid)?),
        ("NeRF's bands", Fourier::nerf(2, DIM / 4)?.encode(&square)?),
    ])
}

/// The vectors of a grid, added to an array (height, width, dim) of zeros.
fn in_place(
    encoding: &dyn PositionalEncoding<f32>,
    rows: usize,
    columns: usize,
) -> Outcome<Array2<f32>> {
    let mut image = ndarray::Array3::zeros((rows, columns, DIM));
    add_positions_to_grid(image.view_mut(), encoding)?;
    Ok(image.into_shape_with_order((rows * columns, DIM))?)
}

/// Patches of a picture as vectors: their colours on a grid of 4 × 8 points, from −1 to 1.
fn patches(png: &[u8], patch: usize) -> Outcome<(Array2<f32>, [usize; 2])> {
    let mut decoder = png::Decoder::new(Cursor::new(png));
    decoder.set_transformations(png::Transformations::normalize_to_color8());
    let mut reader = decoder.read_info()?;
    let size = reader.output_buffer_size().ok_or("a picture that does not fit into memory")?;
    let mut pixels = vec![0; size];
    let info = reader.next_frame(&mut pixels)?;
    let samples = info.color_type.samples();
    let (rows, columns) = (info.height as usize / patch, info.width as usize / patch);
    if rows == 0 || columns == 0 {
        return Err(format!("a picture without a patch of {patch} x {patch} pixels").into());
    }
    let mut vectors = Array2::zeros((rows * columns, DIM));
    for (index, mut vector) in vectors.axis_iter_mut(Axis(0)).enumerate() {
        let (top, left) = (index / columns * patch, index % columns * patch);
        for (point, mut colour) in vector.exact_chunks_mut(3).into_iter().enumerate() {
            let (y, x) = (top + point / 8 * patch / 4, left + point % 8 * patch / 8);
            let pixel = &pixels[y * info.line_size + x * samples..];
            // Grey pictures have one sample, or two with alpha.
            let channel = |c: usize| if samples < 3 { 0 } else { c };
            (0..3).for_each(|c| colour[c] = f32::from(pixel[channel(c)]) / 127.5 - 1.0);
        }
    }
    Ok((vectors, [rows, columns]))
}

/// The cosine of the angle between each vector and one of them.
fn similarity(vectors: &Array2<f32>, chosen: usize) -> Vec<f32> {
    let length = |v: ArrayView1<'_, f32>| v.dot(&v).sqrt().max(f32::MIN_POSITIVE);
    let own = vectors.slice(s![chosen, ..]);
    vectors.rows().into_iter().map(|v| v.dot(&own) / (length(v) * length(own))).collect()
}

/// Returns the step of a cosine, from 0 (negative values included) to `steps` − 1.
fn step(value: f32, steps: usize) -> usize {
    ((value.max(0.0) * steps as f32) as usize).min(steps - 1)
}

fn svg(maps: &[(&str, Vec<f32>)], columns: usize, [row, column]: [usize; 2]) -> Outcome<String> {
    const CELL: usize = 12;
    let rows = maps[0].1.len() / columns;
    let (width, height) = (columns * CELL + 24, rows * CELL + 40);
    let (across, down) = (width * 2, height * maps.len().div_ceil(2));
    let mut svg = format!(
        "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {across} {down}' \
         font-family='sans-serif' font-size='13' fill='#808080'>\n"
    );
    for (index, (name, map)) in maps.iter().enumerate() {
        let (left, top) = (index % 2 * width + 12, index / 2 * height + 24);
        writeln!(svg, "<text x='{left}' y='{}'>{name}</text>", top - 6)?;
        for (cell, value) in map.iter().enumerate() {
            let (x, y) = (left + cell % columns * CELL, top + cell / columns * CELL);
            let light = 247 - step(*value, 24) * 9;
            let is_chosen = cell == row * columns + column;
            let fill = match is_chosen {
                true => "#d8680b".to_string(),
                false => format!("rgb({light},{light},247)"),
            };
            writeln!(svg, "<rect x='{x}' y='{y}' width='{CELL}' height='{CELL}' fill='{fill}'/>")?;
        }
    }
    svg += "</svg>\n";
    Ok(svg)
}

fn arguments(mut words: impl Iterator<Item = String>) -> Outcome<Arguments> {
    let mut arguments = Arguments { file: None, patch: 8, at: None, svg: None };
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or(format!("{word} needs a value"));
        match word.as_str() {
            "--patch" => {
                arguments.patch =
                    value()?.parse().ok().filter(|n| *n > 0).ok_or("--patch: a size")?
            }
            "--svg" => arguments.svg = Some(value()?),
            "--at" => {
                let value = value()?;
                let place = value.split_once(',');
                let place = place.and_then(|(y, x)| Some((y.parse().ok()?, x.parse().ok()?)));
                arguments.at = Some(place.ok_or("--at: ROW,COLUMN")?);
            }
            file if !file.starts_with("--") && arguments.file.is_none() => {
                arguments.file = Some(word)
            }
            _ => return Err(format!("{word} is not known: FILE, --patch, --at, --svg").into()),
        }
    }
    Ok(arguments)
}
