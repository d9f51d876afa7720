//! Rotations of queries and keys: [`Rotary`](crate::Rotary) says how,
//! [`Rotation`](crate::Rotation) does it, and what else rotates is here.

mod axes;
mod encoding;
#[cfg(feature = "half")]
mod half;
mod into;
mod kernel;
mod learned;
mod mixed;
mod pairing;
mod recipe;
mod rotation;
mod rows;
mod temperature;
mod turn;
mod walk;
mod xpos;

pub use crate::positions::Dinov3Augmentation;
pub use axes::{AxialOrder, Sections};
pub use encoding::Rotary;
pub use mixed::MixedRotary;
pub use pairing::Pairing;
pub use recipe::Precision;
pub use rotation::Rotation;
pub use temperature::QueryTemperature;
pub(crate) use turn::Turn;
pub use xpos::XPos;
