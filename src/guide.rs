//! Guides to topics that span several items.
//!
//! The guides are also in the folder `docs/` of the repository.

// Links between guides lead to files in the repository and to modules here. The first definition of
// a link counts, so the modules are defined before the text.

#[cfg_attr(feature = "serde", doc = "[rotary.md]: crate::guide::rotary")]
#[doc = "[space.md]: crate::guide::space\n\n"]
#[doc = include_str!("../docs/matches.md")]
pub mod matches {}

#[cfg(feature = "serde")]
#[doc = "[matches.md]: crate::guide::matches\n\n"]
#[doc = include_str!("../docs/rotary.md")]
pub mod rotary {}

#[doc = "[matches.md]: crate::guide::matches\n\n"]
#[doc = include_str!("../docs/space.md")]
pub mod space {}

#[cfg(all(feature = "safetensors", feature = "gguf"))]
#[doc = include_str!("../docs/learned.md")]
pub mod learned {}

#[doc = include_str!("../docs/training.md")]
pub mod training {}

#[doc = "[speed.md]: crate::guide::speed\n\n"]
#[doc = include_str!("../docs/streams.md")]
pub mod streams {}

#[doc = "[limits.md]: crate::guide::limits\n\n"]
#[doc = include_str!("../docs/speed.md")]
pub mod speed {}

#[doc = "[speed.md]: crate::guide::speed\n\n"]
#[doc = include_str!("../docs/limits.md")]
pub mod limits {}

#[cfg(feature = "analysis")]
#[doc = include_str!("../docs/seeing.md")]
pub mod seeing {}

#[doc = include_str!("../examples/README.md")]
pub mod examples {}
