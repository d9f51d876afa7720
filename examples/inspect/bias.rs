//! Findings about biases.

use positional_encodings::AttentionBias;
use positional_encodings::analysis::{self, ByDistance};
use positional_encodings::plot::{Curve, Picture};

use crate::Result;
use crate::report::{Cell, Section, distances};

/// The fraction of the largest weight below which a key counts as not attended.
const SHARE: f64 = 0.01;

pub fn inspect(bias: &dyn AttentionBias<f64>, len: usize) -> Result<(Vec<Section>, Picture)> {
    let curves = analysis::bias_by_distance(bias, len)?;
    let windows = analysis::bias_windows(bias, len, SHARE)?;
    let name = format!("window: below {} % of the largest weight from here on", SHARE * 100.0);
    let mut section = Section::new(name, &["head", "behind", "ahead", "first asymmetry"]);
    let beyond = |distance: Option<usize>| match distance {
        Some(distance) => distance.into(),
        None => Cell::None(format!("not within {len}")),
    };
    for window in windows {
        let curve = ByDistance::of_curve(1 - len as i64, curves.row(window.head))?;
        let asymmetry =
            curve.first_asymmetry(1e-9).map_or(Cell::None("none".to_string()), Cell::Count);
        section.row([window.head.into(), beyond(window.behind), beyond(window.ahead), asymmetry]);
    }
    let columns = ["distance behind", "first head", "middle head", "last head"];
    let mut values = Section::new("bias by distance", &columns);
    let heads = [0, curves.nrows() / 2, curves.nrows() - 1];
    for distance in distances(len) {
        let biases = heads.map(|head| Cell::from(curves[[head, len - 1 - distance]]));
        values.row([distance.into()].into_iter().chain(biases));
    }
    // A picture has at most twelve curves.
    let step = curves.nrows().div_ceil(8);
    let curve = |head: usize| {
        let behind: Vec<f64> =
            (0..len).map(|distance| curves[[head, len - 1 - distance]]).collect();
        Curve::by_index(&format!("head {head}"), &behind)
    };
    let drawn =
        (0..curves.nrows()).step_by(step).map(curve).collect::<std::result::Result<_, _>>()?;
    Ok((vec![section, values], Picture::by_distance(drawn)?.with_values("bias")))
}
