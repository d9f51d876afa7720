//! Rotations of queries and keys.
//!
//! ```text
//! Rope              what a model holds: a rotation for each type of layer
//!  │ at(positions)  once per step
//!  ▼
//! RopePlan          cosines and sines at these positions, on every device that asks for them
//!  │ layer(i)
//!  ▼
//! LayerRope         rope, rope_thd, and both in place
//!  ├── op.rs        on the CPU: this crate's kernel on the tensor's own memory
//!  └── device.rs    elsewhere: tables, and candle's own op
//! ```

mod device;
mod layers;
mod model;
mod op;
mod plan;
mod planned;

pub use model::Rope;
pub use plan::{LayerRope, RopePlan};
