//! Values that angle addition left in doubt come from the phase of their own position.

use super::fixed::GROUP;
use super::plain::{OCTET, own, reach};
use super::target::Target;
use super::waves::Waves;
use crate::element::Element;
use crate::positions::Position;

/// The sine and the cosine of a pair that was written, where they are not sure.
pub(super) fn settled<A: Target + Element>(
    waves: &Waves,
    position: Position,
    pair: usize,
    written: [A; 2],
) -> Option<[A; 2]> {
    let (fixed, at) = (&waves.fixed[pair / GROUP], pair % GROUP);
    let angle = fixed.radians.0[at].abs() * reach(octet_of(position), waves.amplitude);
    if A::is_sure(written.map(A::to_f64), angle, waves.amplitude) {
        return None;
    }
    let own = own(fixed, at, position, waves.amplitude);
    Some([own.sin, own.cos].map(A::from_f64))
}

/// The first of the eight positions that share a centre with this one; 0 for one that is not whole.
pub(super) fn octet_of(position: Position) -> i64 {
    match position {
        Position::Integer(position) => position - position.rem_euclid(OCTET),
        Position::Real(_) => 0,
    }
}
