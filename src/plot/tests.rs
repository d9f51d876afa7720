//! Tests of the structure of pictures: their marks and labels, and the places of these.

use ndarray::{Array2, Array3};

use super::colors::{LOOKS, look, shade};
use super::marks::{Mark, Text};
use super::picture::Picture;
use super::{Curve, lettering};
use crate::error::{Error, FileProblem};

/// Returns each kind of picture, and the labels that it must have.
fn pictures() -> Vec<(Picture, Vec<&'static str>)> {
    let matrix = Array2::from_shape_fn((40, 24), |(i, j)| ((i * j) as f64 / 30.0).sin());
    let square = matrix.dot(&matrix.t());
    let grids = Array3::from_shape_fn((5, 6, 7), |(p, i, j)| (p + i) as f64 - j as f64);
    let names = ["(0, 0)", "(0, 1)", "(0, 2)", "(0, 3)", "(0, 4)"];
    let curve = |name: &str, by: f64| {
        let x: Vec<f64> = (1..300).map(f64::from).collect();
        Curve::new(name, &x, &x.iter().map(|x| (x / by).cos()).collect::<Vec<_>>()).unwrap()
    };
    let curves = || vec![curve("head 0", 9.0), curve("head 1, which is slower", 31.0)];
    let waves: Vec<f64> = (0..16).map(|i| 12.0 * 10_000_f64.powf(f64::from(i) / 16.0)).collect();
    let slower: Vec<f64> = waves.iter().map(|wave| wave * 4.0).collect();
    vec![
        (Picture::heat_map(matrix.view()).unwrap(), vec!["feature", "position", "value", "20"]),
        (Picture::similarity(square.view()).unwrap(), vec!["position", "similarity", "30"]),
        (Picture::bias(matrix.view()).unwrap(), vec!["bucket", "head", "bias", "20"]),
        (Picture::grids(grids.view(), &names).unwrap(), vec!["(0, 0)", "(0, 4)", "column", "row"]),
        (
            Picture::by_distance(curves()).unwrap(),
            vec!["head 0", "head 1, which is slower", "distance, in positions", "200", "−0.5"],
        ),
        (
            Picture::wavelengths(&waves, 512.0).unwrap(),
            vec!["wavelength", "length", "pair of features", "wavelength, in positions", "1000"],
        ),
        (
            Picture::scaling(&waves, &slower, 512.0).unwrap(),
            vec!["before scaling", "after scaling", "length", "10⁵"],
        ),
        (
            Picture::precision(curves()).unwrap(),
            vec!["head 0", "position", "largest error", "100", "0.1"],
        ),
    ]
}

fn texts(marks: &[Mark]) -> Vec<&Text> {
    let mut texts = Vec::new();
    for mark in marks {
        if let Mark::Text(text) = mark {
            texts.push(text);
        }
    }
    texts
}

/// Returns the extent of a mark: left, top, right, bottom.
fn extent(mark: &Mark) -> [f64; 4] {
    let (points, more): (Vec<(i32, i32)>, f64) = match mark {
        Mark::Line { points, width, .. } => (points.clone(), f64::from(*width) / 2.0),
        Mark::Area { points, .. } => (points.clone(), 0.0),
        Mark::Rectangle { from, to, .. } => (vec![*from, *to], 0.0),
        Mark::Circle { center, radius, .. } => (vec![*center], f64::from(*radius)),
        Mark::Text(text) => {
            let width = lettering::width(&text.text, text.size);
            let (left, top) = (-width * text.before, text.down - text.size * lettering::CAPITAL);
            let (right, bottom) = (left + width, text.down + text.size * lettering::BELOW);
            let (x, y) = (f64::from(text.at.0), f64::from(text.at.1));
            return match text.upwards {
                true => [x + top, y - right, x + bottom, y - left],
                false => [x + left, y + top, x + right, y + bottom],
            };
        }
    };
    let ends = |of: fn(&(i32, i32)) -> i32| {
        let values = || points.iter().map(of);
        (f64::from(values().min().unwrap()), f64::from(values().max().unwrap()))
    };
    let (x, y) = (ends(|point| point.0), ends(|point| point.1));
    [x.0 - more, y.0 - more, x.1 + more, y.1 + more]
}

