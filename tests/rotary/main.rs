//! Rotations, against goldens of the systems in use, and their laws.

mod apply;
mod axes;
mod bad_input;
#[cfg(feature = "serde")]
mod configs;
mod extras;
mod golden;
mod laws;
mod scaling;
mod tables;
