//! Texts to learn from: their sources, how they are fetched, and how they are read.

pub mod bible;
pub mod catalogues;
pub mod dates;
pub mod install;
pub mod vocabulary;

/// Returns whether an example is held out for tests: one in ten, by a hash of the text, so that the
/// same text is never on both sides.
pub fn is_held_out(text: &str) -> bool {
    let mix = |hash: u32, byte: u8| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193);
    let hash = text.bytes().fold(0x811c_9dc5, mix);
    // The low bits of FNV-1a are the least mixed.
    (hash >> 8) % 10 == 0
}