#[test]
fn labels_are_there_within_the_picture_and_apart() {
    for (picture, expected) in pictures() {
        for (picture, width, height) in [
            (picture.clone().with_size(720, 420), 720.0, 420.0),
            (picture.with_size(420, 300).with_title("A title"), 420.0, 300.0),
        ] {
            let marks = picture.marks().unwrap();
            let texts = texts(&marks);
            for label in expected.iter().filter(|label| width > 700.0 || label.len() > 5) {
                assert!(texts.iter().any(|text| text.text == *label), "{label}: {texts:?}");
            }
            for mark in &marks {
                let [left, top, right, bottom] = extent(mark);
                let within = left >= -1.0 && top >= -1.0 && right <= width && bottom <= height;
                assert!(within, "{mark:?} in {width} × {height}");
            }
            let boxes: Vec<[f64; 4]> =
                marks.iter().filter(|mark| matches!(mark, Mark::Text(_))).map(extent).collect();
            for (i, a) in boxes.iter().enumerate() {
                for (j, b) in boxes.iter().enumerate().skip(i + 1) {
                    let apart = a[2] <= b[0] || b[2] <= a[0] || a[3] <= b[1] || b[3] <= a[1];
                    assert!(apart, "{:?} over {:?}", texts[i], texts[j]);
                }
            }
        }
    }
}

#[test]
fn cells_cover_the_area_once_and_become_lighter_with_the_value() {
    let values = Array2::from_shape_fn((3, 50), |(_, column)| column as f64);
    let marks = Picture::heat_map(values.view()).unwrap().marks().unwrap();
    // The columns of the matrix are left of its colour scale.
    let mut cells: Vec<([i32; 4], u32)> = marks
        .iter()
        .filter_map(|mark| match mark {
            Mark::Rectangle { from, to, color } if to.0 < 636 => {
                let light = u32::from(color.0) * 2 + u32::from(color.1) * 7 + u32::from(color.2);
                Some(([from.0, to.0, from.1.min(to.1), from.1.max(to.1)], light))
            }
            _ => None,
        })
        .collect();
    assert_eq!(cells.len(), 150);
    cells.sort_by_key(|(at, _)| (at[2], at[0]));
    for row in cells.chunks(50) {
        for pair in row.windows(2) {
            assert_eq!(pair[0].0[1], pair[1].0[0]);
            assert!(pair[0].1 < pair[1].1);
        }
    }
}

#[test]
fn colours_and_looks_differ_in_grey() {
    let light = |(r, g, b): (u8, u8, u8)| 2 * u32::from(r) + 7 * u32::from(g) + u32::from(b);
    assert!((1..64).all(|step| light(shade(step - 1)) < light(shade(step))));
    for i in 0..LOOKS {
        for j in 0..i {
            let (a, b) = (look(i), look(j));
            assert!(a.dashes != b.dashes || a.sign != b.sign, "{i} and {j}");
        }
    }
}

#[test]
fn long_curves_and_large_matrices_are_sampled_and_keep_their_peaks() {
    let mut values = vec![0.0; 1_000_000];
    values[777_777] = 1.0;
    values[777_778] = -1.0;
    let curve = Curve::by_index("peak", &values).unwrap();
    assert!(curve.points.len() <= 801);
    assert!(curve.points.contains(&(777_777.0, 1.0)) && curve.points.contains(&(777_778.0, -1.0)));
    assert_eq!((curve.points[0].0, curve.points.last().unwrap().0), (0.0, 999_999.0));
    assert!(curve.points.is_sorted_by_key(|point| point.0));

    let matrix = Array2::from_shape_fn((2000, 3000), |(i, j)| ((i * 31 + j * 17) % 97) as f64);
    let marks = Picture::heat_map(matrix.view()).unwrap().marks().unwrap();
    assert!(marks.len() < 27_000);
    assert!(texts(&marks).iter().any(|text| text.text == "2500"));
}

