//! Does position help? Small transformers trained with each encoding of `positional-encodings`, on
//! candle and the CPU, and compared: classification, translation and generation.

#![forbid(unsafe_code)]

pub mod compare;
pub mod data;
pub mod encodings;
pub mod learning;
pub mod lstm;
pub mod metrics;
pub mod ops;
pub mod optimiser;
pub mod options;
pub mod parameters;
pub mod plot;
pub mod report;
pub mod run;
pub mod tasks;
pub mod transformer;

/// An error, as a message.
pub type Error = Box<dyn std::error::Error + Send + Sync>;

/// The result of calls that can fail.
pub type Result<T> = core::result::Result<T, Error>;
