//! Values that angle addition left in doubt come from the phase of their own position.

use core::ops::Range;

use super::Waves;
use super::fixed::GROUP;
use super::layout::Places;
use super::plain::{OCTET, own, reach};
use super::target::Target;
use crate::element::Element;
use crate::positions::Position;

/// Looks at some pairs of a row that was written, and writes again those that are not sure. The
/// row begins with pair `base`.
#[cold]
#[inline(never)]
pub(super) fn settle<A: Target + Element>(
    waves: &Waves,
    position: Position,
    pairs: Range<usize>,
    base: usize,
    places: Places,
    row: &mut [A],
) {
    let octet = match position {
        Position::Integer(position) => position - position.rem_euclid(OCTET),
        Position::Real(_) => 0,
    };
    let reach = reach(octet, waves.amplitude);
    for pair in pairs {
        let (fixed, at) = (&waves.fixed[pair / GROUP], pair % GROUP);
        let [sin, cos] = places.of(pair - base);
        let value = [row[sin].to_f64(), row[cos].to_f64()];
        if !A::is_sure(value, fixed.radians.0[at].abs() * reach, waves.amplitude) {
            let own = own(fixed, at, position, waves.amplitude);
            (row[sin], row[cos]) = (A::from_f64(own.sin), A::from_f64(own.cos));
        }
    }
}
