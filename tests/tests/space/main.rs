//! Encodings of space and continuous time, compared with the systems in use and with references,
//! and properties of any grid.

#[path = "../common/mod.rs"]
mod common;

mod figures;
mod golden_continuous;
mod golden_grids;
mod hostile;
mod learned;
mod parts;
mod positions;
mod properties;
mod truth;

use ndarray::{ArrayView2, ArrayViewD};

/// The tolerance for a library's f32 angles: see `tests/golden/README.md`.
fn slack(largest_angle: f64) -> f64 {
    1e-6 + 3e-7 * largest_angle
}

/// Asserts that all values agree with a library that computes angles up to this one in f32.
#[track_caller]
fn agrees<G: Copy + Into<f64>>(
    found: ArrayView2<'_, f32>,
    golden: ArrayViewD<'_, G>,
    largest_angle: f64,
) {
    assert_eq!(found.len(), golden.len());
    for (index, (&found, &golden)) in found.iter().zip(golden).enumerate() {
        let off = (f64::from(found) - golden.into()).abs();
        let bound = slack(largest_angle);
        assert!(off <= bound, "{index}: {found}, off by {off:e} where {bound:e} is allowed");
    }
}
