//! The definition of a value, one pair at a time: read this first. Every path in this folder gives
//! these bits, and a test compares them.
//!
//! Positions are divided into blocks of 128, each with an *anchor*, and into groups of eight, each
//! with a *centre*. Sine and cosine are exact at the anchor; angle addition takes them to the
//! centre, by 64, 32, 16 and 8 positions, and from there to the row, by at most four positions. So
//! a row does not depend on where a run of positions begins. Where cancellation leaves too few
//! bits, and at positions that are not whole, sine and cosine come from the phase of the position
//! itself.

use super::addition::SinCos;
use super::amplitude::Amplitude;
use super::fixed::Fixed;
use super::sincos::{Reduced, reduced_scalar};
use super::target::Target;
use crate::positions::Position;

/// The number of positions that share an anchor. A block begins at a multiple of it.
pub(crate) const BLOCK: i64 = 128;
/// The number of positions that share a centre.
pub(super) const OCTET: i64 = 8;
/// The index of the centre in a group of eight, and of the anchor in a block: rows are up to three
/// before it and four after it.
pub(super) const CENTRE: i64 = 3;

/// Returns sine and cosine of a pair at a position, before they are rounded to `A`.
#[cfg(test)]
pub(super) fn value<A: Target>(
    fixed: &Fixed,
    pair: usize,
    position: Position,
    amplitude: Amplitude,
) -> SinCos<f64> {
    let at = |position| at_phase::<A>(fixed, pair, Position::Integer(position));
    let value = match position {
        Position::Integer(position) => {
            let step = position.rem_euclid(BLOCK);
            let mut centre = at(position - step + CENTRE).scaled(amplitude);
            for bit in [64, 32, 16, 8] {
                if step & bit != 0 {
                    centre = centre.advanced(at(bit), amplitude);
                }
            }
            match step % OCTET - CENTRE {
                0 => centre,
                offset @ 1.. => centre.rotations(at(offset))[0],
                offset => centre.rotations(at(-offset))[1],
            }
        }
        Position::Real(_) => at_phase::<A>(fixed, pair, position).scaled(amplitude),
    };
    let angle = fixed.radians.0[pair].abs() * reach_of(position, amplitude);
    let value = value.rounded();
    if A::is_sure([value.sin, value.cos], angle, amplitude) {
        return value;
    }
    own(fixed, pair, position, amplitude)
}

/// Returns sine and cosine from the phase of the position itself, in f64.
pub(super) fn own(
    fixed: &Fixed,
    pair: usize,
    position: Position,
    amplitude: Amplitude,
) -> SinCos<f64> {
    at_phase::<f32>(fixed, pair, position).scaled(amplitude)
}

/// Returns an upper bound of the distance from zero of the positions in an octet. At position 0 the
/// sine cancels completely, and to zero unless the amplitude is rounded: then no pair of the octet
/// is certain.
#[inline(always)]
pub(super) fn reach(octet: i64, amplitude: Amplitude) -> f64 {
    if octet == 0 && amplitude.value != 1.0 {
        return f64::INFINITY;
    }
    octet.unsigned_abs() as f64 + OCTET as f64
}

/// Returns an upper bound of the distance from zero of a position and those that share its centre.
#[inline(always)]
pub(super) fn reach_of(position: Position, amplitude: Amplitude) -> f64 {
    match position {
        Position::Integer(position) => reach(position - position.rem_euclid(OCTET), amplitude),
        Position::Real(position) => position.abs(),
    }
}

fn at_phase<A: Target>(fixed: &Fixed, pair: usize, position: Position) -> SinCos<A::Number<f64>> {
    at::<A>(fixed.phase(pair, position), fixed.radians.0[pair] * position.to_f64())
}

/// Returns sine and cosine of a phase, given the same angle in radians, rounded to f64.
pub(super) fn at<A: Target>(phase: u128, angle: f64) -> SinCos<A::Number<f64>> {
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
