//! Reads the tables of trained models from safetensors and GGUF files.
//!
//! | you have | you want | use |
//! |---|---|---|
//! | a safetensors file of a known model | its position table, its whole embedding layer | [`Checkpoint::learned`], [`Checkpoint::embedding`] with an [`Architecture`] |
//! | a table of a vision model | a sinusoid if it is one; a grid; SAM's Fourier features | [`Checkpoint::position_table`], [`Checkpoint::learned_grid`], [`Checkpoint::sam_fourier`] |
//! | a safetensors file of a known model | the tables of its attention biases | [`Checkpoint::bias_tables`] with a [`BiasTable`] |
//! | any safetensors file | a table, a list, a linear layer by name | [`Checkpoint::table`], [`Checkpoint::vector`], [`Checkpoint::linear`] |
//! | a GGUF file | its metadata, a table by name | `Gguf` (feature `gguf`) |
//! | a trained [`Learned`](crate::Learned) | a file | [`Learned::save`](crate::Learned::save) |

#[cfg(feature = "safetensors")]
mod architecture;
#[cfg(feature = "safetensors")]
mod bias;
#[cfg(feature = "gguf")]
mod gguf;
#[cfg(feature = "safetensors")]
mod header;
#[cfg(feature = "safetensors")]
mod safetensors;
#[cfg(feature = "safetensors")]
mod save;
#[cfg(feature = "safetensors")]
mod shards;
mod values;

#[cfg(feature = "safetensors")]
pub use architecture::Architecture;
#[cfg(feature = "safetensors")]
pub use bias::BiasTable;
#[cfg(feature = "gguf")]
pub use gguf::Gguf;
#[cfg(feature = "safetensors")]
pub use safetensors::Checkpoint;
#[cfg(feature = "safetensors")]
pub use save::StoredElement;
