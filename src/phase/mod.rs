//! Sines and cosines of exact angles.
//!
//! `plain` defines the values: read it first. An exact phase comes from `fixed`, where frequencies
//! are binary fractions of a turn; its sine and cosine come from `sincos`, in f64, and from
//! `double`, in double-double numbers for rows of f64. `addition` makes a row from another one, by
//! the rotations of `table`. `runs` and `single` write rows along the paths below, `put` stores
//! them from registers, and `settle` recomputes values that are not certain. `writer` chooses the
//! path. `target` has the arithmetic of f32 and f64, `elements` makes 16-bit types from f32.
//! [`Waves`] is what encodings hold. `projection` has angles that are sums over axes, for encodings
//! of points; `points` computes eight points at a time.
//!
//! | path | when | code | what it buys |
//! |---|---|---|---|
//! | eight rows, straight to their place | within a run, whole groups of pairs | `runs` | the usual one |
//! | the same, more pairs at a time | runs of 1024 positions or more | `runs` | 1.1 to 1.2 times as fast where memory is far |
//! | eight rows by way of the stack | the ends of a run, other widths, features apart in memory, 16 bits | `runs` | one kernel for all of these |
//! | a row by itself | positions that stand alone, or too few for an anchor that they share | `single` | six times as fast as a block for one row |
//! | a pair by itself | cancellation, ties of 16 bits | `settle` | the last bits |
//! | products of doubles instead of phases | real positions and points, 32 bits or less | `fixed`, `points` | four times as fast |
//! | rows of points, straight to their place | f32, whole groups of pairs, sines and cosines apart | `points` | 1.35 times as fast |

mod addition;
mod amplitude;
mod double;
mod elements;
mod fixed;
mod layout;
mod plain;
pub(crate) mod points;
pub(crate) mod projection;
mod put;
mod reals;
mod rows;
mod runs;
mod settle;
mod sincos;
mod single;
mod table;
mod target;
#[cfg(test)]
mod tests;
mod waves;
mod writer;

/// The number of positions that are computed together. A block begins at a multiple of it.
pub(crate) const BLOCK: usize = plain::BLOCK as usize;

pub(crate) use amplitude::Amplitude;
pub use layout::{Columns, FeatureLayout};
pub(crate) use waves::Waves;
