//! Rotations, against goldens of the systems in use, and their laws.

mod apply;
mod bad_input;
mod golden;
mod laws;
mod scaling;
