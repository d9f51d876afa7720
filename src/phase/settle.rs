//! Values that angle addition left in doubt come from the phase of their own position.

use super::fixed::GROUP;
use super::plain::{own, reach_of};
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
    let angle = fixed.radians.0[at].abs() * reach_of(position, waves.amplitude);
    if A::is_sure(written.map(A::to_f64), angle, waves.amplitude) {
        return None;
    }
    let own = own(fixed, at, position, waves.amplitude);
    Some([own.sin, own.cos].map(A::from_f64))
}
