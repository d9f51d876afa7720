//! Rotations of queries and keys.

mod axes;
mod kernel;
mod learned;
mod mixed;
mod pairing;
mod recipe;
mod rotation;
mod temperature;
mod turned;
mod walk;
mod xpos;

pub use axes::{AxialOrder, Sections};
pub use kernel::Turn;
pub use mixed::MixedRotary;
pub use pairing::Pairing;
pub use recipe::Precision;
pub use rotation::Rotation;
pub use temperature::QueryTemperature;
pub use turned::Rotary;
pub use xpos::XPos;