#[test]
fn rows_are_counted_by_other_numbers() {
    let matrix = Array2::from_shape_fn((64, 8), |(i, j)| (i * j) as f64);
    let picture = Picture::heat_map(matrix.view()).unwrap();
    let moved = picture.clone().with_ranges(0.0..8.0, 4096.0..8192.0).unwrap();
    assert!(texts(&moved.marks().unwrap()).iter().any(|text| text.text == "5000"));
    for range in [1.0..1.0, 0.0..f64::NAN, f64::MIN..f64::MAX] {
        assert!(picture.clone().with_ranges(0.0..8.0, range).is_err());
    }
}

#[test]
fn cells_are_counted_by_whole_numbers() {
    let one_row = Array2::from_shape_fn((1, 3), |(_, column)| column as f64);
    let marks = Picture::bias(one_row.view()).unwrap().marks().unwrap();
    // The labels of the colour scale come first, and are not whole numbers.
    let labels: Vec<&str> = texts(&marks).iter().map(|text| text.text.as_str()).collect();
    let head = labels.iter().position(|label| *label == "head").unwrap();
    let mut axes = labels[head..].to_vec();
    axes.sort_unstable();
    assert_eq!(axes, ["0", "0", "1", "2", "bucket", "head"]);
    let zeros = Curve::by_index("zeros", &[0.0, 0.0]).unwrap();
    let marks = Picture::by_distance(vec![zeros]).unwrap().marks().unwrap();
    assert!(texts(&marks).iter().any(|text| text.text == "−0.5"));
}

#[test]
fn what_cannot_be_drawn_is_an_error_with_its_numbers() {
    let matrix = |rows, columns, value| Array2::from_elem((rows, columns), value);
    let error = |picture: Result<Picture, Error>| picture.err().unwrap();
    let empty = Error::EmptyGrid { rows: 0, columns: 3 };
    assert_eq!(error(Picture::heat_map(matrix(0, 3, 0.0).view())), empty);
    assert_eq!(
        error(Picture::similarity(matrix(2, 3, 0.0).view())),
        Error::LengthMismatch { what: "columns of a similarity matrix", expected: 2, found: 3 }
    );
    for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let found = error(Picture::bias(matrix(2, 3, value).view()));
        assert!(matches!(found, Error::InvalidParameter { needs: "finite", .. }));
        assert!(Curve::by_index("", &[0.0, value]).is_err());
        assert!(Picture::wavelengths(&[1.0, value], 2.0).is_err());
    }
    let grids = Array3::zeros((2, 3, 3));
    assert_eq!(
        error(Picture::grids(grids.view(), &["one"])),
        Error::LengthMismatch { what: "names of grids", expected: 2, found: 1 }
    );
    assert!(Picture::grids(Array3::zeros((0, 3, 3)).view(), &[]).is_err());
    assert!(Picture::grids(Array3::zeros((1, 3, 0)).view(), &["one"]).is_err());
    assert!(Curve::new("", &[1.0], &[1.0, 2.0]).is_err() && Curve::by_index("", &[]).is_err());
    let curve = Curve::by_index("", &[1.0, 2.0]).unwrap();
    assert!(Picture::by_distance(vec![]).is_err());
    assert!(Picture::by_distance(vec![curve.clone(); 13]).is_err());
    assert!(Picture::precision(vec![curve]).is_err()); // it has a position 0
    assert!(Picture::wavelengths(&[], 2.0).is_err() && Picture::wavelengths(&[1.0], 0.0).is_err());
    assert!(Picture::scaling(&[1.0], &[1.0, 2.0], 2.0).is_err());
}

