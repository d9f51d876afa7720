//! SmolLM2-135M-Instruct on candle's quantised layers, with positions by `positional-encodings`.
//!
//! ```text
//! main.rs ── generate.rs   a prompt, continued greedily
//!    │   └── perplexity.rs a text, scored
//!    │         └── session.rs   a cache of keys and values, and how long each part took
//!    │               ├── recipe.rs   how queries and keys are rotated
//!    │               └── model.rs    the weights ── block.rs: one layer ── attention.rs
//!    ├── weights.rs          the GGUF file and its tokenizer
//!    └── text.rs             the King James Bible, or a file
//! ```

#![forbid(unsafe_code)]

mod attention;
pub mod block;
pub mod generate;
pub mod model;
pub mod perplexity;
pub mod recipe;
pub mod session;
mod softmax;
pub mod text;
pub mod weights;

/// The error of any step of this example.
pub type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;
