//! Rotations of queries and keys.
//!
//! ```text
//! RopeConfig        a config.json, a GGUF file, or a rotation by hand
//!  │ init(&device)
//!  ▼
//! Rope              the module that a model holds: a rotation for each type of layer
//!  │ at(positions)  once per step
//!  ▼
//! RopePlan          cosines and sines at these positions
//!  │ layer(i)
//!  ▼
//! LayerRope         forward, forward_positions_first
//!  ├── planned.rs   on the CPU backend: this crate's kernel on the tensor's own memory
//!  └── tabled.rs    elsewhere, and where gradients are recorded: tables, and burn's operations
//! ```

mod config;
mod layers;
mod module;
mod order;
mod plan;
mod planned;
mod tabled;

pub use config::RopeConfig;
pub use module::Rope;
pub use plan::{LayerRope, RopePlan};
