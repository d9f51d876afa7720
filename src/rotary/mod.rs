//! Rotations of queries and keys: [`Rotary`] says how,
//! [`Rotation`] does it, and what else rotates is here.

mod apply;
mod axes;
mod encoding;
mod learned;
mod mixed;
mod pairing;
mod recipe;
mod rotation;
mod temperature;
mod xpos;

pub use crate::positions::Dinov3Augmentation;
pub use axes::{AxialOrder, Sections};
pub use encoding::Rotary;
pub use mixed::MixedRotary;
pub use pairing::Pairing;
pub use recipe::Precision;
pub use rotation::Rotation;
pub use temperature::QueryTemperature;
pub use xpos::XPos;
