//! The definition of a value, one pair at a time: read this first. Every path of this folder gives
//! these bits, and a test compares them.
//!
//! Positions stand in blocks of 128, each with an *anchor*, and in groups of eight with a *centre*
//! each. Sine and cosine are exact at the anchor; angle addition takes them to the centre, by 64,
//! 32, 16 and 8 positions, and from there to the row, at most four on. So a row never depends on
//! where a run of positions begins. Where cancellation left too few bits, and at positions that are
//! not whole, they come from the phase of the position itself.

use super::addition::SinCos;
use super::amplitude::Amplitude;
use super::fixed::Fixed;
use super::sincos::{Reduced, reduced_scalar};
use super::target::Target;
use crate::positions::Position;

/// Positions that share an anchor: they begin at a multiple of this.
pub(crate) const BLOCK: i64 = 128;
/// Positions that share a centre.
pub(super) const OCTET: i64 = 8;
/// Where the centre of eight positions stands, and the anchor of a block: the rows are three before
/// it to four after it.
pub(super) const CENTRE: i64 = 3;

/// Sine and cosine of a pair at a position, before they are rounded to `A`.
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

/// Sine and cosine from the phase of the position itself, in f64.
pub(super) fn own(
    fixed: &Fixed,
    pair: usize,
    position: Position,
    amplitude: Amplitude,
) -> SinCos<f64> {
    at_phase::<f32>(fixed, pair, position).scaled(amplitude)
}

/// How far from zero the positions of an octet are at most. At position 0 the sine cancels whole,
/// and to zero unless rounding the amplitude stands in the way: then no pair of it is sure.
#[inline(always)]
pub(super) fn reach(octet: i64, amplitude: Amplitude) -> f64 {
    if octet == 0 && amplitude.value != 1.0 {
        return f64::INFINITY;
    }
    octet.unsigned_abs() as f64 + OCTET as f64
}

/// How far from zero a position is at most, or those that share a centre with it.
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

/// Sine and cosine of a phase, and of the same angle in radians as f64 has it.
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
