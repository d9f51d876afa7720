//! Colours that remain distinguishable in grey and for colour-blind people, and other marks that
//! distinguish curves.

use super::marks::Rgb;

/// The number of colours of a heat map.
pub(crate) const STEPS: usize = 64;

/// Viridis (van der Walt and Smith 2015, matplotlib) at nine points: it becomes lighter from end to
/// end, so that it is readable in grey.
const VIRIDIS: [Rgb; 9] = [
    (68, 1, 84),
    (71, 45, 123),
    (59, 82, 139),
    (44, 114, 142),
    (33, 145, 140),
    (40, 174, 128),
    (94, 201, 98),
    (173, 220, 48),
    (253, 231, 37),
];

/// Returns the colour of a step.
pub(crate) fn shade(step: usize) -> Rgb {
    let along = step.min(STEPS - 1) as f64 / (STEPS - 1) as f64 * (VIRIDIS.len() - 1) as f64;
    let low = (along as usize).min(VIRIDIS.len() - 2);
    let (from, to, share) = (VIRIDIS[low], VIRIDIS[low + 1], along - low as f64);
    let mix =
        |from: u8, to: u8| (f64::from(from) + (f64::from(to) - f64::from(from)) * share) as u8;
    (mix(from.0, to.0), mix(from.1, to.1), mix(from.2, to.2))
}

/// The marker that is drawn on a curve at intervals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sign {
    Circle,
    Square,
    Triangle,
    Diamond,
}

/// How a curve is drawn: its colour, its dashes in pixels (on, off) and its marker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Look {
    pub(crate) color: Rgb,
    pub(crate) dashes: Option<(u32, u32)>,
    pub(crate) sign: Sign,
}

/// The maximal number of curves in a picture.
pub(crate) const LOOKS: usize = 12;

/// Returns the look of a curve: one of six colours of Okabe and Ito (2008), four markers, three
/// dashes.
pub(crate) fn look(curve: usize) -> Look {
    const COLORS: [Rgb; 6] =
        [(0, 114, 178), (213, 94, 0), (0, 0, 0), (0, 158, 115), (204, 121, 167), (230, 159, 0)];
    const SIGNS: [Sign; 4] = [Sign::Circle, Sign::Square, Sign::Triangle, Sign::Diamond];
    const DASHES: [Option<(u32, u32)>; 3] = [None, Some((8, 4)), Some((3, 3))];
    Look {
        color: COLORS[curve % COLORS.len()],
        dashes: DASHES[curve % DASHES.len()],
        sign: SIGNS[curve % SIGNS.len()],
    }
}
