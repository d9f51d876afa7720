//! Recomputes values that are not certain after angle addition from the phase of their own
//! position.

use super::fixed::GROUP;
use super::plain::{own, reach_of};
use super::target::Target;
use super::waves::Waves;
use crate::element::Element;
use crate::positions::Position;

/// Returns the recomputed sine and cosine of a pair, if the ones written are not certain.
pub(super) fn settled<A: Target + Element>(
    waves: &Waves,
    position: Position,
    pair: usize,
    written: [A; 2],
) -> Option<[A; 2]> {
    let (fixed, at) = (&waves.fixed[pair / GROUP], pair % GROUP);
    let angle = fixed.radians.0[at].abs() * reach_of(position, waves.amplitude);
    if A::is_sure(written.map(A::to_f64), angle, waves.amplitude) {
        return None;
    }
    let own = own(fixed, at, position, waves.amplitude);
    Some([own.sin, own.cos].map(A::from_f64))
}
