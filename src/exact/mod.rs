//! Exact arithmetic: numbers of 256 bits, products that are rounded once, and comparisons that do
//! not depend on rounding.

mod factor;
mod powers;
mod wide;

pub(crate) use factor::{Factor, largest, smallest_normal};
pub(crate) use powers::{log_step, log_step_beyond};
pub(crate) use wide::{Limbs, Wide};
