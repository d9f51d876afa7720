//! Exact arithmetic: products that are rounded once, and comparisons that do not depend on
//! rounding.

mod factor;
mod powers;

pub(crate) use factor::{Factor, largest, smallest_normal};
pub(crate) use powers::{log_step, log_step_beyond};
