//! Resizes tables to other lengths and other image grids.
//!
//! [`Learned::stretch`](crate::Learned::stretch) returns a [`Stretch`], with a method for each way
//! to resize. Its [`grid`](Stretch::grid) takes a [`Resample`], which names how a system
//! interpolates. [`GridResample`] is the plan for a grid by itself, with its transpose for
//! gradients.

mod grid;
mod stretch;

pub use grid::{GridResample, Kernel, Resample, Sampling};
pub use stretch::Stretch;
