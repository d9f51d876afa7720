//! Recomputes values that are not certain from the phase of their own position: after angle
//! addition those that cancellation has left with too few bits, and 16-bit values whose f32 is the
//! middle of two of them.

use super::amplitude::Amplitude;
use super::arithmetic::Arithmetic;
use super::definition::{OCTET, own};
use super::layout::{Columns, Slot};
use super::row_element::RowElement;
use super::waves::Waves;
use crate::element::Element;
use crate::positions::Position;

/// Returns an upper bound of the distance from zero of the positions in an octet. At position 0 the
/// sine cancels completely, to exactly zero unless products with the amplitude are rounded: then
/// the bound is infinite, so that no small value in the octet is certain.
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

/// Returns the recomputed sine and cosine of a pair, if the ones written are not certain.
pub(super) fn settled<A: Arithmetic + Element>(
    waves: &Waves,
    position: Position,
    pair: usize,
    written: [A; 2],
) -> Option<[A; 2]> {
    let pair @ (fixed, at) = waves.pair(pair);
    let angle = fixed.radians.0[at].abs() * reach_of(position, waves.amplitude);
    if A::is_sure(written.map(A::to_f64), angle, waves.amplitude) {
        return None;
    }
    let own = own(pair, position, waves.amplitude);
    Some([own.sin, own.cos].map(A::from_f64))
}

/// Recomputes the values that are not certain, of pairs from `first` on.
#[cold]
#[inline(never)]
pub(super) fn settle<A: Arithmetic + Element, const INTERLEAVED: bool>(
    waves: &Waves,
    position: Position,
    first: usize,
    (front, back): Slot<'_, A>,
) {
    let width = front.len();
    for i in 0..width {
        let [sin, cos] = match (INTERLEAVED, 2 * i < width) {
            (false, _) => [&mut front[i], &mut back[i]],
            (true, true) => two(&mut front[2 * i..]),
            (true, false) => two(&mut back[2 * i - width..]),
        };
        if let Some(own) = settled(waves, position, first + i, [*sin, *cos]) {
            [*sin, *cos] = own;
        }
    }
}

/// Returns the first two elements.
fn two<A>(values: &mut [A]) -> [&mut A; 2] {
    let (first, rest) = values.split_at_mut(1);
    [&mut first[0], &mut rest[0]]
}

/// Rounds values that lie exactly between two values of the element type once, from f64.
#[cold]
#[inline(never)]
pub(super) fn settle_ties<A: RowElement>(
    waves: &Waves,
    columns: &Columns,
    position: Position,
    first: usize,
    values: &[A::Computed],
    out: &mut [A],
) {
    for (column, (value, out)) in (first..).zip(values.iter().zip(out)) {
        if A::is_between(*value) {
            let (pair, is_sine) = columns.pair_of(column);
            let own = own(waves.pair(pair), position, waves.amplitude);
            *out = A::from_f64(if is_sine { own.sin } else { own.cos });
        }
    }
}
