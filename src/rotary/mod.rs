//! Rotations of queries and keys: [`Rotary`] describes a rotation, [`Rotation`] applies it at given
//! positions, and this module has further rotations.

mod apply;
mod axes;
mod cos_sin;
mod diffusion;
mod encoding;
mod fmt;
mod golden_gate;
mod learned;
mod ltx;
mod mixed;
mod pairing;
mod recipe;
mod rotation;
mod temperature;
mod vjepa2;
mod xpos;

pub use crate::positions::Dinov3Augmentation;
pub use axes::{AxialOrder, Sections};
pub use cos_sin::TableForm;
pub use diffusion::Diffusion;
pub use encoding::Rotary;
pub use mixed::MixedRotary;
pub use pairing::Pairing;
pub use recipe::Precision;
pub use rotation::Rotation;
pub use temperature::QueryTemperature;
pub use vjepa2::VJepa2;
pub use xpos::XPos;
