//! Rotations of queries and keys.

mod kernel;
mod pairing;
mod recipe;
mod rotation;
mod turned;
mod walk;

pub use kernel::Turn;
pub use pairing::Pairing;
pub use recipe::Precision;
pub use rotation::Rotation;
pub use turned::Rotary;
