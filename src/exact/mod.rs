//! Arithmetic that loses nothing before the last step: products that are rounded once, and
//! comparisons that no rounding decides.

mod factor;
mod powers;

pub(crate) use factor::{Factor, largest, smallest_normal};
pub(crate) use powers::{log_step, log_step_beyond};
