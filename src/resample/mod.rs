//! Tables for other lengths and other image grids.
//!
//! [`Learned::stretch`](crate::Learned::stretch) starts a [`Stretch`]; its
//! [`grid`](Stretch::grid) takes a [`Resample`], which names how a system interpolates.
//! [`GridResample`] is the plan of a grid's change by itself, with its transpose for gradients.

mod grid;
mod stretch;

pub use grid::{GridResample, Kernel, Resample, Sampling};
pub use stretch::Stretch;
