//! Sines and cosines of exact angles.
//!
//! `definition` says what a value is: read it first. An exact phase comes from `fixed`, where
//! frequencies are binary fractions of a turn; its sine and cosine come from `sincos`, in f64, and
//! from `double_double` for rows of f64. `addition` makes a row from another one, by the table of
//! `rotations`, beginning with an `anchor`. `runs` and `single` write rows along the paths below,
//! `stores` stores them from registers, and `settle` recomputes values that are not certain.
//! `arithmetic` is what f32 and f64 differ in; `vectors` lets a formula serve one double or many.
//! [`Waves`] is what encodings hold.
//!
//! Three files know of memory: `writer` chooses the path, `output` finds the rows of an array, and
//! `row_element` makes 16-bit rows from f32. `layout` has the order of the features.
//!
//! `projection` has angles that are sums over axes, for encodings of points; it defines their
//! values, and `points` computes eight points at a time.
//!
//! | path | when | code | advantage |
//! |---|---|---|---|
//! | eight rows, straight to their place | within a run, whole groups of pairs | `runs` | 0.19 ns for a value of f32 (AVX-512) |
//! | the same, more pairs at a time | runs of 1024 positions or more | `runs`, `writer` | 1.1 to 1.2 times as fast where memory is far |
//! | eight rows by way of the stack | the ends of a run, other widths, features apart in memory, 16 bits | `runs`, `writer` | one kernel for all of these: 0.32 ns for a value of f32, 0.64 of bf16 |
//! | a row by itself | positions that stand alone, or too few for an anchor that they share | `single` | six times as fast as a block for one row |
//! | a pair by itself | cancellation, ties of 16 bits | `settle` | the last bits; no speed |
//! | products of doubles instead of phases | real positions and points, 32 bits or less | `anchor`, `points` | four times as fast |
//! | rows of points, straight to their place | f32, whole groups of pairs, sines and cosines apart | `points` | 1.35 times as fast |
//!
//! Interleaved rows and rows in halves are two copies of a kernel. A choice at each store instead
//! could save 3 % of the code that the compiler is given for this crate.

mod addition;
mod amplitude;
mod anchor;
mod arithmetic;
mod definition;
mod double_double;
mod fixed;
mod layout;
mod output;
pub(crate) mod points;
pub(crate) mod projection;
mod rotations;
mod row_element;
mod runs;
mod settle;
mod sincos;
mod single;
mod stores;
#[cfg(test)]
mod tests;
mod vectors;
mod waves;
mod writer;

/// The number of positions that are computed together. A block begins at a multiple of it.
pub(crate) const BLOCK: usize = definition::BLOCK as usize;

pub(crate) use amplitude::Amplitude;
pub use layout::{Columns, FeatureLayout};
pub(crate) use waves::Waves;