#[test]
fn any_finite_numbers_are_drawn() {
    let values = [0.0, -0.0, 1.0, f64::MAX, f64::MIN, f64::MIN_POSITIVE, 5e-324, 1e-200, -1e300];
    for a in values {
        for b in values {
            let matrix = Array2::from_shape_vec((1, 2), vec![a, b]).unwrap();
            let curve = Curve::new("", &[a.abs(), b.abs()], &[a, b]).unwrap();
            let mut pictures = vec![
                Picture::heat_map(matrix.view()).unwrap(),
                Picture::by_distance(vec![curve.clone()]).unwrap(),
            ];
            pictures.extend(Picture::precision(vec![curve]).ok());
            pictures.extend(Picture::wavelengths(&[a, b], 1.0).ok());
            for picture in pictures {
                let picture = picture.with_size(0, 0);
                assert!(picture.to_svg().unwrap().ends_with("</svg>\n"));
                assert!(b <= 1.0 || !picture.to_png().unwrap().is_empty());
            }
        }
    }
}

#[test]
fn svg_is_xml_whatever_the_title_says() {
    let (picture, _) = pictures().swap_remove(0);
    let svg = picture.with_title("a < b & c > d\u{0}\n'\"位置").to_svg().unwrap();
    assert_eq!(svg.matches("a &lt; b &amp; c &gt; d  '\"位置").count(), 2);
    assert_eq!(svg.matches('<').count(), svg.matches('>').count());
}

#[test]
fn a_png_shows_what_the_svg_does() {
    let matrix = Array2::from_shape_vec((1, 2), vec![0.0, 1.0]).unwrap();
    let picture = Picture::heat_map(matrix.view()).unwrap().with_title("title");
    let bytes = picture.to_png().unwrap();
    let mut reader = png::Decoder::new(std::io::Cursor::new(&bytes)).read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut pixels).unwrap();
    assert_eq!((info.width, info.height), (1440, 840));
    let at = |x: usize, y: usize| <[u8; 3]>::try_from(&pixels[(y * 1440 + x) * 3..][..3]).unwrap();
    assert_eq!(at(0, 0), [255, 255, 255]);
    assert_eq!((at(300, 400), at(1000, 400)), ([68, 1, 84], [253, 231, 37]));
    // The title is black on white around the middle.
    let ink = (680..760).flat_map(|x| (20..52).map(move |y| (x, y)));
    let dark = ink.filter(|(x, y)| at(*x, *y)[0] < 64).count();
    assert!((100..1000).contains(&dark), "{dark}");
}

#[test]
fn a_file_appears_whole_or_not_at_all() {
    let folder = std::env::temp_dir().join(format!("positional-plot-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let (picture, _) = pictures().swap_remove(4);
    let file = folder.join("picture.SVG");
    std::fs::write(&file, "old").unwrap();
    picture.save(&file).unwrap();
    assert_eq!(std::fs::read_to_string(&file).unwrap(), picture.to_svg().unwrap());
    picture.save(folder.join("picture.png")).unwrap();
    for name in ["picture.pdf", "picture", ".png"] {
        let error = picture.save(folder.join(name)).unwrap_err();
        assert_eq!(error.problem, FileProblem::NoPictureFormat);
    }
    let error = picture.save(folder.join("nowhere").join("picture.svg")).unwrap_err();
    assert!(matches!(error.problem, FileProblem::Io { .. }));
    // A folder has the name of the finished file.
    std::fs::create_dir_all(folder.join("taken.png").join("full")).unwrap();
    assert!(picture.save(folder.join("taken.png")).is_err());
    let mut names: Vec<_> =
        std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["picture.SVG", "picture.png", "taken.png"]);
    std::fs::remove_dir_all(&folder).unwrap();
}
