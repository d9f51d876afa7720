//! The definition of a value, one pair at a time: read this first. Every path that writes rows of
//! pairs gives these bits, and `tests` compares them.
//! ([`Projection`](super::projection::Projection) defines the values of points.)
//!
//! Positions are divided into blocks of 128, each with an *anchor*, and into *octets* of eight,
//! each with a *centre*. Sine and cosine are exact at the anchor; angle addition takes them to the
//! centre, by 64, 32, 16 and 8 positions, and from there to the row, by at most four positions. So
//! a row does not depend on where a run of positions begins. Where cancellation leaves too few
//! bits, a value is *not certain*; there, and at positions that are not whole, sine and cosine come
//! from the phase of the position itself.

use super::addition::SinCos;
use super::amplitude::Amplitude;
use super::arithmetic::Arithmetic;
use super::fixed::Fixed;
use super::sincos::{Reduced, reduced_scalar};
#[cfg(test)]
use super::{row_element::RowElement, settle::are_sure};
#[cfg(test)]
use crate::element::Element;
use crate::positions::Position;

/// The number of positions that share an anchor. A block begins at a multiple of it.
pub(crate) const BLOCK: i64 = 128;
/// The number of positions that share a centre.
pub(super) const OCTET: i64 = 8;
/// The index of the centre in an octet, and of the anchor in a block: the rows of an octet are up
/// to three before the centre and four after it.
pub(super) const CENTRE: i64 = 3;

/// A pair: its group, and its place there.
pub(super) type Pair<'a> = (&'a Fixed, usize);

/// Returns the sine and the cosine of a pair at a position, rounded once.
#[cfg(test)]
pub(super) fn value<A: RowElement>(pair: Pair<'_>, at: Position, amplitude: Amplitude) -> [A; 2] {
    let (added, own) = (added::<A::Computed>(pair, at, amplitude), own(pair, at, amplitude));
    let is_sure = are_sure::<A::Computed>(pair, at, amplitude, [added.sin, added.cos]);
    let value = if is_sure { added } else { own };
    [(value.sin, own.sin), (value.cos, own.cos)].map(|(value, own)| {
        // A 16-bit element is a rounded f32, unless that is the middle of two elements.
        let rounded = A::Computed::from_f64(value);
        A::from_f64(if A::is_between(rounded) { own } else { rounded.to_f64() })
    })
}

/// Returns sine and cosine by angle addition.
#[cfg(test)]
fn added<A: Arithmetic>(pair: Pair<'_>, at: Position, amplitude: Amplitude) -> SinCos<f64> {
    let Position::Integer(whole) = at else {
        return at_phase::<A>(pair, at).scaled(amplitude).rounded();
    };
    let at = |whole| at_phase::<A>(pair, Position::Integer(whole));
    let step = whole.rem_euclid(BLOCK);
    let mut centre = at(whole - step + CENTRE).scaled(amplitude);
    for bit in [64, 32, 16, 8].into_iter().filter(|bit| step & bit != 0) {
        centre = centre.advanced(at(bit), amplitude);
    }
    let row = match step % OCTET - CENTRE {
        0 => centre,
        offset @ 1.. => centre.rotations(at(offset))[0],
        offset => centre.rotations(at(-offset))[1],
    };
    row.rounded()
}

/// Returns sine and cosine from the phase of the position itself, in f64.
pub(super) fn own(pair: Pair<'_>, at: Position, amplitude: Amplitude) -> SinCos<f64> {
    at_phase::<f32>(pair, at).scaled(amplitude)
}

fn at_phase<A: Arithmetic>((fixed, pair): Pair<'_>, at: Position) -> SinCos<A::Number<f64>> {
    sin_cos::<A>(fixed.phase(pair, at), fixed.radians.0[pair] * at.to_f64())
}

/// Returns sine and cosine of a phase, given the same angle in radians, rounded to f64.
pub(super) fn sin_cos<A: Arithmetic>(phase: u128, angle: f64) -> SinCos<A::Number<f64>> {
    let (quarter, Reduced { x, tail }) = reduced_scalar(phase, angle);
    let [sin, cos] = A::sincos(x, tail);
    let [sin, cos] = match quarter {
        0 => [sin, cos],
        1 => [cos, -sin],
        2 => [-sin, -cos],
        _ => [-cos, sin],
    };
    SinCos { sin, cos }
}
